"""The harder exercise of section 7 on likelihoods: the density that a flow over time gives to
data."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.distributions import Normal

from pushforward.course.drawing import normal, sizes, uniform
from pushforward.course.exercise import Answer, Exercise, Law, Slip
from pushforward.course.forms import distances
from pushforward.course.laws import equal
from pushforward.course.pictures import curve

Field = Callable[[Tensor, Tensor], Tensor]
HALF_LOG_TAU = math.log(2 * math.pi) / 2
_X = torch.tensor([[0.5, -1.0], [2.0, 0.3], [-0.7, 1.6]]).double()


def ode_log_prob(x: Tensor, velocity: Field, divergence: Field, times: Tensor) -> Tensor:
    """Return the density by recursion: that of x moved by one step under the times that are left,
    and what the step adds."""
    if len(times) == 1:
        return Normal(torch.zeros_like(x), 1.0).log_prob(x).sum(1)
    step = torch.diff(times[:2])
    moved = torch.addcmul(x, step, velocity(x, times[0]))
    return torch.addcmul(
        ode_log_prob(moved, velocity, divergence, times[1:]), step, divergence(x, times[0])
    )


def _linear(rate: Tensor, slope: Tensor) -> tuple[Field, Field]:
    """Return `v(x, t) = (rate + slope t) x` and its divergence."""
    return (
        lambda x, t: (rate + slope * t) * x,
        lambda x, t: (rate + slope * t).sum().expand(len(x)),
    )


def _bent(rate: Tensor, slope: Tensor) -> tuple[Field, Field]:
    """Return `v(x, t) = (rate + slope t) (x + sin(2 x))` and its divergence, which differs from row
    to row."""
    return (
        lambda x, t: (rate + slope * t) * (x + (2 * x).sin()),
        lambda x, t: ((rate + slope * t) * (1 + 2 * (2 * x).cos())).sum(1),
    )


def _flow_case(g: torch.Generator, i: int) -> tuple[Tensor | Field, ...]:
    n, d = sizes(i)
    # later times are faster and steps uneven, so that a step with the time or the length of another
    # shows
    times = 0.2 + uniform(g, 1 + (4, 2, 5, 1, 3, 6)[i % 6], low=0.1, high=0.5).cumsum(0)
    return normal(g, n, d), *_bent(0.4 * normal(g, d), 0.4 * normal(g, d)), times


def _base(x: Tensor) -> Tensor:
    return (-0.5 * x**2 - HALF_LOG_TAU).sum(1)


def _euler(
    x: Tensor, v: Field, div: Field, times: Tensor, ends: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Return the end point and the integral of the divergence; `ends` are the times of evaluation,
    the beginnings by default."""
    change = torch.zeros(len(x)).to(x)
    for h, t in zip(times.diff(), times[:-1] if ends is None else ends):
        change, x = change + h * div(x, t), x + h * v(x, t)
    return x, change


def _divergence_at(place: Callable[[Tensor, Tensor], Tensor]) -> Answer:
    """Return an answer that takes the divergence elsewhere: at a place made of the data and of
    where a step leads."""

    def answer(x: Tensor, v: Field, div: Field, times: Tensor) -> Tensor:
        data, change = x, torch.zeros(len(x)).to(x)
        for h, t in zip(times.diff(), times[:-1]):
            x = x + h * v(x, t)
            change = change + h * div(place(data, x), t)
        return _base(x) + change

    return answer


