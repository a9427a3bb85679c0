import hashlib
import importlib.util
import itertools
import json
import re
import subprocess
import sys
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser, ConfigWorkflow, ckpt_export, load, verify_metadata, verify_net_in_out
from monai.utils import optional_import
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from monai_cardiac_gan.cli.explain_errors import explanation
from monai_cardiac_gan.data import AortaPatchDataset
from monai_cardiac_gan.data.valid_region import valid_bounds, valid_region
from monai_cardiac_gan.evaluation import read_calibration
from monai_cardiac_gan.inferers import Familiarity, ResidualGaussianSampler
from monai_cardiac_gan.networks import load_network
from monai_cardiac_gan.networks.nets import (
    ComodulatedGenerator,
    InpaintingUNet,
    LatentEncoder,
    PatchFeatures,
    PatchGenerator,
    ResidualCritic,
    ResidualGenerator,
)
from monai_cardiac_gan.transforms import CropAortaPatchesd, LocaliseAortad, ScaleByPercentilesd, standard_volume

CONFIGS = Path(__file__).resolve().parents[2] / "bundles" / "cardiac_aorta_wgan_gp" / "configs"
ALONE = ("phantoms", "prepare", "train", "inference", "report")
BEHIND = {
    path.stem: json.loads(path.read_text())["stands_behind"]
    for path in sorted(CONFIGS.glob("*.json"))
    if path.stem not in (*ALONE, "metadata")
}
COMBINATIONS = [[name] for name in ALONE] + [[*names, name] for name, ways in BEHIND.items() for names in ways]
SIZES = ("smoke", "demo")
"""Configs that change sizes alone, of whatever they stand behind."""
TIME_LIMIT = 300
"""Seconds after which two processes are taken to wait for each other."""
LARGEST_WEIGHTS = 15 * 2**20


@pytest.fixture
def paths(bundle):
    return lambda *names: [str(bundle / "configs" / f"{name}.json") for name in names]


@pytest.fixture
def overrides(bundle, patch_set, tmp_path):
    """A tiny network in another folder than the shipped one's."""
    return {
        "bundle_root": str(bundle),
        "output_dir": str(tmp_path),
        "patch_dir": str(patch_set),
        "device": "cpu",
        "width": 2,
        "max_channels": 8,
        "batch_size": 8,
        "critic_updates": 2,
        "save_every_epochs": 1,
        "show_every_epochs": 1,
        "metrics_every_epochs": 2,
        "metrics_count": 16,
    }


def run(paths, kind, names, overrides):
    workflow = ConfigWorkflow(paths(*names), workflow_type=kind, logging_file=False, meta_file=None, **overrides)
    workflow.initialize()
    workflow.run()
    workflow.finalize()
    return workflow


def test_the_metadata_follow_the_zoos_schema(bundle, metadata_schema, tmp_path):
    schema = tmp_path / "schema.json"
    schema.write_text(metadata_schema.read_text())
    verify_metadata(meta_file=str(bundle / "configs" / "metadata.json"), filepath=str(schema))


def test_the_metadata_name_the_version_of_the_package(bundle):
    metadata = json.loads((bundle / "configs" / "metadata.json").read_text())
    setup = (bundle.parents[1] / "setup.cfg").read_text()
    assert metadata["version"] in metadata["changelog"]
    assert f"version = {metadata['required_packages_version']['monai_cardiac_gan']}" in setup
    pins = dict(re.findall(r"^([\w-]+)==([\w.]+)", (bundle.parents[1] / "constraints.txt").read_text(), re.M))
    assert metadata["monai_version"] == pins["monai"]
    assert metadata["pytorch_version"] == pins["torch"]


def test_the_network_takes_and_gives_what_the_metadata_say(bundle, paths):
    verify_net_in_out(
        "network_def",
        meta_file=str(bundle / "configs" / "metadata.json"),
        config_file=paths("inference"),
        device="cpu",
        bundle_root=str(bundle),
    )


