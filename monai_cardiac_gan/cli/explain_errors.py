"""Short messages instead of the bundle runner's tracebacks."""

from __future__ import annotations

import os
import sys
import traceback
from types import TracebackType

__all__ = ["TRACEBACK_VARIABLE", "explain_errors", "explanation"]

PACKAGE = __name__.split(".")[0]
TRACEBACK_VARIABLE = "MONAI_CARDIAC_GAN_TRACEBACK"
"""Environment variable that, when set, brings the whole traceback back."""


def explain_errors() -> None:
    """Let this process end with one line that says what is wrong.

    A bundle's config evaluates expressions in expressions: one wrong value gives 60 lines, and the reason is not among the
    last. It replaces ``sys.excepthook`` for good, so that only `begin` calls it, in a process that the bundle runner is.
    """
    sys.excepthook = _hook


def explanation(error: BaseException) -> str:
    """The message that helps most: the outermost one that this package raised, else the innermost of all.

    Example:
        >>> outer = RuntimeError("Failed to evaluate ConfigExpression")
        >>> outer.__cause__ = ValueError("the grade is 5: expected 0 to 4.")
        >>> explanation(outer)
        'ValueError: the grade is 5: expected 0 to 4.'
    """
    chain = [error]
    while (inner := chain[-1].__cause__ or chain[-1].__context__) is not None and inner not in chain:
        chain.append(inner)
    chosen = next((each for each in chain if _raised_here(each)), chain[-1])
    return f"{type(chosen).__name__}: {chosen}"


def _raised_here(error: BaseException) -> bool:
    frames = list(traceback.walk_tb(error.__traceback__))
    return bool(frames) and str(frames[-1][0].f_globals.get("__name__", "")).startswith(PACKAGE)


def _hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt) or os.environ.get(TRACEBACK_VARIABLE):
        sys.__excepthook__(kind, error, trace)
        return
    sys.stderr.write(f"\n{explanation(error)}\n(set {TRACEBACK_VARIABLE}=1 to see the whole traceback)\n")
