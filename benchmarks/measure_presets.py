"""What each preset for a processor reaches: `python benchmarks/measure_presets.py [FILE] [--only WORD]`.

Every preset `cpu` of every family, kind of data and architecture is trained once on built-in data for a fixed number of
steps (about a minute of one core each), so that the figures depend on no clock, and evaluated as `pushforward evaluate` does. One JSON
line each goes to FILE, in which lines that are there already are not measured again; then a table is printed.
The figures are written beside the presets (`families/*/config.py`) and shown by `pushforward families --presets`.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import pushforward as pf

DATA = {"points": "gaussians-8", "image": "digits", "text": "shakespeare", "table": "adult-mini"}
STEPS = {}


def main() -> None:
    """Measure what FILE lacks, and print all of it."""
    asked = argparse.ArgumentParser()
    asked.add_argument("file", nargs="?", type=Path, default=Path("presets.jsonl"))
    asked.add_argument("--only", default="")
    asked = asked.parse_args()
    lines = asked.file.read_text().splitlines() if asked.file.exists() else []
    found = {(f["family"], f["kind"]): f for f in map(json.loads, lines)}
    for (family, kind), steps in STEPS.items():
        if (family, kind) in found or asked.only not in f"{family} {kind}":
            continue
        found[family, kind] = line = {
            "family": family,
            "kind": kind,
            **measured(family, kind, steps),
        }
        with asked.file.open("a") as file:
            file.write(json.dumps(line) + "\n")
    for line in found.values():
        print(
            f"| {line['family']} | {line['data']} | {line['steps']:,} | {line['seconds']:.0f} | {line['figures']} |"
        )


def measured(family: str, kind: str, steps: int) -> dict[str, object]:
    """Train with the preset and return its likelihood, if it has one, and how well a classifier tells its samples."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        model = pf.fit(
            family, pf.load(DATA[kind]), path=f"{folder}/run", preset="cpu", steps=steps, seed=0
        )
        seconds = time.perf_counter() - start
        scores = pf.evaluate(model, seed=0)
    figures = [
        figure(s)
        for s in scores
        if s.metric in ("log-likelihood", "classifier two-sample accuracy")
    ]
    first = {text.split(" ")[-1]: text for text in reversed(figures)}  # the first of each measure
    return {
        "data": DATA[kind],
        "steps": steps,
        "seconds": seconds,
        "figures": "; ".join(reversed(first.values())),
    }


def figure(score: object) -> str:
    return score.name


if __name__ == "__main__":
    main()
