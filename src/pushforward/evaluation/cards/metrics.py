"""Every metric there is, and which of them a card has.

One idea: a metric is declared beside what computes it and is named here once; cards, tables of a
page, lines of a CSV, what counts as a merit and what is explained follow from the declaration.
"""

from __future__ import annotations

from pushforward.core.errors import BadInput
from pushforward.core.measure import Measure
from pushforward.core.plugins import origin, refuse, whose
from pushforward.core.registry import Registry
from pushforward.evaluation.checks import require
from pushforward.evaluation.measuring.guarded import guarded
from pushforward.evaluation.measuring.metric import CardSetting, Metric
from pushforward.evaluation.measuring.statistic import Statistic

HERE = "pushforward.evaluation."
# in the order of a card's scores
METRICS: Registry[Metric] = Registry(
    "metric",
    {
        "tree two-sample score": HERE + "table.tree_score:METRIC",
        "TSTR": HERE + "usefulness.tstr:METRIC",
        "column shapes": HERE + "table.column_shapes:METRIC",
        "pair shapes": HERE + "table.pair_shapes:METRIC",
        "pair associations": HERE + "table.pair_associations:METRIC",
        "validity": HERE + "table.validity:METRIC",
        "constraint violations": HERE + "table.constraints:METRIC",
        "frechet distance": HERE + "distribution.frechet:METRIC",
        "kernel distance": HERE + "distribution.kernel_distance:METRIC",
        "squared mmd": HERE + "distribution.mmd:METRIC",
        "energy distance": HERE + "distribution.energy:METRIC",
        "sliced wasserstein distance": HERE + "distribution.sliced_wasserstein:METRIC",
        "classifier two-sample accuracy": HERE + "distribution.classifier_test:METRIC",
        "mauve": HERE + "text.mauve:METRIC",
        "nearest neighbours": HERE + "distribution.neighbours:METRIC",
        "alpha-precision and beta-recall": HERE + "distribution.alpha_precision:METRIC",
        "vendi score": HERE + "diversity.vendi:METRIC",
        "mean pairwise distance": HERE + "diversity.pairwise:METRIC",
        "bins": HERE + "diversity.bins:METRIC",
        "distinct n-grams": HERE + "text.distinct:METRIC",
        "self-BLEU-4": HERE + "text.self_bleu:METRIC",
        "label accuracy": HERE + "diversity.classes:LABEL_ACCURACY",
        "rare-class recall": HERE + "diversity.classes:RARE_CLASS_RECALL",
        "total variation of class shares": HERE + "diversity.classes:CLASS_VARIATION",
        "inception-style score": HERE + "diversity.classes:INCEPTION_SCORE",
        "entropy gap": HERE + "text.entropy:METRIC",
        "repeated 4-grams": HERE + "text.repetition:METRIC",
        "exact duplicates": HERE + "memorisation.duplicates:METRIC",
        "near duplicates": HERE + "memorisation.near_duplicates:METRIC",
        "authenticity": HERE + "memorisation.authenticity:METRIC",
        "copying statistic": HERE + "memorisation.copying:METRIC",
        "pull of training examples": HERE + "memorisation.pull:METRIC",
        "membership inference": HERE + "memorisation.membership:METRIC",
        "verbatim windows": HERE + "text.verbatim:METRIC",
        "distance to closest record": HERE + "table.distance_to_closest:METRIC",
        "singling out": HERE + "table.privacy.singling_out:METRIC",
        "attribute inference": HERE + "table.privacy.attribute_inference:METRIC",
        "linkability": HERE + "table.privacy.linkability:METRIC",
        # of a model's likelihoods, or asked for by name
        "negative log-likelihood": HERE + "likelihood.code_length:METRIC",
        "KL to the truth": HERE + "likelihood.code_length:KL_TO_TRUTH",
        "likelihood gap": HERE + "likelihood.gap:METRIC",
        "Parzen-window log-likelihood": HERE + "likelihood.parzen:METRIC",
    },
    of=HERE + "measuring.metric:Metric",
    check=HERE + "cards.metrics:require_usable",
)


def metrics_for(setting: CardSetting) -> tuple[list[Statistic], list[str]]:
    """Return what a card computes, in its fixed order, and a sentence for each metric that needs
    more examples.

    Fréchet and kernel distance on all features; every other measure of distributions and of
    diversity on the first; of text and of tables those of tokens and of columns; classes by the
    judge; the memorisation checks on the last features, privacy of tables on their rows. Constraint
    rules are the user's and those that hold without exception on train.

    Example:
        >>> import numpy as np
        >>> from pushforward.core.space import Points
        >>> from pushforward.evaluation.features.named import Standardised
        >>> x = np.random.default_rng(0).normal(size=(90, 2))
        >>> found, left_out = metrics_for(CardSetting(Points(2), [Standardised(x)], size=90, heldout_size=90))
        >>> type(found[0]).__name__, left_out
        ('FrechetDistance', ['near duplicates was left out: it needs 100 examples, and there are 90'])
    """
    require(len(setting.features), 1, "features")
    wanted = [metric for metric in METRICS if metric.applies(setting)]
    reasons = {metric.name: metric.left_out(setting) for metric in wanted}
    found: list[Statistic] = []
    for metric in [metric for metric in wanted if not reasons[metric.name]]:
        plugin = origin(metric)
        if plugin is None:
            found += metric.on(setting)
            continue
        reasons[metric.name] = f"{metric.name} was left out: {whose(metric)} failed"
        with refuse(plugin):
            found += guarded(metric.on(setting), plugin)
            reasons[metric.name] = ""
    return found, [reason for reason in reasons.values() if reason]


def require_usable(metric: Metric, registry: Registry[Metric]) -> None:
    """Refuse a metric of another package whose measures have names that others have.

    Raises:
        BadInput: names the measure.
    """
    if not metric.measures:
        raise BadInput("a metric without measures", "one at least")
    taken = {measure.name for other in registry for measure in other.measures}
    for measure in metric.measures:
        if measure.name in taken:
            raise BadInput(f"the measure '{measure.name}', which is taken", "a new name")


def declared() -> dict[str, Measure]:
    """Return every measure of every metric by its name.

    Example:
        >>> declared()["coverage"].aspect.name
        'fidelity and coverage'
    """
    return {measure.name: measure for metric in METRICS for measure in metric.measures}
