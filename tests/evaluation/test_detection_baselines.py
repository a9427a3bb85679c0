import numpy as np
import pytest
import torch
from fake_vessel import measured_vessel, model_of, write_calibration, write_features
from torch import nn

from monai_cardiac_gan.anomaly import expect_vessel, normal_ranges, pulmonary_level
from monai_cardiac_gan.evaluation import (
    EncoderResidual,
    NearestPatchResidual,
    OwnVesselBaseline,
    PcaResidual,
    PublishedNormalsBaseline,
    ScoreVessel,
    TrackerDiameterBaseline,
    UNetResidual,
    compared_levels,
)
from monai_cardiac_gan.evaluation.score_scan import ScoredScan
from monai_cardiac_gan.keys import PatchColumn
from monai_cardiac_gan.networks.nets import PatchFeatures


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    _, vessel, expected = measured_vessel(search=True, answers=6, bulge_mm=8.0)
    levels = compared_levels(vessel, expected)
    expectation = expect_vessel(vessel.along(), levels, model_of())
    scorer = ScoreVessel(PatchFeatures, write_features(tmp_path_factory.mktemp("weights") / "features.pt"))
    return ScoredScan(
        vessel.track, vessel, expected, levels, expectation, scorer(vessel, expected, levels, expectation)
    )


def test_rulers_say_how_far_a_diameter_is_off(scan, tmp_path):
    rows = [scan.vessel.row_of(int(each)) for each in scan.expected.patches.slices[scan.expected.levels]]
    tracked, maps = TrackerDiameterBaseline(write_calibration(tmp_path / "known.json"))(scan)
    np.testing.assert_allclose(tracked, np.abs(np.log(scan.track.diameters_mm[rows] / 22.0)))
    assert maps is None
    own, maps = OwnVesselBaseline()(scan)
    expectation = scan.expectation
    np.testing.assert_allclose(own, np.abs(scan.levels.diameters_mm - expectation.own_mm) / expectation.std_mm)
    assert maps is None


def test_published_normals_are_those_of_the_nearer_sex(scan):
    found, _ = PublishedNormalsBaseline()(scan)
    pulmonary = pulmonary_level(scan.vessel.landmarks).mm_from_top
    for place in (4, 7):
        height, diameter = float(scan.levels.heights_mm[place]), scan.levels.diameters_mm[place]
        each = [abs(diameter - n.mean_mm) / ((n.high_mm - n.mean_mm) / 2) for n in normal_ranges(height, pulmonary)]
        assert found[place] == pytest.approx(min(each))


class Painted(nn.Module):
    """Adds to what is known, behind the mask."""

    def __init__(self):
        super().__init__()
        self.shift = nn.Parameter(torch.tensor(0.25))

    def forward(self, patches, masks):
        return patches + self.shift


def check_residual(scan, baseline, wanted):
    """The score is the logarithm of the mean of the map in the hole."""
    found, maps = baseline(scan)
    hole = scan.expected.mask.numpy()
    np.testing.assert_allclose(maps[:, hole].mean(1), wanted, rtol=1e-4)
    np.testing.assert_allclose(found, np.log(wanted) * np.ones(len(found)), atol=1e-3)
    assert (maps[:, ~hole] == 0).all()


def test_a_unet_s_residual_is_what_it_paints_otherwise(scan, tmp_path):
    torch.save(Painted().state_dict(), tmp_path / "unet.pt")
    baseline = UNetResidual(Painted, str(tmp_path / "unet.pt"))
    check_residual(scan, baseline, 0.25)
    assert not any(isinstance(each, nn.Module) for each in vars(baseline).values())  # it travels as paths


class MeanOf(nn.Module):
    """Encoder: the mean of a patch, with nothing hidden."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, patches, masks):
        assert not masks.any()
        return self.scale * patches.mean((1, 2, 3))[:, None]


class Even(nn.Module):
    """Generator: an even image."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, latents):
        return self.scale * latents[:, :, None, None].expand(-1, 1, 128, 128)


def test_an_encoder_s_residual_is_what_the_generator_makes_of_the_whole_patch(scan, tmp_path):
    for name, network in (("even", Even()), ("mean", MeanOf())):
        torch.save(network.state_dict(), tmp_path / f"{name}.pt")
    patches = scan.expected.patches.pixels[scan.expected.levels]
    away = (patches - patches.mean((1, 2, 3), keepdim=True)).abs()[:, 0][:, scan.expected.mask].mean(1)
    check_residual(
        scan, EncoderResidual(Even, str(tmp_path / "even.pt"), MeanOf, str(tmp_path / "mean.pt")), away.numpy()
    )


@pytest.fixture(scope="module")
def patch_set(tmp_path_factory, scan, patch_set_maker):
    """The scan's own patches as training."""
    maker = patch_set_maker(tmp_path_factory.mktemp("set") / "patches")
    patches = list(scan.expected.patches.pixels[:, 0].numpy())
    columns = {
        PatchColumn.CENTRE_X: 64.0, PatchColumn.CENTRE_Y: 64.0, PatchColumn.DIAMETER: 22.0, PatchColumn.CONFIDENCE: 1.0,
        PatchColumn.PADDED: 0.0,
    }  # fmt: skip
    table = [{PatchColumn.SLICE: number, **columns} for number in range(len(patches))]
    maker.add("ann", patches, [np.eye(4)] * len(patches), table)
    return str(maker.finish())


def test_of_its_own_patches_the_nearest_is_its_own(scan, patch_set):
    found, maps = NearestPatchResidual(patch_set)(scan)
    hole = scan.expected.mask.numpy()
    assert maps[:, hole].max() < 1e-3  # rounding to 16 bits
    np.testing.assert_allclose(found, np.log(1e-3))


def test_components_of_its_own_patches_leave_the_less_the_more_there_are(scan, patch_set):
    few, many = (PcaResidual(patch_set, components=count)(scan)[0] for count in (1, 20))
    assert (many < few).all()
    hole = scan.expected.mask.numpy()
    whole = PcaResidual(patch_set, components=29)(scan)[1][:, hole].mean(1)  # of 30 patches no more are independent
    assert (whole < 0.01).all()
