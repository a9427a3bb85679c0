from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.data import MetaTensor
from torch import nn

from monai_cardiac_gan.anomaly import COURSE, VesselPrior, predict_beyond_gap
from monai_cardiac_gan.aorta import AortaTrack
from monai_cardiac_gan.inferers import (
    BatchedLBFGS,
    ExpectVessel,
    FeatheredBlending,
    LatentInpaintingInferer,
    RandomInitializer,
    VesselSearch,
    levels_of,
)
from monai_cardiac_gan.inferers.expected_vessel import predicted_course
from monai_cardiac_gan.losses import InpaintingLoss, MaskedL2

SPACING, SLICE_MM, SLICES = 2.0, 5.0, 36
PRIOR = VesselPrior(np.array([0.0, 200.0]), np.array([22.0, 20.0]), np.array([[0.0, 0.0], [4.0, 0.0]]), 3)
HOLE, LATENT, SIZE = 49, 3, 128


class Discs(nn.Module):
    """A bright disc in the middle whose diameter nothing changes, on a ground that the latent decides."""

    def __init__(self, diameter=24.0):
        super().__init__()
        rows, columns = torch.meshgrid(torch.arange(SIZE) - 64.0, torch.arange(SIZE) - 64.0, indexing="ij")
        self.register_buffer("disc", (diameter / 2 + 0.5 - torch.hypot(rows, columns)).clamp(0, 1))
        ramps = torch.stack([torch.ones(SIZE, SIZE), rows / 64, columns / 64])
        self.weight = nn.Parameter(0.2 * ramps)

    def forward(self, latents):
        ground = torch.einsum("nl,lhw->nhw", latents, self.weight).clamp(-0.6, 0.2)
        return torch.where(self.disc > 0, ground + (0.7 - ground) * self.disc, ground)[:, None]


def track():
    """In slices 2 to 34 but for slice 20, leaning, a little unsteady."""
    slices = np.delete(np.arange(2, 35), 18)
    heights = (34 - slices) * SLICE_MM
    jitter = np.random.default_rng(0).normal(0, 0.3, (len(slices), 2))
    centres = np.stack([80 + 0.05 * heights, 84 - 0.02 * heights], 1) + jitter
    return AortaTrack(slices, centres, np.full(len(slices), 22.0), np.full(len(slices), 0.9), 0.9)


@pytest.fixture(scope="module")
def image():
    pixels = np.random.default_rng(1).normal(-0.2, 0.1, (80, 80, SLICES)).clip(-1, 1).astype(np.float32)
    return MetaTensor(
        torch.from_numpy(pixels)[None], affine=torch.diag(torch.tensor([SPACING, SPACING, SLICE_MM, 1.0])).double()
    )


def searching(step_mm=10.0, generator=None, starts=1, weight=0.01, **options):
    inferer = LatentInpaintingInferer(
        loss=InpaintingLoss({"contextual": MaskedL2()}),
        initializer=RandomInitializer(LATENT, batches=1, batch_size=4),
        optimizer=BatchedLBFGS(evaluations=4),
        starts=starts,
        progress=False,
    )
    return ExpectVessel(VesselSearch(inferer, weight), generator or Discs(), PRIOR, HOLE, step_mm, **options)


@pytest.fixture(scope="module")
def found(image):
    return searching()(image, track())


def test_every_slice_is_painted_from_the_top_down(found):
    assert found.patches.slices.tolist() == list(range(34, 1, -1))
    np.testing.assert_array_equal(found.heights_mm, np.arange(33) * SLICE_MM)
    assert found.painted.shape == (33, 1, SIZE, SIZE)
    assert found.heights_mm[found.levels].tolist() == list(np.arange(5.0, 160.0, 10.0))
    assert found.search.positions_mm.tolist() == list(np.arange(5.0, 160.0, 10.0))
    assert len(found.discs) == 16


def test_outside_the_hole_all_is_as_acquired(found):
    outside = ~found.mask.expand_as(found.painted)
    assert found.mask.sum() == HOLE**2
    assert torch.equal(found.painted[outside], found.patches.pixels[outside])


