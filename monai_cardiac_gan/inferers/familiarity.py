"""How far a scan looks like those that the networks were trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from scipy.linalg import cho_factor, cho_solve, eigh
from torch import Tensor, nn

from monai_cardiac_gan.inferers.latent_bank import DIGEST_BYTES, digest_of
from monai_cardiac_gan.networks.frozen import frozen

__all__ = ["Familiarity", "ScanFamiliarity", "TextureNetwork", "textures_of"]

SHRINKAGE = 0.2
"""Share of the diagonal in each covariance. From 0.05 to 0.3 every left-out training subject lies nearer than every other kind of
scan that was tried (docs/concepts/familiarity.md)."""
RIDGE = 1e-6
"""Share of the mean variance that is added to each, so that a channel that never changes is no division by zero."""
FEWEST_SUBJECTS = 8
"""Whose patches tell a covariance at all."""
FEWEST_PATCHES = 2
"""Of a subject, to tell how much they differ within one."""
LIMIT_SCORE = 0.5
"""Score of the training scan that lies farthest from the others: l / (l + d) at d = l."""
STEP_MM = 10.0
"""Distance of a scan's patches, in the reference and where a scan is rated."""
TEXTURE_SIZE = 288
BATCH = 64


class TextureNetwork(Protocol):
    """A network that describes patches, such as `PatchFeatures`."""

    def texture(self, images: Tensor, valid: Tensor) -> Tensor:
        """(N, 1, H, W) in [-1, 1], and which pixels lie inside the field of view (bool), to (N, D)."""
        ...


@dataclass(frozen=True)
class ScanFamiliarity:
    """What a scan looks like beside the scans of a reference.

    Attributes:
        score: 0 to 1; 0.5 where it lies as far away as the farthest subject of the reference lay from the others.
        distance: from the reference, in standard deviations of its subjects (root mean square over the directions).
        limit: distance of that farthest subject.
        patches: how many patches it was made from.
    """

    score: float
    distance: float
    limit: float
    patches: int

    @property
    def is_familiar(self) -> bool:
        """Whether it lies no farther away than the farthest subject of the reference."""
        return self.distance <= self.limit


