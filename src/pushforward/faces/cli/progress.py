"""Progress on stderr: what every command shows while it works; `app/progress/meter.py` draws it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

from pushforward.app.progress.meter import Meter, place
from pushforward.app.runs.training import Observer


def console() -> Console:
    """Return a console on stderr, so that stdout stays data."""
    return Console(stderr=True, highlight=False)


@contextmanager
def meter(label: str, keep: bool = False) -> Iterator[Meter]:
    """Show progress of something for as long as the block runs; yields what to report to."""
    with Meter(label, place(console()), keep) as shown:
        yield shown


@contextmanager
def busy(label: str) -> Iterator[Callable[[str], None]]:
    """Show that something is being done whose length is not known, and for how long; yields a function that changes the label."""
    with meter(label) as shown:
        yield shown.relabel


@contextmanager
def training_bar(label: str) -> Iterator[Observer]:
    """Yield an observer for the engine that draws one bar."""
    with meter(label, keep=True) as shown:
        yield shown.training


@contextmanager
def sampling_bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """Yield an `on_step(done, total)` callback for samplers that take long."""
    with meter(label) as shown:
        yield shown.step
