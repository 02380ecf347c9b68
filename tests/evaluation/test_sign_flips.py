"""The sign-flip test against all patterns, against draws, and against the binomial."""

import numpy as np
import pytest

from pushforward.evaluation.sign_flips import sign_flip_p_value

LAWS = {
    "gaussian": lambda rng, n: rng.normal(size=n),
    "skewed": lambda rng, n: rng.exponential(size=n),
    "heavy": lambda rng, n: rng.standard_t(3, size=n),
    "cubed": lambda rng, n: rng.standard_t(3, size=n) ** 3,
    "tied": lambda rng, n: rng.integers(0, 3, size=n).astype(float),
}


def enumerated(d: np.ndarray) -> float:
    sums = np.array([0.0])
    for one in d:
        sums = np.concatenate([sums - one, sums + one])
    return float(np.mean(np.abs(sums) >= abs(d.sum()) - 1e-9 * np.abs(d).max()))


@pytest.mark.parametrize("law", ["gaussian", "heavy", "cubed", "tied"])
def test_sign_flips_are_counted_and_far_out_approximated(law: str):
    rng = np.random.default_rng(0)
    for shift in (0.0, 0.5, 1.0):
        d = LAWS[law](rng, 18)
        d += shift * np.abs(d).mean()
        exact = enumerated(d)
        assert sign_flip_p_value(d[:10]) == pytest.approx(enumerated(d[:10]))
        if exact > 1e-3:
            assert sign_flip_p_value(d) == pytest.approx(exact, rel=0.3)
        assert sign_flip_p_value(d) >= 2.0**-17


def test_sign_flips_of_many_differences_agree_with_draws_and_with_the_normal_law():
    rng = np.random.default_rng(1)
    for law in ("gaussian", "skewed", "heavy"):
        d = LAWS[law](rng, 300)
        d += 0.12 * d.std() - d.mean()
        sums = (2.0 * rng.integers(0, 2, size=(20_000, 300)) - 1.0) @ d
        # the share of 20,000 draws is known to 0.0015
        assert sign_flip_p_value(d) == pytest.approx(
            np.mean(np.abs(sums) >= abs(d.sum())), abs=0.006
        )
    assert sign_flip_p_value(np.ones(400)) == pytest.approx(2.0**-399)
    assert sign_flip_p_value(np.repeat([1.0, -1.0], [60, 40])) == pytest.approx(
        0.05689, rel=1e-3
    )  # binomial, 60 of 100
