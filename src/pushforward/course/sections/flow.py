"""Exercises of section 5: the change of variables, and a layer whose determinant is a sum."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.distributions import Normal

from pushforward.course.drawing import normal, sizes
from pushforward.course.exercise import Answer, Exercise, Law, Slip
from pushforward.course.forms import gaussians, likelihoods
from pushforward.course.laws import equal, number
from pushforward.course.pictures import cloud, curve

HALF_LOG_TAU = math.log(2 * math.pi) / 2
Network = Callable[[Tensor], tuple[Tensor, Tensor]]


def flow_log_prob(x: Tensor, shift: Tensor, log_scale: Tensor) -> Tensor:
    """Return the log-density of torch's normal, which this flow is."""
    return Normal(shift, log_scale.exp()).log_prob(x)


def _log_prob_case(g: torch.Generator, i: int) -> tuple[Tensor, Tensor, Tensor]:
    n = sizes(i)[0]
    return 2 * normal(g, n), normal(g, 1)[0], 0.6 * normal(g, 1)[0] - 0.4


def _base(z: Tensor) -> Tensor:
    return -0.5 * z**2 - HALF_LOG_TAU


def _code(x: Tensor, m: Tensor, s: Tensor) -> Tensor:
    return (x - m) * (-s).exp()


def _scalar(value: float) -> Tensor:
    return torch.tensor(value, dtype=torch.float64)


def _mass(answer: Answer) -> float:
    """Return the integral of the density, which is smooth and all but zero at the ends."""
    x = torch.linspace(-30, 30, 6001, dtype=torch.float64)
    return float(number(answer(x, _scalar(1.0), _scalar(0.7))).exp().sum() * 0.01)


def _log_prob_picture(answer: Answer) -> str:
    x = torch.linspace(-4, 6, 201, dtype=torch.float64)
    settings = {"N(0, 1)": (0.0, 1.0), "N(0, 4)": (0.0, 2.0), "N(2, 1/4)": (2.0, 0.5)}
    rows = {
        name: number(answer(x, _scalar(m), _scalar(math.log(s)))).exp()
        for name, (m, s) in settings.items()
    }
    return curve(x, rows, "x", "densities of an affine flow: moved, and stretched at constant mass")


