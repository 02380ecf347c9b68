"""What a training says of itself: where it is, how it ended, and what stopped it."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from pushforward.core.errors import BadInput, RunFailed

GENTLER = "lower train.learning_rate or train.clip, or use train.precision=float32"


ENDS = ("", "budget", "patience", "divergence")  # what may stop a training, empty while it goes on


@dataclass
class Progress:
    """Where a run is; also the counters of its checkpoint.

    `evaluating` are the seconds of held-out evaluations, `held_out_rows` the examples of one (0: a
    version that did not say); `losses` are sums since the last record,
    by loss name; `loss` is a running mean of the first loss for whoever watches; `loss_scales` are
    those of half precision.
    """

    step: int = 0
    seconds: float = 0.0
    fraction: float = 0.0
    held_out: float | None = None
    best: float | None = None
    best_step: int = 0
    waited: int = 0
    evaluated: int = 0
    evaluating: float = 0.0
    logged: int = 0
    skipped: int = 0
    stopped: str = ""
    losses: dict[str, list[float]] = field(default_factory=dict)
    loss_name: str = ""
    loss: float | None = None
    held_out_name: str = ""
    held_out_rows: int = 0
    loss_scales: dict[str, list[float]] = field(default_factory=dict)


def progress_of(counters: dict[str, Any], path: Path) -> Progress:
    """Return the counters of a checkpoint, as whoever wrote them could have.

    Raises:
        BadInput: others, which somebody edited.
    """
    known = {field.name for field in fields(Progress)}
    try:
        found = TypeAdapter(Progress).validate_json(json.dumps(counters), strict=True)
        counts = (
            found.step,
            found.evaluated,
            found.logged,
            found.waited,
            found.best_step,
            found.held_out_rows,
        )
        sound = (
            set(counters) <= known
            and all(0 <= count < 2**53 for count in counts)
            and 0.0 <= found.seconds < math.inf
            and (found.best is None or math.isfinite(found.best))
            and found.stopped in ENDS
            and all(len(pair) == 2 and pair[1] >= 1 for pair in found.losses.values())
            and all(
                len(pair) == 2 and 1.0 <= pair[0] < math.inf for pair in found.loss_scales.values()
            )
        )
    except ValidationError:
        sound = False
    if not sound:
        raise BadInput(
            f"the counters of the checkpoint {path}",
            "those of a training",
            "it was edited; start the run again in a new folder",
        )
    return Progress(**counters)


@dataclass(frozen=True)
class FitRecord:
    """What a finished run says about itself.

    Attributes:
        held_out_rows: examples that the best held-out number is of; 0: it measured none.
    """

    steps: int
    examples: int
    seconds: float
    budget: str
    stopped: str
    loss_name: str
    held_out_name: str
    best_held_out: float | None
    best_step: int
    held_out_rows: int
    skipped_steps: int
    parameters: int
    precision: str
    compilation: str
    history: list[dict[str, Any]]

    @property
    def best(self) -> str:
        """What steered and its best, of how many examples, in words; empty where nothing did."""
        if self.best_held_out is None:
            return ""
        of = f" ({self.held_out_rows:,} validation examples)" if self.held_out_rows else ""
        kept = ", whose weights are kept" if self.best_step < self.steps else ""
        step = f"step {self.best_step}" if self.best_step else "its beginning"
        best = f"{self.best_held_out:.4f} at {step}{of}"
        return f"; best {self.held_out_name} {best}{kept}"


class Diverged(RunFailed):
    """Training ended in numbers that are none, and left no weights that are any good."""


class Interrupted(RunFailed):
    """The user stopped the run; its state was saved and it can be resumed."""

    exit_status = 130


def interrupted(step: int, directory: Path | None) -> Interrupted:
    """Return what to say of a run that was stopped.

    Example:
        >>> print(interrupted(7, Path("run")).fix)
        the state is saved; resume run with --resume
    """
    where = f" {directory}" if directory is not None else ""
    return Interrupted(
        f"stopped at step {step}", "", f"the state is saved; resume{where} with --resume"
    )
