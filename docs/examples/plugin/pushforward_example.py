"""What another package adds to Pushforward: one file, announced in `pyproject.toml`, and nothing of the library is edited.

After `pip install docs/examples/plugin`, `pushforward count digits` is a command with a help, `pf.count("digits")` a function of
Python, and `pushforward schema count` prints its JSON schema. The name of an entry point is the kind of choice and a word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pushforward.app.request import Request, Said
from pushforward.app.verbs.shared import Data

if TYPE_CHECKING:
    from pushforward.app.progress.watch import Watch


class CountRequest(Request):
    """Count the examples of some data, and of each class."""

    verb = "count"
    data: Data

    def answer(self, watch: Watch) -> Said:
        """Open the data and count."""
        from collections import Counter

        from pushforward.app.runs.loading import opened

        dataset = opened(self.data)
        watch.of_data(dataset)
        parts = (dataset.train, dataset.validation, dataset.test)
        labels = [
            part.given.label
            for part in parts
            if part.given is not None and part.given.label is not None
        ]
        counts = Counter(dataset.classes[i] for label in labels for i in label.tolist())
        total = sum(len(part) for part in parts)
        lines = [
            f"{dataset.name}: {total:,} examples",
            *(f"  {name}: {n:,}" for name, n in sorted(counts.items())),
        ]
        return Said({"examples": total, "classes": dict(counts)}, *lines)
