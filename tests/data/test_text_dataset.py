"""Text datasets: windows cover the streams as views, splits do not leak, and the dictionary travels."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from pushforward.core.errors import BadInput
from pushforward.core.given import Examples
from pushforward.core.text import Text
from pushforward.data.dataset import Dataset, describe
from pushforward.data.encoding import encoding_from_json
from pushforward.data.open import open_data
from pushforward.data.text.bpe import BPETokeniser
from pushforward.data.text.corpus import Policy, builtin_text
from pushforward.data.text.document_split import split_documents
from pushforward.data.text.encoding import TextEncoding
from pushforward.data.text.text_dataset import held_out_stream, open_text
from pushforward.data.text.tokeniser import ByteTokeniser, CharacterTokeniser, Tokeniser
from pushforward.data.text.windows import windows

TEXT = builtin_text("shakespeare")
STORY = TEXT[:6_000].replace("citizens", "citoyens é€😀")


def prefix_of(examples: Examples) -> Tensor:
    assert examples.given is not None
    assert examples.given.prefix is not None
    assert examples.given.parts == ("prefix",)
    assert examples.given.prefix.length.eq(1).all()
    return examples.given.prefix.tokens


@given(st.integers(2, 60), st.integers(1, 12), st.integers(1, 12))
@settings(deadline=None)
def test_windows_are_those_of_a_loop(n: int, length: int, step: int) -> None:
    rng = np.random.default_rng(n)
    stream, token_bytes = (
        torch.from_numpy(rng.integers(0, 9, n)),
        torch.from_numpy(rng.integers(0, 5, 9)),
    )
    width = min(length, n - 1)
    starts = range(1, n - width + 1, step)
    cut = windows(stream, length, step, token_bytes)
    x = cut.examples.x
    assert x.tolist() == [stream[i : i + width].tolist() for i in starts]
    assert prefix_of(cut.examples).tolist() == [[int(stream[i - 1])] for i in starts]
    assert cut.examples.sizes is not None
    assert cut.examples.sizes.tolist() == [
        int(sum(token_bytes[t] for t in stream[i : i + width])) for i in starts
    ]
    assert cut.left_out == n - (starts[-1] + width)
    assert cut.left_out < step
    assert x.untyped_storage().data_ptr() == stream.untyped_storage().data_ptr()


def test_a_stream_without_a_token_to_predict() -> None:
    for stream in (torch.zeros(1, dtype=torch.int64), torch.zeros(0, dtype=torch.int64)):
        with pytest.raises(BadInput, match=r"a text of 0 tokens: expected at least one"):
            windows(stream, 4, 4, torch.ones(2, dtype=torch.int64))


def test_training_windows_are_views_and_memory_does_not_grow_with_their_length() -> None:
    tracemalloc.start()
    data = open_data("shakespeare", text={"length": 256})
    assert (
        tracemalloc.get_traced_memory()[1] < 60e6
    )  # Python and numpy; 257 million numbers would be 2 GB
    tracemalloc.stop()
    stream, train = data.streams[0], data.train
    assert train.x.shape == (1_003_854 + 1 - 256, 256)
    assert stream.untyped_storage().nbytes() == 8 * 1_003_855
    assert prefix_of(train).untyped_storage().data_ptr() == stream.untyped_storage().data_ptr()
    assert train.x.untyped_storage().data_ptr() == stream.untyped_storage().data_ptr()
    assert train.x.data_ptr() == stream.data_ptr() + 8
    assert train.given is not None
    assert train.given.prefix is not None
    assert train.given.prefix.length.untyped_storage().nbytes() == 8
    assert train.sizes is not None
    assert train.sizes.element_size() == 4
    rows = torch.tensor([1_003_598, 0, 5, 5, 777_777])
    batch = train[rows]
    for i, row in enumerate(rows.tolist()):
        assert torch.equal(batch.x[i], stream[row + 1 : row + 257])
        assert prefix_of(batch)[i].item() == stream[row].item()
    part = train[10:13]
    assert torch.equal(part.x, torch.stack([stream[i + 1 : i + 257] for i in (10, 11, 12)]))
    assert batch.x.untyped_storage().nbytes() == 8 * 5 * 256


def test_shakespeare_is_cut_where_published_scores_cut_it() -> None:
    data = open_data("shakespeare")
    encoding = data.encoding
    assert isinstance(encoding, TextEncoding)
    assert data.space == Text(vocabulary=66, length=64, boundary=65)
    assert int(data.streams[0][0]) == 65
    assert encoding.tokeniser.decode(data.streams[0][1:]) == TEXT[:1_003_854]
    assert encoding.tokeniser.decode(data.streams[1][1:]) == TEXT[1_003_854:1_059_624]
    assert encoding.tokeniser.decode(data.streams[2][1:]) == TEXT[1_059_624:]
    # the split continues a document, so its first window is conditioned on the true character before it
    assert encoding.tokeniser.decode(prefix_of(data.validation)[0]) == TEXT[1_003_853]
    assert encoding.tokeniser.decode(held_out_stream(data)) == TEXT[1_003_853:]
    assert data.validation.x.shape == data.test.x.shape == (871, 64)
    assert any("whole last 10 %" in note for note in data.notes)
    assert any("give a prompt" in note for note in data.notes)
    assert data.train.sizes is not None
    assert data.train.sizes.eq(64).all()


def tokenisers() -> list[Tokeniser]:
    return [
        ByteTokeniser(),
        CharacterTokeniser.of([STORY]),
        CharacterTokeniser.of([TEXT[:2_000]], unknown="bytes"),
        BPETokeniser.trained([STORY], vocabulary=400),
    ]


@pytest.mark.parametrize("tokeniser", tokenisers(), ids=repr)
@pytest.mark.parametrize("documents", ["file", "paragraphs", "lines"])
def test_bytes_of_the_stream_are_those_of_the_documents(
    tokeniser: Tokeniser, documents: Any, tmp_path: Path
) -> None:
    encoding = TextEncoding(tokeniser, 16, Policy(documents=documents))
    (tmp_path / "story.txt").write_text(STORY, encoding="utf-8", newline="")
    stream = encoding.stream(tmp_path / "story.txt")
    removed = {"file": 0, "lines": STORY.count("\n"), "paragraphs": 2 * STORY.count("\n\n")}[
        documents
    ]
    assert int(tokeniser.token_bytes[stream].sum()) == len(STORY.encode()) - removed
    assert torch.equal(stream, encoding.stream(STORY))
    assert int(stream[0]) == tokeniser.boundary
    tokens = encoding.documents(STORY)
    assert int((stream == tokeniser.boundary).sum()) == len(tokens)
    texts = (
        [STORY] if documents == "file" else STORY.split("\n" if documents == "lines" else "\n\n")
    )
    assert [tokeniser.decode(t) for t in tokens] == [text for text in texts if text]
    # windows cover the stream once, but for its first token and what is said to be left out
    cut = encoding.windows(STORY)
    covered = len(stream) - cut.left_out
    assert torch.equal(cut.examples.x.flatten(), stream[1:covered])
    assert cut.left_out < 16
    assert cut.examples.sizes is not None
    assert int(cut.examples.sizes.sum()) == int(tokeniser.token_bytes[stream[:covered]].sum())
    read = encoding.read(STORY)
    assert torch.equal(read.x, cut.examples.x)
    encoding.space.check(read.x)
    assert torch.equal(prefix_of(read).flatten(), stream[: covered - 1 : 16])


def test_a_text_shorter_than_a_window_is_one_window() -> None:
    encoding = TextEncoding(ByteTokeniser(), 16)
    short = encoding.read(["hé"])
    assert (short.x.tolist(), prefix_of(short).tolist()) == ([[104, 195, 169]], [[256]])
    assert short.sizes is not None
    assert short.sizes.tolist() == [3]
    assert encoding.windows(["hé"]).left_out == 0


def distinct(n: int) -> tuple[str, ...]:
    rng = np.random.default_rng(0)
    return tuple(f"{i}:" + "x" * int(rng.integers(1, 40)) for i in range(n))


def test_whole_documents_are_split_and_equal_ones_stay_together() -> None:
    documents = (*distinct(300), *distinct(150))
    parts, how = split_documents(documents, seed=1)
    assert "80/10/10" in how
    assert sorted(d for part in parts for d in part.documents) == sorted(documents)
    sets = [set(part.documents) for part in parts]
    assert not sets[0] & sets[1]
    assert not sets[0] & sets[2]
    assert not sets[1] & sets[2]
    assert not any(part.continues for part in parts)
    total = sum(map(len, documents))
    for part, share in zip(parts, (0.8, 0.1, 0.1), strict=True):
        # half of the longest group of equal documents at either end
        assert abs(sum(map(len, part.documents)) - share * total) <= 2 * 45
        assert list(part.documents) == [d for d in documents if d in set(part.documents)]
    assert split_documents(documents, seed=1)[0] == parts
    assert split_documents(documents, seed=2)[0] != parts


@given(st.lists(st.text("abc", min_size=1, max_size=12), min_size=1, max_size=19))
@settings(deadline=None)
def test_contiguous_parts_join_to_the_whole(documents: list[str]) -> None:
    parts, how = split_documents(tuple(documents), seed=0)
    whole, total = "".join(documents), sum(map(len, documents))
    assert "fewer than 20 different documents" in how
    assert "".join(d for part in parts for d in part.documents) == whole
    assert len("".join(parts[0].documents)) == total * 9 // 10
    assert len("".join(parts[1].documents)) == (total - total * 9 // 10) // 2
    # a part continues if it begins inside a document: glueing there gives the documents back
    glued: list[str] = []
    for part in parts:
        pieces = list(part.documents)
        if part.continues:
            glued[-1] += pieces.pop(0)
        glued += pieces
    assert glued == documents


def test_few_or_lopsided_documents_are_cut_in_order() -> None:
    assert "fewer than 20 different" in split_documents(distinct(19) * 2, seed=0)[1]
    assert "80/10/10" in split_documents(distinct(20), seed=0)[1]
    parts, how = split_documents((*distinct(30), "y" * 100_000), seed=0)
    assert "a document too long to draw" in how
    assert parts[2].continues


def test_streams_of_documents_join_again() -> None:
    documents = [
        "ab" * 30,
        "cd" * 30,
        "ef" * 20,
    ]  # 160 characters, cut at 144 and 152, inside the third
    data = open_data(documents, text={"length": 8, "tokeniser": "bytes"})
    encoding = data.encoding
    assert isinstance(encoding, TextEncoding)
    b = encoding.tokeniser.boundary
    assert [int(stream[0]) for stream in data.streams] == [b, ord("f"), ord("f")]
    assert encoding.decode(data.streams[0][None], whole=True) == [
        f"⟨end⟩{documents[0]}⟨end⟩{documents[1]}⟨end⟩" + "ef" * 12
    ]
    assert encoding.tokeniser.decode(held_out_stream(data)) == "f" + "ef" * 8
    many = open_data(list(distinct(60)), text={"length": 8})
    assert all(int(stream[0]) == many.streams[0][0] for stream in many.streams)
    assert torch.equal(held_out_stream(many), torch.cat(many.streams[1:]))
    assert describe(many)["documents"] == 60
    assert describe(data)["documents"] == 3


def test_rows_end_at_the_first_boundary() -> None:
    encoding = TextEncoding(CharacterTokeniser("abé"), 6)
    rows = torch.tensor([[0, 1, 3, 2, 3, 0], [3, 0, 0, 0, 0, 0], [2, 2, 2, 2, 2, 2]])
    assert encoding.decode(rows) == ["ab", "", "éééééé"]
    assert encoding.decode(rows, whole=True) == ["ab⟨end⟩é⟨end⟩a", "⟨end⟩aaaaa", "éééééé"]
    assert TextEncoding(ByteTokeniser(), 2).decode(torch.tensor([[195, 33]])) == ["\ufffd!"]


def test_prompts() -> None:
    encoding = TextEncoding(CharacterTokeniser(" def"), 5)
    found = encoding.parse_given("def ", 3)
    assert found.prefix is not None
    assert found.prefix.tokens.tolist() == [[4, 1, 2, 3, 0]] * 3
    assert found.prefix.length.tolist() == [5, 5, 5]
    empty = encoding.parse_given("", 1).prefix
    assert empty is not None
    assert empty.tokens.tolist() == [[4]]
    with pytest.raises(
        BadInput,
        match=r"a prompt of 5 tokens and the boundary before it: expected at most 5 together",
    ):
        encoding.parse_given("def d", 1)
    with pytest.raises(
        BadInput, match=r"the character 'x' \(U\+0078\) at character 1 of the prompt"
    ):
        encoding.parse_given("dx", 1)


@pytest.mark.parametrize("tokeniser", tokenisers(), ids=repr)
def test_the_dictionary_travels(tokeniser: Tokeniser) -> None:
    encoding = TextEncoding(tokeniser, 16, Policy(documents="lines", text_field="body"))
    record = json.loads(json.dumps(encoding.to_json()))
    again = encoding_from_json(record)
    assert again == encoding
    assert again.space == encoding.space
    with pytest.raises(
        BadInput, match=r"a tokeniser of .* tokens .*as recorded; the record was edited"
    ):
        encoding_from_json({**record, "vocabulary": record["vocabulary"] + 1})
    with pytest.raises(BadInput, match=r"the record was edited"):
        encoding_from_json({**record, "tokeniser": CharacterTokeniser("ab").to_json()})
    with pytest.raises(BadInput, match=r"a text encoding without length, policy"):
        encoding_from_json({k: v for k, v in record.items() if k not in ("policy", "length")})
    with pytest.raises(BadInput, match=r"'policy\.documents=pages'"):
        encoding_from_json({**record, "policy": {"documents": "pages"}})
    for length in (0, "16", None, 2.5, True):
        with pytest.raises(BadInput, match=r"windows of .* tokens: expected"):
            encoding_from_json({**record, "length": length})


def test_the_tokeniser_fits_the_training_text() -> None:
    def kind(text: Any, **options: Any) -> tuple[str, str]:
        data = open_text(text, {"length": 8, **options})
        assert isinstance(data.encoding, TextEncoding)
        return data.encoding.tokeniser.kind, next(note for note in data.notes if "token" in note)

    assert kind("ab\n" * 100) == (
        "characters",
        "the training text has 3 different characters, so tokens are characters",
    )
    many = "".join(chr(0x4E00 + i) for i in range(257)) * 10 + "\n"
    assert kind(many)[0] == "bytes"
    assert "more than 256" in kind(many)[1]
    late = "ab\n" * 100 + "é"
    assert kind(late) == (
        "bytes",
        "validation or test text has characters that training text lacks: 'é' (U+00E9); so tokens are bytes",
    )
    with pytest.raises(
        BadInput,
        match=r"the character 'é' \(U\+00E9\) at character 15 of document 1 of the test split of",
    ):
        open_text(late, {"length": 8, "tokeniser": "characters"})
    assert kind(late, tokeniser="characters", unknown="bytes")[0] == "characters"
    middle = "ab\n" * 92 + "é" + "ab\n" * 8
    assert kind(middle)[0] == "bytes"
    with pytest.raises(BadInput, match=r"'é' .* of the validation split of the given text"):
        open_text(middle, {"length": 8, "tokeniser": "characters"})
    assert (
        kind(late, tokeniser="bpe")[1]
        == "258 tokens by byte-pair encoding of the training text (the text offers no more; 1,024 were asked for)"
    )


def test_a_tokeniser_may_come_from_a_file(tmp_path: Path) -> None:
    bpe = BPETokeniser.trained([STORY], vocabulary=300)
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps(bpe.to_json()["tokenizer"]))
    data = open_text(STORY, {"tokeniser": str(path)})
    assert isinstance(data.encoding, TextEncoding)
    assert data.encoding.tokeniser == bpe
    again = open_data(STORY, text={"tokeniser": "bpe", "vocabulary": 300})
    assert isinstance(again.encoding, TextEncoding)
    assert again.encoding.tokeniser != bpe  # the training part alone was looked at


def test_a_run_opens_its_data_with_its_own_dictionary() -> None:
    data = open_text(
        STORY,
        {"tokeniser": "bpe", "vocabulary": 300, "length": 24, "documents": "paragraphs"},
        seed=3,
    )
    assert isinstance(data.encoding, TextEncoding)
    again = open_data(STORY, encoding=data.encoding, seed=3)
    assert again.fingerprint == data.fingerprint
    assert again.space == data.space
    assert torch.equal(again.test.x, data.test.x)
    shorter = open_data(
        STORY,
        text={"tokeniser": "bpe", "vocabulary": 300, "length": 8, "documents": "paragraphs"},
        seed=3,
    )
    assert shorter.fingerprint == data.fingerprint  # of streams and tokeniser, not of windows
    prints = {
        open_text(STORY, options).fingerprint
        for options in ({}, {"documents": "lines"}, {"tokeniser": "bpe"})
    }
    assert len(prints) == 3
    assert open_text(STORY + "x").fingerprint != open_text(STORY + "y").fingerprint


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"lenght": 8},
            r"unknown key 'text\.lenght': expected a key of text; did you mean 'length'\?",
        ),
        ({"length": 0}, r"'text\.length=0': expected at least 1"),
        (
            {"documents": "pages"},
            r"'text\.documents=pages': expected 'file', 'paragraphs' or 'lines'",
        ),
        ({"tokeniser": "byte"}, r"unknown tokeniser 'byte': .*did you mean 'bytes'\?"),
        ({"tokeniser": "nowhere.json"}, r"no tokeniser at 'nowhere\.json'"),
        ({"vocabulary": 300}, r"vocabulary=300 without tokeniser='bpe'"),
        (
            {"vocabulary": 256, "tokeniser": "bpe"},
            r"'text\.vocabulary=256': expected at least 257",
        ),
        ({"unknown": "bytes"}, r"unknown='bytes' without tokeniser='characters'"),
        (
            {"length": 6_000},
            r"the given text has 5,4\d\d tokens to train on: expected at least one window of 6000",
        ),
    ],
)
def test_options_are_validated(options: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        open_text(STORY[:6_000], options)


def test_too_little_text_and_no_text(tmp_path: Path) -> None:
    with pytest.raises(
        BadInput, match=r"9 characters in the given text: expected enough for a validation split"
    ):
        open_text("some text"[:8] + "\n")
    with pytest.raises(BadInput, match=r"text options for 'two-moons': expected a \.txt"):
        open_data("two-moons", text={"length": 8})
    with pytest.raises(BadInput, match=r"text options for an ndarray: expected"):
        open_data(np.zeros((9, 2)), text={})
    (tmp_path / "a.pdf").write_text("x")
    with pytest.raises(BadInput, match=r"ends in '\.pdf': expected .*\.txt, \.jsonl"):
        open_data(tmp_path / "a.pdf")


def test_description_counts_what_is_there() -> None:
    documents = [f"{i} né\n" for i in range(30)]
    data = open_data(documents, text={"length": 4, "tokeniser": "bytes"})
    record = describe(data)
    characters, size = sum(map(len, documents)), sum(len(d.encode()) for d in documents)
    assert (record["documents"], record["characters"], record["bytes"], record["tokens"]) == (
        30,
        characters,
        size,
        size,
    )
    assert record["distinct characters"] == len(set("".join(documents)))
    assert (record["longest document"], record["vocabulary"], record["bytes per token"]) == (
        6,
        257,
        1.0,
    )
    assert record["train"] == len(data.streams[0]) - 4
    assert "lowest value" not in record
    assert json.loads(json.dumps(record)) == record
    shakespeare: Dataset = open_data("shakespeare", text={"tokeniser": "bpe", "vocabulary": 512})
    record = describe(shakespeare)
    assert (record["documents"], record["characters"], record["longest document"]) == (
        1,
        1_115_394,
        1_115_394,
    )
    assert record["bytes per token"] == round(1_115_394 / record["tokens"], 4) > 1.5


def test_checking_overlapping_windows_looks_at_every_token_once_and_at_all_of_them() -> None:
    """Windows are views of one stream: a check that reduced over them would copy 64 times the text."""
    from pushforward.core.text import _distinct

    stream = torch.arange(40)
    for length, step in ((5, 1), (5, 2), (5, 5), (3, 7), (40, 1), (8, 3)):
        x = stream.unfold(0, length, step)
        seen = _distinct(x)
        assert set(seen.flatten().tolist()) == set(x.flatten().tolist())
        if step < length and len(x) > 1:
            assert seen.dim() == 1
            assert seen.data_ptr() == x.data_ptr()
    rows = stream.unfold(0, 5, 1)[torch.tensor([0, 3])]
    assert set(_distinct(rows).flatten().tolist()) == set(rows.flatten().tolist())
    space = Text(vocabulary=40, length=5, boundary=39)
    for bad in (stream + 1, stream - 1):
        with pytest.raises(BadInput, match="tokens from"):
            space.check(bad.unfold(0, 5, 1))
