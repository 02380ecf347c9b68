"""A batch in parts is the batch; what does not fit into memory is halved, or ends in a sentence with the way on."""

from __future__ import annotations

import pytest
import torch

from conformance.cases import Case, cases, examples, tiny_model
from oracles import identical, perturb, small_memory
from pushforward.core.errors import RunFailed
from pushforward.core.portions import in_portions
from pushforward.core.space import Points
from pushforward.core.spec import TrainConfig
from pushforward.engine.gradients import gradients, noise_of_parts


@pytest.mark.parametrize("n", [8, 10])
def test_parts_of_a_batch_have_the_gradient_of_the_whole(n: int) -> None:
    """Ten examples in four parts are 3, 3, 3 and 1: a mean of means would be another gradient."""
    data = examples(Points(2), False, n=n)

    def found(parts: int) -> tuple[float, list[torch.Tensor]]:
        model = tiny_model(Case("flow", Points(2), False))
        perturb(model, 0.1)
        noise = noise_of_parts(TrainConfig(accumulate=parts), model.device)
        groups = model.parameter_groups()
        ((_, value),) = [
            (loss.name, value) for loss, value in gradients(model, groups, data, noise, 0)
        ]
        return value, [p.grad for p in model.parameters() if p.grad is not None]

    whole, parts = found(1), found(4)
    assert parts[0] == pytest.approx(whole[0], rel=1e-5)
    assert len(parts[1]) == len(whole[1]) > 0
    for a, b in zip(parts[1], whole[1], strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)


def test_losses_of_a_game_come_in_turn_whatever_the_parts() -> None:
    """The second loss is that of a critic which has moved: it is computed after the first update."""
    data = examples(Points(2), False, n=12)

    def found(parts: int, moved: float) -> list[tuple[str, float]]:
        model = tiny_model(Case("gan", Points(2), False))
        groups, seen = model.parameter_groups(), []
        noise = noise_of_parts(TrainConfig(accumulate=parts), model.device)
        for loss, value in gradients(model, groups, data, noise, 0):
            seen.append((loss.name, value))
            with torch.no_grad():
                for parameter in groups[loss.parameters]:
                    parameter.add_(moved)
        return seen

    for parts in (1, 3):
        still, moving = found(parts, 0.0), found(parts, 0.05)
        assert [name for name, _ in still] == [name for name, _ in found(1, 0.0)]
        assert still[0] == moving[0]
        assert still[1][1] != moving[1][1]


@pytest.mark.parametrize("case", [c for c in cases() if not c.architecture], ids=str)
def test_samples_that_do_not_fit_are_drawn_in_halves(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tiny_model(case)
    perturb(model, 0.05)
    whole = model.sample(11, seed=3, batch=3)
    tried = small_memory(monkeypatch, 3, "walk")
    drawn = model.sample(11, seed=3)
    assert tried == [11, 5, 2, 2, 2, 2, 2, 1]
    assert identical(drawn, whole) or torch.allclose(
        drawn.double(), whole.double(), atol=1e-3, equal_nan=True
    )


def test_portions_are_halved_until_they_fit() -> None:
    tried, told = [], []

    def work(first: int, count: int) -> tuple[int, int]:
        tried.append(count)
        if count > 3:
            raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")
        return first, count

    parts = in_portions(10, 8, work, lambda done, total: told.append((done, total)))
    assert tried == [8, 4, 2, 2, 2, 2, 2]
    assert parts == [(0, 2), (2, 2), (4, 2), (6, 2), (8, 2)]
    assert told[-1] == (10, 10)

    def never(first: int, count: int) -> None:
        raise torch.OutOfMemoryError("no")

    with pytest.raises(RunFailed, match=r"one example at a time.*choose another --device"):
        in_portions(10, 8, never)

    def broken(first: int, count: int) -> None:
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes do not match"):
        in_portions(10, 8, broken)
