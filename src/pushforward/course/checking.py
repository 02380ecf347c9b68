"""The checker.

Two ideas: cheap and telling questions come first (does it run, what shape, what type, is it
finite), then numbers, and only an answer with right numbers is asked whether it keeps the laws and
whether gradients flow; whatever fails, the exercise's known mistakes are tried before anything
general is said.
"""

from __future__ import annotations

import sys
import traceback
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from pushforward.core.errors import BadInput
from pushforward.course.catalogue import exercise_of
from pushforward.course.diagnosing import composed_slip, known_slip, pattern, reduced, right_values
from pushforward.course.exercise import Answer, Exercise
from pushforward.course.laws import ERROR
from pushforward.course.outcome import Outcome, telling
from pushforward.course.running import SECONDS, Left, TooLong, calling, neutral, within
from pushforward.course.values import (
    COARSE,
    EXACT,
    SINGLE,
    NotAValue,
    brief,
    coarsest,
    fresh,
    same,
    shape_text,
)

TOLD = 3  # laws that a passing answer is told of
STEEP = (1, 3)  # cases whose gradients are compared
Values = tuple[Tensor, ...]
Gradients = list[list[Tensor | None]]


class _Wrong(Exception):
    """Ends a check: the stage, what is wrong, and evidence."""

    def __init__(self, stage: str, says: str, evidence: str = "") -> None:
        super().__init__(says)
        self.stage, self.says, self.evidence = stage, says, evidence


@dataclass(frozen=True)
class AnswerVerdict:
    """An outcome and what it rests on, so that another process can confirm it.

    Attributes:
        outcome: what is said.
        values: what the answer returned in every case; None for a case in which it failed.
    """

    outcome: Outcome
    values: list[Values | None]


def check(name: str, answer: Any) -> Outcome:
    """Return whether a function solves an exercise and, if it does not, why; in a script, where
    nothing shows it, say so.

    Args:
        name: an exercise, as `pushforward course list` names them.
        answer: the function.

    Raises:
        BadInput: an unknown exercise, or something that is no function.

    Example:
        >>> check("vae.kl", lambda mean, log_scale: (log_scale.exp() ** 2 + mean**2).sum(1) / 2)
        vae.kl: not yet. the log-determinant is missing: -log sigma for every dimension; so is the constant -1/2 of each.
          case 0: divergence = [1.6826, 1.3888, 3.9666], expected [1.271, 1.9776, 2.2775]
    """
    return telling(judge(name, answer).outcome, sys._getframe(1))


def judge(name: str, answer: Any, seconds: float = SECONDS, picture: bool = True) -> AnswerVerdict:
    """Return the outcome of a check and the values it rests on; nothing is printed, and the process
    is left as it was.

    Args:
        seconds: an answer that runs for longer is wrong.
        picture: whether an answer that passes draws the exercise's picture.

    Raises:
        BadInput: an unknown exercise, or something that is no function.
    """
    exercise = exercise_of(name)
    if not callable(answer):
        raise BadInput(
            f"{type(answer).__name__} for '{name}'",
            f"the function {exercise.function}{exercise.signature}",
        )
    with neutral() as theirs:
        call = calling(answer, exercise.parameters, theirs)
        found: list[Values | None] = []
        svg = ""
        try:
            with within(seconds):
                error = _check(exercise, call, found, answer)
                if picture and exercise.picture is not None:
                    svg = exercise.picture(as_values(exercise, call, detached=True))
            return AnswerVerdict(
                Outcome(name, True, _praise(exercise, error), "passed", svg=svg), found
            )
        except TooLong as late:
            says = f"it was still running after {seconds:g} seconds: does a loop in it never end?"
            wrong = _Wrong(
                "runs", says, _where(late, answer, exercise.arguments(len(found) % exercise.cases))
            )
            return AnswerVerdict(
                Outcome(name, False, _sentence(wrong.says), wrong.stage, evidence=wrong.evidence),
                found,
            )
        except _Wrong as error:
            wrong = error
        known = "" if wrong.stage in SURE else _known(exercise, found)
        if not known and wrong.stage == "numbers":
            wrong = _with_law(exercise, call, wrong, seconds)
        return AnswerVerdict(
            Outcome(
                name,
                False,
                _sentence(known or wrong.says),
                wrong.stage,
                bool(known),
                wrong.evidence,
            ),
            found,
        )


def _known(exercise: Exercise, found: list[Values | None]) -> str:
    with warnings.catch_warnings():
        # a wrong formula may well divide by zero
        warnings.simplefilter("ignore")
        return known_slip(exercise, found) or composed_slip(exercise, found)


