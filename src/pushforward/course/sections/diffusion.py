"""Exercises of section 6: noising, the simple loss, and one deterministic step back."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor
from torch.nn import functional

from pushforward.course.drawing import normal, sizes, uniform
from pushforward.course.exercise import Answer, Exercise, Law, Slip
from pushforward.course.forms import noising
from pushforward.course.laws import equal, number
from pushforward.course.pictures import cloud, curve

_X = torch.tensor([[0.5, -1.0], [2.0, 0.3], [-0.7, 1.6]]).double()
_E = torch.tensor([[-0.2, 0.9], [1.1, -1.4], [0.4, 0.8]]).double()
_LEVELS = torch.tensor([0.2, 0.5, 0.9]).double()


def add_noise(x: Tensor, noise: Tensor, alpha_bar: Tensor) -> Tensor:
    """Return the jump as a rotation of each row's data into its noise, row by row."""
    rows = []
    for data, fresh, share in zip(x, noise, alpha_bar):
        angle = torch.acos(share.sqrt())
        rows.append(torch.cos(angle) * data + torch.sin(angle) * fresh)
    return torch.stack(rows)


def _noise_picture(answer: Answer) -> str:
    angle = torch.linspace(0, 6.283, 400, dtype=torch.float64)
    ring = 1.414 * torch.stack([angle.cos(), angle.sin()], 1)
    fresh = normal(torch.Generator().manual_seed(0), 400, 2)
    made = [
        (share, answer(ring, fresh, torch.full((400,), share).double())) for share in (0.95, 0.5)
    ]
    return "".join(
        cloud(x, ring, f"a ring at alpha_bar = {share:g}, over itself", 1) for share, x in made
    )


NOISE = Exercise(
    name="diffusion.noise",
    title="Noising in one jump",
    section=6,
    task="Data x (n, d) noised to alpha_bar (n,), the share of the variance that is still data, with standard normal noise (n, d).",
    oracle=add_noise,
    returns=("noisy",),
    draw=lambda g, i: (
        normal(g, *sizes(i)),
        normal(g, *sizes(i)),
        uniform(g, sizes(i)[0], low=0.05, high=0.95),
    ),
    form=noising.NOISE,
    slips=(
        Slip(
            "alpha_bar has one number for each row, and meets columns here: give it a second axis, alpha_bar[:, None]",
            lambda x, e, a: a.sqrt() * x + (1 - a).sqrt() * e,
        ),
        Slip(
            "both square roots are missing: alpha_bar is a share of the variance, and numbers are scaled by standard deviations",
            lambda x, e, a: a[:, None] * x + (1 - a[:, None]) * e,
        ),
        Slip(
            "the noise is scaled by a variance; a square root is missing there",
            lambda x, e, a: a[:, None].sqrt() * x + (1 - a[:, None]) * e,
        ),
        Slip(
            "the data are scaled by a share of the variance; a square root is missing there",
            lambda x, e, a: a[:, None] * x + (1 - a[:, None]).sqrt() * e,
        ),
        Slip(
            "the two scales are exchanged: with alpha_bar = 1 this is nothing but noise",
            lambda x, e, a: (1 - a[:, None]).sqrt() * x + a[:, None].sqrt() * e,
        ),
        Slip(
            "your two scales add to one; their squares must, because variances add",
            lambda x, e, a: a[:, None].sqrt() * x + (1 - a[:, None].sqrt()) * e,
        ),
        Slip(
            "you read alpha_bar as the factor of the data; it is the square of that factor",
            lambda x, e, a: a[:, None] * x + (1 - a[:, None] ** 2).sqrt() * e,
        ),
        Slip("the noise is not scaled", lambda x, e, a: a[:, None].sqrt() * x + e),
        Slip(
            "the data are not scaled: noise is only added, and the variance grows",
            lambda x, e, a: x + (1 - a[:, None]).sqrt() * e,
        ),
        Slip(
            "this is the noisy example divided by the scale of the data: the right noise level in other coordinates",
            lambda x, e, a: x + ((1 - a[:, None]) / a[:, None]).sqrt() * e,
        ),
        Slip(
            "the sign of the noise is wrong; the law would be right, and not these numbers",
            lambda x, e, a: a[:, None].sqrt() * x - (1 - a[:, None]).sqrt() * e,
        ),
        Slip("no noise is in it: this is the mean", lambda x, e, a: a[:, None].sqrt() * x + 0 * e),
        Slip(
            "no data are in it: this is the noise alone, scaled",
            lambda x, e, a: 0 * x + (1 - a[:, None]).sqrt() * e,
        ),
        Slip(
            "every row got the noise level of the first one",
            lambda x, e, a: a[0].sqrt() * x + (1 - a[0]).sqrt() * e,
        ),
        Slip(
            "every row got the mean noise level of the batch",
            lambda x, e, a: a.mean().sqrt() * x + (1 - a.mean()).sqrt() * e,
        ),
        Slip(
            "alpha_bar is a running product already, and you multiplied once more along the batch",
            lambda x, e, a: (
                a.cumprod(0)[:, None].sqrt() * x + (1 - a.cumprod(0)[:, None]).sqrt() * e
            ),
        ),
    ),
    laws=(
        Law(
            "alpha_bar = 1 leaves the data as they are",
            lambda f: equal(f(_X, _E, torch.ones_like(_LEVELS)), _X),
        ),
        Law(
            "alpha_bar = 0 leaves nothing but the noise",
            lambda f: equal(f(_X, _E, torch.zeros_like(_LEVELS)), _E),
        ),
        Law(
            "it rotates data into noise, which keeps variances",
            lambda f: equal(
                number(f(_X, _E, _LEVELS)) ** 2 + number(f(-_E, _X, _LEVELS)) ** 2, _X**2 + _E**2
            ),
        ),
    ),
    hints=(
        "Which two numbers have squares that add to one, if the first square is alpha_bar?",
        "The data keep the share alpha_bar of the variance, the noise brings the rest. A variance goes with the square of a scale; "
        "and alpha_bar[:, None] is a column that fits the rows.",
        "share = alpha_bar[:, None]; then share.sqrt() times the data plus (1 - share).sqrt() times the noise.",
    ),
    picture=_noise_picture,
)


