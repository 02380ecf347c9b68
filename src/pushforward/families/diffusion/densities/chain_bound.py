"""The bound of a chain of T steps: what the ancestral sampler of as many steps pays in nats for an
example, term by term.

Two ideas: the chain has the sampler's own levels and variances, so that it bounds the very
distribution that is drawn from; its terms are closed in the denoised mean, and only the noise (and,
of a long chain, the choice of terms) is Monte Carlo.
"""

from __future__ import annotations

import torch
from torch import Tensor

from pushforward.core.curve import Curve, mean_curve
from pushforward.core.errors import BadInput
from pushforward.core.estimator import Draws
from pushforward.core.monte_carlo import systematic_error
from pushforward.core.noise import Noise
from pushforward.core.space import Unit
from pushforward.families.diffusion.denoisers.known_levels import DataDecoder
from pushforward.families.diffusion.densities.continuous_bound import (
    Estimate,
    GaussianControl,
    noised_groups,
    prior_divergence,
)
from pushforward.families.diffusion.paths.path import Path
from pushforward.families.diffusion.solvers.noise_grids import grid_levels
from pushforward.families.diffusion.solvers.variance import Reverse, log_excess, step_divergence

MOST_DRAWS = 128


def chain_levels(steps: int, path: Path) -> Tensor:
    """Return the decreasing levels of a chain, even in log-SNR: those of the sampler `ddpm` with
    the grid `log-snr`.

    With Gaussian data the small variances lose 1.6 times more on the grid `karras`.

    Raises:
        BadInput: fewer than two steps.
    """
    require_chain(steps)
    return grid_levels("log-snr", steps, path)


def default_draws(count: int) -> int:
    """Return two draws of each of `count` terms, which show their spread, or 128 of a long chain's.

    Example:
        >>> default_draws(63), default_draws(999)
        (126, 128)
    """
    return min(2 * count, MOST_DRAWS)


def require_chain(steps: int) -> None:
    """Refuse a chain without a step between two positive noise levels.

    Raises:
        BadInput: fewer than two steps.
    """
    if steps < 2:
        raise BadInput(
            f"a discrete-time bound in steps={steps}",
            "at least two",
            "one step decodes noise and learns nothing of x",
        )


