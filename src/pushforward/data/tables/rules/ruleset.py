"""The rules of a table, together: what of some rows is mended, and which rows break them still."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pushforward.core.errors import BadInput
from pushforward.core.given import Known
from pushforward.core.table import Table
from pushforward.data.folders import few
from pushforward.data.tables.marks import filled, missing_mark
from pushforward.data.tables.rules.discovery import discover
from pushforward.data.tables.rules.parsing import parse_rule, rule_from_json
from pushforward.data.tables.rules.reader import ReadWord
from pushforward.data.tables.rules.rule import Rule

PASSES = 3  # over all rules, since one may need what another puts in
NAMED = 3


@dataclass(frozen=True)
class RuleSet:
    """Rules in the order in which they are kept.

    Attributes:
        rules: those that the data keep, so that what they say of a value may be put in.
        asked: those that are asked of samples alone: rows are drawn until they keep them, and
            nothing is put in, which would not be a draw given that they hold.

    Example:
        >>> from pushforward.core.table import Column
        >>> space = Table((Column("a", "integer", step=1.0, low=0, high=9), Column("b", "integer", step=1.0, low=0, high=9)))
        >>> rules = asked_rules(["b = 2 * a"], space, np.array([[1.0, 2.0]]))
        >>> rows, broken = rules.kept(np.array([[3.0, 1.0]]), space, np.ones((1, 2), dtype=bool))
        >>> rows.tolist(), broken.tolist()
        ([[3.0, 6.0]], [[False]])
    """

    rules: tuple[Rule, ...] = ()
    asked: tuple[Rule, ...] = ()

    @property
    def all(self) -> tuple[Rule, ...]:
        """Every rule."""
        return (*self.rules, *self.asked)

    def and_(self, others: Sequence[Rule]) -> RuleSet:
        """Return these rules and others of the data that are none of them."""
        known = {str(rule) for rule in self.rules}
        new = (rule for rule in others if str(rule) not in known)
        return replace(self, rules=(*self.rules, *new))

    def broken(self, rows: np.ndarray, space: Table) -> np.ndarray:
        """Return which filled rows (n, columns) break which rule, (n, rules)."""
        found = np.zeros((len(rows), len(self.all)), dtype=bool)
        for place, rule in enumerate(self.all):
            found[:, place] = rule.broken(rows, space)
        return found

    def kept(self, x: np.ndarray, space: Table, free: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return rows that keep the rules as far as putting in what they say can make them, and
        which rules each breaks still, (n, rules).

        Args:
            x: rows (n, columns), NaN where missing.
            free: values that may be changed, (n, columns).
        """
        came = filled(x, space)
        rows = self._mended(came, space, free, once=False)
        left = np.flatnonzero(self.broken(rows, space).any(axis=1))
        if len(left):
            # rules that take a value from each other agree where the first of them keeps it
            again = self._mended(came[left], space, free[left], once=True)
            kept = ~self.broken(again, space).any(axis=1)
            rows = rows.copy()
            rows[left[kept]] = again[kept]
        marks = np.array([missing_mark(column) for column in space.columns])
        gone = np.array([column.missing for column in space.columns]) & (rows == marks)
        return np.where(gone, np.nan, rows), self.broken(rows, space)

    def _mended(self, rows: np.ndarray, space: Table, free: np.ndarray, once: bool) -> np.ndarray:
        """Return rows with what the rules say put in, one after another and over again.

        Args:
            once: whether a value that was put in stays.
        """
        for _ in range(PASSES):
            before = rows
            for rule in self.rules:
                changed = rule.repaired(rows, space, free)
                if once and changed is not rows:
                    free = free & (changed == rows)
                rows = changed
            if rows is before:
                break
        return rows

    def and_asked(self, texts: Sequence[str], space: Table, reads: ReadWord) -> RuleSet:
        """Return these rules and others of which the data say nothing.

        Raises:
            BadInput: no rule, or one that only data can say.
        """
        more = [parse_rule(text, space, np.zeros((0, len(space.columns))), reads) for text in texts]
        for rule in more:
            if rule.of_data:
                came = f"the rule '{rule}' of samples"
                raise BadInput(came, "one when training", "the data say what it allows")
        return replace(self, asked=(*self.asked, *more))

    def first_broken(self, known: Known | None, space: Table) -> dict[int, str]:
        """Return which rows what is known of them lets break a rule whatever the rest is, and the
        first rule that each does."""
        if known is None:
            return {}
        mask = known.mask.cpu().numpy()
        legal = [0.0 if column.discrete else column.low for column in space.columns]
        broken = self.broken(
            filled(np.where(mask, known.values.cpu().numpy(), legal), space), space
        )
        for place, rule in enumerate(self.all):
            broken[:, place] &= mask[:, sorted(rule.places)].all(axis=1) & (not rule.together)
        rows = np.flatnonzero(broken.any(axis=1))
        return {int(i): str(self.all[int(np.argmax(broken[i]))]) for i in rows}

    def to_json(self) -> list[dict[str, Any]]:
        """Return a record for each rule of the data."""
        return [rule.to_json() for rule in self.rules]

    @staticmethod
    def of_json(
        records: Sequence[dict[str, Any]], space: Table, reads: ReadWord | None = None
    ) -> RuleSet:
        """Invert `to_json`."""
        return RuleSet(tuple(rule_from_json(record, space, reads) for record in records))


