"""Words in an order: sizes, scales of agreement, of frequency, of quality, and bands of numbers.

One idea: a column is of a scale if all its words are words of one, and bands are ordered by where
they begin; anything else is a list that only its owner knows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

FEWEST = 3  # two words in an order are any two words
# a scale a line, its levels between semicolons, words for one level between bars
_SCALES = """
xxxs;xxs;xs;s;m;l;xl;xxl|2xl;xxxl|3xl;xxxxl|4xl
extra small|x-small;small;medium;large;extra large|x-large;xx-large
very low;low;medium|moderate|mid;high;very high
none;minor;mild;low;moderate;medium;major;high;severe;critical
strongly disagree|completely disagree;disagree;somewhat disagree|slightly disagree;\
neutral|neither agree nor disagree|neither|undecided|no opinion;\
somewhat agree|slightly agree;agree;strongly agree|completely agree
very dissatisfied;dissatisfied;somewhat dissatisfied;neutral;somewhat satisfied;satisfied;very satisfied
very unlikely;unlikely;neutral;likely;very likely
never;rarely|seldom;sometimes|occasionally;often;usually;always
never;yearly;quarterly;monthly;weekly;daily;hourly
terrible|very poor|very bad;poor|bad;fair|average|ok;good;very good;excellent
freshman;sophomore;junior;senior
bronze;silver;gold;platinum;diamond
beginner;intermediate;advanced;expert
first;second;third;fourth;fifth
stimme gar nicht zu|stimme überhaupt nicht zu;stimme nicht zu|stimme eher nicht zu;\
neutral|teils teils|teils/teils|unentschieden;stimme eher zu;stimme zu;stimme voll zu|stimme voll und ganz zu
nie;selten;manchmal;oft|häufig;immer
sehr schlecht;schlecht;mittel;gut;sehr gut
pas du tout d'accord;plutôt pas d'accord|pas d'accord;neutre|ni d'accord ni pas d'accord;\
plutôt d'accord|d'accord;tout à fait d'accord
jamais;rarement;parfois;souvent;toujours
totalmente en desacuerdo;en desacuerdo;neutral|ni de acuerdo ni en desacuerdo;de acuerdo;totalmente de acuerdo
nunca;rara vez;a veces;a menudo;siempre
"""
_PLACES = [
    {word: place for place, level in enumerate(scale.split(";")) for word in level.split("|")}
    for scale in _SCALES.strip().splitlines()
]
# single letters are names of anything, but for the usual three sizes
_LETTERS = re.compile(r"[a-z]")
_NUMBER = r"[$€£]?\s*(\d[\d.,]*)\s*([kKmM]?)\s*[$€£%]?"
_BANDS = (
    (re.compile(rf"(?:<|<=|≤|under|below|less than|up to|bis|unter)\s*{_NUMBER}\b.*", re.I), -1),
    (re.compile(rf"(?:>|>=|≥|over|above|more than|ab|über)\s*{_NUMBER}\b.*", re.I), 1),
    (re.compile(rf"{_NUMBER}\s*(?:\+|and (?:over|above|more)|or more|und mehr)\s*\D*", re.I), 1),
    (re.compile(rf"[\[(]?\s*{_NUMBER}\s*(?:-|–|to|,|bis)\s*{_NUMBER}\s*[)\]]?\s*\D*", re.I), 0),
)
_FACTORS = {"": 1.0, "k": 1e3, "m": 1e6}


def in_order(words: Sequence[str]) -> tuple[str, ...]:
    """Return the different words of a column in their order, nothing where no scale has them all.

    Example:
        >>> in_order(["L", "S", "XL", "M"]), in_order(["50k+", "<10k", "10k-50k"]), in_order(["a", "b", "c"])
        (('S', 'M', 'L', 'XL'), ('<10k', '10k-50k', '50k+'), ())
    """
    if len(words) < FEWEST:
        return ()
    plain = {word: " ".join(word.casefold().replace("_", " ").split()) for word in words}
    for places in _PLACES:
        known = {word: places[bare] for word, bare in plain.items() if bare in places}
        if len(known) == len(words) == len(set(known.values())) and _sure(list(plain.values())):
            return tuple(sorted(words, key=lambda word: known[word]))
    bands = {word: found for word in words if (found := _band(word)) is not None}
    ranges = sum(side == 0 for _, side in bands.values())
    if len(bands) < len(words) or ranges < FEWEST - 2 or len(set(bands.values())) < len(words):
        return ()
    return tuple(sorted(words, key=lambda word: bands[word]))


def _sure(bare: Sequence[str]) -> bool:
    """Return whether words say that they are of a scale: letters alone are of one of sizes only."""
    letters = [word for word in bare if _LETTERS.fullmatch(word)]
    sizes = {"s", "m", "l"}
    return len(letters) < len(bare) or (set(letters) == sizes)


def _band(word: str) -> tuple[float, int] | None:
    """Return where a band begins, and on which side of that it lies."""
    for expression, side in _BANDS:
        match = expression.fullmatch(word.strip())
        if match is None:
            continue
        try:
            size, *more = (float(n.replace(",", "").rstrip(".")) for n in match.groups()[::2])
        except ValueError:
            return None
        factor = _FACTORS[match[2].casefold()]
        if side == 0:
            # the unit may stand behind the second number alone, as in 10-20k
            above = _FACTORS[match[4].casefold()]
            factor = factor if match[2] else above
            if more[0] * above < size * factor:
                return None
        return size * factor, side
    return None
