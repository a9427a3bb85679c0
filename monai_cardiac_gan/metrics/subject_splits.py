"""Splits of people into a few and all others: what a comparison of held-out with training people is measured against."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import combinations
from math import comb

import numpy as np

__all__ = ["MOST_SPLITS", "subject_splits"]

MOST_SPLITS = 20
"""Splits that a real-vs-real value is averaged over: its standard error is then a quarter of the spread of the splits."""


def subject_splits(
    people: Sequence[str], size: int, without: Collection[str] = (), most: int = MOST_SPLITS, seed: int = 0
) -> list[tuple[str, ...]]:
    r"""Which people stand on the smaller side, in each of several splits of all people.

    A generator is compared with S held-out people, and knows T others. The fair floor of that comparison is the same number
    between S and T people of whom any may be any: there are :math:`\binom{S + T}{S}` such splits.

    Args:
        people: all of them; of identical ones one alone, so that nobody stands on both sides.
        size: S, how many stand on the smaller side.
        without: the side that is no split of its own, because it is what the others are the floor of. Where both sides have
            equally many people its complement, which is the same split, is left out as well.
        most: all splits are given when there are no more than these, else so many are drawn, none twice.
        seed: of the draws.

    Returns:
        The people of the smaller side of each split, sorted, in the order of the draws.

    Raises:
        ValueError: when a name comes twice, either side would be empty, or `most` is not positive.

    Example:
        >>> subject_splits(["ann", "bob", "eve"], 1, without=["eve"])
        [('ann',), ('bob',)]
        >>> len(subject_splits([f"s{number}" for number in range(13)], 3))
        20
    """
    names = sorted(people)
    if len(set(names)) != len(names):
        raise ValueError(f"the people are {names}, expected each name once: give one of several identical subjects.")
    if not 1 <= size < len(names):
        raise ValueError(f"{size} of {len(names)} people shall stand on one side: expected 1 to {len(names) - 1}.")
    if most < 1:
        raise ValueError(f"at most {most} splits are asked for, expected 1 or more.")
    used = {tuple(sorted(without)), tuple(name for name in names if name not in without)}
    if comb(len(names), size) <= most + len(used):
        return [side for side in combinations(names, size) if side not in used][:most]
    rng = np.random.default_rng(seed)
    drawn: dict[tuple[str, ...], None] = {}
    while len(drawn) < most:
        side = tuple(sorted(rng.choice(names, size, replace=False).tolist()))
        if side not in used:
            drawn[side] = None
    return list(drawn)
