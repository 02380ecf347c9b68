"""Exercises of section 3: the pieces of a variational autoencoder."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from pushforward.course.drawing import normal, sizes
from pushforward.course.exercise import Answer, Exercise, Law, Slip
from pushforward.course.forms import gaussians, likelihoods, noising
from pushforward.course.laws import equal, number
from pushforward.course.pictures import cloud, curve

HALF_LOG_TAU = math.log(2 * math.pi) / 2


def kl_to_standard_normal(mean: Tensor, log_scale: Tensor) -> Tensor:
    """Return torch's divergence of independent normals."""
    return kl_divergence(Normal(mean, log_scale.exp()), Normal(torch.zeros_like(mean), 1.0)).sum(1)


def _halves(mean: Tensor, log_scale: Tensor) -> Tensor:
    return 0.5 * (mean**2 + (2 * log_scale).exp() - 1) - log_scale


def _kl_picture(answer: Answer) -> str:
    means = torch.linspace(-3, 3, 61, dtype=torch.float64)
    rows = {
        f"sigma = {s:g}": answer(means[:, None], torch.full((61, 1), math.log(s)).double())
        for s in (0.3, 1.0, 2.0)
    }
    return curve(means, rows, "mean of q", "KL to the standard normal, in nats")


KL = Exercise(
    name="vae.kl",
    title="KL divergence of a Gaussian to the standard normal",
    section=3,
    task="Divergence KL(N(mean, diag(exp(log_scale))^2) || N(0, I)) in nats, for each row of mean and log_scale, both (n, d).",
    oracle=kl_to_standard_normal,
    returns=("divergence",),
    gradients=("mean", "log_scale"),
    draw=lambda g, i: (normal(g, *sizes(i)), 0.7 * normal(g, *sizes(i)) - 0.3),
    form=gaussians.KL,
    slips=(
        Slip("one value for each dimension came back; sum over dimensions", _halves),
        Slip(
            "you averaged over dimensions; a divergence of independent parts is their sum",
            lambda m, s: _halves(m, s).mean(1),
        ),
        Slip(
            "you averaged over the batch; keep one divergence for each row",
            lambda m, s: _halves(m, s).sum(1).mean(),
        ),
        Slip(
            "you averaged over the batch in place of summing over dimensions: the wrong axis",
            lambda m, s: _halves(m, s).mean(0),
        ),
        Slip(
            "you summed over everything; keep one divergence for each row",
            lambda m, s: _halves(m, s).sum(),
        ),
        Slip("you summed over the batch: the wrong axis", lambda m, s: _halves(m, s).sum(0)),
        Slip(
            "sigma stands where sigma squared belongs",
            lambda m, s: (0.5 * (m**2 + s.exp() - 1) - s).sum(1),
        ),
        Slip(
            "log_scale is the logarithm of sigma, and you read it as that of sigma squared",
            lambda m, s: 0.5 * (m**2 + s.exp() - 1 - s).sum(1),
        ),
        Slip("the mean is not squared", lambda m, s: (0.5 * (m + (2 * s).exp() - 1) - s).sum(1)),
        Slip(
            "the sign of the logarithm is wrong",
            lambda m, s: (0.5 * (m**2 + (2 * s).exp() - 1) + s).sum(1),
        ),
        Slip(
            "the constant -1/2 of every dimension is missing: the divergence of a standard normal would not be zero",
            lambda m, s: (0.5 * (m**2 + (2 * s).exp()) - s).sum(1),
        ),
        Slip(
            "the log-determinant is missing: -log sigma for every dimension; so is the constant -1/2 of each",
            lambda m, s: 0.5 * (m**2 + (2 * s).exp()).sum(1),
        ),
        Slip(
            "the log-determinant is missing: -log sigma for every dimension",
            lambda m, s: 0.5 * (m**2 + (2 * s).exp() - 1).sum(1),
        ),
        Slip(
            "the factor 1/2 belongs to the squares too",
            lambda m, s: (m**2 + (2 * s).exp() - 1 - s).sum(1),
        ),
        Slip("twice too large: the factor 1/2 is missing", lambda m, s: 2 * _halves(m, s).sum(1)),
        Slip(
            "this is the divergence the other way round, of the standard normal to q",
            lambda m, s: (0.5 * (m**2 + 1) * (-2 * s).exp() - 0.5 + s).sum(1),
        ),
        Slip(
            "the sign is wrong: a divergence is never negative, and a loss adds it",
            lambda m, s: -_halves(m, s).sum(1),
        ),
    ),
    laws=(
        Law(
            "a standard normal is at distance zero from itself",
            lambda f: equal(f(torch.zeros(2, 3).double(), torch.zeros(2, 3).double()), [0.0, 0.0]),
        ),
        Law(
            "turning the mean over changes nothing",
            lambda f: equal(f(_M, _S), f(-_M, _S)),
        ),
    ),
    hints=(
        "Both densities are products over dimensions, so the divergence is a sum: solve one dimension first.",
        "KL = E_q[log q - log p]. The two constants log(2 pi)/2 cancel; E_q[z^2] is mean^2 + sigma^2, and E_q[((z "
        "- mean)/sigma)^2] is 1.",
        "One dimension gives (mean^2 + sigma^2 - 1)/2 - log sigma, with sigma = exp(log_scale). Sum it over "
        "dimensions, not over rows.",
    ),
    picture=_kl_picture,
)
_M, _S = torch.tensor([[0.5, -1.0]]).double(), torch.tensor([[0.2, -0.4]]).double()


