"""One person's vessel beside what is expected of it: anomaly maps, and scores of every level."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from monai_cardiac_gan.anomaly import (
    Expectation,
    LevelPictures,
    Levels,
    ScoredLevels,
    deviation_map,
    filtered_maps,
    pixel_spread,
    score_level,
)
from monai_cardiac_gan.anomaly.anomaly_map import SPREAD_FACTOR
from monai_cardiac_gan.aorta import measure_disc, measure_lumen
from monai_cardiac_gan.evaluation.measured_vessel import MeasuredVessel
from monai_cardiac_gan.inferers import ExpectedVessel, feature_residuals, textures_of
from monai_cardiac_gan.inferers.expected_vessel import PIXEL_MM, REACH_MM
from monai_cardiac_gan.inferers.latent_bank import digest_of
from monai_cardiac_gan.inferers.loaded_once import LoadedOnce
from monai_cardiac_gan.networks import load_network

__all__ = ["FEWEST_ANSWERS", "NoSpreadError", "ScoreVessel", "ScoredVessel"]

FEWEST_ANSWERS = 4
"""Drawn for a level, below which their spread says nothing."""
USUAL_RADIUS_PX = 11.0
"""Of a descending aorta, where none can be expected (Davis et al. 2014, see `anomaly.normals`)."""


class NoSpreadError(ValueError):
    """What was painted says not how sure it is: one answer of a search."""


@dataclass(frozen=True)
class ScoredVessel:
    """K levels of one vessel.

    Attributes:
        levels: their scores.
        deviation: (K, H, W) anomaly maps of brightness, see `anomaly.deviation_map`.
        features: (K, H, W) maps of the residual of features, see `inferers.feature_residuals`.
        expected: (K, H, W) what the scores were made against: the typical answer to each level alone.
        spread: (K, H, W), see `anomaly.pixel_spread`.
        texture: (D,) mean texture of the levels, which tells the kind of scan.
        square: mean squared difference of acquired and expected in the hole, of levels that are compared.
        variance: mean variance of the answers there.
    """

    levels: ScoredLevels
    deviation: np.ndarray
    features: np.ndarray
    expected: np.ndarray
    spread: np.ndarray
    texture: np.ndarray
    square: float
    variance: float


class ScoreVessel:
    """Score every level of a vessel.

    Args:
        features: makes the network that describes images (`PatchFeatures`).
        features_path: its weights.
    """

    def __init__(self, features: Callable[[], Any], features_path: str) -> None:
        self.network, self.features_path = features, str(features_path)

    def digest(self) -> str:
        """Of the network and its weights.

        Raises:
            FileNotFoundError: when weights are missing.
            ValueError: when they do not fit.
        """
        return bytes(digest_of(self._loaded()).tolist()).hex()

    def __call__(
        self,
        vessel: MeasuredVessel,
        expected: ExpectedVessel,
        levels: Levels,
        expectation: Expectation,
        spread_factor: float = SPREAD_FACTOR,
    ) -> ScoredVessel:
        """
        Args:
            vessel: what was acquired.
            expected: what was painted, with answers drawn at the levels.
            levels: what is compared.
            expectation: of these levels.
            spread_factor: see `anomaly.pixel_spread`.

        Raises:
            NoSpreadError: when the levels have one answer each, or none.
            FileNotFoundError: when weights are missing.
            ValueError: when they do not fit.
        """
        typical, answers = _answers(expected)
        rows, mask = expected.levels, expected.mask
        acquired, valid = expected.patches.pixels[rows], expected.patches.valid[rows]
        counts = (valid[:, 0] & mask).numpy()
        images = [each[:, 0].double().numpy() for each in (acquired, typical)]
        variance = answers[:, :, 0].double().numpy()
        spread = pixel_spread(variance, spread_factor)
        deviation = deviation_map(images[0], images[1], spread, counts)
        network = self._loaded()
        filtered = filtered_maps(deviation)
        _, residual_maps = feature_residuals(acquired, typical, answers, expected.mask, network)
        scores = [
            score_level(
                self._pictures(vessel, expected, place, images, filtered, counts, expectation),
                float(levels.diameters_mm[place]),
                float(expectation.expected_mm[place]),
                float(expectation.displacement[place]),
            ).as_array()
            for place in range(len(rows))
        ]
        judged = counts & levels.is_compared[:, None, None]
        return ScoredVessel(
            levels=ScoredLevels(expected.heights_mm[rows], np.array(scores), levels.is_compared),
            deviation=deviation,
            features=residual_maps.numpy(),
            expected=images[1],
            spread=spread,
            texture=textures_of(acquired, valid, network).mean(0).double().numpy(),
            square=float(np.square(images[0] - images[1])[judged].mean()) if judged.any() else np.nan,
            variance=float(variance.var(0)[judged].mean()) if judged.any() else np.nan,
        )

    def _pictures(
        self,
        vessel: MeasuredVessel,
        expected: ExpectedVessel,
        place: int,
        images: list[np.ndarray],
        filtered: tuple[np.ndarray, np.ndarray],
        counts: np.ndarray,
        expectation: Expectation,
    ) -> LevelPictures:
        row = int(expected.levels[place])
        own = vessel.row_of(int(expected.patches.slices[row]))
        lumen = None if own is None else vessel.lumens[own]
        middle = expected.patches.pixels.shape[-1] // 2
        wide = expectation.expected_mm[place]
        return LevelPictures(
            acquired=images[0][place],
            expected=images[1][place],
            deviation=filtered[0][place],
            broad=filtered[1][place],
            counts=counts[place],
            lumen=None if lumen is None else (lumen.contour_mm - expected.course_mm[row]) / PIXEL_MM + middle,
            expected_lumen=_lumen_in(images[1][place]),
            expected_radius=float(wide) / 2 / PIXEL_MM if np.isfinite(wide) else USUAL_RADIUS_PX,
        )

    def _loaded(self) -> Any:
        return _LOADED.of(self, (self.features_path,), self._load)

    def _load(self) -> Any:
        network = self.network()
        load_network(network, self.features_path, "cpu")
        return network.eval()


def _answers(expected: ExpectedVessel) -> tuple[Tensor, Tensor]:
    """The typical image (K, 1, H, W) of the levels, and answers (S, K, 1, H, W) with the known pixels put back."""
    found = expected.search
    if found is None or found.typical is None or len(found.generated) < FEWEST_ANSWERS:
        drawn = 0 if found is None or found.typical is None else len(found.generated)
        raise NoSpreadError(
            f"{drawn} answers were drawn at each level: expected at least {FEWEST_ANSWERS}, whose spread says how sure an "
            "expectation is; paint with --search_preset amortised."
        )
    acquired = expected.patches.pixels[expected.levels]
    return found.typical, torch.where(expected.mask, found.generated, acquired)


def _lumen_in(image: np.ndarray) -> np.ndarray | None:
    """(k, 2) contour of the lumen in a patch, pixels; None where none is seen."""
    disc = measure_disc(image, PIXEL_MM, reach_mm=REACH_MM)
    if disc is None:
        return None
    lumen = measure_lumen(image, PIXEL_MM, np.asarray(disc.centre) * PIXEL_MM, disc.diameter_mm)
    return None if lumen is None else lumen.contour_mm / PIXEL_MM


_LOADED: LoadedOnce[Any] = LoadedOnce()
