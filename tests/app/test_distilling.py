"""Distillation from a run to a run: records, resuming, steering, and every way to ask for something else."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path

import numpy as np
import pytest
import torch

import pushforward as pf
from pushforward.app.runs.distilling import distil_run, open_teacher
from pushforward.app.runs.training import open_model, train
from pushforward.core.errors import BadInput, Unsupported
from pushforward.engine.fit_records import Interrupted, Progress
from pushforward.engine.history import read_history
from pushforward.faces.cli.main import main


class Outcome:
    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, " ".join(err.split())


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]):
    def run(*arguments: object) -> Outcome:
        with pytest.raises(SystemExit) as stop:
            main([str(a) for a in arguments])
        captured = capsys.readouterr()
        return Outcome(int(stop.value.code or 0), captured.out, captured.err)

    return run


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A labelled teacher of tiny images."""
    folder = tmp_path_factory.mktemp("teacher")
    rng = np.random.default_rng(0)
    label = rng.integers(0, 2, 400)
    x = rng.integers(0, 4, (400, 3, 3)) * (1 + label[:, None, None])
    np.savez(folder / "data.npz", x=x.astype(np.uint8), y=label)
    pf.fit("diffusion", str(folder / "data.npz"), steps=5, preset="smoke", path=folder / "run")
    return folder / "run"


def test_from_a_run_to_a_student_that_every_command_knows(
    call, teacher: Path, tmp_path: Path
) -> None:
    run = tmp_path / "student"
    command = ["distil", teacher, "-o", run, "--steps", 4, "--guidance", 2, "--calls", 4, "--json"]
    record = json.loads(call(*command).out)
    assert (record["run"], record["teacher"], record["steps"], record["calls"]) == (
        str(run),
        str(teacher),
        4,
        4,
    )
    assert "same noise" in record["held_out"]
    manifest = json.loads((run / "manifest.json").read_text())
    theirs = json.loads((teacher / "manifest.json").read_text())
    assert manifest["teacher"] == {
        "run": str(teacher),
        "weights_sha256": theirs["weights_sha256"],
        "method": "consistency",
        "calls": 4,
        "guidance": 2.0,
    }
    assert manifest["data"]["fingerprint"] == theirs["data"]["fingerprint"]
    assert manifest["fit"]["budget"] == "4 steps, after the teacher's 5 steps"
    assert (
        call("sample", run, "-n", 5, "--given", 1, "--steps", 1, "-o", tmp_path / "x.npy").status
        == 0
    )
    assert np.load(tmp_path / "x.npy").shape[0] == 5
    record = json.loads(call("evaluate", run, "--json").out)
    assert record["cost"]["calls_per_sample"] == 4
    assert "without a density" in record["no_likelihood"]
    assert call("report", teacher, run, "-o", tmp_path / "page.html").status == 0
    assert "few-step student" in (tmp_path / "page.html").read_text().lower()
    said = call("explain", run).out
    assert f"Distilled from {teacher} by consistency, guidance 2" in said
    assert "There is no likelihood" in said
    assert "Few-step student" in call("explain", "distilled").out
    assert "Consistency Models" in call("cite", run).out
    assert "| distilled | none | none | not yet | not yet |" in call("families", "--markdown").out
    for arguments, pattern in (
        (["score", run, teacher.parent / "data.npz"], r"without a density.*score the teacher"),
        (["sample", run, "--guidance", 3], r"no sampling option 'guidance'"),
        (["sample", run, "--solver", "heun"], r"no sampling option 'solver'"),
        (["sample", run, "--steps", 0], r"at least one step"),
        (
            ["distil", run, "-o", tmp_path / "x"],
            r"family distilled: expected a diffusion run; distil its teacher",
        ),
        (["distil", teacher, "-o", run, "--steps", 2], r"holds another run"),
        ([*command, "--seed", 1, "--resume"], r"--resume with other settings"),
    ):
        outcome = call(*arguments)
        assert outcome.status == 2, arguments
        assert re.search(pattern, outcome.err), outcome.err
    assert not (tmp_path / "x").exists()


