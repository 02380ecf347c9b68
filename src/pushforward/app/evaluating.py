"""Score the samples of a run, or of any other tool, against held-out data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pushforward.app.assessing import FEWEST, MOST_SAMPLES, array, assess, drawn_places, measure_controls
from pushforward.app.comparing import write_scores
from pushforward.app.opening import open_source, reopen
from pushforward.app.training import open_model
from pushforward.core.errors import BadInput
from pushforward.data.dataset import Dataset
from pushforward.data.open import open_like
from pushforward.engine.history import read_history
from pushforward.evaluation.cards.controls import with_controls
from pushforward.evaluation.memorisation.verdict import memorisation_verdict
from pushforward.provenance.run_directory import HISTORY


def evaluate_run(run: Path, data: str | None = None, n: int | None = None, seed: int = 0) -> dict[str, Any]:
    """Measure a run with its controls, leave `scores.json` in it (if on its own data) and return the JSON record."""
    model, record = open_model(run)
    dataset = reopen(record, data)
    controls = measure_controls(dataset, seed, n or MOST_SAMPLES)
    facts = {**record.manifest.get("fit", {}), "history": read_history(run / HISTORY)}
    row = assess(model, dataset, controls, run.name, facts)
    if data is None:
        write_scores(run, row)
    likelihood = [] if row.likelihood is None else [row.likelihood]
    result: dict[str, Any] = {"scores": [s.to_json() for s in (*likelihood, *row.scores)]}
    if row.no_likelihood:
        result["no_likelihood"] = row.no_likelihood
    result["memorisation"] = {"tripped": row.memorised, "sentence": row.memorisation}
    if flags := [f"it {curve.flag}: {curve.says}" for curve in row.curves if curve.flag]:
        result["flags"] = flags
    result["cost"] = {
        "parameters": row.parameters,
        "train_seconds": row.train_seconds,
        "calls_per_sample": row.calls_per_sample,
        "seconds_per_1000": row.seconds_per_1000,
    }
    return result


def evaluate_samples(
    samples: Path,
    reference: str,
    seed: int = 0,
    n: int | None = None,
    settings: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Score what any other tool generated against the held-out split of `reference`.

    Args:
        n: how many of the samples to score, None = all, at most 2,000.
        settings: how to read the reference and the samples, as `open_source` takes them.

    Raises:
        BadInput: samples of another space, or too few of them.
    """
    dataset = open_source(reference, settings)
    drawn = _read_like(samples, dataset)
    if n is not None and n > len(drawn):
        raise BadInput(f"-n {n}", f"at most {len(drawn)}, the examples in {samples}")
    controls = measure_controls(dataset, seed, min(n or MOST_SAMPLES, len(drawn)))
    drawn = drawn[drawn_places(len(drawn), controls.n, seed)]
    scores = controls.card.scores(drawn)
    verdict = memorisation_verdict(scores)
    scores = with_controls(scores, controls.ceiling, controls.floor)
    return {
        "scores": [s.to_json() for s in scores],
        "memorisation": {"tripped": verdict.tripped, "sentence": verdict.sentence},
    }


def _read_like(samples: Path, dataset: Dataset) -> np.ndarray:
    if dataset.encoding is None:
        return array(open_like(str(samples), dataset.space, (), labels=False), dataset.space)
    x = dataset.encoding.read(samples).x
    if x.shape[1:] != dataset.space.event_shape:  # a text shorter than a window
        raise BadInput(
            f"{samples} holds {x.shape[1]} tokens",
            f"{FEWEST} windows of {dataset.space.dimensions} or more",
            "bring more text, or choose shorter windows with `-s data.length=...`",
        )
    return array(x, dataset.space)
