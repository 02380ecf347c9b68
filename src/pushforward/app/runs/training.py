"""Train one family on a dataset into a run directory.

One idea: everything the run was made of is resolved and validated before the first file is written.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from pushforward.app.runs.divergence import noting_divergence, refuse_diverged
from pushforward.app.runs.planning import Plan
from pushforward.app.runs.resuming import computing_as, leg_of
from pushforward.core.context import ContextSpace
from pushforward.core.errors import BadInput, refusing, written_in
from pushforward.core.files import (
    AGAIN,
    RESUME,
    RESUME_INSTEAD,
    going_on,
    partial_of,
    write_bytes,
    write_json,
    write_text,
)
from pushforward.core.model import GenerativeModel
from pushforward.core.placement import Placement, here
from pushforward.core.space import space_from_json
from pushforward.engine.checkpoint import load_weights, save_weights
from pushforward.engine.fit import fit
from pushforward.engine.fit_records import FitRecord, Progress
from pushforward.engine.steering import Probe
from pushforward.engine.warm_start import Beginning
from pushforward.evaluation.distribution.energy import energy_distance
from pushforward.families.build import build
from pushforward.provenance import run_directory
from pushforward.provenance.lock import refuse_if_written, writing
from pushforward.provenance.ownership import check_claim, claim, holdings
from pushforward.provenance.run_directory import RunRecord, begin, complete

Observer = Callable[[Progress], None]
Announce = Callable[[str], None]


@dataclass(frozen=True)
class Trained:
    """A trained model with its records."""

    model: GenerativeModel
    plan: Plan
    record: FitRecord
    path: Path | None


def train(
    plan: Plan,
    path: Path | None = None,
    *,
    resume: bool = False,
    overwrite: bool = False,
    observer: Observer | None = None,
    announce: Announce = lambda text: None,
) -> Trained:
    """Train according to `plan`; with a `path`, leave a run directory there.

    Raises:
        BadInput: the directory holds something else or somebody writes there, or `resume` finds a
            different configuration or data.
        RunFailed: the loss diverged or the disk is full.
    """
    assert plan.alter is None or path is None
    if resume and path is not None:
        plan = computing_as(plan, path)
    model = plan.build()  # what cannot be built leaves nothing behind and clears nothing away
    if path is None:
        return Trained(model, plan, _fitted(model, plan, None, False, observer), None)
    _check_place(plan, path, resume, overwrite)
    begun, go_on = resume, RESUME_INSTEAD if overwrite else RESUME
    with going_on(lambda: go_on if begun and path.is_dir() else AGAIN), writing(path):
        facts = _facts(plan, model.device)
        if not resume:
            claim(path, overwrite)
            begun = True
        leg = leg_of(path, plan.config(), facts, plan.encoding()) if resume else None
        if leg is not None:
            del facts["started"]
            facts |= leg.facts
            for note in leg.notes:
                announce(note)
        begin(path, plan.config(), facts, plan.encoding())
        with noting_divergence(path):
            record = _fitted(model, plan, path, leg is not None, observer)
        said = {key: value for key, value in asdict(record).items() if key != "history"}
        complete(path, {"fit": said, "finished": time.strftime("%Y-%m-%d %H:%M:%S")})
    return Trained(model, plan, record, path)


def check_directory(path: Path, resume: bool, overwrite: bool) -> None:
    """Refuse, before anything is read or touched, a directory that cannot become the run.

    Raises:
        BadInput: it holds something else, somebody writes there, or there is nothing to resume.
    """
    if resume and overwrite:
        raise BadInput(
            "--resume with --overwrite",
            "one of the two",
            "going on keeps what is there, overwriting does not",
        )
    if resume and not path.is_dir():
        raise BadInput(f"no run at {path}", "one that was begun", "leave --resume out to begin it")
    refuse_if_written(path)
    if not resume:
        check_claim(path, overwrite)


def _check_place(plan: Plan, path: Path, resume: bool, overwrite: bool) -> None:
    """Refuse, before anything is touched, what the directory cannot become."""
    check_directory(path, resume, overwrite)
    taught = None if plan.teaching is None else plan.teaching.facts["run"]
    for used, what in ((taught, "the teacher"), (plan.origin.get("run"), "the run")):
        if used is not None and path.resolve() in (
            Path(used).resolve(),
            *Path(used).resolve().parents,
        ):
            raise BadInput(
                f"-o {path}",
                f"a directory that does not hold {what} {used}",
                "choose another -o",
            )


def _fitted(
    model: GenerativeModel, plan: Plan, path: Path | None, resume: bool, observer: Observer | None
) -> FitRecord:
    data, given = plan.dataset, plan.labelled
    record = fit(
        model,
        data.train if given else data.train.without_labels(),
        data.validation if given else data.validation.without_labels(),
        plan.train_config,
        directory=path,
        begin=Beginning(plan.weights, resume),
        probe=_probe(plan) if plan.teaching is None else plan.teaching.probe,
        observer=observer,
    )
    spent = plan.origin.get("budget") if plan.teaching is None else plan.teaching.spent
    return replace(record, budget=f"{record.budget}, after {spent}") if spent else record


def open_model(path: Path) -> tuple[GenerativeModel, RunRecord]:
    """Return the model of a run directory, verified, with its best weights.

    Raises:
        BadInput: no run, edited configuration, truncated weights, no weights yet, or a model that
            diverged.
    """
    record = run_directory.open_record(path)
    refuse_diverged(record)
    weights = load_weights(path / run_directory.WEIGHTS)
    facts, config = record.manifest, record.config
    with (
        refusing(
            f"the run in {path}",
            "the records that training wrote",
            "they were edited; restore them or train again",
        ),
        written_in(path / run_directory.CONFIG, run_directory.OTHER_VERSION),
    ):
        model = build(
            config["family"],
            space_from_json(facts["space"]),
            tuple(facts["classes"]),
            config["model"],
            config["seed"],
            ContextSpace.from_json(facts.get("context")),
        )
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        first = str(error).splitlines()[1].strip() if "\n" in str(error) else str(error)
        raise BadInput(
            f"the weights of {path} do not fit its configuration ({first})", "matching files"
        ) from None
    refuse_diverged(record, model)
    return model.to(here()).eval(), record


def _facts(plan: Plan, device: torch.device) -> dict[str, Any]:
    data = plan.dataset
    return {
        "family": plan.family,
        "space": data.space.to_json(),
        "classes": list(plan.classes),
        "context": None if data.context is None else data.context.to_json(),
        "data": {
            "name": data.name,
            "source": data.source,
            "fingerprint": data.fingerprint,
            "train": len(data.train),
            "validation": len(data.validation),
            "test": len(data.test),
            "notes": list(data.notes),
            "skipped": list(data.skipped),
            "lost": list(data.lost),
        },
        **({} if plan.teaching is None else {"teacher": plan.teaching.facts}),
        **({"from": plan.origin} if plan.origin else {}),
        "device": asdict(Placement.of(device)),
        "started": time.strftime("%Y-%m-%d %H:%M:%S"),
    }


def _probe(plan: Plan) -> tuple[str, Probe] | None:
    """Energy distance between fixed-seed samples and validation rows, in units of the data's scale:
    the held-out quantity of a family without one; of a single row, twice an energy score."""
    rows = plan.dataset.validation[:256]
    measure, named = rows, "energy distance to validation data"
    if len(rows) == 1:
        # it has no scale of its own; laid down twice, it makes 2 E|X - y| - E|X - X'| of the distance,
        # which is least for the truth too (Gneiting & Raftery 2007, section 4.3)
        named = "twice the energy score of the one validation example"
        measure, rows = plan.dataset.train[:256], rows[torch.zeros(2, dtype=torch.long)]
    reference = rows.x.flatten(1).double().numpy()
    scale = plan.dataset.space.scale(measure.x).numpy()

    def probe(model: GenerativeModel) -> float:
        given = rows.given if plan.labelled else rows.without_labels().given
        drawn = model.sample(len(rows), given=given, seed=plan.seed).flatten(1).double().numpy()
        return float(energy_distance(drawn / scale, reference / scale))

    return (f"{named} [standard deviations]", probe)


def save_run(
    model: GenerativeModel,
    plan: Plan | None,
    facts: dict[str, Any],
    source: Path | None,
    target: Path,
) -> None:
    """Write a model held in memory, or copy its run, to a new run directory.

    Raises:
        BadInput: the target holds something else, or somebody writes there.
    """
    refuse_if_written(target)
    check_claim(target)
    if source is None and plan is None:
        raise BadInput("a model without a plan or a run", "one made by fit or open")
    with going_on(lambda: AGAIN), writing(target):
        claim(target)
        if source is not None:
            _copy_run(source, target)
            return
        assert plan is not None
        begin(target, plan.config(), _facts(plan, model.device), plan.encoding(), "writing")
        save_weights(target / run_directory.WEIGHTS, dict(model.state_dict()))
        history = facts.get("history", [])
        write_text(target / run_directory.HISTORY, "".join(json.dumps(r) + "\n" for r in history))
        kept = {key: value for key, value in facts.items() if key != "history"}
        complete(target, {"fit": kept, "finished": time.strftime("%Y-%m-%d %H:%M:%S")})


def _copy_run(source: Path, target: Path) -> None:
    """Copy what a run is made of; a manifest that says `writing` comes first, the true one last."""
    record = run_directory.open_record(source)
    write_json(target / run_directory.MANIFEST, {**record.manifest, "status": "writing"})
    for file in holdings(source).files:
        if file.name != run_directory.MANIFEST and partial_of(file.name) is None:
            write_bytes(target / file.relative_to(source), file.read_bytes())
    write_json(target / run_directory.MANIFEST, record.manifest)
