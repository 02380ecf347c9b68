"""Train several families under one budget, measure them the same way, and say in words what was found.

Two ideas: `compare` is a function of N run directories and their shared controls; what cannot be compared (a family that does
not support the data) is named with its reason and not dropped silently.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pushforward.app.measuring.assessing import Controls, assess, measure_controls
from pushforward.app.measuring.cases import crowded
from pushforward.app.measuring.examples import array, summarised, training_examples
from pushforward.app.measuring.kept import REPORT, held_comparison, save_comparison
from pushforward.app.measuring.pace import Measuring, announced, limit_of
from pushforward.app.measuring.repeating import mean_row
from pushforward.app.progress.line import Stage, quiet
from pushforward.app.runs.fitting import SizedPlan, fitted_together, too_short
from pushforward.app.runs.opening import reopen
from pushforward.app.runs.recognisable import foresight
from pushforward.app.runs.training import Announce, Observer, Plan, Trained, open_model, plan_training, train
from pushforward.core.errors import BadInput
from pushforward.core.files import NotWritten, write_json
from pushforward.core.finite import Astray
from pushforward.core.model import GenerativeModel
from pushforward.core.score import Score
from pushforward.core.space import Image, Space
from pushforward.core.table import Table
from pushforward.core.text import Text
from pushforward.data.dataset import Dataset
from pushforward.data.points import PointsEncoding
from pushforward.engine.budget import budget_of
from pushforward.engine.fit import Diverged, Interrupted
from pushforward.engine.history import read_history
from pushforward.evaluation.cards.comparison import compare_models
from pushforward.evaluation.cards.controls import skill
from pushforward.evaluation.measuring.statistic import Measured
from pushforward.families.build import family_class
from pushforward.families.catalogue import FAMILIES
from pushforward.provenance.lock import refuse_if_written, writing
from pushforward.provenance.run_directory import HISTORY, versions
from pushforward.report.columns import bins_of
from pushforward.report.records import Comparison, Data, Row
from pushforward.report.verdict import sentences as verdicts


@dataclass(frozen=True, repr=False)
class Compared:
    """A finished comparison: its record, where it lies, and the trained models by name."""

    comparison: Comparison
    path: Path | None
    models: dict[str, GenerativeModel]
    left_out: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """The sentence that the report begins with."""
        return verdicts.verdict(self.comparison)[0].text

    def __repr__(self) -> str:
        where = "" if self.path is None else f" The report: {self.path / REPORT}"
        return f"<{self.comparison.title}: {', '.join(self.models)}. {self.verdict}{where}>"


def supported(names: list[str] | None, space: Space, context: bool = False) -> tuple[list[str], list[str]]:
    """Return the families that support a space, and a sentence for each one left out.

    Args:
        context: the examples are about something that the family must be able to read.

    Raises:
        BadInput: an unknown family, or none is left.
    """
    chosen = [FAMILIES.resolve(name.strip()) for name in names] if names else list(FAMILIES.names())
    chosen = list(dict.fromkeys(chosen))
    wanted = f"{space.kind} with contexts" if context else space.kind
    kept = []
    for name in chosen:
        known = family_class(name).capabilities
        if space.kind in known.spaces and (not context or "context" in known.conditions):
            kept.append(name)
    left_out = [f"{name} was left out: it does not support {wanted}" for name in chosen if name not in kept]
    if not kept:
        raise BadInput(f"no family supports {wanted}", "at least one", "; ".join(left_out))
    return kept, left_out


def compare(
    dataset: Dataset,
    *,
    families: list[str] | None = None,
    budget: dict[str, float],
    preset: str = "cpu",
    settings: dict[str, Any] | None = None,
    seed: int = 0,
    seeds: int = 1,
    path: Path | None = None,
    overwrite: bool = False,
    resume: bool = False,
    measure: str | None = None,
    announce: Announce = lambda text: None,
    observe: Callable[[str], Observer] | None = None,
    stage: Stage = quiet,
    command: str = "",
) -> Compared:
    """Train, measure and report; with a `path`, leave the runs, the records and `report.html` there.

    `resume` goes on with an interrupted comparison: finished runs are kept, the one that was stopped continues.
    With several `seeds` each family is trained that often, and its row is the mean over runs with an interval that covers them.

    Args:
        measure: what measuring may take, such as `2m` or `full`; None for as long as training, see `limit_of`.
        announce: told what is decided, in sentences.
        observe: returns what is called after every step of a run's training.
        stage: returns what is told how far a stage that measures is.
    """
    names, left_out = supported(families, dataset.space, dataset.context is not None)
    labels = {(name, k): name if seeds == 1 else f"{name}-seed{seed + k}" for name in names for k in range(seeds)}
    common: dict[str, Any] = {"budget": budget, "preset": preset, "overrides": {"data": settings or {}}}
    plans = {(name, k): plan_training(name, dataset, seed=seed + k, **common) for name, k in labels}
    with nullcontext() if path is None else held_comparison(path, list(labels.values()), overwrite, resume):
        begun = {key: path / label for key, label in labels.items() if path is not None and resume}
        fits, measuring = _prepared(dataset, plans, begun, measure, announce, stage)
        told = stage("controls")
        controls = measure_controls(dataset, seed, measuring.extent.samples, settle=measuring.settle, told=told)
        _say(announce, measuring.takes(), measuring.says())
        measured: dict[str, dict[int, Row]] = {name: {} for name in names}
        models = {}
        for (name, k), label in labels.items():
            run = None if path is None else path / label
            with _left_out(label, left_out, alone=label == [*labels.values()][-1] and not models):
                trained = _train(fits[name, k].plan, run, resume, observe(label) if observe else None, announce)
                _say(announce, too_short(trained.record.steps, label))
                facts, told = vars(trained.record), stage(f"scoring {label}")
                row = assess(trained.model, dataset, controls, label, facts, rows=measuring.extent.rows, told=told)
                measured[name][seed + k], models[label] = row, trained.model
                if run is not None:
                    write_scores(run, row)
        rows = [mean_row(name, [*found.values()], [*found]) for name, found in measured.items() if found]
        spent = str(budget_of(next(iter(plans.values())).train_config))
        shared = f"{spent} for every {'family' if seeds == 1 else 'run'}"
        notes = [*left_out, *filter(None, [measuring.says()])]
        comparison = comparison_of(dataset, rows, controls, shared, preset, seed, command, notes)
        if path is not None:
            save_comparison(path, comparison)
    return Compared(comparison, path, models, tuple(left_out))


def _prepared(
    dataset: Dataset,
    plans: dict[tuple[str, int], Plan],
    begun: dict[tuple[str, int], Path],
    measure: str | None,
    announce: Announce,
    stage: Stage,
) -> tuple[dict[tuple[str, int], SizedPlan], Measuring]:
    """Return plans that fit and the limit of measuring, and say both before anything long begins."""
    stage("choosing sizes")
    fits = fitted_together(plans, begun)
    _say(announce, *dict.fromkeys(text for fit in fits.values() for text in (*fit.notes, fit.warning)))
    limit = limit_of(measure, list(fits.values()), dataset)
    _say(announce, foresight(list(fits.values())), announced(list(fits.values()), limit))
    stage("timing samples and likelihoods")
    return fits, Measuring(limit, list(fits.values()), dataset)


@contextmanager
def _left_out(label: str, left_out: list[str], *, alone: bool) -> Iterator[None]:
    """Note that a run came to nothing, if it does inside the block; the others are compared all the same, unless none is left.

    Raises:
        Diverged, Astray: it was the last of all, and no other came to anything.
    """
    try:
        yield
    except (Diverged, Astray) as failed:
        if alone:
            raise
        left_out.append(f"{label} was left out: {failed.came}")


def _say(announce: Announce, *sentences: str) -> None:
    for sentence in filter(None, sentences):
        announce(sentence)


def _header(dataset: Dataset) -> tuple[str, ...]:
    """Return the names of a table's columns, or of points that came from one."""
    if isinstance(dataset.encoding, PointsEncoding):
        return tuple(dataset.encoding.names)
    if isinstance(dataset.space, Table) and dataset.encoding:
        return tuple(map(str, dataset.encoding.decode(dataset.test.x[:1]).columns))
    return ()


