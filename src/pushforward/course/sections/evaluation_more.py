"""The third exercise of section 8: how much of the data a generator reaches."""

from __future__ import annotations

import torch
from scipy.spatial import KDTree
from torch import Tensor

from pushforward.course.drawing import normal, sizes
from pushforward.course.exercise import Answer, Exercise, Law, Slip
from pushforward.course.forms import distances
from pushforward.course.laws import equal, number
from pushforward.course.pictures import curve


def coverage(real: Tensor, generated: Tensor, k: int) -> Tensor:
    """Return the share by trees of neighbours."""
    radius = KDTree(real.numpy()).query(real.numpy(), k + 1)[0][:, -1]
    nearest = KDTree(generated.numpy()).query(real.numpy())[0]
    return torch.from_numpy(nearest <= radius).double().mean()


NEIGHBOURS, REAL, GENERATED = (1, 2, 3, 1, 4, 3), (8, 12, 9, 20, 15, 30), (4, 7, 5, 2, 9, 10)


# one generated point lies exactly on the border of one ball: 3-4-5 is exact in every arithmetic
BORDER = (
    torch.tensor([[0.0, 0.0], [3.0, 4.0], [6.0, 8.0], [0.0, 10.0]]).double(),
    torch.tensor([[-5.0, 0.0]]).double(),
    1,
)


def _case(g: torch.Generator, i: int) -> tuple[Tensor, Tensor, int]:
    if i == len(NEIGHBOURS):
        return BORDER
    n, m, d = REAL[i % 6], GENERATED[i % 6], sizes(i)[1]
    return normal(g, n, d), 0.8 * normal(g, m, d) + 0.2, NEIGHBOURS[i % 6]


def _radius(x: Tensor, k: int) -> Tensor:
    return torch.cdist(x, x).sort(1).values[:, k]


def _within(real: Tensor, generated: Tensor, k: int) -> Tensor:
    """Return whether the ball of real point i contains generated point j, shape (n, m)."""
    return torch.cdist(real, generated) <= _radius(real, k)[:, None]


def _share(inside: Tensor) -> Tensor:
    return inside.any(1).double().mean()


def _city(real: Tensor, generated: Tensor, k: int) -> Tensor:
    own = torch.cdist(real, real, p=1).sort(1).values[:, k, None]
    return _share(torch.cdist(real, generated, p=1) <= own)


def _by_own_mean(real: Tensor, generated: Tensor, k: int) -> Tensor:
    own = torch.cdist(real, real).sort(1).values[:, 1 : k + 1].mean(1, keepdim=True)
    return _share(torch.cdist(real, generated) <= own)


def _nearest_real(real: Tensor, generated: Tensor, k: int) -> Tensor:
    return torch.tensor(
        len(torch.cdist(generated, real).argmin(1).unique()) / len(real), dtype=torch.float64
    )


def _picture(answer: Answer) -> str:
    g, k = torch.Generator().manual_seed(0), 3
    centres = torch.tensor([[-6.0, 0.0], [0.0, 6.0], [6.0, 0.0]]).double()
    real = (centres[:, None] + normal(g, 3, 40, 2)).reshape(-1, 2)
    counts = [1, 2, 5, 10, 20, 40, 80, 120]
    rows = {
        f"{modes} of 3 modes": [
            float(number(answer(real, centres[torch.arange(n) % modes] + normal(g, n, 2), k)))
            for n in counts
        ]
        for modes in (1, 2, 3)
    }
    return curve(
        counts,
        rows,
        "generated points",
        "coverage of three modes by samplers that know one, two and three of them",
    )


