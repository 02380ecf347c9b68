"""A regular expression as an automaton of positions: one state for every letter of the pattern.

Two ideas: a pattern of n letters has n + 1 states whatever it says, because subsets of states are
formed only when a text reaches them (determinised at once, `(a|b)*a(a|b){18}` has half a million);
the standard library parses, so the language is Python's own.

Reference: Glushkov (1961), The abstract theory of automata, in the form of Berry and Sethi (1986),
sections 3 and 4.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from pushforward.core.errors import BadInput
from pushforward.core.limits import require_below

MOST_POSITIONS, MOST_WAYS = 5_000, 2_000_000
Matches = Callable[[str], bool]


@dataclass(frozen=True)
class _Part:
    """A piece of a pattern: whether it matches nothing, and at which positions it may begin and
    end."""

    empty: bool
    first: frozenset[int]
    last: frozenset[int]


_NOTHING = _Part(True, frozenset(), frozenset())


class Positions:
    """The automaton of a pattern: position 0 is the beginning, every other one a letter that was
    just read.

    Attributes:
        follow: the positions that may come after each.
        final: the positions at which the whole pattern may end.

    Raises:
        BadInput: no regular expression, one with look-around, back-references, word boundaries,
            atomic or possessive parts, or one of more letters than the limit.

    Example:
        >>> machine = Positions("a(b|c)*")
        >>> here = machine.start
        >>> for letter in "abcb":
        ...     here = machine.step(here, letter)
        >>> machine.ends(here), machine.ends(machine.step(machine.start, "b"))
        (True, False)
    """

    def __init__(self, pattern: str) -> None:
        try:
            re.compile(pattern)
            parsed: Any = importlib.import_module("re._parser").parse(pattern)
            self._flags = int(parsed.state.flags)
            size = _size(parsed)
        except (re.error, OverflowError, RecursionError) as error:
            raise BadInput(
                f"the pattern '{_short(pattern)}' ({error})", "a regular expression"
            ) from None
        require_below(
            size,
            MOST_POSITIONS,
            f"a pattern of {size:,} letters, its repeats written out",
            "letters",
        )
        self.pattern, self._ways = pattern, 0
        self._letters: list[Matches] = [lambda letter: False]
        self.follow: list[set[int]] = [set()]
        whole = self._sequence(self._without_ends(list(parsed)), self._flags)
        self.follow[0] |= whole.first
        self.final = frozenset(whole.last | ({0} if whole.empty else set()))

    @property
    def start(self) -> frozenset[int]:
        """Where a text begins."""
        return frozenset((0,))

    def step(self, here: frozenset[int], letter: str) -> frozenset[int]:
        """Return where a text may be after one more letter; empty if it cannot match any more."""
        return frozenset(q for p in here for q in self.follow[p] if self._letters[q](letter))

    def ends(self, here: frozenset[int]) -> bool:
        """Return whether the whole pattern matches what was read."""
        return not self.final.isdisjoint(here)

    def _without_ends(self, items: list[Any]) -> list[Any]:
        """Return the items without `^` and `$` around them: the whole text has to match anyway."""
        if items and str(items[0][0]) == "AT" and "BEGINNING" in str(items[0][1]):
            items = items[1:]
        return (
            items[:-1]
            if items and str(items[-1][0]) == "AT" and "AT_END" in str(items[-1][1])
            else items
        )

    def _sequence(self, items: Any, flags: int) -> _Part:
        whole = _NOTHING
        for item in items:
            whole = self._join(whole, self._part(item, flags))
        return whole

    def _join(self, a: _Part, b: _Part) -> _Part:
        # (a?){5000} has few letters, and every one may follow every other
        self._ways += len(a.last) * len(b.first)
        came = f"the pattern '{_short(self.pattern)}', whose letters may follow each other in {self._ways:,} ways"
        require_below(self._ways, MOST_WAYS, came, "ways")
        for p in a.last:
            self.follow[p] |= b.first
        first = a.first | b.first if a.empty else a.first
        last = a.last | b.last if b.empty else b.last
        return _Part(a.empty and b.empty, first, last)

    def _part(self, item: Any, flags: int) -> _Part:
        name, value = str(item[0]), item[1]
        if name in ("LITERAL", "NOT_LITERAL", "ANY", "IN"):
            self._letters.append(_letter(name, value, flags))
            self.follow.append(set())
            place = frozenset((len(self._letters) - 1,))
            return _Part(False, place, place)
        if name == "BRANCH":
            parts = [self._sequence(branch, flags) for branch in value[1]]
            first, last = (
                frozenset().union(*(getattr(p, end) for p in parts)) for end in ("first", "last")
            )
            return _Part(any(p.empty for p in parts), first, last)
        if name == "SUBPATTERN":
            _, added, removed, inner = value
            return self._sequence(inner, (flags | added) & ~removed)
        if name in ("MAX_REPEAT", "MIN_REPEAT"):
            return self._repeat(value[0], value[1], value[2], flags)
        words = name.lower().replace("_", " ")
        expected = "a regular expression without look-around, back-references, boundaries and possessive parts"
        raise BadInput(f"the pattern '{_short(self.pattern)}', which has '{words}' in it", expected)

    def _repeat(self, low: int, high: Any, inner: Any, flags: int) -> _Part:
        endless = str(high) == "MAXREPEAT"
        whole = _NOTHING
        for _ in range(low):
            whole = self._join(whole, self._sequence(inner, flags))
        if endless:
            again = self._sequence(inner, flags)
            for p in again.last:
                self.follow[p] |= again.first
            return self._join(whole, _Part(True, again.first, again.last))
        # x{0,2} is (x(x)?)?: from the inside out, each level may be left out
        optional = _NOTHING
        for _ in range(high - low):
            one = self._join(self._sequence(inner, flags), optional)
            optional = _Part(True, one.first, one.last)
        return self._join(whole, optional)


def _size(items: Any) -> int:
    """Return how many letters a parsed pattern has with its repeats written out."""
    total = 0
    for op, value in items:
        name = str(op)
        if name in ("LITERAL", "NOT_LITERAL", "ANY", "IN"):
            total += 1
        elif name == "BRANCH":
            total += sum(_size(branch) for branch in value[1])
        elif name == "SUBPATTERN":
            total += _size(value[3])
        elif name in ("MAX_REPEAT", "MIN_REPEAT"):
            times = int(value[0]) + 1 if str(value[1]) == "MAXREPEAT" else int(value[1])
            total += times * _size(value[2])
    return total


def _letter(name: str, value: Any, flags: int) -> Matches:
    """Return the function of a letter that says whether one item of a pattern matches it."""
    if name == "ANY":
        return (lambda letter: True) if flags & re.DOTALL else (lambda letter: letter != "\n")
    if name == "LITERAL":
        plain = _in((("LITERAL", value),), flags)
    elif name == "NOT_LITERAL":
        plain = _in((("NEGATE", None), ("LITERAL", value)), flags)
    else:
        plain = _in(
            tuple((str(op), str(given) if str(op) == "CATEGORY" else given) for op, given in value),
            flags,
        )
    return plain


@cache
def _in(items: tuple[Any, ...], flags: int) -> Matches:
    """Return the function of a class of letters; equal classes share one, which remembers its
    answers.

    The class is written out and asked of `re` itself, so that case folding and categories are
    Python's.
    """
    inside = "".join(_written(op, value) for op, value in items if op != "NEGATE")
    negated = any(op == "NEGATE" for op, _ in items)
    kept = re.IGNORECASE if flags & re.IGNORECASE else re.NOFLAG
    kept |= re.ASCII if flags & re.ASCII else re.NOFLAG
    matches = re.compile(f"[{'^' if negated else ''}{inside}]", kept).fullmatch
    return cache(lambda letter: matches(letter) is not None)


_CATEGORIES = {
    "DIGIT": r"\d",
    "NOT_DIGIT": r"\D",
    "SPACE": r"\s",
    "NOT_SPACE": r"\S",
    "WORD": r"\w",
    "NOT_WORD": r"\W",
}


def _written(op: str, value: Any) -> str:
    if op == "LITERAL":
        return re.escape(chr(value))
    if op == "RANGE":
        return f"{re.escape(chr(value[0]))}-{re.escape(chr(value[1]))}"
    return _CATEGORIES[str(value).removeprefix("CATEGORY_")]


def _short(pattern: str) -> str:
    return pattern if len(pattern) <= 60 else pattern[:57] + "..."
