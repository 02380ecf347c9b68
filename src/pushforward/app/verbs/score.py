"""Log-likelihood of data under a run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pushforward.app.request import WIDTH, Answer, argument, option
from pushforward.app.verbs.computing import ComputingRequest
from pushforward.app.verbs.shared import Run, Seed, Source, refuse_ignored, require_suffix

if TYPE_CHECKING:
    from pushforward.app.measuring.column_scores import ColumnScores
    from pushforward.app.measuring.scoring import Scored
    from pushforward.app.progress.watch import Watch


class ScoreRequest(ComputingRequest):
    """Log-likelihood of data under a run, with its kind and unit."""

    verb = "score"
    run: Run
    data: Annotated[
        Source,
        argument(
            "Built-in name, file or folder; of the run's own data the test split.", completes="data"
        ),
    ]
    estimator: Annotated[
        str | None, option("Default: the family's first.", completes="estimators")
    ] = None
    samples: Annotated[int | None, option("Monte Carlo samples of the estimator.", ge=1)] = None
    steps: Annotated[int | None, option("Steps of an estimator that takes some.", ge=1)] = None
    split: Annotated[
        str | None,
        option("Of the run's own or built-in data: test (the default), validation, train or all."),
    ] = None
    seed: Seed = 0
    stride: Annotated[
        int | None, option("Text: tokens each window scores; default: half of it.", ge=1)
    ] = None
    n: Annotated[
        int | None,
        option("Score so many of the examples (text: windows); default: all.", "-n", ge=1),
    ] = None
    stderr: Annotated[
        float | None,
        option(
            "Stop at this standard error of the mean; default: 0.5 % of it where examples are dear.",
            gt=0,
            allow_inf_nan=False,
        ),
    ] = None
    by: Annotated[
        Literal["column"] | None,
        option(
            "Table: column: mean nats of each, which add up; -o FILE.csv names each row's oddest."
        ),
    ] = None
    per_token: Annotated[bool, option("Text: print every token's log-probability.")] = False
    output: Annotated[
        Path | None, option("Per-example nats as .csv, .npy or .json.", "-o", "--output")
    ] = None

    @property
    def without_json(self) -> str:
        """Scores by token, which are JSON already, one object a line."""
        return "--per-token" if self.per_token else ""

    def answer(self, watch: Watch) -> ScoredData | ScoredTokens | ScoredColumns:
        """Score, and say what is to be noted."""
        if self.by is not None:
            return self._by_column(watch)
        from pushforward.app.measuring import scoring
        from pushforward.app.measuring.until import Enough
        from pushforward.app.runs.fitting import hardly_trained
        from pushforward.core.errors import BadInput
        from pushforward.provenance.run_directory import open_record

        if self.output is not None and self.output.suffix not in scoring.FORMATS:
            raise BadInput(f"-o {self.output}", "a file that ends in " + ", ".join(scoring.FORMATS))
        if self.per_token:
            refuse_ignored("--per-token", {"-o": self.output})
        for flag, value in (("-n", self.n), ("-o", self.output)):
            if value is not None:
                refuse_ignored(flag, {"--stderr": self.stderr})
        with watch.steps(f"scoring {self.data}") as told:
            how = scoring.Scoring(
                self.estimator,
                self.samples,
                self.steps,
                self.seed,
                self.split,
                self.stride,
                self.n,
                # every example's own number is wanted in a file
                None if self.output is not None else Enough(self.stderr),
            )
            scored = scoring.score(self.run, self.data, how, told)
        watch.say_all(f"note: {note}" for note in scored.summary.get("notes", ()))
        watch.say_all([hardly_trained(open_record(self.run))])
        return ScoredTokens(scored) if self.per_token else ScoredData(scored, self.output)

    def _by_column(self, watch: Watch) -> ScoredColumns:
        from pushforward.app.measuring.column_scores import score_columns
        from pushforward.app.runs.fitting import hardly_trained
        from pushforward.provenance.run_directory import open_record

        names = ("estimator", "samples", "steps", "stride", "stderr")
        others = {f"--{name}": getattr(self, name) for name in names}
        refuse_ignored("--by column", {**others, "--per-token": self.per_token})
        require_suffix(self.output, (".csv",))
        with watch.steps(f"scoring {self.data}") as told:
            found = score_columns(
                self.run,
                self.data,
                self.split,
                n=self.n,
                seed=self.seed,
                by_row=self.output is not None,
                told=told,
            )
        watch.say_all(f"note: {note}" for note in found.notes)
        watch.say_all([hardly_trained(open_record(self.run))])
        return ScoredColumns(found, self.output)


class ScoredColumns(Answer):
    """A table's likelihood by column, and of every row the column that surprised most."""

    def __init__(self, found: ColumnScores, output: Path | None = None) -> None:
        self.found, self.output = found, output

    def json(self) -> dict[str, Any]:
        """Return mean nats of a row, and of each column given those before it."""
        mean, stderr = self.found.total()
        facts = {"kind": "exact", "unit": "nats/row", "value": mean, "stderr": stderr}
        rows = {"n": len(self.found.terms), "split": self.found.split}
        return {**facts, **rows, "columns": self.found.table(), "notes": list(self.found.notes)}

    def lines(self, width: int = WIDTH) -> Iterator[str]:
        """Yield a line for each column, and their sum."""
        mean, stderr = self.found.total()
        rows = [*self.found.table(), {"column": "sum", "nats": mean, "stderr": stderr}]
        wide = max(len(row["column"]) for row in rows)
        for row in rows:
            error = "" if row["stderr"] is None else f" +- {row['stderr']:.4f}"
            yield f"{row['column']:<{wide}}  {row['nats']:9.4f}{error}"
        n, split = len(self.found.terms), self.found.split
        yield f"nats/row given the columns before: exact, n = {n:,}, {split}"

    def leave(self, watch: Watch) -> None:
        """Write every row's own nats, with the column that surprised most."""
        from pushforward.core.files import write_text

        if self.output is not None:
            write_text(self.output, self.found.rows().to_csv(index=False))
            watch.say(f"written: {self.output}")


