from monai_cardiac_gan.reporting.report_page import Section, write_page


def test_text_is_escaped_and_images_are_linked_in_order(tmp_path):
    page = write_page(tmp_path / "report.html", [Section("A < B", "x & y", ["one.png", "two.gif"])])
    text = page.read_text()
    assert "<h2>A &lt; B</h2>" in text
    assert "<p>x &amp; y</p>" in text
    assert text.index("one.png") < text.index("two.gif")
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
