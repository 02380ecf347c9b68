"""A residual multilayer perceptron that takes a context vector.

Two ideas: pre-normalised residual blocks keep depth trainable; the context (a label, a noise level)
enters every block as a shift and a scale of the normalised features.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class MLPBlock(nn.Module):
    """`h + W2 silu(W1 modulate(norm(h), context))`; the last layer starts at zero, so that a new
    block is the identity."""

    def __init__(self, width: int, context: int, expand: int = 2) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.modulate = nn.Linear(context, 2 * width) if context else None
        self.up = nn.Linear(width, expand * width)
        self.down = nn.Linear(expand * width, width)
        nn.init.zeros_(self.down.weight)
        nn.init.zeros_(self.down.bias)

    def forward(self, h: Tensor, context: Tensor | None) -> Tensor:
        """Shapes: h (n, width), context (n, context)."""
        y = self.norm(h)
        if self.modulate is not None and context is not None:
            scale, shift = self.modulate(context).chunk(2, dim=-1)
            y = y * (1.0 + scale) + shift
        return h + self.down(nn.functional.silu(self.up(y)))


class ResidualMLP(nn.Module):
    """Map (n, inputs) and a context (n, context) to (n, outputs).

    Args:
        zero_output: start with an output of zero (an identity coupling, a zero score).

    Example:
        >>> ResidualMLP(2, 5, width=16, depth=2, context=3)(torch.zeros(4, 2), torch.zeros(4, 3)).shape
        torch.Size([4, 5])
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        width: int,
        depth: int,
        context: int = 0,
        zero_output: bool = False,
    ) -> None:
        super().__init__()
        self.inputs = nn.Linear(inputs, width)
        self.blocks = nn.ModuleList(MLPBlock(width, context) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.outputs = nn.Linear(width, outputs)
        if zero_output:
            nn.init.zeros_(self.outputs.weight)
            nn.init.zeros_(self.outputs.bias)

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        """Shapes: x (n, inputs), context (n, context) -> (n, outputs)."""
        h = self.inputs(x)
        for block in self.blocks:
            h = block(h, context)
        return self.outputs(nn.functional.silu(self.norm(h)))


class FlatMLP(ResidualMLP):
    """A residual MLP of examples of any shape (n, ...), all of whose numbers are inputs.

    Example:
        >>> FlatMLP(12, 5, width=16, depth=1)(torch.zeros(4, 3, 2, 2)).shape
        torch.Size([4, 5])
    """

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        """Shapes: x (n, ...), context (n, context) -> (n, outputs)."""
        return super().forward(x.flatten(1), context)


class WaveMLP(nn.Module):
    """A residual MLP that also sees `sin` and `cos` of its inputs at octaves of `pi / 2`, axis by
    axis (Tancik et al. 2020).

    A plain MLP learns slowly what varies fast; with standardised points a critic otherwise cannot
    tell neighbouring modes apart.

    Example:
        >>> WaveMLP(2, 1, octaves=3, width=16, depth=1)(torch.zeros(4, 2)).shape
        torch.Size([4, 1])
    """

    frequencies: Tensor

    def __init__(
        self, inputs: int, outputs: int, octaves: int, width: int, depth: int, context: int = 0
    ) -> None:
        super().__init__()
        self.net = ResidualMLP(inputs * (1 + 2 * octaves), outputs, width, depth, context)
        self.register_buffer(
            "frequencies", 0.5 * math.pi * 2.0 ** torch.arange(octaves), persistent=False
        )

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        """Shapes: x (n, inputs), context (n, context) -> (n, outputs)."""
        angles = (x.unsqueeze(-1) * self.frequencies).flatten(1)
        return self.net(torch.cat([x, angles.sin(), angles.cos()], dim=1), context)


class ClassTable(nn.Embedding):
    """A vector per class, and a last one for "no condition"."""


def class_table(classes: int, width: int) -> ClassTable:
    """Return a fresh table."""
    table = ClassTable(classes + 1, width)
    nn.init.normal_(table.weight, std=0.5)
    return table


def class_rows(table: nn.Embedding, label: Tensor | None, n: int) -> Tensor:
    """Return the vectors of n labels, shape (n, width); `label=None` or a label of -1 selects the
    null vector."""
    classes = table.num_embeddings - 1
    if label is None:
        label = torch.full((n,), -1, device=table.weight.device, dtype=torch.long)
    return table(torch.where(label < 0, classes, label))


class LabelEmbedding(nn.Module):
    """A vector per class, with one more for "no condition".

    Example:
        >>> LabelEmbedding(3, 8)(None, 2).shape
        torch.Size([2, 8])
    """

    def __init__(self, classes: int, width: int) -> None:
        super().__init__()
        self.classes = classes
        self.table = class_table(classes, width)

    def forward(self, label: Tensor | None, n: int) -> Tensor:
        """Return (n, width); `label=None` or a label of -1 selects the null vector."""
        return class_rows(self.table, label, n)
