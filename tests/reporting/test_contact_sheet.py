import html
import json
import re
import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image

from monai_cardiac_gan.data import VolumeEntry, corrected, read_corrections, read_datalist
from monai_cardiac_gan.preparation import PreparePatchSet
from monai_cardiac_gan.reporting.contact_sheet import state_of, write_contact_sheet


def entries(folder, count):
    (folder / "volumes").mkdir()
    found = []
    for number in range(count):
        Image.new("RGB", (100, 50), (number, 0, 0)).save(folder / "volumes" / f"{number}.png")
        found.append(
            VolumeEntry(
                f"s<{number}>", f"/data/s{number}.nii", "kept" if number % 3 else "excluded",
                "" if number % 3 else "blurred & small", track_confidence=0.2 if number % 3 == 1 else 0.9,
                row=f"volumes/{number}.png", tiles=[{"left": 0}], grade=3.5,
            )
        )  # fmt: skip
    return found


def test_the_page_has_one_row_a_volume_in_their_order(tmp_path):
    volumes = entries(tmp_path, 5)
    page, *_ = write_contact_sheet(tmp_path, volumes)
    text = page.read_text()
    assert re.findall(r'<tr class="([\w-]+)"', text) == ["excluded", "unsure", "fine", "excluded", "unsure"]
    assert [html.unescape(name) for name in re.findall(r'data-subject="([^"]*)"', text)] == [
        f"s<{n}>" for n in range(5)
    ]
    assert "blurred &amp; small" in text
    assert "5 volumes: 1 kept, 2 kept and unsure, 2 excluded" in text
    for source in re.findall(r'src="([^"]+)"', text):
        assert (tmp_path / source).exists()
    assert json.loads(html.unescape(re.search(r'data-tiles="([^"]*)"', text)[1])) == [{"left": 0}]


def test_the_pictures_hold_twenty_volumes_each(tmp_path):
    _, *pictures = write_contact_sheet(tmp_path, entries(tmp_path, 23))
    assert [path.name for path in pictures] == ["contact_sheet_000.png", "contact_sheet_001.png"]
    second = np.asarray(Image.open(pictures[1]))
    assert [second[18 + 25 + 68 * number, 50].tolist() for number in range(3)] == [[20, 0, 0], [21, 0, 0], [22, 0, 0]]
    write_contact_sheet(tmp_path, entries_again := [])
    assert not pictures[0].exists()
    assert entries_again == []


def test_volumes_without_a_picture_have_a_row_all_the_same(tmp_path):
    entry = VolumeEntry("a", "a.nii", reason="cannot be read")
    page, picture = write_contact_sheet(tmp_path, [entry])
    assert "cannot be read" in page.read_text()
    assert Image.open(picture).height == 18
    assert state_of(entry) == "excluded"


def test_a_click_gives_a_row_that_corrections_accept(tmp_path, write_tube):
    """What the page's script computes from a click on the aorta, done here."""
    for seed in range(2):
        write_tube(f"s{seed}.nii.gz", seed, tmp_path / "hearts")
    records = read_datalist(tmp_path / "hearts")
    PreparePatchSet(records, str(tmp_path / "set")).run()
    text = (tmp_path / "set" / "contact_sheet.html").read_text()
    tiles = json.loads(html.unescape(re.findall(r'data-tiles="([^"]*)"', text)[1]))
    subject, image = (re.findall(rf'data-{name}="([^"]*)"', text)[1] for name in ("subject", "image"))
    tile = tiles[2]
    across, down = tile["width"] * (1 - 50.75 / 135), tile["height"] * (1 - 60.75 / 135)  # the tube's centre
    point = [o + across * r + down * d for o, r, d in zip(tile["origin"], tile["right"], tile["down"], strict=True)]
    np.testing.assert_allclose(point[:2], [50, 60], atol=0.6)
    path = tmp_path / "c.csv"
    path.write_text("subject,x,y,z,image\n" + ",".join([subject, *(f"{value:.1f}" for value in point), image]) + "\n")
    np.testing.assert_allclose(corrected(records, read_corrections(path))[1]["correction"], point, atol=0.06)


