import pytest
from jinja2 import UndefinedError

from monai_cardiac_gan.reporting.page import Section, write_page


def test_text_is_escaped_and_images_are_linked_in_order(tmp_path):
    sections = [Section("A < B", "x & y", ["one.png", "two.gif"])]
    page = write_page(tmp_path / "report.html", "report.html.j2", sections=sections)
    text = page.read_text()
    assert "<h2>A &lt; B</h2>" in text
    assert "<p>x &amp; y</p>" in text
    assert text.index("one.png") < text.index("two.gif")
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_a_value_that_is_missing_is_an_error_and_leaves_no_page(tmp_path):
    with pytest.raises(UndefinedError, match="'sections' is undefined"):
        write_page(tmp_path / "report.html", "report.html.j2")
    assert not list(tmp_path.iterdir())