def denoising_loss(predicted_noise: Tensor, noise: Tensor) -> Tensor:
    """Return torch's mean squared error."""
    return functional.mse_loss(predicted_noise, noise)


def _loss_picture(answer: Answer) -> str:
    noise = normal(torch.Generator().manual_seed(0), 500, 4)
    scales = torch.linspace(0, 2, 41, dtype=torch.float64)
    losses = {"loss": [float(answer(c * noise, noise)) for c in scales]}
    return curve(
        scales,
        losses,
        "c",
        "loss of predicting c times the true noise: 1 for a silent network, 0 for the truth",
    )


LOSS = Exercise(
    name="diffusion.loss",
    title="The simple loss",
    section=6,
    task="Mean over all entries of the squared error of predicted_noise, both (n, d): one number.",
    oracle=denoising_loss,
    returns=("loss",),
    gradients=("predicted_noise",),
    draw=lambda g, i: (normal(g, *sizes(i)), normal(g, *sizes(i))),
    form=noising.LOSS,
    slips=(
        Slip(
            "you summed over dimensions and averaged over rows: the loss would grow with the dimension",
            lambda p, e: ((p - e) ** 2).sum(1).mean(),
        ),
        Slip(
            "you summed over rows and averaged over dimensions: the loss would grow with the batch",
            lambda p, e: ((p - e) ** 2).mean(1).sum(),
        ),
        Slip("you summed over all entries; average over them", lambda p, e: ((p - e) ** 2).sum()),
        Slip(
            "half the right one: no factor 1/2 is asked for",
            lambda p, e: 0.5 * ((p - e) ** 2).mean(),
        ),
        Slip("this is the absolute error; square it", lambda p, e: (p - e).abs().mean()),
        Slip(
            "the square root is one too many: this is the root mean square",
            lambda p, e: ((p - e) ** 2).mean().sqrt(),
        ),
        Slip(
            "you averaged before squaring: errors of opposite sign cancel",
            lambda p, e: ((p - e).mean()) ** 2,
        ),
        Slip(
            "the error is not squared: positive and negative ones cancel",
            lambda p, e: (p - e).mean(),
        ),
        Slip(
            "you averaged the norms of the rows; the loss averages squares",
            lambda p, e: ((p - e) ** 2).sum(1).sqrt().mean(),
        ),
        Slip(
            "this is the difference of squares, not the square of the difference",
            lambda p, e: (p**2 - e**2).mean(),
        ),
        Slip(
            "the two are added where one is taken from the other",
            lambda p, e: ((p + e) ** 2).mean(),
        ),
        Slip("the sign is wrong: a loss is to be made small", lambda p, e: -((p - e) ** 2).mean()),
        Slip(
            "one value for each row came back; average over rows too",
            lambda p, e: ((p - e) ** 2).mean(1),
        ),
        Slip(
            "one value for each dimension came back; average over dimensions too",
            lambda p, e: ((p - e) ** 2).mean(0),
        ),
        Slip(
            "one value for each entry came back; average over all of them",
            lambda p, e: (p - e) ** 2,
        ),
        Slip(
            "the true noise is not in it: this only makes predictions small",
            lambda p, e: (p**2).mean() + 0 * e.sum(),
        ),
    ),
    laws=(
        Law("a right prediction costs nothing", lambda f: equal(f(_E, _E), 0.0)),
        Law("an error of 2 in every entry costs 4", lambda f: equal(f(_E + 2, _E), 4.0)),
        Law("the two can change places", lambda f: equal(f(_X, _E), f(_E, _X))),
    ),
    hints=(
        "Squared error, and one mean: over how many numbers?",
        "Subtract, square each entry, average over all n times d of them.",
        "((predicted_noise - noise) ** 2).mean(), without an axis.",
    ),
    picture=_loss_picture,
)


