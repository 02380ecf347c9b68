"""The shape of a run's records, checked before anything reads them.

One idea: files that a program wrote are edited, merged and cut by people and disks; what is used of
them is typed once, here, and keys that this version does not know are left alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pushforward.core.errors import BadInput, a_type

LARGEST = 10_000_000  # values: a table of ten thousand columns has fewer
DEEPEST = 60


class _Record(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True, protected_namespaces=())


class _DataFacts(_Record):
    name: str
    source: str
    fingerprint: str
    train: int = Field(ge=0)
    validation: int = Field(ge=0)
    test: int = Field(ge=0)
    notes: list[str] = []
    skipped: list[str] = []


class _FitFacts(_Record):
    steps: int | None = None
    examples: int | None = None
    seconds: float | None = None
    budget: str = ""
    stopped: str = ""
    loss_name: str = ""
    held_out_name: str = ""
    best_held_out: float | None = None
    best_step: int | None = None
    parameters: int | None = None
    precision: str = ""


class _Beginning(_Record):
    """What training began with: see `app/runs/starting.py`."""

    run: str
    data: str
    budget: str
    weights_sha256: str = ""
    steps: int = Field(0, ge=0)
    share: float = Field(ge=0.0, le=1.0, allow_inf_nan=False)
    new: list[str]
    new_classes: list[str] = []


class _Resumed(_Record):
    step: int
    versions: dict[str, str]
    computed: dict[str, str] = {}


class _Manifest(_Record):
    format: int = Field(ge=0)
    status: Literal["training", "complete"]
    kind: str = "run"
    config_sha256: str
    config_sha256_before: str | None = None
    encoding_sha256: str | None = None
    weights_sha256: str | None = None
    family: str
    space: dict[str, Any]
    classes: list[str]
    context: dict[str, Any] | None = None
    data: _DataFacts
    fit: _FitFacts = _FitFacts()
    teacher: dict[str, Any] | None = None
    began_with: _Beginning | None = Field(None, alias="from")
    versions: dict[str, str] = {}
    started: str = ""
    finished: str = ""
    resumed: list[_Resumed] | None = None


class _DataSettings(_Record):
    source: str
    labels: bool = True


class _Outlook(_Record):
    preset: str
    width: float
    batch: int = Field(ge=1)
    steps: int = Field(ge=0)
    seconds: float
    expected: float | None


class _Choice(_Record):
    """Which preset was taken, and what came second: see `app/runs/choosing.py`."""

    curves: str
    quantity: str = ""
    taken: _Outlook
    runner_up: _Outlook | None = None


class _Config(_Record):
    family: str
    preset: str
    seed: int = Field(ge=0, lt=2**63)
    data: _DataSettings
    model: dict[str, Any]
    train: dict[str, Any]
    fitted: dict[str, dict[str, Any]] = {}
    asked: list[str] = []
    choice: _Choice | None = None
    began_with: str | None = Field(None, alias="from")


R = TypeVar("R", bound=_Record)


def check_records(path: Path, manifest: Any, config: Any) -> None:
    """Refuse records of another shape than training writes.

    Raises:
        BadInput: names the file, the key, what came and what was expected.
    """
    _check(_Manifest, manifest, path / "manifest.json")
    _check(_Config, config, path / "config.yaml")
    if manifest["family"] != config["family"]:
        raise BadInput(
            f"'family' {manifest['family']!r} in {path / 'manifest.json'}",
            f"{config['family']!r}, as in {path / 'config.yaml'}",
            "it was edited; restore it or train again",
        )
    if manifest["status"] == "complete" and manifest.get("weights_sha256") is None:
        raise BadInput(
            f"{path / 'manifest.json'} without weights_sha256",
            "the fingerprint of a complete run's weights",
        )


def _check(shape: type[R], record: Any, path: Path) -> None:
    if not isinstance(record, Mapping):
        raise BadInput(
            f"{path} holds {a_type(record)}", "an object of keys", "restore it or train again"
        )
    if _depth(record) > DEEPEST:
        raise BadInput(
            f"{path}, nested more than {DEEPEST} deep",
            "the records of a run",
            "restore it or train again",
        )
    if (size := _size(record, {})) > LARGEST:
        raise BadInput(
            f"{path} of {size:,} values", f"at most {LARGEST:,}", "restore it or train again"
        )
    try:
        shape.model_validate(record)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        said = first["msg"].removeprefix("Input should be ")
        came = (
            "is missing" if first["type"] == "missing" else f"is {str(first.get('input'))[:80]!r}"
        )
        expected = (
            "what training wrote" if first["type"] == "missing" else said[:1].lower() + said[1:]
        )
        raise BadInput(
            f"'{key}' in {path} {came}", expected, "it was edited; restore it or train again"
        ) from None


def _inner(record: Any) -> list[Any]:
    """Return what a mapping or a list holds, nothing of anything else."""
    if isinstance(record, Mapping):
        return list(record.values())
    return record if isinstance(record, list) else []


def _depth(record: Any) -> int:
    """Return how deep a record is nested, without recursion; what occurs in several places is
    looked at once a level."""
    deepest, level = 0, [record]
    while level and deepest <= DEEPEST:
        deepest += 1
        level = list({id(inner): inner for outer in level for inner in _inner(outer)}.values())
    return deepest


def _size(record: Any, known: dict[int, int]) -> int:
    """Return of how many values a record is made, where YAML's aliases are written out: a few of
    them make more than any memory holds."""
    if not isinstance(record, Mapping | list):
        return 1
    if id(record) not in known:
        known[id(record)] = 1 + sum(_size(inner, known) for inner in _inner(record))
    return known[id(record)]
