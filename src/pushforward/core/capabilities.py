"""What a family declares about itself, before anyone asks.

Two ideas: every verb is either declared or refused with a reason and the nearest honest
alternative; the declaration drives the conformance suite, the command line's help and the
capability table, so that none of them can drift from the code.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

from pushforward.core.architecture import Architecture
from pushforward.core.choice import Choice
from pushforward.core.conditionals import Conditional
from pushforward.core.errors import BadInput, Unsupported, closest
from pushforward.core.estimator import Estimator
from pushforward.core.options import SamplingOption
from pushforward.core.plugins import why_not
from pushforward.core.registry import Registry

SOLE = Architecture("sole", "the one that a family has", lambda: None)
EncodeKind = Literal["exact", "posterior", "ode"]


@dataclass(frozen=True)
class Refusal:
    """Why a verb is impossible for a family and what to do instead."""

    reason: str
    alternative: str


@dataclass(frozen=True)
class Capabilities:
    """Frozen declaration on a family's class.

    Attributes:
        estimators: for each kind of space it supports, the estimators of log p(x), the default one
            first; empty = no likelihood. A registry takes more of them; see `core/estimator.py`.
        encode: for each kind of space that has codes, how `encode` finds them; a missing space has
            none.
        conditions: what `given` may hold.
        conditionals: for each kind of space whose examples have columns, how the law of one given
            any others is had; a missing space has none.
        options: sampling options it understands; each is one object (`core/options.py`).
        solvers: what `solver` may name, the default first.
        null_condition: True if it was trained to work without its condition (needed by
            classifier-free guidance); otherwise `given=None` means the mixture over the training
            labels.
        architectures: for each kind of space, what `FAMILY:NAME` takes, the default first; empty =
            one, unnamed.
        held_out: name of the held-out quantity that early stopping may watch, empty if the loss
            means nothing held out.
        held_out_of_data: False if that is no log-probability, so that a change of variables leaves
            it alone.
        sampling_cost: network calls for one sample, in words.
        refusals: for each refused verb, the reason and the alternative.
    """

    estimators: Mapping[str, Collection[Estimator]]
    encode: Mapping[str, EncodeKind]
    sampling_cost: str
    held_out: str
    held_out_of_data: bool = True
    conditions: tuple[str, ...] = ("label",)
    conditionals: Mapping[str, Conditional] = field(default_factory=dict)
    options: tuple[SamplingOption, ...] = ()
    solvers: Collection[Choice] = ()
    null_condition: bool = False
    architectures: Mapping[str, Registry[Architecture]] = field(default_factory=dict)
    refusals: Mapping[str, Refusal] = field(default_factory=dict)

    @property
    def spaces(self) -> tuple[str, ...]:
        """Kinds of space the family supports."""
        return tuple(self.estimators)

    def takes(self, option: str) -> bool:
        """Say whether a sampling option of that name is declared."""
        return any(each.name == option for each in self.options)

    @property
    def solver_names(self) -> tuple[str, ...]:
        """Names that `solver` takes, the default first."""
        return tuple(solver.name for solver in self.solvers)

    def architecture_names(self, kind: str) -> tuple[str, ...]:
        """Return the names of the architectures on a kind of space, the default first; none if
        there is one, unnamed."""
        return self.architectures[kind].names() if kind in self.architectures else ()

    def architecture(self, kind: str, name: str | None = None) -> Architecture:
        """Return the named architecture on a kind of space, the default one for None or nothing;
        of a family that names none there, one that adds nothing.

        Raises:
            BadInput: no architecture of that name there.
        """
        if kind not in self.architectures:
            return SOLE
        known = self.architectures[kind]
        return known.load(name or known.names()[0])

    def estimator(self, family: str, kind: str, name: str | None = None) -> Estimator:
        """Return the named estimator of log p(x) on a kind of space, or the default one.

        Raises:
            Unsupported: no likelihood at all, or no estimator of that name.
        """
        declared = {estimator.name: estimator for estimator in self.estimators[kind]}
        if not declared:
            raise self.refuse(family, "log_prob")
        if name is None:
            return next(iter(declared.values()))
        if name not in declared:
            known = list(declared)
            raise Unsupported(
                f"{family} has no estimator '{name}' on {kind}",
                "one of " + ", ".join(known),
                why_not(f"estimator of {family} on {kind}", name) or closest(name, known),
            )
        return declared[name]

    def conditional(self, family: str, kind: str) -> Conditional:
        """Return how the law of a column given others is had on a kind of space.

        Raises:
            Unsupported: there is none; names the kinds of space that have one.
        """
        if kind in self.conditionals:
            return self.conditionals[kind]
        if "conditionals" in self.refusals:
            raise self.refuse(family, "conditionals")
        came = f"the law of a column with {family} on {kind}"
        able = ", ".join(self.conditionals)
        expected = f"{family} on {able}" if able else "a family that has one"
        fix = "autoregressive and diffusion have them on tables: see `pushforward families`"
        raise Unsupported(came, expected, fix)

    def require_steps(self, estimator: Estimator, kind: str, steps: int | None) -> None:
        """Refuse a number of steps that an estimator would ignore.

        Raises:
            Unsupported: an estimator that takes no steps; names those that do.
            BadInput: fewer than one.
        """
        if steps is None:
            return
        if not estimator.takes_steps:
            known = (
                ", ".join(e.name for e in self.estimators[kind] if e.takes_steps)
                or "none of this family"
            )
            raise Unsupported(
                f"steps={steps} with the estimator '{estimator.name}'",
                f"an estimator that takes steps ({known})",
                "leave the steps out",
            )
        if steps < 1:
            raise BadInput(f"steps={steps}", "at least one step")

    def refuse(self, family: str, verb: str) -> Unsupported:
        """Return the error for a verb this family cannot honestly do."""
        refusal = self.refusals.get(verb)
        if refusal is None:
            return Unsupported(
                f"{family}.{verb}: this family does not declare it",
                "",
                "see `pushforward families`",
            )
        return Unsupported(f"{family}.{verb}: {refusal.reason}", "", refusal.alternative)


@dataclass(frozen=True)
class Card:
    """What a person should know before trusting a family: the text behind `pushforward explain`.

    Attributes:
        optimises: the objective in one sentence; `objective` is its equation in plain text.
        number_means: what the training loss and the likelihood mean, or why there is none.
        look_at: what to measure and look at, given the objective.
        may_go_wrong: failure modes to expect.
        cost: training and sampling cost in words.
        references: `(citation key, formatted reference)` pairs.
        strength: what it does better than the others, in words.
    """

    title: str
    optimises: str
    objective: str
    number_means: str
    look_at: tuple[str, ...]
    may_go_wrong: tuple[str, ...]
    cost: str
    references: tuple[tuple[str, str], ...]
    strength: str = ""
