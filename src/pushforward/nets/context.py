"""A context made a memory: embedded, read around by a few blocks, and never empty.

One idea: the first vector of every memory is learned and always there, so that attention to an empty context is defined, and a
position that needs nothing of a context has somewhere to look.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import nn

from pushforward.core.context import Context, ContextSpace
from pushforward.core.given import Given
from pushforward.core.noise import Noise
from pushforward.nets.memory import Memory
from pushforward.nets.transformer import MEASURED, Style, Transformer


class ContextEncoder(nn.Module):
    """Map contexts to memories (n, 1 + longest, width); `None` is the empty context.

    Args:
        depth: blocks in which the positions of a context see each other; 0 leaves them alone and without order.

    Example:
        >>> net = ContextEncoder(ContextSpace(longest=6, vocabulary=9), width=8, depth=1, heads=2)
        >>> net(Context.of([torch.tensor([1, 2]), torch.tensor([3])]), 2).values.shape
        torch.Size([2, 3, 8])
    """

    def __init__(
        self, space: ContextSpace, width: int, depth: int, heads: int, dropout: float = 0.0, style: Style = MEASURED
    ) -> None:
        super().__init__()
        self.space = space
        self.embed: nn.Module = nn.Linear(space.width, width) if space.width else nn.Embedding(space.vocabulary, width)
        self.nothing = nn.Parameter(torch.zeros(width))
        self.transformer = Transformer(width, depth, heads, dropout, 1 + space.longest, style)
        nn.init.normal_(self.nothing, std=0.02)
        if isinstance(self.embed, nn.Embedding):
            nn.init.normal_(self.embed.weight, std=0.02)

    def forward(self, context: Context | None, n: int, noise: Noise | None = None) -> Memory:
        """Return the memories of n contexts."""
        first = self.nothing.expand(n, 1, -1)
        if context is None:
            nowhere = torch.zeros(n, 1, dtype=torch.bool, device=first.device)
            return Memory(self.transformer.around(first, nowhere, noise), nowhere)
        values = context.values if self.space.width else context.values.long()
        h = torch.cat([first, self.embed(values)], dim=1)
        absent = torch.cat([torch.zeros(n, 1, dtype=torch.bool, device=h.device), context.absent()], dim=1)
        return Memory(self.transformer.around(h, absent, noise), absent)


def forgotten(given: Given | None, rate: float, noise: Noise | None) -> Given | None:
    """Return conditions of which a share `rate` has no label (-1) and an empty context (Ho & Salimans 2022, section 3).

    `noise=None` forgets nothing.
    """
    if given is None or noise is None or rate == 0.0:
        return given
    lost, label, context = noise.uniform() < rate, given.label, given.context
    return replace(
        given,
        label=None if label is None else torch.where(lost, -1, label),
        context=None if context is None else Context(context.values, context.length * ~lost),
    )
