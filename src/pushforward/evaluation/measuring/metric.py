"""A metric: which measures it has, on which cards, and what computes them there.

Two ideas: which metrics a card has follows from their declarations and from what the card is about,
so that two cards of one dataset always compare; a metric that needs more examples than there are is
named with their number, and left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

import numpy as np

from pushforward.core.choice import Choice
from pushforward.core.measure import Measure
from pushforward.core.space import Space
from pushforward.evaluation.measuring.batch import Role
from pushforward.evaluation.measuring.statistic import Statistic, View

Requirement = Literal["judge", "held-out", "spread", "two columns"]


@runtime_checkable
class Judge(Protocol):
    """A classifier of examples in data units.

    Attributes:
        name: printed in the brackets of every score.
        fingerprint: hash of everything that defines it.
        classes: names of the classes; a label is a place in this list.
    """

    name: str
    fingerprint: str
    classes: tuple[str, ...]

    def probabilities(self, x: np.ndarray) -> np.ndarray:
        """Return the probability of each class for examples (n, ...), shape (n, classes), rows
        summing to one."""
        ...


@dataclass(frozen=True)
class CardSetting:
    """What a card is about; the second half is known once its examples are.

    Attributes:
        space: what one example is.
        features: from `default_features` or `features_by_name`, fitted on train.
        reference_name: which split the reference is; part of every name.
        judge: a classifier of the data's classes, or None.
        rules: expressions that every row of a table must fulfil (see `Expression`), beside those
            that hold in train.
        seed: seed of whatever is drawn.
        target: the column of a table that is predicted; None for the last one of classes.
        size: reference examples, and about as many samples; at least 40.
        heldout: role of the held-out examples that the memorisation checks need as their null; None
            leaves the checks out.
        heldout_name: which split they are.
        heldout_size: how many there are.
        bandwidth: of the Gaussian kernel on the first features, the reference's median distance if
            None; zero where half of all pairs are equal, so that no width is the scale of such
            data.
    """

    space: Space
    features: Sequence[View]
    reference_name: str = "test"
    judge: Judge | None = None
    rules: Sequence[str] = ()
    seed: int = 0
    target: str | None = None
    size: int = 0
    heldout: Role | None = "reference"
    heldout_name: str = "test"
    heldout_size: int = 0
    bandwidth: float | None = None

    @property
    def has(self) -> frozenset[Requirement]:
        """What a metric may require."""
        several = len(self.space.columns) > 1
        found: dict[Requirement, bool] = {
            "judge": self.judge is not None,
            "held-out": self.heldout is not None,
            "spread": self.bandwidth != 0.0,
            "two columns": several,
        }
        return frozenset(word for word, there in found.items() if there)

    @property
    def null_role(self) -> Role:
        """The role of the held-out examples, for a metric that requires them."""
        assert self.heldout is not None
        return self.heldout


def nowhere(setting: CardSetting) -> Sequence[Statistic]:
    """Return nothing: what is measured of a model and not of its samples is on no card."""
    return ()


@dataclass(frozen=True)
class Metric(Choice):
    """One measure, or several that are computed together.

    Attributes:
        name: of the metric; one of several measures has a name that stands for all.
        says: what it asks, in a sentence without a full stop.
        measures: what its scores are of, in their order.
        on: from what a card is about to what it computes there, one statistic for each view.
        spaces: kinds of data that have it; all if empty.
        requires: what a card must have.
        at_least: examples that it needs, held-out ones if it requires any, else reference examples;
            below it is left out by name.
    """

    measures: tuple[Measure, ...] = ()
    on: Callable[[CardSetting], Sequence[Statistic]] = field(default=nowhere, repr=False)
    spaces: tuple[str, ...] = ()
    requires: frozenset[Requirement] = frozenset()
    at_least: int = 0

    @staticmethod
    def of(
        measure: Measure,
        on: Callable[[CardSetting], Sequence[Statistic]] = nowhere,
        *requires: Requirement,
        spaces: tuple[str, ...] = (),
        at_least: int = 0,
    ) -> Metric:
        """Return the metric of one measure, called by its name."""
        return Metric(
            measure.name,
            measure.says.removesuffix("."),
            (measure,),
            on,
            spaces,
            frozenset(requires),
            at_least,
        )

    def applies(self, setting: CardSetting) -> bool:
        """Return whether a card of this setting has it, if there are examples enough."""
        if self.on is nowhere or (self.spaces and setting.space.kind not in self.spaces):
            return False
        return self.requires <= setting.has

    def left_out(self, setting: CardSetting) -> str:
        """Return why it is left out of a card that it applies to; empty if it is not."""
        there = setting.heldout_size if "held-out" in self.requires else setting.size
        short = there < self.at_least
        return (
            f"{self.name} was left out: it needs {self.at_least} examples, and there are {there}"
            if short
            else ""
        )
