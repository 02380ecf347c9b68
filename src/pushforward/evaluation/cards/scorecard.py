"""The fixed set of sample metrics for a kind of data, measured in one pass.

Two ideas: which metrics there are follows from the space and nothing else, so that two cards of one dataset always compare; the
reference and the training examples are counted once, however many models are measured against them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from pushforward.core.errors import BadInput
from pushforward.core.rng import derive_seed
from pushforward.core.score import Score
from pushforward.core.space import Space
from pushforward.core.text import Text
from pushforward.evaluation.cards.controls import Control
from pushforward.evaluation.checks import require
from pushforward.evaluation.distribution.classifier_test import ClassifierTest
from pushforward.evaluation.distribution.frechet import FrechetDistance
from pushforward.evaluation.distribution.kernel_distance import KernelDistance
from pushforward.evaluation.distribution.neighbours import NeighbourScores
from pushforward.evaluation.features.named import Features
from pushforward.evaluation.measuring.batch import Role
from pushforward.evaluation.measuring.evaluation import Evaluation, State
from pushforward.evaluation.measuring.metric import Measured, Metric
from pushforward.evaluation.memorisation.authenticity import Authenticity
from pushforward.evaluation.memorisation.copying import CopyingStatistic
from pushforward.evaluation.memorisation.duplicates import Duplicates
from pushforward.evaluation.memorisation.pull import TrainingPull
from pushforward.evaluation.text.entropy import EntropyGap

CAPACITY = {"train": 50_000}


def metrics_for(
    space: Space,
    features: Sequence[Features],
    reference_name: str = "test",
    heldout: Role | None = "reference",
    heldout_name: str = "test",
    seed: int = 0,
) -> list[Metric]:
    """Return the metrics of a space in their fixed order.

    Fréchet and kernel distance on all features; precision, recall, density, coverage and the classifier on the first; of text the
    entropy of a window's tokens; duplicates on the data; authenticity, copying statistic and pull of training examples on the last.

    Args:
        space: what one example is.
        features: from `default_features`, fitted on train.
        reference_name: which split the reference is; part of every name.
        heldout: role of the held-out examples that the memorisation checks need as their null; None leaves the checks out.
        heldout_name: which split they are.
        seed: seed of random halves.
    """
    require(len(features), 1, "features")
    first, last = features[0], features[-1]
    found: list[Metric] = [FrechetDistance(f, reference_name) for f in features]
    found += [KernelDistance(f, reference_name) for f in features]
    found += [
        NeighbourScores(first, reference_name),
        ClassifierTest(first, reference_name, derive_seed(seed, "halves")),
    ]
    if isinstance(space, Text):
        found.append(EntropyGap(reference_name=reference_name))
    if heldout is not None:
        found += [
            Duplicates(heldout),
            *(check(last, heldout, heldout_name) for check in (Authenticity, CopyingStatistic, TrainingPull)),
        ]
    return found


class Card:
    """The metrics of one dataset, with everything but the samples counted already.

    Args:
        reference: real examples to compare with, in data units.
        train: what the models were trained on.
        space: what one example is.
        features: from `default_features`, fitted on train.
        seed: seed of random halves and of which rows are kept.
        reference_name: which split `reference` is; part of every name.
        heldout: real examples no model was trained on, null of the memorisation checks; `reference` by default. Without it those
            checks are left out when the reference is train.

    Raises:
        BadInput: no features, arrays of other shapes than the space's, too few examples, or NaN.

    Example:
        >>> from pushforward.core.space import Points
        >>> from pushforward.evaluation.features.named import Standardised
        >>> x = np.random.default_rng(0).normal(size=(400, 2))
        >>> card = Card(x[:100], x[200:], Points(2), [Standardised(x[200:])])
        >>> card.measure(x[100:200])[0].score.name
        'frechet distance [identity, standardised] vs test'
    """

    def __init__(
        self,
        reference: np.ndarray,
        train: np.ndarray,
        space: Space,
        features: Sequence[Features],
        seed: int = 0,
        reference_name: str = "test",
        heldout: np.ndarray | None = None,
    ) -> None:
        self.space, self.train = space, train
        for role, array in (("reference examples", reference), ("training examples", train)):
            _shaped(array, space, role)
        fresh: Role | None = "heldout" if heldout is not None else "reference"
        if heldout is None and reference_name == "train":
            fresh = None
        heldout_name = reference_name if heldout is None else "held-out"
        metrics = metrics_for(space, features, reference_name, fresh, heldout_name, seed)
        self.evaluation = Evaluation(metrics, seed, CAPACITY)
        state = self.evaluation.take(self.evaluation.init(), "reference", reference)
        self._without_train = state if heldout is None else self.evaluation.take(state, "heldout", heldout)
        self._trained = self._with(train)

    def _with(self, train: np.ndarray) -> State:
        return self.evaluation.take(self._without_train, "train", train)

    def measure(self, samples: np.ndarray, train: np.ndarray | None = None) -> list[Measured]:
        """Return every score of the samples with its terms.

        Args:
            samples: a model's examples in data units.
            train: what this model was trained on, where it is not what the card knows.

        Raises:
            BadInput: samples of another shape, too few of them, or NaN.
        """
        _shaped(samples, self.space, "samples")
        state = self._trained if train is None else self._with(train)
        return self.evaluation.compute(self.evaluation.take(state, "samples", samples))

    def scores(self, samples: np.ndarray, train: np.ndarray | None = None) -> list[Score]:
        """Return every score of the samples; see `measure`."""
        return [measured.score for measured in self.measure(samples, train)]

    def of_controls(self, found: Mapping[str, Control], n: int) -> dict[str, list[Score]]:
        """Return the scores of control samples, in their order.

        If train is too small to give n real examples, the ceiling's scores say so in a warning.

        Args:
            found: from `controls`.
            n: how many examples a model is measured on.
        """
        cards = {}
        for name, control in found.items():
            card = self.scores(control.samples, None if control.train is self.train else control.train)
            if len(control.samples) < n:
                note = f"ceiling measured on {len(control.samples)} examples, not {n}: train has only {len(self.train)}"
                card = [replace(score, warnings=(*score.warnings, note)) for score in card]
            cards[name] = card
        return cards


def _shaped(array: np.ndarray, space: Space, role: str) -> None:
    if array.shape[1:] != space.event_shape:
        raise BadInput(f"{role} of shape {array.shape}", f"(n, {', '.join(map(str, space.event_shape))})")
