"""Open data: a built-in, a file, a folder or an array becomes a split dataset.

Two ideas: reading (what is in the file) and splitting (who may train on it) are separate; a split
that the source defines is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pushforward.core.context import Context
from pushforward.core.errors import BadInput, a_type, refuses_source
from pushforward.core.given import Examples, Given
from pushforward.core.rng import generator
from pushforward.core.space import Points
from pushforward.core.spec import Config, parse
from pushforward.data.array_layout import axes_of
from pushforward.data.arrays import Wanted, as_space
from pushforward.data.asked import as_asked
from pushforward.data.builtin import builtins
from pushforward.data.classes import classes_of, spread_of
from pushforward.data.contexts import space_of
from pushforward.data.dataset import Dataset, fingerprint_of
from pushforward.data.encoding import Encoding
from pushforward.data.far_values import far_values
from pushforward.data.final import ALL, shares_of, trained_on_all
from pushforward.data.folders import counted
from pushforward.data.formats.choosing import format_of
from pushforward.data.formats.file_formats import NPZ
from pushforward.data.formats.format import ReadOptions
from pushforward.data.identity import IdentityEncoding
from pushforward.data.images.options import ImageOptions, image_options
from pushforward.data.points import PointsEncoding
from pushforward.data.points_of_tables import raw_of, raw_of_run
from pushforward.data.reader import pictures_in, read
from pushforward.data.source import Raw
from pushforward.data.split import SHARES, Rows, SplitBy, split_examples
from pushforward.data.tables.declaration import declaration_of
from pushforward.data.tables.encoding import TableEncoding
from pushforward.data.tables.protection import USUAL
from pushforward.data.tables.rules.ruleset import RulesAsked
from pushforward.data.tables.sheet import Reading, Sheet
from pushforward.data.tables.table_dataset import encoded_table, open_table, says_what, settled
from pushforward.data.text.corpus import count, is_text
from pushforward.data.text.decoding_text import read_text
from pushforward.data.text.encoding import TextEncoding
from pushforward.data.text.recognising import has_own_ending, is_literal
from pushforward.data.text.rows_of_numbers import numbers_in
from pushforward.data.text.text_dataset import open_text, open_text_of_run
from pushforward.data.toys import TOYS, toy

LEFT_OUT = "the labels are left out, as asked"
LOST_LABELS = "the labels: left out, as asked"
IDENTITY = IdentityEncoding()
FEW = 30  # training examples
TOY_SIZES = (10_000, 2_000, 5_000)


class DataOptions(Config):
    """What a user may ask of the reading of data: `open_data(source, kind="table", ...)`.

    Attributes:
        images: options for pictures (see `ImageOptions`).
        text: options for text (see `TextOptions`).
        kind: `table`, `points` or `text` where several are possible; None = points if there are
            numbers only, and none is missing.
        columns, keep, bounds: kinds of columns, identifiers to model and bounds of numbers; see
            `data.tables.schema.infer`.
        protect: rows that must hold a value of a table before samples show it.
        group: the column of a table that says what each row belongs to.
        rules: what every row of a table keeps, and its samples have to.
        discover: whether rules that all rows keep are found, and kept by samples.
        split: shares of training, validation and test examples in per cent, `90/5/5`; `all` trains
            on every one.
        header: whether the first line of a table's file names its columns; None = find out.
        context: name of the array of an `.npz` that holds what each example is about (see
            `data.contexts`).
    """

    images: Mapping[str, Any] | None = None
    text: Mapping[str, Any] | None = None
    kind: str | None = None
    columns: Mapping[str, Any] | None = None
    keep: tuple[str, ...] = ()
    bounds: str = "natural"
    protect: int = USUAL
    group: str = ""
    rules: tuple[str, ...] = ()
    discover: bool = True
    split: str = ""
    header: bool | None = None
    context: str | None = None


@refuses_source
def open_data(
    source: Any,
    *,
    seed: int = 0,
    labels: bool = True,
    skip_bad: bool = False,
    encoding: Encoding = IDENTITY,
    **options: Any,
) -> Dataset:
    """Return the dataset behind a built-in name, a path, an array, an `(array, labels)` pair, a
    DataFrame, or strings.

    Args:
        seed: of the split (and of a toy's draws).
        labels: False leaves labels out.
        skip_bad: continue past unreadable images and count them.
        encoding: that of a run, used as it is in place of one made from the data.
        options: what else is asked of the reading, by the names of `DataOptions`.

    Raises:
        BadInput: whatever cannot be used, named with its row or file.

    Example:
        >>> open_data("digits").space
        Image(channels=1, height=8, width=8, levels=17)
    """
    asked = parse(DataOptions, options, "data")
    require_place_of(asked.context, source)
    if isinstance(source, str) and source in TOYS and asked.text is None:
        if asked.split:
            raise BadInput(f"data.split={asked.split} of {source}", "a file", "toys are drawn anew")
        toys = _open_toy(source, seed)
        _require_pictures(asked.images, toys)
        return toys
    if _is_text(source, asked, encoding):
        image_options(asked.images)
        if asked.split:
            raise BadInput(
                f"data.split={asked.split} of text", "text without", "it is split by documents"
            )
        texts = source if labels else _alone(source)
        if isinstance(encoding, TextEncoding):
            found = open_text_of_run(texts, encoding, seed=seed)
        else:
            found = open_text(texts, asked.text, seed=seed, asked=asked.kind == "text")
    else:
        by = SplitBy(seed, shares_of(asked.split) or SHARES)
        found = _open_others(source, asked, by, (labels, skip_bad), encoding)
        if asked.split == ALL:
            found = trained_on_all(found)
    _require_pictures(asked.images, found)
    kept = {
        **(asked.images or {}),
        "context": asked.context,
        "kind": None if found.encoding.kind else asked.kind,
    }
    notes = (*found.notes, *_few(found))
    return replace(found, source=absolute(source, found.source), settings=_said(kept), notes=notes)


def _few(data: Dataset) -> list[str]:
    """Return what is to be said of data that are too few to learn from."""
    if len(data.train) >= FEW:
        return []
    return [
        f"{counted(len(data.train), 'training example')} and {counted(len(data.validation), 'validation example')}: what is "
        "learned from so few is little more than they are, and what is measured on them little more than a guess"
    ]


def _open_others(
    source: Any, asked: DataOptions, by: SplitBy, flags: tuple[bool, bool], encoding: Encoding
) -> Dataset:
    """Return the dataset of whatever is no text: a table, points, pictures."""
    (labels, skip_bad), images = flags, image_options(asked.images)
    by_columns = bool(asked.keep or asked.group or asked.rules) or says_what(asked.columns)
    kind = encoding.kind or ("table" if by_columns else asked.kind)
    if kind not in ("table", "points", None):
        raise BadInput(f"kind='{kind}'", "table, points or text")
    said = {name: declaration_of(name, one) for name, one in (asked.columns or {}).items()}
    reading = encoding.reading_like(Reading(said, header=asked.header))
    name, raw, origin = read(
        source, ReadOptions(kind, images, None, reading, skip_bad, asked.context)
    )
    if isinstance(raw, Sheet) and isinstance(encoding, TableEncoding):
        return encoded_table(raw, encoding, how=by)
    if isinstance(raw, Sheet) and isinstance(encoding, PointsEncoding):
        raw = raw_of_run(raw, encoding)
    if isinstance(raw, Sheet):
        sheet = settled(raw, kind, asked.columns)
        pictures = None if asked.kind else pictures_in(sheet, images, skip_bad)
        if pictures is None and not sheet.points:
            return open_table(
                sheet,
                how=by,
                columns=asked.columns,
                keep=asked.keep,
                bounds=asked.bounds,
                protect=asked.protect,
                group=asked.group,
                rules=RulesAsked(asked.rules, asked.discover),
            )
        raw = pictures or raw_of(sheet, asked.kind is None)
    return _open_arrays((name, raw, origin), by, labels, images)


def _said(asked: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in asked.items() if value is not None}


def _is_text(source: Any, asked: DataOptions, encoding: Encoding) -> bool:
    text, kind = asked.text, asked.kind
    if text is not None and kind not in (None, "text"):
        said = f"data.{next(iter(text), 'length')}, an option of text, and data.kind={kind}"
        raise BadInput(said, "one of them", "leave the other out")
    known = encoding.kind or kind
    if text is not None or known == "text":
        return True
    as_rows = (
        known is not None and _is_path(source) and format_of(Path(source), "table") is not None
    )
    found = not as_rows and is_text(source)
    if found and kind is not None:
        raise BadInput(
            f"text as {kind}",
            "a file of rows, such as a .txt or a .jsonl, or no `kind`",
            "leave it out",
        )
    if (
        found
        and not has_own_ending(source)
        and (columns := numbers_in(read_text(Path(source), replace=True).text))
    ):
        came = f"{source} holds rows of {count(columns, 'number')}, and its name does not say what they are"
        raise BadInput(
            came, "the kind of data that it is", "say -s data.kind=points, table or text"
        )
    return found


def _is_path(source: Any) -> bool:
    return isinstance(source, Path) or (isinstance(source, str) and not is_literal(source))


def _alone(source: Any) -> Any:
    """Return texts without the labels beside them."""
    return source[0] if isinstance(source, tuple) else source


def absolute(source: Any, otherwise: str) -> str:
    """Return where a file or a folder lies, so that a run finds it from anywhere; `otherwise` for
    what is neither.

    Example:
        >>> absolute("digits", "digits")
        'digits'
    """
    if not isinstance(source, str | Path) or source in {name for name, _ in builtins()}:
        return otherwise
    try:
        return str(Path(source).absolute()) if Path(source).exists() else otherwise
    except (OSError, ValueError):  # a text is no path
        return otherwise


def _open_arrays(
    source: tuple[str, Raw, str], by: SplitBy, labels: bool, options: ImageOptions
) -> Dataset:
    name, raw, origin = source
    names = tuple(raw.encoding.names)
    found = as_space(raw.x, origin, Wanted(options.levels, raw.white, names=names, held=raw.held))
    axes = axes_of(raw.x, found.x)
    if raw.white is None and found.space.levels is not None:
        found = as_asked(found, options)
    layout = raw.encoding.layout
    x, notes, lost = found.x, [*raw.notes, *found.notes], [*raw.lost, *found.lost]
    if not raw.encoding.rounds and found.space.levels is None and raw.x.dtype.kind in "biu":
        lost.append(
            "that the numbers are whole: samples are not rounded (opened as a table, they are)"
        )
    if layout is not None and layout.pixels not in (None, found.x[0].numel()):
        lost.append("the names of the columns of pixels: pictures of another size have others")
    if not labels and raw.labels is not None:
        notes.append(LEFT_OUT)
        lost.append(LOST_LABELS)
        raw.labels = None
    classes, index, roles = classes_of(raw, origin, notes, lost)
    levels = found.space.levels
    try:
        split = split_examples(x.numpy(), index, by.seed, roles, levels, by.shares)
    except BadInput as error:
        raise (
            BadInput(error.came, error.expected, f"{error.fix}, {raw.more}") if raw.more else error
        ) from None
    notes += spread_of(classes, index, split.rows)
    parts = [_examples(x, index, r, raw.context) for r in split.rows]
    notes.append(f"split {split.how}: {_sizes(split.rows)}")
    if levels is None:  # points
        notes += far_values(x.double().numpy(), split.rows[0], names)
    return Dataset(
        name,
        found.space,
        parts[0],
        parts[1],
        parts[2],
        classes,
        tuple(notes),
        origin,
        fingerprint_of(parts, classes),
        None,
        raw.skipped,
        context=None if raw.context is None else space_of(raw.context),
        lost=tuple(lost),
        encoding=raw.encoding.with_classes(classes).with_scale(found.scale).with_axes(axes),
    )


def _open_toy(name: str, seed: int) -> Dataset:
    density = toy(name)
    parts = []
    for split, n in zip(("train", "validation", "test"), TOY_SIZES, strict=True):
        parts.append(Examples(density.sample(n, generator(seed, name, split)).float()))
    notes = (f"drawn from the exact density with seed {seed}",)
    train, validation, test = parts
    return Dataset(
        name,
        Points(2),
        train,
        validation,
        test,
        (),
        notes,
        name,
        fingerprint_of(parts, ()),
        density,
    )


def _require_pictures(images: Mapping[str, Any] | None, found: Dataset) -> None:
    for key in images or {}:
        if found.space.levels is None:
            raise BadInput(
                f"'data.{key}' for {found.name}, which is {found.space.kind}",
                "pictures",
                "leave it out",
            )


def require_place_of(context: str | None, source: Any) -> None:
    """Refuse a named context of a source that holds no named arrays."""
    named = isinstance(source, str | Path)
    if context is not None and not (named and NPZ.is_named(Path(source))):
        came = f"a context '{context}' of {source if named else a_type(source)}"
        raise BadInput(came, "an .npz with an array of that name", "leave it out")


def _sizes(rows: Rows) -> str:
    return f"{len(rows[0])} training, {len(rows[1])} validation and {len(rows[2])} test examples"


def _examples(
    x: Tensor, index: np.ndarray | None, rows: np.ndarray, context: Context | None
) -> Examples:
    chosen = torch.from_numpy(rows)
    if index is None and context is None:
        return Examples(x[chosen])
    label = None if index is None else torch.from_numpy(index)[chosen]
    return Examples(x[chosen], Given(label, context=None if context is None else context[chosen]))
