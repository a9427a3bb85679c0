"""Reading, RAS, 1 mm and cropping of the same patches: this package beside plain MONAI transforms and TorchIO.

Each volume goes through the three ways in turn, so that what else the machine does hits all alike; medians are quoted. Peak
memory is that of a process of its own for each way. The track is found before the clock starts: what is compared is the way
from the file to the patches. The whole preparation (grading, localisation, writing) is timed beside it. TorchIO comes with the
extra ``benchmarks``: ``pip install -c constraints.txt ".[benchmarks]"``.

    python benchmarks/preparation.py ../shared/data/msd_heart/images [--json FILE] [--volumes 14] [--rounds 3]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # seconds of one core

import numpy as np
import torch
from monai.transforms import BorderPad, Compose, EnsureChannelFirst, LoadImage, Orientation, Spacing, SpatialCrop

from monai_cardiac_gan.aorta import AortaTrack
from monai_cardiac_gan.data import read_datalist
from monai_cardiac_gan.keys import Field, PatchColumn
from monai_cardiac_gan.transforms import CropAortaPatches, LoadVolume, LocaliseAorta, standard_volume

SPACING_MM, STEP_MM, SIDE = 1.0, 2.0, 128
MARGIN = SIDE
"""Voxels by which a volume is padded, so that each patch can be cut whole."""
BODY_AXES = (("L", "R"), ("P", "A"), ("I", "S"))


class Plan:
    """What is cut: the track on the volume's own grid, and the places of the patches on the 1 mm grid."""

    def __init__(self, path: str) -> None:
        image = standard_volume(None)({Field.IMAGE: path})[Field.IMAGE]
        self.track: AortaTrack = LocaliseAorta()(image)
        self.patches = _crop()(image, self.track)
        corners = [np.linalg.inv(patch.affine.numpy()) @ image.affine.numpy() @ [0, 0, 0, 1] for patch in self.patches]
        # where the volume's first voxel lies in each patch tells the patch's first pixel on the 1 mm grid
        self.starts = [(-corner[:2]).round().astype(int) for corner in corners]
        self.levels = [int(patch.meta[PatchColumn.SLICE]) for patch in self.patches]


def _crop() -> CropAortaPatches:
    return CropAortaPatches(step_mm=STEP_MM, spacing=SPACING_MM)


def ours(path: str, plan: Plan) -> list[np.ndarray]:
    """Only the pixels of the patches are resampled."""
    image = Orientation("RAS", labels=BODY_AXES)(LoadVolume()(path))
    return [patch[0].numpy() for patch in _crop()(image, plan.track)]


def with_monai(path: str, plan: Plan) -> list[np.ndarray]:
    """Stock transforms with their defaults."""
    read = Compose(
        [
            LoadImage(image_only=True),
            EnsureChannelFirst(),
            Orientation("RAS", labels=BODY_AXES),
            Spacing(SPACING_MM, mode="bilinear"),
            BorderPad([MARGIN, MARGIN, 0]),
        ]
    )
    image = read(path)
    found = []
    for start, level in zip(plan.starts, plan.levels, strict=True):
        first = [int(start[0]) + MARGIN, int(start[1]) + MARGIN, level]
        end = [first[0] + SIDE, first[1] + SIDE, level + 1]
        found.append(SpatialCrop(roi_start=first, roi_end=end)(image)[0, ..., 0].numpy())
    return found


def with_torchio(path: str, plan: Plan) -> list[np.ndarray]:
    """Stock transforms with their defaults."""
    import torchio

    read = torchio.Compose([torchio.ToCanonical(), torchio.Resample(SPACING_MM), torchio.Pad((MARGIN, MARGIN, 0))])
    image = read(torchio.ScalarImage(path))
    found = []
    for start, level in zip(plan.starts, plan.levels, strict=True):
        x, y = int(start[0]) + MARGIN, int(start[1]) + MARGIN
        found.append(image.data[0, x : x + SIDE, y : y + SIDE, min(level, image.data.shape[3] - 1)].numpy())
    return found


WAYS: dict[str, Callable[[str, Plan], list[np.ndarray]]] = {
    "monai_cardiac_gan": ours,
    "MONAI Compose": with_monai,
    "TorchIO": with_torchio,
}


def compared(paths: list[str], rounds: int) -> dict[str, Any]:
    """Seconds of one core per volume of each way, and how far their patches differ."""
    seconds: dict[str, list[float]] = {name: [] for name in WAYS}
    differences: dict[str, list[float]] = {name: [] for name in WAYS}
    for path in paths:
        plan = Plan(path)
        scale = float(max(patch.max() for patch in plan.patches))
        valid = [
            np.s_[_bounds(patch)[0] : _bounds(patch)[1], _bounds(patch)[2] : _bounds(patch)[3]]
            for patch in plan.patches
        ]
        reference = [patch[0].numpy() for patch in plan.patches]
        for number in range(rounds):
            names = list(WAYS)
            for name in names[number % len(names) :] + names[: number % len(names)]:
                start = time.process_time()
                found = WAYS[name](path, plan)
                seconds[name].append(time.process_time() - start)
                differences[name].append(
                    float(
                        np.mean([np.abs(a[v] - b[v]).mean() for a, b, v in zip(found, reference, valid, strict=True)])
                    )
                    / scale
                )
        print(
            Path(path).name,
            {name: round(float(np.median(each[-rounds:])), 3) for name, each in seconds.items()},
            flush=True,
        )
    return {
        name: {
            "seconds per volume, median": float(np.median(seconds[name])),
            "volumes per second of one core": 1 / float(np.median(seconds[name])),
            "mean difference of valid pixels, share of the brightest": float(np.mean(differences[name])),
        }
        for name in WAYS
    }


