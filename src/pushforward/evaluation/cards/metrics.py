"""Which measures a card has.

Two ideas: they follow from the space, the features and the judge and from nothing else, so that two cards of one dataset always
compare; a measure that needs more examples than there are is named with their number, and left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
from pushforward.evaluation.diversity import bins
from pushforward.evaluation.diversity.bins import Bins
from pushforward.evaluation.diversity.classes import ClassVariation, InceptionScore, LabelAccuracy, RareClassRecall
from pushforward.evaluation.diversity.judge import Judge
from pushforward.evaluation.diversity.pairwise import PairwiseDistance
from pushforward.evaluation.diversity.vendi import Vendi
from pushforward.evaluation.features.named import Features
from pushforward.evaluation.measuring.batch import Role
from pushforward.evaluation.measuring.metric import DATA, Metric
from pushforward.evaluation.memorisation import membership, near_duplicates
from pushforward.evaluation.memorisation.authenticity import Authenticity
from pushforward.evaluation.memorisation.copying import CopyingStatistic
from pushforward.evaluation.memorisation.duplicates import Duplicates
from pushforward.evaluation.memorisation.membership import NearnessAttack
from pushforward.evaluation.memorisation.near_duplicates import NearDuplicates
from pushforward.evaluation.memorisation.pull import TrainingPull
from pushforward.evaluation.table import items
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
        size: examples of the smaller side, samples or reference.
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
        >>> found, left_out = metrics_for(Asked(Points(2), [Standardised(x)], size=90))
        >>> type(found[0]).__name__, left_out
        ('FrechetDistance', ['near duplicates was left out: it needs 100 examples, and there are 90'])
    """
    require(len(asked.features), 1, "features")
    wanted = [*_distances(asked), *_diversity(asked), *_classes(asked), *_text(asked), *_table(asked)]
    if asked.heldout is not None:
        wanted += [*_memorisation(asked, asked.heldout), *_privacy(asked, asked.heldout)]
    found = [metric for metric, least in wanted if asked.size >= least]
    left_out = [
        f"{_called(metric)} was left out: it needs {least} examples, and there are {asked.size}"
        for metric, least in wanted
        if asked.size < least
    ]
    return found, left_out


Wanted = list[tuple[Metric, int]]  # with the fewest examples on a side that it needs, 0 where every card has them


def _called(metric: Metric) -> str:
    words = {
        NearDuplicates: near_duplicates.NEAR,
        Verbatim: verbatim.COPIED,
        Mauve: mauve.MAUVE,
        Bins: bins.DIVERGENCE,
    }
    return words.get(type(metric), type(metric).__name__)  # type: ignore[arg-type]


def _distances(asked: Asked) -> Wanted:
    first, name, halves = asked.features[0], asked.reference_name, derive_seed(asked.seed, "halves")
    found: list[Metric] = [FrechetDistance(f, name) for f in asked.features]
    found += [KernelDistance(f, name) for f in asked.features]
    if asked.bandwidth != 0.0:  # half of all pairs are equal: no width is the scale of such data
        found.append(MaximumMeanDiscrepancy(first, name, bandwidth=asked.bandwidth))
    found += [
        EnergyDistance(first, name),
        SlicedWasserstein(first, name, asked.seed),
        ClassifierTest(first, name, halves),
    ]
    wanted = [(metric, 0) for metric in found]
    if isinstance(asked.space, Text):
        wanted.append((Mauve(first, name, asked.seed), mauve.AT_LEAST))
    return [*wanted, (NeighbourScores(first, name), 0), (AlphaPrecision(first, name, asked.seed), 0)]


def _diversity(asked: Asked) -> Wanted:
    first, name = asked.features[0], asked.reference_name
    wanted: Wanted = [(Vendi(first, name), 0), (PairwiseDistance(first, name), 0)]
    wanted.append((Bins(first, name, seed=asked.seed), bins.AT_LEAST))
    if isinstance(asked.space, Text):
        wanted += [(Distinct(DATA, name), 0), (SelfBleu(DATA, name), 0)]
    return wanted


def _classes(asked: Asked) -> Wanted:
    if asked.judge is None:
        return []
    kinds = (LabelAccuracy, RareClassRecall, ClassVariation, InceptionScore)
    return [(kind(asked.judge, asked.reference_name, asked.seed), 0) for kind in kinds]


def _text(asked: Asked) -> Wanted:
    if not isinstance(asked.space, Text):
        return []
    return [(EntropyGap(reference_name=asked.reference_name), 0), (Repetition(DATA, asked.reference_name), 0)]


def _table(asked: Asked) -> Wanted:
    space, name = asked.space, asked.reference_name
    if not isinstance(space, Table):
        return []
    found: Wanted = [(ColumnShapes(space, name, asked.seed), items.AT_LEAST)]
    if space.dimensions > 1:  # pairs say nothing of a single column
        found += [(kind(space, name, asked.seed), items.AT_LEAST) for kind in (PairShapes, PairAssociations)]
    return [*found, (Validity(space, name), 0), (Constraints(space, asked.rules, name), 0)]


def _memorisation(asked: Asked, heldout: Role) -> Wanted:
    last, name = asked.features[-1], asked.heldout_name
    wanted: Wanted = [(Duplicates(heldout), 0)]
    wanted += [(NearDuplicates(last, heldout, name), near_duplicates.AT_LEAST)]
    wanted += [(kind(last, heldout, name), 0) for kind in (Authenticity, CopyingStatistic, TrainingPull)]
    wanted.append((NearnessAttack(last, heldout, name), membership.AT_LEAST))
    if isinstance(asked.space, Text):
        wanted.append((Verbatim(DATA, heldout, name), verbatim.AT_LEAST))
    return wanted


def _privacy(asked: Asked, heldout: Role) -> Wanted:
    space, name, seed = asked.space, asked.heldout_name, asked.seed
    if not isinstance(space, Table):
        return []
    found: list[Metric] = [ClosestRecord(Gower(space), name, seed, heldout)]
    found.append(SinglingOut(space, name, seed).judged_on(heldout))
    if space.dimensions > 1:
        found.append(AttributeInference(space, reference_name=name, seed=seed).judged_on(heldout))
        found.append(Linkability(space, reference_name=name, seed=seed).judged_on(heldout))
    return [(metric, 0) for metric in found]
