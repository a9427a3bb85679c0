import os
import subprocess
import sys

import pytest

from monai_cardiac_gan.cli.explain_errors import TRACEBACK_VARIABLE, explanation
from monai_cardiac_gan.data import read_datalist

SCRIPT = """
from monai_cardiac_gan.cli import explain_errors
from monai_cardiac_gan.data import read_datalist
explain_errors()
try:
    read_datalist("nowhere")
except OSError as error:
    raise RuntimeError("Failed to instantiate component") from error
"""


def run(**environment):
    return subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, env={**os.environ, **environment}, check=False
    )


def test_a_process_ends_with_what_the_package_said_and_status_one():
    ended = run()
    assert ended.returncode == 1
    last = ended.stderr.strip().splitlines()[-2]
    assert (
        last
        == "FileNotFoundError: nowhere: no such file or folder; give a folder of volumes, one volume, a .json, a .csv or a .tsv "
        "data list."
    )
    assert "Traceback" not in ended.stderr


def test_the_traceback_comes_back_when_asked_for():
    assert "Traceback" in run(**{TRACEBACK_VARIABLE: "1"}).stderr


def caused(make, wrapper):
    """What a caller catches when one error wraps another."""
    with pytest.raises(RuntimeError) as caught:  # noqa: PT012
        try:
            make()
        except (ValueError, KeyError) as error:
            raise wrapper from error
    return caught.value


def test_the_packages_own_message_wins_over_its_cause_and_its_wrapper(tmp_path):
    (tmp_path / "list.json").write_text("{")
    error = caused(lambda: read_datalist(tmp_path / "list.json"), RuntimeError("wrapped"))
    assert isinstance(error.__cause__.__cause__, ValueError)  # what the JSON module said
    assert explanation(error).startswith(f"ValueError: {tmp_path}/list.json: is not valid JSON")


def test_of_foreign_errors_the_innermost_is_told():
    assert explanation(caused(lambda: {}["inner"], RuntimeError("outer"))) == "KeyError: 'inner'"
