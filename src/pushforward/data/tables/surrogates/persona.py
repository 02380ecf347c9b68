"""Persons who do not exist: a name, an address, numbers, of one country, that fit together.

One idea: a person is a seed and a row; each of its columns is made apart and says the same of it.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from functools import cache, cached_property, lru_cache
from typing import Any

DOMAINS = ("example.com", "example.org", "example.net")  # nobody's, RFC 2606


@cache
def faker_of(locale: str) -> Any:
    """Return the generator of a locale; its state is set before each use."""
    from faker import Faker

    return Faker(locale)


class Persona:
    """One made-up person.

    Args:
        locale: such as `de_DE`.
        seed: of all persons.
        row: which of them.
        attempt: another person in the place of one who resembles a real one.

    Example:
        >>> one, same = Persona("en_US", 0, 7), Persona("en_US", 0, 7)
        >>> one.mail == same.mail, one.first.lower()[:3] in one.mail
        (True, True)
    """

    def __init__(self, locale: str, seed: int, row: int, attempt: int = 0) -> None:
        digest = hashlib.blake2b(f"{seed}/{row}/{attempt}".encode(), digest_size=8).digest()
        self._seed, self._locale = int.from_bytes(digest, "little"), locale

    def _faker(self, salt: int) -> Any:
        found = faker_of(self._locale)
        found.seed_instance(self._seed + salt)
        return found

    @cached_property
    def first(self) -> str:
        """The first name."""
        return self._faker(1).first_name()

    @cached_property
    def last(self) -> str:
        """The family name."""
        return self._faker(2).last_name()

    @property
    def full(self) -> str:
        """Both names."""
        return f"{self.first} {self.last}"

    @property
    def names(self) -> tuple[str, ...]:
        """All that a column may call the person."""
        return (self.first, self.last, self.full, f"{self.last}, {self.first}", self.mail)

    @property
    def mail(self) -> str:
        """An address at a domain that is nobody's."""
        names = ".".join(filter(None, map(_plain, (self.first, self.last)))) or "someone"
        return f"{names}{self._seed % 97}@{DOMAINS[self._seed % len(DOMAINS)]}"

    @property
    def phone(self) -> str:
        """A telephone number."""
        return self._faker(3).phone_number()

    @property
    def street(self) -> str:
        """Street and number."""
        return self._faker(4).street_address()

    @property
    def account(self) -> str:
        """An IBAN."""
        return self._faker(5).iban()

    @property
    def card(self) -> str:
        """The number of a payment card, with its check digit."""
        return self._faker(6).credit_card_number()

    @property
    def network(self) -> str:
        """An IP address, version 4."""
        return self._faker(7).ipv4()

    def words(self, count: int) -> str:
        """Return a sentence."""
        return self._faker(8).sentence(nb_words=max(1, count))


@lru_cache(maxsize=2**17)
def persona(locale: str, seed: int, row: int, attempt: int = 0) -> Persona:
    """Return a person, who is kept for the other columns of a row."""
    return Persona(locale, seed, row, attempt)


def _plain(name: str) -> str:
    spelled = name.replace("\u00df", "ss").replace("\u00f8", "o").replace("\u0142", "l").lower()
    ascii_ = unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z]+", "", ascii_)
