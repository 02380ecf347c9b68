"""Measure a model beside its controls: the same features, the same reference, the same number of
examples.

Two ideas: `Controls` are computed once for a dataset (real data as the ceiling, bad data as the
floor, replayed training data that must trip the memorisation check); every model is then measured
exactly as they were.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from pushforward.app.measuring.cases import crowd_of
from pushforward.app.measuring.examples import (
    array,
    draw_like_reference,
    drawn_places,
    for_model,
    held_out,
    nearest_training,
    summarised,
)
from pushforward.app.measuring.inquiry import NOTHING, Inquiry
from pushforward.app.measuring.likelihoods import (
    MOST_SCORED,
    Likelihood,
    curve_rows,
    measure_likelihood,
    true_likelihood,
)
from pushforward.app.measuring.measured_kind import measured_as
from pushforward.app.measuring.setting import Setting, setting_of
from pushforward.app.progress.line import Told, untold
from pushforward.core.data_kind import kind_of
from pushforward.core.given import Examples, Given, label_of
from pushforward.core.model import GenerativeModel
from pushforward.core.score import Score
from pushforward.core.walk import trajectory
from pushforward.data.dataset import Dataset
from pushforward.evaluation.cards.controls import (
    COPYCAT,
    NOISE,
    REAL,
    SHUFFLED,
    Control,
    floor_card,
    with_controls,
)
from pushforward.evaluation.cards.scorecard import Scorecard
from pushforward.evaluation.diversity.judge import Named
from pushforward.evaluation.features.named import Features
from pushforward.evaluation.features.own_network import OwnNetwork
from pushforward.evaluation.likelihood.code_length import marginal_floor
from pushforward.evaluation.measuring.metric import CardSetting, Judge
from pushforward.evaluation.measuring.statistic import Measured
from pushforward.evaluation.memorisation.verdict import memorisation_verdict
from pushforward.reports.records import Role, Row

Settle = Callable[[Callable[[int], float]], int]  # from the seconds of a card of n samples to n
MOST_SAMPLES = (
    2000  # k-nearest-neighbour metrics are quadratic; the number is printed with every score
)
TRIED = 100  # samples whose card is timed
PICTURES, SHOWN = 7, 8
CONTROL_NAMES: dict[str, tuple[str, Role]] = {
    REAL: ("real vs real", "ceiling"),
    NOISE: ("uniform noise", "floor"),
    SHUFFLED: ("shuffled marginals", "floor"),
    COPYCAT: ("copycat (replays training data)", "copycat"),
}


@dataclass(frozen=True)
class Controls:
    """What every model of a dataset is read against.

    Attributes:
        card: the metrics, with reference and training examples counted.
        places: which examples of the test split are the reference, in their order.
        given: what the reference examples are about; None where they come from train.
        labels: class of each reference example, None without classes.
        crowd: see `Row`.
    """

    card: Scorecard
    features: list[Features]
    reference: np.ndarray
    places: torch.Tensor
    train: np.ndarray
    rows: tuple[Row, ...]
    ceiling: list[Score]
    floor: list[Score]
    likelihood_floor: Score | None
    seed: int
    given: Given | None = None
    labels: np.ndarray | None = None
    crowd: float = 1.0

    @property
    def n(self) -> int:
        """Number of reference examples, and of samples drawn from each model."""
        return len(self.reference)


def judge_of(dataset: Dataset, real: Control, seed: int) -> Judge | None:
    """Return a classifier of the data's classes, fitted on the training examples that no control
    drew; None without classes."""
    if real.train_labels is None or len(np.unique(real.train_labels)) < 2:
        return None
    return Named(OwnNetwork(dataset.space, real.train, real.train_labels, seed), dataset.classes)


def measure_controls(
    dataset: Dataset,
    seed: int = 0,
    most: int = MOST_SAMPLES,
    inquiry: Inquiry = NOTHING,
    split: str = "test",
    settle: Settle | None = None,
    told: Told = untold,
) -> Controls:
    """Score real data, two bad models and a copycat on a dataset.

    Args:
        dataset: what to measure on.
        seed: seed of the draws and of fitted features.
        most: most examples on a side.
        inquiry: features, rules and a target.
        split: which split is the reference. Of train it is a part that no control drew, and test is
            the null of the memorisation checks.
        settle: decides how many of `most` examples are measured, from what a card of n takes in
            seconds; None takes all.
        told: called with the share that is done and what is done now.

    Raises:
        BadInput: too few examples, or features that do not fit.
    """
    inquiry.require(dataset.space)
    space, setting = dataset.space, setting_of(dataset, seed, most, split)
    real = setting.drawn[REAL]
    told(0.0, "fitting features")
    features = inquiry.features_of(dataset, real, seed)
    told(0.2, "counting the training examples")
    judge = judge_of(dataset, real, seed)
    about = CardSetting(space, features, split, judge, inquiry.rules, seed, inquiry.target)
    heldout = array(dataset.test, space) if split == "train" else None
    card = Scorecard(
        setting.reference, setting.train, about, heldout, setting.seen, setting.real_cases(dataset)
    )
    if settle is not None:
        card, setting = _narrowed(card, setting, settle, seed)
    cards = card.of_controls(setting.drawn, len(setting.places), _telling(told, setting.drawn))
    kept = torch.from_numpy(setting.places)
    told(0.98, "marginals")
    test = (
        dataset.test
    )  # a likelihood is always of test, whichever split the samples are compared with
    marginals = marginal_floor(
        setting.train, array(test, space), space, sizes=test.sizes, cases=test.cases
    )
    known = {SHUFFLED: marginals, REAL: true_likelihood(dataset)}
    of = dataset, setting.reference, known
    rows = [_control_row(key, control, cards[key], *of) for key, control in setting.drawn.items()]
    ceiling, floor = cards[REAL], floor_card(cards)
    complete = tuple(
        replace(row, scores=tuple(with_controls(list(row.scores), ceiling, floor))) for row in rows
    )
    given = None if setting.given is None else setting.given[kept]
    of = setting.reference, kept, setting.train, complete, ceiling, floor, marginals
    return Controls(card, features, *of, seed, given, setting.seen, crowd_of(setting.cases))


def _telling(told: Told, drawn: Mapping[str, Control]) -> Callable[[str], None]:
    """Return what is told the name of every control before it is measured."""
    shares = {key: 0.5 + 0.12 * k for k, key in enumerate(drawn)}
    return lambda key: told(shares[key], CONTROL_NAMES[key][0])


def _narrowed(
    card: Scorecard, setting: Setting, settle: Settle, seed: int
) -> tuple[Scorecard, Setting]:
    """Return a card and its setting with as many examples as `settle` says, once it knows what a
    small card takes.

    Features were fitted without any control of the larger setting, so without those of the smaller
    one too.
    """
    reference, labels = setting.reference, setting.seen
    cases = None if setting.cases is None else setting.cases.numpy()
    if len(reference) <= TRIED:
        settle(lambda n: 0.0)
        return card, setting
    few, noise = slice(TRIED), setting.drawn[NOISE]
    began = time.perf_counter()
    tried = card.against(reference[few], *_of_rows((labels, cases), few))
    tried.scores(noise.samples[few], labels=None if noise.labels is None else noise.labels[few])
    each = (time.perf_counter() - began) / TRIED
    n = max(TRIED, min(len(reference), settle(lambda n: each * n)))
    if n == len(reference):
        return card, setting
    kept = drawn_places(len(reference), n, seed)
    drawn = {
        key: replace(
            one, samples=one.samples[:n], labels=None if one.labels is None else one.labels[:n]
        )
        for key, one in setting.drawn.items()
    }
    narrower = replace(setting, drawn=drawn, places=setting.places[kept])
    return card.against(reference[kept], *_of_rows((labels, cases), kept)), narrower


def _of_rows(
    arrays: Sequence[np.ndarray | None], rows: slice | np.ndarray
) -> list[np.ndarray | None]:
    return [None if array is None else array[rows] for array in arrays]


def card_alone(
    dataset: Dataset, seed: int = 0, most: int = MOST_SAMPLES, names: Sequence[str] = ()
) -> Scorecard:
    """Return the measures of a dataset without any control having been measured; see
    `measure_controls`."""
    setting = setting_of(dataset, seed, most, "test")
    features = Inquiry(names).features_of(dataset, setting.drawn[REAL], seed)
    return Scorecard(
        setting.reference, setting.train, CardSetting(dataset.space, features, seed=seed)
    )


def _control_row(
    key: str,
    control: Control,
    scores: list[Score],
    dataset: Dataset,
    reference: np.ndarray,
    likelihoods: Mapping[str, Score | None],
) -> Row:
    name, role = CONTROL_NAMES[key]
    verdict = memorisation_verdict(scores)
    return Row(
        name=name,
        role=role,
        likelihood=likelihoods.get(key),
        no_likelihood="not a model",
        scores=tuple(scores),
        memorisation=verdict.sentence,
        memorised=verdict.tripped,
        samples=measured_as(dataset.space).pictured(control.samples),
        **summarised(control.samples, dataset, reference),
    )


def assess(
    model: GenerativeModel,
    dataset: Dataset,
    controls: Controls,
    name: str,
    facts: dict[str, Any],
    sampling: Mapping[str, Any] | None = None,
    rows: int = MOST_SCORED,
    told: Told = untold,
) -> Row:
    """Return a model's complete row.

    Args:
        model: what to measure.
        dataset: what on.
        controls: what it is read against.
        name: of the row.
        facts: of its training (`steps`, `seconds`, `history`, ...).
        sampling: options of `sample`, such as `guidance`.
        rows: most test examples that are asked for their likelihood.
        told: called with the share that is done and what is done now.
    """
    seed, options = controls.seed, dict(sampling or {})
    likelihood, samples, given, seconds, calls = _used(
        model, dataset, controls, options, rows, told
    )
    told(0.75, "distances to held-out data")
    labels = None if (label := label_of(given)) is None else label.numpy()
    measured = controls.card.measure(samples, labels=labels)
    verdict = memorisation_verdict([one.score for one in measured])
    test = held_out(model, dataset)
    told(0.9, "curves and pictures")
    suspicious, neighbours = nearest_training(samples, controls.train)
    return Row(
        name=name,
        family=model.family,
        parameters=sum(p.numel() for p in model.parameters()),
        **_training(facts),
        calls_per_sample=calls,
        seconds_per_1000=1000.0 * seconds / controls.n,
        likelihood=likelihood.score,
        no_likelihood=likelihood.refusal,
        scores=_scores(measured, controls, likelihood),
        measured=tuple(measured),
        memorisation=verdict.sentence,
        memorised=verdict.tripped,
        card=model.card,
        curves=tuple(
            model.curves(
                test[controls.places[: curve_rows(rows)]], seed, for_model(model, dataset.train)
            )
        ),
        samples=measured_as(dataset.space).pictured(samples),
        **summarised(samples, dataset, controls.reference, given),
        labels=None if labels is None else (labels[:200] if samples.ndim > 2 else labels),
        walk=tuple(pictures(model, test, seed)) if kind_of(dataset.space).in_a_space else (),
        suspicious=suspicious,
        neighbours=neighbours,
        nats=None if likelihood.nats is None else likelihood.nats[None],
    )


def _training(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a row that its training left."""
    return {
        "steps": facts.get("steps"),
        "train_seconds": facts.get("seconds"),
        "stopped_because": facts.get("stopped", ""),
        "history": tuple(facts.get("history", ())),
        "loss_name": facts.get("loss_name", "training loss"),
        "held_out_name": facts.get("held_out_name", ""),
    }


