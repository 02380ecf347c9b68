"""Quality against cost: which models are worth their price.

One idea: a model is off the front only if a cheaper one is *clearly* better, and on it only if
every cheaper one is clearly worse; what lies between is undecided and said to be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pushforward.core.errors import BadInput
from pushforward.core.score import Score, better_of

Standing = Literal["front", "dominated", "undecided"]


@dataclass(frozen=True)
class Priced:
    """A model with one score and what it costs.

    Attributes:
        name: the model.
        score: its quality.
        costs: named costs, lower is better, such as seconds of training and network calls a sample.
    """

    name: str
    score: Score
    costs: dict[str, float]


def pareto(models: Sequence[Priced], same: float = 0.0) -> dict[str, Standing]:
    """Return where each model stands, by all costs together.

    A rival is as cheap if none of its costs is higher by more than the share `same`, the noise of a
    clock. `dominated`: some such rival is clearly better (95 % intervals apart); `front`: every
    such rival is clearly worse; `undecided` otherwise.

    Raises:
        BadInput: different costs, or scores that have no order.

    Example:
        >>> from pushforward.core.measure import Measure
        >>> s = lambda v: Score(Measure("d"), v, n=9, low=v - 0.1, high=v + 0.1)
        >>> models = [Priced("a", s(1.0), {"s": 9}), Priced("b", s(2.0), {"s": 1}), Priced("c", s(3.0), {"s": 5})]
        >>> pareto(models)
        {'a': 'front', 'b': 'front', 'c': 'dominated'}
    """
    for model in models[1:]:
        if model.costs.keys() != models[0].costs.keys():
            raise BadInput(
                f"costs {sorted(model.costs)} of '{model.name}'",
                f"{sorted(models[0].costs)}, as of '{models[0].name}'",
            )
    return {model.name: _standing(model, models, same) for model in models}


def _standing(model: Priced, models: Sequence[Priced], same: float) -> Standing:
    most = {name: cost * (1.0 + same) for name, cost in model.costs.items()}
    rivals = [r for r in models if r is not model and all(r.costs[k] <= most[k] for k in most)]
    verdicts = [better_of(rival.score, model.score) for rival in rivals]
    if "first" in verdicts:
        return "dominated"
    return "front" if all(v == "second" for v in verdicts) else "undecided"
