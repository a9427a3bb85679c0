"""In how many ways, and how much, one level of a vessel differs from what is expected of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np
from scipy import ndimage

from monai_cardiac_gan.anomaly.rim import Rim, around_rim

__all__ = ["SIGNS", "LevelPictures", "LevelScores", "filtered_maps", "score_level"]

LEAST = 1e-3
"""Below it a logarithm is not taken."""
IN_LUMEN_PX = np.arange(-10.0, -1.0)
"""Distances from the rim, pixels of 1 mm, at which the lumen is compared: not its rim, which scans blur."""
WALL_PX, BEYOND_PX = np.arange(1.0, 4.0), np.arange(6.0, 10.0)
"""Just outside the rim, where a thickened wall lies, and beyond it."""
DARKEST, LARGEST_IN_LUMEN, LARGEST_OUTSIDE = 0.1, 0.1, 0.2
"""Shares of the pixels that tell: a flap takes a tenth of the lumen."""
SURROUNDINGS = 0.05
"""Share of the pixels beyond the vessel: a mass takes that much of a hole of 49 pixels."""
SMOOTH_PX = 2.0
"""Of the map, before its largest values are taken: single pixels are noise."""
BROAD_PX = 9
"""Side of the median filter that leaves a mass and takes away the vessels of the lung, which are brighter and thinner."""
NEIGHBOURS = 3
"""Levels of the median along the vessel: what is seen on one level alone, such as a branch, is no lesion of 20 mm and more."""
MARGIN_PX, OUTSIDE_PX, BEYOND_VESSEL_PX = 2.0, (1.0, 9.0), 3.0
"""Of the expected lumen: what is left out inside its rim, the ring outside it, and from where on its surroundings begin."""
LEAST_RADIUS_PX = 4.0
EVEN = 0.02
"""Standard deviation along a rim, grey values, below which one is as even as another."""


@dataclass(frozen=True)
class LevelScores:
    r"""Scores of one level, higher or, for `width` and `wall`, lower for more unusual; NaN where a thing was not measured.

    Attributes:
        width: :math:`\ln(d / \hat{d})` of acquired and expected diameter.
        course: logarithm of the distance from the predicted course, in its standard deviations.
        shape: logarithm of the unevenness of the rim's radii (`Rim.unevenness`).
        lumen: by how much the darkest tenth of the lumen is darker than the expected lumen at the same distance from its rim,
            grey values of -1 to 1.
        wall: :math:`\ln(e_w / e_b)`, how uneven the tissue just outside the rim is, beside that farther out: a thickened wall is
            even all around.
        darker: logarithm of how far the darkest tenth lies below what is expected within the expected lumen, in its spread.
        brighter: the same of the brightest fifth above it, just outside the expected lumen.
        surroundings: the same of the largest twentieth, either way, of what is broad beyond the vessel.
    """

    width: float
    course: float
    shape: float
    lumen: float
    wall: float
    darker: float
    brighter: float
    surroundings: float

    def as_array(self) -> np.ndarray:
        """(8,) in the order of the attributes."""
        return np.array([getattr(self, name) for name in SIGNS], float)


SIGNS = tuple(field.name for field in fields(LevelScores))
"""Names of the scores, in their order."""


@dataclass(frozen=True)
class LevelPictures:
    """One level, in pixels of 1 mm around the predicted course.

    Attributes:
        acquired: (H, W), -1 to 1.
        expected: (H, W).
        deviation: (H, W) anomaly map, median over neighbouring levels, see `filtered_maps`.
        broad: (H, W) what is broad in it.
        counts: (H, W) bool, hidden and inside the field of view.
        lumen: (k, 2) contour of the acquired lumen, pixels; None where none is seen.
        expected_lumen: the same of the expected one.
        expected_radius: of the expected lumen, pixels.
    """

    acquired: np.ndarray
    expected: np.ndarray
    deviation: np.ndarray
    broad: np.ndarray
    counts: np.ndarray
    lumen: np.ndarray | None
    expected_lumen: np.ndarray | None
    expected_radius: float


def filtered_maps(deviation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Anomaly maps (K, H, W) of neighbouring levels without what one level shows alone, and without what is thin, too.

    Medians over three levels, and over three levels and 9 x 9 pixels.

    Example:
        >>> maps = np.zeros((5, 20, 20))
        >>> maps[2], maps[:, 10] = 3.0, 1.0  # one level, and a thin line on all
        >>> along, broad = filtered_maps(maps)
        >>> along[2, 10, 5], along[2, 5, 5], broad[2, 10, 5]
        (np.float64(1.0), np.float64(0.0), np.float64(0.0))
    """
    along = ndimage.median_filter(deviation, (NEIGHBOURS, 1, 1), mode="nearest")
    broad = np.zeros(deviation.shape)
    boxes = ndimage.find_objects(
        np.any(deviation, 0)[None].astype(int)
    )  # nothing was painted elsewhere, and medians are slow
    for _, rows, columns in boxes:
        inside = deviation[:, rows, columns]
        broad[:, rows, columns] = ndimage.median_filter(inside, (NEIGHBOURS, BROAD_PX, BROAD_PX), mode="nearest")
    return along, broad


