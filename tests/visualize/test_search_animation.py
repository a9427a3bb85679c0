from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from monai_cardiac_gan.inferers import StopReason
from monai_cardiac_gan.visualize import search_animation, write_search_gif, write_search_video
from monai_cardiac_gan.visualize.display import to_display
from monai_cardiac_gan.visualize.search_animation import GAP, HEADER, SCALE

SIDE = 32


def panel(image: Image.Image, place: int) -> np.ndarray:
    """One panel at the patch's own size, in the range -1 to 1, its first row at the bottom."""
    left = place * (SIDE * SCALE + GAP)
    grey = np.asarray(image.convert("RGB"), dtype=float)[HEADER:, left : left + SIDE * SCALE, 1]
    return grey[::SCALE, ::SCALE][::-1] / 127.5 - 1


def test_one_frame_per_snapshot(result, tmp_path):
    path = write_search_gif(result[0], tmp_path / "search.gif", frame_ms=50)
    with Image.open(path) as image:
        assert image.n_frames == 100
        assert image.size == (4 * SIDE * SCALE + 3 * GAP, SIDE * SCALE + HEADER)
        assert image.info["duration"] == 50
        assert image.info["loop"] == 0


def test_panels_show_what_they_say(result, tmp_path):
    with Image.open(write_search_gif(result[1], tmp_path / "search.gif")) as image:
        image.seek(99)
        acquired, masked, generated, inpainted = (panel(image, place) for place in range(4))
    mask = to_display(result.masks[1, 0].numpy())
    away = ~mask.copy()
    away[:, :9] = away[:, -9:] = False  # letters
    patch, last = to_display(result.patches[1, 0].numpy()), to_display(result.snapshots[99, 1].numpy()) / 127.5 - 1
    np.testing.assert_allclose(acquired[away], patch[away], atol=0.02)
    np.testing.assert_allclose(masked[mask], 0.0, atol=0.02)
    np.testing.assert_allclose(inpainted[mask], last[mask], atol=0.02)
    np.testing.assert_allclose(inpainted[~mask], patch[~mask], atol=0.02)
    np.testing.assert_allclose(generated[mask], last[mask], atol=0.02)


def test_frames_are_counted_by_iterations_or_by_answers(result, monkeypatch):
    notes = []
    monkeypatch.setattr(search_animation, "_frame", lambda panels, hidden, note: notes.append(note))
    searched = replace(result[0], snapshots=result[0].snapshots[:2], snapshot_iterations=torch.tensor([0, 7]))
    for stop in ("nothing improves", StopReason.NOT_SEARCHED):
        search_animation._frames(replace(searched, stops=(stop,) * 3))
    assert notes == ["iteration 0", "iteration 7", "answer 0", "answer 7"]


def test_a_large_animation_shows_fewer_snapshots_for_longer(result, tmp_path):
    whole = write_search_gif(result[0], tmp_path / "whole.gif", max_bytes=None)
    small = write_search_gif(result[0], tmp_path / "small.gif", max_bytes=100_000)
    assert whole.stat().st_size > 300_000  # of noise
    assert 50_000 < small.stat().st_size <= 100_000
    with Image.open(whole) as first, Image.open(small) as second:
        assert first.n_frames == 100
        assert 10 < second.n_frames < 40
        assert second.n_frames * second.info["duration"] == pytest.approx(100 * first.info["duration"], rel=0.1)
        for frames, last in ((first, 99), (second, second.n_frames - 1)):
            frames.seek(last)
        np.testing.assert_array_equal(np.asarray(second.convert("RGB")), np.asarray(first.convert("RGB")))


def test_patches_of_the_usual_size_take_at_most_a_megabyte(result, tmp_path):
    """Noise, which compresses worst, a hundred snapshots."""
    grown = {
        name: getattr(result[0], name).repeat_interleave(4, -1).repeat_interleave(4, -2)
        for name in ("acquired", "mask")
    }
    source = torch.Generator().manual_seed(0)
    snapshots = torch.randint(0, 256, (100, 128, 128), generator=source, dtype=torch.uint8)
    patch = replace(result[0], snapshots=snapshots, **grown)
    assert write_search_gif(patch, tmp_path / "search.gif").stat().st_size <= 1_000_000


def test_frames_too_short_for_gif_are_refused(result, tmp_path):
    with pytest.raises(ValueError, match="each frame stands for 5 ms: expected at least 10"):
        write_search_gif(result[0], tmp_path / "search.gif", frame_ms=5)


def test_a_video_has_the_frames_of_the_animation(result, tmp_path):
    imageio = pytest.importorskip("imageio.v3")
    pytest.importorskip("imageio_ffmpeg")
    path = write_search_video(result[1], tmp_path / "search.mp4", frames_per_second=20)
    frames = imageio.imread(path, plugin="FFMPEG")
    assert len(frames) == 100
    with Image.open(write_search_gif(result[1], tmp_path / "search.gif")) as image:
        for number in (0, 99):
            image.seek(number)
            still = np.asarray(image.convert("RGB"), float)
            difference = frames[number][: still.shape[0], : still.shape[1]].astype(float) - still
            assert np.abs(difference.mean()) < 4  # noise compresses badly: means of blocks, not pixels
            blocks = np.abs(difference[: still.shape[0] // 8 * 8, : still.shape[1] // 8 * 8])
            assert blocks.mean() < 25


def test_a_video_needs_ffmpeg_and_time(result, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="0 frames per second: expected at least 1"):
        write_search_video(result[0], tmp_path / "search.mp4", frames_per_second=0)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"a video needs ffmpeg; pip install 'monai_cardiac_gan\[video\]'"):
        write_search_video(result[0], tmp_path / "search.mp4")
