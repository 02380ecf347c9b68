"""Reading text: documents are where the policy says, nothing is changed in silence, and bad input gets one clear sentence."""

from __future__ import annotations

import gzip
import hashlib
import json
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from pushforward.core.errors import BadInput
from pushforward.data.text.corpus import Policy, builtin_text, is_text, read_corpus

LINES, PARAGRAPHS = Policy(documents="lines"), Policy(documents="paragraphs")


def test_a_file_is_a_document_unless_the_policy_cuts_it(tmp_path: Path) -> None:
    path = tmp_path / "story.txt"
    path.write_bytes("One.\nTwo é.\n\n \n\nThree.\n\nFour.".encode())
    whole = read_corpus(path)
    assert whole.documents == ("One.\nTwo é.\n\n \n\nThree.\n\nFour.",)
    assert (whole.name, whole.origin, whole.notes) == ("story", str(path), ())
    assert read_corpus(path, LINES).documents == ("One.", "Two é.", " ", "Three.", "Four.")
    cut = read_corpus(str(path), PARAGRAPHS)
    assert cut.documents == ("One.\nTwo é.", "Three.", "Four.")
    assert cut.notes == (
        "every paragraph is a document; what separates them belongs to none and counts no bytes",
    )


def test_marks_and_windows_line_ends_are_kept_and_said(tmp_path: Path) -> None:
    path = tmp_path / "dos.txt"
    path.write_bytes(b"\xef\xbb\xbfone\r\ntwo\r\n")
    corpus = read_corpus(path)
    assert corpus.documents[0].encode() == b"\xef\xbb\xbfone\r\ntwo\r\n"
    assert corpus.notes == (
        "a byte order mark begins 1 document; it is kept (3 bytes)",
        "Windows line ends in 1 document are kept (2 bytes each)",
    )
    assert read_corpus(path, LINES).documents == ("\ufeffone", "two")
    # Python would translate these on reading; other line breaks are characters like any other
    path.write_bytes("a\rb\u2028c\x0cd".encode())
    assert read_corpus(path, LINES).documents == ("a\rb\u2028c\x0cd",)


def test_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "notes.jsonl"
    rows = [{"text": "one\ntwo"}, {"text": ""}, {"text": "dr\u2028ei", "id": 3}]
    path.write_text(
        "\n\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n", encoding="utf-8"
    )
    corpus = read_corpus(path)
    assert corpus.documents == ("one\ntwo", "dr\u2028ei")
    assert corpus.notes == (
        "3 JSON lines, the field 'text' of each a document",
        "1 empty document left out",
    )
    assert corpus.lost == ("the other fields of its lines: id", "1 empty document")
    path.write_text('{"body": "x"}\n', encoding="utf-8-sig")
    assert read_corpus(path, Policy(text_field="body")).documents == ("x",)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "{'text': 1}",
            r"line 2 of .*a\.jsonl is no JSON \(.*\): expected one JSON object a line; repair that line",
        ),
        ('{"text": "x"', r"line 2 of .* is no JSON"),
        ("[" * 100_000, r"line 2 of .* is no JSON \(nested too deeply\)|line 2 of .* is no JSON"),
        ("[1]", r"line 2 of .* is a list: expected a JSON object"),
        ('{"txt": "x"}', r"line 2 of .* has no field 'text': expected .*; did you mean 'txt'\?"),
        ("{}", r"line 2 of .* has no field 'text': .*it has no fields"),
        ('{"text": 5}', r"'text' in line 2 of .* is a number: expected a string"),
        ('{"text": "\\ud83d"}', r"half a surrogate pair \(U\+D83D\) at character 0 of line 2 of"),
    ],
)
def test_bad_json_lines_are_named(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "fine"}\n' + line + "\n")
    with pytest.raises(BadInput, match=said):
        read_corpus(path)


def test_bytes_that_are_no_utf8(tmp_path: Path) -> None:
    path = tmp_path / "bad.txt"
    path.write_bytes("é".encode() + b"ok\xff\xfe, and \xef\xbf\xbd itself, \xf0\x9f end")
    with pytest.raises(
        BadInput, match=r"bad\.txt is not UTF-8 at byte 4 \(0xff\): expected UTF-8 text; convert it"
    ):
        read_corpus(path)
    corpus = read_corpus(path, Policy(errors="replace"))
    assert corpus.documents == ("éok\ufffd\ufffd, and \ufffd itself, \ufffd end",)
    assert corpus.notes == ("as asked, U+FFFD replaces bytes that are no UTF-8: 3 times",)