def _with(combine: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Answer:
    """Return an answer made of the start, the end point and the integral."""
    return lambda x, v, div, times: combine(x, *_euler(x, v, div, times))


def _other_times(make: Callable[[Tensor], tuple[Tensor, Tensor]]) -> Answer:
    """Return an answer with other intervals and other times of evaluation."""

    def answer(x: Tensor, v: Field, div: Field, times: Tensor) -> Tensor:
        last, change = _euler(x, v, div, *make(times))
        return _base(last) + change

    return answer


def _even(times: Tensor) -> Tensor:
    share = torch.arange(len(times), dtype=times.dtype) / (len(times) - 1)
    return times[0] + share * (times[-1] - times[0])


def _unweighted(x: Tensor, v: Field, div: Field, times: Tensor) -> Tensor:
    return _base(_euler(x, v, div, times)[0]) + _steps(x, v, div, times, lambda h, t, x: div(x, t))


def _steps(x: Tensor, v: Field, div: Field, times: Tensor, adds: Answer) -> Tensor:
    """Return the sum over steps of what `adds(step, time, x)` makes of each."""
    total = torch.zeros(len(x)).to(x)
    for h, t in zip(times.diff(), times[:-1]):
        total, x = total + adds(h, t, x), x + h * v(x, t)
    return total


def _exact_volume(x: Tensor, v: Field, div: Field, times: Tensor) -> Tensor:
    def adds(h: Tensor, t: Tensor, x: Tensor) -> Tensor:
        x = x.detach().requires_grad_()
        # each column moves by itself, so the Jacobian is diagonal
        (slope,) = torch.autograd.grad(v(x, t).sum(), x)
        return (1 + h * slope).abs().log().sum(1)

    return _base(_euler(x, v, div, times)[0]) + _steps(x, v, div, times, adds)


def _flow_picture(answer: Answer) -> str:
    x = torch.linspace(-2, 2, 81, dtype=torch.float64)[:, None]
    flow = _linear(torch.full((1,), math.log(2)).double(), torch.zeros(1).double())
    lines = {
        f"K = {k}": answer(x, *flow, torch.linspace(0, 1, k + 1).double()).exp() for k in (1, 4, 32)
    }
    lines["exact"] = Normal(torch.tensor(0.0).double(), 0.5).log_prob(x[:, 0]).exp()
    return curve(x, lines, "x", "density of N(0, 1/4) by a flow that doubles x, with K Euler steps")


ODE = Exercise(
    name="score.ode_likelihood",
    title="The likelihood of a probability flow",
    section=7,
    task="log p(x) in nats, (n,), of data x (n, d) that dx/dt = velocity(x, t) carries to standard normal noise: Euler steps over "
    "times (K + 1,), with divergence(x, t), (n,), taken at the beginning of each step.",
    oracle=ode_log_prob,
    returns=("log_prob",),
    draw=_flow_case,
    form=distances.ODE,
    slips=(
        Slip(
            "the sign of the divergence is wrong: where a flow to the noise spreads data, they were denser",
            _with(lambda x, last, change: _base(last) - change),
        ),
        Slip(
            "the divergence is missing: volumes change along the flow",
            _with(lambda x, last, change: _base(last)),
        ),
        Slip(
            "only the integral of the divergence came back; the density of the noise is missing",
            _with(lambda x, last, change: change),
        ),
        Slip(
            "off by exactly d/2 log(2 pi): the constant of the normal density is missing",
            _with(lambda x, last, change: _base(last) + x.shape[1] * HALF_LOG_TAU + change),
        ),
        Slip(
            "off by a constant of the normal density: log(2 pi)/2 belongs to every dimension, and you took it once",
            _with(lambda x, last, change: _base(last) + (x.shape[1] - 1) * HALF_LOG_TAU + change),
        ),
        Slip(
            "the normal density is taken at the data and not at the end of the flow",
            _with(lambda x, last, change: _base(x) + change),
        ),
        Slip(
            "the point never moves: each step must start where the one before has ended",
            lambda x, v, div, times: (
                _base(x) + _steps(x, lambda x, t: 0 * x, div, times, lambda h, t, x: h * div(x, t))
            ),
        ),
        Slip(
            "the factor 1/2 of the square in the normal density is missing",
            _with(lambda x, last, change: _base(last) - 0.5 * (last**2).sum(1) + change),
        ),
        Slip("the divergences are added without the lengths of their steps", _unweighted),
        Slip(
            "the divergence is taken after the point has moved; take both at the beginning of the step",
            _divergence_at(lambda data, moved: moved),
        ),
        Slip(
            "the divergence is taken at the data in every step; it belongs to where the point is then",
            _divergence_at(lambda data, moved: data),
        ),
        Slip(
            "the divergence is taken at zero and not at the point",
            _divergence_at(lambda data, moved: torch.zeros_like(data)),
        ),
        Slip(
            "the divergence is averaged over the batch; each row has its own",
            _with(lambda x, last, change: _base(last) + change.mean()),
        ),
        Slip(
            "velocity and divergence are taken at the end of each step; Euler takes its beginning",
            _other_times(lambda times: (times, times[1:])),
        ),
        Slip(
            "the steps are of equal length; take the differences of the times given",
            _other_times(lambda times: (_even(times), times[:-1])),
        ),
        Slip(
            "the times are replaced by evenly spaced ones between the same ends; take those that are given",
            _other_times(lambda times: (_even(times), _even(times)[:-1])),
        ),
        Slip(
            "the time is counted from zero: velocities are those of other times",
            _other_times(lambda times: (times, times[:-1] - times[0])),
        ),
        Slip("the first step is left out", _other_times(lambda times: (times[1:], times[1:-1]))),
        Slip("the last step is left out", _other_times(lambda times: (times[:-1], times[:-2]))),
        Slip(
            "the times are run through from last to first: data are at the first one",
            _other_times(lambda times: (times.flip(0), times.flip(0)[:-1])),
        ),
        Slip(
            "the divergence is summed over dimensions already, and you multiplied by their number",
            _with(lambda x, last, change: _base(last) + x.shape[1] * change),
        ),
        Slip(
            "you averaged over dimensions; a log-density of independent parts is their sum",
            _with(lambda x, last, change: _base(last) / x.shape[1] + change),
        ),
        Slip(
            "you averaged over the batch; keep one log-density for each row",
            _with(lambda x, last, change: (_base(last) + change).mean()),
        ),
        Slip(
            "this is minus the log-density, a loss",
            _with(lambda x, last, change: -_base(last) - change),
        ),
        Slip(
            "this is the exact change of volume of each Euler step; asked for is the sum of step times divergence",
            _exact_volume,
        ),
    ),
    laws=(
        Law(
            "without a flow it is the standard normal log-density",
            lambda f: equal(
                f(_X, *_linear(0 * _X[0], 0 * _X[0]), torch.arange(4).double()), _base(_X)
            ),
        ),
        Law(
            "a constant velocity moves the point and changes no volume",
            lambda f: equal(
                f(_X, lambda x, t: 0 * x + 2, lambda x, t: 0 * x[:, 0], torch.arange(4).double()),
                _base(_X + 6),
            ),
        ),
    ),
    hints=(
        "Two running values: where the point is, and how much log-volume it has collected. One loop over intervals changes both.",
        "In each step add step * divergence to the one and step * velocity to the other, both taken at the beginning of the "
        "interval, before the point has moved.",
        "for start, step in zip(times[:-1], times.diff()): ... ; then add the sum over dimensions of -x**2/2 - "
        "log(2 pi)/2 at the final x.",
    ),
    picture=_flow_picture,
    harder=True,
)
