"""What things were made with, as values that can be compared and digested."""

from __future__ import annotations

import enum
import functools
import hashlib
import inspect
import json
import operator
import random
import sys
import sysconfig
import types
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

__all__ = ["settings_digest", "settings_of"]

RANDOM = (np.random.RandomState, np.random.Generator, torch.Generator, random.Random)
"""Random states are left out; who uses them seeds them."""
PACKAGE = __name__.split(".")[0]
INSTALLED = [Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
"""Folders of modules whose code belongs to a version."""
SCRIPT = "__main__"
"""Module of what a script or a notebook defines: its name says nothing of what it does."""


def settings_of(value: Any) -> Any:
    """What a transform, or anything else, was made with: its class and its attributes, as plain JSON values.

    Functions and classes are told by the name under which they are imported, those of a script or of a module that is not
    installed by their source, too (not by what they call);
    `functools.partial` by its function and arguments, bound methods by their object. Random states are left out; who uses
    them seeds them.

    Raises:
        TypeError: when something cannot be told: a lambda, a function or class made inside a function, or a thing without
            attributes.

    Example:
        >>> from monai.transforms import ScaleIntensityRange
        >>> settings_of({"steps": (1, 2.5), "low": None})
        {'steps': [1, 2.5], 'low': None}
        >>> settings_of(ScaleIntensityRange(0, 5, -1, 1))["a_max"]
        5
        >>> settings_of(functools.partial(round, ndigits=2))
        {'partial': 'builtins.round', 'args': [], 'keywords': {'ndigits': 2}}
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, enum.Enum):
        return str(value.value)
    if isinstance(value, Path | torch.dtype | torch.device | np.dtype):
        return str(value)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray | torch.Tensor):
        array = np.ascontiguousarray(value)
        return [str(array.dtype), list(array.shape), hashlib.sha256(array.tobytes()).hexdigest()]
    if isinstance(value, Mapping):
        return {str(name): settings_of(each) for name, each in value.items()}
    if isinstance(value, Sequence | set | frozenset):
        parts = [settings_of(each) for each in value]
        return sorted(parts, key=repr) if isinstance(value, set | frozenset) else parts
    if isinstance(value, RANDOM):
        return None
    return _settings_of_object(value)


def settings_digest(settings: Any) -> str:
    """SHA-256 of JSON values, whatever the order of their names.

    Example:
        >>> settings_digest({"a": 1, "b": [2]}) == settings_digest({"b": [2], "a": 1})
        True
    """
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


def _settings_of_object(value: Any) -> Any:
    if isinstance(value, functools.partial):
        # its class is told only where it adds something: a subclass may call its function otherwise
        kind = {} if type(value) is functools.partial else {"class": _name(type(value))}
        parts = {"partial": value.func, "args": value.args, "keywords": value.keywords}
        return kind | {name: settings_of(part) for name, part in parts.items()}
    if isinstance(value, types.ModuleType | np.ufunc):
        return value.__name__
    if _is_method(value, owner := getattr(value, "__self__", None)):
        return {"method": value.__name__, "of": settings_of(owner)}
    if isinstance(value, type) or hasattr(value, "__qualname__"):
        return _name(value)
    attributes = dict(_attributes(value))
    if not attributes and not hasattr(value, "__dict__"):
        raise TypeError(f"{type(value).__name__} has no attributes that tell what it was made with: use a plain class.")
    return {"class": _name(type(value))} | {
        name: settings_of(each) for name, each in attributes.items() if not isinstance(each, RANDOM)
    }


def _is_method(value: Any, owner: Any) -> bool:
    """Whether a callable is bound to an object, or a class, and does what that tells it to."""
    return owner is not None and callable(value) and not isinstance(owner, types.ModuleType)


def _attributes(value: Any) -> Iterator[tuple[str, Any]]:
    """Attributes of an object, those in slots, too."""
    yield from getattr(value, "__dict__", {}).items()
    for kind in type(value).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        for slot in (slots,) if isinstance(slots, str) else slots:
            if slot not in ("__dict__", "__weakref__") and hasattr(value, slot):
                yield slot, getattr(value, slot)


def _name(value: Any) -> Any:
    """The name under which a function or class is imported; with its source where that may change under the name.

    Raises:
        TypeError: when it is not found under its name, such as a lambda.
    """
    module, name = value.__module__, value.__qualname__
    try:
        found = operator.attrgetter(name)(sys.modules[module])
    except (KeyError, AttributeError):
        found = None
    if found is not value:
        raise TypeError(
            f"{module}.{name} has no name that tells what it does (a lambda, or made inside a function): give a function or "
            "class that a module defines, or functools.partial of one."
        )
    return f"{module}.{name}" if _is_told_by_version(sys.modules[module]) else [f"{module}.{name}", _source(value)]


def _is_told_by_version(module: types.ModuleType) -> bool:
    """Whether a module is installed, or of this package: what it does then changes with a version, not under the name."""
    if module.__name__ == SCRIPT:
        return False
    path = getattr(module, "__file__", None)
    if path is None or module.__name__.split(".")[0] == PACKAGE:
        return True
    return any(Path(path).is_relative_to(folder) for folder in INSTALLED)


def _source(value: Any) -> str:
    try:
        return hashlib.sha256(inspect.getsource(value).encode()).hexdigest()
    except (OSError, TypeError) as error:
        raise TypeError(
            f"{value.__qualname__} was typed in, and its source is not known: write it into a module and import it."
        ) from error