class Familiarity(nn.Module):
    r"""A Gaussian over the mean texture of a subject's patches, learnt from the training subjects.

    A scan is described by the mean :math:`\bar x` of its n patches' textures. Subjects differ by the covariance B, patches of one
    subject by W, so that a scan of the kind that is known has

    .. math:: d^2 = \frac{1}{D} (\bar x - \mu)^T (B + W / n)^{-1} (\bar x - \mu), \qquad f = \frac{l}{l + d}

    with the limit l, the largest distance of a training subject from a Gaussian that was learnt without it. The score f is 0.5
    at the limit. A new subject of the known kind lies beyond it with a probability of at most 1 / (K + 1) for K training
    subjects, if they are exchangeable (split by leaving one out, as conformal prediction does); for other kinds nothing is
    promised, only measured.

    The numbers are buffers: saved and loaded as any module. They belong to one network.

    Args:
        size: D.

    Raises:
        ValueError: when the size is below 1.

    Example:
        >>> draw = np.random.default_rng(0).normal
        >>> subjects = {f"s{k}": torch.tensor(draw(0, 1, 3) + draw(0, 1, (20, 3))) for k in range(30)}
        >>> known = Familiarity(size=3)
        >>> left_out = known.fit(subjects)
        >>> bool(known.limit == max(left_out.values())), known.rate(torch.full((20, 3), 9.0)).is_familiar
        (True, False)

    Source: the Mahalanobis distance of deep features as a test for unknown inputs is that of Lee et al. 2018, "A simple unified
    framework for detecting out-of-distribution samples and adversarial attacks".
    """

    mean: Tensor
    directions: Tensor
    variances: Tensor
    limit: Tensor
    digest: Tensor

    def __init__(self, size: int = TEXTURE_SIZE) -> None:
        super().__init__()
        if size < 1:
            raise ValueError(f"size is {size}: expected at least 1, the length of a texture.")
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("directions", torch.eye(size))
        self.register_buffer("variances", torch.ones(size))
        self.register_buffer("limit", torch.zeros((), dtype=torch.float64))
        self.register_buffer("digest", torch.zeros(DIGEST_BYTES, dtype=torch.uint8))

    def fit(self, textures: Mapping[str, Tensor]) -> dict[str, float]:
        """Learn from the textures (n, D) of each subject; a person with several scans is one subject.

        Returns:
            Distance of each subject from what was learnt without it.

        Raises:
            ValueError: when there are too few subjects, or patches of one, or textures of another length.
        """
        names, described = list(textures), [self._checked(each) for each in textures.values()]
        if len(names) < FEWEST_SUBJECTS or min(map(len, described)) < FEWEST_PATCHES:
            raise ValueError(
                f"{len(names)} subjects with {min(map(len, described), default=0)} patches and more: expected at least "
                f"{FEWEST_SUBJECTS} subjects with {FEWEST_PATCHES} patches each; prepare more volumes."
            )
        means = np.array([each.mean(0) for each in described])
        within = [np.cov(each.T).reshape(means.shape[1], -1) for each in described]
        counts = [len(each) for each in described]
        left_out = [_left_out(index, means, within, counts[index]) for index in range(len(names))]
        self._keep(means, within, max(left_out))
        return dict(zip(names, left_out, strict=True))

    def rate(self, textures: Tensor) -> ScanFamiliarity:
        """Rate a scan by the textures (n, D) of its patches.

        Raises:
            ValueError: when there is no patch, the textures have another length, or nothing was learnt yet.
        """
        values, limit = self._checked(textures), float(self.limit)
        if not limit:
            raise ValueError("nothing is known yet: fit it, or load what was learnt (familiarity.pt).")
        along = (values.mean(0) - self.mean.double().cpu().numpy()) @ self.directions.double().cpu().numpy()
        variances = self.variances.double().cpu().numpy() + 1 / len(values)
        distance = float(np.sqrt(np.mean(np.square(along) / variances)))
        return ScanFamiliarity(limit / (limit + distance), distance, limit, len(values))

    def rate_patches(self, patches: Tensor, valid: Tensor, network: TextureNetwork) -> ScanFamiliarity:
        """Rate a scan by its patches, as `CropAortaPatches` cuts them every 10 mm.

        Args:
            patches: (n, 1, H, W) in [-1, 1].
            valid: (n, 1, H, W) bool, which pixels lie inside the field of view.
            network: the one that this was learnt with.

        Raises:
            ValueError: as `rate`, or when this was learnt with another network.
        """
        if isinstance(network, nn.Module) and not torch.equal(self.digest.cpu(), digest_of(network)):
            raise ValueError(
                f"the reference was learnt with other weights than those of this {type(network).__name__}: learn it again "
                "(familiarity.json), or give the weights that lie beside it."
            )
        return self.rate(textures_of(patches, valid, network))

    def belong_to(self, network: nn.Module) -> None:
        """Note whose textures it was learnt from."""
        self.digest.copy_(digest_of(network))

    def _keep(self, means: np.ndarray, within: Sequence[np.ndarray], limit: float) -> None:
        """Directions in which both covariances are diagonal: W is 1 along each of them."""
        variances, directions = eigh(_shrunk(np.cov(means.T)), _shrunk(np.mean(within, axis=0)))
        self.mean.copy_(torch.from_numpy(means.mean(0)))
        self.directions.copy_(torch.from_numpy(directions))
        self.variances.copy_(torch.from_numpy(variances))
        self.limit.fill_(limit)

    def _checked(self, textures: Tensor) -> np.ndarray:
        if textures.ndim != 2 or not len(textures) or textures.shape[1] != len(self.mean):
            raise ValueError(
                f"textures are {tuple(textures.shape)}: expected (n, {len(self.mean)}) of at least one patch; cut patches "
                "along the aorta, and describe them with the network that it was learnt with."
            )
        return textures.detach().double().cpu().numpy()


@torch.no_grad()
def textures_of(patches: Tensor, valid: Tensor, network: TextureNetwork) -> Tensor:
    """Textures (n, D) of patches and their valid pixels, (n, 1, H, W) each; a module is in evaluation mode meanwhile."""
    parts = list(zip(patches.split(BATCH), valid.split(BATCH), strict=True))
    if not isinstance(network, nn.Module):
        return torch.cat([network.texture(*part) for part in parts])
    device = next((each.device for each in network.parameters()), patches.device)
    with frozen(network, evaluate=True):
        return torch.cat([network.texture(images.to(device), inside.to(device)) for images, inside in parts])


def _left_out(index: int, means: np.ndarray, within: Sequence[np.ndarray], count: int) -> float:
    others = np.delete(means, index, axis=0)
    inner = (np.sum(within, axis=0) - within[index]) / (len(within) - 1)
    factor = cho_factor(_shrunk(np.cov(others.T)) + _shrunk(inner) / count)
    away = means[index] - others.mean(0)
    return float(np.sqrt(away @ cho_solve(factor, away) / len(away)))


def _shrunk(covariance: np.ndarray) -> np.ndarray:
    """Towards its diagonal, which fewer subjects than directions need to be inverted at all."""
    square = np.atleast_2d(covariance)
    diagonal = np.diag(square)
    return (1 - SHRINKAGE) * square + np.diag(SHRINKAGE * diagonal + RIDGE * diagonal.mean())
