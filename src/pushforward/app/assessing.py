"""Measure a model beside its controls: the same features, the same reference, the same number of examples.

Two ideas: `Controls` are computed once for a dataset (real data as the ceiling, bad data as the floor, replayed training data
that must trip the memorisation check); every model is then measured exactly as they were.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from pushforward.core.errors import BadInput, Unsupported
from pushforward.core.given import Examples, Given, label_of
from pushforward.core.logprob import LogProb
from pushforward.core.model import GenerativeModel
from pushforward.core.rng import derive_seed
from pushforward.core.score import Score
from pushforward.core.space import Space
from pushforward.core.table import Table
from pushforward.core.text import Text
from pushforward.core.walk import trajectory
from pushforward.data.dataset import Dataset
from pushforward.data.text.encoding import TextEncoding
from pushforward.evaluation.cards.controls import COPYCAT, NOISE, REAL, SHUFFLED, Control, floor_card, with_controls
from pushforward.evaluation.cards.controls import controls as control_samples
from pushforward.evaluation.cards.scorecard import Card
from pushforward.evaluation.checks import as_rows
from pushforward.evaluation.distances import nearest
from pushforward.evaluation.diversity.judge import Judge, Named
from pushforward.evaluation.features.choose import features_by_name
from pushforward.evaluation.features.default import default_features
from pushforward.evaluation.features.named import Features
from pushforward.evaluation.features.own_network import OwnNetwork
from pushforward.evaluation.likelihood.code_length import kl_to_truth, likelihood_score, marginal_floor
from pushforward.evaluation.likelihood.gap import likelihood_gap
from pushforward.evaluation.marks import filled, missing_mark
from pushforward.evaluation.memorisation.membership import membership_scores
from pushforward.evaluation.memorisation.verdict import memorisation_verdict
from pushforward.report.records import Role, Row

MOST_SCORED, MOST_TRAINED = 2000, 500  # examples whose likelihood is asked for: a bound may cost 64 network calls
FEWEST, MOST_SAMPLES = 40, 2000  # k-nearest-neighbour metrics are quadratic; the number is printed with every score
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
    """

    card: Card
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

    @property
    def n(self) -> int:
        """Number of reference examples, and of samples drawn from each model."""
        return len(self.reference)


def array(examples: Examples | torch.Tensor, space: Space) -> np.ndarray:
    """Return examples as an array in data units, in which missing values of a table are marked by numbers."""
    x = (examples.x if isinstance(examples, Examples) else examples).numpy()
    return filled(x, space) if isinstance(space, Table) else x


def training_array(dataset: Dataset) -> np.ndarray:
    """Return the training examples; of overlapping windows of text only those that do not overlap."""
    train = dataset.train
    if isinstance(dataset.space, Text) and dataset.context is None:
        train = train[:: dataset.space.length]
    return array(train, dataset.space)


def drawn_places(total: int, n: int, seed: int) -> np.ndarray:
    """Return n of the places 0 to total - 1, drawn without replacement and in order: data often lie sorted.

    Example:
        >>> drawn_places(3, 3, seed=5).tolist()
        [0, 1, 2]
    """
    rng = np.random.default_rng(derive_seed(seed, "reference"))
    return np.sort(rng.permutation(total)[:n])


def labels_of(examples: Examples, dataset: Dataset) -> np.ndarray | None:
    """Return the class of each example, None where the data have no classes."""
    label = label_of(examples.given) if dataset.classes else None
    return None if label is None else label.numpy()


def features_of(dataset: Dataset, train: np.ndarray, real: Control, names: Sequence[str], seed: int) -> list[Features]:
    """Return the features that were asked for by name, or those of the kind of data.

    Those that learn do so on the training examples that no control drew, or the ceiling would look worse than it is.
    """
    if not names:
        return default_features(dataset.space, train, seed)
    encoding = dataset.encoding
    decode = encoding.tokeniser.decode if isinstance(encoding, TextEncoding) else None
    return [features_by_name(name, dataset.space, real.train, real.train_labels, seed, decode) for name in names]


def judge_of(dataset: Dataset, real: Control, seed: int) -> Judge | None:
    """Return a classifier of the data's classes, fitted on the training examples that no control drew; None without classes."""
    if real.train_labels is None or len(np.unique(real.train_labels)) < 2:
        return None
    return Named(OwnNetwork(dataset.space, real.train, real.train_labels, seed), dataset.classes)


