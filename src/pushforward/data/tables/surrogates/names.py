"""Names of persons: told from other words by lists of names, which also tell the country.

One idea: a column that is called a name holds names of persons only if many of its words are known
as such somewhere.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from pushforward.data.tables.surrogates.kinds import hints, words_of_label
from pushforward.data.tables.surrogates.persona import Persona

_LOCALES = (
    "en_US en_GB de_DE fr_FR es_ES it_IT nl_NL pt_BR pt_PT pl_PL sv_SE da_DK no_NO fi_FI cs_CZ hu_HU ro_RO tr_TR "
    "en_IN id_ID ru_RU uk_UA el_GR bg_BG hr_HR ja_JP zh_CN ko_KR"
)
LOCALES = tuple(_LOCALES.split())
USUAL = "en_US"
NAMES = hints(
    "name names firstname lastname surname givenname forename familyname fullname vorname nachname nom prenom nombre "
    "apellido apellidos cognome nome sobrenome voornaam achternaam imie nazwisko customer client patient employee "
    "person contact author student teacher owner passenger applicant guest"
)
OTHERS = hints(
    "file product company city country street column brand item state model species team school bank store shop hotel "
    "restaurant user domain host event place project category type class"
)
KNOWN = 0.5  # of the values must hold a name that is known in one country


@dataclass(frozen=True)
class NameForm:
    """How names are written.

    Attributes:
        parts: `first`, `last`, `full` or `reversed` (family name, comma, first name).
        case: `upper`, `lower` or nothing.
        locale: of the country whose names they are.

    Example:
        >>> name_form("customer name", ["Mary Jones", "John Smith", "Ann Brown"])
        NameForm(parts='full', case='', locale='en_US')
        >>> name_form("product name", ["Mary Jones", "John Smith", "Ann Brown"]) is None
        True
    """

    parts: str = "full"
    case: str = ""
    locale: str = USUAL

    def of(self, person: Persona) -> str:
        """Return the name of a person."""
        found = {
            "first": person.first,
            "last": person.last,
            "full": person.full,
            "reversed": f"{person.last}, {person.first}",
        }[self.parts]
        return self.cased(found)

    def doubled(self, person: Persona, other: Persona) -> str:
        """Return a double name, for where single ones are used up."""
        first, last = f"{person.first} {other.first}", f"{person.last}-{other.last}"
        full = {"first": first, "last": last, "full": f"{person.first} {last}"}
        return self.cased(full.get(self.parts, f"{last}, {person.first}"))

    def cased(self, found: str) -> str:
        """Return a name in the case of the column."""
        return found.upper() if self.case == "upper" else found.lower() if self.case else found


def name_form(label: str, values: Sequence[str], asked: bool = False) -> NameForm | None:
    """Return how the names of persons in a column are written, None if it holds none.

    Args:
        values: some different ones.
        asked: whether somebody said that they are names of persons.
    """
    words = words_of_label(label)
    if not asked and (not values or not words & NAMES or words & OTHERS):
        return None
    numbered = sum(any(c.isdigit() for c in value) for value in values)
    if not asked and numbered > 0.1 * len(values):
        return None
    tokens = [[part.casefold() for part in re.findall(r"[^\W\d_]{2,}", value)] for value in values]
    shares = {locale: _share(tokens, locale) for locale in LOCALES}
    locale = max(LOCALES, key=lambda one: shares[one])
    if not asked and shares[locale] < KNOWN:
        return None
    return NameForm(_parts(values, tokens, locale), _case(values), locale)


def locale_of(columns: Sequence[tuple[str, Sequence[str]]]) -> str:
    """Return the locale of the names in a table's columns, the usual one where none has any."""
    forms = [form for label, values in columns if (form := name_form(label, values)) is not None]
    return forms[0].locale if forms else USUAL


def _share(tokens: Sequence[Sequence[str]], locale: str) -> float:
    firsts, lasts = _lists(locale)
    return sum(any(t in firsts or t in lasts for t in row) for row in tokens) / len(tokens)


def _parts(values: Sequence[str], tokens: Sequence[Sequence[str]], locale: str) -> str:
    if sum("," in value for value in values) > 0.5 * len(values):
        return "reversed"
    if sum(len(row) > 1 for row in tokens) > 0.5 * len(values):
        return "full"
    firsts, lasts = _lists(locale)
    first = sum(any(t in firsts for t in row) for row in tokens)
    return "first" if first >= sum(any(t in lasts for t in row) for row in tokens) else "last"


def _case(values: Sequence[str]) -> str:
    for case, is_so in (("upper", str.isupper), ("lower", str.islower)):
        if sum(map(is_so, values)) > 0.9 * len(values):
            return case
    return ""


@cache
def _lists(locale: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the first names and the family names of a country, as Faker knows them."""
    provider: Any = importlib.import_module(f"faker.providers.person.{locale}").Provider
    firsts = set[str]()
    lasts = set[str]()
    for name in dir(provider):
        found = getattr(provider, name)
        if name.startswith("_") or not isinstance(found, tuple | list | dict):
            continue
        into = (
            firsts
            if name.startswith("first_name")
            else lasts
            if name.startswith("last_name")
            else None
        )
        if into is not None:
            into |= {word.casefold() for word in found if isinstance(word, str)}
    return frozenset(firsts), frozenset(lasts)