def reparameterise(mean: Tensor, log_scale: Tensor, noise: Tensor) -> Tensor:
    """Return the draw by one fused operation."""
    return torch.addcmul(mean, torch.exp(log_scale), noise)


def _draws(answer: Answer) -> str:
    noise = normal(torch.Generator().manual_seed(0), 400, 2)
    mean, log_scale = (
        torch.tensor([[1.5, -0.5]]).double(),
        torch.tensor([[0.7, 0.2]]).double().log(),
    )
    moved = answer(mean.expand(400, 2), log_scale.expand(400, 2), noise)
    return cloud(moved, noise, "noise, in grey, moved and stretched to the draws")


REPARAMETERISE = Exercise(
    name="vae.reparameterise",
    title="The reparameterisation trick",
    section=3,
    task="A draw from N(mean, exp(log_scale)^2) made from standard normal noise of the same shape, so that gradients reach both.",
    oracle=reparameterise,
    returns=("draw",),
    gradients=("mean", "log_scale"),
    draw=lambda g, i: (
        normal(g, *sizes(i)),
        0.7 * normal(g, *sizes(i)) - 0.3,
        normal(g, *sizes(i)),
    ),
    form=noising.DRAW,
    slips=(
        Slip("noise is multiplied by log sigma, not by sigma", lambda m, s, e: m + s * e),
        Slip(
            "sigma squared stands where sigma belongs: a draw is scaled by the standard deviation",
            lambda m, s, e: m + (2 * s).exp() * e,
        ),
        Slip(
            "log_scale is the logarithm of sigma, and you read it as that of sigma squared",
            lambda m, s, e: m + (s / 2).exp() * e,
        ),
        Slip("the mean is not added", lambda m, s, e: s.exp() * e),
        Slip("the mean is scaled too: only the noise is", lambda m, s, e: (m + e) * s.exp()),
        Slip("the noise is not scaled", lambda m, s, e: m + e),
        Slip(
            "the sign of the noise is wrong; a draw would have the right law, and not these numbers",
            lambda m, s, e: m - s.exp() * e,
        ),
        Slip(
            "this standardises: it goes from data to noise, the inverse of what is asked",
            lambda m, s, e: (e - m) / s.exp(),
        ),
        Slip("no noise is in it: this is the mean", lambda m, s, e: m),
    ),
    laws=(
        Law(
            "without noise the draw is the mean",
            lambda f: equal(f(_M, _S, torch.zeros_like(_M)), _M),
        ),
    ),
    hints=(
        "Which function of a standard normal number has mean m and standard deviation sigma?",
        "Move and stretch: the noise is multiplied by something, and the mean is added.",
        "mean + exp(log_scale) * noise. No `.data`, `.detach()` or `.item()`: the gradient to mean is 1, that to "
        "log_scale is sigma times noise.",
    ),
    picture=_draws,
)


