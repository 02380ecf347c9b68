"""Ask whether a family's samples help somebody who trains a predictor on the same data.

Two ideas: for every size of the real set a generator is trained on exactly that set, because one
that saw more would smuggle it in; samples that exist already can only be asked about at the size
they were made from.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypedDict, Unpack

import numpy as np
import torch

from pushforward.app.measuring.examples import array, labels_of
from pushforward.app.measuring.foreign import impossible, read_foreign, title_of
from pushforward.app.measuring.measured_kind import measured_as
from pushforward.app.measuring.parts import occurs
from pushforward.app.runs.fitting import fitted, like
from pushforward.app.runs.loading import opened
from pushforward.app.runs.planning import plan_training
from pushforward.app.runs.training import train
from pushforward.core.errors import BadInput, Unsupported
from pushforward.core.given import Examples, Given
from pushforward.core.in_memory import InMemory
from pushforward.core.model import GenerativeModel
from pushforward.core.rng import derive_seed
from pushforward.data.dataset import Dataset
from pushforward.evaluation.usefulness.augmentation import Drawn, Usefulness, usefulness
from pushforward.evaluation.usefulness.learners import Task, task_of

FEWEST = 20
Step = Callable[[int, int], None]


@dataclass(frozen=True)
class Augmented:
    """What was asked and what was found.

    Attributes:
        data: name of the data.
        generator: who made the synthetic examples.
        task: what was predicted.
        test: number of real test examples.
        seeds: draws of every size.
        found: every training set and its worth.
        notes: what has to be said before the numbers are believed.
    """

    data: str
    generator: str
    task: Task
    test: int
    seeds: int
    found: tuple[Usefulness, ...]
    notes: tuple[str, ...] = ()


class Design(TypedDict, total=False):
    """Which sets predictors are trained on.

    Attributes:
        sizes: of the real set, as numbers of examples or shares of train (0.1, `10%`, `all`); 10 %,
            33 % and all by default.
        ratios: synthetic examples for each real one; 1 and 4 by default.
        seeds: draws of every size; 3 by default.
        seed: where the seeds start.
        target: a table's column to predict; elsewhere the labels are.
    """

    sizes: Sequence[int | float | str]
    ratios: Sequence[float]
    seeds: int
    seed: int
    target: str | None


def augment_family(
    family: str,
    data: Any,
    *,
    budget: dict[str, float],
    settings: Mapping[str, Any] | None = None,
    overrides: dict[str, dict[str, Any]] | None = None,
    step: Step | None = None,
    **design: Unpack[Design],
) -> Augmented:
    """Train generators on real sets of some sizes, and predictors on real, synthetic and both.

    Args:
        family: which generator, such as `vae` or `autoregressive:made`. The validation split
            chooses its weights, as in any training; it is trained on nothing but the real set.
        data: a built-in name or a path.
        budget: of every training of a generator.
        settings: how to read the data.
        overrides: settings of the model and its training.
        step: called with how many draws are done, and of how many.
        design: see `Design`; each draw of a size has a generator of its own.

    Raises:
        BadInput: nothing to predict, or a size beyond the training examples.
        Unsupported: text, or a family that does not support the data.
    """
    dataset = opened(data, settings)
    task, (test, told) = _task(dataset, design.get("target"))
    counts, ratios = _sizes(dataset, design.get("sizes", ())), design.get("ratios", (1.0, 4.0))
    seeds = design.get("seeds", 3)
    # a family that cannot is refused before the first predictor is trained
    whole = plan_training(family, dataset, budget=budget, overrides=overrides)
    whole.build()
    whole = fitted(whole).plan  # once, for every size of the real set

    def draw(size: int, own: int) -> Drawn:
        rows = torch.from_numpy(np.random.default_rng(own).permutation(len(dataset.train))[:size])
        fewer = replace(dataset, train=dataset.train[rows])
        plan = plan_training(family, fewer, budget=budget, seed=own % 2**31, overrides=overrides)
        model = train(like(plan, whole)).model
        return _drawn(model, fewer, task, max(ratios), own)

    drawing = _counted(draw, len(counts) * seeds, step)
    found = usefulness(drawing, task, test, told, counts, ratios, seeds, design.get("seed", 0))
    return Augmented(dataset.name, family, task, len(test), seeds, tuple(found))


def augment_samples(
    samples: Path | InMemory,
    data: Any,
    *,
    ratios: Sequence[float] = (),
    seeds: int = 3,
    target: str | None = None,
    settings: Mapping[str, Any] | None = None,
    seed: int = 0,
    step: Step | None = None,
) -> Augmented:
    """Ask about samples that any other tool made from all of train.

    Args:
        samples: a file or folder, with labels where the data have them.
        data: the real data they were made from.
        ratios: synthetic examples for each real one; all of the samples by default.
        seeds: orders of the samples and predictors; the generator behind the samples is one, and
            its luck is not covered.
        target: a table's column to predict.
        settings: how to read both.
        seed: where the seeds start.
        step: called with how many draws are done, and of how many.
    """
    dataset = opened(data, settings)
    task, (test, told) = _task(dataset, target)
    made, odd = read_foreign(samples, dataset, labels=True)
    if odd and len(made) < FEWEST:
        raise BadInput(impossible(odd, len(made), samples)[0], f"{FEWEST} rows that can")
    x, y = _targets(made, dataset, task)
    real, real_target = _targets(dataset.train, dataset, task)

    def draw(size: int, own: int) -> Drawn:
        order = np.random.default_rng(own).permutation(len(x))
        return Drawn(real, real_target, x[order], y[order])

    leaked = _leaked(made, dataset, samples)
    notes = (*leaked, *impossible(odd, len(made), samples))
    ratios = ratios or (len(x) / len(real),)
    found = usefulness(
        _counted(draw, seeds, step), task, test, told, [len(real)], ratios, seeds, seed
    )
    found = [
        replace(one, verdict="leaked" if one.verdict and leaked else one.verdict) for one in found
    ]
    return Augmented(dataset.name, title_of(samples), task, len(test), seeds, tuple(found), notes)


def _counted(
    draw: Callable[[int, int], Drawn], of: int, step: Step | None
) -> Callable[[int, int], Drawn]:
    """Return what draws and tells how many draws are done."""
    done = 0

    def counted(size: int, seed: int) -> Drawn:
        nonlocal done
        found = draw(size, seed)
        done += 1
        if step is not None:
            step(done, of)
        return found

    return counted


def _leaked(made: Examples, dataset: Dataset, samples: Path | InMemory) -> tuple[str, ...]:
    """Say how many test examples occur among the samples, if more do than occur in train by
    themselves."""
    test = dataset.part("test").x
    seen, usual = int(occurs(test, made.x).sum()), int(occurs(test, dataset.train.x).sum())
    if seen <= usual + 3 * max(1.0, usual) ** 0.5:
        return ()
    of = f"{seen:,} of the {len(test):,} real test examples occur in {samples}, {usual:,} in the training examples"
    return (
        f"{of}: whoever made these samples saw the test data, so whatever they gain here is leakage and no help",
    )


def _task(dataset: Dataset, target: str | None) -> tuple[Task, tuple[np.ndarray, np.ndarray]]:
    if not measured_as(dataset.space).has_target:
        raise Unsupported(
            f"predictors of {dataset.name}", "images, points or a table", "text has no target here"
        )
    task = task_of(
        dataset.space,
        dataset.classes,
        target,
        dataset.train.x.numpy() if target is not None else None,
    )
    return task, _targets(dataset.test, dataset, task)


def _targets(examples: Examples, dataset: Dataset, task: Task) -> tuple[np.ndarray, np.ndarray]:
    """Return examples with what is to be predicted; rows of a table without a known number are left
    out."""
    x = array(examples, dataset.space)
    if task.place is None:
        labels = labels_of(examples, dataset)
        if labels is None:
            raise BadInput("examples without labels", "labels of the data's classes")
        return x, labels
    y = x[:, task.place]
    known = (
        ~np.isnan(examples.x[:, task.place].numpy())
        if task.of_numbers
        else np.ones(len(x), dtype=bool)
    )
    return x[known], y[known]


def _sizes(dataset: Dataset, sizes: Sequence[int | float | str]) -> list[int]:
    total = len(dataset.train)
    if not sizes:
        return sorted({max(FEWEST, total // 10), max(FEWEST, total // 3), total})
    found = {size_of(asked, total): asked for asked in sizes}
    for size, asked in found.items():
        if not FEWEST <= size <= total:
            came = f"{size} real examples" + ("" if str(size) == str(asked) else f" ({asked})")
            raise BadInput(came, f"{FEWEST} to {total}, the training examples of {dataset.name}")
    return sorted(found)


def size_of(asked: int | float | str, total: int) -> int:
    """Return how many of so many examples are asked for: a number of them, a share such as 0.1 or
    `10%`, or `all`.

    Raises:
        BadInput: something else.

    Example:
        >>> [size_of(asked, 300) for asked in (50, "50", 0.1, "10 %", "all", "1.0")]
        [50, 50, 30, 30, 300, 300]
    """
    word = str(asked).strip()
    if word.lower() == "all":
        return total
    share = word.endswith("%")
    try:
        value = float(word.removesuffix("%")) / (100 if share else 1)
    except ValueError:
        value = math.nan
    # 1 is one example, and 1.0 is all of them
    share = share or 0 < value < 1 or (value == 1 and "." in word)
    if not math.isfinite(value) or value <= 0 or not (share or value.is_integer()):
        raise BadInput(
            f"'{asked}' real examples",
            "a number of them such as 200, a share such as 0.1 or 10%, or all",
        )
    return round(value * total) if share else int(value)


def _drawn(model: GenerativeModel, data: Dataset, task: Task, ratio: float, seed: int) -> Drawn:
    real, real_target = _targets(data.train, data, task)
    wanted = max(1, round(ratio * len(real)))
    if task.place is not None:
        # rows without the number that is predicted fall out, about as often as real ones do
        spare = 1.25 * len(data.train) / len(real) if task.of_numbers else 1.0
        made = Examples(model.sample(round(spare * wanted), seed=seed % 2**31))
    else:
        # classes in the shares of the real set
        labels = torch.from_numpy(
            np.random.default_rng(derive_seed(seed, "labels")).choice(real_target, wanted)
        )
        given = Given(labels) if model.classes else None
        if given is None:
            raise Unsupported(
                f"labelled samples of {model.family}",
                "a family that is given the label",
                "choose another",
            )
        made = Examples(model.sample(wanted, given=given, seed=seed % 2**31), given)
    synthetic, told = _targets(made, data, task)
    return Drawn(real, real_target, synthetic, told)