COVERAGE = Exercise(
    name="evaluation.coverage",
    title="Coverage of the data",
    section=8,
    task="The share of rows of real (n, d) whose ball, border included, contains a row of generated (m, d), float64; the radius "
    "of a ball is the distance of its real point to the k-th nearest other real point.",
    oracle=coverage,
    returns=("coverage",),
    draw=_case,
    cases=len(NEIGHBOURS) + 1,
    form=distances.COVERAGE,
    slips=(
        Slip(
            "one answer for each real point came back; return their share",
            lambda r, s, k: _within(r, s, k).any(1),
        ),
        Slip(
            "this is how many real points are covered; divide by their number",
            lambda r, s, k: _within(r, s, k).any(1).double().sum(),
        ),
        Slip(
            "this is precision: the share of generated points that lie in some real ball, which a single mode can make 1",
            lambda r, s, k: _share(_within(r, s, k).T),
        ),
        Slip(
            "this is recall: the balls are around generated points, and here they belong to real ones",
            lambda r, s, k: _share(_within(s, r, k).T),
        ),
        Slip(
            "this is coverage of the generated points by the real ones: the arguments have changed places",
            lambda r, s, k: _share(_within(s, r, k)),
        ),
        Slip(
            "this is density: it counts how many balls hold a generated point, and crowding raises it",
            lambda r, s, k: _within(r, s, k).double().sum() / (k * len(s)),
        ),
        Slip(
            "this averages over all pairs of points; a ball counts once, however many points are in it",
            lambda r, s, k: _within(r, s, k).double().mean(),
        ),
        Slip(
            "this counts the points in the balls; a ball counts once, however many points are in it",
            lambda r, s, k: _within(r, s, k).double().sum(1).mean(),
        ),
        Slip(
            "a ball must hold one generated point, not all of them",
            lambda r, s, k: _within(r, s, k).all(1).double().mean(),
        ),
        Slip(
            "a real point is counted as its own first neighbour: the radius is one neighbour short",
            lambda r, s, k: _share(torch.cdist(r, s) <= _radius(r, k - 1)[:, None]),
        ),
        Slip(
            "the radius is one neighbour too far",
            lambda r, s, k: _share(_within(r, s, k + 1)),
        ),
        Slip(
            "the radius is always that of the first neighbour; k is not used",
            lambda r, s, k: _share(_within(r, s, 1)),
        ),
        Slip(
            "the radius is the mean distance to k neighbours; it is that to the k-th",
            _by_own_mean,
        ),
        Slip(
            "all balls have one radius here; each has its own, wide where data are thin",
            lambda r, s, k: _share(torch.cdist(r, s) <= _radius(r, k).mean()),
        ),
        Slip(
            "coverage is 1 whatever comes in: nothing is measured, or each radius reaches to a generated point",
            lambda r, s, k: _share(
                torch.cdist(r, s) <= torch.cdist(r, s).sort(1).values[:, k - 1, None]
            ),
        ),
        Slip(
            "squared distances are compared with radii that are not squared",
            lambda r, s, k: _share(torch.cdist(r, s) ** 2 <= _radius(r, k)[:, None]),
        ),
        Slip(
            "a point exactly at the radius is left out: a ball has its border, so compare with <=",
            lambda r, s, k: _share(torch.cdist(r, s) < _radius(r, k)[:, None]),
        ),
        Slip("distances are sums of absolute differences here, not Euclidean", _city),
        Slip("this is the share that is not covered", lambda r, s, k: 1 - _share(_within(r, s, k))),
        Slip(
            "this counts who is some generated point's nearest real point; no ball is in it",
            _nearest_real,
        ),
    ),
    laws=(
        Law("real points cover themselves", lambda f: equal(f(_R, _R, 1), 1.0)),
        Law(
            "one point far away covers nothing",
            lambda f: equal(f(_R, torch.full((1, 2), 1e3).double(), 2), 0.0),
        ),
        Law(
            "repeating generated points changes nothing",
            lambda f: equal(f(_R, _S, 2), f(_R, torch.cat([_S, _S]), 2)),
        ),
        Law(
            "stretching all points alike changes nothing",
            lambda f: equal(f(_R, _S, 1), f(4 * _R, 4 * _S, 1)),
        ),
    ),
    hints=(
        "Two tables of distances: real to real gives the radii, real to generated says what lies inside.",
        "In a sorted row of torch.cdist(real, real) the first distance is that of the point to itself, zero. Then ask of each row "
        "of the other table whether any distance is at most that row's radius.",
        "radius = torch.cdist(real, real).sort(1).values[:, k]; inside = torch.cdist(real, generated) <= radius[:, None]; any "
        "along axis 1, .double(), mean.",
    ),
    picture=_picture,
    harder=True,
)
_R = torch.tensor(
    [[0.0, 0.0], [1.0, 0.2], [0.3, 2.0], [-1.5, 0.7], [4.0, 4.1], [2.2, -3.0]]
).double()
_S = torch.tensor([[0.4, 0.3], [-1.0, 0.6], [2.5, 1.9]]).double()