@pytest.mark.parametrize("trace", [True, False], ids=["traced", "scripted"])
def test_the_exported_generator_paints_what_the_shipped_one_paints(bundle, paths, tmp_path, trace):
    ckpt_export(
        "network_def",
        filepath=str(tmp_path / "model.ts"),
        ckpt_file=str(bundle / "models" / "model.pt"),
        meta_file=str(bundle / "configs" / "metadata.json"),
        config_file=paths("inference"),
        bundle_root=str(bundle),
        use_trace=trace,
    )
    exported = torch.jit.load(tmp_path / "model.ts").eval()
    parser = ConfigParser(ConfigParser.load_config_files(paths("inference")))
    network = parser.get_parsed_content("network_def").eval()
    network.load_state_dict(torch.load(bundle / "models" / "model.pt", weights_only=True))
    latents = torch.randn(3, 100, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(exported(latents), network(latents))


def test_shipped_weights_are_small_load_safely_and_have_their_digest(bundle):
    assert json.loads(json.dumps(ConfigParser.load_config_file(str(bundle / "large_files.yml")))) == {"large_files": []}
    lines = (bundle / "models" / "SHA256SUMS").read_text().splitlines()
    digests = {name: digest for digest, name in (line.split("  ") for line in lines)}
    shipped = {path.name: path for path in (bundle / "models").iterdir() if path.name != "SHA256SUMS"}
    assert digests == {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in shipped.items()}
    weights = [path for name, path in shipped.items() if name.endswith(".pt")]
    assert len(weights) == 10
    for path in weights:
        assert path.stat().st_size <= LARGEST_WEIGHTS
        state = torch.load(path, weights_only=True)
        assert all(torch.isfinite(value).all() for value in state.values())


def shipped_intervals(parser, bundle, **settings):
    """The intervals that a report gives with the shipped weights."""
    parser["bundle_root"], parser["device"] = str(bundle), "cpu"
    for name, value in settings.items():
        parser[name] = value
    for load_weights in parser.get_parsed_content("load_weights"):
        load_weights()
    names = ("calibration_path", "searched", "inferer", f"masks#{parser['mask_kind']}")
    return read_calibration(*(parser.get_parsed_content(name) for name in names))


PRESETS = ("amortised", "lbfgs")


@pytest.mark.parametrize(
    "settings",
    [
        *({"search_preset": preset, **other} for preset in PRESETS for other in ({"starts": 3}, {"mask_kind": "disc"})),
        {"mask_size": 33},
        {"seed": 1},
        {"search_preset": "lbfgs", "mask_size": 41},
        {"search_preset": "lbfgs", "evaluations": 61},
    ],
)
def test_the_shipped_intervals_are_for_no_other_search(bundle, paths, settings):
    parser = ConfigParser(ConfigParser.load_config_files(paths("inference")))
    assert shipped_intervals(parser, bundle, **settings) == {}


@pytest.mark.parametrize("settings", [{}, *({"search_preset": preset} for preset in PRESETS)])
def test_the_shipped_intervals_belong_to_the_shipped_generators_and_the_usual_searches(bundle, paths, settings):
    parser = ConfigParser(ConfigParser.load_config_files(paths("inference")))
    intervals = shipped_intervals(parser, bundle, **settings)
    assert set(intervals) == {"pixel", "diameter_mm", "centre_mm"}


def test_the_demo_searches_as_the_shipped_intervals_were_learnt(bundle, paths):
    parser = ConfigParser(ConfigParser.load_config_files(paths("inference", "demo")))
    assert shipped_intervals(parser, bundle)


@pytest.mark.parametrize("name", [*ALONE, *BEHIND, "metadata"])
def test_every_target_is_a_full_path_that_exists_and_files_are_indented_by_four(paths, name):
    (path,) = paths(name)
    text = Path(path).read_text(encoding="utf-8")
    content = json.loads(text)
    assert text == json.dumps(content, indent=4) + "\n"
    for target in re.findall(r'"_target_": "([^"]+)"', text):
        module, _, attribute = target.rpartition(".")
        assert module
        assert optional_import(module, name=attribute)[1], target
        # MONAI asks pydoc.locate, which from Python 3.12.3 on gives the module where a function has its name
        package = getattr(sys.modules[module], "__path__", None)
        assert package is None or importlib.util.find_spec(target) is None, (
            f"{target} is a module, too: rename its file"
        )


@pytest.mark.parametrize("names", COMBINATIONS, ids="+".join)
def test_a_config_and_what_it_stands_behind_are_parsed_and_resolved(
    paths, overrides, large_patch_set, names, tmp_path, monkeypatch
):
    """Every id is resolved, so that each class takes its arguments and each reference exists; nothing is run."""
    monkeypatch.setenv("LOCAL_RANK", "0")
    monkeypatch.setattr(torch.distributed, "get_rank", lambda: 0)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda: 1)
    config = ConfigParser(ConfigParser.load_config_files(paths(*names)))
    volumes = tmp_path / "volumes"
    volumes.mkdir()
    nibabel.save(nibabel.Nifti1Image(np.zeros((2, 2, 2), np.float32), np.eye(4)), volumes / "a.nii.gz")
    settings = {name: overrides[name] for name in ("bundle_root", "output_dir", "device")}
    settings |= {"dataset_dir": str(volumes), "patch_dir": str(large_patch_set)}
    config.update({name: value for name, value in settings.items() if name in config})
    config.parse()
    for name in config.get():
        if name not in ("initialize", "run", "finalize"):
            config.get_parsed_content(name)


def test_each_config_begins_with_the_check_of_the_command_line(paths):
    for name in (*ALONE, *BEHIND):
        config = ConfigParser.load_config_file(paths(name)[0])
        if "initialize" in config:
            assert config["initialize"][0] == {"_target_": "monai_cardiac_gan.cli.begin"}
        else:
            assert "run" not in config


