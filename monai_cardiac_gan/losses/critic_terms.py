"""Terms of the inpainting loss that ask a critic how real an image is."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

__all__ = ["CriticFeatures", "CriticScore"]


class CriticScore:
    r"""The critic's score with its sign turned, :math:`-D(x)`; the publication's perceptual term.

    Args:
        critic: maps images (N, C, H, W) to one score each (N,), higher for more real; must not mix samples.

    Raises:
        ValueError: at the call, when the scores have another shape.

    Example:
        >>> critic = nn.Flatten(0)
        >>> CriticScore(critic)(torch.tensor([2.0, -1.0]).view(2, 1, 1, 1), None, None, None)
        tensor([-2.,  1.])
    """

    def __init__(self, critic: nn.Module) -> None:
        self.critic = critic

    def networks(self) -> list[nn.Module]:
        """The critic."""
        return [self.critic]

    def __call__(self, images: Tensor, latents: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
        """See `InpaintingTerm`."""
        scores = self.critic(images)
        if scores.shape != (len(images),):
            raise ValueError(
                f"the critic gives scores {tuple(scores.shape)} for {len(images)} images: expected ({len(images)},), one each."
            )
        return -scores


class CriticFeatures:
    r"""How differently the critic sees the image and the patch with the mask filled by it.

    .. math:: \ell = \frac{1}{|F|} \sum_{f \in F} \frac{1}{P_f}
        \lVert f(x) - f(M \circ y + (1 - M) \circ x) \rVert_1

    An inpainted patch that fits its surroundings gives the critic the same features (Salimans et al. 2016, section 3.1,
    match them in training). Inside the mask both images are alike, so that only the context, and how the inpainted pixels
    join it, counts.

    Args:
        critic: any network of images.
        layers: names of modules of it (``named_modules``) whose outputs are the features f.

    Raises:
        ValueError: when a layer is not there or none is named.

    Example:
        >>> critic = nn.Sequential(nn.Conv2d(1, 2, 1, bias=False), nn.Flatten(), nn.LazyLinear(1), nn.Flatten(0))
        >>> target, mask = torch.zeros(1, 1, 2, 2), torch.zeros(1, 1, 2, 2, dtype=torch.bool)
        >>> term = CriticFeatures(critic, ["0"])
        >>> term(target.clone(), None, target, mask)
        tensor([0.], grad_fn=<DivBackward0>)
    """

    def __init__(self, critic: nn.Module, layers: Sequence[str]) -> None:
        modules = dict(critic.named_modules())
        missing = [name for name in layers if name not in modules]
        if missing or not layers:
            raise ValueError(
                f"the critic has no layers {missing or '(none were named)'}: expected some of {', '.join(list(modules)[1:])}."
            )
        self.critic = critic
        self.layers = [modules[name] for name in layers]

    def networks(self) -> list[nn.Module]:
        """The critic."""
        return [self.critic]

    def __call__(self, images: Tensor, latents: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
        """See `InpaintingTerm`."""
        pasted = torch.where(mask, images, targets)
        features = self._features(torch.cat([images, pasted]))
        parts = [(own - other).abs().flatten(1).mean(1) for own, other in (both.chunk(2) for both in features)]
        return torch.stack(parts).sum(0) / len(parts)

    def _features(self, images: Tensor) -> list[Tensor]:
        found: list[Tensor] = []
        hooks = [layer.register_forward_hook(lambda _, __, output: found.append(output)) for layer in self.layers]
        try:
            self.critic(images)
        finally:
            for hook in hooks:
                hook.remove()
        return found
