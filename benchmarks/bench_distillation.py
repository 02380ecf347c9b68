"""Quality against network calls: a diffusion model at 1 to 35 calls, and its students at 1, 2 and 4.

    python benchmarks/bench_distillation.py digits gaussians-8 --seconds 120

Per kind of data it trains a teacher, a consistency student and progressive students of one and of four steps, each for so many
seconds, and prints Fréchet distances to the test split (95 % intervals) and unbiased energy distances (standard errors over ten blocks).
"""

from __future__ import annotations

import argparse

import numpy as np
import torch

import pushforward as pf
from pushforward.app.assessing import array, drawn_places, held_out
from pushforward.app.python import Fitted
from pushforward.data.dataset import Dataset
from pushforward.evaluation.energy import energy_distance
from pushforward.evaluation.features import default_features
from pushforward.evaluation.frechet import frechet_distance

BLOCKS = 10
TEACHER = (("ddim", 1), ("ddim", 2), ("ddim", 4), ("dpmpp-2m", 4), ("ddim", 8), ("dpmpp-2m", 8), ("heun", 18))


def blocks_energy(x: np.ndarray, y: np.ndarray, scale: np.ndarray) -> tuple[float, float]:
    """Return the energy distance of standardised rows and its standard error over disjoint blocks."""
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
        spread = train.reshape(len(train), -1).std(0)
        self.scale = np.where(spread > 0, spread, 1.0)

    def row(self, name: str, fitted: Fitted, calls: int, **options: object) -> None:
        """Print one row of the table."""
        test = held_out(fitted.model, self.data)
        given = None if test.given is None else test.given[self.places]
        x = array(fitted.model.sample(len(self.places), given=given, seed=1, **options), self.data.space)
        cells = []
        for f in self.features:
            score = frechet_distance(f(x), f(self.reference), f.name)[0]
            cells.append(f"{score.value:.3f}" + ("" if score.low is None else f" [{score.low:.3f}, {score.high:.3f}]"))
        energy, error = blocks_energy(x, self.reference, self.scale)
        print(f"| {name} | {calls} | " + " | ".join(cells) + f" | {1e3 * energy:.1f} ± {1e3 * error:.1f} |", flush=True)


def bench(name: str, seconds: float) -> None:
    """Train, distil and print the table of one kind of data."""
    data = pf.load(name)
    judge = Judge(data)
    budget = f"{seconds}s"
    teacher = pf.fit("diffusion", data, budget=budget)
    print(f"\n{name}: teacher {teacher.facts['steps']} steps in {teacher.facts['seconds']:.0f} s")
    heads = ["", "calls", *(f"Fréchet ({f.name})" for f in judge.features), "energy x 1000"]
    print("| " + " | ".join(heads) + " |\n" + "|---" * len(heads) + "|")
    for solver, steps in TEACHER:
        calls = int(teacher.model.walk(1, steps=steps, solver=solver).calls)
        judge.row(f"teacher, {solver}", teacher, calls, steps=steps, solver=solver)
    student = pf.distil(teacher, budget=budget)
    for steps in (1, 2, 4):
        judge.row(f"consistency ({student.facts['steps']} steps)", student, steps, steps=steps)
    for calls in (1, 4):
        student = pf.distil(teacher, budget=budget, method="progressive", calls=calls)
        judge.row(f"progressive ({student.facts['steps']} steps)", student, calls)


def main() -> None:
    """Run the named data, one after another."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", nargs="+")
    parser.add_argument("--seconds", type=float, default=120.0)
    chosen = parser.parse_args()
    for name in chosen.data:
        bench(name, chosen.seconds)


if __name__ == "__main__":
    main()
