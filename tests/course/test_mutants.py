"""No argument and no place of a solution is free: a right answer that ignores, freezes or moves any of it fails its check."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from course.mutating import by_argument, by_source
from course.sources import defined, solutions
from pushforward.course.catalogue import exercise_of, exercises
from pushforward.course.checking import agreement, judge
from pushforward.course.diagnosing import right_values
from pushforward.course.exercise import Exercise
from pushforward.course.values import fresh

SOLUTIONS = solutions()
# what is right as well, and why
EQUIVALENT = {
    "goal.categorical": {"GtE -> Gt": "a number exactly on a border has probability zero"},
    "ar.log_likelihood": {"logits: moved": "a number added to all logits cancels"},
    "vae.elbo": {"x and decoded_mean exchanged": "a normal density is symmetric in the two"},
    "vae.iwae": {"log_weights: its rows turned round": "draws have no order"},
    "gan.losses": {"its rows turned round": "a batch has no order"},
    "gan.r1": {
        "discriminator: answers moved": "a constant has no gradient",
        "discriminator: answers its mean over the batch": "the sum of scores, which is differentiated, is the same",
        "x: its rows turned round": "a batch has no order",
    },
    "flow.log_prob": {"x and shift exchanged": "a normal density is symmetric in the two"},
    "diffusion.loss": {"predicted_noise and noise exchanged": "a squared error is symmetric"},
    "evaluation.frechet": {"exchanged": "a distance is symmetric in means and in variances"},
    "evaluation.kid": {
        "exchanged": "a distance is symmetric",
        "its rows turned round": "a sample has no order",
    },
    "evaluation.coverage": {"its rows turned round": "a sample has no order"},
    "applications.nucleus": {"logits: moved": "a number added to all logits cancels"},
    "diagnostics.checklist": {
        "line 29: Gt -> GtE": "no binary fraction is exactly a tenth from one",
        "line 26: 0 -> 1": "no history has a single gradient",
    },
    "diagnostics.collapse": {
        "its rows turned round": "a batch has no order",
        "Gt -> GtE": "0.01 is no binary fraction",
    },
}


def survives(exercise: Exercise, answer: Callable[..., Any]) -> bool:
    """Whether an answer passes; numbers first, one case after the other, because most fail in the first."""
    for case, right in enumerate(right_values(exercise)):
        try:
            values = exercise.values(answer(*fresh(exercise.arguments(case))))
        except Exception:
            return False
        if agreement([values], [right]) is None:
            return False
    return bool(judge(exercise.name, answer, picture=False).outcome)


def made(exercise: Exercise) -> Iterator[tuple[str, Callable[..., Any]]]:
    source = SOLUTIONS[exercise.name]
    yield from by_argument(exercise, defined(source))
    yield from ((says, defined(changed)) for says, changed in by_source(source))


@pytest.mark.parametrize("name", [exercise.name for exercise in exercises()])
def test_no_mutant_survives(name: str) -> None:
    exercise, allowed, count = exercise_of(name), EQUIVALENT.get(name, {}), 0
    for says, wrong in made(exercise):
        count += 1
        if not any(part in says for part in allowed):
            assert not survives(exercise, wrong), says
    assert count >= 15


@pytest.mark.parametrize("name", EQUIVALENT)
def test_what_is_called_equivalent_survives(name: str) -> None:
    exercise = exercise_of(name)
    surviving = [says for says, wrong in made(exercise) if survives(exercise, wrong)]
    for part, why in EQUIVALENT[name].items():
        assert any(part in says for says in surviving), why
