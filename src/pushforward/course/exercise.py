"""What an exercise is made of.

Three ideas: the answer is an oracle, written independently of the published solution; every known
mistake is a function too, so that whoever makes it is told which one; what must hold whatever the
numbers are (a limit, a symmetry) is asked before any number is compared.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from pushforward.course.composing import FormulaForm
from pushforward.course.values import values_of

Answer = Callable[..., Any]
Draw = Callable[[torch.Generator, int], tuple[Any, ...]]


@dataclass(frozen=True)
class Slip:
    """A known mistake.

    Attributes:
        says: what to tell whoever makes it; it names the mistake and not the answer.
        wrong: the function that makes it, with the arguments of the oracle.
    """

    says: str
    wrong: Answer


@dataclass(frozen=True)
class Law:
    """What holds for every right answer.

    Attributes:
        says: the law in words, such as "a standard normal is at distance zero from itself".
        holds: whether an answer keeps it.
    """

    says: str
    holds: Callable[[Answer], bool]


@dataclass(frozen=True, eq=False)
class Exercise:
    """A function to write, and everything that tells whether and why it is wrong; every exercise is
    equal to itself only.

    Attributes:
        name: section and topic, such as `vae.kl`.
        title: what it is about, in a few words.
        section: 1 to 10.
        task: what to write, one or two sentences.
        oracle: a right answer; its name and signature are those of the function to write.
        returns: what comes back, one name for each value.
        draw: arguments of random case i = 0, 1, ...: tensors of float64, and sizes that differ
            between cases.
        slips: known mistakes, the most specific first.
        form: the formula in pieces that may be exchanged, for mistakes made together; None where it
            is no formula.
        laws: what holds whatever the arguments are.
        hints: three, each giving away more than the one before.
        picture: an SVG that shows what a right answer does; None where there is nothing to look at.
        reads: turns what comes back into numbers, where it is something else; None where it is
            numbers.
        shows: turns numbers back into words, for evidence; None where numbers say enough.
        explains: says what is wrong from what came and what is right in every case, where values
            are no numbers.
        about: says what a case is, for evidence; None where its number says enough.
        gradients: names of the arguments to which gradients must flow, because training needs them;
            to no other they have to.
        harder: one of the second round.
        cases: how many random cases are compared.
    """

    name: str
    title: str
    section: int
    task: str
    oracle: Answer
    returns: tuple[str, ...]
    draw: Draw
    slips: tuple[Slip, ...]
    hints: tuple[str, str, str]
    form: FormulaForm | None = None
    laws: tuple[Law, ...] = ()
    picture: Callable[[Answer], str] | None = None
    reads: Callable[[Any], Any] | None = None
    shows: Callable[[Tensor], str] | None = None
    explains: Callable[[Sequence[Tensor], Sequence[Tensor]], str] | None = None
    about: Callable[[int], str] | None = None
    gradients: tuple[str, ...] = ()
    harder: bool = False
    cases: int = 6

    @property
    def function(self) -> str:
        """Name of the function to write."""
        return self.oracle.__name__

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of its arguments."""
        return tuple(inspect.signature(self.oracle).parameters)

    @property
    def signature(self) -> str:
        """Its arguments, as written after the name."""
        return f"({', '.join(self.parameters)})"

    def arguments(self, case: int) -> tuple[Any, ...]:
        """Return the arguments of a random case, equal every time."""
        return self.draw(torch.Generator().manual_seed(1000 + case), case)

    def values(self, found: Any) -> tuple[Tensor, ...]:
        """Return what came back as tensors.

        Raises:
            NotAValue: something that is no number; it says what.
        """
        return values_of(found if self.reads is None else self.reads(found), self.returns)

    def starter(self) -> str:
        """Return the function to fill in."""
        back = ", ".join(self.returns)
        flow = f" Gradients must reach {' and '.join(self.gradients)}." if self.gradients else ""
        return (
            f'def {self.function}{self.signature}:\n    """{self.task}\n\n    Returns: {back}.{flow}\n    """\n'
            "    raise NotImplementedError  # your turn\n"
        )
