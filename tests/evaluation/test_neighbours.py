"""Precision, recall, density, coverage: seeded pins, a brute-force twin, and the nulls."""

import numpy as np
import pytest
from prdc import compute_prdc
from sklearn.neighbors import NearestNeighbors

from pushforward.core.errors import BadInput
from pushforward.evaluation import distances
from pushforward.evaluation.distances import kth_neighbour, nearest
from pushforward.evaluation.distribution.neighbours import (
    NeighbourScores,
    balls,
    coverage_null,
    measure_balls,
    neighbour_scores,
)
from pushforward.evaluation.distribution.subsampling import block_sizes, subsampled_variance
from pushforward.evaluation.measuring.statistic import DATA, MeasuredOn


@pytest.fixture(scope="module")
def gaussians():
    stream = np.random.RandomState(0)
    return stream.randn(1000, 64), stream.randn(1000, 64)


def values(samples, reference, k=5):
    return [s.value for s in neighbour_scores(samples, reference, "identity", k=k)]


def test_the_seeded_pin_at_a_thousand(gaussians):
    real, fake = gaussians
    assert values(fake, real) == pytest.approx([0.704, 0.738, 0.947, 0.971], abs=5e-4)


def test_shrunk_samples_inflate_density_and_the_score_says_so(gaussians):
    real, fake = gaussians
    scores = neighbour_scores(0.8 * fake, real, "identity")
    assert scores[2].value == pytest.approx(11.35, abs=5e-3)
    assert "above 1" in scores[2].warnings[-1]
    assert scores[1].value < 0.1


def test_the_published_implementation_agrees_where_no_distances_tie(gaussians):
    real, fake = gaussians
    for x, y in ((fake, real), (0.9 * fake[:700] + 0.1, real), (real[:400, :3], fake[:900, :3])):
        theirs = compute_prdc(y, x, nearest_k=5)
        expected = [theirs[name] for name in ("precision", "recall", "density", "coverage")]
        assert values(x, y) == pytest.approx(expected, abs=1e-12)


def test_an_offset_changes_nothing_although_it_breaks_the_published_implementation():
    # multiples of 2^-10 stay exact beside 2^27; squared norms of 2^60 then swallow squared distances of 2^7
    rng = np.random.default_rng(5)
    x, y = (np.round(rng.normal(size=(n, 64)) * 1024) / 1024 for n in (300, 250))
    assert values(x + 2.0**27, y + 2.0**27) == values(x, y)
    assert (
        abs(compute_prdc(y + 2.0**27, x + 2.0**27, nearest_k=5)["density"] - values(x, y)[2]) > 0.2
    )


def test_copies_lie_in_no_ball_of_radius_zero():
    # every real example occurs six times, so its fifth neighbour is at distance zero
    rng = np.random.default_rng(5)
    real = np.repeat(rng.normal(size=(50, 8)) + 100.0, 6, axis=0)
    assert values(real[rng.permutation(300)], real) == [0.0, 0.0, 0.0, 0.0]
    assert values(real[rng.permutation(300)], real, k=6)[3] == 1.0


@pytest.mark.parametrize("few", [0, 100_000])
def test_brute_force_with_ties_duplicates_and_tiles(few, monkeypatch):
    monkeypatch.setattr(distances, "TILE_NUMBERS", 50)
    monkeypatch.setattr(distances, "FEW_PAIRS", few)
    rng = np.random.default_rng(0)
    x, y = (
        rng.integers(0, 4, size=(30, 2)).astype(float),
        rng.integers(1, 5, size=(25, 2)).astype(float),
    )
    k = 3

    def radius(rows):
        return [
            sorted(np.linalg.norm(rows - r, axis=1)[np.arange(len(rows)) != i])[k - 1]
            for i, r in enumerate(rows)
        ]

    between = np.linalg.norm(y[:, None] - x[None], axis=2)
    hits = between < np.array(radius(y))[:, None]
    recalled = between < np.array(radius(x))[None]
    expected = [
        hits.any(0).mean(),
        recalled.any(1).mean(),
        hits.sum(0).mean() / k,
        hits.any(1).mean(),
    ]
    assert values(x, y, k) == pytest.approx(expected, abs=1e-12)


def test_the_kth_neighbour_excludes_self_but_not_a_twin():
    x = np.array([[0.0], [0.0], [1.0], [5.0]])
    assert kth_neighbour(x, 1).tolist() == [0.0, 0.0, 1.0, 4.0]
    rows = np.random.default_rng(1).normal(size=(60, 4))
    expected = (
        NearestNeighbors(n_neighbors=4, algorithm="brute").fit(rows).kneighbors(rows)[0][:, 3]
    )
    np.testing.assert_allclose(kth_neighbour(rows, 3), expected, rtol=1e-10)
    index, distance = nearest(rows[:5] + 1e-3, rows)
    assert index.tolist() == [0, 1, 2, 3, 4]
    np.testing.assert_allclose(distance, 2e-3, rtol=1e-9)


def test_nulls_of_density_and_coverage():
    # 300 repetitions with unequal sizes; the nulls hold for any continuous distribution
    rng, n, m, k = np.random.default_rng(2), 60, 90, 4
    drawn = [
        balls(rng.normal(size=(m, 2)), rng.normal(size=(n, 2)), k).terms(k) for _ in range(300)
    ]
    found = np.array([[terms.mean() for terms in each] for each in drawn])
    error = found.std(axis=0) / np.sqrt(300)
    assert abs(found[:, 2].mean() - 1.0) < 4 * error[2]
    assert abs(found[:, 3].mean() - coverage_null(n, m, k)) < 4 * error[3]


