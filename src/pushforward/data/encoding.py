"""From a user's text or table to tensors of a space, and back; saved with every run that needs it.

Two ideas: a token or a category means nothing without its dictionary, so the dictionary travels with
the run and speaks for it: it decodes samples, reads other files and understands `--given`; what is
tensors already has one that changes nothing (see `data.identity`), so that nobody asks which.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from torch import Tensor

from pushforward.core.conditions import Condition, resolve
from pushforward.core.context import ContextSpace
from pushforward.core.errors import BadInput, refusing
from pushforward.core.given import Examples, Given, Known
from pushforward.core.registry import Registry
from pushforward.core.space import Space
from pushforward.data.contexts import in_context
from pushforward.data.formats.format import Samples
from pushforward.data.images.intensities import Intensities
from pushforward.data.text.policy import Form, Policy

if TYPE_CHECKING:
    from pushforward.data.array_layout import ArrayLayout
    from pushforward.data.tables.encoding import TableEncoding
    from pushforward.data.tables.given_file import GivenRows
    from pushforward.data.text.encoding import TextEncoding


class Encoding(ABC):
    """A dictionary between data as people have them and examples of a space. Concrete encodings are
    final.

    Attributes:
        kind: of the data that it makes of whatever it reads; empty: the data themselves say it.
        asked: the kind that was asked for of data that could be several, where that is kept beside
            it.
        array: of an `.npz`, which holds what each example is about.
        layout: of the file that arrays, or pictures in a table, came from.
        rounds: whether decoded numbers lie on the grids of their columns.
        reads_rows: whether a DataFrame stands for rows, and not for texts.
        policy: how files of text become documents, as usual where no text is read.
        form: of files of text, the plain one where no text is read.
    """

    kind: str
    asked: str | None = None
    array: str | None = None
    layout: ArrayLayout | None = None
    rounds: bool = False
    reads_rows: bool = True
    policy: Policy = Policy()
    form: Form = Form()

    @property
    @abstractmethod
    def space(self) -> Space:
        """The space that examples live in."""

    def seeded(self, seed: int) -> Encoding:
        """Return the dictionary that makes by a seed what no model does, such as identifiers."""
        return self

    def admitted(self, x: Tensor, known: Known | None = None) -> tuple[Tensor, dict[str, Tensor]]:
        """Return samples as they may be shown, and by what reason which of them, (n,), may not be
        shown at all.

        Args:
            known: what rows were conditioned on, which stays as it is.
        """
        return x, {}

    @property
    def ruled(self) -> Sequence[str]:
        """The rules that samples keep, in words."""
        return ()

    def keeping(self, rules: Sequence[str]) -> Encoding:
        """Return the dictionary whose samples keep more rules, in words.

        Raises:
            BadInput: data without columns, or no rule.
        """
        came = f"the rule '{rules[0]}' of {self.kind or self.space.kind}"
        raise BadInput(came, "a table", "rules are about columns")

    def impossible(self, known: Known | None) -> dict[int, str]:
        """Return which conditions no sample can fulfil, and why."""
        return {}

    def withheld(self, x: Tensor) -> str:
        """Return what of samples is not shown as it was drawn, in words; empty if all is."""
        return ""

    def beside(
        self, space: Space, classes: tuple[str, ...], settings: Mapping[str, Any]
    ) -> Encoding:
        """Return the dictionary that knows what stands beside it with the data: their space, the
        names of their classes, and what was asked of their reading."""
        return self

    def with_classes(self, classes: tuple[str, ...]) -> Encoding:
        """Return the dictionary with the names of the classes behind its labels."""
        return self

    def with_axes(self, axes: Literal["first", "last", "none"]) -> Encoding:
        """Return the dictionary of arrays whose channels are the first or the last axis of an
        image, or none."""
        return self

    def with_scale(self, scale: Intensities | None) -> Encoding:
        """Return the dictionary of images that were real intensities on a scale."""
        return self

    # ---- out: examples as people read them
    # ----------------------------------------------------------------------------------------------

    @abstractmethod
    def decode(self, x: Tensor, label: Tensor | None = None) -> Any:
        """Return examples as people read them: a list of strings, or a DataFrame.

        Args:
            label: the class of each, for rows that have a column of labels.
        """

    def samples(
        self, x: Tensor, space: Space, names: Sequence[str] | None, label: Tensor | None
    ) -> Samples:
        """Return samples as they are shown and written.

        Args:
            names: of the class that each was asked for, for pictures and arrays.
            label: its index, for rows that have a column of labels.
        """
        return Samples(x, space, None, self.decode(x, label), self)

    def records(self, samples: Samples, given: str | None) -> Any:
        """Return samples as JSON has them; `given` is what they were conditioned on, in words."""
        return json.loads(samples.shown.to_json(orient="records", date_format="iso"))

    def lines(self, samples: Samples, given: str | None) -> Iterator[str]:
        """Yield samples as lines of a terminal: rows as CSV."""
        yield self.csv(samples.shown).rstrip("\n")

    def csv(self, shown: Any) -> str:
        """Return decoded examples as the text of a CSV file; tables are written as the file that
        they came from was."""
        raise BadInput(f"{self.kind} as .csv", "a .txt or .jsonl")

    def csv_file(self, shown: Any, delimiter: str | None = None) -> bytes:
        """Return what `csv` gives as the bytes of a file, in the character set and with the line
        ends of the source.

        Args:
            delimiter: in the place of the source's own.
        """
        return self.csv(shown).encode()

    def run_together(self, shown: Any) -> str:
        """Return what in texts hides where each of them ends in a file of plain text, empty if
        nothing does."""
        return ""

    @property
    def schema(self) -> str:
        """The types of the Arrow file that a table came from (see `data.tables.arrow`), empty for
        others."""
        return ""

    @property
    def ending(self) -> str:
        """What the names of its own files end in, empty where that is nothing or one of many."""
        return ""

    @property
    def names(self) -> Sequence[str]:
        """What the coordinates of a point are called, nothing where nobody named them."""
        return ()

    @property
    def made_anew(self) -> Sequence[str]:
        """Which columns come back with values that no model made, and what they hold."""
        return ()

    @property
    def labelled(self) -> bool:
        """Whether rows have a column of labels."""
        return False

    def words(self, place: int, *values: float) -> list[str] | None:
        """Return values of a column in words of its own, None where they are plain numbers."""
        return None

    @property
    def detokenise(self) -> Callable[[Any], str] | None:
        """From tokens to text, None where examples are no tokens."""
        return None

    # ---- in: data of people as examples, and their words as conditions
    # ----------------------------------------------------------------------------------------------

    @abstractmethod
    def read(self, source: Any, labelled: bool | None = None) -> Examples:
        """Return everything in another source (a path, text, a DataFrame) as examples of the same
        space.

        Args:
            labelled: whether labels are read; None reads those that there are.

        Raises:
            BadInput: a source that cannot be read, or holds what this dictionary does not know.
        """

    def read_held(self, source: Any) -> Examples | Tensor:
        """Return what a program holds as examples, or as a tensor where no labels came with
        them."""
        return self.read(source)

    def read_foreign(
        self, source: Any, labelled: bool | None = None, skip_bad: bool = False
    ) -> tuple[Examples, dict[int, str]]:
        """Return what another program generated, and which of its examples cannot be any of these
        data, and why.

        Args:
            labelled: whether labels beside pictures and arrays are read; None reads those that
                there are.
            skip_bad: leave unreadable files out.
        """
        return self.read(source), {}

    def reading_like(self, reading: Any) -> Any:
        """Return how the columns of another file are read (see `data.tables.sheet.Reading`): as was
        asked."""
        return reading

    @abstractmethod
    def parse_given(self, text: str, n: int) -> Given:
        """Return the condition that `--given text` names, for n examples.

        Raises:
            BadInput: what the dictionary does not know.
        """

    def condition(
        self,
        given: str | None,
        n: int,
        context: str | None = None,
        about: ContextSpace | None = None,
        classes: tuple[str, ...] = (),
    ) -> Condition:
        """Return what n samples are conditioned on, from its words: a class, and a context.

        Args:
            context: what all of them are about.
            about: the space of contexts, None if the model has none.
            classes: names of the model's classes.

        Raises:
            BadInput: a context for a model without, or what the classes or that space do not know.
        """
        if context is None:
            return given
        return in_context(resolve(given, n, classes), context, about, n)

    def conditions(self, given: Any, n: int | None) -> Given | None:
        """Return the conditions that this dictionary knows a Python value by, such as a mapping of
        columns; None where it stands for classes.

        Args:
            n: how many examples, None = as many as there are conditions.

        Raises:
            BadInput: another number of conditions, or what the dictionary does not know.
        """
        return None

    def given_rows(self, words: str, skip_bad: bool = False) -> GivenRows | None:
        """Return the conditions in the file that words name, one a row; None where they name none,
        or files hold none.

        Args:
            skip_bad: leave rows out that cannot be.

        Raises:
            BadInput: rows that cannot be; a name of a file that is not there.
        """
        return None

    def as_table(self, what: str, fix: str = "leave it out") -> TableEncoding:
        """Return this dictionary as one of a table, which alone can do `what`.

        Raises:
            BadInput: it is none; says the fix.
        """
        raise BadInput(what, "a run on a table", fix)

    def as_text(self, what: str, fix: str = "leave it out") -> TextEncoding:
        """Return this dictionary as one of text, which alone can do `what`.

        Raises:
            BadInput: it is none; says the fix.
        """
        raise BadInput(what, "a run on text", fix)

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Return a JSON record with its `kind`, which `encoding_from_json` turns back into an equal
        encoding; empty where nothing is to be kept."""

    def meaning(self) -> dict[str, Any]:
        """Return what of its record decides what numbers mean: data of another meaning are other
        data."""
        return self.to_json()

    @classmethod
    @abstractmethod
    def from_json(cls, record: dict[str, Any]) -> Encoding:
        """Rebuild an encoding from `to_json`."""


