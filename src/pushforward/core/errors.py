"""Errors that say what came, what was expected and what to do.

Three ideas: bad input (`BadInput`, exit status 2), a verb a family cannot honestly do
(`Unsupported`, also 2), and a run that failed on its own (`RunFailed`, exit status 1).
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

from pushforward.core.plugins import blamed, why_not

P = ParamSpec("P")
T = TypeVar("T")


class PushforwardError(Exception):
    """An error with three parts: what came, what was expected, what to do about it.

    Example:
        >>> str(BadInput("'--given 11'", "a label from 0 to 9", "choose one of the ten classes"))
        "'--given 11': expected a label from 0 to 9; choose one of the ten classes"
    """

    exit_status = 1

    def __init__(self, came: str, expected: str = "", fix: str = "") -> None:
        self.came, self.expected, self.fix = came, expected, fix
        super().__init__(self._sentence())

    def _sentence(self) -> str:
        expected = f": expected {self.expected}" if self.expected else ""
        return self.came + expected + (f"; {self.fix}" if self.fix else "")

    def reword(self, how: Callable[[str], str]) -> None:
        """Say its parts in other words; it stays the error that it is."""
        self.came, self.expected, self.fix = how(self.came), how(self.expected), how(self.fix)
        self.args = (self._sentence(),)


class BadInput(PushforwardError):
    """The user's input cannot be used as it is; nothing was written."""

    exit_status = 2


class Unsupported(PushforwardError):
    """A verb that this family or space cannot honestly do; names the reason and the nearest honest
    alternative."""

    exit_status = 2


class RunFailed(PushforwardError):
    """The input was good but the run could not finish (a full disk, a diverged loss)."""

    exit_status = 1


@contextmanager
def written_in(file: object, fix: str = "") -> Iterator[None]:
    """Say of a refusal inside the block which file holds what is refused: nobody typed it.

    Args:
        fix: what else to do about the file.

    Example:
        >>> try:
        ...     with written_in("run/config.yaml"):
        ...         raise BadInput("unknown key 'lr'", "learning_rate")
        ... except BadInput as error:
        ...     print(error)
        run/config.yaml: unknown key 'lr': expected learning_rate
    """
    try:
        yield
    except BadInput as error:
        raise BadInput(
            f"{file}: {error.came}", error.expected, "; ".join(filter(None, (fix, error.fix)))
        ) from error


@contextmanager
def refusing(came: str, expected: str, fix: str = "") -> Iterator[None]:
    """Turn whatever a library raises over somebody's file inside the block into a refusal that
    names it.

    The cause stays attached, so `--debug` shows where it came from.

    Args:
        came: what is being read, such as `the array in x.npy`; the library's own words follow in
            brackets.

    Raises:
        BadInput: in the place of any other exception.
        RunFailed: in the place of one that arose in a plug-in.

    Example:
        >>> try:
        ...     with refusing("the number 'x'", "digits"):
        ...         int("x")
        ... except BadInput as error:
        ...     print(error)
        the number 'x' cannot be read (ValueError: invalid literal for int() with base 10: 'x'): expected digits
    """
    try:
        yield
    except PushforwardError:
        raise
    except MemoryError as error:
        raise BadInput(f"{came}, for which there is not enough memory", expected, fix) from error
    except Exception as error:
        said = " ".join(str(error).split())[:200]
        kind = type(error).__name__
        if whose := blamed(error):  # what is read may be as it should be
            raise RunFailed(f"{came} cannot be read: {whose} failed ({kind}: {said})") from error
        raise BadInput(
            f"{came} cannot be read ({kind}{': ' + said if said else ''})", expected, fix
        ) from error


def refuses_source(reads: Callable[P, T]) -> Callable[P, T]:
    """Decorate a function whose first argument names somebody's data, so that whatever reading them
    raises is a refusal.

    Example:
        >>> @refuses_source
        ... def first(source):
        ...     return source[0]
        >>> try:
        ...     first([])
        ... except BadInput as error:
        ...     print(error.came)
        the given data cannot be read (IndexError: list index out of range)
    """

    @wraps(reads)
    def reading(*args: P.args, **kwargs: P.kwargs) -> T:
        source = args[0] if args else next(iter(kwargs.values()), None)
        named = (
            isinstance(source, str | os.PathLike)
            and len(str(source)) < 400
            and "\n" not in str(source)
        )
        came = str(source) if named else "the given data"
        with refusing(
            came,
            "complete data of a kind that `pushforward data --help` names",
            "check that it is not damaged",
        ):
            return reads(*args, **kwargs)

    return reading


def a_type(value: object) -> str:
    """Return the name of what a value is, with its article.

    Example:
        >>> a_type(1.5), a_type([])
        ('a float', 'a list')
        >>> a_type(1)
        'an int'
    """
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in set('aeiou') or name.startswith('nd') else 'a'} {name}"


def a_json_type(value: object) -> str:
    """Return what a value of a JSON file is, in the words of JSON.

    Example:
        >>> [a_json_type(value) for value in (None, 1.5, True, [], {})]
        ['null', 'a number', 'a truth value', 'a list', 'an object']
    """
    if value is None:
        return "null"
    words = (
        (bool, "a truth value"),
        (int | float, "a number"),
        (str, "a text"),
        (list, "a list"),
        (dict, "an object"),
    )
    return next((word for kind, word in words if isinstance(value, kind)), a_type(value))


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
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.55)
    return f"did you mean '{close[0]}'?" if close else ""


def unknown(noun: str, word: str, known: Iterable[str]) -> tuple[str, str, str]:
    """Return the three parts of an error about a word that is not on a short list; of a plug-in
    that was left out, the reason.

    Example:
        >>> str(BadInput(*unknown("family", "flwo", ["flow", "vae"])))
        "unknown family 'flwo': expected one of flow, vae; did you mean 'flow'?"
    """
    names = list(known)
    hint = why_not(noun, word) or closest(word, names)
    return f"unknown {noun} '{word}'", "one of " + ", ".join(names), hint
