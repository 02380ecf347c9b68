"""The kinds of columns that a user can name: `-s data.columns.NAME=KIND`, or a line of a schema
file.

One idea: a kind is declared once, with how its cells are read before anything is inferred, what it
is modelled as and how it comes back; help, refusals, schema files and the guide's table are
computed from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pushforward.core.choice import Choice
from pushforward.core.errors import BadInput, nearest
from pushforward.data.tables.column_hints import READINGS
from pushforward.data.tables.surrogates.kinds import KINDS as PERSONS

Cells = Literal["words", "numbers", "times", "any"]


@dataclass(frozen=True)
class KindOfColumn(Choice):
    """What one column can be declared to be.

    Attributes:
        told: by what it is told without a declaration.
        modelled: what a model sees of it.
        back: how it comes back in samples.
        cells: how its cells are read: left as `words`, as `numbers`, as `times`, or as `any` of
            them, whatever most are.
        other_names: names that mean the same.
    """

    told: str = ""
    modelled: str = ""
    back: str = ""
    cells: Cells = "any"
    other_names: tuple[str, ...] = ()


_ANEW = "not at all"
_NUMBER = "a number"


def _personal() -> list[KindOfColumn]:
    """Return the kinds of personal data."""
    said = {"name": "names of persons"}
    for kind in PERSONS:
        said.setdefault(kind.name, kind.said)
    told = {"name": "lists of names of 28 countries"}
    return [
        KindOfColumn(
            name,
            words,
            told.get(name, "what they look like, and the name of the column"),
            _ANEW,
            "those of a person who does not exist",
            "words",
        )
        for name, words in said.items()
    ]


KINDS_OF_COLUMNS = (
    KindOfColumn(
        "integer", "whole numbers", "whole numbers", "a number on a grid", "as written", "numbers"
    ),
    KindOfColumn(
        "continuous",
        "real numbers, or numbers on any grid",
        "numbers",
        "a number, on its grid of decimals where there is one",
        "as written: decimals, separators, units, brackets",
        "numbers",
        ("real",),
    ),
    KindOfColumn(
        "currency",
        "amounts of money",
        "a sign or a code of money around numbers",
        _NUMBER,
        "with its sign, separators and decimals",
        "numbers",
    ),
    KindOfColumn(
        "percent", "shares of a hundred", "`%` behind numbers", _NUMBER, "with its `%`", "numbers"
    ),
    KindOfColumn(
        "angle",
        "directions, of which 0 and 360 degrees are one",
        "names such as `wind_direction`, `bearing`; 0 to 360, or one turn in radians",
        "a number on a circle",
        "within the turn that the file has",
        "numbers",
    ),
    KindOfColumn(
        "hour",
        "hours of the day, 0 after 23",
        "names such as `hour`; 0 to 23 or 1 to 24",
        "a number on a circle of 24",
        "as written",
        "numbers",
    ),
    KindOfColumn(
        "latitude",
        "degrees north of the equator",
        "names such as `lat`; -90 to 90, or degrees, minutes and seconds with N and S",
        "a number from -90 to 90",
        "as written",
        "numbers",
    ),
    KindOfColumn(
        "longitude",
        "degrees east of Greenwich",
        "names such as `lon`, `lng`; -180 to 180 or 0 to 360, or with E and W",
        "a number on a circle",
        "as written",
        "numbers",
    ),
    KindOfColumn(
        "date", "days", "dates in any common order", "days since 1970", "as written", "times"
    ),
    KindOfColumn(
        "datetime",
        "moments",
        "dates with a time of day, with or without a zone",
        "seconds since 1970, in UTC where there is a zone",
        "as written, offsets included",
        "times",
    ),
    KindOfColumn(
        "time",
        "times of day",
        "`14:35`, `2:35 PM`",
        "seconds since midnight",
        "as written",
        "times",
    ),
    KindOfColumn(
        "duration",
        "lengths of time",
        "`36:05`, `3 days 04:05`, `2h 5m`, `PT1H5M`",
        "seconds",
        "as written",
        "times",
    ),
    KindOfColumn(
        "period",
        "months, quarters or weeks",
        "`2024-03`, `Mar 2024`, `2024-Q1`, `2024-W05`",
        "a count of them",
        "as written",
        "times",
    ),
    KindOfColumn(
        "categorical",
        "words, or numbers that only name something",
        "words that recur",
        "a category",
        "the same words",
        "words",
    ),
    KindOfColumn(
        "ordinal",
        "words in an order",
        "a list of levels; sizes, scales of agreement, bands of numbers",
        "a category whose neighbours are known",
        "the same words",
        "words",
    ),
    KindOfColumn(
        "boolean", "one of two", "true and false in any spelling", "a category", "spelled alike"
    ),
    KindOfColumn(
        "key",
        "a value of its own for every row",
        "a value of its own in nine of ten rows, in one pattern",
        _ANEW,
        "made anew, each once, none of them real",
    ),
    KindOfColumn(
        "identifier",
        "what tells rows apart, and may recur",
        "values that differ in nearly every row",
        _ANEW,
        "made anew",
    ),
    KindOfColumn(
        "group",
        "what a row belongs to: a customer, a sensor",
        "`-s data.group=NAME`",
        _ANEW,
        "made anew; splits and intervals go by it",
    ),
    KindOfColumn(
        "text", "sentences", "six words and more", _ANEW, "sentences that say nothing", "words"
    ),
    *_personal(),
    KindOfColumn("constant", "one value in every row", "one value", _ANEW, "that value"),
    KindOfColumn("empty", "no value in any row", "no value", _ANEW, "as missing"),
    KindOfColumn("drop", "left out", "only declared", _ANEW, "not", "words"),
)
_BY_NAME = {name: kind for kind in KINDS_OF_COLUMNS for name in (kind.name, *kind.other_names)}


def kind_of_column(word: str, label: str) -> KindOfColumn:
    """Return the kind of a name.

    Args:
        label: of the column, for the refusal.

    Raises:
        BadInput: no kind, with the nearest one.

    Example:
        >>> kind_of_column("real", "price").name
        'continuous'
    """
    if word not in _BY_NAME:
        known = [*(kind.name for kind in KINDS_OF_COLUMNS), *READINGS]
        raise BadInput(
            f"kind '{word}' of column '{label}'",
            "one of " + ", ".join(known),
            nearest(word, [*_BY_NAME, *READINGS]).partition("known:")[0],
        )
    return _BY_NAME[word]


def table_of_kinds() -> list[list[str]]:
    """Return the table of kinds, its head first: the word, what it is, by what it is told, what is
    modelled, what comes back.

    Example:
        >>> table_of_kinds()[1][:2]
        ['integer', 'whole numbers']
    """
    head = ["kind", "what it is", "told by", "modelled as", "comes back"]
    rows = [
        [kind.name, kind.says, kind.told, kind.modelled, kind.back] for kind in KINDS_OF_COLUMNS
    ]
    return [head, *rows]
