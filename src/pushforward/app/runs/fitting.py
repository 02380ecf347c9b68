"""Presets fit the machine: a few timed steps choose width, batch and precision before a run with a
wall-clock budget begins.

Two ideas: what was chosen is part of the plan, so that it is written into `config.yaml` and nothing
is chosen again by `--resume`; what somebody set with `-s` is never changed. Under a budget of steps
or examples nothing is timed: equal commands give equal runs on any machine.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from pushforward.app.runs.planning import Plan
from pushforward.app.runs.resuming import computing_as
from pushforward.app.runs.smaller import smaller_examples
from pushforward.core.errors import BadInput
from pushforward.core.model import GenerativeModel
from pushforward.core.placement import here
from pushforward.core.spec import TrainConfig, parse
from pushforward.engine.budget import budget_of
from pushforward.engine.fit import fit
from pushforward.engine.fit_records import Progress
from pushforward.engine.precision import AUTO, resolved
from pushforward.engine.sizing import (
    FEWEST,
    TRAINING,
    Cost,
    SizeChoice,
    choose,
    held_out_rows,
    ladder,
    steps_in,
)
from pushforward.engine.steering import HELD_OUT_ROWS
from pushforward.families.build import family_class
from pushforward.provenance.run_directory import open_record

NARROWEST = 8  # a network of fewer features is none


@dataclass(frozen=True)
class Timed:
    """What some steps of a plan took.

    Attributes:
        cost: of a step, as a line in the batch.
        held_out: seconds of one held-out example, 0 if nothing is held out.
        spent: seconds that measuring took, with building the network.
    """

    cost: Cost
    held_out: float = 0.0
    spent: float = 0.0


@dataclass(frozen=True)
class SizedPlan:
    """A plan that fits.

    Attributes:
        plan: with what was chosen.
        step: seconds of a step; None if nothing was timed.
        steps: how many are expected.
        notes: what was decided, in sentences.
        warning: why this cannot work, empty if it can.
    """

    plan: Plan
    step: float | None
    steps: int
    notes: tuple[str, ...] = ()
    warning: str = ""

    def count(self, step: float) -> int:
        """Return how many steps of some seconds the budget has, where it is one of seconds."""
        return steps_in(budget_of(self.plan.train_config).amount, step)


Timer = Callable[[Plan], Timed]
Run = tuple[str, int]  # a family and the number of a run of it
PART = 8  # of the batch that is timed, and a quarter of it: small, so that timing what is far too slow stays short


def timed(plan: Plan, now: Callable[[], float] = time.perf_counter) -> Timed:
    """Return what a step of a plan takes, through two small batches in the real training loop."""
    began, model = now(), plan.build()
    values = plan.train_config.model_dump(exclude_none=True)
    for key in ("seconds", "examples", "ema_snapshots", "checkpoint_every", "patience"):
        values.pop(key, None)
    large = max(2, plan.train_config.batch_size // PART)
    small = max(1, large // 4)
    (first, _), (second, held_out) = (
        _steps(model, plan, {**values, "batch_size": b}, now) for b in (small, large)
    )
    return Timed(Cost.through(small, first, large, second), held_out, now() - began)


def _steps(
    model: GenerativeModel, plan: Plan, values: dict[str, Any], now: Callable[[], float]
) -> tuple[float, float]:
    """Return the seconds of a step, the shorter of two after one that warms up, and those of one
    held-out example."""
    few_steps = {"steps": 4, "evaluate_every": 1_000_000, "compile": False}
    config = parse(TrainConfig, {**values, **few_steps}, "train")
    seen: list[float] = []
    last: list[Progress] = []

    def watch(p: Progress) -> None:
        seen.append(now())
        last[:] = [p]

    rows, few = plan.dataset.train[: max(config.batch_size, 512)], plan.dataset.validation[:4]
    if not plan.labelled:
        rows, few = rows.without_labels(), few.without_labels()
    fit(model, rows, few, config, observer=watch)
    steps = [b - a for a, b in pairwise(seen[:-1])]  # the last one also evaluates
    return min(steps), last[0].evaluating / max(1, len(few))


def fitted(plan: Plan, timer: Timer = timed) -> SizedPlan:
    """Return the plan with width, batch and precision that fit its wall-clock budget; as it is
    under a budget of steps.

    Args:
        plan: from `plan_training`.
        timer: measures; a test brings its own.
    """
    budget = budget_of(plan.train_config)
    if budget.measure != "seconds":
        return SizedPlan(plan, None, _counted(plan))
    if plan.preset == "smoke" or plan.teaching is not None:
        return SizedPlan(plan, None, 0)
    found: dict[float, Timed] = {}

    def cost(share: float) -> tuple[Cost, float]:
        found[share] = timer(resized(plan, share, plan.train_config.batch_size))
        return found[share].cost, found[share].spent

    rungs = ladder(
        plan.train_config.batch_size, plan.free("model.width"), plan.free("train.batch_size")
    )
    choice = choose(rungs, budget.amount, cost)
    return _settled(plan, choice, found[choice.rung.width], timer)


def fitted_together(
    plans: Mapping[Run, Plan], begun: Mapping[Run, Path], timer: Timer = timed
) -> dict[Run, SizedPlan]:
    """Return plans of several runs that fit: those of one family share their sizes, those that were
    begun keep theirs.

    Args:
        plans: by family and number of the run.
        begun: directories of runs that may be gone on with.
        timer: measures.
    """
    found: dict[Run, SizedPlan] = {}
    shared: dict[str, SizedPlan] = {}
    for key, plan in plans.items():
        kept = as_recorded(plan, begun[key]) if key in begun else None
        if kept is not None:
            found[key] = SizedPlan(kept, None, 0)
            continue
        if key[0] not in shared:
            shared[key[0]] = fitted(plan, timer)
        found[key] = replace(shared[key[0]], plan=like(plan, shared[key[0]].plan))
    return found


def like(plan: Plan, other: Plan) -> Plan:
    """Return a plan with the sizes that were chosen for another one of its family, budget and kind
    of data."""
    chosen = other.fitted
    return _with(plan, chosen.get("train", {}), chosen.get("model", {})) if chosen else plan


def _settled(plan: Plan, choice: SizeChoice, measured: Timed, timer: Timer) -> SizedPlan:
    """Put a choice into the plan: its precision and its held-out examples follow, and what there is
    to say."""
    seconds = budget_of(plan.train_config).amount
    sized, step = resized(plan, choice.rung.width, choice.rung.batch), choice.seconds
    changes: dict[str, Any] = {}
    automatic = plan.free("train.precision") and plan.train_config.precision == "auto"
    if automatic and resolved(AUTO, here().type).dtype is not None:
        full = timer(_with(sized, {"precision": "float32"})).cost.seconds(choice.rung.batch)
        if full < step:
            changes["precision"], step = "float32", full
    if plan.free("train.held_out_rows"):
        rows = held_out_rows(
            seconds, measured.held_out, min(HELD_OUT_ROWS, len(plan.dataset.validation))
        )
        if rows is not None:
            changes["held_out_rows"] = rows
    sized = _with(sized, changes)
    steps = steps_in(seconds, step)
    return SizedPlan(
        sized, step, steps, _notes(plan, sized, step, steps), shortage(sized, step, steps)
    )


def resized(plan: Plan, share: float, batch: int) -> Plan:
    """Return a plan with a share of its width and another batch, whose learning rate falls with the
    root of the batch.

    A gradient of fewer examples has more noise, of standard deviation `1 / sqrt(batch)`; Adam's
    steps are scaled by it.
    """
    model, train = {}, {}
    if share < 1.0:
        fields = family_class(plan.family).config_type.model_fields
        width = int(plan.model_values.get("width", fields["width"].default))
        # every attention head has an even number of features
        unit = (
            2 * int(plan.model_values.get("heads", fields["heads"].default))
            if "heads" in fields
            else NARROWEST
        )
        model["width"] = min(width, max(NARROWEST, unit, unit * round(share * width / unit)))
    before = plan.train_config.batch_size
    if batch != before:
        train["batch_size"] = batch
        parts = plan.train_config.accumulate
        if parts > 1 and plan.free("train.accumulate"):  # parts stay as large as they are
            train["accumulate"] = max(1, math.ceil(parts * batch / before))
        if plan.free("train.learning_rate"):
            rate = plan.train_config.learning_rate * (batch / before) ** 0.5
            train["learning_rate"] = float(f"{rate:.2g}")
    return _with(plan, train, model)


def _with(plan: Plan, train: dict[str, Any], model: dict[str, Any] | None = None) -> Plan:
    """Return a plan with other settings, remembered as chosen by the machine."""
    model = model or {}
    kept = {section: dict(plan.fitted.get(section, {})) for section in ("model", "train")}
    kept["model"] |= model
    kept["train"] |= train
    config = {**plan.train_config.model_dump(exclude_none=True), **train}
    return replace(
        plan,
        model_values={**plan.model_values, **model},
        train_config=parse(TrainConfig, config, "train"),
        fitted={section: values for section, values in kept.items() if values},
    )


def as_recorded(plan: Plan, path: Path) -> Plan | None:
    """Return a plan with what was chosen when the run at `path` began, for `--resume`: nothing is
    timed again, and a device computes as it did unless something else is asked for.

    None where no run can be read: nothing was trained there yet, or `train` says what is wrong with
    it.

    Raises:
        BadInput: a precision of the run that the device of now has not.
    """
    try:
        config = open_record(path).config
    except BadInput:
        return None
    chosen, plan = config.get("fitted") or {}, computing_as(plan, path)
    train = {k: v for k, v in chosen.get("train", {}).items() if plan.free(f"train.{k}")}
    model = {k: v for k, v in chosen.get("model", {}).items() if plan.free(f"model.{k}")}
    return _with(plan, train, model) if train or model else plan


def _counted(plan: Plan) -> int:
    budget = budget_of(plan.train_config)
    per_step = plan.train_config.batch_size if budget.measure == "examples" else 1
    return max(1, -(-int(budget.amount) // per_step))


def _notes(before: Plan, after: Plan, step: float, steps: int) -> tuple[str, ...]:
    said = []
    old = before.config()
    for section, values in after.fitted.items():
        for key, value in values.items():
            was = old[section].get(key)
            said.append(
                f"{key.replace('_', ' ')} {value}" + ("" if was is None else f" (preset {was})")
            )
    if not said:
        return ()
    budget = budget_of(after.train_config)
    return (
        f"{after.family}, fitted to {budget} on this machine: {', '.join(said)}; about {steps:,} steps of {step:.2g} s",
    )


def shortage(plan: Plan, step: float, steps: int) -> str:
    """Return why a run cannot learn in its budget and what to change; empty if it can."""
    if steps >= FEWEST:
        return ""
    budget = budget_of(plan.train_config)
    wanted = FEWEST * step / TRAINING
    other = smaller_examples(plan.dataset.space)
    return (
        f"only about {steps} steps of {step:.2g} s fit into {budget} for {plan.family}, and fewer than {FEWEST} teach next to "
        f"nothing: give at least `--budget {_rounded(wanted)}`{other}, or a smaller network (`-s model.width=...`)"
    )


def too_short(steps: int, family: str) -> str:
    """Return what a finished run of few steps must say of itself; empty for others.

    Example:
        >>> too_short(12, "vae")
        'vae did 12 steps only: fewer than 100 teach next to nothing, so look at its samples and scores as at an untrained model'
        >>> too_short(100, "vae")
        ''
    """
    if steps >= FEWEST:
        return ""
    return (
        f"{family} did {steps} step{'s' if steps != 1 else ''} only: fewer than {FEWEST} teach next to nothing, "
        "so look at its samples and scores as at an untrained model"
    )


def _rounded(seconds: float) -> str:
    """Return a time as `--budget` takes it, rounded up."""
    if seconds < 120:
        return f"{10 * (int(seconds) // 10 + 1)}s"
    minutes = int(seconds) // 60 + 1
    return f"{minutes}m" if minutes < 120 else f"{minutes // 60 + 1}h"
