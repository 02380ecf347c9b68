"""Exercises of section 8: numbers that compare samples with data."""

from __future__ import annotations

import torch
from torch import Tensor

from pushforward.course.drawing import normal, sizes, uniform
from pushforward.course.exercise import Answer, Exercise, Law, Slip
from pushforward.course.forms import distances
from pushforward.course.laws import equal, number
from pushforward.course.pictures import curve
from pushforward.course.sections.evaluation_more import COVERAGE


def frechet_distance(
    mean_a: Tensor, variance_a: Tensor, mean_b: Tensor, variance_b: Tensor
) -> Tensor:
    """Return the distance by the formula for any covariances, with eigenvalues of the product."""
    root = variance_a.sqrt().diag()
    cross = torch.linalg.eigvalsh(root @ variance_b.diag() @ root).sqrt()
    return torch.dist(mean_a, mean_b) ** 2 + variance_a.sum() + variance_b.sum() - 2 * cross.sum()


def _frechet_case(g: torch.Generator, i: int) -> tuple[Tensor, ...]:
    d = sizes(i)[1]
    return (
        normal(g, d),
        uniform(g, d, low=0.2, high=3.0),
        normal(g, d) + 0.7,
        uniform(g, d, low=0.2, high=3.0),
    )


def _spreads(v: Tensor, w: Tensor) -> Tensor:
    return (v.sqrt() - w.sqrt()) ** 2


def _parts(a: Tensor, v: Tensor, b: Tensor, w: Tensor) -> Tensor:
    return (a - b) ** 2 + _spreads(v, w)


def _frechet_picture(answer: Answer) -> str:
    gaps, one = torch.linspace(-3, 3, 61, dtype=torch.float64), torch.ones(1, dtype=torch.float64)
    rows = {
        f"sigma = {s:g}": [
            float(number(answer(gap[None], one * s**2, 0 * one, one))) for gap in gaps
        ]
        for s in (1.0, 2.0, 3.0)
    }
    return curve(
        gaps,
        rows,
        "difference of the means",
        "squared distance of N(gap, sigma^2) to the standard normal",
    )


FRECHET = Exercise(
    name="evaluation.frechet",
    title="The Fréchet distance of two Gaussians",
    section=8,
    task="The squared Fréchet distance of two Gaussians with diagonal covariances, a single number: |mean_a - mean_b|^2 plus the "
    "sum over features of the squared difference of standard deviations. All are (d,); variances are given, not deviations.",
    oracle=frechet_distance,
    returns=("distance",),
    draw=_frechet_case,
    form=distances.FRECHET,
    slips=(
        Slip("one value for each feature came back; sum over features", _parts),
        Slip(
            "you averaged over features; a squared distance is their sum",
            lambda a, v, b, w: _parts(a, v, b, w).mean(),
        ),
        Slip(
            "a square root too many: the squared distance is asked for, which is what an FID is",
            lambda a, v, b, w: _parts(a, v, b, w).sum().sqrt(),
        ),
        Slip(
            "variances are compared where standard deviations belong",
            lambda a, v, b, w: ((a - b) ** 2 + (v - w) ** 2).sum(),
        ),
        Slip(
            "the difference of standard deviations is not squared",
            lambda a, v, b, w: ((a - b) ** 2 + (v.sqrt() - w.sqrt())).sum(),
        ),
        Slip(
            "the difference of variances stands where the squared difference of standard deviations belongs",
            lambda a, v, b, w: ((a - b) ** 2 + (v - w).abs()).sum(),
        ),
        Slip(
            "the difference of the means is not squared",
            lambda a, v, b, w: (a - b).norm() + _spreads(v, w).sum(),
        ),
        Slip(
            "differences of the means are added up before they are squared: opposite ones cancel",
            lambda a, v, b, w: (a - b).sum() ** 2 + _spreads(v, w).sum(),
        ),
        Slip(
            "standard deviations are added up before they are compared: opposite differences cancel",
            lambda a, v, b, w: ((a - b) ** 2).sum() + (v.sqrt() - w.sqrt()).sum() ** 2,
        ),
        Slip(
            "only the total variances are compared, not those of each feature",
            lambda a, v, b, w: ((a - b) ** 2).sum() + (v.sum().sqrt() - w.sum().sqrt()) ** 2,
        ),
        Slip(
            "the means are added, not subtracted",
            lambda a, v, b, w: ((a + b) ** 2 + _spreads(v, w)).sum(),
        ),
        Slip(
            "the two sums are subtracted: both are distances, and they add up",
            lambda a, v, b, w: ((a - b) ** 2 - _spreads(v, w)).sum(),
        ),
        Slip("the means are missing", lambda a, v, b, w: _spreads(v, w).sum()),
        Slip(
            "the spreads are missing: only the means are compared",
            lambda a, v, b, w: ((a - b) ** 2).sum(),
        ),
        Slip(
            "the cross term counts once and not twice",
            lambda a, v, b, w: ((a - b) ** 2 + v + w - (v * w).sqrt()).sum(),
        ),
        Slip(
            "the cross term has no square root",
            lambda a, v, b, w: ((a - b) ** 2 + v + w - 2 * v * w).sum(),
        ),
        Slip(
            "the cross term has the wrong sign: the standard deviations are added, not subtracted",
            lambda a, v, b, w: ((a - b) ** 2 + (v.sqrt() + w.sqrt()) ** 2).sum(),
        ),
        Slip(
            "this is a divergence KL(a || b), which is not symmetric and explodes for narrow Gaussians",
            lambda a, v, b, w: 0.5 * (((a - b) ** 2 + v) / w - 1 + w.log() - v.log()).sum(),
        ),
    ),
    laws=(
        Law("a Gaussian is at distance zero from itself", lambda f: equal(f(_A, _V, _A, _V), 0.0)),
        Law("both sides may be exchanged", lambda f: equal(f(_A, _V, _B, _W), f(_B, _W, _A, _V))),
        Law(
            "moving both means together changes nothing",
            lambda f: equal(f(_A, _V, _B, _W), f(_A + 2, _V, _B + 2, _W)),
        ),
        Law(
            "with equal variances it is the squared distance of the means",
            lambda f: equal(f(_A, _V, _A + 3, _V), 18.0),
        ),
    ),
    hints=(
        "Two things may differ, where the Gaussians stand and how wide they are; each contributes a sum of squares over features.",
        "The widths that are compared are standard deviations. Expanded, (s - t)^2 is s^2 + t^2 - 2 s t: the two variances and "
        "twice the root of their product.",
        "((mean_a - mean_b) ** 2 + (variance_a.sqrt() - variance_b.sqrt()) ** 2).sum(), and no root around it.",
    ),
    picture=_frechet_picture,
)
_A, _V = torch.tensor([0.5, -1.0]).double(), torch.tensor([0.4, 2.5]).double()
_B, _W = torch.tensor([1.5, 0.25]).double(), torch.tensor([1.5, 0.9]).double()


