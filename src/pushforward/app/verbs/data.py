"""List the built-in data, and describe what the sniffer made of some."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pushforward.app.request import WIDTH, Answer, Request, Said
from pushforward.app.verbs.shared import (
    Data,
    Errors,
    Keep,
    Settings,
    SkipBad,
    called,
    of_data,
    with_own_options,
)

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


class FileFormats(Answer):
    """What files can be read and written."""

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


class DataDescribeRequest(Request):
    """Say what the sniffer made of some data, and why."""

    verb = "data describe"
    data: Data
    settings: Settings = {}
    keep: Keep = ()
    errors: Errors = None
    skip_bad: SkipBad = False

    def answer(self, watch: Watch) -> Described:
        """Open the data."""
        from pushforward.app.runs.loading import opened

        settings = of_data(with_own_options(self.settings, self.keep, self.errors))
        with watch.busy(f"reading {called(self.data)}"):
            return Described(opened(self.data, settings, skip_bad=self.skip_bad))


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
