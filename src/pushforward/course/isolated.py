"""Checking a file of answers in a process of its own.

Two ideas: an answer that leaves, hangs or takes the process down loses its own verdict and no
other's, for the file is run again for the exercises after it; and a verdict counts only if the
numbers it rests on are right here too, where no line of it has run.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from pushforward.core.errors import BadInput
from pushforward.course.answers import readable
from pushforward.course.catalogue import exercise_of
from pushforward.course.outcome import Outcome

SECONDS, LOADING = 10.0, 60.0  # for one answer, and for the file itself
GRACE = 5.0  # seconds after which a check that does not heed its own clock is ended from here
SHOWN = 4_000  # characters of what a file prints
PAUSE = 0.02  # seconds between two looks


def check_file(path: Path, names: list[str], seconds: float = SECONDS) -> list[Outcome]:
    """Return an outcome for each exercise that a file answers, or for those named, in the order of
    the course.

    Args:
        names: exercises, all that the file answers if none.
        seconds: for one answer; the file itself may take a minute to run.

    Raises:
        BadInput: a file that does not run, or has no answers; an exercise that does not exist or is
            not answered.
    """
    wanted = [exercise_of(name) for name in names]
    readable(path)
    found: dict[str, Outcome] = {}
    left: list[str] | None = [e.name for e in wanted] or None
    while left is None or left:
        answers, outcomes, broken = _run(path, left or [], seconds)
        for exercise in wanted:
            if exercise.name not in answers:
                raise BadInput(
                    f"{path} without `{exercise.function}`",
                    f"def {exercise.function}{exercise.signature}",
                )
        found |= {outcome.name: outcome for outcome in outcomes}
        if broken is not None:
            found[broken.name] = broken
        left = [name for name in left or answers if name not in found]
        if broken is None:
            break
    return [found[name] for name in sorted(found, key=_place)]


def _place(name: str) -> int:
    from pushforward.course.catalogue import exercises

    return [exercise.name for exercise in exercises()].index(name)


@dataclass
class _Process:
    """A process that runs a file, and what it has said."""

    process: subprocess.Popen[bytes]
    report: Path
    lines: int = 0

    def said(self) -> list[dict[str, Any]]:
        """Return what is new."""
        text = self.report.read_text(encoding="utf-8") if self.report.exists() else ""
        whole = text[: text.rfind("\n") + 1].splitlines()
        new, self.lines = whole[self.lines :], len(whole)
        return [json.loads(line) for line in new]

    def end(self) -> None:
        """End it and what it has started."""
        with contextlib.suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(self.process.pid, signal.SIGKILL)
            else:
                self.process.kill()
        self.process.wait()


def _run(
    path: Path, names: list[str], seconds: float
) -> tuple[list[str], list[Outcome], Outcome | None]:
    """Return which exercises the file answers, the outcomes, and that of the answer which ended the
    process, if one did."""
    answers: list[str] | None = None
    outcomes: list[Outcome] = []
    begun, limit, since, over = "", LOADING, time.monotonic(), False
    with _started(path, names, seconds) as worker:
        import pushforward.course.checking  # noqa: F401  takes a second, in which the other process starts too

        while True:
            gone = worker.process.poll() is not None
            for said in worker.said():
                since = time.monotonic()
                if "bad" in said:
                    raise BadInput(*said["bad"])
                answers = said.get("answers", answers)
                begun, limit = said.get("begins", begun), seconds + GRACE
                if "outcome" in said:
                    outcomes.append(_confirmed(Outcome(**said["outcome"]), said["values"]))
                    begun = ""
                if "ends" in said:
                    return answers or [], outcomes, None
            over = time.monotonic() - since > limit
            if gone or over:
                break
            time.sleep(PAUSE)
        worker.end()
        status = worker.process.returncode
    if answers is None or not begun:
        came = (
            f"{path}, which was still running after {LOADING:g} seconds"
            if over
            else f"{path}, which {_ended(status)}"
        )
        raise BadInput(
            came, "a file that runs to its end", "keep what takes long, or leaves, out of the file"
        )
    says = f"it was still running after {seconds:g} seconds: does a loop in it never end?"
    return (
        answers,
        outcomes,
        Outcome(begun, False, says if over else f"it {_ended(status)}; return a value.", "runs"),
    )


def _ended(status: int) -> str:
    if status < 0:
        with contextlib.suppress(ValueError):  # a signal without a name
            name = signal.Signals(-status).name
            cause = (
                ": too much memory, or a crash"
                if name in ("SIGKILL", "SIGSEGV", "SIGABRT", "SIGBUS")
                else ""
            )
            return f"ended the process ({name}{cause})"
    return f"ended the process (exit status {status})"


@contextlib.contextmanager
def _started(path: Path, names: list[str], seconds: float) -> Iterator[_Process]:
    """Start a process that checks a file; what it prints is shown on stderr, up to a limit."""
    with tempfile.TemporaryDirectory(prefix="pushforward-check-") as folder:
        report = Path(folder) / "verdicts.jsonl"
        command = [
            sys.executable,
            "-P",
            "-m",
            "pushforward.course.worker",
            str(report),
            str(path),
            str(seconds),
            *names,
        ]
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(
                    filter(None, [_home(), os.environ.get("PYTHONPATH")])
                ),
            },
        )
        assert process.stdout is not None
        shown: list[str] = []
        reader = threading.Thread(target=_drain, args=(process.stdout, shown), daemon=True)
        reader.start()
        worker = _Process(process, report)
        try:
            yield worker
        finally:
            worker.end()
            reader.join(timeout=GRACE)
            process.stdout.close()
            sys.stderr.write("".join(shown))


def _home() -> str:
    """Return the folder that holds this package, so that the process runs the same one."""
    return str(Path(__file__).parents[2])


def _drain(stream: IO[bytes], shown: list[str]) -> None:
    """Take all that is printed and keep its beginning."""
    left = SHOWN
    with contextlib.suppress(ValueError, OSError):
        while part := os.read(stream.fileno(), 65536):
            if left > 0:
                shown.append(part[:left].decode(errors="replace"))
                if len(part) > left:
                    shown.append("\n(what else the file prints is not shown)\n")
                left -= len(part)


def _confirmed(outcome: Outcome, values: list[list[Any] | None]) -> Outcome:
    """Return an outcome that passed only if the numbers behind it are right in this process too."""
    if not outcome.passed:
        return outcome
    import torch

    from pushforward.course.checking import agreement
    from pushforward.course.diagnosing import right_values

    exercise = exercise_of(outcome.name)
    found = [
        tuple(torch.tensor(value, dtype=torch.float64) for value in case or ()) for case in values
    ]
    right = right_values(exercise)
    if [len(case) for case in found] == [len(case) for case in right] and agreement(
        found, right
    ) is not None:
        return outcome
    says = "its numbers are right only in the process that it runs in: does the file change torch, or the checker?"
    return Outcome(outcome.name, False, says, "numbers")
