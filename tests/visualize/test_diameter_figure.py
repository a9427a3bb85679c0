import numpy as np
import pytest

from monai_cardiac_gan.visualize import figure_of_diameters

HEIGHTS = np.array([0.0, 10.0, 20.0, 30.0])
ACQUIRED, EXPECTED = np.array([24.0, 23.0, 30.0, 22.0]), np.array([np.nan, 23.0, 22.5, 22.0])
COMPARED = np.array([False, True, True, True])


def axes_of(**changes):
    normals = {"female": (HEIGHTS * 0 + 14, HEIGHTS * 0 + 22), "male": (HEIGHTS * 0 + 15, HEIGHTS * 0 + 26)}
    given = {"normals": normals, "stretches": [(15, 25, "wider than expected")] * 2, "title": "a_$x$"} | changes
    return figure_of_diameters(HEIGHTS, ACQUIRED, EXPECTED, (EXPECTED - 2, EXPECTED + 2), COMPARED, **given).axes[0]


def test_lines_have_the_values_and_levels_not_compared_are_hollow():
    axes = axes_of()
    lines = {line.get_label(): line for line in axes.lines}
    np.testing.assert_array_equal(lines["acquired"].get_ydata(), ACQUIRED)
    np.testing.assert_array_equal(lines["expected"].get_ydata(), EXPECTED)
    np.testing.assert_array_equal(lines["not compared"].get_xdata(), [0.0])
    assert lines["not compared"].get_markerfacecolor() == "white"
    assert lines["healthy, female"].get_linestyle() != lines["healthy, male"].get_linestyle()
    band = next(each for each in axes.collections if each.get_label() == "expected, interval")
    corners = band.get_paths()[0].vertices
    np.testing.assert_allclose(sorted(set(corners[corners[:, 0] == 10.0, 1])), [21.0, 25.0])


def test_a_stretch_is_marked_where_it_lies_and_named_once():
    spans = axes_of().patches
    assert [(span.get_x(), span.get_width()) for span in spans] == [(15, 10)] * 2
    assert [span.get_label() for span in spans] == ["wider than expected", None]


def test_a_name_is_no_formula(tmp_path):
    axes = axes_of(title="a$_")
    axes.figure.savefig(tmp_path / "a.svg")
    assert axes.get_title() == "a$_"


def test_values_of_other_lengths_are_refused():
    with pytest.raises(ValueError, match=r"the levels are 4, 3, 4, 4, 4, 4 values long: expected one length for all"):
        figure_of_diameters(HEIGHTS, ACQUIRED[:3], EXPECTED, (EXPECTED, EXPECTED), COMPARED)
