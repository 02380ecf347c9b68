"""Errors that say what came, what was expected and what to do.

Three ideas: bad input (`BadInput`, exit status 2), a verb a family cannot honestly do (`Unsupported`, also 2),
and a run that failed on its own (`RunFailed`, exit status 1).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class PushforwardError(Exception):
    """An error with three parts: what came, what was expected, what to do about it.

    Example:
        >>> str(BadInput("'--given 11'", "a label from 0 to 9", "choose one of the ten classes"))
        "'--given 11': expected a label from 0 to 9; choose one of the ten classes"
    """

    exit_status = 1

    def __init__(self, came: str, expected: str = "", fix: str = "") -> None:
        self.came, self.expected, self.fix = came, expected, fix
        parts = [came]
        if expected:
            parts.append(f": expected {expected}")
        if fix:
            parts.append(f"; {fix}")
        super().__init__("".join(parts))


class BadInput(PushforwardError):
    """The user's input cannot be used as it is; nothing was written."""

    exit_status = 2


class Unsupported(PushforwardError):
    """A verb that this family or space cannot honestly do; names the reason and the nearest honest alternative."""

    exit_status = 2


class RunFailed(PushforwardError):
    """The input was good but the run could not finish (a full disk, a diverged loss)."""

    exit_status = 1


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a hint naming the known word closest to `word`, or listing them all.

    Example:
        >>> nearest("flwo", ["flow", "vae"])
        "did you mean 'flow'?"
    """
    names = sorted(known)
    return closest(word, names) or "known: " + ", ".join(names)


def closest(word: str, known: Iterable[str]) -> str:
    """Return a hint naming the known word closest to `word`, empty if none is close.

    Example:
        >>> closest("flwo", ["flow", "vae"]), closest("digits", ["flow", "vae"])
        ("did you mean 'flow'?", '')
    """
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"did you mean '{close[0]}'?" if close else ""


def unknown(noun: str, word: str, known: Iterable[str]) -> tuple[str, str, str]:
    """Return the three parts of an error about a word that is not on a short list.

    Example:
        >>> str(BadInput(*unknown("family", "flwo", ["flow", "vae"])))
        "unknown family 'flwo': expected one of flow, vae; did you mean 'flow'?"
    """
    names = list(known)
    return f"unknown {noun} '{word}'", "one of " + ", ".join(names), closest(word, names)
