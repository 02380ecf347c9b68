"""What a family knows of single columns: their laws given any others, and whole rows with their gaps
filled.

Two ideas: a family declares how it gets the law of a column given the others, as one object for each
kind of space, and whoever has none is refused by its declaration; gaps are filled by draws from
`p(missing | known, all there)`, exactly: a draw that leaves a gap is drawn anew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

import torch
from torch import Tensor

from pushforward.core.choice import Choice
from pushforward.core.column_law import CategoryLaw, ColumnLaw, NumberLaw, require_draws
from pushforward.core.errors import Unsupported
from pushforward.core.given import Given, Known
from pushforward.core.noise import Places
from pushforward.core.placement import memory_of
from pushforward.core.portions import in_portions
from pushforward.core.rng import derive_seed
from pushforward.core.table import Table
from pushforward.core.walk import run

Told = Callable[[int, int], None] | None
DRAWS = 64  # of what is not known, where a law is made of them
ROUNDS = 24  # in which rows whose draws left a gap are drawn anew


@dataclass(frozen=True)
class Conditional(Choice):
    """How a family gets `p(a column | any others)`.

    Attributes:
        kind: `exact` if it is so where all other columns are known, else `estimate`.
        law: from a model, what is known of some rows, the place of the column, a seed, the numbers
            of the rows and how many draws may be made of what is not known, to the law of the
            column, given that it is there.
    """

    kind: Literal["exact", "estimate"]
    law: Callable[[Any, Known, int, Sampling], ColumnLaw]


@dataclass(frozen=True)
class Sampling:
    """What may be drawn for the law of a batch of rows.

    Attributes:
        seed: of the draws.
        rows: the numbers of the rows, (n,): each is drawn by its own.
        draws: for each row.
    """

    seed: int
    rows: Tensor
    draws: int = DRAWS

    def __getitem__(self, rows: Tensor) -> Sampling:
        return replace(self, rows=self.rows[rows])


@runtime_checkable
class Drawable(Protocol):
    """What completing rows needs of a generative model."""

    family: ClassVar[str]
    classes: tuple[str, ...]
    space: Any
    codec: Any
    capabilities: Any

    @property
    def chunk(self) -> int:
        """How many examples are worked on at once."""
        ...

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        ...

    def walk(
        self, n: int, given: Any = None, seed: int = 0, first: Places = 0, **options: Any
    ) -> Any:
        """Return a sampler."""
        ...


def conditional_of(model: Drawable) -> Conditional:
    """Return how a model gets the law of a column.

    Raises:
        Unsupported: its family has none on its space, or none without a label.
    """
    if model.classes:
        came, fix = f"the law of a column with {model.family} given a label", "train without labels"
        raise Unsupported(came, "a model without labels", fix)
    return model.capabilities.conditional(model.family, model.space.kind)


@torch.no_grad()
def column_law(
    model: Drawable,
    known: Known,
    place: int,
    seed: int = 0,
    draws: int = DRAWS,
    told: Told = None,
) -> ColumnLaw:
    """Return `p(x_c | what is known of the other columns)` for n rows, c = `place`.

    What is known of the column itself is not looked at.

    Args:
        draws: of what is not known; none is made where the family has the exact law.
        told: called with how many rows are done, and of how many.

    Raises:
        Unsupported: a family that has no law of single columns.
    """
    require_draws(draws)
    how = conditional_of(model)
    mask = known.mask.clone()
    mask[:, place] = False
    asked = replace(known, mask=mask, present=None)

    def law(first: int, count: int) -> ColumnLaw:
        part = asked.each(lambda t: t[first : first + count])
        rows = torch.arange(first, first + count)
        return how.law(model, part, place, Sampling(seed, rows, draws))

    parts = in_portions(len(mask), _size(model, draws), law, told, memory_of(model.device))
    return ColumnLaw.joined(parts)


def _size(model: Drawable, draws: int) -> int:
    return max(1, 4 * model.chunk // max(4, draws))


def drawn_law(model: Drawable, known: Known, place: int, sampling: Sampling) -> ColumnLaw:
    """Return the law of a column from draws of whole rows in which it is there."""
    n, draws = len(known.mask), sampling.draws
    copies, rows = _copies(known, sampling)
    wanted = torch.zeros_like(copies.mask)
    wanted[:, place] = True
    x = until_there(model, copies, wanted, sampling.seed, rows).x[:, place].unflatten(0, (n, draws))
    table = model.space
    assert isinstance(table, Table)
    column = table.columns[place]
    if column.discrete:
        return CategoryLaw.of_draws(x, len(column.categories))
    return NumberLaw.of_draws(x)


def _copies(known: Known, sampling: Sampling) -> tuple[Known, Tensor]:
    """Return every condition `draws` times, copies next to each other, and the number of each."""
    n, draws = len(known.mask), sampling.draws
    rows = sampling.rows.repeat_interleave(draws) * draws + torch.arange(draws).repeat(n)
    return known.each(lambda t: t.repeat_interleave(draws, dim=0)), rows


def repeated(model: Drawable, known: Known, sampling: Sampling) -> Tensor:
    """Return `draws` rows (n, draws, columns) for each of n conditions."""
    copies, rows = _copies(known, sampling)
    found = drawn(model, copies, sampling.seed, rows)
    return found.unflatten(0, (len(known.mask), sampling.draws))


def drawn(model: Drawable, known: Known, seed: int, rows: Tensor) -> Tensor:
    """Return a row in data units for each condition, drawn by its own number."""
    walk = model.walk(len(rows), Given(known=known), seed, rows)
    return model.codec.decode(run(walk)).cpu()


@dataclass(frozen=True)
class Completed:
    """Rows without gaps.

    Attributes:
        x: (n, columns), in data units.
        tries: draws that were made for each row.
        bent: which rows are not from the exact law: after `ROUNDS` draws each gap was filled given
            that it alone is there.
    """

    x: Tensor
    tries: Tensor
    bent: Tensor


@torch.no_grad()
def completed(model: Drawable, known: Known, seed: int = 0, told: Told = None) -> Completed:
    """Return rows whose gaps are filled by one draw from `p(missing | known, all of them there)`.

    Args:
        known: what is known; everything else is a gap.
        told: called with how many rows are done, and of how many.

    Raises:
        Unsupported: a family without laws of single columns.

    Example:
        >>> import pushforward as pf
        >>> rows = {"age": [20, 31, 42, 53, 64] * 4, "sex": list("fmfmf") * 4}
        >>> model = pf.fit("autoregressive", rows, steps=2, preset="smoke").model
        >>> known = Known(torch.tensor([[0.0, 1.0]]), torch.tensor([[False, True]]))
        >>> completed(model, known).x[:, 1].tolist()
        [1.0]
    """
    return until_there(model, known, ~known.mask, seed, torch.arange(len(known.mask)), told)


def until_there(
    model: Drawable, known: Known, wanted: Tensor, seed: int, rows: Tensor, told: Told = None
) -> Completed:
    """Return rows drawn given what is known until none of the wanted cells is missing.

    That is exact: what is accepted has the law `q(x) 1[wanted are there]`, up to a constant of the
    row. Where a family has the exact law of a column and draws the first unknown one of the table
    first, that one is never drawn as missing, which changes the constant alone and saves draws.

    Args:
        wanted: (n, columns), booleans.
        rows: (n,), numbers of the rows; each is drawn by its own.
    """
    exact = conditional_of(model).kind == "exact"
    table = model.space
    assert isinstance(table, Table)
    n, gap = len(known.mask), wanted & ~known.mask
    may_lack = torch.tensor([column.missing for column in table.columns])
    unknown = ~known.mask
    first = gap & unknown & (unknown.cumsum(1) == 1) & may_lack & exact
    x = torch.full(known.mask.shape, torch.nan, dtype=torch.float64)
    tries, todo = torch.zeros(n, dtype=torch.long), unknown.any(1).nonzero().flatten()
    bent, done = torch.zeros(n, dtype=torch.bool), n - len(todo)
    for attempt in range(ROUNDS + 1):
        if not len(todo):
            break
        last = attempt == ROUNDS
        asked = replace(known, present=gap & may_lack if last else first)
        own = derive_seed(seed, "again", attempt) if attempt else seed

        def draw(
            at: int, count: int, todo: Tensor = todo, asked: Known = asked, own: int = own
        ) -> Tensor:
            part = todo[at : at + count]
            return drawn(model, asked.each(lambda t: t[part]), own, rows[part])

        report = None if told is None else lambda k, _: told(min(n, done + k), n)  # noqa: B023
        parts = in_portions(len(todo), model.chunk, draw, report, memory_of(model.device))
        found = torch.cat(parts)
        tries[todo] += 1
        bent[todo] = last
        whole = ~(found.isnan() & gap[todo]).any(1)
        x[todo[whole]] = found[whole]
        done, todo = done + int(whole.sum()), todo[~whole]
    return Completed(torch.where(known.mask, known.values.double(), x), tries, bent)
