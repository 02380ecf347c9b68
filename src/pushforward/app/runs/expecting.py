"""What a training is expected to take, before it begins: seconds a step, steps, memory, and what to
change.

One idea: everything is measured on a few examples of the data with the network itself, and drawn
out along a line in the batch.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import Tensor

from pushforward.app.progress.line import duration
from pushforward.app.runs.fitting import SizedPlan
from pushforward.app.runs.planning import Plan
from pushforward.app.runs.recognisable import foresight
from pushforward.app.runs.timing import Timer, timed
from pushforward.core.noise import StepNoise
from pushforward.core.placement import PROCESSOR, computing_on
from pushforward.engine.budget import budget_of
from pushforward.engine.regions import once_differentiated, recomputed
from pushforward.engine.sizing import FEWEST, KEPT

MEGA = 1e6


@dataclass(frozen=True)
class TrainingMemory:
    """Bytes that training takes, beside the program and the data.

    Attributes:
        weights: themselves, their average and the best average so far.
        optimiser: gradients and two moments of Adam.
        activations: what one part of a batch keeps for its gradient.

    Example:
        >>> TrainingMemory(3.0, 3.0, 4.0).total
        10.0
    """

    weights: float
    optimiser: float
    activations: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.weights + self.optimiser + self.activations


def expected(fits: SizedPlan, timer: Timer = timed) -> dict[str, Any]:
    """Return what `train --dry-run` says of a plan.

    Args:
        fits: from `fitted`.
        timer: measures a step where `fitted` had no need to; a test brings its own.

    Returns:
        `seconds_per_step`, `steps`, `seconds` (the whole training), `memory_mb` and its parts (see
        `TrainingMemory`), and `change`: what to do about it, a list of sentences, empty if
            nothing is wrong.
    """
    plan, budget = fits.plan, budget_of(fits.plan.train_config)
    step = (
        fits.step
        if fits.step is not None
        else timer(plan).cost.seconds(plan.train_config.batch_size)
    )
    if budget.measure == "seconds":
        steps, seconds = fits.count(step), budget.amount
    else:
        steps, seconds = fits.steps, fits.steps * step
    found = memory(plan)
    record = {
        "seconds_per_step": float(f"{step:.3g}"),
        "steps": steps,
        "seconds": float(f"{seconds:.3g}"),
        "memory_mb": round(found.total / MEGA),
        "memory_parts_mb": {part: round(size / MEGA, 1) for part, size in asdict(found).items()},
    }
    return {**record, "change": _advice(fits, steps, step, seconds)}


def _advice(fits: SizedPlan, steps: int, step: float, seconds: float) -> list[str]:
    plan, found = fits.plan, []
    budget = budget_of(plan.train_config)
    if fits.warning:
        found.append(fits.warning)
    elif steps < FEWEST:
        found.append(f"{steps} steps are fewer than {FEWEST}, which teach little: raise the budget")
    elif budget.measure == "seconds" and steps < KEPT:
        found.append(
            f"{steps} steps are few: `--budget {round(seconds * KEPT / steps)}s` would give {KEPT}"
        )
    if few := foresight([replace(fits, steps=steps)]):
        found.append(few)
    if budget.measure != "seconds" and seconds > 3600:
        found.append(
            f"this takes about {duration(seconds)} on this machine: `--budget 10m` fits the network to a time instead"
        )
    return found


def memory(plan: Plan) -> TrainingMemory:
    """Return the bytes of weights, optimiser and averages, and of what one training step keeps for
    its gradient, of one part of the batch where `train.accumulate` takes it in parts.

    What is kept is counted where autograd keeps it, at two small batches, and drawn out along a
    line; on the processor, whose bytes are those of every device.
    """
    with computing_on(PROCESSOR):
        model = plan.build()
    train = plan.dataset.train if plan.labelled else plan.dataset.train.without_labels()
    model.prepare(train[:512])
    weights = sum(p.numel() * p.element_size() for p in model.parameters())
    small, large = 1, 3

    def kept(batch: int) -> int:
        largest = 0
        noise = StepNoise(0, "memory").of(0, batch)
        losses = model.losses(train[:batch].to(model.device), noise)
        while True:
            seen: dict[int, int] = {}

            def keep(tensor: Tensor, seen: dict[int, int] = seen) -> Tensor:
                storage = tensor.untyped_storage()
                seen[storage.data_ptr()] = storage.nbytes()
                return tensor

            with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
                loss = next(losses, None)
            if loss is None:
                return largest
            largest = max(largest, sum(seen.values()))

    with recomputed(once_differentiated(model), plan.train_config.activation_checkpointing):
        few, more = kept(small), kept(large)
    each = max(0, more - few) / (large - small)
    config = plan.train_config
    part = math.ceil(config.batch_size / config.accumulate)
    return TrainingMemory(3.0 * weights, 3.0 * weights, few + each * (part - small))
