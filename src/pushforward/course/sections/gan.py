"""Exercises of section 4: the losses of a game, and the penalty that makes it converge."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from pushforward.course.drawing import normal, sizes
from pushforward.course.exercise import Answer, Exercise, Law, Slip
from pushforward.course.forms import games
from pushforward.course.laws import equal, number
from pushforward.course.pictures import curve

Discriminator = Callable[[Tensor], Tensor]


def gan_losses(real_logits: Tensor, fake_logits: Tensor) -> tuple[Tensor, Tensor]:
    """Return torch's cross-entropies with the labels real = 1 and generated = 0, the generator's
    with labels exchanged."""
    cost = F.binary_cross_entropy_with_logits
    real, fake = torch.ones_like(real_logits), torch.ones_like(fake_logits)
    return cost(real_logits, real) + cost(fake_logits, 0 * fake), cost(fake_logits, fake)


def _losses_case(g: torch.Generator, i: int) -> tuple[Tensor, Tensor]:
    n, m = sizes(i)
    if i < 5:
        return 2 * normal(g, n), 2 * normal(g, m)
    # signs by turns and hundreds of nats from zero, where exp overflows and sigmoid rounds to 0 and
    # 1
    signs = torch.tensor([1.0, -1.0]).double().repeat(n)
    return signs[:n] * (800 + 10 * normal(g, n)), signs[1 : m + 1] * (900 + 10 * normal(g, m))


def _cost(r: Tensor, f: Tensor) -> Tensor:
    return F.softplus(-r).mean() + F.softplus(f).mean()


def _other(f: Tensor) -> Tensor:
    return F.softplus(-f).mean()


def _pair(answer: Answer, real: list[float], fake: list[float]) -> Tensor:
    """Return both losses as one tensor."""
    both = answer(torch.tensor(real).double(), torch.tensor(fake).double())
    return torch.stack([number(value) for value in both])


def _losses_picture(answer: Answer) -> str:
    logits = torch.linspace(-6, 6, 61, dtype=torch.float64)
    both = [answer(-v[None], v[None]) for v in logits]
    rows = {"discriminator": [float(d) for d, _ in both], "generator": [float(g) for _, g in both]}
    return curve(logits, rows, "logit of generated, -logit of real", "losses of both players")


LOSSES = Exercise(
    name="gan.losses",
    title="The two losses of a GAN",
    section=4,
    task="The discriminator's loss, mean -log D(real) + mean -log(1 - D(generated)), and the generator's non-saturating loss, "
    "mean -log D(generated), from logits of D: real_logits is (n,), fake_logits (m,). Both are scalars in nats.",
    oracle=gan_losses,
    returns=("discriminator_loss", "generator_loss"),
    gradients=("real_logits", "fake_logits"),
    draw=_losses_case,
    form=games.GAME,
    slips=(
        Slip(
            "the two losses are returned in the wrong order", lambda r, f: (_other(f), _cost(r, f))
        ),
        Slip(
            "the generator's loss is the saturating one, log(1 - D): its slope vanishes where D is sure",
            lambda r, f: (_cost(r, f), -F.softplus(f).mean()),
        ),
        Slip(
            "the generator's loss is minus the discriminator's: that is the zero-sum game, not the non-saturating loss",
            lambda r, f: (_cost(r, f), -_cost(r, f)),
        ),
        Slip(
            "the generator's loss pushes its own logits down; it wants to be taken for real",
            lambda r, f: (_cost(r, f), F.softplus(f).mean()),
        ),
        Slip(
            "the discriminator's loss does not look at generated examples",
            lambda r, f: (F.softplus(-r).mean(), _other(f)),
        ),
        Slip(
            "the discriminator's loss does not look at real examples",
            lambda r, f: (F.softplus(f).mean(), _other(f)),
        ),
        Slip(
            "the discriminator's labels are exchanged: its logits should be high on real examples",
            lambda r, f: (F.softplus(r).mean() + F.softplus(-f).mean(), _other(f)),
        ),
        Slip(
            "the sign of the real logits is wrong: the discriminator would call everything generated",
            lambda r, f: (F.softplus(r).mean() + F.softplus(f).mean(), _other(f)),
        ),
        Slip(
            "the sign of the generated logits is wrong: the discriminator would call everything real",
            lambda r, f: (F.softplus(-r).mean() + F.softplus(-f).mean(), _other(f)),
        ),
        Slip(
            "the discriminator's loss is halved: it is the sum of two means here",
            lambda r, f: (_cost(r, f) / 2, _other(f)),
        ),
        Slip(
            "real and generated examples share one mean; each side has its own, or the larger batch would count for more",
            lambda r, f: (torch.cat([F.softplus(-r), F.softplus(f)]).mean(), _other(f)),
        ),
        Slip(
            "you summed over the batches; both losses are means",
            lambda r, f: (F.softplus(-r).sum() + F.softplus(f).sum(), F.softplus(-f).sum()),
        ),
        Slip(
            "the sigmoid is written out and its logarithm is infinite for large logits: log sigmoid has a stable form",
            lambda r, f: (
                -r.sigmoid().log().mean() - (1 - f.sigmoid()).log().mean(),
                -f.sigmoid().log().mean(),
            ),
        ),
        Slip(
            "the sigmoid is taken twice: the softplus of a logit contains it already",
            lambda r, f: (_cost(r.sigmoid(), f.sigmoid()), _other(f.sigmoid())),
        ),
        Slip(
            "these are the losses of a Wasserstein critic: the logarithms are missing",
            lambda r, f: (f.mean() - r.mean(), -f.mean()),
        ),
        Slip(
            "these are hinge losses and not cross-entropies",
            lambda r, f: ((1 - r).relu().mean() + (1 + f).relu().mean(), -f.mean()),
        ),
    ),
    laws=(
        Law(
            "a discriminator that knows nothing (logits of zero) costs 2 log 2, and the generator log 2",
            lambda f: equal(_pair(f, [0.0, 0.0], [0.0]), [2 * math.log(2), math.log(2)]),
        ),
        Law(
            "logits of 1000 on the right side cost the discriminator nothing and the generator 1000 nats",
            lambda f: equal(_pair(f, [1000.0], [-1000.0]), [0.0, 1000.0]),
        ),
        Law(
            "logits of 1000 on the wrong side cost the discriminator 2000 nats and the generator nothing",
            lambda f: equal(_pair(f, [-1000.0], [1000.0]), [2000.0, 0.0]),
        ),
    ),
    hints=(
        "Both losses are binary cross-entropies. Ask for each term: what does this player want this logit to be?",
        "-log sigmoid(x) = log(1 + exp(-x)) and -log(1 - sigmoid(x)) = log(1 + exp(x)). Written out, exp(1000) overflows; torch "
        "has this function under the name softplus.",
        "softplus(-real).mean() + softplus(fake).mean() for the discriminator; the generator has the second term with the sign "
        "of the logit turned over.",
    ),
    picture=_losses_picture,
)


def r1_penalty(discriminator: Discriminator, x: Tensor) -> Tensor:
    """Return the penalty from the Jacobian of all scores with respect to all rows, whose diagonal
    holds the gradients."""
    jacobian = torch.autograd.functional.jacobian(discriminator, x, create_graph=True)
    assert isinstance(jacobian, Tensor)
    return torch.stack([jacobian[i, i] @ jacobian[i, i] for i in range(len(x))]).mean() / 2


def _r1_case(g: torch.Generator, i: int) -> tuple[Discriminator, Tensor]:
    n, d = sizes(i)
    inner, outer, shift, slope = normal(g, d, 5), normal(g, 5), normal(g, 5), normal(g, d)
    return lambda x: torch.tanh(x @ inner + shift) @ outer + 0.3 * (x**2) @ slope, normal(g, n, d)


def _gradients(discriminator: Discriminator, x: Tensor, of: Discriminator = torch.sum) -> Tensor:
    """Return the gradient of a number made of the scores, their sum by default, for every row."""
    x = x.detach().clone().requires_grad_(True)
    return torch.autograd.grad(of(discriminator(x)), x)[0]


def _reaches_parameters(answer: Answer) -> bool:
    weight = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64, requires_grad=True)
    found = answer(lambda x: x @ weight, torch.zeros(4, 3, dtype=torch.float64))
    if not isinstance(found, Tensor) or not found.requires_grad:
        return False
    (gradient,) = torch.autograd.grad(found, weight, allow_unused=True)
    return gradient is not None and equal(gradient, weight)


def _line(scale: float = 1.0, offset: float = 0.0) -> Discriminator:
    weight = scale * torch.tensor([3.0, 4.0]).double()
    return lambda x: x @ weight + offset


def _r1_picture(answer: Answer) -> str:
    x = torch.linspace(-2, 2, 41, dtype=torch.float64)[:, None]
    steep = torch.linspace(0.1, 5, 50, dtype=torch.float64)
    rows = {
        "tanh": [float(number(answer(lambda v, k=k: torch.tanh(k * v[:, 0]), x))) for k in steep],
        "line": [float(number(answer(lambda v, k=k: k * v[:, 0], x))) for k in steep],
    }
    return curve(
        steep,
        rows,
        "steepness k of D(x) = tanh(k x) and D(x) = k x",
        "what a steep discriminator pays",
    )


R1 = Exercise(
    name="gan.r1",
    title="The R1 penalty",
    section=4,
    task="Half the mean over rows of the squared norm of the gradient of D(x) in x, a scalar that has gradients to what D is made "
    "of; discriminator is a function from (n, d) to (n,), x is (n, d).",
    oracle=r1_penalty,
    returns=("penalty",),
    draw=_r1_case,
    form=games.R1,
    slips=(
        Slip("the factor 1/2 is missing", lambda D, x: _gradients(D, x).square().sum(1).mean()),
        Slip(
            "one penalty for each row came back; average over the batch",
            lambda D, x: 0.5 * _gradients(D, x).square().sum(1),
        ),
        Slip(
            "you summed over the batch; the penalty is a mean over rows",
            lambda D, x: 0.5 * _gradients(D, x).square().sum(),
        ),
        Slip(
            "you averaged over dimensions too; a squared norm is a sum over them",
            lambda D, x: 0.5 * _gradients(D, x).square().mean(),
        ),
        Slip("the norm is not squared", lambda D, x: 0.5 * _gradients(D, x).norm(dim=1).mean()),
        Slip(
            "this is the penalty of a Wasserstein critic, which pulls the norm to one; R1 pulls it to zero",
            lambda D, x: 0.5 * (_gradients(D, x).norm(dim=1) - 1).square().mean(),
        ),
        Slip(
            "this is the penalty of a Wasserstein critic, which pulls the norm to one; R1 pulls it to zero, with a factor 1/2",
            lambda D, x: (_gradients(D, x).norm(dim=1) - 1).square().mean(),
        ),
        Slip(
            "the gradient is that of the mean score, so every row's is n times too small: differentiate the sum",
            lambda D, x: 0.5 * _gradients(D, x, torch.mean).square().sum(1).mean(),
        ),
        Slip(
            "gradients are averaged over rows before they are squared, and opposite ones cancel",
            lambda D, x: 0.5 * _gradients(D, x).mean(0).square().sum(),
        ),
        Slip(
            "the components of a gradient are added before they are squared",
            lambda D, x: 0.5 * _gradients(D, x).sum(1).square().mean(),
        ),
        Slip(
            "components are taken by their absolute value and not squared", lambda D, x: _abs(D, x)
        ),
        Slip(
            "this penalises the scores themselves, not their slope",
            lambda D, x: 0.5 * D(x).square().mean(),
        ),
        Slip(
            "the gradient is that of the probability sigmoid(D); R1 takes that of the logit",
            lambda D, x: 0.5 * _gradients(D, x, lambda s: s.sigmoid().sum()).square().sum(1).mean(),
        ),
        Slip(
            "the gradient is that of the loss -log sigmoid(D); R1 takes that of the logit",
            lambda D, x: (
                0.5 * _gradients(D, x, lambda s: F.softplus(-s).sum()).square().sum(1).mean()
            ),
        ),
        Slip(
            "the sign is wrong: steepness is to be made small, so it is added to the loss",
            lambda D, x: -0.5 * _gradients(D, x).square().sum(1).mean(),
        ),
    ),
    laws=(
        Law(
            "D(x) = 3 x_1 + 4 x_2 costs 25/2 at any batch",
            lambda f: (
                equal(f(_line(), torch.ones(3, 2).double()), 12.5) and equal(f(_line(), -_X), 12.5)
            ),
        ),
        Law(
            "a constant added to D changes nothing",
            lambda f: equal(f(_line(), _X), f(_line(offset=7.0), _X)),
        ),
        Law(
            "twice as steep costs four times as much",
            lambda f: equal(4 * number(f(_line(), _X)), f(_line(2.0), _X)),
        ),
        Law(
            "the penalty has a gradient to the discriminator's parameters: the gradient in x must be part of a graph itself",
            _reaches_parameters,
        ),
    ),
    hints=(
        "autograd can differentiate with respect to an input as well as a weight, if that input asks for it.",
        "Rows do not see each other, so the gradient of the sum of all scores holds every row's own gradient. "
        "torch.autograd.grad forgets how it got its answer unless it is told to build a graph.",
        "x = x.detach().clone().requires_grad_(True); (g,) = torch.autograd.grad(discriminator(x).sum(), x, create_graph=True); "
        "half the mean of the squared norms of g's rows.",
    ),
    picture=_r1_picture,
    harder=True,
)
_X = torch.tensor([[0.5, -1.0], [2.0, 0.1], [0.0, 3.0]]).double()


def _abs(discriminator: Discriminator, x: Tensor) -> Tensor:
    return 0.5 * _gradients(discriminator, x).abs().sum(1).mean()


EXERCISES = (LOSSES, R1)
