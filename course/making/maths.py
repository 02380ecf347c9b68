"""TeX formulas as MathML that browsers set alike, without a script and without a download.

Two ideas: latex2mathml parses, and what browsers no longer read (alphabets by attribute) or what it leaves raw is put right here; a
formula with anything raw left in it is an error of the build and no blemish of the page.
"""

from __future__ import annotations

import re

FORMULA = re.compile(r"\$\$(.+?)\$\$|(?<![\\$`])\$([^$`]+?)\$", re.DOTALL)
# letters of the Letterlike Symbols block, which the mathematical alphabets leave out
ODD = {
    ("double-struck", "C"): "ℂ",
    ("double-struck", "H"): "ℍ",
    ("double-struck", "N"): "ℕ",
    ("double-struck", "P"): "ℙ",
    ("double-struck", "Q"): "ℚ",
    ("double-struck", "R"): "ℝ",
    ("double-struck", "Z"): "ℤ",
    **{("script", a): b for a, b in zip("BEFHILMR", "ℬℰℱℋℐℒℳℛ")},
}
BLOCKS = {"double-struck": 0x1D538, "script": 0x1D49C, "bold": 0x1D400}
RAW = re.compile(r"[\\$⟦⟧]")


def mathml(tex: str, display: bool = False) -> str:
    """Return a formula as MathML.

    Raises:
        ValueError: a command came out as raw text.

    Example:
        >>> mathml(r"\\mathbb E\\,x").count("𝔼")
        1
    """
    from latex2mathml.converter import convert

    made = convert(_named(tex), display="block" if display else "inline")
    made = made.replace(r"\Vert", "&#x02016;").replace(r"\|", "&#x02016;")
    made = re.sub(r'<m(\w+) mathvariant="([\w-]+)">(\w|&#x\w+;)</m\1>', _letter, made)
    made = re.sub(r"<mtext>⟦r:([^⟧]*)⟧</mtext>", r"<mi>\1</mi>", made)
    made = re.sub(r"<mtext>⟦o:([^⟧]*)⟧</mtext>", r"<mo>\1</mo>", made)
    # a named function stands apart from its argument, unless that is in brackets
    made = re.sub(r"<m([io])>([a-z][a-z\u202f]+)</m\1>(?=(<[^>]*>)*?(&#x00028;|\()?)", _function, made)
    # a minus after a relation, a comma or an opening bracket is a sign; a tilde and a colon are relations
    made = re.sub(
        r"(<mo[^>]*>(?:&#x0003D;|&#x0002C;|&#x00028;)</mo>)<mo>&#x02212;", r'\1<mo form="prefix">&#x02212;', made
    )
    made = made.replace("<mi>&#x0007E;</mi>", '<mo lspace="0.28em" rspace="0.28em">&#x0223C;</mo>')
    made = made.replace("<mi>:</mi>", '<mo lspace="0.22em" rspace="0.22em">:</mo>')
    text = re.sub(r"<[^>]*>", " ", made)
    if RAW.search(text):
        raise ValueError(f"left raw in a formula: {text!r}, from {tex!r}")
    return made


def with_maths(text: str, keep: list[str]) -> str:
    """Return prose with every formula replaced by a word that markdown leaves alone; `keep` receives the MathML.

    Example:
        >>> kept: list[str] = []
        >>> with_maths("so $x$ is", kept), len(kept)
        ('so MATH0HTAM is', 1)
    """

    def replaced(found: re.Match[str]) -> str:
        display, inline = found.groups()
        keep.append(mathml(display or inline, display=bool(display)))
        return f"MATH{len(keep) - 1}HTAM"

    return FORMULA.sub(replaced, text)


def put_back(html: str, kept: list[str]) -> str:
    """Return the page with its formulas again."""
    return re.sub(r"MATH(\d+)HTAM", lambda found: kept[int(found.group(1))], html)


def plain(text: str) -> str:
    """Return prose without its formulas and marks, for a search."""
    text = FORMULA.sub(" ", text)
    text = re.sub(r"<[^>]*>", " ", text)
    return re.sub(r"[*`#|\[\]()>_-]+", " ", text)


def _named(tex: str) -> str:
    """Mark names in roman type, and take formulas out of texts, before the parser sees them."""

    def roman(kind: str, words: str) -> str:
        return rf"\text{{⟦{kind}:{words.replace(chr(92) + '_', '_').replace(chr(92) + ',', chr(0x202F))}⟧}}"

    tex = re.sub(r"\\text\{([^{}$]*)\$([^$]*)\$([^{}$]*)\}", r"\\text{\1}\2\\text{\3}", tex)
    tex = re.sub(r"\\arg(?![a-z])", r"\\operatorname{arg}", tex)
    tex = re.sub(r"\\operatorname\{([^{}]*)\}", lambda found: roman("o", found.group(1)), tex)
    return re.sub(r"\\mathrm\{([^{}]*)\}", lambda found: roman("r", found.group(1)), tex)


def _letter(found: re.Match[str]) -> str:
    tag, variant, letter = found.groups()
    if variant == "normal":
        return f"<m{tag}>{letter}</m{tag}>" if tag != "i" else found.group(0)
    if (variant, letter) in ODD:
        return f"<m{tag}>{ODD[variant, letter]}</m{tag}>"
    if variant in BLOCKS and letter.isascii() and letter.isalpha():
        place = ord(letter) - ord("A") if letter.isupper() else 26 + ord(letter) - ord("a")
        return f"<m{tag}>{chr(BLOCKS[variant] + place)}</m{tag}>"
    if variant == "double-struck" and letter.isdigit():
        return f"<m{tag}>{chr(0x1D7D8 + int(letter))}</m{tag}>"
    return found.group(0)


def _function(found: re.Match[str]) -> str:
    space = "0" if found.group(4) else "0.17em"
    return f'<mo form="prefix" lspace="0.1em" rspace="{space}" stretchy="false">{found.group(2)}</mo>'
