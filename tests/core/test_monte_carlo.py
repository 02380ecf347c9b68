"""Standard errors of systematic draws are those that repetition shows."""

from __future__ import annotations

import pytest
import torch

from pushforward.core.monte_carlo import systematic_error
from pushforward.core.rng import generator


@pytest.mark.parametrize("draws", [2, 8, 64, 1024])
@pytest.mark.parametrize("kind", ["smooth", "noisy"])
def test_the_error_is_at_least_that_of_repetition(kind: str, draws: int) -> None:
    """4,000 shifts: their standard deviation is known to 1.1 %, and never more than the mean error said, within five of those."""
    rng = generator(0, "systematic", draws)
    u = torch.rand(4000, 1, generator=rng, dtype=torch.float64)
    place = (torch.arange(draws) + u) / draws
    terms = place.exp()
    if kind == "noisy":
        terms = terms + torch.randn(4000, draws, generator=rng, dtype=torch.float64)
    said = systematic_error(terms)
    assert said is not None
    true = float(terms.mean(1).std())
    mean = float(said.square().mean().sqrt())
    assert true < mean * 1.055
    # and it decides as much as it can where there are many: twice the truth at most
    assert draws < 64 or mean < 1.2 * true
