"""Log-probabilities of a flow: the change of variables, and what dequantisation makes of it.

One idea: on encoded data the number is exact; where the codec spreads integers over cells it is
drawn several times, and averaged before the logarithm or after it.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from torch import Tensor

from pushforward.core.estimator import Draws, Estimator
from pushforward.core.given import Given
from pushforward.core.logprob import LogProb
from pushforward.core.monte_carlo import importance_weighted
from pushforward.core.space import Space


@runtime_checkable
class HasDensity(Protocol):
    """What the estimators need of a flow."""

    space: Space

    def nats(self, x: Tensor, given: Given | None) -> Tensor:
        """Return `log p(x)` of an encoded batch, shape (n,)."""
        ...


def change_of_variables(model: HasDensity, x: Tensor, given: Given | None, draws: Draws) -> LogProb:
    """Return `log p(z) + log|det dz/dx|` of an encoded batch; the codec makes a bound of it where
    it dequantises."""
    return LogProb(model.nats(x, given), "exact", "lebesgue", model.space.unit, "")


EXACT = Estimator("exact", "change of variables", "exact", change_of_variables)
DEQUANTISED = Estimator(
    "dequantised", "mean of log p over uniform dequantisations", "lower_bound", change_of_variables
)
IWAE = Estimator(
    "iwae",
    "log mean of p over uniform dequantisations; tightens with samples",
    "lower_bound",
    change_of_variables,
    combine=importance_weighted,
    codec_draws=16,  # one draw would be no tighter than the plain bound
)