def ddim_step(
    x: Tensor, predicted_noise: Tensor, alpha_bar: Tensor, next_alpha_bar: Tensor
) -> Tensor:
    """Return an Euler step of the probability flow in x / sqrt(alpha_bar) against the noise
    level."""
    level, next_level = (torch.sqrt(1 / a - 1) for a in (alpha_bar, next_alpha_bar))
    scaled = x / torch.sqrt(alpha_bar) + (next_level - level) * predicted_noise
    return torch.sqrt(next_alpha_bar) * scaled


def _ddim_case(g: torch.Generator, i: int) -> tuple[Tensor, ...]:
    low = uniform(g, 1, low=0.1, high=0.6)[0]
    return (
        normal(g, *sizes(i)),
        normal(g, *sizes(i)),
        low,
        low + (1 - low) * uniform(g, 1, low=0.2, high=0.9)[0],
    )


def _clean(x: Tensor, e: Tensor, a: Tensor) -> Tensor:
    return (x - (1 - a).sqrt() * e) / a.sqrt()


def _mean_of_ddpm(x: Tensor, e: Tensor, a: Tensor, b: Tensor) -> Tensor:
    fresh = (1 - b) / (1 - a) * (1 - a / b)
    return b.sqrt() * _clean(x, e, a) + (1 - b - fresh).sqrt() * e


def _ddim_picture(answer: Answer) -> str:
    shares = torch.sigmoid(torch.linspace(-8, 8, 41, dtype=torch.float64))
    x = torch.linspace(-2, 2, 6, dtype=torch.float64)[:, None]
    seen = [x]
    for now, then in itertools.pairwise(shares):
        # the best guess of data that are -1 or +1
        clean = torch.tanh(now.sqrt() / (1 - now) * x)
        x = answer(x, (x - now.sqrt() * clean) / (1 - now).sqrt(), now, then)
        seen.append(x)
    lines = {f"start {i + 1}": [float(x[i, 0]) for x in seen] for i in range(6)}
    return curve(range(41), lines, "step", "your steps, from noise to data that are -1 or +1")


