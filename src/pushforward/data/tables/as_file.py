"""The dictionaries of rows that came from a file write rows as that file was written.

One idea: points and tables mean different things by a column, and are put back on disk alike.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from pushforward.data.encoding import Encoding
from pushforward.data.tables.sheet import Reading
from pushforward.data.tables.stored import Stored
from pushforward.data.tables.written import Dialect, to_csv


class RowsEncoding(Encoding):
    """An encoding of rows: how each column is kept, and the dialect of the file."""

    dialect: Dialect
    rounds = True

    @property
    @abstractmethod
    def kept(self) -> Sequence[Stored]:
        """How every column is kept, labels included."""

    @property
    @abstractmethod
    def reading(self) -> Reading:
        """How another file of such rows is read."""

    def reading_like(self, reading: Reading) -> Reading:
        """Return how another file of such rows is read: as this one was."""
        return self.reading

    def csv(self, shown: pd.DataFrame) -> str:
        """Return rows as the text of a CSV file, written as the file that they came from was."""
        return to_csv(shown, self.kept, replace(self.dialect, line_end="\n"))

    def csv_file(self, shown: pd.DataFrame, delimiter: str | None = None) -> bytes:
        """Return what `csv` gives as the bytes of a file, in the character set and with the line
        ends of the source."""
        dialect = self.dialect if delimiter is None else replace(self.dialect, delimiter=delimiter)
        return dialect.encoded(to_csv(shown, self.kept, dialect))

    @property
    def schema(self) -> str:
        """The types of the Arrow file that the rows came from, empty for others."""
        return self.dialect.arrow
