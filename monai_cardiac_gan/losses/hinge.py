"""Hinge losses of critic and generator (Lim and Ye 2017; Miyato et al. 2018, equations 16 and 17)."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from monai_cardiac_gan.losses.adversarial_loss import refuse_no_scores

__all__ = ["HingeLoss"]

MARGIN = 1.0
"""A real that scores above it, or a fake below its negative, no longer moves the critic."""


class HingeLoss:
    r"""Hinge losses of critic and generator; images that the critic tells apart by a margin no longer move it.

    .. math:: L_D = \frac{1}{M} \sum_m \max(0, 1 - D(x_m)) + \frac{1}{N} \sum_n \max(0, 1 + D(\tilde x_n)),
        \quad L_G = -\frac{1}{N} \sum_n D(\tilde x_n)

    The critic's loss is at least 0, the generator's may be any real number.

    Attributes:
        needs_reals: whether the generator's loss looks at the scores of reals too; here it does not.

    Example:
        Only the second real is within the margin, by 0.5; the fake is beyond it by 2:

        >>> import torch
        >>> HingeLoss().critic(torch.tensor([3.0, 0.5]), torch.tensor([1.0]))
        tensor(2.2500)
    """

    needs_reals = False

    def critic(self, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
        """Mean shortfall of the reals plus mean excess of the fakes, a scalar; no penalty is in it.

        Args:
            real_scores: one score per real image (M,).
            fake_scores: one score per generated image (N,).

        Raises:
            ValueError: when there are no scores.
        """
        refuse_no_scores("real_scores", real_scores)
        refuse_no_scores("fake_scores", fake_scores)
        return F.relu(MARGIN - real_scores).mean() + F.relu(MARGIN + fake_scores).mean()

    def generator(self, fake_scores: Tensor, real_scores: Tensor | None = None) -> Tensor:
        """Mean score of the fakes with its sign turned, a scalar.

        Args:
            fake_scores: one score per generated image (N,).
            real_scores: not used.

        Raises:
            ValueError: when there are no scores.
        """
        refuse_no_scores("fake_scores", fake_scores)
        return -fake_scores.mean()
