"""Exercises of section 7: a Langevin step, guidance; the likelihood of a flow has a file of its
own."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from pushforward.course.drawing import normal, sizes, uniform
from pushforward.course.exercise import Answer, Exercise, Law, Slip
from pushforward.course.forms import noising
from pushforward.course.laws import equal, number
from pushforward.course.pictures import cloud, curve
from pushforward.course.sections.score_likelihood import ODE

_X = torch.tensor([[0.5, -1.0], [2.0, 0.3], [-0.7, 1.6]]).double()
_Z = torch.tensor([[-0.2, 0.9], [1.1, -1.4], [0.4, 0.8]]).double()
_ONE, _ZERO, _STEP = (torch.tensor(v).double() for v in (1.0, 0.0, 0.3))


def langevin_step(x: Tensor, score: Tensor, step: Tensor, noise: Tensor) -> Tensor:
    """Return the step as one product of the three terms with their coefficients."""
    coefficients = torch.stack([torch.ones_like(step), step, torch.sqrt(2 * step)])
    return torch.stack([x, score, noise], dim=-1) @ coefficients


def _settles(answer: Answer) -> bool:
    h = _STEP
    kept, fresh = (
        number(answer(*(v.reshape(1, 1) for v in (x, -x)), h, z.reshape(1, 1)))
        for x, z in ((_ONE, _ZERO), (_ZERO, _ONE))
    )
    return equal(kept**2 / (1 - h / 2) + fresh**2, (1 / (1 - h / 2)).reshape(1, 1))


def _langevin_picture(answer: Answer) -> str:
    g, h = torch.Generator().manual_seed(0), torch.tensor(0.02).double()
    angle = torch.arange(5, dtype=torch.float64) * 2 * math.pi / 5
    means, scale = 2 * torch.stack([angle.cos(), angle.sin()], 1), 0.4
    x = start = 0.5 * normal(g, 500, 2)
    for _ in range(150):
        near = (-(torch.cdist(x, means) ** 2) / (2 * scale**2)).softmax(1)
        x = answer(x, (near @ means - x) / scale**2, h, normal(g, 500, 2))
    truth = means[torch.arange(500) % 5] + scale * normal(g, 500, 2)
    return cloud(start, truth, "500 chains before the first step, over the truth") + cloud(
        x, truth, "after 150 steps", 1
    )


LANGEVIN = Exercise(
    name="score.langevin",
    title="A Langevin step",
    section=7,
    task="One unadjusted Langevin step from x (n, d) that drifts by step times score (n, d), with standard normal noise (n, d) "
    "scaled to the variance 2 step; step has shape ().",
    oracle=langevin_step,
    returns=("next_x",),
    draw=lambda g, i: (
        normal(g, *sizes(i)),
        normal(g, *sizes(i)),
        uniform(g, 1, low=0.01, high=0.45)[0],
        normal(g, *sizes(i)),
    ),
    form=noising.LANGEVIN,
    slips=(
        Slip(
            "the noise lacks a factor sqrt(2): the chain settles at half the variance",
            lambda x, s, h, z: x + h * s + h.sqrt() * z,
        ),
        Slip(
            "the noise is scaled by its variance; a square root is missing",
            lambda x, s, h, z: x + h * s + 2 * h * z,
        ),
        Slip(
            "the noise is scaled by the step itself: the chain only climbs",
            lambda x, s, h, z: x + h * s + h * z,
        ),
        Slip(
            "the 2 stands outside of the square root",
            lambda x, s, h, z: x + h * s + 2 * h.sqrt() * z,
        ),
        Slip(
            "the step stands outside of the square root",
            lambda x, s, h, z: x + h * s + math.sqrt(2) * h * z,
        ),
        Slip(
            "the sign of the drift is wrong: the score points uphill, and so does a chain",
            lambda x, s, h, z: x - h * s + (2 * h).sqrt() * z,
        ),
        Slip(
            "this is a right step in the other convention, half as long: drift step/2, variance of the noise step",
            lambda x, s, h, z: x + h / 2 * s + h.sqrt() * z,
        ),
        Slip(
            "drift and noise are of different conventions: the drift is half of what goes with this noise",
            lambda x, s, h, z: x + h / 2 * s + (2 * h).sqrt() * z,
        ),
        Slip(
            "no noise is in it: this climbs to the nearest mode and stays",
            lambda x, s, h, z: x + h * s + 0 * z,
        ),
        Slip(
            "no score is in it: this is a random walk",
            lambda x, s, h, z: x + 0 * s + (2 * h).sqrt() * z,
        ),
        Slip("the drift is not scaled by the step", lambda x, s, h, z: x + s + (2 * h).sqrt() * z),
        Slip("the noise is not scaled", lambda x, s, h, z: x + h * s + z),
        Slip(
            "x is missing: this is the move, not where it leads",
            lambda x, s, h, z: 0 * x + h * s + (2 * h).sqrt() * z,
        ),
        Slip(
            "the score is scaled like the noise, by sqrt(2 step)",
            lambda x, s, h, z: x + (2 * h).sqrt() * (s + z),
        ),
        Slip(
            "the sign of the noise is wrong; the law would be right, and not these numbers",
            lambda x, s, h, z: x + h * s - (2 * h).sqrt() * z,
        ),
    ),
    laws=(
        Law("a step of zero moves nothing", lambda f: equal(f(_X, -_X, _ZERO, _Z), _X)),
        Law(
            "a standard normal keeps the variance 1/(1 - step/2), which is 1 for small steps",
            _settles,
        ),
    ),
    hints=(
        "Drift and noise are not scaled alike: over many small steps the one adds up, the other mostly cancels.",
        "Variances of independent noises add, so it is the variance that is proportional to the step: it is 2 step.",
        "x + step * score + (2 * step).sqrt() * noise.",
    ),
    picture=_langevin_picture,
)


def guided(conditional: Tensor, unconditional: Tensor, weight: Tensor) -> Tensor:
    """Return torch's linear interpolation, which extrapolates as well."""
    return torch.lerp(unconditional, conditional, weight)


