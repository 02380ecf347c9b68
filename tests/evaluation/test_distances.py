"""Distances decided by bounds: the same to the last bit as computing all of them, on data that are meant to break the bounds."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from pushforward.core.errors import BadInput
from pushforward.evaluation import distances as module
from pushforward.evaluation.distances import closest, kth_neighbour, members, nearest, tiles

RNG = np.random.default_rng(0)
G, H = RNG.normal(size=(150, 9)), RNG.normal(size=(190, 9)) * 1.1 + 0.1
EXPLODED = G.copy()
EXPLODED[7] *= 1e12
HOSTILE = {
    "gaussians": (G, H),
    "a large offset": (G + 1e8, H + 1e8),
    "far from each other": (G + 1e8, H),
    "a lattice full of ties": (np.round(G[:, :3]), np.round(H[:, :3])),
    "halves, with ties at the radius": (np.round(2 * G[:, :2]) / 2, np.round(2 * H[:, :2]) / 2),
    "patterns of bits": ((G > 0) * 1.0, (H > 0) * 1.0),
    "every row five times": (np.repeat(G[:30], 5, axis=0), np.concatenate([G[:40], H[:150]])),
    "one row only": (np.repeat(G[:1], 150, axis=0), H),
    "one row, twice": (np.repeat(G[:1], 150, axis=0), np.repeat(G[:1], 190, axis=0)),
    "tight clusters": (np.where(np.arange(150)[:, None] % 3 == 0, 0.0, 5.0) + 1e-9 * G, H),
    "one sample exploded": (EXPLODED, H),
    "columns of all scales": (G * 10.0 ** np.arange(-20, 25, 5), H * 10.0 ** np.arange(-20, 25, 5)),
    "rows of all scales": (G * 10.0 ** RNG.integers(-20, 20, size=(150, 1)), H),
    "squares that underflow": (G * 1e-170, H * 1e-170),
    "denormal numbers": (G * 1e-310, H * 1e-310),
    "huge numbers": (G * 1e150, H * 1e150),
    "one column": (G[:, :1], H[:, :1]),
    "few rows": (G[:7], H[:9]),
    "more columns than single precision can bound": (
        RNG.normal(size=(7, 100_001)),
        RNG.normal(size=(8, 100_001)),
    ),
}


@pytest.fixture(params=HOSTILE, ids=lambda name: name.replace(" ", "-"))
def pair(request):
    return HOSTILE[request.param]


@pytest.mark.parametrize(("tile", "few"), [(2_000_000, 0), (700, 0), (700, 1_000_000)])
def test_every_distance_and_decision_is_that_of_cdist(pair, tile, few, monkeypatch):
    monkeypatch.setattr(module, "TILE_NUMBERS", tile)
    monkeypatch.setattr(module, "FEW_PAIRS", few)
    x, y = pair
    k, n = 4, len(x)
    within, between = cdist(x, x), cdist(x, y)
    within[np.arange(n), np.arange(n)] = np.inf
    order = within.argsort(axis=1, kind="stable")[:, :k]
    index, distance = closest(x, x, k, np.arange(n))
    np.testing.assert_array_equal(index, order)
    np.testing.assert_array_equal(distance, np.take_along_axis(within, order, axis=1))
    radius = kth_neighbour(x, k)
    np.testing.assert_array_equal(radius, distance[:, -1])
    np.testing.assert_array_equal(kth_neighbour(x, 2, np.array([5, 0, 5])), distance[[5, 0, 5], 1])
    index, distance = nearest(x, y)
    np.testing.assert_array_equal(index, between.argmin(axis=1))
    np.testing.assert_array_equal(distance, between.min(axis=1))
    other = kth_neighbour(y, k)
    found = np.zeros((2, *between.shape), dtype=bool)
    for (i, j), (p, q) in members(x, y, radius[:, None], other[None]):
        assert (np.diff(i * len(y) + j) > 0).all()
        found[0, i, j] = found[1, p, q] = True
    np.testing.assert_array_equal(found[0], between < radius[:, None])
    np.testing.assert_array_equal(found[1], between < other)


def test_the_bounds_enclose_squared_distances_in_extended_precision(pair):
    x, y = pair
    bounds = module._Bounds(x, y)
    exact = np.concatenate(
        [
            ((row - y.astype(np.longdouble)) ** 2).sum(axis=1)[None]
            for row in x.astype(np.longdouble)
        ]
    )
    exact = np.ldexp(exact, -2 * bounds.exponent)
    i, j = np.indices(exact.shape)
    for rows, lower in bounds.tiles():
        upper = bounds.upper(lower, i[rows], j[rows])
        assert (lower <= exact[rows] + bounds.slack).all()
        assert (upper + bounds.slack >= exact[rows]).all()


def test_what_is_computed_exactly_is_little(monkeypatch):
    computed = []

    def counting(x, y):
        computed.append(len(x) * len(y))
        return cdist(x, y)

    monkeypatch.setattr(module, "cdist", counting)
    rng, n, k = np.random.default_rng(1), 2000, 5
    x, y = rng.normal(size=(n, 32)), rng.normal(size=(n, 32))
    radius = kth_neighbour(x, k)
    assert sum(computed) < 1.1 * k * n
    computed.clear()
    list(members(x, y, radius[:, None]))
    assert sum(computed) < n
    computed.clear()
    # a model that collapsed to one example: the first twins settle it, and nobody computes n^2 zeros
    assert not kth_neighbour(np.repeat(x[:1], n, axis=0), k).any()
    assert sum(computed) <= 8 * k * n


@pytest.mark.parametrize("few", [0, 100])
def test_a_membership_is_strict_and_a_copy_lies_in_no_ball_of_radius_zero(few, monkeypatch):
    monkeypatch.setattr(module, "FEW_PAIRS", few)
    x = np.array([[0.0, 0.0], [3.0, 4.0]])
    found = list(members(x, x, np.array([[5.0], [5.1]]), np.array([[0.0, 1e-9]])))
    assert [(i.tolist(), j.tolist()) for i, j in found[0]] == [([0, 1, 1], [0, 0, 1]), ([1], [1])]


def test_inputs_stay_and_bad_ones_are_refused():
    x, y = G.copy(), H.copy()
    closest(x, y, 3)
    np.testing.assert_array_equal(x, G)
    np.testing.assert_array_equal(y, H)
    assert closest(x[:0], y, 3)[0].shape == (0, 3)
    with pytest.raises(BadInput, match="4 rows to be near to: expected at least 5"):
        kth_neighbour(G[:5], 5)


def test_tiles_cover_every_row(monkeypatch):
    monkeypatch.setattr(module, "TILE_NUMBERS", 1000)
    np.testing.assert_array_equal(np.concatenate([d for _, d in tiles(G, H)]), cdist(G, H))
