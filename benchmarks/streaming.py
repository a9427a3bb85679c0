"""One epoch over a patch set larger than the machine's memory: patches a second, memory, and how long a batch is waited for.

    python benchmarks/streaming.py FOLDER [--gigabytes 31] [--keep]

FOLDER needs that much space. Patches are noise, so that no file system can make them smaller. Drop the system's file cache before
(``sync; echo 3 > /proc/sys/vm/drop_caches``) or write more than it holds.
"""

from __future__ import annotations

import argparse
import shutil
import time
from pathlib import Path

import numpy as np
import torch

from monai_cardiac_gan.data import (
    KEPT,
    AortaPatchDataset,
    Manifest,
    PatchRow,
    PatchStore,
    StreamedPatches,
    VolumeEntry,
    WindowedBatches,
)
from monai_cardiac_gan.data.fitting_loader import PATCH_SIDE, free_bytes
from monai_cardiac_gan.keys import Field

PER_VOLUME = 120
BATCH = 49
"""That of the publication."""
LOOKED_UP = 200
"""Patches that are read one by one, anywhere in the set."""
VOLUME_BYTES = PER_VOLUME * PATCH_SIDE**2 * 2


def write_set(folder: Path, volumes: int) -> None:
    """A patch set of noise: stretches of one long stack, each on the disk for itself."""
    store, rng = PatchStore(folder), np.random.default_rng(0)
    stack = rng.uniform(-1, 1, (3 * PER_VOLUME, PATCH_SIDE, PATCH_SIDE)).astype(np.float16)
    rows = [PatchRow(0, 0, PATCH_SIDE, 0, PATCH_SIDE, 0.0, 0.0, 0.0, 0.0, 0.0)] * PER_VOLUME
    entries = []
    for number in range(volumes):
        start = number % (2 * PER_VOLUME)
        entry = VolumeEntry(f"s{number}", f"s{number}.nii", KEPT, key=f"volume_{number:06d}", grade=4.0, split="train")
        entries.append(store.add_patches(entry, stack[start : start + PER_VOLUME], rows))
    store.finish(Manifest(entries))


def memory_mb() -> tuple[float, float]:
    """Most memory of this process so far, and what it holds now without files, MB."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines())
    most, held = (int(lines[name].split()[0]) / 1024 for name in ("VmHWM", "RssAnon"))
    return most, held


def epoch(dataset: AortaPatchDataset) -> tuple[int, float, np.ndarray]:
    """Patches, seconds of the whole epoch, and seconds waited for each batch."""
    loader = StreamedPatches(dataset, WindowedBatches(dataset.shards(), BATCH))
    batches, waits, count = iter(loader), [], 0
    began = before = time.perf_counter()
    for batch in batches:
        waits.append(time.perf_counter() - before)
        count += len(batch[Field.IMAGE])
        before = time.perf_counter()
    return count, before - began, np.array(waits)


def main() -> None:
    """Write, read and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--gigabytes", type=float, default=31.0)
    parser.add_argument("--keep", action="store_true", help="leave the set, or read the one that is there")
    options = parser.parse_args()
    torch.set_num_threads(1)
    folder = options.folder / "streamed_set"
    if not folder.exists():
        write_set(folder, max(1, round(options.gigabytes * 1e9 / VOLUME_BYTES)))
    dataset = AortaPatchDataset(folder)
    size = len(dataset) * PATCH_SIDE**2 * 2
    print(f"{len(dataset)} patches, {size / 1e9:.1f} GB; this machine has {free_bytes('cpu') / 1e9:.1f} GB")
    print("before the first patch: {:.0f} MB at most, {:.0f} MB held".format(*memory_mb()))
    seconds = []
    for place in np.random.default_rng(1).integers(0, len(dataset), LOOKED_UP):
        began = time.perf_counter()
        dataset[int(place)]
        seconds.append(1e3 * (time.perf_counter() - began))
    print(
        f"one patch anywhere: {np.median(seconds):.2f} ms (median), {np.quantile(seconds, 0.95):.2f} ms (95th percentile)"
    )
    count, whole, waits = epoch(dataset)
    print(f"an epoch: {count} patches, {count / whole:.0f} a second")
    print(
        f"a batch of {BATCH}: {1e3 * np.quantile(waits, 0.99):.0f} ms (99th percentile), {1e3 * waits.max():.0f} ms (longest)"
    )
    print("after the last: {:.0f} MB at most, {:.0f} MB held".format(*memory_mb()))
    if not options.keep:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
