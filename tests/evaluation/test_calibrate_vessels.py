import logging

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from torch import nn

from monai_cardiac_gan.aorta import AortaTrack
from monai_cardiac_gan.evaluation import CalibrateVessels, read_vessel_calibration
from monai_cardiac_gan.inferers import InpaintedVessel, LoadedNetworks, VesselSearch
from monai_cardiac_gan.keys import Field

SHAPE, SPACING = (64, 64, 18), (2.0, 2.0, 10.0)
PAINTED = 24.0
DIGESTS = {"generator": "ab" * 32, "coupling": "cd" * 32}


class Discs(nn.Module):
    """A bright disc in the middle, whatever the latent."""

    def __init__(self):
        super().__init__()
        rows, columns = torch.meshgrid(torch.arange(128) - 64.0, torch.arange(128) - 64.0, indexing="ij")
        disc = (PAINTED / 2 + 0.5 - torch.hypot(rows, columns)).clamp(0, 1)
        self.image = nn.Parameter(1.6 * disc - 0.8)

    def forward(self, latents):
        return self.image.expand(len(latents), 1, 128, 128)


class Networks(VesselSearch):
    """Finds nothing, quickly; keeps what it was asked to search."""

    def __init__(self):
        self.searched = []

    def load(self):
        return LoadedNetworks(self, Discs(), DIGESTS)

    def __call__(self, patches, mask, generator, positions_mm, valid):
        self.searched.append((patches, mask, positions_mm))
        count = len(patches)
        none = torch.zeros(1, count)
        images = generator(torch.zeros(count, 3)).detach()[None]
        return InpaintedVessel(positions_mm, torch.zeros(1, count, 3), images, none, none[:, 0], none[:, 0], ("",), 0.0)


class Volumes:
    """Straight tubes by the diameter in the record; keeps who was read and who was localised."""

    def __init__(self, tube):
        self.tube, self.read, self.localised = tube, [], []

    def volume(self, record):
        self.read.append(record[Field.IMAGE])
        if record.get("broken"):
            raise OSError(f"{record[Field.IMAGE]}: no such file")
        pixels = self.tube(
            SHAPE, SPACING, lambda z: np.stack([64 + 0 * z, 60 + 0 * z]), record["diameter"], seed=record["seed"]
        )
        affine = torch.diag(torch.tensor([*SPACING, 1.0])).double()
        return {**record, Field.IMAGE: MetaTensor(torch.from_numpy(pixels)[None], affine=affine)}

    def localise(self, loaded):
        self.localised.append(loaded[Field.SUBJECT])
        slices = np.arange(1, 1 + loaded.get("slices", 16))
        centres = np.tile([64.0, 60.0], (len(slices), 1)) + np.random.default_rng(loaded["seed"]).normal(
            0, 0.2, (len(slices), 2)
        )
        known = np.full(len(slices), loaded["diameter"]), np.full(len(slices), 0.9)
        return {**loaded, Field.AORTA: AortaTrack(slices, centres, *known, loaded.get("confidence", 0.9))}

    @staticmethod
    def scale(loaded):
        image = loaded[Field.IMAGE]
        return {**loaded, Field.IMAGE: MetaTensor((image.as_tensor() / 550 - 1).clamp(-1, 1), affine=image.affine)}


def person(name, diameter, **known):
    return {Field.SUBJECT: name, Field.IMAGE: f"{name}.nii.gz", "diameter": diameter, "seed": 7, **known}


PEOPLE = [person("ann", 20.0), person("bob", 22.0), person("cid", 24.0), person("dan", 22.0)]


@pytest.fixture
def volumes(tube):
    return Volumes(tube)


@pytest.fixture
def calibrate(volumes, tmp_path):
    def run(records, networks=None, **options):
        options = {"level": 0.75, "step_mm": 30.0} | options
        parts = {name: getattr(volumes, name) for name in ("volume", "localise", "scale")}
        return CalibrateVessels(records, networks or Networks(), tmp_path / "vessels.json", **parts, **options).run()

    return run


