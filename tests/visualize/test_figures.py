from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle

from monai_cardiac_gan import visualize
from monai_cardiac_gan.aorta.disc import AortaDisc
from monai_cardiac_gan.visualize import (
    figure_of_answers,
    figure_of_results,
    figure_of_samples,
    figure_of_starts,
    figure_of_traces,
)
from monai_cardiac_gan.visualize.display import to_display

SIDE = 32
DISC = AortaDisc(np.array([10.0, 20.5]), 8.0, 25.13, 50.27, 0.9)
ACQUIRED = AortaDisc(np.array([12.0, 18.0]), 6.0, 18.85, 28.27, 0.9)


def with_discs(patch, discs, acquired=None):
    """The patch as if these aortas had been measured in it."""
    vars(patch).update(discs=tuple(discs), acquired_disc=acquired)
    return patch


def shown(axes) -> np.ndarray:
    return np.asarray(axes.get_images()[0].get_array())


def drawn(axes, kind) -> list:
    return [patch for patch in axes.patches if isinstance(patch, kind)]


def texts(axes) -> str:
    return "\n".join(text.get_text() for text in axes.texts)


def test_results_have_a_column_per_start(result):
    figure = figure_of_results(with_discs(result[0], [DISC, None, DISC], ACQUIRED))
    panels = np.array(figure.axes).reshape(2, 4)
    for start in range(3):
        expected = to_display(result.inpainted[0, start, 0].numpy())
        np.testing.assert_array_equal(shown(panels[1, start + 1]), expected)
    np.testing.assert_array_equal(shown(panels[1, 0]), to_display(result.patches[0, 0].numpy()))
    assert [axes.get_title() for axes in panels[1, 1:]] == [
        "result 1, loss 0.300", "result 2, loss 0.100 (best)", "result 3, loss 0.200",
    ]  # fmt: skip
    figure.canvas.draw()


@pytest.mark.parametrize(("count", "shape"), [(1, (1, 4)), (2, (1, 5)), (5, (2, 5)), (16, (4, 5))])
def test_answers_stand_row_by_row_behind_the_patch(result, count, shape):
    answers = result.inpainted[0, torch.arange(count) % 3]
    patch = replace(result[0], solutions=answers, typical=result.inpainted[1, 0])
    vars(patch).update(expected_disc=DISC)
    figure = figure_of_answers(with_discs(patch, [DISC, None] * 8, ACQUIRED))
    panels = np.array(figure.axes).reshape(shape).ravel()
    for axes, image in ((panels[1], patch.acquired), (panels[2], patch.typical)):
        np.testing.assert_array_equal(shown(axes), to_display(image[0].numpy()))
    assert len(drawn(panels[2], Circle)) == 2
    titles = ["masked", "acquired", "expected: typical answer", *(f"answer {number + 1}" for number in range(count))]
    assert [axes.get_title() for axes in panels] == titles + [""] * (len(panels) - count - 3)
    for number, axes in enumerate(panels[3 : count + 3]):
        np.testing.assert_array_equal(shown(axes), to_display(answers[number, 0].numpy()))
        assert len(drawn(axes, Circle)) == (1 if number % 2 else 2)
    assert not any(axes.axison for axes in panels)


def test_circles_lie_where_the_discs_are(result):
    panels = np.array(figure_of_results(with_discs(result[0], [DISC, None, DISC], ACQUIRED)).axes).reshape(2, 4)
    painted, acquired = drawn(panels[1, 1], Circle)
    assert painted.center == (SIDE - 1 - 10.0, 20.5)
    assert painted.radius == 2.0
    assert acquired.center == (SIDE - 1 - 12.0, 18.0)
    assert texts(panels[1, 1]) == "x 20.0, y 41.0 mm\nperimeter 25.1 mm"
    assert texts(panels[1, 2]) == "no aorta found"
    assert len(drawn(panels[1, 2], Circle)) == 1


def test_the_mask_is_framed_where_it_is(result):
    axes = figure_of_results(with_discs(result[0], [None] * 3)).axes[1]
    (frame,) = drawn(axes, Rectangle)
    # rows 7 to 13 of the patch are columns 18 to 24 of the picture, columns 17 to 23 its rows
    assert frame.get_bbox().extents.tolist() == [17.5, 16.5, 24.5, 23.5]


def test_the_best_of_those_tried_is_framed(result):
    figure = figure_of_starts(result[0])
    masked, chosen, batch = figure.axes
    np.testing.assert_array_equal(shown(masked), to_display(result.patches[0, 0].numpy()))
    np.testing.assert_array_equal(shown(chosen), to_display(result.initial_images.chosen[0, 0, 0].numpy()))
    (frame,) = drawn(batch, Rectangle)
    left, low, right, high = (int(np.ceil(value)) for value in frame.get_bbox().extents)
    inside = shown(batch)[low + 2 : high - 2, left + 2 : right - 2]
    np.testing.assert_array_equal(inside, to_display(result.initial_images.tried[0, 6, 0].numpy()))
    assert "0.200 (framed)" in batch.get_title()
    assert "best of 30, L1 0.300" in chosen.get_title()
    figure.canvas.draw()


@pytest.mark.parametrize(("reals", "fakes", "columns"), [(30, 40, 5), (30, 3, 2), (1, 1, 1)])
def test_samples_fill_two_grids_of_one_size(reals, fakes, columns):
    source = np.random.default_rng(0)
    sets = [source.uniform(-1, 1, (count, 1, 8, 8)).astype(np.float32) for count in (reals, fakes)]
    figure = figure_of_samples(*sets)
    for axes, images, title in zip(figure.axes, sets, ("real", "generated"), strict=True):
        sheet = shown(axes)
        assert sheet.shape[1] == columns * 10 - 2
        np.testing.assert_array_equal(sheet[-8:, :8], to_display(images[0, 0]))
        assert axes.get_title() == title
        assert axes.get_images()[0].origin == "lower"
        assert axes.get_images()[0].get_clim() == (-1, 1)


def test_empty_sets_are_refused():
    with pytest.raises(ValueError, match="one of the sets has no images"):
        figure_of_samples(np.zeros((0, 8, 8)), np.zeros((3, 8, 8)))


@pytest.mark.parametrize(("index", "lines"), [(None, 6), (1, 3)])
def test_traces_show_every_search_and_one_thick(result, index, lines):
    figure = figure_of_traces(result.traces) if index is None else figure_of_traces(result[index].traces, best=2)
    totals = result.traces.total.numpy()
    for axes, sign in zip(figure.axes, (1, -1, 1), strict=True):
        assert len(axes.lines) == lines + 1
        expected = np.median(totals.reshape(201, -1), 1) if index is None else totals[:, 1, 2]
        np.testing.assert_allclose(axes.lines[-1].get_ydata(), sign * expected, rtol=1e-6)


@pytest.mark.parametrize("file", sorted(Path(visualize.__file__).parent.glob("*.py")), ids=lambda file: file.stem)
def test_no_figure_goes_through_pyplot(file):
    assert "pyplot" not in file.read_text()


def test_every_figure_is_returned(result):
    made = [
        figure_of_traces(result.traces),
        figure_of_starts(result[1]),
        figure_of_results(with_discs(result[1], [None] * 3)),
    ]
    assert all(isinstance(figure, Figure) for figure in made)
