import json

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from monai_cardiac_gan.evaluation.evaluate_inpainting import EvaluateInpainting
from monai_cardiac_gan.inferers import HOLE_SIDES, ResidualGaussianSampler, SearchInpainter, square_mask, square_masks
from monai_cardiac_gan.keys import Field


def discs(diameters, columns=None):
    rows, places = np.ogrid[:128, :128]
    columns = [63.5] * len(diameters) if columns is None else columns
    images = [
        np.clip(size / 2 + 0.5 - np.hypot(rows - 63.5, places - column), 0, 1) * 1.4 - 0.7
        for size, column in zip(diameters, columns, strict=True)
    ]
    return torch.tensor(np.stack(images), dtype=torch.float32)[:, None]


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
    rows = EvaluateInpainting(inpainters, Patches(), str(tmp_path), square_masks([25]), batch_size=3).run().points
    found = {row.inpainter: row.quality for row in rows}
    assert found["nothing"].l1 == 0
    assert found["larger"].diameter_bias_mm == pytest.approx(2 * 1.0, abs=0.3)  # a pixel more, in millimetres
    assert found["black"].found == 0
    content = json.loads((tmp_path / "inpainting.json").read_text())
    assert [(row["hole"], row["inpainter"], row["group"], row["patches"]) for row in content] == [
        ("25 px", "nothing", "all", 3), ("25 px", "black", "all", 3), ("25 px", "larger", "all", 3),
    ]  # fmt: skip
    lines = (tmp_path / "inpainting.md").read_text().splitlines()
    named = [line.split(" | ")[:3] for line in lines if line.startswith("| 25 px")]
    assert named == 2 * [["| 25 px", name, "all"] for name in ("nothing", "black", "larger")]


def test_without_holes_given_squares_of_several_sides_are_compared(tmp_path):
    def what_a_hole_shows(patches, masks, valid):
        return torch.where(masks, -1.0, patches)

    rows = EvaluateInpainting({"black": what_a_hole_shows}, Patches(), str(tmp_path), batch_size=3).run().points
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

    rows = (
        EvaluateInpainting(
            {"shift": worse_on_phantoms},
            Patches(),
            str(tmp_path),
            square_masks([25, 41]),
            batch_size=3,
            groups={"acquired": "la_*"},
        )
        .run()
        .points
    )
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
    rows = EvaluateInpainting(inpainters, Padded(), str(tmp_path), square_masks([25]), batch_size=3).run().points
    assert [row.quality.l1 for row in rows] == [0, 0]
    expected = (torch.arange(128) < 64).expand(3, 1, 128, 128)
    assert len(seen) == 2
    assert all(torch.equal(valid, expected) for valid in seen)


class Gaussian:
    """Samples around the truth, by a seed alone."""

    def __call__(self, patches, masks, valid=None, *, count, seed):
        noise = 0.1 * torch.randn(len(patches), count, 1, 128, 128, generator=torch.Generator().manual_seed(seed))
        return torch.where(masks[:, None], patches[:, None] + noise, patches[:, None]).clamp(-1, 1)


