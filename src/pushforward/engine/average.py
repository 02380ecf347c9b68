"""An exponential moving average of the weights, with a warm-up.

One idea: early averages must forget the random start, so the decay after t updates is `min(decay,
(1 + t)/(10 + t))`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn


@contextmanager
def holding(model: nn.Module, state: Mapping[str, Tensor]) -> Iterator[None]:
    """Run a block with another state in a model, then restore its own exactly.

    Example:
        >>> net = nn.Linear(1, 1, bias=False); own = net.weight.item()
        >>> with holding(net, {"weight": torch.tensor([[2.0]])}):
        ...     print(net.weight.item())
        2.0
        >>> net.weight.item() == own
        True
    """
    raw = {name: value.detach().clone() for name, value in model.state_dict().items()}
    model.load_state_dict(state)
    try:
        yield
    finally:
        model.load_state_dict(raw)


class WeightAverage:
    """Averages the parameters of a model, copies the rest of its state.

    What is averaged is looked up once, so that an update costs no Python for each parameter.

    Example:
        >>> net = nn.Linear(1, 1, bias=False); nn.init.constant_(net.weight, 0.0); average = WeightAverage(net, 0.999)
        Parameter containing:
        tensor([[0.]], requires_grad=True)
        >>> nn.init.constant_(net.weight, 1.0); average.update(0)
        Parameter containing:
        tensor([[1.]], requires_grad=True)
        >>> round(average.shadow["weight"].item(), 3)
        0.9
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.model, self.decay = model, decay
        state = model.state_dict()
        self.shadow = {name: value.detach().clone() for name, value in state.items()}
        named = dict(model.named_parameters(remove_duplicate=False))
        names = [name for name in state if name in named and state[name].is_floating_point()]
        self._weights = [named[name] for name in names]
        self._averages = [self.shadow[name] for name in names]
        # a buffer may be another tensor tomorrow, its place is the same
        averaged, owners = set(names), dict(model.named_modules())
        places = [(*name.rpartition("."), name) for name in state if name not in averaged]
        self._copied = [(owners[owner], key, self.shadow[name]) for owner, _, key, name in places]

    @torch.no_grad()
    def update(self, updates: int) -> None:
        """Move the average towards the weights after `updates` earlier updates."""
        decay = min(self.decay, (1 + updates) / (10 + updates))
        torch._foreach_lerp_(self._averages, self._weights, 1.0 - decay)  # type: ignore[reportPrivateImportUsage]
        for owner, key, copy in self._copied:
            copy.copy_(getattr(owner, key))

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Run a block with the average in the model's place, then restore the raw weights
        exactly."""
        with holding(self.model, self.shadow):
            yield

    def load(self, shadow: dict[str, Tensor]) -> None:
        """Restore a saved average."""
        for name, value in shadow.items():
            self.shadow[name].copy_(value)