def _train(plan: Plan, run: Path | None, resume: bool, observer: Observer | None, announce: Announce) -> Trained:
    """Train a run of a comparison, or go on with it if it was begun."""
    begun = resume and run is not None and run.is_dir()
    try:
        return train(plan, run, resume=begun, observer=observer, announce=announce)
    except Interrupted as stop:
        hint = "" if run is None else "add --resume to the same command to go on; finished runs are kept"
        raise Interrupted(f"{plan.family} {stop.came}", "", hint) from None


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
        rows=(*(replace(row, crowd=max(row.crowd, controls.crowd)) for row in rows), *controls.rows),
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
    image = isinstance(space, Image)
    real = controls.reference
    drawn = space.kind in ("image", "points")
    given, label = controls.given, controls.labels
    most = 200 if image else len(real)
    density, extent = density_grid(dataset)
    return Data(
        name=dataset.name,
        kind=space.kind,
        space=words_of(space),
        unit=space.unit.name,
        nats_per_unit=space.unit.nats_per_unit * mean_size(dataset),
        counts={"train": len(dataset.train), "validation": len(dataset.validation), "test": len(dataset.test)},
        fingerprint=dataset.fingerprint,
        levels=space.levels if isinstance(space, Image) else None,
        classes=dataset.classes,
        notes=(*dataset.notes, *more_notes),
        extent=extent,
        real=real[:most] if drawn else None,
        real_labels=None if label is None else label[:most],
        header=_header(dataset),
        lost=dataset.lost,
        crowded=crowded(training_examples(dataset), dataset.test),
        columns=bins_of(real, space, getattr(dataset.encoding, "words", None)) if isinstance(space, Table) else (),
        **summarised(real, dataset, real, given),
        density=density,
    )


