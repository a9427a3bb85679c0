"""Relativistic pairing losses (Jolicoeur-Martineau 2018; Huang et al. 2024, R3GAN, section 2)."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from monai_cardiac_gan.losses.adversarial_loss import refuse_no_scores, refuse_unpaired

__all__ = ["RelativisticLoss"]


class RelativisticLoss:
    r"""Relativistic losses of critic and generator, each fake compared with one real image.

    .. math:: L_D = \frac{1}{N} \sum_n \operatorname{softplus}(D(\tilde x_n) - D(x_n)),
        \quad L_G = \frac{1}{N} \sum_n \operatorname{softplus}(D(x_n) - D(\tilde x_n))

    As only differences count, the critic cannot win by a boundary between all reals and all fakes, which is how
    generators lose modes (Huang et al. 2024, section 2.1). It needs zero-centred penalties on reals and fakes to converge
    (section 2.2): `ZeroCentredPenalty`. Both losses are above 0.

    Attributes:
        needs_reals: whether the generator's loss looks at the scores of reals too; here it does.

    Example:
        A critic that cannot tell them apart has the loss log 2:

        >>> import torch
        >>> RelativisticLoss().critic(torch.zeros(2), torch.zeros(2))
        tensor(0.6931)
    """

    needs_reals = True

    def critic(self, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
        """How little the reals score above their partners, a scalar; no penalty is in it.

        Args:
            real_scores: one score per real image (N,).
            fake_scores: one score per generated image (N,).

        Raises:
            ValueError: when there are no scores or not as many of both.
        """
        refuse_no_scores("fake_scores", fake_scores)
        return F.softplus(fake_scores - refuse_unpaired(real_scores, fake_scores)).mean()

    def generator(self, fake_scores: Tensor, real_scores: Tensor | None = None) -> Tensor:
        """How little the fakes score above their partners, a scalar.

        Args:
            fake_scores: one score per generated image (N,).
            real_scores: one score per real image (N,); no gradient is needed in them.

        Raises:
            ValueError: when there are no scores or not as many of both.
        """
        refuse_no_scores("fake_scores", fake_scores)
        return F.softplus(refuse_unpaired(real_scores, fake_scores) - fake_scores).mean()
