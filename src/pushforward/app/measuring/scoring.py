"""Score data under a trained run and say what the number is.

One idea: the summary is made from the log-probabilities and nothing else, so that its kind, unit
and error cannot drift from them.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pushforward.app.measuring.cases import copies_as_cases, copies_of_one
from pushforward.app.measuring.examples import drawn_places
from pushforward.app.measuring.parts import (
    ALL,
    Selection,
    examples_of,
    named,
    part_of,
    stream_of,
    trained_on,
)
from pushforward.app.measuring.text_scoring import (
    TextScore,
    bound_text,
    score_documents,
    score_text,
    text_of,
)
from pushforward.app.measuring.until import Enough, said, scored_until
from pushforward.app.runs.opening import SPLITS, encoding_of
from pushforward.app.runs.training import open_model
from pushforward.core.capabilities import Estimator
from pushforward.core.errors import BadInput
from pushforward.core.files import write_bytes, write_json, write_text
from pushforward.core.given import Examples
from pushforward.core.limits import require_below
from pushforward.core.logprob import LogProb
from pushforward.core.model import GenerativeModel
from pushforward.data.text.encoding import TextEncoding
from pushforward.provenance.run_directory import RunRecord

MOST_SAMPLES = 1_000_000
FORMATS = (".csv", ".npy", ".json")  # of what every example scored


@dataclass(frozen=True)
class Scored:
    """Log-probabilities, and the summary that `score --json` prints."""

    log_prob: LogProb
    summary: dict[str, Any]

    def tokens(self) -> list[tuple[str, float]]:
        """Return the parts of what was scored, with their own scores.

        Raises:
            BadInput: what was scored is no text.
        """
        raise BadInput(
            "scores by token", "a run on text", "rows, points and images are scored whole"
        )


@dataclass(frozen=True)
class ScoredText(Scored):
    """Text, every token of which has a score of its own."""

    text: TextScore
    encoding: TextEncoding

    def tokens(self) -> list[tuple[str, float]]:
        """Return every token as text with its log-probability in nats; bytes that are no characters
        are escaped.

        Raises:
            BadInput: a model that bounds the probability of whole windows.
        """
        if self.text.nats is None:
            came = "scores by token of a model that bounds the probability of whole windows"
            raise BadInput(came, "an exact one, such as autoregressive", "leave --per-token out")
        decode = self.encoding.tokeniser.decode_bytes
        pieces = [
            decode(token[None]).decode("utf-8", "backslashreplace") for token in self.text.tokens
        ]
        return list(zip(pieces, self.text.nats.double().tolist(), strict=True))


@dataclass(frozen=True)
class Scoring:
    """What of some data is scored, and how.

    Attributes:
        estimator: by name, None = the family's first.
        samples: Monte Carlo samples of the estimator, None = its own number.
        steps: of an estimator that takes some, None = the run's own.
        seed: seed of the estimator, and of which examples are drawn.
        split: `train`, `validation`, `test` or `all` of what the run was trained on, whatever the
            file is called, and of built-in data; None = test. Anything else is scored whole.
        stride: of text, tokens that each window scores, None = half of the context.
        n: how many of the examples, drawn by the seed; of text windows from the beginning; None =
            all.
        enough: the standard error of the mean at which scoring stops, where neither `n` nor every
            example's own number is asked for; None scores all.
    """

    estimator: str | None = None
    samples: int | None = None
    steps: int | None = None
    seed: int = 0
    split: str | None = None
    stride: int | None = None
    n: int | None = None
    enough: Enough | None = None


WHOLE = Scoring()


def score(
    run: Path, source: Any, how: Scoring = WHOLE, told: Callable[[int, int], None] | None = None
) -> Scored:
    """Score data under a run; text is scored in overlapping windows.

    Args:
        how: what is scored, by which estimator.
        told: called with how many examples are scored, and of how many.

    Raises:
        BadInput: a split or a stride of what has none, samples for an exact number, data of another
            space.
        Unsupported: a family without a likelihood, steps for an estimator without, or a number that
            means nothing.
    """
    model, record = open_model(run)
    encoding = encoding_of(record)
    chosen = model.estimator(how.estimator)
    if how.samples is not None:
        require_below(how.samples, MOST_SAMPLES, f"{how.samples:,} samples", "samples an example")
    if how.samples is not None and chosen.kind == "exact":
        came = f"{how.samples} samples for the estimator '{chosen.name}'"
        raise BadInput(came, "none: it is exact", "leave them out")
    model.capabilities.require_steps(chosen, model.space.kind, how.steps)
    part = part_of(record, source, how.split)
    if isinstance(encoding, TextEncoding):
        if how.enough is not None and how.enough.stderr is not None:
            raise BadInput(
                f"--stderr {how.enough.stderr:g} of text",
                "a run on pictures, points or tables",
                "text is scored whole, in windows; leave it out",
            )
        return _score_text(model, record, encoding, source, part, chosen, how)
    if how.stride is not None:
        raise BadInput(
            f"--stride {how.stride}",
            "a run on text",
            "leave it out: only text is scored in windows",
        )
    examples, notes = examples_of(record, source, part, labelled=bool(model.classes))
    examples, copied = copies_as_cases(examples, model.space)
    notes, there = (*notes, *copied), len(examples)
    if how.n is not None:
        _require(how.n, there, source)
        examples = examples[torch.from_numpy(drawn_places(there, how.n, how.seed))]
    asked: dict[str, Any] = {"estimator": how.estimator, "samples": how.samples, "steps": how.steps}

    def ask(part: Examples, seed: int, told: Callable[[int, int], None] | None) -> LogProb:
        return model.log_prob(part, seed=seed, on_chunk=told, **asked)

    if how.enough is None or how.n is not None:
        lp = ask(examples, how.seed, told)
    else:
        lp = scored_until(ask, examples, how.enough, how.seed, told)
        notes = (*notes, *said(lp, there, how.enough))
    return Scored(lp, _noted({**score_summary(lp, part.name), "of": there}, notes))


def _require(n: int, there: int, source: Any) -> None:
    if n > there:
        raise BadInput(
            f"-n {n}",
            f"at most {there:,}, the examples of {source}",
            "leave -n out to score all of them",
        )


def _noted(summary: dict[str, Any], notes: tuple[str, ...]) -> dict[str, Any]:
    return {**summary, "notes": list(notes)} if notes else summary


def _score_text(
    model: GenerativeModel,
    record: RunRecord,
    encoding: TextEncoding,
    source: Any,
    part: Selection,
    estimator: Estimator,
    how: Scoring,
) -> Scored:
    sizes, stride, n = encoding.tokeniser.token_bytes, how.stride, how.n
    if encoding.longest:
        read = named(source, encoding)
        whole = part.name == ALL
        documents, contexts = (
            encoding.pairs(read) if whole else encoding.pairs_of(read, SPLITS.index(part.name))
        )
        notes = part.notes if part.own else trained_on(record, encoding.read(read), str(source))
        if n is not None:
            _require(n, len(documents), source)
            documents, contexts = documents[:n], contexts[:n]
        characters = sum(len(encoding.tokeniser.decode(document)) for document in documents)
        found = score_documents(model, documents, contexts, sizes, characters, stride)
    else:
        stream, notes = stream_of(record, encoding, source, part)
        if n is not None:
            length = text_of(model).length
            _require(n, -(-(len(stream) - 1) // length), source)
            stream = stream[: 1 + n * length]
        characters = sum(len(text) for text in encoding.decode_documents(stream[1:]))
        if estimator.kind == "exact":
            found = score_text(model, stream, sizes, characters, stride)
        else:
            found = bound_text(
                model, stream, sizes, characters, stride, estimator.name, how.samples, how.seed
            )
    summary = {**score_summary(found.log_prob, part.name), "text": found.facts}
    return ScoredText(found.log_prob, _noted(summary, notes), found, encoding)


def score_summary(lp: LogProb, split: str) -> dict[str, Any]:
    """Return the JSON record of a likelihood; without a value where an example has probability
    zero.

    Raises:
        BadInput: log-probabilities that are none: the model has diverged.
    """
    if wrong := int((lp.nats.isnan() | (lp.nats == math.inf)).sum()):
        raise BadInput(
            f"{wrong} of {len(lp)} log-probabilities are not numbers",
            "a model that has not diverged, and examples near those it was trained on",
            "look at the largest numbers of the examples; if they are usual, train it again with a lower learning rate",
        )
    impossible = int(torch.isinf(lp.nats).sum())
    finite, error = impossible == 0, math.nan if copies_of_one(lp) else lp.standard_error
    known = finite and not math.isnan(error)
    return {
        "kind": lp.kind,
        "mean_nats": lp.mean_nats if finite else None,
        "stderr": error if known else None,
        "stderr_nats": error * lp.unit.nats_per_unit * lp.mean_size if known else None,
        "value": lp.value if finite else None,
        "unit": lp.unit.name,
        "n": len(lp),
        "split": split,
        "estimator": lp.estimator,
        "given": lp.given or None,
        "calls_per_example": lp.calls,
        **({} if finite else {"impossible": impossible}),
        **(
            {}
            if lp.stderr is None or not finite
            else {"row_stderr": float(lp.stderr.double().square().mean().sqrt())}
        ),
        **(
            {"errors": {cause: float(part.double().mean()) for cause, part in lp.errors.items()}}
            if lp.errors
            else {}
        ),
    }


def save_log_prob(path: Path, lp: LogProb, summary: dict[str, Any]) -> None:
    """Write per-example log-probabilities in nats as `.csv`, `.npy` or `.json`; of drawn ones the
    errors, too, but in `.npy`.

    Raises:
        BadInput: another extension.
    """
    nats = lp.nats.double().numpy()
    errors = None if lp.stderr is None else lp.stderr.double().tolist()
    if path.suffix == ".npy":
        buffer = io.BytesIO()
        np.save(buffer, nats, allow_pickle=False)
        write_bytes(path, buffer.getvalue())
    elif path.suffix == ".csv":
        columns = [nats.tolist()] if errors is None else [nats.tolist(), errors]
        lines = (",".join(map(repr, row)) for row in zip(*columns, strict=True))
        write_text(
            path,
            "nats"
            + (",stderr" if errors is not None else "")
            + "\n"
            + "".join(f"{line}\n" for line in lines),
        )
    elif path.suffix == ".json":
        write_json(
            path,
            {**summary, "nats": nats.tolist(), **({} if errors is None else {"stderrs": errors})},
        )
    else:
        raise BadInput(f"-o {path}", "a file that ends in " + ", ".join(FORMATS))
