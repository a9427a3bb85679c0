"""From noise-free tissue signal to a scanner's image: texture, blur, coil fall-off, ghosts, noise, integers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from scipy import ndimage

from monai_cardiac_gan.phantom.fields import SmoothField
from monai_cardiac_gan.phantom.labels import PhantomLabel as L

__all__ = ["acquire", "add_texture", "rician"]

# Relative unevenness of each tissue (standard deviation over mean); blood mixes and flows, fat is full of septa.
UNEVENNESS = {
    L.BODY: 0.15,
    L.FAT: 0.38,
    L.LUNG: 0.50,
    L.VERTEBRA: 0.22,
    L.SPINAL_CANAL: 0.06,
    L.RIB: 0.25,
    L.MYOCARDIUM: 0.12,
    L.LEFT_VENTRICLE: 0.08,
    L.RIGHT_VENTRICLE: 0.08,
    L.LEFT_ATRIUM: 0.08,
    L.RIGHT_ATRIUM: 0.08,
    L.ASCENDING_AORTA: 0.07,
    L.DESCENDING_AORTA: 0.05,
    L.PULMONARY_VESSEL: 0.10,
    L.OESOPHAGUS: 0.20,
    L.LIVER: 0.16,
    L.VENA_CAVA: 0.10,
    L.SPLEEN: 0.08,
    L.STOMACH: 0.35,
}
FINE_MM, COARSE_MM = 4.5, 22.0  # texture of two scales
FINE_SHARE = 0.8
SEPTUM_DEPTH, SEPTUM_WIDTH = 0.45, 0.16  # dark fascia where a field of a muscle bundle's size changes its sign
BUNDLE_MM = 26.0
ARTEFACT = 0.013  # residue of undersampling inside the body, of blood, the same in dark and bright tissue

# The scanner samples this share of the frequencies that the voxel size can hold and fills the rest with zeros: edges
# are soft and ring a little. The window spans the kernel.
SAMPLED_SHARE, KERNEL_REACH_VOXELS = 0.8, 4
NO_MOTION_VOXELS = 0.1  # a Gaussian this narrow has one weight
BREATH_MM_RANGE = (0.3, 1.1)  # residual motion after navigator gating, standard deviation upwards
BREATH_FORWARD_SHARE = 0.5  # of the motion upwards
# Coils lie in front of and behind the chest: signal falls off towards both ends and a little in the middle.
COIL_LENGTH_MM_RANGE, COIL_DEPTH_MM = (125.0, 190.0), 190.0
COIL_WAVELENGTH_MM, COIL_UNEVENNESS = 260.0, 0.12
GHOST_SHARE_RANGE = (0.004, 0.014)  # breathing repeats the chest along the phase-encoding direction, back to front
GHOST_COUNT = 3
GHOST_MARGIN = 6  # no ghost nearer than this part of the view, where it would only look like a blur
FULL_SCALE_RANGE = (700.0, 1500.0)  # signal of blood in the file: no common scale between subjects
INTEGER_MAXIMUM = np.iinfo(np.int16).max
# Scanners interpolate, so that the noise of neighbours is alike: share of a voxel's own noise and of the one before it
# along each axis. The squares add up to one, which keeps the variance.
NOISE_SHARES = (np.float32(0.8), np.float32(0.6))


def add_texture(
    rng: np.random.Generator, signal: np.ndarray, labels: np.ndarray, axes_mm: Sequence[np.ndarray]
) -> None:
    """Make every tissue uneven, in place: multiply it by one plus a field scaled by the tissue's unevenness."""
    table = np.zeros(max(L) + 1, dtype=np.float32)
    table[list(UNEVENNESS)] = list(UNEVENNESS.values())
    fine, coarse, bundle = (SmoothField(rng, axes_mm, length) for length in (FINE_MM, COARSE_MM, BUNDLE_MM))
    coarse_share = np.float32(np.sqrt(1 - FINE_SHARE**2))
    for plane, box in _planes(signal.shape):
        texture = np.float32(FINE_SHARE) * fine[box][0] + coarse_share * coarse[box][0]
        septum = np.exp(-np.square(bundle[box][0] / np.float32(SEPTUM_WIDTH)))
        septum *= labels[plane] == L.BODY
        factor = 1 + texture * table[labels[plane]] - np.float32(SEPTUM_DEPTH) * septum
        signal[plane] *= np.clip(factor, 0, None, out=factor)
        signal[plane] += np.float32(ARTEFACT) * texture * (labels[plane] != L.BACKGROUND)


