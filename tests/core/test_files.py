"""One file: whole, or what it was, whatever interrupts its writing; and the sentence says what would help."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from faults import MIDDLE, failing_disk
from pushforward.core.errors import BadInput, RunFailed
from pushforward.core.files import (
    append_line,
    fill,
    going_on,
    new_folder,
    remove_file,
    require_writable,
    write_bytes,
)
from pushforward.engine.history import read_history


@pytest.mark.parametrize("moment", range(3))
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EFBIG])
def test_the_middle_of_a_write_a_flush_and_a_rename(
    tmp_path: Path, moment: int, number: int
) -> None:
    file = tmp_path / "x"
    file.write_bytes(b"older")
    with (
        failing_disk(tmp_path, moment, number, MIDDLE) as disk,
        pytest.raises(RunFailed, match="could not write"),
    ):
        write_bytes(file, b"a new one" * 10_000)
    assert disk.failed[0].startswith(MIDDLE[moment])
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    assert file.read_bytes() == b"older"


@pytest.mark.parametrize("moment", range(3))
def test_ctrl_c_in_the_middle_leaves_no_half(tmp_path: Path, moment: int, monkeypatch) -> None:
    with failing_disk(tmp_path, moment, 0, MIDDLE) as disk:
        monkeypatch.setattr(disk, "tell", lambda event, path: _stop(disk, event))
        with pytest.raises(KeyboardInterrupt):
            write_bytes(tmp_path / "x", b"a new one")
    assert list(tmp_path.iterdir()) == []


def _stop(disk, event: str) -> None:
    disk.count += event in MIDDLE
    if disk.count > disk.first and event != "os.remove":
        raise KeyboardInterrupt


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES])
def test_a_folder_is_whole_or_not_there(tmp_path: Path, number: int) -> None:
    moments = ("open", "os.mkdir", "os.chmod", *MIDDLE)
    for first in range(20):
        with failing_disk(tmp_path, first, number, moments) as disk:
            try:
                with new_folder(tmp_path / "deep" / "new") as beside:
                    fill(beside / "a", b"123")
                    fill(beside / "b" / "c", b"456")
            except RunFailed as failed:
                assert "could not write" in str(failed)  # noqa: PT017
        if not disk.failed:
            assert (tmp_path / "deep/new/b/c").read_bytes() == b"456"
            break
        assert [path for path in tmp_path.rglob("*") if path.name != "deep"] == []
    assert first > 6


def test_a_line_that_was_cut_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    append_line(file, '{"step": 1}')
    with (
        failing_disk(tmp_path, 0, errno.ENOSPC, ("write",)),
        pytest.raises(RunFailed, match="free some space"),
    ):
        append_line(file, '{"step": 2}')
    assert file.stat().st_size > len('{"step": 1}\n')
    assert [record["step"] for record in read_history(file)] == [1]


@pytest.mark.parametrize(
    ("number", "cure"),
    [
        (errno.ENOSPC, "free some space or choose another -o, then do that"),
        (errno.EDQUOT, "free some space or choose another -o, then do that"),
        (errno.EROFS, "allow it or choose another -o, then do that"),
        (errno.EACCES, "allow it or choose another -o, then do that"),
        (errno.EIO, "look after the disk or choose another -o, then do that"),
    ],
)
def test_the_sentence_says_what_would_help(tmp_path: Path, number: int, cure: str) -> None:
    with (
        failing_disk(tmp_path, 0, number, ("open",)),
        pytest.raises(RunFailed) as failed,
        going_on(lambda: "do that"),
        going_on(lambda: "do this"),
    ):
        write_bytes(tmp_path / "x", b"")
    assert str(failed.value).endswith(cure)
    (tmp_path / "y").write_text("")
    with (
        failing_disk(tmp_path, 0, number, ("os.remove",)),
        pytest.raises(RunFailed, match=r"could not remove .*unchanged"),
    ):
        remove_file(tmp_path / "y")


def test_what_cannot_be_written_is_known_before(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "file").write_text("")
    require_writable(tmp_path / "new" / "deep" / "x.csv")
    require_writable(Path("x.csv"))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    with pytest.raises(BadInput, match="Not a directory"):
        require_writable(tmp_path / "file" / "x.csv")
    with pytest.raises(BadInput, match="name too long"):
        require_writable(tmp_path / ("x" * 5000) / "x.csv")
    (tmp_path / "volume").mkdir()
    with monkeypatch.context() as someone:  # who may write into a mounted volume only
        someone.setattr(os, "access", lambda path, mode: path == tmp_path / "volume")
        require_writable(tmp_path / "volume")
        require_writable(tmp_path / "volume" / "new" / "x.csv")
        with pytest.raises(RunFailed, match="Permission denied"):
            require_writable(tmp_path / "x.csv")
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    if not os.access(locked, os.W_OK):  # root may write anywhere
        with pytest.raises(RunFailed, match="Permission denied"):
            require_writable(locked / "new" / "x.csv")
