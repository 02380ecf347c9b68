"""A column of personal data that comes back with those of persons who do not exist."""

from __future__ import annotations

import functools
import operator
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from pushforward.core.errors import BadInput
from pushforward.data.tables.surrogates.bloom_filter import BloomFilter
from pushforward.data.tables.surrogates.kinds import KINDS, SAMPLE
from pushforward.data.tables.surrogates.names import USUAL, NameForm, name_form
from pushforward.data.tables.surrogates.patterns import OFTEN
from pushforward.data.tables.surrogates.persona import Persona, persona
from pushforward.data.tables.surrogates.surrogate import Surrogate, uniforms

TRIES = 20
COLUMNS = 2  # of names that differ in every row: so many more are told from others well
NAME = "name"
PERSONAL = (NAME, *dict.fromkeys(kind.name for kind in KINDS))


@dataclass(frozen=True)
class PersonalSurrogate(Surrogate):
    """How personal data are made anew.

    Attributes:
        of: their kind, one of `KINDS`, or `name`.
        form: how names are written, and of which country all is.
        seen: the real ones, which are not made.
        missing: the share of rows that have none.

    Example:
        >>> mails = [f"user{n}@firm{n % 7}.com" for n in range(60)]
        >>> personal_of("contact", mails).said
        'e-mail addresses, so personal data'
    """

    of: str
    form: NameForm
    seen: BloomFilter
    missing: float = 0.0
    kind = "personal"
    promise = f"none that fewer than {OFTEN} real rows hold"

    @property
    def said(self) -> str:
        """What they are."""
        what = "names of persons" if self.of == NAME else kind_called(self.of).said
        return f"{what}, so personal data"

    @property
    def called(self) -> str:
        """The kind of personal data."""
        return self.of

    def made(self, n: int, seed: int, label: str) -> list[str | int | None]:
        """Return the values of n persons; the columns of one row are of one person."""
        gone = uniforms(seed, label, 0, n, 1)[:, 0] < self.missing
        return [
            None if absent else self._one(seed, row) for row, absent in enumerate(gone.tolist())
        ]

    def _one(self, seed: int, row: int) -> str:
        found = ""
        kind = None if self.of == NAME else kind_called(self.of)
        if kind is None or kind.named:
            person, other = unseen(self.seen, self.form.locale, seed, row)
            if kind is not None:
                return kind.made(person)
            return self.form.of(person) if other is None else self.form.doubled(person, other)
        for attempt in range(TRIES):
            found = kind.made(persona(self.form.locale, seed, row, attempt))
            if found.casefold() not in self.seen:
                return found
        return f"{found} {row + 1}"

    def to_json(self) -> dict[str, Any]:
        """Return what `of_json` turns back."""
        return {
            "of": self.of,
            "form": asdict(self.form),
            "seen": self.seen.text,
            "missing": self.missing,
        }

    @classmethod
    def of_json(cls, record: dict[str, Any]) -> PersonalSurrogate:
        """Invert `to_json`."""
        form, seen = NameForm(**record["form"]), BloomFilter.from_text(record["seen"])
        return cls(record["of"], form, seen, record["missing"])


@functools.lru_cache(maxsize=2**17)
def unseen(seen: BloomFilter, locale: str, seed: int, row: int) -> tuple[Persona, Persona | None]:
    """Return a person of whom no name is real, or two of whom a double name is none; the same for
    every column of a row, whatever part of the person it holds."""
    for attempt in range(TRIES):
        one = persona(locale, seed, row, attempt)
        if not seen.among([name.casefold() for name in one.names]).any():
            return one, None
    return persona(locale, seed, row, 0), persona(locale, seed, row, 1)


def kind_called(name: str) -> Any:
    """Return the kind of a name.

    Raises:
        BadInput: there is none.
    """
    for kind in KINDS:
        if kind.name == name:
            return kind
    raise BadInput(
        f"personal data '{name}'",
        "one of " + ", ".join(PERSONAL),
    )


def personal_of(
    label: str, values: Sequence[str], gone: int = 0, locale: str = USUAL
) -> PersonalSurrogate | None:
    """Return how the personal data of a column are made anew, None if it holds none.

    Args:
        values: all that are not missing, of which `gone` more are.
        locale: of what says no country itself.
    """
    different = list(dict.fromkeys(values))
    some = different[:: max(1, len(different) // SAMPLE)]
    if name_form(label, some) is not None:
        return personal_called(NAME, label, values, gone, locale)
    for kind in KINDS:
        if kind.fits(label, some):
            return personal_called(kind.name, label, values, gone, locale)
    return None


def personal_called(
    kind: str, label: str, values: Sequence[str], gone: int, locale: str
) -> PersonalSurrogate:
    """Return how personal data of a kind are made anew; see `personal_of`."""
    counts = Counter(values)
    # a name that many share says nothing about one of them
    rows = len(values) + gone
    words = (value.strip().casefold() for value, count in counts.items() if count < OFTEN)
    rare = BloomFilter.of(words, room=COLUMNS * rows)
    form = None
    if kind == NAME:
        different = list(counts)
        form = name_form(label, different[:: max(1, len(different) // SAMPLE)], asked=True)
    return PersonalSurrogate(kind, form or NameForm(locale=locale), rare, gone / rows)


def of_one_person(found: Sequence[Surrogate | None]) -> list[Surrogate | None]:
    """Return the surrogates of a table's columns such that those of one row are of one person: each
    knows which names and addresses are real in any of them."""
    persons = [
        one
        for one in found
        if isinstance(one, PersonalSurrogate) and (one.of == NAME or kind_called(one.of).named)
    ]
    if len(persons) < 2:
        return list(found)
    seen = functools.reduce(operator.or_, (one.seen for one in persons))
    return [
        replace(one, seen=seen) if isinstance(one, PersonalSurrogate) and one in persons else one
        for one in found
    ]
