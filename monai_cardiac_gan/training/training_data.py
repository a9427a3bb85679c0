"""The patches of a training program: phantoms that it draws, and those of a packed file."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path

from monai_cardiac_gan.data import merge_patch_sets, read_packed_manifest, unpack_patches
from monai_cardiac_gan.executors import local_executor
from monai_cardiac_gan.phantom import WholeHeartPhantom
from monai_cardiac_gan.training.bundle_stages import BundleStages

__all__ = ["PHANTOMS", "make_patch_set", "phantoms_in_time", "refuse_drawn", "weights_of_share"]

PHANTOMS = "phantom_*"
"""Names of the subjects that are drawn."""
FIRST_SEED = 1000
"""Of the shipped weights' phantoms, too."""
MOST_PHANTOMS, FEWEST_PHANTOMS = 44, 4
SECONDS_OF_A_PHANTOM = 8.0
"""Of one core: to draw it, write it, and prepare its patches; measured on a CPU of 2 cores."""
KEPT_FREE = 0.2
"""Share of the stage's time that nothing is planned for."""
TEST_PHANTOMS = 0.2
SHOWN = 3
"""Names that a message lists."""


def refuse_drawn(packed: Path) -> None:
    """Refuse a packed patch set with subjects of the names that are drawn here.

    Raises:
        FileNotFoundError: when there is no such file.
        ValueError: when it is no packed patch set, or holds such subjects.
    """
    drawn = [each.subject for each in read_packed_manifest(packed).volumes if fnmatchcase(each.subject, PHANTOMS)]
    if drawn:
        raise ValueError(
            f"{packed}: holds {', '.join(drawn[:SHOWN])}, and phantoms are drawn here: expected acquired volumes alone; pack "
            f"with --leave_out '{PHANTOMS}'."
        )


def phantoms_in_time(seconds: float, cores: int) -> int:
    """How many phantoms can be drawn and prepared in the time, from 4 to 44.

    Example:
        >>> phantoms_in_time(72.0, 16), phantoms_in_time(72.0, 1)
        (44, 7)
    """
    by_time = int((1 - KEPT_FREE) * seconds * cores / SECONDS_OF_A_PHANTOM)
    return max(FEWEST_PHANTOMS, min(MOST_PHANTOMS, by_time))


def make_patch_set(stages: BundleStages, packed: Path | None, count: int, cores: int) -> None:
    """Draw phantoms, prepare their patches, and lay them and those of the packed file into ``patch_set`` of the state.

    Args:
        stages: the bundle's configs.
        packed: a packed patch set; None for phantoms alone.
        count: of the phantoms, a fifth of which, at least two, are held out.
        cores: processes that draw.
    """
    state = stages.state
    drawn = state / "phantoms"
    with local_executor(cores) as pool:
        seeds = [[FIRST_SEED + number] for number in range(count)]
        list(pool.map(partial(WholeHeartPhantom().write, drawn), seeds))
    held_out = max(2, round(TEST_PHANTOMS * count))
    workflow = stages.workflow(
        ["prepare"],
        dataset_dir=str(drawn),
        patch_dir=str(state / "phantom_set"),
        train_fraction=1 - held_out / count,
        sheet=False,
    )
    workflow.initialize()
    workflow.run()
    shutil.rmtree(drawn)
    parts = [state / "phantom_set"]
    if packed is not None:
        unpack_patches(packed, state / "acquired_set", overwrite=True)
        parts.insert(0, state / "acquired_set")
    merge_patch_sets(parts, state / "patch_set", overwrite=True)


def weights_of_share(real_share: float, subjects: Sequence[str]) -> dict[str, float]:
    """Weights by which the acquired subjects make this share of what is drawn.

    With A acquired and P drawn patches, each acquired one weighs S / A and each of a phantom (1 - S) / P.

    Args:
        real_share: S, 0 to 1; at 1 no phantom is drawn.
        subjects: of each training patch.

    Returns:
        Pattern of subjects -> weight, for `AortaPatchDataset.weights`.

    Raises:
        ValueError: when the share is not between 0 and 1, or there are no patches of one of both kinds.

    Example:
        >>> weights_of_share(0.75, ["la_1", "la_1", "la_2", "phantom_1"])
        {'phantom_*': 0.25, '*': 0.25}
    """
    phantoms = sum(fnmatchcase(name, PHANTOMS) for name in subjects)
    acquired = len(subjects) - phantoms
    if not 0 <= real_share <= 1 or not min(phantoms, acquired):
        raise ValueError(
            f"real_share is {real_share}, of {acquired} acquired patches and {phantoms} of phantoms: expected 0 to 1 and some of "
            "both; leave it out to take all patches alike."
        )
    return {PHANTOMS: (1 - real_share) / phantoms, "*": real_share / acquired}
