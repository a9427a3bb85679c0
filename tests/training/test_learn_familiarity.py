import json

import numpy as np
import pytest
import torch
from torch import nn

from monai_cardiac_gan.data import AortaPatchDataset, Manifest, PatchStore, read_manifest
from monai_cardiac_gan.inferers import Familiarity
from monai_cardiac_gan.training import LearnFamiliarity
from monai_cardiac_gan.training.learn_familiarity import _spaced

COUNT, LEVELS = 10, 9


class MeanOfPatch(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))
        self.seen = 0

    def texture(self, images, valid):
        self.seen += len(images)
        return self.weight * torch.stack([images.mean((1, 2, 3)), images.std((1, 2, 3))], 1)


@pytest.fixture
def patch_set(tmp_path, patch_set_maker):
    """Ten subjects, patches every 4 mm; the brightness of each grows with the level."""
    source = np.random.default_rng(0)
    maker = patch_set_maker(tmp_path / "set")
    affine = np.diag([1.0, 1.0, 2.0, 1.0])
    for number in range(COUNT):
        patches = [
            np.clip(0.1 * source.normal() + 0.03 * level + 0.1 * source.normal(size=(16, 16)), -1, 1)
            for level in range(LEVELS)
        ]
        meta = {"centre_x_mm": 8.0, "centre_y_mm": 8.0, "diameter_mm": 4.0, "confidence": 1.0, "padded_share": 0.0}
        table = [{"slice": 2 * level, **meta} for level in range(LEVELS)]
        maker.add(f"s{number}", patches, [affine] * LEVELS, table, "train")
    return maker.finish()


def learn(patch_set, path, network=None, **options):
    network = network or MeanOfPatch()
    return LearnFamiliarity(
        AortaPatchDataset(patch_set, "train"), network, str(path), Familiarity(2), **options
    ), network


def test_what_is_learnt_is_written_with_the_distances_of_all_subjects(patch_set, tmp_path):
    task, network = learn(patch_set, tmp_path / "models" / "familiarity.pt")
    distances = task.run()
    assert network.seen == COUNT * 3  # 0, 12 and 24 mm of patches every 4 mm
    report = json.loads((tmp_path / "models" / "familiarity.json").read_text())
    assert report == {"limit": max(distances.values()), "distances": distances}
    assert set(distances) == {f"s{number}" for number in range(COUNT)}
    loaded = Familiarity(2)
    loaded.load_state_dict(torch.load(tmp_path / "models" / "familiarity.pt", weights_only=True))
    assert float(loaded.limit) == max(distances.values())
    assert torch.equal(loaded.digest, task.familiarity.digest)
    assert loaded.digest.any()


def test_subjects_that_share_a_volume_are_one(patch_set, tmp_path):
    known = read_manifest(patch_set)
    PatchStore(patch_set).finish(Manifest(known.volumes, identical_subjects=[["s7", "s2"]]))
    task, network = learn(patch_set, tmp_path / "familiarity.pt")
    assert set(task.run()) == {f"s{number}" for number in range(COUNT) if number != 7}
    assert network.seen == COUNT * 3


def test_a_reference_is_replaced_only_where_that_was_asked_for(patch_set, tmp_path):
    learn(patch_set, tmp_path / "familiarity.pt")[0].run()
    with pytest.raises(FileExistsError, match=r"familiarity\.pt: holds a reference: .*--overwrite True"):
        learn(patch_set, tmp_path / "familiarity.pt")[0].run()
    learn(patch_set, tmp_path / "familiarity.pt", overwrite=True)[0].run()


@pytest.mark.parametrize(("step", "chosen"), [(0.0, [2, 0, 1, 3]), (3.0, [2, 1]), (5.0, [2, 3]), (50.0, [2])])
def test_patches_are_taken_a_step_apart_from_the_lowest_on(step, chosen):
    assert list(_spaced(np.array([2.0, 4.0, 1.0, 6.0]), step)) == chosen
