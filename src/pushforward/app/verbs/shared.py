"""Fields that several verbs have, and what they mean together."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from pushforward.app.request import Request, argument, option
from pushforward.core.errors import BadInput, a_type
from pushforward.core.in_memory import InMemory
from pushforward.core.preset import NAMES
from pushforward.core.spec import parse_settings


def _sections(value: Any) -> Any:
    """Take `["model.width=128"]` for `{"model": {"width": 128}}`."""
    if value is None:
        return {}
    if isinstance(value, list | tuple):
        return parse_settings([str(one) for one in value])
    value = _nested(value) if isinstance(value, Mapping) else value
    if not isinstance(value, Mapping) or not all(
        isinstance(part, Mapping) for part in value.values()
    ):
        raise BadInput(
            f"settings: {a_type(value)}",
            'a mapping such as {"model": {"width": 64}, "train": {...}}',
        )
    return {str(key): dict(part) for key, part in value.items()}


def _nested(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Take `{"model.width": 8}` for `{"model": {"width": 8}}`.

    Example:
        >>> _nested({"model.width": 8, "train": {"ema": 0.9}})
        {'model': {'width': 8}, 'train': {'ema': 0.9}}
    """
    found: dict[str, Any] = {}
    for key, part in value.items():
        section, dot, name = str(key).partition(".")
        if dot:
            found.setdefault(section, {})[name] = part
        elif isinstance(part, Mapping):
            found.setdefault(section, {}).update(part)
        else:
            found[section] = part
    return found


def _pairs(value: Any) -> Any:
    """Take `["guidance=3"]` for `{"guidance": 3}`; values are JSON where they parse as JSON."""
    if not isinstance(value, list | tuple):
        return value or {}
    found: dict[str, Any] = {}
    for pair in value:
        key, equals, text = str(pair).partition("=")
        if not key or not equals:
            raise BadInput(f"--with {pair}", "key=value, such as guidance=3")
        try:
            found[key] = json.loads(text)
        except json.JSONDecodeError:
            found[key] = text
    return found


def _several(value: Any) -> Any:
    """Take nothing for an empty list, and one for a list of one."""
    if value is None:
        return ()
    several = isinstance(value, Iterable) and not isinstance(value, str)
    return tuple(value) if several else (value,)


Words = Annotated[tuple[str, ...], BeforeValidator(_several)]
Sections = Annotated[dict[str, dict[str, Any]], BeforeValidator(_sections)]
Pairs = Annotated[dict[str, Any], BeforeValidator(_pairs)]


def _run(value: Any) -> Any:
    """Take a fitted model for the run it came from."""
    if not hasattr(value, "model") or not hasattr(value, "path"):
        return value
    if value.path is None:
        raise BadInput(
            "a model without a run", "one made by fit with a path, or by open", "save it first"
        )
    return value.path


def source_of(value: Any) -> Any:
    """Take whatever a program holds for data; a name or a path is text."""
    if value is None or isinstance(value, str | InMemory):
        return value
    if hasattr(value, "__fspath__"):
        return str(value)
    from pushforward.data.dataset import Dataset

    return InMemory(value, value.name) if isinstance(value, Dataset) else InMemory(value)


def _samples(value: Any) -> Any:
    """Take whatever a program holds for samples; a name is a path."""
    found = source_of(value)
    return Path(found) if isinstance(found, str) else found


_NAMED = WithJsonSchema({"type": "string"})  # of what JSON can say
Source = Annotated[str | InMemory, BeforeValidator(source_of), _NAMED]
SampleSource = Annotated[Path | InMemory, BeforeValidator(_samples), _NAMED]
OfRun = Annotated[Path, BeforeValidator(_run)]


def _target(value: Any) -> Any:
    """Take a fitted model for its run, or for its family where it has none."""
    if not hasattr(value, "model") or not hasattr(value, "path"):
        return value
    return str(value.path or value.model.family)


Target = Annotated[
    str,
    BeforeValidator(_target),
    argument("A family or a run directory.", completes="families"),
]
Runs = Annotated[tuple[OfRun, ...], BeforeValidator(_several)]
Run = Annotated[OfRun, argument("Run directory.", completes="runs")]
Data = Annotated[Any, argument("Built-in name, file or folder.", completes="data")]
Budget = Annotated[str | None, option("Wall clock for each family: 60s, 2m, or seconds.")]
Steps = Annotated[int | None, option("Budget in optimiser steps.")]
Examples = Annotated[int | None, option("Budget in training examples seen.")]
FromRun = Annotated[
    OfRun | None,
    option(
        "Begin with the weights of a run of this family, where they fit.",
        "--from",
        completes="runs",
    ),
]
Preset = Annotated[
    str,
    option(
        f"auto (fits data and budget), {', '.join(NAMES[:-1])} or {NAMES[-1]}.", completes="presets"
    ),
]
Seed = Annotated[int, option("Equal seeds give equal results.", ge=0)]
Settings = Annotated[Sections, option("section.key=value, such as model.width=128.", "-s", "--set")]
Keep = Annotated[Words, option("Table: model this column even if it identifies rows.")]
Rule = Annotated[
    Words, option("Table: what every row keeps, such as 'age >= 17'; may be repeated.")
]
Rules = Annotated[Path | None, option("Table: a file of such rules, one a line.")]
Errors = Annotated[str | None, option("Text: strict, or replace what is not UTF-8.")]
Overwrite = Annotated[bool, option("Replace an earlier run in the output directory.")]
SkipBad = Annotated[bool, option("Leave unreadable files out and count them.")]
NewRun = Annotated[Path | None, option("Run directory.", "-o", "--output")]


WRITE = "-"  # what `--schema` is where no file follows

