"""What one does with a trained run: sample from it, score data with it, explain it, cite it."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pushforward.app.training import open_model
from pushforward.core.capabilities import Card
from pushforward.core.errors import BadInput
from pushforward.core.files import write_bytes, write_json, write_text
from pushforward.core.given import Examples
from pushforward.core.logprob import LogProb
from pushforward.core.model import GenerativeModel
from pushforward.data.builtin import builtins
from pushforward.data.open import open_data, open_like
from pushforward.data.write import write_samples
from pushforward.families.build import family_class
from pushforward.families.catalogue import FAMILIES


@dataclass(frozen=True)
class Drawn:
    """Samples in data units with the class name each was asked for (None = unconditional)."""

    x: Tensor
    labels: tuple[str, ...] | None


def draw(
    model: GenerativeModel,
    n: int,
    given: str | None = None,
    seed: int = 0,
    on_step: Callable[[int, int], None] | None = None,
    **options: Any,
) -> Drawn:
    """Draw samples; `options` are those the family declares, None means the family's default."""
    chosen = {key: value for key, value in options.items() if value is not None}
    x = model.sample(n, given=given, seed=seed, on_step=on_step, **chosen)
    return Drawn(x, None if given is None else (given,) * n)


def save_samples(drawn: Drawn, model: GenerativeModel, path: Path) -> list[Path]:
    """Write samples by the extension of `path` and return what was written."""
    return write_samples(path, drawn.x, model.space, labels=drawn.labels)


def examples_for(
    model: GenerativeModel, source: str, config: dict[str, Any], split: str = "test"
) -> tuple[Examples, str]:
    """Return the examples to score and the name of their split.

    A built-in means its held-out test split (the same split that training left out); a file means all of it.
    """
    labelled = bool(model.classes)
    if source in {name for name, _ in builtins()}:
        data = open_data(source, labels=labelled)
        if data.space != model.space or (labelled and data.classes != model.classes):
            raise BadInput(
                f"'{source}' is {data.space}", f"the run's {model.space} with the same classes", "score its own data"
            )
        examples = {"train": data.train, "validation": data.validation, "test": data.test}[split]
        return (examples if labelled else examples.without_labels()), split
    return open_like(source, model.space, model.classes, labels=labelled), "all"


def score(
    run: Path, source: str, estimator: str | None = None, samples: int | None = None, seed: int = 0, split: str = "test"
) -> tuple[LogProb, dict[str, Any]]:
    """Return per-example log-probabilities and the summary that `score --json` prints."""
    model, record = open_model(run)
    examples, name = examples_for(model, source, record.config, split)
    lp = model.log_prob(examples, estimator=estimator, samples=samples, seed=seed)
    return lp, score_summary(lp, name)


def score_summary(lp: LogProb, split: str) -> dict[str, Any]:
    """Return the JSON record of a likelihood."""
    finite = bool(torch.isfinite(lp.nats).all())
    return {
        "kind": lp.kind,
        "mean_nats": lp.mean_nats if finite else None,
        "stderr": lp.standard_error if len(lp) > 1 and finite else None,
        "value": lp.value if finite else None,
        "unit": lp.unit.name,
        "n": len(lp),
        "split": split,
        "estimator": lp.estimator,
        "given": lp.given or None,
        "calls_per_example": lp.calls,
    }


def card_of(target: str) -> tuple[str, Card, dict[str, Any] | None]:
    """Return the family, its card and, if `target` is a run directory, the run's manifest."""
    if Path(target).is_dir():
        _, record = open_model(Path(target))
        return record.config["family"], family_class(record.config["family"]).card, record.manifest
    return FAMILIES.resolve(target), family_class(target).card, None


def capability_table() -> list[dict[str, str]]:
    """Return one row per family, computed from the declarations on the classes."""
    rows = []
    for name in FAMILIES.names():
        c = family_class(name).capabilities
        row = {"family": name}
        for kind in ("points", "image"):
            estimators = c.estimators.get(kind)
            if estimators is None:
                row[f"log p, {kind}"] = "not supported"
            else:
                row[f"log p, {kind}"] = (
                    ", ".join(f"{e.name} ({e.kind.replace('_', ' ')})" for e in estimators) or "none"
                )
        row["network calls a sample"] = c.sampling_cost
        row["encode"] = ", ".join(f"{how} ({kind})" for kind, how in c.encode.items()) or "no"
        row["given"] = ", ".join(c.conditions)
        row["sampling options"] = ", ".join(c.options) or "none"
        row["solvers"] = ", ".join(c.solvers) or "none"
        rows.append(row)
    return rows


def markdown_table(rows: list[dict[str, str]]) -> str:
    """Return rows as a Markdown table.

    Example:
        >>> print(markdown_table([{"a": "1", "b": "2"}]))
        | a | b |
        |---|---|
        | 1 | 2 |
    """
    keys = list(rows[0])
    lines = ["| " + " | ".join(keys) + " |", "|" + "---|" * len(keys)]
    lines += ["| " + " | ".join(row[key] for key in keys) + " |" for row in rows]
    return "\n".join(lines)


def save_log_prob(path: Path, lp: LogProb, summary: dict[str, Any]) -> None:
    """Write per-example log-probabilities in nats as `.csv`, `.npy` or `.json`.

    Raises:
        BadInput: another extension.
    """
    nats = lp.nats.double().numpy()
    if path.suffix == ".npy":
        buffer = io.BytesIO()
        np.save(buffer, nats, allow_pickle=False)
        write_bytes(path, buffer.getvalue())
    elif path.suffix == ".csv":
        write_text(path, "nats\n" + "".join(f"{value!r}\n" for value in nats.tolist()))
    elif path.suffix == ".json":
        write_json(path, {**summary, "nats": nats.tolist()})
    else:
        raise BadInput(f"-o {path}", "a file that ends in .csv, .npy or .json")
