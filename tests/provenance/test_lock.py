"""One writer at a time, with real processes: the second is told who writes, and a crash of any kind releases the lock."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pushforward.core.errors import BadInput
from pushforward.provenance import lock
from pushforward.provenance.lock import LOCK, refuse_if_written, writing

# a process that was started in the background may ignore Ctrl-C, as its parent did
HOLD = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from pathlib import Path
from pushforward.provenance.lock import writing
with writing(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock of `run`."""
    command = [sys.executable, "-c", HOLD, str(tmp_path / "run")]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()
    assert process.stdin is not None
    process.stdin.close()


def test_the_second_writer_is_told_of_the_first(holder, tmp_path: Path) -> None:
    run = tmp_path / "run"
    told = rf"into which process {holder.pid} on .*, since 2\d\d\d-.*run.* is writing.*wait until it is done"
    with pytest.raises(BadInput, match=told), writing(run):
        pytest.fail("two writers")
    with pytest.raises(BadInput, match=told):
        refuse_if_written(run)
    holder.communicate("done\n")
    with writing(run):
        assert (run / LOCK).is_file()
    assert not run.exists()


@pytest.mark.parametrize(
    "number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda s: s.name
)
def test_a_crash_releases_the_lock(holder, tmp_path: Path, number: signal.Signals) -> None:
    os.kill(holder.pid, number)
    holder.wait()
    with writing(tmp_path / "run"):
        pass
    assert not (tmp_path / "run" / LOCK).exists()


def test_two_threads_are_two_writers(tmp_path: Path) -> None:
    with (
        writing(tmp_path / "run"),
        pytest.raises(BadInput, match="is writing"),
        writing(tmp_path / "run"),
    ):
        pytest.fail("two writers")


def test_directories_that_were_made_for_nothing_go_again(tmp_path: Path) -> None:
    with pytest.raises(KeyError), writing(tmp_path / "a" / "b" / "c"):
        raise KeyError
    assert list(tmp_path.iterdir()) == []
    with writing(tmp_path / "a" / "b"):
        (tmp_path / "a" / "file").write_text("kept")
    assert [p.name for p in (tmp_path / "a").iterdir()] == ["file"]


def test_without_locks_of_the_system_the_words_are_believed(
    holder, tmp_path: Path, monkeypatch
) -> None:
    import fcntl

    def none(handle: int, operation: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", none)
    run = tmp_path / "run"
    with pytest.raises(BadInput, match=f"process {holder.pid}"), writing(run):
        pytest.fail("two writers")
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    words = (run / LOCK).read_text()
    with writing(run):
        pass
    run.mkdir(exist_ok=True)
    (run / LOCK).write_text(words.replace(lock.socket.gethostname(), "another-computer"))
    with pytest.raises(BadInput, match="on another-computer"), writing(run):
        pytest.fail("two writers")


def test_words_of_others_cannot_write_to_the_terminal(tmp_path: Path) -> None:
    with writing(tmp_path):
        text = (tmp_path / LOCK).read_text()
        (tmp_path / LOCK).write_text(text.replace('"command": "', '"command": "\\u001b[2J'))
        with pytest.raises(BadInput) as refused, writing(tmp_path):
            pytest.fail("two writers")
        assert "\x1b" not in str(refused.value)
