"""Any iterative sampler, as three functions: `start`, `step`, `finish`.

Two ideas: progress, streaming and trajectories live outside the sampler, because a walk exposes its
states; whatever changes a walk (a constraint, an observer) wraps it and works for every family.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch
from torch import Tensor

State = TypeVar("State")


class Walk(ABC, Generic[State]):
    """An iterative sampler of `length` steps.

    Autoregressive tokens (the state holds a KV cache), ODE and SDE solvers, masked-flow inversion
    and Langevin dynamics are walks; a one-pass generator is a walk of length one. `calls` is the
    number of network calls per example, the most where a walk may end before its last step; what
    one has made is `spent`.

    Example:
        >>> import torch
        >>> class Halve(Walk[Tensor]):
        ...     length, calls = 3, 0
        ...     def start(self): return torch.ones(1)
        ...     def step(self, state, index): return state / 2
        ...     def finish(self, state): return state
        >>> run(Halve()).item()
        0.125
    """

    length: int
    calls: float

    @abstractmethod
    def start(self) -> State:
        """Return the initial state; draws whatever noise the walk needs first."""

    @abstractmethod
    def step(self, state: State, index: int) -> State:
        """Return the state after step `index` in `0 .. length-1`."""

    @abstractmethod
    def finish(self, state: State) -> Tensor:
        """Return the batch of examples, as the family models them (before the codec decodes)."""

    def peek(self, state: State) -> Tensor:
        """Return the best picture of the result so far; override where `finish` needs the last
        state."""
        return self.finish(state)

    def finished(self, state: State) -> bool:
        """Return True if the steps that are left would change nothing (every text has met its stop
        string)."""
        return False

    def spent(self, state: State, steps: int) -> float:
        """Return the network calls per example that were made in the first `steps`; override where
        steps differ in price."""
        return self.calls * steps / max(1, self.length)


@dataclass
class Spending:
    """What walks that were run to their end have cost: examples, and network calls for all of
    them."""

    examples: int = 0
    calls: float = 0.0

    @property
    def per_example(self) -> float:
        """Network calls of one example, on average; NaN of none."""
        return self.calls / self.examples if self.examples else float("nan")


_SPENDING: ContextVar[Spending | None] = ContextVar("spending", default=None)


@contextmanager
def spending() -> Iterator[Spending]:
    """Count the network calls of every walk that is run in the block.

    Example:
        >>> with spending() as spent:
        ...     _ = run(OneShot(lambda: torch.zeros(3, 1), lambda z: z + 1))
        >>> spent.examples, spent.per_example
        (3, 1.0)
    """
    counted = Spending()
    token = _SPENDING.set(counted)
    try:
        yield counted
    finally:
        _SPENDING.reset(token)


def states(walk: Walk[State]) -> Iterator[State]:
    """Yield the initial state and the state after every step: streaming, for any family."""
    state = walk.start()
    yield state
    for index in range(walk.length):
        if walk.finished(state):
            return
        state = walk.step(state, index)
        yield state


def of_all(
    on_step: Callable[[int, int], None], first: int, count: int, n: int, walks: int
) -> Callable[[int, int], None]:
    """Return what is told the steps of the walk of `count` examples from `first` on, and tells those
    of all n as if they took so many equal walks.

    Example:
        >>> of_all(print, first=4, count=4, n=12, walks=3)(2, 10)
        12 30
    """

    def told(steps: int, length: int) -> None:
        whole = walks * length
        on_step(round(whole * (first + count * steps / length) / n), whole)

    return told


def run(walk: Walk[State], on_step: Callable[[int, int], None] | None = None) -> Tensor:
    """Walk to the end and return the examples; `on_step(done, length)` is called after every
    step."""
    state, steps, counted = walk.start(), 0, _SPENDING.get()
    while steps < walk.length and not walk.finished(state):
        state, steps = walk.step(state, steps), steps + 1
        if on_step is not None:
            on_step(steps, walk.length)
    found = walk.finish(state)
    if counted is not None:
        counted.examples += len(found)
        counted.calls += len(found) * walk.spent(state, steps)
    return found


@torch.no_grad()
def trajectory(walk: Walk[State], pictures: int) -> list[Tensor]:
    """Return `pictures` evenly spaced views of the walk, the last one finished."""
    keep = {round(i * walk.length / max(1, pictures - 1)) for i in range(pictures)}
    views: list[Tensor] = []
    state = None
    for index, state in enumerate(states(walk)):
        if index in keep and index < walk.length:
            # a walk may fill its state in place; a view must not change afterwards
            views.append(walk.peek(state).clone())
    assert state is not None
    return [*views, walk.finish(state).clone()]


class OneShot(Walk[Tensor]):
    """A generator that needs one pass: decoders, GAN generators, coupling flows."""

    length = 1

    def __init__(
        self, draw: Callable[[], Tensor], push: Callable[[Tensor], Tensor], calls: float = 1.0
    ) -> None:
        self.draw, self.push, self.calls = draw, push, calls

    def start(self) -> Tensor:
        """Draw the noise."""
        return self.draw()

    def step(self, state: Tensor, index: int) -> Tensor:
        """Push the noise forward."""
        return self.push(state)

    def finish(self, state: Tensor) -> Tensor:
        """Return what was pushed."""
        return state


class WalkWrapper(Walk[State]):
    """A walk around another one; subclasses change some of its functions and leave the others to
    it.

    Example:
        >>> class Doubled(WalkWrapper[Tensor]):
        ...     def finish(self, state): return 2.0 * self.walk.finish(state)
        >>> run(Doubled(OneShot(lambda: torch.ones(1), lambda z: z))).item()
        2.0
    """

    def __init__(self, walk: Walk[State]) -> None:
        self.walk = walk
        self.length, self.calls = walk.length, walk.calls

    def start(self) -> State:
        """Start the inner walk."""
        return self.walk.start()

    def step(self, state: State, index: int) -> State:
        """Take the inner step."""
        return self.walk.step(state, index)

    def finish(self, state: State) -> Tensor:
        """Finish the inner walk."""
        return self.walk.finish(state)

    def peek(self, state: State) -> Tensor:
        """Peek into the inner walk."""
        return self.walk.peek(state)

    def finished(self, state: State) -> bool:
        """Ask the inner walk."""
        return self.walk.finished(state)

    def spent(self, state: State, steps: int) -> float:
        """Ask the inner walk."""
        return self.walk.spent(state, steps)
