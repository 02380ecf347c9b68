"""What other packages add: choices that they announce through the entry-point group `pushforward`.

One idea: a package that cannot be used costs only itself. A plug-in that raises when it is
imported, is no choice of its kind, or takes a name that is taken is named with the reason, skipped,
and everything else works.

The name of an entry point is the kind of choice and a word, `metric.median-gap`; its value is the
object:

    [project.entry-points.pushforward]
    "metric.median-gap" = "my_package:MEDIAN_GAP"
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points

GROUP = "pushforward"


@dataclass(frozen=True)
class Refused:
    """A plug-in that was left out.

    Attributes:
        name: of its entry point.
        package: that announced it.
        reason: one line.
    """

    name: str
    package: str
    reason: str

    def __str__(self) -> str:
        return f"the plug-in '{self.name}' of {self.package} was left out: {self.reason}"


_REFUSED: list[Refused] = []


def announced(noun: str) -> tuple[EntryPoint, ...]:
    """Return the entry points of choices of one kind, by name; nothing is imported.

    Example:
        >>> announced("nothing of the kind")
        ()
    """
    head = noun.replace(" ", "-") + "."
    return tuple(sorted((p for p in _all() if p.name.startswith(head)), key=lambda p: p.name))


@cache
def _all() -> tuple[EntryPoint, ...]:
    return tuple(entry_points(group=GROUP))


@contextmanager
def refuse(plugin: EntryPoint) -> Iterator[None]:
    """Leave a plug-in out, with the reason, if anything inside the block raises."""
    try:
        yield
    except Exception as error:  # whatever a stranger's module raises at import
        package = plugin.dist.name if plugin.dist is not None else "an unknown package"
        said = " ".join(str(error).split()) or "no message"
        _REFUSED.append(Refused(plugin.name, package, f"{type(error).__name__}: {said}"[:300]))


def refused() -> tuple[Refused, ...]:
    """Return the plug-ins that were left out so far, in the order they were met."""
    return tuple(_REFUSED)
