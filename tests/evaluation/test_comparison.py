"""Comparing models on sample metrics: shared references cancel, verdicts keep their level, and the front says what it knows."""

import numpy as np
import pytest

from pushforward.core.errors import BadInput
from pushforward.evaluation.cards.comparison import compare_models, difference
from pushforward.evaluation.cards.pareto import Priced, pareto
from pushforward.evaluation.distribution.frechet import measure_moments
from pushforward.evaluation.measuring.batch import Batch
from pushforward.evaluation.measuring.statistic import Measured, MeasuredOn, Terms
from pushforward.evaluation.measuring.summaries import BlockedMoments
from scored import called


def gap(x: np.ndarray, y: np.ndarray, y_ids: np.ndarray | None = None) -> Measured:
    """The difference of means, the simplest metric of two samples."""
    a = Terms.of_mean(np.arange(len(x)), x)
    b = Terms.of_mean(np.arange(len(y)) if y_ids is None else y_ids, -y)
    stderr = float(np.sqrt(a.variance + b.variance))
    return Measured(
        called("gap", float(x.mean() - y.mean()), n=len(x), better="lower", stderr=stderr), a, b
    )


def test_a_shared_reference_cancels_exactly():
    rng = np.random.default_rng(0)
    x, z, y = rng.normal(size=50), rng.normal(size=50) + 0.1, 9.0 * rng.normal(size=30)
    found = difference(gap(x, y), gap(z, y))
    assert found.paired
    assert found.value == pytest.approx(x.mean() - z.mean())
    assert found.stderr == pytest.approx(np.sqrt((x.var(ddof=1) + z.var(ddof=1)) / 50))
    # the order of the reference does not matter, its identities do
    order = rng.permutation(30)
    again = difference(gap(x, y), gap(z, y[order], order))
    assert again.stderr == pytest.approx(found.stderr)
    other = difference(gap(x, y), gap(z, y, np.arange(30) + 1000))
    assert not other.paired
    assert other.stderr > 3 * found.stderr


def test_verdicts_follow_the_direction_and_missing_errors_are_undecided():
    for better, expected in (("lower", "first"), ("higher", "second")):
        a, b = (Measured(called("m", v, n=100, better=better, stderr=0.1)) for v in (1.0, 2.0))
        assert difference(a, b).verdict == expected
    blank = Measured(called("m", 1.0, n=100, better="lower"))
    found = difference(blank, blank)
    assert (found.verdict, found.enough) == ("undecided", None)
    assert np.isnan(found.p_value)
    same = Measured(called("m", 1.0, n=100, better="lower", stderr=0.0))
    assert difference(same, same).p_value == 1.0


def test_other_features_refuse_to_be_compared():
    a = Measured(called("m [pca-2]", 1.0, n=9, better="lower", stderr=0.1, features="abc"))
    b = Measured(called("m [pca-2]", 1.0, n=9, better="lower", stderr=0.1, features="abd"))
    with pytest.raises(BadInput, match="features differ"):
        difference(a, b)
    with pytest.raises(BadInput, match="features differ"):
        compare_models({"a": [a], "b": [b]})


def test_holm_is_its_definition():
    rng = np.random.default_rng(1)
    models = {
        name: [
            Measured(called(f"m{k}", float(rng.normal() * 0.3), n=50, better="lower", stderr=0.1))
            for k in range(4)
        ]
        for name in "abc"
    }
    found = compare_models(models)
    assert len(found) == 12
    p = np.array([d.p_value for d in found])
    order = np.argsort(p)
    rejected, expected = True, {}
    for rank, k in enumerate(order):
        rejected = rejected and p[k] * (12 - rank) < 0.05
        expected[k] = rejected
    assert [d.verdict != "undecided" for d in found] == [expected[k] for k in range(12)]
    assert 0 < sum(expected.values()) < 12
    assert all(d.adjusted >= d.p_value for d in found)


def _frechet(x: np.ndarray, y: np.ndarray) -> list[Measured]:
    blocked = [BlockedMoments().add(Batch.of(rows), rows) for rows in (x, y)]
    return measure_moments(blocked[0], blocked[1], MeasuredOn("identity"))


def test_equal_models_are_rarely_called_different_and_unequal_ones_found():
    # three equal models, two scores each: any verdict among the six at most 5 %; 80 draws, 5 % + 3 x 2.4 %
    rng, wrong, right = np.random.default_rng(2), 0, 0
    for _ in range(80):
        y = rng.normal(size=(120, 3))
        equal = {name: _frechet(rng.normal(size=(120, 3)) + 0.5, y) for name in "abc"}
        wrong += any(d.verdict != "undecided" for d in compare_models(equal))
        worse = {**equal, "c": _frechet(rng.normal(size=(120, 3)) + 1.0, y)}
        right += all(d.verdict == "first" for d in compare_models(worse) if d.second == "c")
    assert wrong / 80 <= 0.05 + 3 * 0.024
    assert right / 80 > 0.9


def test_the_promised_number_of_samples_decides_four_of_five_times():
    # a true difference of 0.3 standard deviations, estimated once from very many examples
    rng = np.random.default_rng(3)
    big = 200_000
    y = rng.normal(size=big)
    found = difference(gap(rng.normal(size=big), y), gap(rng.normal(size=big) + 0.3, y))
    assert found.enough is not None
    assert found.enough == pytest.approx(2 * (1.95996 + 0.84162) ** 2 / 0.09, rel=0.08)
    decided = 0
    for _ in range(500):
        y = rng.normal(size=found.enough)
        a, b = rng.normal(size=found.enough), rng.normal(size=found.enough) + 0.3
        decided += difference(gap(a, y), gap(b, y)).verdict == "first"
    assert abs(decided / 500 - 0.8) < 4 * 0.018


def test_the_front_keeps_what_is_not_surely_beaten():
    def priced(name: str, value: float, error: float, seconds: float, calls: float) -> Priced:
        score = called("d", value, n=9, better="lower", low=value - error, high=value + error)
        return Priced(name, score, {"seconds": seconds, "calls": calls})

    found = pareto(
        [
            priced("cheap", 5.0, 0.1, 1, 1),
            priced("good", 1.0, 0.1, 9, 9),
            priced("beaten", 5.5, 0.1, 2, 2),
            priced("unclear", 5.15, 0.1, 3, 3),
            priced("elsewhere", 6.0, 0.1, 0.5, 20),
        ]
    )
    assert found == {
        "cheap": "front",
        "good": "front",
        "beaten": "dominated",
        "unclear": "undecided",
        "elsewhere": "front",
    }
    with pytest.raises(BadInput, match=r"costs \['calls'\] of 'b'"):
        pareto(
            [priced("a", 1, 1, 1, 1), Priced("b", priced("b", 1, 1, 1, 1).score, {"calls": 1.0})]
        )