def kernel_distance(x: Tensor, y: Tensor) -> Tensor:
    """Return the distance by a loop over pairs of rows."""

    def mean(rows: Tensor, others: Tensor, same: bool) -> Tensor:
        pairs = [
            (a, b)
            for i, a in enumerate(rows)
            for j, b in enumerate(others)
            if not (same and i == j)
        ]
        return torch.stack([(torch.dot(a, b) / len(a) + 1) ** 3 for a, b in pairs]).mean()

    return mean(x, x, True) + mean(y, y, True) - 2 * mean(x, y, False)


def _kid_case(g: torch.Generator, i: int) -> tuple[Tensor, Tensor]:
    n, d = sizes(i)
    return normal(g, n + 1, d), 1.2 * normal(g, n + 3 - i % 2, d) + 0.6


def _cubic(x: Tensor, y: Tensor) -> Tensor:
    return (x @ y.T / x.shape[1] + 1) ** 3


def _gaussian(x: Tensor, y: Tensor) -> Tensor:
    return (-((x[:, None] - y[None]) ** 2).sum(-1) / 2).exp()


def _apart(k: Tensor) -> Tensor:
    return k.sum() - k.diagonal().sum()


def _off(k: Tensor) -> Tensor:
    return _apart(k) / (len(k) * (len(k) - 1))


def _with(x: Tensor, y: Tensor, kernel: Answer, twice: float = 2.0) -> Tensor:
    return _off(kernel(x, x)) + _off(kernel(y, y)) - twice * kernel(x, y).mean()


def _kid_picture(answer: Answer) -> str:
    g, counts, draws = torch.Generator().manual_seed(0), [2, 4, 8, 16, 32], 150
    lines = {}
    for name, gap in (("equal", 0.0), ("shifted", 0.5)):
        found = [
            [number(answer(_narrow(g, n), _narrow(g, n) + gap)) for _ in range(draws)]
            for n in counts
        ]
        lines[name] = [float(torch.stack(each).mean()) for each in found]
    return curve(
        counts,
        lines,
        "rows on either side",
        f"means of {draws} distances: no bias at any size",
        log_x=True,
    )


def _narrow(g: torch.Generator, n: int) -> Tensor:
    return 0.4 * normal(g, n, 2)


