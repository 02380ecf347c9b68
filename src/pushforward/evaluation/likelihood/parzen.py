"""Parzen-window likelihood: the number of the first GAN papers, kept because they are compared by
it.

One idea: it measures how well a mixture of Gaussians around the samples codes the test set, which
rewards centroids over true samples; so it is never ranked, and its warning is part of it.
"""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

from pushforward.core.errors import BadInput
from pushforward.core.measure import Measure
from pushforward.core.score import Score
from pushforward.evaluation.checks import as_rows, require, same_width
from pushforward.evaluation.distances import tiles
from pushforward.evaluation.intervals import mean_interval
from pushforward.evaluation.measuring.metric import Metric

PARZEN = Measure("Parzen-window log-likelihood", better="higher")
METRIC = Metric(PARZEN.name, "A historical number that misleads", (PARZEN,))
MISLEADS = (
    "historical: Parzen-window likelihoods mislead, k-means centroids of the data beat true samples (Theis et al. 2016, "
    "section 3.2); compare models by nothing of this"
)


def parzen_log_density(samples: np.ndarray, x: np.ndarray, bandwidth: float) -> np.ndarray:
    """Return `log 1/n sum_i N(x; s_i, h^2 I)` in nats for every row of `x`.

    Args:
        samples: shape (n, d).
        x: shape (m, d).
        bandwidth: h > 0.

    Example:
        >>> parzen_log_density(np.zeros((5, 1)), np.zeros((1, 1)), 1.0).round(4).tolist()
        [-0.9189]
    """
    found, d = np.empty(len(x)), samples.shape[1]
    for part, distance in tiles(x, samples):
        found[part] = logsumexp(-0.5 * (distance / bandwidth) ** 2, axis=1)
    return found - np.log(len(samples)) - d * np.log(bandwidth) - 0.5 * d * np.log(2 * np.pi)


def parzen(
    samples: np.ndarray,
    validation: np.ndarray,
    test: np.ndarray,
    name: str = "data",
    bandwidths: np.ndarray | None = None,
) -> Score:
    """Return the mean Parzen-window log-density of `test`, with the bandwidth that suits
    `validation` best.

    As Goodfellow et al. (2014, section 5) and Breuleux et al. (2011): higher is better, in nats per
    example. The interval is over the test examples only.

    Args:
        samples: the model's examples, shape (n, d).
        validation: real examples that choose the bandwidth, shape (v, d).
        test: real examples, shape (m, d).
        name: what the rows are, printed in brackets.
        bandwidths: candidates; by default 20 between a tenth and ten times the root-mean-square
            distance of validation to its nearest samples, over the root of d.

    Raises:
        BadInput: fewer than two rows, NaN, different widths, or samples that all equal validation
            examples.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(900, 2))
        >>> s = parzen(x[:500], x[500:700], x[700:])
        >>> s.low < -2.84 < s.high
        True
    """
    rows, chooser, held = (
        as_rows(a, r, 2)
        for a, r in ((samples, "samples"), (validation, "validation"), (test, "test"))
    )
    same_width(rows, chooser)
    same_width(rows, held)
    if bandwidths is None:
        nearest = np.concatenate([distance.min(axis=1) for _, distance in tiles(chooser, rows)])
        scale = float(np.sqrt((nearest**2).mean() / rows.shape[1]))
        if scale == 0:
            raise BadInput("samples that repeat every validation example", "samples of a model")
        bandwidths = scale * np.geomspace(0.1, 10.0, 20)
    require(len(bandwidths), 1, "bandwidths")
    best = max(bandwidths, key=lambda h: float(parzen_log_density(rows, chooser, float(h)).mean()))
    mean, low, high, stderr = mean_interval(parzen_log_density(rows, held, float(best)))
    return Score(
        PARZEN,
        mean,
        len(rows),
        low=low,
        high=high,
        stderr=stderr,
        unit="nats/example",
        warnings=(f"{MISLEADS} (bandwidth {best:.4g})",),
        view=name,
        reference="test",
    )
