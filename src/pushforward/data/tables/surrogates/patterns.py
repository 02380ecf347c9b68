"""The pattern that identifiers are written in, learned from them: `AB-00417`, `usr_9f3c02`, UUIDs.

One idea: a value is a row of runs of one class of characters; where all values have the same
classes, a run is a constant, one of a few words, digits, or letters, and new values are drawn run
by run. Where classes differ, as in hashes, every value is one run of the smallest alphabet.
"""

from __future__ import annotations

import math
import re
import string
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

RUNS = re.compile(r"[0-9]+|[a-z]+|[A-Z]+|[^0-9a-zA-Z]+")
CLASSES = {"digit": r"[0-9]", "lower": r"[a-z]", "upper": r"[A-Z]"}
# from the smallest, so that the first that holds all characters is what was meant
ALPHABETS = {
    "digit": string.digits,
    "hex": string.digits + "abcdef",
    "HEX": string.digits + "ABCDEF",
    "lower": string.ascii_lowercase,
    "upper": string.ascii_uppercase,
    "lower and digits": string.digits + string.ascii_lowercase,
    "upper and digits": string.digits + string.ascii_uppercase,
    "letters": string.ascii_letters,
    "letters and digits": string.digits + string.ascii_letters,
}
WORDS = 50  # most different words of one run, such as prefixes
OFTEN = 5  # rows that share a word before it says nothing about any one of them
SHORTEST_OF_SEVERAL = 4  # characters of a part that is random
ENOUGH, FEWER = 50, 3  # so many values never show a third of an alphabet by chance: 3^-50

RunKind = Literal["constant", "words", "digits", "token"]


@dataclass(frozen=True)
class PatternRun:
    """One run of a pattern.

    Attributes:
        kind: `constant` and `words` come from `words` with their `weights`; `digits` are numbers
            from `low` to `high` of at least `width` digits; `token`s are of an `alphabet` and of a
            length among `lengths`, with their `weights`.
    """

    kind: RunKind
    words: tuple[str, ...] = ()
    weights: tuple[float, ...] = ()
    low: int = 0
    high: int = 0
    width: int = 1
    alphabet: str = ""
    lengths: tuple[int, ...] = ()

    @property
    def capacity(self) -> float:
        """How many different values it has."""
        if self.kind == "digits":
            return float(self.high - self.low + 1)
        if self.kind == "token":
            return float(sum(len(letters_of(self.alphabet)) ** n for n in self.lengths))
        return float(max(1, len(self.words)))

    def draw(self, uniform: np.ndarray) -> list[str]:
        """Return values from numbers in [0, 1), shape (n, fields)."""
        if self.kind == "digits":
            span = self.high - self.low + 1
            return [f"{self.low + int(u * span):0{self.width}d}" for u in uniform[:, 0].tolist()]
        places = np.searchsorted(np.cumsum(self.weights), uniform[:, 0], "right")
        places = np.minimum(places, len(self.weights) - 1)
        if self.kind != "token":
            return [self.words[place] for place in places.tolist()]
        letters, most = np.array(list(letters_of(self.alphabet))), max(self.lengths)
        drawn = letters[(uniform[:, 1 : 1 + most] * len(letters)).astype(np.int64)]
        words = np.ascontiguousarray(drawn).view(f"U{most}")[:, 0].tolist()
        lengths = np.asarray(self.lengths)[places].tolist()
        return [word[:length] for word, length in zip(words, lengths, strict=True)]

    @property
    def fields(self) -> int:
        """How many uniform numbers a value takes."""
        return 1 + max(self.lengths, default=0)

    @property
    def said(self) -> str:
        """The run in a picture of the pattern.

        Example:
            >>> PatternRun("digits", high=99999, width=5).said
            '#####'
        """
        if self.kind == "digits":
            return "#" * max(self.width, len(str(self.high)))
        if self.kind == "token":
            most = max(self.lengths)
            return ("*" * most) if most <= 12 else f"*({most})"
        return (
            self.words[0]
            if len(self.words) == 1
            else f"({'|'.join(self.words[:3])}{'|...' * (len(self.words) > 3)})"
        )


