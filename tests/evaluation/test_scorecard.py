"""The scorecard on real digits and on points, between its controls."""

import json
import time

import numpy as np
import pytest
from sklearn.datasets import load_digits

from mixed_tables import MIXED, mixed_rows
from pushforward.core.errors import BadInput
from pushforward.core.measure import DISTANCE, FIDELITY, MEMORISATION, OTHER
from pushforward.core.score import Score, better_of
from pushforward.core.space import Image, Points
from pushforward.core.text import Text
from pushforward.evaluation.cards.comparison import difference
from pushforward.evaluation.cards.controls import controls, floor_card, skill, with_controls
from pushforward.evaluation.cards.scorecard import Scorecard
from pushforward.evaluation.diversity.judge import Named
from pushforward.evaluation.features.default import default_features
from pushforward.evaluation.features.own_network import OwnNetwork
from pushforward.evaluation.measuring.metric import CardSetting
from pushforward.evaluation.memorisation.verdict import memorisation_verdict
from pushforward.reports.verdict.standing import at_null
from scored import called

SPACE = Image(1, 8, 8, levels=17)


def card_of(reference, train, space, features, *, heldout=None, labels=None, **settings):
    return Scorecard(reference, train, CardSetting(space, features, **settings), heldout, labels)


def scorecard(samples, reference, train, space, features, **settings):
    return card_of(reference, train, space, features, **settings).scores(samples)


def control_cards(reference, train, space, features, n):
    return card_of(reference, train, space, features).of_controls(controls(train, space, n), n)


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


NAMES = """frechet distance [random-conv-64 seed 0] vs test
frechet distance, bias removed [random-conv-64 seed 0] vs test
frechet distance [pca-32] vs test
frechet distance, bias removed [pca-32] vs test
kernel distance [random-conv-64 seed 0] vs test
kernel distance [pca-32] vs test
squared mmd, gaussian kernel of bandwidth 10.98 [random-conv-64 seed 0] vs test
energy distance [random-conv-64 seed 0] vs test
sliced wasserstein distance, order 2 [random-conv-64 seed 0] vs test
classifier two-sample accuracy [random-conv-64 seed 0] vs test
precision [random-conv-64 seed 0] vs test
recall [random-conv-64 seed 0] vs test
density [random-conv-64 seed 0] vs test
coverage [random-conv-64 seed 0] vs test
integrated alpha-precision [random-conv-64 seed 0] vs test
integrated beta-recall [random-conv-64 seed 0] vs test
vendi score [random-conv-64 seed 0] vs test
mean pairwise distance [random-conv-64 seed 0] vs test
share of different bins [random-conv-64 seed 0, 18 bins] vs test
divergence of bin shares [random-conv-64 seed 0, 18 bins] vs test
exact duplicates [data] vs train
near duplicates [pca-32] vs train
authenticity [pca-32] vs train
copying statistic [pca-32] train vs test
pull of training examples [pca-32] train vs test
membership AUC [pca-32] train vs held-out
membership TPR at 1 % FPR [pca-32] train vs held-out""".splitlines()
JUDGED = (DISTANCE, FIDELITY)  # diversity has no better end: real data are in the middle


def of(card, *aspects):
    return [score for score in card if score.measure.aspect in aspects]


def test_order_names_and_time(cards):
    found, seconds = cards
    assert list(found) == ["real", "noise", "shuffled marginals", "copycat", "honest"]
    assert [s.name for s in found["honest"]] == NAMES
    assert seconds < 12


def test_every_distribution_metric_tells_real_from_marginals_from_noise(cards):
    found, _ = cards
    for real, shuffled, noise in zip(
        *(of(found[k], *JUDGED) for k in ("real", "shuffled marginals", "noise"))
    ):
        sign = 1 if real.better == "higher" else -1
        assert sign * real.value > sign * shuffled.value >= sign * noise.value, real.name
        if not real.name.startswith("integrated"):
            assert better_of(real, shuffled) == "first", real.name


def test_the_ceiling_sits_at_the_null(cards):
    seen = [(score, at_null(score)) for score in cards[0]["real"]]
    known = [(score, there) for score, there in seen if there is not None]
    missed = [score.name for score, there in known if not there]
    # 20 intervals of 95 %, correlated; three misses or more happen once in thirteen seeds, and this seed is fixed
    assert len(known) >= 15
    assert len(missed) <= 2, missed


def test_only_the_copycat_trips(cards):
    verdicts = {name: memorisation_verdict(card).tripped for name, card in cards[0].items()}
    assert verdicts == {
        "real": False,
        "noise": False,
        "shuffled marginals": False,
        "copycat": True,
        "honest": False,
    }


def test_the_copycat_wins_everything_else(cards):
    # the reason why memorisation checks exist
    for real, copycat in zip(of(cards[0]["real"], *JUDGED), of(cards[0]["copycat"], *JUDGED)):
        assert better_of(real, copycat) == "undecided", real.name


