"""Names of months and days of the week as files spell them, in the languages of this list.

One idea: a column has one spelling of each name, its own: what twelve months or seven days were
seen as is what they are written as, and a language only fills in those that never occurred.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

MONTHS = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
    "pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "sv": "januari februari mars april maj juni juli augusti september oktober november december",
    "da": "januar februar marts april maj juni juli august september oktober november december",
    "nb": "januar februar mars april mai juni juli august september oktober november desember",
    "pl": "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
}
DAYS = {
    "en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    "de": "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag",
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche",
    "es": "lunes martes miércoles jueves viernes sábado domingo",
    "it": "lunedì martedì mercoledì giovedì venerdì sabato domenica",
    "nl": "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag",
    "pt": "segunda terça quarta quinta sexta sábado domingo",
    "sv": "måndag tisdag onsdag torsdag fredag lördag söndag",
    "da": "mandag tirsdag onsdag torsdag fredag lørdag søndag",
    "nb": "mandag tirsdag onsdag torsdag fredag lørdag søndag",
    "pl": "poniedziałek wtorek środa czwartek piątek sobota niedziela",
}
# short forms in use that are not cut at one length
_IN_USE = (
    ("en", "Jan Feb March April May June July Aug Sept Oct Nov Dec"),
    ("en", "Jan Feb Mar Apr May June July Aug Sept Oct Nov Dec"),
    ("de", "Jan Feb Mrz Apr Mai Jun Jul Aug Sep Okt Nov Dez"),
    ("de", "Jan Feb März Apr Mai Juni Juli Aug Sept Okt Nov Dez"),
    ("fr", "janv févr mars avr mai juin juil août sept oct nov déc"),
    ("es", "ene feb mar abr may jun jul ago sept oct nov dic"),
    ("nl", "jan feb mrt apr mei jun jul aug sep okt nov dec"),
    ("en", "Mon Tues Wed Thurs Fri Sat Sun"),
    ("en", "Mon Tue Wed Thur Fri Sat Sun"),
)
# forms that are no beginnings of the names
_SHORT = {
    "mrz": ("de", 3),
    "maer": ("de", 3),
    "mrt": ("nl", 3),
    "jly": ("en", 7),
    "sept": ("en", 9),
    "janner": ("de", 1),
    "feber": ("de", 2),
}
_SHORTEST, _LONGEST = 3, 5


def plain(word: str) -> str:
    """Return a name without case, accents and a point behind it.

    Example:
        >>> plain("Févr."), plain("MÄR")
        ('fevr', 'mar')
    """
    apart = unicodedata.normalize("NFKD", word.casefold().removesuffix("."))
    return (
        "".join(c for c in apart if not unicodedata.combining(c))
        .replace("ø", "o")
        .replace("ł", "l")
    )


@cache
def month_of(word: str) -> tuple[int, str, int] | None:
    """Return a month's number, its language and how many letters of the name were written (0 =
    all), None for other words.

    Example:
        >>> month_of("Mar"), month_of("März"), month_of("June"), month_of("sept.")
        ((3, 'en', 3), (3, 'de', 0), (6, 'en', 0), (9, 'en', 4))
    """
    low = plain(word)
    if len(low) < _SHORTEST:
        return None
    if low in _SHORT:
        return _SHORT[low][1], _SHORT[low][0], len(low)
    for language, names in MONTHS.items():
        all_names = [plain(name) for name in names.split()]
        if low in all_names:
            # May is its own abbreviation
            return all_names.index(low) + 1, language, 3 if len(low) == 3 else 0
        begun = [number for number, name in enumerate(all_names, 1) if name.startswith(low)]
        # jui is June as well as July
        if len(begun) == 1 and len(low) <= _LONGEST:
            return begun[0], language, len(low)
    return None


@cache
def is_day(word: str) -> bool:
    """Return whether a word is a day of the week, or the beginning of one.

    Example:
        >>> is_day("Tues."), is_day("Mi"), is_day("xy")
        (True, True, False)
    """
    low = plain(word)
    return len(low) > 1 and any(
        plain(name).startswith(low) for names in DAYS.values() for name in names.split()
    )


def cut_name(names: str, place: int, letters: int) -> str:
    """Return one of a list of names, cut to its first letters unless they are 0.

    Example:
        >>> cut_name(MONTHS["de"], 2, 0), cut_name(MONTHS["en"], 8, 3)
        ('März', 'Sep')
    """
    name = names.split()[place]
    return name[:letters] if letters else name


@dataclass(frozen=True)
class NameStyle:
    """How names are written: in one language, cut to so many letters (0 = all), in capitals or as
    the language has them; `names`
    are all of them in their order where that does not say it."""

    language: str = "en"
    letters: int = 3
    upper: bool = False
    names: str = ""

    def written(self, of: dict[str, str], place: int) -> str:
        """Return one of the names, such as that of March at place 2 of `MONTHS`."""
        if self.names:
            return self.names.split()[place]
        name = cut_name(of[self.language], place, self.letters)
        return name.upper() if self.upper else name


def style_of(seen: Iterable[tuple[int, str]], of: dict[str, str]) -> NameStyle:
    """Return how the names of a column are written.

    Args:
        seen: places from 0 and the words that stood for them.
        of: the names of every language, `MONTHS` or `DAYS`.

    Example:
        >>> style_of([(2, "Mär"), (4, "Mai"), (11, "Dez")], MONTHS)
        NameStyle(language='de', letters=3, upper=False, names='')
        >>> style_of([(2, "März"), (9, "Okt.")], MONTHS).names
        'Jan. Feb. März Apr. Mai Juni Juli Aug. Sept. Okt. Nov. Dez.'
    """
    spelled: dict[int, Counter[str]] = {}
    for place, word in seen:
        spelled.setdefault(place, Counter())[word] += 1
    usual = {place: max(words, key=lambda word: words[word]) for place, words in spelled.items()}
    styles = _styles(of)
    best = max(
        styles,
        key=lambda style: sum(style.written(of, place) == word for place, word in usual.items()),
    )
    if all(best.written(of, place) == word for place, word in usual.items()):
        return best
    # which language and how long, whatever points and capitals say
    best = max(
        styles,
        key=lambda one: sum(plain(one.written(of, k)) == plain(word) for k, word in usual.items()),
    )
    words = list(usual.values())
    filled = [
        usual.get(place)
        or _like(words, best.written(of, place), cut_name(of[best.language], place, 0))
        for place in range(len(of["en"].split()))
    ]
    return NameStyle(best.language, best.letters, False, " ".join(filled))


def _styles(of: dict[str, str]) -> list[NameStyle]:
    """Return the ways to write names, the more usual ones first."""
    size = len(of["en"].split())
    short = [
        NameStyle(language, 0, False, names)
        for language, names in _IN_USE
        if len(names.split()) == size
    ]
    cut = {
        letters: [NameStyle(one, letters, upper) for upper in (False, True) for one in of]
        for letters in (3, 0, 2, 4, 5)
    }
    return [*cut[3], *cut[0], *short, *cut[2], *cut[4], *cut[5]]


def _like(words: list[str], word: str, whole: str) -> str:
    """Return a name with the capitals and the point of others."""
    letters = "".join(words)
    if letters.isupper():
        word = word.upper()
    elif letters.islower():
        word = word.lower()
    elif all(one[:1].isupper() for one in words):
        word = word[:1].upper() + word[1:]
    pointed = any(one.endswith(".") for one in words)
    return word + "." if pointed and len(word) < len(whole) else word