def test_between_levels_latents_are_between(found):
    """On the slice half-way between two levels the image of the mean latent is blended in."""
    best = found.search.latents[found.search.best]
    between = Discs()(best[:2].mean(0, keepdim=True)).detach()
    row = 2  # 10 mm; the levels lie at 5 and 15
    expected = FeatheredBlending()(between, found.patches.pixels[row : row + 1], found.mask[None, None])
    torch.testing.assert_close(found.painted[row : row + 1], expected, rtol=0, atol=1e-5)
    at_level = FeatheredBlending()(
        found.search.generated[found.search.best, 0][None], found.patches.pixels[1:2], found.mask[None, None]
    )
    torch.testing.assert_close(found.painted[1:2], at_level, rtol=0, atol=1e-5)


def test_the_best_of_several_solutions_is_painted(image):
    found = searching(step_mm=40.0, starts=3)(image, track())
    images = found.search.generated[found.search.totals.argmin()]
    blended = FeatheredBlending()(images, found.patches.pixels[found.levels], found.mask.expand(4, 1, SIZE, SIZE))
    torch.testing.assert_close(found.painted[found.levels], blended, rtol=0, atol=1e-5)


@pytest.mark.parametrize("diameter", [18.0, 26.0])
def test_the_painted_aorta_is_measured(image, diameter):
    found = searching(step_mm=40.0, generator=Discs(diameter))(image, track())
    assert [each.diameter_mm for each in found.discs] == pytest.approx([diameter] * 4, abs=0.7)


def test_where_no_aorta_was_painted_none_is_measured(image):
    found = searching(step_mm=40.0, generator=Discs(-5.0))(image, track())
    assert found.discs == (None,) * 4


def test_without_a_search_nothing_is_painted(image):
    found = ExpectVessel(None, None, PRIOR)(image, track())
    searched = searching()(image, track())
    assert found.search is None
    assert found.discs == (None,) * 16
    assert found.painted is found.patches.pixels
    np.testing.assert_array_equal(found.course_mm, searched.course_mm)
    assert torch.equal(found.patches.pixels, searched.patches.pixels)


def spoilt_near(height, gap_mm):
    """The track with other centres and diameters on all slices within the gap of a height."""
    plain = track()
    near = np.abs((34 - plain.slices) * SLICE_MM - height) < gap_mm
    assert near.any()
    centres = plain.centres_mm + np.where(near[:, None], [[9.0, -7.0]], 0.0)
    return replace(plain, centres_mm=centres, diameters_mm=np.where(near, 44.0, plain.diameters_mm))


@pytest.mark.parametrize("gap_mm", [20.0, 30.0])
def test_the_place_of_a_hole_does_not_depend_on_what_was_found_near_it(image, gap_mm):
    """Bit by bit, for every level."""
    plain = ExpectVessel(None, None, PRIOR, gap_mm=gap_mm)(image, track())
    for row in plain.levels:
        other = ExpectVessel(None, None, PRIOR, gap_mm=gap_mm)(image, spoilt_near(plain.heights_mm[row], gap_mm))
        np.testing.assert_array_equal(other.course_mm[row], plain.course_mm[row])
        assert torch.equal(other.patches.pixels[row], plain.patches.pixels[row])
        assert torch.equal(other.mask, plain.mask)
        assert not np.array_equal(other.course_mm, plain.course_mm)  # of levels far away


