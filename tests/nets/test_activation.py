"""The hand-written backward pass is the derivative."""

from __future__ import annotations

import torch

from pushforward.core.rng import generator
from pushforward.nets.activation import squared_relu


def test_gradients_are_autograds() -> None:
    x = torch.randn(40, generator=generator(0), dtype=torch.float64).requires_grad_(True)
    composed = torch.relu(x).square()
    assert torch.equal(squared_relu(x), composed)
    weight = torch.linspace(-1, 2, 40, dtype=torch.float64)
    ours, theirs = (
        torch.autograd.grad((weight * y).sum(), x)[0] for y in (squared_relu(x), composed)
    )
    assert torch.equal(ours, theirs)
