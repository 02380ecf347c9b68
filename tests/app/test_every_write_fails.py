"""A disk that fails at any write of any command: one sentence says what to do, and that yields what would have been there.

The suite takes a seeded share of all writes; `EVERY_WRITE=1` takes every one (LOG.md has the last count).
"""

from __future__ import annotations

import csv
import errno
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from faults import EVERY, FULL, LOCKED, MIDDLE, Failing, content, failing_disk
from pushforward.app.measuring import comparing
from pushforward.app.measuring.kept import load_comparison
from pushforward.app.runs.training import open_model
from pushforward.core.errors import BadInput
from pushforward.provenance.lock import LOCK
from remembering import remember

# what fails, of which error, and how often: for ever, or once as if somebody had made room in the meantime
FAULTS: dict[str, tuple[int, tuple[str, ...], int | None]] = {
    "full": (errno.ENOSPC, FULL, None),
    "read-only": (errno.EROFS, LOCKED, None),
    "forbidden": (errno.EACCES, LOCKED, None),
    "full in the middle": (errno.ENOSPC, MIDDLE, None),
    "over quota once": (errno.EDQUOT, (*FULL, *MIDDLE), 1),
    "broken": (errno.EIO, MIDDLE, None),
    "broken once": (errno.EIO, (*LOCKED, *MIDDLE), 1),
}
OF_FILES, OF_FOLDERS = (0, 0) if EVERY else (1, 2)
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few points, a table, three runs of two steps, a comparison and a file of samples."""
    from pushforward.faces.cli.main import main

    folder, rng = tmp_path_factory.mktemp("place"), np.random.default_rng(0)
    np.save(folder / "points.npy", rng.normal(size=(500, 2)))
    np.save(folder / "samples.npy", rng.normal(size=(60, 2)))
    with (folder / "table.csv").open("w", newline="") as file:
        rows = [(f"{x:.2f}", "ab"[int(x + e > 0)]) for x, e in rng.normal(size=(200, 2))]
        csv.writer(file).writerows([("height", "kind"), *rows])
    points, small = str(folder / "points.npy"), ("--steps", "2", "--preset", "smoke")
    for command in (
        ("train", "flow", points, *small, "-o", "flow"),
        ("train", "diffusion", points, *small, "-s", "train.ema_snapshots=2", "-o", "diffusion"),
        ("compare", points, "--families", "flow,gan", *small, "-o", "comparison"),
    ):
        with pytest.raises(SystemExit) as stop:
            main([*command[:-1], str(folder / command[-1])])
        assert not stop.value.code, command
    return folder


def failures(
    root: Path, call: Callable[[], Any], again: Callable[[], Any], most: int
) -> Iterator[tuple[str, Failing, tuple[int, str, str]]]:
    """Call something with a disk that fails below `root` at one write after another; yield which, and what the call returned.

    The writes are counted first. Between two calls `again` makes `root` what it was.

    Args:
        most: how many of each fault the suite takes; 0 takes all.
    """
    again()
    with failing_disk(root, 0, 0, (*LOCKED, *MIDDLE), 0) as disk:
        call()
    for name, (number, moments, times) in FAULTS.items():
        count = sum(event.split()[0] in moments for event in disk.seen)
        tried = list(range(count))
        if most and most < count:
            tried = sorted(random.Random(f"{root} {name}"[-30:]).sample(tried, most))
        for first in tried:
            again()
            with failing_disk(root, first, number, moments, times) as failing:
                found = call()
            assert failing.failed, (name, first)
            yield (
                f"{name}, {failing.failed[0].replace(str(root), '')} ({first} of {count})",
                failing,
                found,
            )


def said_well(err: str, before: str) -> None:
    assert err.count("pushforward: ") == 1, (before, err)
    assert "could not write" in err or "could not remove" in err, (before, err)
    assert "internal error" not in err, (before, err)


FILES = {
    "evaluate": ("evaluate", "RUN/flow", "-n", "40"),
    "evaluate samples": (
        "evaluate",
        "--samples",
        "RUN/samples.npy",
        "--reference",
        "RUN/points.npy",
    ),
    "evaluate power": (
        "evaluate",
        "--power",
        "--reference",
        "RUN/points.npy",
        "-n",
        "40",
        "--features",
        "coordinates",
    ),
    "score": ("score", "RUN/flow", "RUN/points.npy"),
    "report": ("report", "RUN/flow", "RUN/diffusion"),
    "report of a comparison": ("report", "RUN/comparison"),
    "sweep": ("sweep", "RUN/diffusion", "--calls", "2", "-n", "40", "--solver", "heun"),
    "anomalies": ("anomalies", "RUN/flow", "RUN/points.npy", "-n", "40"),
    "augment": (
        "augment",
        "RUN/table.csv",
        "--family",
        "ar",
        "--target",
        "kind",
        "--steps",
        "2",
        "--seeds",
        "2",
    ),
    "sample": ("sample", "RUN/flow", "-n", "5"),
}
ENDINGS = {
    "evaluate": (".json", ".csv", ".md", ".html"),
    "evaluate samples": (".html",),
    "evaluate power": (".csv",),
    "score": (".npy", ".csv", ".json"),
    "report": (".html",),
    "report of a comparison": (".md",),
    "sweep": (".html",),
    "anomalies": (".csv",),
    "augment": (".json",),
    "sample": (".npz", ".csv"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_whole_or_what_it_was(
    run: Run, place: Path, tmp_path: Path, name: str, monkeypatch
) -> None:
    remember(monkeypatch)
    words = [word.replace("RUN", str(place)) for word in FILES[name]]
    for ending in ENDINGS[name]:
        root = tmp_path / f"out{ending}"
        target = root / "deep" / f"it{ending}"

        def nothing(root=root, target=target) -> None:
            for path in sorted(root.rglob("*"), reverse=True):
                path.rmdir() if path.is_dir() else path.unlink()
            if target.suffix in (".html", ".csv"):  # for those an older one is there
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text("older")

        def call(target=target) -> tuple[int, str, str]:
            return run(*words, "-o", target)

        nothing()
        status, shown, err = call()
        assert status == 0, err
        whole = without_time(target.read_bytes())
        for before, disk, (failed, out, err) in failures(root, call, nothing, OF_FILES):
            if failed == 0:
                assert without_time(target.read_bytes()) == whole, before
                continue
            assert failed == 1, (before, err)
            said_well(err, before)
            if name not in ("report", "report of a comparison", "sample"):
                assert out == shown, before  # what was measured is not lost with the file
            assert not target.exists() or target.read_text() == "older", before
            if disk.number not in (errno.EROFS, errno.EACCES):
                assert not list(root.rglob("*.part")), before
            assert call()[0] == 0, before
            assert without_time(target.read_bytes()) == whole, before


def without_time(content: bytes) -> bytes:
    """Leave out the minute in which a page was made, and how long drawing took."""
    import re

    content = re.sub(rb"20\d\d-\d\d-\d\d \d\d:\d\d", b"", content)
    return re.sub(rb'"(created|seconds[^"]*)": [^,}\n]*', b"", content)


def refill(target: Path, held: dict[str, bytes | None]) -> Callable[[], None]:
    """Return what makes a folder hold just what it held; a folder that held nothing is not there."""
    import shutil

    def again() -> None:
        if target.exists():
            shutil.rmtree(target)
        for name, value in held.items():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            if value is None:
                (target / name).mkdir(exist_ok=True)
            else:
                (target / name).write_bytes(value)

    return again


def weights(folder: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(folder)): p.read_bytes()
        for p in sorted(folder.rglob("weights.safetensors"))
    }


SMALL = ("--steps", "2", "--preset", "smoke")
FOLDERS = {
    "train": ("train", "autoregressive", "RUN/table.csv", *SMALL, "-s", "train.checkpoint_every=1"),
    "train over another": ("train", "vae", "RUN/points.npy", *SMALL, "--overwrite"),
    "distil": ("distil", "RUN/diffusion", "--steps", "2", "-s", "train.checkpoint_every=1"),
    "average": ("average", "RUN/diffusion", "--width", "0.1"),
    "average over another": ("average", "RUN/diffusion", "--width", "0.1", "--overwrite"),
    "compare": ("compare", "RUN/points.npy", "--families", "flow,gan", *SMALL),
    "compare over another": (
        "compare",
        "RUN/points.npy",
        "--families",
        "vae",
        *SMALL,
        "--overwrite",
    ),
}


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_goes_on_as_the_sentence_says(
    run: Run, place: Path, tmp_path: Path, name: str, monkeypatch
) -> None:
    remember(monkeypatch)
    words = [word.replace("RUN", str(place)) for word in FOLDERS[name]]
    target = tmp_path / "target"
    older = place / ("comparison" if "compare" in name else "flow")
    again = refill(target, content(older) if "over another" in name else {})

    def call(*more: str) -> tuple[int, str, str]:
        plain = [word for word in words if word != "--overwrite"] if "--resume" in more else words
        return run(*plain, *more, "-o", target)

    again()
    status, _, err = call()
    assert status == 0, err
    whole, files = weights(target), sorted(content(target))
    for before, _, (failed, _, err) in failures(
        target, call, again, OF_FILES if "compare" in name else OF_FOLDERS
    ):
        if failed:
            assert failed == 1, (before, err)
            said_well(err, before)
            assert ("give the same command again" in err) != (
                "give the same command with --resume" in err
            ), (
                before,
                err,
            )
            for folder in (path.parent for path in target.rglob("config.yaml")):
                opens_or_says(folder, before)
            status, _, err = call(*(["--resume"] if "with --resume" in err else []))
            assert status == 0, (before, err)
        assert weights(target) == whole, before
        assert [name for name in sorted(content(target)) if "-lock" not in name] == files, before
        if "compare" in name:
            assert load_comparison(target).models, before


def opens_or_says(folder: Path, before: str) -> None:
    """A run that a failed write left either opens or names the one way on."""
    try:
        open_model(folder)
    except BadInput as refused:
        said = str(refused)
        assert any(
            w in said for w in ("--resume", "--overwrite", "the command that writes it once more")
        ), (
            before,
            said,
        )


def test_runs_that_may_only_be_read_are_reported(
    run: Run, place: Path, tmp_path: Path, monkeypatch
) -> None:
    remember(monkeypatch)
    page = tmp_path / "page.html"
    (place / "flow" / LOCK).write_text("{}")  # a crash left it, and nobody holds it
    try:
        with failing_disk(place, 0, errno.EROFS) as disk:
            status, out, err = run("report", place / "flow", "-o", page)
    finally:
        (place / "flow" / LOCK).unlink()
    assert (status, out) == (0, f"{page}\n"), err
    assert "flow" in page.read_text()
    assert disk.failed
    assert "Read-only file system): its scores are on the page only" in err


def test_work_does_not_begin_for_what_cannot_be_written(
    run: Run, place: Path, tmp_path: Path, monkeypatch
) -> None:
    """The folder is asked for first, so that nothing is measured."""
    monkeypatch.setattr(comparing, "measure_controls", None)
    (tmp_path / "file").write_text("")
    for words in (
        ("report", place / "flow"),
        ("score", place / "flow", place / "points.npy"),
        ("sample", place / "flow"),
    ):
        status, out, err = run(*words, "-o", tmp_path / "file" / "x.html")
        assert (status, out) == (2, ""), err
        assert "could not write" in err
        assert "Not a directory" in err
    status, out, err = run("score", place / "flow", place / "points.npy", "-o", tmp_path / "x.txt")
    assert (status, out) == (2, "")
    assert "a file that ends in .csv, .npy, .json" in err


NEVER_ROOM = Path("/dev/full")


@pytest.mark.skipif(not NEVER_ROOM.exists(), reason="the system has no disk that is always full")
@pytest.mark.parametrize("verb", ["--help", "cite", "score"])
def test_a_full_disk_behind_standard_output(
    run: Run, place: Path, tmp_path: Path, monkeypatch, verb: str
) -> None:
    """A file of its own is not lost with it."""
    more = {
        "cite": ("flow",),
        "score": (place / "flow", place / "points.npy", "-o", tmp_path / "x.csv"),
    }
    with NEVER_ROOM.open("w") as full, monkeypatch.context() as streams:
        streams.setattr(sys, "stdout", full)
        status, _, err = run(verb, *more.get(verb, ()))
    assert status == 1
    assert "pushforward: could not write to standard output (No space left on device)" in err
    assert err.count("pushforward: ") == 1
    assert verb != "score" or (tmp_path / "x.csv").read_text().startswith("nats\n")


@pytest.mark.skipif(not NEVER_ROOM.exists(), reason="the system has no disk that is always full")
def test_words_that_nobody_can_hear_stop_no_training(
    run: Run, place: Path, tmp_path: Path, monkeypatch
) -> None:
    with NEVER_ROOM.open("w") as full, monkeypatch.context() as streams:
        streams.setattr(sys, "stderr", full)
        status, out, _ = run("train", "flow", place / "points.npy", *SMALL, "-o", tmp_path / "run")
        assert (status, out) == (0, f"{tmp_path / 'run'}\n")
        assert run("cite", "nothing")[0] == 2
        with suppress(OSError):
            full.close()  # once more it is told what is left
    assert weights(tmp_path / "run") == weights(place / "flow")


def test_streams_that_are_closed(run: Run, place: Path, tmp_path: Path, monkeypatch) -> None:
    """As `>&- 2>&-` closes them."""
    with monkeypatch.context() as closed:
        closed.setattr(sys, "stdout", None)
        closed.setattr(sys, "stderr", None)
        assert run("train", "flow", place / "points.npy", *SMALL, "-o", tmp_path / "run")[0] == 0
        assert run("cite", "nothing")[0] == 2
        assert sys.stderr is None
    assert weights(tmp_path / "run") == weights(place / "flow")
