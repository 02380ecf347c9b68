"""Teach a few-step student with a trained diffusion run.

Two ideas: a student is a plan like any other, so that the one training loop, its records and its
interrupts serve it; it is steered by the distance of its samples from those that the teacher draws
from the same noise.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from safetensors.torch import save

from pushforward.app.runs.opening import reopen
from pushforward.app.runs.planning import Plan, Teaching
from pushforward.app.runs.training import open_model
from pushforward.core.errors import BadInput, Unsupported
from pushforward.core.model import GenerativeModel
from pushforward.core.spec import TrainConfig, parse
from pushforward.data.dataset import Dataset
from pushforward.engine.steering import Probe
from pushforward.families.diffusion.gaussian import Gaussian
from pushforward.families.diffusion.model import Diffusion
from pushforward.families.diffusion.students.distilled import METHODS, Distilled, DistilledConfig
from pushforward.provenance.run_directory import RunRecord

PROBED = 256
# a budget is the student's own, patience would end a stage before the last one, and how students
# learn by Muon nobody has measured
NOT_INHERITED = ("seconds", "steps", "examples", "patience", "optimiser", "matrix_learning_rate")
# of the teacher's learning rate: students of images diverge at what their teachers were trained
# with (LOG.md)
GENTLER = {"points": 1.0, "image": 0.25}


@dataclass(frozen=True)
class Teacher:
    """A trained diffusion model with what its run says about it."""

    model: Diffusion
    config: dict[str, Any]
    facts: dict[str, Any]
    spent: str


def teacher_of(
    model: GenerativeModel, config: dict[str, Any], fit: dict[str, Any], run: Path | None = None
) -> Teacher:
    """Return a model as a teacher.

    Args:
        config: what the `config.yaml` of its run holds, or would.
        fit: its training record.
        run: its directory, None if it has none.

    Raises:
        Unsupported: no diffusion model, or one of data that take no Gaussian noise.
    """
    what = f"{run or 'a model'} of the family {model.family}"
    if not isinstance(model, Diffusion):
        already = (
            "distil its teacher"
            if model.family == Distilled.family
            else "other families sample as they are"
        )
        raise Unsupported(f"distilling {what}", "a diffusion run", already)
    if not isinstance(model.process, Gaussian):
        raise Unsupported(
            f"distilling {what} on {model.space.kind}",
            "a diffusion run on images or points",
            "symbols have no path to leap along",
        )
    weights = {name: t.cpu().contiguous() for name, t in sorted(model.state_dict().items())}
    facts = {
        "run": None if run is None else str(run),
        "weights_sha256": hashlib.sha256(save(weights)).hexdigest(),
    }
    return Teacher(model, config, facts, f"the teacher's {fit.get('budget', 'training')}")


def open_teacher(run: Path) -> tuple[Teacher, RunRecord]:
    """Return the teacher in a run directory.

    Raises:
        BadInput: no run, or one that is not finished.
        Unsupported: see `teacher_of`.
    """
    model, record = open_model(run)
    teacher = teacher_of(model, record.config, record.manifest.get("fit", {}), run)
    if not record.complete:
        raise BadInput(
            f"{run}, whose training is not finished",
            "a finished run",
            "finish it first: `train ... --resume`",
        )
    return teacher, record


def plan_distillation(
    teacher: Teacher,
    dataset: Dataset,
    *,
    budget: dict[str, float],
    method: str = "consistency",
    calls: int | None = None,
    guidance: float = 1.0,
    seed: int = 0,
    overrides: dict[str, dict[str, Any]] | None = None,
) -> Plan:
    """Resolve everything a distillation needs; settings of training are the teacher's, at a gentler
    learning rate.

    Args:
        calls: network calls of a sample, None = 2.
        guidance: of the teacher; 1 is off.
        overrides: `{"model": {...}, "train": {...}}`, as `-s` gives them.

    Raises:
        BadInput: an unknown method or key, data of another space, fewer steps than a progressive
            student has stages.
        Unsupported: guidance of a teacher without labels.
    """
    model, overrides = teacher.model, overrides or {}
    METHODS.resolve(method)
    if dataset.space != model.space or (model.classes and dataset.classes != model.classes):
        raise BadInput(
            f"{dataset.name} is {dataset.space}",
            f"the teacher's {model.space} with the same classes",
        )
    chosen = {"method": method, "guidance": guidance, **({} if calls is None else {"calls": calls})}
    values = {**chosen, **overrides.get("model", {}), "diffusion": dict(teacher.config["model"])}
    config = parse(DistilledConfig, values, "model")
    if config.guidance != 1.0 and not model.classes:
        raise Unsupported(
            "guidance of a teacher without conditions",
            "a run trained with labels",
            "leave --guidance out",
        )
    given = {**_inherited(teacher, config), **overrides.get("train", {}), **budget, "seed": seed}
    train = parse(TrainConfig, given, "train")
    data = {k: v for k, v in teacher.config["data"].items() if k not in ("source", "labels")}
    plan = Plan(
        "distilled",
        teacher.config["preset"],
        seed,
        dataset,
        bool(model.classes),
        values,
        train,
        data,
    )
    student = plan.build()
    assert isinstance(student, Distilled)
    if train.steps is not None and train.steps < student.lesson.stages_needed:
        least = f"at least {student.lesson.stages_needed}"
        raise BadInput(f"--steps {train.steps}", least, "every halving needs a step of its own")
    return replace(plan, teaching=_teaching(teacher, plan, config))


def _inherited(teacher: Teacher, config: DistilledConfig) -> dict[str, Any]:
    """Return the settings of training that a student has of its teacher, gentler."""
    given = {k: v for k, v in teacher.config["train"].items() if k not in NOT_INHERITED}
    given["learning_rate"] *= GENTLER[teacher.model.space.kind]
    return {**given, **METHODS[config.method].train}


def _teaching(teacher: Teacher, plan: Plan, config: DistilledConfig) -> Teaching:
    def join(student: GenerativeModel) -> None:
        assert isinstance(student, Distilled)
        student.learn_from(teacher.model.to(student.device))

    facts = {
        **teacher.facts,
        "method": config.method,
        "calls": config.calls,
        "guidance": config.guidance,
    }
    return Teaching(join, _probe(teacher.model, plan, config), facts, teacher.spent)


def _probe(teacher: Diffusion, plan: Plan, config: DistilledConfig) -> tuple[str, Probe]:
    """Root-mean-square distance between samples of teacher and student from the same noise, in
    units of the data's scale."""
    rows = plan.dataset.validation[:PROBED]
    given = rows.given if plan.labelled else None
    scale = plan.dataset.space.scale(plan.dataset.train.x)
    options: dict[str, Any] = {"guidance": config.guidance} if teacher.classes else {}
    steps = 1 if METHODS[config.method].steers_at_one else config.calls
    seen: list[Any] = []

    def probe(student: GenerativeModel) -> float:
        if not seen:
            seen.append(teacher.sample(len(rows), given=given, seed=plan.seed, **options).double())
        drawn = student.sample(len(rows), given=given, seed=plan.seed, steps=steps).double()
        return float(((drawn - seen[0]) / scale).square().mean().sqrt())

    return (
        "distance to the teacher's samples from the same noise [standard deviations of the data]",
        probe,
    )


def distil_run(
    run: Path,
    *,
    budget: dict[str, float],
    overrides: dict[str, dict[str, Any]] | None = None,
    seed: int = 0,
    data: str | None = None,
    **choices: Any,
) -> Plan:
    """Return the plan of a student of a run, on the data of that run, at `data` if named; see
    `plan_distillation`."""
    teacher, record = open_teacher(run)
    return plan_distillation(
        teacher, reopen(record, data), budget=budget, seed=seed, overrides=overrides, **choices
    )