LOG_PROB = Exercise(
    name="flow.log_prob",
    title="Change of variables",
    section=5,
    task="The log-density in nats, (n,), of x (n,) under the flow z = (x - shift) * exp(-log_scale) to a standard normal z; shift "
    "and log_scale are 0-d tensors.",
    oracle=flow_log_prob,
    returns=("log_density",),
    gradients=("shift", "log_scale"),
    draw=_log_prob_case,
    form=gaussians.LOG_PROB,
    slips=(
        Slip(
            "the log-determinant of the map is missing: this is the density of the code",
            lambda x, m, s: _base(_code(x, m, s)),
        ),
        Slip(
            "the sign of the log-determinant is wrong: dz/dx is wanted, not dx/dz",
            lambda x, m, s: _base(_code(x, m, s)) + s,
        ),
        Slip(
            "off by exactly log(2 pi) / 2: the constant of the standard normal is missing",
            lambda x, m, s: -0.5 * _code(x, m, s) ** 2 - s,
        ),
        Slip(
            "off by exactly log(2 pi) / 2: the constant of one dimension is half of log(2 pi), and you subtracted all of it",
            lambda x, m, s: _base(_code(x, m, s)) - HALF_LOG_TAU - s,
        ),
        Slip(
            "the constant log(2 pi) / 2 is added; it is subtracted",
            lambda x, m, s: _base(_code(x, m, s)) + 2 * HALF_LOG_TAU - s,
        ),
        Slip(
            "the constant and the log-determinant are missing",
            lambda x, m, s: -0.5 * _code(x, m, s) ** 2,
        ),
        Slip(
            "the factor 1/2 of the square is missing",
            lambda x, m, s: -(_code(x, m, s) ** 2) - HALF_LOG_TAU - s,
        ),
        Slip("the code is not squared", lambda x, m, s: -0.5 * _code(x, m, s) - HALF_LOG_TAU - s),
        Slip(
            "the sign of the square is wrong: the density would grow away from the shift",
            lambda x, m, s: 0.5 * _code(x, m, s) ** 2 - HALF_LOG_TAU - s,
        ),
        Slip(
            "x is multiplied by the scale; on the way to the code it is divided",
            lambda x, m, s: _base((x - m) * s.exp()) - s,
        ),
        Slip(
            "this is the map the other way round, from codes to examples, with its own determinant",
            lambda x, m, s: _base(x * s.exp() + m) + s,
        ),
        Slip(
            "the shift is added; on the way to the code it is subtracted",
            lambda x, m, s: _base(_code(x, -m, s)) - s,
        ),
        Slip("the shift is not subtracted", lambda x, m, s: _base(x * (-s).exp()) - s),
        Slip("only x is scaled: the shift is too", lambda x, m, s: _base(x * (-s).exp() - m) - s),
        Slip(
            "the normal density is taken at x and not at the code z", lambda x, m, s: _base(x) - s
        ),
        Slip(
            "log_scale is the logarithm of a factor, and you read it as that of its square",
            lambda x, m, s: _base(_code(x, m, s / 2)) - s / 2,
        ),
        Slip(
            "log_scale is used as if it were the scale: its exponential is missing in the code",
            lambda x, m, s: _base((x - m) / s) - s,
        ),
        Slip(
            "the scale stands where its logarithm belongs, in the determinant",
            lambda x, m, s: _base(_code(x, m, s)) - s.exp(),
        ),
        Slip(
            "the determinant is not that of the map: its slope is exp(-log_scale), the same for every x",
            lambda x, m, s: _base(_code(x, m, s)) * (-s).exp(),
        ),
        Slip(
            "this is the density and not its logarithm",
            lambda x, m, s: (_base(_code(x, m, s)) - s).exp(),
        ),
        Slip(
            "this is minus the log-density, a loss; return the log-density",
            lambda x, m, s: s - _base(_code(x, m, s)),
        ),
        Slip(
            "you averaged over the batch; keep one log-density for each x",
            lambda x, m, s: (_base(_code(x, m, s)) - s).mean(),
        ),
        Slip(
            "you summed over the batch; keep one log-density for each x",
            lambda x, m, s: (_base(_code(x, m, s)) - s).sum(),
        ),
    ),
    laws=(
        Law(
            "without shift and scale it is the standard normal",
            lambda f: equal(f(_X, _scalar(0.0), _scalar(0.0)), _base(_X)),
        ),
        Law(
            "moving x and the shift together changes nothing",
            lambda f: equal(
                f(_X, _scalar(0.3), _scalar(-0.5)), f(_X + 2, _scalar(2.3), _scalar(-0.5))
            ),
        ),
        Law("the density integrates to one", lambda f: math.isclose(_mass(f), 1.0, rel_tol=1e-5)),
    ),
    hints=(
        "Mass is kept: p(x) |dx| = p(z) |dz|. How long is a piece of z that comes from a piece of x?",
        "log p(x) = log N(z; 0, 1) + log |dz/dx|, and dz/dx is the number that x - shift is multiplied by.",
        "log |dz/dx| = -log_scale, and log N(z; 0, 1) = -z**2 / 2 - log(2 pi) / 2.",
    ),
    picture=_log_prob_picture,
)
_X = torch.tensor([0.5, -1.5, 2.0]).double()


def coupling(x: Tensor, network: Network) -> tuple[Tensor, Tensor]:
    """Return the coupling with the determinant of its whole Jacobian, row by row."""

    def one(row: Tensor) -> Tensor:
        half = len(row) // 2
        shift, log_scale = network(row[None, :half])
        return torch.hstack(
            [row[:half], torch.addcmul(shift[0], row[half:], torch.exp(log_scale[0]))]
        )

    jacobians = [torch.autograd.functional.jacobian(one, row, create_graph=True) for row in x]
    return torch.stack([one(row) for row in x]), torch.stack(
        [torch.linalg.slogdet(j).logabsdet for j in jacobians]
    )


