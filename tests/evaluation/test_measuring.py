"""The engine of measuring: merging is associative and free of order, states are bounded, and what is shared is kept once."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from pushforward.core.errors import BadInput
from pushforward.core.measure import Measure
from pushforward.core.score import Score
from pushforward.evaluation.features.named import Standardised
from pushforward.evaluation.measuring.batch import Batch, hashed
from pushforward.evaluation.measuring.evaluation import Evaluation, EvaluationState
from pushforward.evaluation.measuring.statistic import DATA, Kept, Measured, Need, Statistic, Terms
from pushforward.evaluation.measuring.summaries import (
    BLOCKS,
    BlockedMoments,
    Contents,
    Reservoir,
    Summary,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(997, 3)) * np.array([1.0, 5.0, 0.1]) + np.array([0.0, 100.0, -3.0])
LABELS = np.arange(len(X)) % 7


class Everything(Statistic):
    """Needs one of each kind and returns the sum of what is kept."""

    def __init__(self, view: Standardised) -> None:
        self.view = view

    @property
    def needs(self) -> tuple[Need, ...]:
        return (
            Need("samples", self.view, "rows"),
            Need("samples", self.view, "moments"),
            Need("samples", DATA, "contents"),
            Need("samples", DATA, "rows"),
        )

    def compute(self, kept: Kept) -> list[Measured]:
        total = float(
            kept.rows("samples", self.view).sum()
            + kept.moments("samples", self.view).whole.scatter.sum()
        )
        return [Measured(Score(Measure("all"), total, n=kept.seen("samples", DATA)))]


def shards(order: list[int], sizes: tuple[int, ...] = (1, 13, 500, 200, 283)) -> list[Batch]:
    ends = np.cumsum((0, *sizes))
    assert ends[-1] == len(X)
    return [
        Batch(
            np.arange(ends[k], ends[k + 1]), X[ends[k] : ends[k + 1]], LABELS[ends[k] : ends[k + 1]]
        )
        for k in order
    ]


def everything(capacity: int = 100) -> Evaluation:
    return Evaluation([Everything(Standardised(X))], seed=3, capacity={"samples": capacity})


def assert_same_state(first: EvaluationState, second: EvaluationState) -> None:
    """Rows and contents agree bit for bit; moments to rounding, as sums of floats must."""
    assert first.seen == second.seen
    for key, summary in first.kept.items():
        other = second.kept[key]
        assert_same_summary(summary, other)


def assert_same_summary(first: Summary, second: Summary) -> None:
    a, b = first.to_arrays(), second.to_arrays()
    assert a.keys() == b.keys()
    for name, array in a.items():
        if isinstance(first, BlockedMoments):
            np.testing.assert_allclose(array, b[name], rtol=1e-11, atol=1e-10)
        else:
            np.testing.assert_array_equal(array, b[name])


@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [2, 0, 4, 1, 3]])
def test_updates_in_any_order_and_size_give_one_state(order: list[int]) -> None:
    e = everything()
    state = e.init()
    for batch in shards(order):
        state = e.update(state, "samples", batch)
    assert_same_state(state, e.take(e.init(), "samples", X, LABELS, size=997))


def test_merging_is_associative_and_commutative() -> None:
    e = everything()
    parts = [e.update(e.init(), "samples", batch) for batch in shards([0, 1, 2, 3, 4])]
    whole = e.take(e.init(), "samples", X, LABELS)
    for order in itertools.permutations(range(5)):
        merged = parts[order[0]]
        for k in order[1:]:
            merged = e.merge(merged, parts[k])
        assert_same_state(merged, whole)
    a, b, c = parts[1], parts[2], parts[4]
    assert_same_state(e.merge(e.merge(a, b), c), e.merge(a, e.merge(b, c)))
    assert_same_state(e.merge(e.init(), a), a)


def test_updating_leaves_the_old_state_alone() -> None:
    e = everything()
    before = e.take(e.init(), "samples", X[:50])
    frozen = {key: s.to_arrays() for key, s in before.kept.items()}
    e.update(before, "samples", Batch.of(X[50:], first=50))
    for key, summary in before.kept.items():
        for name, array in summary.to_arrays().items():
            np.testing.assert_array_equal(array, frozen[key][name])


def test_blocks_have_the_moments_of_their_rows_and_even_sizes() -> None:
    blocked = BlockedMoments().add(Batch.of(X), X)
    np.testing.assert_allclose(blocked.whole.covariance, np.cov(X, rowvar=False), rtol=1e-12)
    np.testing.assert_allclose(blocked.whole.mean, X.mean(axis=0), rtol=1e-13)
    counts = np.array([0 if b is None else b.count for b in blocked.blocks])
    # chi-square of 20 cells with a false-alarm rate of 1e-3: 43.8
    assert (((counts - counts.mean()) ** 2) / counts.mean()).sum() < 43.8
    one = blocked.blocks[4]
    assert one is not None
    inside = X[hashed(np.arange(len(X)), 0) % np.uint64(BLOCKS) == np.uint64(4)]
    np.testing.assert_allclose(
        one.scatter, np.cov(inside, rowvar=False) * (len(inside) - 1), rtol=1e-10
    )


def test_the_reservoir_is_bounded_uniform_and_keeps_rows_with_their_labels() -> None:
    n, capacity = 2000, 50
    hits = np.zeros(n)
    for seed in range(200):
        kept = Reservoir(capacity, seed).add(
            Batch.of(np.arange(n)[:, None], np.arange(n) % 9), np.arange(n)[:, None]
        )
        assert kept.rows is not None
        assert kept.labels is not None
        assert kept.ids is not None
        assert (len(kept.rows), kept.seen) == (capacity, n)
        assert len(np.unique(kept.rows)) == capacity
        np.testing.assert_array_equal(kept.rows[:, 0], kept.ids)
        np.testing.assert_array_equal(kept.labels, kept.ids % 9)
        hits[kept.ids] += 1
    # ten thousand draws over ten tenths of the rows: sorted data must be met evenly; 27.9 at a false-alarm rate of 1e-3
    tenths = hits.reshape(10, -1).sum(axis=1)
    assert ((tenths - 1000.0) ** 2 / 1000.0).sum() < 27.9
    assert hits.max() <= 20  # binomial(200, 1/40) exceeds 20 with probability 1e-8


def test_which_rows_are_kept_does_not_depend_on_their_block() -> None:
    n = 40_000
    kept = Reservoir(4000).add(Batch.of(np.arange(n)[:, None]), np.arange(n)[:, None])
    assert kept.ids is not None
    counts = np.bincount((hashed(kept.ids, 0) % np.uint64(BLOCKS)).astype(int), minlength=BLOCKS)
    assert ((counts - 200.0) ** 2 / 200.0).sum() < 43.8


def test_contents_count_duplicates_across_shards() -> None:
    a = np.array([[1.0, 2.0], [1.0, 2.0], [3.0, 4.0]])
    first = Contents().add(Batch.of(a), a)
    second = Contents().add(Batch.of(a[2:], first=3), a[2:])
    both = first.merge(second)
    assert sorted(both.counts.tolist()) == [2, 2]
    assert (both.total, first.found_in(second), second.found_in(first)) == (4, 1, 1)
    assert both.found_in(Contents()) == 0
    # models emit single precision: what differs below it is the same example
    near = a + 1e-12
    assert Contents().add(Batch.of(near), near).found_in(first) == 3


def test_a_state_survives_its_file_and_refuses_another_evaluation(tmp_path: Path) -> None:
    e = everything()
    state = e.take(e.init(), "samples", X[:500], LABELS[:500])
    state.save(tmp_path / "half.npz")
    back = e.load(tmp_path / "half.npz")
    assert_same_state(back, state)
    whole = e.merge(back, e.update(e.init(), "samples", Batch.of(X[500:], LABELS[500:], first=500)))
    assert_same_state(whole, e.take(e.init(), "samples", X, LABELS))
    with pytest.raises(BadInput, match="other metrics, features or seeds"):
        everything(capacity=99).load(tmp_path / "half.npz")
    with pytest.raises(BadInput, match="other metrics, features or seeds"):
        Evaluation([Everything(Standardised(X[:9]))], seed=3, capacity={"samples": 100}).update(
            state, "samples", Batch.of(X[:1], first=9999)
        )
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04 and then nothing")
    with pytest.raises(BadInput, match="cannot be read"):
        e.load(tmp_path / "broken.npz")
    e.init().save(tmp_path / "empty.npz")
    assert_same_state(e.load(tmp_path / "empty.npz"), e.init())


def test_what_two_metrics_need_is_kept_once_and_features_are_computed_once() -> None:
    calls = []

    class Counting(Standardised):
        def _map(self, x: np.ndarray) -> np.ndarray:
            calls.append(len(x))
            return super()._map(x)

    view = Counting(X)
    e = Evaluation([Everything(view), Everything(view)])
    assert len(e.init().kept) == 4
    e.take(e.init(), "samples", X, size=400)
    assert calls == [400, 400, 197]


def test_refusals_say_what_to_do() -> None:
    e = everything()
    state = e.take(e.init(), "samples", X[:5])
    with pytest.raises(BadInput, match="example 3 of one role twice"):
        e.update(state, "samples", Batch(np.array([3]), X[:1]))
    with pytest.raises(BadInput, match="unknown role 'sample'"):
        e.update(state, "sample", Batch.of(X, first=5))
    with pytest.raises(BadInput, match=r"NaN or infinity in 1 of 2 samples \(rows \[1\]\)"):
        e.update(state, "samples", Batch.of(np.array([[0.0, 1, 2], [0, np.nan, 0]]), first=5))
    with pytest.raises(BadInput, match="no examples of the role 'samples'"):
        e.compute(e.init())
    with pytest.raises(BadInput, match="labels of shape"):
        Batch.of(X, np.zeros(3))


def test_terms_of_a_mean_have_its_variance() -> None:
    values = X[:, 1]
    terms = Terms.of_mean(np.arange(len(values)), values)
    assert terms.variance == pytest.approx(values.var(ddof=1) / len(values))
    assert float(terms.terms.sum()) == pytest.approx(0.0, abs=1e-12)