def test_samples_get_a_table_of_their_own_and_two_single_answers(tmp_path):
    evaluation = EvaluateInpainting(
        {"brighter": lambda patches, masks, valid: torch.where(masks, patches + 0.1, patches)},
        Patches(),
        str(tmp_path),
        square_masks([25]),
        batch_size=2,
        samplers={"gaussian": Gaussian(), "few": Gaussian()},
        sample_count=19,
        sample_counts={"few": 4},
        features=torch.nn.Sequential(torch.nn.AvgPool2d(16), torch.nn.Flatten(), torch.nn.Linear(64, 8)),
        by_subject=True,
        references=["brighter", "gaussian", "who is not there"],
        seed=7,
    )
    found = evaluation.run()
    points, sampled = found.points, found.samples
    assert [row.inpainter for row in points if row.group == "all"] == [
        "brighter", "gaussian, median", "gaussian, one sample", "few, median", "few, one sample",
    ]  # fmt: skip
    assert [row.group for row in points[:4]] == ["all", "la_1", "la_2", "phantom_1"]
    qualities = {(row.sampler, row.group): row.quality for row in sampled}
    gaussian = qualities["gaussian", "all"]
    assert (gaussian.samples, qualities["few", "all"].samples, qualities["brighter", "all"].samples) == (19, 4, 1)
    assert (gaussian.patches, gaussian.subjects, qualities["few", "la_1"].patches) == (3, 3, 1)
    # around the truth itself: E|x - y| - E|x - x'| / 2 = 0.1 sqrt(2 / pi) (1 - 1 / sqrt 2)
    assert gaussian.crps.mean == pytest.approx(0.1 * np.sqrt(2 / np.pi) * (1 - np.sqrt(0.5)), rel=0.05)
    assert gaussian.pixel_coverage.mean == pytest.approx(1, abs=0.001)
    assert gaussian.calibrated_coverage == pytest.approx(0.9)
    assert qualities["brighter", "all"].crps.mean == pytest.approx(points[0].quality.l1)
    assert qualities["brighter", "all"].pixel_coverage is None
    assert qualities["gaussian", "la_1"].u_ids is None
    by_answer = {row.inpainter: row.quality.l1 for row in points if row.group == "all"}
    assert by_answer["gaussian, one sample"] == pytest.approx(0.1 * np.sqrt(2 / np.pi), rel=0.05)
    assert by_answer["gaussian, median"] < 0.4 * by_answer["gaussian, one sample"]
    content = json.loads((tmp_path / "inpainting_samples.json").read_text())
    assert content[4]["crps"] == {"mean": gaussian.crps.mean, "low": None, "high": None}
    page = (tmp_path / "inpainting.md").read_text()
    told = "Hole 25 px, 625 pixels hidden; 3 patches of 3 subjects (la_1, la_2, phantom_1); seed 7. Group la_1: la_1."
    assert page.count(told) == 4
    differences = {(row.way, row.reference): row.differences for row in found.differences if row.group == "all"}
    assert list(differences) == [
        ("gaussian, median", "brighter"), ("gaussian, one sample", "brighter"), ("few, median", "brighter"),
        ("few, one sample", "brighter"), ("gaussian", "brighter"), ("few", "brighter"), ("brighter", "gaussian"),
        ("few", "gaussian"),
    ]  # fmt: skip
    crps = gaussian.crps.mean - qualities["brighter", "all"].crps.mean
    assert differences["gaussian", "brighter"]["crps"].mean == pytest.approx(crps)
    assert differences["brighter", "gaussian"]["crps"].mean == pytest.approx(-crps)
    l1 = by_answer["few, median"] - by_answer["brighter"]
    assert differences["few, median", "brighter"]["l1"].mean == pytest.approx(l1)
    content = json.loads((tmp_path / "inpainting_differences.json").read_text())
    assert content[0]["l1"]["mean"] == pytest.approx(by_answer["gaussian, median"] - by_answer["brighter"])
    assert "Samples of each patch: brighter 1, gaussian 19, few 4." in page


def test_each_batch_has_a_seed_of_its_own_and_the_same_in_each_run(tmp_path):
    seeds = []

    class Noted(Gaussian):
        def __call__(self, *args, count, seed):
            seeds.append(seed)
            return super().__call__(*args, count=count, seed=seed)

    for _ in range(2):
        EvaluateInpainting(
            {}, Patches(), str(tmp_path), square_masks([25]), 2, samplers={"noted": Noted()}, sample_count=2, seed=10
        ).run()
    assert seeds == [10, 12, 10, 12]


def test_residuals_are_learnt_from_the_other_people(tmp_path, caplog):
    """Two people of whom one is off by 0.1 and the other by 0.3: each is painted with the other's spread."""

    class Pairs(Patches):
        def subjects(self):
            return ["anna", "ben", "ben"]

    def off(patches, masks, valid):
        by = torch.tensor([0.1 if (patch > 0).sum() < 90 else 0.3 for patch in patches])[:, None, None, None]
        return torch.where(masks, patches + by, patches)

    areas = [(image > 0).sum().item() for image in discs([10, 12, 14])]
    assert areas[0] < 90 < areas[1]
    stds = []

    class Noted(ResidualGaussianSampler):
        def fitted(self, *given):
            found = super().fitted(*given)
            stds.append(found.residuals[0].stds.mean().item())
            return found

    [row] = (
        EvaluateInpainting(
            {}, Pairs(), str(tmp_path), square_masks([25]), samplers={"residuals": Noted(off)}, sample_count=3
        )
        .run()
        .samples
    )
    assert stds == pytest.approx([0.3, 0.1], rel=1e-3)
    assert row.quality.samples == 3

    class Alone(Patches):
        def subjects(self):
            return ["anna"] * 3

    with caplog.at_level("WARNING"):
        rows = (
            EvaluateInpainting(
                {},
                Alone(),
                str(tmp_path),
                square_masks([25]),
                samplers={"residuals": Noted(off), "gaussian": Gaussian()},
            )
            .run()
            .samples
        )
    assert "residuals: left out, it learns residuals from other held-out people, and there is only one" in caplog.text
    assert [row.sampler for row in rows] == ["gaussian"]


def test_names_with_two_meanings_and_counts_of_nothing_are_refused(tmp_path):
    with pytest.raises(ValueError, match="search: both an inpainter and a sampler; expected a name for each"):
        EvaluateInpainting({"search": larger}, Patches(), str(tmp_path), samplers={"search": Gaussian()})
    with pytest.raises(ValueError, match=r"a count of samples for search: expected some of \['gaussian'\]"):
        EvaluateInpainting({}, Patches(), str(tmp_path), samplers={"gaussian": Gaussian()}, sample_counts={"search": 4})
