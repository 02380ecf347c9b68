"""Progress on stderr: a bar with time left and a line that says what the loss is."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from pushforward.app.training import Observer
from pushforward.engine.fit import Progress as TrainingProgress


def console() -> Console:
    """Return a console on stderr, so that stdout stays data."""
    return Console(stderr=True, highlight=False)


@contextmanager
def busy(label: str) -> Iterator[Callable[[str], None]]:
    """Show that something is being done whose length is not known, and for how long; yields a function that changes the label."""
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=console(),
        transient=True,
        disable=not sys.stderr.isatty(),
    ) as bar:
        task = bar.add_task(label, total=None)
        yield lambda text: bar.update(task, description=text)


@contextmanager
def training_bar(label: str) -> Iterator[Observer]:
    """Yield an observer for the engine that draws one bar."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(elapsed_when_finished=False),
        TextColumn("{task.fields[loss]}"),
        console=console(),
        transient=False,
        disable=not sys.stderr.isatty(),
    ) as bar:
        task = bar.add_task(label, total=1.0, loss="")
        last = 0.0

        def observe(p: TrainingProgress) -> None:
            nonlocal last
            if p.fraction - last < 0.005 and not p.stopped:
                return
            last = p.fraction
            held_out = "" if p.held_out is None else f", held out {p.held_out:.3f}"
            bar.update(task, completed=min(1.0, p.fraction), loss=f"step {p.step}, loss = {p.loss_name}{held_out}")

        yield observe
        bar.update(task, completed=1.0)


@contextmanager
def sampling_bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """Yield an `on_step(done, total)` callback for samplers that take long."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=console(),
        transient=True,
        disable=not sys.stderr.isatty(),
    ) as bar:
        task = bar.add_task(label, total=None)

        def on_step(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield on_step
