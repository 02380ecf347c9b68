"""What a first try gives: every family for a minute on 28x28 pictures, judged by a classifier that saw real ones only.

    python benchmarks/bench_minute.py [DATA] [--budgets 60s,300s] [--families flow,vae] [--to FILE]
        [--preset NAME] [-s SECTION.KEY=VALUE ...] [--rows N]

DATA is whatever `pushforward train` reads, by default the files of MNIST beside the checkout. Every family is trained by
`pf.fit` as a new user would, with nothing but the budget, and draws a hundred samples of each class. The judge gives the
share of them that are of the class asked for; its own accuracy on test pictures stands beside, and chance is one in the
number of classes. The Fréchet distance is to all test pictures, in the judge's 128 features; that of as many training
pictures stands beside the judge, because a thousand are never at zero. Held-out likelihood is that of 500 test pictures.
One JSON line for each model goes to FILE.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import pushforward as pf
from pushforward.core.given import Examples, label_of
from pushforward.core.rng import derive_seed, generator
from pushforward.core.spec import parse_settings
from pushforward.data.dataset import Dataset
from pushforward.evaluation.distribution.frechet import frechet
from pushforward.families.catalogue import FAMILIES

MNIST = Path(__file__).resolve().parents[2] / "shared" / "data" / "mnist"
EACH, SCORED = 100, 500
JUDGE_STEPS, JUDGE_BATCH = 1500, 128


class Judge(nn.Sequential):
    """A small convolutional classifier."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__(
            nn.Conv2d(channels, 32, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(32, 64, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(4),
            nn.Flatten(),
            nn.Linear(1024, 128),
            nn.ReLU(),
            nn.Linear(128, classes),
        )


def labelled(examples: Examples, levels: int) -> tuple[Tensor, Tensor]:
    """Return pictures in [0, 1] and their labels."""
    label = label_of(examples.given)
    assert label is not None, "the judge needs classes"
    return examples.x.float() / (levels - 1), label


def judge_of(data: Dataset) -> tuple[Judge, float]:
    """Return a judge, and its accuracy on test pictures."""
    space: Any = data.space
    x, y = labelled(data.train, space.levels)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(derive_seed(0, "judge"))
        judge = Judge(space.channels, len(data.classes))
    optimiser = torch.optim.Adam(judge.parameters(), lr=2e-3)
    for step in range(JUDGE_STEPS):
        rows = torch.randint(len(x), (JUDGE_BATCH,), generator=generator(0, "judge", step))
        optimiser.zero_grad()
        nn.functional.cross_entropy(judge(x[rows]), y[rows]).backward()
        optimiser.step()
        for group in optimiser.param_groups:
            group["lr"] = 2e-3 * (1.0 - step / JUDGE_STEPS)
    return judge.eval(), agreement(judge, *labelled(data.test, space.levels))


@torch.no_grad()
def agreement(judge: Judge, x: Tensor, y: Tensor) -> float:
    """Return the share of pictures that the judge takes for what they are said to be."""
    found = torch.cat([judge(part).argmax(1) for part in x.split(500)])
    return float((found == y).float().mean())


@torch.no_grad()
def distance(judge: Judge, x: Tensor, data: Dataset) -> float:
    """Return the Fréchet distance to all test pictures, in the judge's 128 features."""
    space: Any = data.space
    body = nn.Sequential(*list(judge)[:-1])
    # one thousand for another are no measure: those that come first in MNIST's test file are easy
    # ones, and real training pictures are further from them than samples of a VAE
    ours, real = (
        torch.cat([body(part) for part in (pictures.float() / (space.levels - 1)).split(500)])
        for pictures in (torch.as_tensor(x), data.test.x)
    )
    return float(frechet(ours.double().numpy(), real.double().numpy()))


def taken(fitted: Any) -> dict[str, Any]:
    """Return what was trained: preset, width, batch, steps, and its best held-out number."""
    plan, facts = fitted.plan, fitted.facts
    return {
        "preset": plan.preset,
        "width": plan.model_values.get("width"),
        "batch": plan.train_config.batch_size,
        "steps": facts["steps"],
        "held_out": facts["best_held_out"],
    }


def measured(
    family: str, data: Dataset, budget: str, judge: Judge, asked: dict[str, Any]
) -> dict[str, Any]:
    """Train one family as `asked` says, and return what it gives."""
    space: Any = data.space
    began = time.perf_counter()
    fitted = pf.fit(family, data, budget=budget, seed=0, progress=False, **asked)
    trained = time.perf_counter()
    given = [name for name in data.classes for _ in range(EACH)]
    x = fitted.sample(given=given, seed=1)
    drawn = time.perf_counter()
    wanted = torch.arange(len(data.classes)).repeat_interleave(EACH)
    line = {
        "family": family,
        "budget": budget,
        **asked,
        **taken(fitted),
        "share": agreement(judge, torch.as_tensor(x).float() / (space.levels - 1), wanted),
        "frechet": float(f"{distance(judge, x, data):.4g}"),
        "seconds": {"fit": trained - began, "sample": drawn - trained},
    }
    if fitted.model.capabilities.estimators.get(space.kind):
        found = fitted.model.log_prob(data.test[:SCORED])
        line |= {"bits": found.bits_per_dim, "kind": str(found.kind)}
        line["seconds"]["score"] = time.perf_counter() - drawn
    return line


def main() -> None:
    """Measure, and print a table."""
    asked = argparse.ArgumentParser()
    asked.add_argument("data", nargs="?", default=str(MNIST))
    asked.add_argument("--budgets", default="60s")
    asked.add_argument("--families", default=",".join(FAMILIES.names()))
    asked.add_argument("--to", type=Path)
    asked.add_argument("--preset")
    asked.add_argument("-s", dest="settings", action="append", default=[])
    asked.add_argument("--rows", type=int, help="training examples of the models; the judge's: all")
    asked = asked.parse_args()
    data = pf.load(asked.data)
    judge, accuracy = judge_of(data)
    floor = distance(judge, data.train.x[: EACH * len(data.classes)], data)
    if asked.rows:
        data = replace(data, train=data.train[: asked.rows])
    extra: dict[str, Any] = {"preset": asked.preset} if asked.preset else {}
    if asked.settings:
        extra["settings"] = parse_settings(asked.settings)
    print(
        f"judge: right on {accuracy:.3f} of {len(data.test):,} test pictures; as many training "
        f"pictures as each model draws are at {floor:.3g}",
        flush=True,
    )
    for budget in asked.budgets.split(","):
        for family in asked.families.split(","):
            line = {**measured(family, data, budget, judge, extra), "judge": accuracy}
            if asked.to is not None:
                with asked.to.open("a") as file:
                    file.write(json.dumps(line) + "\n")
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
