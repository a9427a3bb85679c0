"""Who is in the training part: splits that never put one person on both sides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

__all__ = ["TEST", "TRAIN", "given_split", "same_person_groups", "split_subjects"]

TRAIN, TEST = "train", "test"


def same_person_groups(digests: Mapping[str, Sequence[str]], alike: Iterable[tuple[str, str]] = ()) -> list[list[str]]:
    """Subjects that share an identical or a nearly identical volume, joined to groups.

    Args:
        digests: subject -> digests of the subject's volumes.
        alike: pairs of subjects that are one person for another reason (`near_duplicates`).

    Returns:
        Groups of subjects, each sorted, in order of their first subjects.

    Example:
        >>> same_person_groups({"ann": ["1"], "bob": ["2"], "eve": ["1"]})
        [['ann', 'eve'], ['bob']]
    """
    names = sorted(digests)
    index = {name: number for number, name in enumerate(names)}
    first: dict[str, str] = {}
    pairs = [(subject, first.setdefault(digest, subject)) for subject in names for digest in digests[subject]]
    pairs += [*alike]
    rows, columns = ([index[pair[side]] for pair in pairs] for side in (0, 1))
    graph = coo_array((np.ones(len(pairs)), (rows, columns)), shape=(len(names), len(names)))
    count, labels = connected_components(graph, directed=False)
    return sorted([name for name, label in zip(names, labels, strict=True) if label == group] for group in range(count))


def given_split(groups: Sequence[Sequence[str]], wanted: Mapping[str, str]) -> dict[str, str] | None:
    """The split that somebody decided on, such as that of an earlier study.

    Args:
        groups: subjects that must stay together (`same_person_groups`).
        wanted: subject -> `TRAIN` or `TEST`; subjects without one follow those of their group.

    Returns:
        Subject -> `TRAIN` or `TEST`; None when nothing was decided.

    Raises:
        ValueError: when a side is unknown, only some groups have one, one group has two, or one side is empty.

    Example:
        >>> given_split([["ann", "eve"], ["bob"]], {"ann": "test", "bob": "train"})
        {'ann': 'test', 'eve': 'test', 'bob': 'train'}
    """
    sides: dict[str, str] = {}
    for group in groups:
        found = {wanted[name] for name in group if name in wanted}
        if len(found) > 1 or not found <= {TRAIN, TEST}:
            raise ValueError(
                f"the subjects {list(group)} are to be in {sorted(found)}: expected '{TRAIN}' or '{TEST}', and one of them "
                "for all volumes of one person."
            )
        sides |= dict.fromkeys(group, *found) if found else {}
    if not sides:
        return None
    left = [name for group in groups for name in group if name not in sides]
    if left or len(set(sides.values())) < 2:
        raise ValueError(
            f"the data list has a split for some subjects (not for {left}) or names one side only: give '{TRAIN}' or "
            f"'{TEST}' for each and both at least once, or for none."
        )
    return sides


def split_subjects(
    groups: Sequence[Sequence[str]],
    train_fraction: float = 0.8,
    seed: int = 0,
    settled: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Assign each group of subjects to training or test, at random but reproducibly.

    Both sides get at least one group; the number of training groups is the fraction of all, rounded.

    Args:
        groups: subjects that must stay together (`same_person_groups`).
        train_fraction: share of the groups for training; the publication uses 0.8.
        seed: of the random order.
        settled: subject -> side of an earlier split, which stays, so that nobody moves between training and test when a
            data set grows; a group that is settled on both sides goes to training. Where that leaves a side empty, it
            does not count.

    Returns:
        Subject -> `TRAIN` or `TEST`.

    Raises:
        ValueError: when there are fewer than two groups, or the fraction is not between 0 and 1.

    Example:
        >>> sorted(split_subjects([["ann", "eve"], ["bob"]], seed=1).items())
        [('ann', 'train'), ('bob', 'test'), ('eve', 'train')]
    """
    if not 0 < train_fraction < 1:
        raise ValueError(f"the training fraction is {train_fraction}: expected a number between 0 and 1, such as 0.8.")
    if len(groups) < 2:
        names = [name for group in groups for name in group]
        raise ValueError(
            f"there are fewer than two different subjects to split (usable: {names}): add volumes of other subjects, or "
            "see the log for why volumes were excluded."
        )
    order = [int(place) for place in np.random.default_rng(seed).permutation(len(groups))]
    count = int(np.clip(round(train_fraction * len(groups)), 1, len(groups) - 1))
    fixed = _settled_sides(groups, settled or {})
    free = [place for place in order if place not in fixed]
    wanted = count - list(fixed.values()).count(TRAIN)
    sides = fixed | {place: TRAIN if rank < wanted else TEST for rank, place in enumerate(free)}
    if len(set(sides.values())) < 2:
        sides = {place: TRAIN if rank < count else TEST for rank, place in enumerate(order)}
    return {subject: sides[place] for place, group in enumerate(groups) for subject in group}


def _settled_sides(groups: Sequence[Sequence[str]], settled: Mapping[str, str]) -> dict[int, str]:
    """The sides of groups that have members with one."""
    found = {place: {settled[name] for name in group if name in settled} for place, group in enumerate(groups)}
    return {place: TRAIN if TRAIN in sides else TEST for place, sides in found.items() if sides}
