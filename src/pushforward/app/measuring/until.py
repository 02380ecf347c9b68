"""Score examples until their mean is known well enough.

Two ideas: what is stopped at is the standard error of the mean, so that the number of examples
follows from how much they differ; which examples come first is drawn by the seed, because data often
lie sorted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from pushforward.app.measuring.cases import copies_of_one
from pushforward.core.given import Examples
from pushforward.core.logprob import LogProb
from pushforward.core.rng import derive_seed, generator

FIRST = 256  # examples; as many again as there were are added until it is enough
PROBED = 2  # examples that say what one costs
MANY_CALLS = (
    8.0  # network calls of an example from which on all of them are scored only if asked for
)
RELATIVE = 0.005  # standard error that is enough then, of the mean itself


@dataclass(frozen=True)
class Enough:
    """The standard error at which scoring stops.

    Attributes:
        stderr: in units of the score; None: `RELATIVE` of its mean, where an example takes many
            network calls.

    Example:
        >>> from pushforward.core.space import Points
        >>> cheap = LogProb(torch.tensor([-1.0, -3.0]), "exact", "lebesgue", Points(2).unit, "exact")
        >>> Enough().reached(cheap), Enough(1.5).reached(cheap), Enough(0.5).reached(cheap)
        (False, True, False)
    """

    stderr: float | None = None

    def reached(self, lp: LogProb) -> bool:
        """Return whether examples are enough."""
        if len(lp) < 2 or copies_of_one(lp) or not bool(lp.nats.isfinite().all()):
            return False
        if self.stderr is not None:
            return lp.standard_error <= self.stderr
        return lp.calls >= MANY_CALLS and lp.standard_error <= RELATIVE * abs(lp.value)


def scored_until(
    ask: Callable[[Examples, int, Callable[[int, int], None] | None], LogProb],
    examples: Examples,
    enough: Enough,
    seed: int,
    told: Callable[[int, int], None] | None = None,
) -> LogProb:
    """Return the log-probabilities of as many examples as are enough.

    Args:
        ask: from examples, a seed and what is told of progress to their log-probabilities.
        seed: of the order, and of what an estimator draws.
        told: called with how many are scored, and of how many.
    """
    total = len(examples)
    if enough.stderr is None and ask(examples[:PROBED], seed, None).calls < MANY_CALLS:
        # cheap ones are scored as a file of their numbers has them: in order, by one seed
        return ask(examples, seed, told)
    order = torch.randperm(total, generator=generator(seed, "order of scoring"))
    found: list[LogProb] = []
    done = 0
    while done < total:
        places = order[done : done + max(FIRST, done)].sort().values
        offset = done

        def report(i: int, n: int, offset: int = offset) -> None:
            if told is not None:
                told(offset + i, total)

        own = derive_seed(seed, "portion", len(found)) if found else seed
        found.append(ask(examples[places], own, report))
        done += len(places)
        if enough.reached(LogProb.concatenate(found)):
            break
    return LogProb.concatenate(found)


def said(lp: LogProb, there: int, enough: Enough) -> tuple[str, ...]:
    """Return what a person should know where not all examples were scored, or all were not enough."""
    if len(lp) == there:
        unknown = copies_of_one(lp)  # which is said of them already
        if enough.stderr is None or unknown or not lp.standard_error > enough.stderr:
            return ()
        return (
            f"all {there:,} examples were scored: the standard error is {lp.standard_error:.2g} {lp.unit.name}, "
            f"not the {enough.stderr:g} that was asked for, which more of them would come to",
        )
    asked = "as asked" if enough.stderr is not None else f"{RELATIVE:.1%} of the mean"
    return (
        f"{len(lp):,} of {there:,} examples were scored: the standard error is {lp.standard_error:.2g} {lp.unit.name}, "
        f"{asked}; it does not know of rare examples that were not drawn: `-n {there}` scores all of them",
    )
