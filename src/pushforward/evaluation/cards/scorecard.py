"""The measures of a dataset, taken in one pass.

One idea: the reference and the training examples are counted once, however many models are measured
against them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import replace

import numpy as np
from scipy.spatial.distance import pdist

from pushforward.core.errors import BadInput
from pushforward.core.score import Score
from pushforward.core.space import Space
from pushforward.evaluation.cards.controls import Control
from pushforward.evaluation.cards.metrics import metrics_for
from pushforward.evaluation.measuring.batch import Role
from pushforward.evaluation.measuring.evaluation import Evaluation, EvaluationState
from pushforward.evaluation.measuring.metric import CardSetting
from pushforward.evaluation.measuring.statistic import Measured, View

CAPACITY = {"train": 50_000}
BANDWIDTH = 2000  # training examples that set the width of the Gaussian kernel


class Scorecard:
    """The metrics of one dataset, with everything but the samples counted already.

    Args:
        reference: real examples to compare with, in data units.
        train: what the models were trained on.
        setting: what the card is about; sizes, roles and the width of the kernel are filled in from
            the examples.
        heldout: real examples no model was trained on, null of the memorisation checks; `reference`
            by default. Without it those checks are left out when the reference is train.
        labels: class of each reference example (n,), for the judge's own accuracy.
        cases: by role what each real example belongs to (a document, a customer), of roles whose
            examples are not all cases by themselves.

    Attributes:
        left_out: a sentence for each metric that needs more examples than there are.

    Raises:
        BadInput: no features, arrays of other shapes than the space's, too few examples, or NaN.

    Example:
        >>> from pushforward.core.space import Points
        >>> from pushforward.evaluation.features.named import Standardised
        >>> x = np.random.default_rng(0).normal(size=(400, 2))
        >>> card = Scorecard(x[:100], x[200:], CardSetting(Points(2), [Standardised(x[200:])]))
        >>> card.measure(x[100:200])[0].score.name
        'frechet distance [identity, standardised] vs test'
    """

    def __init__(
        self,
        reference: np.ndarray,
        train: np.ndarray,
        setting: CardSetting,
        heldout: np.ndarray | None = None,
        labels: np.ndarray | None = None,
        cases: Mapping[Role, np.ndarray] | None = None,
    ) -> None:
        of = cases or {}
        self.space, self.train = setting.space, train
        for role, array in (("reference examples", reference), ("training examples", train)):
            _shaped(array, self.space, role)
        metrics, self.left_out = metrics_for(_completed(setting, reference, train, heldout))
        self.evaluation = Evaluation(metrics, setting.seed, CAPACITY)
        empty = self.evaluation.init()
        take = self.evaluation.take
        self._train = take(empty, "train", train, cases=of.get("train"))
        self._heldout = (
            empty if heldout is None else take(empty, "heldout", heldout, cases=of.get("heldout"))
        )
        self._see(reference, labels, of.get("reference"))

    def _see(
        self, reference: np.ndarray, labels: np.ndarray | None, cases: np.ndarray | None
    ) -> None:
        self._real = self.evaluation.take(
            self._heldout, "reference", reference, labels, cases=cases
        )
        self._complete = self.evaluation.merge(self._real, self._train)

    def against(
        self,
        reference: np.ndarray,
        labels: np.ndarray | None = None,
        cases: np.ndarray | None = None,
    ) -> Scorecard:
        """Return the same measures against other reference examples, with the training examples
        counted already."""
        _shaped(reference, self.space, "reference examples")
        other = copy(self)
        other._see(reference, labels, cases)
        return other

    def measure(
        self, samples: np.ndarray, train: np.ndarray | None = None, labels: np.ndarray | None = None
    ) -> list[Measured]:
        """Return every score of the samples with its terms.

        Args:
            samples: a model's examples in data units.
            train: what this model was trained on, where it is not what the card knows.
            labels: the class that each sample was drawn for (n,), if any was.

        Raises:
            BadInput: samples of another shape, too few of them, or NaN.
        """
        return self.evaluation.compute(self.counted(samples, labels, train))

    def counted(
        self,
        samples: np.ndarray,
        labels: np.ndarray | None = None,
        train: np.ndarray | None = None,
        cases: np.ndarray | None = None,
    ) -> EvaluationState:
        """Return what the measures compute from, with the samples counted; see `measure`.

        Args:
            cases: what each of `train` belongs to.
        """
        _shaped(samples, self.space, "samples")
        state = (
            self._complete
            if train is None
            else self.evaluation.take(self._real, "train", train, cases=cases)
        )
        return self.evaluation.take(state, "samples", samples, labels)

    def scores(
        self, samples: np.ndarray, train: np.ndarray | None = None, labels: np.ndarray | None = None
    ) -> list[Score]:
        """Return every score of the samples; see `measure`."""
        return [measured.score for measured in self.measure(samples, train, labels)]

    def of_controls(
        self, found: Mapping[str, Control], n: int, told: Callable[[str], None] = lambda name: None
    ) -> dict[str, list[Score]]:
        """Return the scores of control samples, in their order.

        If train is too small to give n real examples, the ceiling's scores say so in a warning.

        Args:
            found: from `controls`.
            n: how many examples a model is measured on.
            told: called with the name of each control before it is measured.
        """
        cards = {}
        for name, control in found.items():
            told(name)
            own = None if control.train is self.train else control.train
            state = self.counted(control.samples, control.labels, own, control.train_cases)
            card = [measured.score for measured in self.evaluation.compute(state)]
            if len(control.samples) < n:
                note = f"ceiling measured on {len(control.samples)} examples, not {n}: train has only {len(self.train)}"
                card = [replace(score, warnings=(*score.warnings, note)) for score in card]
            cards[name] = card
        return cards


def _shaped(array: np.ndarray, space: Space, role: str) -> None:
    if array.shape[1:] != space.event_shape:
        raise BadInput(
            f"{role} of shape {array.shape}", f"(n, {', '.join(map(str, space.event_shape))})"
        )


def _completed(
    setting: CardSetting, reference: np.ndarray, train: np.ndarray, heldout: np.ndarray | None
) -> CardSetting:
    """Return a setting with what follows from the examples."""
    role: Role | None = "heldout" if heldout is not None else "reference"
    if heldout is None and setting.reference_name == "train":
        role = None
    return replace(
        setting,
        size=len(reference),
        heldout=role,
        heldout_name=setting.reference_name if heldout is None else "held-out",
        heldout_size=len(reference if heldout is None else heldout),
        bandwidth=_bandwidth(setting.features, train),
    )


def _bandwidth(features: Sequence[View], train: np.ndarray) -> float:
    """Return the median distance of training examples: one kernel for every reference, or two cards
    of one dataset differ in it."""
    if not features:
        return 0.0
    spaced = np.linspace(0, len(train) - 1, min(len(train), BANDWIDTH)).round().astype(np.int64)
    return float(np.median(pdist(features[0](train[spaced]))))