def test_each_is_judged_by_the_mean_of_the_others(calibrate, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    found = calibrate(PEOPLE, unseen=("bob",))
    assert list(found.judged) == ["ann", "bob", "cid", "dan"]
    errors = {name: each.others_mm for name, each in found.judged.items()}
    means = {"ann": 22 + 2 / 3, "bob": 22.0, "cid": 21 + 1 / 3, "dan": 22.0}
    for record in PEOPLE:
        name = record[Field.SUBJECT]
        assert errors[name] == pytest.approx(abs(means[name] - record["diameter"]), abs=0.35)
        assert found.judged[name].painted_mm == pytest.approx(abs(PAINTED - record["diameter"]), abs=0.6)
        assert found.judged[name].own_mm < 0.3
    assert (found.hole, found.step_mm, found.search, found.unseen, found.excluded) == (49, 30.0, DIGESTS, ("bob",), {})
    assert (found.model.subjects, found.model.level, found.model.gap_mm) == (4, 0.75, 30.0)
    assert read_vessel_calibration(tmp_path / "vessels.json").judged == found.judged
    assert "unseen: 1 people, error of the expected diameter" in caplog.text


def test_levels_hole_and_place_are_those_that_were_asked_for(calibrate):
    """Holes lie on the course that the others and the person's far slices give: here on the tube."""
    networks = Networks()
    calibrate(PEOPLE, networks, hole=41, step_mm=40.0)
    assert len(networks.searched) == 4
    for patches, mask, positions in networks.searched:
        assert mask.sum() == 41**2
        assert positions.tolist() == [20.0, 60.0, 100.0, 140.0]
        disc = patches[:, 0, 60:69, 60:69]
        assert disc.min() > 0.5  # the tube stands in the middle


def test_who_is_wider_than_normal_is_not_learnt_from(calibrate, volumes, caplog):
    found = calibrate([*PEOPLE, person("eve", 40.0), {**person("eve", 22.0), Field.IMAGE: "eve_2.nii.gz"}])
    assert "eve_2.nii.gz" not in volumes.read  # another volume of hers does not stand for it
    assert "eve" not in found.judged
    reason = found.excluded["eve"]
    assert reason.startswith(("39.", "40."))
    assert (
        "standard deviations above the published mean of the wider sex: more than 4 are not taken for normal" in reason
    )
    assert f"not taken for normal: eve: {reason}" in caplog.text
    assert found.model.prior.diameters_mm.max() < 25


def test_two_volumes_of_one_person_count_once_and_who_is_left_out_is_not_even_read(calibrate, volumes):
    again = {**PEOPLE[0], Field.IMAGE: "ann_2.nii.gz", "diameter": 30.0}
    found = calibrate([*PEOPLE, again, person("fay", 22.0)], leave_out=("fay",))
    assert found.model.subjects == 4
    assert found.excluded == {"fay": "left out by the one who asked"}
    assert "fay.nii.gz" not in volumes.read
    assert "ann_2.nii.gz" not in volumes.read
    assert found.judged["ann"].painted_mm == pytest.approx(4.0, abs=0.6)


def test_bad_volumes_do_not_end_the_calibration(calibrate):
    bad = [person("gus", 22.0, confidence=0.4), person("hal", 22.0, broken=True), person("ida", 22.0, slices=5)]
    found = calibrate([*bad, *PEOPLE], unseen=("gus", "ida", "ann"))
    assert list(found.judged) == ["ann", "bob", "cid", "dan"]
    assert found.excluded["gus"] == "confidence of the localisation 0.40: expected at least 0.5."
    assert found.excluded["hal"] == "hal.nii.gz: no such file"
    assert found.excluded["ida"].startswith("the track is 40 mm long: too short to predict its course")
    assert found.unseen == ("ann",)


def test_a_vessel_of_which_too_little_can_be_compared_is_left_out(calibrate, volumes, monkeypatch):
    """The track is long, but hardly seen in all but 30 mm."""
    localise = volumes.localise

    def faint(loaded):
        found = localise(loaded)
        if loaded[Field.SUBJECT] == "gus":
            track = found[Field.AORTA]
            confidence = np.where((track.slices > 6) & (track.slices < 11), 0.9, 0.1)
            found[Field.AORTA] = AortaTrack(track.slices, track.centres_mm, track.diameters_mm, confidence, 0.9)
        return found

    monkeypatch.setattr(volumes, "localise", faint)
    found = calibrate([*PEOPLE, person("gus", 22.0)])
    assert (
        "levels cannot be expected from slices 30 mm away: too little of the vessel can be compared"
        in found.excluded["gus"]
    )
    assert found.model.subjects == 4


def test_too_few_people_are_refused(calibrate):
    with pytest.raises(ValueError, match=r"3 people: expected at least 4 for a level of 0\.8"):
        calibrate(PEOPLE[:3], level=0.8)


def test_an_unseen_name_that_is_unknown_is_refused(tmp_path):
    with pytest.raises(ValueError, match="unseen names eve, zoe: expected subjects of the data list"):
        CalibrateVessels(PEOPLE, Networks(), tmp_path / "vessels.json", unseen=("zoe", "ann", "eve"))
