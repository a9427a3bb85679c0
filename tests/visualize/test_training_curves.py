import numpy as np
import pytest

from monai_cardiac_gan.visualize import figure_of_training_curves

ROWS = [
    {
        "epoch": epoch, "iterations": 7, "loss": -1.0 * epoch, "generator_loss": 2.0 * epoch, "penalty": 10.0**-epoch,
        "gradient_norm": 1.0 + epoch, "wasserstein": 3.0 * epoch, "images_per_second": 50.0 * epoch,
        **({"wasserstein_train": 5.0, "wasserstein_held_out": 4.0, "overfitting_ratio": 0.2} if epoch % 2 == 0 else {}),
        **({"shape/precision": 0.1 * epoch, "shape/recall": None if epoch == 4 else 0.5} if epoch > 2 else {}),
    }
    for epoch in range(1, 6)
]  # fmt: skip


def panels_of(rows, **options):
    return {axes.get_title(): axes for axes in figure_of_training_curves(rows, **options).axes}


def curves_of(axes):
    return {line.get_label(): np.transpose(line.get_data()).tolist() for line in axes.lines}


def test_each_kind_has_its_panel_and_nothing_is_left_out():
    panels = panels_of(ROWS)
    assert list(panels) == [
        "losses", "Wasserstein estimate", "penalty, weighted", "critic's gradient", "overfitting ratio", "shape", "speed",
    ]  # fmt: skip
    assert curves_of(panels["losses"]) == {
        "critic, with penalty": [[epoch, -epoch] for epoch in range(1, 6)],
        "generator": [[epoch, 2 * epoch] for epoch in range(1, 6)],
    }
    assert curves_of(panels["Wasserstein estimate"]) == {
        "while training": [[epoch, 3 * epoch] for epoch in range(1, 6)],
        "train": [[2, 5], [4, 5]],
        "held out": [[2, 4], [4, 4]],
    }
    assert curves_of(panels["shape"]) == {
        "precision": [[3, pytest.approx(0.3)], [4, 0.4], [5, 0.5]],
        "recall": [[3, 0.5], [5, 0.5]],
    }
    assert curves_of(panels["speed"]) == {"images per second": [[epoch, 50 * epoch] for epoch in range(1, 6)]}


def test_units_and_epochs_are_written():
    panels = panels_of(ROWS, units={"overfitting_ratio": "share"})
    assert [axes.get_ylabel() for axes in panels.values()] == [
        "critic's score", "critic's score", "critic's score", "norm, score per unit of image", "share", "", "images / s",
    ]  # fmt: skip
    assert {axes.get_xlabel() for axes in panels.values()} == {"epoch"}
    assert len({axes.get_xlim() for axes in panels.values()}) == 1


def test_several_curves_in_a_panel_have_a_legend_and_colours_of_their_own():
    panels = panels_of(ROWS)
    assert [axes.get_legend() is not None for axes in panels.values()] == [True, True, False, False, False, True, False]
    assert len({line.get_color() for line in panels["Wasserstein estimate"].lines}) == 3


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        ([1.0, 2.0, 30.0], "linear"),
        ([1.0, 1.0, 51.0], "log"),
        ([0.001, 0.01, 10.0], "log"),
        ([-1.0, 1.0, 51.0], "symlog"),
        ([0.0, 1.0, 1.0, 51.0], "symlog"),
        ([0.0, 0.0, 0.0], "linear"),
    ],
)
def test_wide_ranges_are_drawn_on_a_logarithmic_scale(values, scale):
    (axes,) = panels_of([{"epoch": epoch, "loss": value} for epoch, value in enumerate(values)]).values()
    assert axes.get_yscale() == scale
    axes.figure.canvas.draw()


def test_few_points_are_marked_and_many_are_a_line():
    for count, marker in ((1, "o"), (30, "o"), (31, "None")):
        (axes,) = panels_of([{"epoch": epoch, "loss": 1.0} for epoch in range(count)]).values()
        assert axes.lines[0].get_marker() == marker


@pytest.mark.parametrize("rows", [[], [{"epoch": 1, "iterations": 3}]])
def test_rows_without_numbers_are_refused(rows):
    with pytest.raises(ValueError, match="rows hold no numbers: give the rows of a training of at least one epoch"):
        figure_of_training_curves(rows)