@dataclass(frozen=True)
class RulesAsked:
    """Which rules samples have to keep.

    Attributes:
        texts: those that a user writes.
        discover: whether those that all rows of the data keep are added.
    """

    texts: tuple[str, ...] = ()
    discover: bool = True

    def of(
        self, x: np.ndarray, space: Table, reads: ReadWord, lines: Sequence[int] | None
    ) -> tuple[RuleSet, tuple[str, ...]]:
        """Return the rules of a table with these rows (NaN where missing), and what a note says of
        them."""
        rows = filled(x, space)
        asked = asked_rules(self.texts, space, rows, reads, lines)
        found = asked.and_(discover(rows, space) if self.discover else ())
        notes = [f"samples keep {few([str(rule) for rule in asked.rules])}, as asked"]
        new = [str(rule) for rule in found.rules[len(asked.rules) :]]
        notes += [
            f"every row keeps {few(new)}, and so do samples (-s data.discover=no lets them break that)"
        ]
        return found, tuple(
            note for note, said in zip(notes, (asked.rules, new), strict=True) if said
        )


def asked_rules(
    texts: Sequence[str],
    space: Table,
    rows: np.ndarray,
    reads: ReadWord | None = None,
    where: Sequence[int] | None = None,
) -> RuleSet:
    """Return the rules that a user writes, which all rows of the data have to keep.

    Args:
        texts: the rules in words; see `parse_rule`.
        rows: filled rows of the data.
        where: the line of each row in its file.

    Raises:
        BadInput: no rule, rules that contradict each other, or one that rows break, which are
            counted and named.
    """
    rules = RuleSet().and_([parse_rule(text, space, rows, reads) for text in texts])
    broken = rules.broken(rows, space)
    often = broken.sum(axis=0)
    if not often.any():
        return rules
    for i, j in zip(*np.triu_indices(len(rules.rules), 1), strict=True):
        both = broken[:, i] | broken[:, j]
        if often[i] and often[j] and both.all() and not broken[:, [i, j]].all(axis=1).any():
            raise BadInput(
                f"the rules '{rules.rules[i]}' and '{rules.rules[j]}'",
                "rules that a row can keep together",
                f"each of the {len(rows):,} rows breaks one of them; leave one out",
            )
    worst = int(np.argmax(often > 0))
    first = np.flatnonzero(broken[:, worst])[:NAMED].tolist()
    named = ", ".join(str(i if where is None else where[i]) for i in first)
    noun = ("row" if where is None else "line") + "s" * (len(first) > 1)
    more = ", ..." if often[worst] > len(first) else ""
    raise BadInput(
        f"the rule '{rules.rules[worst]}', which {often[worst]:,} of {len(rows):,} rows break "
        f"({noun} {named}{more})",
        "a rule that every row of the data keeps",
        "mend or leave out those rows, or ask for it when sampling: `sample RUN --rule`",
    )
