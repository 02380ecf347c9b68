"""What is right passes, however it is written: ten styles an exercise at least, some by rule and some by hand."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from course.sources import defined, solutions
from pushforward.course.catalogue import exercise_of, exercises
from pushforward.course.checking import judge
from right_answers import likelihoods, measures, samplers

SOLUTIONS = solutions()
BY_HAND = {**likelihoods.RIGHT, **samplers.RIGHT, **measures.RIGHT}
Answer = Callable[..., Any]


class Called:
    """An object that is called as a function is."""

    def __init__(self, right: Answer) -> None:
        self.right = right

    def __call__(self, *arguments: Any) -> Any:
        return self.right(*arguments)


class Layer(torch.nn.Module):
    """A module whose forward pass is the answer."""

    def __init__(self, right: Answer) -> None:
        super().__init__()
        self.right = right

    def forward(self, *arguments: Any) -> Any:
        return self.right(*arguments)


def _each(change: Callable[[Any], Any], found: Any) -> Any:
    return [change(v) for v in found] if isinstance(found, tuple | list) else change(found)


def _copied(a: Any) -> Any:
    return a.clone().add_(0) if isinstance(a, Tensor) else a


def by_rule(name: str) -> Iterator[tuple[str, Answer]]:
    """Yield the published solution in other clothes; without gradients where none are needed."""
    exercise, source = exercise_of(name), SOLUTIONS[name]
    right, names = defined(source), exercise.parameters
    yield "functools.partial", functools.partial(right)
    yield "an object", Called(right)
    yield "a module", Layer(right)
    yield "lambda", lambda *a: right(*a)
    yield (
        "by name only",
        defined(
            f"{source}\n_right = {exercise.function}\ndef answer(*, {', '.join(names)}):\n    return _right("
            f"{', '.join(names)})\n"
        ),
    )
    yield "in place, on copies", lambda *a: right(*(_copied(each) for each in a))
    yield (
        "a list of what comes back",
        lambda *a: list(found) if isinstance(found := right(*a), tuple) else found,
    )
    if exercise.reads is None:
        yield "sparse", lambda *a: _each(lambda v: v.to_sparse() if v.dim() else v, right(*a))
        yield (
            "rows in a list",
            lambda *a: _each(lambda v: list(v) if v.dim() and len(v) else v, right(*a)),
        )
        yield (
            "a result in float32",
            lambda *a: _each(lambda v: v.float() if v.is_floating_point() else v, right(*a)),
        )
    if exercise.reads is None and not exercise.gradients and name != "gan.r1":
        yield "numbers", lambda *a: _each(lambda v: v.tolist(), right(*a))
        yield "numpy", lambda *a: _each(lambda v: v.numpy(), right(*a))
        yield "detached", lambda *a: _each(lambda v: v.detach(), right(*a))


CASES = [(e.name, style, answer) for e in exercises() for style, answer in by_rule(e.name)]
CASES += [
    (name, f"by hand {i}", answer)
    for name, found in BY_HAND.items()
    for i, answer in enumerate(found)
]


@pytest.mark.parametrize(
    ("name", "style", "answer"), CASES, ids=[f"{name}-{style}" for name, style, _ in CASES]
)
def test_a_right_answer_passes(name: str, style: str, answer: Answer) -> None:
    outcome = judge(name, answer, picture=style in ("numbers", "by hand 0")).outcome
    assert outcome, f"{style}: {outcome}"


@pytest.mark.parametrize("name", [e.name for e in exercises()])
def test_there_are_ten_styles(name: str) -> None:
    assert sum(case[0] == name for case in CASES) >= (10 if exercise_of(name).reads is None else 9)
    assert name in BY_HAND


def test_what_is_no_dense_tensor_ends_no_check() -> None:
    def meta(predicted: Tensor, noise: Tensor) -> Tensor:
        return (predicted - noise).to("meta").mean()

    def nested(predicted: Tensor, noise: Tensor) -> Tensor:
        return torch.nested.nested_tensor([predicted[0], noise[0]])

    def imaginary(predicted: Tensor, noise: Tensor) -> Tensor:
        return ((predicted - noise) ** 2).mean() * 1j

    for answer in (meta, nested, imaginary):
        outcome = judge("diffusion.loss", answer, picture=False).outcome
        assert (outcome.passed, outcome.stage) == (False, "value"), str(outcome)


def test_an_invertible_coupling_is_not_told_that_it_cannot_be_undone() -> None:
    def stretched(x: Tensor, network: Answer) -> tuple[Tensor, Tensor]:
        half = x.shape[1] // 2
        shift, log_scale = network(x[:, :half])
        # invertible, the identity where the network answers with zeros, and not the map that is asked for
        factor = (1 + log_scale**2).sqrt() + log_scale
        return torch.cat([x[:, :half], x[:, half:] * factor + shift], 1), factor.log().sum(1)

    outcome = judge("flow.coupling", stretched, picture=False).outcome
    assert not outcome
    assert "gives the changed columns of x back" in outcome.says
