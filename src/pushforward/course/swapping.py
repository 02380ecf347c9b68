"""Answers that passed, at work in the real training.

Two ideas: a model is built as always, and then the one function that the exercise asked for is
replaced by the student's; the same model with the library's own function is trained beside it from
the same seed, so that a right answer draws the same curve.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pushforward.app.measuring.assessing import assess, measure_controls
from pushforward.app.measuring.kept import REPORT, held_comparison, save_comparison
from pushforward.app.measuring.recording import comparison_of
from pushforward.app.runs.loading import load
from pushforward.app.runs.planning import plan_training
from pushforward.app.runs.training import Trained, train
from pushforward.core.errors import BadInput, unknown
from pushforward.core.model import GenerativeModel
from pushforward.core.space import Points
from pushforward.course.checking import judge
from pushforward.course.exercise import Answer
from pushforward.course.pictures import STYLE, cloud, curve
from pushforward.course.plugs import PLUGS, Plug
from pushforward.data.dataset import Dataset

YOURS, OURS = "yours", "the library's"
SAME = 1e-3  # what rounding may grow to over a training, relative to the size of the numbers
DRAWN, MEASURED = 400, 500


@dataclass(frozen=True)
class Swapped:
    """Two trainings that differ in one function.

    Attributes:
        name: the exercise.
        models: by name, `yours` and `the library's`.
        losses: by name, the loss at every recorded step.
        apart: the largest difference of the two losses and of samples from one seed, relative to
            their size.
        samples: by name, points from one seed.
        path: the comparison report, None if none was asked for.
    """

    name: str
    models: dict[str, GenerativeModel]
    losses: dict[str, list[float]]
    apart: float
    samples: dict[str, Tensor]
    path: Path | None

    @property
    def same(self) -> bool:
        """Whether both trainings, and their samples, are the same up to rounding."""
        return self.apart <= SAME

    def __str__(self) -> str:
        what = PLUGS[self.name].replaces
        how = (
            "the same model up to rounding"
            if self.same
            else f"they differ by up to {100 * self.apart:.1f} %"
        )
        return f"{self.name}: trained with your {what} beside the library's: {how}" + (
            "" if self.path is None else f"; report: {self.path}"
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        text, steps = str(self), list(range(1, 1 + len(self.losses[YOURS])))
        losses = curve(steps, self.losses, "record", "the losses of both")
        drawn = cloud(
            self.samples[YOURS],
            self.samples[OURS],
            "samples of your model over those of the library's, in grey",
        )
        return f'{STYLE}<div class="pf"><p>{escape(text)}</p>{losses}{drawn}</div>'


def train_with(
    name: str,
    answer: Answer,
    data: Dataset | Any = "two-moons",
    *,
    steps: int = 300,
    seed: int = 0,
    path: str | Path | None = None,
) -> Swapped:
    """Train a model with your answer in the place of the library's function, and the library's own
    beside it.

    Args:
        name: an exercise that a model can use; `PLUGS` has them.
        answer: the function, which must pass its check.
        data: points, such as two-moons, or a file of them.
        steps: of training, for either.
        path: a new directory for the comparison report.

    Raises:
        BadInput: an answer that does not pass yet, an exercise that no model uses, or data that are
            no points.

    Example:
        >>> train_with("diffusion.noise", lambda x, e, a: a.sqrt()[:, None] * x + (1 - a).sqrt()[:, None] * e, steps=5).same
        True
    """
    if name not in PLUGS:
        raise BadInput(*unknown("exercise that a model can use", name, list(PLUGS)))
    outcome = judge(name, answer, picture=False).outcome
    if not outcome:
        raise BadInput(
            f"an answer to '{name}' that does not pass yet ({outcome.says})", "one that passes"
        )
    dataset = data if isinstance(data, Dataset) else load(data)
    if not isinstance(dataset.space, Points):
        raise BadInput(f"{dataset.space.kind} for your own functions", "points, such as two-moons")
    return _trained(
        PLUGS[name], name, answer, dataset, steps, seed, None if path is None else Path(path)
    )


def _trained(
    plug: Plug,
    name: str,
    answer: Answer,
    dataset: Dataset,
    steps: int,
    seed: int,
    path: Path | None,
) -> Swapped:
    with nullcontext() if path is None else held_comparison(path, []):
        return _swapped(plug, name, answer, dataset, steps, seed, path)


def _swapped(
    plug: Plug,
    name: str,
    answer: Answer,
    dataset: Dataset,
    steps: int,
    seed: int,
    path: Path | None,
) -> Swapped:
    found: dict[str, Trained] = {}
    for label, function in ((YOURS, answer), (OURS, plug.ours)):
        plan = plan_training(
            plug.family, dataset, budget={"steps": steps}, preset="smoke", seed=seed
        )
        found[label] = train(replace(plan, alter=_installed(plug, function)))
    losses = {label: list(_losses(one)) for label, one in found.items()}
    samples = {label: one.model.sample(DRAWN, seed=seed) for label, one in found.items()}
    apart = max(
        _apart(torch.tensor(losses[YOURS]), torch.tensor(losses[OURS])), _apart(*samples.values())
    )
    models = {label: one.model for label, one in found.items()}
    report = None if path is None else _reported(plug, found, dataset, seed, path)
    return Swapped(name, models, losses, apart, samples, report)


def _reported(
    plug: Plug, found: dict[str, Trained], dataset: Dataset, seed: int, path: Path
) -> Path:
    """Measure both models beside the controls and leave the report."""
    controls = measure_controls(dataset, seed, MEASURED)
    rows = [
        assess(one.model, dataset, controls, label, vars(one.record))
        for label, one in found.items()
    ]
    budget = f"{len(found)} models, {found[YOURS].record.steps} steps for either"
    comparison = comparison_of(dataset, rows, controls, budget, "smoke", seed, "")
    save_comparison(
        path, replace(comparison, title=f"Your {plug.replaces} in {plug.family} of {dataset.name}")
    )
    return path / REPORT


def _installed(plug: Plug, function: Answer) -> Callable[[Any], None]:
    return lambda model: plug.install(model, function)


def _apart(a: Tensor, b: Tensor) -> float:
    return float((a - b).abs().max() / b.abs().max().clamp(min=1e-6))


def _losses(trained: Trained) -> Iterator[float]:
    yield from (
        float(entry["loss"]) for entry in trained.record.history if entry.get("loss") is not None
    )
