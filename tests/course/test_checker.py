"""The checker accepts what is right, says why something is wrong, and cannot be talked into passing."""

from __future__ import annotations

import importlib
import math
import re
from collections.abc import Callable
from typing import Any

import pytest
import torch

from course.sources import defined, solutions
from pushforward.core.errors import BadInput
from pushforward.course import check, hint
from pushforward.course.catalogue import SECTIONS, exercise_of, exercises
from pushforward.course.exercise import Exercise
from pushforward.course.values import fresh, same

SOLUTIONS = solutions()
MUTANTS = {
    name: found
    for section in SECTIONS
    for name, found in importlib.import_module(f"wrong_answers.{section}").MUTANTS.items()
}
NAMES = [exercise.name for exercise in exercises()]


def mutated(name: str, old: str, new: str) -> str:
    """Return the published solution with a mistake in it."""
    source = SOLUTIONS[name]
    assert old in source, f"{name}: {old!r} is not in its solution"
    return source.replace(old, new)


def test_the_course_has_ten_sections_and_both_rounds_of_exercises() -> None:
    assert set(SOLUTIONS) == set(NAMES) == set(MUTANTS)
    for number in range(1, 11):
        rounds = [exercise.harder for exercise in exercises() if exercise.section == number]
        assert True in rounds, f"section {number} has no harder exercise"
    assert sum(not exercise.harder for exercise in exercises()) == 10
    assert sum(exercise.harder for exercise in exercises()) >= 10


@pytest.mark.parametrize("name", NAMES)
def test_the_published_solution_passes(name: str) -> None:
    outcome = check(name, defined(SOLUTIONS[name]))
    assert outcome, str(outcome)
    assert outcome.stage == "passed"
    assert "<svg" in outcome.svg or "<img" in outcome.svg, "no picture on passing"


@pytest.mark.parametrize("name", NAMES)
def test_a_stub_fails_cleanly(name: str) -> None:
    exercise = exercise_of(name)
    for stub in (defined(exercise.starter()), lambda *arguments: None, lambda *arguments: ...):
        outcome = check(name, stub)
        assert not outcome
        assert outcome.stage in ("written", "value"), str(outcome)
        assert not outcome.known


@pytest.mark.parametrize("name", NAMES)
def test_nobody_passes_with_the_answer_of_one_case(name: str) -> None:
    exercise = exercise_of(name)
    for case in range(exercise.cases):
        one = exercise.oracle(*exercise.arguments(case))
        outcome = check(name, lambda *arguments, one=one: one)
        assert not outcome, str(outcome)


@pytest.mark.parametrize("name", NAMES)
def test_there_are_six_mistakes_that_are_told_apart(name: str) -> None:
    assert len({says for *_, says in MUTANTS[name]}) >= 6
    assert len(exercise_of(name).slips) >= 4


CASES = [(name, *mutant) for name, found in MUTANTS.items() for mutant in found]


@pytest.mark.parametrize(
    ("name", "old", "new", "says"), CASES, ids=[f"{c[0]}-{i}" for i, c in enumerate(CASES)]
)
def test_a_mistake_is_named(name: str, old: str, new: str, says: str) -> None:
    outcome = check(name, defined(mutated(name, old, new)))
    assert not outcome
    assert re.search(says, outcome.says), str(outcome)


def attempted(
    exercise: Exercise, answer: Callable[..., Any], case: int
) -> tuple[torch.Tensor, ...] | None:
    """Return what an answer makes of a case, None if it raises."""
    try:
        return exercise.values(answer(*fresh(exercise.arguments(case))))
    except Exception:
        return None


def alike(a: tuple[torch.Tensor, ...] | None, b: tuple[torch.Tensor, ...] | None) -> bool:
    """Return whether two attempts ended in the same way."""
    return a is b if a is None or b is None else same(a, b)


