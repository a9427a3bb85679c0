"""The program's way through its stages, on sizes that a processor trains in seconds."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from monai_cardiac_gan.data import pack_patches
from monai_cardiac_gan.inferers import Familiarity
from monai_cardiac_gan.networks import load_network
from monai_cardiac_gan.networks.nets import PatchFeatures
from monai_cardiac_gan.training import run as program
from monai_cardiac_gan.training.bundle_stages import BundleStages
from monai_cardiac_gan.training.measured_choices import TrainingChoice

CHOICE = TrainingChoice(2, 8, 4, amortised_width=2, amortised_max_channels=8)
UPDATES = 6


@pytest.fixture(scope="module")
def bundle(request):
    return request.config.rootpath / "bundles" / "cardiac_aorta_wgan_gp"


@pytest.fixture(scope="module")
def patch_set(tmp_path_factory, disc_patch_set):
    return disc_patch_set(tmp_path_factory.mktemp("drawn") / "patch_set", {"a": "train", "b": "test"}, 40)


@pytest.fixture
def make_program(bundle, patch_set, tmp_path):
    """A program of which only some stages are left."""

    def make(name, *stages, updates=UPDATES, minutes=10):
        made = program.TrainingProgram(tmp_path / name, minutes, None, bundle, torch.device("cpu"), updates)
        made.budget.choices["training"] = dict(vars(CHOICE))
        made.budget.done |= {stage: 0.0 for stage in program.STAGES if stage not in stages}
        if not (made.state / "patch_set").exists():
            shutil.copytree(patch_set, made.state / "patch_set")
        return made

    return make


class Killed(BaseException):
    """In place of a signal that nothing can catch."""


@pytest.mark.parametrize(
    ("die_at", "done"),
    [(3, []), (12, ["gan_64"]), (21, ["gan_64", "gan_128"]), (24, ["gan_64", "gan_128"])],
    ids=["at 64 pixels", "at 128 pixels", "score alone", "score and critic"],
)
def test_a_program_that_is_killed_goes_on_bit_by_bit(make_program, monkeypatch, die_at, done):
    stages = ["gan_64", "gan_128", "amortised"]
    make_program("straight", *stages).run()
    monkeypatch.setattr(program, "SHORT_SAVE_SECONDS", 1e-9)  # a checkpoint, and a note, at each iteration
    killed = make_program("killed", *stages)
    note, notes = killed.budget.note, iter(range(1, die_at + 1))

    def note_and_die():
        note()
        if next(notes, None) == die_at:
            raise Killed

    monkeypatch.setattr(killed.budget, "note", note_and_die)
    with pytest.raises(Killed):
        killed.run()
    assert [stage for stage in stages if stage in killed.budget.done] == done
    make_program("killed", *stages).run()
    for name in ("model.pt", "critic.pt", "amortised.pt", "amortised_critic.pt"):
        straight, resumed = (
            torch.load(killed.output.parent / folder / "state" / "models" / name, weights_only=True)
            for folder in ("straight", "killed")
        )
        assert straight.keys() == resumed.keys()
        assert all(torch.equal(straight[key], resumed[key]) for key in straight), name


def test_time_ends_a_training_and_what_is_left_is_skipped(make_program, caplog):
    made = make_program("short", "gan_128", "features", "evaluation", updates=None, minutes=1000)
    left = iter([1e6, *[1.0] * 3])
    made.budget.left = lambda: next(left, -1.0)
    made.budget.left_for = lambda stage, order: next(left, -1.0)
    files = made.run()
    assert made.budget.choices["gan_128_updates"] >= 1
    assert "features: no time is left for it" in caplog.text
    assert "evaluation: no time is left for it" in caplog.text
    record = json.loads((made.output / "run.json").read_text())
    assert record["choices"]["training"]["width"] == CHOICE.width
    # an epoch that was not finished has a row, and so the run has curves
    assert [path.name for path in files] == ["weights_0.zip", "training_curves.png", "run.json"]
    assert [row["epoch"] for row in record["history"]] == [1]


@pytest.mark.parametrize(("steps", "epochs", "limit"), [(1, 1, 16), (2, 1, 32), (5, 2, 40)])
def test_a_supervised_training_has_as_many_steps_as_asked_for(bundle, patch_set, tmp_path, steps, epochs, limit):
    """An encoder's batch of 32 has 16 real patches, of which there are 40."""
    shutil.copytree(patch_set, tmp_path / "patch_set")
    stages = BundleStages(bundle, tmp_path, torch.device("cpu"), CHOICE)
    config = stages._supervised("encoder", steps).parser
    assert (config.get_parsed_content("epochs"), len(config.get_parsed_content("dataset"))) == (epochs, limit)


@pytest.mark.parametrize(("people", "learnt"), [(8, True), (7, False)])
def test_what_the_scans_look_like_is_learnt_of_the_features_of_this_run(
    bundle, disc_patch_set, tmp_path, caplog, people, learnt
):
    disc_patch_set(tmp_path / "patch_set", {f"s{number}": "train" for number in range(people)}, 21)
    (tmp_path / "models").mkdir()
    network = PatchFeatures()
    torch.save(network.state_dict(), tmp_path / "models" / "features.pt")
    assert BundleStages(bundle, tmp_path, torch.device("cpu"), CHOICE).learn_familiarity() is learnt
    assert ("no familiarity: there are 7 training subjects, expected 8" in caplog.text) is not learnt
    assert (tmp_path / "models" / "familiarity.pt").exists() is learnt
    if learnt:
        known = load_network(Familiarity(), str(tmp_path / "models" / "familiarity.pt"))
        patches, valid = torch.rand(3, 1, 128, 128), torch.ones(3, 1, 128, 128, dtype=torch.bool)
        assert known.rate_patches(patches, valid, network).patches == 3


