"""A training whose memory or device fails: what is left of it, and how to go on.

Two ideas: a state is saved only between two whole steps, since one that was half made is no state
of this training; and whoever is told to go on is told from what there is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from pushforward.core.errors import RunFailed
from pushforward.core.portions import failure_of, out_of_memory
from pushforward.core.spec import TrainConfig

SAVED, KEPT, NOTHING = (
    "the state is saved: go on with --resume",
    "go on from the last checkpoint with --resume",
    "begin again",
)


class Failing:
    """Says what to do where the memory or the device of a training fails.

    Args:
        directory: of the run, None in memory.

    Attributes:
        step: that is being made.
        save: writes a checkpoint; None while there is no whole state.
        kept: whether there is a checkpoint of this training.
        measuring: whether held-out examples are measured, on which no batch has any influence.
    """

    def __init__(self, config: TrainConfig, directory: Path | None, device: torch.device) -> None:
        self.config, self.directory, self.device = config, directory, device
        self.step = 0
        self.save: Callable[[], None] | None = None
        self.kept = self.measuring = False

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Turn a failure of the memory or of the device into a sentence.

        Raises:
            RunFailed: one of the two.
        """
        try:
            yield
        except (RuntimeError, MemoryError) as error:
            if out_of_memory(error) and self.measuring:
                came = (
                    f"the memory of {self.device}, which is not enough to measure held-out examples"
                )
                fix = f"{self._left(True)}, on another --device, or train a smaller model"
                raise RunFailed(f"{came} at step {self.step}", "", fix) from None
            if out_of_memory(error):
                raise too_large(self.config, self.device, self.step, self._left(True)) from None
            failed = failure_of(error, self.device)
            if failed is None:
                raise
            # what lies there cannot be read any more
            came = failed.came.replace(", which failed", f", which failed at step {self.step}", 1)
            fix = f"{self._left(False)}, or elsewhere with --device cpu"
            raise RunFailed(came, "", fix) from None

    def _left(self, readable: bool) -> str:
        """Save the state if that can be done, and return from where to go on."""
        if self.directory is None:
            return NOTHING
        if readable and self.save is not None:
            try:
                self.save()
            except (RuntimeError, MemoryError) as error:
                if failure_of(error, self.device) is None:
                    raise
            else:
                return SAVED
        return KEPT if self.kept else NOTHING


def too_large(config: TrainConfig, device: torch.device, step: int, left: str) -> RunFailed:
    """Return what to say of a training that ran out of memory.

    Args:
        left: from where to go on.

    Example:
        >>> print(too_large(TrainConfig(batch_size=64), torch.device("cpu"), 3, SAVED).fix)
        the state is saved: go on with --resume and -s train.accumulate=2, which takes a batch in parts
    """
    batch, parts = config.batch_size, config.accumulate
    whole = f"batches of {batch}" if parts == 1 else f"batches of {batch} in {parts} parts"
    fix = f"{left} and -s train.accumulate={2 * parts}, which takes a batch in parts"
    if 2 * parts > batch and not config.activation_checkpointing:
        fix = f"{left} and -s train.activation_checkpointing=true, which keeps less"
    elif 2 * parts > batch:
        fix = "train a smaller model, or on another --device"
    came = f"the memory of {device} was not enough at step {step}, with {whole}"
    return RunFailed(came, "", fix.replace(f"{NOTHING} and", f"{NOTHING} with"))
