"""A preset of a published recipe says how long that trains; whoever gives a budget has that one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pushforward.app.measuring.comparing import ComparisonPlan
from pushforward.app.progress.watch import Watch
from pushforward.app.runs.planning import Plan
from pushforward.app.verbs.config import origins_of
from pushforward.app.verbs.train import TrainRequest
from pushforward.core.errors import BadInput
from pushforward.data.open import open_data
from pushforward.engine.budget import Budget, budget_of
from pushforward.families.diffusion.config import PRESETS

RECIPE = PRESETS["gpu", "image:edm"].train["examples"]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pictures") / "p.npz"
    drawn = torch.randint(0, 256, (60, 3, 32, 32), generator=torch.Generator().manual_seed(0))
    np.savez(path, x=drawn.to(torch.uint8).numpy())
    return path


def planned(pictures: Path, **asked: Any) -> Plan:
    words = {"family": "diffusion:edm", "data": str(pictures), "preset": "gpu", **asked}
    return TrainRequest.of(words).planned(Watch())


@pytest.mark.parametrize(
    ("asked", "expected", "of_recipe"),
    [
        ({}, Budget("examples", RECIPE), True),
        ({"preset": "cpu"}, Budget("seconds", 40.0), False),
        ({"steps": 3}, Budget("steps", 3), False),
        ({"budget": "2m"}, Budget("seconds", 120.0), False),
        ({"examples": 70}, Budget("examples", 70), False),
        ({"settings": ["train.steps=5"]}, Budget("steps", 5), False),
        ({"settings": ["train.examples=9"]}, Budget("examples", 9), False),
        ({"settings": ["train.seconds=9"], "preset": "cpu"}, Budget("seconds", 9.0), False),
    ],
)
def test_whoever_gives_a_budget_has_that_one(
    pictures: Path, asked: dict[str, Any], expected: Budget, of_recipe: bool
) -> None:
    plan = planned(pictures, **asked)
    assert budget_of(plan.train_config) == expected
    assert plan.recipe_length == of_recipe
    told = ", as long as the recipe of the preset gpu" if of_recipe else ""
    assert plan.length == f"{expected}{told}"


def test_two_budgets_are_refused(pictures: Path) -> None:
    plan = planned(pictures, steps=3, settings=["train.seconds=5"])
    with pytest.raises(BadInput, match="budgets in seconds and steps"):
        budget_of(plan.train_config)


def test_a_comparison_has_one_budget_for_all(pictures: Path) -> None:
    plan = ComparisonPlan(budget={"seconds": 7.0}, preset="gpu").training(
        "diffusion:edm", 0, open_data(str(pictures))
    )
    assert budget_of(plan.train_config) == Budget("seconds", 7.0)
    assert not plan.recipe_length


def test_a_dry_run_tells_the_length(run, pictures: Path, tmp_path: Path) -> None:
    small = [f"model.{key}" for key in ("width=8", "depth=1", "context=8")]
    words = [*(word for one in small for word in ("-s", one)), "-s", "train.batch_size=8"]
    common = ["train", "diffusion:edm", pictures, "--preset", "gpu", "--dry-run", "--json", *words]
    status, out, err = run(*common, "-o", tmp_path / "r")
    record = json.loads(out)
    assert status == 0
    assert record["length"] == f"{RECIPE:,} examples, as long as the recipe of the preset gpu"
    assert record["train"]["examples"] == RECIPE
    assert record["expected"]["steps"] == RECIPE // 8
    assert "--budget 10m" in err  # this takes long on a processor
    status, out, _ = run(*common, "--steps", 4, "-o", tmp_path / "r")
    assert (status, json.loads(out)["length"]) == (0, "4 steps")


def test_a_run_says_that_its_length_is_its_presets() -> None:
    preset = {"examples": 900}
    of = lambda **train: origins_of("train", {"train": train, "asked": []}, preset)  # noqa: E731
    assert of(examples=900)("examples") == "preset"
    assert of(examples=800)("examples") == "budget"
    assert of(steps=900)("steps") == "budget"
