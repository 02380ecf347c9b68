"""Train several families under one budget, measure them the same way, and say in words what was
found.

Two ideas: `compare` is a function of N run directories and their shared controls; what cannot be
compared (a family that does not support the data) is named with its reason and not dropped
silently.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pushforward.app.measuring.assessing import assess, measure_controls
from pushforward.app.measuring.inquiry import Inquiry
from pushforward.app.measuring.kept import REPORT, held_comparison, save_comparison
from pushforward.app.measuring.pace import Measuring, announced, limit_of
from pushforward.app.measuring.recording import comparison_of, write_scores
from pushforward.app.measuring.repeating import mean_row
from pushforward.app.measuring.setting import require_enough
from pushforward.app.progress.line import Stage, quiet
from pushforward.app.runs.fitting import SizedPlan, fitted_together, too_short
from pushforward.app.runs.opening import reopen
from pushforward.app.runs.planning import Plan, plan_training
from pushforward.app.runs.recognisable import foresight
from pushforward.app.runs.training import Announce, Observer, Trained, open_model, train
from pushforward.core.errors import BadInput
from pushforward.core.files import NotWritten
from pushforward.core.finite import Astray
from pushforward.core.model import GenerativeModel
from pushforward.core.space import Space
from pushforward.data.dataset import Dataset
from pushforward.engine.budget import budget_of
from pushforward.engine.fit_records import Diverged, Interrupted
from pushforward.engine.history import read_history
from pushforward.families.build import family_class
from pushforward.families.catalogue import FAMILIES
from pushforward.provenance.lock import refuse_if_written
from pushforward.provenance.run_directory import HISTORY
from pushforward.reports.records import Comparison, Row
from pushforward.reports.verdict import sentences as verdicts


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


def supported(
    names: Sequence[str] | None, space: Space, context: bool = False
) -> tuple[list[str], list[str]]:
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
    left_out = [
        f"{name} was left out: it does not support {wanted}" for name in chosen if name not in kept
    ]
    if not kept:
        raise BadInput(f"no family supports {wanted}", "at least one", "; ".join(left_out))
    return kept, left_out


@dataclass(frozen=True)
class ComparisonPlan:
    """Under which conditions families are compared.

    Attributes:
        budget: of every training.
        families: which; all that support the data if None.
        preset: of every training.
        settings: of the data, for the runs' records.
        seed: of the first training, and of all that is measured.
        seeds: trainings of each family.
        measure: what measuring may take, such as `2m` or `full`; None for as long as training, see
            `limit_of`.
        target: the column of a table that is predicted; None for the last one of classes.
        command: what a page says how to reproduce it.
    """

    budget: Mapping[str, float]
    families: Sequence[str] | None = None
    preset: str = "cpu"
    settings: Mapping[str, Any] | None = None
    seed: int = 0
    seeds: int = 1
    measure: str | None = None
    target: str | None = None
    command: str = ""

    @property
    def inquiry(self) -> Inquiry:
        """What is asked of the measures."""
        return Inquiry(target=self.target)

    def labels(self, names: Sequence[str]) -> dict[tuple[str, int], str]:
        """Return what every run is called, by its family and its number."""
        runs = [(name, k) for name in names for k in range(self.seeds)]
        return {
            (name, k): name if self.seeds == 1 else f"{name}-seed{self.seed + k}"
            for name, k in runs
        }

    def training(self, name: str, k: int, dataset: Dataset) -> Plan:
        """Return the plan of a family's k-th training."""
        overrides = {"data": dict(self.settings or {})}
        common: dict[str, Any] = {
            "budget": dict(self.budget),
            "preset": self.preset,
            "overrides": overrides,
        }
        return plan_training(name, dataset, seed=self.seed + k, **common)

    def spent(self, training: Plan) -> str:
        """Return the budget that all share, in words, as one of their plans has it."""
        return (
            f"{budget_of(training.train_config)} for every {'family' if self.seeds == 1 else 'run'}"
        )


@dataclass(frozen=True)
class Callbacks:
    """Who is told how a comparison goes.

    Attributes:
        announce: told what is decided, in sentences.
        observe: returns what is called after every step of a run's training.
        stage: returns what is told how far a stage that measures is.
    """

    announce: Announce = lambda text: None
    observe: Callable[[str], Observer | None] = lambda label: None
    stage: Stage = quiet

    def say(self, *sentences: str) -> None:
        """Announce the sentences that are not empty."""
        for sentence in filter(None, sentences):
            self.announce(sentence)


NOBODY = Callbacks()


def _comparable(plan: ComparisonPlan, dataset: Dataset) -> tuple[list[str], list[str]]:
    """Return the families that can be trained on some data, and why others are left out.

    Raises:
        BadInput: none can, too few examples to compare them with, or a target that is none.
    """
    plan.inquiry.require(dataset.space)
    found = supported(plan.families, dataset.space, dataset.context is not None)
    require_enough(dataset)
    return found


