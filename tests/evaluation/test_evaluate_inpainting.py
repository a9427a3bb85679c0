import json

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.metrics.regression import PSNRMetric

from monai_cardiac_gan.evaluation.evaluate_inpainting import EvaluateInpainting, inpainting_quality
from monai_cardiac_gan.inferers import HOLE_SIDES, SearchInpainter, square_mask, square_masks
from monai_cardiac_gan.keys import Field


def discs(diameters, columns=None):
    rows, places = np.ogrid[:128, :128]
    columns = [63.5] * len(diameters) if columns is None else columns
    images = [
        np.clip(size / 2 + 0.5 - np.hypot(rows - 63.5, places - column), 0, 1) * 1.4 - 0.7
        for size, column in zip(diameters, columns, strict=True)
    ]
    return torch.tensor(np.stack(images), dtype=torch.float32)[:, None]


MASKS = square_mask(41).expand(3, 1, 128, 128)


def test_nothing_changed_is_perfect():
    originals = discs([20, 24, 28])
    quality = inpainting_quality(originals, originals, MASKS)
    assert (quality.l1, quality.seam, quality.diameter_error_mm, quality.centre_error_mm) == (0, 0, 0, 0)
    assert quality.ssim == pytest.approx(1)
    assert (quality.found, quality.patches, quality.with_aorta) == (1, 3, 3)


def test_other_discs_are_off_by_what_they_were_drawn_with():
    quality = inpainting_quality(discs([22, 23, 28], [63.5, 65.5, 63.5]), discs([20, 24, 28]), MASKS, pixel_mm=1.0)
    assert quality.diameter_error_mm == pytest.approx((2 + 1 + 0) / 3, abs=0.15)
    assert quality.diameter_bias_mm == pytest.approx((2 - 1 + 0) / 3, abs=0.15)
    assert quality.centre_error_mm == pytest.approx(2 / 3, abs=0.1)


def test_differences_are_those_inside_the_mask():
    originals = discs([20, 24, 28])
    noise = 0.1 * torch.randn(originals.shape, generator=torch.Generator().manual_seed(0))
    painted = torch.where(MASKS, originals + noise, originals)
    quality = inpainting_quality(painted, originals, MASKS)
    assert quality.l1 == pytest.approx(noise[MASKS].abs().mean().item(), rel=1e-4)
    inside = [images[MASKS].view(3, 1, 41, 41) for images in (painted, originals)]
    psnr = PSNRMetric(max_val=2.0)(*inside)
    assert quality.psnr == pytest.approx(psnr.mean().item(), rel=1e-4)


def test_a_filling_without_an_aorta_is_not_found():
    originals = discs([20, 24, 28])
    painted = torch.where(MASKS, torch.tensor(-0.7), originals)
    quality = inpainting_quality(painted, originals, MASKS)
    assert quality.found == 0
    assert quality.diameter_error_mm is None
    nothing = inpainting_quality(torch.zeros(3, 1, 128, 128), torch.zeros(3, 1, 128, 128), MASKS)
    assert nothing.with_aorta == 0
    assert nothing.found is None


class Patches:
    """Patches with pixels of 2 mm."""

    def all_patches(self):
        return discs([10, 12, 14]).half()

    def all_bounds(self):
        return torch.tensor([[0, 128, 0, 128]]).expand(3, 4)

    def subjects(self):
        return ["phantom_1", "la_1", "la_2"]

    def __getitem__(self, index):
        image = MetaTensor(self.all_patches()[index], affine=torch.diag(torch.tensor([2.0, 2, 2, 1])))
        return {Field.IMAGE: image, Field.SUBJECT: self.subjects()[index]}

    def __len__(self):
        return 3


def larger(patches, masks, valid):
    return discs([11, 13, 15])


def test_each_hole_and_inpainter_gets_a_row(tmp_path):
    inpainters = {
        "nothing": lambda patches, masks, valid: patches,
        "black": lambda patches, masks, valid: torch.where(masks, -1.0, patches),
        "larger": larger,
    }
    rows = EvaluateInpainting(inpainters, Patches(), str(tmp_path), square_masks([25]), batch_size=3).run()
    found = {row.inpainter: row.quality for row in rows}
    assert found["nothing"].l1 == 0
    assert found["larger"].diameter_bias_mm == pytest.approx(2 * 1.0, abs=0.3)  # a pixel more, in millimetres
    assert found["black"].found == 0
    content = json.loads((tmp_path / "inpainting.json").read_text())
    assert [(row["hole"], row["inpainter"], row["group"], row["patches"]) for row in content] == [
        ("25 px", "nothing", "all", 3), ("25 px", "black", "all", 3), ("25 px", "larger", "all", 3),
    ]  # fmt: skip
    lines = (tmp_path / "inpainting.md").read_text().splitlines()
    assert [line.split(" | ")[:3] for line in lines[2:]] == [
        ["| 25 px", name, "all"] for name in ("nothing", "black", "larger")
    ]


