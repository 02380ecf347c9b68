"""A transformer's step laid out for generation: no modules, and matrices as a product wants them.

One idea: a new position is so little arithmetic that calling modules, turning matrices and looking
attributes up takes longer, so weights are read out once for many steps; a step computes what the
block does, and a test holds it to that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pushforward.nets.attention import attention, rotate
from pushforward.nets.memory import Recall, Recalled


class Affine:
    """`x W^T + b` for rows x, with `W^T` laid out in memory."""

    def __init__(self, linear: nn.Linear, scale: Tensor | None = None) -> None:
        weight, bias = linear.weight.detach(), linear.bias
        self.bias = None if bias is None else bias.detach()
        if scale is not None:
            weight = weight * scale[:, None]
            self.bias = None if self.bias is None else self.bias * scale
        self.matrix = weight.t().contiguous()

    def __call__(self, x: Tensor) -> Tensor:
        return (
            torch.mm(x, self.matrix)
            if self.bias is None
            else torch.addmm(self.bias, x, self.matrix)
        )

    def onto(self, h: Tensor, x: Tensor) -> Tensor:
        """Return `h + x W^T + b`."""
        return (
            torch.addmm(h, x, self.matrix)
            if self.bias is None
            else torch.addmm(self.bias, x, self.matrix).add_(h)
        )


class Norm:
    """Layer normalisation without the module."""

    def __init__(self, norm: nn.LayerNorm) -> None:
        self.shape, self.weight, self.bias, self.eps = (
            norm.normalized_shape,
            norm.weight,
            norm.bias,
            norm.eps,
        )

    def __call__(self, x: Tensor) -> Tensor:
        return torch.layer_norm(x, self.shape, self.weight, self.bias, self.eps)


@dataclass(frozen=True)
class Sizes:
    """Rows, new positions, heads and width of a head."""

    n: int
    few: int
    heads: int
    width: int


class Looking:
    """A step of `Recall`."""

    def __init__(self, recall: Recall) -> None:
        self.norm, self.query, self.out = (
            Norm(recall.norm),
            Affine(recall.query),
            Affine(recall.out),
        )

    def __call__(self, h: Tensor, recalled: Recalled, s: Sizes) -> Tensor:
        q = self.query(self.norm(h)).view(s.n, s.few, s.heads, s.width).transpose(1, 2)
        found = attention(q, recalled.keys, recalled.values, recalled.mask)
        return self.out(found.transpose(1, 2).reshape(h.shape))


class Layer:
    """A step of a block: attention to all positions so far, then a perceptron.

    Args:
        norms: before attention and before the perceptron.
        linears: queries, keys and values; out of attention; into and out of the perceptron.
        activate: may overwrite what it is given.
        recall: attention to a memory in between, None for none.
    """

    def __init__(
        self,
        norms: tuple[nn.LayerNorm, nn.LayerNorm],
        linears: tuple[nn.Linear, nn.Linear, nn.Linear, nn.Linear],
        heads: int,
        activate: Callable[[Tensor], Tensor],
        recall: Recall | None,
    ) -> None:
        qkv, out, up, down = linears
        width, weight = qkv.in_features, qkv.weight
        scale = torch.ones(3 * width, dtype=weight.dtype, device=weight.device)
        scale[:width] = (
            width // heads
        ) ** -0.5  # scores want queries divided by sqrt(d); turning them commutes with it
        self.norm1, self.norm2 = Norm(norms[0]), Norm(norms[1])
        self.qkv, self.out, self.up, self.down = (
            Affine(qkv, scale),
            Affine(out),
            Affine(up),
            Affine(down),
        )
        self.activate, self.look = activate, None if recall is None else Looking(recall)

    def __call__(
        self,
        h: Tensor,
        keys: Tensor,
        values: Tensor,
        position: int,
        turn: tuple[Tensor, Tensor] | None,
        mask: Tensor | None,
        recalled: Recalled | None,
        s: Sizes,
    ) -> Tensor:
        """Return h (n few, width) after the block; writes into keys and values, (n, heads, length,
        width of a head) each."""
        end, flat = position + s.few, s.n * s.heads
        parts = self.qkv(self.norm1(h)).view(s.n, s.few, 3, s.heads, s.width).permute(2, 0, 3, 1, 4)
        q, k = parts[:2] if turn is None else rotate(parts[:2], *turn)
        keys[:, :, position:end], values[:, :, position:end] = k, parts[2]
        past = keys.view(flat, -1, s.width)[:, :end].transpose(1, 2)
        scores = torch.bmm(q.reshape(flat, s.few, s.width), past)
        if mask is not None:
            scores.view(s.n, s.heads, s.few, end).add_(mask)
        mixed = torch.bmm(torch.softmax(scores, -1), values.view(flat, -1, s.width)[:, :end])
        h = self.out.onto(
            h, mixed.view(s.n, s.heads, s.few, s.width).transpose(1, 2).reshape(h.shape)
        )
        if self.look is not None and recalled is not None:
            h = h + self.look(h, recalled, s)
        return self.down.onto(h, self.activate(self.up(self.norm2(h))))


@dataclass(frozen=True)
class Program:
    """The steps of all blocks, and the normalisation after them, with the weights of now."""

    layers: tuple[Layer, ...]
    norm: Norm
