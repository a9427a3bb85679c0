"""How patches are kept on disk: NumPy memory maps, Zarr, HDF5 and WebDataset beside each other.

The same patches (real ones, repeated with noise so that compression finds nothing that is not there) are written by each
library, then read: random patches one by one, warm and with the system's cache dropped for these files; all in order; by two
processes at once. Needs zarr, h5py and webdataset.

    python benchmarks/storage.py PATCH_SET OUTPUT [--volumes 200] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from monai_cardiac_gan.data import AortaPatchDataset

PER_VOLUME = 110
READS = 2000
SEED = 0


def volumes_of(folder: str, count: int) -> Iterator[np.ndarray]:
    """Stacks (110, 128, 128) float16 of real patches, each with noise of its own at the level of half a grey level."""
    patches = AortaPatchDataset(folder).all_patches()[:, 0].numpy()
    rng = np.random.default_rng(SEED)
    for _ in range(count):
        chosen = patches[rng.integers(0, len(patches) - PER_VOLUME) :][:PER_VOLUME].astype(np.float32)
        noisy = chosen + rng.normal(0, 1 / 512, chosen.shape).astype(np.float32)
        yield np.clip(noisy, -1, 1).astype(np.float16)


class NumpyMaps:
    """One .npy for each volume, mapped."""

    name = "NumPy memory maps"

    def write(self, folder: Path, volumes: Iterator[np.ndarray]) -> None:
        """Write all volumes."""
        for number, volume in enumerate(volumes):
            np.save(folder / f"{number:06d}.npy", volume)

    def open(self, folder: Path) -> Callable[[int], np.ndarray]:
        """Function that reads the patch of a number."""
        maps: dict[int, np.ndarray] = {}

        def read(index: int) -> np.ndarray:
            number, row = divmod(index, PER_VOLUME)
            if number not in maps:
                maps[number] = np.load(folder / f"{number:06d}.npy", mmap_mode="r")
            return np.array(maps[number][row])

        return read


class ZarrShards:
    """One array with a chunk for each patch and a shard for each volume, compressed by Zstandard (the default)."""

    name = "Zarr 3, sharded, zstd"
    codecs: Any = "auto"

    def write(self, folder: Path, volumes: Iterator[np.ndarray]) -> None:
        """Write all volumes."""
        import zarr

        found = list(volumes)
        array = zarr.create_array(
            folder / "patches.zarr", shape=(len(found) * PER_VOLUME, 128, 128), dtype="float16",
            chunks=(1, 128, 128), shards=(PER_VOLUME, 128, 128), compressors=self.codecs,
        )  # fmt: skip
        for number, volume in enumerate(found):
            array[number * PER_VOLUME : (number + 1) * PER_VOLUME] = volume

    def open(self, folder: Path) -> Callable[[int], np.ndarray]:
        """Function that reads the patch of a number."""
        import zarr

        array = zarr.open_array(folder / "patches.zarr", mode="r")
        return lambda index: np.asarray(array[index])


class ZarrPlain(ZarrShards):
    """The same without compression."""

    name, codecs = "Zarr 3, sharded, not compressed", None


class Hdf5:
    """One file with a chunk for each patch."""

    name, filters = "HDF5, chunked", {}

    def write(self, folder: Path, volumes: Iterator[np.ndarray]) -> None:
        """Write all volumes."""
        import h5py

        with h5py.File(folder / "patches.h5", "w") as file:
            array = file.create_dataset(
                "patches", (0, 128, 128), "float16", maxshape=(None, 128, 128), chunks=(1, 128, 128), **self.filters
            )
            for volume in volumes:
                array.resize(len(array) + PER_VOLUME, axis=0)
                array[-PER_VOLUME:] = volume

    def open(self, folder: Path) -> Callable[[int], np.ndarray]:
        """Function that reads the patch of a number."""
        import h5py

        array = h5py.File(folder / "patches.h5", "r")["patches"]
        return lambda index: array[index]


class Hdf5Gzip(Hdf5):
    """The same, compressed."""

    name, filters = "HDF5, chunked, gzip 4 + shuffle", {"compression": "gzip", "compression_opts": 4, "shuffle": True}


class WebDataset:
    """One .tar for each volume; there is no random access, so that a random patch costs its whole shard."""

    name = "WebDataset"

    def write(self, folder: Path, volumes: Iterator[np.ndarray]) -> None:
        """Write all volumes."""
        import webdataset

        for number, volume in enumerate(volumes):
            with webdataset.TarWriter(str(folder / f"{number:06d}.tar")) as tar:
                for row, patch in enumerate(volume):
                    tar.write({"__key__": f"{row:04d}", "npy": patch})

    def open(self, folder: Path) -> Callable[[int], np.ndarray]:
        """Function that reads the patch of a number."""

        def read(index: int) -> np.ndarray:
            number, row = divmod(index, PER_VOLUME)
            return next(patch for place, patch in enumerate(self.in_order(folder, [number])) if place == row)

        return read

    def in_order(self, folder: Path, numbers: Any) -> Iterator[np.ndarray]:
        """All patches of some shards, one after the other."""
        import webdataset

        names = [str(folder / f"{number:06d}.tar") for number in numbers]
        for sample in webdataset.WebDataset(names, shardshuffle=False).decode():
            yield sample["npy"]


FORMATS = (NumpyMaps, ZarrShards, ZarrPlain, Hdf5, Hdf5Gzip, WebDataset)


def drop_cache(folder: Path) -> None:
    """Let the system forget the content of these files, so that the next reads go to the disk."""
    for path in folder.rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


def per_second(read: Callable[[int], np.ndarray], indices: np.ndarray) -> float:
    """Patches per second."""
    start = time.perf_counter()
    for index in indices:
        read(int(index))
    return len(indices) / (time.perf_counter() - start)


def read_many(kind: Any, folder: Path, indices: np.ndarray) -> float:
    """In a process of its own: a sum that tells whether the patches came right."""
    read = kind().open(folder)
    return float(sum(read(int(index)).astype(np.float64).sum() for index in indices))


def measured(kind: Any, options: argparse.Namespace) -> dict[str, float]:
    """Size and speed of one format."""
    folder = options.output / kind.__name__
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    start = time.perf_counter()
    kind().write(folder, volumes_of(options.patch_set, options.volumes))
    writing = options.volumes * PER_VOLUME / (time.perf_counter() - start)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    total = options.volumes * PER_VOLUME
    reads = READS if kind is not WebDataset else READS // 40
    random = np.random.default_rng(1).integers(0, total, reads)
    drop_cache(folder)
    cold = per_second(kind().open(folder), random)
    warm_reader = kind().open(folder)
    per_second(warm_reader, random)
    warm = per_second(warm_reader, random)
    found = {
        "MB": size / 1e6,
        "written per s": writing,
        "random per s, cold": cold,
        "random per s, warm": warm,
    }
    start = time.perf_counter()
    if kind is WebDataset:
        count = sum(1 for _ in kind().in_order(folder, range(options.volumes)))
    else:
        reader = kind().open(folder)
        count = sum(1 for index in range(total) if reader(index) is not None)
    found["in order per s"] = count / (time.perf_counter() - start)
    with get_context("spawn").Pool(2) as pool:
        sums = pool.starmap(read_many, [(kind, folder, random[:100])] * 2)
    found["two readers agree"] = float(abs(sums[0] - sums[1]) < 1e-6)
    shutil.rmtree(folder)
    return found


def main() -> None:
    """Print a table and, if asked, write it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("patch_set")
    parser.add_argument("output", type=Path)
    parser.add_argument("--volumes", type=int, default=200)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    table = {}
    for kind in FORMATS:
        table[kind.name] = measured(kind, options)
        print(kind.name, {name: round(value, 1) for name, value in table[kind.name].items()}, flush=True)
    if options.json:
        options.json.write_text(json.dumps(table, indent=4) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
