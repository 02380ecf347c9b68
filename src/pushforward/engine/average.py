"""An exponential moving average of the weights, with a warm-up.

One idea: early averages must forget the random start, so the decay after t updates is `min(decay,
(1 + t)/(10 + t))`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class WeightAverage:
    """Averages floating-point state, copies the rest.

    Example:
        >>> net = nn.Linear(1, 1, bias=False); nn.init.constant_(net.weight, 0.0); average = WeightAverage(net, 0.999)
        Parameter containing:
        tensor([[0.]], requires_grad=True)
        >>> nn.init.constant_(net.weight, 1.0); average.update(net, 0)
        Parameter containing:
        tensor([[1.]], requires_grad=True)
        >>> round(average.shadow["weight"].item(), 3)
        0.9
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.shadow = {name: value.detach().clone() for name, value in model.state_dict().items()}

    @torch.no_grad()
    def update(self, model: nn.Module, updates: int) -> None:
        """Move the average towards the weights after `updates` earlier updates."""
        decay = min(self.decay, (1 + updates) / (10 + updates))
        parameters = {name for name, _ in model.named_parameters()}
        averaged, current = [], []
        for name, value in model.state_dict().items():
            if name in parameters and value.is_floating_point():
                averaged.append(self.shadow[name])
                current.append(value.detach())
            else:
                self.shadow[name].copy_(value)
        for average, weight in zip(averaged, current, strict=True):
            average.lerp_(weight, 1.0 - decay)

    @contextmanager
    def applied(self, model: nn.Module) -> Iterator[None]:
        """Run a block with the average in the model's place, then restore the raw weights
        exactly."""
        raw = {name: value.detach().clone() for name, value in model.state_dict().items()}
        model.load_state_dict(self.shadow)
        try:
            yield
        finally:
            model.load_state_dict(raw)

    def load(self, shadow: dict[str, Tensor]) -> None:
        """Restore a saved average."""
        for name, value in shadow.items():
            self.shadow[name].copy_(value)
