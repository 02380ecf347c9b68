"""Records on both sides of every threshold of the checklist.

One idea: a run of the gallery with one number moved to just below, exactly at or just above what is
suspicious, so that a threshold a little off, and a comparison that is strict where it should not
be, gives itself away.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pushforward.course.rogues import rogue

Record = dict[str, Any]


@dataclass(frozen=True)
class Edge:
    """A made-up record.

    Attributes:
        says: what it is, in words.
        record: the record.
        suspicions: what must be suspected.
    """

    says: str
    record: Record
    suspicions: frozenset[str]


def edges() -> tuple[Edge, ...]:
    """Return all of them.

    Example:
        >>> next(edge.says for edge in edges() if "posterior collapse" in edge.suspicions)
        'the run `vae` with kl = 0.099'
    """
    return tuple(_facts() + _gaps() + _histories())


def _facts() -> list[Edge]:
    made = []
    for name, suspicion, key, suspicious, innocent in (
        ("vae", "posterior collapse", "kl", (0.099,), (0.1, 0.101)),
        ("gan", "mode collapse", "modes", (0.89,), (0.9, 0.91)),
        ("gan", "dead discriminator", "critic", (0.951,), (0.95, 0.949)),
        ("flow", "wrong density", "mass", (1.11, 0.89), (1.09, 0.91)),
        ("flow", "test leak", "test_in_train", (0.0101,), (0.01, 0.0099)),
        ("gan", "test leak", "test_in_train", (0.0101,), (0.0099,)),
    ):
        made += [_edge(name, {suspicion}, **{key: value}) for value in suspicious]
        made += [_edge(name, set(), **{key: value}) for value in innocent]
    made.append(_edge("vae", set(), mass=0.85))  # of a lower bound, which is rightly less
    # exactly half as far, which a binary fraction is in every arithmetic
    for near, found in (
        (0.03125, {"memorisation"}),
        (0.031, {"memorisation"}),
        (0.0315, set[str]()),
    ):
        made.append(_edge("gan", found, nearest=near, nearest_held_out=0.0625))
    return made


def _gaps() -> list[Edge]:
    made = []
    for test, found in ((-1.76, {"overfitting"}), (-1.75, set[str]()), (-1.74, set[str]())):
        made.append(_edge("flow", found, train_nats=-1.0, test_nats=test, gap_error=0.25))
        leak = {"test leak"} if found else set[str]()
        made.append(_edge("diffusion", leak, train_nats=test, test_nats=-1.0, gap_error=0.25))
    return made


def _histories() -> list[Edge]:
    lost, dead, early = {"divergence"}, {"dead discriminator"}, {"undertrained"}
    hasty = rogue("hasty autoregressive").record["history"]
    return [
        _edge("flow", lost, finished=False),
        _series("flow", lost, "loss", [0.5, 2.0, 10.1, 0.4, 0.3]),
        _series("flow", set(), "loss", [0.5, 2.0, 9.9, 0.4, 0.3]),
        _series("flow", lost, "loss", [0.5, None, 0.4, 0.4, 0.3]),
        _series("flow", lost, "loss", [2.0, 4.0, 20.2, 0.4, 0.3]),
        _series("flow", set(), "loss", [2.0, 1.0, 19.8, 0.4, 0.3]),
        _series("flow", set(), "loss", [0.5, 2.0, 10.0, 0.4, 0.3]),
        _series("gan", set(), "gradient norm, generator", [0.5, 50.0, 0.3, 2.0, 1.0]),
        _series("gan", dead, "gradient norm, generator", [0.5, 1.0, 0.3, 0.0202, 0.0198]),
        _series("gan", set(), "gradient norm, generator", [0.5, 1.0, 0.3, 0.0198, 0.0202]),
        _series("flow", early, "held_out", [2.0, 3.0, 2.5, 1.06, 1.0, 0.955]),
        _series("flow", set(), "held_out", [2.0, 3.0, 2.5, 1.06, 1.0, 0.965]),
        _series("flow", early, "held_out", [2.0, 3.0, 1.2, 1.11, 1.0, 1.0]),
        _series("flow", set(), "held_out", [2.0, 3.0, 1.2, 1.0, 1.02, 1.0]),
        _series("flow", set(), "held_out", [2.0, 3.0, 1.2, 1.09, 2.9, 1.0]),
        _edge("flow", early, "of which three entries are left", history=hasty[-3:]),
        _edge("flow", set(), "of which two entries are left", history=hasty[-2:]),
    ]


def _edge(name: str, suspicions: set[str], says: str = "", /, **changes: Any) -> Edge:
    record = {**copy.deepcopy(rogue(name).record), **changes}
    said = says or "with " + ", ".join(f"{key} = {value}" for key, value in changes.items())
    return Edge(f"the run `{name}` {said}", record, frozenset(suspicions))


def _series(name: str, suspicions: set[str], key: str, values: Sequence[float | None]) -> Edge:
    """Return a run whose history has other numbers under one key: as many entries as there are
    values."""
    history = copy.deepcopy(rogue(name).record["history"])[-len(values) :]
    for entry, value in zip(history, values, strict=True):
        entry[key] = value
    if key == "held_out":
        # nothing else of what is left may fall
        return _edge(name, suspicions, f"whose {key} is {values}", history=history)
    for entry in history:
        entry["held_out"] = 1.0
    return _edge(name, suspicions, f"whose {key} is {values}", history=history)
