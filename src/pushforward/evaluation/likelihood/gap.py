"""What training examples are worth to a model beyond what unseen ones are.

One idea: the gap between the code lengths of train and test is the only memorisation that a
likelihood sees; it is a difference of two independent means of one kind, and nothing is said where
the kinds differ.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from scipy import stats

from pushforward.core.errors import BadInput
from pushforward.core.logprob import LogProb
from pushforward.core.measure import MEMORISATION, Measure
from pushforward.core.score import Score
from pushforward.evaluation.checks import require
from pushforward.evaluation.measuring.metric import Metric

GAP = Measure(
    "likelihood gap",
    "How much likelier training data are than unseen.",
    "Training data preferred",
    "see heading",
    MEMORISATION,
    "check",
)
METRIC = Metric.of(GAP)


def likelihood_gap(train: LogProb, heldout: LogProb, split: str = "test") -> Score:
    """Return how much shorter the code of training examples is than that of held-out ones, in the
    unit of the space.

    `mean(log p | train) - mean(log p | held out)`, over `nats_per_unit`; null 0. Welch's interval
    (Welch 1947): the two samples are independent and need not scatter alike. Of a bound it is the
    gap of the bound, which the warning says.

    Args:
        train: log-probabilities of training examples.
        heldout: of examples the model was not trained on.
        split: name of their split.

    Raises:
        BadInput: different kinds, estimators, units or conditions; fewer than two examples;
            infinite code lengths.

    Example:
        >>> import torch
        >>> from pushforward.core.space import Points
        >>> lp = lambda values: LogProb(torch.tensor(values), "exact", "lebesgue", Points(2).unit, "exact")
        >>> round(likelihood_gap(lp([-1.0, -1.2, -0.8]), lp([-2.0, -2.2, -1.8])).value, 6)
        1.0
    """
    train.require_same(heldout, ("kind", "estimator", "measure", "unit", "given"))
    sides = []
    for role, lp in (("training", train), (split, heldout)):
        require(len(lp.per_case()), 2, f"{role} examples")
        values = lp.per_case().detach().cpu().numpy() / lp.unit.nats_per_unit / lp.mean_size
        if not np.isfinite(values).all():
            raise BadInput(f"infinite log-probabilities of {role} examples", "finite numbers")
        sides.append(values)
    gap = float(sides[0].mean() - sides[1].mean())
    parts = [float(v.var(ddof=1)) / len(v) for v in sides]
    stderr = math.sqrt(sum(parts))
    below = sum(p**2 / (len(v) - 1) for p, v in zip(parts, sides, strict=True))
    reach = float(stats.t.ppf(0.975, sum(parts) ** 2 / below)) * stderr if below > 0 else 0.0
    blank = Score(GAP, gap, len(train), null=0.0, view=train.kind, subject="train", reference=split)
    warnings = () if train.kind == "exact" else (f"the gap of a {train.kind} ({train.estimator})",)
    return replace(
        blank,
        low=gap - reach,
        high=gap + reach,
        stderr=stderr,
        unit=train.unit.name,
        kind=train.kind,
        warnings=warnings,
    )
