"""From whatever a user passes as `given` to one class index per example.

One idea: a class, by its name or by a number, a tensor of indices and `None` are spelled alike in
every verb and read in one place.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from pushforward.core.class_names import class_of
from pushforward.core.context import Context, ContextSpace
from pushforward.core.errors import BadInput, Unsupported
from pushforward.core.given import Given, Known
from pushforward.core.noise import Noise
from pushforward.core.space import Space
from pushforward.core.table import Table

PLACES = {
    "prefix": ("text",),
    "known": ("table",),
    "observed": ("image", "points"),
    "start": ("image", "points"),
}
Condition = Given | Tensor | int | float | str | None


def resolve(condition: Condition, n: int, classes: tuple[str, ...]) -> Given | None:
    """Return the condition of `n` examples, None for None.

    Args:
        condition: a class, by its name or by a number (see `class_of`); a tensor of n indices, or a
            ready `Given`, as they are; or None.
        classes: names of the model's classes, empty for a model without labels.

    Raises:
        BadInput: a condition for a model without labels, an unknown class, or another number of
            conditions.

    Example:
        >>> resolve("dog", 2, ("cat", "dog")).label.tolist()
        [1, 1]
    """
    if condition is None:
        return None
    if isinstance(condition, Given):
        given = condition
    elif isinstance(condition, Tensor):
        given = Given(condition)
    else:
        given = Given(torch.full((n,), class_of(condition, classes), dtype=torch.long))
    if len(given) != n:
        raise BadInput(f"{len(given)} conditions for n={n}", "one condition per example")
    if given.label is None:
        return given
    if not classes:
        raise BadInput(
            "a condition", "none", "this model was trained without labels; leave `given` out"
        )
    wrong = given.label[(given.label < 0) | (given.label >= len(classes))]
    if len(wrong):
        raise BadInput(
            f"class index {int(wrong[0])}",
            f"0 to {len(classes) - 1}",
            "the model knows no other class",
        )
    return replace(given, label=given.label.long())


def require_parts(
    given: Given | None,
    allowed: tuple[str, ...],
    space: Space,
    family: str,
    labelled: bool = False,
    context: ContextSpace | None = None,
) -> None:
    """Refuse what a family cannot be conditioned on, or not on this space.

    Args:
        labelled: the model knows no distribution without its label; the mixture over labels would
            have to be that of the labels given the other parts, which no family knows.
        context: the space of the contexts that the model was made for, None if it has none.

    Raises:
        Unsupported: names the part.
        BadInput: other parts without the label that a labelled model needs, a context for a model
            without, or none for one with.
    """
    came = None if given is None else given.context
    if came is not None and context is None:
        raise BadInput("a context", "none", "this model was trained without contexts; leave it out")
    if context is not None:
        if came is None:
            raise BadInput(
                "no context",
                "one for each example",
                "this model was trained with contexts; it may be empty",
            )
        context.check(came)
    for part in () if given is None else given.parts:
        if part not in allowed or space.kind not in PLACES.get(part, (space.kind,)):
            raise Unsupported(
                f"{family} on {space.kind} given '{part}'",
                "a condition among " + ", ".join(allowed),
                "a prefix conditions text, known columns tables, observations images and points by diffusion",
            )
    if labelled and given is not None and given.label is None:
        came = f"a condition without the label ({', '.join(given.parts)} only)"
        raise BadInput(came, "the label of each example too", "this model was trained with labels")
    if given is not None and given.observed is not None:
        given.observed.check(space)
    if given is not None and given.start is not None:
        space.check(given.start)


def refuse_observed(given: Given | None, verb: str) -> None:
    """Refuse what conditions samples alone: observations and an example to begin at.

    Raises:
        Unsupported: names the part.
    """
    for part in () if given is None else given.parts:
        if part in ("observed", "start"):
            raise Unsupported(
                f"`{verb}` given '{part}'",
                "a label or nothing",
                "an observation conditions samples",
            )


def require_condition(given: Condition, verb: str, needed: bool) -> None:
    """Refuse to do without the condition of a model that needs one.

    Example:
        >>> require_condition("three", "encode", needed=True)
    """
    if given is None and needed:
        raise BadInput(
            f"`{verb}` without a condition",
            "the label of each example",
            "pass `given`: codes depend on the label",
        )


def require_labels(
    given: Given | None, classes: tuple[str, ...], context: ContextSpace | None
) -> None:
    """Refuse examples that lack what a model is conditioned on.

    Raises:
        BadInput: no labels for a model with classes, or no contexts for one with contexts.
    """
    if context is not None and (given is None or given.context is None):
        raise BadInput(
            "examples without contexts", "one for each", "this model was made for contexts"
        )
    if classes and (given is None or given.label is None):
        raise BadInput(
            "unlabelled examples for a labelled model", f"labels among {len(classes)} classes"
        )


def forgotten(given: Given, rate: float, u: Tensor) -> Given:
    """Return conditions of which those with `u < rate` have no label (-1) and an empty context (Ho
    and Salimans 2022, section 3).

    Args:
        u: one uniform number per example.

    Example:
        >>> forgotten(Given(torch.tensor([4, 5])), 0.1, torch.tensor([0.05, 0.5])).label.tolist()
        [-1, 5]
    """
    lost, label, context = u < rate, given.label, given.context
    return replace(
        given,
        label=None if label is None else torch.where(lost, -1, label),
        context=None if context is None else Context(context.values, context.length * ~lost),
    )


def known_columns(given: Given | None, table: Table, n: int) -> Known | None:
    """Return the known columns of a condition on n rows, None if it has none.

    Raises:
        BadInput: another shape, or values that the columns cannot have.
    """
    if given is None or given.known is None:
        return None
    known, count = given.known, len(table.columns)
    if tuple(known.values.shape) != (n, count):
        raise BadInput(f"known values of shape {tuple(known.values.shape)}", f"({n}, {count})")
    legal = torch.tensor([0.0 if c.discrete else c.low for c in table.columns], dtype=torch.float64)
    table.check(torch.where(known.mask, known.values.double(), legal.to(known.values.device)))
    return known


def draw_labels(frequency: Tensor, noise: Noise) -> Tensor:
    """Return one label per example from the training frequencies, by inverting their CDF at one
    uniform each."""
    u = noise.uniform(dtype=torch.float64)
    label = torch.searchsorted(frequency.cumsum(0).to(u.device), u)
    return label.clamp(max=len(frequency) - 1)
