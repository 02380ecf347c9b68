"""A file format: what its files are called, what they may hold, how they are read and how samples
are written in it.

One idea: a format is a declaration that costs nothing to load, and names what reads and writes it;
help texts, refusals and the table in `docs/data.md` are computed from the declarations.
"""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pushforward.core.choice import Choice
from pushforward.core.data_kind import DATA_KINDS, kind_of
from pushforward.core.declared import require_target
from pushforward.core.errors import BadInput, PushforwardError, RunFailed
from pushforward.core.plugins import announced, calling, of_plugin, origin, refuse, whose, word_of
from pushforward.data.formats.packing import PACKED, unpacked_name


@dataclass(frozen=True)
class ReadOptions:
    """How a source is to be read: what its user, or the run that it is read for, says of it; None =
    as usual.

    Attributes:
        kind: `table`, `points` or `text`, where a source may be several things.
        images: how pictures are read, `data.images.options.ImageOptions`.
        text: where a document ends, `data.text.policy.Policy`.
        table: what is known of the columns, `data.tables.sheet.Reading`.
        skip_bad: whether pictures that cannot be read are counted and left out.
        context: the array of an `.npz` that holds what each example is about.
    """

    kind: str | None = None
    images: Any = None
    text: Any = None
    table: Any = None
    skip_bad: bool = False
    context: str | None = None


def _of_nothing() -> Any:
    from pushforward.data.identity import IdentityEncoding  # which knows how samples are written

    return IdentityEncoding()


@dataclass(frozen=True)
class Samples:
    """Samples to be written, in data units and as people read them.

    Attributes:
        x: examples of the space, `(n, ...)`.
        space: what one of them is.
        labels: the class that each was asked for, None = unconditional.
        shown: a list of strings for text, a DataFrame for rows, None for images and points of
            arrays.
        encoding: what made `shown`, and writes it as its source was; of nothing plain text, and
            rows as pandas writes them.
    """

    x: Any = None
    space: Any = None
    labels: Sequence[str] | None = None
    shown: Any = None
    encoding: Any = field(default_factory=_of_nothing)

    @property
    def forms(self) -> tuple[str, ...]:
        """What can be written of them: `texts`, `rows`, `arrays`, `pictures`; the first that a
        format writes is."""
        if isinstance(self.shown, list):
            return ("texts",)
        kind = None if self.space is None else kind_of(self.space)
        if self.shown is not None:
            return ("rows", "arrays") if kind is not None and kind.in_a_space else ("rows",)
        return ("arrays",) if kind is None else kind.forms

    @property
    def ending(self) -> str:
        """What the names of a run's own files end in, empty where nobody knows."""
        return self.encoding.ending


KINDS_OF_THE_HOUSE = ("points", "image", "table", "text")
FORMS = ("arrays", "pictures", "rows", "texts")
Reader = Callable[[Path, ReadOptions], Any]
Writer = Callable[[Samples, Path], Any]


