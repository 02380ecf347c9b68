"""Run one damaged input through the command line and say what broke the promise: one sentence, exit 2, no hang, no write outside.

By hand, 2,000 inputs: `python tests/fuzz/trying.py 2000`; one of them again: `python tests/fuzz/trying.py --only csv:17`.
"""

from __future__ import annotations

import contextlib
import io
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path[:0] = [
        str(Path(__file__).resolve().parents[1]),
        str(Path(__file__).resolve().parents[2] / "src"),
    ]

from fuzz.targets import TARGETS

SECONDS = 60


@dataclass(frozen=True)
class Outcome:
    """What a command did: its exit status, what it said on stderr, how long it took, and what it broke, empty if nothing."""

    status: int
    said: str
    seconds: float
    broke: str


class _Hangs(BaseException):
    pass


@contextlib.contextmanager
def _within(seconds: int) -> Iterator[None]:
    def stop(*_: Any) -> None:
        raise _Hangs

    old = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, old)


@contextlib.contextmanager
def _inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def _run(words: list[str]) -> tuple[int, str, str]:
    from pushforward.faces.cli.main import main

    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(words)
        except SystemExit as stop:
            return int(stop.code or 0), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


def attempt(target: str, number: int, runs: Path) -> Outcome:
    """Damage one input and run a command on it, in a folder of its own inside a folder that nobody may touch."""
    draw = random.Random(f"{target}:{number}")
    with tempfile.TemporaryDirectory() as outer:
        inner = Path(outer) / "inner"
        inner.mkdir()
        words = TARGETS[target](inner, runs, draw)
        started = time.perf_counter()
        try:
            with _inside(inner), _within(SECONDS):
                status, _, said = _run(words)
            broke = _broken(status, said)
        except _Hangs:
            status, said, broke = -1, "", f"hangs ({SECONDS} s)"
        except BaseException as error:
            status, said, broke = -2, repr(error)[:300], f"escapes: {type(error).__name__}"
        seconds = time.perf_counter() - started
        outside = [p.name for p in Path(outer).iterdir() if p.name != "inner"]
        if outside:
            broke = f"wrote outside: {outside}"
    return Outcome(status, said, seconds, broke and f"{broke} | {' '.join(words)[:300]!r}")


def _broken(status: int, said: str) -> str:
    if "internal error" in said or "Traceback" in said:
        return said.strip().splitlines()[-1][:300]
    # 1 is for work that failed on its own, such as a full disk; bad input is 2
    if status not in (0, 2):
        return f"exit {status}: {said[-200:]}"
    complaints = [line for line in said.splitlines() if line.startswith("pushforward: ")]
    if status == 2 and len(complaints) != 1:
        return f"{len(complaints)} sentences: {said[-200:]!r}"
    return ""


def make_runs(folder: Path) -> Path:
    """Train a tiny run of every kind of data and family that records differ for."""
    for family, data in (
        ("flow", "two-moons"),
        ("vae", "digits"),
        ("ar", "adult-mini"),
        ("ar", "shakespeare"),
        ("diffusion", "digits"),
    ):
        _run(
            [
                "train",
                family,
                data,
                "--steps",
                "2",
                "--preset",
                "smoke",
                "-o",
                str(folder / f"{family}-{data}"),
            ]
        )
    return folder


def main() -> None:
    """Try many inputs and print what broke, with counts."""
    only = sys.argv[sys.argv.index("--only") + 1] if "--only" in sys.argv else ""
    total = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 200
    with tempfile.TemporaryDirectory() as folder:
        runs = make_runs(Path(folder) / "runs")
        names = list(TARGETS)
        chosen = [(names[i % len(names)], i // len(names)) for i in range(total)]
        if only:
            name, _, number = only.partition(":")
            chosen = [(name, int(number))] if number else [(name, i) for i in range(total)]
        broken, statuses, slow = [], Counter[int](), 0.0
        for target, number in chosen:
            found = attempt(target, number, runs)
            statuses[found.status] += 1
            slow = max(slow, found.seconds)
            if only:
                print(
                    f"{target}:{number} exit {found.status} in {found.seconds:.1f} s\n{found.said.strip()[-600:]}"
                )
            if found.broke:
                broken.append((target, number, found.broke))
                print(f"{target}:{number}  {found.broke}", flush=True)
        print(
            f"{len(chosen)} inputs: exit {dict(statuses)}; slowest {slow:.1f} s; {len(broken)} broke the promise"
        )
        print(Counter(target for target, _, _ in broken))


if __name__ == "__main__":
    main()
