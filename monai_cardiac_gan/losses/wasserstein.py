"""Losses of critic and generator in a Wasserstein GAN (Arjovsky et al. 2017, algorithm 1)."""

from __future__ import annotations

import torch  # noqa: F401 (the example)
from torch import Tensor

from monai_cardiac_gan.losses.adversarial_loss import refuse_no_scores

__all__ = ["WassersteinLoss"]


class WassersteinLoss:
    r"""Wasserstein losses of critic and generator.

    .. math:: L_D = \frac{1}{N} \sum_n D(\tilde x_n) - \frac{1}{M} \sum_m D(x_m),
        \quad L_G = -\frac{1}{N} \sum_n D(\tilde x_n)

    For a critic whose slope is at most one, :math:`-L_D` is a lower bound of the distance between real and generated
    images (Arjovsky et al. 2017, equation 2). Both losses may be any real number.

    Attributes:
        needs_reals: whether the generator's loss looks at the scores of reals too; here it does not.

    Example:
        >>> WassersteinLoss().critic(torch.tensor([3.0, 5.0]), torch.tensor([1.0, 2.0]))
        tensor(-2.5000)
        >>> WassersteinLoss().generator(torch.tensor([1.0, 2.0]))
        tensor(-1.5000)
    """

    needs_reals = False

    def critic(self, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
        """Mean score of the fakes less that of the reals, a scalar; the penalty is not in it.

        Args:
            real_scores: one score per real image (M,).
            fake_scores: one score per generated image (N,).

        Raises:
            ValueError: when there are no scores.
        """
        refuse_no_scores("real_scores", real_scores)
        refuse_no_scores("fake_scores", fake_scores)
        return fake_scores.mean() - real_scores.mean()

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
