"""What of a directory is Pushforward's, so that nothing else is ever removed.

Two ideas: a directory is ours if its manifest says what it is and is of our format, and then only
the files that such a directory is made of; one file that is not on the list, and the directory is
left as it is.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from pushforward.core.errors import BadInput
from pushforward.core.files import not_removed, partial_of, remove_file
from pushforward.provenance.lock import LOCK, writing
from pushforward.provenance.run_directory import (
    CONFIG,
    ENCODING,
    FORMAT,
    MANIFEST,
    STATE,
    WEIGHTS,
    is_begun_only,
)

Kind = Literal["run", "comparison", "classifier"]
COMPARISON = "comparison.json"
# every file that Pushforward writes into a directory of a kind, by its path in there
WRITTEN: dict[str, str] = {
    "run": rf"manifest\.json|config\.yaml|weights\.safetensors|encoding\.json|history\.jsonl|scores\.json"
    rf"|{STATE}/last\.safetensors|{STATE}/ema/\d+\.safetensors",
    "comparison": r"manifest\.json|comparison\.json|comparison\.npz|report\.html",
    "classifier": r"manifest\.json|classifier\.json|weights\.safetensors",
}
FOLDERS: dict[str, tuple[str, ...]] = {
    "run": (STATE, f"{STATE}/ema"),
    "comparison": (),
    "classifier": (),
}
_PLAIN = re.compile(r"[\w-]+")
_LARGEST_CONFIG = 1 << 20
NAMED = 3  # files of others that a message names


@dataclass(frozen=True)
class Holdings:
    """What lies in a directory.

    Attributes:
        kind: of the directory, empty if no manifest of ours is there.
        ours: files and folders, in an order of removal that keeps the directory recognisable to the
            end.
        folders: those of them that are folders.
        foreign: what is not ours.
        worth: True if something in there took work that is not done again for nothing.
    """

    kind: str = ""
    ours: tuple[Path, ...] = ()
    folders: frozenset[Path] = frozenset()
    foreign: tuple[Path, ...] = ()
    worth: bool = False

    @property
    def files(self) -> list[Path]:
        """What of it is files."""
        return [path for path in self.ours if path not in self.folders]


def claim(path: Path, overwrite: bool = False, kind: Kind = "run") -> None:
    """Make sure that a run, a comparison or a classifier may be written at `path`; under its lock,
    make room for it.

    What a killed command left before it had done any work counts as nothing. With `overwrite` an
    earlier directory of the same kind is removed, file by file.

    Raises:
        BadInput: a file, a directory that holds anything else, or one that may not be emptied;
            nothing was removed.
        RunFailed: a file cannot be removed; what is left is still known as ours.
    """
    _remove(check_claim(path, overwrite, kind))


def sweep(path: Path) -> None:
    """Remove what killed commands left half-written in a directory of ours; whoever asks holds its
    lock."""
    for file in holdings(path).files:
        if partial_of(file.name) is not None:
            remove_file(file)


def check_claim(path: Path, overwrite: bool = False, kind: Kind = "run") -> Holdings:
    """Raise what `claim` would, and change nothing."""
    held = holdings(path)
    if held.foreign:
        some = ", ".join(str(one.relative_to(path)) for one in held.foreign[:NAMED])
        more = f" and {len(held.foreign) - NAMED} more" if len(held.foreign) > NAMED else ""
        raise BadInput(
            f"the output directory {path}",
            "an empty or new directory",
            f"it holds other files ({some}{more}); choose another -o",
        )
    if held.kind and held.kind != kind:
        raise BadInput(
            f"the output directory {path}",
            "an empty or new directory",
            f"it holds a {held.kind}; choose another -o",
        )
    if held.worth and not overwrite:
        go_on = (
            ""
            if kind == "classifier"
            else "continue that one with --resume, replace it with --overwrite, or "
        )
        raise BadInput(
            f"the output directory {path}",
            "an empty or new directory",
            f"it holds another {kind}; {go_on}choose another -o",
        )
    if held.kind:
        _refuse_places(path)
    return held


def holdings(path: Path) -> Holdings:
    """Return what lies in a directory, read and not changed; nothing if it is not there.

    Raises:
        BadInput: it is a file, cannot be read, or was written by a newer version.
    """
    try:
        if path.is_dir():
            return _holdings(path)
        found = path.is_symlink() or path.exists()
    except OSError as error:
        raise BadInput(
            f"{path}, which cannot be read ({error.strerror})", "a directory of yours"
        ) from None
    if found:
        what = "a link to nothing" if path.is_symlink() else "a file"
        raise BadInput(f"the output {path}", "a directory", f"this is {what}; choose another -o")
    return Holdings()


def manifest_of(path: Path) -> dict[str, Any] | None:
    """Return the manifest of a directory of ours, None where there is none or it is another
    program's.

    Raises:
        BadInput: a newer format.
    """
    file = path / MANIFEST
    if file.is_symlink() or not file.is_file():
        return None
    try:
        record = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    # runs were the only directories with a manifest before it said of what kind they are
    ours = (
        isinstance(record, dict)
        and type(record.get("format")) is int
        and isinstance(record.get("status"), str)
    )
    if (
        not ours
        or not ("kind" in record or "config_sha256" in record)
        or record.get("kind", "run") not in WRITTEN
    ):
        return None
    if record["format"] > FORMAT:
        raise BadInput(
            f"a {record.get('kind', 'run')} of format {record['format']}",
            f"format {FORMAT} or older",
            "update pushforward",
        )
    return {"kind": "run", **record}


def _holdings(path: Path) -> Holdings:
    manifest = manifest_of(path)
    runs = runs_in(path)
    kind = "comparison" if runs is not None else "" if manifest is None else manifest["kind"]
    if not kind and _half_begun(path):
        kind = "run"
    inner = {
        path / name: _holdings(path / name) for name in runs or () if _real_folder(path / name)
    }
    inner = {folder: held for folder, held in inner.items() if held.kind in ("run", "")}
    own: list[Path] = []
    order = [path for run, held in inner.items() for path in (*held.ours, run)]
    folders = {path for run, held in inner.items() for path in (*held.folders, run)}
    foreign = [one for held in inner.values() for one in held.foreign]
    for entry in _entries(path, FOLDERS.get(kind, ())):
        name = entry.relative_to(path).as_posix()
        if entry in inner or name == LOCK:
            continue
        if _real_folder(entry) and name in FOLDERS.get(kind, ()):
            own.append(entry)
            folders.add(entry)
        else:
            (
                own
                if _is_ours(name, kind) and not entry.is_dir() and not entry.is_symlink()
                else foreign
            ).append(entry)
    last = {path / COMPARISON: 1, path / MANIFEST: 2}  # what a directory is recognised by goes last
    order += sorted(own, key=lambda one: (last.get(one, 0), -len(one.parts)))
    worth = any(held.worth for held in inner.values()) or _worth(path, kind, manifest, own)
    return Holdings(kind, tuple(order), frozenset(folders), tuple(foreign), worth)


def runs_in(path: Path) -> list[str] | None:
    """Return the names of the runs of a comparison, None if the directory is none; what is no plain
    name is none of ours."""
    manifest = manifest_of(path)
    if manifest is not None:
        named = manifest.get("runs")
        names = named if isinstance(named, list) else []
    # comparisons had no manifest once
    elif (path / MANIFEST).exists() or (names := _old_comparison(path)) is None:
        return None
    if manifest is not None and manifest["kind"] != "comparison":
        return None
    return [name for name in names if isinstance(name, str) and _PLAIN.fullmatch(name)]


def _entries(path: Path, folders: tuple[str, ...]) -> list[Path]:
    """Return the files, links and folders in a directory and in those of its folders, sorted."""
    places = [path, *(path / name for name in folders if _real_folder(path / name))]
    return sorted(Path(entry.path) for place in places for entry in os.scandir(place))


def _is_ours(name: str, kind: str) -> bool:
    folder, _, file = name.rpartition("/")
    whole = partial_of(file)
    if whole is not None:
        name = f"{folder}/{whole}" if folder else whole
    # a command that was killed before its manifest was whole leaves the beginning of one
    written = WRITTEN.get(kind, re.escape(MANIFEST) if whole is not None else "(?!)")
    return re.fullmatch(written, name) is not None


def _half_begun(path: Path) -> bool:
    """Return whether nothing but the beginning of a run is there, as versions that wrote the
    manifest last could leave it."""
    names = {entry.name for entry in os.scandir(path)} - {LOCK}
    config = path / CONFIG
    if CONFIG not in names or not {partial_of(name) or name for name in names} <= {
        CONFIG,
        ENCODING,
        MANIFEST,
    }:
        return False
    if (
        MANIFEST in names
        or config.is_symlink()
        or not config.is_file()
        or config.stat().st_size > _LARGEST_CONFIG
    ):
        return False
    try:
        found = yaml.safe_load(config.read_bytes())
    except (yaml.YAMLError, ValueError, RecursionError):
        return False
    keys = {"family", "preset", "seed", "data", "model", "train"}
    return isinstance(found, dict) and keys <= set(found) <= keys | {"fitted", "asked"}


def _worth(path: Path, kind: str, manifest: dict[str, Any] | None, own: list[Path]) -> bool:
    if not kind or (manifest is not None and manifest["status"] == "writing"):
        return False
    if kind == "run" and manifest is None:  # half begun
        return False
    if kind == "run":
        return not is_begun_only(path)
    if kind == "comparison":
        return manifest is None or manifest["status"] == "complete" or path / COMPARISON in own
    return path / WEIGHTS in own


def _old_comparison(path: Path) -> list[Any] | None:
    """Return the names of the runs of a comparison that was made before comparisons had manifests,
    None if it is none."""
    file = path / COMPARISON
    if file.is_symlink() or not file.is_file():
        return None
    try:
        record = json.loads(file.read_bytes())
        if not {"title", "data", "rows", "differences", "preset"} <= set(record):
            return None
        names: list[Any] = []
        for row in record["rows"]:
            names += [
                row["name"],
                *(f"{row['name']}-seed{one['seed']}" for one in row.get("repeats", ())),
            ]
    except (OSError, ValueError, RecursionError, TypeError, KeyError, AttributeError):
        return None
    return names


def _real_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _refuse_places(path: Path) -> None:
    """Refuse to remove anything from a place that a person did not mean, whatever lies there."""
    whole, places = path.resolve(), {}
    with suppress(OSError, RuntimeError):  # there may be no home, and no current directory any more
        places[Path.home().resolve()] = "the home directory"
    with suppress(OSError):
        places[Path.cwd().resolve()] = "the current directory"
    for place, words in places.items():
        if whole == place or whole in place.parents:
            holds = "is" if whole == place else "holds"
            raise BadInput(
                f"-o {path}, which {holds} {words}", "a directory of its own", "choose another -o"
            )
    if path.is_symlink():
        raise BadInput(
            f"-o {path}, a link to {whole}",
            "the directory itself",
            "name that, if it shall be replaced, or choose another -o",
        )


def _remove(held: Holdings) -> None:
    """Remove what is ours; whoever still writes into a run of a comparison is told of first."""
    with ExitStack() as locks:
        for folder in held.folders:
            if (folder / MANIFEST).exists() or (folder / LOCK).exists():
                locks.enter_context(writing(folder))
        for path in held.ours:
            if path not in held.folders:
                remove_file(path)
                continue
            remove_file(path / LOCK)
            try:
                path.rmdir()
            except OSError as error:
                raise not_removed(path, error) from None
