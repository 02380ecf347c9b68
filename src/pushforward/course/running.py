"""Calling somebody else's function.

Two ideas: whatever an answer does to the process it runs in (gradients off, another default type,
other random numbers) is undone after every call, so that it reaches neither the checker nor the
notebook; and nothing that it does ends the check: it may leave, hang or fill the screen, and is
told so.
"""

from __future__ import annotations

import contextlib
import inspect
import io
import random
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

Answer = Callable[..., Any]
SECONDS = 20.0  # a check takes a tenth of one
PRINTED = 4_000  # characters that an answer may print in a check


class Left(Exception):
    """An answer tried to end the process."""


class TooLong(BaseException):
    """The time of a check is over; no `except Exception` of an answer catches it."""


@dataclass(frozen=True)
class RunningState:
    """What a process has one of, and an answer may change."""

    gradients: bool
    dtype: torch.dtype
    device: torch.device
    threads: int
    deterministic: bool
    depth: int
    random: tuple[Any, Any, Any]

    @staticmethod
    def now() -> RunningState:
        """Return the state as it is."""
        return RunningState(
            torch.is_grad_enabled(),
            torch.get_default_dtype(),
            torch.get_default_device(),
            torch.get_num_threads(),
            torch.are_deterministic_algorithms_enabled(),
            sys.getrecursionlimit(),
            (torch.get_rng_state(), np.random.get_state(), random.getstate()),  # noqa: NPY002  the global one, to put it back
        )

    def restore(self, randomness: bool = True) -> None:
        """Make the state what it was; only what differs is touched."""
        if torch.is_grad_enabled() != self.gradients:
            torch.set_grad_enabled(self.gradients)
        if torch.get_default_dtype() != self.dtype:
            torch.set_default_dtype(self.dtype)
        if torch.get_default_device() != self.device:
            torch.set_default_device(self.device)
        if torch.get_num_threads() != self.threads:
            torch.set_num_threads(self.threads)
        if torch.are_deterministic_algorithms_enabled() != self.deterministic:
            torch.use_deterministic_algorithms(self.deterministic)
        if sys.getrecursionlimit() != self.depth:
            sys.setrecursionlimit(self.depth)
        if randomness:
            torch.set_rng_state(self.random[0])
            np.random.set_state(self.random[1])  # noqa: NPY002
            random.setstate(self.random[2])


@contextlib.contextmanager
def neutral() -> Iterator[RunningState]:
    """Give torch's state as it starts to the code within, and put back what was found afterwards;
    yields what was found."""
    found = RunningState.now()
    _as_it_starts(found)
    try:
        yield found
    finally:
        found.restore()


def calling(answer: Answer, names: Sequence[str], theirs: RunningState) -> Answer:
    """Return a function that calls an answer and leaves no trace; it sees its own default type, and
    gradients switched on.

    Args:
        names: of the arguments, for an answer that takes them by name only.
        theirs: the state of whoever asked.
    """
    screen, by_name = _Screen(sys.stdout), _by_name(answer, names)

    def call(*arguments: Any) -> Any:
        torch.set_default_dtype(theirs.dtype)
        try:
            # a warning of torch is no mistake of the student's, and some come once in a process
            # only
            with warnings.catch_warnings(), contextlib.redirect_stdout(screen):
                warnings.simplefilter("ignore")
                return answer(**dict(zip(names, arguments))) if by_name else answer(*arguments)
        except (Exception, TooLong):
            raise
        except BaseException as error:
            if of_the_user(error):
                raise
            raise Left(
                f"it raised {type(error).__name__}, which would end the program; return a value"
            ) from error
        finally:
            _as_it_starts(theirs)

    return call


def of_the_user(error: BaseException) -> bool:
    """Return whether an error is Ctrl-C of whoever asked; where nobody can press it, code has
    raised it itself."""
    return (
        isinstance(error, KeyboardInterrupt)
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )


def _as_it_starts(found: RunningState) -> None:
    cpu = torch.device("cpu")
    replace(found, gradients=True, dtype=torch.float32, device=cpu).restore(randomness=False)


def _by_name(answer: Answer, names: Sequence[str]) -> bool:
    """Whether an answer takes its arguments by name only."""
    try:
        parameters = inspect.signature(answer).parameters
    except (TypeError, ValueError):
        return False
    only = [p.name for p in parameters.values() if p.kind is p.KEYWORD_ONLY]
    places = [
        p
        for p in parameters.values()
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD, p.VAR_POSITIONAL)
    ]
    return bool(only) and not places and set(names) <= set(only)


class _Screen(io.TextIOBase):
    """A screen that shows so many characters and no more."""

    def __init__(self, shown: Any) -> None:
        self.shown, self.left = shown, PRINTED

    def writable(self) -> bool:
        """As every screen."""
        return True

    def write(self, text: str) -> int:
        """Show what still fits."""
        part = text[: self.left]
        self.left -= len(part)
        if part and self.shown is not None:
            self.shown.write(part)
            if not self.left:
                self.shown.write("\n(what else it prints is not shown)\n")
        return len(text)

    def flush(self) -> None:
        """Show it now."""
        if self.shown is not None:
            self.shown.flush()


@contextlib.contextmanager
def within(seconds: float | None) -> Iterator[None]:
    """Raise `TooLong` when the time is over, again and again, for an answer may catch it.

    None is no limit; there is none either outside of the main thread, or where the system has no
    such alarm.
    """
    if (
        seconds is None
        or not hasattr(signal, "setitimer")
        or threading.current_thread() is not threading.main_thread()
    ):
        yield
        return

    def over(*_: Any) -> None:
        raise TooLong

    began = time.monotonic()
    handler = signal.signal(signal.SIGALRM, over)
    left, interval = signal.setitimer(signal.ITIMER_REAL, seconds, 0.5)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if left:
            signal.setitimer(
                signal.ITIMER_REAL, max(left - (time.monotonic() - began), 0.001), interval
            )
