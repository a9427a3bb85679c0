"""What all adversarial losses have in common: how they are called, what they refuse."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from torch import Tensor

__all__ = ["AdversarialLoss", "refuse_no_scores", "refuse_unpaired"]


@runtime_checkable
class AdversarialLoss(Protocol):
    """Losses of critic and generator, both to be made small.

    Attributes:
        needs_reals: whether the generator's loss looks at the scores of reals too.
    """

    needs_reals: bool

    def critic(self, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
        """The critic's loss, a scalar without any penalty; scores are one per image, (M,) and (N,)."""
        ...

    def generator(self, fake_scores: Tensor, real_scores: Tensor | None = None) -> Tensor:
        """The generator's loss, a scalar."""
        ...


def refuse_no_scores(name: str, scores: Tensor) -> None:
    """Stop where there is nothing to take a mean of.

    Raises:
        ValueError: when the tensor is empty.
    """
    if scores.numel() == 0:
        raise ValueError(f"{name} {tuple(scores.shape)} holds no score, expected (N,): drop batches without images.")


def refuse_unpaired(real_scores: Tensor | None, fake_scores: Tensor) -> Tensor:
    """Give the scores of the reals, once each has a partner among the fakes.

    Raises:
        ValueError: when there are none, or not as many.
    """
    came = None if real_scores is None else tuple(real_scores.shape)
    if real_scores is None or real_scores.shape != fake_scores.shape:
        raise ValueError(
            f"real_scores {came} and fake_scores {tuple(fake_scores.shape)} are no pairs: "
            "a relativistic loss compares each fake with a real image, give as many of both."
        )
    return real_scores
