import json
import sys

import pytest

from monai_cardiac_gan.cli import begin, check_command_line, check_switches, refuse_subject_key, tell_of_no_effect

CONFIG = {
    "batch_size": 16,
    "learning_rate": 0.001,
    "resume": False,
    "grow_from": None,
    "output_dir": "$@bundle_root + '/output'",
    "bundle_root": ".",
    "label_values": [1],
    "loss": {"_target_": "monai_cardiac_gan.losses.WassersteinLoss"},
    "train": {
        "trainer": {"_target_": "a.Trainer", "max_epochs": "@epochs", "goes_on": "@resume", "rate": "@train#again"},
        "again": "@learning_rate",
        "handlers": [{"_target_": "a.Handler", "every": 5}],
    },
}


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "train.json"
    path.write_text(json.dumps(CONFIG))
    return str(path)


def check(config, *arguments):
    check_command_line(["run", "--config_file", config, *arguments])


@pytest.mark.parametrize(
    "arguments",
    [
        ["--batch_size", "8"],
        ["--batch_size=8"],
        ["--batch-size", "8"],
        ["--batch_size", "$2 * 4"],
        ["--learning_rate", "1"],
        ["--learning_rate", "1e-4"],
        ["--resume", "True"],
        ["--resume"],
        ["--grow_from", "last.pt"],
        ["--grow_from", "$None"],
        ["--output_dir", "/data/2024"],
        ["--output_dir", "2024"],
        ["--bundle_root", "7"],
        ["--label_values", "[1, 2]"],
        ["--loss", "$None"],
        ["--train#trainer#max_epochs", "3"],
        ["--train::trainer::max_epochs", "3"],
        ["--train#handlers#0#every", "3"],
        ["--train#handlers#0#folder", "here"],
        ["--+label_values", "[2]"],
        ["--run_id", "other"],
        ["--tracking", "mlflow", "--experiment_name", "first"],
    ],
    ids=" ".join,
)
def test_what_the_config_knows_is_let_through(config, arguments):
    check(config, *arguments)


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("batchsize", "--batch_size"),
        ("output_directory", "--output_dir"),
        ("train#trainr#max_epochs", "--train#trainer"),
        ("experiment_name", None),
    ],
)
def test_a_misspelt_option_names_the_nearest(config, name, nearest):
    with pytest.raises(ValueError, match=r"is no option of these configs: the nearest is --") as caught:
        check(config, f"--{name}", "1")
    assert nearest is None or nearest in str(caught.value)


