import json
import logging

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from torch import nn

from monai_cardiac_gan.evaluation import CalibrateInpainting, read_calibration
from monai_cardiac_gan.evaluation.calibrate_inpainting import Cases, leave_one_out
from monai_cardiac_gan.inferers import (
    DiscMasks,
    InpaintedPatch,
    UncertaintyCalibration,
    calibrate_uncertainty,
    square_mask,
)
from monai_cardiac_gan.keys import Field, PatchColumn

SIDE, SUBJECTS, EACH = 64, 12, 2
LEVEL = 0.8


def disc(diameter):
    rows, columns = np.ogrid[:SIDE, :SIDE]
    return np.clip(diameter / 2 + 0.5 - np.hypot(rows - 31.5, columns - 31.5), 0, 1) * 1.4 - 0.7


class Patches:
    """Discs of 18 to 22 pixels; those of one subject are alike. Of some subjects the patches are without an aorta."""

    def __init__(self, subjects=SUBJECTS, prefix="s", edge=SIDE, seed=0, empty=0):
        source = np.random.default_rng(seed)
        sizes = np.repeat(source.uniform(18, 22, subjects), EACH) + source.normal(0, 0.2, subjects * EACH)
        sizes[: empty * EACH] = 0
        self.names = np.repeat([f"{prefix}{number:02}" for number in range(subjects)], EACH).tolist()
        self.images = torch.tensor(np.stack([disc(size) for size in sizes]), dtype=torch.float32)[:, None].half()
        self.sizes, self.edge = sizes, edge

    def __len__(self):
        return len(self.names)

    def subjects(self):
        return self.names

    def __getitem__(self, index):
        meta = {PatchColumn.SUBJECT: self.names[index]}
        valid = (torch.arange(SIDE) < self.edge).expand(1, SIDE, SIDE)
        image = MetaTensor(self.images[index], affine=torch.eye(4), meta=meta)
        return {Field.IMAGE: image, Field.VALID: valid, Field.SUBJECT: self.names[index]}


class Search:
    """Answers with discs of 20 pixels, give or take; three solutions that agree more than they should."""

    starts = 3
    optimizer, initializer = nn.Identity(), nn.Identity()

    def __init__(self):
        self.seen = []

    def search(self, patches, mask, generator, valid):
        self.seen.append(valid)
        source = np.random.default_rng(int(patches.sum().abs()))
        solutions = np.stack([[disc(20 + offset) for offset in source.normal(0, 0.3, 3)] for _ in patches])
        solutions = torch.tensor(solutions, dtype=torch.float32)[:, :, None]
        masks = mask.expand(len(patches), 1, SIDE, SIDE)
        inpainted = torch.where(masks[:, None], solutions, patches[:, None])
        of_no_matter = dict.fromkeys(
            ("traces", "initial", "snapshots", "snapshot_iterations", "evaluations", "stops", "origin", "latents")
        )
        return [
            InpaintedPatch(
                acquired=patch, mask=hidden, valid=inside, solutions=found, generated=found, losses=torch.zeros(3),
                **of_no_matter,
            )
            for patch, hidden, inside, found in zip(patches, masks, valid, inpainted, strict=True)
        ]  # fmt: skip


MASK = square_mask(41, shape=(SIDE, SIDE))


def application(tmp_path, **settings):
    usual = {
        "inferer": Search(), "generator": nn.Linear(2, 2), "held_out": Patches(), "path": tmp_path / "c.json",
        "tuning": Patches(4, "t", seed=9), "mask": MASK, "level": LEVEL,
    }  # fmt: skip
    return CalibrateInpainting(**(usual | settings))


def test_intervals_hold_what_the_standard_deviation_alone_does_not(tmp_path):
    report = application(tmp_path, groups={"even": "s?[02468]", "one": "s01"}).run()
    found = report.coverage["diameter_mm"]
    assert found["all"].uncalibrated < 0.6
    assert found["all"].held == pytest.approx(LEVEL, abs=0.15)
    assert found["all"].subjects == SUBJECTS
    assert set(found) == {"all", "even", "one"}
    shares = found["all"].by_subject
    assert found["all"].held == pytest.approx(np.mean(list(shares.values())))
    assert found["all"].low < found["all"].held < found["all"].high
    assert found["even"].held == pytest.approx(np.mean([shares[f"s{n:02}"] for n in range(0, SUBJECTS, 2)]))
    assert (found["one"].subjects, found["one"].low, found["one"].held) == (1, None, shares["s01"])
    width = report.intervals["diameter_mm"].half_width(0.3)
    assert width == pytest.approx(np.quantile(np.abs(Patches().sizes - 20), LEVEL), abs=0.6)
    content = json.loads((tmp_path / "c.json").read_text())
    assert (content["subjects"], content["patches"], content["tuning_subjects"]) == (SUBJECTS, SUBJECTS * EACH, 4)
    assert content["intervals"]["diameter_mm"]["count"] == SUBJECTS * EACH
    assert content["mask_pixels"] == 41 * 41
    assert content["intervals"]["pixel"]["pixel_mm"] == 1.0


