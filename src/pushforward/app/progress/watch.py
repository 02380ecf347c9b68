"""Who asked for something, as it is done: where progress is drawn, and where words and pieces of an
answer go.

One idea: a verb reports to a watch and never prints; the command line, Python and a server each
have one of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from pushforward.app.progress.meter import Meter, Place, Silent
from pushforward.data.dataset import Dataset
from pushforward.engine.fit_records import Progress
from pushforward.reports.terminal.layout import shortened


def _nothing(text: str) -> None:
    """Say it to nobody."""


class Watch:
    """Whoever looks on while a request is answered.

    Args:
        place: where progress is shown, asked anew for every meter.
        say: called with a sentence for a person.
        write: called with a piece of the answer as it comes, of verbs that stream.
        command: what was asked for, as words that do it again; empty where there are none.
        of_data: called with data that were read, to pass on how, and what of them is lost; by
            default it is said.
    """

    def __init__(
        self,
        place: Callable[[], Place] = Silent,
        say: Callable[[str], None] = _nothing,
        write: Callable[[str], None] = _nothing,
        command: str = "",
        of_data: Callable[[Dataset], None] | None = None,
    ) -> None:
        self.place, self.say, self.write, self.command = place, say, write, command
        self._of_data = of_data

    def of_data(self, dataset: Dataset) -> None:
        """Say how data were read and, last, what of them is lost."""
        if self._of_data is not None:
            self._of_data(dataset)
            return
        self.say_all(f"data: {note}" for note in shortened(dataset.notes))
        self.say_all(
            f"lost: {text}" if dataset.lost else f"data: {text}"
            for text in shortened(dataset.losses)
        )

    def say_all(self, texts: Iterable[str | None]) -> None:
        """Say every sentence that there is."""
        for text in filter(None, texts):
            self.say(text)

    @contextmanager
    def meter(self, label: str, keep: bool = False) -> Iterator[Meter]:
        """Show progress of something for as long as the block runs; yields what to report to."""
        with Meter(label, self.place(), keep) as shown:
            yield shown

    @contextmanager
    def busy(self, label: str) -> Iterator[Callable[[str], None]]:
        """Show that something is being done whose length is not known; yields a function that
        changes the label."""
        with self.meter(label) as shown:
            yield shown.relabel

    @contextmanager
    def training(self, label: str) -> Iterator[Callable[[Progress], None]]:
        """Yield an observer for the engine that draws one bar, and leaves it."""
        with self.meter(label, keep=True) as shown:
            yield shown.training

    @contextmanager
    def steps(self, label: str) -> Iterator[Callable[[int, int], None]]:
        """Yield what is told `(done, total)` of something that takes long."""
        with self.meter(label) as shown:
            yield shown.step


UNWATCHED = Watch()
