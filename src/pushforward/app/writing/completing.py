"""Fill the gaps of a table: by draws, each a complete table, or by one best value with its
uncertainty.

Two ideas: several draws are several complete tables, as multiple imputation wants them (Rubin 1987):
each is analysed alone, and the spread of the results is what the gaps cost; a mean is no draw, and
comes with how wrong it may be.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from pushforward.app.runs.admitting import until_kept
from pushforward.app.runs.rows_with_gaps import TableRun, gapped_source
from pushforward.core.column_law import CategoryLaw, ColumnLaw, NumberLaw
from pushforward.core.conditionals import Told, column_law, completed
from pushforward.core.errors import BadInput
from pushforward.core.given import Known
from pushforward.core.rng import derive_seed
from pushforward.core.table import Column
from pushforward.data.folders import few
from pushforward.data.tables.gapped import GappedRows
from pushforward.data.tables.refilled import Refilled, fillings_of, left_empty
from pushforward.data.tables.stored import Stored

How = Literal["draw", "mean"]
MOST_DRAWS = 1000
OF_A_MEAN = 100  # draws where a row lacks several cells


@dataclass(frozen=True)
class Completion:
    """Complete tables, and what is to be known of them.

    Attributes:
        tables: one for each draw; one of means.
        cells, rows: how many gaps were filled, and in how many rows.
        uncertainty: of means, a row for each filled cell: `row` (from 1), `column`, `value`, `sd` of
            numbers or `p` of categories, and `draws` that they come from, 0 where they are exact.
        tries: draws that were made for each row with a gap, on average.
        notes: sentences for a person.
    """

    tables: tuple[Refilled, ...]
    cells: int
    rows: int
    tries: float
    uncertainty: pd.DataFrame | None = None
    notes: tuple[str, ...] = field(default_factory=tuple)


def complete(
    run: TableRun, source: Any, how: How, draws: int | None, seed: int, told: Told = None
) -> Completion:
    """Fill the gaps of a table with a run.

    Args:
        source: a path, or what a program holds.
        how: `draw`, or `mean`: the mean of numbers, the most probable category.
        draws: complete tables, 1 by default; for a mean how many it is made of, where more than one
            cell of a row is missing.
        told: called with how much is done, and of how much.

    Raises:
        BadInput: rows that cannot be rows of the run's table, a number of draws beyond the limit.
    """
    count = (1 if how == "draw" else OF_A_MEAN) if draws is None else draws
    if not (1 if how == "draw" else 2) <= count <= MOST_DRAWS:
        raise BadInput(f"--draws {count}", f"{1 if how == 'draw' else 2} to {MOST_DRAWS}")
    rows, path = gapped_source(run.encoding, source)
    made = _Made(run, rows, path, seed)
    gaps = rows.gaps
    lacking = int(gaps.any(1).sum())
    notes = (*_noted(run, rows, path), *([] if lacking else [_whole(rows)]))
    if how == "draw":
        tables, tries, more = made.drawn(count, told)
        return Completion(tables, _cells(tables), lacking, tries, None, (*notes, *more))
    table, uncertainty, tries, more = made.averaged(count, told)
    return Completion((table,), _cells((table,)), lacking, tries, uncertainty, (*notes, *more))


def _cells(tables: tuple[Refilled, ...]) -> int:
    """Return how many cells of each table are filled, those of columns with one value included."""
    return sum(int(one.where.sum()) for one in tables[0].fillings.values())


def _whole(rows: GappedRows) -> str:
    return f"no modelled cell of {len(rows):,} rows is missing: they come back as they are"


def _noted(run: TableRun, rows: GappedRows, path: Path | None) -> list[str]:
    """Return what a person should know before a cell is filled."""
    notes = []
    if empty := left_empty(run.encoding, rows):
        shown = few([f"{count:,} of '{label}'" for label, count in empty.items()])
        notes.append(
            f"cells that stay empty: {shown}; no model knows these columns, and a name or a key that is "
            "made up would say something of a real row"
        )
    none = int(rows.gaps.all(1).sum())
    if none:
        notes.append(f"{none:,} rows have no known cell: they are samples like any other")
    if path is not None and not Refilled(rows, run.encoding, path).as_it_was:
        notes.append(
            f"{path} is no plain CSV file: known cells keep their values, and are written anew"
        )
    return notes


@dataclass(frozen=True)
class _Made:
    run: TableRun
    rows: GappedRows
    path: Path | None
    seed: int

    def drawn(self, count: int, told: Told) -> tuple[tuple[Refilled, ...], float, list[str]]:
        """Return complete tables, draws for each row, and notes."""
        tables, tries, bent = [], [], 0
        broken: Tensor | None = None
        lacking = self.rows.gaps.any(1)
        hidden: dict[str, int] = {}
        for k in range(count):
            own = derive_seed(self.seed, "draw", k) if k else self.seed
            found = completed(self.run.model, self.rows.known, own, _part(told, k, count))
            x, wrong = self._ruled(found.x, own)
            broken = wrong if broken is None else broken | wrong
            tables.append(self._table(x, own))
            tries.append(found.tries[lacking].double())
            bent += int(found.bent.sum())
            for name, many in self._hidden(found.x).items():
                hidden[name] = hidden.get(name, 0) + many
        mean = float(torch.cat(tries).mean()) if bool(lacking.any()) else 0.0
        notes = [*_of_bent(bent, count), *_of_hidden(hidden), *_of_broken(broken)]
        return tuple(tables), mean, notes

    def _ruled(self, x: Tensor, seed: int) -> tuple[Tensor, Tensor]:
        """Return rows whose gaps keep the rules of the run, and which rows do not: what was drawn
        is mended or drawn again."""
        encoding, known = self.run.encoding.seeded(seed), self.rows.known
        hopeless = ~self.rows.gaps.any(1)
        hopeless[list(encoding.impossible(known))] = True

        def again(places: Tensor, turn: int) -> Tensor:
            part = known.each(lambda tensor: tensor[places])
            return completed(self.run.model, part, derive_seed(seed, "rules", turn)).x

        x, wrong, _ = until_kept(encoding, x, known, again, hopeless)
        return x, wrong & self.rows.gaps.any(1)

    def _hidden(self, x: Tensor) -> dict[str, int]:
        """Return how many drawn values are not shown, by column."""
        return self.run.encoding.hidden(torch.where(self.rows.gaps, x, torch.nan))

    def _table(self, x: Tensor, seed: int) -> Refilled:
        fillings = fillings_of(self.run.encoding, self.rows, x, seed)
        return Refilled(self.rows, self.run.encoding, self.path, fillings)

    def averaged(self, draws: int, told: Told) -> tuple[Refilled, pd.DataFrame, float, list[str]]:
        """Return the table of means, their uncertainty, draws for each row, and notes."""
        gaps = self.rows.gaps
        single, several = gaps.sum(1) == 1, gaps.sum(1) > 1
        x = torch.where(gaps, torch.nan, self.rows.known.values)
        parts: list[pd.DataFrame] = []
        tries, bent = 0.0, 0
        jobs = 1 + draws * bool(several.any())
        for place in range(gaps.shape[1]):
            at = (single & gaps[:, place]).nonzero().flatten()
            if len(at):
                known = self.rows.known.each(lambda t, at=at: t[at])
                law = column_law(self.run.model, known, place, self.seed, max(2, draws))
                count = 0 if bool(law.exact.all()) else draws
                parts.append(self._put(x, law, at, place, count))
        if bool(several.any()):
            at = several.nonzero().flatten()
            known = self.rows.known.each(lambda t: t[at])
            stacked, tries, bent = self._several(known, draws, told, jobs)
            for place in range(gaps.shape[1]):
                here = gaps[at, place].nonzero().flatten()
                if len(here):
                    law = _law_of(stacked[here, :, place], self._column(place))
                    parts.append(self._put(x, law, at[here], place, draws))
        if told is not None:
            told(jobs, jobs)
        empty = {"row": [], "column": [], "value": [], "sd": [], "p": [], "draws": []}
        whole = pd.concat(parts) if parts else pd.DataFrame(empty)
        order = {column.name: i for i, column in enumerate(self.run.encoding.table.columns)}
        whole = whole.sort_values(
            ["row", "column"], key=lambda s: s.map(order) if s.name == "column" else s
        )
        x = torch.where(torch.isnan(x) & gaps, self._first_shown(), x)
        return self._table(x, self.seed), whole.reset_index(drop=True), tries, _of_bent(bent, draws)

    def _first_shown(self) -> Tensor:
        # only where no value of a column may be shown at all
        return torch.zeros(len(self.run.encoding.table.columns), dtype=torch.float64)

    def _column(self, place: int) -> Column:
        return self.run.encoding.table.columns[place]

    def _several(
        self, known: Known, draws: int, told: Told, jobs: int
    ) -> tuple[Tensor, float, int]:
        """Return draws (n, K, columns) of rows with several gaps."""
        found = [
            completed(
                self.run.model,
                known,
                derive_seed(self.seed, "draw", k) if k else self.seed,
                _part(told, k, jobs),
            )
            for k in range(draws)
        ]
        tries = torch.stack([one.tries for one in found]).double().mean()
        bent = sum(int(one.bent.sum()) for one in found)
        return torch.stack([one.x for one in found], dim=1), float(tries), bent

    def _put(self, x: Tensor, law: ColumnLaw, at: Tensor, place: int, draws: int) -> pd.DataFrame:
        """Put the best values of a column into rows, and return how sure they are."""
        stored, column = self.run.encoding.modelled[place]
        best, p, sd = best_of(law, stored, column)
        x[at, place] = best
        return pd.DataFrame(
            {
                "row": at.numpy() + 1,
                "column": column.name,
                "value": _words(column, best),
                "sd": np.nan if sd is None else sd.numpy(),
                "p": np.nan if p is None else p.numpy(),
                "draws": draws,
            }
        )


def best_of(
    law: ColumnLaw, stored: Stored, column: Column
) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """Return the best value of each row as the space has it, its probability or None, its standard
    deviation or None.

    A category that samples do not show is never the best; a mean is that of the law, and is put on
    its column's grid where it is written.
    """
    if isinstance(law, CategoryLaw):
        p = law.p.clone()
        if stored.protection is not None:
            hidden = stored.protection.hidden(np.arange(p.shape[1], dtype=np.float64), column)
            p[:, torch.from_numpy(hidden)] = 0.0
        best = p.argmax(1)
        return best.double(), law.p.gather(1, best.unsqueeze(1)).squeeze(1), None
    assert isinstance(law, NumberLaw)
    return law.mean, None, law.sd


def _words(column: Column, best: Tensor) -> list[Any]:
    if column.discrete:
        return [column.categories[i] for i in best.long().tolist()]
    return best.tolist()


def _law_of(draws: Tensor, column: Column) -> ColumnLaw:
    if column.discrete:
        return CategoryLaw.of_draws(draws, len(column.categories))
    return NumberLaw.of_draws(draws)


def _part(told: Told, k: int, jobs: int) -> Callable[[int, int], None] | None:
    """Return what is told how far part k of several is, and tells how far all are."""
    return None if told is None else lambda i, n: told(k * n + i, jobs * n)


def _of_bent(bent: int, draws: int) -> list[str]:
    if not bent:
        return []
    return [
        f"{bent:,} rows ({draws} draws each) were not drawn exactly: their values are so often missing together "
        "that each gap was filled given that it alone is there"
    ]


def _of_broken(broken: Tensor | None) -> list[str]:
    rows = [] if broken is None else broken.nonzero().flatten().tolist()
    if not rows:
        return []
    shown = few([str(row + 1) for row in rows])
    return [
        f"rows that break a rule of the training data, as no draw kept what is known of them: {shown}"
    ]


def _of_hidden(hidden: dict[str, int]) -> list[str]:
    if not hidden:
        return []
    shown = few([f"{count:,} of {name}" for name, count in hidden.items()])
    return [f"drawn values that too few rows of the training data hold were replaced: {shown}"]


def numbered(output: Path, k: int) -> Path:
    """Return the name of one of several files: `out-1.csv` for `out.csv`.

    Example:
        >>> numbered(Path("a/out.csv.gz"), 2).as_posix()
        'a/out-2.csv.gz'
    """
    stem, dot, rest = output.name.partition(".")
    return output.with_name(f"{stem}-{k}{dot}{rest}")


def beside(output: Path) -> Path:
    """Return the name of the file of uncertainties: `out-uncertainty.csv` for `out.csv`.

    Example:
        >>> beside(Path("out.parquet")).name
        'out-uncertainty.csv'
    """
    return output.with_name(output.name.partition(".")[0] + "-uncertainty.csv")
