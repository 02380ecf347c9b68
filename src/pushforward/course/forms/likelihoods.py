"""Formulas of likelihoods taken apart: the chain rule, importance weights, couplings, code
lengths."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from pushforward.course.composing import FormulaForm
from pushforward.course.forms.pieces import over, same, sign


def _likelihood(logits: Tensor, tokens: Tensor, /, **p: Any) -> Tensor:
    logits, tokens = p["shift"](logits, tokens)
    return p["factor"] * p["over"](p["pick"](p["normal"](logits), tokens))


def _picked(table: Tensor, tokens: Tensor) -> Tensor:
    return table.gather(2, tokens[:, :, None])[:, :, 0]


LIKELIHOOD = FormulaForm(
    _likelihood,
    {
        "shift": lambda x, t: (x, t),
        "normal": lambda x: x.log_softmax(2),
        "pick": _picked,
        "over": lambda v: v.sum(1),
        "factor": 1.0,
    },
    (
        ("factor", "this is the loss, minus the log-likelihood", -1.0),
        ("factor", "these are bits: the logarithm is to the base two", 1 / math.log(2)),
        ("factor", "these are minus bits, a code length", -1 / math.log(2)),
        *over(what="the log-probability of positions"),
        ("over", "only the last position is scored", lambda v: v[:, -1]),
        ("over", "only the first position is scored", lambda v: v[:, 0]),
        ("over", "the first token is left out", lambda v: v[:, 1:].sum(1)),
        ("over", "the last token is left out", lambda v: v[:, :-1].sum(1)),
        ("over", "they are multiplied, and belong added", lambda v: v.prod(1)),
        ("over", "probabilities are added up, not their logarithms", lambda v: v.exp().sum(1)),
        (
            "over",
            "the logarithm stands outside of the sum of probabilities",
            lambda v: v.exp().sum(1).log(),
        ),
        (
            "over",
            "the logarithm stands outside of the mean of probabilities",
            lambda v: v.exp().mean(1).log(),
        ),
        ("over", "this is the probability and not its logarithm", lambda v: v.sum(1).exp()),
        ("over", "this is the perplexity", lambda v: (-v.mean(1)).exp()),
        ("normal", "logits are not normalised over the k tokens", same),
        ("normal", "the logarithm is missing: these are probabilities", lambda x: x.softmax(2)),
        ("normal", "the softmax runs over positions: the wrong axis", lambda x: x.log_softmax(1)),
        ("normal", "the softmax runs over the batch: the wrong axis", lambda x: x.log_softmax(0)),
        (
            "normal",
            "normalised twice: a softmax of probabilities",
            lambda x: x.softmax(2).log_softmax(2),
        ),
        ("normal", "each logit is scored as a yes or no, by a sigmoid", F.logsigmoid),
        (
            "normal",
            "the largest logit is taken off and not the logarithm of the sum",
            lambda x: x - x.amax(2, keepdim=True),
        ),
        (
            "normal",
            "the mean logit is taken off and not the logarithm of the sum",
            lambda x: x - x.mean(2, keepdim=True),
        ),
        (
            "normal",
            "the sum of logits is taken off, not that of their exponentials",
            lambda x: x - x.sum(2, keepdim=True),
        ),
        ("normal", "the sign of the logits is wrong", lambda x: (-x).log_softmax(2)),
        (
            "pick",
            "the most probable token is scored, not the one that is there",
            lambda a, t: a.amax(2),
        ),
        ("pick", "all tokens are scored, not the one that is there", lambda a, t: a.sum(2)),
        (
            "pick",
            "the mean over all tokens is scored, not the one that is there",
            lambda a, t: a.mean(2),
        ),
        ("pick", "the first token of the vocabulary is scored everywhere", lambda a, t: a[:, :, 0]),
        (
            "shift",
            "shifted by one: logits[:, t] were compared with tokens[:, t + 1]",
            lambda x, t: (x[:, :-1], t[:, 1:]),
        ),
        (
            "shift",
            "shifted by one: logits[:, t + 1] were compared with tokens[:, t]",
            lambda x, t: (x[:, 1:], t[:, :-1]),
        ),
        ("shift", "tokens are read from last to first", lambda x, t: (x, t.flip(1))),
        ("shift", "tokens are rolled by one", lambda x, t: (x, t.roll(1, 1))),
        ("shift", "tokens are rolled by one to the left", lambda x, t: (x, t.roll(-1, 1))),
    ),
)


def _iwae(w: Tensor, /, **p: Any) -> Tensor:
    return p["sign"] * p["after"](p["mean"](w) - p["count"](w), w)


IWAE = FormulaForm(
    _iwae,
    {
        "mean": lambda w: w.logsumexp(0),
        "count": lambda w: math.log(len(w)),
        "after": lambda v, w: v,
        "sign": 1.0,
    },
    (
        ("count", "log K is missing: the sum is not divided by the number of draws", lambda w: 0.0),
        ("count", "log K is added; a mean divides", lambda w: -math.log(len(w))),
        ("count", "log K is taken off twice", lambda w: 2 * math.log(len(w))),
        ("count", "K is taken off and not its logarithm", lambda w: float(len(w))),
        ("count", "the logarithm of K is to the base two", lambda w: math.log2(len(w))),
        ("count", "log(K - 1) stands where log K belongs", lambda w: math.log(max(len(w) - 1, 1))),
        ("count", "log(K + 1) stands where log K belongs", lambda w: math.log(len(w) + 1)),
        (
            "count",
            "the logarithm of the number of examples is taken off, not of draws",
            lambda w: math.log(w.shape[1]),
        ),
        (
            "count",
            "the logarithm of the number of all entries is taken off",
            lambda w: math.log(w.numel()),
        ),
        ("mean", "log inside the mean: this is the plain ELBO", lambda w: w.mean(0)),
        ("mean", "only the largest weight counts", lambda w: w.amax(0)),
        ("mean", "only the smallest weight counts", lambda w: w.amin(0)),
        ("mean", "only the first draw counts", lambda w: w[0]),
        ("mean", "the log-weights are added up", lambda w: w.sum(0)),
        ("mean", "the sum runs over examples: the wrong axis", lambda w: w.logsumexp(1)),
        ("mean", "the mean runs over examples: the wrong axis", lambda w: w.mean(1)),
        ("mean", "the sum runs over everything", lambda w: w.flatten().logsumexp(0)),
        (
            "mean",
            "exp underflows: take the largest log-weight out first",
            lambda w: w.exp().sum(0).log(),
        ),
        ("mean", "the median of the log-weights counts", lambda w: w.median(0).values),
        (
            "mean",
            "the largest log-weight is taken out, and not added again",
            lambda w: w.logsumexp(0) - w.amax(0),
        ),
        ("mean", "the largest log-weight is added twice", lambda w: w.logsumexp(0) + w.amax(0)),
        ("after", "divided by K after the logarithm", lambda v, w: v / len(w)),
        ("after", "averaged over the batch", lambda v, w: v.mean()),
        ("after", "summed over the batch", lambda v, w: v.sum()),
        ("after", "this is in bits", lambda v, w: v / math.log(2)),
        *sign("this is minus the bound, a loss"),
    ),
)


def _coupling(
    x: Tensor, network: Callable[[Tensor], tuple[Tensor, Tensor]], /, **p: Any
) -> tuple[Tensor, Tensor]:
    half = x.shape[1] // 2
    kept, changed = x[:, :half], x[:, half:]
    shift, log_scale = p["read"](*network(kept))
    y = p["join"](kept, p["change"](changed, shift, log_scale))
    return y, p["sign"] * p["over"](p["det"](log_scale, shift))


COUPLING = FormulaForm(
    _coupling,
    {
        "read": lambda t, s: (t, s),
        "join": lambda k, c: torch.cat([k, c], 1),
        "change": lambda c, t, s: c * s.exp() + t,
        "det": lambda s, t: s,
        "over": lambda v: v.sum(1),
        "sign": 1.0,
    },
    (
        ("read", "shift and log_scale are taken in the wrong order", lambda t, s: (s, t)),
        (
            "read",
            "log_scale counts half: it is read as the logarithm of a square",
            lambda t, s: (t, s / 2),
        ),
        (
            "join",
            "the halves are put together in the wrong order",
            lambda k, c: torch.cat([c, k], 1),
        ),
        ("join", "only the changed half came back", lambda k, c: c),
        ("change", "the shift is subtracted; it is added", lambda c, t, s: c * s.exp() - t),
        ("change", "the shift is missing", lambda c, t, s: c * s.exp()),
        ("change", "the shift is scaled too: it is added last", lambda c, t, s: (c + t) * s.exp()),
        ("change", "the scale is missing: columns are only moved", lambda c, t, s: c + t),
        ("change", "columns are scaled by log_scale itself", lambda c, t, s: c * s + t),
        ("change", "columns are divided by the scale", lambda c, t, s: c * (-s).exp() + t),
        (
            "change",
            "this is the inverse: (changed - shift) / scale",
            lambda c, t, s: (c - t) * (-s).exp(),
        ),
        ("change", "the scale is squared", lambda c, t, s: c * (2 * s).exp() + t),
        ("change", "the root of the scale is taken", lambda c, t, s: c * (s / 2).exp() + t),
        (
            "change",
            "the scale is a sigmoid and not an exponential",
            lambda c, t, s: c * s.sigmoid() + t,
        ),
        (
            "change",
            "the scale is 1 + log_scale and not its exponential",
            lambda c, t, s: c * (1 + s) + t,
        ),
        (
            "change",
            "the scale is a softplus and not an exponential",
            lambda c, t, s: c * F.softplus(s) + t,
        ),
        ("change", "the scale is added and not multiplied", lambda c, t, s: c + s.exp() + t),
        ("det", "the log-determinant is zero", lambda s, t: 0 * s),
        ("det", "scales are added and not their logarithms", lambda s, t: s.exp()),
        ("det", "the shift is in the log-determinant", lambda s, t: s + t),
        ("det", "the shift stands where log_scale belongs, in the log-determinant", lambda s, t: t),
        ("det", "the logarithm of log_scale is taken", lambda s, t: s.abs().log()),
        ("det", "log_scale is taken by its absolute value", lambda s, t: s.abs()),
        ("det", "the log-determinant counts twice", lambda s, t: 2 * s),
        ("det", "the log-determinant counts half", lambda s, t: s / 2),
        *over(what="the log-determinant"),
        ("over", "this is the determinant and not its logarithm", lambda v: v.sum(1).exp()),
        ("over", "the log-determinants are multiplied, not added", lambda v: v.prod(1)),
        *sign("the sign of the log-determinant is wrong"),
    ),
)


def _code_length(nats: Tensor, dimensions: int, levels: int, /, **p: Any) -> Tensor:
    each = p["each"](nats, dimensions)
    return p["over"](p["sign"] * (each + p["volume"](levels, dimensions)) / p["base"])


BITS = FormulaForm(
    _code_length,
    {
        "each": lambda x, d: x / d,
        "volume": lambda k, d: -math.log(k),
        "base": math.log(2),
        "sign": -1.0,
        "over": same,
    },
    (
        (
            "volume",
            "log(levels) is missing: this is the density of the rescaled pixels",
            lambda k, d: 0.0,
        ),
        ("volume", "log(levels) has the wrong sign", lambda k, d: math.log(k)),
        ("volume", "log(levels) counts twice", lambda k, d: -2 * math.log(k)),
        ("volume", "log(levels) counts half", lambda k, d: -math.log(k) / 2),
        (
            "volume",
            "log(levels - 1) stands where log(levels) belongs",
            lambda k, d: -math.log(k - 1),
        ),
        (
            "volume",
            "log(levels + 1) stands where log(levels) belongs",
            lambda k, d: -math.log(k + 1),
        ),
        (
            "volume",
            "log(levels) is divided by dimensions: it counts once for every pixel",
            lambda k, d: -math.log(k) / d,
        ),
        (
            "volume",
            "log(levels) is multiplied by dimensions once too often",
            lambda k, d: -math.log(k) * d,
        ),
        ("volume", "levels are taken off and not their logarithm", lambda k, d: -float(k)),
        (
            "volume",
            "the logarithm of levels is to the base two, and the rest in nats",
            lambda k, d: -math.log2(k),
        ),
        ("volume", "the logarithm of levels is to the base ten", lambda k, d: -math.log10(k)),
        (
            "volume",
            "the logarithm of dimensions is taken, not of levels",
            lambda k, d: -math.log(d),
        ),
        ("volume", "eight bits are taken off whatever levels are", lambda k, d: -math.log(256)),
        (
            "each",
            "the log-density is that of the whole picture, not of one dimension",
            lambda x, d: x,
        ),
        ("each", "the log-density is multiplied by dimensions", lambda x, d: x * d),
        ("each", "the log-density is divided by the number of pictures", lambda x, d: x / len(x)),
        ("each", "the sign of the log-density is wrong", lambda x, d: -x / d),
        ("base", "this is in nats: a bit is log 2 nats", 1.0),
        ("base", "multiplied by log 2, which belongs under the fraction", 1 / math.log(2)),
        ("base", "the logarithm is to the base ten", math.log(10)),
        ("base", "divided by 2 and not by log 2", 2.0),
        ("base", "divided by log 2 twice", math.log(2) ** 2),
        ("sign", "the sign is wrong: a code length is minus the log-probability", 1.0),
        ("over", "averaged over the batch", torch.mean),
        ("over", "summed over the batch", torch.sum),
    ),
)
