"""Personal data, and how they are told: by what a value is, and by the name of its column.

One idea: a kind is one row here: what its values look like, the words that name it, and what takes
their place.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pushforward.data.tables.surrogates.persona import Persona

SHARE = 0.9  # of the values that must look so
SAMPLE = 500  # values that are looked at


@dataclass(frozen=True)
class PersonalKind:
    """A kind of personal data.

    Attributes:
        name: in records and declarations.
        said: what values are, in the plural.
        looks: whether a value looks so.
        hints: words of a column's name, one of which it must have; none = any name will do.
        made: the value of a person.
        share: of the values that must look so.
        named: whether it is made of a person's name.
    """

    name: str
    said: str
    looks: Callable[[str], bool]
    made: Callable[[Persona], str]
    hints: frozenset[str] = frozenset()
    share: float = SHARE
    named: bool = False

    def fits(self, label: str, values: Sequence[str]) -> bool:
        """Return whether a column is of this kind."""
        if self.hints and not self.hints & words_of_label(label):
            return False
        return sum(map(self.looks, values)) >= self.share * len(values) > 0


def hints(words: str) -> frozenset[str]:
    """Return the words of a line."""
    return frozenset(words.split())


def words_of_label(label: str) -> set[str]:
    """Return the words of a column's name, and all of them as one.

    Example:
        >>> sorted(words_of_label("homePhone_no"))
        ['home', 'homephoneno', 'no', 'phone']
    """
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", label).lower()
    words = [word for word in re.split(r"[\W_0-9]+", spaced) if word]
    return {*words, "".join(words)}


def is_iban(value: str) -> bool:
    """Return whether the check digits of an IBAN are right, ISO 13616.

    Example:
        >>> is_iban("GB82 WEST 1234 5698 7654 32"), is_iban("GB83 WEST 1234 5698 7654 32")
        (True, False)
    """
    text = value.replace(" ", "").upper()
    if not re.fullmatch(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{10,30}", text):
        return False
    return int("".join(str(int(c, 36)) for c in text[4:] + text[:4])) % 97 == 1


def is_card(value: str) -> bool:
    """Return whether the check digit of a payment card is right, ISO/IEC 7812.

    Example:
        >>> is_card("4111 1111 1111 1111"), is_card("4111 1111 1111 1112")
        (True, False)
    """
    digits = re.sub(r"[ -]", "", value)
    if not re.fullmatch(r"[0-9]{13,19}", digits):
        return False
    doubled = [int(c) * (1 + place % 2) for place, c in enumerate(reversed(digits))]
    return sum(d - 9 * (d > 9) for d in doubled) % 10 == 0


def is_network(value: str) -> bool:
    """Return whether a value is an IP address, of version 4 or 6."""
    try:
        ipaddress.ip_address(value.strip())
    except ValueError:
        return False
    return True


def is_mail(value: str) -> bool:
    """Return whether a value is an e-mail address."""
    return re.fullmatch(r"[^@\s,;]+@[^@\s,;]+\.[A-Za-z]{2,}", value.strip()) is not None


def is_phone(value: str) -> bool:
    """Return whether a value may be a telephone number.

    Example:
        >>> is_phone("+49 (0)89 1234-567"), is_phone("2024-01-31"), is_phone("12")
        (True, False, False)
    """
    text = value.strip()
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return False
    plain = re.sub(r"(?:ext\.?|x)\s*[0-9]+$", "", text)
    digits = re.sub(r"[^0-9]", "", plain)
    return 7 <= len(digits) <= 15 and re.fullmatch(r"\+?[0-9() ./-]+", plain.strip()) is not None


def is_international(value: str) -> bool:
    """Return whether a value is a telephone number with the code of its country."""
    return value.strip().startswith("+") and is_phone(value)


def is_street(value: str) -> bool:
    """Return whether a value has words and a number, as the line of an address does."""
    return re.search(r"[^\W\d]{3,}", value) is not None and re.search(r"[0-9]", value) is not None


PHONES = hints(
    "phone telephone tel mobile cell fax telefon telefono handy portable telefone telefoon msisdn"
)
STREETS = hints(
    "address addr street adresse strasse rue direccion calle indirizzo via adres endereco addressline"
)
# the first that fits is taken: the narrower stand before the wider
KINDS = (
    PersonalKind("email", "e-mail addresses", is_mail, lambda person: person.mail, named=True),
    PersonalKind("iban", "IBANs", is_iban, lambda person: person.account),
    PersonalKind("ip", "IP addresses", is_network, lambda person: person.network),
    PersonalKind("card", "numbers of payment cards", is_card, lambda person: person.card),
    PersonalKind("phone", "telephone numbers", is_international, lambda person: person.phone),
    PersonalKind("phone", "telephone numbers", is_phone, lambda person: person.phone, PHONES),
    PersonalKind("address", "addresses", is_street, lambda person: person.street, STREETS, 0.6),
)
