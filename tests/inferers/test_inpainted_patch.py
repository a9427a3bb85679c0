import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from monai_cardiac_gan.aorta import measure_disc
from monai_cardiac_gan.inferers import PatchOrigin, disc_uncertainty, gradient_descent_search, pixel_uncertainty
from monai_cardiac_gan.inferers import inpainted_patch as module
from monai_cardiac_gan.keys import PatchColumn

META = {
    PatchColumn.SUBJECT: "ann", PatchColumn.VOLUME: "a1", PatchColumn.SLICE: 7, PatchColumn.CENTRE_X: 60.5,
    PatchColumn.CENTRE_Y: 61.0, PatchColumn.DIAMETER: 22.0, PatchColumn.PADDED: 0.25,
}  # fmt: skip


@pytest.fixture
def result(painter, judge, mask):
    patches = torch.rand(3, 1, 16, 16, generator=torch.Generator().manual_seed(0)) - 0.5
    valid = torch.ones(3, 1, 16, 16, dtype=torch.bool)
    valid[1, :, :2] = False
    search = gradient_descent_search(judge, latent_size=6, iterations=3, starts=4, progress=False)
    return search.search(patches, mask, painter, valid)


def test_a_patch_holds_its_part_of_the_result(result):
    assert len(result) == len(list(result)) == 3
    patch = result[1]
    for name, whole in (("acquired", "patches"), ("mask", "masks"), ("valid", "valid"), ("solutions", "inpainted")):
        assert torch.equal(getattr(patch, name), getattr(result, whole)[1])
    assert torch.equal(patch.losses, result.losses[1])
    assert torch.equal(patch.traces.total, result.traces.total[:, 1])
    assert torch.equal(patch.initial.chosen, result.initial_images.chosen[1])
    assert torch.equal(patch.snapshots, result.snapshots[:, 1])
    assert torch.equal(patch.expected, result.best_inpainted()[1])
    assert patch.stops == result.stops[1]
    assert not patch.valid[:, :2].any()
    assert torch.equal(result[-1].acquired, result[2].acquired)
    with pytest.raises(IndexError, match="patch 3 of 3: expected 0 to 2"):
        result[3]


def test_mean_and_standard_deviation_are_those_of_all_solutions(result):
    together = pixel_uncertainty(result)
    for index, patch in enumerate(result):
        torch.testing.assert_close(patch.mean, together.mean[index])
        torch.testing.assert_close(patch.std, together.std[index])


def test_a_single_solution_has_no_deviation(painter, judge, mask):
    search = gradient_descent_search(judge, latent_size=6, iterations=1, progress=False)
    (patch,) = search.search(torch.zeros(1, 1, 16, 16), mask, painter)
    assert not patch.std.any()


def disc(diameter):
    rows, columns = np.ogrid[:128, :128]
    return torch.tensor(np.clip(diameter / 2 + 0.5 - np.hypot(rows - 63.5, columns - 63.5), 0, 1))[None].float()


def test_aortas_are_measured_once_however_often_they_are_asked_for(result, monkeypatch):
    measured = []
    monkeypatch.setattr(
        module, "measure_disc", lambda image, pixel_mm: measured.append(0) or measure_disc(image, pixel_mm)
    )
    patch = result[0]
    vars(patch).update(acquired=disc(20), solutions=torch.stack([disc(size) for size in (22, 24, 26, 28)]))
    vars(patch).update(origin=PatchOrigin(pixel_mm=2.0), losses=torch.tensor([3.0, 1.0, 2.0, 4.0]))
    for _ in range(2):
        assert patch.acquired_disc.diameter_mm == pytest.approx(40, abs=0.5)
        assert patch.expected_disc.diameter_mm == pytest.approx(48, abs=0.5)
        assert patch.acquired_ellipse.eccentricity < 0.3
        assert patch.expected_ellipse.area_mm2 == pytest.approx(np.pi * 24**2, rel=0.05)
        assert patch.uncertainty == disc_uncertainty(patch.solutions, 2.0)
    assert len(measured) == 5


def test_a_patch_of_a_set_knows_where_it_was_cut_from():
    affine = torch.diag(torch.tensor([1.5, 1.5, 1.0, 1.0]))
    origin = PatchOrigin.of(MetaTensor(torch.zeros(1, 8, 8), affine=affine, meta=META))
    assert (origin.subject, origin.volume, origin.slice, origin.pixel_mm) == ("ann", "a1", 7, 1.5)
    np.testing.assert_array_equal(origin.affine, affine.numpy())
    named = {
        PatchColumn.CENTRE_X: 60.5,
        PatchColumn.CENTRE_Y: 61.0,
        PatchColumn.DIAMETER: 22.0,
        PatchColumn.PADDED: 0.25,
    }
    assert origin.as_entry() == {"subject": "ann", "volume": "a1", "slice": 7, **named}


def test_a_plain_tensor_knows_nothing():
    assert PatchOrigin.of(torch.zeros(1, 8, 8)) == PatchOrigin("unknown", None, -1, 1.0)


def test_the_search_hands_on_where_patches_come_from(painter, judge, mask):
    patches = MetaTensor(torch.zeros(1, 16, 16), affine=torch.eye(4), meta=META)
    batch = torch.stack([patches, patches])
    search = gradient_descent_search(judge, latent_size=6, iterations=1, progress=False)
    found = search.search(batch, mask, painter)
    assert len(found.origins) == 2
