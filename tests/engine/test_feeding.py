"""Batches that go over one ahead are those of the order, and training on them is training on data that lie there."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

import pretend_device
from pushforward.core.context import Context
from pushforward.core.errors import RunFailed
from pushforward.core.given import Examples, Given, Known, Prefix
from pushforward.core.placement import computing_on
from pushforward.core.rng import generator
from pushforward.core.space import Points
from pushforward.core.spec import TrainConfig
from pushforward.engine import feeding
from pushforward.engine.feeding import Feed, Lane, lane_to
from pushforward.engine.fit import fit
from pushforward.engine.fit_records import Interrupted, Progress
from pushforward.engine.order import DataOrder
from pushforward.engine.warm_start import AT_CHECKPOINT
from toys import Gauss

N, BATCH = 10, 4
THERE = torch.device(pretend_device.NAME, 0)


def data(n: int = N) -> Examples:
    """Examples of which every part tells one from another."""
    number = torch.arange(n)
    given = Given(
        number % 3,
        Prefix(number[:, None] + torch.arange(2), number % 2),
        Known(number[:, None] + 0.5, (number[:, None] % 2).bool()),
        Context(number[:, None] * 2 + torch.arange(3), number % 4),
        None,
        number[:, None] * 1.5,
    )
    return Examples(number.float()[:, None], given, number + 1, number // 2)


def same(one: Examples, other: Examples) -> bool:
    """Whether two batches have equal numbers in every part."""
    seen: list[list[torch.Tensor]] = [[], []]
    for parts, batch in zip(seen, (one, other), strict=True):
        batch.each(lambda part, parts=parts: parts.append(part.cpu()) or part)
        assert batch.sizes is not None
        assert batch.cases is not None
        parts += [batch.sizes, batch.cases]
    assert len(seen[0]) == len(seen[1]) == 11
    return all(torch.equal(a, b) for a, b in zip(*seen, strict=True))


@pytest.fixture
def there() -> Iterator[torch.device]:
    """The pretend device, on which models are put."""
    torch.__future__.set_overwrite_module_params_on_conversion(True)
    with computing_on(str(THERE)) as device:
        yield device
    torch.__future__.set_overwrite_module_params_on_conversion(False)


@pytest.fixture
def computing(monkeypatch: pytest.MonkeyPatch) -> Iterator[pretend_device.Stream]:
    """The stream in which the pretend device computes, beside others that copy; only memory that is never swapped out needs
    a real device."""
    monkeypatch.setattr(feeding, "pinned", lambda part: part.clone())
    with pretend_device.streams() as stream:
        yield stream
    assert not [t for t in threading.enumerate() if t.name.startswith("batches")]


def test_without_streams_a_batch_is_gathered_when_it_is_asked_for() -> None:
    train, order = data(), DataOrder(N, BATCH, 0)
    for device in (torch.device("cpu"), THERE):
        assert lane_to(device) is None
        with Feed(train, order, device) as feed:
            for step in (0, 1, 2, 7, 3):
                batch = feed.batch(step)
                assert batch.x.device == device
                assert same(batch, train[order.batch(step)])


@pytest.mark.parametrize("steps", [range(9), (5, 6, 7), (3, 3, 4, 0, 1, 8, 2)], ids=str)
def test_a_batch_sent_ahead_is_the_one_of_its_step(steps, computing) -> None:
    """In order, from the middle as a resumed run goes on, and in any other order."""
    train, order = data(), DataOrder(N, BATCH, 0)
    with Feed(train, DataOrder(N, BATCH, 0), THERE) as feed:
        for step in steps:
            batch = feed.batch(step)
            assert same(batch, train[order.batch(step)])
            # everything of it that is computed with stays until it was computed with
            parts: list[torch.Tensor] = []
            batch.each(lambda part, parts=parts: parts.append(part) or part)
            assert {part.device for part in parts} == {THERE}
            assert {id(part) for part in parts} <= {id(part) for part in computing.used}


def test_numbers_are_there_when_they_have_been_waited_for(computing) -> None:
    lane, batch = Lane(THERE), data()
    moved, arrival = lane.sent(batch)
    assert not same(moved, batch)
    assert same(lane.received((moved, arrival)), batch)


def test_the_next_batch_is_gathered_before_it_is_asked_for(computing) -> None:
    asked, gathered = [], threading.Semaphore(0)

    class Watched(DataOrder):
        def batch(self, step: int) -> torch.Tensor:
            asked.append((step, threading.current_thread().name.startswith("batches")))
            gathered.release()
            return super().batch(step)

    with Feed(data(), Watched(N, BATCH, 0), THERE) as feed:
        feed.batch(0)
        assert gathered.acquire(timeout=30)
        assert gathered.acquire(timeout=30)
        assert asked == [(0, True), (1, True)]
        feed.batch(1)
        assert gathered.acquire(timeout=30)
    assert asked == [(0, True), (1, True), (2, True)]


def test_what_befalls_a_batch_is_said_where_it_is_asked_for(computing) -> None:
    class Broken(DataOrder):
        def batch(self, step: int) -> torch.Tensor:
            if step == 2:
                raise torch.OutOfMemoryError("no")
            return super().batch(step)

    with Feed(data(), Broken(N, BATCH, 0), THERE) as feed:
        feed.batch(0)
        feed.batch(1)
        with pytest.raises(torch.OutOfMemoryError):
            feed.batch(2)
        assert len(feed.batch(3)) == BATCH  # and the feed goes on


def points(n: int, seed: int) -> Examples:
    return Examples(torch.randn(n, 2, generator=generator(seed, "data")) * 2.0 + 1.0)


def fitted(monkeypatch: pytest.MonkeyPatch, fits: bool, directory: Path | None = None, **more):
    """A toy that was trained on data that fit onto the device, or do not."""
    free = 2**30 if fits else 0
    monkeypatch.setattr("pushforward.core.placement.room", lambda device: free)
    config = TrainConfig(steps=12, batch_size=32, accumulate=more.pop("accumulate", 1))
    model = Gauss(Points(2)).to(THERE)
    fit(model, points(75, 0), points(20, 1), config, directory=directory, **more)
    return [p.detach().cpu() for p in model.parameters()]


@pytest.mark.parametrize("accumulate", [1, 3])
def test_training_on_batches_that_go_over_is_training_on_data_that_lie_there(
    accumulate: int, there: torch.device, computing, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = []
    real = Lane.sent
    monkeypatch.setattr(
        Lane, "sent", lambda self, batch: sent.append(len(batch)) or real(self, batch)
    )
    whole = fitted(monkeypatch, True, accumulate=accumulate)
    assert not sent
    over = fitted(monkeypatch, False, accumulate=accumulate)
    assert sent[:12] == [32] * 12
    assert all(torch.equal(a, b) for a, b in zip(whole, over, strict=True))


def test_a_run_that_is_stopped_and_resumed_is_the_run_that_was_not(
    there: torch.device, computing, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def press_ctrl_c(progress: Progress) -> None:
        if progress.step == 5:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Interrupted, match=r"stopped at step [56]"):
        fitted(monkeypatch, False, tmp_path, observer=press_ctrl_c)
    assert not [t for t in threading.enumerate() if t.name.startswith("batches")]
    resumed = fitted(monkeypatch, False, tmp_path, begin=AT_CHECKPOINT)
    whole = fitted(monkeypatch, True)
    assert all(torch.equal(a, b) for a, b in zip(resumed, whole, strict=True))


def test_a_batch_that_does_not_fit_ends_with_the_way_on(
    there: torch.device, computing, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    real, sent = Lane.sent, []

    def cramped(self: Lane, batch: Examples):
        sent.append(len(batch))
        if len(sent) == 4:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")
        return real(self, batch)

    with monkeypatch.context() as patch:
        patch.setattr(Lane, "sent", cramped)
        with pytest.raises(RunFailed, match=r"not enough at step 3.*--resume"):
            fitted(patch, False, tmp_path)
    resumed = fitted(monkeypatch, False, tmp_path, begin=AT_CHECKPOINT)
    assert all(torch.equal(a, b) for a, b in zip(resumed, fitted(monkeypatch, True), strict=True))
