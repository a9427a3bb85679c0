import pytest
from matplotlib import rcParams
from matplotlib.figure import Figure
from PIL import Image

from monai_cardiac_gan.visualize import save_figure


def test_the_file_is_a_png_and_nothing_else_is_left(tmp_path):
    figure = Figure(figsize=(3, 2))
    figure.subplots().plot([0, 1])
    path = save_figure(figure, tmp_path / "new" / "figure.png")
    with Image.open(path) as image:
        assert image.format == "PNG"
    assert [entry.name for entry in path.parent.iterdir()] == ["figure.png"]


@pytest.mark.parametrize(("suffix", "begins"), [("pdf", b"%PDF"), ("svg", b"<?xml"), ("PNG", b"\x89PNG")])
def test_the_suffix_names_the_format(tmp_path, suffix, begins):
    figure = Figure(figsize=(3, 2))
    figure.suptitle("letters stay letters")
    before = dict(rcParams)
    content = save_figure(figure, tmp_path / f"figure.{suffix}").read_bytes()
    assert content.startswith(begins)
    assert (b"letters stay letters" in content) is (suffix == "svg")
    assert dict(rcParams) == before  # those of the host program


def test_the_resolution_is_chosen(tmp_path):
    figure = Figure(figsize=(3, 2))
    figure.subplots().set_axis_off()
    sizes = []
    for dpi in (100, 300):
        with Image.open(save_figure(figure, tmp_path / f"{dpi}.png", dpi)) as image:
            sizes.append(image.size)
            assert image.info["dpi"] == pytest.approx((dpi, dpi), rel=1e-3)
    assert sizes[1][0] == pytest.approx(3 * sizes[0][0], abs=3)


def test_other_formats_and_no_dots_are_refused(tmp_path):
    with pytest.raises(
        ValueError, match=r"figure\.gif: figures are written as png, pdf, svg: give the file one of these"
    ):
        save_figure(Figure(), tmp_path / "figure.gif")
    with pytest.raises(ValueError, match="dpi is 0: expected more than 0"):
        save_figure(Figure(), tmp_path / "figure.png", 0)
    assert list(tmp_path.iterdir()) == []