# stages that end a check whatever the numbers are, or after these were found right
SURE = ("written", "arguments", "precision", "law", "gradient")


def _check(exercise: Exercise, answer: Answer, found: list[Values | None], original: Any) -> float:
    """Return the relative error that the numbers have, after every question was answered well.

    Args:
        found: takes what the answer returns in case 0, 1, ...
        original: the answer as it was given, to find its lines.
    """
    right, first = right_values(exercise), None
    for case in range(exercise.cases):
        try:
            found.append(_run(exercise, answer, case, original))
        except _Wrong as wrong:
            first = first or wrong
            found.append(None)
    if first is not None:
        raise first
    mine = [values for values in found if values is not None]
    for ask in (_shapes, _types):
        for values, true in zip(mine, right):
            ask(values, true, exercise.returns)
    error = agreement(mine, right)
    if error is None:
        for case, (values, true) in enumerate(zip(mine, right)):
            _finite(values, true, exercise.returns, case)
        _numbers(exercise, mine, right)
    assert error is not None
    token = ERROR.set(max(ERROR.get(), 20 * error if error > EXACT else 0.0))
    try:
        for law in exercise.laws:
            _law(law.says, law.holds, as_values(exercise, answer))
    finally:
        ERROR.reset(token)
    if exercise.gradients:
        _gradients(exercise, answer, error)
    return error


def as_values(exercise: Exercise, answer: Answer, detached: bool = False) -> Answer:
    """Return a function that gives an answer's values as tensors, whatever they come as; what is no
    number stays as it is."""

    def call(*arguments: Any) -> Any:
        found = answer(*arguments)
        if exercise.reads is not None:
            return found
        values = [v.detach() if detached else v for v in exercise.values(found)]
        return values[0] if len(values) == 1 else tuple(values)

    return call


def agreement(found: Sequence[Values], right: Sequence[Values]) -> float | None:
    """Return the relative error up to which all values are right: that of float64 or of float32;
    None if they are wrong."""
    for error in (EXACT, SINGLE):
        if all(same(mine, true, error) for mine, true in zip(found, right)):
            return error
    return None


