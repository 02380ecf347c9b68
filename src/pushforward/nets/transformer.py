"""A decoder-only transformer: causal attention, and a cache that makes generation linear in network
calls.

Two ideas: pre-normalised blocks with rotary positions, so that attention depends on distances only
and a batch may be padded on the left; the cache is allocated once and filled in place, and a step
with it equals the same position without it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pushforward.core.noise import Noise
from pushforward.nets.activation import squared_relu
from pushforward.nets.attention import (
    NOTHING,
    attention,
    causal_attention,
    hidden,
    require_heads,
    rotary_table,
    rotate,
)
from pushforward.nets.memory import Memory, Recall, Recalled
from pushforward.nets.stepping import Layer, Norm, Program, Sizes


@dataclass
class Cache:
    """Keys and values of the positions seen so far, each (layers, n, heads, length, head width).

    Attributes:
        program: the blocks that further steps are taken with, read out once.
        padding: positions on the left that hold nothing, shape (n,); None if no row has any.
        shift: what is added to every embedded position, shape (n, 1, width); None for nothing.
        recalled: keys, values and mask of the memory, for each layer; empty without one.
    """

    keys: Tensor
    values: Tensor
    program: Program
    padding: Tensor | None = None
    shift: Tensor | None = None
    recalled: tuple[Recalled, ...] = ()

    def rows(self, index: Tensor) -> Cache:
        """Return the cache of some rows, copied: beams keep, drop and repeat what they came
        from."""
        padding = None if self.padding is None else self.padding[index]
        shift = None if self.shift is None else self.shift[index]
        recalled = tuple(one.rows(index) for one in self.recalled)
        return Cache(
            self.keys[:, index], self.values[:, index], self.program, padding, shift, recalled
        )


def dropped(x: Tensor, rate: float, noise: Noise | None) -> Tensor:
    """Return `x` with a share `rate` of its entries zeroed and the rest rescaled; `noise=None`
    leaves it alone."""
    if noise is None or rate == 0.0:
        return x
    return x * (noise.uniform(*x.shape[1:]) >= rate).to(x.dtype) / (1.0 - rate)


@dataclass(frozen=True)
class Style:
    """What a block is made of.

    Squared rectification (So et al. 2021), layer normalisation and no biases are what measured best
    per second (LOG.md); the other values are those of published weights.
    """

    activation: Literal["relu2", "gelu"] = "relu2"
    bias: bool = False

    def activate(self, h: Tensor) -> Tensor:
        """Return `relu(h)^2`, or the tanh form of GELU (Hendrycks & Gimpel 2016, section 2)."""
        return squared_relu(h) if self.activation == "relu2" else F.gelu(h, approximate="tanh")

    def activate_in_place(self, h: Tensor) -> Tensor:
        """Return the same where no gradient is wanted, and overwrite `h` if that is faster."""
        return h.relu_().square_() if self.activation == "relu2" else F.gelu(h, approximate="tanh")


MEASURED = Style()
GPT2 = Style("gelu", bias=True)


class Block(nn.Module):
    """`h + attention(norm(h))`, then `h + W2 act(W1 norm(h))` (Vaswani et al. 2017,
    pre-normalised).

    A block that recalls looks at a memory in between.
    """

    def __init__(
        self, width: int, heads: int, dropout: float, style: Style = MEASURED, recalls: bool = False
    ) -> None:
        super().__init__()
        self.heads, self.dropout, self.style, bias = heads, dropout, style, style.bias
        self.recall = Recall(width, heads, bias) if recalls else None
        self.norm1, self.norm2 = nn.LayerNorm(width, bias=bias), nn.LayerNorm(width, bias=bias)
        self.qkv, self.out = (
            nn.Linear(width, 3 * width, bias=bias),
            nn.Linear(width, width, bias=bias),
        )
        self.up, self.down = (
            nn.Linear(width, 4 * width, bias=bias),
            nn.Linear(4 * width, width, bias=bias),
        )

    def linears(self) -> tuple[list[nn.Linear], list[nn.Linear]]:
        """Return the layers that read the residual stream, or feed those that write, and those that
        write to it."""
        first, last = [self.qkv, self.up], [self.out, self.down]
        if self.recall is not None:
            return [*first, self.recall.query, self.recall.look], [*last, self.recall.out]
        return first, last

    def _heads(
        self, h: Tensor, turn: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        n, t, width = h.shape
        parts = (
            self.qkv(self.norm1(h))
            .reshape(n, t, 3, self.heads, width // self.heads)
            .permute(2, 0, 3, 1, 4)
        )
        q, k = parts[:2] if turn is None else rotate(parts[:2], *turn)
        return q, k, parts[2]

    def read_out(self) -> Layer:
        """Return the block laid out for steps, with the weights of now."""
        norms, linears = (self.norm1, self.norm2), (self.qkv, self.out, self.up, self.down)
        return Layer(norms, linears, self.heads, self.style.activate_in_place, self.recall)

    def recalled(self, memory: Memory | None) -> Recalled | None:
        """Return what this block looks up in a memory."""
        return None if memory is None or self.recall is None else self.recall.look_up(memory)

    def _rest(
        self, h: Tensor, attended: Tensor, noise: Noise | None, recalled: Recalled | None
    ) -> Tensor:
        h = h + dropped(self.out(attended.transpose(1, 2).reshape(h.shape)), self.dropout, noise)
        if self.recall is not None and recalled is not None:
            h = h + dropped(self.recall(h, recalled), self.dropout, noise)
        return h + dropped(
            self.down(self.style.activate(self.up(self.norm2(h)))), self.dropout, noise
        )

    def forward(
        self,
        h: Tensor,
        noise: Noise | None,
        turn: tuple[Tensor, Tensor] | None,
        padding: Tensor | None = None,
        memory: Memory | None = None,
        mask: Tensor | None = None,
    ) -> Tensor:
        """Let every position see those before it, or with a mask (n, 1, 1, length), which is added,
        all of its row.

        Shapes: h (n, length, width).
        """
        heads = self._heads(h, turn)
        seen = causal_attention(*heads, padding) if mask is None else attention(*heads, mask)
        return self._rest(h, seen, noise, self.recalled(memory))

    def fill(
        self, h: Tensor, turn: tuple[Tensor, Tensor] | None, cache: Cache, layer: int
    ) -> Tensor:
        """Run the first positions, h (n, length, width), and write their keys and values into the
        cache."""
        q, k, v = self._heads(h, turn)
        cache.keys[layer, :, :, : h.shape[1]], cache.values[layer, :, :, : h.shape[1]] = k, v
        return self._rest(
            h, causal_attention(q, k, v, cache.padding), None, _of_layer(cache, layer)
        )


def _of_layer(cache: Cache, layer: int) -> Recalled | None:
    return cache.recalled[layer] if cache.recalled else None


class Transformer(nn.Module):
    """Map embedded positions (n, length, width) to features (n, length, width); position t sees
    0..t only.

    Args:
        rotary: longest sequence that rotary positions are tabulated for; 0 leaves positions to the
            caller's embeddings.
        recalls: every block looks at a memory by cross-attention.

    Example:
        >>> import torch
        >>> Transformer(width=8, depth=1, heads=2)(torch.zeros(2, 5, 8)).shape
        torch.Size([2, 5, 8])
    """

    cosines: Tensor
    sines: Tensor

    def __init__(
        self,
        width: int,
        depth: int,
        heads: int,
        dropout: float = 0.0,
        rotary: int = 0,
        style: Style = MEASURED,
        recalls: bool = False,
    ) -> None:
        super().__init__()
        require_heads(width, heads, each=2)  # positions turn pairs of features
        self.width, self.heads, self.rotary = width, heads, rotary
        self.blocks = nn.ModuleList(
            Block(width, heads, dropout, style, recalls) for _ in range(depth)
        )
        self.norm = nn.LayerNorm(width, bias=style.bias)
        self.dropout = dropout
        cosines, sines = rotary_table(rotary, width // heads)
        self.register_buffer("cosines", cosines, persistent=False)
        self.register_buffer("sines", sines, persistent=False)
        for block in self._blocks():
            first, last = block.linears()
            for linear in first:
                nn.init.normal_(linear.weight, std=0.02)
            for linear in last:
                # the residual stream adds so many terms a block (Radford et al. 2019, section 2.3)
                nn.init.normal_(linear.weight, std=0.02 / math.sqrt(len(last) * depth))

    def matrices(self) -> list[nn.Parameter]:
        """Return the matrices between hidden layers."""
        found = [linear.weight for b in self._blocks() for part in b.linears() for linear in part]
        return [w for w in found if isinstance(w, nn.Parameter)]

    def forward(
        self,
        h: Tensor,
        noise: Noise | None = None,
        padding: Tensor | None = None,
        memory: Memory | None = None,
    ) -> Tensor:
        """Run all positions at once; the first `padding[i]` positions of row i are seen by none
        after them."""
        h = dropped(h, self.dropout, noise)
        turn = self._turn(0, h.shape[1], h)
        for block in self._blocks():
            h = block(h, noise, turn, padding, memory)
        return self.norm(h)

    def around(self, h: Tensor, absent: Tensor, noise: Noise | None = None) -> Tensor:
        """Run all positions at once, each seeing all of its row but what is `absent` (n, length):
        an encoder."""
        h = dropped(h, self.dropout, noise)
        turn = self._turn(0, h.shape[1], h)
        mask = hidden(absent)
        for block in self._blocks():
            h = block(h, noise, turn, mask=mask)
        return self.norm(h)

    def cache(self, n: int, length: int, memory: Memory | None = None) -> Cache:
        """Return an empty cache that looks at a memory."""
        depth, each, like = len(self.blocks), self.width // self.heads, self.norm.weight
        program = Program(tuple(block.read_out() for block in self._blocks()), Norm(self.norm))
        keys = like.new_zeros(depth, n, self.heads, length, each)
        cache = Cache(keys, torch.zeros_like(keys), program)
        found = [block.recalled(memory) for block in self._blocks()]
        cache.recalled = tuple(one for one in found if one is not None)
        return cache

    def fill(self, h: Tensor, cache: Cache) -> Tensor:
        """Run the first positions, h (n, length, width), into an empty cache."""
        turn = self._turn(0, h.shape[1], h)
        for index, block in enumerate(self._blocks()):
            h = block.fill(h, turn, cache, index)
        return self.norm(h)

    def step(self, h: Tensor, cache: Cache, position: int) -> Tensor:
        """Run the positions from `position` on, h (n, few, width), given the cache of the earlier
        ones."""
        few = h.shape[1]
        turn, mask = self._turn(position, few, h), None
        if few > 1:
            later = torch.ones(few, position + few, dtype=torch.bool, device=h.device).triu(
                position + 1
            )
            mask = torch.zeros(later.shape, dtype=h.dtype, device=h.device).masked_fill(
                later, NOTHING
            )
        if cache.padding is not None:
            padded = hidden(
                torch.arange(position + few, device=h.device) < cache.padding.unsqueeze(1)
            ).to(h.dtype)
            mask = padded if mask is None else mask + padded
        sizes = Sizes(h.shape[0], few, self.heads, self.width // self.heads)
        flat, keys, values = h.reshape(-1, self.width), cache.keys.unbind(0), cache.values.unbind(0)
        for index, layer in enumerate(cache.program.layers):
            recalled = cache.recalled[index] if cache.recalled else None
            flat = layer(flat, keys[index], values[index], position, turn, mask, recalled, sizes)
        return cache.program.norm(flat).view(h.shape)

    def _turn(self, first: int, length: int, like: Tensor) -> tuple[Tensor, Tensor] | None:
        if not self.rotary:
            return None
        rows = slice(first, first + length)
        return self.cosines[rows].to(like.dtype), self.sines[rows].to(like.dtype)

    def _blocks(self) -> Iterator[Block]:
        for block in self.blocks:
            assert isinstance(block, Block)
            yield block