def test_the_floors_come_from_the_other_people_alone(tmp_path):
    one, other = application(tmp_path).run(), application(tmp_path, held_out=Patches(seed=1)).run()
    for name in ("pixel", "diameter_mm", "centre_mm"):
        assert one.intervals[name].floor == other.intervals[name].floor
    far = application(tmp_path, tuning=Patches(4, "t", seed=3)).run()
    assert far.intervals["diameter_mm"].floor != one.intervals["diameter_mm"].floor


def test_pixels_outside_the_field_of_view_are_no_cases(tmp_path):
    search = Search()
    cases = application(tmp_path, inferer=search).cases(Patches(edge=38))
    assert len(cases["pixel"].errors) == SUBJECTS * EACH * 41 * 26
    assert torch.equal(torch.cat(search.seen), (torch.arange(SIDE) < 38).expand(SUBJECTS * EACH, 1, SIDE, SIDE))


def test_each_patch_may_have_a_mask_of_its_own(tmp_path):
    masks = DiscMasks(margin_mm=2.0)
    search = Search()
    held_out = Patches()
    report = application(tmp_path, mask=masks, inferer=search).run()
    area = np.pi * (held_out.sizes / 2 + 2) ** 2
    assert report.intervals["pixel"].count == pytest.approx(area.sum(), rel=0.02)
    assert report.mask_pixels is None
    assert read_calibration(tmp_path / "c.json", nn.Linear(2, 2), search, DiscMasks(margin_mm=3.0)) == {}


def test_a_subject_is_judged_by_the_others_alone():
    """One subject is far off: intervals from the others miss all of it, intervals from all would not."""
    errors = np.concatenate([np.linspace(-1, 1, 40), np.full(10, 50.0)])
    names = np.concatenate([np.repeat([f"{n:02}" for n in range(10)], 4), np.full(10, "far")])
    cases = Cases(errors, np.zeros(50), names)

    def calibrate(part):
        return calibrate_uncertainty(part.errors, part.stds, part.subjects, 1.0, 0.9)

    held = leave_one_out(cases, calibrate)
    assert held["far"] == 0.0
    assert np.mean([held[f"{n:02}"] for n in range(10)]) == 1.0
    assert calibrate(cases).half_width(0.0) == 50.0  # 0.9 of 12 is more than the ten others


def test_a_quantity_of_too_few_subjects_has_no_interval(tmp_path, caplog):
    report = application(tmp_path, held_out=Patches(empty=SUBJECTS - 3)).run()
    assert set(report.intervals) == {"pixel"}
    assert "diameter_mm: no interval, it was found in the patches of 3 subjects only" in caplog.text


def test_intervals_are_read_for_the_search_the_weights_and_the_mask_that_they_were_learnt_with(tmp_path, caplog):
    generator, search = nn.Linear(2, 2), Search()
    report = application(tmp_path, generator=generator, inferer=search).run()
    found = read_calibration(tmp_path / "c.json", generator, search, MASK[None, None])
    assert found == report.intervals
    assert isinstance(found["pixel"], UncertaintyCalibration)
    assert read_calibration(tmp_path / "none.json", generator, search, MASK) == {}
    other = Search()
    other.starts = 5
    with caplog.at_level(logging.WARNING):
        assert read_calibration(tmp_path / "c.json", nn.Linear(2, 2), other, square_mask(25, shape=(SIDE, SIDE))) == {}
    assert "learnt with other starts and generator and mask than this search has" in caplog.text


def test_what_nothing_can_be_learnt_from_is_refused(tmp_path):
    search = Search()
    search.starts = 1
    with pytest.raises(
        ValueError, match="1 starts: expected at least two, whose solutions may differ; search from more"
    ):
        application(tmp_path, inferer=search)
    with pytest.raises(
        ValueError, match=r"s00, s01: in the held-out patches and in those for tuning, too; expected other"
    ):
        application(tmp_path, tuning=Patches(2)).run()
    with pytest.raises(
        ValueError, match=r"patches of 3 subjects: expected at least 4 for a level of 0\.8; hold more people"
    ):
        application(tmp_path, held_out=Patches(3)).run()


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        ("{", "Expecting property name"),
        ("{}", "'intervals'"),
        ('{"intervals": {"pixel": {"level": 0.9}}}', "missing 4 required"),
    ],
)
def test_a_file_that_is_no_calibration_gives_no_intervals(tmp_path, caplog, content, cause):
    (tmp_path / "c.json").write_text(content)
    assert read_calibration(tmp_path / "c.json", nn.Linear(2, 2), Search(), MASK) == {}
    assert "holds no calibration that this version reads" in caplog.text
    assert cause in caplog.text


def test_a_mask_that_cannot_be_told_gives_no_intervals(tmp_path, caplog):
    generator, search = nn.Linear(2, 2), Search()
    application(tmp_path, generator=generator, inferer=search).run()
    assert read_calibration(tmp_path / "c.json", generator, search, lambda batch: MASK) == {}
    assert "learnt with other settings" in caplog.text
    assert "a lambda" in caplog.text