ENCODINGS: Registry[type[Encoding]] = Registry(
    "encoding",
    {
        "arrays": "pushforward.data.identity:IdentityEncoding",
        "points": "pushforward.data.points:PointsEncoding",
        "text": "pushforward.data.text.encoding:TextEncoding",
        "table": "pushforward.data.tables.encoding:TableEncoding",
    },
    of="type[pushforward.data.encoding:Encoding]",
)


def require_number(came: int, n: int | None) -> None:
    """Refuse another number of conditions than of examples; None is as many as there are.

    Example:
        >>> require_number(3, None), require_number(3, 3)
        (None, None)
    """
    if n is not None and came != n:
        raise BadInput(
            f"{came} conditions for n={n}", "one condition per example", f"leave n out, or n={came}"
        )


def encoding_from_json(record: dict[str, Any]) -> Encoding:
    """Rebuild any encoding from its record; nothing is what a run keeps whose data are tensors.

    Raises:
        BadInput: a kind that this version does not know.
    """
    if record == {}:
        from pushforward.data.identity import IdentityEncoding

        return IdentityEncoding()
    kind = str(record.get("kind", "")) if isinstance(record, dict) else type(record).__name__
    if kind not in ENCODINGS:
        raise BadInput(
            f"an encoding of kind '{kind}'",
            "one of " + ", ".join(ENCODINGS.names()),
            "update pushforward",
        )
    with refusing(
        f"the record of a {kind}", "what training wrote", "it was edited; restore it or train again"
    ):
        return ENCODINGS.load(kind).from_json(record)
