"""Open a table: decide whether its rows are points, infer its schema, encode and split it.

One idea: numbers alone, without gaps, are points; anything else in rows and columns is a table, and
the notes say why.
"""

from __future__ import annotations

import json
import lzma
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from importlib import resources

import numpy as np
import torch
from torch import Tensor

from pushforward.core.errors import BadInput
from pushforward.core.given import Examples
from pushforward.data.dataset import Dataset, fingerprint_of
from pushforward.data.folders import few
from pushforward.data.pixels import label_place, pixels_of
from pushforward.data.repeats import groups_of, rows_repeat
from pushforward.data.split import SplitBy, split_rows
from pushforward.data.tables.charsets import decode
from pushforward.data.tables.circular import note_of_points
from pushforward.data.tables.declaration import declaration_of
from pushforward.data.tables.delimited import read_text
from pushforward.data.tables.encoding import TableEncoding
from pushforward.data.tables.entities import entity_note
from pushforward.data.tables.protection import USUAL as PROTECT
from pushforward.data.tables.rules.ruleset import RulesAsked
from pushforward.data.tables.schema import Declared, infer
from pushforward.data.tables.sheet import GIVEN, Sheet, require_labels

BUILTIN = "adult-mini"
RULES = RulesAsked()
USUAL_SPLIT = SplitBy()


def settled(
    sheet: Sheet,
    kind: str | None,
    columns: Mapping[str, Declared] | None = None,
) -> Sheet:
    """Return a table as it is to be opened, which a note says why; `points` is set where it is
    opened as points.

    Args:
        kind: `table` or `points` decide where both are possible; None decides by the columns.
        columns: declared kinds and readings; categorical and ordinal columns are read as text.

    Raises:
        BadInput: a declaration of a column that is not there.
    """
    asked = {name: declaration_of(name, said) for name, said in (columns or {}).items()}
    require_labels(list(asked), list(map(str, sheet.frame.columns)))
    dropped = tuple(name for name, own in asked.items() if own.kind == "drop")
    sheet = replace(sheet, dropped=dropped)
    if kind == "points":
        return replace(sheet, points=True)
    if kind == "table":
        return replace(sheet, notes=(*sheet.notes, "a table, as asked"))
    why = None if pixels_of(sheet) is not None else _why(sheet)
    if why is not None:
        return replace(sheet, notes=(*sheet.notes, f"{why}, so a table"))
    numbers = [
        (str(name), series.to_numpy(dtype=np.float64))
        for name, series in sheet.frame.items()
        if series.dtype.kind in "iuf"
    ]
    note = note_of_points(numbers) if pixels_of(sheet) is None else None
    return replace(sheet, points=True, notes=(*sheet.notes, *([note] if note else [])))


def says_what(columns: Mapping[str, Declared] | None) -> bool:
    """Return whether declarations say what columns are, as only a table's columns are; not how they
    are read, or that they go."""
    return any(declaration_of(name, said).says_what for name, said in (columns or {}).items())


def _why(sheet: Sheet) -> str | None:
    """Return the reason why columns are no points, None if they are."""
    csv = sheet.lines is not None
    if not csv and sheet.origin != GIVEN:
        return "its file keeps a type for every column"
    label = label_place(sheet.frame) if csv else None
    for place, (name, series) in enumerate(sheet.frame.items()):
        if place == label or str(name) in sheet.dropped:
            continue
        number = (
            series.dtype.kind in "iuf"
            if csv
            else series.dtype == np.float64 or series.dtype == np.float32
        )
        if not number:
            return f"column '{name}' holds {series.dtype}"
        if bool(series.isna().any()):
            return f"column '{name}' has missing values"
    return None


def builtin_table() -> Sheet:
    """Return the table that comes with the package."""
    raw = resources.files("pushforward.data.tables").joinpath(f"{BUILTIN}.csv.xz").read_bytes()
    sheet = read_text(decode(lzma.decompress(raw), BUILTIN), BUILTIN, BUILTIN)
    credit = "a stratified sample of 6,000 rows of UCI Adult (Becker & Kohavi 1996, CC BY 4.0)"
    return replace(sheet, notes=(credit, *sheet.notes))