def _run(exercise: Exercise, answer: Answer, case: int, original: Any) -> Values:
    arguments = exercise.arguments(case)
    passed = fresh(arguments)
    try:
        found = answer(*passed)
    except NotImplementedError:
        raise _Wrong("written", "it is not written yet: it raises NotImplementedError") from None
    except Left as error:
        raise _Wrong("runs", str(error)) from None
    except Exception as error:
        text = f"it raised {type(error).__name__}" + (f": {str(error)[:500]}" if str(error) else "")
        raise _Wrong("runs", text, _where(error, original, arguments)) from None
    for before, after in zip(arguments, passed):
        if isinstance(before, Tensor) and not same((after,), (before,)):
            raise _Wrong(
                "arguments",
                "it changes its arguments; work on a copy, such as `x = x + ...` in place of `x += ...`",
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
        # 0 and 1 are as good as False and True
        truths = mine.dtype == torch.bool or bool(((mine == 0) | (mine == 1)).all())
        if (mine.dtype == torch.bool) != (true.dtype == torch.bool) and not (
            true.dtype == torch.bool and truths
        ):
            raise _Wrong("type", f"{name} is of type {mine.dtype}, expected {true.dtype}")


def _finite(found: Values, right: Values, names: Sequence[str], case: int) -> None:
    for mine, true, name in zip(found, right, names):
        bad = ~mine.isfinite() & true.isfinite()
        if bool(bad.any()):
            what = "nan" if bool(mine[bad].isnan().any()) else "infinite"
            raise _Wrong(
                "finite",
                f"{name} is {what} for {int(bad.sum())} of {mine.numel()} entries in case {case}",
            )


def _law(says: str, holds: Any, answer: Answer) -> None:
    try:
        kept = bool(holds(answer))
    except Exception as error:
        raise _Wrong(
            "law", f"it must hold that {says}; asked for it, the function raised {error!r}"
        ) from None
    if not kept:
        raise _Wrong("law", f"it must hold that {says}")


def _numbers(exercise: Exercise, found: Sequence[Values], right: Sequence[Values]) -> None:
    """Say how numbers are wrong that are."""
    names, said, type_ = exercise.returns, exercise.shows or brief, coarsest(found)
    if type_ in COARSE and all(same(mine, true, COARSE[type_]) for mine, true in zip(found, right)):
        digits = "three digits" if type_ == torch.float16 else "two digits"
        says = f"it is right as far as {_word(type_)} can tell, which is {digits}; use float64, the type of the arguments"
        raise _Wrong("precision", says)
    for case, (mine, true) in enumerate(zip(found, right)):
        for i, name in enumerate(names):
            if not same((mine[i],), (true[i],), SINGLE):
                says = pattern(found, right, names) or f"the numbers of {name} are wrong"
                if type_ != torch.float64:
                    says += f" (and they were computed in {_word(type_)}; use float64, the type of the arguments)"
                which = f"case {case}" if exercise.about is None else exercise.about(case)
                texts = said(mine[i]), said(true[i])
                if texts[0] == texts[1] and said is brief:
                    texts = brief(mine[i], 12), brief(true[i], 12)
                raise _Wrong("numbers", says, f"{which}: {name} = {texts[0]}, expected {texts[1]}")


def _with_law(exercise: Exercise, answer: Answer, wrong: _Wrong, seconds: float) -> _Wrong:
    """Return a law that is broken by wrong numbers, with what these have in common with the right
    ones, if one is."""
    try:
        with within(seconds):
            for law in exercise.laws:
                _law(law.says, law.holds, as_values(exercise, answer))
    except TooLong:
        return wrong
    except _Wrong as law:
        general = wrong.says.startswith("the numbers of")
        return _Wrong("law", law.says if general else f"{law.says}; {wrong.says}", wrong.evidence)
    return wrong


def _gradients(exercise: Exercise, answer: Answer, error: float) -> None:
    for case in STEEP:
        true = _gradient(exercise, exercise.oracle, case)
        try:
            mine = _gradient(exercise, answer, case)
        except Exception as problem:
            says = f"its numbers are right, but gradients cannot flow through it ({type(problem).__name__}: {problem})"
            raise _Wrong(
                "gradient", f"{says}; {_wanted(exercise)}: stay with torch all the way"
            ) from None
        for name, (a, b) in zip(exercise.gradients, zip(mine, true)):
            if b is not None and (a is None or not same((a,), (b,), max(error, 1e3 * EXACT))):
                what = (
                    "no gradient flows"
                    if a is None or not bool(a.any())
                    else "a wrong gradient flows"
                )
                says = f"its numbers are right, but {what} to {name}: is something detached or rounded?"
                raise _Wrong("gradient", f"{says} {_wanted(exercise).capitalize()}")


def _wanted(exercise: Exercise) -> str:
    return f"training needs gradients to {' and '.join(exercise.gradients)}"


def _gradient(exercise: Exercise, function: Answer, case: int) -> list[Tensor | None]:
    """Return the gradients of one weighted sum of everything that came back, one for each name in
    `exercise.gradients`."""
    arguments = dict(zip(exercise.parameters, fresh(exercise.arguments(case))))
    leaves = [arguments[name].requires_grad_() for name in exercise.gradients]
    total = torch.zeros((), dtype=torch.float64)
    for i, value in enumerate(exercise.values(function(*arguments.values()))):
        if value.is_floating_point() and value.requires_grad:
            weights = torch.randn(
                value.shape, generator=torch.Generator().manual_seed(i), dtype=torch.float64
            )
            total = total + (weights * value.double()).sum()
    if not total.requires_grad:
        return [None] * len(leaves)
    return list(torch.autograd.grad(total, leaves, allow_unused=True))


def _where(error: BaseException, answer: Any, arguments: tuple[Any, ...]) -> str:
    """Return the last line of the answer's own file that was reached, and the shapes it was
    given."""
    inner = getattr(answer, "func", answer)  # of functools.partial
    method = vars(type(inner)).get("__call__")
    code = getattr(inner, "__code__", None) or getattr(method, "__code__", None)
    frames = [
        f
        for f in traceback.extract_tb(error.__traceback__)
        if code is not None and f.filename == code.co_filename
    ]
    line = frames[-1] if frames else None
    shapes = ", ".join(
        shape_text(a) if isinstance(a, Tensor) else type(a).__name__ for a in arguments
    )
    return (
        f"line {line.lineno}: {line.line}; " if line and line.line else ""
    ) + f"its arguments were: {shapes}"


def _praise(exercise: Exercise, error: float) -> str:
    parts = [
        f"Right on {exercise.cases} cases{' and their gradients' if exercise.gradients else ''}"
    ]
    if error > EXACT:
        parts.append(
            "up to the precision of float32, which something in it has: the arguments are float64"
        )
    laws = [law.says for law in exercise.laws]
    more = [f"and {len(laws) - TOLD} other laws hold"] if len(laws) > TOLD else []
    return "; ".join([*parts, *laws[:TOLD], *more]) + "."


def _word(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else text + "."
