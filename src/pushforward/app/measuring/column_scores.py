"""A table's likelihood column by column, and of every row the column that surprised most.

Two ideas: the terms of the chain rule add up to the row's log-probability, so they say where its
nats are; which value of a row is odd is asked of each column given all the others, since a chain
blames whatever stands second of two values that do not fit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from pushforward.app.measuring.cases import copies_as_cases
from pushforward.app.measuring.examples import drawn_places
from pushforward.app.measuring.parts import examples_of, part_of
from pushforward.app.runs.rows_with_gaps import table_run
from pushforward.core.errors import BadInput
from pushforward.core.given import Examples, Given, Known
from pushforward.core.model import GenerativeModel
from pushforward.core.table import Table
from pushforward.evaluation.prediction.over_cases import mean_over

Told = Callable[[int, int], None] | None


@dataclass(frozen=True)
class ColumnScores:
    """Log-probabilities of columns.

    Attributes:
        names: of the columns.
        terms: (n, columns), `log p(x_c | columns before c)` in nats; a row's add up to its own.
        alone: (n, columns), `log p(x_c | all other columns)`; None where it was not asked for.
        split: of which examples.
        cases: of the rows, over which errors are.
        notes: sentences for a person.
    """

    names: tuple[str, ...]
    terms: Tensor
    alone: Tensor | None
    split: str
    cases: Tensor | None = None
    notes: tuple[str, ...] = ()

    def table(self) -> list[dict[str, Any]]:
        """Return a record for each column: mean nats to code it given those before it, with the
        standard error."""
        owners = None if self.cases is None else self.cases.numpy()
        found = []
        for name, terms in zip(self.names, self.terms.unbind(1), strict=True):
            mean, _, _, stderr = mean_over(-terms.numpy(), owners)
            found.append({"column": name, "nats": mean, "stderr": stderr})
        return found

    def total(self) -> tuple[float, float | None]:
        """Return the mean nats of a row, and the standard error."""
        owners = None if self.cases is None else self.cases.numpy()
        mean, _, _, stderr = mean_over(-self.terms.sum(1).numpy(), owners)
        return mean, stderr

    def rows(self) -> pd.DataFrame:
        """Return a row for each: its `nats`, the `column` that surprised most, and its `excess`.

        The excess of a column is `-log p(x_c | all others)` less its mean over these rows: densities
        of columns in other units cannot be compared, but how much more than usual one takes can.
        """
        nats = -self.terms.sum(1)
        if self.alone is None:
            return pd.DataFrame({"nats": nats.numpy()})
        excess = self.alone.mean(0) - self.alone
        most = excess.max(1)
        return pd.DataFrame(
            {
                "nats": nats.numpy(),
                "column": [self.names[i] for i in most.indices.tolist()],
                "excess": most.values.numpy(),
            }
        )


def score_columns(
    run: Path,
    source: Any,
    split: str | None = None,
    *,
    n: int | None = None,
    seed: int = 0,
    by_row: bool = False,
    told: Told = None,
) -> ColumnScores:
    """Score rows under a run, column by column.

    Args:
        split: as in `scoring.Scoring`.
        n: how many of the rows, drawn by the seed; None = all.
        by_row: whether each column is also scored given all others, which takes a pass for each.

    Raises:
        BadInput: a run on what is no table, more rows than there are.
        Unsupported: a family without a chain rule.
    """
    opened = table_run(run, "score --by column")
    model, record = opened.model, opened.record
    part = part_of(record, source, split)
    examples, notes = examples_of(record, source, part, labelled=False)
    examples, copied = copies_as_cases(examples, model.space)
    if n is not None:
        if n > len(examples):
            came, fix = f"-n {n}", "leave -n out to score all of them"
            raise BadInput(came, f"at most {len(examples):,}, the rows of {source}", fix)
        examples = examples[torch.from_numpy(drawn_places(len(examples), n, seed))]
    names = tuple(column.name for column in opened.encoding.table.columns)
    plain = replace(examples, given=None)
    terms = model.terms(plain).double()
    alone = given_others(model, plain, told) if by_row else None
    return ColumnScores(names, terms, alone, part.name, examples.cases, (*notes, *copied))


def given_others(model: GenerativeModel, examples: Examples, told: Told = None) -> Tensor:
    """Return `log p(x_c | all other columns)`, (n, columns), of the network's own order for each."""
    table, found = model.space, []
    assert isinstance(table, Table)
    count = len(table.columns)
    for place in range(count):
        mask = torch.ones(len(examples), count, dtype=torch.bool)
        mask[:, place] = False
        known = Given(known=Known(examples.x, mask))
        found.append(model.log_prob(Examples(examples.x, known)).nats.double())
        if told is not None:
            told(place + 1, count)
    return torch.stack(found, dim=1)
