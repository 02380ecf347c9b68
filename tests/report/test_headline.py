"""The first sentence: what one set of samples is worth beside real data, and which of several models to take."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from pushforward.core.score import Score
from pushforward.core.space import Points
from pushforward.evaluation.cards.controls import controls, floor_card, with_controls
from pushforward.evaluation.cards.scorecard import Scorecard
from pushforward.evaluation.features.named import Standardised
from pushforward.evaluation.measuring.metric import CardSetting
from pushforward.reports.records import Row
from pushforward.reports.verdict.control_verdict import too_good_sentences
from pushforward.reports.verdict.sentences import verdict_sentences
from pushforward.reports.verdict.standing import blind, clear_of
from pushforward.reports.verdict.told_apart import told_apart
from scored import called

COIN = "classifier two-sample accuracy [x] vs test"


def score(value: float, half: float | None = 0.1, **more: Any) -> Score:
    entry: dict[str, Any] = {
        "name": "coverage [x] vs test",
        "n": 200,
        "better": "higher",
        "null": 0.95,
    }
    if half is not None:
        entry.update(low=value - half, high=value + half)
    return called(value=value, **{**entry, **more})


def coin(value: float, n: int = 200) -> Score:
    return score(value, 0.04, name=COIN, n=n, better="lower", null=0.5)


def model(name: str, *scores: Score, **more: Any) -> Row:
    return Row(name, "model", scores=tuple(scores), **more)


def first(*rows: Row) -> str:
    return verdict_sentences(rows)[0].text


def test_samples_that_a_classifier_tells_apart_are_never_called_fine() -> None:
    row = model("vae", coin(0.81), score(0.9))
    text = first(row)
    assert (
        text
        == "vae is told apart from real data: at 200 samples a classifier is right on 81 % (guessing: 50 %)."
    )
    floor = Row("noise", "floor", scores=(coin(1.0), score(0.1)))
    assert first(row, floor) == text  # better than a bad model is not enough


def test_how_far_off_and_in_what() -> None:
    floor = Row("noise", "floor", scores=(score(0.15), score(0.0, name="recall [x] vs test")))
    row = model("vae", coin(0.81), score(0.45), score(0.8, name="recall [x] vs test"))
    assert first(row, floor).endswith("furthest off: real data covered (0.450; real data: 0.950).")


@pytest.mark.parametrize("right", [0.40, 0.5, 0.51])
def test_what_a_coin_would_do_too_is_not_told_apart(right: float) -> None:
    assert first(model("vae", coin(right))).startswith(
        "vae is not told apart from real data at 200 samples"
    )


def test_a_coin_of_few_flips_is_no_evidence() -> None:
    # 24 of 40 is what a coin does once in seven times, 240 of 400 never
    assert "not told apart" in first(model("vae", coin(0.6, n=20)))
    assert "is told apart" in first(model("vae", coin(0.6, n=200)))


@pytest.mark.parametrize(
    "scores",
    [
        (),
        (score(math.nan, None, warnings=("too few",)),),
        (score(0.2, None),),
        (score(0.2, 0.0),),
        (score(0.2, null=None),),
        (score(0.2, name="authenticity [x] vs train"),),
    ],
)
def test_what_cannot_be_judged_is_not_judged(scores: tuple[Score, ...]) -> None:
    assert first(model("vae", *scores)) == (
        "vae could not be judged: no measure has an error and a known value for real data."
    )


def test_a_copy_is_dangerous_whatever_it_scores() -> None:
    said = "replays training data: 40.0% of the samples are exact training examples, 0.0% of held-out data; and more"
    copy = model("copy", coin(0.5), memorised=True, memorisation=said)
    assert first(copy).startswith("copy replays training data: 40.0% of the samples")
    assert first(copy).endswith("do not take its samples for new ones.")
    honest, other = model("a", score(0.5), memorised=False), model("b", score(0.1), memorised=False)
    better = model("copy", score(0.94), memorised=True, memorisation=said)
    assert first(honest, better, other).startswith("Choose a: it beats b")
    assert (
        first(better, model("too", memorised=True))
        == "Choose none: every model replays its training data."
    )


def test_noise_is_useless_and_never_recommended() -> None:
    floor = Row("uniform noise", "floor", scores=(score(0.15),))
    assert first(model("gan", score(0.15)), floor) == (
        "gan is useless as it is: no better than uniform noise on 1 of 1 measures."
    )
    both = (model("gan", score(0.15)), model("vae", score(0.05)), floor)
    assert first(*both).startswith("Choose none yet")
    assert first(*both, model("flow", score(0.8))).startswith("Choose flow, the only usable model.")


def test_equal_models_have_no_winner_and_the_faster_one_is_named() -> None:
    rows = (
        model("a", score(0.8), seconds_per_1000=1.0),
        model("b", score(0.81), seconds_per_1000=20.0),
    )
    assert first(*rows).startswith(
        "No winner among a and b: neither is better on any of 1 measures, and a samples fastest (by 20 times)."
    )


def test_wins_and_losses_are_counted_and_a_draw_is_no_choice() -> None:
    def measures(*values: float) -> tuple[Score, ...]:
        return tuple(score(v, 0.01, name=f"m{i} [x]", null=None) for i, v in enumerate(values))

    a, b = model("a", *measures(0.9, 0.9, 0.9, 0.5)), model("b", *measures(0.5, 0.5, 0.9, 0.9))
    assert first(
        a, b
    ) == "Choose a: it beats b on 2 of 4 measures, and loses 1 to b." or "No clear winner" in first(
        a, b
    )
    clear = model("c", *measures(0.2, 0.2, 0.2, 0.505))
    assert first(a, clear) == "Choose a: it beats c on 3 of 4 measures and loses none."
    even = (model("a", *measures(0.9, 0.1)), model("b", *measures(0.1, 0.9)))
    assert (
        first(*even) == "No clear winner: against b, a is better on 1 of 2 measures and worse on 1."
    )


def many(values: list[float], half: float = 0.01, right: float = 0.53) -> tuple[Score, ...]:
    """Measures that order models and know nothing of real data, and a classifier that does."""
    return (
        coin(right),
        *(score(v, half, name=f"m{i} [x]", null=None) for i, v in enumerate(values)),
    )


def code(value: float, kind: Any = "exact") -> Score:
    return called(
        "negative log-likelihood",
        value,
        n=99,
        better="lower",
        low=value - 0.01,
        high=value + 0.01,
        unit="nats",
        kind=kind,
    )


ONE_BETTER, PLAIN = [0.9, *[0.5] * 9], [0.5] * 10


def test_a_model_told_apart_is_not_recommended_for_one_measure_before_one_that_is_not() -> None:
    told, real = many(ONE_BETTER, right=0.58), many(PLAIN)
    assert first(model("ar", *told), model("diffusion", *real)) == (
        "No clear winner: ar beats diffusion on 1 of 11 measures, but at 200 samples it is told apart from real data, and "
        "diffusion is not."
    )
    # its code, shorter for certain, is the reason that is left
    rows = (
        model("ar", *told, likelihood=code(5.0)),
        model("diffusion", *real, likelihood=code(4.0, "lower_bound")),
    )
    assert first(*rows).startswith(
        "Choose diffusion: at 200 samples ar is told apart from real data, and it is not and its code"
    )
    assert "ar beats diffusion on 1 of 11 measures" in first(*rows)
    # a longer bound says nothing for certain, a shorter exact code speaks for the other one
    rows = (
        model("ar", *told, likelihood=code(5.0)),
        model("diffusion", *real, likelihood=code(6.0, "lower_bound")),
    )
    assert first(*rows).startswith("No clear winner")
    rows = (
        model("ar", *told, likelihood=code(4.0)),
        model("diffusion", *real, likelihood=code(6.0)),
    )
    assert first(*rows).startswith("Choose ar: it beats diffusion")


def test_most_of_the_measures_decide_whoever_is_told_apart() -> None:
    rows = (model("ar", *many([0.9] * 8 + [0.5, 0.5], right=0.58)), model("gan", *many(PLAIN)))
    assert first(*rows).startswith("Choose ar: it beats gan on 8 of 11")


def test_where_no_measure_decides_real_data_do() -> None:
    told, real = many(PLAIN, 0.3, 0.58), many(PLAIN, 0.3, 0.53)
    assert first(model("a", *told), model("b", *real)) == (
        "Choose b: no measure orders b and a, but at 200 samples a is told apart from real data, and b is not."
    )
    assert first(model("a", *told), model("b", *real), model("c", *real)).startswith(
        "Choose b or c: no measure orders b, c and a"
    )
    assert first(model("a", *told), model("b", *told)).startswith("No winner among a and b")
    assert first(model("a", *real), model("b", *real)).endswith(
        "At 200 samples a and b are not told apart from real data."
    )
    # equal to the best by the measures, and not by real data
    low = many([0.1] * 10, right=0.9)
    rows = (model("a", *many(PLAIN, right=0.58)), model("b", *many(PLAIN)), model("c", *low))
    assert first(*rows).startswith("Choose b")


@pytest.mark.parametrize(
    "name", ["pair shapes", "column shapes", "pair associations", "total variation of class shares"]
)
def test_a_title_that_says_off_is_not_off_twice(name: str) -> None:
    row = model("vae", score(0.358, 0.01, name=f"{name} [x] vs test", better="lower", null=0.05))
    assert first(row).count(" off") == 1
    assert "off in " in first(row)


def test_a_missing_interval_is_not_a_failure() -> None:
    real, floor = (
        Row("real", "ceiling", scores=(score(0.95, None, null=None),)),
        Row("noise", "floor", scores=(score(0.1, null=None),)),
    )
    assert clear_of(score(0.9, None), 0.1) is None
    assert not blind((real, floor), score(0.5))
    said = {s.topic: s.text for s in verdict_sentences((model("a", score(0.9, None)), real, floor))}
    assert "Blind" not in said
    assert "a (" not in said["Floor"]
    measured = Row("real", "ceiling", scores=(score(0.95, null=None),))
    assert blind((measured, Row("noise", "floor", scores=(score(0.9, null=None),))), score(0.5))


@pytest.mark.parametrize("command", ["evaluate", "compare"])
def test_advice_names_the_verb_that_has_the_option(command: str) -> None:
    said = {s.topic: s.text for s in verdict_sentences((model("a", score(0.5), family="vae"),))}
    assert "`pushforward compare DATA --seeds 3`" in said["Luck"]
    foreign = {s.topic: s.text for s in verdict_sentences((model("a", score(0.5)),))}
    assert "--seeds" not in foreign["Luck"]


def skewed(n: int, rng: np.random.Generator) -> np.ndarray:
    return rng.gamma(2.0, size=(n, 2)) @ np.array([[1.0, 0.7], [0.0, 0.5]])


def page(samples: np.ndarray, seed: int, n: int = 150) -> tuple[Row, tuple[Row, ...]]:
    """A row with its controls, measured as `evaluate` does, on a skewed law of two dependent coordinates."""
    rng = np.random.default_rng(seed)
    train, test = skewed(4 * n, rng), skewed(n, rng)
    drawn = controls(train, Points(2), n, seed)
    setting = CardSetting(Points(2), [Standardised(drawn["real"].train)], seed=seed)
    card = Scorecard(test, train, setting)
    cards = card.of_controls(drawn, n)
    floor = floor_card(cards)
    rows = (
        Row("real", "ceiling", scores=tuple(cards["real"])),
        Row("shuffled", "floor", scores=tuple(cards["shuffled marginals"])),
        Row("noise", "floor", scores=tuple(cards["noise"])),
    )
    return Row(
        "model", scores=tuple(with_controls(card.scores(samples), cards["real"], floor))
    ), rows


def test_real_data_are_not_told_apart_and_a_shifted_law_is() -> None:
    # level 5 % a page: four or more of 12 real ones are told apart in 1 of 500 such tests; measured at 3 % (LOG.md)
    told = []
    for seed in range(12):
        row, rows = page(skewed(150, np.random.default_rng(1000 + seed)), seed)
        told.append(told_apart(row, rows).told)
    assert told.count(True) <= 3
    assert None not in told
    row, rows = page(skewed(150, np.random.default_rng(5)) + 0.8, 0)
    found = told_apart(row, rows)
    assert found.told
    assert any(e.score.name.startswith("energy distance") for e in found.found)


def test_a_page_of_models_as_good_as_real_data_praises_none_of_them() -> None:
    # 200 pages of five models on fifteen measures, all of one law with its ceiling: at 5 % more than 20 have a sentence in 0.1 % of
    # seeds. Intervals that part, without a level for the page, said it on 36
    rng, hits = np.random.default_rng(3), 0
    for _ in range(200):
        rows = [Row(f"m{k}", "model", scores=drawn(rng, 0.0)) for k in range(5)]
        hits += bool(
            too_good_sentences([*rows, Row("real", "ceiling", scores=drawn(rng, 0.0))], rows, ())
        )
    assert hits <= 20


def test_models_better_than_real_are_found() -> None:
    rng = np.random.default_rng(4)
    rows = [Row("a", "model", scores=drawn(rng, 8.0)), Row("b", "model", scores=drawn(rng, 0.0))]
    (first, _) = too_good_sentences(
        [*rows, Row("real", "ceiling", scores=drawn(rng, 0.0))], rows, ()
    )
    assert first.startswith("a scores better than real data on ")


def drawn(rng: np.random.Generator, ahead: float) -> tuple[Score, ...]:
    values = rng.normal(ahead, size=15)
    return tuple(
        called(
            f"m{k} [f] vs test", v, n=100, better="higher", low=v - 1.96, high=v + 1.96, stderr=1.0
        )
        for k, v in enumerate(values)
    )