def _scores(
    measured: Sequence[Measured], controls: Controls, likelihood: Likelihood
) -> tuple[Score, ...]:
    truth = [] if likelihood.to_truth is None else [likelihood.to_truth]
    marked = with_controls([one.score for one in measured], controls.ceiling, controls.floor)
    return (*truth, *marked, *likelihood.checks)


def _used(
    model: GenerativeModel,
    dataset: Dataset,
    controls: Controls,
    options: dict[str, Any],
    rows: int,
    told: Told,
) -> tuple[Likelihood, np.ndarray, Given | None, float, float]:
    """Score and sample, which takes long; returns likelihoods and what `draw_like_reference`
    does."""
    floor, seed = controls.likelihood_floor, controls.seed
    likelihood = measure_likelihood(
        model, dataset, floor, seed, rows, lambda i, n: told(0.4 * min(1.0, i / n), "likelihood")
    )
    told(0.4, "sampling")
    drawn = draw_like_reference(
        model,
        dataset,
        controls.places,
        seed,
        options,
        lambda i, n: told(0.4 + 0.35 * i / n, "sampling"),
    )
    return likelihood, *drawn


def pictures(model: GenerativeModel, test: Examples, seed: int) -> Sequence[np.ndarray]:
    """Return snapshots of one sampling run for families that iterate, none for the others."""
    many = SHOWN if len(model.space.event_shape) > 1 else 400
    given = None
    if model.context is not None and test.given is not None:
        given = test.given[torch.arange(many) % len(test)]
    elif model.classes:
        given = Given(torch.arange(many) % len(model.classes))
    walk = model.walk(many, given=given, seed=seed)
    if walk.length < PICTURES - 1:
        return ()
    return [model.codec.decode(view).cpu().numpy() for view in trajectory(walk, PICTURES)]