def test_bad_requests_leave_nothing_behind(call, teacher: Path, tmp_path: Path) -> None:
    plain, table, text, cut = (tmp_path / name for name in ("plain", "table", "text", "cut"))
    assert (
        call(
            "train", "diffusion", "two-moons", "--preset", "smoke", "--steps", 2, "-o", plain
        ).status
        == 0
    )
    assert (
        call("train", "ar", "adult-mini", "--preset", "smoke", "--steps", 1, "-o", table).status
        == 0
    )
    (tmp_path / "lines.txt").write_text("the cat sat on the mat and the dog ate the hat.\n" * 80)
    line = [
        "train",
        "ar",
        tmp_path / "lines.txt",
        "--preset",
        "smoke",
        "--steps",
        1,
        "-s",
        "data.length=16",
        "-o",
        text,
    ]
    assert call(*line).status == 0
    manifest = json.loads((plain / "manifest.json").read_text())
    cut.mkdir()
    for file in ("config.yaml", "weights.safetensors"):
        (cut / file).write_bytes((plain / file).read_bytes())
    (cut / "manifest.json").write_text(json.dumps({**manifest, "status": "training"}))
    new = tmp_path / "new"
    for arguments, pattern in (
        ([tmp_path / "nowhere"], "no run at"),
        ([table], "family autoregressive: expected a diffusion run"),
        ([text], "family autoregressive: expected a diffusion run"),
        ([cut], "training is not finished: expected a finished run; finish it first"),
        (
            [plain, "--guidance", 2],
            "guidance of a teacher without conditions: expected a run trained with labels",
        ),
        (
            [plain, "--method", "consistancy"],
            "unknown method 'consistancy'.*did you mean 'consistency'",
        ),
        (
            [plain, "--method", "progressive", "--calls", 1, "--steps", 3],
            "--steps 3: expected at least 4",
        ),
        ([plain, "--steps", 0], "--steps 0: expected at least 1"),
        ([plain, "--calls", 0], "'--calls'"),
        (
            [plain, "-s", "model.intervalls=8"],
            "unknown key 'model.intervalls'.*did you mean 'intervals'",
        ),
        ([plain, "-s", "data.labels=false"], "a student reads the data of its teacher"),
        ([plain, "--resume"], "--resume without -o"),
    ):
        place = [] if "--resume" in arguments else ["-o", new]
        outcome = call("distil", *arguments, *place)
        assert outcome.status == 2, arguments
        assert re.search(pattern, outcome.err), outcome.err
        assert not new.exists()
    alias = call("distill", plain, "-o", new, "--method", "progressive", "--calls", 2, "--steps", 4)
    assert alias.status == 0
    refused = call("sample", new, "--steps", 1)
    assert refused.status == 2
    assert "expected steps=2" in refused.err
    trained = call("train", "distilled", "two-moons")
    assert trained.status == 2
    assert "a student is made from a run" in trained.err


@pytest.mark.parametrize("method", ["consistency", "progressive"])
def test_an_interrupted_student_goes_on_as_if_nothing_had_been(
    method: str, teacher: Path, tmp_path: Path
) -> None:
    """Stopped inside the second of three stages; the progressive one carries its frozen teacher over."""

    def plan():
        choices = {"train": {"checkpoint_every": 1, "evaluate_every": 4}}
        return distil_run(
            teacher, budget={"steps": 16}, method=method, calls=2, overrides=choices, seed=3
        )

    def press_ctrl_c(progress: Progress) -> None:
        if progress.step == 6:
            os.kill(os.getpid(), signal.SIGINT)

    whole = train(plan(), tmp_path / "whole")
    with pytest.raises(Interrupted, match=r"stopped at step [67].*--resume"):
        train(plan(), tmp_path / "cut", observer=press_ctrl_c)
    again = train(plan(), tmp_path / "cut", resume=True)
    weights = [(tmp_path / name / "weights.safetensors").read_bytes() for name in ("whole", "cut")]
    assert weights[0] == weights[1]
    assert whole.record.best_held_out == again.record.best_held_out
    steps = [
        [(r["step"], r["loss"]) for r in read_history(tmp_path / n / "history.jsonl")]
        for n in ("whole", "cut")
    ]
    assert steps[0] == steps[1]


def test_resuming_with_another_teacher_is_refused(teacher: Path, tmp_path: Path) -> None:
    train(distil_run(teacher, budget={"steps": 2}), tmp_path / "s")
    other = tmp_path / "other"
    pf.fit("diffusion", str(teacher.parent / "data.npz"), steps=6, preset="smoke", path=other)
    with pytest.raises(BadInput, match=r"--resume with another teacher"):
        train(distil_run(other, budget={"steps": 3}), tmp_path / "s", resume=True)


def test_python_distils_what_it_has_just_fitted(tmp_path: Path) -> None:
    model = pf.fit("diffusion", "two-moons", steps=4, preset="smoke")
    student = pf.distil(model, steps=4, method="progressive", calls=4, path=tmp_path / "s")
    x = student.sample(6, seed=2)
    assert torch.equal(pf.open(tmp_path / "s").sample(6, seed=2), x)
    held = pf.distil(model, steps=2)
    held.save(tmp_path / "copy")
    _, record = open_model(tmp_path / "copy")
    assert record.manifest["teacher"]["run"] is None
    assert torch.equal(pf.open(tmp_path / "copy").sample(3, seed=1), held.sample(3, seed=1))
    with pytest.raises(Unsupported, match=r"score the teacher"):
        student.log_prob(pf.load("two-moons").test)
    with pytest.raises(Unsupported, match=r"expected a diffusion run"):
        pf.distil(pf.fit("flow", "two-moons", steps=2, preset="smoke"), steps=2)
    with pytest.raises(BadInput, match=r"digits is Image.*expected the model's Points"):
        pf.distil(model, "digits", steps=2)


def test_what_steers_is_the_distance_from_the_teachers_samples(teacher: Path) -> None:
    """One-call samples against the teacher's from the same noise, in units of the scale of the data."""
    lent, _ = open_teacher(teacher)
    plan = distil_run(teacher, budget={"steps": 2})
    assert plan.teaching is not None
    name, probe = plan.teaching.probe
    assert "standard deviations" in name
    begun = probe(plan.build())
    rows = plan.dataset.validation[:256]
    theirs = lent.model.sample(len(rows), given=rows.given, seed=0).double()
    ours = plan.build().sample(len(rows), given=rows.given, seed=0, steps=1).double()
    scale = float(plan.dataset.train.x.double().std())
    assert begun == pytest.approx(float((theirs - ours).square().mean().sqrt()) / scale)
    assert begun > 0.05
