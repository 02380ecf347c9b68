"""Tokenisers: from bytes to integers and back.

Two ideas: every token stands for a fixed string of bytes, so that decoding joins them and lengths
in bytes are sums; the last token is the boundary between documents and stands for none.
"""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, Literal, final

import numpy as np
import torch
from torch import Tensor

from pushforward.core.errors import BadInput

DECODED_AT_ONCE = 1 << 20
Unknown = Literal["refuse", "bytes"]


class Tokeniser(ABC):
    """A reversible map between UTF-8 text and integers; two of equal records are interchangeable.
    Concrete ones are final."""

    kind: str

    @property
    @abstractmethod
    def pieces(self) -> tuple[bytes, ...]:
        """The bytes that each token stands for, in order of the tokens; the last one is the
        boundary, `b""`."""

    @abstractmethod
    def _encode(self, data: bytes, where: str) -> np.ndarray:
        """Return the tokens of `data`, int64, without boundaries."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Return a JSON record with its `kind`, which `tokeniser_from_json` turns back into an
        equal tokeniser."""

    @classmethod
    @abstractmethod
    def from_json(cls, record: dict[str, Any]) -> Tokeniser:
        """Rebuild a tokeniser from `to_json`.

        Raises:
            BadInput: a record that makes no tokeniser.
        """

    @final
    @property
    def vocabulary(self) -> int:
        """Number of tokens, the boundary included."""
        return len(self.pieces)

    @final
    @property
    def boundary(self) -> int:
        """The token between documents, the last one."""
        return self.vocabulary - 1

    @final
    @cached_property
    def token_bytes(self) -> Tensor:
        """Number of bytes that each token stands for, int64, shape (vocabulary,); the boundary has
        0."""
        return torch.tensor([len(piece) for piece in self.pieces], dtype=torch.int64)

    @final
    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the record, in hexadecimal."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()

    @final
    def encode(self, text: str | bytes, where: str = "the text") -> Tensor:
        """Return the tokens of one document, int64, shape (tokens,); no boundaries.

        Args:
            where: what an error calls the text.

        Raises:
            BadInput: what this tokeniser has no tokens for.
        """
        if isinstance(text, bytes):
            return torch.from_numpy(self._encode(text, where))
        try:
            data = text.encode()
        except UnicodeEncodeError as error:
            came = f"half a surrogate pair (U+{ord(text[error.start]):04X}) at character {error.start} of {where}"
            raise BadInput(came, "text that UTF-8 can hold") from None
        return torch.from_numpy(self._encode(data, where))

    @final
    def decode_bytes(self, ids: Tensor | Sequence[int]) -> bytes:
        """Return the bytes that tokens stand for, joined; boundaries vanish."""
        numbers = torch.as_tensor(ids).flatten()
        if len(numbers) and not 0 <= int(numbers.min()) <= int(numbers.max()) < self.vocabulary:
            raise BadInput(
                f"tokens from {int(numbers.min())} to {int(numbers.max())}",
                f"0 to {self.vocabulary - 1}",
            )
        # a Python object for every token takes 40 bytes: a part at a time
        return b"".join(
            b"".join(map(self.pieces.__getitem__, part.tolist()))
            for part in numbers.split(DECODED_AT_ONCE)
        )

    @final
    def decode(self, ids: Tensor | Sequence[int]) -> str:
        """Return the text that tokens stand for; bytes that are no UTF-8 are shown as U+FFFD."""
        return self.decode_bytes(ids).decode("utf-8", "replace")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tokeniser) and self.fingerprint == other.fingerprint

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(vocabulary={self.vocabulary})"


@final
class ByteTokeniser(Tokeniser):
    """One token per byte: 256 and the boundary; reads anything.

    Example:
        >>> ByteTokeniser().encode("é!").tolist(), ByteTokeniser().decode([104, 105])
        ([195, 169, 33], 'hi')
    """

    kind = "bytes"

    @cached_property
    def pieces(self) -> tuple[bytes, ...]:
        """Every single byte, then the boundary."""
        return (*(bytes([value]) for value in range(256)), b"")

    def _encode(self, data: bytes, where: str) -> np.ndarray:
        return np.frombuffer(data, dtype=np.uint8).astype(np.int64)

    def to_json(self) -> dict[str, Any]:
        """Return the kind: there is nothing else to say."""
        return {"kind": self.kind}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> ByteTokeniser:
        """Return the byte tokeniser."""
        return cls()


