"""A full disk, one that may not be written, and real signals: one sentence, and the same command with --resume goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from commands import Command, killed_while_writing, pushed
from faults import content, failing_disk
from pushforward.provenance.lock import LOCK

FULL, READ_ONLY, FORBIDDEN = 28, 30, 13
TRAIN = ["train", "flow", "two-moons", "--preset", "smoke", "-s", "train.checkpoint_every=1"]


def weights(run: Path) -> bytes:
    return (run / "weights.safetensors").read_bytes()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two steps that nothing disturbed, and what it was left as."""
    from pushforward.faces.cli.main import main

    path = tmp_path_factory.mktemp("whole") / "run"
    with pytest.raises(SystemExit):
        main([*TRAIN, "--steps", "2", "-o", str(path)])
    return path


@pytest.mark.parametrize("number", [FULL, READ_ONLY, FORBIDDEN])
def test_training_on_a_disk_that_fails_at_every_write(
    run, whole: Path, tmp_path: Path, number: int
) -> None:
    train = [*TRAIN, "--steps", 2]
    first = 0
    while True:
        place = tmp_path / f"run{first}"
        with failing_disk(place, first, number) as disk:
            status, out, err = run(*train, "-o", place)
        if disk.count <= first:
            break
        if status == 0:  # only the lock could not be removed
            assert weights(place) == weights(whole)
        else:
            assert (status, out) == (1, ""), err
            assert "could not" in err
            assert err.count("pushforward:") == 1
        again = ["--resume"] if place.is_dir() else []
        assert run(*train, "-o", place, *again)[0] == 0
        assert weights(place) == weights(whole)
        first += 3 if number == FORBIDDEN else 1  # what it forbids is what is read-only
    assert first > 12


@pytest.mark.parametrize("number", [FULL, READ_ONLY])
def test_overwriting_on_a_disk_that_fails_never_loses_a_run_and_its_place(
    run, whole: Path, tmp_path: Path, number: int
) -> None:
    for first in range(0, 30, 3):
        place = tmp_path / f"run{first}"
        for name, value in content(whole).items():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            if value is not None:
                (place / name).write_bytes(value)
        with failing_disk(place, first, number) as disk:
            status, _, err = run(*TRAIN, "--steps", 2, "-o", place, "--overwrite")
        assert status == 0 or (status == 1 and "could not" in err), err
        assert run(*TRAIN, "--steps", 2, "-o", place, "--overwrite")[0] == 0
        assert weights(place) == weights(whole)
        if disk.count <= first:
            break


@pytest.mark.parametrize("number", [FULL, READ_ONLY])
@pytest.mark.parametrize("name", ["x.npy", "x.csv", "x.png", "x.npz"])
def test_samples_are_whole_or_not_there(
    run, whole: Path, tmp_path: Path, name: str, number: int
) -> None:
    target = tmp_path / "out" / name
    for first in range(4):
        with failing_disk(tmp_path / "out", first, number) as disk:
            status, out, err = run("sample", whole, "-n", 3, "-o", target)
        if disk.count > first:
            assert (status, out) == (1, ""), err
            assert "could not write" in err
            assert not target.exists()
    assert run("sample", whole, "-n", 3, "-o", target)[0] == 0


def started(*words: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "pushforward", *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(condition, process: subprocess.Popen[str] | Command) -> None:
    until = time.monotonic() + 60
    while not condition() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.01)


def test_two_commands_and_a_termination(run, tmp_path: Path) -> None:
    """The second writer is told of the first; SIGTERM saves the state."""
    train, place = [*TRAIN, "--steps", 100_000], tmp_path / "run"
    process = Command(tmp_path / "said", pushed, *train, "-o", place)
    try:
        wait_for(lambda: (place / "weights.safetensors").exists(), process)
        for more in ([], ["--resume"], ["--overwrite", "--seed", 5]):
            status, _, err = run(*train, "-o", place, *more)
            assert status == 2, more
            assert f"into which process {process.pid} on" in err
            assert "train flow two-moons" in err
        for verb in (["explain", place], ["sample", place, "-n", 2, "-o", tmp_path / "x.npy"]):
            assert run(*verb)[0] == 0, verb  # reading needs no lock
        assert f"process {process.pid}" in run("report", place, "-o", tmp_path / "r.html")[2]
    finally:
        os.kill(process.pid, signal.SIGTERM)
        status, err = process.ended()
    assert "the state is saved" in " ".join(err.split())
    assert status == 130
    assert not (place / LOCK).exists()
    status, _, err = run(*train[:-1], 1, "-o", place, "--resume")
    assert status == 2
    assert "has spent" in err


@pytest.mark.parametrize("after", [12, 20])
def test_a_process_that_is_gone_in_the_middle_of_a_write(
    run, whole: Path, tmp_path: Path, after: int
) -> None:
    place = tmp_path / "run"
    words = [*TRAIN, "--steps", "2", "-o", str(place)]
    dying = Command(tmp_path / "said", killed_while_writing, str(place), after, *words)
    status, err = dying.ended()
    assert status == 9, err
    assert (place / LOCK).exists()  # nobody took it away, and it is free
    assert run(*words, "--resume")[0] == 0
    assert weights(place) == weights(whole)
    assert not (place / LOCK).exists()


def test_ctrl_c_before_the_first_step(run, whole: Path, tmp_path: Path) -> None:
    place = tmp_path / "run"
    process = started(*TRAIN, "--steps", 2, "-o", place)
    wait_for(lambda: (place / "manifest.json").exists(), process)
    os.kill(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    status, _, err = run(*TRAIN, "--steps", 2, "-o", place)
    # it may have come to its first checkpoint in that time
    assert status == 0 or (status == 2 and "continue that one with --resume" in err)
    assert run(*TRAIN, "--steps", 2, "-o", place, "--resume")[0] == 0
    assert weights(place) == weights(whole)
