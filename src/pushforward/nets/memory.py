"""Cross-attention: a memory that every position of a sequence may look at as a whole.

One idea: keys and values of a memory depend on the memory alone, so they are computed once for all
positions and all steps.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from pushforward.nets.attention import attention, hidden


@dataclass(frozen=True)
class Memory:
    """Vectors (n, length, width) to look at, but for those that are `absent` (n, length)."""

    values: Tensor
    absent: Tensor


@dataclass(frozen=True)
class Recalled:
    """Keys and values (n, heads, length, head width) of a memory, and what is added to the scores
    (n, 1, 1, length)."""

    keys: Tensor
    values: Tensor
    mask: Tensor

    def rows(self, index: Tensor) -> Recalled:
        """Return those of some rows."""
        return Recalled(self.keys[index], self.values[index], self.mask[index])


class Recall(nn.Module):
    """`W_o softmax(q k^T / sqrt(d) + mask) v`, q of the sequence, k and v of the memory (Vaswani et
    al. 2017, section 3.2.3).

    Example:
        >>> import torch
        >>> recall = Recall(8, heads=2, bias=False)
        >>> memory = Memory(torch.zeros(3, 5, 8), torch.zeros(3, 5, dtype=torch.bool))
        >>> recall(torch.zeros(3, 4, 8), recall.look_up(memory)).shape
        torch.Size([3, 4, 8])
    """

    def __init__(self, width: int, heads: int, bias: bool) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width, bias=bias)
        self.query, self.look = (
            nn.Linear(width, width, bias=bias),
            nn.Linear(width, 2 * width, bias=bias),
        )
        self.out = nn.Linear(width, width, bias=bias)

    def look_up(self, memory: Memory) -> Recalled:
        """Return the keys and values of a memory, whose rows hold at least one vector each."""
        n, length, width = memory.values.shape
        both = self.look(memory.values).reshape(n, length, 2, self.heads, width // self.heads)
        keys, values = both.permute(2, 0, 3, 1, 4)
        return Recalled(keys, values, hidden(memory.absent).to(keys.dtype))

    def forward(self, h: Tensor, recalled: Recalled) -> Tensor:
        """Return what each position of h (n, few, width) makes of the memory."""
        n, few, width = h.shape
        q = (
            self.query(self.norm(h))
            .reshape(n, few, self.heads, width // self.heads)
            .transpose(1, 2)
        )
        found = attention(q, recalled.keys, recalled.values, recalled.mask)
        return self.out(found.transpose(1, 2).reshape(h.shape))
