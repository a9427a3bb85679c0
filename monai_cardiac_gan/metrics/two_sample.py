"""The MONAI metric that compares two samples, generated and real, by a function of both."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import asdict, is_dataclass
from typing import Any, ClassVar

import torch
from monai.metrics import CumulativeIterationMetric
from torch import Tensor

__all__ = ["Numbers", "TwoSampleMetric", "as_numbers"]

Numbers = float | dict[str, float]
"""What a comparison gives: one number, or several by names that are distinct among all metrics."""


class TwoSampleMetric(CumulativeIterationMetric):
    """Collects generated and real samples batch by batch, then compares all of one with all of the other.

    A concrete metric only names its `function`. Batches of generated and real samples may differ in length; in distributed
    runs the samples of all processes are compared, and each process needs at least one batch.

    Args:
        features: maps a batch (N, ...) to what is kept and compared of it (N, ...), for example a feature network in
            evaluation mode; it runs on every batch, without gradients. The samples themselves when not given.
        part: the one number that `aggregate` gives, where the function gives several: a key metric has to be one number.
        settings: further arguments of the function, by name.

    Raises:
        TypeError: when the function has no such setting.

    Example:
        >>> class MeanDifference(TwoSampleMetric):
        ...     function = staticmethod(lambda generated, real: (generated.mean() - real.mean()).item())
        >>> metric = MeanDifference()
        >>> for batch in (torch.ones(2, 1, 4, 4), torch.ones(1, 1, 4, 4)):
        ...     _ = metric(y_pred=batch, y=torch.zeros(5, 1, 4, 4))
        >>> metric.aggregate()
        1.0

    As a key metric of an evaluator (a distance is better when smaller; details would be copies of all images):
    ``IgniteMetricHandler(SlicedWassersteinMetric(part="mean"), output_transform=..., save_details=False)``.
    """

    function: ClassVar[Callable[..., Any]]
    """``function(generated, real, **settings)`` gives a float, a dictionary of floats or a dataclass of floats."""

    _sample_shape: tuple[int, ...] | None

    def __init__(
        self, features: Callable[[Tensor], Tensor] | None = None, part: str | None = None, **settings: Any
    ) -> None:
        super().__init__()
        known = list(inspect.signature(type(self).function).parameters)[2:]
        unknown = sorted(set(settings) - set(known))
        if unknown:
            raise TypeError(f"{type(self).__name__} has no setting {unknown}: expected some of {known}.")
        self.features, self.part, self.settings = features, part, settings

    def _compute_list(
        self, y_pred: Tensor | Sequence[Tensor], y: Tensor | Sequence[Tensor] | None = None, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        """Decollated batches; MONAI would pair them and drop what has no partner."""
        return self._compute_tensor(_stacked("y_pred", y_pred), None if y is None else _stacked("y", y), **kwargs)

    @torch.no_grad()
    def _compute_tensor(self, y_pred: Tensor, y: Tensor | None = None, **kwargs: Any) -> tuple[Tensor, Tensor]:
        """What is kept of a batch: MONAI buffers each of the two by itself."""
        if y is None:
            raise ValueError("there is no batch of real samples: give generated ones as y_pred and real ones as y.")
        shapes = {tuple(y_pred.shape[1:]), tuple(y.shape[1:])}
        if self._sample_shape is not None:
            shapes.add(self._sample_shape)
        if len(shapes) > 1:
            raise ValueError(
                f"one generated or real sample is {' and another '.join(map(str, map(list, sorted(shapes))))}, expected "
                "one shape for all: crop or resize them first."
            )
        kept = self._kept("generated", y_pred), self._kept("real", y)
        self._sample_shape = shapes.pop()
        return kept

    def _kept(self, name: str, batch: Tensor) -> Tensor:
        if batch.ndim < 2 or len(batch) == 0:
            raise ValueError(
                f"the batch of {name} samples is {list(batch.shape)}, expected (N, ...) with at least one sample: "
                "add the axis of the batch to a single sample."
            )
        plain = batch.detach().as_subclass(Tensor)  # a MetaTensor would copy its metadata for every sample
        if self.features is None:
            return plain
        features = self.features(plain)
        if features.ndim < 2 or len(features) != len(batch):
            raise ValueError(
                f"the features of {len(batch)} {name} samples are {list(features.shape)}, expected one row for each: "
                "let the feature network keep the axis of the batch."
            )
        return features

    def reset(self) -> None:
        """Forget all that was collected."""
        super().reset()
        self._sample_shape = None

    def aggregate(self) -> Numbers:
        """Compare all that was collected since the last `reset`.

        Returns:
            The function's number, or its numbers by name.

        Raises:
            ValueError: when nothing was collected, the function refuses the samples, or `part` is none of its numbers.
        """
        samples = self.get_buffer()
        if samples is None:
            raise ValueError(
                f"{type(self).__name__} has collected nothing: call it with y_pred and y before aggregate."
            )
        numbers = as_numbers(type(self).function(*samples, **self.settings))
        if self.part is None:
            return numbers
        if not isinstance(numbers, dict) or self.part not in numbers:
            names = list(numbers) if isinstance(numbers, dict) else "one number without a name"
            raise ValueError(f"{type(self).__name__} has no part {self.part!r}: it gives {names}.")
        return numbers[self.part]


def as_numbers(result: Any) -> Numbers:
    """What a comparison of two samples gave, as one float or as floats by name.

    Args:
        result: a number, a dictionary of numbers or a dataclass of numbers.

    Example:
        >>> as_numbers({"mean": torch.tensor(0.5)})
        {'mean': 0.5}
    """
    if is_dataclass(result) and not isinstance(result, type):
        result = asdict(result)
    if isinstance(result, dict):
        return {name: float(number) for name, number in result.items()}
    return float(result)


def _stacked(name: str, samples: Tensor | Sequence[Tensor]) -> Tensor:
    if isinstance(samples, Tensor):
        return samples
    shapes = sorted({tuple(sample.shape) for sample in samples})
    if len(shapes) != 1:
        raise ValueError(
            f"{name} is a list of {len(samples)} samples of the shapes {list(map(list, shapes))}, expected one shape: "
            "crop or resize them first."
        )
    return torch.stack([sample.detach().as_subclass(Tensor) for sample in samples])