@final
class CharacterTokeniser(Tokeniser):
    """One token per character of an alphabet, then, with `unknown="bytes"`, 256 bytes for all other
    characters.

    Args:
        characters: the alphabet, sorted, each character once.
        unknown: what to do with other characters: `refuse`, or spell their UTF-8 `bytes`.

    Example:
        >>> abc = CharacterTokeniser("abc")
        >>> abc.encode("cab").tolist(), abc.vocabulary, abc.decode([2, 0, 1])
        ([2, 0, 1], 4, 'cab')
    """

    kind = "characters"

    def __init__(self, characters: str, unknown: Unknown = "refuse") -> None:
        if not characters or list(characters) != sorted(set(characters)):
            raise BadInput(
                f"an alphabet of {len(characters)} characters",
                "one or more, sorted, each of them once",
            )
        self.characters, self.unknown = characters, unknown

    @classmethod
    def of(cls, documents: Iterable[str], unknown: Unknown = "refuse") -> CharacterTokeniser:
        """Return the tokeniser of the characters in `documents`.

        Example:
            >>> CharacterTokeniser.of(["to be", "or not"]).characters
            ' benort'
        """
        return cls("".join(sorted(set().union(*documents))), unknown)

    @cached_property
    def pieces(self) -> tuple[bytes, ...]:
        """UTF-8 of every character, the single bytes if unknown characters are spelled, the
        boundary."""
        spelled = [bytes([value]) for value in range(256)] if self.unknown == "bytes" else []
        return (*(character.encode() for character in self.characters), *spelled, b"")

    @cached_property
    def _token_of(self) -> np.ndarray:
        # token by code point, -1 for what is not in the alphabet, which the last entry always is
        points = np.array([ord(character) for character in self.characters])
        table = np.full(points.max() + 2, -1, dtype=np.int64)
        table[points] = np.arange(len(points))
        return table

    def _encode(self, data: bytes, where: str) -> np.ndarray:
        try:
            text = data.decode()
        except UnicodeDecodeError as error:
            raise BadInput(
                f"{where} is not UTF-8 at byte {error.start}",
                "UTF-8 text",
                "use the byte tokeniser",
            ) from None
        points = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32)
        tokens = self._token_of[np.minimum(points, len(self._token_of) - 1)]
        unknown = np.flatnonzero(tokens < 0)
        if not len(unknown):
            return tokens
        if self.unknown == "refuse":
            at = int(unknown[0])
            raise BadInput(
                f"the character {text[at]!r} (U+{ord(text[at]):04X}) at character {at} of {where}",
                f"one of the {len(self.characters)} characters of the training text",
                "a run that was trained with `-s data.tokeniser=bytes` reads any character",
            )
        spelled = [text[at].encode() for at in unknown.tolist()]
        counts = np.ones(len(tokens), dtype=np.int64)
        counts[unknown] = [len(piece) for piece in spelled]
        out = np.repeat(tokens, counts)
        out[out < 0] = len(self.characters) + np.frombuffer(
            b"".join(spelled), dtype=np.uint8
        ).astype(np.int64)
        return out

    def to_json(self) -> dict[str, Any]:
        """Return the alphabet and what becomes of other characters."""
        return {"kind": self.kind, "characters": self.characters, "unknown": self.unknown}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> CharacterTokeniser:
        """Rebuild the tokeniser from its alphabet."""
        characters, unknown = record.get("characters"), record.get("unknown")
        if not isinstance(characters, str) or unknown not in ("refuse", "bytes"):
            raise BadInput(
                "a record of a character tokeniser without its alphabet", "the record of a run"
            )
        return cls(characters, unknown)
