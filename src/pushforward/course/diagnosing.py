"""Why an answer is wrong.

Three ideas: first the known mistakes of the exercise, each tried on every random case; then what
pieces of its formula, exchanged two or three at a time, give (`course/composing.py`); then patterns
that mistakes of any formula leave: a sign, a factor, an offset, a sum where a mean belongs, an
axis.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

import torch
from torch import Tensor

from pushforward.course.composing import arguments_changed, results_changed
from pushforward.course.exercise import Answer, Exercise
from pushforward.course.values import EXACT, SINGLE, close, fresh, same

Values = tuple[Tensor, ...]
# ends of patterns that do not say what the mistake is
WEAK = (
    "is something summed where it is averaged?",
    "a term that does not depend on the entry is wrong",
)
CONSTANTS = {
    math.log(2 * math.pi) / 2: "log(2 pi) / 2",
    math.log(2 * math.pi): "log(2 pi)",
    math.log(2): "log 2",
    math.log(math.pi): "log pi",
    1.0: "1",
    0.5: "1/2",
}


def known_slip(exercise: Exercise, found: Sequence[Values | None]) -> str:
    """Return what the exercise says to who made one of its known mistakes, empty if none fits all
    cases.

    Args:
        found: what the answer returned in case 0, 1, ...; None for a case in which it raised.
    """
    if all(values is None for values in found):
        return ""
    for error in (EXACT, SINGLE):
        for slip in exercise.slips:
            if _fits(exercise, slip.wrong, found, error):
                return slip.says
    return ""


def composed_slip(exercise: Exercise, found: Sequence[Values | None]) -> str:
    """Return which mistakes, put together, give what was found, empty if none do; a strong pattern
    of the numbers goes first.

    Nothing is said of an answer that gives one number whatever it is asked: too many mistakes end
    in zero or in nan.
    """
    complete = [values for values in found if values is not None]
    if exercise.explains is not None and len(complete) == len(found):
        return exercise.explains([v[0] for v in complete], [v[0] for v in right_values(exercise)])
    if not complete or exercise.reads is not None or (len(complete) > 1 and _is_constant(complete)):
        return ""
    if exercise.form is not None and (
        says := _first_fit(exercise, exercise.form.formulas(), found)
    ):
        return says
    right = right_values(exercise)
    pairs = [pair for values, trues in zip(complete, right) for pair in zip(values, trues)]
    alike = len(complete) == len(found) and all(mine.shape == true.shape for mine, true in pairs)
    if alike and (says := pattern(complete, right, exercise.returns)) and not says.endswith(WEAK):
        return says
    return _first_fit(exercise, _by_rule(exercise), found, results=True)


def _first_fit(
    exercise: Exercise,
    formulas: Iterable[tuple[str, Answer]],
    found: Sequence[Values | None],
    results: bool = False,
) -> str:
    """Return what is said of the first formula that gives what was found, in one case and then in
    all others.

    Args:
        found: by case, None where the answer raised: the formula must too.
        results: whether each formula's result may be changed once more.
    """
    case, mine = next((i, values) for i, values in enumerate(found) if values is not None)
    arguments = exercise.arguments(case)
    for says, wrong in formulas:
        try:
            made = exercise.values(wrong(*arguments))
        except Exception:
            continue
        if says and same(mine, made) and _fits(exercise, wrong, found):
            return says
        for more, changed in results_changed(made) if results else ():
            if same(mine, changed) and _fits_changed(exercise, wrong, more, found):
                return "; and ".join(filter(None, [says, more]))
    return ""


def _fits_changed(
    exercise: Exercise, wrong: Answer, more: str, found: Sequence[Values | None]
) -> bool:
    """Whether a formula's result, changed in the way that is said, is what was found in every
    case."""
    for case, values in enumerate(found):
        try:
            made = dict(results_changed(exercise.values(wrong(*exercise.arguments(case)))))
        except Exception:
            made = {}
        if (values is None) != (more not in made) or (
            values is not None and not same(values, made[more])
        ):
            return False
    return True


@cache
def right_values(exercise: Exercise) -> list[Values]:
    """Return what the oracle of an exercise returns in every case."""
    return [exercise.values(exercise.oracle(*exercise.arguments(i))) for i in range(exercise.cases)]


def _by_rule(exercise: Exercise) -> Iterator[tuple[str, Answer]]:
    """Yield the right answer, the known mistakes, and either with other arguments."""
    first, names = exercise.arguments(0), exercise.parameters
    right = exercise.oracle if exercise.form is None else exercise.form.plain()
    slips = [(slip.says, slip.wrong) for slip in exercise.slips]
    yield "", right
    yield from arguments_changed(names, first, right)
    yield from slips
    for said, wrong in slips:
        yield from (
            (f"{said}; and {says}", answer)
            for says, answer in arguments_changed(names, first, wrong)
        )


def _is_constant(found: Sequence[Values]) -> bool:
    """Whether every case has the same numbers, or none has any."""
    numbers = torch.cat([value.detach().double().flatten() for values in found for value in values])
    alike = all(len(values) == len(found[0]) and same(values, found[0]) for values in found)
    return (
        alike
        or not len(numbers)
        or bool(numbers.isnan().all())
        or bool((numbers == numbers[0]).all())
    )


def _fits(
    exercise: Exercise, wrong: Answer, found: Sequence[Values | None], error: float = EXACT
) -> bool:
    return all(_makes(exercise, wrong, case, values, error) for case, values in enumerate(found))


def pattern(found: Sequence[Values], right: Sequence[Values], names: Sequence[str]) -> str:
    """Return what the wrong numbers have in common with the right ones, empty if nothing is
    recognised."""
    wrong = [
        i for i in range(len(names)) if not all(close(f[i], r[i]) for f, r in zip(found, right))
    ]
    if (
        len(names) == 2
        and len(wrong) == 2
        and all(same((f[1], f[0]), r) for f, r in zip(found, right))
    ):
        return f"{names[0]} and {names[1]} are returned in the wrong order"
    for i in wrong:
        mine, true = [f[i] for f in found], [r[i] for r in right]
        for look in (_sign, _factor, _offset, _transposed, _exponential):
            if says := look(mine, true):
                return says if len(names) == 1 else f"{names[i]}: {says}"
    return ""


def reduced(found: Tensor, right: Tensor) -> str:
    """Return how a value of the wrong shape comes from the right one: by a sum or a mean over an
    axis; empty if it does not."""
    right = right.detach().double()
    for axis in [None, *range(right.dim())]:
        where = "everything" if axis is None else "the batch" if axis == 0 else f"axis {axis}"
        for name, make in (("averaged", torch.mean), ("summed", torch.sum)):
            value = make(right) if axis is None else make(right, dim=axis)
            if value.shape == found.shape and close(found, value):
                if axis is None and right.dim() == 1:
                    where = "the batch"
                return f"you {name} over {where}; keep one value for each entry"
    return ""


def _makes(
    exercise: Exercise, wrong: Answer, case: int, values: Values | None, error: float
) -> bool:
    try:
        made = exercise.values(wrong(*fresh(exercise.arguments(case))))
    except Exception:
        return values is None
    return values is not None and same(values, made, error)


def _sign(mine: list[Tensor], true: list[Tensor]) -> str:
    return (
        "the sign is wrong: every number is minus the right one"
        if same(tuple(mine), tuple([-t.double() for t in true]))
        else ""
    )


def _factor(mine: list[Tensor], true: list[Tensor]) -> str:
    factors = [_ratio(a, b) for a, b in zip(mine, true)]
    if any(f is None for f in factors):
        return ""
    first = factors[0]
    assert first is not None
    if all(f is not None and math.isclose(f, 1.0, rel_tol=1e-9) for f in factors):
        return ""
    if all(f is not None and math.isclose(f, first, rel_tol=1e-6) for f in factors):
        return f"every number is {first:.6g} times the right one"
    sizes = [t.numel() for t in true]
    for name, of in (("times", lambda n: float(n)), ("divided by", lambda n: 1.0 / n)):
        if all(
            f is not None and math.isclose(f, of(n), rel_tol=1e-6) for f, n in zip(factors, sizes)
        ):
            return f"every number is {name} the number of entries: a sum and a mean are mixed up"
    if max(sizes) == 1:
        return ""  # a single number is always a factor off
    return "every number is wrong by one factor that changes from case to case: is something summed where it is averaged?"


def _offset(mine: list[Tensor], true: list[Tensor]) -> str:
    offsets = [_difference(a, b) for a, b in zip(mine, true)]
    if any(o is None for o in offsets):
        return ""
    first = offsets[0]
    assert first is not None
    if all(o is not None and math.isclose(o, first, rel_tol=1e-6, abs_tol=1e-9) for o in offsets):
        named = next(
            (
                f" ({text})"
                for c, text in CONSTANTS.items()
                if math.isclose(abs(first), c, rel_tol=1e-6)
            ),
            "",
        )
        return (
            f"every number is off by exactly {first:.6g}{named}: a constant is missing or too many"
        )
    for constant, text in CONSTANTS.items():
        counts = [o / constant for o in offsets if o is not None]
        if all(math.isclose(c, round(c), abs_tol=1e-6) and round(c) for c in counts):
            return f"every number of a case is off by the same multiple of {text}: a constant that goes with a size"
    if max(t.numel() for t in true) == 1:
        return ""
    return "every number of a case is off by the same amount: a term that does not depend on the entry is wrong"


def _transposed(mine: list[Tensor], true: list[Tensor]) -> str:
    if all(t.dim() == 2 and t.shape[0] == t.shape[1] for t in true) and same(
        tuple(mine), tuple([t.T for t in true])
    ):
        return "rows and columns are exchanged"
    return ""


def _exponential(mine: list[Tensor], true: list[Tensor]) -> str:
    if same(tuple(mine), tuple([t.exp() for t in true])):
        return "this is the exponential of what was asked: a logarithm is missing"
    if all(bool((t > 0).all()) for t in true) and same(tuple(mine), tuple([t.log() for t in true])):
        return "this is the logarithm of what was asked"
    return ""


def _ratio(a: Tensor, b: Tensor) -> float | None:
    a, b = a.detach().double().flatten(), b.detach().double().flatten()
    used = b.abs() > 1e-12 * b.abs().max() if len(b) else b.bool()
    if not bool(used.any()) or not close(a[~used], b[~used]):
        return None
    ratios = a[used] / b[used]
    first = float(ratios[0])
    steady = bool((ratios - first).abs().max() <= 1e-7 * abs(first))
    return first if steady and first != 0 else None


def _difference(a: Tensor, b: Tensor) -> float | None:
    gaps = (a.detach().double() - b.detach().double()).flatten()
    # a single number is off by "the same amount" whatever is wrong with it, so one entry proves
    # nothing in one case
    if not len(gaps) or not bool(gaps.isfinite().all()):
        return None
    first = float(gaps[0])
    scale = 1e-9 * float(b.detach().double().abs().max() + abs(first))
    return first if float((gaps - first).abs().max()) <= scale and abs(first) > scale else None
