"""When a log-probability means nothing, and what would make it mean something.

One idea: the error of a method of order p falls as `steps^-p`, and two halvings show which p it has
reached.
"""

from __future__ import annotations

import math

import torch

from pushforward.core.errors import Unsupported
from pushforward.core.logprob import LogProb

# Nats per dimension. Models worth comparing differ by a few hundredths of a nat per dimension (0.05
# is 0.07 bits/dim of an image, or 0.1 nats of a point in the plane); a larger error decides no
# comparison. Halving overstates it, by up to 15
LARGEST_SOLVER_ERROR = 0.05
FEW_STEPS = 8  # below these the error does not yet fall as it will


def observed_order(error: float, halved: float, most: float = 4.0) -> float:
    """Return `log2(halved/error)`, between one and the method's own order; one where there is no
    second halving.

    Example:
        >>> observed_order(0.01, 0.04), observed_order(0.5, 0.0)
        (2.0, 1.0)
    """
    if not (halved > 0.0 and error > 0.0):
        return 1.0
    return min(most, max(1.0, math.log2(halved / error)))


def steps_needed(steps: int, error: float, halved: float, limit: float) -> int:
    """Return how many steps would bring an error below a limit, a quarter more than `error
    (steps/n)^p = limit` says, even.

    Example:
        >>> steps_needed(8, 0.8, 3.2, 0.05)
        40
    """
    # so few steps fall fast by chance, and not by the order of the method
    order = observed_order(error, halved, 1.5 if steps < FEW_STEPS else 4.0)
    exact = steps * (error / limit) ** (1.0 / order)
    return 2 * math.ceil(0.625 * exact)


def require_meaning(lp: LogProb, dimensions: int, steps: int, family: str) -> None:
    """Refuse numbers that are none, and those that a solver has not come near to.

    Args:
        dimensions: scalars in an example.
        steps: what the solver took.

    Raises:
        Unsupported: a log-probability that is not finite, or a mean error of the solver above
            `LARGEST_SOLVER_ERROR`.
    """
    wrong = int((~torch.isfinite(lp.nats)).sum())
    if wrong:
        raise Unsupported(
            f"{family}.log_prob: {wrong} of {len(lp)} log-probabilities are not finite",
            "a model that is one",
            "its training diverged, or the data lie far outside what it has seen: see its loss, and lower the learning rate",
        )
    if "steps" not in lp.errors:
        return
    error, halved = (float(lp.errors[k].double().mean()) for k in ("steps", "half the steps"))
    limit = LARGEST_SOLVER_ERROR * dimensions
    if error > limit:
        unit = lp.unit
        shown, most = (f"{nats / unit.nats_per_unit:.3g} {unit.name}" for nats in (error, limit))
        needed = steps_needed(steps, error, halved, limit)
        raise Unsupported(
            f"{family}.log_prob: {steps} steps of '{lp.estimator}' leave an error of {shown}",
            f"at most {most}, or the number decides nothing",
            f"take about {needed} steps",
        )