DDIM = Exercise(
    name="diffusion.ddim",
    title="A step of DDIM",
    section=6,
    task="The deterministic DDIM step (eta = 0) of x (n, d) from alpha_bar to next_alpha_bar, both of shape () and the second "
    "larger, with predicted_noise (n, d).",
    oracle=ddim_step,
    returns=("next_x",),
    draw=_ddim_case,
    form=noising.DDIM,
    slips=(
        Slip(
            "this is the clean guess; noise of the next level has to be put back",
            lambda x, e, a, b: _clean(x, e, a),
        ),
        Slip(
            "the clean guess is scaled to the next level, but no noise is put back",
            lambda x, e, a, b: b.sqrt() * _clean(x, e, a),
        ),
        Slip(
            "the noise is put back at the old level: it does not get less",
            lambda x, e, a, b: b.sqrt() * _clean(x, e, a) + (1 - a).sqrt() * e,
        ),
        Slip(
            "the clean guess keeps the scale of the old level",
            lambda x, e, a, b: a.sqrt() * _clean(x, e, a) + (1 - b).sqrt() * e,
        ),
        Slip(
            "the clean guess is not scaled to the next level",
            lambda x, e, a, b: _clean(x, e, a) + (1 - b).sqrt() * e,
        ),
        Slip(
            "nothing moves: you came back to the level you started from",
            lambda x, e, a, b: x + 0 * e,
        ),
        Slip(
            "the noise is taken out, but what is left is not scaled up to clean data",
            lambda x, e, a, b: b.sqrt() * a.sqrt() * _clean(x, e, a) + (1 - b).sqrt() * e,
        ),
        Slip(
            "the clean guess is scaled up by alpha_bar, and a square root is missing",
            lambda x, e, a, b: b.sqrt() * _clean(x, e, a) / a.sqrt() + (1 - b).sqrt() * e,
        ),
        Slip(
            "the noise is taken out with its variance in place of its standard deviation",
            lambda x, e, a, b: b.sqrt() * (x - (1 - a) * e) / a.sqrt() + (1 - b).sqrt() * e,
        ),
        Slip(
            "the noise is put back with its variance in place of its standard deviation",
            lambda x, e, a, b: b.sqrt() * _clean(x, e, a) + (1 - b) * e,
        ),
        Slip(
            "all four square roots are missing",
            lambda x, e, a, b: b * (x - (1 - a) * e) / a + (1 - b) * e,
        ),
        Slip(
            "the noise is added where the clean guess takes it out",
            lambda x, e, a, b: b.sqrt() * (x + (1 - a).sqrt() * e) / a.sqrt() + (1 - b).sqrt() * e,
        ),
        Slip(
            "the noise is taken out where it should be put back",
            lambda x, e, a, b: b.sqrt() * _clean(x, e, a) - (1 - b).sqrt() * e,
        ),
        Slip(
            "the two levels are exchanged: this goes back to more noise",
            lambda x, e, a, b: ddim_step(x, e, b, a),
        ),
        Slip(
            "this is the mean of the stochastic step, DDPM: it leaves room for fresh noise, and DDIM adds none",
            _mean_of_ddpm,
        ),
    ),
    laws=(
        Law(
            "a step to where one is changes nothing",
            lambda f: equal(f(_X, _E, _LEVELS[1], _LEVELS[1]), _X),
        ),
        Law(
            "two steps with the same predicted noise are one",
            lambda f: equal(
                f(f(_X, _E, _LEVELS[0], _LEVELS[1]), _E, _LEVELS[1], _LEVELS[2]),
                f(_X, _E, _LEVELS[0], _LEVELS[2]),
            ),
        ),
        Law(
            "with the true noise a step to alpha_bar = 1 finds the data",
            lambda f: equal(
                f(
                    add_noise(_X, _E, _LEVELS[0].expand(3)),
                    _E,
                    _LEVELS[0],
                    torch.ones((), dtype=torch.float64),
                ),
                _X,
            ),
        ),
    ),
    hints=(
        "Solve the noising equation for the clean data, then use it once more.",
        "x = sqrt(alpha_bar) clean + sqrt(1 - alpha_bar) noise holds at both levels, with the same clean data and the same noise.",
        "clean = (x - (1 - alpha_bar).sqrt() * predicted_noise) / alpha_bar.sqrt(); then noise it to next_alpha_bar with "
        "predicted_noise in the place of fresh noise.",
    ),
    picture=_ddim_picture,
    harder=True,
)

EXERCISES = (NOISE, LOSS, DDIM)
