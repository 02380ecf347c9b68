"""Tokenisers: what goes in comes out, and every byte is counted once."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import pre_tokenizers
from transformers import PreTrainedTokenizerFast

from pushforward.core.errors import BadInput
from pushforward.data.text import bpe as bpe_module
from pushforward.data.text.bpe import BPETokeniser
from pushforward.data.text.corpus import builtin_text
from pushforward.data.text.tokeniser import ByteTokeniser, CharacterTokeniser, Tokeniser
from pushforward.data.text.tokenisers import tokeniser_from_json

SAMPLE = [
    "the cat sat on the mat, the cat's hat — naïve café\n" * 5,
    "a  b\t\tc\r\n" * 9,
    "日本語のテキスト " * 7,
]
BPE = BPETokeniser.trained(SAMPLE, vocabulary=300)
SPELLING = CharacterTokeniser.of(SAMPLE, unknown="bytes")
EVERYTHING: list[Tokeniser] = [ByteTokeniser(), SPELLING, BPE]
ALPHABET = CharacterTokeniser.of(SAMPLE)
# all of Unicode but surrogates, which UTF-8 cannot hold
anything = st.text(st.characters(exclude_categories=("Cs",)))


@given(st.binary())
@settings(deadline=None)
def test_bytes_come_back_from_bytes_and_byte_level_tokens(data: bytes) -> None:
    for tokeniser in (ByteTokeniser(), BPE):
        ids = tokeniser.encode(data)
        assert tokeniser.decode_bytes(ids) == data
        assert int(tokeniser.token_bytes[ids].sum()) == len(data)
        assert tokeniser.boundary not in ids.tolist()


@given(anything)
@settings(deadline=None)
def test_any_text_comes_back_and_its_bytes_are_counted(text: str) -> None:
    for tokeniser in EVERYTHING:
        ids = tokeniser.encode(text)
        assert tokeniser.decode(ids) == text
        assert int(tokeniser.token_bytes[ids].sum()) == len(text.encode())


@given(st.text(st.sampled_from(ALPHABET.characters)))
@settings(deadline=None)
def test_text_in_the_alphabet_comes_back(text: str) -> None:
    ids = ALPHABET.encode(text)
    assert ids.tolist() == [
        ALPHABET.characters.index(character) for character in text
    ]  # the definition
    assert ALPHABET.decode(ids) == text
    assert int(ALPHABET.token_bytes[ids].sum()) == len(text.encode())


@pytest.mark.parametrize("tokeniser", [*EVERYTHING, ALPHABET], ids=repr)
def test_boundary_is_last_and_stands_for_nothing(tokeniser: Tokeniser) -> None:
    assert tokeniser.boundary == tokeniser.vocabulary - 1
    assert int(tokeniser.token_bytes[tokeniser.boundary]) == 0
    assert tokeniser.token_bytes.dtype == torch.int64
    assert len(tokeniser.token_bytes) == tokeniser.vocabulary
    assert int((tokeniser.token_bytes == 0).sum()) == 1
    again = tokeniser_from_json(json.loads(json.dumps(tokeniser.to_json())))
    assert again == tokeniser
    assert again.fingerprint == tokeniser.fingerprint
    assert again.pieces == tokeniser.pieces
    with pytest.raises(BadInput, match=r"tokens from -1 to -1: expected 0 to"):
        tokeniser.decode([-1])
    with pytest.raises(
        BadInput, match=r"half a surrogate pair \(U\+D800\) at character 1 of the text"
    ):
        tokeniser.encode("a\ud800")


def test_different_tokenisers_differ() -> None:
    prints = [
        t.fingerprint
        for t in (*EVERYTHING, ALPHABET, CharacterTokeniser("ab"), CharacterTokeniser("ac"))
    ]
    assert len(set(prints)) == len(prints)
    assert CharacterTokeniser("ab") != CharacterTokeniser("ac")
    assert len({CharacterTokeniser("ab"), CharacterTokeniser("ab")}) == 1


def test_unknown_characters_are_named_or_spelled() -> None:
    with pytest.raises(
        BadInput,
        match=r"the character 'é' \(U\+00E9\) at character 3 of the prompt: expected one of the 3 ",
    ):
        CharacterTokeniser("abc").encode("abcé", "the prompt")
    # the character after the last of the alphabet, and one before the first
    for character in "d@":
        with pytest.raises(BadInput, match=rf"'{character}'"):
            CharacterTokeniser("abc").encode(character)
    with pytest.raises(BadInput, match=r"is not UTF-8 at byte 1"):
        CharacterTokeniser("abc").encode(b"a\xff")
    spelling = CharacterTokeniser("abc", unknown="bytes")
    assert spelling.vocabulary == 3 + 256 + 1
    assert spelling.encode("aé€c").tolist() == [0, *(3 + b for b in "é€".encode()), 2]
    for bad in ("", "ba", "aa"):
        with pytest.raises(BadInput, match=r"an alphabet of"):
            CharacterTokeniser(bad)


@pytest.mark.parametrize("edited", [{"characters": 3}, {"unknown": "guess"}, {"characters": None}])
def test_edited_records_are_refused(edited: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match=r"without its alphabet"):
        tokeniser_from_json({**ALPHABET.to_json(), **edited})
    with pytest.raises(BadInput, match=r"a tokeniser of kind 'word'"):
        tokeniser_from_json({"kind": "word"})
    with pytest.raises(BadInput, match=r"no byte-pair encoding"):
        tokeniser_from_json({"kind": "bpe"})


def test_encoding_is_fast() -> None:
    text = builtin_text("shakespeare")
    for tokeniser in (CharacterTokeniser.of([text]), ByteTokeniser()):
        tokeniser.encode("a")
        started = time.perf_counter()
        assert len(tokeniser.encode(text)) == 1_115_394
        assert time.perf_counter() - started < 0.2


def test_stand_ins_are_those_of_the_library() -> None:
    assert set(bpe_module._stand_ins()) == set(pre_tokenizers.ByteLevel.alphabet())
    # in order of the bytes: the library's own pre-tokeniser says what stands for each character below 128
    level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    for byte in range(128):
        assert level.pre_tokenize_str(chr(byte))[0][0] == bpe_module._stand_ins()[byte]
    for text in ("é", "ÿ", "€", "\u00ad", "\U0010ffff"):
        assert level.pre_tokenize_str(text)[0][0] == "".join(
            bpe_module._stand_ins()[b] for b in text.encode()
        )


def test_training_is_deterministic_even_in_another_process() -> None:
    code = (
        "import sys; sys.path.insert(0, 'src')\n"
        "from pushforward.data.text.bpe import BPETokeniser\n"
        f"print(BPETokeniser.trained({SAMPLE!r}, vocabulary=300).fingerprint)"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root
    )
    assert (
        done.stdout.strip()
        == BPETokeniser.trained(SAMPLE, vocabulary=300).fingerprint
        == BPE.fingerprint
    )
    assert BPE.vocabulary == 300
    assert (
        BPETokeniser.trained(["ab"], vocabulary=300).vocabulary == 257
    )  # a pair seen once is not worth a token
    with pytest.raises(BadInput, match=r"vocabulary=256: expected at least 257"):
        BPETokeniser.trained(SAMPLE, vocabulary=256)


def test_trained_tokens_are_those_of_transformers(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text(json.dumps(BPE.to_json()["tokenizer"]))
    theirs = PreTrainedTokenizerFast(tokenizer_file=str(tmp_path / "tokenizer.json"))
    opened = BPETokeniser.opened(tmp_path / "tokenizer.json")
    for text in SAMPLE:
        assert opened.encode(text).tolist() == theirs.encode(text, add_special_tokens=False)
    assert opened == BPE


def test_long_documents_are_encoded_in_parts_without_a_seam(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # runs of spaces are words of their own, which a part must not cut
    text = builtin_text("shakespeare")[:300_000].replace("e ", "e   ").replace(", ", " ,  ")
    bpe = BPETokeniser.trained([text[:100_000]], vocabulary=600)
    whole = bpe._backend.encode(text, add_special_tokens=False).ids
    for part in (100, 1 << 16):
        monkeypatch.setattr(bpe_module, "PART", part)
        assert bpe.encode(text).tolist() == whole


def test_words_for_training_are_those_of_whole_documents() -> None:
    text = builtin_text("shakespeare")[:50_000] + "  x \n\n  y\t z"
    words = list(bpe_module._words([text]))
    assert "".join(words) == text
    level = pre_tokenizers.ByteLevel(add_prefix_space=False)
    whole = [piece for piece, _ in level.pre_tokenize_str(text)]
    assert [piece for word in words for piece, _ in level.pre_tokenize_str(word)] == whole


def test_one_enormous_word_is_not_quadratic() -> None:
    started = time.perf_counter()
    bpe = BPETokeniser.trained(["abcdefgh" * 40_000], vocabulary=280)
    text = "abcdefgh" * 40_000 + "é"
    assert bpe.decode(bpe.encode(text)) == text
    assert time.perf_counter() - started < 10


def test_special_tokens_in_a_text_are_text() -> None:
    record = json.loads(json.dumps(BPE.to_json()["tokenizer"]))
    record["added_tokens"] = [
        added("<|endoftext|>", 299, special=True),
        added("<tag>", 300, special=False),
    ]
    opened = BPETokeniser(record)
    assert opened.vocabulary == 302
    ids = opened.encode("a<|endoftext|>b<tag>c")
    assert 299 not in ids.tolist()
    assert 300 in ids.tolist()
    assert opened.decode(ids) == "a<|endoftext|>b<tag>c"
    assert opened.pieces[299] == b""


def added(content: str, i: int, special: bool) -> dict[str, Any]:
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    return {"id": i, "content": content, "special": special, **flags}


def test_tokenisers_that_change_text_are_refused(tmp_path: Path) -> None:
    def edit(**changes: Any) -> dict[str, Any]:
        return {**json.loads(json.dumps(BPE.to_json()["tokenizer"])), **changes}

    model = edit()["model"]
    with pytest.raises(BadInput, match=r"with a normaliser \(Lowercase\): expected none"):
        BPETokeniser(edit(normalizer={"type": "Lowercase"}))
    with pytest.raises(BadInput, match=r"dropout 0\.1"):
        BPETokeniser(edit(model={**model, "dropout": 0.1}))
    with pytest.raises(BadInput, match=r"no byte-pair encoding"):
        BPETokeniser(edit(model={"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"}))
    few = {token: i for token, i in model["vocab"].items() if token != "Ā"}
    with pytest.raises(BadInput, match=r"without tokens for 1 of the 256 bytes"):
        BPETokeniser(edit(model={**model, "vocab": few}))
    with pytest.raises(BadInput, match=r"the token '▁the'"):
        BPETokeniser(edit(model={**model, "vocab": {**model["vocab"], "▁the": 299}}))
    with pytest.raises(BadInput, match=r"cannot be loaded"):
        BPETokeniser(edit(model={**model, "merges": [["no", "such"]]}))
    # what no look at the record would find is found when the encoding is decoded
    space = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}
    with pytest.raises(BadInput, match=r"a tokeniser that changes the text"):
        BPETokeniser(edit(pre_tokenizer=space)).encode("hello")
    with pytest.raises(BadInput, match=r"no tokeniser at '.*nowhere\.json'"):
        BPETokeniser.opened(tmp_path / "nowhere.json")
    (tmp_path / "bad.json").write_bytes(b"\xff{")
    with pytest.raises(BadInput, match=r"bad\.json is no JSON"):
        BPETokeniser.opened(tmp_path / "bad.json")