def elbo(
    x: Tensor, mean: Tensor, log_scale: Tensor, decoded_mean: Tensor, decoded_log_scale: Tensor
) -> Tensor:
    """Return the bound by torch's distributions."""
    fit = Normal(decoded_mean, decoded_log_scale.exp()).log_prob(x).sum(1)
    return fit - kl_to_standard_normal(mean, log_scale)


def _fit(x: Tensor, mean: Tensor, log_scale: Tensor) -> Tensor:
    return (-0.5 * ((x - mean) / log_scale.exp()) ** 2 - log_scale - HALF_LOG_TAU).sum(1)


def _elbo_case(g: torch.Generator, i: int) -> tuple[Tensor, ...]:
    n, d = sizes(i)
    codes = n, d + 1
    return (
        normal(g, n, d),
        normal(g, *codes),
        0.5 * normal(g, *codes),
        normal(g, n, d),
        0.5 * normal(g, n, d),
    )


def _bounds(answer: Answer) -> str:
    """One coordinate and one code, x = z + noise of scale s: the bound of x = 1 by the mean of q,
    for three decoders."""
    means, zero = (
        torch.linspace(-2, 3, 51, dtype=torch.float64)[:, None],
        torch.zeros(51, 1, dtype=torch.float64),
    )
    rows = {
        f"s = {s:g}": answer(zero + 1, means, zero + math.log(0.5), means, zero + math.log(s))
        for s in (0.5, 1.0, 2.0)
    }
    return curve(
        means, rows, "mean of q, decoded as it is", "the bound of x = 1 by the mean of the code"
    )


ELBO = Exercise(
    name="vae.elbo",
    title="The evidence lower bound",
    section=3,
    task="The bound log p(x|z) - KL(q(z|x) || N(0, I)) in nats, (n,): x is (n, d), mean and log_scale of q(z|x) are (n, k), and "
    "decoded_mean and decoded_log_scale describe p(x|z) of one z drawn from q, (n, d).",
    oracle=elbo,
    returns=("bound",),
    gradients=("mean", "log_scale", "decoded_mean", "decoded_log_scale"),
    draw=_elbo_case,
    form=gaussians.ELBO,
    slips=(
        Slip(
            "the KL is added; a code that costs nats lowers the bound",
            lambda x, m, s, a, b: _fit(x, a, b) + _halves(m, s).sum(1),
        ),
        Slip(
            "this is the loss, minus the bound; return the bound",
            lambda x, m, s, a, b: _halves(m, s).sum(1) - _fit(x, a, b),
        ),
        Slip("the KL is missing", lambda x, m, s, a, b: _fit(x, a, b)),
        Slip("the term log p(x|z) is missing", lambda x, m, s, a, b: -_halves(m, s).sum(1)),
        Slip(
            "off by exactly d/2 log(2 pi): the constant of the Gaussian p(x|z) is missing",
            lambda x, m, s, a, b: _fit(x, a, b) + x.shape[1] * HALF_LOG_TAU - _halves(m, s).sum(1),
        ),
        Slip(
            "log p(x|z) has no normaliser: -log sigma of every dimension is missing",
            lambda x, m, s, a, b: (_fit(x, a, b) + b.sum(1)) - _halves(m, s).sum(1),
        ),
        Slip(
            "squared error without the factor 1/2 and without sigma is no log-likelihood",
            lambda x, m, s, a, b: -((x - a) ** 2).sum(1) - _halves(m, s).sum(1),
        ),
        Slip(
            "you averaged over dimensions of x: the two terms would not be in the same unit",
            lambda x, m, s, a, b: _fit(x, a, b) / x.shape[1] - _halves(m, s).sum(1),
        ),
        Slip(
            "you averaged over the batch; keep one bound for each row",
            lambda x, m, s, a, b: (_fit(x, a, b) - _halves(m, s).sum(1)).mean(),
        ),
        Slip(
            "the KL is averaged over dimensions: a weight that no bound has",
            lambda x, m, s, a, b: _fit(x, a, b) - _halves(m, s).mean(1),
        ),
    ),
    hints=(
        "Two terms: how well x is explained by its code, and what the code costs.",
        "log p(x|z) of independent Gaussians is a sum over dimensions of -((x - m)/s)^2/2 - log s - log(2 pi)/2; "
        "the cost is exercise vae.kl.",
        "fit = (-0.5 * ((x - decoded_mean) / decoded_log_scale.exp())**2 - decoded_log_scale - 0.5 * math.log(2 * "
        "math.pi)).sum(1); return fit - kl.",
    ),
    picture=_bounds,
    harder=True,
)


