from pathlib import Path

import numpy as np
import pytest

from monai_cardiac_gan.keys import PatchColumn

BUNDLE = Path(__file__).resolve().parents[2] / "bundles" / "cardiac_aorta_wgan_gp"


@pytest.fixture(scope="session")
def bundle() -> Path:
    return BUNDLE


@pytest.fixture(scope="module")
def patch_set(tmp_path_factory, patch_set_maker):
    """Drawn discs as patches of two subjects, one for each split."""
    return drawn_discs(patch_set_maker(tmp_path_factory.mktemp("output") / "patch_set"), 16)


@pytest.fixture(scope="module")
def large_patch_set(tmp_path_factory, patch_set_maker):
    """As many patches as any config asks for at its own batch size."""
    return drawn_discs(patch_set_maker(tmp_path_factory.mktemp("large") / "patch_set"), 64, test="bc")


def drawn_discs(maker, count, test="b"):
    rng = np.random.default_rng(0)
    rows, columns = np.ogrid[:128, :128]
    disc = np.clip(12.5 - np.hypot(rows - 64, columns - 64), 0, 1)
    for subject in ("a", *test):
        patches = [np.clip(1.6 * disc - 0.8 + rng.normal(0, 0.05, (128, 128)), -1, 1) for _ in range(count)]
        meta = {
            PatchColumn.CENTRE_X: 64.0,
            PatchColumn.CENTRE_Y: 64.0,
            PatchColumn.DIAMETER: 24.0,
            PatchColumn.CONFIDENCE: 1.0,
            PatchColumn.PADDED: 0.0,
        }
        rows = [{PatchColumn.SLICE: level, **meta} for level in range(count)]
        maker.add(subject, patches, [np.eye(4)] * count, rows, "train" if subject == "a" else "test")
    return maker.finish()
