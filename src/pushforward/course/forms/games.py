"""Formulas of games taken apart: the losses of a GAN and the R1 penalty."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from pushforward.course.composing import FormulaForm
from pushforward.course.forms.pieces import same

Function = Callable[[Tensor], Any]


def _game(real: Tensor, fake: Tensor, /, **p: Any) -> tuple[Tensor, Tensor]:
    of_real, of_fake = p["over"](p["real"](real)), p["over"](p["fake"](fake))
    discriminator = p["discriminator"] * (p["of_real"] * of_real + p["of_fake"] * of_fake)
    return discriminator, p["generator"] * p["over"](p["made"](fake))


GAME = FormulaForm(
    _game,
    {
        "real": lambda r: F.softplus(-r),
        "fake": F.softplus,
        "made": lambda f: F.softplus(-f),
        "over": torch.mean,
        "discriminator": 1.0,
        "generator": 1.0,
        "of_real": 1.0,
        "of_fake": 1.0,
    },
    (
        ("discriminator", "the discriminator's loss is halved", 0.5),
        ("discriminator", "the sign of the discriminator's loss is wrong", -1.0),
        ("generator", "the generator's loss is halved", 0.5),
        ("generator", "the sign of the generator's loss is wrong", -1.0),
        ("generator", "the generator's loss counts twice", 2.0),
        ("over", "you summed over the batches; both losses are means", torch.sum),
        ("of_real", "the discriminator's loss does not look at real examples", 0.0),
        ("of_real", "the sign of the term of real examples is wrong", -1.0),
        ("of_fake", "the discriminator's loss does not look at generated examples", 0.0),
        ("of_fake", "the sign of the term of generated examples is wrong", -1.0),
        ("real", "the sign of the real logits is wrong", F.softplus),
        ("fake", "the sign of the generated logits is wrong", lambda f: F.softplus(-f)),
        (
            "made",
            "the generator's loss pushes its own logits down; it wants to be taken for real",
            F.softplus,
        ),
        (
            "made",
            "the generator's loss is the saturating one, log(1 - D)",
            lambda f: -F.softplus(f),
        ),
        ("made", "the generator's loss is log D: its sign is wrong", lambda f: -F.softplus(-f)),
        ("real", "the term of real examples has no logarithm: it is minus their logits", torch.neg),
        ("fake", "the term of generated examples has no logarithm: it is their logits", same),
        ("made", "the generator's loss has no logarithm: it is minus the logits", torch.neg),
        ("real", "the term of real examples is a hinge", lambda r: (1 - r).relu()),
        ("fake", "the term of generated examples is a hinge", lambda f: (1 + f).relu()),
        (
            "real",
            "the term of real examples has no logarithm: it is minus D",
            lambda r: -r.sigmoid(),
        ),
        (
            "fake",
            "the term of generated examples has no logarithm: it is minus 1 - D",
            lambda f: f.sigmoid() - 1,
        ),
        ("made", "the generator's loss has no logarithm: it is minus D", lambda f: -f.sigmoid()),
        ("made", "the generator's loss has no logarithm: it is 1 - D", lambda f: 1 - f.sigmoid()),
        ("real", "the term of real examples is a squared error", lambda r: (r - 1) ** 2),
        ("fake", "the term of generated examples is a squared error", torch.square),
        ("made", "the generator's loss is a squared error", lambda f: (f - 1) ** 2),
        (
            "real",
            "the sigmoid of the real logits is taken twice",
            lambda r: F.softplus(-r.sigmoid()),
        ),
        (
            "fake",
            "the sigmoid of the generated logits is taken twice",
            lambda f: F.softplus(f.sigmoid()),
        ),
        (
            "made",
            "the sigmoid of the generator's logits is taken twice",
            lambda f: F.softplus(-f.sigmoid()),
        ),
    ),
)


def _penalty(discriminator: Function, x: Tensor, /, **p: Any) -> Tensor:
    x = x.detach().clone().requires_grad_()
    (gradient,) = torch.autograd.grad(p["of"](discriminator(x)), x)
    return p["factor"] * p["over"](p["norm"](gradient))


R1 = FormulaForm(
    _penalty,
    {"of": torch.sum, "norm": lambda g: g.square().sum(1), "over": torch.mean, "factor": 0.5},
    (
        ("factor", "the factor 1/2 is missing", 1.0),
        ("factor", "the factor 1/2 is taken twice", 0.25),
        ("factor", "the sign is wrong: steepness is to be made small", -0.5),
        ("norm", "the norm is not squared", lambda g: g.norm(dim=1)),
        (
            "norm",
            "the norm is pulled to one, as that of a Wasserstein critic",
            lambda g: (g.norm(dim=1) - 1) ** 2,
        ),
        (
            "norm",
            "you averaged over dimensions; a squared norm is a sum over them",
            lambda g: g.square().mean(1),
        ),
        (
            "norm",
            "components are taken by their absolute value and not squared",
            lambda g: g.abs().sum(1),
        ),
        (
            "norm",
            "the components of a gradient are added before they are squared",
            lambda g: g.sum(1).square(),
        ),
        ("norm", "the largest component stands for the norm", lambda g: g.abs().amax(1).square()),
        ("norm", "the squared norm is squared once more", lambda g: g.square().sum(1).square()),
        ("norm", "the components are not squared", lambda g: g.sum(1)),
        ("norm", "the squares are summed over rows: the wrong axis", lambda g: g.square().sum(0)),
        ("over", "you summed over the batch; the penalty is a mean over rows", torch.sum),
        ("over", "one penalty for each row came back; average over the batch", same),
        ("over", "the largest penalty came back and not the mean", torch.max),
        (
            "of",
            "the gradient is that of the mean score, so every row's is n times too small",
            torch.mean,
        ),
        (
            "of",
            "the gradient is that of sigmoid(D); R1 takes that of the logit",
            lambda s: s.sigmoid().sum(),
        ),
        (
            "of",
            "the gradient is that of -log sigmoid(D); R1 takes that of the logit",
            lambda s: F.softplus(-s).sum(),
        ),
        (
            "of",
            "the gradient is that of log(1 + exp(D)); R1 takes that of the logit",
            lambda s: F.softplus(s).sum(),
        ),
        ("of", "the gradient is that of D squared", lambda s: s.square().sum()),
        ("of", "the gradient is that of the first row's score only", lambda s: s[0]),
    ),
)
