"""The command line of ``monai.bundle run``, held against the configs that it names before anything is built.

MONAI merges all that is given behind the configs' ids, so that a misspelt id changes nothing, without a word.
"""

from __future__ import annotations

import ast
import difflib
import inspect
import logging
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from fire.parser import DefaultParseValue
from monai.bundle import ConfigParser, run

from monai_cardiac_gan.cli.explain_errors import explain_errors

__all__ = ["begin", "check_command_line", "check_switches", "refuse_subject_key", "tell_of_no_effect"]

logger = logging.getLogger(__name__)

RUNNER = ("monai", "bundle", "__main__.py")
"""Folders and file that ``python -m monai.bundle`` starts."""
RUN_ARGUMENTS = frozenset(inspect.signature(run).parameters) - {"override"}
TRACKING_ARGUMENTS = frozenset({"tracking_uri", "experiment_name", "run_name", "save_execute_config"})
"""Overrides that belong to MONAI's tracking, and to no config."""
CONFIG_FILE, ARGS_FILE, TRACKING = "config_file", "args_file", "tracking"
STANDS_BEHIND = "stands_behind"
"""In a config that does not stand alone: lists of the configs that it can stand behind."""
NESTED = "#"
REFERENCE = "@"
EXPRESSIONS = ("$", REFERENCE, "%")
SPELLED_SWITCHES = frozenset({"true", "false", "yes", "no", "on", "off"})
"""Words that mean a switch to people, and as texts are all true to Python."""


def begin() -> None:
    """First of a config's ``initialize``: short messages from here on, and no misspelt override.

    It does nothing where another program than ``python -m monai.bundle`` builds the workflow: its hooks are its own.

    Raises:
        ValueError: see `check_command_line`.
    """
    if _is_runner():
        explain_errors()
        check_command_line(sys.argv[1:])


def tell_of_no_effect(options: Sequence[str], why: str) -> None:
    """Warn of options on the command line that change nothing in this run, and say why.

    Args:
        options: their ids.
        why: end of the sentence.
    """
    if _is_runner():
        for name in sorted(set(_parsed(sys.argv[1:])) & set(options)):
            logger.warning("--%s changes nothing here: %s.", name, why)


def refuse_subject_key(subject_key: str | None) -> None:
    """Refuse to hide names where what is written holds them.

    Args:
        subject_key: of a config that stands before.

    Raises:
        ValueError: when there is one.
    """
    if subject_key is not None:
        raise ValueError(
            f"subject_key is {subject_key!r}: this config writes subjects and files under their names; leave the key out, or use "
            "report.json, which writes pseudonyms."
        )


def check_command_line(arguments: Sequence[str]) -> None:
    """Check the arguments behind ``python -m monai.bundle``.

    Args:
        arguments: ``["run", "--config_file", "configs/train.json", "--batch_size", "16"]`` or the like.

    Raises:
        ValueError: when a config does not stand behind those that it needs, an override is no id of the configs, or its value
            is of another kind than the config's own.
    """
    given = _parsed(arguments)
    if ARGS_FILE in given:
        given = ConfigParser.load_config_file(str(given[ARGS_FILE])) | given
    files = [str(path) for path in _as_list(given.get(CONFIG_FILE, []))]
    _check_order(files)
    config = ConfigParser.load_config_files(files)
    others = RUN_ARGUMENTS | (TRACKING_ARGUMENTS if given.get(TRACKING) else frozenset())
    for name, value in given.items():
        if name not in others:
            _check_override(name.replace("::", NESTED).removeprefix("+"), value, config)


def _is_runner() -> bool:
    return Path(sys.argv[0]).parts[-len(RUNNER) :] == RUNNER


def check_switches(**switches: Any) -> None:
    """Refuse values of switches that are neither True nor False: the text ``"false"`` is true.

    For what the command line's check does not see: workflows that another program builds.

    Raises:
        ValueError: when one is of another type.

    Example:
        >>> check_switches(resume="false")
        Traceback (most recent call last):
        ...
        ValueError: resume is 'false', of type str: expected True or False.
    """
    for name, value in switches.items():
        if not isinstance(value, bool):
            raise ValueError(f"{name} is {value!r}, of type {type(value).__name__}: expected True or False.")


