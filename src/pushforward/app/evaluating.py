"""Score the samples of a run, or of any other tool, against held-out data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pushforward.app.assessing import MOST_SAMPLES, array, assess, measure_controls
from pushforward.app.comparing import write_scores
from pushforward.app.opening import reopen
from pushforward.app.training import open_model
from pushforward.data.open import open_data, open_like
from pushforward.engine.history import read_history
from pushforward.evaluation.memorisation import memorisation_verdict
from pushforward.evaluation.scorecard import scorecard, with_controls
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
    result["cost"] = {
        "parameters": row.parameters,
        "train_seconds": row.train_seconds,
        "calls_per_sample": row.calls_per_sample,
        "seconds_per_1000": row.seconds_per_1000,
    }
    return result


def evaluate_samples(samples: Path, reference: str, seed: int = 0) -> dict[str, Any]:
    """Score what any other tool generated against the held-out split of `reference`."""
    dataset = open_data(reference)
    if dataset.encoding is not None:
        drawn = array(dataset.encoding.read(samples), dataset.space)
    else:
        drawn = array(open_like(str(samples), dataset.space, (), labels=False), dataset.space)
    controls = measure_controls(dataset, seed, min(MOST_SAMPLES, len(drawn)))
    drawn = drawn[: controls.n]
    scores = scorecard(drawn, controls.reference, controls.train, dataset.space, controls.features, seed)
    verdict = memorisation_verdict(scores)
    scores = with_controls(scores, controls.ceiling, controls.floor)
    return {
        "scores": [s.to_json() for s in scores],
        "memorisation": {"tripped": verdict.tripped, "sentence": verdict.sentence},
    }