@pytest.mark.parametrize("step", [0.5, 1.0, 2.0])
def test_on_a_grid_equal_laws_miss_the_nulls_of_continuous_ones_so_none_is_claimed(step):
    rng = np.random.default_rng(0)
    x, y = (np.round(rng.normal(size=(800, 2)) / step) for _ in range(2))
    ids = np.arange(800)
    density, coverage = (
        m.score for m in measure_balls(x, y, (ids, ids), 5, 0, MeasuredOn("data"))[2:]
    )
    assert (density.null, coverage.null) == (None, None)
    if step >= 1.0:  # by far more than 4 standard errors
        assert coverage_null(800, 800, 5) - coverage.value > 4 * coverage.stderr
    apart = [rows + 1e-3 * rng.normal(size=rows.shape) for rows in (x, y)]
    untied = measure_balls(*apart, (ids, ids), 5, 0, MeasuredOn("data"))
    assert (
        abs(untied[3].score.value - untied[3].score.null) < 4 * untied[3].score.stderr
    )  # twice in 30,000 by chance


def test_damage_is_seen_in_the_right_metric():
    rng = np.random.default_rng(3)
    modes = np.array([[-6.0, 0.0], [0.0, 6.0], [6.0, 0.0]])
    real = modes[rng.integers(0, 3, 300)] + rng.normal(size=(300, 2))
    dropped = values(modes[rng.integers(0, 2, 300)] + rng.normal(size=(300, 2)), real)
    assert dropped[0] > 0.9
    assert max(dropped[1], dropped[3]) < 0.75
    wide = values(modes[rng.integers(0, 3, 300)] + 4 * rng.normal(size=(300, 2)), real)
    assert wide[0] < 0.6
    assert wide[1] > 0.9


@pytest.mark.parametrize(
    ("d", "n", "m", "scale", "shift"), [(2, 120, 120, 1.0, 0.0), (16, 100, 120, 0.9, 0.2)]
)
def test_intervals_cover_the_average_at_this_size(d, n, m, scale, shift):
    # 300 repetitions: standard error of a coverage of 95 % 1.3 %. The binomial error alone covers 60 to 85 %, so 90 % would tell
    rng = np.random.default_rng(6)
    found = [
        neighbour_scores(
            rng.normal(size=(n, d)) * scale + shift, rng.normal(size=(m, d)), "f", seed=r
        )
        for r in range(300)
    ]
    for scores in zip(*found, strict=True):
        mean = np.mean([s.value for s in scores])
        assert np.mean([s.low <= mean <= s.high for s in scores]) > 0.93, scores[0].name
        spread = np.std([s.value for s in scores])
        assert np.median([s.high - s.low for s in scores]) < 10 * max(spread, 0.01)


def test_intervals_stay_in_range_and_small_samples_have_none():
    x = np.random.default_rng(4).normal(size=(90, 3))
    for far in (0.0, 9.0):
        for score in neighbour_scores(x[:45] + far, x[45:], "identity"):
            assert 0.0 <= score.low <= score.value <= score.high
            assert score.high <= 1.0 or score.name.startswith("density")
            assert score.stderr > 0
    for score in neighbour_scores(x[:20], x[45:], "identity"):
        assert (score.low, score.high, score.stderr) == (None, None, None)
        assert "use at least 40" in score.warnings[0]


def test_terms_are_the_examples_scaled_to_the_error():
    rng = np.random.default_rng(7)
    x, y = rng.normal(size=(90, 2)) + 0.8, rng.normal(size=(70, 2))
    found = NeighbourScores(DATA, "train", k=3).measure(
        x, y, np.arange(90) + 5, np.arange(70) + 1000
    )
    assert [m.score for m in found] == neighbour_scores(x, y, "data", "", "train", k=3)
    for measured, own, other, ids in zip(
        found,
        ("samples", "reference") * 2,
        ("reference", "samples") * 2,
        (np.arange(90) + 5, np.arange(70) + 1000) * 2,
    ):
        terms = getattr(measured, own)
        assert getattr(measured, other) is None
        np.testing.assert_array_equal(terms.ids, ids)
        assert terms.variance == pytest.approx(measured.score.stderr**2)
        assert terms.terms.sum() == pytest.approx(0.0, abs=1e-9)
    inside = found[0].samples.terms > 0
    assert inside.mean() == pytest.approx(found[0].score.value)


def test_refusals():
    x = np.zeros((5, 2))
    with pytest.raises(BadInput, match="5 samples: expected at least 6"):
        neighbour_scores(x, np.zeros((9, 2)), "identity")
    with pytest.raises(BadInput, match="5 reference examples: expected at least 6"):
        neighbour_scores(np.zeros((9, 2)), x, "identity")
    with pytest.raises(BadInput, match="k = 0"):
        neighbour_scores(x, x, "identity", k=0)


def test_subsampling_scales_the_variance_of_a_mean_at_unequal_sizes():
    rng = np.random.default_rng(10)
    found = []
    for r in range(200):
        x, y = rng.normal(size=(120, 1)) * 2, rng.normal(size=(60, 1))
        found.append(
            subsampled_variance(lambda a, b: a.mean(axis=0) - 3 * b.mean(axis=0), x, y, r)[0]
        )
    # 4/120 + 9/60, estimated without bias
    assert np.mean(found) == pytest.approx(4 / 120 + 9 / 60, abs=4 * np.std(found) / np.sqrt(200))
    assert block_sizes(8000, 2000) == (1000, 250)
