"""Byte-pair encoding by Hugging Face's `tokenizers`: trained on the user's own text, or read from a
`tokenizer.json`.

One idea: only byte-level tokenisers that leave text as it is are accepted, and every encoding is
decoded again and compared, so that bits per byte are about the user's bytes.

Reference: Sennrich, Haddow & Birch (2016), arXiv:1508.07909; bytes as alphabet: Radford et al.
(2019), section 2.2.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, final

import numpy as np
from tokenizers import Tokenizer as Backend
from tokenizers import decoders, models, pre_tokenizers, trainers

from pushforward.core.errors import BadInput
from pushforward.data.text.tokeniser import Tokeniser

SMALLEST, DEFAULT = 257, 1024
# the library keeps some hundred bytes per token while it encodes, so long documents go in parts;
# all pre-tokenisers in use begin a new word at a space between two letters, so that parts which
# begin there have the tokens of the whole
PART = 1 << 16
_SEAM = re.compile(r"(?<=[^\W\d_]) (?=[^\W\d_])")
# training rewrites a word once per merge at a cost quadratic in its length; no ordinary word is
# longer than this
_WORDS = re.compile(r"\s{0,256}\S{1,256}|\s{1,256}")
_ESCAPED = re.compile("([\udc80-\udcff]+)")


def _stand_ins() -> tuple[str, ...]:
    """Return the printable character that byte-level vocabularies write for each byte: itself, or
    the next one from U+0100."""
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = iter(range(0x100, 0x200))
    return tuple(chr(byte if byte in printable else next(others)) for byte in range(256))


@final
class BPETokeniser(Tokeniser):
    """Byte-level byte-pair encoding, then the boundary; reads anything, even bytes that are no
    UTF-8.

    Args:
        backend: the parsed `tokenizer.json`.

    Example:
        >>> bpe = BPETokeniser.trained(["low lower lowest"] * 9, vocabulary=260)
        >>> bpe.decode(bpe.encode("slow")), [bpe.pieces[i] for i in bpe.encode("slow")]
        ('slow', [b's', b'low'])
    """

    kind = "bpe"

    def __init__(self, backend: dict[str, Any]) -> None:
        self.record = _checked(backend)

    @classmethod
    def trained(cls, documents: Iterable[str], vocabulary: int = DEFAULT) -> BPETokeniser:
        """Learn merges from documents; equal documents give equal tokenisers.

        Args:
            vocabulary: tokens in all: 256 bytes, the boundary, and merges; a short text may have
                fewer to offer.

        Raises:
            BadInput: a vocabulary that does not hold the bytes.
        """
        if vocabulary < SMALLEST:
            raise BadInput(
                f"vocabulary={vocabulary}", f"at least {SMALLEST}: 256 bytes and the boundary"
            )
        backend = Backend(models.BPE())
        backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        backend.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=vocabulary - 1,
            min_frequency=2,
            show_progress=False,
            special_tokens=[],
            initial_alphabet=sorted(_stand_ins()),
        )
        backend.train_from_iterator(_words(documents), trainer)
        return cls(json.loads(backend.to_str()))

    @classmethod
    def opened(cls, path: Path) -> BPETokeniser:
        """Read a `tokenizer.json`.

        Raises:
            BadInput: no such file, or a tokeniser that is not byte-level or changes text.
        """
        try:
            record = json.loads(path.read_bytes())
        except OSError as error:
            raise BadInput(
                f"no tokeniser at '{path}' ({error.strerror})", "a tokenizer.json"
            ) from None
        except (ValueError, RecursionError):
            raise BadInput(f"{path} is no JSON", "a tokenizer.json") from None
        return cls(record)

    @cached_property
    def pieces(self) -> tuple[bytes, ...]:
        """The bytes of every token, none for special tokens and for numbers that are not used; then
        the boundary."""
        byte_of = {character: byte for byte, character in enumerate(_stand_ins())}
        added = {
            token["content"]: b"" if token["special"] else token["content"].encode()
            for token in self._added
        }
        vocabulary = self._backend.get_vocab(with_added_tokens=True)
        pieces = [b""] * (max(vocabulary.values()) + 2)
        for token, i in vocabulary.items():
            pieces[i] = (
                added[token] if token in added else bytes(byte_of[character] for character in token)
            )
        return tuple(pieces)

    @property
    def _added(self) -> list[dict[str, Any]]:
        return self.record.get("added_tokens") or []

    @cached_property
    def _backend(self) -> Backend:
        backend = Backend.from_str(json.dumps(self.record))
        backend.no_padding()
        backend.no_truncation()
        # a user's text that spells a special token is text
        backend.encode_special_tokens = True
        return backend

    @cached_property
    def _byte_tokens(self) -> list[int]:
        vocabulary: dict[str, int] = self.record["model"]["vocab"]
        return [vocabulary[character] for character in _stand_ins()]

    def _encode(self, data: bytes, where: str) -> np.ndarray:
        parts = [np.empty(0, dtype=np.int64)]
        # bytes that are no UTF-8 come out as lone surrogates, and are spelled byte by byte
        for i, text in enumerate(_ESCAPED.split(data.decode("utf-8", "surrogateescape"))):
            if i % 2:
                parts.append(
                    np.array([self._byte_tokens[ord(character) - 0xDC00] for character in text])
                )
            else:
                parts += [self._encode_part(part, where) for part in _parts(text)]
        return np.concatenate(parts)

    def _encode_part(self, text: str, where: str) -> np.ndarray:
        ids = self._backend.encode(text, add_special_tokens=False).ids
        if self.decode_bytes(ids) != text.encode():
            raise BadInput(
                f"a tokeniser that changes {where} (it does not decode to what was encoded)",
                "a byte-level tokenizer.json without normalisation",
                'train one on your text with text={"tokeniser": "bpe"}',
            )
        return np.array(ids, dtype=np.int64)

    def to_json(self) -> dict[str, Any]:
        """Return the whole `tokenizer.json`."""
        return {"kind": self.kind, "tokenizer": self.record}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> BPETokeniser:
        """Rebuild the tokeniser from its `tokenizer.json`."""
        return cls(record.get("tokenizer", {}))


def _words(documents: Iterable[str]) -> Iterator[str]:
    for document in documents:
        for match in _WORDS.finditer(document):
            yield match.group()


def _parts(text: str) -> Iterator[str]:
    start = 0
    while len(text) - start > PART and (seam := _SEAM.search(text, start + PART)):
        yield text[start : seam.start()]
        start = seam.start()
    if start < len(text):
        yield text[start:]


def _checked(record: dict[str, Any]) -> dict[str, Any]:
    """Return the record of a tokeniser that can represent every byte, and leaves text as it is as
    far as one can see."""
    fix = 'train one on your text with text={"tokeniser": "bpe"}'
    model = record.get("model") if isinstance(record, dict) else None
    if (
        not isinstance(model, dict)
        or model.get("type") != "BPE"
        or not isinstance(model.get("vocab"), dict)
    ):
        raise BadInput(
            "a record that is no byte-pair encoding", "a tokenizer.json whose model is BPE", fix
        )
    if record.get("normalizer") is not None:
        kind = record["normalizer"].get("type", "unknown")
        raise BadInput(
            f"a tokenizer.json with a normaliser ({kind})", "none: it would change the text", fix
        )
    if model.get("dropout"):
        raise BadInput(
            f"a tokenizer.json with dropout {model['dropout']}", "none: tokens would be random", fix
        )
    stand_ins, special = (
        set(_stand_ins()),
        {token["content"] for token in record.get("added_tokens") or []},
    )
    missing = stand_ins - set(model["vocab"])
    if missing:
        raise BadInput(
            f"a tokenizer.json without tokens for {len(missing)} of the 256 bytes",
            "a byte-level one",
            fix,
        )
    odd = next(
        (
            token
            for token in model["vocab"]
            if token not in special and not stand_ins.issuperset(token)
        ),
        None,
    )
    if odd is not None:
        raise BadInput(
            f"a tokenizer.json with the token {odd!r}",
            "tokens that spell bytes (a byte-level one)",
            fix,
        )
    try:
        Backend.from_str(json.dumps(record))
    except Exception as error:  # the library raises bare exceptions
        raise BadInput(
            f"a tokenizer.json that cannot be loaded ({error})", "one of Hugging Face's tokenizers"
        ) from None
    return record
