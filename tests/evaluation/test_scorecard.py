"""The scorecard on real digits and on points, between its controls."""

import json
import time

import numpy as np
import pytest
from sklearn.datasets import load_digits

from pushforward.core.errors import BadInput
from pushforward.core.score import Score, better_of
from pushforward.core.space import Image, Points
from pushforward.evaluation.cards.comparison import difference
from pushforward.evaluation.cards.controls import controls, floor_card, skill, with_controls
from pushforward.evaluation.cards.scorecard import Card
from pushforward.evaluation.features.default import default_features
from pushforward.evaluation.memorisation.verdict import memorisation_verdict

SPACE = Image(1, 8, 8, levels=17)


def scorecard(samples, reference, train, space, features, **settings):
    return Card(reference, train, space, features, **settings).scores(samples)


def control_cards(reference, train, space, features, n):
    return Card(reference, train, space, features).of_controls(controls(train, space, n), n)


@pytest.fixture(scope="module")
def digits():
    images = load_digits().images.astype(np.int64)[:, None]
    images = images[np.random.default_rng(0).permutation(len(images))]
    return images[:1077], images[1077:1437], images[1437:]


@pytest.fixture(scope="module")
def cards(digits):
    train, test, held_out = digits
    start = time.process_time()
    features = default_features(SPACE, train)
    found = control_cards(test, train, SPACE, features, n=360)
    found["honest"] = scorecard(held_out, test, train, SPACE, features)
    return found, time.process_time() - start


def test_order_names_and_time(cards):
    found, seconds = cards
    assert list(found) == ["real", "noise", "shuffled marginals", "copycat", "honest"]
    assert [s.name for s in found["honest"]] == [
        "frechet distance [random-conv-64 seed 0] vs test",
        "frechet distance, bias removed [random-conv-64 seed 0] vs test",
        "frechet distance [pca-32] vs test",
        "frechet distance, bias removed [pca-32] vs test",
        "kernel distance [random-conv-64 seed 0] vs test",
        "kernel distance [pca-32] vs test",
        "precision [random-conv-64 seed 0] vs test",
        "recall [random-conv-64 seed 0] vs test",
        "density [random-conv-64 seed 0] vs test",
        "coverage [random-conv-64 seed 0] vs test",
        "classifier two-sample accuracy [random-conv-64 seed 0] vs test",
        "exact duplicates [data] vs train",
        "authenticity [pca-32] vs train",
        "copying statistic [pca-32] train vs test",
        "pull of training examples [pca-32] train vs test",
    ]
    assert seconds < 6


def test_every_distribution_metric_tells_real_from_marginals_from_noise(cards):
    found, _ = cards
    for real, shuffled, noise in zip(found["real"][:11], found["shuffled marginals"][:11], found["noise"][:11]):
        sign = 1 if real.better == "higher" else -1
        assert sign * real.value > sign * shuffled.value >= sign * noise.value, real.name
        assert better_of(real, shuffled) == "first", real.name


def test_the_ceiling_sits_at_the_null(cards):
    for score in cards[0]["real"][:11]:
        if score.null is not None and not score.name.startswith(("coverage", "density")):
            assert score.low <= score.null <= score.high, score.name


def test_only_the_copycat_trips(cards):
    verdicts = {name: memorisation_verdict(card).tripped for name, card in cards[0].items()}
    assert verdicts == {"real": False, "noise": False, "shuffled marginals": False, "copycat": True, "honest": False}


def test_the_copycat_wins_everything_else(cards):
    # the reason why memorisation checks exist
    for real, copycat in zip(cards[0]["real"][:11], cards[0]["copycat"][:11]):
        assert better_of(real, copycat) == "undecided", real.name


def test_controls_and_skill_of_an_honest_model(cards):
    found, _ = cards
    card = with_controls(found["honest"], found["real"], floor_card(found))
    assert all(score.ceiling is not None and score.floor is not None for score in card)
    assert all(skill(score) > 0.85 for score in card[:11])
    assert [s.floor for s in card[11:13]] == [1.0, 0.0]
    assert skill(Score("a", 1.0, n=1, better="lower")) is None
    for score in card:
        assert Score.from_json(json.loads(json.dumps(score.to_json()))) == score


