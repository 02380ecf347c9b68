"""The exercises, in the order of the course."""

from __future__ import annotations

import importlib
from functools import cache

from pushforward.core.errors import BadInput, unknown
from pushforward.course.exercise import Exercise

SECTIONS = {
    "goal": "Goal",
    "autoregressive": "Autoregressive models",
    "vae": "Variational autoencoders",
    "gan": "Generative adversarial networks",
    "flow": "Normalizing flows",
    "diffusion": "Diffusion",
    "score": "The score view",
    "evaluation": "Evaluation",
    "applications": "Applications and trade-offs",
    "diagnostics": "Diagnostics",
}


@cache
def exercises() -> tuple[Exercise, ...]:
    """Return all exercises, by section; within a section the harder ones come last."""
    found: list[Exercise] = []
    for number, section in enumerate(SECTIONS, 1):
        module = importlib.import_module(f"pushforward.course.sections.{section}")
        assert all(exercise.section == number for exercise in module.EXERCISES)
        found += sorted(module.EXERCISES, key=lambda exercise: exercise.harder)
    return tuple(found)


def exercise_of(name: str) -> Exercise:
    """Return an exercise by its name.

    Raises:
        BadInput: no such exercise; the nearest name is said.

    Example:
        >>> exercise_of("vae.kl").function
        'kl_to_standard_normal'
    """
    known = {exercise.name: exercise for exercise in exercises()}
    if name not in known:
        raise BadInput(*unknown("exercise", name, list(known)))
    return known[name]


def hint(name: str, level: int = 1) -> str:
    """Return a hint to an exercise: 1 is a nudge, 3 nearly gives it away.

    Raises:
        BadInput: an unknown exercise or level.

    Example:
        >>> hint("vae.kl", 1)
        'Both densities are products over dimensions, so the divergence is a sum: solve one dimension first.'
    """
    found = exercise_of(name)
    if level not in (1, 2, 3):
        raise BadInput(f"hint {level}", "1, 2 or 3")
    return found.hints[level - 1]
