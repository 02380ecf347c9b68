"""Whether a directory holds a run that can be gone on with, and what must be said when it is.

Two ideas: where nothing was trained yet a run begins anew, so that `--resume` is right after any
stop; a run is never called what it is not: another budget than the one it was begun with is gone on
with only if some of it is left.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pushforward.app.runs.opening import TABLE
from pushforward.app.runs.planning import Plan
from pushforward.core.errors import BadInput, written_in
from pushforward.core.files import json_text
from pushforward.core.placement import here
from pushforward.core.spec import ARITHMETIC, TrainConfig, parse
from pushforward.data.encoding import encoding_from_json
from pushforward.engine.budget import MEASURES, Budget, budget_of
from pushforward.engine.checkpoint import load_counters
from pushforward.engine.fit_records import progress_of
from pushforward.engine.precision import resolved
from pushforward.families.build import family_class
from pushforward.provenance.ownership import claim, holdings, sweep
from pushforward.provenance.run_directory import (
    CONFIG,
    LAST,
    OTHER_VERSION,
    RunRecord,
    encoding_facts,
    is_begun_only,
    open_record,
    read_encoding,
    versions,
)

# what may change: how a batch fits into memory, and how a device computes, is no other training
FREE = (*MEASURES, "accumulate", "activation_checkpointing", "precision", "compile")
# who set a value, a person or the machine and why, and where the first weights lay
NOT_SETTINGS = ("asked", "fitted", "choice", "from")
EXACT = "activation_checkpointing"  # changes nothing
_LATER = ("reading", "marks")


@dataclass(frozen=True)
class Leg:
    """Where a run is gone on with: the notes for a person, and what the manifest says of it."""

    notes: tuple[str, ...]
    facts: dict[str, Any]


def leg_of(
    path: Path, config: dict[str, Any], facts: dict[str, Any], encoding: dict[str, Any]
) -> Leg | None:
    """Return the leg that begins at the checkpoint of a run, None where nothing was trained yet:
    the run begins anew.

    Args:
        path: of the run; whoever asks holds its lock.
        config: of the run that is wanted, as `config.yaml` holds it.
        facts: of its data and its teacher, as the manifest holds them.
        encoding: of its data, as `encoding.json` holds it.

    Raises:
        BadInput: what lies there is no run of these settings and data, or its budget is spent.
    """
    held = holdings(path)
    if not held.kind and not held.foreign:
        return None
    if held.kind == "run" and not held.worth and not is_begun_only(path):
        claim(path)  # half of what another command was writing
        return None
    if held.kind == "run" and is_begun_only(path):
        sweep(path)
        return None
    record = open_record(path)
    if not (path / LAST).is_file():
        raise BadInput(
            f"{path}, which has no checkpoint to go on from",
            "a run that was trained here",
            "it was written as it is; train a new run, or replace it with --overwrite",
        )
    _same_run(record, config, facts, encoding)
    counters = asdict(progress_of(load_counters(path / LAST), path / LAST))
    spent = _spent(record, config, counters)
    sweep(path)
    before = record.manifest.get("resumed") or []
    earlier = before[-1]["versions"] if before else record.manifest.get("versions", {})
    earlier, current = (
        {**earlier, **_computed_before(record)},
        {**versions(), **_computed(facts, config)},
    )
    now = {
        "step": counters["step"],
        "seconds": round(counters["seconds"], 3),
        "at": time.strftime("%Y-%m-%d %H:%M:%S"),
    }
    leg = {
        **now,
        "budget": str(_budget(config)),
        "versions": versions(),
        "computed": _computed(facts, config),
        "before": _computed_before(record),
    }
    notes = (*spent, *differences(earlier, current), record.of_other_seeds)
    # the manifest says where a run began, and its legs where they went on
    began = record.manifest.get("device") or facts["device"]
    return Leg(tuple(filter(None, notes)), {"resumed": [*before, leg], "device": began})


def computing_as(plan: Plan, path: Path) -> Plan:
    """Return a plan that computes as the run at `path` did, but for what somebody asks for now.

    Raises:
        BadInput: a precision that the device of now has not.
    """
    try:
        known = open_record(path).config["train"]
    except BadInput:
        return plan  # nothing was trained there yet, or training says what is wrong with it
    kept = {k: known[k] for k in ARITHMETIC if k in known and plan.free(f"train.{k}")}
    settings = {**plan.train_config.model_dump(exclude_none=True), **kept}
    found = replace(plan, train_config=parse(TrainConfig, settings, "train"))
    resolved(found.train_config.precision, here().type)
    return found


def _computed(facts: dict[str, Any], config: dict[str, Any]) -> dict[str, str]:
    """Return where and how weights are computed, in words: what they depend on byte for byte."""
    train = {**parse(TrainConfig, {}, "train").model_dump(), **config["train"]}
    kept = {f"train.{key}": str(train[key]) for key in ARITHMETIC if key != EXACT}
    return {"device": facts["device"]["device"], **kept}


def _computed_before(record: RunRecord) -> dict[str, str]:
    """Return the same of the last leg of a run, of an older version what it wrote down."""
    legs = record.manifest.get("resumed") or []
    if legs and isinstance(known := legs[-1].get("computed"), dict):
        return known
    placed = record.manifest.get("device")
    with written_in(record.path / CONFIG, OTHER_VERSION):
        found = _computed({"device": {"device": ""}}, record.config)
    if legs or not (isinstance(placed, dict) and isinstance(placed.get("device"), str)):
        return {key: value for key, value in found.items() if key != "device"}
    return {**found, "device": placed["device"]}


def differences(earlier: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, ...]:
    """Return a sentence if a run goes on with other versions, another machine, device, arithmetic or
    number of threads.

    Example:
        >>> differences({"torch": "2.12.0"}, {"torch": "2.12.0"}), differences({"torch": "2.12.0"}, {"torch": "2.13.0"})[0][:40]
        ((), 'torch was 2.12.0 and is 2.13.0: the weig')
    """
    changed = [
        f"{key} was {earlier[key]} and is {now[key]}"
        for key in now
        if earlier.get(key, now[key]) != now[key]
    ]
    if not changed:
        return ()
    return (
        f"{'; '.join(changed)}: the weights will not be, byte for byte, those of a run that was never stopped",
    )


def _same_run(
    record: RunRecord,
    config: dict[str, Any],
    facts: dict[str, Any],
    encoding: dict[str, Any],
) -> None:
    path = record.path
    if record.manifest["data"]["fingerprint"] != facts["data"]["fingerprint"]:
        raise BadInput(
            f"--resume with other data than {path} was trained on",
            "the same data",
            "start a new run for new data",
        )
    with written_in(path / CONFIG, OTHER_VERSION):
        before = _but_budget(record.config)
    now = _but_budget(config)
    if before != now:
        raise BadInput(
            f"--resume with other settings ({', '.join(_changed(before, now))}) than {path}",
            "the same settings",
            "start a new run for new settings",
        )
    written = encoding_facts(encoding).get("encoding_sha256")
    if record.manifest.get("encoding_sha256") != written and not _same_dictionary(record, encoding):
        raise BadInput(
            f"--resume with another dictionary of the data than {path} has",
            "the same one",
            "this version reads the data in another way; start a new run",
        )
    if record.manifest.get("teacher") != facts.get("teacher"):
        raise BadInput(
            f"--resume with another teacher than {path} had",
            "the same run",
            "start a new run for a new teacher",
        )


def _changed(before: dict[str, Any], now: dict[str, Any]) -> Iterator[str]:
    """Yield which settings differ, and how."""
    for key in now:
        was, is_now = before.get(key), now[key]
        if isinstance(was, dict) and isinstance(is_now, dict):
            names = [n for n in {**was, **is_now} if was.get(n) != is_now.get(n) and n != "seed"]
            yield from (f"{key}.{name}={is_now.get(name)}, was {was.get(name)}" for name in names)
        elif was != is_now:
            yield key


def _same_dictionary(record: RunRecord, encoding: dict[str, Any]) -> bool:
    """Return whether a dictionary differs only in what the version that began the run did not write
    down."""
    before = read_encoding(record)
    of_old = json.loads(json_text(encoding_from_json(before).to_json()))
    return _but_later(of_old, before) == _but_later(json.loads(json_text(encoding)), before)


def _but_later(encoding: Any, before: Any) -> Any:
    """Return a record without the fields that say how cells were read, where the record from before
    has none of them."""
    if isinstance(encoding, dict) and isinstance(before, dict):
        return {
            key: _but_later(value, before.get(key))
            for key, value in encoding.items()
            if key not in _LATER or key in before
        }
    if isinstance(encoding, list) and isinstance(before, list) and len(encoding) == len(before):
        return [_but_later(one, other) for one, other in zip(encoding, before, strict=True)]
    return encoding


def data_settings_of(path: Path, given: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return how a table is read: as the run at `path` began, but for what is given now; only that
    where no run can be read."""
    try:
        data = open_record(path).config["data"]
    except BadInput:
        data = {}
    kept = {key: value for key, value in data.items() if key.startswith("columns.") or key in TABLE}
    return {**kept, **(given or {})}


