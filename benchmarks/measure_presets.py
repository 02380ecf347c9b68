"""What each preset for a processor reaches: `python benchmarks/measure_presets.py [FILE] [--only WORD]`.

Every preset `cpu` of every family, kind of data and architecture is trained once on built-in data for a fixed number
of steps (a minute of one core or less), so that the figures depend on no clock, and evaluated as `pushforward
evaluate` does. One JSON line each goes to FILE; what is in FILE already is not measured again; then a table is printed.
The figures are written beside the presets (`families/*/config.py`) and shown by `pushforward families --presets`.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import pushforward as pf
from pushforward.core.score import Score

DATA = {"points": "gaussians-8", "image": "digits", "text": "shakespeare", "table": "adult-mini"}
STEPS = {  # half a minute to a minute on one core that nobody else uses
    ("autoregressive", "points"): 12_000,
    ("autoregressive:made", "points"): 8_000,
    ("autoregressive", "image"): 1_200,
    ("autoregressive:made", "image"): 4_000,
    ("autoregressive:pixelcnn", "image"): 600,
    ("autoregressive", "text"): 800,
    ("autoregressive", "table"): 1_800,
    ("flow", "points"): 2_500,
    ("flow", "image"): 300,
    ("vae", "points"): 4_000,
    ("vae", "image"): 2_500,
    ("gan", "points"): 2_500,
    ("gan", "image"): 750,
    ("diffusion", "points"): 7_500,
    ("diffusion", "image"): 1_500,
    ("diffusion:edm", "image"): 750,
    ("diffusion:dit", "image"): 750,
    ("diffusion", "text"): 750,
    ("diffusion", "table"): 4_000,
}


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
    first = {score.metric: score for score in reversed(scores)}  # the first of each measure
    names = {"negative log-likelihood": "-log p", (told := "classifier two-sample accuracy"): told}
    said = [f"{names[name]} {_figure(first[name])}" for name in names if name in first]
    return {"data": DATA[kind], "steps": steps, "seconds": seconds, "figures": "; ".join(said)}


def _figure(score: Score) -> str:
    """Return a score in words: `2.84 nats/point (exact, 2.81 to 2.87)`."""
    likelihood = score.metric == "negative log-likelihood"
    what = score.kind.replace("_", " ") if likelihood else f"real data: {score.null:.2f}"
    low, high = (f"{end:.3f}" for end in (score.low, score.high))
    return f"{score.value:.3f}{' ' + score.unit if score.unit else ''} ({what}; {low} to {high})"


if __name__ == "__main__":
    main()
