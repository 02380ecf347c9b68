"""Columns one after another, in an order that puts what is known first.

Two ideas: a position of the transformer holds the value of the column before it and a query for the
next one, so one network learns `p(column | any subset of columns)`; every column is a choice among
cells, each with a law of its own, so every conditional is normalised and every sample is a legal
value.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import torch
from torch import Tensor, nn

from pushforward.core.architecture import Architecture
from pushforward.core.conditions import known_columns
from pushforward.core.errors import BadInput
from pushforward.core.finite import require_law
from pushforward.core.given import Given, Known, label_of
from pushforward.core.noise import Noise
from pushforward.core.options import SampleOptions
from pushforward.core.space import Space
from pushforward.core.table import Table
from pushforward.core.walk import Walk
from pushforward.families.autoregressive.backbone import Backbone
from pushforward.families.autoregressive.cells import FEATURES, NumberCells
from pushforward.families.autoregressive.config import AutoregressiveConfig
from pushforward.families.shared.options import TEMPERATURE
from pushforward.nets.mlp import LabelEmbedding
from pushforward.nets.transformer import Cache, Transformer

BASIS = 6
CANONICAL = 0.25  # share of training rows in the order that `log_prob` uses; the others start with a random subset


class RowBackbone(Backbone):
    """A transformer over the columns of a table that can be conditioned on any of them.

    `log p(x) = sum_t log p(x_{o(t)} | x_{o(<t)})` with the order o of the table itself; given known
    columns, o lists them first and they contribute nothing, so that the sum is `log p(rest |
    known)`. Each is exact for its order; a network of finite size need not give the same p(x) under
    another one. Trained on random orders of that form (Uria et al. 2014).

    A column's cells: its categories, or the cells of `NumberCells`, then one for "missing" if
    values may be.
    """

    place = "column, in the order of the table"
    glance = 2**31
    live: Tensor
    basis: Tensor
    offsets: Tensor
    is_number: Tensor

    def __init__(self, space: Space, config: AutoregressiveConfig, classes: int) -> None:
        super().__init__(space, config, classes)
        assert isinstance(space, Table)
        width, self.columns = config.width, space.columns
        numbers = [c for c in self.columns if not c.discrete]
        self.numbers = NumberCells(numbers, config.components)
        self.cell_counts = [
            len(c.categories) if c.discrete else config.components + 2 for c in self.columns
        ]
        self.sizes = [
            count + c.missing for count, c in zip(self.cell_counts, self.columns, strict=True)
        ]
        places = [i for i, c in enumerate(self.columns) if not c.discrete]
        self.number_of = {c: k for k, c in enumerate(places)}
        self.register_buffer("is_number", torch.tensor(places, dtype=torch.long), persistent=False)
        starts = list(accumulate(self.sizes, initial=0))
        self.register_buffer("offsets", torch.tensor(starts[:-1]), persistent=False)
        self.slices = [slice(a, b) for a, b in pairwise(starts)]
        total = starts[-1]
        self.register_buffer("live", torch.ones(total, dtype=torch.bool))
        self.register_buffer("basis", torch.zeros(total, BASIS))
        self.value = nn.Embedding(total, width)
        self.query = nn.Embedding(len(self.columns), width)
        for table in (self.value, self.query):
            nn.init.normal_(table.weight, std=0.3)
        self.position = (
            nn.Parameter(0.3 * torch.randn(len(numbers), FEATURES, width)) if numbers else None
        )
        self.start = LabelEmbedding(classes, width)
        self.transformer = Transformer(width, config.depth, config.heads, config.dropout)
        self.logits = nn.Linear(width, total)
        self.smooth = nn.Linear(width, BASIS)
        nn.init.normal_(self.logits.weight, std=0.3 / math.sqrt(width))
        self._set_cells()

    @torch.no_grad()
    def _prepare(self, x: Tensor, given: Given | None) -> None:
        # the cells of numbers from all training rows, and the columns' own frequencies to start
        # from
        self.numbers.fit(x[:, self.is_number])
        self._set_cells()
        flat = (self.locate(x) + self.offsets).flatten()
        counts = torch.bincount(flat, minlength=len(self.live)).to(self.logits.bias)
        for cut in self.slices:
            self.logits.bias[cut] = torch.log(
                (counts[cut] + 0.5) / (len(x) + 0.5 * counts[cut].numel())
            )

    def _set_cells(self) -> None:
        live = self.numbers.live()
        for c, (column, cut, count) in enumerate(
            zip(self.columns, self.slices, self.cell_counts, strict=True)
        ):
            inside = slice(cut.start, cut.start + count)
            if not column.discrete:
                self.live[inside] = live[self.number_of[c]]
            if not column.discrete or column.kind == "ordinal":
                used = self.numbers.used[self.number_of[c]] if not column.discrete else count
                place = torch.arange(count, device=self.live.device) - (
                    0.0 if column.discrete else 1.0
                )
                v = ((2.0 * place + 1.0) / used - 1.0).clamp(-1.0, 1.0)
                waves = [f(math.pi * w * v) for w in (1.0, 2.0) for f in (torch.sin, torch.cos)]
                self.basis[inside] = torch.stack([v, v.square(), *waves], dim=1).to(self.basis)

    def locate(self, x: Tensor) -> Tensor:
        """Return the cell (n, C) of every value."""
        cells = torch.where(torch.isnan(x), 0.0, x).long()
        if len(self.number_of):
            cells[:, self.is_number] = self.numbers.locate(x[:, self.is_number])
        absent = torch.tensor(self.cell_counts, device=x.device)
        return torch.where(torch.isnan(x), absent, cells)

    def order(self, known: Known | None, n: int, noise: Noise | None) -> Tensor:
        """Return the columns (n, C) in the order they are modelled: known ones, then the others,
        each as in the table.

        In training (`noise`) what comes first is a random subset: empty for a share `CANONICAL` of
        the rows, else of random size.
        """
        count = len(self.columns)
        place = torch.arange(count, device=self.live.device)
        if known is not None:
            # a range is drawn before what it should change
            return (place + count * (2 - 2 * known.mask.long() - known.ranged.long())).argsort(1)
        if noise is not None:
            share = (noise.uniform(1) - CANONICAL) / (1.0 - CANONICAL)
            first = noise.uniform(count) < share
        else:
            return place.expand(n, count)
        return (place + count * (~first).long()).argsort(1)

    def terms(self, x: Tensor, given: Given | None, noise: Noise | None = None) -> Tensor:
        """Return `log p(x_c | columns before c in the order)`, (n, C) float64, columns as in the
        table; known ones give 0.

        Where x contradicts a known value the term is minus infinity.
        """
        known = self.known(given, len(x))
        if known is not None:
            known.require_values()
        seen = x if known is None else torch.where(known.mask, known.values.to(x), x)
        cells, order = self.locate(seen), self.order(known, len(x), noise)
        numbers = seen[:, self.is_number]
        at = cells[:, self.is_number]
        features = self.numbers.features(numbers, at) if len(self.number_of) else None
        logits = self(cells, features, order, label_of(given), noise)
        columns = zip(logits.split(self.sizes, dim=1), cells.unbind(1), strict=True)
        chosen = [part.log_softmax(1).gather(1, cell.unsqueeze(1)) for part, cell in columns]
        terms = torch.cat(chosen, dim=1).double()
        if len(self.number_of):
            terms = terms.index_add(1, self.is_number, self.numbers.log_law(numbers, at))
        if known is None:
            return terms
        agrees = (x == seen) | (torch.isnan(x) & torch.isnan(seen))
        return torch.where(known.mask, torch.where(agrees, 0.0, -math.inf), terms)

    def forward(
        self,
        cells: Tensor,
        features: Tensor | None,
        order: Tensor,
        label: Tensor | None,
        noise: Noise | None = None,
    ) -> Tensor:
        """Return logits (n, all cells), columns as in the table, each given those before it in
        `order`."""
        embedded = self.value(cells + self.offsets)
        if features is not None and self.position is not None:
            placed = torch.einsum("nkf,kfw->nkw", features, self.position)
            embedded = embedded.index_add(1, self.is_number, placed.to(embedded))
        index = order.unsqueeze(-1).expand_as(embedded)
        before = torch.cat(
            [self.start(label, len(cells)).unsqueeze(1), embedded.gather(1, index)[:, :-1]], dim=1
        )
        h = self.transformer(before + self.query(order), noise)
        h = h.gather(1, order.argsort(1).unsqueeze(-1).expand_as(h))
        return torch.cat([self.head(h[:, c], c) for c in range(len(self.columns))], dim=1)

    def head(self, h: Tensor, c: int) -> Tensor:
        """Return the logits of column c from the features at its query; cells that hold nothing get
        minus infinity."""
        cut = self.slices[c]
        logits = nn.functional.linear(h, self.logits.weight[cut], self.logits.bias[cut])
        logits = logits + self.smooth(h) @ self.basis[cut].T
        return logits.masked_fill(~self.live[cut], -math.inf)

    def embed(self, values: Tensor, cells: Tensor, c: int) -> Tensor:
        """Return (n, width): the embedding of values of column c, as `forward` embeds them."""
        embedded = self.value(cells + self.offsets[c])
        if c not in self.number_of or self.position is None:
            return embedded
        k = torch.tensor([self.number_of[c]], device=cells.device)
        features = self.numbers.features(values.unsqueeze(1), cells.unsqueeze(1), k)
        return embedded + features.squeeze(1) @ self.position[self.number_of[c]]

    def draw(
        self, h: Tensor, uniform: Tensor, c: int, temperature: float, there: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return values and cells of column c, drawn at uniforms (n, 2): one for the cell, one
        within it.

        Args:
            there: (n,), True for rows that do not lack the value.
        """
        logits = self.head(h, c).double() / temperature
        if there is not None and self.columns[c].missing:
            missing = torch.arange(logits.shape[1], device=logits.device) == self.cell_counts[c]
            logits = logits.masked_fill(there.unsqueeze(1) & missing, -math.inf)
        cdf = require_law(logits.softmax(-1).cumsum(-1))
        # the last entry is one exactly and a uniform is below it, so a cell without mass is never
        # chosen
        cells = (uniform[:, :1] >= cdf / cdf[:, -1:]).sum(-1)
        values = cells.double()
        if c in self.number_of:
            k = torch.tensor([self.number_of[c]], device=cells.device)
            inside = cells.clamp(max=self.cell_counts[c] - 1)
            values = self.numbers.draw(inside.unsqueeze(1), uniform[:, 1:], k).squeeze(1)
        return values.masked_fill(cells == self.cell_counts[c], math.nan), cells

    def draw_within(
        self, h: Tensor, uniform: Tensor, c: int, temperature: float, low: Tensor, high: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return values and cells of a column of numbers, drawn from its conditional given that it
        lies in `[low, high]`.

        Raises:
            BadInput: a range that the model gives no probability.
        """
        p = (self.head(h, c).double() / temperature).softmax(-1)[:, : self.cell_counts[c]]
        first, last = self.numbers.quantiles_within(low, high, self.number_of[c])
        mass = require_law((p * (last - first)).cumsum(-1))
        if bool((mass[:, -1] <= 0).any()):
            raise BadInput(
                f"a range of '{self.columns[c].name}' without probability",
                "one that overlaps the training data",
            )
        cells = (uniform[:, :1] * mass[:, -1:] >= mass).sum(-1)
        a, b = (ends.gather(1, cells.unsqueeze(1)) for ends in (first, last))
        k = torch.tensor([self.number_of[c]], device=cells.device)
        return self.numbers.rise(cells.unsqueeze(1), a + uniform[:, 1:] * (b - a), k).squeeze(
            1
        ), cells

    def known(self, given: Given | None, n: int) -> Known | None:
        """Return the known columns of a condition; see `known_columns`."""
        assert isinstance(self.space, Table)
        return known_columns(given, self.space, n)

    def _walk(self, noise: Noise, given: Given | None, options: SampleOptions) -> Walk[Any]:
        return RowWalk(self, noise, given, options.temperature)


@dataclass
class RowState:
    """Rows so far, the embedding of the last column, the cache and the uniforms still to be
    used."""

    rows: Tensor
    last: Tensor
    cache: Cache
    uniforms: Tensor


class RowWalk(Walk[RowState]):
    """Ancestral sampling: known columns first, as they are, then the others, each drawn from its
    conditional."""

    def __init__(
        self, model: RowBackbone, noise: Noise, given: Given | None, temperature: float
    ) -> None:
        self.model, self.noise, self.temperature = model, noise, temperature
        self.label, self.known = label_of(given), model.known(given, noise.n)
        self.length = len(model.columns)
        self.calls = float(self.length)

    @torch.no_grad()
    def start(self) -> RowState:
        """Draw every uniform at once, two per column, and embed the start."""
        n, model = self.noise.n, self.model
        self.order = model.order(self.known, n, None)
        rows = torch.zeros(n, self.length, dtype=torch.float64, device=model.live.device)
        if self.known is not None:
            rows = torch.where(self.known.mask, self.known.values.to(rows), rows)
        uniforms = self.noise.uniform(self.length, 2, dtype=torch.float64)
        return RowState(
            rows, model.start(self.label, n), model.transformer.cache(n, self.length), uniforms
        )

    @torch.no_grad()
    def step(self, state: RowState, index: int) -> RowState:
        """Draw the column at place `index` of each row's order, or keep it if it is known."""
        model, known, column = self.model, self.known, self.order[:, index]
        h = model.transformer.step(
            (state.last + model.query(column)).unsqueeze(1), state.cache, index
        ).squeeze(1)
        last = torch.empty_like(state.last)
        for c in column.unique().tolist():
            at = (column == c).nonzero().flatten()
            drawn = (h[at], state.uniforms[at, c], c, self.temperature)
            there = None if known is None or known.present is None else known.present[at, c]
            if known is not None and bool(known.ranged[at, c].any()):
                assert known.low is not None
                assert known.high is not None
                values, cells = model.draw_within(*drawn, known.low[at, c], known.high[at, c])
            else:
                values, cells = model.draw(*drawn, there)
            if known is not None:
                kept = known.mask[at, c]
                values = torch.where(kept, state.rows[at, c], values)
                cells = torch.where(kept, model.locate(state.rows[at])[:, c], cells)
            state.rows[at, c] = values
            last[at] = model.embed(values, cells, c)
        state.last = last
        return state

    def finish(self, state: RowState) -> Tensor:
        """Return the rows."""
        return state.rows


TRANSFORMER = Architecture(
    "transformer",
    "attention over the columns before, in any order",
    RowBackbone,
    options=(TEMPERATURE,),
)
