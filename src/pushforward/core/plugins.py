"""What other packages add: choices that they announce through the entry-point group `pushforward`.

One idea: a package that cannot be used costs only itself. A plug-in that cannot be imported, is no
choice of its kind, declares what cannot be, or takes a name that is taken is named with the reason,
skipped, and everything else works; what fails later, while it is used, is named as its fault.

The name of an entry point is the kind of choice and a word, `metric.median-gap`; its value is the
object (`docs/plugins.md` has an example of every kind):

    [project.entry-points.pushforward]
    "metric.median-gap" = "my_package:MEDIAN_GAP"
"""

from __future__ import annotations

import io
import logging
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

GROUP = "pushforward"
_ALL, _SPACES = ("points", "image", "table", "text"), ("points", "image")
_FAMILIES = {
    "architecture": {
        **dict.fromkeys(("flow", "vae", "gan"), _SPACES),
        "autoregressive": _ALL,
        "diffusion": ("image",),
    },
    "estimator": {
        **dict.fromkeys(("flow", "vae"), _SPACES),
        **dict.fromkeys(("autoregressive", "diffusion"), _ALL),
    },
}
# what stands before the dot: the noun of every registry (a test compares), because nothing is
# imported to find that a word is misspelt
KINDS = (
    *("verb", "sampling-option", "format", "tokeniser", "metric", "family", "student", "solver"),
    *("grid", "grid-on-text", "path", "law-of-noise-levels", "weight", "prediction", "posterior"),
    *("inpainting", "method", "kind-of-data", "contents-of-data", "encoding", "example-kind"),
    *("measured-kind", "shown-kind", "prior-of-vae"),
    *(
        f"{what}-of-{family}-on-{kind}"
        for what, families in _FAMILIES.items()
        for family, kinds in families.items()
        for kind in kinds
    ),
)
_OF_A_FAMILY = re.compile(r"(?:architecture|estimator)-of-(.+)-on-(.+)")
_LOG = logging.getLogger("pushforward.plugins")


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
_TOLD: set[Refused] = set()  # those whose reason stands in a refusal already
_ORIGINS: list[tuple[Any, EntryPoint]] = []


def announced(noun: str) -> tuple[EntryPoint, ...]:
    """Return the entry points of choices of one kind, by name; nothing is imported.

    Example:
        >>> announced("nothing of the kind")
        ()
    """
    head = kind_of_entry(noun) + "."
    return tuple(sorted((p for p in _all() if p.name.startswith(head)), key=lambda p: p.name))


def kind_of_entry(noun: str) -> str:
    """Return how the names of entry points begin that add to a registry of this noun.

    Example:
        >>> kind_of_entry("architecture of flow on points")
        'architecture-of-flow-on-points'
    """
    return noun.replace(" ", "-")


def word_of(plugin: EntryPoint) -> str:
    """Return what stands behind the kind in the name of an entry point."""
    return plugin.name.partition(".")[2]


def every_plugin() -> tuple[EntryPoint, ...]:
    """Return every entry point of the group, whatever it is called."""
    return _all()


@cache
def _all() -> tuple[EntryPoint, ...]:
    found = tuple(entry_points(group=GROUP))
    kinds = {*KINDS}
    new = {p.name.partition(".")[2] for p in found if p.name.startswith(("family.", "kind-of-"))}
    for plugin in found:
        kind, _, word = plugin.name.partition(".")
        parts = _OF_A_FAMILY.fullmatch(kind)
        if not word or not (kind in kinds or (parts and not new.isdisjoint(parts.groups()))):
            _leave_out(plugin, _unknown_kind(kind, word))
    return found


def _unknown_kind(kind: str, word: str) -> str:
    from pushforward.core.errors import closest

    if kind in KINDS:
        return f"expected '{kind}.NAME', a word behind the kind"
    hint = closest(kind, KINDS) if word else "expected KIND.NAME, such as metric.median-gap"
    known = f"docs/plugins.md lists them, such as {', '.join(KINDS[:5])}"
    return f"no kind of choice is called '{kind}'; {hint or known}"


def _name_of(package: Any) -> str:
    try:
        return str(package.name) if package is not None and package.name else "an unknown package"
    except Exception:  # of a folder without metadata
        return "an unknown package"


def package_of(plugin: EntryPoint) -> str:
    """Return the name of the package that announced an entry point."""
    return _name_of(plugin.dist)


@contextmanager
def refuse(plugin: EntryPoint) -> Iterator[None]:
    """Leave a plug-in out, with the reason, if anything inside the block raises; what a module
    prints while it is imported is no answer, and goes to stderr."""
    try:
        with redirect_stdout(sys.stderr or io.StringIO()):
            yield
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:  # whatever a stranger's module raises, `sys.exit` among it
        _leave_out(plugin, _in_words(error))


def _in_words(error: BaseException) -> str:
    try:
        said = " ".join(str(error).split())
    except Exception:
        said = ""
    return f"{type(error).__name__}: {said or 'no message'}"


def _leave_out(plugin: EntryPoint, reason: str) -> None:
    _add(Refused(plugin.name, package_of(plugin), reason[:300]))