@dataclass(frozen=True)
class Format(Choice):
    """One way in which examples lie in a file or a folder.

    Functions are given as such or as `"module:attribute"`, which is imported when it is needed.

    Attributes:
        suffixes: what names of its files end in, in small letters, the usual one first; none for
            folders.
        holds: the kinds of data that it may hold, as it is read: the first unless another is asked
            for. Empty: it is not read.
        reader: takes a path and `ReadOptions`, and returns whatever `pushforward.load` takes: an
            array, `(array, labels)`, a DataFrame or a list of strings. Formats of the house return
            `Raw`, `Sheet` or `Found`, which also say what was decided.
        readers: what reads it where one of the other kinds that it may hold is asked for, by the
            name of the kind; of those that are not here `reader`.
        sniffer: says of a path without such an ending whether it is of this format all the same;
            none = never.
        writes: the forms of samples that it can hold: `arrays`, `pictures`, `rows`, `texts`. Empty:
            it is not written.
        writer: takes `Samples` and the path without its packing, and returns bytes; of a folder the
            list of files written.
        folder: whether samples fill a folder.
        reads_packed, writes_packed: whether its files may be packed (`.gz`, `.bz2`, `.xz`, `.zip`).
        any_ending: whether samples are written under the ending of a run's own files, whatever it
            is.

    Example:
        >>> lines = Format("pairs", "x:y lines", (".pairs",), holds=("points",), reader=lambda path, how: [[0.0, 1.0]])
        >>> lines.is_named(Path("a.PAIRS")), lines.is_named(Path("a.pairs.gz")), lines.read(Path("a.pairs"), ReadOptions())
        (True, False, [[0.0, 1.0]])
    """

    suffixes: tuple[str, ...] = ()
    holds: tuple[str, ...] = ()
    reader: Reader | str = ""
    readers: Mapping[str, Reader | str] = field(default_factory=dict, hash=False)
    sniffer: Callable[[Path], bool] | str = ""
    writes: tuple[str, ...] = ()
    writer: Writer | str = ""
    folder: bool = False
    reads_packed: bool = False
    writes_packed: bool = False
    any_ending: bool = False

    def is_named(self, path: Path) -> bool:
        """Return whether the name of a file says that it is of this format."""
        inner = unpacked_name(path) if self.reads_packed else path
        return inner.suffix.lower() in self.suffixes

    def sniff(self, path: Path) -> bool:
        """Return whether a path that no name tells is of this format."""
        if not self.sniffer:
            return False
        if (plugin := origin(self)) is None:
            return bool(_function(self.sniffer)(path))
        with refuse(plugin):  # of a file that may be another's
            return bool(_function(self.sniffer)(path))
        return False

    def read(self, path: Path, how: ReadOptions) -> Any:
        """Return what a file holds.

        Raises:
            BadInput: what cannot be used, named with its place.
        """
        with self._naming_itself(path):
            found = self._function(self.readers.get(how.kind or "", self.reader))(path, how)
        if found is None:
            raise of_plugin(
                self, "reader", found, "an array, (array, labels), a DataFrame or texts"
            )
        return found

    def can_write(self, samples: Samples) -> bool:
        """Return whether samples can be written in this format."""
        return not set(self.writes).isdisjoint(samples.forms)

    def is_output(self, path: str | Path, own: str = "") -> bool:
        """Return whether samples go to a name in this format.

        Args:
            own: what the names of a run's own files end in.
        """
        if self.folder or is_folder(path):
            return self.folder and is_folder(path)
        name = Path(path)
        if name.suffix.lower() in PACKED and not self.writes_packed:
            return False
        adopted = (own,) if self.any_ending and own else ()
        return unpacked_name(name).suffix.lower() in (*self.suffixes, *adopted)

    def made(self, samples: Samples, path: Path) -> Any:
        """Return samples as the bytes of a file of this name, before it is packed; a folder is
        written, and its files returned."""
        with calling(self):
            made = self._function(self.writer)(samples, path)
        if not isinstance(made, list if self.folder else bytes):
            expected = "the list of files written" if self.folder else "bytes"
            raise of_plugin(self, "writer", made, expected)
        return made

    @contextmanager
    def _naming_itself(self, path: Path) -> Iterator[None]:
        """Say of a file that the reader of another package fails on which package that is: either
        may be at fault."""
        try:
            yield
        except PushforwardError:
            raise
        except Exception as error:
            if not whose(self):
                raise
            said = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
            raise BadInput(
                f"{path} cannot be read as {self.name} by {whose(self)} ({said})",
                "a file that it reads",
            ) from error

    def _function(self, named: Callable[..., Any] | str) -> Callable[..., Any]:
        """Return a function that may be named by a text."""
        try:
            return _function(named)
        except (ImportError, AttributeError) as error:
            if not whose(self):
                raise
            raise RunFailed(
                f"{whose(self)} names '{named}', which cannot be imported ({error})"
            ) from error


def require_usable(format_: Format, registry: Iterable[Format]) -> None:
    """Refuse a format of another package that could not be read or written, or whose endings are
    those of another one.

    Raises:
        BadInput: names what is missing or taken.
    """
    for suffix in format_.suffixes:
        if not re.fullmatch(r"\.[a-z0-9_+-]+", suffix) or suffix in PACKED:
            raise BadInput(f"the ending '{suffix}'", "a dot and small letters, as in .pairs")
    functions = {"reader": format_.reader, "writer": format_.writer, "sniffer": format_.sniffer}
    for name, function in (*functions.items(), *(("readers", f) for f in format_.readers.values())):
        if function:
            require_target(function, name)
    if not (format_.holds or format_.writes):
        raise BadInput("neither `holds` nor `writes`", "one of them", "it is of no use as it is")
    for said, has, needs in (
        ("holds", format_.holds, "reader"),
        ("writes", format_.writes, "writer"),
    ):
        if has and not functions[needs]:
            raise BadInput(f"`{said}` without `{needs}`", "both")
    if not (format_.suffixes or format_.folder or format_.sniffer):
        raise BadInput("no suffixes and no sniffer", "one of them", "no file would be of it")
    if format_.writes and not (format_.suffixes or format_.folder):
        raise BadInput("`writes` without suffixes", "the endings of files that are written")
    _require_known(format_)
    _require_own_endings(format_, registry)


def _require_known(format_: Format) -> None:
    # kinds that other packages add are not loaded for this: help would import torch
    kinds = (*KINDS_OF_THE_HOUSE, *map(word_of, announced(DATA_KINDS.noun)))
    for said, has, known in (("holds", format_.holds, kinds), ("writes", format_.writes, FORMS)):
        for word in has:
            if word not in known:
                raise BadInput(f"{said}={word!r}", f"of {', '.join(known)}")


def _require_own_endings(format_: Format, registry: Iterable[Format]) -> None:
    for other in registry:
        for suffix in format_.suffixes:
            if suffix in other.suffixes and not set(other.holds).isdisjoint(format_.holds):
                raise BadInput(f"the ending {suffix}, which is read as {other.name}", "another one")
            if suffix in other.suffixes and not set(other.writes).isdisjoint(format_.writes):
                raise BadInput(f"the ending {suffix}, written as {other.name}", "another one")


def is_folder(path: str | Path) -> bool:
    """Return whether a name is that of a folder: it ends in a slash, has no ending, or is a folder
    already.

    Example:
        >>> is_folder("out.v1/"), is_folder("out"), is_folder("out.png")
        (True, True, False)
    """
    return str(path).endswith(("/", os.sep)) or not Path(path).suffix or Path(path).is_dir()


def _function(named: Callable[..., Any] | str) -> Callable[..., Any]:
    if not isinstance(named, str):
        return named
    module, attribute = named.split(":")
    return getattr(importlib.import_module(module), attribute)
