"""Memorisation: the copycat trips, honest models do not, however bad they are."""

import numpy as np
import pytest
from scipy import stats

from pushforward.core.errors import BadInput
from pushforward.evaluation.memorisation.authenticity import authenticity
from pushforward.evaluation.memorisation.copying import copying_statistic
from pushforward.evaluation.memorisation.duplicates import duplicate_rate
from pushforward.evaluation.memorisation.pull import training_pull
from pushforward.evaluation.memorisation.verdict import memorisation_verdict


def checks(samples, train, heldout):
    return [
        duplicate_rate(samples, train, heldout),
        authenticity(samples, train, heldout, "identity"),
        copying_statistic(samples, train, heldout, "identity"),
        training_pull(samples, train, heldout, "identity"),
    ]


def draw(seed, *sizes, d=8):
    rng = np.random.default_rng(seed)
    return rng, *(rng.normal(size=(n, d)) for n in sizes)


def test_two_thousand_copies_of_one_row_are_not_authentic():
    _, train, heldout = draw(0, 2000, 500, d=16)
    score = authenticity(np.repeat(train[:1], 2000, axis=0), train, heldout, "identity")
    assert score.value == 0.0
    assert score.null > 0.5


def test_authenticity_uses_the_training_points_own_radius():
    # nearest training point of both samples is 0, whose own neighbour is at 1; the sample's neighbours are elsewhere
    train = np.array([[0.0], [1.0], [10.0]])
    score = authenticity(
        np.array([[-0.9], [-1.1], [-1.0]]), train, np.array([[5.4], [0.2]]), "identity"
    )
    assert score.value == pytest.approx((0.0 + 1.0 + 0.5) / 3)
    assert score.null == pytest.approx(0.25 + 0.25 * 0 + 0.25)


def test_the_copying_statistic_is_the_published_formula():
    _, samples, train, heldout = draw(1, 50, 200, 70)
    u = stats.mannwhitneyu(
        *(np.linalg.norm(a[:, None] - train, axis=2).min(1) for a in (samples, heldout))
    ).statistic
    expected = (u - (50 * 70 / 2 - 0.5)) / np.sqrt(50 * 70 * 121 / 12)
    assert copying_statistic(samples, train, heldout, "identity").value == pytest.approx(expected)


def test_the_copying_statistic_flags_a_mixture_with_thirty_per_cent_copies():
    for seed in range(10):
        _, honest, train, heldout = draw(seed, 280, 800, 400)
        mixture = np.concatenate([honest, train[:120]])
        assert copying_statistic(mixture, train, heldout, "identity").value < -3
        assert memorisation_verdict(checks(mixture, train, heldout)).tripped


def test_ties_count_half():
    rng = np.random.default_rng(2)
    values = []
    for _ in range(300):
        samples, train, heldout = (
            rng.integers(0, 3, size=(n, 3)).astype(float) for n in (40, 12, 30)
        )
        values.append(copying_statistic(samples, train, heldout, "identity").value)
    # standard normal although most distances are tied at 0, 1 and sqrt 2; the tolerance is four standard errors
    assert abs(np.mean(values)) < 4 / np.sqrt(300)
    assert abs(np.std(values) - 1) < 4 / np.sqrt(600)
    same = copying_statistic(np.zeros((5, 1)), np.zeros((5, 1)), np.zeros((5, 1)), "identity")
    assert same.value == 0.0
    assert same.warnings


def test_false_alarms_of_an_honest_model():
    # 300 seeds: Z of both tests is standard normal, 5 % two-sided alarms +- 4 x 1.26 %; no verdict trips (1 in 740 each)
    pulls, copies, trips = [], [], 0
    for seed in range(300):
        _, samples, train, heldout = draw(seed, 80, 160, 80, d=5)
        scores = checks(samples, train, heldout)
        copies.append(scores[2].value)
        pulls.append(scores[3].value)
        trips += memorisation_verdict(scores).tripped
    for z in (pulls, copies):
        assert np.mean(np.abs(z) > 1.96) < 0.10
        assert abs(np.mean(z)) < 4 / np.sqrt(300)
        assert 0.85 < np.std(z) < 1.15
    assert trips <= 2


