"""Formulas that compare samples with data, and the density of a flow over time."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from pushforward.course.composing import FormulaForm
from pushforward.course.forms.pieces import HALF_LOG_TAU, constants, same, sign, weights, whole


def _frechet(a: Tensor, v: Tensor, b: Tensor, w: Tensor, /, **p: Any) -> Tensor:
    v, w = p["read"](v), p["read"](w)
    spreads = p["of_spreads"] * (v + w - p["cross"] * p["product"](v, w))
    return p["root"](p["over"](p["of_means"] * p["means"](a, b) + spreads))


FRECHET = FormulaForm(
    _frechet,
    {
        "read": same,
        "means": lambda a, b: (a - b) ** 2,
        "cross": 2.0,
        "product": lambda v, w: (v * w).sqrt(),
        "over": torch.sum,
        "root": same,
        "of_means": 1.0,
        "of_spreads": 1.0,
    },
    (
        *weights("cross", "the cross term of the standard deviations", 2.0),
        *weights("of_means", "the distance of the means"),
        *weights("of_spreads", "the distance of the standard deviations"),
        ("read", "variances are read as standard deviations and squared", torch.square),
        ("read", "standard deviations stand where variances belong", torch.sqrt),
        ("product", "the cross term has no square root", lambda v, w: v * w),
        (
            "product",
            "the cross term is a root of the sum and not of the product",
            lambda v, w: (v + w).sqrt(),
        ),
        ("product", "the cross term is the mean of the variances", lambda v, w: (v + w) / 2),
        ("means", "the difference of the means is not squared", lambda a, b: a - b),
        (
            "means",
            "the difference of the means is taken by its absolute value and not squared",
            lambda a, b: (a - b).abs(),
        ),
        ("means", "the means are added, not subtracted", lambda a, b: (a + b) ** 2),
        ("means", "this is the difference of squares of the means", lambda a, b: a**2 - b**2),
        ("over", "you averaged over features; a squared distance is their sum", torch.mean),
        ("over", "one value for each feature came back; sum over features", same),
        ("over", "the largest feature came back; sum over features", torch.max),
        ("root", "the square root is taken: the squared distance is asked for", torch.sqrt),
        ("root", "it is squared once more", torch.square),
        ("root", "it is halved", lambda d: d / 2),
    ),
)


def _mmd(x: Tensor, y: Tensor, /, **p: Any) -> Tensor:
    of_x, of_y, between = (
        (p["offset"] + p["product"](a, b) / p["by"](a, x)) ** p["power"]
        for a, b in ((x, x), (y, y), (x, y))
    )
    inside = p["of_x"] * p["pairs"](of_x) + p["of_y"] * p["pairs"](of_y)
    return p["after"](inside - p["between"] * p["cross"](between))


def _apart(k: Tensor) -> Tensor:
    return (k.sum() - k.diagonal().sum()) / (len(k) * (len(k) - 1))


KID = FormulaForm(
    _mmd,
    {
        "offset": 1.0,
        "product": lambda a, b: a @ b.T,
        "by": lambda a, x: a.shape[1],
        "power": 3,
        "pairs": _apart,
        "cross": torch.mean,
        "of_x": 1.0,
        "of_y": 1.0,
        "between": 2.0,
        "after": same,
    },
    (
        *weights("between", "the term between x and y", 2.0),
        *weights("of_x", "the term within x"),
        *weights("of_y", "the term within y"),
        ("pairs", "rows are paired with themselves: leave the diagonal out", torch.mean),
        (
            "pairs",
            "the diagonal is left out, and it is divided by n^2",
            lambda k: (k.sum() - k.diagonal().sum()) / len(k) ** 2,
        ),
        (
            "pairs",
            "the diagonal is in, and it is divided by n (n - 1)",
            lambda k: k.sum() / (len(k) * (len(k) - 1)),
        ),
        (
            "pairs",
            "it is not divided by the number of pairs",
            lambda k: k.sum() - k.diagonal().sum(),
        ),
        (
            "pairs",
            "each pair counts once, and it is divided by n (n - 1)",
            lambda k: k.triu(1).sum() / (len(k) * (len(k) - 1)),
        ),
        (
            "pairs",
            "it is divided by n and not by n (n - 1)",
            lambda k: (k.sum() - k.diagonal().sum()) / len(k),
        ),
        ("cross", "the term between x and y is not divided by n m", torch.sum),
        (
            "cross",
            "the term between x and y is averaged over pairs of equal number",
            lambda k: k.diagonal().mean(),
        ),
        ("by", "the product is not divided by d", lambda a, x: 1.0),
        (
            "by",
            "the product is divided by sqrt(d) and not by d",
            lambda a, x: math.sqrt(a.shape[1]),
        ),
        ("by", "the product is divided by a number of rows and not by d", lambda a, x: len(a)),
        ("by", "the product is divided by the rows of x and not by d", lambda a, x: len(x)),
        ("by", "the product is multiplied by d, not divided", lambda a, x: 1 / a.shape[1]),
        ("offset", "the 1 inside of the kernel is missing", 0.0),
        ("offset", "the sign of the 1 inside of the kernel is wrong", -1.0),
        ("power", "the kernel is squared and not cubed", 2),
        ("power", "the kernel is not cubed", 1),
        ("power", "the kernel has the fourth power", 4),
        ("product", "distances stand where products belong", lambda a, b: torch.cdist(a, b)),
        ("after", "the square root is taken", lambda v: v.clamp(min=0).sqrt()),
        ("after", "negative values are cut to zero", lambda v: v.clamp(min=0)),
        ("after", "the sign of everything is wrong", torch.neg),
        ("after", "it is taken by its absolute value", torch.abs),
        ("after", "it is halved", lambda v: v / 2),
    ),
)


def _covered(real: Tensor, generated: Tensor, k: int, /, **p: Any) -> Tensor:
    first, second = p["sides"](real, generated)
    radius = p["radius"](p["distance"](first, first).sort(1).values, k)
    inside = p["compare"](p["distance"](first, second), p["stretch"](radius)[:, None])
    return p["share"](p["hit"](inside))


COVERAGE = FormulaForm(
    _covered,
    {
        "sides": lambda r, s: (r, s),
        "distance": torch.cdist,
        "radius": lambda d, k: d[:, k],
        "stretch": same,
        "compare": torch.le,
        "hit": lambda i: i.any(1),
        "share": lambda h: h.double().mean(),
    },
    (
        ("compare", "a point exactly at the radius is left out; compare with <=", torch.lt),
        ("compare", "points outside of the ball are counted", torch.gt),
        (
            "radius",
            "a real point is counted as its own first neighbour: one neighbour short",
            lambda d, k: d[:, k - 1],
        ),
        (
            "radius",
            "the radius is one neighbour too far",
            lambda d, k: d[:, min(k + 1, d.shape[1] - 1)],
        ),
        (
            "radius",
            "the radius is always that of the first neighbour; k is not used",
            lambda d, k: d[:, 1],
        ),
        ("radius", "the radius is that of the farthest real point", lambda d, k: d[:, -1]),
        ("radius", "the radius is the k-th largest distance", lambda d, k: d[:, -k]),
        (
            "radius",
            "the radius is the mean distance to k neighbours",
            lambda d, k: d[:, 1 : k + 1].mean(1),
        ),
        (
            "radius",
            "the radius is the mean distance to k neighbours, itself among them",
            lambda d, k: d[:, :k].mean(1),
        ),
        (
            "radius",
            "all balls have one radius, the mean",
            lambda d, k: d[:, k].mean().expand(len(d)),
        ),
        (
            "radius",
            "all balls have one radius, the median",
            lambda d, k: d[:, k].median().expand(len(d)),
        ),
        (
            "radius",
            "all balls have one radius, the largest",
            lambda d, k: d[:, k].amax().expand(len(d)),
        ),
        ("stretch", "the radius is halved", lambda r: r / 2),
        ("stretch", "the radius is doubled", lambda r: 2 * r),
        ("stretch", "the radius is squared", torch.square),
        ("stretch", "the root of the radius is taken", torch.sqrt),
        (
            "distance",
            "distances are sums of absolute differences",
            lambda a, b: torch.cdist(a, b, p=1),
        ),
        (
            "distance",
            "distances are largest differences",
            lambda a, b: torch.cdist(a, b, p=math.inf),
        ),
        ("hit", "a ball must hold one generated point, not all of them", lambda i: i.all(1)),
        (
            "hit",
            "this is over generated points: those that lie in some ball (precision)",
            lambda i: i.any(0),
        ),
        ("hit", "all pairs are averaged: a ball counts once", same),
        ("hit", "this is over generated points: those that lie in every ball", lambda i: i.all(0)),
        (
            "hit",
            "the points in a ball are counted: a ball counts once",
            lambda i: i.double().sum(1),
        ),
        ("sides", "real and generated points have changed places", lambda r, s: (s, r)),
        ("share", "this is the share that is not covered", lambda h: 1 - h.double().mean()),
        (
            "share",
            "this is a number of points; divide by how many there are",
            lambda h: h.double().sum(),
        ),
        ("share", "one answer for each point came back; return their share", same),
        ("share", "this is whether any is covered", lambda h: h.any().double()),
        ("share", "this is in per cent", lambda h: 100 * h.double().mean()),
    ),
)


def _flow(x: Tensor, velocity: Any, divergence: Any, times: Tensor, /, **p: Any) -> Tensor:
    data, change = x, torch.zeros(len(x), dtype=x.dtype)
    times = p["times"](times)
    for start, step, even in zip(
        times[:-1], times.diff(), ((times[-1] - times[0]) / (len(times) - 1)).expand(len(times))
    ):
        step = p["step"](step, even)
        moved = x + p["move"] * step * velocity(x, p["when"](start, step))
        change = change + p["volume"](step) * divergence(
            p["where"](data, x, moved), p["when_volume"](start, step)
        )
        x = moved
    at = p["at"](data, x)
    base = p["over"](-p["half"] * at**2 - p["tau"](x.shape[1]) * HALF_LOG_TAU)
    return p["sign"] * (p["base"] * base + p["change"] * p["spread"](change))


ODE = FormulaForm(
    _flow,
    {
        "times": same,
        "step": lambda h, even: h,
        "move": 1.0,
        "volume": same,
        "when": lambda t, h: t,
        "when_volume": lambda t, h: t,
        "where": lambda data, x, moved: x,
        "at": lambda data, x: x,
        "half": 0.5,
        "tau": lambda d: 1.0,
        "over": whole,
        "base": 1.0,
        "change": 1.0,
        "spread": same,
        "sign": 1.0,
    },
    (
        *weights("change", "the divergence"),
        *weights("base", "the density of the noise"),
        *weights("move", "the velocity"),
        *constants(),
        ("half", "the factor 1/2 of the square is missing", 1.0),
        ("half", "the sign of the square is wrong", -0.5),
        ("half", "the factor 1/2 of the square is taken twice", 0.25),
        (
            "at",
            "the normal density is taken at the data and not at the end of the flow",
            lambda data, x: data,
        ),
        ("where", "the divergence is taken after the step", lambda data, x, moved: moved),
        ("where", "the divergence is taken at the data in every step", lambda data, x, moved: data),
        ("where", "the divergence is taken at zero", lambda data, x, moved: torch.zeros_like(x)),
        (
            "where",
            "the divergence is taken in the middle of the step",
            lambda data, x, moved: (x + moved) / 2,
        ),
        ("when", "the velocity is taken at the end of the step", lambda t, h: t + h),
        ("when", "the velocity is taken in the middle of the step", lambda t, h: t + h / 2),
        ("when", "the velocity is taken at time zero", lambda t, h: 0 * t),
        (
            "when_volume",
            "the divergence is taken at the time of the step's end",
            lambda t, h: t + h,
        ),
        (
            "when_volume",
            "the divergence is taken at the time of the step's middle",
            lambda t, h: t + h / 2,
        ),
        ("when_volume", "the divergence is taken at time zero", lambda t, h: 0 * t),
        ("volume", "the divergences are added without the lengths of their steps", torch.ones_like),
        ("volume", "the divergence is weighted with the square of the step", torch.square),
        ("step", "the steps are of equal length", lambda h, even: even),
        ("step", "every step has the length one", lambda h, even: torch.ones_like(h)),
        ("times", "the first step is left out", lambda t: t[1:]),
        ("times", "the last step is left out", lambda t: t[:-1]),
        ("times", "the times are run through from last to first", lambda t: t.flip(0)),
        ("times", "the times begin with zero", lambda t: t - t[0]),
        ("over", "the log-density is averaged over dimensions", lambda v: v.mean(1)),
        ("over", "the log-density is summed over everything", torch.sum),
        ("spread", "the divergence is averaged over the batch", lambda c: c.mean().expand_as(c)),
        ("spread", "the divergence is summed over the batch", lambda c: c.sum().expand_as(c)),
        ("spread", "every row gets the divergence of the first one", lambda c: c[:1].expand_as(c)),
        *sign("this is minus the log-density, a loss"),
    ),
)
