"""The batches of training, where the model computes.

Two ideas: the batch of step t is a function of t, so that one may be gathered before it is asked
for; data that do not lie on the device cross over beside the step that computes, never before it.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import torch
from torch import Tensor

from pushforward.core.given import Examples
from pushforward.engine.order import DataOrder


class Feed:
    """Batches of training examples on a device; each is on its way while the one before is
    computed with, if the device computes beside the processor.

    Args:
        train: on the device or not.
        order: which examples make a batch.
        device: where batches go.

    Example:
        >>> train, order = Examples(torch.arange(6.0)[:, None]), DataOrder(6, 4, seed=0)
        >>> with Feed(train, order, torch.device("cpu")) as feed:
        ...     torch.equal(feed.batch(3).x, train.x[order.batch(3)])
        True
    """

    def __init__(self, train: Examples, order: DataOrder, device: torch.device) -> None:
        self._train, self._order, self._device = train, order, device
        self._lane = None if train.x.device == device else lane_to(device)
        self._coming: tuple[int, Future[Any]] | None = None
        # one worker: batches are gathered one after the other, and the order is asked by one thread
        self._worker = None if self._lane is None else ThreadPoolExecutor(1, "batches")

    def __enter__(self) -> Feed:
        return self

    def __exit__(self, *error: object) -> None:
        """Give up the batch that is on its way."""
        self._coming = None
        if self._worker is not None:
            self._worker.shutdown(wait=True, cancel_futures=True)

    def batch(self, step: int) -> Examples:
        """Return the batch of a step, and send the next one on its way.

        Raises:
            RuntimeError, MemoryError: whatever befell the batch as it was gathered or sent.
        """
        if self._lane is None or self._worker is None:
            return self._gathered(step).to(self._device)
        coming, self._coming = self._coming, None
        if coming is None or coming[0] != step:
            coming = step, self._worker.submit(self._sent, step)
        sent = coming[1].result()
        self._coming = step + 1, self._worker.submit(self._sent, step + 1)
        return self._lane.received(sent)

    def _gathered(self, step: int) -> Examples:
        return self._train[self._order.batch(step)]

    def _sent(self, step: int) -> Any:
        assert self._lane is not None
        return self._lane.sent(self._gathered(step))


class Lane:
    """A stream of copies to an accelerator, beside the one in which it computes."""

    def __init__(self, device: torch.device) -> None:
        self._device, self._module = device, torch.get_device_module(device)
        self._stream = self._module.Stream(device)

    def sent(self, batch: Examples) -> tuple[Examples, Any]:
        """Return a batch whose numbers are on their way, and the event of their arrival."""
        with self._module.stream(self._stream):
            moved = batch.each(lambda part: pinned(part).to(self._device, non_blocking=True))
            return moved, self._stream.record_event()

    def received(self, sent: tuple[Examples, Any]) -> Examples:
        """Return the batch for what is computed from here on, which waits for its arrival."""
        batch, arrival = sent
        computing = self._module.current_stream(self._device)
        computing.wait_event(arrival)

        def kept(part: Tensor) -> Tensor:
            part.record_stream(computing)  # its memory is not reused before it was computed with
            return part

        return batch.each(kept)


def lane_to(device: torch.device) -> Lane | None:
    """Return a stream of copies to a device, None for one that has no streams.

    Example:
        >>> lane_to(torch.device("cpu")) is None
        True
    """
    there = device.type != "cpu" and hasattr(torch.get_device_module(device), "Stream")
    return Lane(device) if there else None


def pinned(part: Tensor) -> Tensor:
    """Return numbers in memory that is never swapped out, from which a device copies by itself; it
    is kept until the copy is done, and used again."""
    return part.pin_memory()
