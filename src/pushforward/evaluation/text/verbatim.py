"""Text that is copied word for word.

Two ideas: how long a run of tokens a window shares with the training text is measured by growing
runs, and only those that still live are looked up again; real text shares runs with real text too,
so what is long is read off held-out windows.
"""

from __future__ import annotations

import math

import numpy as np

from pushforward.core.measure import MEMORISATION, Measure
from pushforward.core.score import Score
from pushforward.evaluation.checks import require, same_width
from pushforward.evaluation.intervals import extremes, mean_interval
from pushforward.evaluation.measuring.batch import Role
from pushforward.evaluation.measuring.metric import Metric
from pushforward.evaluation.measuring.statistic import (
    DATA,
    Kept,
    Measured,
    MeasuredOn,
    Need,
    Statistic,
    Terms,
    View,
)
from pushforward.evaluation.text.ngrams import as_tokens

LONGEST = Measure(
    "longest verbatim run",
    "The longest run of tokens found in training.",
    "Longest passage copied",
    "tokens",
    MEMORISATION,
    "check",
)
COPIED = Measure(
    "verbatim windows",
    "Samples that hold a long run of tokens found in training.",
    "Passages copied",
    "share of samples",
    MEMORISATION,
    "check",
)
RATE, AT_LEAST, TIED = 0.01, 100, 0.05


