"""What every registered family is put through: one case per family, architecture, kind of space and labelling."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch

from oracles import perturb
from pushforward.core.capabilities import Capabilities
from pushforward.core.given import Examples, Given
from pushforward.core.model import GenerativeModel
from pushforward.core.noise import BatchNoise
from pushforward.core.placement import here
from pushforward.core.rng import generator
from pushforward.core.space import Image, Points, Space
from pushforward.core.table import Column, Table
from pushforward.core.text import Text
from pushforward.families.build import build, family_class, settings
from pushforward.families.catalogue import FAMILIES, STUDENTS
from pushforward.families.diffusion.model import Diffusion
from pushforward.families.diffusion.students.distilled import METHODS, Distilled

SPACES: dict[str, tuple[Space, ...]] = {
    "points": (Points(2),),
    # 81 strings of four symbols, one of which is the boundary
    "text": (Text(vocabulary=3, length=4, boundary=2),),
    # 729 pictures: few enough to enumerate, with a level that is no edge, an odd side, and sides that cannot be swapped
    "image": (Image(1, 2, 3, levels=3),),
    "table": (
        Table(
            (
                Column("colour", "categorical", ("red", "green", "blue"), missing=True),
                Column("flag", "boolean", ("False", "True")),
                Column(
                    "count",
                    "integer",
                    step=1.0,
                    low=0,
                    high=3,
                    bounded_below=True,
                    bounded_above=True,
                ),
            )
        ),
    ),
}
CLASSES = ("a", "b", "c")


@dataclass(frozen=True)
class Case:
    """One family on one space, with or without labels; no architecture is the default one."""

    family: str
    space: Space
    labelled: bool
    architecture: str = ""

    def __str__(self) -> str:
        shape = "x".join(map(str, self.space.event_shape))
        name = f"{self.family}:{self.architecture}" if self.architecture else self.family
        return f"{name}-{self.space.kind}{shape}-{'labelled' if self.labelled else 'plain'}"


def cases() -> list[Case]:
    """Every combination that the registry's classes declare."""
    found = []
    for family in FAMILIES.names():
        declared = family_class(family).capabilities
        for kind in declared.spaces:
            for name in ("", *declared.architecture_names(kind)[1:]):
                found += [
                    Case(family, space, labelled, name)
                    for space in SPACES[kind]
                    for labelled in (False, True)
                ]
    # a student has no architecture of its own: the methods of its lesson take that place
    for name in STUDENTS.names():
        for kind in family_class(name).capabilities.spaces:
            found += [
                Case(name, s, labelled, how)
                for s in SPACES[kind]
                for labelled in (False, True)
                for how in METHODS.names()
            ]
    return found


def declared(case: Case) -> Capabilities:
    """What the family of a case says it can do."""
    return family_class(case.family).capabilities


def kinds(case: Case) -> dict[str, str]:
    """The estimators that are declared for a case, and what they return."""
    return {e.name: e.kind for e in declared(case).estimators[case.space.kind]}


def scored(case: Case) -> bool:
    """It has a likelihood."""
    return bool(kinds(case))


def bounded_twice(case: Case) -> bool:
    """It has a bound, and one that more samples tighten."""
    return {"elbo", "iwae"} <= set(kinds(case))


def mixed_over_labels(case: Case) -> bool:
    """A plain tensor has an exact likelihood under the labels' frequencies."""
    unconditional = declared(case).null_condition
    return case.labelled and "exact" in kinds(case).values() and not unconditional


def inverted(case: Case) -> bool:
    """It has codes that lead back."""
    return declared(case).encode.get(case.space.kind) in ("exact", "ode")


def coded_by_condition(case: Case) -> bool:
    """It has codes, and none without a condition."""
    coded = case.space.kind in declared(case).encode
    return coded and case.labelled and not declared(case).null_condition


def where(holds: Callable[[Case], bool]) -> pytest.MarkDecorator:
    """Run a test on the cases of which something holds, and on no other."""
    return pytest.mark.parametrize("case", [case for case in cases() if holds(case)], ids=str)


def examples(space: Space, labelled: bool, n: int = 96, seed: int = 0) -> Examples:
    """Correlated, asymmetric data of which the labels shift the mean."""
    rng = generator(seed, "conformance")
    label = torch.randint(0, 3, (n,), generator=rng) if labelled else None
    shift = torch.zeros(n) if label is None else label.float()
    z = torch.randn(n, space.dimensions, generator=rng)
    z = z + 0.7 * z[:, :1] + 0.4 * shift.unsqueeze(1)
    if isinstance(space, Text):
        x = (z + 1.0).round().clamp(0, space.vocabulary - 1).long()
    elif isinstance(space, Image):
        x = (
            (z + 1.0)
            .round()
            .clamp(0, space.levels - 1)
            .to(torch.uint8)
            .reshape(n, *space.event_shape)
        )
    elif isinstance(space, Table):
        x = (
            (z + torch.tensor([1.0, -0.3, 0.8]))
            .round()
            .clamp(torch.zeros(3), torch.tensor([3.0, 1.0, 3.0]))
            .double()
        )
        x[:, 0] = torch.where(x[:, 0] == 3.0, torch.nan, x[:, 0])
    else:
        x = z * torch.tensor([1.5, 0.6]) + torch.tensor([1.0, -0.5])
    return Examples(x, None if label is None else Given(label))


def tiny_model(case: Case, seed: int = 0) -> GenerativeModel:
    """An untrained smoke-preset model that has seen its data once; a student has its teacher with it."""
    if case.family in STUDENTS.names():
        teacher = tiny_model(Case("diffusion", case.space, case.labelled), seed)
        values = {
            "method": case.architecture,
            "diffusion": settings("diffusion", case.space, "smoke")["model"],
        }
        student = build(case.family, case.space, CLASSES if case.labelled else (), values, seed)
        assert isinstance(student, Distilled)
        assert isinstance(teacher, Diffusion)
        perturb(teacher, 0.2)  # an untrained network says the same about every label
        student = student.to(here())
        student.learn_from(teacher)
        student.prepare(examples(case.space, case.labelled))
        return student
    values = settings(case.family, case.space, "smoke", case.architecture)["model"]
    model = build(case.family, case.space, CLASSES if case.labelled else (), values, seed)
    model = model.to(here())
    model.prepare(examples(case.space, case.labelled))
    return model


def train(model: GenerativeModel, data: Examples, steps: int, learning_rate: float = 3e-3) -> None:
    """A bare training loop, independent of the engine."""
    groups = model.parameter_groups()
    optimisers = {name: torch.optim.Adam(p, lr=learning_rate) for name, p in groups.items()}
    for step in range(steps):
        for loss in model.losses(
            data, BatchNoise(generator(0, "step", step), len(data), model.device)
        ):
            optimisers[loss.parameters].zero_grad()
            loss.value.backward(inputs=groups[loss.parameters])
            torch.nn.utils.clip_grad_norm_(groups[loss.parameters], 1.0)
            optimisers[loss.parameters].step()
        model.step_taken()