def hidden_changed(image, found, row):
    """The image with another brightness in the voxels that only pixels within the hole of one slice are cut from."""
    changed = image.clone()
    centre = found.course_mm[row] / SPACING
    half = int((HOLE // 2 - 2) / SPACING)
    x, y = (slice(int(np.ceil(each)) - half, int(each) + half) for each in centre)
    changed[0, x, y, found.patches.slices[row]] = 1.0
    return changed


def test_nothing_of_a_level_is_a_function_of_what_it_hides(image):
    """One level; size and place of the vessel near it, and all brightness in its hole, differ: the same is expected."""
    expect = searching(step_mm=300.0)
    plain = expect(image, track())
    (row,) = plain.levels
    other = expect(hidden_changed(image, plain, row), spoilt_near(plain.heights_mm[row], 30.0))
    assert not torch.equal(other.patches.pixels[row], plain.patches.pixels[row])
    for name in ("latents", "generated", "losses", "totals"):
        assert torch.equal(getattr(other.search, name), getattr(plain.search, name)), name
    assert torch.equal(other.painted[row], plain.painted[row])
    assert other.discs[0].diameter_mm == plain.discs[0].diameter_mm


def test_what_a_hole_hides_reaches_no_level(image, found):
    row = found.levels[7]
    other = searching()(hidden_changed(image, found, row), track())
    assert not torch.equal(other.patches.pixels[row], found.patches.pixels[row])
    assert torch.equal(other.search.latents, found.search.latents)
    assert torch.equal(other.painted, found.painted)


def test_the_course_is_that_of_the_far_slices():
    plain = track()
    slices, heights, course = predicted_course(plain, SLICE_MM, PRIOR, 30.0)
    known = (34 - plain.slices) * SLICE_MM
    for row in (0, 14, 32):  # the top, the slice that the track leaves out, the lower end
        alone = predict_beyond_gap(
            known, plain.centres_mm - PRIOR.course_at(known), heights[row : row + 1], 30.0, COURSE
        )
        np.testing.assert_allclose(
            course[row], alone.values[0] + PRIOR.course_at(heights[row : row + 1])[0], rtol=1e-12
        )
    assert slices[14] == 20
    line = np.stack([80 + 0.05 * heights, 84 - 0.02 * heights], 1)
    assert np.abs(course - line)[6:-6].max() < 1.5  # jitter of 0.3 mm, carried over 30 mm


@given(step=st.floats(4, 60), slice_mm=st.floats(0.5, 3), count=st.integers(1, 200))
@settings(deadline=None)
def test_levels_lie_a_step_apart(step, slice_mm, count):
    heights = np.arange(count) * slice_mm
    levels = heights[levels_of(heights, step)]
    if heights[-1] <= step / 2:
        assert levels.tolist() == pytest.approx([heights[-1] / 2], abs=slice_mm / 2 + 1e-9)
    else:
        wanted = step / 2 + step * np.arange(len(levels))
        np.testing.assert_allclose(levels, wanted, atol=slice_mm / 2 + 1e-9)
        assert heights[-1] - step <= wanted[-1] < heights[-1]


def test_a_track_without_an_aorta_is_refused(image):
    with pytest.raises(ValueError, match=r"no aorta was found: give a point inside it \(--corrections\)"):
        ExpectVessel(None, None, PRIOR)(image, AortaTrack.empty())


def test_a_track_that_is_too_short_is_refused(image):
    short = track().select(np.arange(8))
    with pytest.raises(
        ValueError, match=r"the track is 35 mm long: too short .* at least 30 mm away; give a volume that shows more"
    ):
        ExpectVessel(None, None, PRIOR)(image, short)


def test_a_step_that_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match=r"the levels lie 0 mm apart: expected more than 0"):
        ExpectVessel(None, None, PRIOR, step_mm=0)


@pytest.mark.parametrize("parts", [(None, Discs()), (VesselSearch(None), None)])
def test_a_search_needs_a_generator(parts):
    with pytest.raises(ValueError, match="there is a search or a generator, and not both: give both, or neither"):
        ExpectVessel(*parts, PRIOR)


def test_without_the_slices_between_the_levels_are_the_same(image, found):
    alone = searching(between=False)(image, track())
    assert len(alone.patches) == len(alone.levels) == len(found.levels)
    np.testing.assert_array_equal(alone.patches.slices, found.patches.slices[found.levels])
    np.testing.assert_array_equal(alone.heights_mm, found.heights_mm[found.levels])
    torch.testing.assert_close(alone.painted, found.painted[found.levels])


@pytest.mark.parametrize(("most", "count"), [(5, 5), (1, 1), (100, 16), (None, 16)])
def test_of_many_levels_some_are_taken_evenly(image, most, count):
    found = searching(most_levels=most, between=False)(image, track())
    assert len(found.levels) == count
    if 1 < count < 16:
        steps = np.diff(found.heights_mm)
        assert steps.max() - steps.min() <= 10.0