@pytest.mark.parametrize("name", NAMES)
def test_every_slip_is_wrong_and_unlike_the_others(name: str) -> None:
    exercise = exercise_of(name)
    seen: list[list[Any]] = []
    for slip in exercise.slips:
        outcome = check(name, slip.wrong)
        assert not outcome, slip.says
        assert outcome.known, f"{slip.says}: {outcome}"
        assert outcome.says.rstrip(".") == slip.says.rstrip("."), (
            f"{slip.says} is taken for: {outcome.says}"
        )
        made = [attempted(exercise, slip.wrong, i) for i in range(exercise.cases)]
        assert any(values is not None for values in made), (
            f"{slip.says}: it raises whatever it is given"
        )
        assert not any(all(alike(a, b) for a, b in zip(made, other)) for other in seen), slip.says
        seen.append(made)


@pytest.mark.parametrize("exercise", exercises(), ids=lambda e: e.name)
def test_cases_are_equal_every_time_and_differ_from_each_other(exercise: Exercise) -> None:
    again = [
        exercise.values(exercise.oracle(*exercise.arguments(i))) for i in range(exercise.cases)
    ]
    for i, values in enumerate(again):
        assert same(values, exercise.values(exercise.oracle(*exercise.arguments(i))))
    different = [v for i, v in enumerate(again) if not any(same(v, other) for other in again[:i])]
    # two runs may both be healthy; numbers never repeat
    assert len(different) == exercise.cases or (exercise.reads is not None and len(different) >= 8)


def test_general_patterns_are_recognised() -> None:
    right = defined(SOLUTIONS["vae.kl"])
    said = {
        "3 times the right one": lambda m, s: 3 * right(m, s),
        r"same multiple of log\(2 pi\) / 2": lambda m, s: (
            right(m, s) + m.shape[1] * math.log(2 * math.pi) / 2
        ),
        "the exponential of what was asked": lambda m, s: right(m, s).exp(),
        "changes its arguments": lambda m, s: (
            right(m, s.mul_(1)) if m.add_(1) is None else right(m, s)
        ),
        "as far as float16 can tell": lambda m, s: right(m, s).half(),
        "as far as bfloat16 can tell": lambda m, s: right(m.bfloat16(), s.bfloat16()).double(),
        "stay with torch all the way": lambda m, s: right(m, s).numpy(),
        "raised ZeroDivisionError": lambda m, s: 1 / 0,
        "returns None": lambda m, s: None,
        "returns 2 values, expected 1": lambda m, s: (m, s),
        "is str, expected a number": lambda m, s: "3.0",
        "nan for": lambda m, s: right(m, s) * math.nan,
        "times the number of entries": lambda m, s: right(m, s) * len(m),
    }
    for says, answer in said.items():
        outcome = check("vae.kl", answer)
        assert not outcome
        assert re.search(says, outcome.says), str(outcome)


def test_precision_is_called_precision_and_no_mistake() -> None:
    for coarse in (torch.float16, torch.bfloat16):
        outcome = check(
            "diffusion.noise",
            lambda x, e, a, t=coarse: defined(SOLUTIONS["diffusion.noise"])(x, e, a).to(t),
        )
        assert (outcome.passed, outcome.stage, outcome.known) == (False, "precision", False)
    single = torch.tensor(math.log(2 * math.pi))
    right = defined(
        SOLUTIONS["flow.log_prob"]
        .replace("math.log(2 * math.pi)", "single")
        .replace("def", "single = 0\ndef")
    )
    right.__globals__["single"] = single
    outcome = check("flow.log_prob", right)
    assert outcome
    assert "precision of float32" in outcome.says


def test_what_is_asked_of_the_checker_must_exist() -> None:
    with pytest.raises(BadInput, match=r"unknown exercise 'vae.lk'.*did you mean 'vae.kl'"):
        check("vae.lk", lambda: 0)
    with pytest.raises(
        BadInput, match=r"float for 'vae.kl': expected the function kl_to_standard_normal"
    ):
        check("vae.kl", 3.0)  # pyright: ignore
    with pytest.raises(BadInput, match=r"hint 4: expected 1, 2 or 3"):
        hint("vae.kl", 4)