def test_a_folder_goes_on_with_the_inputs_that_it_was_begun_with(bundle, disc_patch_set, tmp_path):
    drawn = disc_patch_set(tmp_path / "set", {"la_1": "train", "la_2": "train"}, 2)
    one, other = (pack_patches(drawn, tmp_path / f"{len(names)}.zip", names) for names in ([], ["la_1"]))

    def make(data=one, seed=0, minutes=10, real_share=None):
        return program.TrainingProgram(
            tmp_path / "out", minutes, data, bundle, torch.device("cpu"), seed=seed, real_share=real_share
        )

    make().budget.note()
    make(minutes=20).budget.note()  # more time is no other input
    with pytest.raises(ValueError, match=r"out: was begun with other seed: expected the same, .* name another folder"):
        make(seed=7)
    with pytest.raises(ValueError, match=r"out: was begun with other data and seed: expected the same"):
        make(other, seed=7)
    with pytest.raises(ValueError, match=r"out: was begun with other real_share: expected the same"):
        make(real_share=0.5)


def test_what_cannot_work_is_refused_before_time_is_spent(bundle, disc_patch_set, tmp_path):
    def make(data=None, **options):
        return program.TrainingProgram(tmp_path / "out", 10, data, bundle, torch.device("cpu"), **options)

    with pytest.raises(FileNotFoundError, match="no bundle lies here; run this in a checkout, or name its folder"):
        program.TrainingProgram(tmp_path / "out", 10, None, tmp_path, torch.device("cpu"))
    with pytest.raises(ValueError, match="phantoms is 2: expected at least 4, two of them to hold out"):
        make(phantoms=2)
    packed = pack_patches(disc_patch_set(tmp_path / "set", {"phantom_1000": "train"}, 2), tmp_path / "packed.zip")
    with pytest.raises(
        ValueError, match=r"holds phantom_1000, and phantoms are drawn here: .* --leave_out 'phantom_\*'"
    ):
        make(packed)
    with pytest.raises(ValueError, match=r"real_share is 0\.5 with no packed patches: expected 0 to 1, and a file"):
        make(real_share=0.5)
    with pytest.raises(FileNotFoundError, match="no packed patch set lies here"):
        make(tmp_path / "none.zip")


def test_a_stage_that_fails_leaves_the_results_of_those_before(make_program, monkeypatch):
    made = make_program("failed", "gan_128", "features")
    monkeypatch.setattr(made, "_train_supervised", lambda *_: (_ for _ in ()).throw(RuntimeError("no memory")))
    with pytest.raises(RuntimeError, match="no memory"):
        made.run()
    assert (made.output / "weights_0.zip").exists()
    assert json.loads((made.output / "run.json").read_text())["choices"]["gan_128_updates"] == UPDATES


def test_the_command_line_says_what_is_trained_where(monkeypatch, tmp_path):
    seen = []

    class Recorder:
        def __init__(self, *arguments):
            seen.append(arguments)

        def run(self):
            return ["files"]

    monkeypatch.setattr(program, "TrainingProgram", Recorder)
    monkeypatch.setattr(program.logging, "basicConfig", lambda **_: None)
    words = [
        "--minutes",
        "2.5",
        "--output",
        str(tmp_path / "out"),
        "--data",
        "packed.zip",
        "--device",
        "cpu",
        "--updates",
        "7",
    ]
    assert program.main([*words, "--phantoms", "9", "--seed", "3", "--real_share", "0.5"]) == ["files"]
    bundle = Path("bundles/cardiac_aorta_wgan_gp")
    assert seen == [(tmp_path / "out", 2.5, Path("packed.zip"), bundle, torch.device("cpu"), 7, 9, 3, 0.5)]
    assert (tmp_path / "out" / "log.txt").exists()


def test_the_number_of_steps_is_chosen_by_time_once_and_kept(bundle, patch_set, tmp_path, monkeypatch):
    shutil.copytree(patch_set, tmp_path / "patch_set")
    stages = BundleStages(bundle, tmp_path, torch.device("cpu"), CHOICE)
    clock = iter(range(1000))  # each step takes one second
    monkeypatch.setattr(BundleStages, "_now", lambda self, engine: float(next(clock)))
    ran = []
    monkeypatch.setattr(program.BundleStages, "_supervised", counted(BundleStages._supervised, ran))
    kept = {}
    for seconds in (8.3, 1000.0):  # 7 of 8.3 s are planned for, 5 of them for the report
        stages.train_supervised("inpainting_unet", "train_inpainting_unet", seconds, None, kept)
    assert kept == {"inpainting_unet_steps": 2}
    assert ran == [5, 2, 2]  # the probe, and twice the training
    assert (tmp_path / "models" / "inpainting_unet.pt").exists()
    assert (tmp_path / "probe" / "inpainting_unet.pt").exists()


def counted(function, seen):
    def call(self, name, steps, probe=False):
        seen.append(steps)
        return function(self, name, steps, probe)

    return call
