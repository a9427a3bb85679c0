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