def acquire(
    rng: np.random.Generator,
    signal: np.ndarray,
    axes_mm: Sequence[np.ndarray],
    *,
    noise: float,
    bias: float,
    ghosting: float,
) -> np.ndarray:
    """The image a scanner would store.

    Args:
        rng: source of randomness.
        signal: (X, Y, Z) noise-free signal, blood at 1; overwritten.
        axes_mm: positions of the voxels along each axis in patient millimetres.
        noise: standard deviation of each of the two receiver channels, as a fraction of the signal of blood.
        bias: strength of the coil's fall-off, 0 for none.
        ghosting: strength of breathing ghosts, 0 for none.

    Returns:
        (X, Y, Z) int16.
    """
    _blur(rng, signal, axes_mm)
    _weigh_by_coil(rng, signal, axes_mm, bias)
    _add_ghosts(rng, signal, ghosting)
    rician(rng, signal, noise)
    scale, stored = np.float32(rng.uniform(*FULL_SCALE_RANGE)), np.empty(signal.shape, dtype=np.int16)
    for plane, _ in _planes(signal.shape):
        stored[plane] = np.clip(np.rint(signal[plane] * scale), 0, INTEGER_MAXIMUM)
    return stored


def _blur(rng: np.random.Generator, image: np.ndarray, axes_mm: Sequence[np.ndarray]) -> None:
    step = [float(np.diff(axis).mean()) for axis in axes_mm]
    breath = rng.uniform(*BREATH_MM_RANGE)
    motion_mm = np.array([0.0, breath * BREATH_FORWARD_SHARE, breath])
    for axis, motion in enumerate(motion_mm / step):
        ndimage.correlate1d(image, _point_spread(motion), axis=axis, output=image)
    np.abs(image, out=image)


def _point_spread(motion_voxels: float) -> np.ndarray:
    """Windowed sinc blurred by motion (a standard deviation in voxels), normalised to a sum of one."""
    reach = np.arange(-KERNEL_REACH_VOXELS, KERNEL_REACH_VOXELS + 1)
    ringing = np.sinc(SAMPLED_SHARE * reach) * np.hamming(len(reach))
    moved = np.exp(-np.square(reach / max(motion_voxels, NO_MOTION_VOXELS)) / 2)
    blurred = np.convolve(ringing, moved, mode="same")
    return (blurred / blurred.sum()).astype(np.float32)


def rician(rng: np.random.Generator, image: np.ndarray, noise: float) -> None:
    """Replace the image by its magnitude with Gaussian noise in both channels (Gudbjartsson and Patz 1995)."""
    if noise == 0:
        return
    before = _noise_planes(rng, image.shape[1:])
    for plane in range(len(image)):
        now = _noise_planes(rng, image.shape[1:])
        real, imaginary = np.float32(noise) * (NOISE_SHARES[0] * now + NOISE_SHARES[1] * before)
        np.hypot(image[plane] + real, imaginary, out=image[plane])
        before = now


def _noise_planes(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Two planes (2, Y, Z) of unit-variance noise, alike between neighbours."""
    this, other = NOISE_SHARES
    noise = rng.standard_normal((2, shape[0] + 1, shape[1] + 1), dtype=np.float32)
    noise = this * noise[:, 1:] + other * noise[:, :-1]
    return this * noise[:, :, 1:] + other * noise[:, :, :-1]


def _planes(shape: tuple[int, ...]) -> Iterator[tuple[int, tuple[slice, slice, slice]]]:
    """Every plane across the first axis, with its box: intermediate arrays stay in the processor's cache."""
    for plane in range(shape[0]):
        yield plane, (slice(plane, plane + 1), slice(0, shape[1]), slice(0, shape[2]))


def _weigh_by_coil(rng: np.random.Generator, image: np.ndarray, axes_mm: Sequence[np.ndarray], bias: float) -> None:
    if bias == 0:
        return
    _, y, z = (np.asarray(axis, dtype=np.float32) for axis in axes_mm)
    length = rng.uniform(*COIL_LENGTH_MM_RANGE)
    fall_off = -np.square((z - z.mean()) / length) / 2
    depth = -np.square((y - y.mean()) / COIL_DEPTH_MM) / 2
    smooth = (fall_off[None, :] + depth[:, None]).astype(np.float32)
    field = SmoothField(rng, axes_mm, COIL_WAVELENGTH_MM)
    for plane, box in _planes(image.shape):
        image[plane] *= np.exp(np.float32(bias) * (smooth + np.float32(COIL_UNEVENNESS) * field[box][0]))


def _add_ghosts(rng: np.random.Generator, image: np.ndarray, ghosting: float) -> None:
    if ghosting == 0:
        return
    rows = image.shape[1]
    shifts = rng.integers(rows // GHOST_MARGIN, rows - rows // GHOST_MARGIN, GHOST_COUNT)
    shares = (ghosting * rng.uniform(*GHOST_SHARE_RANGE, GHOST_COUNT)).astype(np.float32)
    for plane in image:
        plane += sum(share * np.roll(plane, shift, axis=0) for share, shift in zip(shares, shifts, strict=True))
