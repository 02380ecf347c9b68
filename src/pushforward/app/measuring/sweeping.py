"""How good samples are for so many network calls, with every solver that a run can walk.

One idea: solvers are compared at equal calls, not at equal steps, on the same real examples,
conditions and seeds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pushforward.app.measuring.assessing import MOST_SAMPLES
from pushforward.app.measuring.cases import FEWEST
from pushforward.app.measuring.examples import array, drawn_places, held_out, training_array
from pushforward.app.progress.line import Told, untold
from pushforward.app.runs.opening import reopen
from pushforward.app.runs.training import open_model
from pushforward.core.errors import BadInput, RunFailed, Unsupported, unknown
from pushforward.core.finite import Astray
from pushforward.core.given import Examples
from pushforward.core.in_memory import InMemory
from pushforward.core.model import GenerativeModel
from pushforward.core.score import Score
from pushforward.core.walk import spending
from pushforward.evaluation.distribution.frechet import frechet_distance
from pushforward.evaluation.features.default import default_features
from pushforward.evaluation.features.named import Features
from pushforward.reports.page.sweep_page import Sweep, SweepPoint

CALLS = (4, 8, 16, 32, 64)


def affordable(calls_of: Callable[[int], float], budget: int) -> int | None:
    """Return the largest number of steps that costs at most `budget` calls, None if one step costs
    more.

    Example:
        >>> affordable(lambda steps: 2 * steps - 1, 8), affordable(lambda steps: 11 * steps, 8)
        (4, None)
    """
    return next((steps for steps in range(budget, 0, -1) if calls_of(steps) <= budget), None)


def sweep(
    run: Path,
    calls: Sequence[int] = CALLS,
    solvers: Sequence[str] = (),
    data: str | InMemory | None = None,
    n: int | None = None,
    seed: int = 0,
    told: Told = untold,
) -> Sweep:
    """Sample a run with every solver at every number of calls, and measure the samples.

    Args:
        solvers: names, empty for all that the run can walk.
        data: reference data, None for the run's own test split.
        n: samples for each place, None for as many as the reference has, at most 2,000.
        told: called with the share that is done and what comes next.

    Raises:
        Unsupported: a run that has no solvers.
        BadInput: no or less than one call, an unknown solver, or too little data.
    """
    model, record = open_model(run)
    chosen = _solvers(model, solvers)
    if not calls or min(calls) < 1:
        raise BadInput(
            f"calls {', '.join(map(str, calls)) or 'none'}", "numbers of network calls, 1 or more"
        )
    dataset = reopen(record, data)
    train, test = training_array(dataset), held_out(model, dataset)
    count = min(len(test), len(train) // 2, n or MOST_SAMPLES)
    if count < FEWEST:
        raise BadInput(
            f"{count} examples to compare", f"at least {FEWEST}", "bring more data or raise -n"
        )
    asked = test[torch.from_numpy(drawn_places(len(test), count, seed))]
    half = drawn_places(
        len(train), count, seed
    )  # the ceiling, which features must not have learned from
    features = default_features(dataset.space, np.delete(train, half, axis=0), seed)[0]
    measured = _Measured(model, asked, features(array(asked, dataset.space)), features, seed)
    found, left_out = measured.places(chosen, sorted(set(calls)), told, strict=bool(solvers))
    if not found:
        raise Unsupported(
            f"a sweep of {run}", "a solver that can take a step", "; ".join(dict.fromkeys(left_out))
        )
    ceiling = measured.score(features(train[half]))
    return Sweep(
        run.name, dataset.name, features.name, count, seed, tuple(found), ceiling, tuple(left_out)
    )


def _solvers(model: GenerativeModel, wanted: Sequence[str]) -> Sequence[str]:
    """Return the solvers that were asked for, all that a model has where none was."""
    known = model.capabilities.solver_names
    if not known:
        raise Unsupported(
            f"solvers of {model.family}", "a run that samples step by step", "sweep a diffusion run"
        )
    for name in wanted:
        if name not in known:
            raise BadInput(*unknown("solver", name, known))
    return wanted or known


@dataclass(frozen=True)
class _Measured:
    model: GenerativeModel
    asked: Examples
    reference: Any
    features: Features
    seed: int

    def places(
        self, solvers: Sequence[str], budgets: Sequence[int], told: Told, *, strict: bool
    ) -> tuple[list[SweepPoint], list[str]]:
        """Return what every solver makes of every budget, and why some make nothing; strict: a
        solver may not be left out."""
        found, left_out, at = [], [], 0
        for solver in solvers:
            try:
                self.calls(solver, 1)
            except Unsupported as refusal:
                if strict:
                    raise
                left_out.append(f"Left out is {refusal.came}: expected {refusal.expected}")
                continue
            for budget in budgets:
                told(at / max(1, len(solvers) * len(budgets)), f"{solver}, {budget} calls")
                at += 1
                place = self.place(solver, budget)
                if isinstance(place, SweepPoint):
                    found.append(place)
                else:
                    left_out.append(place)
        return found, left_out

    def place(self, solver: str, budget: int) -> SweepPoint | str:
        """Return what a solver makes of a budget, or why it makes nothing."""
        steps = affordable(lambda steps: self.calls(solver, steps), budget)
        if steps is None:
            return f"{solver}: one step costs {self.calls(solver, 1):g} calls, more than {budget}"
        given = self.asked.given
        try:
            with spending() as spent:
                x = self.model.sample(
                    len(self.asked), given=given, seed=self.seed, solver=solver, steps=steps
                )
        except RunFailed as failure:
            # a solver that chooses its steps may not arrive in so few
            return f"{budget} calls: {failure.came}"
        except Astray as lost:
            return f"{solver} with {budget} calls: {lost.came}"
        score = self.score(self.features(array(x, self.model.space)))
        return SweepPoint(solver, budget, steps, spent.per_example, score)

    def calls(self, solver: str, steps: int) -> float:
        """Return the network calls of a sample, at most: what a budget has to cover."""
        first = None if self.asked.given is None else self.asked.given[:1]
        return float(self.model.walk(1, given=first, solver=solver, steps=steps).calls)

    def score(self, samples: Any) -> Score:
        """Return the plug-in distance: all places are of one size."""
        found = frechet_distance(
            samples, self.reference, self.features.name, self.features.fingerprint
        )
        return found[0]
