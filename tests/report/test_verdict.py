"""The verdict says who is best only where intervals decide, in both directions."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest

from pushforward.core.score import Score
from pushforward.reports.records import Comparison, Row, Statement, key_of
from pushforward.reports.verdict.sentences import verdict, verdict_sentences
from pushforward.reports.verdict.standing import clear_of, standing
from scored import called


def score(value: float, half: float | None = 0.1, **more: Any) -> Score:
    entry: dict[str, Any] = {"name": "distance [pixels]", "n": 100, "better": "lower"}
    if half is not None:
        entry.update(low=value - half, high=value + half)
    return called(value=value, **{**entry, **more})


def code(value: float, kind: str, half: float = 0.01) -> Score:
    return score(value, half, name="held-out likelihood", unit="bits/dim", kind=kind)


def model(name: str, *scores: Score, **more: Any) -> Row:
    return Row(name, "model", name, scores=tuple(scores), **more)


def said(rows: tuple[Row, ...], topic: str) -> str:
    return " ".join(s.text for s in verdict_sentences(rows) if s.topic == topic)


@pytest.mark.parametrize(("better", "best"), [("lower", "a"), ("higher", "b")])
def test_decided_by_intervals_in_the_metric_s_own_direction(better: str, best: str) -> None:
    rows = (model("a", score(1.0, better=better)), model("b", score(2.0, better=better)))
    worse = "b" if best == "a" else "a"
    assert said(rows, "Samples").startswith(f"{best} is clearly best on distance")
    assert (
        said(rows, "In short")
        == f"Choose {best}: it beats {worse} on 1 of 1 measures and loses none."
    )


def test_overlap_is_undecided_and_names_who_is_worse() -> None:
    rows = (model("a", score(1.0)), model("b", score(1.1)), model("c", score(9.0)))
    assert said(rows, "Samples") == "Undecided between a and b on distance; c is clearly worse."
    assert said(rows, "In short") == (
        "Choose a or b: no measure tells which; a beats c on 1 of 1 measures and loses none."
    )


def test_without_intervals_nothing_is_decided() -> None:
    rows = (model("a", score(1.0, None)), model("b", score(9.0, None)))
    assert said(rows, "Samples") == "Undecided between a and b on distance."


def test_the_summary_names_the_shortest_guaranteed_code() -> None:
    both = (
        model("a", likelihood=code(1.7, "exact")),
        model("b", likelihood=code(1.5, "lower_bound")),
    )
    assert (
        "For likelihood choose b: it guarantees the shortest code, ≤1.500 bits/dim (a bound, so"
        in said(both, "In short")
    )
    close = (
        model("a", likelihood=code(1.7, "exact")),
        model("b", likelihood=code(1.695, "lower_bound")),
    )
    assert (
        "For likelihood, b and a are undecided: the shortest guaranteed code is near ≤1.695"
        in said(close, "In short")
    )
    estimate = (
        model("a", likelihood=code(1.7, "exact")),
        model("b", likelihood=code(1.5, "estimate")),
    )
    assert "choose a: it guarantees the shortest code, 1.700 bits/dim (exact)" in said(
        estimate, "In short"
    )


def test_pairing_decides_where_intervals_overlap() -> None:
    hard = np.linspace(-9.0, 0.0, 50)[None]
    near = hard - 0.01 + 0.001 * np.cos(np.arange(50.0))
    rows = (
        model("a", likelihood=code(4.5, "exact", 0.5), nats=hard),
        model("b", likelihood=code(4.51, "exact", 0.5), nats=near),
    )
    assert "a is best at 4.5 nats, ahead of b by 0.010, example by example." in said(
        rows, "Likelihood"
    ).replace("bits/dim", "nats")
    apart = tuple(dataclasses.replace(row, nats=None) for row in rows)
    assert "a and b are undecided" in said(apart, "Likelihood")


def test_copying_checks_are_not_qualities() -> None:
    better = {"name": "authenticity [pca-2] vs train", "better": "higher"}
    real, floor = (
        Row("real", "ceiling", scores=(score(0.5, **better),)),
        Row("noise", "floor", scores=(score(1.0, **better),)),
    )
    rows = (
        model("a", score(0.99, 0.01, **better)),
        model("b", score(0.6, 0.01, **better)),
        real,
        floor,
    )
    assert said(rows, "Too good") == ""
    assert said(rows, "Samples") == ""
    assert "a (" not in said(rows, "Floor")


def test_a_measure_that_cannot_tell_the_floor_from_real_data_decides_nothing() -> None:
    real, floor = (
        Row("real", "ceiling", scores=(score(1.0),)),
        Row("noise", "floor", scores=(score(1.05),)),
    )
    rows = (model("a", score(1.0)), model("b", score(9.0)), real, floor)
    assert said(rows, "Samples") == ""
    assert said(rows, "Blind") == (
        "distance: at this size noise scores as well as real data on it, so it is not counted."
    )
    assert "distance" not in said(rows, "Floor")
    seeing = Row("noise", "floor", scores=(score(9.5),))
    assert said((*rows[:3], seeing), "Blind") == ""
    assert "a is clearly best" in said((*rows[:3], seeing), "Samples")


def test_the_best_of_several_floors_is_the_one_to_beat() -> None:
    worse, better = (
        Row("noise", "floor", scores=(score(9.0),)),
        Row("shuffled", "floor", scores=(score(3.0),)),
    )
    assert "a (distance)" in said((model("a", score(4.0)), worse, better), "Floor")
    assert "clearly better" in said((model("a", score(2.0)), worse, better), "Floor")
    assert "the least to ask" in said((model("a", score(2.0)), worse, better), "Floor")


def test_a_known_truth_has_its_own_sentence_and_is_no_sample_measure() -> None:
    kl = {"name": "KL to the truth [exact] vs test", "unit": "nats/point", "kind": "exact"}
    bound = {
        "name": "KL to the truth [upper_bound] vs test",
        "unit": "nats/point",
        "kind": "lower_bound",
    }
    rows = (model("b", score(0.03, 0.01, **bound)), model("a", score(0.01, 0.004, **kl)))
    text = said(rows, "Truth")
    assert text.endswith("in nats/point: a 0.010 and b ≤0.030.")
    assert said(rows, "Samples") == ""


def test_one_run_says_that_its_luck_is_not_covered() -> None:
    assert "not the luck of training" in said((model("a"), model("b")), "Luck")
    repeated = model("a", repeats=({"seed": 0}, {"seed": 1}, {"seed": 2}))
    assert "trained 3 times" in said((repeated,), "Luck")


def test_no_sentence_is_long_and_long_lists_are_counted() -> None:
    scores = [score(1.0 + i, 0.01, name=f"measure {i} [x]") for i in range(6)]
    worse = [score(2.5 + i, 0.01, name=f"measure {i} [x]") for i in range(6)]
    text = said((model("a", *scores), model("b", *worse)), "Samples")
    assert text == "a is clearly best on 6 measures."


def test_scores_on_other_features_are_never_ordered() -> None:
    rows = (model("a", score(1.0, features="pca")), model("b", score(9.0, features="net")))
    assert said(rows, "Samples") == ""
    assert (
        said(rows, "In short")
        == "No sample measure was taken on two models, so the samples are not ranked."
    )


def test_a_nan_leads_nothing() -> None:
    rows = (
        model("a", score(math.nan, None, warnings=("too few",))),
        model("b", score(2.0)),
        model("c", score(5.0)),
    )
    place = standing(rows, key_of(score(0.0)))
    assert place is not None
    assert (place.leader, place.rivals, place.beaten) == ("b", (), ("c",))


def test_likelihood_kinds_are_ranked_apart_and_the_reason_is_said() -> None:
    rows = (
        model("ar", likelihood=code(1.7, "exact")),
        model("vae", likelihood=code(1.9, "lower_bound")),
        model("flow", likelihood=code(2.1, "lower_bound")),
        model("gan", no_likelihood="no density; train a vae"),
    )
    text = said(rows, "Likelihood")
    assert "ar alone has an exact value: 1.700 bits/dim." in text
    assert "Among lower bounds, vae is best at ≤1.900 bits/dim, ahead of flow." in text
    assert "Exact values, bounds and estimates are not ranked together." in text
    assert "gan cannot be compared by likelihood: no density; train a vae." in text
    assert "One order across kinds" not in text


def test_a_bound_better_than_an_exact_value_is_the_one_inference_across_kinds() -> None:
    ahead = (
        model("ar", likelihood=code(1.7, "exact")),
        model("flow", likelihood=code(1.5, "lower_bound")),
    )
    assert "certain: the bound of flow already beats ar" in said(ahead, "Likelihood")
    overlap = (
        model("ar", likelihood=code(1.7, "exact")),
        model("flow", likelihood=code(1.69, "lower_bound")),
    )
    assert "One order across kinds" not in said(overlap, "Likelihood")
    estimate = (
        model("ar", likelihood=code(1.7, "exact")),
        model("flow", likelihood=code(1.5, "estimate")),
    )
    assert "One order across kinds" not in said(estimate, "Likelihood")


def test_one_kind_alone_needs_no_warning_about_kinds() -> None:
    rows = (model("a", likelihood=code(1.7, "exact")), model("b", likelihood=code(1.71, "exact")))
    assert (
        said(rows, "Likelihood")
        == "Among exact values, a and b are undecided, near 1.700 bits/dim."
    )


def test_ceiling_at_and_off_its_null() -> None:
    at = Row("real", "ceiling", scores=(score(0.05, null=0.0),))
    assert "at its expected value on the one measure" in said((model("a"), at), "Ceiling")
    off = Row("real", "ceiling", scores=(score(0.5, null=0.0),))
    assert "misses its expected value on 1 of 1 measures: distance (0.50, expected 0.00)" in said(
        (model("a"), off), "Ceiling"
    )
    assert "No real-versus-real row" in said((model("a", score(1.0)),), "Ceiling")


def test_only_families_not_clearly_above_the_floor_are_named() -> None:
    floor = Row("noise", "floor", scores=(score(5.0, 0.5),))
    assert said((model("a", score(1.0)), model("b", score(4.5)), floor), "Floor") == (
        "Not clearly better than the floor: b (distance)."
    )
    assert "clearly better than the floor" in said((model("a", score(1.0)), floor), "Floor")
    assert (
        said((model("a", score(4.0, floor=3.0)),), "Floor")
        == "Not clearly better than the floor: a (distance)."
    )


def test_the_floor_judges_likelihoods_only_where_the_order_is_valid() -> None:
    floor = Row("noise", "floor", likelihood=code(3.0, "exact"))
    assert "Not clearly" not in said(
        (model("a", likelihood=code(2.0, "lower_bound")), floor), "Floor"
    )
    assert "a (held-out likelihood)" in said(
        (model("a", likelihood=code(3.1, "exact")), floor), "Floor"
    )
    assert "No floor was measured" in said(
        (model("a", likelihood=code(2.0, "estimate")), floor), "Floor"
    )


def test_better_than_real_is_a_warning() -> None:
    real = Row("real", "ceiling", scores=(score(0.9, 0.05, better="higher"),))
    assert "a scores better than real data on distance" in said(
        (model("a", score(1.4, better="higher")), real), "Too good"
    )
    assert said((model("a", score(0.8, better="higher")), real), "Too good") == ""


@pytest.mark.parametrize(
    ("copycat", "expected"),
    [
        (True, "tripped the check, so the check works here"),
        (False, "did NOT trip the check, so it cannot be trusted"),
    ],
)
def test_the_copycat_control_decides_what_a_pass_means(copycat: bool, expected: str) -> None:
    rows = (
        model("a", memorised=False),
        model("b", memorised=True),
        Row("copy", "copycat", memorised=copycat),
    )
    text = said(rows, "Memorisation")
    assert expected in text
    assert "b may be copying" in text
    assert "No sign of copying in a." in text


def test_memorisation_without_control_or_check() -> None:
    assert "No copycat control was run" in said((model("a", memorised=False),), "Memorisation")
    assert said((model("a"),), "Memorisation") == "The memorisation check was not run."


def test_cost_names_fastest_and_slowest() -> None:
    rows = (
        model("a", seconds_per_1000=0.1, train_seconds=60.0),
        model("b", seconds_per_1000=5.0, train_seconds=90.0),
    )
    assert "a samples fastest (100 ms per" in said(rows, "Cost")
    assert "b slowest (5.0 s, 50 times as long)" in said(rows, "Cost")
    assert "60 s to 90 s per family" in said(rows, "Cost")


def test_nobody_is_called_fastest_by_less_than_a_factor_of_two() -> None:
    times = {"a": 0.0086, "b": 0.01, "c": 0.013}
    told = said(tuple(model(name, seconds_per_1000=s) for name, s in times.items()), "Cost")
    assert "too near to call one faster" in told
    assert "slowest" not in told


def test_clear_of_uses_the_near_end_of_both_intervals() -> None:
    assert clear_of(score(1.0, 0.4), score(2.0, 0.5))
    assert not clear_of(score(1.0, 0.6), score(2.0, 0.5))
    assert clear_of(score(3.0, 0.4, better="higher"), 2.5)
    assert not clear_of(score(3.0, None, better="higher"), 2.5)


def test_a_given_verdict_is_kept(digits: Comparison) -> None:
    own = (Statement("In short", "my own words"),)
    assert verdict(dataclasses.replace(digits, verdict=own)) == own
    assert verdict(digits)[0].text.startswith("Choose diffusion: it beats the other 4 on ")
