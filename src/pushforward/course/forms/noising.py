"""Formulas that mix tensors with coefficients: noise, a step of DDIM, a Langevin step, guidance,
and the loss of a denoiser."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from pushforward.course.composing import FormulaForm
from pushforward.course.forms.pieces import Wrong, same, sign

SHARES: tuple[tuple[str, Any], ...] = (
    ("sqrt({0})", lambda a: a.sqrt()),
    ("sqrt(1 - {0})", lambda a: (1 - a).sqrt()),
    ("{0}, without a square root", lambda a: a),
    ("1 - {0}, without a square root", lambda a: 1 - a),
    ("1 - sqrt({0})", lambda a: 1 - a.sqrt()),
    ("sqrt(1 - {0}^2)", lambda a: (1 - a**2).sqrt()),
    ("the square of {0}", lambda a: a**2),
    ("the square of 1 - {0}", lambda a: (1 - a) ** 2),
    ("minus sqrt({0})", lambda a: -a.sqrt()),
    ("minus sqrt(1 - {0})", lambda a: -((1 - a).sqrt())),
    ("1 over sqrt({0})", lambda a: 1 / a.sqrt()),
    ("sqrt(1 + {0})", lambda a: (1 + a).sqrt()),
    ("sqrt(1/{0} - 1), the noise level,", lambda a: (1 / a - 1).sqrt()),
    ("exp({0})", lambda a: a.exp()),
    ("1", torch.ones_like),
    ("0", torch.zeros_like),
)


def _scales(piece: str, what: str, of: str, right: int) -> tuple[Wrong, ...]:
    return tuple(
        (piece, f"{what} is scaled by {says.format(of)}", f)
        for i, (says, f) in enumerate(SHARES)
        if i != right
    )


def _add(x: Tensor, noise: Tensor, alpha_bar: Tensor, /, **p: Any) -> Tensor:
    share = p["axis"](p["level"](alpha_bar))
    return p["sign"] * (p["data"](share) * x + p["fresh"](share) * noise)


NOISE = FormulaForm(
    _add,
    {
        "level": same,
        "axis": lambda a: a[:, None],
        "data": SHARES[0][1],
        "fresh": SHARES[1][1],
        "sign": 1.0,
    },
    (
        *_scales("data", "x", "alpha_bar", 0),
        *_scales("fresh", "the noise", "alpha_bar", 1),
        ("level", "1 - alpha_bar stands where alpha_bar belongs", lambda a: 1 - a),
        ("level", "every row got the noise level of the first one", lambda a: a[:1].expand_as(a)),
        ("level", "every row got the mean noise level", lambda a: a.mean().expand_as(a)),
        ("level", "alpha_bar is multiplied along the batch", lambda a: a.cumprod(0)),
        ("level", "the noise levels are in the wrong order", lambda a: a.flip(0)),
        ("axis", "alpha_bar meets columns, and has one number for each row", same),
        *sign(),
    ),
)


def _step(x: Tensor, noise: Tensor, now: Tensor, then: Tensor, /, **p: Any) -> Tensor:
    clean = (x - p["out"](now, then) * noise) / p["up"](now, then)
    return p["back"](now, then) * clean + p["again"](now, then) * noise


def _of_either(piece: str, what: str, right: tuple[int, int]) -> tuple[Wrong, ...]:
    """Return a piece scaled by functions of both levels; `right` is the place of the right one:
    which level, which function."""
    names = ("alpha_bar", "next_alpha_bar")
    return tuple(
        (piece, f"{what} {says.format(name)}", lambda *levels, f=f, which=which: f(levels[which]))
        for which, name in enumerate(names)
        for i, (says, f) in enumerate(SHARES)
        if (which, i) != right
    )


DDIM = FormulaForm(
    _step,
    {
        "out": lambda a, b: (1 - a).sqrt(),
        "up": lambda a, b: a.sqrt(),
        "back": lambda a, b: b.sqrt(),
        "again": lambda a, b: (1 - b).sqrt(),
    },
    (
        *_of_either("again", "the noise is put back with the factor", (1, 1)),
        *_of_either("back", "the clean guess is scaled to the next level by", (1, 0)),
        *_of_either("out", "the noise is taken out with the factor", (0, 1)),
        *_of_either("up", "what is left of x is divided by", (0, 0)),
    ),
)


def _jump(x: Tensor, score: Tensor, step: Tensor, noise: Tensor, /, **p: Any) -> Tensor:
    h = p["length"](step)
    return p["x"] * x + p["drift"](h) * score + p["fresh"](h) * noise


STEPS: tuple[tuple[str, Any], ...] = (
    ("step", lambda h: h),
    ("sqrt(2 step)", lambda h: (2 * h).sqrt()),
    ("sqrt(step)", lambda h: h.sqrt()),
    ("2 step", lambda h: 2 * h),
    ("step/2", lambda h: h / 2),
    ("2 sqrt(step)", lambda h: 2 * h.sqrt()),
    ("sqrt(2) step", lambda h: 2**0.5 * h),
    ("sqrt(step/2)", lambda h: (h / 2).sqrt()),
    ("step squared", lambda h: h**2),
    ("minus step", lambda h: -h),
    ("minus sqrt(2 step)", lambda h: -((2 * h).sqrt())),
    ("minus step/2", lambda h: -h / 2),
    ("1", torch.ones_like),
    ("-1", lambda h: -torch.ones_like(h)),
    ("0", torch.zeros_like),
    ("sqrt(2)", lambda h: 2**0.5 * torch.ones_like(h)),
    ("1/sqrt(2 step)", lambda h: 1 / (2 * h).sqrt()),
)
LANGEVIN = FormulaForm(
    _jump,
    {"x": 1.0, "drift": STEPS[0][1], "fresh": STEPS[1][1], "length": same},
    (
        *(
            ("drift", f"the drift is score times {says}; it goes with step", f)
            for says, f in STEPS
            if says != "step"
        ),
        *(
            ("fresh", f"the noise is scaled by {says}; its variance is 2 step", f)
            for says, f in STEPS
            if says != "sqrt(2 step)"
        ),
        ("x", "x is missing: this is the move", 0.0),
        ("x", "the sign of x is wrong", -1.0),
    ),
)


def _draw(mean: Tensor, log_scale: Tensor, noise: Tensor, /, **p: Any) -> Tensor:
    return p["order"](p["mean"](mean), p["scale"](log_scale), p["noise"](noise))


DRAW = FormulaForm(
    _draw,
    {"order": lambda m, s, e: m + s * e, "mean": same, "scale": torch.exp, "noise": same},
    (
        ("scale", "noise is multiplied by log sigma, not by sigma", same),
        ("scale", "sigma squared stands where sigma belongs", lambda s: (2 * s).exp()),
        (
            "scale",
            "log_scale is the logarithm of sigma, and you read it as that of sigma squared",
            lambda s: (s / 2).exp(),
        ),
        ("scale", "noise is divided by sigma, not multiplied", lambda s: (-s).exp()),
        ("scale", "noise is not scaled", torch.ones_like),
        (
            "scale",
            "the softplus of log_scale is taken, not its exponential",
            torch.nn.functional.softplus,
        ),
        ("scale", "the absolute value of log_scale is taken, not its exponential", torch.abs),
        ("scale", "the square root of the size of log_scale is taken", lambda s: s.abs().sqrt()),
        ("scale", "1 + sigma stands where sigma belongs", lambda s: 1 + s.exp()),
        ("scale", "exp(s) - 1 stands where exp(s) belongs", torch.expm1),
        ("scale", "the power has the base two", torch.exp2),
        ("mean", "the mean is not added", torch.zeros_like),
        ("mean", "the sign of the mean is wrong", torch.neg),
        ("mean", "the mean counts twice", lambda m: 2 * m),
        ("mean", "the exponential of the mean is taken", torch.exp),
        ("mean", "the mean is averaged over dimensions", lambda m: m.mean(1, keepdim=True)),
        ("noise", "the sign of the noise is wrong", torch.neg),
        ("noise", "the noise is squared", torch.square),
        ("noise", "the noise is missing, and sigma is added", torch.ones_like),
        ("noise", "no noise is in it: this is the mean", torch.zeros_like),
        ("noise", "every row has the same noise", lambda e: e[:1].expand_as(e)),
        ("noise", "the noise is averaged over dimensions", lambda e: e.mean(1, keepdim=True)),
        ("order", "the mean is scaled too: only the noise is", lambda m, s, e: (m + e) * s),
        ("order", "this standardises: it goes from data to noise", lambda m, s, e: (e - m) / s),
        ("order", "mean and noise are exchanged: the mean is scaled", lambda m, s, e: e + s * m),
        ("order", "mean and noise are multiplied", lambda m, s, e: m * s * e),
        ("order", "the three are added", lambda m, s, e: m + s + e),
    ),
)


def _lean(c: Tensor, u: Tensor, weight: Tensor, /, **p: Any) -> Tensor:
    return p["start"](c, u) + p["weight"](weight) * p["direction"](c, u)


GUIDANCE = FormulaForm(
    _lean,
    {"start": lambda c, u: u, "weight": same, "direction": lambda c, u: c - u},
    (
        (
            "start",
            "it starts from the conditional prediction; weight 0 is the unconditional one",
            lambda c, u: c,
        ),
        ("start", "the start is missing: only the direction came back", lambda c, u: 0 * u),
        ("start", "the sign of the start is wrong", lambda c, u: -u),
        ("start", "it starts from the sum of both", lambda c, u: c + u),
        ("start", "it starts from the mean of both", lambda c, u: (c + u) / 2),
        (
            "direction",
            "the sign of the direction is wrong: this leans away from the condition",
            lambda c, u: u - c,
        ),
        ("direction", "the conditional prediction is added, not the difference", lambda c, u: c),
        ("direction", "the unconditional prediction is added, not the difference", lambda c, u: u),
        (
            "direction",
            "the two are added in the direction, and belong subtracted",
            lambda c, u: c + u,
        ),
        ("weight", "the weight is one too small", lambda w: w - 1),
        ("weight", "the weight is one too large", lambda w: w + 1),
        ("weight", "1 - weight stands where weight belongs", lambda w: 1 - w),
        ("weight", "the weight is not used", torch.ones_like),
        ("weight", "the weight counts twice", lambda w: 2 * w),
        ("weight", "the weight counts half", lambda w: w / 2),
        ("weight", "the weight is squared", torch.square),
        ("weight", "the square root of the weight is taken", torch.sqrt),
        ("weight", "it is divided by the weight", lambda w: 1 / w),
        ("weight", "the weight is cut to between 0 and 1", lambda w: w.clamp(0, 1)),
    ),
)


def _error(predicted: Tensor, noise: Tensor, /, **p: Any) -> Tensor:
    return p["factor"] * p["root"](p["over"](p["power"](p["error"](predicted, noise))))


LOSS = FormulaForm(
    _error,
    {"error": torch.sub, "power": torch.square, "over": torch.mean, "factor": 1.0, "root": same},
    (
        ("factor", "no factor 1/2 is asked for", 0.5),
        ("factor", "no factor 2 is asked for", 2.0),
        ("factor", "the sign is wrong: a loss is to be made small", -1.0),
        ("over", "it is summed over all entries, and belongs averaged", torch.sum),
        ("over", "it is summed over dimensions and averaged over rows", lambda v: v.sum(1).mean()),
        ("over", "it is averaged over dimensions and summed over rows", lambda v: v.mean(1).sum()),
        (
            "over",
            "one value for each row came back: averaged over dimensions only",
            lambda v: v.mean(1),
        ),
        ("over", "one value for each row came back: summed over dimensions", lambda v: v.sum(1)),
        (
            "over",
            "one value for each dimension came back: averaged over rows only",
            lambda v: v.mean(0),
        ),
        ("over", "one value for each dimension came back: summed over rows", lambda v: v.sum(0)),
        ("over", "one value for each entry came back", same),
        ("over", "this is the median and not the mean", torch.median),
        ("over", "this is the largest error and not the mean", torch.max),
        ("power", "the error is not squared", same),
        ("power", "this is the absolute error; square it", torch.abs),
        ("power", "the error is cubed", lambda v: v**3),
        ("power", "the error has the fourth power", lambda v: v**4),
        (
            "power",
            "this is the Huber loss",
            lambda v: torch.nn.functional.smooth_l1_loss(v, 0 * v, reduction="none"),
        ),
        ("error", "the two are added where one is taken from the other", torch.add),
        ("error", "the true noise is not in it", lambda p, e: p + 0 * e),
        ("error", "the prediction is not in it", lambda p, e: e + 0 * p),
        ("error", "the two are multiplied where one is taken from the other", torch.mul),
        (
            "root",
            "the square root is taken: this is the root mean square",
            lambda v: v.abs().sqrt(),
        ),
        ("root", "the logarithm is taken", torch.log),
    ),
)
