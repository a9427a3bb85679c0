from pathlib import Path

import pytest

BUNDLE = Path(__file__).resolve().parents[2] / "bundles" / "cardiac_aorta_wgan_gp"


@pytest.fixture(scope="session")
def bundle() -> Path:
    return BUNDLE


@pytest.fixture(scope="module")
def patch_set(tmp_path_factory, disc_patch_set):
    """Patches of two subjects, one for each split."""
    return disc_patch_set(tmp_path_factory.mktemp("output") / "patch_set", {"a": "train", "b": "test"}, 16)


@pytest.fixture(scope="module")
def large_patch_set(tmp_path_factory, disc_patch_set):
    """As many patches as any config asks for at its own batch size."""
    folder = tmp_path_factory.mktemp("large") / "patch_set"
    return disc_patch_set(folder, {"a": "train", "b": "test", "c": "test"}, 64)
