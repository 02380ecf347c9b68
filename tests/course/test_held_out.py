"""What the checker says of wrong answers that its catalogues were not made from: most are named, and none wrongly.

These were written after the catalogues were finished (LOG.md, 2026-11-29). Whoever adds to a catalogue because of one of them
should write fresh ones.
"""

from __future__ import annotations

import re

from pushforward.course.catalogue import exercises
from pushforward.course.checking import judge
from wrong_answers.held_out import HELD_OUT


def test_most_unseen_mistakes_are_named_and_none_wrongly() -> None:
    named, wrongly, count = 0, [], 0
    for name, cases in HELD_OUT.items():
        for pattern, answer in cases:
            outcome = judge(name, answer, picture=False).outcome
            assert not outcome, f"{name}: {pattern}"
            count += 1
            if re.search(pattern, outcome.says):
                named += 1
            elif outcome.known:
                wrongly.append(f"{outcome}, not {pattern}")
    assert not wrongly, "\n".join(wrongly)
    assert set(HELD_OUT) == {exercise.name for exercise in exercises()}
    assert count >= 100
    assert named >= 0.9 * count
