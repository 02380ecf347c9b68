"""Does the model replay its training data?

Three ideas: every check has held-out data as its null, because real examples lie near training examples too; training and
held-out examples are exchangeable for an honest model, whatever its quality, so only a model that is nearer to the training
half than chance allows has memorised; blur, noise and collapse move every distance to train, but not that balance.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from pushforward.core.score import Score
from pushforward.evaluation.checks import as_rows, require, same_width
from pushforward.evaluation.distances import kth_neighbour, nearest, tiles
from pushforward.evaluation.intervals import wilson

DUPLICATES, AUTHENTICITY = "exact duplicates", "authenticity"
COPYING, PULL = "copying statistic", "pull of training examples"
MEMORISATION = (DUPLICATES, AUTHENTICITY, COPYING, PULL)
THRESHOLD, CORROBORATION = 3.0, 2.0


def _duplicated(rows: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Return which rows occur in `train`, by value in single precision, which is what models emit."""
    # adding zero turns -0.0 into 0.0, whose bytes differ
    known = {row.tobytes() for row in train.astype(np.float32) + 0.0}
    return np.array([row.tobytes() in known for row in rows.astype(np.float32) + 0.0])


def duplicate_rate(samples: np.ndarray, train: np.ndarray, heldout: np.ndarray) -> Score:
    """Return the fraction of samples that occur in train, to single precision, in data units.

    The null is the same fraction for held-out examples: in a small discrete space real examples repeat too. `stderr` is that of
    the difference from the null under equal rates, `sqrt(p (1-p) (1/n + 1/h))` with the pooled rate p.

    Args:
        samples: the model's examples in data units, shape (n, ...).
        train: what the model was trained on, shape (m, ...).
        heldout: real examples it was not trained on, shape (h, ...).

    Example:
        >>> x = np.arange(30.0).reshape(30, 1)
        >>> s = duplicate_rate(x[:10], x[:20], x[20:])
        >>> s.value, s.null
        (1.0, 0.0)
    """
    rows, fitted, fresh = _three(samples, train, heldout)
    again, natural = _duplicated(rows, fitted), _duplicated(fresh, fitted)
    pooled = float(np.concatenate([again, natural]).mean())
    low, high = wilson(float(again.sum()), len(again))
    return Score(
        f"{DUPLICATES} [data] vs train",
        float(again.mean()),
        n=len(rows),
        better="lower",
        low=low,
        high=high,
        stderr=math.sqrt(pooled * (1 - pooled) * (1 / len(again) + 1 / len(natural))),
        null=float(natural.mean()),
    )


def _authentic(rows: np.ndarray, train: np.ndarray) -> np.ndarray:
    index, distance = nearest(rows, train)
    asked, position = np.unique(index, return_inverse=True)
    radius = kth_neighbour(train, 1, asked)[position]
    return np.where(distance == radius, 0.5, (distance > radius).astype(np.float64))


def authenticity(
    samples: np.ndarray, train: np.ndarray, heldout: np.ndarray, features: str, fingerprint: str = ""
) -> Score:
    """Return the fraction of samples farther from their nearest training example than that example's own nearest neighbour is.

    `mean 1[d(y, t*) > min_{t != t*} d(t*, t)]` with `t*` the training example nearest to y (Alaa et al. 2022, section 4.3): the
    radius is the *training* example's. Ties count half. The null is the same fraction for held-out examples. Quality moves
    it as well: samples off the data raise it, samples crowding where the data are dense lower it.

    Args:
        samples: features of the model's examples, shape (n, d).
        train: features of the training examples, shape (m, d).
        heldout: features of real examples not trained on, shape (h, d).
        features: name of the features.
        fingerprint: fingerprint of the features.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(300, 4))
        >>> s = authenticity(np.repeat(x[:1], 50, axis=0), x[:200], x[200:], "identity")
        >>> s.value, s.null > 0.3
        (0.0, True)
    """
    rows, fitted, fresh = _three(samples, train, heldout)
    genuine = _authentic(rows, fitted)
    low, high = wilson(float(genuine.sum()), len(genuine))
    return Score(
        f"{AUTHENTICITY} [{features}] vs train",
        float(genuine.mean()),
        n=len(rows),
        better="higher",
        low=low,
        high=high,
        stderr=float(genuine.std(ddof=1)) / math.sqrt(len(genuine)),
        null=float(_authentic(fresh, fitted).mean()),
        features=fingerprint,
    )


def copying_statistic(
    samples: np.ndarray,
    train: np.ndarray,
    heldout: np.ndarray,
    features: str,
    fingerprint: str = "",
    reference_name: str = "test",
) -> Score:
    """Return the Mann-Whitney Z of distances to train, samples against held-out examples; negative: samples are nearer.

    `Z = (U - (n h / 2 - 1/2)) / sqrt(n h (n + h + 1) / 12)` (Meehan et al. 2020, section 3, one cell), ties counting half in U and
    lowering the variance. Standard normal if the model is the data distribution. Copying makes it negative, but so does
    crowding where the data are dense, and an honest model that collapsed to 12 digits scatters by 3.3 instead of 1 (measured):
    alone it convicts nobody.

    Args:
        samples: features of the model's examples, shape (n, d).
        train: features of the training examples, shape (m, d).
        heldout: features of real examples not trained on, shape (h, d).
        features: name of the features.
        fingerprint: fingerprint of the features.
        reference_name: which split `heldout` is.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(300, 4))
        >>> copying_statistic(x[:100], x[:200], x[200:], "identity").value < -10
        True
    """
    rows, fitted, fresh = _three(samples, train, heldout)
    near, null = nearest(rows, fitted)[1], nearest(fresh, fitted)[1]
    n, h = len(near), len(null)
    ranks = stats.rankdata(np.concatenate([near, null]))
    u = float(ranks[:n].sum()) - n * (n + 1) / 2
    _, ties = np.unique(ranks, return_counts=True)
    tied = float((ties.astype(np.float64) ** 3 - ties).sum()) / ((n + h) * (n + h - 1))
    variance = n * h * (n + h + 1 - tied) / 12
    z = (u - (n * h / 2 - 0.5)) / math.sqrt(variance) if variance > 0 else 0.0
    warnings = () if variance > 0 else ("all distances to train are equal; the statistic says nothing",)
    return Score(
        f"{COPYING} [{features}] train vs {reference_name}",
        z,
        n=n,
        better="higher",
        stderr=1.0,
        null=0.0,
        unit="standard errors",
        features=fingerprint,
        warnings=warnings,
    )


