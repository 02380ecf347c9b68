"""The tokenisers that text can be opened with, and whatever installed packages add
(`tokeniser.NAME`, see `core/plugins.py`).

One idea: each is one object that says how one is made of training text and which options only it
reads; `data.tokeniser`, its refusals, and the record of a run go by its name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pushforward.core.choice import Choice
from pushforward.core.errors import BadInput
from pushforward.core.registry import Registry
from pushforward.data.text.tokeniser import ByteTokeniser, CharacterTokeniser, Tokeniser

Made = tuple[Tokeniser, str]  # a tokeniser and the sentence that says what it is
Maker = Callable[[Sequence[str], Any], Made]


@dataclass(frozen=True)
class TokeniserChoice(Choice):
    """A way to turn text into tokens.

    Attributes:
        make: takes the training texts and the options of text (`TextOptions`), and returns a
            tokeniser and what it is.
        rebuild: makes an equal tokeniser of its record.
        options: the options of text that no other tokeniser reads, and what to say to whoever gives
            one to another.

    Example:
        >>> TOKENISERS.load("bytes").make(["to be"], None)[1]
        'tokens are bytes, as asked'
    """

    make: Maker
    rebuild: Callable[[dict[str, Any]], Tokeniser]
    options: Mapping[str, str] = field(default_factory=dict)


TOKENISERS: Registry[TokeniserChoice] = Registry(
    "tokeniser", of="pushforward.data.text.tokenisers:TokeniserChoice"
)


def _of_characters(texts: Sequence[str], options: Any) -> Made:
    made = CharacterTokeniser.of(texts, options.unknown)
    return made, f"tokens are the {len(made.characters)} characters of the training text, as asked"


def _of_bytes(texts: Sequence[str], options: Any) -> Made:
    return ByteTokeniser(), "tokens are bytes, as asked"


def _of_pairs(texts: Sequence[str], options: Any) -> Made:
    from pushforward.data.text.bpe import (
        DEFAULT,
        BPETokeniser,
    )  # whose library is loaded when it is needed

    wanted = options.vocabulary or DEFAULT
    made = BPETokeniser.trained(texts, wanted)
    fewer = (
        ""
        if made.vocabulary == wanted
        else f" (the text offers no more; {wanted:,} were asked for)"
    )
    return made, f"{made.vocabulary:,} tokens by byte-pair encoding of the training text{fewer}"


def _pairs_again(record: dict[str, Any]) -> Tokeniser:
    from pushforward.data.text.bpe import BPETokeniser

    return BPETokeniser.from_json(record)


TOKENISERS.add(
    TokeniserChoice(
        "characters",
        "one token for each character of the training text",
        _of_characters,
        CharacterTokeniser.from_json,
        {"unknown": "the others read any character"},
    )
)
TOKENISERS.add(
    TokeniserChoice("bytes", "one token for each byte", _of_bytes, ByteTokeniser.from_json)
)
TOKENISERS.add(
    TokeniserChoice(
        "bpe",
        "byte-pair encoding of the training text",
        _of_pairs,
        _pairs_again,
        {"vocabulary": "only bpe has a choice"},
    )
)


def require_readers(name: str | None, given: Mapping[str, Any]) -> None:
    """Refuse an option of text that the chosen tokeniser does not read and another one does.

    Args:
        name: of the tokeniser, None if it is left to the text.
        given: the options that were given.

    Raises:
        BadInput: names the option and the tokeniser that reads it.
    """
    for known in TOKENISERS:
        for option, why in known.options.items():
            if option in given and name != known.name:
                came = f"{option}={given[option]!r} without tokeniser='{known.name}'"
                raise BadInput(came, "both or neither", why)


def tokeniser_from_json(record: dict[str, Any]) -> Tokeniser:
    """Rebuild any tokeniser from its record.

    Raises:
        BadInput: a kind that this version does not know, or a record that makes no tokeniser.

    Example:
        >>> tokeniser_from_json(ByteTokeniser().to_json()) == ByteTokeniser()
        True
    """
    kind = str(record.get("kind", ""))
    if kind not in TOKENISERS:
        raise BadInput(
            f"a tokeniser of kind '{kind}'",
            "one of " + ", ".join(TOKENISERS.names()),
            "update pushforward",
        )
    return TOKENISERS.load(kind).rebuild(record)
