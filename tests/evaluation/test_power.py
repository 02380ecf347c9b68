"""Damage does what it says and nothing at dose zero; power is the closed form where there is one."""

from statistics import NormalDist

import numpy as np
import pytest
from sklearn.datasets import load_digits

from pushforward.core.errors import BadInput
from pushforward.core.space import Image, Points
from pushforward.core.table import Column, Table
from pushforward.core.text import Text
from pushforward.evaluation.cards.damage import (
    AddedNoise,
    Blur,
    Copy,
    DropModes,
    Modes,
    Shuffle,
    clustered,
    default_damages,
)
from pushforward.evaluation.cards.power import cards_of, power
from scored import called

PHI = NormalDist().cdf
IMAGES = load_digits().images.astype(np.int64)[:, None]
DIGITS, WORDS = Image(1, 8, 8, levels=17), Text(9, 12, 8)
TABLE = Table(
    (
        Column("kind", "categorical", ("a", "b", "c")),
        Column("count", "integer", step=1.0, low=0, high=50, missing=True),
        Column("size", "continuous", low=-4, high=4),
    )
)
RNG = np.random.default_rng(0)
TEXTS = RNG.integers(0, 9, size=(200, 12))
ROWS = np.stack(
    [RNG.integers(0, 3, 300), RNG.integers(0, 51, 300), RNG.normal(size=300).clip(-4, 4)], axis=1
).astype(float)
ROWS[::10, 1] = -50.0  # the mark of a missing value