def test_without_holes_given_squares_of_several_sides_are_compared(tmp_path):
    def what_a_hole_shows(patches, masks, valid):
        return torch.where(masks, -1.0, patches)

    rows = EvaluateInpainting({"black": what_a_hole_shows}, Patches(), str(tmp_path), batch_size=3).run()
    assert [row.hole for row in rows] == [f"{side} px" for side in HOLE_SIDES]
    assert HOLE_SIDES == (25, 33, 41, 49, 57)
    originals = discs([10, 12, 14]).half().float()
    for side, row in zip(HOLE_SIDES, rows, strict=True):
        middle = slice(64 - side // 2, 64 + side // 2 + 1)
        hidden = originals[:, 0, middle, middle]
        assert row.quality.l1 == pytest.approx((hidden + 1).mean().item(), rel=1e-5)


def test_a_hole_may_differ_from_patch_to_patch(tmp_path):
    sides = iter([10, 20, 30])

    def disc_of_each(batch):
        assert batch[Field.SUBJECT] == ["phantom_1", "la_1", "la_2"]
        return torch.stack([square_mask(next(sides))[None] for _ in batch[Field.IMAGE]])

    seen = []

    def keep(patches, masks, valid):
        seen.extend(masks.flatten(1).sum(1).tolist())
        return patches

    EvaluateInpainting({"keep": keep}, Patches(), str(tmp_path), {"own": disc_of_each}).run()
    assert seen == [100, 400, 900]


def test_what_was_compared_before_a_cut_is_written(tmp_path):
    def cut(patches, masks, valid):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        EvaluateInpainting({"larger": larger, "cut": cut}, Patches(), str(tmp_path), square_masks([33])).run()
    content = json.loads((tmp_path / "inpainting.json").read_text())
    assert [(row["hole"], row["inpainter"]) for row in content] == [("33 px", "larger")]


def test_no_hole_at_all_is_refused(tmp_path):
    with pytest.raises(ValueError, match="holes is empty: expected one mask at least"):
        EvaluateInpainting({}, Patches(), str(tmp_path), {})


def test_groups_of_subjects_get_rows_of_their_own(tmp_path):
    def worse_on_phantoms(patches, masks, valid):
        return torch.where(masks, patches + torch.tensor([0.3, 0.1, 0.1])[:, None, None, None], patches)

    rows = EvaluateInpainting(
        {"shift": worse_on_phantoms},
        Patches(),
        str(tmp_path),
        square_masks([25, 41]),
        batch_size=3,
        groups={"acquired": "la_*"},
    ).run()
    assert [(row.hole, row.group) for row in rows] == [
        (hole, group) for hole in ("25 px", "41 px") for group in ("all", "acquired")
    ]
    for of_all, acquired in (rows[:2], rows[2:]):
        assert of_all.quality.l1 == pytest.approx(0.5 / 3, rel=1e-3)
        assert acquired.quality.l1 == pytest.approx(0.1, rel=1e-3)
        assert acquired.quality.patches == 2
    with pytest.raises(
        ValueError, match=r"no held-out subject is called like 'b\*': expected names such as 'phantom_1'"
    ):
        EvaluateInpainting({}, Patches(), str(tmp_path), groups={"none": "b*"})


def test_padding_neither_counts_nor_is_searched_for(tmp_path):
    class Padded(Patches):
        def all_bounds(self):
            return torch.tensor([[0, 128, 0, 64]]).expand(3, 4)

    seen = []

    def right_where_valid(patches, masks, valid):
        seen.append(valid)
        return torch.where(masks & ~valid, 1.0, patches)

    class Search:
        def search(self, patches, masks, generator, valid):
            seen.append(valid)
            result = type("Result", (), {})()
            result.best_inpainted = lambda: patches
            return result

    inpainters = {"right": right_where_valid, "search": SearchInpainter(Search(), torch.nn.Linear(1, 1))}
    rows = EvaluateInpainting(inpainters, Padded(), str(tmp_path), square_masks([25]), batch_size=3).run()
    assert [row.quality.l1 for row in rows] == [0, 0]
    expected = (torch.arange(128) < 64).expand(3, 1, 128, 128)
    assert len(seen) == 2
    assert all(torch.equal(valid, expected) for valid in seen)
