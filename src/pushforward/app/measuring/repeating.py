"""One row per family from several training runs.

One idea: what a reader sees of a family is a mean over seeds whose interval covers the seeds; the
runs stay visible beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pushforward.core.errors import BadInput
from pushforward.evaluation.likelihood.repeats import over_seeds
from pushforward.reports.records import Number, Row, key_of


def mean_row(name: str, rows: Sequence[Row], seeds: Sequence[int]) -> Row:
    """Return the row of a family from the rows of its runs; pictures, history and trajectory are
    the first run's.

    Copying in one run is copying: the check of the first run that tripped is the one shown.

    Raises:
        BadInput: no rows, or rows and seeds of different number.
    """
    if not rows or len(rows) != len(seeds):
        raise BadInput(
            f"{len(rows)} rows and {len(seeds)} seeds", "one row for each seed, at least one"
        )
    first = rows[0]
    if len(rows) == 1:
        return replace(first, name=name)
    keys = [key_of(score) for score in first.scores]
    scores = [over_seeds([s for row in rows if (s := row.score(key)) is not None]) for key in keys]
    likelihoods = [row.likelihood for row in rows if row.likelihood is not None]
    nats = [row.nats for row in rows if row.nats is not None]
    tripped = [(seed, row) for seed, row in zip(seeds, rows, strict=True) if row.memorised]
    sentence = (
        f"Seed {tripped[0][0]}: {tripped[0][1].memorisation}" if tripped else first.memorisation
    )
    return replace(
        first,
        name=name,
        steps=round(np.mean([row.steps or 0 for row in rows])),
        train_seconds=_mean([row.train_seconds for row in rows]),
        seconds_per_1000=_mean([row.seconds_per_1000 for row in rows]),
        stopped_because="; ".join(dict.fromkeys(row.stopped_because for row in rows)),
        likelihood=over_seeds(likelihoods) if len(likelihoods) == len(rows) else None,
        scores=tuple(scores),
        measured=(),  # of one run; several are compared by the intervals of their means
        nats=np.concatenate(nats) if len(nats) == len(rows) else None,
        memorised=bool(tripped) if first.memorised is not None else None,
        memorisation=sentence,
        repeats=tuple(_numbers(row, seed) for row, seed in zip(rows, seeds, strict=True)),
    )


def _numbers(row: Row, seed: int) -> dict[str, Number]:
    found: dict[str, Number] = {"seed": seed, "steps": row.steps}
    if row.likelihood is not None:
        found["held-out likelihood"] = row.likelihood.value
    return {**found, **{score.name: score.value for score in row.scores}}


def _mean(values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return float(np.mean(known)) if known else None