def _guidance_case(g: torch.Generator, i: int) -> tuple[Tensor, ...]:
    low, high = ((1.2, 8.0), (0.1, 0.9), (2.0, 5.0))[i % 3]
    return normal(g, *sizes(i)), normal(g, *sizes(i)), uniform(g, 1, low=low, high=high)[0]


def _guidance_picture(answer: Answer) -> str:
    x = torch.linspace(-4, 4, 81, dtype=torch.float64)[:, None]
    # the class is N(1, 1), and without a class it is that or N(-1, 1): the scores are 1 - x and
    # tanh(x) - x
    with_class, without = 1 - x, torch.tanh(x) - x
    lines = {
        f"w = {w:g}": answer(with_class, without, torch.tensor(w).double()) for w in (0.0, 1.0, 3.0)
    }
    return curve(
        x,
        lines,
        "x",
        "guided score of the right one of two clusters: zero where it pulls samples to",
    )


GUIDANCE = Exercise(
    name="score.guidance",
    title="Classifier-free guidance",
    section=7,
    task="The guided prediction from conditional and unconditional ones (n, d) and a weight of shape (): 1 is conditional, 0 "
    "unconditional, above 1 exaggerates.",
    oracle=guided,
    returns=("prediction",),
    draw=_guidance_case,
    form=noising.GUIDANCE,
    slips=(
        Slip(
            "this is the other convention: your weight 0 is conditional, and here 1 is",
            lambda c, u, w: c + w * (c - u),
        ),
        Slip(
            "conditional and unconditional are exchanged: this leans away from the condition",
            lambda c, u, w: c + w * (u - c),
        ),
        Slip(
            "the sign of the direction is wrong: this leans away from the condition",
            lambda c, u, w: u - w * (c - u),
        ),
        Slip(
            "only the direction came back; it starts from the unconditional prediction",
            lambda c, u, w: w * (c - u),
        ),
        Slip(
            "the weighted conditional prediction is added, not the weighted difference",
            lambda c, u, w: u + w * c,
        ),
        Slip(
            "the two weights add to 2 w - 1; they must add to one",
            lambda c, u, w: w * c - (1 - w) * u,
        ),
        Slip(
            "the two weights are of different conventions: they must add to one",
            lambda c, u, w: w * c - w * u + c + u,
        ),
        Slip(
            "the unconditional prediction is left out: this scales, and does not lean",
            lambda c, u, w: w * c + 0 * u,
        ),
        Slip(
            "the weight is left out: this is the conditional prediction", lambda c, u, w: c + 0 * u
        ),
        Slip(
            "the weight is left out: this is the unconditional prediction",
            lambda c, u, w: u + 0 * c,
        ),
        Slip(
            "the weight is cut to between 0 and 1; guidance goes beyond",
            lambda c, u, w: u + w.clamp(0, 1) * (c - u),
        ),
        Slip(
            "this is an average with weights w and 1; guidance extrapolates",
            lambda c, u, w: (w * c + u) / (1 + w),
        ),
        Slip(
            "the weight is one too small: weight 1 must be the conditional prediction",
            lambda c, u, w: u + (w - 1) * (c - u),
        ),
        Slip(
            "the difference starts from the conditional prediction, with the weight of the unconditional one",
            lambda c, u, w: c - w * u,
        ),
    ),
    laws=(
        Law("weight 1 is the conditional prediction", lambda f: equal(f(_X, _Z, _ONE), _X)),
        Law("weight 0 is the unconditional prediction", lambda f: equal(f(_X, _Z, _ZERO), _Z)),
        Law(
            "where the condition changes nothing, no weight does",
            lambda f: equal(f(_X, _X, 7 * _ONE), _X),
        ),
    ),
    hints=(
        "The points with weights 0 and 1 are given; the rest lie on the line through them.",
        "Start at the unconditional prediction and go along the difference that the condition makes.",
        "unconditional + weight * (conditional - unconditional).",
    ),
    picture=_guidance_picture,
    harder=True,
)


EXERCISES = (LANGEVIN, GUIDANCE, ODE)
