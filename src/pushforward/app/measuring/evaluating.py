"""Score the samples of a run, or of any other tool, against held-out data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pushforward.app.measuring.assessing import (
    MOST_SAMPLES,
    Controls,
    assess,
    card_alone,
    measure_controls,
)
from pushforward.app.measuring.cases import FEWEST, count_of, crowd_of
from pushforward.app.measuring.examples import (
    array,
    drawn_places,
    labels_of,
    nearest_training,
    summarised,
)
from pushforward.app.measuring.foreign import impossible, read_foreign, title_of
from pushforward.app.measuring.inquiry import Inquiry
from pushforward.app.measuring.measured_kind import measured_as
from pushforward.app.measuring.parts import trained_on
from pushforward.app.measuring.recording import comparison_of, scores_record, write_scores
from pushforward.app.progress.line import Stage, quiet
from pushforward.app.runs.loading import opened
from pushforward.app.runs.opening import SPLITS, reopen
from pushforward.app.runs.training import open_model
from pushforward.core.data_kind import kind_of, names_in_a_space
from pushforward.core.errors import BadInput, unknown
from pushforward.core.in_memory import InMemory
from pushforward.core.score import Score
from pushforward.data.dataset import Dataset
from pushforward.engine.history import read_history
from pushforward.evaluation.cards.controls import with_controls
from pushforward.evaluation.cards.damage import default_damages
from pushforward.evaluation.cards.power import Detection, cards_of, power
from pushforward.evaluation.cards.scorecard import Scorecard
from pushforward.evaluation.checks import as_rows
from pushforward.evaluation.likelihood.parzen import parzen
from pushforward.evaluation.memorisation.verdict import memorisation_verdict
from pushforward.provenance.run_directory import HISTORY
from pushforward.reports.records import Comparison, Row
from pushforward.reports.verdict.sentences import verdict_record

MOST_FILED = 10_000  # samples that are there already cost nothing to draw
FARTHEST = (
    1e12  # times the largest real number: squares and their sums stay far from the end of doubles
)
POWERED = 500


@dataclass(frozen=True)
class Evaluated:
    """Everything that was measured: the record that `--json` prints, and what pages and tables are
    made from."""

    record: dict[str, Any]
    comparison: Comparison

    @property
    def scores(self) -> list[Score]:
        """The scores, likelihood first."""
        return list(self.comparison.rows[0].all_scores)


@dataclass(frozen=True)
class EvaluationSetting:
    """How samples are evaluated, whoever drew them.

    Attributes:
        n: most examples on a side; 2,000 of a run and 10,000 of a file by default.
        seed: seed of every draw.
        features: by name; those of the kind of data by default.
        rules: expressions that every row of a table must fulfil.
        target: the column of a table that is predicted; None for the last one of classes.
        command: what a page says how to reproduce it.
    """

    n: int | None = None
    seed: int = 0
    features: Sequence[str] = ()
    rules: Sequence[str] = ()
    target: str | None = None
    command: str = ""

    @property
    def inquiry(self) -> Inquiry:
        """What is asked of the measures."""
        return Inquiry(self.features, self.rules, self.target)


USUAL = EvaluationSetting()


def evaluate_run(
    run: Path,
    data: str | InMemory | None = None,
    how: EvaluationSetting = USUAL,
    sampling: Mapping[str, Any] | None = None,
    stage: Stage = quiet,
) -> Evaluated:
    """Measure a run with its controls and leave `scores.json` in it (if nothing but `n` and `seed`
    is chosen).

    Args:
        run: its directory.
        data: reference data, None for the run's own test split.
        how: on how many examples, by which features.
        sampling: options of sampling, such as `{"guidance": 3}`.
        stage: returns what is told how far each stage is.
    """
    model, record = open_model(run)
    dataset = reopen(record, data)
    if data is not None:
        seen = trained_on(record, dataset.test, f"the test split of {data}")
        dataset = replace(dataset, notes=(*dataset.notes, *seen))
    else:
        seen = ()
    most, told = how.n or MOST_SAMPLES, stage("controls")
    controls = measure_controls(dataset, how.seed, most, how.inquiry, told=told)
    facts = {**record.manifest.get("fit", {}), "history": read_history(run / HISTORY)}
    chosen = ", ".join(f"{key}={value}" for key, value in (sampling or {}).items())
    name = f"{run.name} ({chosen})" if chosen else run.name
    row = assess(model, dataset, controls, name, facts, sampling, told=stage(f"scoring {name}"))
    if data is None and not (how.inquiry.anything or sampling):
        write_scores(run, row)
    budget = record.manifest.get("fit", {}).get("budget", "unfinished")
    comparison = comparison_of(
        dataset, [row], controls, budget, record.config["preset"], how.seed, how.command
    )
    compared = _compared(how.n, None, controls, dataset, "test")
    return Evaluated(_record(row, controls, comparison, compared, seen), comparison)


def _compared(
    asked: int | None, given: int | None, controls: Controls, dataset: Dataset, split: str
) -> dict[str, Any]:
    """Say how many samples were compared with how many real examples, and why no more where more
    were there or asked for."""
    n = controls.n
    wanted = asked or given or n
    sentence = f"{n} samples were compared with {n} {split} examples"
    if wanted > n:
        examples = dataset.part(split)
        whole, half = len(examples), len(controls.train) // 2
        limits = [
            (
                whole // 2 if split == "train" else whole,
                f"the {split} split has {whole}{' and half are the controls' * (split == 'train')}",
            ),
            (
                count_of(whole, examples.cases),
                f"of {count_of(whole, examples.cases)} documents one window each is compared",
            ),
            (
                half,
                f"real data drawn as if by a model may take half of the {len(controls.train)} training examples",
            ),
            (
                MOST_FILED if given else MOST_SAMPLES,
                "more would take too long; ask for more with -n",
            ),
        ]
        why = next((reason for most, reason in limits if most <= n), "no more can be used")
        sentence = f"{n} of {wanted} samples were compared, with {n} {split} examples: {why}"
    if controls.crowd > 1.0:
        sentence += f", windows of {round(n / controls.crowd)} documents, each of which counts once"
    return {"samples": n, "wanted": wanted, "reference": n, "split": split, "sentence": sentence}


def _record(
    row: Row,
    controls: Controls,
    comparison: Comparison,
    compared: dict[str, Any],
    notes: Sequence[str],
) -> dict[str, Any]:
    result = {"verdict": verdict_record(comparison), "compared": compared, **scores_record(row)}
    if notes:
        result["notes"] = list(notes)
    if flags := [f"it {curve.flag}: {curve.says}" for curve in row.curves if curve.flag]:
        result["flags"] = flags
    if controls.card.left_out:
        result["left_out"] = controls.card.left_out
    costs = ("parameters", "train_seconds", "calls_per_sample", "seconds_per_1000")
    if row.family:
        result["cost"] = {name: getattr(row, name) for name in costs}
    return result


def evaluate_samples(
    samples: Path | InMemory,
    reference: Any,
    how: EvaluationSetting = USUAL,
    settings: Mapping[str, Any] | None = None,
    split: str | None = None,
    skip_bad: bool = False,
    parzen_window: bool = False,
    stage: Stage = quiet,
) -> Evaluated:
    """Score what any other tool generated against a split of `reference`.

    Args:
        samples: a file or folder; labels in it (folders by class, an array `y`) are the classes
            that were asked for.
        reference: the real data.
        how: how many of the samples to score, by which features.
        settings: how to read the reference and the samples, as `open_source` takes them.
        split: which split is the reference: `test` by default, `validation`, or `train`, which
            every score then names.
        skip_bad: leave unreadable files out and count them.
        parzen_window: also the historical number of images and points, with its warning.
        stage: returns what is told how far each stage is.

    Raises:
        BadInput: samples of another space, too few of them, or an unreadable file.
    """
    if split is not None and split not in SPLITS:
        raise BadInput(*unknown("split", split, SPLITS))
    dataset = opened(reference, settings, skip_bad=skip_bad)
    examples, odd = read_foreign(samples, dataset, skip_bad)
    drawn, labels = array(examples, dataset.space), labels_of(examples, dataset)
    _require_samples(len(drawn), how.n, samples, odd)
    _require_range(drawn, array(dataset.train, dataset.space), samples)
    # of too few documents all windows are compared, as of real ones
    cases = examples.cases if count_of(len(examples), examples.cases) >= FEWEST else None
    most, told = min(how.n or MOST_FILED, count_of(len(drawn), cases)), stage("controls")
    controls = measure_controls(dataset, how.seed, most, how.inquiry, split or "test", told=told)
    stage(f"scoring {samples}")
    places = drawn_places(len(drawn), controls.n, how.seed, cases)
    drawn, labels = drawn[places], None if labels is None else labels[places]
    historical = [_parzen(drawn, dataset, how.seed)] if parzen_window else []
    row = _row_of(title_of(samples), drawn, labels, dataset, controls, historical)
    row = replace(
        row,
        crowd=1.0 if examples.cases is None else crowd_of(examples.cases[torch.from_numpy(places)]),
    )
    notes = impossible(odd, len(examples), samples)
    short = tuple(note.partition(", so every")[0] for note in notes)
    dataset = replace(dataset, notes=(*dataset.notes, *notes), lost=(*dataset.lost, *short))
    comparison = comparison_of(
        dataset, [row], controls, "samples of another tool", "none", how.seed, how.command
    )
    compared = _compared(how.n, len(examples), controls, dataset, split or "test")
    return Evaluated(_record(row, controls, comparison, compared, notes), comparison)


def _row_of(
    name: str,
    drawn: np.ndarray,
    labels: np.ndarray | None,
    dataset: Dataset,
    controls: Controls,
    historical: Sequence[Score],
) -> Row:
    measured = controls.card.measure(drawn, labels=labels)
    verdict = memorisation_verdict([one.score for one in measured])
    suspicious, neighbours = nearest_training(drawn, controls.train)
    return Row(
        name,
        no_likelihood="samples alone have none",
        scores=(
            *historical,
            *with_controls([one.score for one in measured], controls.ceiling, controls.floor),
        ),
        measured=tuple(measured),
        memorisation=verdict.sentence,
        memorised=verdict.tripped,
        samples=measured_as(dataset.space).pictured(drawn),
        **summarised(drawn, dataset, controls.reference),
        labels=None if labels is None else labels[:200],
        suspicious=suspicious,
        neighbours=neighbours,
    )


def _require_samples(
    count: int, n: int | None, samples: Path | InMemory, odd: Mapping[int, str]
) -> None:
    if odd and count < max(FEWEST, n or 0):
        raise BadInput(impossible(odd, count, samples)[0], f"{max(FEWEST, n or 0)} rows that can")
    if n is not None and n > count:
        raise BadInput(f"-n {n}", f"at most {count}, the examples in {samples}")
    if count < FEWEST:
        raise BadInput(f"{count} samples in {samples}", f"at least {FEWEST}", "draw more of them")


def _require_range(drawn: np.ndarray, real: np.ndarray, samples: Path | InMemory) -> None:
    """Refuse samples so far from all data that squares of their distance are no numbers any more: a
    diverged generator's."""
    if drawn.dtype.kind != "f" or drawn.shape[1:] != real.shape[1:]:
        return
    reach, spread = float(np.abs(drawn).max(initial=0.0)), float(np.abs(real).max(initial=0.0))
    if not reach <= FARTHEST * max(spread, np.finfo(np.float32).tiny):
        came = f"samples as large as {reach:.3g} in {samples}, beside real data of at most {spread:.3g}"
        raise BadInput(
            came,
            f"values within {FARTHEST:g} times the data's",
            "a generator that diverged has none",
        )


