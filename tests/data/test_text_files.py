"""Files of plain text under any name: found by their bytes, read in their encoding, with their folders and splits."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from pushforward.core.errors import BadInput
from pushforward.core.space import Points
from pushforward.core.text import Text
from pushforward.data.open import open_data
from pushforward.data.plain import begins_like_text, is_plain
from pushforward.data.points import PointsEncoding
from pushforward.data.text.corpus import Policy, is_text, read_corpus

WORDS = "".join(f"Line {i} of a text that says little: né, über, œuvre.\n" for i in range(60))
REPLACED = Policy(errors="replace")


# utf-16 and utf-32 write a mark of their own, and without one nothing tells gb18030 from others
BARE = ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
MARKED = ("utf-16", "utf-32", *BARE, "gb18030")


@pytest.mark.parametrize(
    ("charset", "marked"), [*((name, True) for name in MARKED), *((name, False) for name in BARE)]
)
def test_text_in_other_encodings_of_unicode_is_read(
    tmp_path: Path, charset: str, marked: bool
) -> None:
    text = WORDS if charset in ("utf-16", "utf-32") or not marked else "\ufeff" + WORDS
    (tmp_path / "a.txt").write_bytes(text.encode(charset))
    for policy in (Policy(), REPLACED):
        found = read_corpus(tmp_path / "a.txt", policy)
        assert found.documents == (WORDS,)
        assert not found.lost
        assert "UTF-8" in found.notes[0]
    assert is_plain(tmp_path / "a.txt")
    # under a name that says nothing it is text as well
    (tmp_path / "a.story").write_bytes(text.encode(charset))
    assert isinstance(open_data(tmp_path / "a.story", text={"length": 8}).space, Text)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        # half of a surrogate pair in the middle
        (b"\xff\xfea\0b\0\x00\xd8c\0d\0", r"is not UTF-16 at byte 6 .*expected UTF-16 throughout"),
        (b"\xff\xfe\0\0a\0\0\0\xff\xff\xff\xffb\0\0\0", r"is not UTF-32 at byte 8 "),
        (
            b"\xdd\x73\x66\x73\x81\x82",
            r"begins like UTF-EBCDIC: expected UTF-8 text; convert it to UTF-8$",
        ),
        (b"\x0e\xfe\xffabc", r"begins like SCSU"),
        (
            b"caf\xe9 \0 x",
            r"is not UTF-8 at byte 3 \(0xe9\): expected UTF-8 text; it holds zero bytes: convert it",
        ),
    ],
)
def test_bytes_of_no_encoding_are_named_and_no_advice_leaves_zeros(
    tmp_path: Path, raw: bytes, said: str
) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(raw)
    with pytest.raises(BadInput, match=said) as refused:
        read_corpus(path)
    if "errors replace" in str(refused.value):
        text = read_corpus(path, REPLACED).documents[0]
        assert "\0" not in text
        assert text.count("\ufffd") == 1


NAMES = (
    "a.md",
    "a.log",
    "a.py",
    "a.fasta",
    "a.srt",
    "a.tex",
    "a.html",
    "a.smi",
    "a.unheard-of",
    "README",
    "news.0012",
    "a.F90",
)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_plain_text_is_text_whatever_its_ending(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(WORDS)
    data = open_data(tmp_path / name)
    assert isinstance(data.space, Text)
    assert any("holds plain text, so it is read as text" in note for note in data.notes)
    assert data.fingerprint == _same(tmp_path).fingerprint


def _same(folder: Path) -> object:
    (folder / "same.txt").write_text(WORDS)
    return open_data(folder / "same.txt")


@pytest.mark.parametrize("inner", ["a.txt", "a.log", "a", "a.jsonl"])
@pytest.mark.parametrize("packing", [".gz", ".bz2", ".xz", ".zip"])
def test_packed_texts(tmp_path: Path, inner: str, packing: str) -> None:
    raw = (json.dumps({"text": WORDS}) + "\n" if inner.endswith("l") else WORDS).encode()
    if packing == ".zip":
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w") as archive:
            archive.writestr(inner, raw)
        packed = held.getvalue()
    else:
        packed = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}[packing](raw)
    path = tmp_path / (inner + packing)
    path.write_bytes(packed)
    assert is_text(path)
    found = read_corpus(path)
    assert (found.documents, found.name) == ((WORDS,), "a")
    assert isinstance(open_data(path).space, Text)


def test_what_is_no_text_is_none(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    held = io.BytesIO()
    Pillow.fromarray(np.zeros((4, 4), dtype=np.uint8)).save(held, format="PNG")
    for i, raw in enumerate(
        (
            held.getvalue(),
            rng.integers(0, 256, 999, dtype=np.uint8).tobytes(),
            rng.normal(size=99).tobytes(),
            rng.integers(0, 300, 500)
            .astype("<i2")
            .tobytes(),  # every other byte is nearly always 0
            rng.integers(0, 200, 500).astype(">i4").tobytes(),
            b"%PDF-1.4\n1 0 obj\n",
            b"{\\rtf1 words}",
            gzip.compress(held.getvalue()),
        )
    ):
        path = tmp_path / (f"{i}.gz" if raw[:2] == b"\x1f\x8b" else f"{i}.bin")
        path.write_bytes(raw)
        assert not is_plain(path)
        assert not is_text(path)
    (tmp_path / "broken.gz").write_bytes(gzip.compress(WORDS.encode())[:30])
    assert not is_text(tmp_path / "none.md")
    assert not begins_like_text(b"\x00\x01")
    # one byte a letter, of another alphabet: text, and refused with its byte only when it is read
    (tmp_path / "russian.log").write_bytes(
        "слова другой азбуки, и ещё слова\n".encode("koi8-r") * 20
    )
    with pytest.raises(BadInput, match=r"russian\.log is not UTF-8 at byte 0 .*errors replace"):
        open_data(tmp_path / "russian.log")


def test_data_that_happen_to_be_text_are_text_if_asked(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n" + "".join(f"{i},w{i % 3}\n" for i in range(90)))
    assert not is_text(tmp_path / "a.csv")
    data = open_data(tmp_path / "a.csv", kind="text")
    assert isinstance(data.space, Text)
    encoding = data.encoding
    assert encoding is not None
    # the run reads its own data again without being told
    assert open_data(tmp_path / "a.csv", encoding=encoding).fingerprint == data.fingerprint
    (tmp_path / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)))
    with pytest.raises(BadInput, match=r"is not UTF-8"):
        open_data(tmp_path / "b.png", kind="text")


def test_folders_of_plain_text_of_any_ending(tmp_path: Path) -> None:
    for i in range(6):
        (tmp_path / f"m{i}.py").write_text(f"x = {i}\n")
    for name in ("README.md", "LICENSE", "setup.cfg"):
        (tmp_path / name).write_text("words\n")
    (tmp_path / "logo.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    assert is_text(tmp_path)
    found = read_corpus(tmp_path)
    assert found.documents == tuple(f"x = {i}\n" for i in range(6))
    assert found.notes == ("a folder of 6 .py files, a document each, in order of their names",)
    assert found.lost == (
        "what is in no .py file, in 4 files: LICENSE, README.md, logo.png, setup.cfg"
        " (-s data.endings=py,cfg,md reads texts of these endings too)",
    )
    more = read_corpus(tmp_path, Policy(endings="md, .py"))
    assert len(more.documents) == 7
    assert more.lost == ("what is in files of other endings, 3: LICENSE, logo.png, setup.cfg",)
    data = open_data(tmp_path, text={"endings": "md,py", "length": 4})
    assert data.encoding is not None
    assert open_data(tmp_path, encoding=data.encoding).fingerprint == data.fingerprint
    with pytest.raises(BadInput, match=r"expected files that end in \.rst; it holds none"):
        read_corpus(tmp_path, Policy(endings="rst"))


def test_files_numbered_like_news_are_one_kind(tmp_path: Path) -> None:
    for i in range(5):
        (tmp_path / f"{49960 + i}").write_text(f"news {i}")
        (tmp_path / f"article.{i:04d}").write_text(f"article {i}")
    found = read_corpus(tmp_path)
    assert len(found.documents) == 10
    assert is_text(tmp_path)


def test_folders_of_json_lines(tmp_path: Path) -> None:
    for i in range(2):
        rows = [{"text": f"part {i}, text {j}", "about": j} for j in range(3)]
        (tmp_path / f"part-{i}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert is_text(tmp_path)
    found = read_corpus(tmp_path)
    assert found.documents == tuple(f"part {i}, text {j}" for i in range(2) for j in range(3))
    assert found.lost == ("the other fields of its lines: about",)
    assert read_corpus(tmp_path, Policy(context_field="about")).contexts == ("0", "1", "2") * 2
    for old, new in (("part-0", "train"), ("part-1", "test")):
        (tmp_path / f"{old}.jsonl").rename(tmp_path / f"{new}.jsonl")
    assert read_corpus(tmp_path).roles == (2, 2, 2, 0, 0, 0)


@pytest.mark.parametrize(
    "others",
    [
        {"a.png": b"\x89PNG\r\n\x1a\n\0", "b.png": b"\x89PNG\r\n\x1a\n\0"},
        {"photo.heic": b"\0\0\0\x18ftypheic"},
        {"table.csv": b"a,b\n1,2\n"},
        {"x.npz": b"PK\3\4\0\0"},
        {"weights.bin": b"\0\1\2\3"},
    ],
)
def test_a_readme_makes_no_folder_of_texts(tmp_path: Path, others: dict[str, bytes]) -> None:
    (tmp_path / "README.md").write_text("about these data")
    for name, raw in others.items():
        (tmp_path / name).write_bytes(raw)
    assert not is_text(tmp_path)


def _reviews(folder: Path, n: int = 12) -> Path:
    for name in ("neg", "pos"):
        (folder / name).mkdir(parents=True)
        for i in range(n):
            (folder / name / f"{i}.txt").write_text(
                f"a {'good' if name == 'pos' else 'bad'} film, number {i}"
            )
    return folder


def test_sub_folders_of_texts_are_said_and_can_be_what_texts_are_about(tmp_path: Path) -> None:
    data = open_data(_reviews(tmp_path / "films"), text={"length": 8})
    assert (
        "2 sub-folders (neg, pos), and texts have no labels: all are modelled as one kind"
        in data.notes
    )
    assert data.lost == (
        "in which of 2 sub-folders (neg, pos) a text lies: -s data.context=label models each text given the name of its own",
    )
    given = open_data(tmp_path / "films", text={"length": 8, "context": "label"})
    assert given.context is not None
    assert not given.lost
    found = read_corpus(tmp_path / "films", Policy(context_field="label"))
    assert found.contexts == ("neg",) * 12 + ("pos",) * 12
    assert found.documents[0] == "a bad film, number 0"
    # one class alone is told by the folder around it
    (tmp_path / "more").mkdir()
    (tmp_path / "films" / "pos").rename(tmp_path / "more" / "pos")
    assert set(read_corpus(tmp_path / "more", Policy(context_field="label")).contexts) == {"pos"}
    for field in ("label", "about"):
        with pytest.raises(
            BadInput, match=rf"contexts from .*: expected a \.jsonl with a field '{field}'"
        ):
            read_corpus(tmp_path / "more" / "pos", Policy(context_field=field))


def test_splits_above_sub_folders_of_texts(tmp_path: Path) -> None:
    for split in ("train", "test"):
        _reviews(tmp_path / split, 4)
    found = read_corpus(tmp_path, Policy(context_field="label"))
    assert found.contexts == (("neg",) * 4 + ("pos",) * 4) * 2
    assert found.roles == (2,) * 8 + (0,) * 8
    assert "in which of 2 sub-folders" in read_corpus(tmp_path).lost[0]
    (tmp_path / "train" / "alone.txt").write_text("in no class")
    assert read_corpus(tmp_path).lost == (
        "in which of 2 sub-folders (neg, pos) a text lies: some lie in none",
    )
    with pytest.raises(BadInput, match=r"1 text of .* in no sub-folder"):
        read_corpus(tmp_path, Policy(context_field="label"))


def test_files_named_like_splits_are_called_files(tmp_path: Path) -> None:
    for name in ("train", "valid", "test"):
        (tmp_path / f"{name}.txt").write_text(WORDS)
    notes = open_data(tmp_path).notes
    assert "the names of the files define the split: test.txt, train.txt, valid.txt" in notes
    assert not any("the folders" in note for note in notes)


def test_a_text_of_one_character_is_said_in_grammar() -> None:
    assert any(
        note == "the training text has one character over and over, so tokens are characters"
        for note in open_data("a" * 4400).notes
    )


@pytest.mark.parametrize("name", ["xy.txt", "xy.dat", "xy.asc.gz"])
def test_rows_of_numbers_are_seen_and_open_as_points(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    x = np.random.default_rng(0).normal(size=(80, 2))
    np.savetxt(path, x, header="" if name.endswith("t") else "from a program")
    if name == "xy.txt":
        said = "each line holds 2 numbers: -s data.kind=points reads rows of numbers, data.kind=table a table"
        assert said in open_data(path).notes
    else:
        with pytest.raises(
            BadInput, match=r"holds rows of 2 numbers, .*say -s data\.kind=points, table or text"
        ):
            open_data(path)
    assert isinstance(open_data(path, kind="text").space, Text)
    data = open_data(path, kind="points")
    assert data.space == Points(2)
    every = np.concatenate([part.x.numpy() for part in (data.train, data.validation, data.test)])
    assert np.allclose(np.sort(every[:, 0]), np.sort(x[:, 0]))
    assert isinstance(data.encoding, PointsEncoding)
    assert open_data(path, encoding=data.encoding).fingerprint == data.fingerprint
    assert len(data.encoding.read(path).x) == 80
    assert open_data(path, kind="table").space.kind == "table"


def test_options_of_text_beside_another_kind_are_refused(tmp_path: Path) -> None:
    np.savetxt(tmp_path / "xy.txt", np.random.default_rng(0).normal(size=(80, 2)))
    for kind in ("points", "table"):
        with pytest.raises(
            BadInput,
            match=rf"data\.length, an option of text, and data\.kind={kind}: expected one of them",
        ):
            open_data(tmp_path / "xy.txt", kind=kind, text={"length": 8})