@pytest.mark.parametrize("name", ["batch_size#first", "train#handlers#1#every", "train#handlers#x"])
def test_an_option_within_what_has_no_parts_is_refused(config, name):
    with pytest.raises(ValueError, match=r"is no option of these configs: .* has no such parts"):
        check(config, f"--{name}", "1")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--batch_size", "many"], r"--batch_size is 'many': expected a whole number, such as 16"),
        (["--batch_size", "1.5"], r"--batch_size is 1.5: expected a whole number"),
        (["--batch_size", "True"], r"--batch_size is True: expected a whole number"),
        (["--batch_size"], r"--batch_size is True: expected a whole number"),
        (["--learning_rate", "fast"], r"--learning_rate is 'fast': expected a number, such as 0.001"),
        (["--resume", "1"], r"--resume is 1: expected True or False, such as False"),
        (["--resume", "false"], r"--resume is 'false': expected True or False, such as False"),
        (["--resume=no"], r"--resume is 'no': expected True or False, such as False"),
        (
            ["--resume", "$None", "--train#trainer#goes_on", "off"],
            r"goes_on is 'off': expected True or False, such as False",
        ),
        (["--train#trainer#rate", "fast"], r"rate is 'fast': expected a number, such as 0.001"),
        (
            ["--train#handlers#0#persist", "False", "--loss#fast", "FALSE"],
            r"--loss#fast is 'FALSE', a text: write True or False",
        ),
        (["--grow_from", "no"], r"--grow_from is 'no', a text: write True or False"),
        (["--label_values", "1"], r"--label_values is 1: expected a list"),
        (["--bundle_root", "[1]"], r"--bundle_root is \[1\]: expected a text"),
        (["--grow_from", "None"], r"--grow_from is None, which MONAI takes for not given: write --grow_from '\$None'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_value_of_another_kind_is_refused_with_an_example(config, arguments, message):
    with pytest.raises(ValueError, match=message):
        check(config, *arguments)


@pytest.fixture
def behind(tmp_path, config):
    """A config that stands behind ``train``, and one that stands behind both."""
    first, second = tmp_path / "evaluate.json", tmp_path / "compare.json"
    first.write_text(json.dumps({"stands_behind": [["train"], ["inference"]]}))
    second.write_text(json.dumps({"stands_behind": [["train", "evaluate"]]}))
    return config, str(first), str(second)


def test_configs_in_their_order_are_let_through(behind):
    check(str(list(behind[:2])))
    check(str(list(behind)))
    check(",".join(behind))


@pytest.mark.parametrize("order", [(1,), (1, 0), (0, 2), (2, 0, 1)])
def test_a_config_that_does_not_stand_behind_what_it_needs_is_refused(behind, order):
    with pytest.raises(ValueError, match=r"does not stand alone: expected --config_file \['configs/train.json', "):
        check(str([behind[index] for index in order]))


def test_a_file_of_arguments_counts_and_the_command_line_goes_before_it(config, tmp_path):
    (tmp_path / "args.json").write_text(json.dumps({"config_file": config, "batchsize": 8}))
    with pytest.raises(ValueError, match="--batchsize is no option of these configs: the nearest is --batch_size"):
        check_command_line(["run", "--args_file", str(tmp_path / "args.json")])
    (tmp_path / "args.json").write_text(json.dumps({"config_file": config, "batch_size": "many"}))
    check_command_line(["run", "--args_file", str(tmp_path / "args.json"), "--batch_size", "8"])


def test_only_the_runner_of_bundles_is_checked(config, monkeypatch):
    arguments = ["run", "--config_file", config, "--batchsize", "8"]
    monkeypatch.setattr(sys, "excepthook", hook := lambda *_: None)
    for program in ("/usr/bin/pytest", "/home/me/bundle/__main__.py", "", "-c"):
        monkeypatch.setattr(sys, "argv", [program, *arguments])
        begin()
        assert sys.excepthook is hook  # a host's own
    monkeypatch.setattr(sys, "argv", ["/site-packages/monai/bundle/__main__.py", *arguments])
    with pytest.raises(ValueError, match="the nearest is --batch_size"):
        begin()
    assert sys.excepthook is not hook


def test_options_without_effect_are_told_of(monkeypatch, caplog):
    arguments = [
        "run",
        "--config_file",
        "configs/inference.json",
        "--evaluations=9",
        "--starts",
        "2",
        "--prior-weight",
        "0.1",
    ]
    for program, told in (("/usr/bin/pytest", 0), ("/site-packages/monai/bundle/__main__.py", 2)):
        monkeypatch.setattr(sys, "argv", [program, *arguments])
        tell_of_no_effect(["evaluations", "iterations", "prior_weight"], "nothing is searched")
        assert caplog.text.count("changes nothing here: nothing is searched.") == told
    assert "--evaluations changes nothing" in caplog.text
    assert "--prior_weight changes nothing" in caplog.text


@pytest.mark.parametrize("value", ["false", "no", 0, None, "True"])
def test_a_switch_is_true_or_false_and_nothing_else(value):
    check_switches(resume=False, overwrite=True)
    with pytest.raises(ValueError, match=r"overwrite is .*, of type .*: expected True or False"):
        check_switches(resume=False, overwrite=value)


def test_names_are_not_hidden_where_they_are_written():
    refuse_subject_key(None)
    with pytest.raises(
        ValueError, match=r"subject_key is 'key\.txt': this config writes subjects and files under their names"
    ):
        refuse_subject_key("key.txt")
