import json
import logging

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from torch import nn

from monai_cardiac_gan.evaluation import CalibrateInpainting, read_calibration
from monai_cardiac_gan.evaluation.calibrate_inpainting import Cases, leave_one_out_coverage
from monai_cardiac_gan.inferers import InpaintedPatch, UncertaintyCalibration, calibrate_uncertainty, square_mask
from monai_cardiac_gan.keys import Field

SIDE, SUBJECTS, EACH = 128, 6, 8


def disc(diameter):
    rows, columns = np.ogrid[:SIDE, :SIDE]
    return np.clip(diameter / 2 + 0.5 - np.hypot(rows - 63.5, columns - 63.5), 0, 1) * 1.4 - 0.7


class HeldOut:
    """Discs of 18 to 22 pixels; those of one subject are alike."""

    def __init__(self, subjects=SUBJECTS, edge=SIDE):
        self.edge = edge
        source = np.random.default_rng(0)
        self.sizes = np.repeat(source.uniform(18, 22, subjects), EACH) + source.normal(0, 0.2, subjects * EACH)
        self.names = np.repeat([f"s{number}" for number in range(subjects)], EACH).tolist()

    def all_patches(self):
        return torch.tensor(np.stack([disc(size) for size in self.sizes]), dtype=torch.float32)[:, None].half()

    def all_bounds(self):
        return torch.tensor([[0, SIDE, 0, self.edge]]).expand(len(self.names), 4)

    def subjects(self):
        return self.names

    def __getitem__(self, index):
        return {Field.IMAGE: MetaTensor(self.all_patches()[index], affine=torch.eye(4))}


class Search:
    """Answers with discs of 20 pixels, give or take; three solutions that agree more than they should."""

    starts = 3
    optimizer, initializer = nn.Identity(), nn.Identity()

    def search(self, patches, mask, generator, valid):
        source = np.random.default_rng(len(patches))
        solutions = np.stack([[disc(20 + offset) for offset in source.normal(0, 0.3, 3)] for _ in patches])
        solutions = torch.tensor(solutions, dtype=torch.float32)[:, :, None]
        masks = mask.expand(len(patches), 1, SIDE, SIDE)
        inpainted = torch.where(masks[:, None], solutions, patches[:, None])
        of_no_matter = dict.fromkeys(
            ("traces", "initial", "snapshots", "snapshot_iterations", "evaluations", "stops", "origin", "latents")
        )
        return [
            InpaintedPatch(
                acquired=patch, mask=masks[0], valid=inside, solutions=found, generated=found, losses=torch.zeros(3),
                **of_no_matter,
            )
            for patch, inside, found in zip(patches, valid, inpainted, strict=True)
        ]  # fmt: skip


def application(tmp_path, **settings):
    usual = {"inferer": Search(), "generator": nn.Linear(2, 2), "held_out": HeldOut(), "path": tmp_path / "c.json"}
    return CalibrateInpainting(**(usual | {"mask_size": 41} | settings))


def test_intervals_hold_what_the_standard_deviation_alone_does_not(tmp_path):
    report = application(tmp_path).run()
    assert report.uncalibrated["diameter_mm"] < 0.7
    assert report.coverage["diameter_mm"] == pytest.approx(0.9, abs=0.1)
    assert report.coverage["pixel"] == pytest.approx(0.9, abs=0.05)
    truth = HeldOut().sizes
    width = report.intervals["diameter_mm"].half_width(0.3)
    assert width == pytest.approx(np.quantile(np.abs(truth - 20), 0.9), abs=0.6)
    content = json.loads((tmp_path / "c.json").read_text())
    assert content["subjects"] == SUBJECTS
    assert content["intervals"]["diameter_mm"]["count"] == SUBJECTS * EACH


def test_pixels_outside_the_field_of_view_are_no_cases(tmp_path):
    search, seen = Search(), []
    usual = search.search

    def noted(patches, mask, generator, valid):
        seen.append(valid)
        return usual(patches, mask, generator, valid)

    search.search = noted
    cases = application(tmp_path, inferer=search, held_out=HeldOut(edge=70)).cases()
    hidden = int(square_mask(41)[:, :70].sum())
    assert len(cases["pixel"].errors) == SUBJECTS * EACH * hidden == SUBJECTS * EACH * 41 * 26
    assert torch.equal(torch.cat(seen), (torch.arange(SIDE) < 70).expand(SUBJECTS * EACH, 1, SIDE, SIDE))


def test_a_subject_is_judged_by_the_others_alone():
    """One subject is far off: intervals from the others miss all of it, intervals from all would not."""
    errors = np.concatenate([np.linspace(-1, 1, 40), np.full(10, 50.0)])
    cases = Cases(errors, np.zeros(50), np.array(["a"] * 20 + ["b"] * 20 + ["far"] * 10))

    def calibrate(part):
        return calibrate_uncertainty(part.errors, part.stds)

    assert leave_one_out_coverage(cases, calibrate) == pytest.approx(0.8)  # 40 of 50: all but the far one
    assert calibrate(cases).half_width(0.0) == pytest.approx(50)


def test_intervals_are_read_for_the_search_that_they_were_learnt_with(tmp_path, caplog):
    generator, search = nn.Linear(2, 2), Search()
    report = application(tmp_path, generator=generator).run()
    found = read_calibration(tmp_path / "c.json", generator, search)
    assert found == report.intervals
    assert isinstance(found["pixel"], UncertaintyCalibration)
    assert read_calibration(tmp_path / "none.json", generator, search) == {}
    assert not caplog.records
    other = Search()
    other.starts = 5
    with caplog.at_level(logging.WARNING):
        assert read_calibration(tmp_path / "c.json", nn.Linear(2, 2), other) == {}
    assert "learnt with other starts and generator than this search has" in caplog.text


@pytest.mark.parametrize(("starts", "subjects"), [(1, 6), (3, 1)])
def test_too_little_to_learn_from_is_refused(tmp_path, starts, subjects):
    search = Search()
    search.starts = starts
    with pytest.raises(ValueError, match=f"{starts} starts and {subjects} subjects: expected at least two of both"):
        application(tmp_path, inferer=search, held_out=HeldOut(subjects))
