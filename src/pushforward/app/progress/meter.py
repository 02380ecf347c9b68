"""Progress of everything that takes more than two seconds, drawn by one class wherever it runs.

Two ideas: a caller says where it is and never how that looks; the place decides: a terminal and a
notebook have one line that is drawn over, a file or a pipe gets a plain line now and then, without
a control character.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TextIO, runtime_checkable

from rich.console import Console

from pushforward.app.progress.line import ProgressState, line, remaining, sentence, training_details
from pushforward.engine.fit_records import Progress as TrainingProgress

PATIENCE, EVERY, TICK = (
    2.0,
    10.0,
    0.25,
)  # seconds: until the first plain line, between two of them, between two drawings
NOTEBOOK_WIDTH = 100


@runtime_checkable
class Place(Protocol):
    """Where progress is shown."""

    def show(self, state: ProgressState) -> None:
        """Show where something is; called four times a second."""
        ...

    def note(self, text: str) -> None:
        """Write a line that stays."""
        ...

    def close(self, state: ProgressState, keep: bool) -> None:
        """Show the end, or take the line away."""
        ...


class RedrawnLine:
    """One line that is drawn over: a terminal, or a notebook, which knows no width and cannot
    erase."""

    def __init__(self, file: TextIO | Any, width: Callable[[], int], erase: bool) -> None:
        self.file, self.width, self.erase, self.last = file, width, erase, 0

    def show(self, state: ProgressState) -> None:
        """Draw over the line."""
        # the last column stays free: a full line would wrap in some terminals
        plain = "utf" not in (getattr(self.file, "encoding", None) or "utf-8").lower()
        self._write(line(state, max(20, self.width() - 1), plain))

    def _write(self, text: str) -> None:
        rest = "\x1b[K" if self.erase else " " * max(0, self.last - len(text))
        self.file.write(f"\r{text}{rest}")
        self.file.flush()
        self.last = len(text)

    def note(self, text: str) -> None:
        """Write a line above the one that is drawn over."""
        self._write(text)
        self.file.write("\n")
        self.file.flush()
        self.last = 0

    def close(self, state: ProgressState, keep: bool) -> None:
        """Leave the last line, or none."""
        if keep:
            self.show(state)
            self.file.write("\n")
        else:
            self._write("")
            self.file.write("\r")
        self.file.flush()


class WrittenLines:
    """Plain lines: the first after two seconds, then one every ten, or at every hundredth of what
    takes longer."""

    def __init__(self, file: TextIO | Any) -> None:
        self.file, self.due, self.written = file, PATIENCE, False

    def show(self, state: ProgressState) -> None:
        """Write a line if one is due."""
        if state.total < self.due:
            return
        self.due = state.total + max(EVERY, 0.01 * (state.total + (state.left or 0.0)))
        self._write(state)

    def note(self, text: str) -> None:
        """Write a line."""
        self.file.write(text + "\n")
        self.file.flush()

    def close(self, state: ProgressState, keep: bool) -> None:
        """Write how it ended, if it was long enough to be spoken of."""
        if self.written:
            self._write(state)

    def _write(self, state: ProgressState) -> None:
        self.written = True
        self.file.write(sentence(state) + "\n")
        self.file.flush()


class Silent:
    """Nowhere."""

    def show(self, state: ProgressState) -> None:
        """Show nothing."""

    def note(self, text: str) -> None:
        """Show nothing."""

    def close(self, state: ProgressState, keep: bool) -> None:
        """Show nothing."""


def place(console: Console) -> Place:
    """Return where progress is shown on a console: drawn over on a terminal, written line by line
    elsewhere."""
    if console.is_terminal and not console.is_dumb_terminal:
        return RedrawnLine(console.file, lambda: console.width, erase=True)
    return WrittenLines(console.file)


def own_place(wanted: bool | None = None) -> Place:
    """Return where a Python session sees progress: its terminal or its notebook; a script in a pipe
    sees none unless `wanted`.

    `PUSHFORWARD_PROGRESS=0` in the environment silences what nobody asked for, for notebooks that
    are executed into pages.
    """
    if wanted is False or (wanted is None and os.environ.get("PUSHFORWARD_PROGRESS") == "0"):
        return Silent()
    if in_notebook():
        return RedrawnLine(sys.stdout, lambda: NOTEBOOK_WIDTH, erase=False)
    if wanted or sys.stderr.isatty():
        return place(Console(stderr=True))
    return Silent()


def in_notebook() -> bool:
    """Return whether this is the kernel of a notebook; nothing is imported to find out."""
    found = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return type(found).__name__ == "ZMQInteractiveShell"


class Meter:
    """Progress of one thing, shown in one place; a context manager.

    A thread draws while nothing is reported, so that the clock goes on: reading a file has no
    steps. Two meters at once would draw over each other: pass the outer one down and change its
    label.

    Args:
        label: what is being done.
        shown: where, from `place`.
        keep: leave the last line on a terminal.
        now: the clock.
        ticking: draw from a thread as well.
    """

    def __init__(
        self,
        label: str,
        shown: Place,
        keep: bool = False,
        now: Callable[[], float] = time.monotonic,
        ticking: bool = True,
    ) -> None:
        self.label, self.shown, self.keep, self.now = label, shown, keep, now
        self.fraction: float | None = None
        self.details: tuple[str, ...] = ()
        self.began, self.paced_from, self.paced_at = now(), 0.0, now()
        self.drawn = -1.0
        self.lock, self.over = threading.Lock(), threading.Event()
        watched = ticking and not isinstance(shown, Silent)
        self.thread = threading.Thread(target=self._tick, daemon=True) if watched else None

    def __enter__(self) -> Meter:
        if self.thread is not None:
            self.thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.over.set()
        if self.thread is not None:
            self.thread.join()
        if kind is None and self.fraction is not None:
            self.fraction = 1.0
        self.shown.close(self.state(), self.keep)

    def state(self) -> ProgressState:
        """Return where it is now."""
        time_now = self.now()
        left = None
        if self.fraction is not None:
            left = remaining(self.fraction, time_now - self.paced_at, self.paced_from)
        return ProgressState(
            self.label,
            self.fraction,
            time_now - self.paced_at,
            left,
            self.details,
            total=time_now - self.began,
        )

    def relabel(self, label: str, fraction: float | None = None) -> None:
        """Say what is being done now; its own pace begins here."""
        with self.lock:
            self.label, self.fraction, self.details = label, fraction, ()
            self.paced_from, self.paced_at, self.drawn = fraction or 0.0, self.now(), -1.0
        self._draw()

    def done(self, share: float, details: Sequence[str] = ()) -> None:
        """Report the share that is done."""
        with self.lock:
            self.fraction, self.details = share, tuple(details)
        if self.now() - self.drawn >= TICK:
            self._draw()

    def step(self, done: int, total: int) -> None:
        """Report steps, as samplers do."""
        self.done(done / max(1, total))

    def training(self, p: TrainingProgress) -> None:
        """Report a step of training, as the engine does."""
        if self.fraction is None and p.step > 1:
            # what was done before a resume says nothing about the pace, nor does the time before
            # its first step
            self.paced_from, self.paced_at = min(1.0, p.fraction), self.now()
        self.done(
            min(1.0, p.fraction),
            training_details(p.step, p.loss_name, p.loss, p.held_out_name, p.held_out),
        )

    def watch(self, label: str) -> Callable[[TrainingProgress], None]:
        """Begin the training of a model; returns what the engine reports to."""
        self.relabel(f"training {label}")
        return self.training

    def stage(self, label: str) -> Callable[[float, str], None]:
        """Begin something of several parts; returns what is told the share that is done and the
        part."""
        self.relabel(label)
        return lambda share, what: self.done(share, [what])

    def note(self, *texts: str) -> None:
        """Say something that stays, above the line of progress; empty texts are nothing to say."""
        with self.lock:
            for text in filter(None, texts):
                self.shown.note(text)

    def _draw(self) -> None:
        with self.lock:
            self.drawn = self.now()
            self.shown.show(self.state())

    def _tick(self) -> None:
        while not self.over.wait(TICK):
            self._draw()
