"""Fill the gaps of a table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator

from pushforward.app.request import WIDTH, Answer, argument, option
from pushforward.app.verbs.computing import ComputingRequest
from pushforward.app.verbs.shared import Run, Seed, Source
from pushforward.core.errors import BadInput

if TYPE_CHECKING:
    import pandas as pd

    from pushforward.app.progress.watch import Watch
    from pushforward.app.writing.completing import Completion


def _way(value: Any) -> Any:
    """Take the mode for the mean: each is of its own kind of columns."""
    return "mean" if value == "mode" else value


class CompleteRequest(ComputingRequest):
    """Fill the missing cells of a table; known cells come back as they were."""

    verb = "complete"
    run: Run
    data: Annotated[
        Source,
        argument("File of rows with gaps, with the columns of the run's table.", completes="data"),
    ]
    how: Annotated[
        Literal["draw", "mean"],
        BeforeValidator(_way),
        option("draw, or mean: of numbers their mean, of words the most probable (also mode)."),
    ] = "draw"
    draws: Annotated[
        int | None,
        option("Complete tables, a file each (1); of a mean the draws it is made of (100).", ge=1),
    ] = None
    seed: Seed = 0
    output: Annotated[
        Path | None,
        option(
            "File of the rows: .csv, .parquet, ...; of several draws out-1.csv, ...",
            "-o",
            "--output",
        ),
    ] = None

    def answer(self, watch: Watch) -> CompletedTables:
        """Draw what is missing, or take its mean."""
        from pushforward.app.runs.fitting import hardly_trained
        from pushforward.app.runs.rows_with_gaps import table_run
        from pushforward.app.writing.completing import complete

        if self.output is None and self.how == "draw" and (self.draws or 1) > 1:
            came = f"{self.draws} complete tables without a file"
            raise BadInput(
                came, "-o FILE", "each draw goes to a file of its own, or leave --draws out"
            )
        run = table_run(self.run, self.verb)
        watch.say_all([run.record.of_other_seeds])
        with watch.steps(f"completing {self.data}") as told:
            found = complete(run, self.data, self.how, self.draws, self.seed, told)
        watch.say_all([*found.notes, hardly_trained(run.record)])
        return CompletedTables(self, found)


class CompletedTables(Answer):
    """Tables without gaps, written into files or shown."""

    def __init__(self, asked: CompleteRequest, found: Completion) -> None:
        self.asked, self.found = asked, found
        self.files = self._written()

    def _written(self) -> tuple[Path, ...]:
        from pushforward.app.writing.completing import beside, numbered
        from pushforward.core.files import write_bytes, write_text

        output, tables = self.asked.output, self.found.tables
        if output is None:
            return ()
        names = (
            [output] if len(tables) == 1 else [numbered(output, k + 1) for k in range(len(tables))]
        )
        unsure = self.found.uncertainty
        more = [] if unsure is None else [beside(output)]
        self._refuse_inputs([*names, *more])
        # all are made before one is written
        made = [table.file(name) for table, name in zip(tables, names, strict=True)]
        for name, content in zip(names, made, strict=True):
            write_bytes(name, content)
        if unsure is not None:
            write_text(beside(output), unsure.to_csv(index=False))
        return (*names, *more)

    def _refuse_inputs(self, names: list[Path]) -> None:
        source = self.asked.data
        if isinstance(source, str):
            for name in names:
                if name.is_file() and Path(source).is_file() and name.samefile(source):
                    came, fix = f"the output {name}, which is the input", "choose another -o"
                    raise BadInput(came, "a file of its own", fix)

    @property
    def frames(self) -> list[pd.DataFrame]:
        """The complete tables."""
        return [table.frame for table in self.found.tables]

    @property
    def uncertainty(self) -> pd.DataFrame | None:
        """Of means, a row for each cell that was filled: its standard deviation or probability."""
        return self.found.uncertainty

    def json(self) -> dict[str, Any]:
        """Return what was filled, and the files that hold it or the rows."""
        import json

        from pushforward.data.tables.table_bytes import json_bytes

        found, asked = self.found, self.asked
        facts = {
            "rows": len(found.tables[0].rows),
            "rows_completed": found.rows,
            "cells_filled": found.cells,
            "how": asked.how,
            "tables": len(found.tables),
            "draws_per_row": found.tries,
            "seed": asked.seed,
            "notes": list(found.notes),
        }
        if self.files:
            return {**facts, "files": [str(path) for path in self.files]}
        records = json.loads(json_bytes(found.tables[0].frame))
        unsure = found.uncertainty
        more = {} if unsure is None else {"uncertainty": json.loads(json_bytes(unsure))}
        return {**facts, "records": records, **more}

    def lines(self, width: int = WIDTH) -> Iterator[str]:
        """Yield where the tables are, or the rows as the file was written."""
        if not self.files:
            yield self.found.tables[0].text().rstrip("\r\n")
            return
        yield f"{self.found.cells:,} cells of {self.found.rows:,} rows filled"
        yield from map(str, self.files)
