"""Tables as a space: rows of columns of different kinds, measured in nats per row.

Two ideas: a column declares what a value is (a category, a number on a grid, a real number) and
therefore whether its part of the measure counts or integrates; a missing value is a value, with a
probability of its own.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from pushforward.core.errors import BadInput
from pushforward.core.space import Measure, Space, Unit

ColumnKind = Literal["categorical", "ordinal", "boolean", "integer", "continuous", "datetime"]
DISCRETE = ("categorical", "ordinal", "boolean")


def number_word(value: float, step: float | None = None) -> str:
    """Return a number in digits: all of them on a grid, ten of a real one, and never fewer than
    stand before the point.

    Example:
        >>> number_word(1700002510796.0, 1.0), number_word(12345678.123, 0.001), number_word(1 / 3), number_word(-0.0)
        ('1700002510796', '12345678.123', '0.3333333333', '0')
    """
    if value.is_integer() and abs(value) < 2.0**53:
        return str(int(value))
    if step is not None:
        return f"{value:.15g}"
    before = len(str(int(abs(value)))) if abs(value) < 2.0**53 else 0
    return f"{value:.{max(10, before + 1)}g}"


@dataclass(frozen=True)
class Column:
    """What the values of one column are.

    Rows hold float64: the index of a category, or the number itself (a datetime as seconds since
    1970); NaN where missing.

    Attributes:
        categories: names of the categories in order of their index, for the discrete kinds.
        step: spacing of the grid that numbers lie on (1 for integers, 0.01 for prices); None for
            real numbers.
        low, high: the smallest and largest number in the training data.
        bounded_below, bounded_above: True if no number may lie below `low`, or above `high`.
        missing: True if values may be missing.
        period: after which numbers begin again, as of directions and hours: `low` follows `high`;
            None on a line.

    Example:
        >>> Column("age", "integer", step=1.0, low=17, high=90).measure
        'counting'
    """

    name: str
    kind: ColumnKind
    categories: tuple[str, ...] = ()
    step: float | None = None
    low: float = 0.0
    high: float = 0.0
    bounded_below: bool = False
    bounded_above: bool = False
    missing: bool = False
    period: float | None = None

    def __post_init__(self) -> None:
        if self.discrete != bool(self.categories):
            raise BadInput(
                f"a {self.kind} column '{self.name}' of {len(self.categories)} categories",
                "names if discrete",
            )
        if not self.discrete and not self.low <= self.high:
            raise BadInput(f"column '{self.name}' from {self.low} to {self.high}", "low <= high")

        if self.period is not None and not 0.0 < self.high - self.low <= self.period * (1 + 1e-9):
            raise BadInput(
                f"column '{self.name}' from {self.low} to {self.high} with the period {self.period}",
                "one turn at most",
            )

    @property
    def discrete(self) -> bool:
        """True if values are categories."""
        return self.kind in DISCRETE

    @property
    def measure(self) -> Measure:
        """Counting for categories and for numbers on a grid, else Lebesgue."""
        return "counting" if self.discrete or self.step is not None else "lebesgue"

    def record(self) -> dict[str, Any]:
        """Return its fields; those of a column on a line as they were before there were circles, so
        that fingerprints stay."""
        fields = asdict(self)
        return {key: value for key, value in fields.items() if key != "period" or value is not None}


@dataclass(frozen=True)
class Table(Space):
    """Rows of `columns`; unit nats/row.

    Example:
        >>> Table((Column("sex", "categorical", ("f", "m")), Column("x", "continuous", low=-1, high=1))).measure
        'mixed'
    """

    columns: tuple[Column, ...]
    kind = "table"
    gaps = True

    def __post_init__(self) -> None:
        names = [column.name for column in self.columns]
        if not names or len(set(names)) < len(names):
            raise BadInput(
                f"a table of the columns {names}", "one or more columns with different names"
            )

    @property
    def event_shape(self) -> tuple[int, ...]:
        """`(columns,)`."""
        return (len(self.columns),)

    @property
    def measure(self) -> Measure:
        """What all columns agree on, else `mixed`: the product of counting and Lebesgue
        measures."""
        first = self.columns[0].measure
        return first if all(column.measure == first for column in self.columns) else "mixed"

    @property
    def dtype(self) -> torch.dtype:
        """Double precision: identifiers and times need more than 24 bits."""
        return torch.float64

    @property
    def unit(self) -> Unit:
        """nats/row: minus the log-probability of the counted columns times the density of the real
        ones."""
        return Unit("nats/row", 1.0)

    @property
    def described(self) -> str:
        """The number of columns."""
        return f"rows of {self.dimensions} columns"

    @property
    def brief(self) -> str:
        """The number of columns: a table's space names every column and its categories."""
        return f"Table({self.dimensions} columns)"

    def facts(self) -> dict[str, Any]:
        """Return the number of columns, which are described one by one, in words."""
        return {"kind": "table", "columns": self.dimensions}

    @property
    def kinds(self) -> str:
        """How many columns are of which kind.

        Example:
            >>> Table((Column("a", "boolean", ("no", "yes")), Column("b", "integer", step=1.0, high=3.0))).kinds
            '1 boolean, 1 integer'
        """
        counts = Counter(column.kind for column in self.columns)
        return ", ".join(f"{size:,} {kind}" for kind, size in counts.most_common())

    def outline(self) -> dict[str, Any]:
        """Return the kinds and the names of the columns."""
        names = [column.name for column in self.columns]
        return {"kind": "table", "kinds": self.kinds, "columns": names}

    def _fields(self) -> dict[str, Any]:
        return {"columns": [column.record() for column in self.columns]}

    def check(self, x: Tensor) -> Tensor:
        """Accept float64 tensors (n, columns); NaN only in columns that may be missing, categories
        within range."""
        if x.dtype != torch.float64:
            raise BadInput(
                f"rows of dtype {x.dtype}", "float64", "encode the table with the run's own schema"
            )
        self._check_shape(x)
        for i, column in enumerate(self.columns):
            values = x[:, i]
            absent = torch.isnan(values)
            if bool(absent.any()) and not column.missing:
                rows = absent.nonzero().flatten()[:10].tolist()
                raise BadInput(
                    f"missing values of '{column.name}' in rows {rows}",
                    "none, as in the training data",
                )
            known = values[~absent]
            if column.discrete and len(known):
                legal = (known == known.round()) & (known >= 0) & (known < len(column.categories))
                if not bool(legal.all()):
                    raise BadInput(
                        f"category {known[~legal][0]:g} of '{column.name}'",
                        f"0 to {len(column.categories) - 1}",
                    )
            if bool(torch.isinf(known).any()):
                raise BadInput(f"infinity in '{column.name}'", "finite numbers or missing values")
        return x

    @classmethod
    def of_fields(cls, **fields: Any) -> Table:
        """Rebuild a table from the JSON of its columns."""
        columns: list[dict[str, Any]] = fields["columns"]
        return cls(tuple(Column(**{**c, "categories": tuple(c["categories"])}) for c in columns))