def _add(one: Refused) -> None:
    if one not in _REFUSED:
        _REFUSED.append(one)
        _LOG.warning("%s", one)


def refused() -> tuple[Refused, ...]:
    """Return the plug-ins that were left out so far, in the order they were met."""
    return tuple(_REFUSED)


def untold(words: Iterable[str] = ()) -> list[str]:
    """Return what to say of plug-ins that were left out and stand in no refusal: a line each of
    those that the words of a command name, and one line for all others.

    Example:
        >>> untold()
        []
    """
    left = [one for one in _REFUSED if one not in _TOLD]
    plain = [word for word in words if word not in ("--json", "--debug", "--help")]
    asked = {part for word in plain for part in re.split(r"[:,=\s]+", word.lstrip("-")) if part}
    named = [one for one in left if {one.name, *_spellings(one.name.partition(".")[2])} & asked]
    others = [one for one in left if one not in named]
    if len(others) > 1:
        listed = ", ".join(one.name for one in others[:5]) + (", ..." if len(others) > 5 else "")
        said = f"{len(others)} plug-ins were left out ({listed}); `pushforward plugins` says why"
        return [*map(str, named), said]
    return [str(one) for one in (*named, *others)]


def _spellings(word: str) -> set[str]:
    return {word, word.replace("_", "-"), word.replace("-", "_"), word.replace("-", " ")}


def all_told() -> None:
    """Note that the reasons of all that was left out have been said."""
    _TOLD.update(_REFUSED)


def why_not(noun: str, word: str) -> str:
    """Return why a name that a plug-in would have had is not known, empty if none would.

    Example:
        >>> why_not("metric", "nobody's")
        ''
    """
    names = {f"{kind_of_entry(noun)}.{one}" for one in _spellings(word)}
    for one in _REFUSED:
        if one.name in names:
            _TOLD.add(one)
            return str(one)
    return ""


def amid_imports(plugin: EntryPoint) -> bool:
    """Return whether a module of a plug-in's package, or of this one, is half imported."""
    packages = ("pushforward", _package_within(plugin))
    parts = [m for name, m in list(sys.modules.items()) if name.partition(".")[0] in packages]
    return any(getattr(getattr(m, "__spec__", None), "_initializing", False) for m in parts)


def came_from(choice: Any, plugin: EntryPoint) -> None:
    """Note which plug-in a choice is of."""
    _ORIGINS.append((choice, plugin))


def origin(choice: Any) -> EntryPoint | None:
    """Return the plug-in that a choice came from, None for one of the house.

    Example:
        >>> origin("whatever") is None
        True
    """
    return next((plugin for known, plugin in _ORIGINS if known is choice), None)


def whose(choice: Any) -> str:
    """Return a choice's plug-in and package in words, empty for one of the house."""
    plugin = origin(choice)
    return "" if plugin is None else f"the plug-in '{plugin.name}' of {package_of(plugin)}"


def blamed(error: BaseException) -> str:
    """Return the plug-in in whose code an error arose, in words; empty if it is none's.

    Example:
        >>> blamed(ValueError("of the house"))
        ''
    """
    modules = {_package_within(plugin): plugin for plugin in _all()}
    modules.pop("pushforward", None)
    found, trace = "", error.__traceback__
    while trace is not None:
        module = str(trace.tb_frame.f_globals.get("__name__", "")).partition(".")[0]
        if plugin := modules.get(module):
            found = f"the plug-in '{_called(plugin)}' of {package_of(plugin)}"
        trace = trace.tb_next
    return found


def _package_within(plugin: EntryPoint) -> str:
    return plugin.value.partition(":")[0].partition(".")[0]


def _called(plugin: EntryPoint) -> str:
    """Return the name of a plug-in, of several in one module that of the module."""
    module = _package_within(plugin)
    names = [one.name for one in _all() if _package_within(one) == module]
    return names[0] if len(names) == 1 else module


@contextmanager
def calling(choice: Any) -> Iterator[None]:
    """Say of whatever a plug-in's choice raises inside the block whose fault it is; a refusal in
    plain words, and a disk that fails, are passed on.

    Raises:
        RunFailed: names the plug-in and its package.
    """
    if not whose(choice):
        yield
        return
    from pushforward.core.errors import PushforwardError, RunFailed

    try:
        yield
    except PushforwardError:
        raise
    except OSError as error:
        if error.filename is not None or isinstance(error, BrokenPipeError) or error.errno == 28:
            raise
        raise RunFailed(f"{whose(choice)} failed: {_in_words(error)}") from error
    except Exception as error:
        raise RunFailed(f"{whose(choice)} failed: {_in_words(error)}") from error


def of_plugin(choice: Any, what: str, value: Any, expected: str) -> Exception:
    """Return the error about what a choice of a plug-in, or one that a program made, answered."""
    from pushforward.core.errors import RunFailed, a_type

    name = getattr(choice, "name", None) or getattr(choice, "__name__", type(choice).__name__)
    said = f"{whose(choice) or repr(name)}: its {what} returned "
    return RunFailed(said + ("None" if value is None else a_type(value)), expected)
