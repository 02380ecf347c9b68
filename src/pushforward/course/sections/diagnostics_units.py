"""The harder exercise of section 10: which dimensions of a code are used."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from pushforward.course.drawing import normal, sizes
from pushforward.course.exercise import Answer, Exercise, Law, Slip
from pushforward.course.forms import gaussians
from pushforward.course.laws import equal
from pushforward.course.pictures import curve

ACTIVE_ABOVE = (
    0.01  # variance of the posterior mean; Burda, Grosse & Salakhutdinov (2016), section 5.2
)
VARIANCES = (0.5, 0.008, 0.00005, 0.0005, 0.012, 0.03, 2.0, 0.009, 0.2)


def active_units(mean: Tensor, log_scale: Tensor) -> tuple[Tensor, Tensor]:
    """Return torch's divergence of normals, averaged, and torch's variance of the means."""
    kl = kl_divergence(Normal(mean, log_scale.exp()), Normal(torch.zeros_like(mean), 1.0)).mean(0)
    return kl, torch.var(mean, dim=0, correction=0) > ACTIVE_ABOVE


def _case(g: torch.Generator, i: int) -> tuple[Tensor, Tensor]:
    n, k = sizes(i)[0], sizes(i)[1] + 3
    spread, offset = torch.tensor(VARIANCES[:k]).double().sqrt(), normal(g, k)
    mean, log_scale = normal(g, n, k), 0.4 * normal(g, n, k) - 0.5
    # means of exactly these variances, so that every wrong variance falls on the other side of the
    # threshold somewhere
    mean = (mean - mean.mean(0)) / mean.std(0, correction=0).clamp(min=1e-12) * spread
    # two dimensions around zero, one of which says nothing at all
    offset[2:4] = 0.0
    log_scale[:, 2] *= 0.02
    return mean + offset, log_scale


def _kl(mean: Tensor, log_scale: Tensor) -> Tensor:
    return 0.5 * (mean**2 + (2 * log_scale).exp() - 1) - log_scale


def _variance(mean: Tensor) -> Tensor:
    return (mean - mean.mean(0)).square().mean(0)


def _used(mean: Tensor) -> Tensor:
    return _variance(mean) > ACTIVE_ABOVE


def _picture(answer: Answer) -> str:
    g = torch.Generator().manual_seed(0)
    size = torch.tensor([1.0, 0.8, 0.5, 0.2, 0.05, 0.0, 0.0, 0.0]).double()
    kl, active = answer(size * normal(g, 200, 8), (0.1 + 0.9 * (1 - size)).log().expand(200, 8))
    lines = {"KL in nats": kl.detach(), "active": active.double()}
    return curve(
        torch.arange(1, 9), lines, "latent dimension", "what each dimension of a code carries"
    )


_FIRST = (
    Slip("the two are returned in the wrong order", lambda m, s: (_used(m), _kl(m, s).mean(0))),
    Slip(
        "one KL for each example came back; sum nothing, and average over examples",
        lambda m, s: (_kl(m, s).sum(1), _used(m)),
    ),
    Slip(
        "the KL is summed over examples; average over them",
        lambda m, s: (_kl(m, s).sum(0), _used(m)),
    ),
    Slip("the KL is not averaged over examples", lambda m, s: (_kl(m, s), _used(m))),
    Slip(
        "the KL is averaged over dimensions too; keep one for each dimension",
        lambda m, s: (_kl(m, s).mean(), _used(m)),
    ),
    Slip(
        "sigma stands where sigma squared belongs",
        lambda m, s: ((0.5 * (m**2 + s.exp() - 1) - s).mean(0), _used(m)),
    ),
    Slip(
        "log_scale is the logarithm of sigma, and you read it as that of sigma squared",
        lambda m, s: (0.5 * (m**2 + s.exp() - 1 - s).mean(0), _used(m)),
    ),
    Slip(
        "the constant -1/2 is missing: the KL of a standard normal would not be zero",
        lambda m, s: (_kl(m, s).mean(0) + 0.5, _used(m)),
    ),
    Slip(
        "twice too large: the factor 1/2 of the KL is missing",
        lambda m, s: (2 * _kl(m, s).mean(0), _used(m)),
    ),
    Slip(
        "this is the KL of the mean posterior: average divergences, not parameters",
        lambda m, s: (_kl(m.mean(0), s.mean(0)), _used(m)),
    ),
)
_SECOND = (
    Slip(
        "the standard deviation of the mean is compared; the threshold is for its variance",
        lambda m, s: (_kl(m, s).mean(0), _variance(m).sqrt() > ACTIVE_ABOVE),
    ),
    Slip(
        "the variance is divided by n - 1; divide by n, which a batch of one survives",
        lambda m, s: (_kl(m, s).mean(0), _variance(m) * len(m) / max(len(m) - 1, 1) > ACTIVE_ABOVE),
    ),
    Slip(
        "a dimension with a KL is called active: one whose code is the same for all examples costs nats and says nothing",
        lambda m, s: (_kl(m, s).mean(0), _kl(m, s).mean(0) > ACTIVE_ABOVE),
    ),
    Slip(
        "the mean over examples is not subtracted: this is a mean square, not a variance",
        lambda m, s: (_kl(m, s).mean(0), m.square().mean(0) > ACTIVE_ABOVE),
    ),
    Slip(
        "the variance of the draws is compared, noise and all; only the posterior mean may vary with the example",
        lambda m, s: (_kl(m, s).mean(0), _variance(m) + (2 * s).exp().mean(0) > ACTIVE_ABOVE),
    ),
    Slip(
        "the variance runs over dimensions and not over examples: the wrong axis",
        lambda m, s: (_kl(m, s).mean(0), m.var(1, correction=0) > ACTIVE_ABOVE),
    ),
    Slip("active and collapsed are exchanged", lambda m, s: (_kl(m, s).mean(0), ~_used(m))),
)

ACTIVE = Exercise(
    name="diagnostics.collapse",
    title="Posterior collapse by dimension",
    section=10,
    task="KL(q(z|x) || N(0, I)) of each latent dimension in nats, averaged over examples, (k,), and whether a dimension is active, "
    "(k,) of booleans: the variance of its posterior mean over examples, divided by n, is above 0.01. mean and log_scale of "
    "q(z|x) are (n, k).",
    oracle=active_units,
    returns=("kl_per_dimension", "active"),
    draw=_case,
    form=gaussians.ACTIVE,
    slips=(*_FIRST, *_SECOND),
    laws=(
        Law(
            "a code that is the prior for every example costs nothing and is not active",
            lambda f: (
                equal(f(_ZERO, _ZERO)[0], [0.0, 0.0])
                and not any(bool(used) for used in f(_ZERO, _ZERO)[1])
            ),
        ),
        Law(
            "moving all posterior means by one number makes no dimension active",
            lambda f: equal(f(_MEANS, _ZERO)[1], f(_MEANS + 5.0, _ZERO)[1]),
        ),
    ),
    hints=(
        "Two questions about each column: how many nats does it cost, and does it tell examples apart?",
        "The cost is the divergence of exercise vae.kl without its sum over dimensions, averaged over rows. Telling apart is a "
        "variance over rows of `mean`; what log_scale says does not enter.",
        "kl = (0.5 * (mean**2 + (2 * log_scale).exp() - 1) - log_scale).mean(0); active = "
        "(mean - mean.mean(0)).square().mean(0) > 0.01.",
    ),
    picture=_picture,
    harder=True,
)
_ZERO = torch.zeros(3, 2).double()
_MEANS = torch.tensor([[0.0, 0.001], [0.5, 0.0], [1.0, 0.002]]).double()