def _parzen(samples: np.ndarray, dataset: Dataset, seed: int) -> Score:
    """The historical number: pictures are scaled to [0, 1], as they were when it was reported."""
    space = dataset.space
    if not kind_of(space).in_a_space:
        raise BadInput(
            f"--parzen of {space.kind}", names_in_a_space(), "leave it out: it misleads in any case"
        )
    scale = 1.0 if space.levels is None else 1.0 / (space.levels - 1)
    chooser, test = (
        as_rows(array(x, space))[drawn_places(len(x), MOST_SAMPLES, seed)] * scale
        for x in (dataset.validation, dataset.test)
    )
    return parzen(as_rows(samples) * scale, chooser, test)


def detection_power(
    reference: Any,
    n: int | None = None,
    seed: int = 0,
    features: Sequence[str] = (),
    settings: Mapping[str, Any] | None = None,
    repeats: int = 20,
    step: Callable[[int, int], None] | None = None,
) -> tuple[Dataset, list[Detection]]:
    """Return which measures see which damage to the held-out examples of some data, at n against n.

    Args:
        reference: the data; its test split is cut in two again and again.
        n: examples on a side; half of test, at most 500, by default.
        seed: seed of cuts and damage.
        features: by name; those of the kind of data by default.
        settings: how to read the data.
        repeats: random cuts.
        step: called with how many cards are measured, and of how many.

    Raises:
        BadInput: too few examples.
    """
    dataset = opened(reference, settings)
    most = len(dataset.test) // 2
    if (n or 0) > most or most < FEWEST:
        raise BadInput(
            f"{len(dataset.test)} test examples for {n or FEWEST} against as many",
            f"at least {2 * (n or FEWEST)}",
            "lower -n" if most >= FEWEST else "bring more data",
        )
    size = n or min(most, POWERED)
    # features and training examples are those of a scorecard; the reference is cut anew each time
    bare = card_alone(dataset, seed, size, features)
    damages, done = default_damages(dataset.space, bare.train, seed), 0
    total = cards_of(repeats, len(damages))
    held: list[tuple[np.ndarray, Scorecard]] = []

    def card(samples: np.ndarray, against: np.ndarray) -> Any:
        if not held or held[0][0] is not against:
            held[:] = [(against, bare.against(against))]
        return held[0][1].scores(samples)

    def told() -> None:
        nonlocal done
        done += 1
        if step is not None:
            step(done, total)

    pool = array(dataset.test, dataset.space)
    return dataset, power(pool, damages, card, size, repeats, seed, told)
