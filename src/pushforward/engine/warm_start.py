"""Weights to begin with that another training left.

One idea: what was learnt is taken over where names and shapes agree; what is measured of data, such
as their centre and scale, is measured of the new ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from pushforward.core.given import Examples
from pushforward.core.model import GenerativeModel
from pushforward.nets.mlp import ClassTable


@dataclass(frozen=True)
class Beginning:
    """Where a training begins: untrained, with the weights of another one, or at its own checkpoint.

    Attributes:
        weights: of another training, which are taken where names and shapes agree.
        resumed: whether it goes on from its checkpoint.
    """

    weights: Mapping[str, Tensor] | None = None
    resumed: bool = False


UNTRAINED, AT_CHECKPOINT = Beginning(), Beginning(resumed=True)


@dataclass(frozen=True)
class Overlap:
    """What of a model another one's weights can fill.

    Attributes:
        taken: names of tensors of equal shape in both.
        new: names of the model's parameters that begin as if there were no others.
        share: of the model's parameters that are taken, by count of numbers.

    Example:
        >>> from pushforward.core.space import Points
        >>> from pushforward.families.build import build
        >>> small, deep = build("flow", Points(2), values={"depth": 1}), build("flow", Points(2))
        >>> found = Overlap.of(deep, small.state_dict())
        >>> 0.5 < found.share < 1.0, all("blocks.1" in name for name in found.new)
        (True, True)
    """

    taken: tuple[str, ...]
    new: tuple[str, ...]
    share: float

    @staticmethod
    def of(model: GenerativeModel, weights: Mapping[str, Tensor]) -> Overlap:
        """Compare names and shapes."""
        state = model.state_dict()
        taken = tuple(
            name
            for name, value in state.items()
            if name in weights and weights[name].shape == value.shape
        )
        sizes = {name: p.numel() for name, p in model.named_parameters()}
        shared = set(taken)
        share = sum(n for name, n in sizes.items() if name in shared) / max(1, sum(sizes.values()))
        return Overlap(taken, tuple(name for name in sizes if name not in shared), share)


@torch.no_grad()
def by_class(
    model: GenerativeModel,
    weights: Mapping[str, Tensor],
    before: tuple[str, ...],
    now: tuple[str, ...],
) -> dict[str, Tensor]:
    """Return weights whose vectors of classes belong to the classes of a model, by their names: a
    class that the other training did not know begins as in a new model, and a table without any
    that it knew is left out.

    Args:
        before: classes of the other training, in order; `now`: those of the model.
    """
    found = dict(weights)
    if before == now:
        return found
    known = [(i, before.index(name)) for i, name in enumerate(now) if name in before]
    for place, module in model.named_modules():
        if not isinstance(module, ClassTable):
            continue
        name = f"{place}.weight"
        other = found.pop(name, None)
        fits = other is not None and other.shape == (len(before) + 1, module.embedding_dim)
        if other is None or not known or not fits:
            continue
        pairs = [*known, (len(now), len(before))]  # the last one stands for no class
        table = module.weight.detach().clone()
        table[[i for i, _ in pairs]] = other[[j for _, j in pairs]].to(table)
        found[name] = table
    return found


@torch.no_grad()
def begin_with(
    model: GenerativeModel, train: Examples, weights: Mapping[str, Tensor] | None
) -> None:
    """Let a model look at its training data, and fill it with weights where they fit.

    A buffer that looking at the data changes is a measurement, and stays; every other one belongs to
    the parameters beside it, and so do those that a module names in `of_weights`, where all of them
    fit.

    Args:
        weights: of another training; None = none.
    """
    if weights is None:
        model.prepare(train)
        return
    before = {name: buffer.clone() for name, buffer in model.named_buffers()}
    model.prepare(train)
    measured = {name for name, b in model.named_buffers() if not torch.equal(b, before[name])}
    state, taken = model.state_dict(), Overlap.of(model, weights).taken
    for place, module in model.named_modules():
        own = {f"{place}.{name}" if place else name for name in getattr(module, "of_weights", ())}
        if own <= set(taken):
            measured -= own
    for name in taken:
        if name not in measured:
            state[name].copy_(weights[name])
