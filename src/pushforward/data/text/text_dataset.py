"""Open text as a dataset: documents, a split, a tokeniser, and windows that are views of three
streams.

Two ideas: the tokeniser is made of training text alone; the complete streams stay with the dataset,
because windows that do not overlap leave the last tokens of a split out and an exact score must
not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor

from pushforward.core.errors import BadInput, a_type, unknown
from pushforward.core.spec import Config, parse
from pushforward.data.dataset import Dataset
from pushforward.data.text.corpus import (
    TEXTS,
    Corpus,
    Policy,
    builtin_text,
    count,
    is_text,
    read_corpus,
)
from pushforward.data.text.description import joined_streams
from pushforward.data.text.document_split import Part, split_documents
from pushforward.data.text.encoding import TextEncoding
from pushforward.data.text.short_lines import short_lines_note
from pushforward.data.text.tokeniser import ByteTokeniser, CharacterTokeniser, Tokeniser
from pushforward.data.text.tokenisers import TOKENISERS, require_readers
from pushforward.data.text.windows import document_windows, windows

MOST_CHARACTERS, LONGEST_CONTEXT = 256, 256
SPLITS = ("training", "validation", "test")


class TextOptions(Config):
    """How text is opened: `open_data(source, text={...})`.

    Attributes:
        tokeniser: one of `TOKENISERS` (`characters`, `bytes`, `bpe`), or the path of a
            `tokenizer.json`; None = characters if the training text has at most 256 different ones
            and the rest of the text no others, else bytes.
        vocabulary: tokens of `bpe`, None = 1,024.
        length: tokens in a window.
        unknown: what the character tokeniser does with other characters: `refuse`, or spell their
            `bytes`.
        documents, text_field, errors, endings: see `Policy`.
        context: the field of a JSON line that says what its text is about, or `label` for the name
            of the sub-folder that a text lies in; the text is then modelled given it.
        context_length: most tokens of a context, None = 256.
    """

    tokeniser: str | None = None
    vocabulary: int | None = Field(None, ge=257, description="256 bytes, the boundary and merges")
    length: int = Field(64, ge=1)
    unknown: Literal["refuse", "bytes"] = "refuse"
    documents: Literal["file", "paragraphs", "lines"] = "file"
    text_field: str = "text"
    errors: Literal["strict", "replace"] = "strict"
    endings: str = ""
    context: str | None = None
    context_length: int | None = Field(None, ge=1)


def open_text(
    source: Any,
    text: Mapping[str, Any] | None = None,
    *,
    seed: int = 0,
    asked: bool = False,
) -> Dataset:
    """Return the dataset behind a built-in text, a path or strings.

    Training examples are all windows of the training stream; validation and test examples are
    windows that do not overlap. Every window is conditioned on the one token before it.

    Args:
        text: options (see `TextOptions`).
        seed: of the split by documents.
        asked: True if the user says that the source is text, whatever it looks like.

    Raises:
        BadInput: a source that is no text, an unknown option, or too little text for a window.

    Example:
        >>> data = open_text("shakespeare", {"length": 32})
        >>> data.space, len(data.train), tuple(data.test.x.shape)
        (Text(vocabulary=66, length=32, boundary=65), 1003823, (1742, 32))
    """
    options = parse(TextOptions, text or {}, "text")
    policy = _policy(options)
    corpus = _corpus(source, policy, asked or bool(policy.endings))
    parts, how = _split(corpus, seed)
    tokeniser, why = _tokeniser(options, parts)
    longest = 0 if options.context is None else options.context_length or LONGEST_CONTEXT
    encoding = TextEncoding(tokeniser, options.length, policy, longest, corpus.form)
    found = _cut(corpus, parts, encoding, (how, why))
    asks = short_lines_note(corpus.documents) if options.documents == "file" else None
    return found if asks is None else replace(found, notes=(*found.notes, asks))


def open_text_of_run(source: Any, encoding: TextEncoding, *, seed: int = 0) -> Dataset:
    """Return the dataset behind a text, in the tokens and windows of a run.

    Raises:
        BadInput: see `open_text`, or text that the tokeniser does not know.
    """
    corpus = _corpus(source, encoding.policy, True)
    parts, how = _split(corpus, seed)
    return _cut(corpus, parts, encoding, (how, "the tokeniser of the run"))


def _split(corpus: Corpus, seed: int) -> tuple[tuple[Part, Part, Part], str]:
    parts, how = split_documents(corpus.documents, seed, corpus.contexts, corpus.roles)
    if not any(parts[0].texts):
        raise _too_short(parts, corpus.origin, SPLITS[0])
    return parts, how


def _cut(
    corpus: Corpus, parts: tuple[Part, Part, Part], encoding: TextEncoding, said: tuple[str, str]
) -> Dataset:
    cut = _about if encoding.longest else _in_windows
    return cut(corpus, parts, encoding, said)


def _in_windows(
    corpus: Corpus, parts: tuple[Part, Part, Part], encoding: TextEncoding, said: tuple[str, str]
) -> Dataset:
    """Return the dataset of the windows of all documents, one after another."""
    streams = _streams(parts, encoding, corpus.origin)
    token_bytes, length = encoding.tokeniser.token_bytes, encoding.length
    if len(streams[0]) <= length:
        came = f"{corpus.origin} has {len(streams[0]) - 1:,} tokens to train on"
        raise BadInput(
            came, f"at least one window of {length}", "bring more text, or choose a smaller length"
        )
    end = encoding.space.boundary
    cuts = [windows(s, length, length if k else 1, token_bytes, end) for k, s in enumerate(streams)]
    notes = [
        *corpus.notes,
        *said,
        _sizes(corpus, len(cuts[0].examples), cuts[1].left_out, cuts[2].left_out),
    ]
    if len(corpus.documents) == 1:
        notes.append(
            "one document, so its start is seen once in training: give a prompt to sample from a context that was learned"
        )
    return Dataset(
        corpus.name,
        encoding.space,
        cuts[0].examples,
        cuts[1].examples,
        cuts[2].examples,
        notes=tuple(notes),
        source=corpus.origin,
        fingerprint=_fingerprint(streams, encoding.tokeniser),
        encoding=encoding,
        streams=streams,
        lost=corpus.lost,
    )


def _policy(options: TextOptions) -> Policy:
    if options.context_length is not None and options.context is None:
        raise BadInput(
            f"context_length={options.context_length} without a context", "both or neither"
        )
    return Policy(
        documents=options.documents,
        text_field=options.text_field,
        context_field=options.context,
        errors=options.errors,
        endings=options.endings,
    )


def _about(
    corpus: Corpus,
    parts: tuple[Part, Part, Part],
    encoding: TextEncoding,
    notes: tuple[str, ...],
) -> Dataset:
    """Return the dataset of documents that are about something: each in windows of its own."""
    tokeniser, cuts, streams, digest = encoding.tokeniser, [], [], hashlib.sha256()
    for part, split in zip(parts, SPLITS, strict=True):
        origin = f"the {split} split of {corpus.origin}"
        documents, contexts = (
            encoding.tokens(part.documents, origin),
            encoding.contexts(part.contexts, origin),
        )
        cuts.append(
            document_windows(
                documents, contexts, encoding.length, tokeniser.boundary, tokeniser.token_bytes
            )
        )
        streams.append(encoding.joined(documents))
        digest.update("|".join(str(context.tolist()) for context in contexts).encode())
    longest = max(
        int(cut.given.context.length.max()) for cut in cuts if cut.given and cut.given.context
    )
    said = f"{count(len(corpus.documents), 'document')}, contexts of at most {longest} tokens, each in windows of its own"
    return Dataset(
        corpus.name,
        encoding.space,
        *cuts,
        notes=(*corpus.notes, *notes, said),
        source=corpus.origin,
        fingerprint=hashlib.sha256(
            (_fingerprint(tuple(streams), tokeniser) + digest.hexdigest()).encode()
        ).hexdigest(),
        encoding=encoding,
        streams=tuple(streams),
        context=encoding.about,
        lost=corpus.lost,
    )


def held_out_stream(dataset: Dataset) -> Tensor:
    """Return validation and test text as one stream whose first token is context: the whole last 10
    % of Tiny Shakespeare.

    Example:
        >>> len(held_out_stream(open_text("shakespeare"))) - 1
        111540
    """
    text = dataset.encoding.as_text("a stream of tokens")
    return joined_streams(dataset.streams[1:], text.tokeniser.boundary)


def _corpus(source: Any, policy: Policy, asked: bool) -> Corpus:
    if isinstance(source, str) and source in TEXTS:
        corpus = read_corpus(builtin_text(source), policy)
        published = (
            "published character-level scores of Tiny Shakespeare are on the whole last 10 % of the text, "
            "validation and test together (held_out_stream)"
        )
        return replace(corpus, name=source, origin=source, notes=(*corpus.notes, published))
    if not asked and not is_text(source):
        shown = f"'{source}'" if isinstance(source, str | Path) else f"{a_type(source)}"
        wanted = "a .txt, a .jsonl, a folder of .txt files, or strings"
        raise BadInput(f"text options for {shown}", wanted, "leave them out")
    return read_corpus(source, policy)


def _tokeniser(options: TextOptions, parts: tuple[Part, Part, Part]) -> tuple[Tokeniser, str]:
    """Return the tokeniser that the options name, or one that fits the training text, and why."""
    name = options.tokeniser
    require_readers(name, options.model_dump(exclude_defaults=True))
    if name is None:
        return _fitting(parts)
    if name in TOKENISERS:
        return TOKENISERS.load(name).make(parts[0].texts, options)
    if not name.endswith(".json"):
        raise BadInput(
            *unknown("tokeniser", name, (*TOKENISERS.names(), "the path of a tokenizer.json"))
        )
    from pushforward.data.text.bpe import BPETokeniser

    opened = BPETokeniser.opened(Path(name))
    return opened, f"{opened.vocabulary:,} tokens of {name} and a boundary of our own"


def _fitting(parts: tuple[Part, Part, Part]) -> tuple[Tokeniser, str]:
    training = CharacterTokeniser.of(parts[0].texts)
    n = len(training.characters)
    different = "one character over and over" if n == 1 else count(n, "different character")
    if n > MOST_CHARACTERS:
        why = f"the training text has {different}, more than {MOST_CHARACTERS}, so tokens are bytes"
        return ByteTokeniser(), why
    rest = CharacterTokeniser.of((*parts[1].texts, *parts[2].texts)).characters
    new = sorted(set(rest) - set(training.characters))
    if new:
        shown = ", ".join(f"{c!r} (U+{ord(c):04X})" for c in new[:3]) + (
            ", ..." if len(new) > 3 else ""
        )
        return (
            ByteTokeniser(),
            f"validation or test text has characters that training text lacks: {shown}; so tokens are bytes",
        )
    return training, f"the training text has {different}, so tokens are characters"


def _streams(
    parts: tuple[Part, Part, Part], encoding: TextEncoding, origin: str
) -> tuple[Tensor, Tensor, Tensor]:
    """Return each part as `boundary document ...`; one that continues a document has the token
    before it in place of a boundary."""
    streams: list[Tensor] = []
    for part, split in zip(parts, SPLITS, strict=True):
        if not part.documents:
            raise _too_short(parts, origin, split)
        stream = encoding.joined(encoding.tokens(part.documents, f"the {split} split of {origin}"))
        streams.append(torch.cat([streams[-1][-1:], stream[1:]]) if part.continues else stream)
    return streams[0], streams[1], streams[2]


def _too_short(parts: tuple[Part, Part, Part], origin: str, split: str) -> BadInput:
    characters = sum(len(document) for part in parts for document in part.documents)
    return BadInput(
        f"{count(characters, 'character')} in {origin}",
        f"enough for a {split} split",
        "bring more text",
    )


def _sizes(corpus: Corpus, n: int, validation: int, test: int) -> str:
    documents = count(len(corpus.documents), "document")
    characters = count(sum(map(len, corpus.documents)), "character")
    left_out = (
        f"; the last {validation} validation and {test} test tokens lie in no window"
        if validation + test
        else ""
    )
    return f"{documents}, {characters}, {count(n, 'overlapping training window')}{left_out}"


def _fingerprint(streams: tuple[Tensor, ...], tokeniser: Tokeniser) -> str:
    """Return the hex SHA-256 of the tokeniser and the streams: windows are views of them."""
    digest = hashlib.sha256(tokeniser.fingerprint.encode())
    for stream in streams:
        digest.update(f"{len(stream)} ".encode())
        digest.update(stream.numpy().tobytes())
    return digest.hexdigest()
