import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser, ConfigWorkflow, ckpt_export, verify_metadata, verify_net_in_out
from monai.utils import optional_import

CONFIGS = ("phantoms", "prepare", "train", "generate", "inference", "smoke", "demo")
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
        "batch_size": 4,
        "critic_updates": 2,
        "save_every_epochs": 1,
    }


def run(paths, kind, names, overrides):
    workflow = ConfigWorkflow(
        paths("common", *names), workflow_type=kind, logging_file=False, meta_file=None, **overrides
    )
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
        config_file=paths("common", "inference"),
        device="cpu",
        bundle_root=str(bundle),
    )


def test_the_exported_generator_paints_what_the_shipped_one_paints(bundle, paths, tmp_path):
    ckpt_export(
        "network_def",
        filepath=str(tmp_path / "model.ts"),
        ckpt_file=str(bundle / "models" / "model.pt"),
        meta_file=str(bundle / "configs" / "metadata.json"),
        config_file=paths("common", "inference"),
        bundle_root=str(bundle),
    )
    exported = torch.jit.load(tmp_path / "model.ts").eval()
    parser = ConfigParser(ConfigParser.load_config_files(paths("common")))
    network = parser.get_parsed_content("network_def").eval()
    network.load_state_dict(torch.load(bundle / "models" / "model.pt", weights_only=True))
    latents = torch.randn(3, 100, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(exported(latents), network(latents))


def test_shipped_weights_are_small_and_load_safely(bundle):
    for name in ("model.pt", "critic.pt"):
        path = bundle / "models" / name
        assert path.stat().st_size <= LARGEST_WEIGHTS
        state = torch.load(path, weights_only=True)
        assert all(torch.isfinite(value).all() for value in state.values())


@pytest.mark.parametrize("name", [*CONFIGS, "common"])
def test_every_target_is_a_full_path_that_exists_and_files_are_indented_by_four(paths, name):
    (path,) = paths(name)
    text = Path(path).read_text(encoding="utf-8")
    content = json.loads(text)
    assert text == json.dumps(content, indent=4) + "\n"
    for target in re.findall(r'"_target_": "([^"]+)"', text):
        module, _, attribute = target.rpartition(".")
        assert module
        assert optional_import(module, name=attribute)[1], target


def test_sizes_in_smoke_and_demo_are_ids_of_the_configs_that_they_change(paths):
    """A misspelled id would be accepted in silence and change nothing."""
    known = ConfigParser.load_config_files(
        paths(*(name for name in (*CONFIGS, "common") if name not in ("smoke", "demo")))
    )
    for name in ("smoke", "demo"):
        assert set(ConfigParser.load_config_files(paths(name))) <= set(known)


def test_training_leaves_weights_that_load_and_a_run_that_resumes(paths, overrides, tmp_path):
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


def test_inference_writes_a_report_with_numbers(paths, overrides, tmp_path):
    run(paths, "train", ["train"], {**overrides, "epochs": 1})
    workflow = run(
        paths,
        "infer",
        ["inference"],
        {
            **overrides,
            "generator_checkpoint": str(tmp_path / "models" / "model.pt"),
            "critic_checkpoint": str(tmp_path / "models" / "critic.pt"),
            "patch_count": 2,
            "start_batches": 1,
            "starts": 2,
            "iterations": 5,
            "snapshots": 3,
        },
    )
    report = tmp_path / "report"
    results = json.loads((report / "results.json").read_text())
    assert [entry["subject"] for entry in results["patches"]] == ["b", "b"]
    assert [entry["slice"] for entry in results["patches"]] == [0, 7]
    for entry in results["patches"]:
        assert entry["total_loss"] <= entry["total_loss_start"]
        assert entry["acquired"]["diameter_mm"] == pytest.approx(24, abs=1.0)
        np.testing.assert_allclose(entry["acquired"]["centre"], 64, atol=0.5)
    page = (report / "report.html").read_text()
    for name in re.findall(r'<img src="([^"]+)"', page):
        assert (report / name).stat().st_size > 1000
    assert page.count("<img") == 8
    assert "not for diagnosis" in page
    assert workflow.check_properties() in (None, [])


def test_generation_writes_patches_beside_real_ones(paths, overrides, tmp_path):
    run(paths, "train", ["train"], {**overrides, "epochs": 1})
    weights = {"generator_checkpoint": str(tmp_path / "models" / "model.pt"), "sample_count": 5}
    run(paths, None, ["generate"], {**overrides, **weights})
    fakes = np.load(tmp_path / "report" / "generated.npy")
    assert fakes.shape == (5, 128, 128)
    assert np.abs(fakes).max() <= 1
    assert (tmp_path / "report" / "generated.png").stat().st_size > 1000