def test_configs_that_stand_alone_agree_in_the_values_that_they_share(paths):
    """``pixel_noise`` and ``models_dir`` differ on purpose: patches are painted without noise, by shipped weights."""
    configs = {name: ConfigParser.load_config_file(paths(name)[0]) for name in ALONE}
    own = {"imports", "initialize", "run", "pixel_noise", "models_dir"}
    for first, second in itertools.combinations(ALONE, 2):
        for name in (configs[first].keys() & configs[second].keys()) - own:
            assert configs[first][name] == configs[second][name], (first, second, name)


def test_the_report_config_hands_every_option_on(paths, bundle, tmp_path):
    """With another examiner and other pages: which are there is the examiner's own test."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "ann.nii").write_text('{"diameter": 22.0}')
    (tmp_path / "in" / "fix.csv").write_text("subject,x,y,z\nann,1,2,3\n")
    options = {"workers": 3, "scheduler": "tcp://node1:8786", "overwrite": True, "strict": True}
    config = ConfigParser(ConfigParser.load_config_files(paths("report")))
    config.update({"bundle_root": str(bundle), "output_dir": str(tmp_path / "out"), **options})
    config.update({"dataset_dir": str(tmp_path / "in"), "corrections": str(tmp_path / "in" / "fix.csv")})
    config["examine"] = {"_target_": "fake_examiner.FakeExaminer", "calls": str(tmp_path)}
    config["cohort"]["write_page"] = {"_target_": "fake_examiner.write_page", "_mode_": "callable"}
    config.parse()
    cohort = config.get_parsed_content("cohort")
    assert {name: getattr(cohort, name) for name in options} == options
    assert cohort.folder == tmp_path / "out" / "subjects"
    (record,) = cohort.records
    assert record == {"image": str(tmp_path / "in" / "ann.nii"), "subject": "ann", "correction": [1.0, 2.0, 3.0]}


def test_sizes_in_smoke_and_demo_are_ids_of_the_configs_that_they_change(paths):
    """A misspelled id would be accepted in silence and change nothing."""
    known = ConfigParser.load_config_files(paths(*ALONE, *(name for name in BEHIND if name not in SIZES)))
    for name in SIZES:
        assert set(ConfigParser.load_config_files(paths(name))) <= set(known)


@pytest.mark.parametrize(("name", "kind"), [("train", "train"), ("inference", "infer")])
def test_a_workflow_has_all_required_properties_in_another_folder(paths, patch_set, name, kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    workflow = ConfigWorkflow(paths(name)[0], workflow_type=kind, patch_dir=str(patch_set))
    workflow.initialize()
    assert workflow.check_properties() in (None, [])


@pytest.mark.parametrize("kind", ["train", "inference"])
def test_the_bundle_loads_in_another_folder(bundle, paths, kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    network = load(bundle.name, bundle_dir=str(bundle.parent), workflow_type=kind, device="cpu")
    shipped = torch.load(bundle / "models" / "model.pt", weights_only=True)
    loaded = network.state_dict()
    assert shipped.keys() == loaded.keys()
    assert all(torch.equal(loaded[name], value) for name, value in shipped.items())


def test_training_leaves_weights_that_load_and_a_run_that_resumes(paths, overrides, tmp_path):
    overrides["image_size"] = 32
    run(paths, "train", ["train"], {**overrides, "epochs": 1})
    first = torch.load(tmp_path / "models" / "model.pt", weights_only=True)
    workflow = run(paths, "train", ["train"], {**overrides, "epochs": 3, "resume": True})
    trainer = workflow.parser.get_parsed_content("train#trainer")
    assert trainer.state.epoch == 3
    assert trainer.critic_updates == 6  # two batches an epoch
    second = torch.load(tmp_path / "models" / "model.pt", weights_only=True)
    assert first.keys() == second.keys()
    straight = {**overrides, "epochs": 3, "output_dir": str(tmp_path / "straight")}
    run(paths, "train", ["train"], straight)
    third = torch.load(tmp_path / "straight" / "models" / "model.pt", weights_only=True)
    for name in second:
        torch.testing.assert_close(second[name], third[name], rtol=0, atol=0)


def test_a_second_training_in_a_folder_is_refused_unless_it_goes_on_or_may_overwrite(paths, overrides, tmp_path):
    overrides |= {"image_size": 32, "show_every_epochs": 9, "metrics_every_epochs": 1, "epochs": 1}
    run(paths, "train", ["train"], overrides)
    written = [tmp_path / name for name in ("history.json", "checkpoints/last.pt")]
    written += [tmp_path / "models" / name for name in ("model.pt", "critic.pt", "best.pt")]
    before = [path.read_bytes() for path in written]
    with pytest.raises(
        RuntimeError, match="Failed to evaluate"
    ) as caught:  # what MONAI makes of errors in its expressions
        run(paths, "train", ["train"], {**overrides, "seed": 5})
    assert re.search(r"an earlier training wrote this.*--resume True.*--overwrite True", explanation(caught.value))
    assert [path.read_bytes() for path in written] == before
    run(paths, "train", ["train"], {**overrides, "seed": 5, "overwrite": True})
    assert all(path.read_bytes() != old for path, old in zip(written, before, strict=True))


def test_a_training_that_goes_on_with_smaller_batches_sees_all_patches(paths, overrides, tmp_path):
    overrides["image_size"] = 32
    run(paths, "train", ["train"], {**overrides, "epochs": 1})
    workflow = run(paths, "train", ["train"], {**overrides, "epochs": 2, "batch_size": 4, "resume": True})
    trainer = workflow.parser.get_parsed_content("train#trainer")
    assert trainer.critic_updates == 2 + 4  # 16 patches by 8, then by 4
    rows = json.loads((tmp_path / "history.json").read_text())
    assert [(row["epoch"], row["iterations"]) for row in rows] == [(1, 2), (2, 4)]


def test_a_training_goes_on_with_another_rate_and_without_augmentation(paths, overrides, tmp_path):
    overrides["image_size"] = 32
    run(paths, "train", ["train"], {**overrides, "epochs": 1})
    changed = {"epochs": 2, "resume": True, "learning_rate": 3e-5, "augment": None}
    workflow = run(paths, "train", ["train"], {**overrides, **changed})
    trainer = workflow.parser.get_parsed_content("train#trainer")
    assert trainer.augment is None
    for optimizer in (trainer.generator_optimizer, trainer.critic_optimizer):
        assert [group["lr"] for group in optimizer.param_groups] == [3e-5]


def test_training_shows_how_it_goes(paths, overrides, tmp_path):
    logged = {"tensorboard": True, "log_every": 1}
    run(paths, "train", ["train"], {**overrides, **logged, "image_size": 32, "epochs": 2})
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert {"wasserstein_held_out", "loss", "gradient_norm"} <= set(events.Tags()["scalars"])
    assert len(events.Scalars("loss")) == 4
    rows = json.loads((tmp_path / "history.json").read_text())
    assert [row["epoch"] for row in rows] == [1, 2]
    assert {"wasserstein_train", "wasserstein_held_out", "overfitting", "images_per_second"} <= rows[0].keys()
    assert "sliced_wasserstein/sliced_wasserstein_mean" in rows[1]
    for name in ("training_curves.png", "epoch_00001.png", "epoch_00002.png"):
        assert (tmp_path / name).stat().st_size > 1000
    best = torch.load(tmp_path / "models" / "best.pt", weights_only=True)
    last = torch.load(tmp_path / "models" / "model.pt", weights_only=True)
    assert all(torch.equal(best[name], last[name]) for name in last)  # the only epoch with metrics is the last


def test_the_wgan_gp_preset_trains_the_publications_networks_and_loss(paths, overrides, tmp_path):
    workflow = run(paths, "train", ["train", "wgan_gp"], {**overrides, "critic_updates": 5, "epochs": 3})
    trainer = workflow.parser.get_parsed_content("train#trainer")
    assert (type(trainer.generator).__name__, type(trainer.loss).__name__) == ("PatchGenerator", "WassersteinLoss")
    assert (trainer.n_critic, trainer.generator_updates, trainer.augment) == (5, 1, None)
    config = ConfigParser(ConfigParser.load_config_files(paths("train", "wgan_gp")))
    assert config.get_parsed_content("batch_size") == 49
    settings = config.get_parsed_content("critic_optimizer").defaults
    assert (settings["lr"], settings["betas"]) == (1e-4, (0.0, 0.9))
    saved = torch.load(tmp_path / "models" / "model.pt", weights_only=True)
    assert all(torch.equal(saved[name], value) for name, value in trainer.generator.named_parameters())


def test_a_training_grows_out_of_one_on_smaller_patches(paths, overrides, tmp_path):
    run(paths, "train", ["train"], {**overrides, "epochs": 1, "image_size": 16, "output_dir": str(tmp_path / "16")})
    small = torch.load(tmp_path / "16" / "checkpoints" / "last.pt", weights_only=True)
    workflow = ConfigWorkflow(
        paths("train"),
        workflow_type="train",
        logging_file=False,
        meta_file=None,
        **{**overrides, "epochs": 1, "image_size": 32, "grow_from": str(tmp_path / "16" / "checkpoints" / "last.pt")},
    )
    workflow.initialize()
    grown = workflow.parser.get_parsed_content("ema").network.state_dict()
    assert all(torch.equal(grown[name], value) for name, value in small["ema"]["network"].items())
    workflow.run()


@pytest.mark.parametrize(("names", "size"), [(("train",), 32), (("train", "wgan_gp"), 128)])
def test_two_processes_train_what_one_trains(paths, overrides, tmp_path, names, size):
    small = {"image_size": size, "epochs": 2, "pixel_noise": False, "show_every_epochs": 9, "metrics_every_epochs": 9}
    settings = {**overrides, **small}
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    command += ["-m", "monai.bundle", "run", "--config_file", str(paths(*names, "multi_gpu_train"))]
    for name, value in {**settings, "output_dir": str(tmp_path / "two"), "device": "$torch.device('cpu')"}.items():
        command += [f"--{name}", str(value)]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=TIME_LIMIT, check=False)
    assert finished.returncode == 0, finished.stderr[-3000:]
    run(paths, "train", names, settings)
    for name in ("model.pt", "critic.pt"):
        one, two = (torch.load(folder / "models" / name, weights_only=True) for folder in (tmp_path, tmp_path / "two"))
        # no loss sees the bias of the score, and Adam makes whole steps out of the rounding error of its gradient
        for key in one.keys() - {"output.4.bias", "layers.14.bias"}:
            torch.testing.assert_close(two[key], one[key], rtol=1e-3, atol=1e-4, msg=f"{name}: {key}")


def test_evaluation_writes_a_table_and_pictures(bundle, paths, overrides, tmp_path):
    run(paths, "train", ["train"], {**overrides, "epochs": 1})
    torch.manual_seed(0)
    torch.save(PatchFeatures().state_dict(), tmp_path / "features.pt")
    weights = {
        "generator_checkpoint": str(tmp_path / "models" / "model.pt"),
        "features_checkpoint": str(tmp_path / "features.pt"),
    }
    run(paths, None, ["train", "evaluate"], {**overrides, **weights})
    report = tmp_path / "report"
    content = json.loads((report / "metrics.json").read_text())
    assert (content["generated"], content["seed"]) == (16, 0)
    group = content["groups"]["all"]
    names = {row["metric"] for row in group["metrics"]}
    assert {"power_spectrum", "frechet_distance", "kernel_distance", "radiomic/frechet_radiomic"} <= names
    assert group["protocol"]["patches"] <= 16
    assert set(group["protocol"]["held_out"]) == set(AortaPatchDataset(overrides["patch_dir"], "test").subjects())
    assert set(group["protocol"]["training"]) == set(AortaPatchDataset(overrides["patch_dir"], "train").subjects())
    tables = 1 + len(group["subjects"])
    assert (report / "metrics.md").read_text().count("\n| metric |") == tables + bool(group["over_subjects"])
    for name in ("spectra.png", "samples_generator.png", "nearest_generator.png"):
        assert (report / name).stat().st_size > 1000


def test_what_the_training_scans_look_like_is_learnt_and_shipped(bundle, paths, overrides, tmp_path, disc_patch_set):
    patch_set = disc_patch_set(tmp_path / "many", {f"s{number}": "train" for number in range(9)}, 21)
    settings = {"patch_dir": str(patch_set), "features_checkpoint": str(bundle / "models" / "features.pt")}
    run(paths, None, ["train", "familiarity"], {**overrides, **settings})
    known = load_network(Familiarity(), str(tmp_path / "models" / "familiarity.pt"))
    report = json.loads((tmp_path / "models" / "familiarity.json").read_text())
    assert float(known.limit) == max(report["distances"].values())
    assert len(report["distances"]) == 9
    features = load_network(PatchFeatures(), str(bundle / "models" / "features.pt"))
    shipped = load_network(Familiarity(), str(bundle / "models" / "familiarity.pt"))
    patches, valid = torch.zeros(2, 1, 128, 128), torch.ones(2, 1, 128, 128, dtype=torch.bool)
    for reference in (known, shipped):  # of the very features that ship
        assert not reference.rate_patches(patches, valid, features).is_familiar


@pytest.mark.realdata
def test_other_kinds_of_scans_are_told_from_whole_hearts(bundle, real_hearts):
    """A held-out whole-heart scan, the same with its brightness turned round, and breast scans in which the vessel is found."""
    features = load_network(PatchFeatures(), str(bundle / "models" / "features.pt"))
    known = load_network(Familiarity(), str(bundle / "models" / "familiarity.pt"))
    load = standard_volume(None)

    def rated(path, change=lambda image: image):
        record = LocaliseAortad("image")(load({"image": str(path)}))
        record = ScaleByPercentilesd("image")({**record, "image": change(record["image"])})
        patches = CropAortaPatchesd("image", spacing=1.0, step_mm=10)(record)["patches"]
        valid = valid_region([valid_bounds(patch.meta) for patch in patches], 128)
        return known.rate_patches(torch.stack([patch.as_tensor() for patch in patches]), valid, features)

    assert rated(real_hearts / "images" / "la_003.nii.gz").score > 0.6
    assert rated(real_hearts / "images" / "la_003.nii.gz", lambda image: image.max() - image).score < 0.3
    others = sorted((real_hearts.parent / "other_mr").glob("breast_[13].nii.gz"))
    assert [rated(path).is_familiar for path in others] == [False] * len(others)


def test_both_presets_are_compared_in_one_table(paths, overrides, tmp_path):
    torch.manual_seed(0)
    small = {"width": 2, "max_channels": 8}
    torch.save(ResidualGenerator(noise=True, **small).state_dict(), tmp_path / "relativistic.pt")
    torch.save(PatchGenerator(**small).state_dict(), tmp_path / "wgan_gp.pt")
    torch.save(PatchFeatures().state_dict(), tmp_path / "features.pt")
    settings = {
        "generator_checkpoint": str(tmp_path / "relativistic.pt"),
        "wgan_gp_checkpoint": str(tmp_path / "wgan_gp.pt"),
        "wgan_gp_width": 2,
        "wgan_gp_max_channels": 8,
        "features_checkpoint": str(tmp_path / "features.pt"),
    }
    run(paths, None, ["inference", "evaluate", "compare_presets"], {**overrides, **settings})
    lines = (tmp_path / "report" / "metrics.md").read_text().splitlines()
    assert "| metric | better | real vs real | wgan_gp | relativistic | training patches |" in lines
    assert {path.name for path in (tmp_path / "report").glob("samples_*")} == {
        "samples_wgan_gp.png",
        "samples_relativistic.png",
    }


@pytest.mark.parametrize("preset", ["gradient_descent", "lbfgs"])
def test_inference_writes_a_report_with_numbers(paths, overrides, tmp_path, preset):
    run(paths, "train", ["train"], {**overrides, "epochs": 1})
    weights = {"generator_checkpoint": str(tmp_path / "models" / "model.pt")}
    parts = {"bank_count": 64, "encoder_checkpoint": None, "bank_checkpoint": str(tmp_path / "models" / "bank.pt")}
    if preset == "lbfgs":
        run(paths, None, ["train", "encoder"], {**overrides, **weights, "bank_count": 64, "epochs": 1})
        parts["encoder_checkpoint"] = str(tmp_path / "models" / "encoder.pt")
        report = json.loads((tmp_path / "models" / "encoder.json").read_text())
        assert set(report) == {"outside", "inside", "outside_of_best_start", "latent_length"}
    workflow = run(
        paths,
        "infer",
        ["inference"],
        {
            **overrides,
            **weights,
            **parts,
            "search_preset": preset,
            "critic_checkpoint": str(tmp_path / "models" / "critic.pt"),
            "patch_count": 2,
            "coarse_evaluations": 5,
            "evaluations": 4,
            "start_batches": 1,
            "starts": 2,
            "iterations": 5,
            "snapshots": 3,
            "figure_format": "svg",
        },
    )
    report = tmp_path / "report"
    results = json.loads((report / "results.json").read_text())
    assert [entry["subject"] for entry in results["patches"]] == ["b", "b"]
    assert [entry["slice"] for entry in results["patches"]] == [0, 15]
    for entry in results["patches"]:
        assert entry["total_loss"] <= entry["total_loss_start"]
        assert entry["acquired"]["diameter_mm"] == pytest.approx(24, abs=1.0)
        np.testing.assert_allclose(entry["acquired"]["centre"], 64, atol=0.5)
    page = (report / "report.html").read_text()
    for name in re.findall(r'<img src="([^"]+)"', page):
        assert (report / name).stat().st_size > 1000
    assert page.count("<img") == 10
    assert len(list(report.glob("patch_*.svg"))) == 8  # beside the PNGs, which the page shows
    assert "Patch 001: b, 15 mm above the lowest slice (slice 15 of the 1 mm grid of patches, z " in page
    assert "not for diagnosis" in page
    assert workflow.check_properties() in (None, [])


@pytest.fixture
def volumes(tmp_path, patch_set_maker):
    """Volumes on disk, one aorta each, and the patch set of all their slices: a is for training, b and c are held out."""
    (tmp_path / "images").mkdir()
    maker = patch_set_maker(tmp_path / "volumes")
    rows, columns = np.ogrid[:128, :128]
    for number, subject in enumerate("abc"):
        source = np.random.default_rng(number)
        disc = np.clip(10.5 + number - np.hypot(rows - 64, columns - 64), 0, 1) * 1.6 - 0.8
        values = np.clip(disc[..., None] + source.normal(0, 0.05, (128, 128, 10)), -1, 1).astype(np.float32)
        nibabel.save(nibabel.Nifti1Image(100 * values + 300, np.eye(4)), tmp_path / "images" / f"{subject}.nii.gz")
        affines = [np.array([[1.0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, level], [0, 0, 0, 1]]) for level in range(10)]
        meta = {"centre_x_mm": 64.0, "centre_y_mm": 64.0, "diameter_mm": 20.0 + 2 * number, "confidence": 1.0}
        columns_of = [{"slice": level, "padded_share": 0.0, **meta} for level in range(10)]
        split = "train" if subject == "a" else "test"
        maker.add(subject, list(np.moveaxis(values, 2, 0)), affines, columns_of, split)
    maker.finish()
    return tmp_path


@pytest.fixture
def searches(overrides, volumes):
    """Untrained networks of the L-BFGS search, few steps."""
    torch.manual_seed(0)
    small = {"width": 2, "max_channels": 8}
    networks = {
        "generator": ResidualGenerator(noise=True, **small), "critic": ResidualCritic(**small),
        "encoder": LatentEncoder(), "inpainting_unet": InpaintingUNet(),
    }  # fmt: skip
    for name, network in networks.items():
        torch.save(network.state_dict(), volumes / f"{name}.pt")
    settings = {f"{name}_checkpoint": str(volumes / f"{name}.pt") for name in (*networks, "bank")}
    del settings["inpainting_unet_checkpoint"]
    settings |= {"bank_count": 16, "coarse_evaluations": 3, "evaluations": 3, "starts": 2, "snapshots": 2}
    return {**overrides, **settings, "patch_dir": str(volumes / "volumes"), "dataset_dir": str(volumes / "images")}


def test_what_is_expected_goes_back_into_the_volumes_with_intervals(paths, searches, volumes):
    searches |= {"calibration_path": str(volumes / "calibration.json"), "mask_kind": "disc"}
    run(paths, None, ["inference", "calibrate"], {**searches, "level": 0.5, "tuning_count": 4})
    calibration = json.loads((volumes / "calibration.json").read_text())
    assert (calibration["subjects"], calibration["starts"]) == (2, 2)
    settings = {"save_volumes": True, "patch_count": 4, "video": True}
    run(paths, "infer", ["inference"], {**searches, **settings})
    entries = json.loads((volumes / "report" / "results.json").read_text())["patches"]
    assert [(entry["subject"], entry["slice"]) for entry in entries] == [("b", 0), ("b", 6), ("c", 2), ("c", 9)]
    for entry in entries:
        width = calibration["intervals"]["pixel"]
        assert 10 * 625 < width["count"] < 20 * 900
        assert width["subjects"] == 2
        assert set(entry["uncertainty"]) >= {"diameter_std_mm", "perimeter_std_mm", "centre_std_mm", "interval_mm"}
        assert entry["acquired_ellipse"]["eccentricity"] < 0.4
        assert entry["acquired_ellipse"]["area_mm2"] == pytest.approx(entry["acquired"]["area_mm2"], rel=0.05)
    assert len(list((volumes / "report").glob("*.mp4"))) == 4
    for subject, levels, radius in (("b", [0, 6], 14), ("c", [2, 9], 15)):
        acquired = nibabel.load(volumes / "images" / f"{subject}.nii.gz").get_fdata()
        folder = volumes / "expected_volumes"
        expected, painted = (
            nibabel.load(folder / f"{subject}_{name}.nii.gz").get_fdata() for name in ("expected", "painted")
        )
        assert np.nonzero(painted.any((0, 1)))[0].tolist() == levels
        np.testing.assert_array_equal(expected[painted == 0], acquired[painted == 0])
        assert painted.sum() == pytest.approx(2 * np.pi * radius**2, rel=0.03)


def test_a_network_learns_to_inpaint_directly(paths, searches, volumes):
    run(paths, None, ["train", "inpainting_unet"], {**searches, "epochs": 1, "batch_size": 5})
    assert 0 < json.loads((volumes / "models" / "inpainting_unet.json").read_text())["inside"] < 1
    InpaintingUNet().load_state_dict(torch.load(volumes / "models" / "inpainting_unet.pt", weights_only=True))


def test_the_amortised_preset_is_trained_and_paints(paths, searches, volumes):
    small = {"epochs": 1, "batch_size": 5, "width": 2, "max_channels": 8, "adversarial_weight": 0.05}
    run(paths, "train", ["train", "amortised"], {**searches, **small})
    (row,) = json.loads((volumes / "history.json").read_text())
    assert 0 < row["score"] < 1
    trained = ComodulatedGenerator(width=2, max_channels=8, output_filter=13)
    trained.load_state_dict(torch.load(volumes / "models" / "amortised.pt", weights_only=True))
    again = {**small, "start_from": str(volumes / "models"), "output_dir": str(volumes / "again"), "learning_rate": 0.0}
    run(paths, "train", ["train", "amortised"], {**searches, **again})
    for name in ("amortised.pt", "amortised_critic.pt"):  # the EMA's first update takes the generator over
        before, after = (
            torch.load(folder / "models" / name, weights_only=True) for folder in (volumes, volumes / "again")
        )
        assert all(torch.equal(before[key], after[key]) for key in before)
    settings = {
        "models_dir": str(volumes / "models"),  # and no other weights are there
        **{f"{name}_checkpoint": str(volumes / "models" / f"{name}.pt") for name in ("generator", "critic")},
        "amortised_width": 2, "amortised_max_channels": 8, "starts": 3, "patch_count": 2,
    }  # fmt: skip
    run(paths, "infer", ["inference"], {**searches, **settings})
    entries = json.loads((volumes / "report" / "results.json").read_text())["patches"]
    assert [len(entry["expected_of_answers"]) for entry in entries] == [3, 3]
    page = (volumes / "report" / "report.html").read_text()
    assert re.findall(r'<img src="patch_000_([^"]+)"', page) == ["answers.png", "uncertainty.png", "answers.gif"]


def test_inpainted_patches_are_compared_with_what_was_hidden(paths, overrides, tmp_path):
    torch.manual_seed(0)
    small = {"width": 2, "max_channels": 8}
    torch.save(ResidualGenerator(noise=True, **small).state_dict(), tmp_path / "model.pt")
    torch.save(ResidualCritic(**small).state_dict(), tmp_path / "critic.pt")
    torch.save(LatentEncoder().state_dict(), tmp_path / "encoder.pt")
    torch.save(InpaintingUNet().state_dict(), tmp_path / "inpainting_unet.pt")
    settings = {
        f"{name}_checkpoint": str(tmp_path / f"{name}.pt") for name in ("critic", "encoder", "bank", "inpainting_unet")
    }
    settings |= {"generator_checkpoint": str(tmp_path / "model.pt"), "bank_count": 16, "patch_count": 3}
    settings |= {"coarse_evaluations": 3, "evaluations": 3}
    settings |= {"hole_sizes": [25, 41], "sample_count": 3, "search_starts": 2}
    run(paths, None, ["inference", "evaluate_inpainting"], {**overrides, **settings})
    rows = json.loads((tmp_path / "report" / "inpainting.json").read_text())
    opencv = ["OpenCV, Telea", "OpenCV, Navier-Stokes"] if importlib.util.find_spec("cv2") else []
    inpainters = [
        "amortised, typical", "search", "encoder", "inpainting U-Net", "nearest training patch", "mean training patch",
        "biharmonic", *opencv,
    ]  # fmt: skip
    samplers = ("amortised", "search samples")  # residuals need a second person held out
    answers = [f"{name}, {answer}" for name in samplers for answer in ("median", "one sample")]
    expected = list(itertools.product(["25 px", "41 px"], [*inpainters, *answers]))
    assert [(row["hole"], row["inpainter"]) for row in rows] == expected
    sampled = json.loads((tmp_path / "report" / "inpainting_samples.json").read_text())
    counts = [*[(name, 1) for name in inpainters], ("amortised", 3), ("search samples", 2)]
    assert [(row["sampler"], row["samples"]) for row in sampled] == 2 * counts
    assert {row["patches"] for row in rows} == {3}
    # all phantoms of this set are alike, so that a training patch is the hidden truth
    l1 = {(row["hole"], row["inpainter"]): row["l1"] for row in rows}
    assert l1["25 px", "nearest training patch"] < 0.2 * l1["25 px", "biharmonic"]


@pytest.mark.parametrize(
    ("given", "holes"),
    [
        ({}, {f"{side} px": side**2 for side in (25, 33, 41, 49, 57)}),
        ({"mask_size": 31}, {"31 px": 31**2}),
        ({"hole_sizes": [41, 49]}, {"41 px": 41**2, "49 px": 49**2}),
        ({"mask_kind": "disc", "mask_margin_mm": 5.0}, {"disc": "DiscMasks"}),
        ({"mask_kind": "labels"}, {"labels": "LabelMasks"}),
    ],
)
def test_inpainting_is_compared_in_the_holes_that_are_asked_for(paths, overrides, given, holes):
    parser = ConfigParser()
    parser.read_config(paths("inference", "evaluate_inpainting"))
    parser.update({**overrides, **given})
    made = parser.get_parsed_content("evaluation#holes")
    assert {
        name: int(hole.sum()) if isinstance(hole, torch.Tensor) else type(hole).__name__ for name, hole in made.items()
    } == holes


@pytest.mark.parametrize("chosen", [["search samples"], ["inpainting U-Net and residuals"]])
def test_samples_are_compared_of_those_that_are_asked_for(paths, overrides, chosen):
    parser = ConfigParser()
    parser.read_config(paths("inference", "evaluate_inpainting"))
    parser.update({**overrides, "samplers": chosen, "sample_count": 5, "search_starts": 3})
    samplers = parser.get_parsed_content("evaluation#samplers")
    assert list(samplers) == chosen
    unet, network = (parser.get_parsed_content(name) for name in ("unet_inpainter", "inpainting_unet"))
    assert unet.network is network
    assert all(each.inpainter is unet for each in samplers.values() if isinstance(each, ResidualGaussianSampler))
    assert parser.get_parsed_content("inpainters")["inpainting U-Net"] is unet
    counts = parser.get_parsed_content("evaluation#sample_counts")
    assert counts == ({"search samples": 3} if "search samples" in chosen else {})


def test_generation_writes_patches_beside_real_ones(paths, overrides, tmp_path):
    run(paths, "train", ["train"], {**overrides, "epochs": 1})
    weights = {"generator_checkpoint": str(tmp_path / "models" / "model.pt"), "sample_count": 5}
    run(paths, None, ["train", "generate"], {**overrides, **weights})
    fakes = np.load(tmp_path / "report" / "generated.npy")
    assert fakes.shape == (5, 128, 128)
    assert np.abs(fakes).max() <= 1
    assert (tmp_path / "report" / "generated.png").stat().st_size > 1000
