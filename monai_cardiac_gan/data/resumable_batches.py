"""Which patches go into which batch, so that a training can go on in the middle of an epoch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Sized

import numpy as np
from torch.utils.data import Sampler

__all__ = ["ResumableBatches"]


class ResumableBatches(Sampler[list[int]]):
    """Batch sampler whose order depends on seed and epoch alone.

    Each pass over it is the next epoch. `continue_from` starts it anywhere, so that nothing has to be stored but the
    counters that a trainer has anyway. In a distributed run each process gets its part of the same batches, in their order;
    the few images that cannot be shared evenly are left out of that epoch.

    Args:
        data: what is sampled, or anything of that length.
        batch_size: images in a batch, of all processes together.
        shuffle: a new order each epoch; False keeps the order of the data, and weights do not count.
        drop_last: leave out the last batch when it is short.
        seed: of all orders.
        rank: number of this process.
        count: how many processes share the batches.
        weights: how often each item comes in relation to the others; an epoch is then drawn with replacement, and has as
            many items as without. None takes each item once an epoch.

    Raises:
        ValueError: when the batch cannot be shared evenly, the rank is that of no process, or the data do not fill one
            batch that is kept.

    Example:
        >>> batches = ResumableBatches(range(5), batch_size=2, shuffle=False)
        >>> batches.continue_from(epoch=0, batch=1)
        >>> list(batches), list(batches)
        ([[2, 3], [4]], [[0, 1], [2, 3], [4]])
    """

    def __init__(
        self,
        data: Sized,
        batch_size: int,
        shuffle: bool = True,
        drop_last: bool = False,
        seed: int = 0,
        rank: int = 0,
        count: int = 1,
        weights: Sequence[float] | None = None,
    ) -> None:
        if min(batch_size, count) < 1 or batch_size % count:
            raise ValueError(
                f"batch_size is {batch_size} for {count} processes: expected a positive multiple of their number."
            )
        if not 0 <= rank < count:
            raise ValueError(f"rank is {rank} of {count} processes: expected 0 to {count - 1}, one for each process.")
        self.size, self.batch_size, self.shuffle, self.drop_last = len(data), batch_size, shuffle, drop_last
        self.seed, self.rank, self.count = seed, rank, count
        self.shares = None if weights is None else _shares(weights, self.size)
        self.epoch, self.first = 0, 0
        if len(self) == 0:
            raise ValueError(
                f"the data hold {self.size} items, expected at least {batch_size if drop_last else count}: take a smaller "
                "batch_size."
            )

    def __len__(self) -> int:
        whole, rest = divmod(self.size, self.batch_size)
        return whole + (not self.drop_last and rest >= self.count)

    def __iter__(self) -> Iterator[list[int]]:
        order = self._order() if self.shuffle else np.arange(self.size)
        batches = [self._part(order, number) for number in range(self.first, len(self))]
        self.epoch, self.first = self.epoch + 1, 0
        return iter(batches)

    def continue_from(self, epoch: int, batch: int = 0) -> None:
        """Let the next pass be that epoch, counted from 0, and begin with that batch."""
        self.epoch, self.first = epoch, batch

    def _order(self) -> np.ndarray:
        """Numbers of the items in the order of this epoch."""
        rng = np.random.default_rng([self.seed, self.epoch])
        return rng.permutation(self.size) if self.shares is None else rng.choice(self.size, self.size, p=self.shares)

    def _part(self, order: np.ndarray, number: int) -> list[int]:
        batch = order[number * self.batch_size : (number + 1) * self.batch_size]
        share = len(batch) // self.count
        part: list[int] = batch[self.rank * share : (self.rank + 1) * share].tolist()
        return part


def _shares(weights: Sequence[float], size: int) -> np.ndarray:
    values = np.asarray(weights, dtype=float)
    if values.shape != (size,) or not (values >= 0).all() or not values.sum() > 0:
        raise ValueError(
            f"there are {values.size} weights from {values.min(initial=0):g} on for {size} items: expected one for each, none "
            "below 0 and not all 0."
        )
    return values / values.sum()