def open_table(
    sheet: Sheet,
    *,
    how: SplitBy = USUAL_SPLIT,
    columns: Mapping[str, Declared] | None = None,
    keep: Collection[str] = (),
    bounds: str = "natural",
    protect: int = PROTECT,
    group: str = "",
    rules: RulesAsked = RULES,
) -> Dataset:
    """Return the dataset of a table; see `infer` for `columns`, `keep` and `bounds`.

    Args:
        how: by which seed and in which shares rows are split.
        protect: samples show no category and no extreme number that fewer rows hold, or groups of
            them; 0 = all.
        group: the column that says what rows belong to: groups are split as wholes, are measured as
            one case each, and count once.

        rules: what samples keep.

    The schema describes all rows, so that each split can be encoded; whatever a model learns it
    learns from the training rows.

    Raises:
        BadInput: whatever cannot be used, named with its column and row.

    Example:
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"x": [i % 7 for i in range(50)], "y": ["a", "b"] * 25})
        >>> open_table(Sheet(frame, "t", "t")).space.measure
        'counting'
    """
    group, columns = _grouped(group, columns or {})
    schema = infer(sheet.frame, columns, keep, bounds, sheet.written, sheet.lines)
    encoding = replace(TableEncoding.of_schema(schema, sheet.dialect), group=group)
    x = encoding.encode(sheet.frame, sheet.lines)
    encoding, hidden = encoding.protected(x, protect, encoding.cases_of(sheet.frame))
    encoding, ruled = encoding.with_rules(rules, x, sheet.lines)
    notes = (*schema.notes, *_protected(hidden, protect), *ruled)
    return replace(
        _dataset(sheet, encoding, x, (notes, schema.lost), how), findings=schema.findings
    )


def _grouped(group: str, columns: Mapping[str, Declared]) -> tuple[str, Mapping[str, Declared]]:
    """Return the column that says what rows belong to, and all declarations, that of it among them.

    Raises:
        BadInput: two such columns.
    """
    said = {name: declaration_of(name, one) for name, one in columns.items()}
    named = [name for name, own in said.items() if own.kind == "group" and name != group]
    if len(named) + bool(group) > 1:
        raise BadInput(
            f"columns '{group or named[-2]}' and '{named[-1]}' by which rows are grouped",
            "one of them",
            "the other may be a `key` or `categorical`",
        )
    group = group or "".join(named)
    own = said.get(group)
    if not group or (own is not None and own.kind == "group"):
        return group, columns
    return group, {**columns, group: "group" if own is None else replace(own, kind="group")}


def _protected(hidden: Sequence[str], k: int) -> tuple[str, ...]:
    if k == 0:
        return (
            "data.protect=0, so samples may repeat what a single person has: share them with nobody",
        )
    if not hidden:
        return ()
    return (
        f"samples do not show {few(hidden)} (-s data.protect sets another number of rows, 0 shows everything)",
    )


def encoded_table(
    sheet: Sheet,
    encoding: TableEncoding,
    notes: Sequence[str] = ("the schema of the run",),
    lost: Sequence[str] = (),
    how: SplitBy = USUAL_SPLIT,
) -> Dataset:
    """Return the dataset of a table whose schema is known, such as that of a run.

    Args:
        how: by which seed and in which shares rows are split.
        notes: where the schema comes from.
        lost: what of the table is not in it.

    Raises:
        BadInput: whatever does not fit the schema, named with its column and row.
    """
    return _dataset(sheet, encoding, encoding.encode(sheet.frame, sheet.lines), (notes, lost), how)


def _dataset(
    sheet: Sheet,
    encoding: TableEncoding,
    x: Tensor,
    said: tuple[Sequence[str], Sequence[str]],
    by: SplitBy,
) -> Dataset:
    """Return the dataset of rows that were encoded; `said` are its notes and what is lost."""
    notes, lost = said
    cases = encoding.cases_of(sheet.frame)
    rows, duplicates = _split(x, by) if cases is None else _split_groups(cases, encoding.group, by)
    parts = [Examples(x, cases=cases)[torch.from_numpy(r)] for r in rows]
    asked = entity_note(encoding.table, x) if cases is None else None
    how = f"split {by}, {duplicates}"
    sizes = f"{len(rows[0])} training, {len(rows[1])} validation and {len(rows[2])} test examples"
    return Dataset(
        sheet.name,
        encoding.table,
        parts[0],
        parts[1],
        parts[2],
        notes=(*sheet.notes, *notes, f"{how}: {sizes}", *([] if asked is None else [asked])),
        source=sheet.origin,
        fingerprint=fingerprint_of(parts, (json.dumps(encoding.table.to_json()),)),
        encoding=encoding,
        lost=(*sheet.lost, *lost),
    )


def _split_groups(
    cases: Tensor, group: str, by: SplitBy
) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray], str]:
    said = f"by '{group}': the rows of each of {len(cases.unique()):,} groups kept together"
    return split_rows(cases.numpy()[:, None], None, by.seed, by.shares), said


def _split(x: Tensor, by: SplitBy) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray], str]:
    # NaN equals nothing, but two rows that lack the same values are duplicates
    comparable = np.where(np.isnan(x.numpy()), -np.inf, x.numpy())
    if not rows_repeat(comparable):
        return split_rows(comparable, None, by.seed, by.shares), "duplicates kept together"
    # equal rows are different cases, and keeping them together would hide whole cells of the table
    distinct = int(groups_of(comparable).max()) + 1
    said = f"row by row, because repeats are natural here ({len(x):,} rows, {distinct:,} different ones)"
    return split_rows(np.arange(len(x))[:, None], None, by.seed, by.shares), said