def words_of(space: Space) -> str:
    """Return what one example is, in words."""
    if isinstance(space, Image):
        return f"{space.channels} x {space.height} x {space.width} images with {space.levels} levels"
    if isinstance(space, Text):
        return f"text in windows of {space.length} tokens, each given the one before it; {space.vocabulary} different tokens"
    if isinstance(space, Table):
        return f"rows of {space.dimensions} columns"
    return f"points with {space.dimensions} coordinates"


def mean_size(dataset: Dataset) -> float:
    """Return how many units a test example counts for: bytes of a window of text, else one."""
    return 1.0 if dataset.test.sizes is None else float(dataset.test.sizes.double().mean())


def density_grid(
    dataset: Dataset, points: int = 96
) -> tuple[np.ndarray | None, tuple[float, float, float, float] | None]:
    """Return the true density of a toy on a grid over its data, first row at the largest y, and the grid's extent."""
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
    p = dataset.density.log_prob(torch.stack([xs.flatten(), y.flatten()], 1).double()).exp().reshape(points, points)
    return p.numpy(), (float(low[0]), float(high[0]), float(low[1]), float(high[1]))


def scores_record(row: Row) -> dict[str, Any]:
    """Return a row's scores as standard JSON; each also says its aspect and where it lies between floor (0) and ceiling (1)."""
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


def compare_runs(
    runs: list[Path],
    seed: int = 0,
    data: str | None = None,
    stage: Stage = quiet,
    announce: Announce = lambda text: None,
) -> Comparison:
    """Return the comparison of runs that were trained separately on the same data, and leave its scores beside each of them.

    Args:
        stage: returns what is told how far a stage that measures is.
        announce: told of a run that takes no scores, because it may only be read or its disk is full.

    Raises:
        BadInput: runs of different data; they have no common scale.
    """
    for run in runs:
        refuse_if_written(run)  # and not only when all is measured
    opened = [open_model(run) for run in runs]
    facts = [record.manifest for _, record in opened]
    prints = {f["data"]["fingerprint"] for f in facts}
    if len(prints) > 1:
        raise BadInput(
            "runs of different data (" + ", ".join(sorted({f["data"]["name"] for f in facts})) + ")",
            "runs of one dataset and split",
            "report them one by one",
        )
    dataset = reopen(opened[0][1], data)
    controls = measure_controls(dataset, seed, told=stage("controls"))
    names = [run.name for run in runs]
    rows = []
    for run, (model, record), name in zip(runs, opened, names, strict=True):
        label = name if names.count(name) == 1 else str(run)
        history = read_history(run / HISTORY)
        fit = {**record.manifest.get("fit", {}), "history": history}
        rows.append(assess(model, dataset, controls, label, fit, told=stage(f"scoring {label}")))
        try:
            write_scores(run, rows[-1])
        except NotWritten as failed:
            announce(f"{failed.came}: its scores are on the page only")
    budgets = sorted({f.get("fit", {}).get("budget", "unfinished") for f in facts})
    budget = (
        budgets[0]
        if len(budgets) == 1
        else "different budgets (" + "; ".join(budgets) + "): read the comparison with care"
    )
    preset = ", ".join(sorted({record.config["preset"] for _, record in opened}))
    return comparison_of(
        dataset, rows, controls, budget, preset, seed, "pushforward report " + " ".join(map(str, runs))
    )
