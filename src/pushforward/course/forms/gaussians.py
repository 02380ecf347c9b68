"""Formulas of Gaussians: the divergence, the bound, the density of a flow, and what costs a
dimension of a code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from pushforward.course.composing import FormulaForm
from pushforward.course.forms.pieces import (
    HALF_LOG_TAU,
    Wrong,
    constants,
    over,
    same,
    sign,
    weights,
    whole,
)

Part = Callable[[Tensor], Tensor]
READ = "log_scale is the logarithm of sigma, and you read it as that of sigma squared"
SQUARES: tuple[Wrong, ...] = (
    ("square", "the mean is not squared", same),
    ("square", "the mean is missing", torch.zeros_like),
    ("square", "the mean is taken by its absolute value and not squared", torch.abs),
)
VARIANCES: tuple[Wrong, ...] = (
    ("variance", "sigma stands where sigma squared belongs", torch.exp),
    ("variance", "log_scale stands where sigma squared belongs: its exponential is missing", same),
    (
        "variance",
        "2 log_scale stands where sigma squared belongs: its exponential is missing",
        lambda s: 2 * s,
    ),
    ("variance", "the square of log_scale stands where sigma squared belongs", torch.square),
    ("variance", "sigma squared is missing", torch.zeros_like),
    (
        "variance",
        "one over sigma squared stands where sigma squared belongs",
        lambda s: (-2 * s).exp(),
    ),
    ("variance", "sigma squared is squared once more", lambda s: (4 * s).exp()),
    ("variance", "the root of sigma stands where sigma squared belongs", lambda s: (s / 2).exp()),
)
OF_KL: tuple[Wrong, ...] = (
    *SQUARES,
    *VARIANCES,
    ("read", READ, 0.5),
    *weights("log", "the logarithm of sigma (the log-determinant)"),
    ("constant", "the constant -1/2 of every dimension is missing", 0.0),
    ("constant", "the sign of the constant 1/2 is wrong", 1.0),
    ("constant", "the constant is -1 and not -1/2", -2.0),
    ("half", "the factor 1/2 of the squares is missing", 1.0),
    ("half", "the factor 1/2 is taken twice", 0.25),
    ("of_mean", "the factor 1/2 of the mean's square is missing", 2.0),
    ("of_variance", "the factor 1/2 of sigma squared is missing", 2.0),
    ("of_mean", "the sign of the mean's square is wrong", -1.0),
    ("of_variance", "the sign of sigma squared is wrong", -1.0),
)
KL_RIGHT: dict[str, Any] = {
    "square": torch.square,
    "variance": lambda s: (2 * s).exp(),
    "read": 1.0,
    "log": 1.0,
    "constant": -1.0,
    "half": 0.5,
    "of_mean": 1.0,
    "of_variance": 1.0,
}


def terms(mean: Tensor, s: Tensor, /, **p: Any) -> Tensor:
    """Return the divergence of every dimension from a standard normal, from its pieces."""
    s = s * p["read"]
    squares = p["of_mean"] * p["square"](mean) + p["of_variance"] * p["variance"](s)
    return p["half"] * (squares + p["constant"]) - p["log"] * s


KL = FormulaForm(
    lambda mean, s, *, over, sign, **p: sign * over(terms(mean, s, **p)),
    {**KL_RIGHT, "over": whole, "sign": 1.0},
    (*OF_KL, *over(), *sign("the sign is wrong: a divergence is never negative")),
)


def _bound(x: Tensor, mean: Tensor, s: Tensor, a: Tensor, b: Tensor, /, **p: Any) -> Tensor:
    b = b * p["read_decoder"]
    error = p["error"](x, a) / p["scale"](b) * p["fit_half"]
    fit = p["fit_over"](-error - p["normaliser"] * b - p["tau"](x.shape[1]) * HALF_LOG_TAU)
    return p["sign"] * (p["fit"] * fit - p["kl"] * p["kl_over"](terms(mean, s, **p)))


ELBO = FormulaForm(
    _bound,
    {
        **KL_RIGHT,
        "read_decoder": 1.0,
        "error": lambda x, a: (x - a) ** 2,
        "scale": lambda b: (2 * b).exp(),
        "fit_half": 0.5,
        "normaliser": 1.0,
        "tau": lambda d: 1.0,
        "fit_over": whole,
        "fit": 1.0,
        "kl": 1.0,
        "kl_over": whole,
        "sign": 1.0,
    },
    (
        ("fit_half", "the factor 1/2 of the squared error is missing", 1.0),
        ("fit_half", "the sign of the squared error is wrong", -0.5),
        ("fit_half", "the factor 1/2 of the squared error is taken twice", 0.25),
        *constants(),
        *weights("normaliser", "the normaliser -log sigma of p(x|z)"),
        (
            "read_decoder",
            "decoded_log_scale is the logarithm of sigma, and you read it as that of sigma squared",
            0.5,
        ),
        (
            "read_decoder",
            "decoded_log_scale is counted twice: it is the logarithm of sigma, not half of it",
            2.0,
        ),
        ("scale", "the error is divided by sigma and not by sigma squared", torch.exp),
        ("scale", "the error is not divided by sigma squared", torch.ones_like),
        (
            "scale",
            "the error is multiplied by sigma squared, and belongs divided",
            lambda b: (-2 * b).exp(),
        ),
        ("scale", "the error is divided by the logarithm of sigma squared", lambda b: b**2),
        ("error", "the error of x is not squared", lambda x, a: x - a),
        ("error", "the error of x is taken by its absolute value", lambda x, a: (x - a).abs()),
        ("error", "x and decoded_mean are added in the error", lambda x, a: (x + a) ** 2),
        *weights(
            "kl",
            "the KL",
            extra=(("the KL is weighted with 4", 4.0), ("the KL is weighted with 0.1", 0.1)),
        ),
        *weights("fit", "log p(x|z)"),
        *over("fit_over", "log p(x|z)"),
        *over("kl_over", "the KL"),
        *sign("this is the loss, minus the bound"),
        *OF_KL,
    ),
)


def _density(x: Tensor, shift: Tensor, s: Tensor, /, **p: Any) -> Tensor:
    s = s * p["read"]
    z = p["code"](x, shift, s)
    return p["sign"] * p["over"](
        -p["half"] * p["power"](z) - p["tau"](1) * HALF_LOG_TAU - p["det"](s)
    )


LOG_PROB = FormulaForm(
    _density,
    {
        "read": 1.0,
        "code": lambda x, m, s: (x - m) * (-s).exp(),
        "half": 0.5,
        "power": torch.square,
        "tau": lambda d: 1.0,
        "det": same,
        "over": same,
        "sign": 1.0,
    },
    (
        ("half", "the factor 1/2 of the square is missing", 1.0),
        ("half", "the sign of the square is wrong", -0.5),
        ("half", "the factor 1/2 of the square is taken twice", 0.25),
        *(wrong for wrong in constants() if "once" not in wrong[1]),
        ("det", "the log-determinant is missing", torch.zeros_like),
        ("det", "the sign of the log-determinant is wrong", torch.neg),
        ("det", "the log-determinant counts twice", lambda s: 2 * s),
        ("det", "the log-determinant counts half", lambda s: s / 2),
        ("det", "the scale stands where its logarithm belongs, in the determinant", torch.exp),
        ("det", "the log-determinant is taken by its absolute value", torch.abs),
        (
            "read",
            "log_scale is the logarithm of a factor, and you read it as that of its square",
            0.5,
        ),
        ("read", "log_scale is counted twice", 2.0),
        ("power", "the code is not squared", same),
        ("power", "the code is taken by its absolute value", torch.abs),
        (
            "code",
            "x is multiplied by the scale; on the way to the code it is divided",
            lambda x, m, s: (x - m) * s.exp(),
        ),
        ("code", "the scale is missing in the code", lambda x, m, s: x - m),
        ("code", "the scale is squared in the code", lambda x, m, s: (x - m) * (-2 * s).exp()),
        (
            "code",
            "the root of the scale stands in the code",
            lambda x, m, s: (x - m) * (-s / 2).exp(),
        ),
        (
            "code",
            "log_scale stands where the scale belongs, in the code",
            lambda x, m, s: (x - m) / s,
        ),
        (
            "code",
            "log_scale is subtracted in the code where the scale divides",
            lambda x, m, s: x - m - s,
        ),
        (
            "code",
            "the shift is added; on the way to the code it is subtracted",
            lambda x, m, s: (x + m) * (-s).exp(),
        ),
        ("code", "the shift is not subtracted", lambda x, m, s: x * (-s).exp()),
        ("code", "only x is scaled: the shift is too", lambda x, m, s: x * (-s).exp() - m),
        ("code", "the normal density is taken at x and not at the code", lambda x, m, s: x),
        ("code", "this is the map from codes to examples", lambda x, m, s: x * s.exp() + m),
        *sign("this is minus the log-density, a loss"),
        ("over", "it is averaged over the batch", torch.mean),
        ("over", "it is summed over the batch", torch.sum),
    ),
)


def _units(mean: Tensor, s: Tensor, /, **p: Any) -> tuple[Tensor, Tensor]:
    return p["sign"] * p["over"](terms(mean, s, **p)), p["above"](p["spread"](mean, s))


def _variance(mean: Tensor, s: Tensor) -> Tensor:
    return mean.var(0, correction=0)


ACTIVE = FormulaForm(
    _units,
    {
        **KL_RIGHT,
        "over": lambda v: v.mean(0),
        "sign": 1.0,
        "spread": _variance,
        "above": lambda v: v > 0.01,
    },
    (
        ("over", "the KL is summed over examples; average over them", lambda v: v.sum(0)),
        ("over", "one KL for each example came back: the wrong axis", lambda v: v.sum(1)),
        ("over", "the KL is averaged over dimensions: the wrong axis", lambda v: v.mean(1)),
        ("over", "the KL is averaged over dimensions too", torch.mean),
        ("over", "the KL is the largest of the batch and not the mean", lambda v: v.amax(0)),
        ("spread", "the variance is divided by n - 1", lambda m, s: m.var(0)),
        (
            "spread",
            "the standard deviation of the mean is compared, not its variance",
            lambda m, s: m.std(0, correction=0),
        ),
        (
            "spread",
            "the mean over examples is not subtracted: this is a mean square",
            lambda m, s: m.square().mean(0),
        ),
        (
            "spread",
            "the variance runs over dimensions: the wrong axis",
            lambda m, s: m.var(1, correction=0),
        ),
        ("spread", "the variance of log_scale is compared", lambda m, s: s.var(0, correction=0)),
        (
            "spread",
            "the average variance of q is compared, not the variance of its mean",
            lambda m, s: (2 * s).exp().mean(0),
        ),
        (
            "spread",
            "the sum of squares is not divided by n",
            lambda m, s: m.var(0, correction=0) * len(m),
        ),
        (
            "spread",
            "the size of the average mean is compared, not a variance",
            lambda m, s: m.mean(0).abs(),
        ),
        ("above", "active and collapsed are exchanged", lambda v: v < 0.01),
        ("above", "the threshold is 0.1 and not 0.01", lambda v: v > 0.1),
        ("above", "the threshold is 0.001 and not 0.01", lambda v: v > 0.001),
        ("above", "variances came back, not whether they are above 0.01", same),
        *sign("the sign of the KL is wrong"),
        *OF_KL,
    ),
)