@pytest.mark.parametrize("damage", ["shrunk", "collapsed", "far", "noisy"])
def test_bad_quality_alone_never_convicts(damage):
    z, copies = [], []
    for seed in range(150):
        rng, samples, train, heldout = draw(seed, 80, 160, 80, d=5)
        samples = {
            "shrunk": 0.5 * samples,
            "collapsed": samples[rng.integers(0, 6, 80)] + 0.01 * rng.normal(size=(80, 5)),
            "far": samples + 4.0,
            "noisy": samples + rng.normal(size=(80, 5)),
        }[damage]
        scores = checks(samples, train, heldout)
        z.append(scores[3].value)
        copies.append(scores[2].value)
    assert abs(np.mean(z)) < 4 / np.sqrt(150)
    assert np.std(z) < 1.25
    assert np.mean(np.array(z) > 3) <= 2 / 150
    if damage in ("shrunk", "collapsed"):
        # why the copying statistic alone may not convict
        assert np.mean(np.array(copies) < -3) > 0.1


def test_the_copycat_trips_also_when_it_adds_noise():
    for seed in range(10):
        rng, train, heldout = draw(seed, 600, 300)
        copies = train[rng.integers(0, 600, 300)]
        exact, near = (
            checks(copies + noise * rng.normal(size=copies.shape), train, heldout)
            for noise in (0.0, 0.1)
        )
        assert exact[0].value == 1.0
        assert near[0].value == 0.0
        for scores in (exact, near):
            verdict = memorisation_verdict(scores)
            assert verdict.tripped
            assert "replays training data" in verdict.sentence


def test_natural_duplicates_of_a_tiny_space_are_no_crime():
    # 3x3 binary images: nearly every example occurs in train; a collapsed honest model repeats frequent ones
    trips = {"honest": 0, "collapsed": 0, "copycat": 0}
    unsure = dict(trips)
    for seed in range(100):
        rng = np.random.default_rng(seed)
        frequent = rng.dirichlet(np.full(512, 0.1))
        patterns = np.array([[i >> b & 1 for b in range(9)] for i in range(512)], dtype=float)
        train, heldout, honest = (patterns[rng.choice(512, n, p=frequent)] for n in (400, 200, 200))
        models = {
            "honest": honest,
            "collapsed": honest[rng.integers(0, 5, 200)],
            "copycat": train[rng.integers(0, 400, 200)],
        }
        for name, samples in models.items():
            tripped = memorisation_verdict(checks(samples, train, heldout)).tripped
            trips[name] += tripped is True
            unsure[name] += tripped is None
    assert trips["honest"] <= 2
    assert unsure["honest"] <= 5
    assert trips["collapsed"] <= 5


def test_single_precision_copies_are_copies():
    _, train, heldout = draw(3, 50, 30)
    assert duplicate_rate(train[:20].astype(np.float32), train, heldout).value == 1.0
    zero = duplicate_rate(
        np.array([[-0.0], [1.0]]), np.array([[0.0], [3.0]]), np.array([[4.0], [5.0]])
    )
    assert zero.value == 0.5


def test_refusals():
    _, x, y = draw(4, 5, 5)
    with pytest.raises(BadInput, match="1 held-out examples: expected at least 2"):
        duplicate_rate(x, y, y[:1])
    with pytest.raises(BadInput, match="pull of training examples"):
        memorisation_verdict([duplicate_rate(x, y, y)])


def test_who_replays_training_and_held_out_examples_alike_is_convicted_by_the_duplicates():
    """Nothing pulls to train where both are copied; but no honest model draws real numbers twice."""
    x = np.random.default_rng(5).normal(size=(900, 3))
    train, test = x[:600], x[600:]
    copies = x[np.random.default_rng(6).integers(0, 900, size=200)]
    scores = [duplicate_rate(copies, train, test), training_pull(copies, train, test, "identity")]
    assert scores[1].value < 3
    verdict = memorisation_verdict(scores)
    assert verdict.tripped
    assert "standard errors" not in verdict.sentence
