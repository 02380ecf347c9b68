"""Could this row be in the table at all?

Two ideas: a cell is valid if the table's schema allows it, whatever its neighbours hold; real rows
leave the training range too, so the share of valid rows is read against that of real rows.
"""

from __future__ import annotations

import numpy as np

from pushforward.core.measure import TABLE, Measure
from pushforward.core.score import Score
from pushforward.core.table import Column, Table
from pushforward.data.tables.marks import missing_mark
from pushforward.evaluation.intervals import rate_stderr, wilson
from pushforward.evaluation.measuring.metric import Metric
from pushforward.evaluation.measuring.statistic import Measured, MeasuredOn, Terms
from pushforward.evaluation.table.items import NAMED, TableMetric, on_table, rows_of

VALIDITY = Measure(
    "validity",
    "Rows in which every cell holds something that the column allows.",
    "Possible cells",
    "share of samples",
    TABLE,
    better="higher",
)
UNKNOWN, OFF_GRID, OUTSIDE = "unknown category", "off the grid", "outside the training range"


def faults(values: np.ndarray, column: Column) -> dict[str, np.ndarray]:
    """Return which values of one column are not allowed, by reason.

    Categories must be whole indices from 0 to one less than their number; numbers must be multiples
    of `step` where there is one, to a millionth of it or to a double's precision, and lie in the
    training range; a value may be missing where the column says so.

    Args:
        values: values of the column, filled, shape (n,).
        column: what they are.

    Example:
        >>> age = Column("age", "integer", step=1.0, low=17, high=90)
        >>> {reason: bad.tolist() for reason, bad in faults(np.array([17.0, 18.5, 91.0]), age).items()}
        {'off the grid': [False, True, False], 'outside the training range': [False, False, True]}
    """
    allowed = (
        (values == missing_mark(column)) if column.missing else np.zeros(len(values), dtype=bool)
    )
    if column.discrete:
        legal = (values == np.rint(values)) & (values >= 0) & (values < len(column.categories))
        return {UNKNOWN: ~(legal | allowed)}
    outside = ((values < column.low) | (values > column.high)) & ~allowed
    if column.step is None:
        return {OUTSIDE: outside}
    slack = np.maximum(1e-6 * column.step, np.abs(values) * 2.0**-50)
    off = np.abs(values - np.rint(values / column.step) * column.step) > slack
    return {OFF_GRID: off & ~allowed, OUTSIDE: outside}


def valid_rows(rows: np.ndarray, space: Table) -> np.ndarray:
    """Return which rows have valid cells only, shape (n,)."""
    bad = np.zeros(len(rows), dtype=bool)
    for place, column in enumerate(space.columns):
        for found in faults(rows[:, place], column).values():
            bad |= found
    return ~bad


def _commonest(rows: np.ndarray, space: Table) -> tuple[str, ...]:
    shares = [
        (float(found.mean()), f"'{column.name}' {reason}")
        for place, column in enumerate(space.columns)
        for reason, found in faults(rows[:, place], column).items()
    ]
    worst = [
        f"{said} in {share:.1%}"
        for share, said in sorted(shares, key=lambda s: -s[0])[:NAMED]
        if share > 0
    ]
    return (f"invalid cells: {', '.join(worst)} of the samples",) if worst else ()


def validity(
    samples: np.ndarray, reference: np.ndarray, space: Table, reference_name: str = "test"
) -> Score:
    """Return the share of samples whose every cell is valid (see `faults`), with Wilson's interval;
    null: the reference's share.

    Validity is per cell: a row of valid cells can still be impossible (see `constraints`).

    Args:
        samples: the model's rows, filled, shape (n, columns).
        reference: real rows, filled, shape (m, columns).
        space: the table's columns.
        reference_name: which split `reference` is.

    Raises:
        BadInput: fewer than 2 samples, no reference row, NaN, or another width.

    Example:
        >>> space = Table((Column("age", "integer", step=1.0, low=17, high=90),))
        >>> score = validity(np.array([[20.0], [20.5], [90.0], [-1.0]]), np.array([[30.0]]), space)
        >>> score.value, score.null, score.warnings[0]
        (0.5, 1.0, "invalid cells: 'age' off the grid in 25.0%, 'age' outside the training range in 25.0% of the samples")
    """
    x = rows_of(samples, space, "samples", 2)
    good = valid_rows(x, space)
    natural = valid_rows(rows_of(reference, space, "reference rows"), space)
    rate = float(good.mean())
    low, high = wilson(float(good.sum()), len(good))
    return MeasuredOn("data", reference=reference_name).score(
        VALIDITY,
        rate,
        len(good),
        low=low,
        high=high,
        stderr=rate_stderr(float(good.sum()), len(good)),
        null=float(natural.mean()),
        null_stderr=rate_stderr(float(natural.sum()), len(natural)),
        warnings=_commonest(x, space),
    )


class Validity(TableMetric):
    """`validity` of the rows that an evaluation keeps."""

    def measure(
        self, x: np.ndarray, y: np.ndarray, x_ids: np.ndarray, y_ids: np.ndarray
    ) -> list[Measured]:
        """Return the share of valid samples; the value rests on the samples alone."""
        good = valid_rows(rows_of(x, self.space, "samples", 2), self.space).astype(np.float64)
        return [
            Measured(validity(x, y, self.space, self.reference_name), Terms.of_mean(x_ids, good))
        ]


METRIC = Metric.of(VALIDITY, on_table(Validity), spaces=("table",))
