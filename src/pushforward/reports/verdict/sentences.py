"""The verdict in words, composed from records only.

Three ideas: the first sentence says what to do; an order is stated only where it is decided,
everything else is "undecided"; likelihoods of different kinds are kept apart, except for the one
inference that is valid.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pushforward.evaluation.table.tree_score import TREES
from pushforward.reports.numbers import listed, relation, value_text
from pushforward.reports.records import Comparison, Row, Statement, metric_keys
from pushforward.reports.verdict.control_verdict import (
    blind_sentences,
    ceiling_sentences,
    floor_sentences,
    too_good_sentences,
)
from pushforward.reports.verdict.headline import headline
from pushforward.reports.verdict.likelihood_verdict import likelihood_sentences, likelihoods
from pushforward.reports.verdict.privacy_verdict import (
    leaks,
    memorisation_sentences,
    privacy_checks,
    privacy_sentences,
)
from pushforward.reports.verdict.sample_verdict import (
    beside_real_data,
    cost_sentences,
    luck_sentences,
    sample_sentences,
    truth_sentences,
)
from pushforward.reports.verdict.standing import Between, blind, standing
from pushforward.reports.verdict.told_apart import told_apart
from pushforward.reports.verdict.unmatched import pareto_sentences


def verdict(comparison: Comparison) -> tuple[Statement, ...]:
    """Return the comparison's own verdict, or the one composed from its rows."""
    return comparison.verdict or verdict_sentences(
        comparison.rows,
        comparison.data.nats_per_unit,
        comparison.between,
        pareto_sentences(comparison),
    )


def verdict_record(comparison: Comparison) -> dict[str, Any]:
    """Return the verdict for `--json`: the sentence, whether each model is told apart from real
    data and in what, and the rest.

    Example:
        >>> from pushforward.reports.records import Data
        >>> data = Data("two-moons", "points", "points in 2 dimensions", "nats/point", {"test": 100})
        >>> verdict_record(Comparison("A run", data, "", "cpu", 0, "today", (Row("flow"),)))["models"]["flow"]["told_apart"]
    """
    said = verdict(comparison)
    models = {}
    for row in comparison.models:
        found = told_apart(row, comparison.rows)
        models[row.name] = {
            "told_apart": found.told,
            "n": found.n,
            "in": [e.score.name for e in found.found],
            "classifier_accuracy": None if found.classifier is None else found.classifier.value,
            "tree_score": next((s.value for s in row.scores if s.measure == TREES), None),
            "replays_training_data": row.memorised,
            "leaks": [s.name for s in leaks(row)] if privacy_checks(row) else None,
        }
    return {
        "sentence": said[0].text,
        "models": models,
        "statements": [vars(statement) for statement in said],
    }


def verdict_sentences(
    rows: tuple[Row, ...],
    nats_per_unit: float = 1.0,
    between: Between = lambda key, first, second: None,
    worth: Sequence[str] = (),
) -> tuple[Statement, ...]:
    """Compose the verdict: what to do, then likelihood, samples, controls, memorisation, privacy
    and cost, in this order.

    Args:
        rows: models and controls.
        nats_per_unit: turns the rows' nats into the unit of their likelihoods.
        between: what tests of two models over their shared reference decided; see
            `Comparison.between`.
        worth: sentences about quality against cost.

    Example:
        >>> verdict_sentences((Row("vae", family="vae"),))[0].text
        'vae could not be judged: no measure has an error and a known value for real data.'
    """
    models = tuple(row for row in rows if row.role == "model")
    keys = [key for key in metric_keys(models) if key.measure.role == "merit"]
    unseeing = [
        key
        for key in keys
        if any(blind(rows, s) for row in models if (s := row.score(key)) is not None)
    ]
    seeing = [key for key in keys if key not in unseeing]
    places = [s for key in seeing if (s := standing(models, key, between)) is not None]
    standings = [place for place in places if place.rivals or place.beaten]
    texts = {
        "In short": [
            headline(rows, seeing, between, likelihoods(models, nats_per_unit).shorter),
            *_by_code_length(models, nats_per_unit),
        ],
        "Beside real data": beside_real_data(rows, models),
        "Likelihood": likelihood_sentences(models, nats_per_unit),
        "Truth": truth_sentences(models),
        "Samples": sample_sentences(models, standings),
        "Blind": blind_sentences(rows, unseeing),
        "Too good": too_good_sentences(rows, models, unseeing),
        "Luck": luck_sentences(models),
        "Ceiling": ceiling_sentences(rows),
        "Floor": floor_sentences(rows, models),
        "Memorisation": memorisation_sentences(rows, models),
        "Privacy": privacy_sentences(rows, models),
        "Cost": [*cost_sentences(models), *worth],
    }
    return tuple(Statement(topic, text) for topic, found in texts.items() for text in found)


def _by_code_length(models: Sequence[Row], nats_per_unit: float) -> list[str]:
    known = likelihoods(models, nats_per_unit)
    found = known.guaranteed()
    if found is None or len(known.scores) < 2:
        return []
    best, rivals = found
    score = known.scores[best]
    figure = f"{relation(score)}{value_text(score)} {score.unit}".strip()
    if rivals:
        return [
            f"For likelihood, {listed([best, *rivals])} are undecided: the shortest guaranteed code is near {figure}."
        ]
    kind = "exact" if score.kind == "exact" else "a bound, so its true value can only be better"
    return [f"For likelihood choose {best}: it guarantees the shortest code, {figure} ({kind})."]
