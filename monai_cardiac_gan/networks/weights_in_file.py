"""The weights of one network in what a file holds: flat, with a prefix, in a wrapper, or among a training's state."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["StoredWeights", "chosen_weights", "stored_weights", "why_not"]

COMPILED = "_orig_mod."
"""What ``torch.compile`` puts before the names of a network's parts."""
EMA = "ema"
"""In the name of an average of a generator, which is what ``model.pt`` holds."""
SHOWN = 3
"""Names that a message lists."""


@dataclass(frozen=True)
class StoredWeights:
    """Tensors in a file that have the names of a network's.

    Attributes:
        place: names that lead to them in the file, with dots; empty for the file as a whole.
        tensors: by the network's own names.
    """

    place: str
    tensors: Mapping[str, Tensor]


def stored_weights(content: Any, network: nn.Module) -> list[StoredWeights]:
    """All places in a file's content whose tensors have the network's names, whatever their shapes.

    A prefix before all names (``module.`` of DistributedDataParallel, ``generator.`` of Lightning) is left away, and so is
    ``_orig_mod.`` of ``torch.compile``; dictionaries in dictionaries are looked into. Places with tensors that are equal
    count once.

    Example:
        >>> network = nn.Linear(2, 1)
        >>> wrapped = {"epoch": 3, "state_dict": {f"module.{name}": v for name, v in network.state_dict().items()}}
        >>> [found.place for found in stored_weights(wrapped, network)]
        ['state_dict.module']
    """
    own = {_plain(name): name for name in network.state_dict()}
    found: list[StoredWeights] = []
    for place, tensors in _states(content):
        for prefix in _prefixes(tensors, own):
            part = {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
            if part.keys() == own.keys():
                names = ".".join(filter(None, (place, prefix.removesuffix("."))))
                found.append(StoredWeights(names, {own[name]: value for name, value in part.items()}))
    return [each for index, each in enumerate(found) if not any(_equal(each, other) for other in found[:index])]


def chosen_weights(candidates: list[StoredWeights], network: nn.Module) -> StoredWeights | None:
    """The only one whose shapes fit, or the only average among those; None when there is none.

    Raises:
        ValueError: when several fit.
    """
    shapes = {name: value.shape for name, value in network.state_dict().items()}
    fitting = [each for each in candidates if {n: v.shape for n, v in each.tensors.items()} == shapes]
    averages = [each for each in fitting if EMA in each.place.split(".")]
    if len(fitting) == 1 or not fitting:
        return next(iter(fitting), None)
    if len(averages) != 1:
        raise ValueError(
            f"holds several networks that fit {type(network).__name__} ({', '.join(each.place for each in fitting)}): "
            "expected one; save the state_dict() of the wanted one alone."
        )
    return averages[0]


def why_not(content: Any, network: nn.Module, candidates: list[StoredWeights]) -> str:
    """What keeps a file's content from being the weights of a network, and what to do."""
    states = list(_states(content))
    if candidates:
        return _other_shapes(candidates[0], network)
    if states:
        return _other_parts(states, network)
    held = ", ".join(map(str, content)) if isinstance(content, Mapping) else type(content).__name__
    return f"holds no weights ({held or 'nothing'}): expected the state_dict() of a {type(network).__name__}."


def _other_shapes(found: StoredWeights, network: nn.Module) -> str:
    own = network.state_dict()
    name = next(name for name, value in own.items() if value.shape != found.tensors[name].shape)
    return (
        f"the weights do not fit {type(network).__name__}: give the width and the latent size, or what else of "
        f"{_settings(network)}, it was trained with ({name} is {tuple(found.tensors[name].shape)}, expected "
        f"{tuple(own[name].shape)})."
    )


def _other_parts(states: list[tuple[str, dict[str, Tensor]]], network: nn.Module) -> str:
    own, kind = {_plain(name) for name in network.state_dict()}, type(network).__name__
    parts = [
        (place, {name.removeprefix(prefix) for name in tensors if name.startswith(prefix)})
        for place, tensors in states
        for prefix in ("", *_prefixes(tensors, own))
    ]
    place, names = max(parts, key=lambda part: len(own & part[1]))
    where = f" in {place}" if place else ""
    if own & names:
        return (
            f"the weights{where} are of a {kind} with other parts, or of another network (they lack {_some(own - names)}, and "
            f"have {_some(names - own)}): give what of {_settings(network)} it was trained with."
        )
    return (
        f"holds the weights of another network{where} ({_some(names)}): expected those of a {kind} ({_some(own)}); name the "
        "file of one."
    )


def _settings(network: nn.Module) -> str:
    parameters = inspect.signature(type(network)).parameters.values()
    return ", ".join(each.name for each in parameters if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD))


def _plain(name: str) -> str:
    return name.replace(COMPILED, "")


def _states(content: Any, place: str = "") -> Iterator[tuple[str, dict[str, Tensor]]]:
    """All dictionaries with tensors by name in a content, with the names that lead to them."""
    if not isinstance(content, Mapping) or not all(isinstance(name, str) for name in content):
        return
    tensors = {_plain(name): value for name, value in content.items() if isinstance(value, Tensor)}
    if tensors:
        yield place, tensors
    for name, value in content.items():
        yield from _states(value, f"{place}.{name}" if place else name)


def _prefixes(tensors: Mapping[str, Tensor], own: Iterable[str]) -> list[str]:
    """What stands before the network's first name, where that is among the names: nothing, or something that ends in a dot."""
    first = min(own, default=None)
    if first is None:
        return []
    ends = [name for name in tensors if name == first or name.endswith(f".{first}")]
    return [name.removesuffix(first) for name in ends]


def _equal(one: StoredWeights, other: StoredWeights) -> bool:
    return all(torch.equal(value, other.tensors[name]) for name, value in one.tensors.items())


def _some(names: Iterable[str]) -> str:
    listed = sorted(names)
    return ", ".join(listed[:SHOWN]) + (f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else "") or "nothing"
