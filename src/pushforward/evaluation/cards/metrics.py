"""Which measures a card has.

Two ideas: they follow from the space, the features and the judge and from nothing else, so that two cards of one dataset always
compare; a measure that needs more examples than there are is named with their number, and left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pushforward.core.rng import derive_seed
from pushforward.core.space import Space
from pushforward.core.table import Table
from pushforward.core.text import Text
from pushforward.evaluation.checks import require
from pushforward.evaluation.distribution.alpha_precision import AlphaPrecision
from pushforward.evaluation.distribution.classifier_test import ClassifierTest
from pushforward.evaluation.distribution.energy import EnergyDistance
from pushforward.evaluation.distribution.frechet import FrechetDistance
from pushforward.evaluation.distribution.kernel_distance import KernelDistance
from pushforward.evaluation.distribution.mmd import MaximumMeanDiscrepancy
from pushforward.evaluation.distribution.neighbours import NeighbourScores
from pushforward.evaluation.distribution.sliced_wasserstein import SlicedWasserstein
from pushforward.evaluation.diversity.bins import Bins
from pushforward.evaluation.diversity.classes import ClassVariation, InceptionScore, LabelAccuracy, RareClassRecall
from pushforward.evaluation.diversity.judge import Judge
from pushforward.evaluation.diversity.pairwise import PairwiseDistance
from pushforward.evaluation.diversity.vendi import Vendi
from pushforward.evaluation.features.named import Features
from pushforward.evaluation.measuring.batch import Role
from pushforward.evaluation.measuring.metric import DATA, Metric
from pushforward.evaluation.memorisation import near_duplicates
from pushforward.evaluation.memorisation.authenticity import Authenticity
from pushforward.evaluation.memorisation.copying import CopyingStatistic
from pushforward.evaluation.memorisation.duplicates import Duplicates
from pushforward.evaluation.memorisation.membership import NearnessAttack
from pushforward.evaluation.memorisation.near_duplicates import NearDuplicates
from pushforward.evaluation.memorisation.pull import TrainingPull
from pushforward.evaluation.table.column_shapes import ColumnShapes
from pushforward.evaluation.table.constraints import Constraints
from pushforward.evaluation.table.distance_to_closest import ClosestRecord
from pushforward.evaluation.table.gower import Gower
from pushforward.evaluation.table.pair_associations import PairAssociations
from pushforward.evaluation.table.pair_shapes import PairShapes
from pushforward.evaluation.table.privacy.attribute_inference import AttributeInference
from pushforward.evaluation.table.privacy.linkability import Linkability
from pushforward.evaluation.table.privacy.singling_out import SinglingOut
from pushforward.evaluation.table.validity import Validity
from pushforward.evaluation.text import mauve, verbatim
from pushforward.evaluation.text.distinct import Distinct
from pushforward.evaluation.text.entropy import EntropyGap
from pushforward.evaluation.text.mauve import Mauve
from pushforward.evaluation.text.repetition import Repetition
from pushforward.evaluation.text.self_bleu import SelfBleu
from pushforward.evaluation.text.verbatim import Verbatim


@dataclass(frozen=True)
class Asked:
    """What a card is about.

    Attributes:
        space: what one example is.
        features: from `default_features` or `features_by_name`, fitted on train.
        size: reference examples, and about as many samples; at least 40.
        heldout_size: held-out examples.
        reference_name: which split the reference is; part of every name.
        heldout: role of the held-out examples that the memorisation checks need as their null; None leaves the checks out.
        heldout_name: which split they are.
        judge: a classifier of the data's classes, or None.
        bandwidth: of the Gaussian kernel on the first features, the reference's median distance if None; zero leaves it out.
        rules: expressions that every row of a table must fulfil (see `Expression`).
        seed: seed of whatever is drawn.
    """

    space: Space
    features: Sequence[Features]
    size: int
    heldout_size: int
    reference_name: str = "test"
    heldout: Role | None = "reference"
    heldout_name: str = "test"
    judge: Judge | None = None
    bandwidth: float | None = None
    rules: Sequence[str] = ()
    seed: int = 0


def metrics_for(asked: Asked) -> tuple[list[Metric], list[str]]:
    """Return the measures of a card in their fixed order, and a sentence for each that needs more examples.

    Fréchet and kernel distance on all features; every other measure of distributions and of diversity on the first; of text and of
    tables those of tokens and of columns; classes by the judge; the memorisation checks on the last features, privacy of tables on
    their rows. Constraint rules are the user's and those that hold without exception on train.

    Example:
        >>> import numpy as np
        >>> from pushforward.core.space import Points
        >>> from pushforward.evaluation.features.named import Standardised
        >>> x = np.random.default_rng(0).normal(size=(90, 2))
        >>> found, left_out = metrics_for(Asked(Points(2), [Standardised(x)], size=90, heldout_size=90))
        >>> type(found[0]).__name__, left_out
        ('FrechetDistance', ['near duplicates was left out: it needs 100 examples, and there are 90'])
    """
    require(len(asked.features), 1, "features")
    wanted = _Wanted()
    _distances(asked, wanted)
    _diversity(asked, wanted)
    if asked.judge is not None:
        for kind in (LabelAccuracy, RareClassRecall, ClassVariation, InceptionScore):
            wanted.add(kind(asked.judge, asked.reference_name, asked.seed))
    if isinstance(asked.space, Text):
        wanted.add(EntropyGap(reference_name=asked.reference_name), Repetition(DATA, asked.reference_name))
    if isinstance(asked.space, Table):
        _columns(asked, asked.space, wanted)
    if asked.heldout is not None:
        _memorisation(asked, asked.heldout, wanted)
        if isinstance(asked.space, Table):
            _privacy(asked, asked.space, asked.heldout, wanted)
    return wanted.found, wanted.left_out


@dataclass(frozen=True)
class _Wanted:
    """Measures in their order, and those that were left out."""

    found: list[Metric] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def add(self, *metrics: Metric) -> None:
        """Add measures that any card has examples enough for."""
        self.found.extend(metrics)

    def add_from(self, least: int, there: int, name: str, metric: Metric) -> None:
        """Add a measure if there are as many examples as it needs."""
        if there >= least:
            self.found.append(metric)
        else:
            self.left_out.append(f"{name} was left out: it needs {least} examples, and there are {there}")


def _distances(asked: Asked, wanted: _Wanted) -> None:
    first, name, seed = asked.features[0], asked.reference_name, asked.seed
    wanted.add(*(FrechetDistance(f, name) for f in asked.features))
    wanted.add(*(KernelDistance(f, name) for f in asked.features))
    if asked.bandwidth != 0.0:  # half of all pairs are equal: no width is the scale of such data
        wanted.add(MaximumMeanDiscrepancy(first, name, bandwidth=asked.bandwidth))
    wanted.add(EnergyDistance(first, name), SlicedWasserstein(first, name, seed))
    wanted.add(ClassifierTest(first, name, derive_seed(seed, "halves")))
    if isinstance(asked.space, Text):
        wanted.add_from(mauve.AT_LEAST, asked.size, mauve.MAUVE, Mauve(first, name, seed))
    wanted.add(NeighbourScores(first, name), AlphaPrecision(first, name, seed))


def _diversity(asked: Asked, wanted: _Wanted) -> None:
    first, name = asked.features[0], asked.reference_name
    wanted.add(Vendi(first, name), PairwiseDistance(first, name), Bins(first, name, seed=asked.seed))
    if isinstance(asked.space, Text):
        wanted.add(Distinct(DATA, name), SelfBleu(DATA, name))


def _columns(asked: Asked, space: Table, wanted: _Wanted) -> None:
    name, seed = asked.reference_name, asked.seed
    wanted.add(ColumnShapes(space, name, seed))
    if space.dimensions > 1:  # pairs say nothing of a single column
        wanted.add(PairShapes(space, name, seed), PairAssociations(space, name, seed))
    wanted.add(Validity(space, name), Constraints(space, asked.rules, name))


def _memorisation(asked: Asked, heldout: Role, wanted: _Wanted) -> None:
    last, name, fresh = asked.features[-1], asked.heldout_name, asked.heldout_size
    near = NearDuplicates(last, heldout, name)
    wanted.add(Duplicates(heldout))
    wanted.add_from(near_duplicates.AT_LEAST, fresh, near_duplicates.NEAR, near)
    wanted.add(*(kind(last, heldout, name) for kind in (Authenticity, CopyingStatistic, TrainingPull, NearnessAttack)))
    if isinstance(asked.space, Text):
        wanted.add_from(verbatim.AT_LEAST, fresh, verbatim.COPIED, Verbatim(DATA, heldout, name))


def _privacy(asked: Asked, space: Table, heldout: Role, wanted: _Wanted) -> None:
    name, seed = asked.heldout_name, asked.seed
    wanted.add(ClosestRecord(Gower(space), name, seed, heldout))
    wanted.add(SinglingOut(space, name, seed).judged_on(heldout))
    if space.dimensions > 1:
        wanted.add(AttributeInference(space, reference_name=name, seed=seed).judged_on(heldout))
        wanted.add(Linkability(space, reference_name=name, seed=seed).judged_on(heldout))
