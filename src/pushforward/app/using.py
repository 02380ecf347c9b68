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

from pushforward.app.generation import FREE, TextRules
from pushforward.app.opening import encoding_of, examples_of
from pushforward.app.text_scoring import score_text
from pushforward.app.training import open_model
from pushforward.app.writer import Writer
from pushforward.core.capabilities import Card
from pushforward.core.errors import BadInput
from pushforward.core.files import write_bytes, write_json, write_text
from pushforward.core.logprob import LogProb
from pushforward.core.model import GenerativeModel
from pushforward.data.builtin import builtins
from pushforward.data.encoding import Encoding
from pushforward.data.open import open_data
from pushforward.data.text.encoding import TextEncoding
from pushforward.data.write import write_samples, write_shown
from pushforward.families.build import family_class
from pushforward.families.catalogue import FAMILIES

KINDS = ("points", "image", "table", "text")


@dataclass(frozen=True)
class Drawn:
    """Samples in data units with the class name each was asked for (None = unconditional), and as people read them.

    `shown` is a list of strings for text, a DataFrame for tables, None for images and points.
    """

    x: Tensor
    labels: tuple[str, ...] | None
    shown: Any = None


def draw(
    model: GenerativeModel,
    n: int,
    given: str | None = None,
    seed: int = 0,
    on_step: Callable[[int, int], None] | None = None,
    encoding: Encoding | None = None,
    rules: TextRules = FREE,
    **options: Any,
) -> Drawn:
    """Draw samples; `options` are those the family declares, None means the family's default.

    Args:
        given: a class, or what the run's dictionary understands: `column=value,...` for tables, a prompt for text.
        rules: of text: stop strings, a pattern or a set of strings.

    Raises:
        BadInput: rules for what is no text.
    """
    chosen = {key: value for key, value in options.items() if value is not None}
    if rules and not isinstance(encoding, TextEncoding):
        raise BadInput("stop strings or a pattern", "a run on text", "leave them out")
    if encoding is None:
        x = model.sample(n, given=given, seed=seed, on_step=on_step, **chosen)
        return Drawn(x, None if given is None else (given,) * n)
    if rules and isinstance(encoding, TextEncoding):
        x = Writer(model, encoding, given, seed, rules, chosen).tokens(n, on_step)
        return Drawn(x, None, encoding.decode(x))
    condition = None if given is None else encoding.parse_given(given, n)
    x = model.sample(n, given=condition, seed=seed, on_step=on_step, **chosen)
    return Drawn(x, None, encoding.decode(x))


def save_samples(drawn: Drawn, model: GenerativeModel, path: Path) -> list[Path]:
    """Write samples by the extension of `path` and return what was written."""
    if drawn.shown is not None:
        return write_shown(path, drawn.shown)
    return write_samples(path, drawn.x, model.space, labels=drawn.labels)


@dataclass(frozen=True)
class Scored:
    """Log-probabilities, the summary that `score --json` prints, and for text every token's own score."""

    log_prob: LogProb
    summary: dict[str, Any]
    tokens: tuple[tuple[str, float], ...] = ()


def score(
    run: Path,
    source: str,
    estimator: str | None = None,
    samples: int | None = None,
    seed: int = 0,
    split: str = "test",
    stride: int | None = None,
) -> Scored:
    """Score data under a run; text is scored exactly in overlapping windows."""
    model, record = open_model(run)
    encoding = encoding_of(record)
    if isinstance(encoding, TextEncoding):
        return _score_text(model, encoding, source, split, stride)
    if stride is not None:
        raise BadInput(f"--stride {stride}", "a run on text", "leave it out: only text is scored in windows")
    examples, name = examples_of(record, source, labelled=bool(model.classes), split=split)
    lp = model.log_prob(examples, estimator=estimator, samples=samples, seed=seed)
    return Scored(lp, score_summary(lp, name))


def _score_text(model: GenerativeModel, encoding: TextEncoding, source: str, split: str, stride: int | None) -> Scored:
    tokeniser, name = encoding.tokeniser, "all"
    if source in {known for known, _ in builtins()}:
        data = open_data(source, encoding=encoding)
        stream, name = data.streams[("train", "validation", "test").index(split)], split
    else:
        stream = encoding.stream(Path(source) if Path(source).exists() else source)
    characters = sum(len(text) for text in encoding.decode_documents(stream[1:]))
    found = score_text(model, stream, tokeniser.token_bytes, characters, stride)
    summary = {**score_summary(found.log_prob, name), "text": found.facts}
    pieces = [tokeniser.decode_bytes(t[None]).decode("utf-8", "backslashreplace") for t in found.tokens]
    return Scored(found.log_prob, summary, tuple(zip(pieces, found.nats.double().tolist(), strict=True)))


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
        for kind in KINDS:
            estimators = c.estimators.get(kind)
            if estimators is None:
                row[f"log p, {kind}"] = "not yet"
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
