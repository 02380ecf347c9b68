"""Quality against network calls: a diffusion model at 1 to 35 calls, and its students at 1, 2 and 4.

    python benchmarks/bench_distillation.py digits gaussians-8 --budget 120s
    python benchmarks/bench_distillation.py runs/teacher --steps 400

Per kind of data, or run of a teacher, it trains a consistency student and progressive ones (--calls) under one budget each. It
prints Fréchet distances to the test split (95 % intervals) and unbiased energy distances (standard errors over ten blocks).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

import pushforward as pf
from pushforward.app.measuring.examples import array, drawn_places, held_out
from pushforward.app.runs.opening import reopen
from pushforward.data.dataset import Dataset
from pushforward.evaluation.distribution.energy import energy_distance
from pushforward.evaluation.distribution.frechet import frechet_distance
from pushforward.evaluation.features.default import default_features
from pushforward.faces.python.fitted import Fitted
from pushforward.provenance.run_directory import open_record

BLOCKS = 10
TEACHER = (
    ("ddim", 1),
    ("ddim", 2),
    ("ddim", 4),
    ("dpmpp-2m", 4),
    ("ddim", 8),
    ("dpmpp-2m", 8),
    ("heun", 18),
)


def blocks_energy(x: np.ndarray, y: np.ndarray, scale: float) -> tuple[float, float]:
    """Return the energy distance of rows over a scale and its standard error over disjoint blocks."""
    a, b = x.reshape(len(x), -1) / scale, y.reshape(len(y), -1) / scale
    pairs = zip(np.array_split(a, BLOCKS), np.array_split(b, BLOCKS), strict=True)
    values = np.array([energy_distance(p, q) for p, q in pairs])
    return float(values.mean()), float(values.std(ddof=1) / BLOCKS**0.5)


class Judge:
    """Test data, and what samples are compared with them on."""

    def __init__(self, data: Dataset) -> None:
        self.data = data
        self.places = torch.from_numpy(drawn_places(len(data.test), min(2000, len(data.test)), 0))
        self.reference = array(data.test[self.places], data.space)
        train = array(data.train, data.space)
        self.features = default_features(data.space, train, 0)
        # one scale for all: a pixel that is nearly always empty would count like a thousand others
        self.scale = float(train.std())

    def row(self, name: str, fitted: Fitted, calls: int, **options: object) -> None:
        """Print one row of the table."""
        test = held_out(fitted.model, self.data)
        given = None if test.given is None else test.given[self.places]
        x = array(
            fitted.model.sample(len(self.places), given=given, seed=1, **options), self.data.space
        )
        cells = []
        for f in self.features:
            score = frechet_distance(f(x), f(self.reference), f.name)[0]
            cells.append(
                f"{score.value:.3f}"
                + ("" if score.low is None else f" [{score.low:.3f}, {score.high:.3f}]")
            )
        energy, error = blocks_energy(x, self.reference, self.scale)
        print(
            f"| {name} | {calls} | "
            + " | ".join(cells)
            + f" | {1e3 * energy:.1f} ± {1e3 * error:.1f} |",
            flush=True,
        )


def bench(name: str, budget: dict[str, str | int], calls: list[int]) -> None:
    """Train, distil and print the table of one kind of data."""
    if Path(name).is_dir():
        teacher = pf.open(name)
        data = reopen(open_record(Path(name)))
    else:
        data = pf.load(name)
        teacher = pf.fit("diffusion", data, **budget)
    judge = Judge(data)
    print(
        f"\n{data.name}: teacher {teacher.facts['steps']} steps in {teacher.facts['seconds']:.0f} s"
    )
    heads = ["", "calls", *(f"Fréchet ({f.name})" for f in judge.features), "energy x 1000"]
    print("| " + " | ".join(heads) + " |\n" + "|---" * len(heads) + "|")
    for solver, steps in TEACHER:
        cost = int(teacher.model.walk(1, steps=steps, solver=solver).calls)
        judge.row(f"teacher, {solver}", teacher, cost, steps=steps, solver=solver)
    student = pf.distil(teacher, data, **budget)
    for steps in (1, 2, 4):
        judge.row(f"consistency, {facts(student)}", student, steps, steps=steps)
    for cost in calls:
        student = pf.distil(teacher, data, method="progressive", calls=cost, **budget)
        judge.row(f"progressive, {facts(student)}", student, cost)


def facts(student: Fitted) -> str:
    """Return how long a student was trained."""
    return f"{student.facts['steps']} steps, {student.facts['seconds']:.0f} s"


def main() -> None:
    """Run what was named, one after another."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", nargs="+")
    parser.add_argument("--budget", default="120s")
    parser.add_argument("--steps", type=int)
    parser.add_argument(
        "--calls", type=int, nargs="*", default=[1, 4], help="of progressive students"
    )
    chosen = parser.parse_args()
    budget = {"budget": chosen.budget} if chosen.steps is None else {"steps": chosen.steps}
    for name in chosen.data:
        bench(name, budget, chosen.calls)


if __name__ == "__main__":
    main()