def test_controls_and_skill_of_an_honest_model(cards):
    found, _ = cards
    card = with_controls(found["honest"], found["real"], floor_card(found))
    assert all(score.ceiling is not None and score.floor is not None for score in card)
    assert all(
        skill(score) > 0.85 for score in of(card, DISTANCE, FIDELITY) if "beta" not in score.name
    )
    floors = {s.name.partition(" [")[0]: s.floor for s in of(card, MEMORISATION)}
    assert (floors["exact duplicates"], floors["near duplicates"], floors["authenticity"]) == (
        1.0,
        1.0,
        0.0,
    )
    assert skill(called("a", 1.0, n=1, better="lower")) is None
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
    assert (
        np.abs(shuffled.mean(0) - train.reshape(-1, 64).mean(0)) <= 4.5 * spread / np.sqrt(300)
    ).all()
    joint = np.corrcoef(shuffled[:, spread > 0.5].T)
    assert np.abs(joint[~np.eye(len(joint), dtype=bool)]).mean() < 0.08
    assert 0 <= found["noise"].samples.min() <= found["noise"].samples.max() == 16
    again = controls(train, SPACE, n=300, seed=1)
    assert all(np.array_equal(found[k].samples, again[k].samples) for k in found)
    assert not np.array_equal(
        found["noise"].samples, controls(train, SPACE, n=300, seed=2)["noise"].samples
    )


def test_points_and_a_small_train_split():
    rng = np.random.default_rng(3)

    def draw(n):
        angle = rng.uniform(0, 2 * np.pi, n)
        return np.stack([3 * np.cos(angle), 2 * np.sin(angle)], axis=1) + 0.2 * rng.normal(
            size=(n, 2)
        )

    train, test, model = draw(150), draw(120), draw(120)
    features = default_features(Points(2), train)
    found = control_cards(test, train, Points(2), features, n=120)
    card = with_controls(
        scorecard(model, test, train, Points(2), features), found["real"], floor_card(found)
    )
    assert found["real"][0].n == 75
    assert any("ceiling measured on 75 examples, not 120" in w for w in card[0].warnings)
    names = [s.name for s in card]
    # the cubic kernel hardly sees a filled box for a ring of the same moments; neighbours do
    coverage = names.index("coverage [identity, standardised] vs test")
    measure = card_of(test, train, Points(2), features).measure
    pair = [
        measure(x)[coverage] for x in (model, controls(train, Points(2), n=120)["noise"].samples)
    ]
    # intervals overlap, but both meet the same reference
    assert difference(*pair).verdict == "first"
    assert memorisation_verdict(found["copycat"]).tripped
    assert not memorisation_verdict(card).tripped


def test_train_as_reference_is_named_and_has_no_memorisation_null(digits):
    train, test, held_out = digits
    features = default_features(SPACE, train)
    card = scorecard(held_out, train[:300], train, SPACE, features, reference_name="train")
    assert not of(card, MEMORISATION)
    assert all(score.name.endswith("vs train") for score in card)
    fuller = scorecard(
        held_out, train[:300], train, SPACE, features, reference_name="train", heldout=test
    )
    assert fuller[-3].name == "pull of training examples [pca-32] train vs held-out"


def test_refusals(digits):
    train, test, _ = digits
    features = default_features(SPACE, train)
    with pytest.raises(BadInput, match=r"samples of shape \(5, 8, 8\)"):
        scorecard(np.zeros((5, 8, 8)), test, train, SPACE, features)
    with pytest.raises(BadInput, match="5 samples: expected at least 40; draw or provide 35 more"):
        scorecard(test[:5], test, train, SPACE, features)
    with pytest.raises(BadInput, match="0 features"):
        scorecard(test, test, train, SPACE, [])


def test_a_card_of_few_examples_says_what_it_leaves_out(digits):
    train, test, _ = digits
    card = card_of(test[:60], train, SPACE, default_features(SPACE, train))
    assert card.left_out == [
        "near duplicates was left out: it needs 100 examples, and there are 60"
    ]
    assert not any(s.name.startswith("near duplicates") for s in card.scores(train[:60]))


def test_another_reference_is_counted_as_if_the_card_were_new(digits):
    train, test, held_out = digits
    features = default_features(SPACE, train)
    again = card_of(test, train, SPACE, features).against(held_out).scores(test)
    assert again == scorecard(test, held_out, train, SPACE, features)


def test_the_bad_models_do_not_listen_and_the_copycat_does(digits):
    images, target = load_digits(return_X_y=True)
    train = np.asarray(images, dtype=np.int64).reshape(-1, 1, 8, 8)
    drawn = controls(train, SPACE, n=400, labels=np.asarray(target))
    judge = Named(
        OwnNetwork(SPACE, drawn["real"].train, drawn["real"].train_labels, steps=200),
        tuple("0123456789"),
    )
    card = card_of(
        train[:400],
        train,
        SPACE,
        default_features(SPACE, train),
        judge=judge,
        labels=np.asarray(target[:400]),
    )
    found = {
        k: s
        for k, card in card.of_controls(drawn, 400).items()
        for s in card
        if s.name.startswith("label acc")
    }
    # asked for one of ten classes and not listening: 10 %, whose interval at 400 examples ends below 15 %
    assert found["noise"].value < 0.15
    assert found["shuffled marginals"].value < 0.2
    assert found["real"].value > 0.9
    assert not of(card.scores(train[:400]), OTHER)
    # samples that were asked for nothing have no accuracy
    assert not any(s.name.startswith("label accuracy") for s in card.scores(train[:400]))


def test_every_measure_of_every_kind_of_data_has_an_aspect():
    rng = np.random.default_rng(0)
    spaces = {
        Points(3): rng.normal(size=(300, 3)),
        MIXED: mixed_rows(300, rng),
        Text(9, 16, 8): rng.integers(0, 9, size=(300, 16)),
    }
    for space, x in spaces.items():
        card = card_of(x[:100], x[200:], space, default_features(space, x[200:]))
        assert card.left_out == []
        assert not of(card.scores(x[100:200]), OTHER)
