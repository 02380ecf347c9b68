"""Revealing symbols a few at a time, in an order drawn beforehand.

Two ideas: how many symbols a call reveals is a plan and never chance, so every row of a batch takes
the same calls and no call is wasted; one symbol a call is the model that the bound is of, and more
at once are drawn as if they were independent of each other, which is what few calls cost.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pushforward.core.choice import Choice
from pushforward.core.errors import BadInput
from pushforward.core.noise import Noise
from pushforward.core.options import SampleOptions
from pushforward.core.registry import Registry
from pushforward.core.walk import Walk
from pushforward.families.diffusion.symbols.masking import draw_symbols
from pushforward.families.shared.next_token import filtered
from pushforward.families.shared.options import FILTERS


@dataclass(frozen=True)
class RevealGrid(Choice):
    """How the calls of a sampler of text share the symbols.

    Attributes:
        hidden: how much of a block is still hidden after a share of its calls.
    """

    hidden: Callable[[float], float]


GRIDS: Registry[RevealGrid] = Registry(
    "grid on text",
    of="pushforward.families.diffusion.symbols.unmasking:RevealGrid",
    choices=(
        RevealGrid("uniform", "as many symbols a call", lambda done: 1.0 - done),
        RevealGrid(
            "cosine",
            "few at first (Chang et al. 2022, section 3.2)",
            lambda done: math.cos(0.5 * math.pi * done),
        ),
    ),
)

# `(tokens (n, T), places (n, m), padding (n,) or None) -> logits (n, m, V)` at some masked places
Predict = Callable[[Tensor, Tensor, Tensor | None], Tensor]


def revealed_counts(size: int, calls: int, grid: str = "uniform") -> list[int]:
    """Return how many of `size` symbols each of at most `size` calls reveals, one or more each.

    Raises:
        BadInput: an unknown grid.

    Example:
        >>> revealed_counts(8, 4), revealed_counts(8, 4, "cosine"), revealed_counts(3, 9)
        ([2, 2, 2, 2], [1, 1, 3, 3], [1, 1, 1])
    """
    chosen = GRIDS[grid]
    calls, done, counts = min(calls, size), 0, []
    for call in range(1, calls + 1):
        wanted = size - round(size * chosen.hidden(call / calls))
        after = min(max(wanted, done + 1), size - (calls - call))
        counts.append(after - done)
        done = after
    return counts


@dataclass(frozen=True)
class RevealedBlock:
    """Positions `start .. start + size`, written together and seeing all from `seen` on; `counts`
    are revealed call by call."""

    seen: int
    start: int
    size: int
    counts: Sequence[int]


@dataclass(frozen=True)
class Mask:
    """The symbol that stands for a hidden one, and what is shown in its place before it is
    revealed."""

    symbol: int
    shown: int


def blocks(
    before: int, length: int, window: int, calls: int | None, grid: str
) -> list[RevealedBlock]:
    """Return the plan for `length` symbols after `before` others, for a network that sees `window`
    of them.

    The first block fills the window; each later one is half a window, seen together with the latest
    symbols before it.

    Args:
        calls: for `window - 1` symbols, fewer in proportion for fewer; None = one a symbol.

    Raises:
        BadInput: nothing fits after what comes before.

    Example:
        >>> [(b.seen, b.start, b.size) for b in blocks(before=1, length=14, window=9, calls=None, grid="uniform")]
        [(0, 1, 8), (4, 9, 4), (6, 13, 2)]
    """
    if before >= window:
        raise BadInput(
            f"a prompt of {before} tokens",
            f"at most {window - 1}, the context of this model",
            "cut it",
        )
    found, start, end = [], before, before + length
    while start < end:
        size = min(end - start, window - before if start == before else max(1, (window - 1) // 2))
        share = size if calls is None else math.ceil(calls * size / (window - 1))
        found.append(
            RevealedBlock(
                max(0, start + size - window), start, size, revealed_counts(size, share, grid)
            )
        )
        start += size
    return found


class UnmaskingWalk(Walk[Tensor]):
    """Write symbols after a prompt, block by block, each in random order; the state is all symbols,
    (n, P + length).

    Args:
        predict: the network.
        prompt: (n, P); `padding` (n,) symbols at the start of each row are none.
        plan: from `blocks`.
        calls: network calls at each step.
    """

    def __init__(
        self,
        predict: Predict,
        noise: Noise,
        prompt: Tensor,
        padding: Tensor | None,
        plan: list[RevealedBlock],
        options: SampleOptions,
        mask: Mask,
        calls: int = 1,
    ) -> None:
        self.predict, self.noise, self.options = predict, noise, options
        self.prompt, self.padding, self.mask = prompt, padding, mask
        self.steps = [
            (block, sum(block.counts[:i]), count)
            for block in plan
            for i, count in enumerate(block.counts)
        ]
        self.size = sum(block.size for block in plan)
        self.length = len(self.steps)
        self.calls = float(self.length * calls)
        self.plain = not {option.name for option in FILTERS} & set(options.nondefault())

    @torch.no_grad()
    def start(self) -> Tensor:
        """Hide everything, and draw every order and every uniform."""
        order = self.noise.uniform(self.size)
        self.uniforms = self.noise.uniform(self.size, dtype=torch.float64)
        before = self.prompt.shape[1]
        firsts = {block.start - before: block.size for block, _, _ in self.steps}
        self.order = torch.cat(
            [order[:, at : at + size].argsort(1) + at for at, size in firsts.items()], 1
        )
        hidden = self.prompt.new_full((len(self.prompt), self.size), self.mask.symbol)
        return torch.cat([self.prompt, hidden], dim=1)

    @torch.no_grad()
    def step(self, state: Tensor, index: int) -> Tensor:
        """Reveal the next few symbols of the order."""
        block, done, count = self.steps[index]
        before = self.prompt.shape[1]
        first = block.start - before + done
        chosen = self.order[:, first : first + count]
        padding = None if self.padding is None else (self.padding - block.seen).clamp(min=0)
        seen = state[:, block.seen : block.start + block.size]
        logits = self.predict(seen, chosen + before - block.seen, padding)
        log_p = logits if self.plain else filtered(logits, self.options)
        drawn = draw_symbols(log_p, self.uniforms.gather(1, chosen))
        return state.scatter_(1, chosen + before, drawn)

    def finish(self, state: Tensor) -> Tensor:
        """Return the symbols after the prompt, (n, length)."""
        return state[:, self.prompt.shape[1] :]

    def peek(self, state: Tensor) -> Tensor:
        """Return what is revealed so far."""
        found = self.finish(state)
        return found.masked_fill(found == self.mask.symbol, self.mask.shown)
