"""What ``make demo`` says and what it hides."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

MAKEFILE = Path(__file__).resolve().parents[1] / "Makefile"
WARNINGS = """
import warnings
warnings.warn("parsing config_file x.json: any value in it is resolved", UserWarning)
warnings.warn("1 of 4 searches left the finite numbers", RuntimeWarning)
warnings.warn("another warning", UserWarning)
"""


def test_the_demo_hides_the_notice_that_configs_are_code_and_no_other_warning():
    text = MAKEFILE.read_text(encoding="utf-8")
    (quiet,) = re.findall(r"^quiet := (.+)$", text, re.M)
    assert text.count("-W") == 1
    ended = subprocess.run(
        [sys.executable, *shlex.split(quiet), "-c", WARNINGS], capture_output=True, text=True, check=True
    )
    assert "parsing config_file" not in ended.stderr
    assert "RuntimeWarning: 1 of 4 searches left the finite numbers" in ended.stderr
    assert "UserWarning: another warning" in ended.stderr


def test_the_demo_ends_with_the_page_of_phantoms_that_no_training_saw():
    printed = subprocess.run(
        ["make", "--dry-run", "--always-make", "--directory", str(MAKEFILE.parent), "demo", "DEMO=smoke", "DEMO_DIR=/tmp/d"],
        capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    stages = [line for line in printed if "monai.bundle run" in line]
    assert "'configs/report.json','configs/smoke.json'" in stages[-1]
    assert '--datalist "/tmp/d/phantoms_reported"' in stages[-1]
    assert not any("phantoms_reported" in stage for stage in stages[:-1])
    assert any("/tmp/d/subjects/cohort.html" in line for line in printed[printed.index(stages[-1]) :])