def _but_budget(config: dict[str, Any]) -> dict[str, Any]:
    """Return the settings that weights depend on, with the defaults of those that an older version
    did not write down."""
    train = {"steps": 1, **{k: v for k, v in config["train"].items() if k not in FREE}}
    data = {key: value for key, value in config["data"].items() if key != "source"}
    kept = {key: value for key, value in config.items() if key not in NOT_SETTINGS}
    return {
        **kept,
        "train": parse(TrainConfig, train, "train").model_dump(),
        "model": parse(
            family_class(config["family"]).config_type, config["model"], "model"
        ).model_dump(),
        "data": data,
    }


def _budget(config: dict[str, Any]) -> Budget:
    return budget_of(parse(TrainConfig, config["train"], "train"))


def _spent(record: RunRecord, config: dict[str, Any], counters: dict[str, Any]) -> tuple[str, ...]:
    """Return what to say of a changed budget.

    Raises:
        BadInput: there is nothing left of it.
    """
    before, now, step = _budget(record.config), _budget(config), counters["step"]
    if before == now and counters["stopped"]:
        return (f"the run has spent its budget of {now}: nothing is left to train",)
    if before == now:
        return ()
    if counters["stopped"] == "patience":
        raise BadInput(
            f"--resume with {now}, of a run that train.patience stopped at step {step}",
            f"its own {before}",
            "start a new run for more",
        )
    batch = parse(TrainConfig, config["train"], "train").batch_size
    if now.fraction(step, counters["seconds"], batch) >= 1.0:
        spent = Budget(now.measure, now.spent(step, counters["seconds"], batch))
        raise BadInput(
            f"--resume with {now}, of which {record.path} has spent {spent}",
            f"more than that, or its own {before}",
            "raise the budget, or leave --resume out to train a shorter run somewhere else",
        )
    return (
        f"the budget was {before} and is {now}: from step {step} on the learning rate goes by the new one, so the weights "
        "will not be those of a run that had it from the start",
    )
