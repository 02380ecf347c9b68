"""The exercise of section 9: what is drawn from a model of text."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from pushforward.course.drawing import normal, sizes
from pushforward.course.exercise import Answer, Exercise, Law, Slip
from pushforward.course.forms import choices
from pushforward.course.laws import equal, number
from pushforward.course.pictures import curve


def nucleus(logits: Tensor, p: Tensor) -> Tensor:
    """Return the probabilities by a loop that takes the most probable token that is left until p is
    reached."""
    rows = []
    for row in logits.softmax(1):
        known, kept, total = row.tolist(), list[int](), 0.0
        while total < float(p.detach()) and len(kept) < len(row):
            kept.append(max(set(range(len(row))) - set(kept), key=known.__getitem__))
            total += known[kept[-1]]
        mask = torch.zeros_like(row).index_fill(0, torch.tensor(kept), 1.0)
        rows.append(row * mask / (row * mask).sum())
    return torch.stack(rows)


SHARES = (0.6, 0.8, 0.9, 0.1, 0.45, 0.7)


# probabilities 1/2, 1/4, 1/4 are exact in every arithmetic: the first token alone reaches p = 1/2
REACHED = math.log(2) * torch.tensor([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]], dtype=torch.float64)


def _case(g: torch.Generator, i: int) -> tuple[Tensor, Tensor]:
    if i == len(SHARES):
        return REACHED.clone(), torch.tensor(0.5, dtype=torch.float64)
    n, d = sizes(i)
    return 1.5 * normal(g, n, d + 3), torch.tensor(SHARES[i % 6], dtype=torch.float64)


def _ranked(q: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return probabilities from large to small, their order, and the mass before each."""
    ranked, order = q.sort(dim=1, descending=True)
    return ranked, order, ranked.cumsum(1) - ranked


def _kept(q: Tensor, chosen: Tensor, order: Tensor) -> Tensor:
    return torch.zeros_like(q, dtype=torch.bool).scatter(1, order, chosen)


def _scaled(left: Tensor) -> Tensor:
    return left / left.sum(1, keepdim=True)


def _mask(logits: Tensor, p: Tensor, below: Answer = torch.lt) -> Tensor:
    _, order, before = _ranked(logits.softmax(1))
    return _kept(logits, below(before, p), order)


def _without_crossing(
    logits: Tensor, p: Tensor, at_least_one: bool, below: Answer = torch.le
) -> Tensor:
    q = logits.softmax(1)
    ranked, order, _ = _ranked(q)
    chosen = below(ranked.cumsum(1), p)
    if at_least_one:
        chosen = chosen | (torch.arange(q.shape[1]) == 0)
    return _scaled(q * _kept(q, chosen, order))


def _one_too_many(logits: Tensor, p: Tensor) -> Tensor:
    q = logits.softmax(1)
    _, order, before = _ranked(q)
    earlier = torch.cat([torch.zeros_like(before[:, :1]), before[:, :-1]], 1)
    return _scaled(q * _kept(q, earlier < p, order))


def _least(logits: Tensor, p: Tensor) -> Tensor:
    q = logits.softmax(1)
    ranked, order = q.sort(dim=1)
    return _scaled(q * _kept(q, ranked.cumsum(1) - ranked < p, order))


def _in_order_of_place(logits: Tensor, p: Tensor) -> Tensor:
    q = logits.softmax(1)
    return _scaled(q * (q.cumsum(1) - q < p))


def _still_sorted(logits: Tensor, p: Tensor) -> Tensor:
    ranked, _, before = _ranked(logits.softmax(1))
    return _scaled(ranked * (before < p))


def _gathered(logits: Tensor, p: Tensor) -> Tensor:
    q = logits.softmax(1)
    _, order, before = _ranked(q)
    return _scaled(q * (before < p).gather(1, order))


def _fixed_number(logits: Tensor, p: Tensor) -> Tensor:
    q = logits.softmax(1)
    _, order, _ = _ranked(q)
    chosen = (torch.arange(q.shape[1]) < math.ceil(float(p) * q.shape[1])).expand_as(q)
    return _scaled(q * _kept(q, chosen, order))


def _other_axis(logits: Tensor, p: Tensor) -> Tensor:
    q = logits.softmax(0)
    _, order, before = _ranked(q)
    return _scaled(q * _kept(q, before < p, order))


def _down_the_batch(logits: Tensor, p: Tensor) -> Tensor:
    q = logits.softmax(1)
    ranked, order, _ = _ranked(q)
    return _scaled(q * _kept(q, ranked.cumsum(0) - ranked < p, order))


def _of_logits(logits: Tensor, p: Tensor) -> Tensor:
    q = logits.softmax(1)
    _, order, before = _ranked(logits)
    return _scaled(q * _kept(q, before < p, order))


def _one_set(logits: Tensor, p: Tensor) -> Tensor:
    q = logits.softmax(1)
    mean = q.mean(0, keepdim=True)
    _, order, before = _ranked(mean)
    return _scaled(q * _kept(mean, before < p, order))


def _picture(answer: Answer) -> str:
    ranks, shares = (
        torch.arange(12, dtype=torch.float64),
        torch.linspace(0.02, 0.98, 49, dtype=torch.float64),
    )
    rows = {
        name: [float((number(answer(-slope * ranks[None], p)) > 0).sum()) for p in shares]
        for name, slope in (("confident", 1.5), ("unsure", 0.4), ("clueless", 0.05))
    }
    return curve(
        shares,
        rows,
        "p",
        "tokens that are kept of twelve: few where the model is confident, many where it is not",
    )


