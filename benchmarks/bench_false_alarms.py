"""How often a page of equal models holds a decided order, over kinds of data, laws and sizes, with every measure of a scorecard.

Run with `bench_false_alarms.py FILE [--pages 200] [--kinds points,pictures,tables,texts] [--sizes 100,300,1000] [--drift]`. FILE
keeps what is done, a line of JSON a page, and the same command goes on from there. A page is five samples of one law against one
reference, with all pairs of models on all measures under one Holm correction, as on a page of `compare`; beside it the paired
likelihoods of five equal models, a model that is the floor, and what the report says of the five beside real data: better than
real (any of them), told apart (the first). Of `--drift` the models are equal, and wrong.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from pushforward.core.score import Score
from pushforward.core.space import Image, Points, Space
from pushforward.core.table import Column, Table
from pushforward.core.text import Text
from pushforward.evaluation.cards.comparison import compare_models
from pushforward.evaluation.cards.controls import REAL, SHUFFLED, controls
from pushforward.evaluation.cards.scorecard import Scorecard
from pushforward.evaluation.features.default import default_features
from pushforward.evaluation.intervals import wilson
from pushforward.evaluation.likelihood.ranking import paired_test
from pushforward.evaluation.measuring.metric import CardSetting
from pushforward.reports.records import Row
from pushforward.reports.verdict.standing import clear_of
from pushforward.reports.verdict.told_apart import told_apart, too_good

Draw = Callable[[int], np.ndarray]
LAWS: dict[str, Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]] = {
    "gaussian": lambda rng, shape: rng.normal(size=shape),
    "laplace": lambda rng, shape: rng.laplace(size=shape),
    "skewed": lambda rng, shape: rng.exponential(size=shape),
    "heavy": lambda rng, shape: rng.standard_t(3, size=shape),
}
MODELS, LEVELS = 5, 16
DRIFT = 0.3
CLAIMS = ("decided", "likelihood", "above floor", "too good", "told apart")


def main() -> None:
    """Measure what is missing of FILE and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--pages", type=int, default=200)
    parser.add_argument("--kinds", default="points,pictures,tables,texts")
    parser.add_argument("--sizes", default="100,300,1000")
    parser.add_argument("--minutes", type=float, default=1e9)
    parser.add_argument("--drift", action="store_true")
    asked = parser.parse_args()
    done = (
        [json.loads(line) for line in asked.file.read_text().splitlines()]
        if asked.file.exists()
        else []
    )
    known = {(r["kind"], r["law"], r["n"], r["drift"], r["page"]) for r in done}
    started = time.monotonic()
    with asked.file.open("a") as out:
        for page in range(asked.pages):
            for n in map(int, asked.sizes.split(",")):
                for kind in asked.kinds.split(","):
                    for law in LAWS:
                        key = (kind, law, n, asked.drift, page)
                        if key in known or time.monotonic() - started > 60 * asked.minutes:
                            continue
                        found = measure(*key)
                        out.write(json.dumps(found) + "\n")
                        out.flush()
                        done.append(found)
    print(table([r for r in done if r["drift"] == asked.drift]))


def measure(kind: str, law: str, n: int, drift: bool, page: int) -> dict[str, Any]:
    """Return what one page of equal models claims."""
    rng = np.random.default_rng([page, n, sorted(LAWS).index(law), len(kind), drift])
    space, real = _source(kind, law, rng, 0.0)
    _, model = _source(kind, law, rng, DRIFT if drift else 0.0)
    train, reference = real(4 * n), real(n)
    bad = controls(train, space, n, seed=page)
    # a reference of that name has no checks of copying and privacy, which no claim here counts
    setting = CardSetting(space, default_features(space, bad[REAL].train), "train")
    card = Scorecard(reference, train, setting)
    models = {f"model {k}": card.measure(model(n)) for k in range(MODELS)}
    merits = {
        name: [m for m in found if m.score.measure.role != "check"]
        for name, found in models.items()
    }
    decided = Counter(
        d.metric.split(" [")[0] for d in compare_models(merits) if d.verdict != "undecided"
    )
    ceiling, floor = (
        card.scores(c.samples, None if c.train is train else c.train)
        for c in (bad[REAL], bad[SHUFFLED])
    )
    as_bad = card.scores(controls(train, space, n, seed=page + 10**6)[SHUFFLED].samples)
    rows = [Row(name, scores=tuple(m.score for m in found)) for name, found in models.items()]
    rows += [
        Row(REAL, "ceiling", scores=tuple(ceiling)),
        Row(SHUFFLED, "floor", scores=tuple(floor)),
    ]
    return {
        "kind": kind,
        "law": law,
        "n": n,
        "drift": drift,
        "page": page,
        "decided": dict(decided),
        "likelihood": _likelihood(law, n, rng),
        "above floor": _clear(as_bad, floor),
        "too good": [score.name.split(" [")[0] for _, score in too_good(rows[:MODELS], rows)],
        "told apart": bool(told_apart(rows[0], rows).told),
    }