class ScoredTokens(Answer):
    """Every token of a text with its log-probability in nats."""

    def __init__(self, scored: Scored) -> None:
        self.tokens = scored.tokens()

    def json(self) -> list[dict[str, Any]]:
        """Return a record for each token."""
        return [{"token": text, "nats": round(nats, 6)} for text, nats in self.tokens]

    def lines(self, width: int = WIDTH) -> Iterator[str]:
        """Yield one JSON object a line."""
        for record in self.json():
            yield json.dumps(record, ensure_ascii=False)


class ScoredData(Answer):
    """A likelihood, what it is, and every example's own."""

    def __init__(self, scored: Scored, output: Path | None = None) -> None:
        self.scored, self.output = scored, output

    def json(self) -> dict[str, Any]:
        """Return the summary: kind, value, error, unit, and of how many."""
        return self.scored.summary

    def lines(self, width: int = WIDTH) -> Iterator[str]:
        """Yield the likelihood, and of text its other units."""
        summary = self.scored.summary
        kind, split = summary["kind"].replace("_", " "), summary["split"]
        estimator = summary["estimator"]
        how = estimator if estimator.startswith(kind) else f"{kind}, {estimator}"
        of = f" of {summary['of']:,}" if summary.get("of", summary["n"]) > summary["n"] else ""
        given = f" given {summary['given']}" if summary["given"] else ""
        tail = f"{summary['unit']}{given}: {how}, n = {summary['n']:,}{of}, {split}"
        if summary["value"] is None:
            yield f"infinite {tail}: {summary['impossible']:,} of them have probability zero"
            return
        error = "" if summary["stderr"] is None else f" +- {summary['stderr']:.4f} (standard error)"
        yield f"{summary['value']:.4f}{error} {tail}"
        if "text" in summary:
            t = summary["text"]
            yield (
                f"{t['bits_per_char']:.4f} bits/char, {t['nats_per_token']:.4f} nats/token, "
                f"perplexity {t['perplexity']:.3f}: {t['tokens']:,} tokens, {t['bytes']:,} bytes, "
                f"context {t['context']}, stride {t['stride']}, {t['clusters']}"
            )

    def remarks(self) -> Iterator[str]:
        """Yield what a reader of the number should know."""
        summary = self.scored.summary
        if summary["value"] is None:
            return
        if summary["kind"] == "lower_bound":
            yield "a lower bound on log-probability: the true code length is at most this number"
        if error := summary.get("row_stderr"):
            yield (
                f"one example's own number is drawn, and known to {error:.2g} nats; `-o FILE.csv` has each error"
            )
        if summary["kind"] == "estimate":
            yield "an estimate: neither exact nor a bound"

    def leave(self, watch: Watch) -> None:
        """Say what the number is, and write every example's own where it was asked for."""
        from pushforward.app.measuring.scoring import save_log_prob

        watch.say_all(self.remarks())
        if self.output is not None:
            save_log_prob(self.output, self.scored.log_prob, self.scored.summary)
