"""Every family on every kind of data but pictures, under small budgets: one number a cell.

    python benchmarks/bench_cells.py [--budgets 20s,60s] [--cells flow/two-moons,...] [--seeds 1] [--to FILE]
    PYTHONPATH=OLDER/src python benchmarks/bench_cells.py --to OLDER.jsonl
    python benchmarks/bench_cells.py --table OLDER.jsonl NEWER.jsonl

A cell is trained by `pf.fit` as a new user would, with nothing but the budget. Its number is the held-out code length
of at most 1,000 test examples (exact, or a bound) and for a GAN the energy distance between 2,000 samples and test
examples in standard deviations of each column: lower is better. The script only uses what older versions have too, so
that the same cells can be measured with the code of another checkout; `--table` puts two such files side by side.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

import pushforward as pf

CELLS = (
    *(f"{f}/gaussians-8" for f in ("autoregressive", "flow", "vae", "gan", "diffusion")),
    *(f"{f}/adult-mini" for f in ("autoregressive", "diffusion")),
    *(f"{f}/shakespeare" for f in ("autoregressive", "diffusion")),
)
SCORED, DRAWN = 1000, 2000


def energy(x: np.ndarray, y: np.ndarray) -> float:
    """Return `2 E|x - y| - E|x - x'| - E|y - y'|`, unbiased."""

    def mean(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.sqrt(((a[:, None] - b[None]) ** 2).sum(-1)).sum())

    n, m = len(x), len(y)
    return 2 * mean(x, y) / (n * m) - mean(x, x) / (n * (n - 1)) - mean(y, y) / (m * (m - 1))


def measured(cell: str, budget: str, seed: int) -> dict[str, Any]:
    """Train one cell, and return its number."""
    family, name = cell.split("/")
    data = pf.load(name)
    began = time.perf_counter()
    fitted = pf.fit(family, data, budget=budget, seed=seed, progress=False)
    line: dict[str, Any] = {
        "cell": cell,
        "budget": budget,
        "seed": seed,
        "steps": fitted.facts["steps"],
        "fit": round(time.perf_counter() - began, 1),
    }
    if fitted.model.capabilities.estimators.get(data.space.kind):
        found = fitted.model.log_prob(data.test[:SCORED])
        line |= {"value": found.value, "unit": found.unit.name}
    else:
        scale = data.train.x.double().std(0).numpy()
        x = fitted.sample(DRAWN, seed=1)
        value = energy(np.asarray(x) / scale, data.test.x[:DRAWN].double().numpy() / scale)
        line |= {"value": value, "unit": "energy distance"}
    return line


def table(older: Path, newer: Path) -> None:
    """Print two files of cells side by side."""
    read = [[json.loads(text) for text in path.read_text().splitlines()] for path in (older, newer)]
    found: dict[tuple[str, str], list[list[float]]] = {}
    for side, lines in enumerate(read):
        for line in lines:
            found.setdefault((line["cell"], line["budget"]), [[], []])[side].append(line["value"])
    print("| cell | budget | older | newer | newer - older |\n|---|---|---|---|---|")
    for (cell, budget), (before, now) in found.items():
        if before and now:
            a, b = np.mean(before), np.mean(now)
            print(f"| {cell} | {budget} | {a:.4f} | {b:.4f} | {b - a:+.4f} |")


def main() -> None:
    """Measure, or print a table."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--budgets", default="20s,60s")
    asked.add_argument("--cells", default=",".join(CELLS))
    asked.add_argument("--seeds", type=int, default=1)
    asked.add_argument("--to", type=Path)
    asked.add_argument("--table", type=Path, nargs=2)
    asked = asked.parse_args()
    if asked.table:
        table(*asked.table)
        return
    for budget in asked.budgets.split(","):
        for cell in asked.cells.split(","):
            for seed in range(asked.seeds):
                line = json.dumps(measured(cell, budget, seed))
                print(line, flush=True)
                if asked.to is not None:
                    with asked.to.open("a") as file:
                        file.write(line + "\n")


if __name__ == "__main__":
    main()
