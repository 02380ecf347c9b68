"""Everything in a source as one set in a given space, such as that of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pushforward.core.errors import BadInput, refuses_source
from pushforward.core.given import Examples, Given
from pushforward.core.space import Image, Space
from pushforward.data.arrays import Wanted, as_space
from pushforward.data.asked import as_asked
from pushforward.data.builtin import builtins
from pushforward.data.formats.format import ReadOptions
from pushforward.data.images.intensities import Intensities
from pushforward.data.images.options import ImageOptions, image_options
from pushforward.data.images.picture import like
from pushforward.data.open import open_data, require_place_of
from pushforward.data.points_of_tables import raw_of
from pushforward.data.reader import pictures_in, read
from pushforward.data.source import Raw
from pushforward.data.tables.sheet import Sheet


@refuses_source
def open_like(
    source: Any,
    space: Space,
    classes: tuple[str, ...],
    *,
    labels: bool | None = True,
    skip_bad: bool = False,
    context: str | None = None,
    images: Mapping[str, Any] | None = None,
    scale: Intensities | None = None,
) -> Examples:
    """Return everything in a source as one set in a given space; a built-in gives its test split.

    Args:
        source: a built-in name, a path, an array or an `(array, labels)` pair.
        space: the space it must have.
        classes: names that labels may have.
        labels: whether labels are read; None reads those that there are.
        skip_bad: continue past unreadable images.
        context: name of the array of an `.npz` that holds what each example is about.
        images: options for pictures, as the run was given them.
        scale: of real intensities, as the run read them; None = what they look like.

    Raises:
        BadInput: another space, or labels that `classes` does not have.
    """
    require_place_of(context, source)
    if isinstance(source, str) and source in {name for name, _ in builtins()}:
        data = open_data(source, labels=labels is not False and bool(classes), images=images)
        if data.space != space:
            raise BadInput(f"'{source}' is {data.space}", str(space))
        return data.test
    options = _like(image_options(images), space)
    _, raw, origin = read(source, ReadOptions(images=options, skip_bad=skip_bad, context=context))
    if isinstance(raw, Sheet):
        raw = pictures_in(raw, options, skip_bad) or raw_of(raw, pictured=True, varied=False)
    if isinstance(space, Image):
        raw.x = _unrolled(raw.x if raw.white is None else like(raw.x, space.channels), space)
    exact = options.levels is None
    known = as_space(
        raw.x, origin, Wanted(space.levels, raw.white, varied=False, exact=exact, scale=scale)
    )
    if raw.white is None and known.space.levels is not None:
        known = as_asked(known, image_options(images))
    x, found = known.x, known.space
    if found != space:
        raise BadInput(f"{origin} is {found}", str(space), "bring data of the same space")
    return _with_labels(raw, x, classes, labels, origin)


def _with_labels(
    raw: Raw, x: Tensor, classes: tuple[str, ...], labels: bool | None, origin: str
) -> Examples:
    """Return examples of a source with the labels it has, among those of a run."""
    if (
        raw.labels is None
        and (named := next((one for one in raw.only if one in classes), None)) is not None
    ):
        # one folder tells no classes apart, but names one that the run has
        raw.labels = [named] * len(x)
    if labels is None:
        labels = raw.labels is not None
    if not (labels and classes):
        return Examples(x, None if raw.context is None else Given(context=raw.context))
    if raw.labels is None:
        other = (
            f", and none of its folders ({'/'.join(raw.only)}) is called like one"
            if raw.only
            else ""
        )
        fix = f"this run was trained with labels{other}"
        raise BadInput(f"{origin} has no labels", f"labels among {', '.join(classes)}", fix)
    unknown = sorted(set(raw.labels) - set(classes))
    if unknown:
        raise BadInput(
            f"unknown labels {', '.join(unknown[:5])} in {origin}", "among " + ", ".join(classes)
        )
    return Examples(
        x, Given(torch.tensor([classes.index(n) for n in raw.labels]), context=raw.context)
    )


def _unrolled(x: np.ndarray, space: Image) -> np.ndarray:
    """Return rows of all values of a picture, as samples are written to a table, as pictures; other
    arrays as they are."""
    rows = x.ndim == 2 or (
        x.ndim == 3 and space.channels > 1
    )  # a square of columns was taken for grey pictures
    shape = (space.channels, space.height, space.width)
    return x.reshape(len(x), *shape) if rows and len(x) and x[0].size == space.dimensions else x


def _like(options: ImageOptions, space: Space) -> ImageOptions:
    """Return options that read pictures as a space has them: grey or colour, with alpha or
    without."""
    if not isinstance(space, Image):
        return options
    return options.model_copy(
        update={
            "alpha": "keep"
            if space.channels in (2, 4)
            else options.alpha
            if options.alpha != "keep"
            else "white",
            "channels": options.channels or ("colour" if space.channels in (3, 4) else None),
        }
    )
