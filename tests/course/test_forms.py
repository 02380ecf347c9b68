"""Formulas in pieces: the right pieces are right, every other piece is wrong, and two wrong ones are named together."""

from __future__ import annotations

import pytest

from pushforward.course.catalogue import exercises
from pushforward.course.checking import agreement, judge
from pushforward.course.diagnosing import right_values
from pushforward.course.exercise import Exercise

WITH_FORM = [exercise for exercise in exercises() if exercise.form is not None]


pytestmark = pytest.mark.filterwarnings("ignore:var\\(\\)", "ignore:std\\(\\)")


@pytest.mark.parametrize("exercise", WITH_FORM, ids=lambda e: e.name)
def test_the_right_pieces_are_right_and_every_other_piece_is_wrong(exercise: Exercise) -> None:
    assert exercise.form is not None
    right, plain = right_values(exercise), exercise.form.plain()
    given = [exercise.arguments(case) for case in range(exercise.cases)]
    assert agreement([exercise.values(plain(*arguments)) for arguments in given], right) is not None
    singles = [(says, wrong) for says, wrong in exercise.form.formulas() if "; and " not in says]
    assert len(singles) == len(exercise.form.wrong) >= 15
    for says, wrong in singles:
        values = []
        for arguments in given:
            try:
                values.append(exercise.values(wrong(*arguments)))
            except (RuntimeError, IndexError):
                values.append(None)
        assert any(v is not None for v in values), says
        assert None in values or agreement([v for v in values if v is not None], right) is None, (
            says
        )


@pytest.mark.parametrize("exercise", WITH_FORM, ids=lambda e: e.name)
def test_two_wrong_pieces_are_known(exercise: Exercise) -> None:
    assert exercise.form is not None
    pairs = [wrong for says, wrong in exercise.form.formulas() if says.count("; and ") == 1]
    for wrong in pairs[:: max(len(pairs) // 3, 1)]:
        try:
            [exercise.values(wrong(*exercise.arguments(case))) for case in range(exercise.cases)]
        except (RuntimeError, IndexError):
            continue
        outcome = judge(exercise.name, wrong, picture=False).outcome
        assert not outcome
        # two mistakes that cancel but for a corner case break a law
        assert outcome.known or outcome.stage == "law", str(outcome)