KID = Exercise(
    name="evaluation.kid",
    title="The kernel distance",
    section=8,
    task="The unbiased squared MMD with the kernel (a.b/d + 1)^3, a single number: mean over pairs of different rows of x (n, d), "
    "plus that of y (m, d), minus twice the mean over all pairs of a row of x and a row of y.",
    oracle=kernel_distance,
    returns=("distance",),
    draw=_kid_case,
    form=distances.KID,
    slips=(
        Slip(
            "rows are paired with themselves: leave the diagonal out, or the distance is biased upwards",
            lambda x, y: _cubic(x, x).mean() + _cubic(y, y).mean() - 2 * _cubic(x, y).mean(),
        ),
        Slip(
            "the diagonal is left out of the sums, but they are divided by n^2 and m^2 as if it were not",
            lambda x, y: (
                _apart(_cubic(x, x)) / len(x) ** 2
                + _apart(_cubic(y, y)) / len(y) ** 2
                - 2 * _cubic(x, y).mean()
            ),
        ),
        Slip(
            "sums over all pairs are divided by n (n - 1): the diagonal is still in them",
            lambda x, y: (
                _cubic(x, x).sum() / (len(x) * (len(x) - 1))
                + _cubic(y, y).sum() / (len(y) * (len(y) - 1))
                - 2 * _cubic(x, y).mean()
            ),
        ),
        Slip(
            "the diagonal is left out of x and not of y",
            lambda x, y: _off(_cubic(x, x)) + _cubic(y, y).mean() - 2 * _cubic(x, y).mean(),
        ),
        Slip(
            "pairs of equal number are left out between x and y: these are different points, and all n m pairs count",
            lambda x, y: (
                _off(_cubic(x, x))
                + _off(_cubic(y, y))
                - 2 * _apart(_cubic(x, y)) / (len(x) * len(y) - min(len(x), len(y)))
            ),
        ),
        Slip(
            "the product is not divided by d",
            lambda x, y: _with(x, y, lambda a, b: (a @ b.T + 1) ** 3),
        ),
        Slip(
            "the product is divided by a number of rows: d is the number of features",
            lambda x, y: _with(x, y, lambda a, b: (a @ b.T / len(a) + 1) ** 3),
        ),
        Slip(
            "the product is divided by the rows of x everywhere: d is the number of features, which has axis 1",
            lambda x, y: _with(x, y, lambda a, b: (a @ b.T / len(x) + 1) ** 3),
        ),
        Slip(
            "the 1 inside the kernel is missing: without it only third powers of the features are compared",
            lambda x, y: _with(x, y, lambda a, b: (a @ b.T / a.shape[1]) ** 3),
        ),
        Slip(
            "the kernel is squared and not cubed",
            lambda x, y: _with(x, y, lambda a, b: (a @ b.T / a.shape[1] + 1) ** 2),
        ),
        Slip(
            "the kernel is not cubed: a linear one sees means only",
            lambda x, y: _with(x, y, lambda a, b: a @ b.T / a.shape[1] + 1),
        ),
        Slip(
            "this is a Gaussian kernel; the polynomial one is asked for",
            lambda x, y: _with(x, y, _gaussian),
        ),
        Slip(
            "the term between x and y counts once and not twice",
            lambda x, y: _with(x, y, _cubic, 1.0),
        ),
        Slip("the term between x and y is added", lambda x, y: _with(x, y, _cubic, -2.0)),
        Slip("the term between x and y is missing", lambda x, y: _with(x, y, _cubic, 0.0)),
        Slip(
            "the sign is wrong: what is within either side counts positively",
            lambda x, y: -_with(x, y, _cubic),
        ),
        Slip(
            "the square root is taken: an unbiased squared distance may be negative, and has none",
            lambda x, y: _with(x, y, _cubic).sqrt(),
        ),
        Slip(
            "negative values are cut to zero, which makes the mean too large again",
            lambda x, y: _with(x, y, _cubic).clamp(min=0),
        ),
        Slip(
            "the sums are not divided by their numbers of pairs",
            lambda x, y: _apart(_cubic(x, x)) + _apart(_cubic(y, y)) - 2 * _cubic(x, y).sum(),
        ),
    ),
    laws=(
        Law(
            "two zeros are at 7 from two ones",
            lambda f: equal(f(torch.zeros(2, 1).double(), torch.ones(2, 1).double()), 7.0),
        ),
        Law("both sides may be exchanged", lambda f: equal(f(_X, _Y), f(_Y, _X))),
        Law(
            "the order of rows does not matter",
            lambda f: equal(f(_X, _Y), f(_X.flip(0), _Y.flip(0))),
        ),
        Law("a sample against itself comes out negative", lambda f: bool(number(f(_X, _X)) < 0)),
    ),
    hints=(
        "Three matrices of kernel values: x with x, y with y, x with y. Two of them have a diagonal that must not count.",
        "x @ x.T holds the products of all pairs. Leaving the diagonal out changes the sum and the number of pairs: n (n - 1).",
        "K = (x @ x.T / d + 1) ** 3; (K.sum() - K.diagonal().sum()) / (n * (n - 1)); the same for y; minus 2 * "
        "((x @ y.T / d + 1) ** 3).mean().",
    ),
    picture=_kid_picture,
    harder=True,
)
_X, _Y = (
    torch.tensor([[0.5, -1.0], [2.0, 0.3], [-0.4, 0.9]]).double(),
    torch.tensor([[1.0, 1.5], [0.2, -0.7]]).double(),
)

EXERCISES = (FRECHET, KID, COVERAGE)
