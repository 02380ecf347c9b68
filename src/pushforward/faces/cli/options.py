"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

Budget = Annotated[str | None, typer.Option(help="Wall clock for each family: 60s, 2m.")]
Steps = Annotated[int | None, typer.Option(help="Budget in optimiser steps.")]
Examples = Annotated[int | None, typer.Option(help="Budget in training examples seen.")]
Preset = Annotated[str, typer.Option(help="smoke, cpu or gpu.")]
Seed = Annotated[int, typer.Option(min=0, help="Equal seeds give equal results.")]
Settings = Annotated[list[str] | None, typer.Option("-s", "--set", help="section.key=value, such as model.width=128.")]
Keep = Annotated[list[str] | None, typer.Option(help="Table: model this column even if it identifies rows.")]
Errors = Annotated[str | None, typer.Option(help="Text: strict, or replace what is not UTF-8.")]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an earlier run in the output directory.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks.")]

DEFAULT_SECONDS = 40.0


def budget_from(budget: str | None, steps: int | None, examples: int | None) -> dict[str, float]:
    """Return the one budget that was given, 40 seconds if none was.

    Raises:
        BadInput: two budgets, or one that is not positive.

    Example:
        >>> budget_from("2m", None, None)
        {'seconds': 120.0}
    """
    from pushforward.core.errors import BadInput

    given = {"--budget": budget, "--steps": steps, "--examples": examples}
    named = [name for name, value in given.items() if value is not None]
    if len(named) > 1:
        raise BadInput(" and ".join(named), "one budget", "leave the others out")
    if steps is not None or examples is not None:
        amount = steps if steps is not None else examples
        assert amount is not None
        if amount < 1:
            raise BadInput(f"{named[0]} {amount}", "at least 1")
        return {"steps" if steps is not None else "examples": amount}
    if budget is None:
        return {"seconds": DEFAULT_SECONDS}
    return {"seconds": _seconds(budget)}


def data_options(settings: list[str] | None, keep: list[str] | None, errors: str | None) -> list[str]:
    """Return settings with those that have an option of their own.

    Example:
        >>> data_options(None, ["id", "name"], "replace")
        ['data.keep=id,name', 'data.errors=replace']
    """
    found = list(settings or [])
    if keep:
        found.append("data.keep=" + ",".join(keep))
    if errors is not None:
        found.append(f"data.errors={errors}")
    return found


def option_values(pairs: list[str], option: str) -> dict[str, Any]:
    """Return `key=value` pairs as a dictionary; values are JSON where they parse as JSON.

    Raises:
        BadInput: a pair without a key or an equals sign.

    Example:
        >>> option_values(["guidance=3", "solver=heun"], "--with")
        {'guidance': 3, 'solver': 'heun'}
    """
    import json

    from pushforward.core.errors import BadInput

    found: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not key or not equals:
            raise BadInput(f"{option} {pair}", "key=value, such as guidance=3")
        try:
            found[key] = json.loads(text)
        except json.JSONDecodeError:
            found[key] = text
    return found


def trusting(features: list[str], trust: bool) -> list[str]:
    """Return names of features of which the files may be code, if they are trusted.

    Raises:
        BadInput: trust, and nothing from a file.

    Example:
        >>> trusting(["pixels", "file:net.pt"], True)
        ['pixels', 'file:net.pt,trust=true']
    """
    from pushforward.core.errors import BadInput

    if trust and not any(":" in name for name in features):
        raise BadInput("--trust", "--features from a file, such as file:net.pt", "leave it out")
    return [f"{name},trust=true" if trust and ":" in name else name for name in features]


def numbers_in(text: str, option: str, such: str = "0.05,0.1") -> list[float]:
    """Return comma-separated numbers.

    Raises:
        BadInput: something else between two commas.

    Example:
        >>> numbers_in("0.05, 0.1", "--widths")
        [0.05, 0.1]
    """
    from pushforward.core.errors import BadInput

    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise BadInput(f"{option} {text}", f"numbers with commas between them, such as {such}") from None


def refuse_ignored(way: str, others: Mapping[str, Any], expected: str = "one of the two") -> None:
    """Raise BadInput for the first of some options that was given although `way` has no use for it."""
    from pushforward.core.errors import BadInput

    for option, value in others.items():
        if value is not None and value is not False:
            raise BadInput(f"{option} with {way}", expected, f"leave {option} out")


def _seconds(text: str) -> float:
    from pushforward.engine.budget import parse_seconds

    return parse_seconds(text)