def chosen_terms(count: int, samples: int, shift: Tensor) -> Tensor:
    """Return which of `count` terms each of `samples` draws looks at, in order, shape (n, samples).

    A multiple of `count` visits every term as often; anything else is an even grid with one random
    shift per example, so that every term is as probable.

    Example:
        >>> chosen_terms(3, 6, torch.tensor([0.9])).tolist(), chosen_terms(4, 2, torch.tensor([0.6], dtype=torch.float64)).tolist()
        ([[0, 0, 1, 1, 2, 2]], [[1, 3]])
    """
    order = torch.arange(samples, device=shift.device)
    if samples % count == 0:
        return (order // (samples // count)).expand(len(shift), -1)
    place = (order + shift.unsqueeze(1)) * (count / samples)
    return place.floor().long().clamp(max=count - 1)


def drawn_terms(
    reverse: Reverse,
    levels: Tensor,
    index: Tensor,
    x: Tensor,
    noise: Noise,
    control: GaussianControl | None = None,
    scalars: int = 1 << 15,
) -> Tensor:
    """Return one draw of `L_(t-1) = KL(q(y' | y, x) || p(y' | y))` for every chosen term, shape (n,
    draws), in nats.

    Args:
        levels: the chain's noise levels, decreasing, shape (T,).
        index: term j steps from level j to level j + 1; shape (n, draws).
        control: a Gaussian model of the data, whose surplus error is noise of mean zero; see
            `elbo`.
        scalars: see `noised_groups`.
    """
    levels, parts = levels.to(x.device), []
    for columns, clean, y, level in noised_groups(x, levels[index], noise, scalars):
        j = index[:, columns]
        s, then = levels[j].flatten(), levels[j + 1].flatten()
        found, share = reverse(y, level)
        nats = step_divergence(clean, found, share, s, then)
        if control is not None:
            # the weight of the error under the large variance unless it is known to be another: any
            # weight has mean zero
            weight = 0.5 * (1.0 / then**2 - 1.0 / s**2)
            certain = share.double() if share.dim() == 0 else torch.ones((), dtype=torch.float64)
            weight = weight * torch.exp(-certain * log_excess(s, then))
            nats = nats - weight.to(x) * control.surplus(
                clean, y, level.reshape(-1, *(1 for _ in x.shape[1:]))
            )
        parts.append(nats.reshape(j.shape))
    return torch.cat(parts, dim=1)


def vlb(
    path: Path,
    reverse: Reverse,
    decoder: DataDecoder,
    levels: Tensor,
    x: Tensor,
    draws: Draws,
    control: GaussianControl | None = None,
    scalars: int = 1 << 15,
) -> Estimate:
    """Return the discrete-time variational bound and its standard error, both of shape (n,) in
    nats.

    `log p(x) >= -L_T - sum_t L_(t-1) - L_0` (Ho et al. 2020, equation 5): the prior's divergence at
    the largest level, that of every step, and the decoder at the smallest level. As T grows it
    rises to the continuous bound, at rate 1/T where the variances are the small ones.

    The standard error is that of the noise within each term where every term was drawn twice or
    more, and that of systematic sampling from successive differences otherwise, which is
    conservative where terms differ.

    Args:
        levels: decreasing from the path's largest to its smallest, shape (T,); the ancestral
            sampler's own.
        draws: their samples are terms per example; see `chosen_terms`.
    """
    require_chain(len(levels))
    n, count, noise, samples = x.shape[0], len(levels) - 1, draws.noise, draws.samples
    index = chosen_terms(count, samples, noise.uniform(dtype=torch.float64))
    terms = drawn_terms(reverse, levels, index, x, noise, control, scalars)
    nats = decoder.expected(x) - prior_divergence(path, x) - count * terms.mean(1)
    if samples % count == 0 and samples > count:
        each = samples // count
        return nats, (terms.reshape(n, count, each).var(2).sum(1) / each).sqrt()
    return nats, systematic_error(count * terms)


def terms_curve(
    path: Path,
    reverse: Reverse,
    decoder: DataDecoder,
    steps: int,
    x: Tensor,
    noise: Noise,
    unit: Unit,
    scale: float,
) -> Curve:
    """Return the mean of every `L_(t-1)` of a chain over examples, in the unit of the data, against
    the level it comes from.

    The reference is the small variance's `D/2 (1/s'^2 - 1/s^2) d^2 s^2/(s^2 + d^2)` for Gaussian
    data of standard deviation d.

    Args:
        scale: d.
    """
    levels = chain_levels(steps, path)
    index = torch.arange(steps - 1, device=x.device).flip(0).expand(len(x), -1)
    terms = drawn_terms(reverse, levels, index, x, noise) / unit.nats_per_unit
    y, stderr = mean_curve(terms)
    s, then = levels[:-1].flip(0), levels[1:].flip(0)
    error = x[0].numel() * scale**2 * s**2 / (s**2 + scale**2)
    gaussian = 0.5 * (1.0 / then**2 - 1.0 / s**2) * error / unit.nats_per_unit
    first, last = (
        unit.from_nats(-float(nats.double().mean()))
        for nats in (-decoder.expected(x), prior_divergence(path, x))
    )
    return Curve(
        "terms of the bound by noise level",
        "noise level s that a step comes from",
        f"KL(q(y'|y, x) || p(y'|y)) [{unit.name}]",
        tuple(s.tolist()),
        y,
        f"What each of {steps - 1} ancestral steps costs; the decoder adds {first:.4g} and the prior {last:.2g} {unit.name}, and "
        "all together are the bound of that sampler.",
        stderr,
        tuple(gaussian.tolist()),
        "Gaussian data",
        log_x=True,
    )