BROWSER = """
const handlers = {}, lines = {value: "subject,x,y,z,image,bottom,top\\n"}, images = JSON.parse(process.argv[1]);
const rows = [{hidden: false}];
for (const image of images) image.addEventListener = (kind, answer) => { image[kind] = answer; };
globalThis.document = {
  querySelectorAll: selector => selector.startsWith("img") ? images : rows,
  getElementById: name => name === "lines" ? lines : {addEventListener: (kind, answer) => { handlers[name] = answer; }},
};
"""
CLICKS = """
for (const [number, x, y] of JSON.parse(process.argv[2])) images[number].click({offsetX: x, offsetY: y});
handlers.bad({target: {checked: true}});
process.stdout.write(JSON.stringify({lines: lines.value, hidden: rows[0].hidden}));
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed: it runs the page's script")
def test_the_page_s_own_script_writes_lines_that_corrections_read(tmp_path):
    """Names as awkward as they come; a click outside every tile adds nothing."""
    names = ['Doe, "Jane"; ♥', "plain"]
    tiles = [
        {"left": 0, "width": 50, "origin": [100.0, -20.0, 7.5], "right": [-1.5, 0, 0], "down": [0, -1.5, 0]},
        {"left": 60, "width": 40, "origin": [0.0, 0.0, 80.0], "right": [-1, 0, 0], "down": [0, -1, 0]},
    ]
    page, *_ = write_contact_sheet(tmp_path, entries(tmp_path, 0))
    script = re.search(r"<script>(.*)</script>", page.read_text(), re.DOTALL)[1]
    images = [{"dataset": {"subject": name, "image": f"{name}.nii", "tiles": json.dumps(tiles)}} for name in names]
    clicks = [[0, 10, 4], [1, 70, 5], [1, 55, 5]]
    ran = subprocess.run(
        ["node", "-e", BROWSER + script + CLICKS, json.dumps(images), json.dumps(clicks)],
        capture_output=True, text=True, check=True, timeout=60, encoding="utf-8",
    )  # fmt: skip
    answer = json.loads(ran.stdout)
    assert answer["hidden"] is True
    (tmp_path / "corrections.csv").write_text(answer["lines"], encoding="utf-8")
    rows = read_corrections(tmp_path / "corrections.csv")
    records = [{"subject": name, "image": f"/data/{name}.nii"} for name in names]
    assert [record["correction"] for record in corrected(records, rows)] == [[85.0, -26.0, 7.5], [-10.0, -5.0, 80.0]]


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed: it runs the page's script")
def test_clicks_along_the_body_trim_the_ends_in_the_volume_s_one_line(tmp_path):
    tiles = [
        {"left": 0, "width": 50, "origin": [100.0, -20.0, 7.5], "right": [-1.5, 0, 0], "down": [0, -1.5, 0]},
        {"left": 60, "width": 40, "origin": [0, 0, 80.0], "right": [0, 0, 0], "down": [0, 0, -1], "middle": 60},
    ]
    page, *_ = write_contact_sheet(tmp_path, entries(tmp_path, 0))
    script = re.search(r"<script>(.*)</script>", page.read_text(), re.DOTALL)[1]
    images = [{"dataset": {"subject": name, "image": "$&.nii", "tiles": json.dumps(tiles)}} for name in ("ann", "bob")]
    clicks = [[0, 70, 100], [1, 70, 12], [0, 10, 4], [0, 70, 20], [0, 99, 110]]
    ran = subprocess.run(
        ["node", "-e", BROWSER + script + CLICKS, json.dumps(images), json.dumps(clicks)],
        capture_output=True, text=True, check=True, timeout=60, encoding="utf-8",
    )  # fmt: skip
    lines = json.loads(ran.stdout)["lines"]
    assert lines == ("subject,x,y,z,image,bottom,top\nann,85.0,-26.0,7.5,$&.nii,-30.0,60.0\nbob,,,,$&.nii,,68.0\n")
    (tmp_path / "corrections.csv").write_text(lines, encoding="utf-8")
    records = [{"subject": name, "image": "/data/$&.nii"} for name in ("ann", "bob")]
    ann, bob = corrected(records, read_corrections(tmp_path / "corrections.csv"))
    assert (ann["correction"], ann["ends"], bob["ends"]) == ([85.0, -26.0, 7.5], [-30.0, 60.0], [None, 68.0])
    assert "error" not in bob
