"""From scan to page: seconds of one CPU core a subject, by stage, and peak memory.

The real way: `report.json` with the shipped weights, every volume by `CohortReport` in one process of one thread on one core,
figures and pages included. The stages are those that the examiner notes in the provenance of its results ("seconds"); "page" is
the page with its figures, "other" what is left of the whole. Networks are loaded with the first subject, whose whole stands
apart. Memory is the peak of the process, resident, and what the imports alone take.

    python benchmarks/report.py ../shared/data/msd_heart/images [--skip_search] [--volumes 14] [--calibration FILE] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

os.environ.setdefault("OMP_NUM_THREADS", "1")  # seconds of one core

import numpy as np
import torch
from monai.bundle import ConfigParser

from monai_cardiac_gan.data import read_datalist
from monai_cardiac_gan.reporting import CohortReport

BUNDLE = Path(__file__).resolve().parents[1] / "bundles" / "cardiac_aorta_wgan_gp"
WHOLE, PAGE, OTHER, FIRST = "whole", "page", "other", "whole of the first subject"
SECONDS = "seconds"
"""In the provenance of results: stage -> seconds."""


class Timed:
    """A function that notes the processor's seconds of each call."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function, self.seconds = function, list[float]()

    def __call__(self, *arguments: Any) -> Any:
        """Call it."""
        start = time.process_time()
        try:
            return self.function(*arguments)
        finally:
            self.seconds.append(time.process_time() - start)


def measure(cohort: CohortReport) -> list[dict[str, float]]:
    """Run a report of one worker.

    Returns:
        Stage -> seconds, of each subject that was reported.
    """
    examine, page = Timed(cohort.reporter.examine), Timed(cohort.reporter.write_page)
    cohort.reporter = replace(cohort.reporter, examine=examine, write_page=page)
    # the examiner notes the time that passed; here its clock, too, is the processor's, whatever else the machine does
    with mock.patch("time.perf_counter", time.process_time):
        volumes = [volume for volume in cohort.run() if volume.results is not None]
    if not len(volumes) == len(examine.seconds) == len(page.seconds):
        raise ValueError(f"{len(volumes)} of {len(examine.seconds)} volumes were reported: give such as can be.")
    rows = []
    for volume, examined, paged in zip(volumes, examine.seconds, page.seconds, strict=True):
        stages = {} if volume.results is None else dict(volume.results.provenance.get(SECONDS, {}))
        rows.append({**stages, OTHER: max(0.0, examined - sum(stages.values())), PAGE: paged, WHOLE: examined + paged})
    return rows


def summary(rows: Sequence[Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Median and largest seconds of each stage, and the whole of the first subject.

    Example:
        >>> summary([{"load": 3.0, "whole": 9.0}, {"load": 1.0, "whole": 5.0}, {"load": 2.0, "whole": 6.0}])["load"]
        {'median': 2.0, 'largest': 3.0}
    """
    names = dict.fromkeys(name for row in rows for name in row)
    found = {}
    for name in names:
        values = [row.get(name, 0.0) for row in rows]
        found[name] = {"median": float(np.median(values)), "largest": float(np.max(values))}
    return found | {FIRST: {"median": rows[0][WHOLE], "largest": rows[0][WHOLE]}}


def report_of(
    records: Sequence[Mapping[str, Any]], output: str, search: bool, calibration: str | None = None
) -> CohortReport:
    """What `report.json` makes of these records, in one process; None takes its own calibration."""
    config = ConfigParser(ConfigParser.load_config_file(str(BUNDLE / "configs" / "report.json")))
    config.update({"bundle_root": str(BUNDLE), "output_dir": output, "workers": 1, "search": search, "device": "cpu"})
    if calibration is not None:
        config["expectation_path"] = calibration
    config["records"] = [dict(record) for record in records]
    config.parse()
    cohort: CohortReport = config.get_parsed_content("cohort")
    return cohort


def measured_alone(options: argparse.Namespace) -> dict[str, Any]:
    """What `print_measured` prints in a process of its own."""
    with tempfile.TemporaryDirectory() as output:
        arguments = [str(options.folder), "--output", output, *(["--skip_search"] if options.skip_search else [])]
        for name in ("volumes", "calibration"):
            arguments += [] if getattr(options, name) is None else [f"--{name}", str(getattr(options, name))]
        done = subprocess.run([sys.executable, __file__, *arguments], stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def print_measured(options: argparse.Namespace) -> None:
    """The other side of `measured_alone`: on one core, so that peak memory is that of the report alone."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    torch.set_num_threads(1)
    before = peak_mb()
    records = read_datalist(options.folder)[: options.volumes]
    rows = measure(report_of(records, options.output, not options.skip_search, options.calibration))
    print(
        json.dumps(
            {"stages": summary(rows), "subjects": len(rows), "peak memory (MB)": peak_mb(), "imports (MB)": before}
        )
    )


def peak_mb() -> float:
    """Peak memory of this process; `getrusage` would count that of the process which started it, too."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1e3


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="volumes, or a data list")
    parser.add_argument("--skip_search", action="store_true", help="what needs no search")
    parser.add_argument("--volumes", type=int, help="how many; all of them without it")
    parser.add_argument("--calibration", help="of the expectations; without it that of report.json")
    parser.add_argument("--json", type=Path, help="file for the numbers")
    parser.add_argument("--output", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.output:
        print_measured(options)
        return
    found = measured_alone(options)
    print(f"{found['subjects']} subjects, {'without' if options.skip_search else 'with'} search\n")
    print("| seconds of one core a subject | median | largest |\n|---|---:|---:|")
    for name, numbers in found["stages"].items():
        print(f"| {name} | {numbers['median']:.2f} | {numbers['largest']:.2f} |")
    print(f"\npeak memory {found['peak memory (MB)']:.0f} MB, of which imports {found['imports (MB)']:.0f} MB")
    if options.json:
        options.json.write_text(json.dumps(found, indent=4) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
