"""Rows of which a column has shares that somebody asks for.

One idea: shares are kept by conditioning each row on its category, so that they are exact and no row
is drawn in vain.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from pushforward.core.errors import BadInput, closest
from pushforward.core.given import Known
from pushforward.core.rng import generator
from pushforward.core.table import Column, Table
from pushforward.data.tables.known_cells import known_rows, pieces_of
from pushforward.data.tables.stored import Stored

SLACK = 1e-6  # by which shares may miss one


@dataclass(frozen=True)
class BalancedDraw:
    """How many rows are drawn, by which seed, and what else is known of all of them, in words."""

    n: int
    seed: int = 0
    given: str | None = None


def balanced_rows(table: Table, stored: Sequence[Stored], words: str, drawn: BalancedDraw) -> Known:
    """Return what n rows are conditioned on, so that a column has shares.

    Args:
        words: `COLUMN` for equal shares of its categories (those that samples show), or
            `COLUMN=a=0.3,b=0.7`; of a column of numbers `COLUMN=..30=0.5,30..=0.5`.

    Raises:
        BadInput: no such column or category, numbers without ranges, shares that are none or do
            not add up to one, a condition on the same column.

    Example:
        >>> table = Table((Column("sex", "categorical", ("f", "m")),))
        >>> known = balanced_rows(table, [Stored("sex", "str")], "sex=f=0.2,m=0.8", BalancedDraw(5))
        >>> sorted(known.values[:, 0].tolist())
        [0.0, 1.0, 1.0, 1.0, 1.0]
    """
    one, column, rest = _column(table, stored, words)
    shares = _equal(column, one) if not rest else _shares(rest, column)
    others = {} if drawn.given is None else pieces_of(drawn.given, stored)
    if column.name in others:
        came = f"--balance {column.name} with --given {column.name}=..."
        raise BadInput(came, "one of them", "a column cannot be both")
    known = known_rows([{**others, one.label: word} for word in shares], table, stored)
    counts = counts_of(list(shares.values()), drawn.n)
    places = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
    places = places[torch.randperm(drawn.n, generator=generator(drawn.seed, "balance"))]
    return known.each(lambda t: t[places])


def counts_of(shares: Sequence[float], n: int) -> list[int]:
    """Return whole numbers that add up to n and are nearest to shares of it: by largest remainder,
    the first of equal ones.

    Example:
        >>> counts_of([1 / 3, 1 / 3, 1 / 3], 5), counts_of([0.25, 0.75], 2)
        ([2, 2, 1], [1, 1])
    """
    exact = [share * n for share in shares]
    counts = [math.floor(part + 1e-9) for part in exact]
    order = sorted(range(len(shares)), key=lambda i: (-round(exact[i] - counts[i], 9), i))
    for i in order[: n - sum(counts)]:
        counts[i] += 1
    return counts


def _column(table: Table, stored: Sequence[Stored], words: str) -> tuple[Stored, Column, str]:
    """Return the column that words begin with, as it is kept and modelled, and what follows."""
    kept = [one for one in stored if one.role == "modelled"]
    pairs = list(zip(kept, table.columns, strict=True))
    for one, column in sorted(pairs, key=lambda pair: -len(pair[0].label)):
        if words == one.label or words.startswith(f"{one.label}="):
            return one, column, words.removeprefix(one.label).removeprefix("=")
    name, names = words.partition("=")[0], [one.label for one in kept]
    raise BadInput(f"--balance {words}", f"one of {', '.join(names[:20])}", closest(name, names))


def _equal(column: Column, stored: Stored) -> Mapping[str, float]:
    if not column.discrete:
        such = f"--balance {column.name}=..LOW=0.5,LOW..=0.5"
        raise BadInput(f"--balance {column.name}, a column of numbers", "ranges with shares", such)
    hidden = np.zeros(len(column.categories), dtype=bool)
    if stored.protection is not None:
        hidden = stored.protection.hidden(np.arange(len(hidden), dtype=np.float64), column)
    shown = [name for name, gone in zip(column.categories, hidden, strict=True) if not gone]
    if not shown:
        raise BadInput(f"--balance {column.name}", "a column of which samples show a category")
    return dict.fromkeys(shown, 1.0 / len(shown))


def _shares(text: str, column: Column) -> Mapping[str, float]:
    """Return the share of each category or range that is named, in the order of their names."""
    if column.discrete:
        longest = sorted(column.categories, key=len, reverse=True)
        name = "|".join(re.escape(one) for one in longest)
    else:
        name = r"[^=,]*\.\.[^=,]*"
    piece = re.compile(rf"\s*({name})\s*=\s*([^=,]+?)\s*(?:,|\Z)")
    found: dict[str, float] = {}
    at = 0
    while at < len(text):
        match = piece.match(text, at)
        if match is None:
            raise _no_piece(text[at:], column)
        if match[1] in found:
            raise BadInput(f"'{match[1]}' twice in --balance {column.name}", "each once")
        found[match[1]] = _share(match[2], match[1], column)
        at = match.end()
    total = sum(found.values())
    if abs(total - 1.0) > SLACK:
        came = f"shares of '{column.name}' that add up to {total:g}"
        raise BadInput(came, "1", "those that are not named have none")
    return {name: share / total for name, share in found.items()}


def _share(word: str, name: str, column: Column) -> float:
    try:
        share = float(word)
    except ValueError:
        share = math.nan
    if not 0.0 <= share <= 1.0:
        raise BadInput(f"the share {word} of {column.name}={name}", "a number from 0 to 1")
    return share


def _no_piece(rest: str, column: Column) -> BadInput:
    word = rest.rpartition("=")[0].partition(",")[0].rpartition("=")[0] or rest.partition("=")[0]
    if not column.discrete:
        return BadInput(f"'{rest}' of --balance {column.name}", "low..high=share, ..high=share")
    shown = ", ".join(column.categories[:20]) + (", ..." if len(column.categories) > 20 else "")
    came = f"'{rest}' of --balance {column.name}"
    return BadInput(came, f"a category and its share, of {shown}", closest(word, column.categories))