def test_scores_on_other_features_are_not_mixed(cards, digits):
    found, _ = cards
    train, test, held_out = digits
    other = scorecard(held_out, test, train, SPACE, default_features(SPACE, train[:500]))
    with pytest.raises(BadInput, match="two different features"):
        with_controls(other, found["real"], floor_card(found))


def test_control_samples_are_what_they_say(digits):
    train = digits[0]
    found = controls(train, SPACE, n=300, seed=1)
    rows = {row.tobytes() for row in train}
    left = {row.tobytes() for row in found["real"].train}
    assert all(row.tobytes() in rows and row.tobytes() not in left for row in found["real"].samples)
    assert len(found["real"].samples) + len(found["real"].train) == len(train)
    assert all(row.tobytes() in rows for row in found["copycat"].samples)
    assert all(control.samples.shape == (300, 1, 8, 8) for control in found.values())
    assert all(control.samples.dtype == train.dtype for control in found.values())
    shuffled = found["shuffled marginals"].samples.reshape(300, 64)
    spread = train.reshape(-1, 64).std(0)
    assert (np.abs(shuffled.mean(0) - train.reshape(-1, 64).mean(0)) <= 4.5 * spread / np.sqrt(300)).all()
    joint = np.corrcoef(shuffled[:, spread > 0.5].T)
    assert np.abs(joint[~np.eye(len(joint), dtype=bool)]).mean() < 0.08
    assert 0 <= found["noise"].samples.min() <= found["noise"].samples.max() == 16
    again = controls(train, SPACE, n=300, seed=1)
    assert all(np.array_equal(found[k].samples, again[k].samples) for k in found)
    assert not np.array_equal(found["noise"].samples, controls(train, SPACE, n=300, seed=2)["noise"].samples)


def test_points_and_a_small_train_split():
    rng = np.random.default_rng(3)

    def draw(n):
        angle = rng.uniform(0, 2 * np.pi, n)
        return np.stack([3 * np.cos(angle), 2 * np.sin(angle)], axis=1) + 0.2 * rng.normal(size=(n, 2))

    train, test, model = draw(150), draw(120), draw(120)
    features = default_features(Points(2), train)
    found = control_cards(test, train, Points(2), features, n=120)
    card = with_controls(scorecard(model, test, train, Points(2), features), found["real"], floor_card(found))
    assert found["real"][0].n == 75
    assert any("ceiling measured on 75 examples, not 120" in w for w in card[0].warnings)
    names = [s.name for s in card]
    # the cubic kernel hardly sees a filled box for a ring of the same moments; neighbours do
    coverage = names.index("coverage [identity, standardised] vs test")
    measure = Card(test, train, Points(2), features).measure
    pair = [measure(x)[coverage] for x in (model, controls(train, Points(2), n=120)["noise"].samples)]
    # intervals overlap, but both meet the same reference
    assert difference(*pair).verdict == "first"
    assert memorisation_verdict(found["copycat"]).tripped
    assert not memorisation_verdict(card).tripped


def test_train_as_reference_is_named_and_has_no_memorisation_null(digits):
    train, test, held_out = digits
    features = default_features(SPACE, train)
    card = scorecard(held_out, train[:300], train, SPACE, features, reference_name="train")
    assert len(card) == 11
    assert all(score.name.endswith("vs train") for score in card)
    fuller = scorecard(held_out, train[:300], train, SPACE, features, reference_name="train", heldout=test)
    assert fuller[-1].name == "pull of training examples [pca-32] train vs held-out"


def test_refusals(digits):
    train, test, _ = digits
    features = default_features(SPACE, train)
    with pytest.raises(BadInput, match=r"samples of shape \(5, 8, 8\)"):
        scorecard(np.zeros((5, 8, 8)), test, train, SPACE, features)
    with pytest.raises(BadInput, match="5 samples: expected at least 40; draw or provide 35 more"):
        scorecard(test[:5], test, train, SPACE, features)
    with pytest.raises(BadInput, match="0 features"):
        scorecard(test, test, train, SPACE, [])