def score_level(pictures: LevelPictures, diameter_mm: float, expected_mm: float, displacement: float) -> LevelScores:
    """All scores of a level.

    Args:
        pictures: of the level.
        diameter_mm: acquired; NaN where none was measured, as below.
        expected_mm: expected.
        displacement: distance of the acquired centre from the predicted course, in standard deviations.

    Example:
        A level that is just as expected and 10 % wider:

        >>> rows, columns = np.indices((64, 64)) - 32
        >>> disc = np.where(np.hypot(rows, columns) < 11, 0.6, -0.6)
        >>> turn = np.arange(100) * 2 * np.pi / 100
        >>> rim = 32 + 11 * np.stack([np.cos(turn), np.sin(turn)], 1)
        >>> level = LevelPictures(disc, disc, 0 * disc, 0 * disc, np.ones((64, 64), bool), rim, rim, 11.0)
        >>> found = score_level(level, 22.0, 20.0, 0.5)
        >>> round(found.width, 3), round(found.course, 3), abs(round(found.lumen, 3))
        (0.095, -0.693, 0.0)
    """
    shape, lumen, wall = _at_rim(pictures)
    darker, brighter, surroundings = _in_map(pictures)
    known = math.isfinite(diameter_mm) and math.isfinite(expected_mm) and expected_mm > 0
    return LevelScores(
        width=math.log(diameter_mm / expected_mm) if known else math.nan,
        course=_log(displacement),
        shape=_log(shape),
        lumen=lumen,
        wall=wall,
        darker=_log(darker),
        brighter=_log(brighter),
        surroundings=_log(surroundings),
    )


def _at_rim(pictures: LevelPictures) -> tuple[float, float, float]:
    """Unevenness of the rim, darkness of the lumen, evenness of the wall; NaN without a rim."""
    if pictures.lumen is None:
        return np.nan, np.nan, np.nan
    rim = Rim.of(pictures.lumen)
    inside, places = around_rim(pictures.acquired, rim, IN_LUMEN_PX)
    ring, beyond = (around_rim(pictures.acquired, rim, offsets)[0].mean(1) for offsets in (WALL_PX, BEYOND_PX))
    wall = math.log((np.nanstd(ring) + EVEN) / (np.nanstd(beyond) + EVEN)) if np.isfinite(ring).any() else np.nan
    if pictures.expected_lumen is None:
        return rim.unevenness, np.nan, wall
    wanted, _ = around_rim(pictures.expected, Rim.of(pictures.expected_lumen), IN_LUMEN_PX)
    darkness = (wanted - inside)[_counted(pictures.counts, places)]
    return rim.unevenness, _largest(darkness[np.isfinite(darkness)], DARKEST), wall


def _in_map(pictures: LevelPictures) -> tuple[float, float, float]:
    """What is darker in the expected lumen, brighter outside it, and different beyond the vessel."""
    rows, columns = np.indices(pictures.deviation.shape)
    middle = np.array(pictures.deviation.shape) // 2
    distance = np.hypot(rows - middle[0], columns - middle[1])
    radius, counts = pictures.expected_radius, pictures.counts
    smooth = ndimage.gaussian_filter(pictures.deviation, SMOOTH_PX)
    lumen = counts & (distance <= max(radius - MARGIN_PX, LEAST_RADIUS_PX))
    ring = counts & (distance > radius + OUTSIDE_PX[0]) & (distance <= radius + OUTSIDE_PX[1])
    around = counts & (distance > radius + BEYOND_VESSEL_PX)
    return (
        _largest(-smooth[lumen], LARGEST_IN_LUMEN),
        _largest(smooth[ring], LARGEST_OUTSIDE),
        _largest(np.abs(pictures.broad[around]), SURROUNDINGS),
    )


def _counted(counts: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Which places lie on pixels that count."""
    rows, columns = (np.rint(axis).astype(int) for axis in np.moveaxis(places, -1, 0))
    inside = (rows >= 0) & (columns >= 0) & (rows < counts.shape[0]) & (columns < counts.shape[1])
    found: np.ndarray = inside & counts[rows.clip(0, counts.shape[0] - 1), columns.clip(0, counts.shape[1] - 1)]
    return found


def _largest(values: np.ndarray, share: float) -> float:
    """Mean of the largest share of some values; NaN without any."""
    if not values.size:
        return float("nan")
    count = max(1, int(values.size * share))
    return float(np.partition(values, -count)[-count:].mean())


def _log(value: float) -> float:
    return math.log(max(value, LEAST)) if math.isfinite(value) else math.nan