NUCLEUS = Exercise(
    name="applications.nucleus",
    title="Nucleus sampling",
    section=9,
    task="The probabilities (n, k) that are left of softmax(logits) when each row keeps the smallest set of most probable tokens "
    "whose total reaches p (the token that crosses p is kept), renormalised, zeros elsewhere; logits are (n, k), p is one number "
    "in (0, 1].",
    oracle=nucleus,
    returns=("probabilities",),
    draw=_case,
    cases=len(SHARES) + 1,
    form=choices.NUCLEUS,
    slips=(
        Slip("this is the softmax of everything: no token is left out", lambda z, p: z.softmax(1)),
        Slip(
            "the token that crosses p is left out, and where the first one alone exceeds p nothing is left to divide by",
            lambda z, p: _without_crossing(z, p, False),
        ),
        Slip(
            "the token that reaches p is left out, and where the first one alone does nothing is left to divide by",
            lambda z, p: _without_crossing(z, p, False, torch.lt),
        ),
        Slip(
            "the token that crosses p is left out, so that p is not reached",
            lambda z, p: _without_crossing(z, p, True),
        ),
        Slip("one token too many is kept: p is reached without it", _one_too_many),
        Slip(
            "where a total is exactly p one more token is kept: p is reached already, so compare with <",
            lambda z, p: _scaled(z.softmax(1) * _mask(z, p, torch.le)),
        ),
        Slip(
            "what is kept is not renormalised: rows do not sum to one",
            lambda z, p: z.softmax(1) * _mask(z, p),
        ),
        Slip(
            "what is kept is divided by the sum of the whole batch; every row sums to one",
            lambda z, p: z.softmax(1) * _mask(z, p) / (z.softmax(1) * _mask(z, p)).sum(),
        ),
        Slip(
            "a softmax of probabilities flattens them: what is kept is renormalised by division",
            lambda z, p: z.softmax(1).masked_fill(~_mask(z, p), -math.inf).softmax(1),
        ),
        Slip(
            "a logit of zero is not a probability of zero: tokens that are left out get minus infinity",
            lambda z, p: (z * _mask(z, p)).softmax(1),
        ),
        Slip("the least probable tokens are kept: the order is the wrong way round", _least),
        Slip(
            "tokens are taken in the order of their places; sort them by probability first",
            _in_order_of_place,
        ),
        Slip(
            "the probabilities are right and in sorted order; every token belongs back to its place",
            _still_sorted,
        ),
        Slip(
            "the choice is gathered by the order, which sorts it once more; it must be scattered back",
            _gathered,
        ),
        Slip(
            "a fixed number of tokens is kept: p is a share of probability, not of tokens",
            _fixed_number,
        ),
        Slip(
            "this is min-p: each probability is compared with p times the largest; p is a total",
            lambda z, p: _scaled(
                z.softmax(1) * (z.softmax(1) >= p * z.softmax(1).amax(1, keepdim=True))
            ),
        ),
        Slip(
            "each probability is compared with p on its own; p is a total",
            lambda z, p: _scaled(z.softmax(1) * (z.softmax(1) >= p)),
        ),
        Slip(
            "the share 1 - p is kept, and p is cut away",
            lambda z, p: _scaled(z.softmax(1) * _mask(z, 1 - p)),
        ),
        Slip(
            "the softmax runs over rows of the batch and not over tokens: the wrong axis",
            _other_axis,
        ),
        Slip(
            "the running total goes down the batch and not along the tokens: the wrong axis",
            _down_the_batch,
        ),
        Slip("logits are added up where probabilities belong", _of_logits),
        Slip("one set of tokens is kept for the whole batch; each row has its own", _one_set),
        Slip(
            "these are logarithms; return probabilities",
            lambda z, p: z.masked_fill(~_mask(z, p), -math.inf).log_softmax(1),
        ),
    ),
    laws=(
        Law("every row sums to one", lambda f: equal(number(f(_Z, _P)).sum(1), torch.ones(2))),
        Law(
            "p = 1 keeps every token",
            lambda f: equal(f(_Z, torch.tensor(1.0).double()), _Z.softmax(1)),
        ),
        Law(
            "a tiny p keeps the most probable token alone",
            lambda f: equal(
                f(_Z, torch.tensor(1e-6).double()), (_Z.amax(1, keepdim=True) == _Z).double()
            ),
        ),
        Law(
            "adding a constant to the logits changes nothing",
            lambda f: equal(f(_Z, _P), f(_Z + 3, _P)),
        ),
    ),
    hints=(
        "Sort, add up, cut, and undo the sorting. The cut is one token later than the first idea has it.",
        "A token is kept if the total of those before it, itself not counted, is still below p: the first always is. `scatter` "
        "puts the sorted choice back to its places.",
        "q = logits.softmax(1); ranked, order = q.sort(dim=1, descending=True); keep = zeros of bool .scatter(1, order, "
        "ranked.cumsum(1) - ranked < p); q * keep divided by its sum along axis 1, keepdim=True.",
    ),
    picture=_picture,
    harder=True,
)
_Z = torch.tensor([[0.3, 2.0, -1.0, 1.1], [1.9, 0.2, 1.4, -0.6]]).double()
_P = torch.tensor(0.75).double()

EXERCISES = (NUCLEUS,)
