"""Tables as tensors of float64 and back, with the user's own dtypes.

One idea: the schema was inferred once, from the training table; every other table must fit it, and
what does not fit is named with its column, value and row.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from pushforward.core.conditions import Condition
from pushforward.core.context import ContextSpace
from pushforward.core.errors import BadInput, closest
from pushforward.core.given import Examples, Given, Known
from pushforward.core.space import space_from_json
from pushforward.core.table import Column, Table
from pushforward.data.contexts import in_context
from pushforward.data.encoding import require_number
from pushforward.data.folders import few
from pushforward.data.formats.choosing import written
from pushforward.data.tables.admission import Gate
from pushforward.data.tables.as_file import RowsEncoding
from pushforward.data.tables.balance import BalancedDraw, balanced_rows
from pushforward.data.tables.encode_column import TableRows, check_restored, encode_column
from pushforward.data.tables.found import keeping
from pushforward.data.tables.gapped import GappedRows, GapRules, gapped_rows
from pushforward.data.tables.given_file import GivenRows, conditions_file, given_rows
from pushforward.data.tables.known_cells import known_rows, number_of_word, parse_known
from pushforward.data.tables.protecting import protected_columns
from pushforward.data.tables.rules.ruleset import RulesAsked, RuleSet
from pushforward.data.tables.schema import Declared, Schema, infer
from pushforward.data.tables.sheet import Reading, Sheet, read_sheet, sheet_of_frame
from pushforward.data.tables.stored import (
    Stored,
    restore,
    stored_from_json,
    stored_to_json,
    words_of,
)
from pushforward.data.tables.written import Dialect


@dataclass(frozen=True)
class TableEncoding(RowsEncoding):
    """The dictionary of a table.

    `decode(encode(frame))` equals `frame` in names, order, dtypes and values, up to the declared
    `step` and without its index. Keys, personal data and texts come back made anew.

    Args:
        seed: of the identifiers that are made anew.
        group: the column that says what rows belong to, empty if none does.
        rules: what every row keeps.

    Example:
        >>> frame = pd.DataFrame({"age": [17, 90, 40], "sex": ["f", "m", None]})
        >>> encoding = TableEncoding.of(frame)
        >>> encoding.encode(frame).tolist()[:2], encoding.decode(encoding.encode(frame)).equals(frame)
        ([[17.0, 0.0], [90.0, 1.0]], True)
    """

    table: Table
    stored: tuple[Stored, ...]
    dialect: Dialect = field(default_factory=Dialect)
    seed: int = 0
    group: str = ""
    rules: RuleSet = field(default_factory=RuleSet)
    kind = "table"

    @staticmethod
    def of(
        frame: pd.DataFrame,
        columns: Mapping[str, Declared] | None = None,
        keep: Collection[str] = (),
        bounds: str = "natural",
    ) -> TableEncoding:
        """Return the encoding of a frame's inferred schema; see `infer` for the arguments and
        errors."""
        return TableEncoding.of_schema(infer(frame, columns, keep, bounds))

    @staticmethod
    def of_schema(schema: Schema, dialect: Dialect | None = None) -> TableEncoding:
        """Return the encoding of a schema, and of how its file was laid out."""
        return TableEncoding(schema.table, schema.stored, dialect or Dialect())

    @property
    def space(self) -> Table:
        """The columns that are modelled."""
        return self.table

    @property
    def modelled(self) -> tuple[tuple[Stored, Column], ...]:
        """Every modelled column, in order, as it is kept and as it is modelled."""
        kept = [stored for stored in self.stored if stored.role == "modelled"]
        return tuple(zip(kept, self.table.columns, strict=True))

    @property
    def made_anew(self) -> Sequence[str]:
        """Keys, personal data, texts: columns whose values are made anew, and how to model them."""
        return tuple(
            f"{one.label}: {one.surrogate.said} ({keeping(one.label)})"
            for one in self.stored
            if one.surrogate is not None
        )

    def words(self, place: int, *values: float) -> list[str] | None:
        """Return quarters, durations and times of a modelled column in their own words, None for
        plain numbers; see `words_of`."""
        stored, column = self.modelled[place]
        plain = not stored.carrier or column.kind == "datetime"
        return None if plain else words_of(stored, column, *values)

    def seeded(self, seed: int) -> TableEncoding:
        """Return the encoding that makes identifiers anew by a seed."""
        return replace(self, seed=seed)

    def cases_of(self, frame: pd.DataFrame) -> Tensor | None:
        """Return the number of the group that each row belongs to, None where nothing says it."""
        place = next((i for i, n in enumerate(frame.columns) if str(n) == self.group), None)
        series = None if not self.group or place is None else frame.iloc[:, place]
        if series is None or bool(series.isna().any()):
            return None
        return torch.from_numpy(pd.factorize(series)[0].astype(np.int64))

    def protected(
        self, x: Tensor, k: int, cases: Tensor | None = None
    ) -> tuple[TableEncoding, tuple[str, ...]]:
        """Return the encoding that shows no value which fewer than k of these rows hold, and what
        those are, in words.

        Args:
            x: all rows of the data.
            cases: the group of each, which count once; None = each its own.
        """
        owners = None if cases is None else cases.numpy()
        stored, said = protected_columns(self.stored, self.table, x.numpy(), k, owners)
        return replace(self, stored=stored), said

    def withheld(self, x: Tensor) -> str:
        """Return how many values of samples are not shown, of which columns."""
        shown = few([f"{count:,} of {name}" for name, count in self.hidden(x).items()])
        return (
            shown and f"values that too few rows of the training data hold were replaced: {shown}"
        )

    def hidden(self, x: Tensor) -> dict[str, int]:
        """Return how many values of samples are not shown as they were drawn, by column."""
        counts = {
            column.name: int(stored.protection.hidden(x[:, place].cpu().numpy(), column).sum())
            for place, (stored, column) in enumerate(self.modelled)
            if stored.protection is not None
        }
        return {name: count for name, count in counts.items() if count}

    def number_of(self, place: int, word: str) -> float:
        """Return the number that a word of a modelled column stands for, in its own notation."""
        stored, column = self.modelled[place]
        return number_of_word(column, stored, word)

    def with_rules(
        self, asked: RulesAsked, x: Tensor, lines: Sequence[int] | None
    ) -> tuple[TableEncoding, tuple[str, ...]]:
        """Return the encoding whose samples keep rules, and what is said; see `RulesAsked.of`."""
        rules, said = asked.of(x.numpy(), self.table, self.number_of, lines)
        return replace(self, rules=rules), said

    def admitted(self, x: Tensor, known: Known | None = None) -> tuple[Tensor, dict[str, Tensor]]:
        """Return rows as samples show them, and which of them break what; see `Gate.passed`."""
        protections = tuple(stored.protection for stored, _ in self.modelled)
        return Gate(self.table, protections, self.rules, self.seed).passed(x, known)

    @property
    def ruled(self) -> Sequence[str]:
        """The rules that samples keep, in words."""
        return tuple(map(str, self.rules.all))

    def keeping(self, rules: Sequence[str]) -> TableEncoding:
        """Return the encoding whose samples keep more rules, which its data need not have kept."""
        return replace(self, rules=self.rules.and_asked(rules, self.table, self.number_of))

    def impossible(self, known: Known | None) -> dict[int, str]:
        """Return which conditions break a rule by themselves, and which rule."""
        return self.rules.first_broken(known, self.table)

    def encode(self, frame: pd.DataFrame, lines: Sequence[int] | None = None) -> Tensor:
        """Return the rows of a frame as float64, (n, columns).

        Args:
            lines: the line of each row in the file it came from, for error messages.

        Raises:
            BadInput: missing or unknown columns; a category, number or missing value that the
                schema does not have.
        """
        return self.table.check(self._encoded(frame, TableRows(lines)))

    def encode_foreign(
        self, frame: pd.DataFrame, lines: Sequence[int] | None = None
    ) -> tuple[Tensor, dict[int, str]]:
        """Return the rows of a frame that another program generated, and why others cannot be rows
        of this table at all.

        Numbers beyond a column's bounds or off its grid stay what they are, for measures to count.
        What has no number here (unknown categories, missing values where none can be, infinity)
        leaves its row out.

        Raises:
            BadInput: missing or unknown columns.
        """
        odd: dict[int, str] = {}
        x = self._encoded(frame, TableRows(lines, odd))
        kept = torch.ones(len(x), dtype=torch.bool)
        kept[list(odd)] = False
        return self.table.check(x[kept]), odd

    def _encoded(self, frame: pd.DataFrame, rows: TableRows) -> Tensor:
        labels = {str(name): place for place, name in enumerate(frame.columns)}
        self._check_names(labels)
        for stored in self.stored:
            if stored.role in ("constant", "absent") and stored.label in labels:
                check_restored(stored, frame.iloc[:, labels[stored.label]], rows)
        x = np.empty((len(frame), len(self.table.columns)))
        for place, (stored, column) in enumerate(self.modelled):
            series = frame.iloc[:, labels[stored.beside or stored.label]]
            x[:, place] = encode_column(series, stored, column, rows)
        return torch.from_numpy(x)

    def decode(self, x: Tensor, label: Tensor | None = None) -> pd.DataFrame:
        """Return rows as a DataFrame with the columns and dtypes of the training table."""
        values = self.table.check(x.detach().cpu()).numpy()
        places = {stored.label: place for place, (stored, _) in enumerate(self.modelled)}
        parts, beside = [], dict[str, pd.Series]()
        for stored in self.stored:
            if stored.role == "excluded":
                continue
            place = places.get(stored.label)
            column = None if place is None else self.table.columns[place]
            numbers = np.zeros(len(values)) if place is None else values[:, place]
            if column is not None and stored.protection is not None:
                numbers = stored.protection.shown(numbers, column, self.seed)
            word = beside.get(stored.label)
            part = restore(stored, column, numbers, self.seed, word).rename(stored.name)
            if stored.beside:
                beside[stored.beside] = part
            else:
                parts.append(part)
        frame = pd.concat(parts, axis=1)
        frame.columns = pd.Index([part.name for part in parts])
        return frame

    def read(self, source: Any, labelled: bool | None = None) -> Examples:
        """Return a DataFrame, or the table at a path, as examples."""
        held = isinstance(source, pd.DataFrame)
        sheet = sheet_of_frame(source) if held else self._sheet(Path(source))
        x = self.encode(sheet.frame, None if held else sheet.lines)
        return Examples(x, cases=self.cases_of(sheet.frame))

    def read_foreign(
        self, source: Any, labelled: bool | None = None, skip_bad: bool = False
    ) -> tuple[Examples, dict[int, str]]:
        """Return a table that another program generated; see `encode_foreign`."""
        held = isinstance(source, pd.DataFrame)
        sheet = sheet_of_frame(source) if held else self._sheet(Path(source))
        x, odd = self.encode_foreign(sheet.frame, sheet.lines)
        return Examples(x), odd

    def as_table(self, what: str, fix: str = "leave it out") -> TableEncoding:
        """Return itself."""
        return self

    def gapped(self, source: Any, wanted: GapRules | None = None) -> GappedRows:
        """Return a DataFrame, or the table at a path, with its gaps; see `gapped_rows`."""
        held = isinstance(source, pd.DataFrame)
        sheet = sheet_of_frame(source) if held else self._sheet(Path(source))
        return gapped_rows(sheet, self.modelled, self.stored, wanted or GapRules())

    def given_rows(self, words: str, skip_bad: bool = False) -> GivenRows | None:
        """Return the conditions in the file that words name, None where they name none."""
        path = conditions_file(words)
        return None if path is None else given_rows(path, self, skip_bad)

    def balanced(self, words: str, n: int, seed: int, given: str | None = None) -> Given:
        """Return conditions under which a column has shares; see `balanced_rows`."""
        asked = BalancedDraw(n, seed, given)
        return Given(known=balanced_rows(self.table, self.stored, words, asked))

    def _sheet(self, path: Path) -> Sheet:
        sheet = read_sheet(path, self.reading)
        if sheet is None:
            expected = f"a {written('rows')} file, or a DataFrame"
            raise BadInput(f"'{path}' as a table", expected, "check the path")
        return sheet

    @property
    def reading(self) -> Reading:
        """How another file of this table is read: its names, the columns of words, and how the
        others are written."""
        words = {stored.label for stored, column in self.modelled if column.discrete}
        words |= {one.label for one in self.stored if one.role in ("excluded", "surrogate")}
        # words need no notation to be read
        known = [
            stored
            for stored in self.stored
            if stored.notation is not None and stored.label not in words
        ]
        notations = {
            stored.label: stored.notation for stored in known if stored.notation is not None
        }
        names = {stored.label for stored in self.stored if not stored.beside}
        header = None if self.dialect.header else False
        return Reading(words=words, names=names, notations=notations, header=header).like(
            self.stored
        )

    @property
    def kept(self) -> tuple[Stored, ...]:
        """How every column is kept."""
        return self.stored

    def parse_given(self, text: str, n: int) -> Given:
        """Return what `column=value,column=low..high` says is known, the same for n examples."""
        known = parse_known(text, self.table, self.stored)
        return Given(known=known.each(lambda tensor: tensor.expand(n, -1)))

    def condition(
        self,
        given: str | None,
        n: int,
        context: str | None = None,
        about: ContextSpace | None = None,
        classes: tuple[str, ...] = (),
    ) -> Condition:
        """Return what n rows are conditioned on: what is known of their columns, and a context."""
        found = None if given is None else self.parse_given(given, n)
        return found if context is None else in_context(found, context, about, n)

    def conditions(self, given: Any, n: int | None) -> Given:
        """Return what a mapping of columns to values and `(low, high)` ranges says is known, or n
        rows of them: records, or a DataFrame."""
        if isinstance(given, Mapping):
            known = known_rows([given], self.table, self.stored)
            return Given(known=known.each(lambda t: t.expand(n or 1, -1)))
        rows = given.to_dict("records") if isinstance(given, pd.DataFrame) else list(given)
        if not all(isinstance(row, Mapping) for row in rows):
            came = (
                f"a list of {type(rows[0]).__name__} as the condition of a table"
                if rows
                else "no condition at all"
            )
            raise BadInput(
                came, "a mapping of columns to values, or one per row", 'such as {"age": 37}'
            )
        require_number(len(rows), n)
        return Given(known=known_rows(rows, self.table, self.stored))

    def to_json(self) -> dict[str, Any]:
        """Return the space and how every column is kept."""
        stored = [stored_to_json(one) for one in self.stored]
        return {
            "kind": self.kind,
            "space": self.table.to_json(),
            "stored": stored,
            "dialect": asdict(self.dialect),
            **({"group": self.group} if self.group else {}),
            **({"rules": self.rules.to_json()} if self.rules.rules else {}),
        }

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> TableEncoding:
        """Rebuild the encoding of `to_json`."""
        table = space_from_json(record["space"])
        assert isinstance(table, Table)
        found = cls(
            table,
            tuple(map(stored_from_json, record["stored"])),
            Dialect(**record.get("dialect", {})),
            group=record.get("group", ""),
        )
        rules = RuleSet.of_json(record.get("rules", ()), table, found.number_of)
        return replace(found, rules=rules)

    def _check_names(self, labels: Mapping[str, int]) -> None:
        names = [stored.label for stored in self.stored if not stored.beside]
        for stored, _ in self.modelled:
            if (stored.beside or stored.label) not in labels:
                label = stored.beside or stored.label
                came = f"a table without the column '{label}'"
                raise BadInput(came, "the columns of the training table", closest(label, labels))
        for label in labels:
            if label not in names:
                came = f"a column '{label}' that the training table does not have"
                raise BadInput(came, "its columns only", closest(label, names) or "drop it")