def _parsed(arguments: Sequence[str]) -> dict[str, Any]:
    """Name -> value, read as Fire does, which the bundle runner uses."""
    found: dict[str, Any] = {}
    rest = [*arguments]
    while rest:
        argument = rest.pop(0)
        if not argument.startswith("--"):
            continue
        name, equals, value = argument.removeprefix("--").partition("=")
        if not equals:
            value = rest.pop(0) if rest and not rest[0].startswith("--") else "True"
        found[name.replace("-", "_")] = DefaultParseValue(value)
    return found


def _as_list(value: Any) -> list[Any]:
    """Config files as MONAI takes them: a list, or a text that is one, or has commas."""
    if not isinstance(value, str):
        return list(value)
    try:
        return list(ast.literal_eval(value))
    except (ValueError, SyntaxError):
        return value.split(",")


def _check_order(files: Sequence[str]) -> None:
    names = [Path(path).stem for path in files]
    for index, path in enumerate(files):
        needed = ConfigParser.load_config_file(path).get(STANDS_BEHIND)
        if needed and not any(set(each) <= set(names[:index]) for each in needed):
            ways = " or ".join(
                str([*(f"configs/{name}.json" for name in each), f"configs/{names[index]}.json"]) for each in needed
            )
            raise ValueError(f"{path} does not stand alone: expected --config_file {ways}.")


def _check_override(name: str, value: Any, config: Mapping[str, Any]) -> None:
    parent, known = "", cast(Any, config)
    parts = name.split(NESTED)
    for part in parts:
        if isinstance(known, list) and part.isdigit() and int(part) < len(known):
            known = known[int(part)]
        elif isinstance(known, Mapping) and part in known:
            known = known[part]
        elif isinstance(known, Mapping) and "_target_" in known and parent:
            known = None  # an argument of a class that the config leaves at its default
            break
        else:
            _refuse_unknown(part, parent, known)
        parent = f"{parent}{part}{NESTED}"
    _check_kind(name, value, _referred(known, config))


def _refuse_unknown(part: str, parent: str, known: Any) -> None:
    names = [str(each) for each in known] if isinstance(known, Mapping) else []
    nearest = difflib.get_close_matches(part, names, n=1, cutoff=0.0)
    hint = f"the nearest is --{parent}{nearest[0]}" if nearest else f"{parent.removesuffix(NESTED)} has no such parts"
    raise ValueError(f"--{parent}{part} is no option of these configs: {hint}.")


def _check_kind(name: str, value: Any, usual: Any) -> None:
    if value is None:
        raise ValueError(f"--{name} is None, which MONAI takes for not given: write --{name} '$None'.")
    if isinstance(value, str) and value.startswith(EXPRESSIONS):
        return
    expected = _kind(usual)
    if expected is None and str(value).lower() in SPELLED_SWITCHES and not isinstance(value, bool):
        raise ValueError(f"--{name} is {value!r}, a text: write True or False, which MONAI reads as a switch.")
    if expected is not None and not (type(value) is bool if expected is bool else _is(value, expected)):
        words = {bool: "True or False", int: "a whole number", float: "a number", list: "a list", str: "a text"}
        raise ValueError(f"--{name} is {value!r}: expected {words[expected]}, such as {usual!r}.")


def _referred(usual: Any, config: Mapping[str, Any]) -> Any:
    """What stands where a plain reference such as ``"@overwrite"`` points to, in turn."""
    seen: set[str] = set()
    while isinstance(usual, str) and usual.startswith(REFERENCE) and usual not in seen:
        seen.add(usual)
        value: Any = config
        for part in usual.removeprefix(REFERENCE).split(NESTED):
            value = value.get(part) if isinstance(value, Mapping) else None  # a handler in a list: whatever it is
        usual = value
    return usual


def _kind(usual: Any) -> type | None:
    """Kind of a value in a config; None where anything may stand: nothing, a component, an expression, a reference."""
    if isinstance(usual, str) and usual.startswith(EXPRESSIONS):
        return None
    return next((kind for kind in (bool, int, float, list, str) if isinstance(usual, kind)), None)


def _is(value: Any, kind: type) -> bool:
    if kind is str:
        return not isinstance(value, bool | list | dict)
    if kind is list:
        return isinstance(value, list | tuple)
    return isinstance(value, (int, float) if kind is float else int) and not isinstance(value, bool)
