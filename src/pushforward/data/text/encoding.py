"""The dictionary of a run on text: a tokeniser, a window length and what counts as a document.

Two ideas: a stream is `boundary document boundary document ...`, whatever is scored comes after a
boundary; sampled rows end at the first boundary, because there the document ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, final

import torch
from torch import Tensor

from pushforward.core.context import Context, ContextSpace
from pushforward.core.errors import BadInput
from pushforward.core.given import Examples, Given, Prefix
from pushforward.core.spec import parse
from pushforward.core.text import Text
from pushforward.data.encoding import Encoding, require_number
from pushforward.data.formats.file_formats import JSON_LINES, TEXT
from pushforward.data.formats.format import Samples
from pushforward.data.text.corpus import read_corpus
from pushforward.data.text.document_split import split_documents
from pushforward.data.text.policy import Form, Policy
from pushforward.data.text.tokeniser import Tokeniser
from pushforward.data.text.tokenisers import tokeniser_from_json
from pushforward.data.text.windows import Windows, document_windows, windows

MARK = "⟨end⟩"


def plain_ending(form: Form) -> str:
    """Return what the names of files of plain text end in, where a run's own have this form.

    Example:
        >>> plain_ending(Form(ending=".md")), plain_ending(Form(ending=".jsonl"))
        ('.md', '.txt')
    """
    return TEXT.suffixes[0] if form.ending in JSON_LINES.suffixes else form.ending


@final
@dataclass(frozen=True)
class TextEncoding(Encoding):
    """Text to windows of tokens and back.

    Attributes:
        tokeniser: bytes to tokens and back.
        length: tokens in a window.
        policy: how files become documents.
        longest: most tokens of a context, 0 if texts are about nothing.
        form: of the files that the texts came from; samples are written so.

    Example:
        >>> from pushforward.data.text.tokeniser import CharacterTokeniser
        >>> encoding = TextEncoding(CharacterTokeniser(" benort"), length=8)
        >>> encoding.space
        Text(vocabulary=8, length=8, boundary=7)
        >>> encoding.stream(["to be", "or not"]).tolist()
        [7, 6, 4, 0, 1, 2, 7, 4, 5, 0, 3, 4, 6]
    """

    tokeniser: Tokeniser
    length: int
    policy: Policy = field(default_factory=Policy)
    longest: int = 0
    form: Form = field(default_factory=Form)
    kind = "text"
    reads_rows = False

    def __post_init__(self) -> None:
        if self.length < 1:
            raise BadInput(f"windows of {self.length} tokens", "at least one token")

    @property
    def space(self) -> Text:
        """Windows of `length` tokens of this tokeniser."""
        return Text(self.tokeniser.vocabulary, self.length, self.tokeniser.boundary)

    @property
    def about(self) -> ContextSpace | None:
        """The space of contexts, tokens of the same tokeniser; None if texts are about nothing."""
        return (
            ContextSpace(self.longest, vocabulary=self.tokeniser.vocabulary)
            if self.longest
            else None
        )

    @property
    def ending(self) -> str:
        """What the names of files of plain text end in that samples are written as."""
        return plain_ending(self.form)

    @property
    def detokenise(self) -> Callable[[Any], str]:
        """From tokens to text."""
        return self.tokeniser.decode

    def as_text(self, what: str, fix: str = "leave it out") -> TextEncoding:
        """Return itself."""
        return self

    def records(self, samples: Samples, given: str | None) -> list[dict[str, Any]]:
        """Return a record for each text: its prompt, and what was written after it."""
        return [{"prompt": given, "text": text} for text in samples.shown]

    def lines(self, samples: Samples, given: str | None) -> Iterator[str]:
        """Yield texts, each after its prompt: a line each where documents are lines, else with an
        empty line between them."""
        between = "\n" if self.policy.documents == "lines" else "\n\n"
        yield between.join((given or "") + text for text in samples.shown)

    def run_together(self, shown: Any) -> str:
        """Return what in texts hides where each of them ends in a file of plain text."""
        from pushforward.data.text.text_bytes import run_together  # writes what this reads

        return run_together(shown, self)

    def decode(self, x: Tensor, label: Tensor | None = None, *, whole: bool = False) -> list[str]:
        """Return the text of each row, up to the first boundary: what follows belongs to another
        document.

        Args:
            x: tokens, shape (n, any length).
            whole: keep what follows, with a mark at each boundary.

        Example:
            >>> from pushforward.data.text.tokeniser import ByteTokeniser
            >>> row = torch.tensor([[104, 105, 256, 33]])
            >>> TextEncoding(ByteTokeniser(), 4).decode(row), TextEncoding(ByteTokeniser(), 4).decode(row, whole=True)
            (['hi'], ['hi⟨end⟩!'])
        """
        texts = []
        for row in x:
            pieces = self.decode_documents(row)
            texts.append(MARK.join(pieces) if whole else pieces[0])
        return texts

    def decode_documents(self, row: Tensor) -> list[str]:
        """Return the texts between the boundaries of one row, one more than there are
        boundaries."""
        ends = (row == self.tokeniser.boundary).nonzero().flatten().tolist()
        starts = [0, *(end + 1 for end in ends)]
        return [
            self.tokeniser.decode(row[start:end])
            for start, end in zip(starts, [*ends, len(row)], strict=True)
        ]

    def documents(self, source: Any) -> list[Tensor]:
        """Return the tokens of every document, int64, without boundaries; each is meant to follow
        one.

        Raises:
            BadInput: a source that cannot be read, or holds what the tokeniser does not know.
        """
        corpus = read_corpus(source, self.policy)
        return self.tokens(corpus.documents, corpus.origin)

    def stream(self, source: Any) -> Tensor:
        """Return all tokens: `boundary document boundary document ...`, int64."""
        return self.joined(self.documents(source))

    def windows(self, source: Any) -> Windows:
        """Return windows that do not overlap, and how many tokens at the end lie in none."""
        tokeniser = self.tokeniser
        return windows(
            self.stream(source), self.length, self.length, tokeniser.token_bytes, tokeniser.boundary
        )

    def read(self, source: Any, labelled: bool | None = None) -> Examples:
        """Return windows that do not overlap, each given the one token before it, with their bytes.

        They have one width, so the last tokens of the stream, fewer than `length`, lie in none:
        `windows` counts them, `stream` has all. A source shorter than a window is one shorter
        window. Texts that are about something are one document each, and all of their tokens lie in
        windows.
        """
        if not self.longest:
            return self.windows(source).examples
        documents, contexts = self.pairs(source)
        tokeniser = self.tokeniser
        return document_windows(
            documents, contexts, self.length, tokeniser.boundary, tokeniser.token_bytes
        )

    def pairs(self, source: Any) -> tuple[list[Tensor], list[Tensor]]:
        """Return the tokens of every document and of what it is about."""
        corpus = read_corpus(source, self.policy)
        return self.tokens(corpus.documents, corpus.origin), self.contexts(
            corpus.contexts, corpus.origin
        )

    def pairs_of(self, source: Any, place: int) -> tuple[list[Tensor], list[Tensor]]:
        """Return the same of one split, by its place: 0 for training, 1 for validation, 2 for test,
        as `open_text` cuts them."""
        corpus = read_corpus(source, self.policy)
        part = split_documents(corpus.documents, 0, corpus.contexts)[0][place]
        return self.tokens(part.documents, corpus.origin), self.contexts(
            part.contexts, corpus.origin
        )

    def contexts(self, texts: Iterable[str], origin: str) -> list[Tensor]:
        """Return the tokens of what each document is about.

        Raises:
            BadInput: one that is longer than `longest`.
        """
        return [
            self.parse_context(text, f"the context of document {i} of {origin}")
            for i, text in enumerate(texts, 1)
        ]

    def parse_context(self, text: str, where: str = "the context") -> Tensor:
        """Return the tokens of a context; `where` it stands is named in errors.

        Raises:
            BadInput: one that is longer than `longest`, or has what the tokeniser does not know.
        """
        tokens = self.tokeniser.encode(text, where)
        if len(tokens) > self.longest:
            came = f"{where} has {len(tokens)} tokens"
            raise BadInput(
                came, f"at most {self.longest}", "shorten it, or train with a larger context_length"
            )
        return tokens

    def parse_given(self, text: str, n: int) -> Given:
        """Return a prompt as a condition: it starts a document, so the boundary comes before it.

        Raises:
            BadInput: a prompt longer than a window, or with what the tokeniser does not know.

        Example:
            >>> from pushforward.data.text.tokeniser import ByteTokeniser
            >>> TextEncoding(ByteTokeniser(), 8).parse_given("hi", 2).prefix.tokens.tolist()
            [[256, 104, 105], [256, 104, 105]]
        """
        tokens = self.joined([self.tokeniser.encode(text, "the prompt")])
        if len(tokens) > self.length:
            raise BadInput(
                f"a prompt of {len(tokens) - 1} tokens and the boundary before it",
                f"at most {self.length} together, the context of this run",
                "shorten it, or train with a larger length",
            )
        return Given(prefix=Prefix(tokens.expand(n, -1), torch.full((n,), len(tokens))))

    def condition(
        self,
        given: str | None,
        n: int,
        context: str | None = None,
        about: ContextSpace | None = None,
        classes: tuple[str, ...] = (),
    ) -> Given | None:
        """Return the condition of n texts that go on from a prompt and are about a context; None
        for neither.

        Raises:
            BadInput: a context for texts that are about nothing, none for others, or what
                `parse_given` refuses.
        """
        prompt = None if given is None else self.parse_given(given, n)
        if not self.longest:
            if context is not None:
                raise BadInput(
                    "a context", "none", "this run was trained without contexts; leave it out"
                )
            return prompt
        if context is None:
            raise BadInput(
                "no context",
                "the text that shall be written about",
                "name it with --context; it may be ''",
            )
        tokens = self.parse_context(context)
        written = Context(tokens.expand(n, -1), torch.full((n,), len(tokens)))
        return Given(context=written) if prompt is None else replace(prompt, context=written)

    def conditions(self, given: Any, n: int | None) -> Given | None:
        """Return the condition of a list of prompts; a mapping is none."""
        if isinstance(given, Mapping):
            return None
        texts = list(given)
        require_number(len(texts), n)
        if not all(isinstance(text, str) for text in texts):
            raise BadInput(
                f"prompts among which is {next(t for t in texts if not isinstance(t, str))!r}",
                "strings",
            )
        parts = [self.parse_given(text, 1).prefix for text in texts]
        tokens = [part.tokens[0].tolist() for part in parts if part is not None]
        return Given(prefix=Prefix.of(tokens))

    def tokens(self, documents: Iterable[str], origin: str) -> list[Tensor]:
        """Return the tokens of each document, named after `origin` in errors."""
        return [
            self.tokeniser.encode(text, f"document {i} of {origin}")
            for i, text in enumerate(documents, start=1)
        ]

    def joined(self, documents: list[Tensor]) -> Tensor:
        """Return `boundary document boundary document ...`."""
        boundary = torch.tensor([self.tokeniser.boundary])
        return torch.cat([part for document in documents for part in (boundary, document)])

    def to_json(self) -> dict[str, Any]:
        """Return the tokeniser with its fingerprint, the length and the policy."""
        return {
            "kind": self.kind,
            "length": self.length,
            "policy": self.policy.model_dump(),
            "context_length": self.longest,
            "form": self.form.model_dump(),
            "vocabulary": self.tokeniser.vocabulary,
            "fingerprint": self.tokeniser.fingerprint,
            "tokeniser": self.tokeniser.to_json(),
        }

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> TextEncoding:
        """Rebuild an encoding.

        Raises:
            BadInput: fields are missing, or the tokeniser is not the one that the record's
                fingerprint and vocabulary name.
        """
        missing = {"length", "policy", "vocabulary", "fingerprint", "tokeniser"} - set(record)
        if missing:
            raise BadInput(
                f"a text encoding without {', '.join(sorted(missing))}", "the record of a run"
            )
        tokeniser = tokeniser_from_json(record["tokeniser"])
        if (tokeniser.vocabulary, tokeniser.fingerprint) != (
            record["vocabulary"],
            record["fingerprint"],
        ):
            raise BadInput(
                f"a tokeniser of {tokeniser.vocabulary} tokens (fingerprint {tokeniser.fingerprint[:8]})",
                f"{record['vocabulary']} tokens (fingerprint {str(record['fingerprint'])[:8]}) as recorded",
                "the record was edited; restore it",
            )
        length = record["length"]
        if type(length) is not int:
            raise BadInput(
                f"windows of {length!r} tokens",
                "a whole number",
                "the record was edited; restore it",
            )
        # runs from before contexts have no length of theirs, those from before forms were of .txt
        # files
        policy, form = (
            parse(Policy, record["policy"], "policy"),
            parse(Form, record.get("form", {}), "form"),
        )
        return cls(tokeniser, length, policy, record.get("context_length", 0), form)
