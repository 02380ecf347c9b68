"""Muon: updates of matrices and filters whose singular values are all about one.

Two ideas: five products of Newton and Schulz bring a matrix near the nearest orthogonal one without
taking it apart, in the arithmetic that a device does fast; matrices of one shape are multiplied at
once, because a network has many small ones.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

COEFFICIENTS, PRODUCTS = (3.4445, -4.7750, 2.0315), 5
MOMENTUM, SMALLEST = 0.95, 1e-7


def orthogonalised(matrices: Tensor) -> Tensor:
    """Return `U f(S) V^T` of every `U S V^T`, where f brings singular values between 1 and a thousandth
    of the norm to about one: `x <- a x + (b A + c A^2) x` with `A = x x^T`, five times (Jordan et al. 2024,
    whose coefficients these are).

    Shapes: matrices (k, rows, columns) with at most as many rows as columns.

    Example:
        >>> x = torch.diag(torch.tensor([3.0, 1.0, 0.1]))[None]
        >>> bool(((orthogonalised(x).diagonal(dim1=1, dim2=2) - 1.0).abs() < 0.35).all())
        True
    """
    a, b, c = COEFFICIENTS
    x = matrices / matrices.flatten(1).norm(dim=1).clamp(min=SMALLEST)[:, None, None]
    for _ in range(PRODUCTS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x


class Muon(torch.optim.Optimizer):
    """`w <- (1 - rate decay) w - rate sqrt(max(1, rows/columns)) orthogonalised(g + m (B - g))`, with
    the running mean `B <- m B + (1 - m) g` of gradients and m = 0.95 (Jordan et al. 2024).

    A filter (outputs, inputs, height, width) is the matrix of its outputs by all it reads.

    Args:
        dtype: of the products; rounding in bfloat16 does not matter to them, but a device that only
            emulates it takes twenty times as long.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        lr: float,
        weight_decay: float = 0.0,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__(parameters, {"lr": lr, "weight_decay": weight_decay})
        self._dtype = dtype

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Update all that have gradients, those of one shape at once."""
        for group in self.param_groups:
            alike: dict[tuple[int, int], list[nn.Parameter]] = {}
            for weight in group["params"]:
                if weight.grad is not None:
                    alike.setdefault((len(weight), weight[0].numel()), []).append(weight)
            for (rows, columns), weights in alike.items():
                found = orthogonalised(self._stacked(weights, rows > columns)).to(weights[0].dtype)
                rate = group["lr"] * max(1.0, rows / columns) ** 0.5
                for weight, update in zip(weights, found, strict=True):
                    turned = update.mT if rows > columns else update
                    weight.mul_(1.0 - group["lr"] * group["weight_decay"])
                    weight.add_(turned.reshape(weight.shape), alpha=-rate)

    def _stacked(self, weights: list[nn.Parameter], turned: bool) -> Tensor:
        """Return the directions of some weights of one shape, rows being the shorter side."""
        directions = []
        for weight in weights:
            assert weight.grad is not None
            state = self.state[weight]
            if "momentum_buffer" not in state:
                state["momentum_buffer"] = torch.zeros_like(weight)
            mean = state["momentum_buffer"].lerp_(weight.grad, 1.0 - MOMENTUM)
            direction = weight.grad.lerp(mean, MOMENTUM).flatten(1)
            directions.append(direction.mT if turned else direction)
        return torch.stack(directions).to(self._dtype)
