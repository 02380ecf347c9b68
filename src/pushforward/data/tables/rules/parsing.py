"""From words to a rule, and from what a run keeps of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from pushforward.core.errors import BadInput, unknown
from pushforward.core.table import Table
from pushforward.data.tables.rules.expression import Expression
from pushforward.data.tables.rules.fitted import Determines, Fixed, Unique
from pushforward.data.tables.rules.reader import ReadWord
from pushforward.data.tables.rules.rule import Rule

_NAME = r"(?:`[^`]+`|[^\s`(),]+)"
_DECIDES = re.compile(rf"\s*({_NAME})\s+decides\s+({_NAME})\s*")
_SEVERAL = re.compile(rf"\s*(fixed|unique)\s*\(\s*({_NAME}(?:\s*,\s*{_NAME})*)\s*\)\s*")


def parse_rule(text: str, space: Table, rows: np.ndarray, reads: ReadWord | None = None) -> Rule:
    """Return the rule that a text says.

    Args:
        text: `A decides B`, `fixed(A, B)`, `unique(A)`, or a condition (see `Expression`).
        space: the table's columns.
        rows: filled rows of the data, which say what goes with what.
        reads: see `Expression`.

    Raises:
        BadInput: no rule, an unknown column, or columns of which the first does not decide the
            second.

    Example:
        >>> from pushforward.core.table import Column
        >>> space = Table((Column("zip", "integer", low=1, high=3), Column("town", "categorical", ("A", "B"))))
        >>> rule = parse_rule("zip decides town", space, np.array([[1.0, 0.0], [2.0, 1.0]]))
        >>> rule.broken(np.array([[1.0, 1.0], [2.0, 1.0]]), space).tolist()
        [True, False]
    """
    decides, several = _DECIDES.fullmatch(text), _SEVERAL.fullmatch(text)
    if decides is not None:
        at = _places(decides.groups(), space)
        return _determines((at[0], at[1]), space, rows)
    if several is None:
        return Expression(text, space, reads)
    at = _places(re.findall(_NAME, several[2]), space)
    names = tuple(space.columns[place].name for place in at)
    if several[1] == "unique":
        return Unique(names, at)
    if len(at) < 2:
        raise BadInput(f"the rule '{text}'", "two columns or more", "such as fixed(country, city)")
    return Fixed(names, at, np.unique(rows[:, list(at)], axis=0))


def _places(words: Sequence[str], space: Table) -> tuple[int, ...]:
    known = [column.name for column in space.columns]
    found = [word.strip("`") for word in words]
    for name in found:
        if name not in known:
            raise BadInput(*unknown("column", name, known))
    if len(set(found)) < len(found):
        raise BadInput(f"the columns {', '.join(found)} of a rule", "different columns")
    return tuple(known.index(name) for name in found)


def _determines(at: tuple[int, int], space: Table, rows: np.ndarray) -> Determines:
    """Return the dependency that rows show; a value that goes with several has the first of them,
    so that the others break it."""
    values, first = np.unique(rows[:, at[0]], return_index=True)
    names = (space.columns[at[0]].name, space.columns[at[1]].name)
    return Determines(names, at, values, rows[first, at[1]])


def rule_from_json(record: dict[str, Any], space: Table, reads: ReadWord | None = None) -> Rule:
    """Return the rule of a record of `Rule.to_json`, without the data that it was found in."""
    rule = parse_rule(record["rule"], space, np.zeros((0, len(space.columns))), reads)
    if isinstance(rule, Determines):
        pairs = (np.asarray(record[key], dtype=np.float64) for key in ("values", "decided"))
        return Determines(rule.names, rule.at, *pairs)
    if isinstance(rule, Fixed):
        return Fixed(rule.names, rule.at, np.asarray(record["seen"], dtype=np.float64))
    return rule
