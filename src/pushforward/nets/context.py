"""A context made a memory: embedded, read around by a few blocks, and never empty.

One idea: the first vector of every memory is learned and always there, so that attention to an
empty context is defined, and a position that needs nothing of a context has somewhere to look.
"""

from __future__ import annotations

import torch
from torch import nn

from pushforward.core.context import Context, ContextSpace
from pushforward.core.noise import Noise
from pushforward.nets.memory import Memory
from pushforward.nets.transformer import MEASURED, Style, Transformer


class ContextEncoder(nn.Module):
    """Map contexts to memories (n, 1 + longest, width); `None` is the empty context.

    Args:
        depth: blocks in which the positions of a context see each other; 0 leaves them alone and
            without order.

    Example:
        >>> net = ContextEncoder(ContextSpace(longest=6, vocabulary=9), width=8, depth=1, heads=2)
        >>> net(Context.of([torch.tensor([1, 2]), torch.tensor([3])]), 2).values.shape
        torch.Size([2, 3, 8])
    """

    def __init__(
        self,
        space: ContextSpace,
        width: int,
        depth: int,
        heads: int,
        dropout: float = 0.0,
        style: Style = MEASURED,
    ) -> None:
        super().__init__()
        self.space = space
        self.embed: nn.Module = (
            nn.Linear(space.width, width) if space.width else nn.Embedding(space.vocabulary, width)
        )
        self.nothing = nn.Parameter(torch.zeros(width))
        self.transformer = Transformer(width, depth, heads, dropout, 1 + space.longest, style)
        nn.init.normal_(self.nothing, std=0.02)
        if isinstance(self.embed, nn.Embedding):
            nn.init.normal_(self.embed.weight, std=0.02)

    def forward(self, context: Context | None, n: int, noise: Noise | None = None) -> Memory:
        """Return the memories of n contexts."""
        h = self.nothing.expand(n, 1, -1)
        absent = torch.zeros(n, 1, dtype=torch.bool, device=h.device)
        if context is not None:
            values = context.values if self.space.width else context.values.long()
            h = torch.cat([h, self.embed(values)], dim=1)
            absent = torch.cat([absent, context.absent()], dim=1)
        return Memory(self.transformer.around(h, absent, noise), absent)