def measure_controls(
    dataset: Dataset, seed: int = 0, most: int = MOST_SAMPLES, names: Sequence[str] = (), split: str = "test"
) -> Controls:
    """Score real data, two bad models and a copycat on a dataset.

    Args:
        dataset: what to measure on.
        seed: seed of the draws and of fitted features.
        most: most examples on a side.
        names: features by name (see `features_by_name`); those of the kind of data by default.
        split: which split is the reference. Of train it is a part that no control drew, and test is the null of the
            memorisation checks.

    Raises:
        BadInput: too few examples, or features that do not fit.
    """
    train, space = training_array(dataset), dataset.space
    examples: Examples = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}[split]
    test = train if split == "train" else array(examples, space)
    n = min(len(test) // (2 if split == "train" else 1), len(train) // 2, most)
    if n < FEWEST:
        raise BadInput(
            f"{len(test)} {split} and {len(train)} training examples, {most} to compare",
            f"at least {FEWEST} {split} and {2 * FEWEST} training examples, {FEWEST} to compare",
            "bring more data",
        )
    labels = labels_of(dataset.train, dataset)
    drawn = control_samples(train, space, n, seed, labels)
    real = drawn[REAL]
    places = drawn_places(len(real.train if split == "train" else test), n, seed)
    reference = (real.train if split == "train" else test)[places]
    known = real.train_labels if split == "train" else labels_of(examples, dataset)
    features = features_of(dataset, train, real, names, seed)
    floor_likelihood = marginal_floor(train, test, space, sizes=examples.sizes)
    card = Card(
        reference,
        train,
        space,
        features,
        seed,
        split,
        heldout=array(dataset.test, space) if split == "train" else None,
        judge=judge_of(dataset, real, seed),
        labels=None if known is None else known[places],
    )
    given = None if split == "train" or examples.given is None else examples.given[torch.from_numpy(places)]
    cards = card.of_controls(drawn, n)
    rows = [
        _control_row(key, control, cards[key], dataset, {SHUFFLED: floor_likelihood, REAL: true_likelihood(dataset)})
        for key, control in drawn.items()
    ]
    ceiling, floor = cards[REAL], floor_card(cards)
    complete = tuple(replace(row, scores=tuple(with_controls(list(row.scores), ceiling, floor))) for row in rows)
    drawn_from = torch.from_numpy(places)
    marks = ceiling, floor, floor_likelihood
    seen = None if known is None else known[places]
    return Controls(card, features, reference, drawn_from, train, complete, *marks, seed, given, seen)


def _control_row(
    key: str, control: Control, scores: list[Score], dataset: Dataset, likelihoods: Mapping[str, Score | None]
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
        samples=pictured(control.samples, dataset.space),
        shown=shown(control.samples, dataset),
    )


def true_likelihood(dataset: Dataset) -> Score | None:
    """Return the code length of the test split under the true density, the ceiling of every likelihood; None if it is not known."""
    if dataset.density is None:
        return None
    nats = dataset.density.log_prob(dataset.test.x.double())
    unit, measure = dataset.space.unit, dataset.space.measure
    score = likelihood_score(LogProb(nats, "exact", measure, unit, "true density", calls=0.0))
    entropy = dataset.density.entropy
    return replace(score, null=entropy, warnings=(f"the true density's own code length; its entropy is {entropy:.4f}",))


@dataclass(frozen=True)
class Likelihood:
    """A likelihood score or the reason why there is none, the divergence from a known truth, and what training examples gain."""

    score: Score | None
    refusal: str
    nats: np.ndarray | None
    to_truth: Score | None
    checks: tuple[Score, ...] = ()


def for_model(model: GenerativeModel, examples: Examples) -> Examples:
    """Return examples with labels for a model that is conditioned on them, without for others."""
    return examples if model.classes else examples.without_labels()


def held_out(model: GenerativeModel, dataset: Dataset) -> Examples:
    """Return the test split, with labels for a model that is conditioned on them."""
    return for_model(model, dataset.test)


def measure_likelihood(model: GenerativeModel, dataset: Dataset, floor: Score | None, seed: int) -> Likelihood:
    """Score held-out data under the model with the family's default estimator: the same examples for every model, at most 2,000."""
    places = torch.from_numpy(drawn_places(len(dataset.test), min(MOST_SCORED, len(dataset.test)), seed))
    test = held_out(model, dataset)[places]
    try:
        lp = model.log_prob(test, seed=seed)
    except Unsupported as refusal:
        return Likelihood(None, f"{refusal.came.partition(': ')[2]}; {refusal.fix}", None, None)
    score = likelihood_score(lp)
    if floor is not None:
        score = replace(score, floor=floor.value)
    to_truth = None
    if dataset.density is not None:
        truth = dataset.density.log_prob(test.x.double()).numpy()
        to_truth = kl_to_truth(truth, lp)
        score = replace(score, null=dataset.density.entropy, ceiling=float(-truth.mean()))
    checks = likelihood_checks(model, dataset, lp, seed)
    return Likelihood(score, "", lp.nats.double().numpy(), to_truth, tuple(checks))


def likelihood_checks(model: GenerativeModel, dataset: Dataset, test: LogProb, seed: int) -> list[Score]:
    """Return how much shorter the code of training examples is, and what an attacker who sees code lengths gains by that.

    Nothing where a code length is infinite or there are fewer than 20 of either.
    """
    n = min(len(test), len(dataset.train), MOST_TRAINED)
    places = torch.from_numpy(drawn_places(len(dataset.train), n, derive_seed(seed, "members")))
    train = model.log_prob(for_model(model, dataset.train)[places], seed=seed)
    mine, theirs = (p.nats.detach().double().cpu().numpy() for p in (train, test))
    if n < 20 or not (np.isfinite(mine).all() and np.isfinite(theirs).all()):
        return []
    return [likelihood_gap(train, test), *membership_scores(mine, theirs, f"{train.kind} likelihood")]


def draw_like_reference(
    model: GenerativeModel, dataset: Dataset, places: torch.Tensor, seed: int
) -> tuple[np.ndarray, Given | None, float]:
    """Draw a sample for each of some test examples, given what that one is given; returns samples, conditions, seconds."""
    test = held_out(model, dataset)
    given, n = None if test.given is None else test.given[places], len(places)
    model.sample(2, given=None if given is None else given[:2], seed=seed)  # the first call pays for lazy set-up
    started = time.perf_counter()
    x = model.sample(n, given=given, seed=seed)
    seconds = time.perf_counter() - started
    return array(x, dataset.space), given, seconds


def assess(model: GenerativeModel, dataset: Dataset, controls: Controls, name: str, facts: dict[str, Any]) -> Row:
    """Return a model's complete row; `facts` are the training facts of its run (`steps`, `seconds`, `history`, ...)."""
    seed = controls.seed
    likelihood = measure_likelihood(model, dataset, controls.likelihood_floor, seed)
    samples, given, seconds = draw_like_reference(model, dataset, controls.places, seed)
    label = label_of(given)
    labels = None if label is None else label.numpy()
    measured = controls.card.measure(samples, labels=labels)
    scores = [one.score for one in measured]
    verdict = memorisation_verdict(scores)
    scores = with_controls(scores, controls.ceiling, controls.floor)
    if likelihood.to_truth is not None:
        scores = [likelihood.to_truth, *scores]
    scores = [*scores, *likelihood.checks]
    test = held_out(model, dataset)
    walk = model.walk(2, given=None if given is None else given[:2], seed=seed)
    suspicious, neighbours = nearest_training(samples, controls.train)
    return Row(
        name=name,
        family=model.family,
        parameters=sum(p.numel() for p in model.parameters()),
        steps=facts.get("steps"),
        train_seconds=facts.get("seconds"),
        stopped_because=facts.get("stopped", ""),
        calls_per_sample=float(walk.calls),
        seconds_per_1000=1000.0 * seconds / controls.n,
        likelihood=likelihood.score,
        no_likelihood=likelihood.refusal,
        scores=tuple(scores),
        measured=tuple(measured),
        memorisation=verdict.sentence,
        memorised=verdict.tripped,
        history=tuple(facts.get("history", ())),
        loss_name=facts.get("loss_name", "training loss"),
        held_out_name=facts.get("held_out_name", ""),
        card=model.card,
        curves=tuple(model.curves(test[controls.places], seed, for_model(model, dataset.train))),
        samples=pictured(samples, dataset.space),
        shown=shown(samples, dataset, given),
        labels=None if labels is None else (labels[:200] if samples.ndim > 2 else labels),
        walk=tuple(pictures(model, test, seed)) if dataset.encoding is None else (),
        suspicious=suspicious,
        neighbours=neighbours,
        nats=None if likelihood.nats is None else likelihood.nats[None],
    )


def pictured(samples: np.ndarray, space: Space) -> np.ndarray | None:
    """Return the samples that a report draws: some images, all points, nothing of text and tables."""
    if space.kind in ("text", "table"):
        return None
    return samples[:200] if samples.ndim > 2 else samples


def shown(
    samples: np.ndarray, dataset: Dataset, given: Given | None = None, most: int = 6
) -> tuple[tuple[str, ...], ...]:
    """Return a few samples of text or tables as rows of cells, nothing of images and points; texts after what they are about."""
    encoding, space = dataset.encoding, dataset.space
    if encoding is None:
        return ()
    head = torch.from_numpy(samples[:most].copy())
    if isinstance(space, Table):
        for place, column in enumerate(space.columns):
            marks = head[:, place] == missing_mark(column)
            head[:, place] = torch.where(marks & column.missing, torch.nan, head[:, place])
        return tuple(
            tuple("" if v is None or v != v else str(v) for v in row) for row in encoding.decode(head).values.tolist()
        )
    texts = encoding.decode(head)
    if isinstance(encoding, TextEncoding) and given is not None and given.context is not None:
        about = zip(given.context.values[:most], given.context.length[:most].tolist(), strict=True)
        contexts = [encoding.tokeniser.decode(values[:length]) for values, length in about]
        texts = [f"[{context}] {text}" for context, text in zip(contexts, texts, strict=True)]
    return tuple((text,) for text in texts)


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
    return [model.codec.decode(view).numpy() for view in trajectory(walk, PICTURES)]


def nearest_training(samples: np.ndarray, train: np.ndarray, most: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Return the samples that lie closest to a training example, and those examples."""
    index, best = nearest(as_rows(samples), as_rows(train))
    order = np.argsort(best, kind="stable")[:most]
    return samples[order], train[index[order]]
