"""The probability of a row's other columns given some: a law of them, whoever is asked."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
import pytest

import pushforward as pf

NAMES = {"a": ("x", "y"), "b": ("p", "q", "r"), "c": ("u", "v")}


def rows(n: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame({name: rng.choice(values, n) for name, values in NAMES.items()})


@pytest.mark.parametrize(
    ("family", "kind"), [("autoregressive", "exact"), ("diffusion", "lower_bound")]
)
def test_what_is_left_of_a_row_given_a_column_is_a_law(family: str, kind: str) -> None:
    """All values of the others, enumerated: one in all if exact, at most one of a bound (summed over all subsets, no noise)."""
    model = pf.fit(family, rows(200), steps=3, preset="smoke")
    every = pd.DataFrame(list(itertools.product(*NAMES.values())), columns=list(NAMES))
    found = model.log_prob(every, given={"b": "q"})
    assert found.kind == kind
    p = found.nats.exp().numpy()
    agrees = (every["b"] == "q").to_numpy()
    assert (p[~agrees] == 0.0).all()
    if kind == "exact":
        assert math.isclose(float(p.sum()), 1.0, rel_tol=1e-5)
    else:
        assert 0.5 < float(p.sum()) < 1.0 + 1e-5
    # of all columns nothing is left
    whole = model.log_prob(every[:1], given=dict(every.iloc[0]))
    assert abs(float(whole.nats[0])) < 1e-6
