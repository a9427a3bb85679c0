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
