"""How generated pixels are put into the mask of a patch."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
import torch
from scipy import ndimage, sparse
from scipy.sparse.linalg import spsolve
from torch import Tensor

__all__ = ["Blending", "FeatheredBlending", "Paste", "PoissonBlending", "seam_error"]

NEIGHBOURS = ((0, 1), (0, -1), (1, 0), (-1, 0))


@runtime_checkable
class Blending(Protocol):
    """Puts generated pixels behind the masks of patches."""

    def __call__(self, generated: Tensor, patches: Tensor, masks: Tensor) -> Tensor:
        """The patches with generated pixels behind the masks; known pixels stay bit by bit.

        Args:
            generated: (N, 1, H, W).
            patches: the same shape, -1 to 1.
            masks: the same shape, bool, true where pixels are hidden.
        """
        ...


class Paste:
    """The generated pixels as they are."""

    def __call__(self, generated: Tensor, patches: Tensor, masks: Tensor) -> Tensor:
        """See `Blending`."""
        return torch.where(masks, generated, patches)


class FeatheredBlending:
    r"""The generated pixels, whose brightness near the rim is brought to that of the surroundings.

    With the difference :math:`e = y - G(z)` at the nearest known pixel and the distance d to it, a hidden pixel becomes

    .. math:: G(z) + e \cdot \max(0, 1 - d / w)

    Known pixels stay as they are, so that the transition lies within the mask; what leaves [-1, 1] is clipped.

    Args:
        width: w, pixels over which the difference fades.

    Raises:
        ValueError: when the width is not positive.

    Example:
        An image that is 0.4 too dark meets its surroundings at the rim and keeps its own brightness from the third pixel on:

        >>> patch, mask = torch.full((1, 1, 1, 7), 0.4), torch.tensor([[[[False, True, True, True, True, True, False]]]])
        >>> FeatheredBlending(2.0)(torch.zeros(1, 1, 1, 7), patch, mask)
        tensor([[[[0.4000, 0.2000, 0.0000, 0.0000, 0.0000, 0.2000, 0.4000]]]])
    """

    def __init__(self, width: float = 4.0) -> None:
        if not width > 0:
            raise ValueError(f"the width is {width} pixels: expected above 0; use Paste to blend nothing.")
        self.width = width

    def __call__(self, generated: Tensor, patches: Tensor, masks: Tensor) -> Tensor:
        """See `Blending`."""
        painted = generated.clone()
        for image, patch, mask in zip(painted[:, 0], patches[:, 0], masks[:, 0], strict=True):
            distances, nearest = ndimage.distance_transform_edt(mask.cpu().numpy(), return_indices=True)
            rows, columns = (torch.from_numpy(part).long().to(image.device) for part in nearest)
            share = torch.from_numpy(np.maximum(0, 1 - distances / self.width)).to(image)
            image += (patch - image)[rows, columns] * share
        return torch.where(masks, painted.clamp(-1, 1), patches)


class PoissonBlending:
    r"""The generated slopes between the known pixels (Pérez et al. 2003, equation 7, seamless cloning).

    In the mask the image u has the Laplacian of the generated one and meets the patch at its rim:

    .. math:: \Delta u = \Delta G(z) \text{ in the mask}, \quad u = y \text{ around it}

    solved with the four-neighbour Laplacian by SciPy's sparse solver; at the patch's border nothing flows. Brightness may
    leave [-1, 1] a little and is clipped.

    Example:
        An image that differs from the patch by a constant is put in without a trace:

        >>> patch, mask = torch.linspace(-0.5, 0.5, 25).view(1, 1, 5, 5), torch.zeros(1, 1, 5, 5, dtype=torch.bool)
        >>> mask[..., 1:4, 1:4] = True
        >>> torch.allclose(PoissonBlending()(patch + 0.3, patch, mask), patch, atol=1e-6)
        True
    """

    def __call__(self, generated: Tensor, patches: Tensor, masks: Tensor) -> Tensor:
        """See `Blending`."""
        painted = patches.clone()
        for image, source, mask in zip(painted[:, 0], generated[:, 0], masks[:, 0], strict=True):
            difference = _harmonic((image - source).double().cpu().numpy(), mask.cpu().numpy())
            image[mask] = (source + torch.from_numpy(difference).to(source)).clamp(-1, 1)[mask]
        return painted


def _harmonic(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The values outside the mask, continued into it without curvature."""
    numbers = np.full(mask.shape, -1)
    numbers[mask] = np.arange(mask.sum())
    places = np.argwhere(mask)
    own = np.arange(len(places))
    entries, right, degree = [], np.zeros(len(places)), np.zeros(len(places))
    for step in NEIGHBOURS:
        beside = places + step
        inside = ((beside >= 0) & (beside < mask.shape)).all(1)
        beside = np.clip(beside, 0, np.array(mask.shape) - 1)
        other = numbers[tuple(beside.T)]
        hidden, known = inside & (other >= 0), inside & (other < 0)
        degree += inside
        right += np.where(known, values[tuple(beside.T)], 0.0)
        entries.append(sparse.coo_array((-np.ones(hidden.sum()), (own[hidden], other[hidden])), (len(own), len(own))))
    matrix = sum(entries[1:], entries[0]) + sparse.diags_array(degree)
    filled = values.copy()
    filled[mask] = spsolve(matrix.tocsc(), right)
    return filled


def seam_error(inpainted: Tensor, patches: Tensor, masks: Tensor) -> Tensor:
    r"""How much steeper or flatter the image is across the rim of the mask than the acquired patch there.

    .. math:: \frac{1}{|S|} \sum_{(p, q) \in S} \left| (x_p - x_q) - (y_p - y_q) \right|

    over the pairs S of neighbours of which one is hidden. 0 for the acquired patch itself; in the unit of the images.

    Args:
        inpainted: x, (N, 1, H, W).
        patches: y, the same shape, hidden pixels included.
        masks: the same shape, bool.

    Returns:
        (N,).

    Example:
        One hidden pixel that is 0.5 too bright, between known ones:

        >>> patch, mask = torch.zeros(1, 1, 3, 3), torch.zeros(1, 1, 3, 3, dtype=torch.bool)
        >>> mask[..., 1, 1] = True
        >>> seam_error(patch + 0.5 * mask, patch, mask)
        tensor([0.5000])
    """
    errors, counts = [], []
    for axis in (2, 3):
        across = masks.diff(dim=axis)
        slopes = (inpainted - patches).diff(dim=axis).abs()
        errors.append((slopes * across).flatten(1).sum(1))
        counts.append(across.flatten(1).sum(1))
    return (errors[0] + errors[1]) / (counts[0] + counts[1])
