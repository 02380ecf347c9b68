"""Commands on a file system that is really full, at every page of free space: `python benchmarks/full_disk.py FOLDER`.

FOLDER is an empty one on a small file system of its own, such as `mount -t tmpfs -o size=1m tmpfs FOLDER`. Every command is run
with no free page, with one, with two, until it fits; then room is made and the command given as its sentence says. What is there
in the end must be what an undisturbed command leaves.
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from contextlib import redirect_stderr, redirect_stdout, suppress
from pathlib import Path

import numpy as np

from pushforward.faces.cli.main import main as pushforward

SMALL = ("--steps", "2", "--preset", "smoke")
COMMANDS = {
    "train": (
        "train",
        "flow",
        "RUN/points.npy",
        *SMALL,
        "-s",
        "train.checkpoint_every=1",
        "-o",
        "DISK/it",
    ),
    "distil": ("distil", "RUN/diffusion", "--steps", "2", "-o", "DISK/it"),
    "average": ("average", "RUN/diffusion", "--width", "0.1", "-o", "DISK/it"),
    "compare": ("compare", "RUN/points.npy", "--families", "flow,gan", *SMALL, "-o", "DISK/it"),
    "evaluate": ("evaluate", "RUN/flow", "-n", "40", "-o", "DISK/it.html"),
    "sample": ("sample", "RUN/flow", "-n", "2000", "-o", "DISK/it.csv"),
}
PAGE = 4096


def run(words: tuple[str, ...]) -> tuple[int, str]:
    """Return exit status and what was said."""
    said = io.StringIO()
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(said):
            pushforward(list(words))
    except SystemExit as stop:
        return int(stop.code or 0), " ".join(said.getvalue().split())
    return 0, said.getvalue()


def left(folder: Path) -> dict[str, bytes | None]:
    """Return the weights below a folder, and the names of all other files."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {
        str(path.relative_to(folder)): path.read_bytes()
        if path.name in ("weights.safetensors", "it.csv")
        else None
        for path in files
    }


def cleared(disk: Path) -> None:
    """Remove all that is in a folder."""
    for path in disk.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def failures(disk: Path, words: tuple[str, ...]) -> tuple[int, int]:
    """Return at how many sizes a command failed, and how often that ended in anything but what it should have left."""
    cleared(disk)
    assert run(words)[0] == 0
    whole, failed, bad = left(disk), 0, 0
    for free in range(0, shutil.disk_usage(disk).total, PAGE):
        cleared(disk)
        filler = disk / "filler"
        with suppress(OSError):
            filler.write_bytes(bytes(shutil.disk_usage(disk).free - free))
        status, said = run(words)
        filler.unlink()
        if status == 0:
            return failed, bad
        failed += 1
        well = status == 1 and said.count("pushforward: could not write") == 1
        again = run((*words, "--resume") if "with --resume" in said else words)
        if not well or again[0] or left(disk) != whole:
            bad += 1
            print(
                f"{free // PAGE} pages: {status} ...{said[-300:]}; then {again[0]} ...{again[1][-300:]}"
            )
    return failed, bad


def main() -> None:
    """Print the numbers of every command."""
    disk, place = Path(sys.argv[1]), Path(tempfile.mkdtemp())
    np.save(place / "points.npy", np.random.default_rng(0).normal(size=(500, 2)))
    for family, more in (("flow", ()), ("diffusion", ("-s", "train.ema_snapshots=2"))):
        run(("train", family, str(place / "points.npy"), *SMALL, *more, "-o", str(place / family)))
    for name, words in COMMANDS.items():
        filled = tuple(word.replace("RUN", str(place)).replace("DISK", str(disk)) for word in words)
        print(
            name, "failed at {} sizes, {} of them badly".format(*failures(disk, filled)), flush=True
        )
    shutil.rmtree(place)


if __name__ == "__main__":
    main()
