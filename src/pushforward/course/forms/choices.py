"""Formulas that choose: a class by a uniform number, a nucleus of tokens, and what attention looks
at."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from pushforward.course.composing import FormulaForm
from pushforward.course.forms.pieces import same


def _class(p: Tensor, u: Tensor, /, **w: Any) -> Tensor:
    borders = w["borders"](w["upto"](w["rows"](p)))
    return w["after"](w["count"](w["compare"](w["number"](u)[:, None], borders)), p)


CATEGORICAL = FormulaForm(
    _class,
    {
        "rows": same,
        "upto": lambda p: p.cumsum(1),
        "borders": lambda c: c[:, :-1],
        "number": same,
        "compare": torch.ge,
        "count": lambda b: b.sum(1),
        "after": lambda c, p: c,
    },
    (
        ("after", "one too large: classes are counted from zero", lambda c, p: c + 1),
        ("after", "one too small: this is the class before", lambda c, p: c - 1),
        ("after", "the classes are counted from the last", lambda c, p: p.shape[1] - 1 - c),
        (
            "after",
            "one-hot rows came back",
            lambda c, p: F.one_hot(c.clamp(0, p.shape[1] - 1), p.shape[1]),
        ),
        ("compare", "the borders to the right of u are counted", torch.lt),
        ("compare", "the comparison is the wrong way round", torch.le),
        ("upto", "u is compared with probabilities and not with their running sums", same),
        ("upto", "the running sums run over the batch: the wrong axis", lambda p: p.cumsum(0)),
        ("upto", "the running products are taken, not sums", lambda p: p.cumprod(1)),
        (
            "upto",
            "the running sums run from the last class to the first",
            lambda p: p.flip(1).cumsum(1).flip(1),
        ),
        ("borders", "the first border is left out", lambda c: c[:, 1:]),
        (
            "rows",
            "every row is drawn from the distribution of the first row",
            lambda p: p[:1].expand_as(p),
        ),
        ("rows", "the probabilities are softmaxed once more", lambda p: p.softmax(1)),
        (
            "rows",
            "the classes were sorted, so these are ranks",
            lambda p: p.sort(1, descending=True).values,
        ),
        ("rows", "the classes were sorted from rare to frequent", lambda p: p.sort(1).values),
        (
            "rows",
            "the probabilities are not used: every class is equally likely",
            lambda p: torch.full_like(p, 1 / p.shape[1]),
        ),
        ("rows", "the classes lie from the last to the first", lambda p: p.flip(1)),
        (
            "rows",
            "the mean probabilities of the batch are used",
            lambda p: p.mean(0, keepdim=True).expand_as(p),
        ),
        ("number", "1 - u stands where u belongs", lambda u: 1 - u),
        (
            "number",
            "one uniform number decides all rows: the first one",
            lambda u: u[:1].expand_as(u),
        ),
        ("number", "the uniform numbers are in the wrong order", lambda u: u.flip(0)),
        (
            "count",
            "this is the first class whose border is passed, not how many are",
            lambda b: b.long().argmax(1),
        ),
    ),
)


def _nucleus(logits: Tensor, p: Tensor, /, **w: Any) -> Tensor:
    q = w["softmax"](logits)
    ranked, order = q.sort(dim=1, descending=w["descending"])
    chosen = w["compare"](w["before"](ranked), w["share"](p))
    kept = w["back"](torch.zeros_like(q, dtype=torch.bool), order, chosen)
    return w["scale"](w["left"](q, ranked) * kept, kept, logits)


def _divided(left: Tensor, kept: Tensor, logits: Tensor) -> Tensor:
    return left / left.sum(1, keepdim=True)


NUCLEUS = FormulaForm(
    _nucleus,
    {
        "softmax": lambda z: z.softmax(1),
        "descending": True,
        "before": lambda r: r.cumsum(1) - r,
        "compare": torch.lt,
        "share": same,
        "back": lambda zeros, order, chosen: zeros.scatter(1, order, chosen),
        "left": lambda q, ranked: q,
        "scale": _divided,
    },
    (
        ("before", "the token that reaches p is left out", lambda r: r.cumsum(1)),
        ("before", "each probability is compared with p on its own; p is a total", same),
        ("before", "one token too many is kept", lambda r: F.pad(r.cumsum(1) - r, (1, -1))),
        (
            "before",
            "the running total goes down the batch: the wrong axis",
            lambda r: r.cumsum(0) - r,
        ),
        (
            "before",
            "logarithms are added up, not probabilities",
            lambda r: r.log().cumsum(1) - r.log(),
        ),
        ("compare", "where a total is exactly p one more token is kept: compare with <", torch.le),
        ("compare", "what is beyond p is kept: the comparison is the wrong way round", torch.ge),
        (
            "compare",
            "what is beyond p is kept, strictly: the comparison is the wrong way round",
            torch.gt,
        ),
        ("share", "the share 1 - p is kept", lambda p: 1 - p),
        ("share", "p is squared", torch.square),
        ("share", "p is halved", lambda p: p / 2),
        (
            "descending",
            "the least probable tokens are kept: the order is the wrong way round",
            False,
        ),
        (
            "softmax",
            "the softmax runs over rows of the batch: the wrong axis",
            lambda z: z.softmax(0),
        ),
        ("softmax", "the softmax is taken twice", lambda z: z.softmax(1).softmax(1)),
        ("softmax", "the logits are not turned into probabilities", same),
        ("softmax", "each logit has a sigmoid, and no softmax", torch.sigmoid),
        ("softmax", "logarithms of probabilities are sorted and added", lambda z: z.log_softmax(1)),
        ("softmax", "the sign of the logits is wrong", lambda z: (-z).softmax(1)),
        (
            "back",
            "the choice is not put back to the places of the tokens",
            lambda zeros, order, chosen: chosen,
        ),
        (
            "back",
            "the choice is gathered by the order, which sorts once more",
            lambda z, order, chosen: chosen.gather(1, order),
        ),
        ("left", "probabilities are left in sorted order", lambda q, ranked: ranked),
        ("scale", "what is kept is not renormalised", lambda left, kept, z: left),
        (
            "scale",
            "what is kept is divided by the sum of the whole batch",
            lambda left, kept, z: left / left.sum(),
        ),
        (
            "scale",
            "what is kept is divided by its largest",
            lambda left, kept, z: left / left.amax(1, keepdim=True),
        ),
        (
            "scale",
            "what is kept is divided by how many are kept",
            lambda left, kept, z: left / kept.sum(1, keepdim=True),
        ),
        (
            "scale",
            "what is kept is divided by column sums: the wrong axis",
            lambda left, kept, z: left / left.sum(0),
        ),
        (
            "scale",
            "the softmax of what is kept runs over all tokens, zeros among them",
            lambda left, kept, z: left.softmax(1),
        ),
        ("scale", "these are logarithms", lambda left, kept, z: _divided(left, kept, z).log()),
        ("scale", "what is kept is marked with 1", lambda left, kept, z: kept.double()),
        (
            "scale",
            "all that is kept is equally likely",
            lambda left, kept, z: kept.double() / kept.sum(1, keepdim=True),
        ),
        ("scale", "logits came back", lambda left, kept, z: z.masked_fill(~kept, -math.inf)),
    ),
)


def _attend(
    q: Tensor, k: Tensor, v: Tensor, a: Tensor, b: Tensor, /, **w: Any
) -> tuple[Tensor, Tensor, Tensor]:
    a, b = w["new"](q, a, b)
    keys, values = w["grow"](k, a), w["grow"](v, b)
    seen_keys, seen_values = w["seen"](keys, values, k, v)
    scores = w["scale"](
        torch.einsum("nd,ntd->nt", q, w["scored"](seen_keys, seen_values)), q, seen_keys
    )
    output = torch.einsum("nt,ntd->nd", w["weigh"](scores), w["mixed"](seen_keys, seen_values))
    return w["order"](output, *w["cache"](keys, values, k, v))


CACHE = FormulaForm(
    _attend,
    {
        "new": lambda q, a, b: (a, b),
        "grow": lambda cache, new: torch.cat([cache, new[:, None]], 1),
        "seen": lambda keys, values, k, v: (keys, values),
        "scored": lambda keys, values: keys,
        "scale": lambda s, q, keys: s / math.sqrt(q.shape[1]),
        "weigh": lambda s: s.softmax(1),
        "mixed": lambda keys, values: values,
        "cache": lambda keys, values, k, v: (keys, values),
        "order": lambda output, keys, values: (output, keys, values),
    },
    (
        ("scale", "the scores are not divided by sqrt(d)", lambda s, q, keys: s),
        ("scale", "the scores are divided by d", lambda s, q, keys: s / q.shape[1]),
        (
            "scale",
            "the scores are multiplied by sqrt(d)",
            lambda s, q, keys: s * math.sqrt(q.shape[1]),
        ),
        (
            "scale",
            "the scores are divided by the root of the number of positions",
            lambda s, q, k: s / math.sqrt(k.shape[1]),
        ),
        (
            "scale",
            "the scores are divided by the root of the batch",
            lambda s, q, keys: s / math.sqrt(len(q)),
        ),
        ("scale", "the sign of the scores is wrong", lambda s, q, keys: -s / math.sqrt(q.shape[1])),
        ("scale", "the scores are divided by 2", lambda s, q, keys: s / 2),
        ("weigh", "the softmax runs over the batch: the wrong axis", lambda s: s.softmax(0)),
        ("weigh", "the softmax is missing", same),
        ("weigh", "each score has a sigmoid, and no softmax", torch.sigmoid),
        ("weigh", "the exponentials are not divided by their sum", torch.exp),
        ("weigh", "the softmax is taken twice", lambda s: s.softmax(1).softmax(1)),
        ("weigh", "these are logarithms of the weights", lambda s: s.log_softmax(1)),
        (
            "weigh",
            "scores are divided by their sum, without exponentials",
            lambda s: s / s.sum(1, keepdim=True),
        ),
        ("weigh", "every position weighs the same", lambda s: torch.full_like(s, 1 / s.shape[1])),
        (
            "weigh",
            "only the position of the largest score counts",
            lambda s: F.one_hot(s.argmax(1), s.shape[1]).to(s),
        ),
        ("seen", "the query does not see its own position", lambda keys, values, k, v: (k, v)),
        ("scored", "the scores are made with the values", lambda keys, values: values),
        ("mixed", "the mean is over keys, and belongs over values", lambda keys, values: keys),
        ("cache", "the cache did not grow", lambda keys, values, k, v: (k, v)),
        ("cache", "only the keys grew", lambda keys, values, k, v: (keys, v)),
        ("cache", "only the values grew", lambda keys, values, k, v: (k, values)),
        (
            "grow",
            "the new rows stand in front of the cache",
            lambda cache, new: torch.cat([new[:, None], cache], 1),
        ),
        ("new", "new_key and new_value are exchanged", lambda q, a, b: (b, a)),
        ("new", "the query was appended in place of new_key", lambda q, a, b: (q, b)),
        ("new", "new_key was appended to both", lambda q, a, b: (a, a)),
        ("new", "new_value was appended to both", lambda q, a, b: (b, b)),
        ("order", "keys and values are returned in the wrong order", lambda o, k, v: (o, v, k)),
        ("order", "the output belongs first", lambda o, k, v: (k, v, o)),
    ),
)