def compare(
    dataset: Dataset,
    plan: ComparisonPlan,
    path: Path | None = None,
    overwrite: bool = False,
    resume: bool = False,
    tell: Callbacks = NOBODY,
) -> Compared:
    """Train, measure and report; with a `path`, leave the runs, the records and `report.html`
    there.

    `resume` goes on with an interrupted comparison: finished runs are kept, the one that was
    stopped continues. With several seeds each family is trained that often, and its row is the mean
    over runs with an interval that covers them.
    """
    names, left_out = _comparable(plan, dataset)
    labels = plan.labels(names)
    plans = {(name, k): plan.training(name, k, dataset) for name, k in labels}
    with (
        nullcontext()
        if path is None
        else held_comparison(path, list(labels.values()), overwrite, resume)
    ):
        begun = {key: path / label for key, label in labels.items() if path is not None and resume}
        fits, measuring = _prepared(dataset, plans, begun, plan.measure, tell)
        of = dataset, plan.seed, measuring.extent.samples, plan.inquiry
        controls = measure_controls(*of, settle=measuring.settle, told=tell.stage("controls"))
        tell.say(measuring.takes(), measuring.says())
        measured: dict[str, dict[int, Row]] = {name: {} for name in names}
        models = {}
        for (name, k), label in labels.items():
            run = None if path is None else path / label
            with _left_out(label, left_out, alone=label == [*labels.values()][-1] and not models):
                trained = _train(
                    fits[name, k].plan, run, resume, tell.observe(label), tell.announce
                )
                tell.say(too_short(trained.record.steps, label))
                model, facts, told = (
                    trained.model,
                    vars(trained.record),
                    tell.stage(f"scoring {label}"),
                )
                row = assess(
                    model, dataset, controls, label, facts, rows=measuring.extent.rows, told=told
                )
                measured[name][plan.seed + k], models[label] = row, model
                if run is not None:
                    write_scores(run, row)
        rows = [
            mean_row(name, [*found.values()], [*found]) for name, found in measured.items() if found
        ]
        notes = [*left_out, *filter(None, [measuring.says()])]
        shared = plan.spent(next(iter(plans.values())))
        presets = ", ".join(dict.fromkeys(fit.plan.preset for fit in fits.values()))
        comparison = comparison_of(
            dataset, rows, controls, shared, presets, plan.seed, plan.command, notes
        )
        if path is not None:
            save_comparison(path, comparison)
    return Compared(comparison, path, models, tuple(left_out))


def _prepared(
    dataset: Dataset,
    plans: dict[tuple[str, int], Plan],
    begun: dict[tuple[str, int], Path],
    measure: str | None,
    tell: Callbacks,
) -> tuple[dict[tuple[str, int], SizedPlan], Measuring]:
    """Return plans that fit and the limit of measuring, and say both before anything long
    begins."""
    tell.stage("choosing sizes")
    fits = fitted_together(plans, begun)
    tell.say(*dict.fromkeys(text for fit in fits.values() for text in (*fit.notes, fit.warning)))
    limit = limit_of(measure, list(fits.values()), dataset)
    tell.say(foresight(list(fits.values())), announced(list(fits.values()), limit))
    tell.stage("timing samples and likelihoods")
    return fits, Measuring(limit, list(fits.values()), dataset)


@contextmanager
def _left_out(label: str, left_out: list[str], *, alone: bool) -> Iterator[None]:
    """Note that a run came to nothing, if it does inside the block; the others are compared all the
    same, unless none is left.

    Raises:
        Diverged, Astray: it was the last of all, and no other came to anything.
    """
    try:
        yield
    except (Diverged, Astray) as failed:
        if alone:
            raise
        left_out.append(f"{label} was left out: {failed.came}")


def _train(
    plan: Plan, run: Path | None, resume: bool, observer: Observer | None, announce: Announce
) -> Trained:
    """Train a run of a comparison, or go on with it if it was begun."""
    begun = resume and run is not None and run.is_dir()
    try:
        return train(plan, run, resume=begun, observer=observer, announce=announce)
    except Interrupted as stop:
        hint = (
            ""
            if run is None
            else "add --resume to the same command to go on; finished runs are kept"
        )
        raise Interrupted(f"{plan.family} {stop.came}", "", hint) from None


def compare_runs(
    runs: list[Path],
    seed: int = 0,
    data: str | None = None,
    stage: Stage = quiet,
    announce: Announce = lambda text: None,
) -> Comparison:
    """Return the comparison of runs that were trained separately on the same data, and leave its
    scores beside each of them.

    Args:
        stage: returns what is told how far a stage that measures is.
        announce: told of a run that takes no scores, because it may only be read or its disk is
            full.

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
            "runs of different data ("
            + ", ".join(sorted({f["data"]["name"] for f in facts}))
            + ")",
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
        dataset,
        rows,
        controls,
        budget,
        preset,
        seed,
        "pushforward report " + " ".join(map(str, runs)),
    )