def _clear(scores: list[Score], marks: list[Score]) -> list[str]:
    """Return the measures on which a score is said to be clearly better than one of the same law."""
    known = {mark.name: mark for mark in marks}
    judged = [s for s in scores if s.measure.role != "check"]
    return [s.name.split(" [")[0] for s in judged if clear_of(s, known[s.name])]


def _likelihood(law: str, n: int, rng: np.random.Generator) -> bool:
    """Return whether any pair of five equal models is decided: one log-density, each with an error of mean zero of its own."""
    shared = -np.abs(LAWS[law](rng, (n,)))
    mean = float(LAWS[law](np.random.default_rng(1), (10**6,)).mean()) if law == "skewed" else 0.0
    nats = [shared + 0.3 * (LAWS[law](rng, (n,)) - mean) for _ in range(MODELS)]
    pairs = [(a, b) for k, a in enumerate(nats) for b in nats[k + 1 :]]
    return any(paired_test(a, b, 1.0, "nats", len(pairs)).verdict != "undecided" for a, b in pairs)


def _source(kind: str, law: str, rng: np.random.Generator, shift: float) -> tuple[Space, Draw]:
    """Return a space and a sampler of one law in it, moved by some standard deviations."""
    draw = LAWS[law]
    if kind == "points":
        return Points(3), lambda n: draw(rng, (n, 3)) @ _mixing(3) + shift
    if kind == "pictures":
        return Image(1, 8, 8, LEVELS), lambda n: _pictures(draw(rng, (n, 6)) + shift)
    if kind == "texts":
        return Text(vocabulary=12, length=12, boundary=11), lambda n: _texts(
            draw(rng, (n, 13)) + shift
        )
    columns = (
        Column("colour", "categorical", ("red", "green", "blue")),
        Column("count", "integer", step=1.0, low=0, high=30, bounded_below=True),
        Column("size", "continuous", low=-30.0, high=30.0),
        Column("weight", "continuous", low=-30.0, high=30.0),
    )
    return Table(columns), lambda n: _rows(draw(rng, (n, 4)) + shift)


def _mixing(d: int) -> np.ndarray:
    return np.eye(d) + 0.5 * np.eye(d, k=1)


def _pictures(hidden: np.ndarray) -> np.ndarray:
    place = (
        (np.arange(64).reshape(8, 8)[None, :] + 1.0) * (np.arange(6) + 1.0)[:, None, None] * 0.13
    )
    light = LEVELS / 2 + np.tensordot(hidden, 1.2 * np.cos(place), axes=(1, 0))
    return np.clip(np.round(light), 0, LEVELS - 1)[:, None].astype(np.uint8)


def _texts(hidden: np.ndarray) -> np.ndarray:
    walk = hidden[:, 1:] + 0.7 * hidden[:, :-1] + hidden[:, :1]
    return np.clip(np.floor(1.5 * walk + 5), 0, 10).astype(np.int64)


def _rows(hidden: np.ndarray) -> np.ndarray:
    first = hidden[:, 0]
    colour = np.clip(np.floor(first + hidden[:, 1] + 1), 0, 2)
    count = np.clip(np.floor(3 * np.abs(first + 0.5 * hidden[:, 2])), 0, 30)
    return np.stack(
        [colour, count, np.clip(first, -30, 30), np.clip(hidden[:, 3] + 0.5 * first, -30, 30)],
        axis=1,
    )


def table(done: list[dict[str, Any]]) -> str:
    """Return the share of pages with a claim, with Wilson's interval, and the measures that made them."""
    groups = defaultdict(list)
    for record in done:
        groups[record["kind"], record["law"], record["n"]].append(record)
    lines = [
        "| kind | law | n | pages | decided | likelihood | above floor | too good | told apart | measures that decided |",
        "|---" * 10 + "|",
    ]
    for (kind, law, n), records in sorted(groups.items()):
        cells = [_rate([bool(r[key]) for r in records]) for key in CLAIMS]
        who = Counter(name for r in records for name in r["decided"])
        lines.append(
            f"| {kind} | {law} | {n} | {len(records)} | {' | '.join(cells)} | {_named(who)} |"
        )
    cells = [_rate([bool(r[key]) for r in done]) for key in CLAIMS]
    lines.append(f"| all | | | {len(done)} | {' | '.join(cells)} | |")
    lines += ["", "above floor: " + _named(Counter(m for r in done for m in r["above floor"]))]
    return "\n".join(
        [*lines, "too good: " + _named(Counter(m for r in done for m in r["too good"]))]
    )


def _rate(hits: list[bool]) -> str:
    low, high = wilson(sum(hits), len(hits))
    return f"{100 * np.mean(hits):.1f} % ({100 * low:.1f} to {100 * high:.1f})"


def _named(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.most_common())


if __name__ == "__main__":
    np.seterr(all="raise", under="ignore")
    main()