def test_folders_of_text(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name, text in (
        ("b.txt", "two"),
        ("a.txt", "one"),
        ("sub/c.TXT", "three"),
        (".hidden.txt", "no"),
        ("d.md", "no"),
    ):
        (tmp_path / name).write_text(text)
    (tmp_path / "e.txt").write_text("")
    corpus = read_corpus(tmp_path)
    assert corpus.documents == ("one", "two", "three")
    assert corpus.notes == (
        "a folder of 4 text files, a document each, in order of their names",
        "hidden or left behind by programs, so left out: .hidden.txt",
        "1 empty document left out",
    )
    assert is_text(tmp_path)
    for name in "uvwxyz":
        Pillow.fromarray(np.zeros((2, 2), dtype=np.uint8)).save(tmp_path / "sub" / f"{name}.png")
    assert not is_text(tmp_path)  # a folder of images with readmes
    (tmp_path / "empty").mkdir()
    assert not is_text(tmp_path / "empty")
    with pytest.raises(
        BadInput, match=r"empty: expected files that end in \.txt, or others of plain text; it"
    ):
        read_corpus(tmp_path / "empty")
    (tmp_path / "idx").mkdir()
    (tmp_path / "idx" / "readme.txt").write_text("about")
    (tmp_path / "idx" / "train-images-idx3-ubyte.gz").write_bytes(b"")
    assert not is_text(tmp_path / "idx")


def test_strings_and_what_is_text(tmp_path: Path) -> None:
    assert read_corpus("one\ntwo").documents == ("one\ntwo",)
    assert read_corpus("x" * 300).documents == ("x" * 300,)
    assert read_corpus(["one", "", "two"]).notes == (
        "3 strings, a document each",
        "1 empty document left out",
    )
    assert is_text(tmp_path / "not there.jsonl")
    for other in ("digits", "data.csv", 3, [1, 2], [], np.zeros(3), ("a", "b"), tmp_path):
        assert not is_text(other)
    with pytest.raises(
        BadInput, match=r"no text at 'nowhere': expected an existing file or folder; .*\[text\]"
    ):
        read_corpus("nowhere")
    with pytest.raises(BadInput, match=r"text of type int: expected a path, a string"):
        read_corpus(3)
    with pytest.raises(
        BadInput,
        match=r"half a surrogate pair \(U\+D800\) at character 1 of string 1 of the given text",
    ):
        read_corpus(["fine", "a\ud800"])


@pytest.mark.parametrize("content", [b"", b" \n\t\r\n ", b"\n"])
def test_nothing_to_read(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "nothing.txt"
    path.write_bytes(content)
    with pytest.raises(
        BadInput, match=r"nothing\.txt (is empty|holds nothing but white space): expected some text"
    ):
        read_corpus(path)
    (tmp_path / "nothing.jsonl").write_bytes(b"\n\n")
    for source in ([], ["", ""], "", tmp_path / "nothing.jsonl"):
        with pytest.raises(BadInput, match=r"is empty: expected some text"):
            read_corpus(source)


def test_enormous_lines_are_read_in_linear_time(tmp_path: Path) -> None:
    # 4 MB each: what separates paragraphs is searched for once, even where white space nearly matches
    started = time.perf_counter()
    for text in ("x" * 4_000_000, "\n" + " \t" * 2_000_000 + "x", "\r\n \n" * 1_000_000 + "x"):
        (tmp_path / "long.txt").write_text(text, newline="")
        for policy in (Policy(), LINES, PARAGRAPHS):
            assert read_corpus(tmp_path / "long.txt", policy).documents[-1].endswith("x")
    assert time.perf_counter() - started < 10


def test_the_built_in_text_is_the_published_file() -> None:
    text = builtin_text("shakespeare")
    digest = hashlib.sha256(text.encode()).hexdigest()
    assert digest == "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"
    folder = Path(__file__).resolve().parents[2] / "src" / "pushforward" / "data" / "text"
    assert digest in (folder / "shakespeare.md").read_text()  # the credit lies beside it
    packed = (folder / "shakespeare.txt.gz").read_bytes()
    assert len(packed) < 500_000
    assert gzip.decompress(packed).decode() == text
