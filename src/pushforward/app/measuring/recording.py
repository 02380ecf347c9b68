"""What is recorded of what was measured: a comparison as pages are rendered from, and a run's
scores beside it.

One idea: a record is made of rows and arrays and of nothing that could not be read again.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from pushforward.app.measuring.assessing import Controls
from pushforward.app.measuring.cases import crowded
from pushforward.app.measuring.examples import array, summarised, training_examples
from pushforward.app.measuring.measured_kind import measured_as
from pushforward.core.files import write_json
from pushforward.core.score import Score
from pushforward.data.dataset import Dataset
from pushforward.evaluation.cards.comparison import compare_models
from pushforward.evaluation.cards.controls import skill
from pushforward.evaluation.measuring.statistic import Measured
from pushforward.provenance.lock import writing
from pushforward.provenance.run_directory import versions
from pushforward.reports.records import Comparison, Data, Row


def comparison_of(
    dataset: Dataset,
    rows: list[Row],
    controls: Controls,
    budget: str,
    preset: str,
    seed: int,
    command: str,
    left_out: list[str] | None = None,
) -> Comparison:
    """Return the record that a report is rendered from."""
    return Comparison(
        title=f"Generative models of {dataset.name}",
        data=data_record(dataset, controls, tuple(left_out or ())),
        budget=budget,
        preset=preset,
        seed=seed,
        created=time.strftime("%Y-%m-%d %H:%M"),
        rows=(
            *(replace(row, crowd=max(row.crowd, controls.crowd)) for row in rows),
            *controls.rows,
        ),
        differences=tuple(compare_models({row.name: merits(row) for row in rows})),
        commands=(command,) if command else (),
        versions=versions(),
    )


def merits(row: Row) -> list[Measured]:
    """Return a row's measures that have a better and a worse: no checks."""
    return [one for one in row.measured if one.score.measure.role != "check"]


def data_record(dataset: Dataset, controls: Controls, more_notes: tuple[str, ...] = ()) -> Data:
    """Return what a report says about the data."""
    space = dataset.space
    known, real = measured_as(space), controls.reference
    drawn = known.pictured(real)
    given, label = controls.given, controls.labels
    density, extent = density_grid(dataset)
    return Data(
        name=dataset.name,
        kind=space.kind,
        space=space.described,
        unit=space.unit.name,
        nats_per_unit=space.unit.nats_per_unit * mean_size(dataset),
        counts={
            "train": len(dataset.train),
            "validation": len(dataset.validation),
            "test": len(dataset.test),
        },
        fingerprint=dataset.fingerprint,
        levels=space.levels,
        classes=dataset.classes,
        notes=(*dataset.notes, *more_notes),
        extent=extent,
        real=drawn,
        real_labels=None if label is None else label[: None if drawn is None else len(drawn)],
        header=known.header(dataset),
        lost=dataset.lost,
        crowded=crowded(training_examples(dataset), dataset.test),
        columns=known.bins(real, dataset),
        **summarised(real, dataset, real, given),
        density=density,
    )


def mean_size(dataset: Dataset) -> float:
    """Return how many units a test example counts for: bytes of a window of text, else one."""
    return 1.0 if dataset.test.sizes is None else float(dataset.test.sizes.double().mean())


def density_grid(
    dataset: Dataset, points: int = 96
) -> tuple[np.ndarray | None, tuple[float, float, float, float] | None]:
    """Return the true density of a toy on a grid over its data, first row at the largest y, and the
    grid's extent."""
    import torch

    if dataset.density is None or dataset.space.dimensions != 2:
        return None, None
    x = array(dataset.train, dataset.space)
    low, high = x.min(0), x.max(0)
    margin = 0.05 * (high - low)
    low, high = low - margin, high + margin
    step = (high - low) / points
    across = torch.from_numpy(low[0] + step[0] * (np.arange(points) + 0.5))
    down = torch.from_numpy(high[1] - step[1] * (np.arange(points) + 0.5))
    y, xs = torch.meshgrid(down, across, indexing="ij")
    p = (
        dataset.density.log_prob(torch.stack([xs.flatten(), y.flatten()], 1).double())
        .exp()
        .reshape(points, points)
    )
    return p.numpy(), (float(low[0]), float(high[0]), float(low[1]), float(high[1]))


def scores_record(row: Row) -> dict[str, Any]:
    """Return a row's scores as standard JSON; each also says its aspect and where it lies between
    floor (0) and ceiling (1)."""
    record: dict[str, Any] = {"scores": [_described(score) for score in row.all_scores]}
    if row.family and row.no_likelihood:
        record["no_likelihood"] = row.no_likelihood
    if row.memorisation:
        record["memorisation"] = {"tripped": row.memorised, "sentence": row.memorisation}
    return record


def _described(score: Score) -> dict[str, Any]:
    lies = skill(score)
    return {**score.to_json(), "skill": lies if lies is not None and math.isfinite(lies) else None}


def write_scores(run: Path, row: Row) -> None:
    """Leave a run's scores beside it.

    Raises:
        BadInput: somebody is writing there.
    """
    with writing(run):
        write_json(run / "scores.json", scores_record(row))
