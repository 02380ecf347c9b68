"""Portions follow the memory: they grow while it leaves room, are halved where it does not, and give the same numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch

import pretend_device
from conformance.cases import Case, examples, tiny_model
from pushforward.core.model import GenerativeModel
from pushforward.core.placement import computing_on, memory_of
from pushforward.core.portions import GROWN, in_portions, out_of_memory
from pushforward.core.space import Points
from pushforward.core.walk import of_all


class Pretended:
    """A memory of so many bytes, of which an example takes some while it is worked on."""

    def __init__(self, total: int, each: Callable[[int], int], keeps: int = 0) -> None:
        self.total, self.each, self.keeps = total, each, keeps
        self.held, self.most, self.tried = 0, 0, []

    def work(self, first: int, count: int) -> range:
        """Take what `count` examples take; more than there is, is refused."""
        self.tried.append(count)
        if (taken := self.each(count)) > self.total - self.held:
            raise torch.OutOfMemoryError("no")
        self.most, self.held = taken, self.held + self.keeps * count
        return range(first, first + count)

    def watch(self) -> None:
        self.most = 0

    def peak(self) -> int:
        return self.most

    def free(self) -> int:
        return self.total - self.held


def worked(memory: Pretended, n: int, size: int) -> list[int]:
    """What was tried; every example must have been worked on once, in order, and been told."""
    told: list[tuple[int, int]] = []
    parts = in_portions(n, size, memory.work, lambda *each: told.append(each), memory)
    assert [i for part in parts for i in part] == list(range(n))
    assert [done for done, _ in told] == [part.stop for part in parts]
    assert {total for _, total in told} == {n}
    return memory.tried


def test_they_double_while_twice_of_what_was_taken_fits_into_half_of_what_is_free() -> None:
    # 8 of 1 byte each, so that 16, 32 and 64 fit into half of 150 and 128 does not
    assert worked(Pretended(150, lambda count: count), 200, 8) == [8, 16, 32, 64, 64, 16]
    # what was worked out stays there: less is free for every next one
    assert worked(Pretended(150, lambda count: count, keeps=1), 100, 8) == [8, 16, 32, 32, 12]


def test_they_grow_to_so_many_times_at_most() -> None:
    tried = worked(Pretended(2**40, lambda count: count), 1000 * 2, 2)
    assert max(tried) == GROWN * 2
    assert tried[:6] == [2, 4, 8, 16, 32, 64]


def test_they_are_halved_where_they_fail_and_do_not_come_back() -> None:
    # memory that grows with the square: 16 take four times of what 8 take, and 32 do not fit
    memory = Pretended(800, lambda count: count * count)
    assert worked(memory, 200, 8)[:5] == [8, 16, 16, 16, 16]
    sudden = Pretended(1000, lambda count: count if count < 30 else 10**6)
    assert worked(sudden, 120, 8) == [8, 16, 32, 16, 16, 16, 16, 16, 16]
    # what fails first may grow again below where it failed
    once = Pretended(1000, lambda count: 10**6 if count == 24 or count > 40 else count)
    assert worked(once, 100, 48)[:5] == [48, 24, 12, 12, 12]


def test_without_a_memory_that_tells_they_stay_as_they_are() -> None:
    tried: list[int] = []
    in_portions(20, 8, lambda first, count: tried.append(count))
    assert tried == [8, 8, 4]
    assert memory_of(torch.device("cpu")) is None


def test_a_walk_tells_its_share_of_all_whatever_the_portions() -> None:
    told: list[tuple[int, int]] = []
    for first, count in ((0, 4), (4, 8), (12, 1)):
        report = of_all(lambda *each: told.append(each), first, count, 13, 4)
        for steps in range(1, 6):
            report(steps, 5)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1] == (20, 20)
    assert {total for _, total in told} == {20}


@pytest.mark.parametrize(
    "words",
    [
        "[enforce fail] DefaultCPUAllocator: can't allocate memory",
        "CUDA out of memory. Tried to allocate 20.00 MiB",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
    ],
)
def test_no_memory_in_the_words_of_libraries(words: str) -> None:
    assert out_of_memory(RuntimeError(words))
    assert not out_of_memory(ValueError(words))


@pytest.fixture
def pretend(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pretended]:
    """The pretend device with a memory that tells what models take of it."""
    module, memory = (
        torch.get_device_module(pretend_device.NAME),
        Pretended(90, lambda count: count),
    )
    for name, told in {
        "reset_peak_memory_stats": lambda device: memory.watch(),
        "memory_allocated": lambda device: 1000,
        "max_memory_allocated": lambda device: 1000 + memory.most,
        "memory_reserved": lambda device: 1030,
        "mem_get_info": lambda device: (memory.free() - 30, 2000),
    }.items():
        monkeypatch.setattr(module, name, told, raising=False)
    for name in ("walk", "held_out"):
        real = getattr(GenerativeModel, name)

        def noted(self, what, *words, real=real, **named):
            if isinstance(what, int):
                memory.work(0, what)
            return real(self, what, *words, **named)

        monkeypatch.setattr(GenerativeModel, name, noted)
    monkeypatch.setattr(GenerativeModel, "chunk", property(lambda self: 4))
    torch.__future__.set_overwrite_module_params_on_conversion(True)
    yield memory
    torch.__future__.set_overwrite_module_params_on_conversion(False)


def test_models_draw_as_many_at_once_as_their_device_takes(pretend: Pretended) -> None:
    def drawn(device: str, batch: int | None = None) -> torch.Tensor:
        pretend.tried.clear()
        with computing_on(device):
            return tiny_model(Case("flow", Points(2), False)).sample(100, seed=1, batch=batch)

    found = drawn(pretend_device.NAME)
    # half of the 90 bytes that are free hold 32, and do not hold 64
    assert pretend.tried == [4, 8, 16, 32, 32, 8]
    asked = drawn(pretend_device.NAME, batch=10)
    assert pretend.tried == [10] * 10  # who says how many has as many
    there = drawn("cpu")
    assert pretend.tried == [4] * 25  # the processor's portions are as they were
    for other in (asked, there):
        torch.testing.assert_close(found, other, rtol=1e-4, atol=1e-4)


def test_scoring_grows_too(pretend: Pretended, monkeypatch: pytest.MonkeyPatch) -> None:
    import pushforward.core.scoring as scoring

    real = scoring.conditional_log_prob

    def noted(model, chunk, first, query):
        pretend.work(first, len(chunk))
        return real(model, chunk, first, query)

    monkeypatch.setattr(scoring, "conditional_log_prob", noted)
    data, found = examples(Points(2), False, n=80), []
    for device in (pretend_device.NAME, "cpu"):
        pretend.tried.clear()
        with computing_on(device):
            found.append(tiny_model(Case("flow", Points(2), False)).log_prob(data).nats)
        assert (max(pretend.tried) > 4) == (device == pretend_device.NAME)
    torch.testing.assert_close(*found, rtol=1e-4, atol=1e-4)