def _bounds(patch: Any) -> list[int]:
    names = (PatchColumn.VALID_X_START, PatchColumn.VALID_X_STOP, PatchColumn.VALID_Y_START, PatchColumn.VALID_Y_STOP)
    return [patch.meta[name] for name in names]


def peak_memory(name: str, paths: list[str]) -> dict[str, float]:
    """Peak memory (MB) of a process that goes one way for all volumes, and before the first of them."""
    done = subprocess.run(
        [sys.executable, __file__, "--peak", name, *paths], capture_output=True, text=True, check=True
    )
    numbers: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return numbers


def print_peak(name: str, paths: list[str]) -> None:
    """The other side of `peak_memory`; the plans come from a file, so that localisation is not in the peak."""
    plans = torch.load(os.environ["PLANS"], weights_only=False)
    if name == "TorchIO":
        import torchio  # noqa: F401  # counts as imported before the first volume
    before = peak_mb()
    for path in paths:
        WAYS[name](path, plans[path])
    print(json.dumps({"peak memory (MB)": peak_mb(), "after the imports (MB)": before}))


def peak_mb() -> float:
    """Peak memory of this process; `getrusage` would count that of the process which started it, too."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1e3


def whole_preparation(folder: Path) -> dict[str, float]:
    """Seconds of one core per volume, and the process's peak memory, of all that `prepare` does."""
    code = (
        "import json, sys, time, torch\n"
        "from pathlib import Path\n"
        "torch.set_num_threads(1)\n"
        "from monai_cardiac_gan.preparation import PreparePatchSet\n"
        "from monai_cardiac_gan.data import read_datalist\n"
        "from monai_cardiac_gan.transforms import CropAortaPatchesd\n"
        "records = read_datalist(sys.argv[1])\n"
        "crop = CropAortaPatchesd('image', step_mm=2.0, spacing=1.0)\n"
        "start = time.process_time()\n"
        "PreparePatchSet(records, sys.argv[2], crop=crop).run()\n"
        "seconds = (time.process_time() - start) / len(records)\n"
        "lines = Path('/proc/self/status').read_text().splitlines()\n"
        "peak = next(int(line.split()[1]) for line in lines if line.startswith('VmHWM')) / 1e3\n"
        "print(json.dumps([seconds, peak]))\n"
    )
    with tempfile.TemporaryDirectory() as output:
        done = subprocess.run(
            [sys.executable, "-c", code, str(folder), output + "/set"], capture_output=True, text=True, check=True
        )
        size = sum(path.stat().st_size for path in Path(output).rglob("*") if path.is_file())
    seconds, memory = json.loads(done.stdout.splitlines()[-1])
    count = len(read_datalist(folder))
    return {
        "prepare: seconds of one core per volume": seconds,
        "prepare: peak memory (MB)": memory,
        "prepare: disk per volume (MB)": size / count / 1e6,
    }


def projection(per_volume: dict[str, float], count: int = 100_000, cores: int = 64) -> dict[str, float]:
    """What that means for many volumes."""
    return {
        f"{count} volumes: hours on {cores} cores": per_volume["prepare: seconds of one core per volume"]
        * count
        / cores
        / 3600,
        f"{count} volumes: TB on disk": per_volume["prepare: disk per volume (MB)"] * count / 1e6,
        f"{count} volumes: memory of {cores} processes (GB)": per_volume["prepare: peak memory (MB)"] * cores / 1e3,
    }


def main() -> None:
    """Print the tables and, if asked, write them as JSON."""
    if "--peak" in sys.argv:
        print_peak(sys.argv[2], sys.argv[3:])
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--volumes", type=int, default=14)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    paths = [record[Field.IMAGE] for record in read_datalist(options.folder)][: options.volumes]
    table = compared(paths, options.rounds)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PLANS"] = f"{folder}/plans.pt"
        plans = {path: Plan(path) for path in paths}
        for plan in plans.values():
            plan.patches = []  # they are no part of what is measured
        torch.save(plans, os.environ["PLANS"])
        for name in WAYS:
            table[name] |= peak_memory(name, paths)
    for name, numbers in table.items():
        print(name, {key: round(value, 4) for key, value in numbers.items()})
    fastest = min(table[name]["seconds per volume, median"] for name in WAYS if name != "monai_cardiac_gan")
    summary = {
        "times faster than the faster of the two": fastest / table["monai_cardiac_gan"]["seconds per volume, median"]
    }
    summary |= whole_preparation(options.folder)
    summary |= projection(summary)
    for key, value in summary.items():
        print(f"{key:60s} {value:8.3f}")
    if options.json:
        options.json.write_text(json.dumps({"ways": table, **summary}, indent=4) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
