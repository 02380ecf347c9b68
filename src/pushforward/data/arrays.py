"""From an array to a space: images or points, which axis is the channel, how many levels.

One idea: every decision is returned as a sentence with its reason, and nothing is rescaled, clamped
or dropped unless it was asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from pushforward.core.errors import BadInput
from pushforward.core.limits import LARGEST_NUMBER
from pushforward.core.moments import location_and_scale
from pushforward.core.space import Image, Points, Space
from pushforward.data.finite import require_finite
from pushforward.data.folders import counted, few
from pushforward.data.groups import group_note
from pushforward.data.images.intensities import (
    BYTE,
    Intensities,
    Levels,
    read_alike,
    rounded,
    taken_back,
)
from pushforward.data.images.levels import (
    SMALL,
    first_odd,
    levels_of_array,
    levels_of_pictures,
    scaled,
    shown,
    to_levels,
)

CHANNELS = (1, 3, 2, 4)
NEAR = 1e-5
MOST_COLUMNS = 256
FEWEST_WHOLE = 20  # fewer rows may be whole by accident


@dataclass(frozen=True)
class Wanted:
    """What is asked of examples.

    Attributes:
        levels: number of levels of pixels, None = inferred.
        white: what white is in picture files, None for arrays.
        varied: whether examples must differ, as those to learn from must; samples of a collapsed
            model need not.
        scale: of real intensities, None = what they look like.
        held: whether pictures were held by a program, so that few levels may be meant as those of
            an array are.
        exact: whether pixels that are none of `levels` are refused; else pictures are scaled to
            them.
        names: what the columns of points are called, empty if they have no names.
    """

    levels: int | None = None
    white: int | None = None
    varied: bool = True
    exact: bool = False
    scale: Intensities | None = None
    held: bool = False
    names: tuple[str, ...] = ()


@dataclass
class OpenedArray:
    """Examples in data units, their space, the reasons, what is lost, and what levels were as real
    intensities."""

    x: Tensor
    space: Space
    notes: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    scale: Intensities | None = None


def checked(x: np.ndarray, where: str, few: bool = False) -> np.ndarray:
    """Return `x` if it holds real numbers.

    Raises:
        BadInput: object, string, complex or empty arrays, or one example alone unless a `few` will
            do.
    """
    if x.dtype == object:
        raise BadInput(
            f"{where} holds Python objects",
            "a numeric array",
            "convert it with numpy.asarray(..., dtype=float)",
        )
    if x.dtype.names is not None:
        fix = "open them as a table: `-s data.kind=table`"
        raise BadInput(
            f"{where} holds records with the fields {', '.join(x.dtype.names[:5])}",
            "numbers of one type",
            fix,
        )
    if x.dtype.kind not in "buif":
        raise BadInput(
            f"{where} has dtype {x.dtype}", "integers or floating-point numbers", "convert it first"
        )
    needed = "examples" if few else "at least five examples"
    if x.ndim == 0:
        raise BadInput(f"{where} is a single number ({x.item()!r})", needed)
    if x.size == 0:
        raise BadInput(f"{where} is empty", needed)
    if len(x) == 1 and not few:
        raise BadInput(
            f"{where} holds one example", "at least five distinct examples", "bring more data"
        )
    return x


def as_space(x: np.ndarray, where: str, wanted: Wanted | None = None) -> OpenedArray:
    """Return the tensor in data units, its space and the reasons.

    Raises:
        BadInput: NaN or infinity (rows named), constant columns, shapes that are neither images nor
            points.
    """
    wanted = wanted or Wanted()
    x = checked(x, where, few=not wanted.varied)
    if x.ndim >= 3 and wanted.white is None:
        x, real = _as_levels(x, wanted, where)
        if real is not None:
            found = _images(x, where, replace(wanted, levels=real.scale.steps + 1))
            lost = [*found.lost, *([real.lost] if real.lost else [])]
            return replace(found, notes=[*found.notes, real.note], lost=lost, scale=real.scale)
    if x.ndim == 2 or (x.ndim == 1 and x.dtype.kind in "fui"):
        return _points(x, where, wanted)
    if x.ndim in (3, 4) and x.dtype.kind in "bui":
        return _images(x, where, wanted)
    if x.ndim in (3, 4):
        require_finite(
            x,
            where,
            "pixels",
            "fill or repair them first, such as with numpy.nan_to_num, or drop those pictures",
        )
        low, high = float(np.min(x)), float(np.max(x))
        if low == high and wanted.varied:
            raise BadInput(f"every pixel of {where} equals {low:.4g}", "images that vary")
        raise BadInput(
            f"{where} holds real numbers of shape {x.shape} from {low:.4g} to {high:.4g}",
            "grey levels for images (whole numbers, or 255ths of white), or two dimensions for points",
            f"-s data.levels={BYTE} rounds them to that many levels, and samples are written as such numbers"
            if wanted.varied
            else "bring levels as the run was trained on",
        )
    raise BadInput(
        f"{where} has shape {x.shape}",
        "(n, columns), (n, height, width) or (n, height, width, channels)",
    )


def _as_levels(x: np.ndarray, wanted: Wanted, where: str) -> tuple[np.ndarray, Levels | None]:
    """Return real intensities as the levels that they are or are asked to be, and what was decided;
    whole numbers as integers, anything else as it is."""
    if wanted.scale is not None and x.dtype.kind == "f" and bool(np.isfinite(x).all()) and x.size:
        return read_alike(x, wanted.scale, where), None
    found = taken_back(x, wanted.levels)
    fit = x.dtype.kind == "f" and bool(np.isfinite(x).all()) and x.min() >= 0
    if found is None and fit and bool((x == np.round(x)).all()):
        return x.astype(np.int64), None
    if found is None and wanted.levels is not None and wanted.varied and not wanted.exact:
        found = rounded(x, wanted.levels)
    return (x, None) if found is None else (found.x, found)


def _points(x: np.ndarray, where: str, wanted: Wanted) -> OpenedArray:
    if wanted.levels is not None and wanted.varied:
        raise BadInput(
            f"data.levels={wanted.levels} for points in {where}", "images", "leave it out"
        )
    dimensions = "two dimensions" if x.ndim == 2 else "one dimension"
    x = x.reshape(len(x), -1)
    values = x.astype(np.float64)
    _require_finite(values, where)
    largest = np.abs(values).max(axis=0)
    if (largest > LARGEST_NUMBER).any():
        column = int(largest.argmax())
        came = f"column {column} of {where} reaches {largest[column]:.3g}"
        raise BadInput(
            came,
            f"at most {LARGEST_NUMBER:g}: sums and squares beyond overflow",
            "divide it by a power of ten",
        )
    constant = np.flatnonzero(np.ptp(values, axis=0) <= 4 * np.finfo(np.float64).eps * largest)
    if len(constant) and wanted.varied:
        shown = ", ".join(map(str, constant[:10]))
        raise BadInput(
            f"constant columns in {where} (columns {shown}, counted from 0)",
            "columns that vary",
            "drop them: a constant has no density",
        )
    with np.errstate(over="ignore"):
        single = values.astype(np.float32)
    # far from zero, steps of single precision are large beside what the numbers differ by
    near = largest * 2.0**-23 <= NEAR * location_and_scale(torch.from_numpy(values))[1].numpy()
    exact = bool((single.astype(np.float64) == values).all()) and bool(near.all())
    kept = (
        "single precision, which is exact"
        if exact
        else "double precision until they are centred and scaled"
    )
    found = OpenedArray(torch.from_numpy(single if exact else values), Points(int(x.shape[1])))
    found.notes.append(
        f"{dimensions}, so {counted(x.shape[1], 'real column')} per point (kept in {kept})"
    )
    if wanted.varied:
        _remark(values, found, wanted.names)
    return found


def _require_finite(values: np.ndarray, where: str) -> None:
    bad = np.flatnonzero(~np.isfinite(values).all(axis=1))
    if len(bad):
        shown = ", ".join(map(str, bad[:10])) + (", ..." if len(bad) > 10 else "")
        raise BadInput(
            f"NaN or infinity in {len(bad)} rows of {where} (rows {shown}, counted from 0)",
            "finite numbers",
            "repair or drop them",
        )


def _counted(values: np.ndarray) -> np.ndarray:
    """Return which columns hold whole numbers that could have been others: not so large, nor so
    coarse, that any would be whole."""
    largest = np.abs(values).max(axis=0)
    with np.errstate(over="ignore"):
        single = (values.astype(np.float32) == values).all(axis=0)
    # beyond this every double (or single) is whole, and numbers of few digits such as 6.61e12 are
    # so by their spelling
    reach = np.where(single & (largest >= 2.0**31), 2.0**24, 2.0**53)
    spelled = (largest >= 1e9) & (np.fmod(values, 1000.0) == 0.0).all(axis=0)
    return (
        (values == np.round(values)).all(axis=0)
        & (largest < reach)
        & ~spelled
        & (len(values) >= FEWEST_WHOLE)
    )


def _remark(values: np.ndarray, found: OpenedArray, names: Sequence[str]) -> None:
    """Say what of points has no density, and what single precision does not tell apart even around
    their mean."""
    called = names or tuple(map(str, range(values.shape[1])))
    whole = np.flatnonzero(_counted(values))
    if len(whole):
        shown = few([called[column] for column in whole.tolist()]) + (
            "" if names else " (counted from 0)"
        )
        some = f"column {shown} holds" if len(whole) == 1 else f"columns {shown} hold"
        which = "all columns hold" if len(whole) == values.shape[1] > 1 else some
        found.notes.append(
            f"{which} whole numbers only: they have probabilities and no density, so an exact density of them grows without bound "
            "as a model narrows its spikes; as a table (-s data.kind=table) they are counted"
        )
    mean, scale = location_and_scale(torch.from_numpy(values))
    standard = (values - mean.numpy()) / scale.numpy()
    named = np.where((values == np.round(values)).all(axis=0), values, standard)
    found.notes += [note] if (note := group_note(named)) is not None else []
    coded = standard.astype(np.float32)
    for column in range(min(values.shape[1], MOST_COLUMNS)):
        before, after = len(np.unique(values[:, column])), len(np.unique(coded[:, column]))
        if after < before:
            found.lost.append(
                f"precision: column {called[column]} has {before:,} different values, of which {after:,} differ in single "
                "precision around their mean"
            )


def _images(x: np.ndarray, where: str, wanted: Wanted) -> OpenedArray:
    x, notes = _channels_first(x, where, wanted.white is not None)
    if wanted.white is None and x.shape[1] in (2, 4):
        of = "grey" if x.shape[1] == 2 else "colour"
        notes.append(
            f"{x.shape[1]} channels, so {of} with alpha, which stays a channel (-s data.alpha=white shows it on white)"
        )
    if x.dtype != bool and int(x.min()) < 0:
        raise BadInput(
            f"{where} holds negative pixels (down to {int(x.min())})", "levels from 0", "shift them"
        )
    top = int(x.max())
    if top == int(x.min()) and wanted.varied:
        raise BadInput(f"every pixel of {where} equals {top}", "images that vary")
    lost: list[str] = []
    if wanted.white is not None:
        x, levels = _spread(x, where, wanted, wanted.white, notes, lost)
    elif wanted.levels is None:
        levels, why = levels_of_array(x)
        notes.append(why)
    elif top >= wanted.levels:
        fix = (
            "raise levels" if wanted.varied else "those that the run was trained on have no others"
        )
        raise BadInput(
            f"{where} holds the value {top}", f"values below levels={wanted.levels}", fix
        )
    else:
        levels = wanted.levels
    if levels > 65536:
        raise BadInput(
            f"{where} holds pixels up to {top:,}",
            "at most 65,536 levels",
            "scale or shift them first",
        )
    dtype = np.uint8 if levels <= 256 else np.int64
    tensor = torch.from_numpy(np.ascontiguousarray(x.astype(dtype)))
    return OpenedArray(tensor, Image(*map(int, x.shape[1:]), levels=levels), notes, lost)


def _channels_first(x: np.ndarray, where: str, last: bool) -> tuple[np.ndarray, list[str]]:
    """Return images as (n, channels, height, width), and why; `last` says that channels come
    last."""
    if last:
        return np.moveaxis(x, -1, 1), []
    if x.ndim == 3:
        shape = f"{x.shape[2]} x {x.shape[1]}"  # width first, as everywhere
        return x[:, None], [f"three dimensions, so grey images of {shape} pixels"]
    for pair in (CHANNELS[:2], CHANNELS[2:]):
        if x.shape[-1] in pair and x.shape[1] not in pair:
            return np.moveaxis(x, -1, 1), [
                f"the last axis has length {x.shape[-1]}, so it is the channel axis"
            ]
        if x.shape[1] in pair:
            return x, [f"the second axis has length {x.shape[1]}, so it is the channel axis"]
    came = f"{where} has shape {x.shape}"
    raise BadInput(
        came,
        "one or three channels (two or four with alpha), first or last",
        "choose the channels to keep",
    )


def _spread(
    x: np.ndarray, where: str, wanted: Wanted, white: int, notes: list[str], lost: list[str]
) -> tuple[np.ndarray, int]:
    """Return pixels of picture files as levels."""
    values = np.flatnonzero(np.bincount(x.ravel(), minlength=white + 1))
    if wanted.levels is None:
        levels, found, why = levels_of_pictures(values, white)
        if wanted.held and levels == white + 1 and values.max() < SMALL:
            levels, why = levels_of_array(values)  # a picture made of an array of levels
        notes += [why] if why else []
    else:
        levels, found = wanted.levels, to_levels(values, wanted.levels, white)
        if found is None and wanted.exact:
            raise no_level(values, levels, white, where)
        if found is None:
            found = scaled(values, levels, white)
            notes.append(
                f"{len(values):,} different pixel values scaled to the nearest of {levels:,} levels, as asked"
            )
            lost.append(
                f"precision: {len(values):,} different pixel values became {len(np.unique(found)):,}"
            )
    table = np.zeros(white + 1, dtype=np.int64)
    table[values] = found
    return table[x], levels


def no_level(values: np.ndarray, levels: int, white: int, where: str) -> BadInput:
    """Return the refusal of a picture whose values are not those that a run's levels have in a
    file."""
    few = ", ".join(map(str, shown(min(levels, white + 1), white)[:3]))
    came = f"the grey {first_odd(values, levels, white)} in {where}"
    return BadInput(
        came,
        f"one of the {levels} greys of the run ({few}, ...)",
        "an .npy holds levels as they are",
    )