@dataclass(frozen=True)
class Pattern:
    """Runs in order; `counter` is the place of the digits that count on where values would run out,
    -1 if there are none.

    Example:
        >>> pattern = learned([f"AB-{n:05d}" for n in range(7, 90)])
        >>> pattern.said, pattern.runs[pattern.counter].high
        ('AB-#####', 89)
    """

    runs: tuple[PatternRun, ...]
    counter: int = -1

    @property
    def said(self) -> str:
        """The pattern as people would sketch it."""
        return "".join(run.said for run in self.runs)

    @property
    def capacity(self) -> float:
        """How many different values it has."""
        return math.prod(run.capacity for run in self.runs)

    def drawn(self, uniform: np.ndarray) -> list[str]:
        """Return values from rows of uniform numbers, shape (n, fields)."""
        return ["".join(parts) for parts in zip(*self._parts(uniform), strict=True)]

    def counted(self, uniform: np.ndarray) -> list[str]:
        """Return the values that count on from the highest."""
        run, parts = self.runs[self.counter], self._parts(uniform)
        first = run.high + 1
        parts[self.counter] = [f"{first + k:0{run.width}d}" for k in range(len(uniform))]
        return ["".join(each) for each in zip(*parts, strict=True)]

    def _parts(self, uniform: np.ndarray) -> list[list[str]]:
        parts, first = [], 0
        for run in self.runs:
            parts.append(run.draw(uniform[:, first : first + run.fields]))
            first += run.fields
        return parts

    @property
    def fields(self) -> int:
        """How many uniform numbers a value takes."""
        return sum(run.fields for run in self.runs)

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` turns back."""
        runs = [
            {key: value for key, value in vars(run).items() if value not in ((), "")}
            for run in self.runs
        ]
        return {"runs": runs, "counter": self.counter}

    @staticmethod
    def from_json(record: dict[str, Any]) -> Pattern:
        """Invert `to_json`."""
        runs: list[PatternRun] = []
        for run in record["runs"]:
            fields: dict[str, Any] = {
                key: tuple(value) if isinstance(value, list) else value
                for key, value in run.items()
            }
            runs.append(PatternRun(**fields))
        return Pattern(tuple(runs), record["counter"])


def learned(values: Sequence[str]) -> Pattern | None:
    """Return the pattern of identifiers, None if they have none that is not words.

    Args:
        values: different ones.

    Example:
        >>> learned(["Mary Jones", "John Smith", "Ann Brown"]) is None
        True
        >>> learned([f"{n * 2654435761 % 2**32:08x}" for n in range(60)]).said
        '********'
    """
    rows = [RUNS.findall(value) for value in values]
    classes = {tuple(map(_class, row)) for row in rows}
    if not values or any("".join(row) != value for row, value in zip(rows, values, strict=True)):
        return None
    if len(classes) == 1:
        found = [_run(column) for column in zip(*rows, strict=True)]
        if all(runs is not None for runs in found):
            return _counting([runs or [] for runs in found], rows)
    return _tokens(values)


def letters_of(alphabet: str) -> str:
    """Return the characters of an alphabet: a named one, or those that it is written of."""
    return ALPHABETS.get(alphabet, alphabet)


def _class(run: str) -> str:
    # what is no letter of ASCII and no digit is itself
    return next((name for name, mark in CLASSES.items() if re.match(mark, run)), run)


def _run(parts: Sequence[str]) -> list[PatternRun] | None:
    """Return the runs that one place of all values is, None if it is words."""
    counts = Counter(parts)
    if len(counts) == 1:
        return [constant_run(parts[0])]
    if parts[0].isdigit() and parts[0].isascii():
        widths = {len(part) for part in parts}
        if any(part[0] == "0" and len(part) > min(widths) for part in parts):
            return None  # zeros before numbers of several lengths: no one width
        numbers = list(map(int, parts))
        return [PatternRun("digits", low=min(numbers), high=max(numbers), width=min(widths))]
    if (words := _words(counts, len(parts))) is not None:
        return [words]
    if len({len(part) for part in parts}) == 1 and parts[0].isascii() and parts[0].isalpha():
        return _token(parts)
    return None


def _words(counts: Counter[str], n: int) -> PatternRun | None:
    """Return few words that many values share, None if there are other words."""
    if len(counts) > WORDS or min(counts.values()) < OFTEN:
        return None
    words = tuple(sorted(counts))
    return PatternRun("words", words, tuple(counts[word] / n for word in words))


def _token(values: Sequence[str]) -> list[PatternRun] | None:
    """Return random characters: where all values are as long as each other, places that only few
    characters of the alphabet stand at, such as the version of a UUID, have those."""
    whole = _alphabet(set("".join(values)))
    if whole is None:
        return None
    lengths = Counter(map(len, values))
    if len(lengths) > 1:
        ordered = tuple(sorted(lengths))
        weights = tuple(lengths[n] / len(values) for n in ordered)
        return [PatternRun("token", weights=weights, alphabet=whole, lengths=ordered)]
    runs: list[PatternRun] = []
    for column in zip(*values, strict=True):
        found = set(column)
        few = len(values) >= ENOUGH and FEWER * len(found) <= len(ALPHABETS[whole])
        letters = "".join(sorted(found)) if few or len(found) == 1 else ALPHABETS[whole]
        last = runs[-1] if runs else None
        if len(found) == 1 and last is not None and last.kind == "constant":
            runs[-1] = constant_run(last.words[0] + column[0])
        elif len(found) == 1:
            runs.append(constant_run(column[0]))
        elif last is not None and last.alphabet == letters:
            runs[-1] = replace(last, lengths=(last.lengths[0] + 1,))
        else:
            runs.append(PatternRun("token", weights=(1.0,), alphabet=letters, lengths=(1,)))
    return runs


def constant_run(text: str) -> PatternRun:
    """Return a run that is always the same."""
    return PatternRun("constant", (text,), (1.0,))


def _alphabet(found: set[str]) -> str | None:
    return next((name for name, letters in ALPHABETS.items() if found <= set(letters)), None)


def _counting(parts: list[list[PatternRun]], rows: Sequence[Sequence[str]]) -> Pattern | None:
    """Return the pattern of runs whose digits tell most values apart; None if there are neither
    digits nor codes."""
    runs = [run for part in parts for run in part]
    digits = [place for place, part in enumerate(parts) if part[0].kind == "digits"]
    if not digits:
        return Pattern(tuple(runs)) if any(run.kind == "token" for run in runs) else None
    most = max(digits, key=lambda place: len({row[place] for row in rows}))
    return Pattern(tuple(runs), runs.index(parts[most][0]))


def _tokens(values: Sequence[str]) -> Pattern | None:
    """Return the pattern of hashes and random words between the same separators."""
    split = [re.split(r"([^0-9a-zA-Z]+)", value) for value in values]
    if len({tuple(parts[1::2]) for parts in split}) != 1:
        return None
    runs: list[PatternRun] = []
    for column in zip(*split, strict=True):
        counts = Counter(column)
        if len(counts) == 1:
            runs += [constant_run(column[0])] if column[0] else []
        elif (words := _words(counts, len(column))) is not None:
            runs.append(words)
        else:
            found = _token(column) if _is_code(column) else None
            if found is None:
                return None
            runs += found
    return Pattern(tuple(runs)) if any(run.kind == "token" for run in runs) else None


def _is_code(parts: Sequence[str]) -> bool:
    """Return whether parts are random characters and no words: most have digits among letters, or
    are digits."""
    mixed = sum(any(c.isdigit() for c in part) for part in parts)
    return mixed >= 0.5 * len(parts) and min(map(len, parts)) >= SHORTEST_OF_SEVERAL
