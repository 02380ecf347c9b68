"""A training that ended in no numbers says so, at its end and wherever its run is used."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import pushforward as pf
from pushforward.app.measuring.scoring import Scored, score_summary
from pushforward.app.runs.training import open_model
from pushforward.app.verbs.score import ScoredData
from pushforward.core.errors import BadInput
from pushforward.core.finite import Astray
from pushforward.core.logprob import LogProb
from pushforward.core.loss import Loss
from pushforward.core.space import Points
from pushforward.engine.checkpoint import load_weights, save_weights
from pushforward.families.flow.model import Flow
from pushforward.provenance.run_directory import sha256_of

Command = Callable[..., tuple[int, str, str]]
FAMILIES = ("flow", "vae", "diffusion", "autoregressive")


@pytest.fixture
def points(tmp_path: Path) -> Path:
    np.save(
        tmp_path / "points.npy", np.random.default_rng(0).normal(size=(200, 2)).astype(np.float32)
    )
    return tmp_path / "points.npy"


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("steps", [1, 5])
def test_a_short_training_that_diverged_is_no_success_and_its_run_says_so(
    family: str, steps: int, points: Path, run: Command
) -> None:
    out = points.parent / "run"
    wild = (
        "--steps",
        steps,
        "--preset",
        "smoke",
        "-s",
        "train.learning_rate=1e38",
        "-s",
        "train.warmup=0",
    )
    code, _, said = run("train", family, points, *wild, "-o", out)
    assert code == 1
    assert re.search(rf"the model has diverged: at step {steps} .*learning_rate", said)
    assert not (out / "weights.safetensors").exists()
    for command in (
        ("sample", out, "-n", 3),
        ("score", out, points),
        ("anomalies", out, points),
        ("probe", out),
    ):
        code, _, said = run(*command)
        assert (code, "has diverged" in said) == (2, True), (command, said)
    # the same place is trained again, gently
    gentle = ("--steps", 1, "--preset", "smoke", "-o", out, "--overwrite")
    assert run("train", family, points, *gentle)[0] == 0
    assert run("sample", out, "-n", 3)[0] == 0


@pytest.mark.parametrize("where", ["training", "sampling"])
def test_a_comparison_leaves_out_what_came_to_nothing_and_goes_on(
    where: str, points: Path, run: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(self: Flow, *_: Any, **__: Any) -> Any:
        if where == "training":
            return iter(
                [
                    Loss(
                        sum(p.sum() for p in self.parameters()) * math.nan,
                        "model",
                        "loss [nats/dim]",
                    )
                ]
            )
        raise Astray("3 of 3 samples, which went off to NaN or infinity", "finite numbers", "")

    monkeypatch.setattr(Flow, "_losses" if where == "training" else "_decode", lost)
    out = points.parent / "compared"
    shared = ("--steps", 20, "--preset", "smoke", "-o", out)
    code, told, said = run("compare", points, "--families", "flow,vae", *shared)
    assert (code, "flow was left out: " in said) == (0, True), said
    assert "vae" in told
    assert json.loads((out / "comparison.json").read_text())["rows"][0]["name"] == "vae"
    assert "flow was left out" in (out / "report.html").read_text()
    # the same command goes on, and nothing is left of a comparison of nothing
    assert run("compare", points, "--families", "flow,vae", *shared, "--resume")[0] == 0
    code, _, said = run("compare", points, "--families", "flow", *shared, "--overwrite")
    assert code in (1, 2)
    assert (
        ("has diverged" in said or "not finite" in said)
        if where == "training"
        else "went off to NaN" in said
    )


def test_runs_of_earlier_versions_that_diverged_say_so(points: Path, run: Command) -> None:
    out = points.parent / "run"
    assert run("train", "flow", points, "--steps", 2, "--preset", "smoke", "-o", out)[0] == 0
    manifest, weights = (
        json.loads((out / "manifest.json").read_text()),
        load_weights(out / "weights.safetensors"),
    )
    history = out / "history.jsonl"
    # what such a run looks like: a record of no numbers, weights that are large or infinite
    last = json.loads(history.read_text().splitlines()[-1])
    for name, value, records in (
        ("large", 1e30, {"loss": None, "held_out": None}),
        ("infinite", math.inf, {}),
        ("not a number", math.nan, {}),
    ):
        spoilt = {
            k: torch.full_like(t, value) if k.endswith("outputs.bias") else t
            for k, t in weights.items()
        }
        assert any(k.endswith("outputs.bias") for k in spoilt)
        save_weights(out / "weights.safetensors", spoilt)
        history.write_text(json.dumps({**last, **records}) + "\n")
        fit = manifest["fit"] if not records else {**manifest["fit"], "best_held_out": None}
        record = {**manifest, "fit": fit, "weights_sha256": sha256_of(out / "weights.safetensors")}
        (out / "manifest.json").write_text(json.dumps(record))
        with pytest.raises(BadInput, match="has diverged"):
            open_model(out)
        assert name


def test_one_impossible_example_is_an_infinite_mean_and_no_divergence() -> None:
    unit = Points(2).unit
    nats = torch.tensor([-1.0, -math.inf, -2.0])
    lp = LogProb(nats, "exact", "lebesgue", unit, "exact")
    summary = score_summary(lp, "test")
    assert (summary["value"], summary["impossible"]) == (None, 1)
    shown = "\n".join(ScoredData(Scored(lp, summary)).lines())
    assert shown == "infinite nats/point: exact, n = 3, test: 1 of them have probability zero"
    for wrong in (math.nan, math.inf):
        with pytest.raises(BadInput, match=r"1 of 2 log-probabilities .* diverged"):
            score_summary(
                LogProb(torch.tensor([wrong, 0.0]), "exact", "lebesgue", unit, "exact"), "test"
            )


@pytest.mark.parametrize("shape", [(2,), (1, 4, 4)])
def test_one_validation_example_steers_a_gan(shape: tuple[int, ...]) -> None:
    """It has no distance within itself: what remains is an energy score, and finite."""
    draw = np.random.default_rng(0)
    x = draw.normal(size=(6, 2)) if len(shape) == 1 else draw.integers(0, 4, (6, *shape))
    labels = [0, 1] * 3
    for data, labelled in ((pf.load(x), False), (pf.load(x, labels=labels), True)):
        assert len(data.validation) == 1
        fitted = pf.fit("gan", data, steps=2, preset="smoke", seed=0, progress=False)
        assert fitted.facts["held_out_name"].startswith("twice the energy score")
        scale, (one,) = data.space.scale(data.train.x).double(), data.validation.x
        given = None if not labelled else [str(int(data.validation.given.label))] * 2
        drawn = torch.as_tensor(fitted.sample(2, given=given, seed=0))
        a, b = ((x.double().flatten() - one.double().flatten()) / scale for x in drawn)
        expected = float(a.norm() + b.norm() - (a - b).norm())
        assert fitted.facts["best_held_out"] == pytest.approx(expected, rel=1e-5)