def training_pull(
    samples: np.ndarray,
    train: np.ndarray,
    heldout: np.ndarray,
    features: str,
    fingerprint: str = "",
    reference_name: str = "test",
) -> Score:
    """Return how much more often than chance a sample's nearest real example is a training example, in standard errors.

    Pool the m training and h held-out examples. A sample with nearest and second-nearest pooled distances `d1 <= d2` gives its
    nearest pooled example the weight `1 - d1/d2`: a replay counts fully, a sample between examples hardly; examples tied for
    nearest share the weight, and d2 is the next larger distance.
    With `w_j` the weight of example j and l_j = 1 if it is a training example, `T = sum w_j l_j`. Whatever the samples look like,
    if the model did not treat training examples specially the labels are exchangeable, hence
    `E T = m W / N` and `Var T = m h / (N (N-1)) sum (w_j - W/N)^2`, where `W = sum w_j` and `N = m + h`.

    Args:
        samples: features of the model's examples, shape (n, d).
        train: features of the training examples, shape (m, d).
        heldout: features of real examples not trained on, shape (h, d).
        features: name of the features.
        fingerprint: fingerprint of the features.
        reference_name: which split `heldout` is.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(300, 4))
        >>> training_pull(x[:100], x[:200], x[200:], "identity").value > 5
        True
    """
    rows, fitted, fresh = _three(samples, train, heldout)
    pool = np.concatenate([fitted, fresh])
    weights = np.zeros(len(pool))
    for _, distance in tiles(rows, pool):
        first = distance.min(axis=1)
        tied = distance == first[:, None]
        second = np.where(tied, np.inf, distance).min(axis=1)
        weights += ((1.0 - first / second) / tied.sum(axis=1)) @ tied
    m, total = len(fitted), len(pool)
    expected = m * float(weights.sum()) / total
    variance = m * len(fresh) / (total * (total - 1)) * float(((weights - weights.mean()) ** 2).sum())
    z = (float(weights[:m].sum()) - expected) / math.sqrt(variance) if variance > 0 else 0.0
    return Score(
        f"{PULL} [{features}] train vs {reference_name}",
        z,
        n=len(rows),
        better="lower",
        stderr=1.0,
        null=0.0,
        unit="standard errors",
        features=fingerprint,
    )


@dataclass(frozen=True)
class Verdict:
    """Whether the memorisation checks tripped, and one sentence saying on what evidence."""

    tripped: bool
    sentence: str


def memorisation_verdict(scores: Sequence[Score]) -> Verdict:
    """Judge a scorecard: replayed training data, or not, by the evidence that quality cannot fake.

    Trips if training examples pull by more than three standard errors (an honest model does so once in 740 runs), or if exact
    duplicates exceed their natural rate by three and the pull corroborates it by two: an honest model that collapsed to a
    frequent pattern of a tiny space repeats training examples too, but held-out ones just as much.

    Args:
        scores: any scores; only duplicates and pull are read.

    Raises:
        BadInput: the pull of training examples is not among the scores.

    Example:
        >>> pull = Score("pull of training examples [pca-32] train vs test", 8.0, n=9, better="lower", stderr=1.0, null=0.0)
        >>> memorisation_verdict([pull]).tripped
        True
    """
    pulls = [score.value for score in scores if score.name.startswith(PULL)]
    require(len(pulls), 1, f"scores named '{PULL}'")
    pull = max(pulls)
    evidence = []
    for score in scores:
        if score.name.startswith(DUPLICATES) and _excess(score) > THRESHOLD and pull > CORROBORATION:
            evidence.append(
                f"{score.value:.1%} of the samples are exact training examples, {score.null:.1%} of held-out data"
            )
    if pull > THRESHOLD or evidence:
        evidence.append(f"samples lie nearer to training than to held-out examples by {pull:.1f} standard errors")
        return Verdict(True, "replays training data: " + "; ".join(evidence))
    return Verdict(False, "no sign of replayed training data at this sample size")


def _excess(score: Score) -> float:
    """Standard errors by which a rate exceeds its null; zero where neither varies."""
    return (score.value - (score.null or 0.0)) / score.stderr if score.stderr else 0.0


def _three(samples: np.ndarray, train: np.ndarray, heldout: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rows = as_rows(samples, "samples", at_least=2)
    fitted = as_rows(train, "training examples", at_least=2)
    fresh = as_rows(heldout, "held-out examples", at_least=2)
    same_width(rows, fitted)
    same_width(rows, fresh)
    return rows, fitted, fresh
