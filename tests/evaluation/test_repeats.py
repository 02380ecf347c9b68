"""The mean over training runs covers both the luck of training and the choice of examples."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from pushforward.core.errors import BadInput
from pushforward.evaluation.intervals import mean_interval
from pushforward.evaluation.likelihood.repeats import over_seeds
from scored import called


def score(value, half=0.1, **more):
    return called(
        "d", value, **{"n": 9, "better": "lower", "low": value - half, "high": value + half, **more}
    )


def test_one_run_is_itself():
    assert over_seeds([score(1.0)]) == score(1.0)


def test_quadrature_by_hand():
    s = over_seeds([score(1.0, 0.3), score(2.0, 0.5)])
    reach = math.hypot(stats.t.ppf(0.975, 1) * math.sqrt(0.5) / math.sqrt(2), 0.4)
    assert s.value == 1.5
    assert (s.low, s.high) == (
        0.0,
        pytest.approx(1.5 + reach),
    )  # distances whose intervals lie above zero stay there
    below = over_seeds([score(-1.0, 0.3), score(-2.0, 0.5)])
    assert below.low == pytest.approx(-1.5 - reach)


@pytest.mark.parametrize("runs", [2, 3, 5])
@pytest.mark.parametrize(("luck", "sampling"), [(1.0, 0.1), (0.1, 1.0), (0.5, 0.5)])
def test_coverage_of_the_familys_mean_on_the_population(runs, luck, sampling):
    # runs share 40 examples; 500 draws: at least 95 % - 4 standard errors (3.9 %)
    rng = np.random.default_rng(runs)
    covered = 0
    for _ in range(500):
        examples = sampling * math.sqrt(40) * rng.normal(size=40)
        values = [examples + luck * rng.normal() for _ in range(runs)]
        found = []
        for x in values:
            mean, low, high, stderr = mean_interval(x)
            found.append(called("d", mean, n=40, better="lower", low=low, high=high, stderr=stderr))
        s = over_seeds(
            [replace(f, low=f.low - 50, high=f.high - 50, value=f.value - 50) for f in found]
        )
        covered += s.low <= -50.0 <= s.high
    assert covered / 500 > 0.911


def test_a_run_without_a_finite_value_is_said_and_kept():
    s = over_seeds([score(1.0), score(math.inf, low=None, high=None)])
    assert s.value == math.inf
    assert s.low is None
    assert "1 of 2 runs have no finite value" in s.warnings


def test_rates_end_at_one_and_missing_intervals_stay_missing():
    rates = [
        called("coverage [pca-2] vs test", v, n=9, better="higher", low=v - 0.05, high=v + 0.05)
        for v in (0.7, 0.9)
    ]
    assert over_seeds(rates).high == 1.0
    assert over_seeds([score(1.0), score(1.2, low=None, high=None)]).low is None


def test_other_measures_are_refused():
    with pytest.raises(BadInput, match="same measure"):
        over_seeds([score(1.0), score(1.0, features="pca")])
    with pytest.raises(BadInput, match="one or more runs"):
        over_seeds([])