@pytest.mark.parametrize(
    ("space", "x"),
    [(DIGITS, IMAGES), (WORDS, TEXTS), (TABLE, ROWS), (Points(2), RNG.normal(size=(300, 2)))],
)
def test_every_damage_keeps_shape_type_range_and_its_input(space, x):
    before = x.copy()
    for damage in default_damages(space, x[: len(x) // 2]):
        hurt = damage.apply(x, np.random.default_rng(1))
        assert (hurt.shape, hurt.dtype) == (x.shape, x.dtype)
        assert not np.array_equal(hurt, x), damage.name
        if space.kind != "points":
            assert hurt.min() >= x.min()
            assert hurt.max() <= x.max()
        np.testing.assert_array_equal(hurt, damage.apply(x, np.random.default_rng(1)))
        damage.dose = 0.0
        np.testing.assert_array_equal(damage.apply(x, np.random.default_rng(1)), x)
    np.testing.assert_array_equal(x, before)
    names = [damage.name for damage in default_damages(space, x)]
    assert len(set(names)) == len(names)


def test_dropped_modes_are_gone_and_the_others_stay():
    x = np.repeat(np.arange(5.0), 40)[:, None]
    modes = Modes(np.arange(5.0)[:, None], "modes")
    hurt = DropModes(0.3, modes).apply(x, np.random.default_rng(2))
    left, counts = np.unique(hurt, return_counts=True)
    assert len(left) == 3  # two of five modes hold at least 30 %
    assert counts.sum() == 200
    kept = np.isin(x, left)
    np.testing.assert_array_equal(hurt[kept], x[kept])
    with pytest.raises(BadInput, match="a dose that leaves one"):
        DropModes(1.0, modes).apply(x, np.random.default_rng(2))
    with pytest.raises(BadInput, match=r"a dose of 1.2 of 'dropped modes'"):
        DropModes(1.2, modes)
    assert len(set(clustered(IMAGES)(IMAGES).tolist())) == 10
    # sorted data: the last of many modes is found too
    lines = np.repeat(np.arange(10.0) * 100, 1200)[:, None] + RNG.normal(size=(12_000, 1))
    assert np.sort(clustered(lines).centres.ravel())[-1] == pytest.approx(900, abs=1)


def test_doses_are_what_they_say():
    train, x = np.arange(1000.0)[:, None] + 5000, np.arange(400.0)[:, None]
    assert (Copy(0.25, train).apply(x, np.random.default_rng(3)) >= 5000).sum() == 100
    points = np.zeros((20_000, 2))
    noisy = AddedNoise(0.5, Points(2), np.array([[0.0, 4.0], [0.0, -4.0]])).apply(
        points, np.random.default_rng(4)
    )
    # one scale for all coordinates: the standard deviation of 0, 4, 0, -4 is sqrt 8; four standard errors of a deviation
    np.testing.assert_allclose(noisy.std(axis=0), 0.5 * np.sqrt(8.0), rtol=4 / np.sqrt(2 * 20_000))
    hurt = AddedNoise(0.3, TABLE, ROWS).apply(ROWS, np.random.default_rng(5))
    np.testing.assert_array_equal(hurt[:, 0], ROWS[:, 0])
    np.testing.assert_array_equal(hurt[::10, 1], -50.0)
    assert np.array_equal(hurt[:, 1], np.round(hurt[:, 1]))
    spot = np.zeros((1, 1, 15, 15), dtype=np.int64)
    spot[0, 0, 7, 7] = 240
    soft = Blur(1.0, Image(1, 15, 15, levels=256)).apply(spot, np.random.default_rng(6))
    assert soft[0, 0, 7, 7] == pytest.approx(240 / (2 * np.pi), abs=1.0)
    assert soft[0, 0, 7, 8] == pytest.approx(240 / (2 * np.pi) * np.exp(-0.5), abs=1.0)


def test_shuffling_keeps_marginals_and_breaks_the_joint():
    rng = np.random.default_rng(7)
    a = rng.normal(size=2000)
    x = np.stack([a, a, a, a], axis=1)
    hurt = Shuffle(0.5, Points(4)).apply(x, rng)
    np.testing.assert_array_equal(np.sort(hurt, axis=0), np.sort(x, axis=0))
    correlation = np.abs(np.corrcoef(hurt, rowvar=False)[np.triu_indices(4, 1)])
    assert (correlation > 0.99).sum() == 1  # the two columns that were left alone
    assert (correlation < 4 / np.sqrt(2000)).sum() == 5
    words = Shuffle(1.0, WORDS).apply(TEXTS, rng)
    np.testing.assert_array_equal(np.sort(words, axis=1), np.sort(TEXTS, axis=1))


def test_power_is_the_closed_form_for_a_mean():
    # the mean of n points, shifted by noise-free damage: shift = delta sqrt(n) / sd, power = Phi(shift - 1.645)
    class Move(AddedNoise):
        fault, name = "moved", "moved"  # pyright: ignore[reportAssignmentType]

        def apply(self, x, rng):
            return x + self.dose

    rng, n, delta = np.random.default_rng(8), 64, 0.3
    pool = rng.normal(size=(20_000, 1))
    high = lambda a, b: [called("mean", float(a.mean()), n=len(a), better="lower")]  # noqa: E731
    found = power(pool, [Move(delta, Points(1), pool)], high, n=n, repeats=200)[0]
    expected = delta * np.sqrt(n)
    assert found.shift == pytest.approx(expected, rel=4 / np.sqrt(2 * 200))
    assert abs(found.shift - expected) < found.high - found.low  # four standard errors
    assert found.power == pytest.approx(PHI(expected - 1.645), abs=0.12)
    # (1.645 + 0.842)^2 / delta^2 = 69 examples
    assert found.enough == pytest.approx((1.6449 + 0.8416) ** 2 / delta**2, rel=0.45)
    assert (found.clean, found.damaged) == (
        pytest.approx(0.0, abs=0.05),
        pytest.approx(delta, abs=0.05),
    )
    low = lambda a, b: [called("mean", float(a.mean()), n=len(a), better="higher")]  # noqa: E731
    liked = power(pool, [Move(delta, Points(1), pool)], low, n=n, repeats=50)[0]
    assert liked.shift < 0  # a metric that likes the damage cannot see it
    assert liked.power < 0.01
    assert liked.enough is None


def test_a_blind_metric_is_called_blind_and_one_without_spread_is_handled():
    pool = RNG.normal(size=(400, 3))
    card = lambda a, b: [  # noqa: E731
        called(
            "first column", float(abs(a[:, 0].mean() - b[:, 0].mean())), n=len(a), better="lower"
        ),
        called("copies", float(len(a) - len(np.unique(a, axis=0))), n=len(a), better="lower"),
    ]
    train = RNG.normal(size=(5, 3))
    calls = []
    found = {
        (d.metric, d.damage): d
        for d in power(
            pool,
            [Shuffle(1.0, Points(3)), Copy(0.5, train)],
            card,
            n=100,
            repeats=6,
            step=lambda: calls.append(1),
        )
    }
    assert len(calls) == cards_of(6, 2) == 20 + 6 * 2
    assert found["first column", "100 % of columns shuffled"].shift == pytest.approx(0.0)
    assert found["first column", "100 % of columns shuffled"].enough is None
    assert found["copies", "50 % copied from train"].power == 1.0
    assert found["copies", "100 % of columns shuffled"].power == 0.0


def test_a_skewed_metric_has_the_false_alarms_and_the_power_that_are_claimed():
    """A mean of exponentials to the sixth: at a normal threshold 5 % would be another number, and power twice the truth or half."""

    class Stay(AddedNoise):
        fault, name = "nothing", "nothing"  # pyright: ignore[reportAssignmentType]

        def apply(self, x, rng):
            return rng.permutation(POOL)[: len(x)]

    class Grow(AddedNoise):
        fault, name = "grown", "grown"  # pyright: ignore[reportAssignmentType]

        def apply(self, x, rng):
            return rng.permutation(POOL)[: len(x)] * 1.3

    rng, n = np.random.default_rng(11), 30
    POOL = rng.exponential(size=(50_000, 1))
    skewed = lambda a, b: [called("m", float((a**6).mean()), n=len(a), better="lower")]  # noqa: E731
    damages = [Stay(1.0, Points(1), POOL), Grow(1.0, Points(1), POOL)]
    nothing, grown = power(POOL, damages, skewed, n=n, repeats=600)
    # 600 draws know 5 % to 0.9 points
    assert nothing.power == pytest.approx(0.05, abs=4 * 0.009)
    clean, hurt = (
        ((scale * rng.exponential(size=(40_000, n))) ** 6).mean(axis=1) for scale in (1.0, 1.3)
    )
    truth = float((hurt > np.quantile(clean, 0.95)).mean())
    # the formula of two normal laws says something else
    formula = PHI((hurt.mean() - clean.mean() - 1.645 * clean.std()) / hurt.std())
    assert abs(formula - truth) > 0.1
    assert grown.power == pytest.approx(truth, abs=0.07)
    assert grown.power_low < grown.power < grown.power_high
    assert grown.power_high - grown.power_low < 0.1


def test_refusals():
    pool = np.zeros((30, 1))
    card = lambda a, b: [called("m", 0.0, n=len(a), better="lower")]  # noqa: E731
    damage = Copy(0.5, pool)
    with pytest.raises(BadInput, match="30 held-out examples: expected at least 40"):
        power(pool, [damage], card, n=20)
    with pytest.raises(BadInput, match="3 repetitions: expected at least 4"):
        power(pool, [damage], card, n=10, repeats=3)
    with pytest.raises(BadInput, match="2 damages of 1 names"):
        power(pool, [damage, damage], card, n=10)
    with pytest.raises(BadInput, match="a dose of -1 of 'copies'"):
        Copy(-1, pool)
