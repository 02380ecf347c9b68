"""The index of the search: which words stand where.

One idea: an inverted index, made once; a query is the intersection of the places of its words, each of which may be unfinished.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING

from making.maths import plain

if TYPE_CHECKING:
    from making.pages import Page

TITLE = 8  # how many mentions in the text one in the title is worth
COMMON = frozenset(
    ("a an and are as at be by for from in is it its of on or than that the them then they this to which with").split()  # noqa: SIM905
)


def words(text: str) -> list[str]:
    """Return the words of a text as the search compares them: lower case, without accents and without a plural's s.

    Example:
        >>> words("Fréchet distances, the KL!")
        ['frechet', 'distance', 'kl']
    """
    bare = "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(c))
    found = (re.sub(r"(?<=[a-z]{3})(?<!s)s$", "", word) for word in re.findall(r"[a-z0-9]+", bare))
    return [word for word in found if word not in COMMON]


def index(pages: Sequence[Page]) -> str:
    """Return the index as JSON: `places`, each [address, title, page's title], and for each word [place, weight, ...]."""
    places: list[list[str]] = []
    found: dict[str, dict[int, int]] = {}
    for page in pages:
        titles = {h.anchor: h.title for h in page.headings}
        for anchor, text in page.prose.items():
            title = titles.get(anchor, page.title)
            place = len(places)
            places.append([f"{page.file}#{anchor}" if anchor else page.file, title, page.title if anchor else ""])
            for weight, part in ((TITLE, title), (1, plain(text))):
                for word in words(part):
                    at = found.setdefault(word, {})
                    at[place] = at.get(place, 0) + weight
    flat = {word: [v for pair in sorted(at.items()) for v in pair] for word, at in sorted(found.items())}
    made = {"places": places, "words": flat, "common": sorted(COMMON)}
    return json.dumps(made, ensure_ascii=False, separators=(",", ":"))
