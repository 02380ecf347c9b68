"""Sampled texts are written in the form of the files they were learned from, and are read back as they were."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from pushforward.app.writing.using import said_of_file
from pushforward.core.errors import BadInput
from pushforward.data.encoding import encoding_from_json
from pushforward.data.formats.format import Samples
from pushforward.data.open import open_data
from pushforward.data.text.corpus import read_corpus
from pushforward.data.text.encoding import TextEncoding
from pushforward.data.text.policy import Form, Policy
from pushforward.data.write import write_samples

NAMES = [f"name {i} né" for i in range(60)]
OPTIONS = {"length": 4, "tokeniser": "bytes"}


def encoding_for(path: Path, raw: bytes, **options: object) -> TextEncoding:
    """Return the dictionary of a run on a file, as it comes out of the run directory."""
    path.write_bytes(raw)
    found = open_data(path, text={**OPTIONS, **options}).encoding
    assert found is not None
    again = encoding_from_json(json.loads(json.dumps(found.to_json())))
    assert isinstance(again, TextEncoding)
    return again


@pytest.mark.parametrize("charset", ["utf-8", "utf-16", "utf-32", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_come_back_as_lines_of_the_same_kind(tmp_path: Path, end: str, charset: str) -> None:
    raw = "".join(name + end for name in NAMES).encode(charset)
    encoding = encoding_for(tmp_path / "names.txt", raw, documents="lines")
    write_samples(tmp_path / "s.txt", Samples(shown=NAMES, encoding=encoding))
    # the same lines are the same bytes: a mark, the line ends, the end of the last line
    assert (tmp_path / "s.txt").read_bytes() == raw
    assert not said_of_file(Samples(shown=NAMES, encoding=encoding), tmp_path / "s.txt")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("documents", ["paragraphs", "file"])
def test_texts_are_set_apart_by_empty_lines_of_the_same_kind(
    tmp_path: Path, documents: str, end: str
) -> None:
    poems = [f"line {i}{end}and one more" for i in range(40)]
    encoding = encoding_for(tmp_path / "p.txt", (2 * end).join(poems).encode(), documents=documents)
    write_samples(tmp_path / "s.txt", Samples(shown=poems[:3], encoding=encoding))
    assert (tmp_path / "s.txt").read_bytes() == ((2 * end).join(poems[:3]) + end).encode()
    assert read_corpus(tmp_path / "s.txt", Policy(documents="paragraphs")).documents[:2] == tuple(
        poems[:2]
    )


@pytest.mark.parametrize(
    ("documents", "texts", "said"),
    [
        (
            "file",
            ["one", "two\n\nthree"],
            "some texts hold empty lines, so s.txt does not say where each ends",
        ),
        ("file", ["one", "two\r\n \t\r\nthree"], "empty lines"),
        ("paragraphs", ["one\n\n\n\ntwo", "x"], "empty lines"),
        ("lines", ["one", "two\nthree"], "line ends"),
        ("lines", ["two\nthree"], "line ends"),
        ("file", ["one\n", "two\nthree\n", ""], ""),
        ("file", ["alone\n\nin its file"], ""),
        ("lines", ["one", "", "two"], ""),
    ],
)
def test_texts_that_run_together_are_told_and_how_to_keep_them_apart(
    tmp_path: Path, documents: str, texts: list[str], said: str
) -> None:
    encoding = encoding_for(
        tmp_path / "a.txt", "".join(f"{name}\n" for name in NAMES).encode(), documents=documents
    )
    drawn = Samples(shown=texts, encoding=encoding)
    found = said_of_file(drawn, "s.txt")
    assert said in found
    assert bool(said) == bool(found)
    if said:
        assert "-o s.jsonl or -o s/ (a file each)" in found
    # both of what is advised keep them
    for name in ("s.jsonl", "s/"):
        assert not said_of_file(drawn, name)
        write_samples(f"{tmp_path}/{name}", Samples(shown=texts, encoding=encoding))
    rows = [
        json.loads(line)
        for line in (tmp_path / "s.jsonl").read_bytes().decode().split("\n")
        if line
    ]
    assert rows == [{"text": text} for text in texts]
    files = sorted((tmp_path / "s").iterdir())
    assert [path.name for path in files] == [f"{i:05d}.txt" for i in range(len(texts))]
    ended = [text if text.endswith("\n") or not text else text + "\n" for text in texts]
    assert [path.read_bytes().decode() for path in files] == ended


def test_files_of_another_ending_and_field_come_back_under_it(tmp_path: Path) -> None:
    encoding = encoding_for(
        tmp_path / "notes.md.gz", gzip.compress("".join(f"{n}\n" for n in NAMES).encode())
    )
    assert encoding.form == Form(ending=".md")
    for name in ("s.md", "s.txt"):
        write_samples(tmp_path / name, Samples(shown=["one", "two"], encoding=encoding))
        assert (tmp_path / name).read_bytes() == b"one\n\ntwo\n"
    write_samples(tmp_path / "s", Samples(shown=["one"], encoding=encoding))
    assert (tmp_path / "s" / "00000.md").read_bytes() == b"one\n"
    with pytest.raises(
        BadInput,
        match=r"s\.rst: expected a name that ends in \.txt, \.md or \.jsonl; .*s/, makes a folder",
    ):
        write_samples(tmp_path / "s.rst", Samples(shown=["one"], encoding=encoding))
    raw = "".join(json.dumps({"body": name}) + "\n" for name in NAMES).encode()
    encoding = encoding_for(tmp_path / "a.ndjson", raw, text_field="body")
    write_samples(tmp_path / "s.ndjson", Samples(shown=NAMES[:2], encoding=encoding))
    assert read_corpus(tmp_path / "s.ndjson", encoding.policy).documents == tuple(NAMES[:2])
    write_samples(tmp_path / "t", Samples(shown=NAMES[:1], encoding=encoding))
    assert [path.name for path in (tmp_path / "t").iterdir()] == ["00000.txt"]


def test_runs_from_before_forms_write_plain_files(tmp_path: Path) -> None:
    encoding = encoding_for(tmp_path / "a.txt", "\r\n".join(NAMES).encode())
    record = encoding.to_json()
    del record["form"]
    assert TextEncoding.from_json(record).form == Form()
    assert encoding.form == Form(line_end="\r\n")
