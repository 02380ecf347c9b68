"""Drawing rows: symbols are revealed in random order, then numbers come down from noise given all
of them.

Two ideas: one symbol a step is exact sampling from the network's conditionals, fewer steps reveal
several at once as if they were independent; the numbers' part is any of the solvers of Gaussian
diffusion, which never learns that its data are a table.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from pushforward.core.finite import require_finite
from pushforward.core.noise import Noise
from pushforward.core.walk import Walk
from pushforward.families.diffusion.rows.row_denoiser import RowModel, SeenRows
from pushforward.families.diffusion.rows.row_layout import HIDDEN
from pushforward.families.diffusion.symbols.masking import draw_symbols

Descend = Callable[
    [SeenRows], Walk[Any]
]  # from rows whose symbols are all seen to the walk of their numbers


@dataclass(frozen=True)
class TableState:
    """What is seen of the rows so far, a guess of what is not, and the walk of their numbers with
    its state, None before it."""

    seen: SeenRows
    guess: Tensor
    walk: Walk[Any] | None = None
    inner: Any = None


@dataclass(frozen=True)
class Reveals:
    """When symbols are revealed.

    Attributes:
        steps: in how many steps, 0 if there are none.
        never: which symbols (n, S) are not their last, the one for a missing value; they are revealed
            first.
    """

    steps: int
    never: Tensor | None = None


class TableWalk(Walk[TableState]):
    """First `reveals` steps for S symbols, then the steps of a walk over N numbers.

    Step j leaves `floor(L (1 - (j + 1) / reveals))` of a row's L unknown symbols hidden; which go
    first is drawn per row.

    Args:
        seen: what is known, all else hidden.
        there: returns which numbers (n, N) of rows of symbols are not missing.
        descend: returns the walk of the numbers, which ends at their places; None if there are
            none.
        rows: returns rows from symbols and places.
        reveals: when symbols are revealed.
    """

    def __init__(
        self,
        model: RowModel,
        seen: SeenRows,
        noise: Noise,
        there: Callable[[Tensor], Tensor],
        descend: Descend | None,
        rows: Callable[[Tensor, Tensor], Tensor],
        reveals: Reveals,
    ) -> None:
        self.model, self.seen, self.noise, self.there = model, seen, noise, there
        self.descend, self.rows = descend, rows
        self.reveals, self.never = reveals.steps, reveals.never
        self.length, self.calls = self.reveals, self.reveals * model.calls
        if descend is not None:
            numbers = descend(seen)
            self.length, self.calls = self.length + numbers.length, self.calls + numbers.calls

    @torch.no_grad()
    def start(self) -> TableState:
        """Draw every uniform for symbols at once: their order, and their values."""
        count = self.seen.symbols.shape[1]
        drawn = self.noise.uniform(2, count, dtype=torch.float64)
        unknown = self.seen.symbols == HIDDEN
        # unknown symbols by random order, known ones at the end
        place = drawn[:, 0] + 2.0 * (~unknown).double()
        if self.never is not None:
            place = place + (self.never & unknown).double()  # those that are left last go first
        self.order = place.argsort(1).argsort(1)
        self.values, self.unknown = drawn[:, 1], unknown
        guess = torch.where(unknown, 0, self.seen.symbols)
        state = TableState(self.seen, guess)
        return state if self.reveals else self._descended(state)

    @torch.no_grad()
    def step(self, state: TableState, index: int) -> TableState:
        """Reveal some symbols, or take a step with the numbers."""
        if index >= self.reveals:
            assert state.walk is not None
            return replace(state, inner=state.walk.step(state.inner, index - self.reveals))
        length = self.unknown.sum(1, keepdim=True)
        left = (length * (self.reveals - 1 - index)) // self.reveals
        hidden = state.seen.symbols == HIDDEN
        now = hidden & (self.order >= left)
        parts = self._barred(self.model.logits(state.seen).split(self.model.sizes, dim=1))
        columns = [
            draw_symbols(part, u) for part, u in zip(parts, self.values.unbind(1), strict=True)
        ]
        drawn = torch.stack(columns, dim=1)
        symbols = torch.where(now, drawn, state.seen.symbols)
        guess = torch.where(symbols == HIDDEN, drawn, symbols)
        state = TableState(replace(state.seen, symbols=symbols), guess)
        return self._descended(state) if index == self.reveals - 1 else state

    def _barred(self, parts: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Return logits without those of missing values that may not be."""
        if self.never is None:
            return parts
        columns = zip(parts, self.never.unbind(1), strict=True)
        return tuple(
            torch.cat([part[:, :-1], part[:, -1:].masked_fill(no.unsqueeze(1), -math.inf)], dim=1)
            for part, no in columns
        )

    def _descended(self, state: TableState) -> TableState:
        if self.descend is None:
            return state
        seen = state.seen
        # a number that turned out to be missing stands at the centre from now on
        seen = replace(seen, fixed=seen.fixed | ~self.there(seen.symbols))
        walk = self.descend(seen)
        return TableState(seen, state.guess, walk, walk.start())

    def finished(self, state: TableState) -> bool:
        """True once the numbers have arrived before their last step."""
        return state.walk is not None and state.walk.finished(state.inner)

    def spent(self, state: TableState, steps: int) -> float:
        """What the symbols took, and the walk of the numbers."""
        symbols = min(steps, self.reveals) * self.model.calls
        return symbols + (
            0.0 if state.walk is None else state.walk.spent(state.inner, steps - self.reveals)
        )

    def finish(self, state: TableState) -> Tensor:
        """Return the rows; in them NaN would be a missing value."""
        if state.walk is None:
            return self._rows(state, None)
        places = state.walk.finish(state.inner)
        return self._rows(state, require_finite(places, ~state.seen.fixed))

    def peek(self, state: TableState) -> Tensor:
        """Return the symbols drawn so far with a draw of the others, and numbers at the centre or
        as far as they came."""
        return self._rows(state, None if state.walk is None else state.walk.peek(state.inner))

    def _rows(self, state: TableState, places: Tensor | None) -> Tensor:
        places = torch.zeros_like(state.seen.line) if places is None else places
        return self.rows(state.guess, torch.where(state.seen.fixed, state.seen.line, places))
