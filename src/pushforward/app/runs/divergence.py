"""A run that diverged says so, wherever it is used.

One idea: the end of a training that left no weights of any use is written into the manifest; of
older runs the records tell, and of every run the weights.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import nn

from pushforward.core.errors import BadInput
from pushforward.core.files import write_json
from pushforward.engine.fit_records import GENTLER, Diverged
from pushforward.engine.history import read_history
from pushforward.provenance.run_directory import (
    HISTORY,
    MANIFEST,
    WEIGHTS,
    RunRecord,
    read_manifest,
)


@contextmanager
def noting_divergence(path: Path) -> Iterator[None]:
    """Write into the manifest of a run that its training diverged, if it does inside the block.

    Raises:
        Diverged: as it came.
    """
    try:
        yield
    except Diverged as failed:
        write_json(path / MANIFEST, {**read_manifest(path), "diverged": failed.came})
        raise


def refuse_diverged(record: RunRecord, model: nn.Module | None = None) -> None:
    """Refuse a run whose training left nothing of use: by its records, and by the weights of its
    model.

    Raises:
        BadInput: says that the model has diverged.
    """
    facts = record.manifest.get("fit", {})
    told = "diverged" in record.manifest and not (record.path / WEIGHTS).is_file()
    if not told and facts.get("held_out_name") and facts.get("best_held_out") is None:
        # in the history what is no number is null
        history = read_history(record.path / HISTORY)
        told = (
            bool(history)
            and history[-1].get("loss") is None
            and history[-1].get("held_out") is None
        )
    wrong = model is not None and not all(bool(torch.isfinite(p).all()) for p in model.parameters())
    if told or wrong:
        raise BadInput(
            f"the model of {record.path}, which has diverged",
            "finite weights and losses",
            f"train it again: {GENTLER}",
        )