def iwae(log_weights: Tensor) -> Tensor:
    """Return the bound by torch's stable sum."""
    return log_weights.logsumexp(0) - math.log(len(log_weights))


def _tightening(answer: Answer) -> str:
    """Log-weights normal with variance two and mean log p - 1, log p = 0: the bound rises to 0 with
    the number of draws."""
    draws = (1, 2, 4, 8, 16, 32, 64, 128)
    weights = 2**0.5 * normal(torch.Generator().manual_seed(0), 128, 2000) - 1
    bounds = [float(answer(weights[:k]).mean()) for k in draws]
    return curve(
        draws,
        {"bound": bounds, "log p": [0.0] * len(draws)},
        "draws K",
        "more draws, a tighter bound",
        log_x=True,
    )


def _iwae_case(g: torch.Generator, i: int) -> tuple[Tensor]:
    n, d = sizes(i)
    # far from zero: exp would underflow, as it does with every real image
    return (3 * normal(g, d + 1, n) - 900.0,)


IWAE = Exercise(
    name="vae.iwae",
    title="The importance-weighted bound",
    section=3,
    task="The bound log(1/K sum_k w_k) in nats, (n,), from log_weights of shape (K, n), log w_k = log p(x, z_k) - log q(z_k|x).",
    oracle=iwae,
    returns=("bound",),
    gradients=("log_weights",),
    draw=_iwae_case,
    form=likelihoods.IWAE,
    slips=(
        Slip("log inside the mean: this is the plain ELBO, which is looser", lambda w: w.mean(0)),
        Slip(
            "off by exactly log K: the sum is not divided by the number of draws",
            lambda w: w.logsumexp(0),
        ),
        Slip("log K is added; a mean divides", lambda w: w.logsumexp(0) + math.log(len(w))),
        Slip(
            "the sum runs over examples and not over draws: the wrong axis",
            lambda w: w.logsumexp(1) - math.log(w.shape[1]),
        ),
        Slip(
            "the mean is over examples and not over draws, and log is inside it",
            lambda w: w.mean(1),
        ),
        Slip(
            "log_weights are logarithms already, and exp of them underflows to zero: take the largest out first (logsumexp)",
            lambda w: w.exp().mean(0).log(),
        ),
        Slip(
            "only the largest weight counts here: that is a bound on the mean, not the mean",
            lambda w: w.amax(0) - math.log(len(w)),
        ),
        Slip("only the largest weight counts here", lambda w: w.amax(0)),
        Slip(
            "you averaged over the batch; keep one bound for each example",
            lambda w: (w.logsumexp(0) - math.log(len(w))).mean(),
        ),
        Slip("divided by K after the logarithm", lambda w: w.logsumexp(0) / len(w)),
    ),
    laws=(
        Law(
            "with one draw it is that draw's log-weight",
            lambda f: equal(
                f(torch.tensor([[-3.0, -900.0]]).double()), torch.tensor([-3.0, -900.0])
            ),
        ),
        Law(
            "it lies above the mean of the log-weights",
            lambda f: bool((number(f(_W)) > _W.mean(0)).all()),
        ),
    ),
    hints=(
        "An average of weights, then one logarithm; the order matters, and Jensen's inequality says in which direction.",
        "exp(-900) is zero in float64. Subtract the largest log-weight, add it back at the end.",
        "torch.logsumexp(log_weights, 0) - math.log(K), with K = len(log_weights).",
    ),
    picture=_tightening,
    harder=True,
)
_W = torch.tensor([[-900.0, -3.0], [-901.0, -7.0], [-905.0, -4.0]]).double()

EXERCISES = (KL, REPARAMETERISE, ELBO, IWAE)
