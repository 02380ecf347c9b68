"""Presets fit the machine: a few timed steps choose which one, its width, batch and precision before
a run with a wall-clock budget begins.

Two ideas: what was chosen is part of the plan, so that it is written into `config.yaml` and nothing
is chosen again by `--resume`; what somebody set with `-s` is never changed. Under a budget of steps
or examples nothing is timed: equal commands give equal runs on any machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import nn

from pushforward.app.runs.choosing import chosen, told
from pushforward.app.runs.planning import Plan
from pushforward.app.runs.resizing import resized, with_settings
from pushforward.app.runs.resuming import computing_as
from pushforward.app.runs.smaller import smaller_examples
from pushforward.app.runs.timing import Timed, Timer, timed
from pushforward.core.errors import BadInput
from pushforward.core.placement import here
from pushforward.core.preset import NAMES, REQUIRED
from pushforward.engine.budget import budget_of
from pushforward.engine.precision import AUTO, resolved
from pushforward.engine.sizing import (
    FEWEST,
    KEPT,
    TIMING,
    TRAINING,
    Cost,
    Rung,
    SizeChoice,
    choose,
    held_out_rows,
    ladder,
    steps_in,
)
from pushforward.engine.steering import HELD_OUT_ROWS
from pushforward.provenance.run_directory import RunRecord, open_record, steps_before


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


CLEARLY = 0.95  # share of a step that another layout must come to: timing is noisy
Run = tuple[str, int]  # a family and the number of a run of it


def fitted(plan: Plan, timer: Timer = timed) -> SizedPlan:
    """Return the plan with preset, width, batch and precision that fit its wall-clock budget; as it
    is under a budget of steps.

    Args:
        plan: from `plan_training`.
        timer: measures; a test brings its own.

    Raises:
        BadInput: a budget in which not one step fits.
    """
    budget = budget_of(plan.train_config)
    if budget.measure != "seconds":
        return SizedPlan(plan, None, _counted(plan))
    if plan.preset == "smoke" or plan.teaching is not None:
        return SizedPlan(plan, None, 0)
    best = chosen(plan, timer)
    found: dict[float, Timed] = {}
    if best is not None:
        if best.enough:
            return _settled(best.plan, best.size, best.measured, timer)
        plan, found[best.size.rung.width] = best.plan, best.measured
    elif plan.preset not in REQUIRED:  # tuned for a short time: its own sizes come first
        found[1.0] = timer(plan)
        batch = plan.train_config.batch_size
        whole = SizeChoice(Rung(1.0, batch), found[1.0].cost.seconds(batch))
        if steps_in(budget.amount, whole.seconds) >= FEWEST:
            return _settled(plan, whole, found[1.0], timer)

    def cost(share: float) -> tuple[Cost, float]:
        if share not in found:
            found[share] = timer(resized(plan, share, plan.train_config.batch_size))
        return found[share].cost, found[share].spent

    rungs = ladder(
        plan.train_config.batch_size, plan.free("model.width"), plan.free("train.batch_size")
    )
    choice = choose(rungs, budget.amount, cost, KEPT if plan.preset in REQUIRED else FEWEST)
    if choice.seconds > budget.amount:
        raise BadInput(
            f"--budget {budget.amount:g}s for {plan.family}, of which one step takes {choice.seconds:.2g} s at its smallest",
            f"at least `--budget {in_words(choice.seconds / TRAINING)}`; {FEWEST} steps, which teach something, "
            f"take `--budget {in_words(FEWEST * choice.seconds / TRAINING)}`",
            f"give it more{smaller_examples(plan.dataset.space)}",
        )
    plan = plan if best is None else best.narrowed(choice)
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
    if plan.with_preset is not None and plan.preset != other.preset:
        plan = plan.with_preset(other.preset)
    plan, sizes = replace(plan, choice=other.choice), other.fitted
    return with_settings(plan, sizes.get("train", {}), sizes.get("model", {})) if sizes else plan


def _settled(plan: Plan, choice: SizeChoice, measured: Timed, timer: Timer) -> SizedPlan:
    """Put a choice into the plan: its precision and its held-out examples follow, and what there is
    to say."""
    seconds = budget_of(plan.train_config).amount
    sized, step = resized(plan, choice.rung.width, choice.rung.batch), choice.seconds
    changes, step = _best_arithmetic(sized, SizeChoice(choice.rung, step), measured, timer)
    if plan.free("train.held_out_rows"):
        rows = held_out_rows(
            seconds, measured.held_out, min(HELD_OUT_ROWS, len(plan.dataset.validation))
        )
        if rows is not None:
            changes["held_out_rows"] = rows
    sized = with_settings(sized, changes)
    steps = steps_in(seconds, step)
    return SizedPlan(
        sized, step, steps, _notes(plan, sized, step, steps), shortage(sized, step, steps)
    )


def _best_arithmetic(
    plan: Plan, choice: SizeChoice, measured: Timed, timer: Timer
) -> tuple[dict[str, Any], float]:
    """Return in which precision and layout this device computes fastest, where nobody chose them, and
    the seconds of a step then: processors differ, so they are asked."""
    changes: dict[str, Any] = {}
    step, batch = choice.seconds, choice.rung.batch
    config, seconds = plan.train_config, budget_of(plan.train_config).amount
    trials: list[tuple[dict[str, Any], float]] = []
    automatic = plan.free("train.precision") and config.precision == "auto"
    if automatic and resolved(AUTO, here().type).dtype is not None:
        trials.append(({"precision": "float32"}, 1.0))
    cheap = measured.spent < TIMING * seconds / 2
    if plan.free("train.channels_last") and cheap and _has_filters(plan):
        trials.append(({"channels_last": not config.channels_last}, CLEARLY))
    for trial, share in trials:
        took = timer(with_settings(plan, {**changes, **trial})).cost.seconds(batch)
        if took < share * step:
            changes, step = {**changes, **trial}, took
    return changes, step


def _has_filters(plan: Plan) -> bool:
    networks = plan.build().networks().values()
    return any(isinstance(module, nn.Conv2d) for net in networks for module in net.modules())


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
    preset = config.get("preset")
    if plan.with_preset is not None and preset in NAMES and preset != plan.preset:
        plan = plan.with_preset(preset)
    plan = replace(computing_as(plan, path), choice=config.get("choice") or {})
    sizes = config.get("fitted") or {}
    train = {k: v for k, v in sizes.get("train", {}).items() if plan.free(f"train.{k}")}
    model = {k: v for k, v in sizes.get("model", {}).items() if plan.free(f"model.{k}")}
    return with_settings(plan, train, model) if train or model else plan


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
        return tuple(told(after))
    budget = budget_of(after.train_config)
    # a choice says how many steps it was made for, and its few timed ones are not those of now
    count = (
        f"a step takes {step:.2g} s" if after.choice else f"about {steps:,} steps of {step:.2g} s"
    )
    return (
        *told(after),
        f"{after.family}, fitted to {budget} on this machine: {', '.join(said)}; {count}",
    )


def shortage(plan: Plan, step: float, steps: int) -> str:
    """Return why a run cannot learn in its budget and what to change; empty if it can."""
    if steps + steps_before(plan.origin) >= FEWEST:
        return ""
    budget = budget_of(plan.train_config)
    wanted = FEWEST * step / TRAINING
    other = smaller_examples(plan.dataset.space)
    # where a preset was chosen, a smaller network may be of another one unless it is named
    open_ = plan.with_preset is not None or plan.preset not in REQUIRED
    named = f"--preset {plan.preset} " if open_ else ""
    smaller = f", or a smaller network (`{named}-s model.width=...`)"
    if plan.origin:  # the weights of another run fit networks of its sizes
        smaller = ""
    return (
        f"only about {steps} steps of {step:.2g} s fit into {budget} for {plan.family}, and fewer than {FEWEST} teach "
        f"little: give at least `--budget {in_words(wanted)}`{other}{smaller}"
    )


def too_short(steps: int, family: str) -> str:
    """Return what a finished run of few steps must say of itself; empty for others.

    Example:
        >>> too_short(12, "vae")
        'vae did 12 steps only: fewer than 100 teach little, so look at its samples and scores as at a hardly trained model'
        >>> too_short(100, "vae")
        ''
    """
    if steps >= FEWEST:
        return ""
    return (
        f"{family} did {steps} step{'s' if steps != 1 else ''} only: fewer than {FEWEST} teach little, "
        "so look at its samples and scores as at a hardly trained model"
    )


def hardly_trained(record: RunRecord) -> str:
    """Return what is to be said wherever a run of few steps is used, those of the run that it began
    with among them; empty for others."""
    return "" if record.steps is None else too_short(record.steps, record.path.name)


def in_words(seconds: float) -> str:
    """Return a time as `--budget` takes it, rounded up."""
    if seconds < 9:
        return f"{int(seconds) + 1}s"
    if seconds < 120:
        return f"{10 * (int(seconds) // 10 + 1)}s"
    minutes = int(seconds) // 60 + 1
    return f"{minutes}m" if minutes < 120 else f"{minutes // 60 + 1}h"
