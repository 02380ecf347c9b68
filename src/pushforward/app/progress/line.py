"""One line of progress that fits its width: what is done, how far, how long it takes, and what the
loss is.

One idea: parts have an order of importance, the least important goes first when there is no room;
nothing is ever wrapped, and no part is markup, so that units in square brackets stay.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Told = Callable[[float, str], None]  # the share that is done, and what is done now
Stage = Callable[[str], Told]  # begins something of several parts
BAR, SHORT_BAR, SHORTEST_LABEL = 24, 8, 12


@dataclass(frozen=True)
class ProgressState:
    """Where something is.

    Attributes:
        label: what is being done.
        fraction: share that is done, None if its length is not known.
        elapsed: seconds since this part began.
        left: seconds that it will still take, None if not known yet.
        details: more, the most important first: step, loss, held-out value.
        total: seconds since the first part began.
    """

    label: str
    fraction: float | None
    elapsed: float
    left: float | None
    details: tuple[str, ...] = ()
    total: float = 0.0


def untold(share: float, what: str) -> None:
    """Tell nobody how far something is."""


def quiet(label: str) -> Told:
    """Begin something without telling anybody."""
    return untold


def clock(seconds: float) -> str:
    """Return a duration as minutes and seconds, with hours where there are some.

    Example:
        >>> clock(7.2), clock(75), clock(3725)
        ('0:07', '1:15', '1:02:05')
    """
    whole = max(0, math.ceil(seconds - 0.5))
    hours, rest = divmod(whole, 3600)
    minutes, rest = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def duration(seconds: float) -> str:
    """Return a long duration in words, in the largest unit of which there are two.

    Example:
        >>> duration(5400), duration(3 * 86400), duration(4e7), duration(6e22)
        ('90 minutes', '3 days', '15 months', '1.9e+15 years')
    """
    units = (("years", 31557600.0), ("months", 2629800.0), ("days", 86400.0), ("hours", 3600.0))
    name, size = next(((n, s) for n, s in units if seconds >= 2.0 * s), ("minutes", 60.0))
    count = seconds / size
    return f"{count:,.0f} {name}" if count < 1e9 else f"{count:.2g} {name}"


def remaining(fraction: float, elapsed: float, since: float = 0.0) -> float | None:
    """Return the seconds left at the pace so far; None before there is one.

    `(1 - f) t / (f - f_0)`: what was done before the clock started does not count for the pace.

    Args:
        fraction: share that is done.
        elapsed: seconds.
        since: the share that was done when the clock started.

    Example:
        >>> remaining(0.25, 10.0), remaining(0.75, 10.0, since=0.5), remaining(0.0, 5.0)
        (30.0, 10.0, None)
    """
    gained = fraction - since
    return None if gained <= 0 else max(0.0, (1.0 - fraction) * elapsed / gained)


def line(state: ProgressState, width: int, ascii_only: bool = False) -> str:
    """Return one line of at most `width` characters.

    Percent and time stay at any width; the bar shrinks and the details go, the last first; then the
    label is cut.

    Example:
        >>> state = ProgressState("training flow", 0.5, 20.0, 20.0, ("step 310", "loss 1.25 [nats/dim]"))
        >>> print(line(state, 100, ascii_only=True))
        training flow ############............  50 % 0:20 left, step 310, loss 1.25 [nats/dim]
        >>> print(line(state, 40, ascii_only=True))
        training flow ####....  50 % 0:20 left
    """
    times = _times(state)
    if state.fraction is None:
        return _joined(state.label, times, state.details, width)
    done = min(1.0, max(0.0, state.fraction))
    percent = f"{math.floor(100 * done):3d} %"
    for size in (BAR, 16, SHORT_BAR):
        # a bar shrinks before a detail goes: what the loss is says more than how the bar looks
        text = f"{state.label} {_bar(done, size, ascii_only)} {percent} {times}"
        if len(text) + sum(len(detail) + 2 for detail in state.details) <= width:
            return _joined(text, "", state.details, width)
    tail = f" {_bar(done, SHORT_BAR, ascii_only)} {percent} {times}"
    if width - len(tail) < min(SHORTEST_LABEL, len(state.label)):
        tail = f" {percent} {times}"
    return _joined(
        _cut(state.label, width - len(tail), ascii_only) + tail, "", state.details, width
    )


def sentence(state: ProgressState) -> str:
    """Return a plain line for a file or a pipe, where no width is known and nothing is drawn over.

    Example:
        >>> sentence(ProgressState("training flow", 0.5, 20.0, 20.0, ("step 310",)))
        'training flow: 50 %, 0:20 left, step 310'
    """
    share = (
        []
        if state.fraction is None
        else [f"{math.floor(100 * min(1.0, max(0.0, state.fraction)))} %"]
    )
    return f"{state.label}: " + ", ".join([*share, _times(state), *state.details])


def number(value: float) -> str:
    """Return a loss in four digits.

    Example:
        >>> number(1.23456), number(-512.345), number(0.00012)
        ('1.235', '-512.3', '0.00012')
    """
    return f"{value:.4g}"


def unit_of(name: str) -> str:
    """Return the unit in square brackets that a loss's name ends with, empty if it has none.

    Example:
        >>> unit_of("-ELBO of the encoded data [nats/dim]"), unit_of("critic")
        ('[nats/dim]', '')
    """
    _, bracket, rest = name.rpartition("[")
    return f"[{rest}" if bracket and name.endswith("]") else ""


def training_details(
    step: int, loss_name: str, loss: float | None, held_out: str, value: float | None
) -> list[str]:
    """Return what a training says of itself: step, loss and held-out value, each with its unit.

    Example:
        >>> training_details(1200, "-log p [nats/dim]", 1.5, "-log p [nats]", 96.25)
        ['step 1,200', 'loss 1.5 [nats/dim]', 'held out 96.25 [nats]']
    """
    found = [f"step {step:,}"]
    if loss is not None:
        found.append(f"loss {number(loss)} {unit_of(loss_name)}".rstrip())
    if value is not None:
        found.append(f"held out {number(value)} {unit_of(held_out)}".rstrip())
    return found


def _times(state: ProgressState) -> str:
    if state.fraction is not None and state.left is not None and state.fraction < 1.0:
        return f"{clock(state.left)} left"
    return clock(state.elapsed)


def _bar(done: float, size: int, ascii_only: bool) -> str:
    full = math.floor(done * size)
    return "#" * full + "." * (size - full) if ascii_only else "━" * full + "─" * (size - full)


def _cut(text: str, width: int, ascii_only: bool = True) -> str:
    if len(text) <= width:
        return text
    mark = "~" if ascii_only else "…"
    return text[: max(0, width - 1)] + mark if width > 0 else ""


def _joined(text: str, times: str, details: Sequence[str], width: int) -> str:
    if times:
        text = _cut(text, width - len(times) - 1) + " " + times
    for detail in details:
        if len(text) + 2 + len(detail) > width:
            break
        text += f", {detail}"
    return text[:width]
