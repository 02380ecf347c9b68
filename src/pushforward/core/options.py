"""Sampling options: one spelling for every family, each declared by whoever reads it.

Two ideas: an option is one object with its help, its type, its default and what may be passed, so
that the command line, messages and tables are read off it; which options a model reads is declared
too, and one function refuses those that would be ignored.

Neither this file nor those that declare options import torch: the help of the command line is made
of them.
"""

from __future__ import annotations

import keyword
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from pushforward.core.choice import Choice
from pushforward.core.errors import BadInput, Unsupported, a_type, unknown
from pushforward.core.limits import require_below
from pushforward.core.plugins import calling
from pushforward.core.registry import Registry

LARGEST = 10**9
MOST_STEPS = 10_000


@dataclass(frozen=True)
class Range:
    """Which numbers an option takes.

    Attributes:
        expected: the range in words.
        low, high: its ends.
        open: which ends do not belong to it.
        fix: what to do about a number outside.

    Example:
        >>> share = Range("a share above 0 and at most 1", 0, 1, open="low")
        >>> 0 in share, 0.5 in share, 1 in share
        (False, True, True)
    """

    expected: str
    low: float = -math.inf
    high: float = math.inf
    open: Literal["none", "low", "high", "both"] = "none"
    fix: str = ""

    def __contains__(self, value: float) -> bool:
        above = value > self.low if self.open in ("low", "both") else value >= self.low
        below = value < self.high if self.open in ("high", "both") else value <= self.high
        return above and below


COUNT = Range("at least one", 1)
SHARE = Range("a share above 0 and at most 1", 0, 1, open="low")


@dataclass(frozen=True)
class SamplingOption(Choice):
    """One option of a sampler; `says` is its help.

    Attributes:
        value_type: `int`, `float`, `str`, or `Path` for what a path names and a sampler gets
            opened.
        default: the value that is not chosen; None leaves it to the family.
        within: the range of a number.
        most: the largest number that is within the limits, infinite if there is none; `unit` is
            what it counts.
        completes: what its values are names of, for the shell (`faces/cli/completing.py`).
        check: raises BadInput for a value that is wrong by itself.
        fits: raises BadInput or Unsupported for a value that is wrong beside the others, or for
            this reader.

    Example:
        >>> SamplingOption("top_k", "Draw among the k most probable tokens only", int, within=COUNT).parse(3.0)
        3
    """

    value_type: type = float
    default: Any = None
    within: Range | None = None
    most: float = math.inf
    unit: str = ""
    completes: str = ""
    check: Callable[[Any], object] | None = None
    fits: Callable[[SampleOptions, OptionReader], None] | None = None

    @property
    def flag(self) -> str:
        """Its spelling on the command line."""
        return "--" + self.name.replace("_", "-")

    def parse(self, value: Any) -> Any:
        """Return a value as a word or a plain number; NumPy's numbers are numbers too, and 3.0
        steps are 3.

        Raises:
            BadInput: a value of another type, outside the range, or beyond the limits.
        """
        if self.value_type is Path:
            return value
        if hasattr(value, "dtype") and getattr(value, "ndim", 1) == 0:
            value = value.item()
        kinds = str if self.value_type is str else int | float
        if isinstance(value, bool) or not isinstance(value, kinds):
            raise BadInput(
                f"{self.name}: {a_type(value)}", "a word" if self.value_type is str else "a number"
            )
        if not isinstance(value, str):
            value = self._number(value)
        if self.check is not None:
            self.check(value)
        return value

    def _number(self, value: float) -> float:
        if not math.isfinite(value):
            raise BadInput(f"{self.name}={value}", "a finite number")
        if self.value_type is int and value != int(value):
            raise BadInput(f"{self.name}={value}", "a whole number")
        value = int(value) if self.value_type is int else value
        if abs(value) > LARGEST:
            raise BadInput(f"{self.name}={value:g}", f"a number of at most {LARGEST:,}")
        require_below(value, self.most, f"{self.name}={value:,}", self.unit)
        if self.within is not None and value not in self.within:
            raise BadInput(f"{self.name}={value}", self.within.expected, self.within.fix)
        return value


# words of a call of a sampler, and of `pushforward sample`, that are no options (a test compares)
RESERVED = frozenset(
    {
        *("run", "n", "given", "context", "stop", "match", "one_of", "beams", "draft", "stream"),
        *(
            "observed",
            "mask",
            "operator",
            "noise",
            "start",
            "seed",
            "output",
            "json",
            "debug",
            "rule",
            "rules",
            "balance",
            "skip_bad",
            "device",
            "compile",
        ),
        *("help", "progress", "batch", "on_step", "first", "options", "self", "no_limits"),
        *("model", "encoding", "fitted", "classes", "version"),
    }
)


