"""List the built-in data, and describe what the sniffer made of some."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pushforward.app.request import WIDTH, Answer, Request, Said
from pushforward.app.verbs.shared import (
    WRITE,
    Data,
    Errors,
    Keep,
    OfTables,
    Rule,
    Rules,
    Settings,
    SkipBad,
    called,
    of_data,
    rules_in,
    with_own_options,
)
from pushforward.core.errors import BadInput

if TYPE_CHECKING:
    from pushforward.app.progress.watch import Watch
    from pushforward.data.dataset import Dataset


class DataListRequest(Request):
    """List the built-in data."""

    verb = "data list"

    def answer(self, watch: Watch) -> Said:
        """Read the list."""
        from pushforward.data.builtin import builtins

        known = [{"name": name, "description": text} for name, text in builtins()]
        return Said(known, *(f"{name:14} {text}" for name, text in builtins()))


class DataFormatsRequest(Request):
    """List the formats of files: their endings, what each is read as, and what can be written in it."""

    verb = "data formats"

    def answer(self, watch: Watch) -> FileFormats:
        """Read the declarations."""
        from pushforward.data.formats.choosing import table_of_formats

        head, *rows = table_of_formats()
        return FileFormats([dict(zip(head, row, strict=True)) for row in rows])


class DataKindsRequest(Request):
    """List the kinds of columns: what tells each, what is modelled of it, and what comes back."""

    verb = "data kinds"

    def answer(self, watch: Watch) -> FileFormats:
        """Read the declarations."""
        from pushforward.data.tables.column_kinds import table_of_kinds

        head, *rows = table_of_kinds()
        return FileFormats([dict(zip(head, row, strict=True)) for row in rows])


class FileFormats(Answer):
    """What files can be read and written, or columns can be."""

    def __init__(self, rows: list[dict[str, str]]) -> None:
        self.rows = rows

    def json(self) -> list[dict[str, str]]:
        """Return a record for each format."""
        return self.rows

    def lines(self, width: int = WIDTH) -> Iterator[str]:
        """Yield a table as wide as the terminal."""
        from pushforward.reports.terminal.layout import columns

        plain = [[cell.replace("`", "") for cell in row.values()] for row in self.rows]
        yield columns([list(self.rows[0]), *plain], width)


class DataDescribeRequest(OfTables):
    """Say what the sniffer made of some data, and why."""

    verb = "data describe"
    data: Data
    settings: Settings = {}
    keep: Keep = ()
    rule: Rule = ()
    rules: Rules = None
    errors: Errors = None
    skip_bad: SkipBad = False

    def answer(self, watch: Watch) -> Described | WrittenSchema:
        """Open the data."""
        from pushforward.app.runs.loading import opened

        writes = self.schema is True or self.schema == WRITE
        schema = None if writes else self.schema
        settings = of_data(
            with_own_options(
                self.settings, self.keep, self.errors, schema, rules_in(self.rule, self.rules)
            )
        )
        with watch.busy(f"reading {called(self.data)}"):
            found = opened(self.data, settings, skip_bad=self.skip_bad)
            rows = found.encoding.reads_rows and found.space.levels is None
            if writes and rows and not found.findings:
                # numbers alone are points, and have columns all the same
                found = opened(self.data, {**settings, "kind": "table"}, skip_bad=self.skip_bad)
        return WrittenSchema(found, called(self.data), settings) if writes else Described(found)


class WrittenSchema(Answer):
    """What data are taken for, as a schema file.

    Raises:
        BadInput: data that have no columns.
    """

    def __init__(self, dataset: Dataset, name: str, settings: Mapping[str, Any]) -> None:
        from pushforward.data.tables.schema_file import schema_record, schema_text

        if not dataset.findings:
            raise BadInput(
                f"--schema of {dataset.name}, which is {dataset.space.kind}",
                "a table, whose columns a schema is of",
                "`pushforward data describe` without --schema says what it is",
            )
        self.record = schema_record(dataset.findings, settings)
        self.text = schema_text(name, dataset.findings, settings)

    def json(self) -> dict[str, Any]:
        """Return the schema."""
        return self.record

    def lines(self, width: int = WIDTH) -> Iterator[str]:
        """Yield the lines of the file."""
        yield from self.text.rstrip("\n").split("\n")


class Described(Answer):
    """What data are taken for, every decision that was made, and what of them would be lost."""

    def __init__(self, dataset: Dataset) -> None:
        from pushforward.data.dataset import describe

        self.record, self.losses = describe(dataset), dataset.losses
        self.columns = [finding.line for finding in dataset.findings]

    def json(self) -> dict[str, Any]:
        """Return the description."""
        return self.record

    def lines(self, width: int = WIDTH) -> Iterator[str]:
        """Yield a line for each fact, the losses last."""
        from pushforward.reports.terminal.layout import shortened

        shown = {**self.record, "lost": self.losses}
        if self.columns:
            # what a note says of one column stands in its line of the schema
            said = [note for note in shown["notes"] if not note.startswith("column '")]
            checks = shown.pop("to check") or ["nothing"]
            first = {"schema": self.columns, "to check": checks, "notes": said}
            place = list(shown).index("notes")
            before, after = list(shown.items())[:place], list(shown.items())[place + 1 :]
            shown = dict([*before, *first.items(), *(one for one in after if one[0] not in first)])
        for key, value in shown.items():
            if isinstance(value, list | tuple):
                yield f"{key}:" + "".join(f"\n  - {line}" for line in shortened(value))
            else:
                yield f"{key}: {value}"