with warnings.catch_warnings():
    # pydantic's own `schema` is what it called `model_json_schema` before
    warnings.simplefilter("ignore", UserWarning)

    class OfTables(Request):
        """What every verb has that opens tables by their columns."""

        schema: Annotated[  # pyright: ignore[reportIncompatibleMethodOverride]
            Any,
            option(
                "Table: a file that says what its columns are; `data describe DATA --schema` writes one.",
                metavar="FILE",
                alone=WRITE,
            ),
        ] = None


def called(source: Any) -> str:
    """Return what data are called while they are read: by name or path, if they have one."""
    return str(source) if isinstance(source, str | Path) else str(getattr(source, "name", "data"))


def allowance(budget: str | None, steps: int | None, examples: int | None) -> dict[str, float]:
    """Return the one budget that was given, 40 seconds if none was: what several trainings share.

    Raises:
        BadInput: as `asked_budget`.

    Example:
        >>> allowance("2m", None, None), allowance(None, None, None)
        ({'seconds': 120.0}, {'seconds': 40.0})
    """
    from pushforward.engine.budget import DEFAULT_SECONDS

    return asked_budget(budget, steps, examples) or {"seconds": DEFAULT_SECONDS}


def asked_budget(budget: str | None, steps: int | None, examples: int | None) -> dict[str, float]:
    """Return the one budget that was given, nothing if none was.

    Raises:
        BadInput: two budgets, or one that is not positive.

    Example:
        >>> asked_budget(None, 7, None), asked_budget(None, None, None)
        ({'steps': 7}, {})
    """
    given = {"--budget": budget, "--steps": steps, "--examples": examples}
    named = [name for name, value in given.items() if value is not None]
    if len(named) > 1:
        raise BadInput(" and ".join(named), "one budget", "leave the others out")
    amount = steps if steps is not None else examples
    if amount is not None:
        if amount < 1:
            raise BadInput(f"{named[0]} {amount}", "at least 1")
        return {"steps" if steps is not None else "examples": amount}
    if budget is None:
        return {}
    from pushforward.engine.budget import parse_seconds

    return {"seconds": parse_seconds(budget)}


def with_own_options(
    settings: Mapping[str, Mapping[str, Any]],
    keep: tuple[str, ...],
    errors: str | None,
    schema: Any = None,
    rules: tuple[str, ...] = (),
) -> dict[str, dict[str, Any]]:
    """Return settings with those of the data that have an option of their own.

    Args:
        schema: a schema file, or what it holds; what is set beside it wins.
        rules: of tables, in words; they stand behind those of the settings.

    Example:
        >>> with_own_options({}, ("id", "name"), "replace", {"columns": {"day": "day-first"}})
        {'data': {'columns.day': {'reading': 'day-first'}, 'keep': 'id,name', 'errors': 'replace'}}
    """
    found = {section: dict(values) for section, values in settings.items()}
    if schema is not None:
        if schema == WRITE:
            raise BadInput(
                "--schema without a file",
                "a schema file",
                "`pushforward data describe DATA --schema > FILE` writes one",
            )
        from pushforward.data.tables.schema_file import settings_of_schema

        found["data"] = {**settings_of_schema(schema), **found.get("data", {})}
    if keep:
        found.setdefault("data", {})["keep"] = ",".join(keep)
    if errors is not None:
        found.setdefault("data", {})["errors"] = errors
    if rules:
        data = found.setdefault("data", {})
        known = data.get("rules", ())
        data["rules"] = [*((known,) if isinstance(known, str) else known), *rules]
    return found


def rules_in(words: tuple[str, ...], path: Path | None) -> tuple[str, ...]:
    """Return the rules that stand in words and in a file, one a line; what follows a `#` at the
    beginning of a line is not read.

    Raises:
        BadInput: no file of text, or one without a rule.
    """
    if path is None:
        return words
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError) as error:
        raise BadInput(f"--rules {path}: {error}", "a file of text, a rule a line") from None
    found = tuple(line for line in lines if line and not line.startswith("#"))
    if not found:
        raise BadInput(f"--rules {path} without a rule", "a rule a line, such as age >= 17")
    return (*words, *found)


def of_data(settings: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the settings of the data; those of a model or its training belong to the verb that
    trains one.

    Raises:
        BadInput: settings of a model or of training.
    """
    for section in settings:
        if section != "data":
            raise BadInput(
                f"'-s {section}...'",
                "data.key=value",
                "what belongs to one model is set where one is trained: `train`",
            )
    return dict(settings.get("data", {}))


def numbers_in(text: str, name: str, such: str = "0.05,0.1") -> list[float]:
    """Return comma-separated numbers.

    Raises:
        BadInput: something else between two commas.

    Example:
        >>> numbers_in("0.05, 0.1", "--widths")
        [0.05, 0.1]
    """
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise BadInput(
            f"{name} {text}", f"numbers with commas between them, such as {such}"
        ) from None


def refuse_ignored(way: str, others: Mapping[str, Any], expected: str = "one of the two") -> None:
    """Raise BadInput for the first of some options that was given although `way` has no use for
    it."""
    for name, value in others.items():
        if value is not None and value is not False:
            raise BadInput(f"{name} with {way}", expected, f"leave {name} out")


def require_suffix(output: Path | None, suffixes: tuple[str, ...], said: str = "") -> None:
    """Refuse a file that no answer can be written into, by its ending.

    Args:
        said: how the endings are listed, by default with commas.

    Raises:
        BadInput: another ending.
    """
    if output is not None and output.suffix.lower() not in suffixes:
        raise BadInput(f"-o {output}", f"a file that ends in {said or ', '.join(suffixes)}")