def _coupling_case(g: torch.Generator, i: int) -> tuple[Tensor, Network]:
    n, d = sizes(i)
    kept, changed = d // 2, d - d // 2
    first, second, a, b = (
        normal(g, kept, changed),
        normal(g, kept, changed),
        normal(g, changed),
        normal(g, changed),
    )
    return normal(g, n, d), lambda v: (
        torch.sin(v @ first + a),
        0.7 * torch.tanh(v @ second + b) + 0.3,
    )


def _parts(x: Tensor, network: Network) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return what is kept, what is to be changed, shift and log-scale."""
    half = x.shape[1] // 2
    return x[:, :half], x[:, half:], *network(x[:, :half])


def _made(x: Tensor, network: Network, change: Answer, log_det: Answer) -> tuple[Tensor, Tensor]:
    """Return a coupling with a change of its own: y_changed = change(changed, shift, log_scale),
    and the same for log_det."""
    kept, changed, shift, log_scale = _parts(x, network)
    return torch.cat([kept, change(changed, shift, log_scale)], 1), log_det(
        changed, shift, log_scale
    )


def _affine(c: Tensor, t: Tensor, s: Tensor) -> Tensor:
    return c * s.exp() + t


def _total(c: Tensor, t: Tensor, s: Tensor) -> Tensor:
    return s.sum(1)


def _last_kept(x: Tensor, network: Network) -> tuple[Tensor, Tensor]:
    count = x.shape[1] - x.shape[1] // 2
    shift, log_scale = network(x[:, count:])
    return torch.cat([x[:, :count] * log_scale.exp() + shift, x[:, count:]], 1), log_scale.sum(1)


def _exchanged(x: Tensor, network: Network) -> tuple[Tensor, Tensor]:
    kept, changed, shift, log_scale = _parts(x, network)
    return torch.cat([_affine(changed, shift, log_scale), kept], 1), log_scale.sum(1)


def _wave(v: Tensor) -> tuple[Tensor, Tensor]:
    return 2 * torch.sin(1.5 * v), 0.8 * torch.cos(1.5 * v) - 0.5


def _undone(answer: Answer) -> bool:
    """Whether the affine map of the changed half, turned round, finds x again."""
    y = number(answer(_ROWS, lambda v: _wave(v.repeat(1, 2)))[0])
    shift, log_scale = _wave(y[:, :1].repeat(1, 2))
    return equal(torch.cat([y[:, :1], (y[:, 1:] - shift) * (-log_scale).exp()], 1), _ROWS)


def _coupling_picture(answer: Answer) -> str:
    x = torch.randn(1500, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return cloud(
        answer(x, _wave)[0],
        x,
        says="Gaussian noise in grey and what one coupling makes of it",
        colour=1,
    )


COUPLING = Exercise(
    name="flow.coupling",
    title="An affine coupling",
    section=5,
    task="The coupling that keeps the first d // 2 columns of x (n, d) and makes the others changed * exp(log_scale) + shift, "
    "where shift, log_scale = network(kept), each (n, d - d // 2); y is (n, d), and log_det is log|det dy/dx| of each row, (n,).",
    oracle=coupling,
    returns=("y", "log_det"),
    gradients=("x",),
    draw=_coupling_case,
    form=likelihoods.COUPLING,
    slips=(
        Slip(
            "y and log_det are returned in the wrong order",
            lambda x, f: _made(x, f, _affine, _total)[::-1],
        ),
        Slip(
            "only the changed half came back; y has all columns of x",
            lambda x, f: (_affine(*_parts(x, f)[1:]), _total(*_parts(x, f)[1:])),
        ),
        Slip(
            "the sign of the log-determinant is wrong: scales above one make volume grow",
            lambda x, f: _made(x, f, _affine, lambda c, t, s: -s.sum(1)),
        ),
        Slip(
            "the log-determinant is zero: only a coupling that shifts and does not scale keeps the volume",
            lambda x, f: _made(x, f, _affine, lambda c, t, s: 0 * s.sum(1)),
        ),
        Slip(
            "this is the determinant and not its logarithm",
            lambda x, f: _made(x, f, _affine, lambda c, t, s: s.exp().prod(1)),
        ),
        Slip(
            "the scales are added and their logarithms should be: a determinant is a product",
            lambda x, f: _made(x, f, _affine, lambda c, t, s: s.exp().sum(1)),
        ),
        Slip(
            "the log-determinant is averaged over columns; the logarithm of a product is a sum",
            lambda x, f: _made(x, f, _affine, lambda c, t, s: s.mean(1)),
        ),
        Slip(
            "log_det has one number for each column; sum over the columns",
            lambda x, f: _made(x, f, _affine, lambda c, t, s: s),
        ),
        Slip(
            "the log-determinant is summed over rows and not over columns: the wrong axis",
            lambda x, f: _made(x, f, _affine, lambda c, t, s: s.sum(0)),
        ),
        Slip(
            "the log-determinant is summed over the batch; keep one for each row",
            lambda x, f: _made(x, f, _affine, lambda c, t, s: s.sum()),
        ),
        Slip(
            "the shift is in the log-determinant; moving changes no volume",
            lambda x, f: _made(x, f, _affine, lambda c, t, s: (s + t).sum(1)),
        ),
        Slip(
            "log_scale is the logarithm of the factor, and y is scaled by log_scale itself",
            lambda x, f: _made(x, f, lambda c, t, s: c * s + t, _total),
        ),
        Slip(
            "the shift is scaled too: it is added last",
            lambda x, f: _made(x, f, lambda c, t, s: (c + t) * s.exp(), _total),
        ),
        Slip(
            "the shift is subtracted; it is added",
            lambda x, f: _made(x, f, lambda c, t, s: c * s.exp() - t, _total),
        ),
        Slip("the shift is missing", lambda x, f: _made(x, f, lambda c, t, s: c * s.exp(), _total)),
        Slip(
            "the sign of log_scale is wrong in y, and right in the log-determinant",
            lambda x, f: _made(x, f, lambda c, t, s: c * (-s).exp() + t, _total),
        ),
        Slip(
            "this is the inverse, which takes y back to x",
            lambda x, f: _made(
                x, f, lambda c, t, s: (c - t) * (-s).exp(), lambda c, t, s: -s.sum(1)
            ),
        ),
        Slip(
            "shift and log_scale are taken in the wrong order: the network returns the shift first",
            lambda x, f: _made(x, f, lambda c, t, s: c * t.exp() + s, lambda c, t, s: t.sum(1)),
        ),
        Slip(
            "the last columns are kept and the first changed; it is the other way round", _last_kept
        ),
        Slip(
            "the halves are put together in the wrong order: columns stay where they were",
            _exchanged,
        ),
    ),
    laws=(
        Law(
            "the first d // 2 columns are kept",
            lambda f: equal(
                number(f(_ROWS, lambda v: _wave(v.repeat(1, 2)))[0])[:, :1], _ROWS[:, :1]
            ),
        ),
        Law(
            "a network that answers with zeros makes the identity, with log-determinant zero",
            lambda f: (
                equal(
                    (found := f(_ROWS, lambda v: (0 * v.repeat(1, 2), 0 * v.repeat(1, 2))))[0],
                    _ROWS,
                )
                and equal(found[1], torch.zeros(2))
            ),
        ),
        Law(
            "(y - shift) * exp(-log_scale), with the same network, gives the changed columns of x back",
            _undone,
        ),
    ),
    hints=(
        "Which entries of dy/dx are not zero? Write the matrix for two columns first.",
        "The kept columns give ones on the diagonal, the changed ones exp(log_scale), and above the diagonal all is zero. The "
        "determinant of such a matrix is the product of its diagonal.",
        "half = x.shape[1] // 2; log_det = log_scale.sum(1); y = torch.cat([kept, ...], dim=1), where the network sees only what "
        "is kept.",
    ),
    picture=_coupling_picture,
    harder=True,
)
_ROWS = torch.tensor([[0.5, -1.0, 2.0], [-0.7, 0.1, 1.3]]).double()

EXERCISES = (LOG_PROB, COUPLING)