def require_usable(option: SamplingOption, registry: Registry[SamplingOption]) -> None:
    """Refuse an option of another package that could be no word of a call or of a command.

    Raises:
        BadInput: says what is wrong with its name, its type or its default.
    """
    name = option.name
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise BadInput(f"the name '{name}'", "small letters, digits and underscores, as in top_k")
    if name in RESERVED or hasattr(SampleOptions, name):
        raise BadInput(f"the name '{name}', which a call of a sampler has", "a new name")
    if option.flag in {other.flag for other in registry if other is not option}:
        raise BadInput(f"the flag {option.flag}, which is taken", "a new name")
    if option.value_type not in (int, float, str, Path):
        called = getattr(option.value_type, "__name__", option.value_type)
        raise BadInput(f"value_type={called}", "int, float, str or Path")
    if option.default is not None:
        option.parse(option.default)


# those of the house, each where it is read; a plug-in's come by the entry point
# `sampling-option.NAME`
SAMPLING_OPTIONS: Registry[SamplingOption] = Registry(
    "sampling option",
    of="pushforward.core.options:SamplingOption",
    modules=(
        "pushforward.families.shared.options",
        "pushforward.families.autoregressive.options",
        "pushforward.families.diffusion.options",
    ),
    check="pushforward.core.options:require_usable",
)


class SampleOptions:
    """How to sample: what was chosen, everything else at its default; those of a family draw from
    its own distribution.

    Example:
        >>> options = SampleOptions(top_k=3)
        >>> options.top_k, options.temperature, options.but(top_k=None) == SampleOptions()
        (3, 1.0, True)
    """

    __slots__ = ("_chosen",)

    def __init__(self, **chosen: Any) -> None:
        self._chosen = chosen

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or (name not in self._chosen and name not in SAMPLING_OPTIONS):
            raise AttributeError(name)
        return self._chosen[name] if name in self._chosen else SAMPLING_OPTIONS.load(name).default

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SampleOptions) and self.nondefault() == other.nondefault()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"SampleOptions({', '.join(f'{name}={value!r}' for name, value in self._chosen.items())})"

    def but(self, **changes: Any) -> SampleOptions:
        """Return the same with some options changed."""
        return SampleOptions(**{**self._chosen, **changes})

    def nondefault(self) -> dict[str, Any]:
        """Return the options that are not at their default, by name."""
        return {
            name: value
            for name, value in self._chosen.items()
            if name not in SAMPLING_OPTIONS or value != SAMPLING_OPTIONS.load(name).default
        }


@dataclass(frozen=True)
class OptionReader:
    """Who reads the options of a call: a model, by what its family and its own settings declare.

    Attributes:
        family: its name.
        declared: options of the family.
        kind: of space.
        read: those of `declared` that this model reads, None = all.
        solvers: names that `solver` may take.
        conditional: there is something that it can be conditioned on.
    """

    family: str
    declared: tuple[SamplingOption, ...]
    kind: str
    read: tuple[SamplingOption, ...] | None = None
    solvers: tuple[str, ...] = ()
    conditional: bool = False

    def with_own(self, options: tuple[SamplingOption, ...]) -> OptionReader:
        """Return the same reader with options that its architecture declares beside the family."""
        declared = tuple(dict.fromkeys((*self.declared, *options)))
        read = None if self.read is None else tuple(dict.fromkeys((*self.read, *options)))
        return replace(self, declared=declared, read=read)


def chosen_options(options: Mapping[str, Any], reader: OptionReader) -> SampleOptions:
    """Return the options of one sampling call, refusing those that would be ignored.

    An option that is not read may be passed at its default value, so that one call can serve all
    families.

    Raises:
        BadInput: an unknown option, or a value outside its range.
        Unsupported: an option that the family does not declare or this model does not read, or
            guidance without conditions.

    Example:
        >>> flow = OptionReader("flow", (SAMPLING_OPTIONS.load("temperature"),), "points")
        >>> chosen_options({"temperature": 0.5}, flow).temperature
        0.5
    """
    moved: dict[str, Any] = {}
    for name, value in options.items():
        if name not in SAMPLING_OPTIONS.names():
            raise BadInput(*unknown("sampling option", name, SAMPLING_OPTIONS.names()))
        option = SAMPLING_OPTIONS.load(name)
        foreign = option not in reader.declared
        if value is None or (foreign and value == option.default):
            continue
        if foreign:
            expected = f"one of {_names(reader.declared)}"
            raise Unsupported(
                f"{reader.family} has no sampling option '{name}'", expected, "leave it out"
            )
        moved[name] = value
    parsed: dict[str, Any] = {}
    for name, value in moved.items():
        option = SAMPLING_OPTIONS.load(name)
        with calling(option):
            parsed[name] = option.parse(value)
    chosen = SampleOptions(**parsed)
    for name in moved:
        option = SAMPLING_OPTIONS.load(name)
        if option.fits is not None:
            with calling(option):
                option.fits(chosen, reader)
    for name in chosen.nondefault():
        if reader.read is not None and SAMPLING_OPTIONS.load(name) not in reader.read:
            expected = f"one of {_names(reader.read)}"
            raise Unsupported(
                f"sampling option '{name}' on {reader.kind}", expected, "leave it out"
            )
    return chosen


def _names(options: tuple[SamplingOption, ...]) -> str:
    return ", ".join(option.name for option in options) or "none"
