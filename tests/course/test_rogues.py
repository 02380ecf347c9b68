"""The gallery holds what training really leaves behind, and a checklist that knows no names finds what was broken."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
import torch

from course.sources import solutions
from pushforward.core.errors import BadInput
from pushforward.course import rogues
from pushforward.course.rogue_facts import covered
from pushforward.course.rogue_runs import RUNS
from pushforward.course.rogues import FACTS, SUSPICIONS, gallery, rogue
from pushforward.course.sections.diagnostics import by_rules
from pushforward.data.toys import toy

QUICK = ("autoregressive", "hasty autoregressive")


def agree(found: Any, stored: Any) -> bool:
    """Equal, numbers to a hundredth: other processors round otherwise, and training carries it on."""
    if isinstance(stored, dict):
        return found.keys() == stored.keys() and all(
            agree(found[key], stored[key]) for key in stored
        )
    if isinstance(stored, list):
        return len(found) == len(stored) and all(agree(a, b) for a, b in zip(found, stored))
    if isinstance(stored, float):
        return math.isclose(found, stored, rel_tol=0.01, abs_tol=0.005)
    return found == stored


def test_the_gallery_is_that_of_the_runs() -> None:
    stored = gallery()
    assert [(r.name, r.broken, r.suspicions) for r in stored] == [
        (run.name, run.broken, frozenset(run.suspicions)) for run in RUNS
    ]
    assert {word for r in stored for word in r.suspicions} == set(SUSPICIONS)
    assert sum(not r.suspicions for r in stored) >= 4
    assert all(set(r.record) == set(FACTS) for r in stored)
    assert all((r.broken == "") == (not r.suspicions) for r in stored)
    path = rogues.resources.files("pushforward.course").joinpath(rogues.STORED)
    assert len(path.read_bytes()) < 60_000


@pytest.mark.parametrize("name", QUICK)
def test_training_again_leaves_the_same_record(name: str) -> None:
    run = next(run for run in RUNS if run.name == name)
    found, stored = json.loads(json.dumps(run.record(), allow_nan=False)), rogue(name).record
    assert agree(found, stored), (found, stored)


@pytest.mark.parametrize("one", gallery(), ids=lambda r: r.name)
def test_a_checklist_finds_what_was_broken(one: rogues.Rogue) -> None:
    assert by_rules(one.record) == one.suspicions
    names: dict[str, Any] = {}
    exec(solutions()["diagnostics.checklist"], names)
    assert names["checklist"](one.record) == one.suspicions


def test_verdicts_do_not_hang_on_the_last_digit() -> None:
    """Every number that decides is at least a fifth away from its threshold."""
    for one in gallery():
        r = one.record
        if r["finished"] and r["kind"] is not None:
            gap = abs(r["train_nats"] - r["test_nats"]) / r["gap_error"]
            assert not 2.4 < gap < 3.6, one.name
        if r["finished"]:
            assert not 0.4 < r["nearest"] / r["nearest_held_out"] < 0.6, one.name
        held = [entry["held_out"] for entry in r["history"] if entry.get("held_out") is not None]
        if len(held) > 2 and max(held) > held[-1]:
            assert not 0.04 < (held[-3] - held[-1]) / (max(held) - held[-1]) < 0.06, one.name
        gradients = [
            e["gradient norm, generator"] for e in r["history"] if "gradient norm, generator" in e
        ]
        assert not gradients or not 0.016 < gradients[-1] / max(gradients) < 0.024, one.name


def test_modes_are_counted_by_their_fair_share() -> None:
    density = toy("gaussians-8")
    means = density.means  # pyright: ignore
    assert covered(means.repeat(10, 1), density) == 1.0  # pyright: ignore
    assert covered(means[:2].repeat(10, 1), density) == 0.25  # pyright: ignore
    assert covered(torch.zeros(80, 2, dtype=torch.float64), density) == 0.0  # pyright: ignore
    # seven samples of a thousand are less than a tenth of an eighth
    rare = torch.cat([means[:1].repeat(993, 1), means[1:2].repeat(7, 1)])
    assert covered(rare, density) == 0.125  # pyright: ignore


def test_a_record_is_the_callers_own() -> None:
    rogue("flow").record["history"].clear()
    assert rogue("flow").record["history"]
    with pytest.raises(BadInput, match=r"unknown run of the gallery 'flwo'.*did you mean 'flow'"):
        rogue("flwo")
