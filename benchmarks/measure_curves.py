"""Learning curves of presets: what each reached on held-out examples after trainings of several lengths.

    python benchmarks/measure_curves.py FAMILY DATA PRESET[:BATCH[:WIDTH]] ...
        [--lengths 100,300,1000] [--rows N] [--name NAME] [--extend]

DATA is whatever `pushforward train` reads; of its training examples `--rows` are taken. Every length is a training of
its own under a budget of steps, seed 0, so that no clock decides anything; its figure is that of the weights that it
keeps, on the same held-out examples for every length and candidate (`best_held_out`). The table
`src/pushforward/families/learning_curves.json`, by which `--preset auto` chooses, gets the new curves in the place of
older ones of the same family, data and candidate; with `--extend` other lengths of theirs stay.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, replace
from typing import Any

import pushforward as pf
from pushforward.app.runs.planning import plan_training
from pushforward.app.runs.resizing import resized
from pushforward.app.runs.training import train
from pushforward.data.dataset import Dataset
from pushforward.families.learning_curves import TABLE, Reference

HELD_OUT, EVALUATED = 1000, 5


def points(
    family: str, data: Dataset, preset: str, size: tuple[float, int | None], lengths: list[int]
) -> dict[str, Any]:
    """Train for every length, and return the curve as the table has it."""
    found, batch = [], size[1]
    for steps in lengths:
        # a short training measures few examples by itself, and figures of other examples differ by more
        # than candidates do
        same = {"held_out_rows": HELD_OUT, "evaluate_every": max(1, steps // EVALUATED)}
        plan = plan_training(
            family, data, budget={"steps": steps}, preset=preset, overrides={"train": same}
        )
        whole = plan.train_config.batch_size
        trained = train(resized(plan, size[0], batch or whole))
        record = trained.record
        assert record.best_held_out is not None
        found.append([steps, float(f"{record.best_held_out:.6g}")])
        print(
            f"{family} {preset} {size}: {found[-1]}, {record.seconds / steps:.3g} s a step",
            flush=True,
        )
    return {
        "preset": preset,
        "width": size[0],
        "batch": batch or whole,
        "points": found,
        "quantity": record.held_out_name,
    }


def main() -> None:
    """Measure, and put the curves into the table."""
    asked = argparse.ArgumentParser()
    asked.add_argument("family")
    asked.add_argument("data")
    asked.add_argument("candidates", nargs="+", help="PRESET[:BATCH[:WIDTH]]")
    asked.add_argument("--lengths", default="100,300,1000")
    asked.add_argument("--rows", type=int)
    asked.add_argument("--name")
    asked.add_argument("--extend", action="store_true")
    asked = asked.parse_args()
    data = pf.load(asked.data)
    if asked.rows:
        data = replace(data, train=data.train[: asked.rows])
    space = data.space
    reference = Reference(asked.name or data.name, space.kind, space.dimensions, len(data.train))
    curves = []
    for candidate in asked.candidates:
        preset, *size = candidate.split(":")
        batch = int(size[0]) if size and size[0] else None
        width = float(size[1]) if len(size) > 1 else 1.0
        lengths = [int(word) for word in asked.lengths.split(",")]
        curves.append(points(asked.family, data, preset, (width, batch), lengths))
    save(asked.family, reference, curves, asked.extend)


def save(
    family: str, reference: Reference, curves: list[dict[str, Any]], extend: bool = False
) -> None:
    """Put curves into the table, read again because others may have written meanwhile."""
    table = json.loads(TABLE.read_text(encoding="utf-8"))
    key = {"family": family, "reference": asdict(reference)}
    entry = next((e for e in table if {k: e[k] for k in key} == key), None)
    if entry is None:
        entry = {**key, "curves": []}
        table.append(entry)
    candidate = lambda curve: tuple(curve[k] for k in ("preset", "width", "batch"))  # noqa: E731
    new = {candidate(curve): curve for curve in curves}
    kept = [c for c in entry["curves"] if candidate(c) not in new]
    for old in entry["curves"] if extend else []:
        if candidate(old) in new:
            points = {**dict(old["points"]), **dict(new[candidate(old)]["points"])}
            new[candidate(old)]["points"] = sorted(map(list, points.items()))
    entry["curves"] = kept + curves
    table.sort(key=lambda e: (e["family"], e["reference"]["kind"], e["reference"]["dimensions"]))
    lines = ",\n".join(json.dumps(e) for e in table)
    TABLE.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
