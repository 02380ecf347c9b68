"""The checker.

Two ideas: cheap and telling questions come first (does it run, what shape, what type, is it finite, does it keep the laws), numbers
last; whatever fails, the exercise's known mistakes are tried before anything general is said.
"""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from pushforward.core.errors import BadInput
from pushforward.course.catalogue import exercise_of
from pushforward.course.diagnosing import known_slip, pattern, reduced
from pushforward.course.exercise import Answer, Exercise
from pushforward.course.outcome import Outcome
from pushforward.course.values import NotAValue, brief, fresh, same, shape_text

TOLD = 3  # laws that a passing answer is told of
Values = tuple[Tensor, ...]


class _Wrong(Exception):
    """Ends a check: the stage, what is wrong, and evidence."""

    def __init__(self, stage: str, says: str, evidence: str = "") -> None:
        super().__init__(says)
        self.stage, self.says, self.evidence = stage, says, evidence


def check(name: str, answer: Any) -> Outcome:
    """Return whether a function solves an exercise and, if it does not, why.

    Args:
        name: an exercise, as `pushforward course list` names them.
        answer: the function.

    Raises:
        BadInput: an unknown exercise, or something that is no function.

    Example:
        >>> check("vae.kl", lambda mean, log_scale: (log_scale.exp() ** 2 + mean**2).sum(1) / 2)
        vae.kl: not yet. the log-determinant is missing: -log sigma for every dimension; so is the constant -1/2 of each.
    """
    exercise = exercise_of(name)
    if not callable(answer):
        raise BadInput(f"{type(answer).__name__} for '{name}'", f"the function {exercise.function}{exercise.signature}")
    try:
        _check(exercise, answer)
    except _Wrong as wrong:
        found = [] if wrong.stage in ("written", "arguments") else _all_values(exercise, answer)
        known = known_slip(exercise, found)
        says = known or (_with_pattern(exercise, wrong.says, found) if wrong.stage == "law" else wrong.says)
        return Outcome(name, False, _sentence(says), wrong.stage, bool(known), wrong.evidence)
    svg = "" if exercise.picture is None else exercise.picture(answer)
    return Outcome(name, True, _praise(exercise), "passed", svg=svg)


def _check(exercise: Exercise, answer: Answer) -> None:
    right = _right(exercise)
    found = [_run(exercise, answer, case) for case in range(exercise.cases)]
    for mine, true in zip(found, right):
        _shapes(mine, true, exercise.returns)
    for mine, true in zip(found, right):
        _types(mine, true, exercise.returns)
    for case, (mine, true) in enumerate(zip(found, right)):
        _finite(mine, true, exercise.returns, case)
    for law in exercise.laws:
        _law(law.says, law.holds, answer)
    _numbers(exercise, found, right)
    if exercise.differentiable:
        _gradients(exercise, answer)


def _run(exercise: Exercise, answer: Answer, case: int) -> Values:
    arguments = exercise.arguments(case)
    passed = fresh(arguments)
    try:
        with warnings.catch_warnings():
            # a warning of torch is no mistake of the student's, and some come once in a process only
            warnings.simplefilter("ignore")
            found = answer(*passed)
    except NotImplementedError:
        raise _Wrong("written", "it is not written yet: it raises NotImplementedError") from None
    except Exception as error:
        raise _Wrong("runs", f"it raised {type(error).__name__}: {error}", _where(error, answer, arguments)) from None
    for before, after in zip(arguments, passed):
        if isinstance(before, Tensor) and not same((after,), (before,)):
            raise _Wrong(
                "arguments", "it changes its arguments; work on a copy, such as `x = x + ...` in place of `x += ...`"
            )
    try:
        return exercise.values(found)
    except NotAValue as wrong:
        raise _Wrong("written" if found is None else "value", str(wrong)) from None


def _shapes(found: Values, right: Values, names: Sequence[str]) -> None:
    for mine, true, name in zip(found, right, names):
        if mine.shape != true.shape:
            says = f"{name} has {shape_text(mine)}, expected {shape_text(true)}"
            how = reduced(mine, true)
            raise _Wrong("shape", f"{says}: {how}" if how else says)


def _types(found: Values, right: Values, names: Sequence[str]) -> None:
    for mine, true, name in zip(found, right, names):
        if mine.dtype != true.dtype and not (mine.dtype == torch.bool) == (true.dtype == torch.bool):
            raise _Wrong("type", f"{name} is of type {mine.dtype}, expected {true.dtype}")
        if true.is_floating_point() and mine.dtype != true.dtype:
            says = f"{name} is {mine.dtype}, and the arguments are {true.dtype}: precision was lost on the way"
            raise _Wrong("type", says)


