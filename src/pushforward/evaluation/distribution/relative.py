"""Two models' squared discrepancies from one reference: the error of their difference, and a test
that is exact for equal laws.

Two ideas: what the reference contributes alone cancels before any error is estimated, not
afterwards; exchanging a sample of one model with a sample of the other changes the difference by
one number of that pair, so the exact test is one of sign flips.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pushforward.evaluation.distribution.gram import Kernel, between, within
from pushforward.evaluation.measuring.statistic import Contrast
from pushforward.evaluation.sign_flips import sign_flip_p_value


@dataclass(frozen=True)
class KernelRival:
    """One model's samples and their kernel sums.

    The difference of two unbiased squared MMDs from one reference is, without the reference's own
    pairs, which cancel,

        `D = mean_{i != j} k(a_i, a_j) - mean_{i != j} k(b_i, b_j) - 2 mean k(a_i, y_j) + 2 mean
        k(b_i, y_j)`.

    Its Hoeffding decomposition (Hoeffding 1948, section 5) has first-order terms `2 (mean k(a_i, a)
    - mean k(a_i, y))` of the samples, their negatives of the rival's, and `-2 (mean k(a, y_j) -
    mean k(b, y_j))` of the reference; all vanish where both models are the data, and the
    reference's wherever the models are equal. What remains is of second order, on either side `2
    s_aa / (n (n - 1)) + 4 s_ay / (n m)` with s the second moments of the doubly centred kernels,
    and it is there for both models. The variances of the empirical first-order terms count it
    twice, so it is subtracted once, and it is the least that the variance can be.

    Where the models' laws are equal, `a_i` and `b_i` may be exchanged (also if both were drawn for
    one label or from one noise). With `w(z)` = (sum of k(z, .) over all other samples of both
    models) / (n (n - 1)) - 2 mean k(z, y) / n, for n samples of each, `D = sum_i w(a_i) - w(b_i)`,
    and exchanging pair i turns the sign of its term and leaves the others as they are.

    Attributes:
        x: samples, shape (n, d), with identities `ids`.
        y_ids: identities of the reference.
        kernel: see `squared_mmd`.
        rows: for each sample the sum of the kernel over the model's others, shape (n,).
        crossing: for each sample the mean kernel with the reference, shape (n,).
        seen: for each reference example the mean kernel with the samples, shape (m,).
        second_order: variance of second order of all but the reference's own pairs.
    """

    x: np.ndarray
    ids: np.ndarray
    y_ids: np.ndarray
    kernel: Kernel
    rows: np.ndarray
    crossing: np.ndarray
    seen: np.ndarray
    second_order: float

    def against(self, other: KernelRival) -> Contrast | None:
        """Return the standard error of the difference of both discrepancies, and the p-value of
        equal laws.

        Samples are paired by identity where they share all of them, else in their order; of unequal
        numbers the test takes the smaller one of both.
        """
        if not np.array_equal(self.y_ids, other.y_ids):
            return None
        first_order = sum(float(one._influence().var(ddof=1)) / len(one.x) for one in (self, other))
        first_order += 4.0 * float((self.seen - other.seen).var(ddof=1)) / len(self.y_ids)
        second_order = self.second_order + other.second_order
        stderr = math.sqrt(max(first_order - second_order, second_order))
        return Contrast(stderr, sign_flip_p_value(_flips(*_paired(self, other))))

    def _influence(self) -> np.ndarray:
        return 2.0 * (self.rows / (len(self.x) - 1) - self.crossing)

    def _only(self, places: np.ndarray) -> KernelRival:
        """Return the side of some of the samples."""
        if len(places) == len(self.x) and np.array_equal(places, np.arange(len(places))):
            return self
        x = self.x[places]
        rows = self.rows[places] if len(places) == len(self.x) else within(x, self.kernel).rows
        return KernelRival(
            x,
            self.ids[places],
            self.y_ids,
            self.kernel,
            rows,
            self.crossing[places],
            self.seen,
            self.second_order,
        )


def _paired(first: KernelRival, second: KernelRival) -> tuple[KernelRival, KernelRival]:
    """Return equally many samples of both, pair by pair."""
    n = min(len(first.x), len(second.x))
    shared, at_first, at_second = np.intersect1d(first.ids, second.ids, return_indices=True)
    if len(shared) < n or np.array_equal(first.ids, second.ids):
        at_first = at_second = np.arange(n)
    return first._only(at_first), second._only(at_second)


def _flips(first: KernelRival, second: KernelRival) -> np.ndarray:
    """Return what each pair adds to the difference, shape (n,)."""
    n, both = len(first.x), between(first.x, second.x, first.kernel)
    of_first, of_second = (
        (one.rows + crossed) / (n * (n - 1)) - 2.0 * one.crossing / n
        for one, crossed in ((first, both.rows), (second, both.columns))
    )
    return of_first - of_second