def longest_runs(windows: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Return the length of the longest run of tokens that each window shares with one training
    window, shape (n,).

    Runs of n tokens that occur on both sides are numbered anew for every n, so that runs are equal
    exactly if their numbers are. A run of n + 1 tokens can only start where one of n does, so only
    those places are looked at again.

    Args:
        windows: tokens (n, length).
        train: tokens (m, any length); windows may overlap.

    Example:
        >>> longest_runs(np.array([[1, 2, 3, 4], [9, 4, 3, 9]]), np.array([[0, 2, 3, 4, 5]])).tolist()
        [3, 1]
    """
    longest = np.zeros(len(windows), dtype=np.int64)
    # flat texts, each row closed by a mark that never matches anything: runs end with their window
    sides = [_closed(windows, -1), _closed(train, -2)]
    runs = [
        np.flatnonzero(side >= 0) for side in sides
    ]  # where a run of `n` tokens starts that both sides have
    codes = [np.zeros(len(starts), dtype=np.int64) for starts in runs]
    width = max(int(windows.max()), int(train.max())) + 1
    row = np.repeat(np.arange(len(windows)), windows.shape[1] + 1)
    for n in range(1, min(windows.shape[1], train.shape[1]) + 1):
        for k, side in enumerate(sides):
            following = side[runs[k] + n - 1]
            inside = following >= 0
            runs[k], codes[k] = runs[k][inside], codes[k][inside] * width + following[inside]
        shared = np.intersect1d(codes[0], codes[1])
        if not len(shared):
            break
        for k in range(2):
            place = np.searchsorted(shared, codes[k]).clip(max=len(shared) - 1)
            alive = shared[place] == codes[k]
            runs[k], codes[k] = runs[k][alive], place[alive]
        longest[row[runs[0]]] = n
    return longest


def _closed(rows: np.ndarray, mark: int) -> np.ndarray:
    return np.concatenate([rows, np.full((len(rows), 1), mark, dtype=np.int64)], axis=1).ravel()


def measure_verbatim(
    samples: np.ndarray,
    train: np.ndarray,
    heldout: np.ndarray,
    ids: np.ndarray,
    reference_name: str = "held-out",
) -> list[Measured]:
    """Return `verbatim_scores` with what every window contributes to their errors."""
    x, fresh = as_tokens(samples, "samples", 2), as_tokens(heldout, "held-out examples", 2)
    fitted = as_tokens(train, "training examples", 2)
    require(len(fresh), AT_LEAST, "held-out examples")
    same_width(x, fresh)
    runs = longest_runs(np.concatenate([x, fresh]), fitted)
    own, natural = runs[: len(x)].astype(np.float64), runs[len(x) :].astype(np.float64)
    value, low, high, stderr = mean_interval(own)
    mean = MeasuredOn("tokens", reference=reference_name, subject="train").score(
        LONGEST,
        value,
        len(own),
        low=low,
        high=high,
        stderr=stderr,
        null=float(natural.mean()),
        null_stderr=float(natural.std(ddof=1)) / math.sqrt(len(natural)),
        unit="tokens",
    )
    return [Measured(mean, Terms.of_mean(ids, own)), Measured(_share(own, natural, reference_name))]


def _share(own: np.ndarray, natural: np.ndarray, reference_name: str) -> Score:
    found = extremes(-own, -natural, RATE)  # the longest are extreme
    warnings: tuple[str, ...] = ()
    if found.natural_share > TIED:
        warnings = (
            f"{found.natural_share:.0%} of {reference_name} windows have a run of {-found.threshold:.0f} tokens or more, as long "
            "as there is: many copies hide among them; use longer windows",
        )
    return MeasuredOn(f"runs longer than 99 % of {reference_name}", reference="train").score(
        COPIED,
        found.share,
        len(own),
        low=found.low,
        high=found.high,
        stderr=found.stderr,
        null=found.null,
        null_stderr=0.0,  # the standard error counts the held-out windows already
        warnings=warnings,
    )


def verbatim_scores(
    samples: np.ndarray, train: np.ndarray, heldout: np.ndarray, reference_name: str = "held-out"
) -> list[Score]:
    """Score the mean longest run shared with train, and the share of windows whose run is as long
    as the longest 1 % held out.

    The null of the mean is that of held-out windows; its interval is Student's over samples. The
    share is read beside what `extremes` says of an honest model.

    Args:
        samples: windows of the model's tokens, shape (n, length).
        train: training windows, shape (m, any length).
        heldout: windows not trained on, shape (h, length), at least 100: longer windows hold longer
            runs.
        reference_name: what the held-out windows are called.

    Raises:
        BadInput: fewer than 100 held-out windows, fewer than two others, or samples and held-out
            windows of different lengths.

    Example:
        >>> text = np.random.default_rng(0).integers(0, 20, (400, 16))
        >>> mean, share = verbatim_scores(text[:50], text[:200], text[200:])
        >>> mean.value, share.value, share.null < 0.3
        (16.0, 1.0, True)
    """
    found = measure_verbatim(samples, train, heldout, np.arange(len(samples)), reference_name)
    return [m.score for m in found]


class Verbatim(Statistic):
    """`verbatim_scores` of the windows kept.

    Args:
        view: how windows are seen; as they are, unless told otherwise.
        heldout: which role the held-out windows have; `reference` where the reference is itself
            held out.
        heldout_name: which split they are.
    """

    def __init__(
        self, view: View = DATA, heldout: Role = "reference", heldout_name: str = "test"
    ) -> None:
        self.view, self.heldout_name = view, heldout_name
        self.heldout: Role = heldout

    @property
    def needs(self) -> tuple[Need, ...]:
        """Rows of all three roles."""
        roles: tuple[Role, ...] = ("samples", "train", self.heldout)
        return tuple(Need(role, self.view, "rows") for role in roles)

    def compute(self, kept: Kept) -> list[Measured]:
        """Return the mean run and the share of verbatim windows."""
        x, t = kept.rows("samples", self.view), kept.rows("train", self.view)
        return measure_verbatim(
            x,
            t,
            kept.rows(self.heldout, self.view),
            kept.ids("samples", self.view),
            self.heldout_name,
        )


METRIC = Metric(
    "verbatim windows",
    COPIED.says.removesuffix("."),
    (LONGEST, COPIED),
    lambda card: [Verbatim(DATA, card.null_role, card.heldout_name)],
    spaces=("text",),
    requires=frozenset({"held-out"}),
    at_least=AT_LEAST,
)