def _finite(found: Values, right: Values, names: Sequence[str], case: int) -> None:
    for mine, true, name in zip(found, right, names):
        bad = ~mine.isfinite() & true.isfinite()
        if bool(bad.any()):
            what = "nan" if bool(mine[bad].isnan().any()) else "infinite"
            raise _Wrong("finite", f"{name} is {what} for {int(bad.sum())} of {mine.numel()} entries in case {case}")


def _law(says: str, holds: Any, answer: Answer) -> None:
    try:
        kept = bool(holds(answer))
    except Exception as error:
        raise _Wrong("law", f"it must hold that {says}; asked for it, the function raised {error!r}") from None
    if not kept:
        raise _Wrong("law", f"it must hold that {says}")


def _numbers(exercise: Exercise, found: Sequence[Values], right: Sequence[Values]) -> None:
    names, said = exercise.returns, exercise.shows or brief
    for case, (mine, true) in enumerate(zip(found, right)):
        for i, name in enumerate(names):
            if not same((mine[i],), (true[i],)):
                says = pattern(found, right, names) or f"the numbers of {name} are wrong"
                raise _Wrong("numbers", says, f"case {case}: {name} = {said(mine[i])}, expected {said(true[i])}")


def _with_pattern(exercise: Exercise, says: str, found: Sequence[Values | None]) -> str:
    """Return a broken law with what the numbers have in common with the right ones, if anything."""
    complete = [values for values in found if values is not None]
    if len(complete) < len(found):
        return says
    return "; ".join(filter(None, [says, pattern(complete, _right(exercise), exercise.returns)]))


def _right(exercise: Exercise) -> list[Values]:
    return [exercise.values(exercise.oracle(*exercise.arguments(i))) for i in range(exercise.cases)]


def _gradients(exercise: Exercise, answer: Answer) -> None:
    true = _gradient(exercise, exercise.oracle)
    try:
        mine = _gradient(exercise, answer)
    except Exception as error:
        says = f"its numbers are right, but gradients cannot flow through it ({type(error).__name__}: {error})"
        raise _Wrong("gradient", f"{says}; stay with torch all the way") from None
    for place, (a, b) in enumerate(zip(mine, true)):
        if b is not None and (a is None or not same((a,), (b,))):
            name = exercise.signature.strip("()").split(", ")[place]
            what = "no gradient flows" if a is None or not bool(a.any()) else "a wrong gradient flows"
            raise _Wrong("gradient", f"its numbers are right, but {what} to {name}: is something detached or rounded?")


def _gradient(exercise: Exercise, function: Answer) -> list[Tensor | None]:
    arguments = [
        a.requires_grad_() if isinstance(a, Tensor) and a.is_floating_point() else a
        for a in fresh(exercise.arguments(1))
    ]
    total = torch.zeros((), dtype=torch.float64)
    for i, value in enumerate(exercise.values(function(*arguments))):
        if value.is_floating_point() and value.requires_grad:
            weights = torch.randn(value.shape, generator=torch.Generator().manual_seed(i), dtype=torch.float64)
            total = total + (weights * value.double()).sum()
    leaves = [a for a in arguments if isinstance(a, Tensor) and a.requires_grad]
    if not total.requires_grad:
        found = iter([None] * len(leaves))
    else:
        found = iter(torch.autograd.grad(total, leaves, allow_unused=True))
    return [next(found) if isinstance(a, Tensor) and a.requires_grad else None for a in arguments]


def _all_values(exercise: Exercise, answer: Answer) -> list[Values | None]:
    found: list[Values | None] = []
    for case in range(exercise.cases):
        try:
            found.append(exercise.values(answer(*fresh(exercise.arguments(case)))))
        except Exception:
            found.append(None)
    return found


def _where(error: Exception, answer: Answer, arguments: tuple[Any, ...]) -> str:
    """Return the last line of the answer's own file that was reached, and the shapes it was given."""
    home = getattr(getattr(answer, "__code__", None), "co_filename", None)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == home]
    line = frames[-1] if frames else None
    shapes = ", ".join(shape_text(a) if isinstance(a, Tensor) else type(a).__name__ for a in arguments)
    return (f"line {line.lineno}: {line.line}; " if line and line.line else "") + f"its arguments were: {shapes}"


def _praise(exercise: Exercise) -> str:
    parts = [f"Right on {exercise.cases} cases{' and their gradients' if exercise.differentiable else ''}"]
    laws = [law.says for law in exercise.laws]
    more = [f"and {len(laws) - TOLD} other laws hold"] if len(laws) > TOLD else []
    return "; ".join([*parts, *laws[:TOLD], *more]) + "."


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else text + "."
