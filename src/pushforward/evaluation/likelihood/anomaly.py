"""Anomaly scores from a likelihood, with what is known to go wrong beside them.

Three ideas: a high likelihood does not mean that an example is normal, since simple examples are
likely under any model; so the code length stands beside its complexity-corrected version and its
typicality; every score becomes a conformal p-value against held-out examples, the only scale on
which the three can be read together.
"""

from __future__ import annotations

import lzma
import math
from dataclasses import dataclass

import numpy as np

from pushforward.core.errors import BadInput
from pushforward.core.logprob import LogProb
from pushforward.evaluation.checks import require

WARNING = (
    "likelihood is no detector by itself: models give simple examples from elsewhere a higher likelihood than their own data "
    "(Nalisnick et al. 2019); trust an example that is flagged by "
)
_OF_ALL = {2: "both scores", 3: "all three scores"}


@dataclass(frozen=True)
class Anomalies:
    """Scores of every example, larger where it is stranger, and their p-values against held-out
    examples.

    Attributes:
        code_length: `-log p(x)` in nats.
        corrected: code length minus the length of a general-purpose code of the same example, in
            nats; None where examples are real numbers, which have no such length.
        atypicality: `|-log p(x) - H|` with H the mean code length of held-out examples.
        p_values: by the name of the score, shape (n,): how many of the held-out examples are at
            least as strange.
        heldout: by the name of the score, that of the held-out examples which the p-values rest on.
    """

    code_length: np.ndarray
    corrected: np.ndarray | None
    atypicality: np.ndarray
    p_values: dict[str, np.ndarray]
    heldout: dict[str, np.ndarray]

    @property
    def warning(self) -> str:
        """What a reader must know, with the number of scores that there are."""
        return WARNING + _OF_ALL[len(self.p_values)]


def complexity(x: np.ndarray) -> np.ndarray:
    """Return the length in nats of a general-purpose compression (LZMA) of every example, shape
    (n,).

    Serra et al. (2020, equation 2) subtract it from the code length: their S is a log-likelihood
    ratio against a universal model. The container's constant bytes, those of an empty message, are
    not counted.

    Args:
        x: whole numbers, shape (n, ...).

    Raises:
        BadInput: real numbers, whose code has no length.

    Example:
        >>> flat, noise = np.zeros((1, 784)), np.random.default_rng(0).integers(0, 256, (1, 784))
        >>> bool(complexity(flat)[0] < 400 < 4000 < complexity(noise)[0])
        True
    """
    if not np.array_equal(x, np.round(x)):
        raise BadInput(
            "real numbers",
            "whole numbers, such as pixels or tokens",
            "real numbers have no finite code",
        )
    wide = np.uint8 if x.min(initial=0) >= 0 and x.max(initial=0) < 256 else np.int32
    empty = len(_packed(b""))
    lengths = [len(_packed(np.ascontiguousarray(row, dtype=wide).tobytes())) - empty for row in x]
    return np.array(lengths) * 8 * math.log(2)


def _packed(message: bytes) -> bytes:
    return lzma.compress(
        message, format=lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA2, "preset": 6}]
    )


def conformal(scores: np.ndarray, heldout: np.ndarray) -> np.ndarray:
    """Return `(1 + #{h >= s}) / (1 + m)`: uniform or larger for an example that is exchangeable
    with the held-out ones.

    Vovk, Gammerman & Shafer (2005, section 2.2).

    Example:
        >>> conformal(np.array([0.0, 2.5]), np.array([1.0, 2.0, 3.0])).tolist()
        [1.0, 0.5]
    """
    ordered = np.sort(heldout)
    return (1.0 + len(ordered) - np.searchsorted(ordered, scores, "left")) / (1.0 + len(ordered))


def anomalies(
    lp: LogProb, heldout: LogProb, x: np.ndarray | None = None, heldout_x: np.ndarray | None = None
) -> Anomalies:
    """Score examples against held-out ones of the data that a model was trained on.

    The mean code length that typicality needs comes from one half of the held-out examples and the
    p-values from the other, so that they stay exchangeable with a new one.

    Args:
        lp: log-probabilities of the examples in question.
        heldout: of held-out examples, in random order, at least 40.
        x: the examples themselves in data units, for the complexity; left out for real numbers.
        heldout_x: likewise, the held-out ones.

    Raises:
        BadInput: different kinds or units, or too few held-out examples.

    Example:
        >>> import torch
        >>> from pushforward.core.space import Points
        >>> lp = lambda nats: LogProb(nats, "exact", "lebesgue", Points(1).unit, "exact")
        >>> found = anomalies(lp(torch.tensor([-50.0, -2.0])), lp(torch.linspace(-3.0, -1.0, 200)))
        >>> [bool(p < 0.02) for p in found.p_values["code length"]]
        [True, False]
    """
    lp.require_same(heldout, ("kind", "estimator", "unit", "given"))
    require(len(heldout), 40, "held-out examples")
    mine, theirs = (-p.nats.detach().double().cpu().numpy() for p in (lp, heldout))
    half = len(theirs) // 2
    usual = float(theirs[:half].mean())
    strange, corrected = np.abs(mine - usual), None
    scores, normal = {"code length": mine, "typicality": strange}, {"code length": theirs}
    normal["typicality"] = np.abs(theirs[half:] - usual)
    if x is not None and heldout_x is not None:
        corrected = mine - complexity(x)
        scores["complexity-corrected"], normal["complexity-corrected"] = (
            corrected,
            theirs - complexity(heldout_x),
        )
    p_values = {name: conformal(found, normal[name]) for name, found in scores.items()}
    return Anomalies(mine, corrected, strange, p_values, normal)
