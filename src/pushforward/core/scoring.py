"""From a family's log-probability of an encoded batch to one of the data: the codec's volume, its
bound, its draws, its labels.

Two ideas: `log p(x) = log p(y) + log |dy/dx|` for an encoding y of x, and a bound stays one; a sum
over labels is taken in log space.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar, Protocol, TypeVar, runtime_checkable

import torch
from torch import Tensor

from pushforward.core.codec import Codec
from pushforward.core.errors import BadInput
from pushforward.core.estimator import Draws, Estimator
from pushforward.core.given import Examples, Given
from pushforward.core.logprob import LogProb
from pushforward.core.monte_carlo import mixture
from pushforward.core.noise import Streams
from pushforward.core.placement import memory_of
from pushforward.core.plugins import calling, of_plugin
from pushforward.core.portions import in_portions
from pushforward.core.space import Space
from pushforward.core.whole import whole

T = TypeVar("T")


@runtime_checkable
class Scorable(Protocol):
    """What scoring needs of a generative model."""

    family: ClassVar[str]
    space: Space
    classes: tuple[str, ...]
    codec: Codec
    label_frequency: Tensor

    @property
    def chunk(self) -> int:
        """How many examples are worked on at once."""
        ...

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        ...


@dataclass(frozen=True)
class Query:
    """How a log-probability is to be estimated; None leaves a number to the estimator.

    Attributes:
        marginal: labels are summed out.
    """

    estimator: Estimator
    samples: int | None
    steps: int | None
    seed: int
    marginal: bool = False

    def __post_init__(self) -> None:
        """Refuse numbers of draws or steps that are none."""
        for name in ("samples", "steps"):
            if (value := getattr(self, name)) is not None:
                object.__setattr__(self, name, whole(value, name, 1))


def of_chunks(
    model: Scorable,
    examples: Examples,
    work: Callable[[Examples, int], T],
    told: Callable[[int, int], None] | None = None,
) -> list[T]:
    """Return `work(chunk, first)` of examples where the model computes, some at a time, each with
    the number of its first one.

    Large examples come in smaller chunks, for memory and for progress; what is computed of an
    example does not depend on its chunk, so that one that does not fit into memory is halved, and
    chunks grow where an accelerator has room.

    Args:
        told: called with how many are done, and of how many.
    """
    size = min(model.chunk, max(32, 2**16 // model.space.dimensions))

    def done(first: int, count: int) -> T:
        return work(examples[first : first + count].to(model.device), first)

    return in_portions(len(examples), size, done, told, memory_of(model.device))


def score_all(
    model: Scorable,
    examples: Examples,
    query: Query,
    told: Callable[[int, int], None] | None = None,
) -> LogProb:
    """Return log-probabilities of examples, some at a time; see `of_chunks`."""
    log_prob = marginal_log_prob if query.marginal else conditional_log_prob
    return LogProb.concatenate(
        of_chunks(
            model,
            examples,
            lambda chunk, first: log_prob(model, chunk, first, query).cpu(),
            told,
        )
    )


def conditional_log_prob(model: Scorable, chunk: Examples, first: int, query: Query) -> LogProb:
    """Return `log p(x | condition)` of examples that start at number `first` of their data.

    Raises:
        BadInput: the family returned another measure or kind than it declares.
    """
    noise, codec, estimator = (
        Streams(query.seed, len(chunk), first, model.device),
        model.codec,
        query.estimator,
    )
    found, draws = [], Draws(noise, query.samples or 0, query.steps)
    # a codec that dequantises is a Monte Carlo estimator of its own: repeat it `samples` times
    for _ in range((draws.samples or estimator.codec_draws) if codec.adds_noise else 1):
        encoded = codec.encode(chunk.x, noise)
        with calling(estimator):
            lp = estimator.log_prob(model, encoded.value, chunk.given, draws)
        if not isinstance(lp, LogProb):
            raise of_plugin(estimator, "log_prob", lp, "a LogProb")
        if lp.measure != encoded.measure:
            raise BadInput(
                f"{model.family} returned a {lp.measure} density of a {encoded.measure} encoding",
                "one measure",
            )
        found.append(lp.add(encoded.log_det, bound=encoded.bound))
    data = replace(estimator.combine(found), measure=model.space.measure, unit=model.space.unit)
    data = replace(data, estimator=data.estimator or estimator.name)
    if data.kind != estimator.kind:
        raise BadInput(
            f"{model.family} returned a number of kind {data.kind}",
            f"{estimator.kind}, as it declares",
        )
    return replace(data, given="" if chunk.given is None else " and ".join(chunk.given.parts))


def marginal_log_prob(model: Scorable, chunk: Examples, first: int, query: Query) -> LogProb:
    """Return `log sum_y p(y) p(x | y)` over the label frequencies of training."""
    parts = []
    for label in range(len(model.classes)):
        labels = torch.full((len(chunk),), label, dtype=torch.long, device=model.device)
        labelled = Examples(chunk.x, Given(labels))
        parts.append(conditional_log_prob(model, labelled, first, query))
    return mixture(parts, model.label_frequency.log())


def encoded_examples(model: Scorable, examples: Examples, seed: int) -> Examples:
    """Return examples as a model sees them, with their conditions."""
    fresh = Streams(seed, len(examples), device=model.device) if model.codec.adds_noise else None
    moved = examples.to(model.device)
    return Examples(model.codec.encode(moved.x, fresh).value, moved.given)


@torch.no_grad()
def mean_log_det(model: Scorable, examples: Examples, seed: int = 0) -> float:
    """Return the mean of what the codec adds to log-probabilities of encoded examples, under the
    noise of `held_out`."""

    def log_det(chunk: Examples, first: int) -> Tensor:
        noise = Streams(seed, len(chunk), first, model.device)
        return model.codec.encode(chunk.x, noise).log_det.double()

    parts = of_chunks(model, examples, log_det)
    return float(torch.cat(parts).mean())
