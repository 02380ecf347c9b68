"""What examples are about: read from JSON lines and arrays, split with its example, refused where it cannot be meant."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from pushforward.app.runs.opening import open_source
from pushforward.core.context import ContextSpace
from pushforward.core.errors import BadInput
from pushforward.data.contexts import as_context, parse_context, space_of
from pushforward.data.dataset import Dataset, describe
from pushforward.data.encoding import encoding_from_json
from pushforward.data.open import open_data
from pushforward.data.open_in_space import open_like
from pushforward.data.text.encoding import TextEncoding
from pushforward.data.text.text_dataset import open_text, open_text_of_run
from pushforward.data.text.tokeniser import CharacterTokeniser

WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


def spelled(n: int) -> str:
    return " ".join(WORDS[int(digit)] for digit in str(n))


def lines(path: Path, numbers: range | list[int], **more: str) -> Path:
    path.write_text(
        "".join(json.dumps({"text": spelled(n), "digits": str(n), **more}) + "\n" for n in numbers)
    )
    return path


def opened(path: Path, **options: object) -> Dataset:
    return open_text(path, {"context": "digits", "length": 8, **options})


def texts_of(data: Dataset) -> list[tuple[str, str]]:
    """Every document of all splits put together again from its windows, with its context."""
    assert isinstance(data.encoding, TextEncoding)
    tokeniser, found = data.encoding.tokeniser, []
    for examples in (data.train, data.validation, data.test):
        given = examples.given
        assert given is not None
        assert given.context is not None
        assert given.prefix is not None
        for i, row in enumerate(examples.x):
            about = tokeniser.decode(given.context.values[i][: int(given.context.length[i])])
            text = data.encoding.decode(row[None])[0]
            if int(given.prefix.tokens[i]) == tokeniser.boundary:
                found.append((about, text))
            else:
                assert tokeniser.decode(given.prefix.tokens[i]) == found[-1][1][-1]
                assert about == found[-1][0]
                found[-1] = (about, found[-1][1] + text)
    return found


def test_every_document_lies_in_windows_of_its_own_beside_its_context(tmp_path: Path) -> None:
    data = opened(lines(tmp_path / "n.jsonl", range(150)))
    assert sorted(texts_of(data)) == sorted((str(n), spelled(n)) for n in range(150))
    boundary = data.encoding.tokeniser.boundary  # type: ignore[union-attr]
    for examples in (data.train, data.validation, data.test):
        ends = (examples.x == boundary).long()
        # what follows a boundary is a boundary, so the bytes of a window are those before its first
        assert bool((ends.cumsum(1).bool() == ends.bool()).all())
        assert examples.sizes is not None
        assert examples.sizes.tolist() == (1 - ends).sum(1).tolist()
    assert data.context == ContextSpace(longest=256, vocabulary=data.space.vocabulary)  # type: ignore[attr-defined]
    assert describe(data)["context"] == "at most 256 tokens"
    assert "150 documents, contexts of at most 3 tokens" in data.notes[-1]


def test_the_dictionary_of_contexts_travels(tmp_path: Path) -> None:
    data = opened(lines(tmp_path / "n.jsonl", range(100)), context_length=5)
    assert isinstance(data.encoding, TextEncoding)
    again = encoding_from_json(json.loads(json.dumps(data.encoding.to_json())))
    assert again == data.encoding
    assert open_text_of_run(tmp_path / "n.jsonl", data.encoding).fingerprint == data.fingerprint
    assert open_data(tmp_path / "n.jsonl", encoding=again).train.x.equal(data.train.x)
    other = lines(tmp_path / "m.jsonl", [7, 31])
    read = data.encoding.read(other)
    assert data.encoding.decode(read.x) == ["seven", "three on", "e"]
    assert read.given is not None
    assert read.given.context is not None
    assert read.given.context.length.tolist() == [1, 2, 2]
    condition = data.encoding.condition("th", 2, "31")
    assert condition is not None
    assert condition.parts == ("prefix", "context")
    assert len(condition) == 2
    old = data.encoding.to_json()
    del old["context_length"]
    # a record from before contexts has no length of theirs
    assert encoding_from_json({**old, "policy": {"documents": "file"}}).about is None  # type: ignore[attr-defined]


def test_other_contexts_are_other_data(tmp_path: Path) -> None:
    data = opened(lines(tmp_path / "n.jsonl", range(100)))
    swapped = (tmp_path / "n.jsonl").read_text().replace('"digits": "99"', '"digits": "98"')
    (tmp_path / "n.jsonl").write_text(swapped)
    assert opened(tmp_path / "n.jsonl").fingerprint != data.fingerprint
    x, hot = np.arange(200.0).reshape(100, 2), np.eye(100)
    np.savez(tmp_path / "a.npz", x=x, hot=hot)
    np.savez(tmp_path / "b.npz", x=x, hot=hot[::-1])
    found = [open_data(tmp_path / f"{name}.npz", context="hot").fingerprint for name in "ab"]
    assert found[0] != found[1]


def test_contexts_of_text_that_cannot_be_meant_are_refused(tmp_path: Path) -> None:
    path = lines(tmp_path / "n.jsonl", range(100))
    few = lines(tmp_path / "few.jsonl", range(9))
    (tmp_path / "odd.jsonl").write_text('{"text": "a", "digits": [3]}\n')
    encoding = TextEncoding(CharacterTokeniser("abc"), 8)
    for call, pattern in (
        (
            lambda: opened(path, context="digit"),
            r"line 1 of .* has no field 'digit': expected context in it.*'digits'",
        ),
        (
            lambda: opened(tmp_path / "odd.jsonl"),
            "'digits' in line 1 of .* is a list: expected a string",
        ),
        (lambda: opened(few), "9 different documents with contexts: expected at least 20"),
        (lambda: opened(path, documents="lines"), "a context for lines or paragraphs"),
        (
            lambda: opened(path, context_length=1),
            "the context of document .* has 2 tokens: expected at most 1",
        ),
        (lambda: open_text(path, {"context_length": 9}), "context_length=9 without a context"),
        (
            lambda: open_text(["some text"] * 30, {"context": "digits"}),
            "expected a .jsonl with a field 'digits'",
        ),
        (lambda: encoding.condition(None, 1, "a"), "trained without contexts"),
        (
            lambda: TextEncoding(CharacterTokeniser("abc"), 8, longest=4).condition("a", 1),
            "no context",
        ),
    ):
        with pytest.raises(BadInput, match=pattern):
            call()


def test_contexts_from_arrays_stay_beside_their_examples(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(90, 2)).astype(np.float32)
    about = np.stack([x, -x, 2 * x], axis=1)
    np.savez(
        tmp_path / "d.npz", x=x, y=np.arange(90) % 3, about=about, about_length=np.arange(90) % 4
    )
    data = open_source(tmp_path / "d.npz", {"context": "about"})
    assert data.context == ContextSpace(longest=3, width=2)
    for examples in (
        data.train,
        data.validation,
        data.test,
        open_like(str(tmp_path / "d.npz"), data.space, (), context="about"),
    ):
        assert examples.given is not None
        assert examples.given.context is not None
        torch.testing.assert_close(examples.given.context.values[:, 2], 2 * examples.x)
    assert data.classes == ("0", "1", "2")
    assert open_data(tmp_path / "d.npz").context is None
    np.savez(
        tmp_path / "s.npz",
        x_train=x[:60],
        x_test=x[60:],
        about_train=about[:60, 0],
        about_test=about[60:, 0],
    )
    split = open_data(tmp_path / "s.npz", context="about")
    assert split.test.given is not None
    assert split.test.given.context is not None
    assert torch.equal(split.test.given.context.values[:, 0], split.test.x)


@pytest.mark.parametrize(
    "source",
    ["two-moons", "digits", "table.csv", np.zeros((40, 2)), (np.zeros((40, 2)), [0, 1] * 20)],
)
def test_contexts_of_what_has_none_are_refused(source: object, tmp_path: Path) -> None:
    if isinstance(source, str) and source == "table.csv":
        source = tmp_path / "table.csv"
        (tmp_path / "table.csv").write_text("a,b\n" + "1,x\n2,y\n" * 30)
    with pytest.raises(
        BadInput, match=r"a context 'about' of .*: expected an .npz with an array of that name"
    ):
        open_source(source, {"context": "about"})


def test_shapes_say_what_contexts_are() -> None:
    assert space_of(
        as_context(np.array([[1, 4], [0, 2]]), np.array([2, 0]), "here")
    ) == ContextSpace(2, vocabulary=5)
    assert space_of(as_context(np.zeros((3, 4)), None, "here")) == ContextSpace(1, width=4)
    for values, length, pattern in (
        (np.zeros(3), None, r"contexts of shape \(3,\)"),
        (np.zeros((2, 2, 2), dtype=int), None, r"dtype int64"),
        (np.zeros((2, 0)), None, "shape"),
        (np.array([["a"]]), None, "dtype <U1"),
        (np.array([[np.nan]]), None, "NaN"),
        (np.array([[-1]]), None, "down to -1"),
        (np.zeros((2, 3, 1)), np.array([1, 4]), "2 whole numbers from 0 to 3"),
        (np.zeros((2, 3, 1)), np.array([1]), "2 whole numbers"),
    ):
        with pytest.raises(BadInput, match=pattern):
            as_context(values, length, "here")


def test_a_context_is_named_in_words(tmp_path: Path) -> None:
    vectors, words = ContextSpace(2, width=3), ContextSpace(4, vocabulary=9)
    assert parse_context("1, 2.5,-1", vectors, 2).values.tolist() == [[[1.0, 2.5, -1.0]]] * 2
    assert parse_context("8,0", words, 2).values.tolist() == [[8, 0]] * 2
    assert parse_context("", words, 3).length.tolist() == [0] * 3
    assert parse_context("", vectors, 1).values.shape == (1, 0, 3)
    np.save(tmp_path / "two.npy", np.arange(12.0).reshape(2, 2, 3))
    assert parse_context(str(tmp_path / "two.npy"), vectors, 2).values.flatten().tolist() == list(
        range(12)
    )
    np.save(tmp_path / "one.npy", np.arange(6.0).reshape(2, 3))
    assert parse_context(str(tmp_path / "one.npy"), vectors, 4).values.shape == (4, 2, 3)
    for text, space, pattern in (
        (
            "one",
            vectors,
            "expected numbers with commas, or an .npy file: at most 2 vectors of width 3",
        ),
        ("1.5", words, "numbers with commas"),
        ("1,2", vectors, "a context of shape"),
        ("9", words, "context tokens up to 9: expected 0 to 8"),
        ("1,1,1,1,1", words, "a context of 5 positions: expected at most 4"),
        (str(tmp_path / "none.npy"), words, "cannot be read"),
        (
            str(tmp_path / "two.npy"),
            vectors,
            r"contexts of shape \(2, 2, 3\) for 5 samples: expected one, or 5",
        ),
    ):
        with pytest.raises(BadInput, match=pattern):
            parse_context(text, space, 5)
