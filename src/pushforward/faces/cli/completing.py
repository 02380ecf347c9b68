"""What the shell completes: names that are known, and runs that lie here.

One idea: a field says what its values are names of, and here is how such names are found; nothing
is imported before that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

MOST, DEEP = (
    200,
    3,
)  # run directories that are offered, and how many folders down they are looked for


def completer(names: str) -> Callable[[str], list[str]] | None:
    """Return the function that completes a word, None where the shell's own completion of files
    serves.

    Example:
        >>> completer("presets")("c")
        ['cpu']
    """
    found = _KNOWN.get(names)
    if found is None:
        return None

    def complete(incomplete: str) -> list[str]:
        # of a list with commas the last word is completed
        before, comma, word = incomplete.rpartition(",")
        return [before + comma + name for name in found() if name.startswith(word)]

    return complete


def _families() -> Iterator[str]:
    from pushforward.families.catalogue import FAMILIES

    yield from FAMILIES.names()


def _verbs() -> Iterator[str]:
    from pushforward.faces.verbs import every_verb

    yield from (request.verb for request in every_verb())


def _presets() -> Iterator[str]:
    from pushforward.core.preset import AUTO, NAMES

    yield from (AUTO, *NAMES)


def _data() -> Iterator[str]:
    from pushforward.data.builtin import builtins

    yield from (name for name, _ in builtins())
    yield from (f"{path}/" if path.is_dir() else str(path) for path in sorted(Path().iterdir()))


def _solvers() -> Iterator[str]:
    from pushforward.families.diffusion.solvers.sampler import SOLVERS

    yield from SOLVERS.names()


def _estimators() -> Iterator[str]:
    from pushforward.families.build import family_class
    from pushforward.families.catalogue import FAMILIES

    known = [family_class(name).capabilities.estimators for name in FAMILIES.names()]
    yield from sorted(
        {one.name for kinds in known for declared in kinds.values() for one in declared}
    )


def _runs() -> Iterator[str]:
    """Yield directories here and a few folders down that say they are runs."""
    folders, found = [(Path(), 0)], 0
    while folders and found < MOST:
        folder, depth = folders.pop(0)
        for path in sorted(
            p for p in folder.iterdir() if p.is_dir() and not p.name.startswith(".")
        ):
            if (path / "manifest.json").is_file():
                found += 1
                yield str(path)
            if depth + 1 < DEEP:
                folders.append((path, depth + 1))


_KNOWN: dict[str, Callable[[], Iterator[str]]] = {
    "families": _families,
    "verbs": _verbs,
    "presets": _presets,
    "data": _data,
    "solvers": _solvers,
    "estimators": _estimators,
    "runs": _runs,
}
