"""Draw samples until each keeps what it has to: rules of rows, and what may be shown of them.

Two ideas: what is drawn again is drawn from the model given that it keeps the rules (rejection), a
row by itself, so that the first rows do not depend on how many are drawn; the number of draws is
bounded, and what was never drawn is said with its reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from pushforward.core.conditions import Condition
from pushforward.core.errors import BadInput
from pushforward.core.given import Given, Known
from pushforward.core.model import GenerativeModel
from pushforward.core.rng import derive_seed
from pushforward.data.encoding import Encoding
from pushforward.data.folders import few

# draws of a row that is not yet kept, a round after the other: few at first, as most rows are
ROUNDS = (1, 1, 2, 4, 8, 16, 32, 64, 128)
HOPELESS = 4_096  # draws in a row of which none is kept
NAMED = 3


@dataclass
class Acceptance:
    """How many draws it took.

    Attributes:
        first: how many rows were drawn at first, and `kept` how many of these were kept.
        drawn: all draws.
        reasons: how many of the first broke what.
        last: which share of the last draws broke what.
        withheld: what of the first is not shown as it was drawn, in words.
    """

    first: int = 0
    kept: int = 0
    drawn: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    last: dict[str, float] = field(default_factory=dict)
    withheld: str = ""

    @property
    def words(self) -> str:
        """What is said of draws that were not kept, empty if all were."""
        if self.kept == self.first:
            return ""
        broken = sorted(self.reasons.items(), key=lambda item: -item[1])
        said = few([f"{why} ({count:,})" for why, count in broken], NAMED)
        share = f"{self.kept / self.first:.1%}"
        again = f"the others were drawn again, {self.drawn:,} draws in all"
        return f"{share} of the rows were kept as first drawn; {again}: they broke {said}"


def admitted(
    model: GenerativeModel,
    n: int,
    condition: Condition,
    seed: int,
    encoding: Encoding,
    options: Mapping[str, Any],
    on_step: Callable[[int, int], None] | None = None,
) -> tuple[Tensor, Acceptance]:
    """Return n samples of a model as they may be shown, and how many draws they took.

    Args:
        encoding: says what samples have to keep; most kinds of data ask for nothing.
        options: those that the family declares.

    Raises:
        BadInput: conditions that break a rule by themselves, or rows of which no draw keeps the
            rules.
    """
    known = condition.known if isinstance(condition, Given) else None
    require_possible(encoding, known)
    raw = model.sample(n, given=condition, seed=seed, on_step=on_step, **options)

    def again(places: Tensor, turn: int) -> Tensor:
        part = condition[places] if isinstance(condition, Given | Tensor) else condition
        own = derive_seed(seed, "rules", turn) % 2**31
        return model.sample(len(places), given=part, seed=own, **options)

    x, wrong, found = until_kept(encoding, raw, known, again)
    left = wrong.nonzero().flatten()
    if len(left):
        raise _never(left, n, found)
    return x, replace(found, withheld=encoding.withheld(raw))


def until_kept(
    encoding: Encoding,
    raw: Tensor,
    known: Known | None,
    again: Callable[[Tensor, int], Tensor],
    hopeless: Tensor | None = None,
) -> tuple[Tensor, Tensor, Acceptance]:
    """Return rows as they may be shown, which of them still may not, and how many draws it took.

    Args:
        raw: rows as they were first drawn.
        known: what they were conditioned on.
        again: draws rows anew, from their places and the number of the round.
        hopeless: rows that no draw mends, which are not drawn again.
    """
    n = len(raw)
    x, reasons = encoding.admitted(raw, known)
    wrong = any_of(reasons, n)
    found = Acceptance(n, n - int(wrong.sum()), n, _counted(reasons))
    vain = 0
    for turn, each in enumerate(ROUNDS):
        waiting = (wrong if hopeless is None else wrong & ~hopeless).nonzero().flatten()
        if not len(waiting) or vain >= HOPELESS:
            break
        places = waiting.repeat_interleave(each)
        # beside what is kept, since some rules are about what no two rows may share
        beside = (~wrong).nonzero().flatten()
        at = torch.cat([beside, places])
        some = None if known is None else known.each(lambda tensor, at=at: tensor[at])
        shown, told = encoding.admitted(torch.cat([x[beside], again(places, turn)]), some)
        shown = shown[len(beside) :]
        reasons = {why: rows[len(beside) :] for why, rows in told.items()}
        found.drawn += len(places)
        found.last = {why: float(rows.double().mean()) for why, rows in reasons.items()}
        kept = ~any_of(reasons, len(places)).reshape(len(waiting), each)
        right = kept.any(dim=1)
        first = kept.to(torch.uint8).argmax(dim=1) + each * torch.arange(len(waiting))
        vain = 0 if bool(right.any()) else vain + len(places)
        x[waiting[right]] = shown[first[right]]
        wrong[waiting[right]] = False
    return x, wrong, found


def require_possible(encoding: Encoding, known: Known | None) -> None:
    """Refuse conditions that no row fulfils.

    Raises:
        BadInput: names the first of them, and the rules that they break.
    """
    impossible = encoding.impossible(known)
    if impossible and known is not None:
        why = {
            rule: [i for i, said in impossible.items() if said == rule]
            for rule in set(impossible.values())
        }
        said = few([f"'{rule}' (row {rows[0]})" for rule, rows in sorted(why.items())], NAMED)
        raise BadInput(
            f"{len(impossible):,} of {len(known.values):,} conditions that break {said}",
            "conditions that a row of the data can fulfil",
            "rows count from 0",
        )


def any_of(reasons: Mapping[str, Tensor], n: int) -> Tensor:
    """Return which of n rows are told by any reason."""
    wrong = torch.zeros(n, dtype=torch.bool)
    for rows in reasons.values():
        wrong |= rows
    return wrong


def _counted(reasons: Mapping[str, Tensor]) -> dict[str, int]:
    return {why: int(rows.sum()) for why, rows in reasons.items()}


def _never(left: Tensor, n: int, found: Acceptance) -> BadInput:
    often = sorted(((share, why) for why, share in found.last.items()), reverse=True)
    broken = few(
        [f"'{why}' ({share:.0%} of the last draws broke it)" for share, why in often], NAMED
    )
    which = f"{len(left):,} of {n:,} rows (the first is row {int(left[0])})"
    return BadInput(
        f"{which} of which no draw keeps the rules, {found.drawn:,} draws in all",
        f"rows that keep {broken}",
        "the model hardly ever makes such rows: train longer, ask for less, "
        "or train with -s data.discover=no",
    )
