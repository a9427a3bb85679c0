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
    """Drawn discs as patches of two subjects, one for each side of the split."""
    folder = tmp_path_factory.mktemp("output") / "patch_set"
    maker = patch_set_maker(folder)
    rng = np.random.default_rng(0)
    rows, columns = np.ogrid[:128, :128]
    disc = np.clip(12.5 - np.hypot(rows - 64, columns - 64), 0, 1)
    for subject, split in (("a", "train"), ("b", "test")):
        patches = [np.clip(1.6 * disc - 0.8 + rng.normal(0, 0.05, (128, 128)), -1, 1) for _ in range(16)]
        meta = {
            PatchColumn.CENTRE_X: 64.0,
            PatchColumn.CENTRE_Y: 64.0,
            PatchColumn.DIAMETER: 24.0,
            PatchColumn.CONFIDENCE: 1.0,
            PatchColumn.PADDED: 0.0,
        }
        rows = [{PatchColumn.SLICE: level, **meta} for level in range(16)]
        maker.add(subject, patches, [np.eye(4)] * 16, rows, split)
    return maker.finish()
