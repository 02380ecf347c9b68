"""How images and points lie in the file that they came from, and how samples are laid out alike.

One idea: a model has one order of axes and numbers its classes; what a file calls its arrays or
columns, where it keeps channels, and what its labels are is remembered beside, and done again in
files of samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from pushforward.core.table import Column
from pushforward.data.images.intensities import Intensities
from pushforward.data.points import Label, PointsEncoding
from pushforward.data.tables.stored import Scalar, Stored, stored_from_json
from pushforward.data.tables.written import Dialect

Axes = Literal["first", "last", "none"]


@dataclass(frozen=True)
class ArrayLayout:
    """The names, axes and types of the arrays of a file, or the table that held pictures.

    Attributes:
        examples, labels: what the arrays are called.
        axes: where channels are; `none` where grey images have no such axis.
        dtype: of images of whole numbers; empty leaves what a model has.
        values: the value behind each class name, nothing where names are the labels.
        label_dtype: of these values.
        table: of pictures in a table the columns, as if its pixels were points.
        scale: of images that were real intensities.

    Example:
        >>> kept = ArrayLayout("images", axes="last", values=(("7", 7),), label_dtype="int16")
        >>> {name: (one.shape, str(one.dtype)) for name, one in kept.arrays(torch.zeros(1, 3, 4, 5), ["7"]).items()}
        {'images': ((1, 4, 5, 3), 'float32'), 'labels': ((1,), 'int16')}
    """

    examples: str = "x"
    labels: str = "labels"
    axes: Axes = "first"
    dtype: str = ""
    values: tuple[tuple[str, Scalar], ...] = ()
    label_dtype: str = ""
    table: PointsEncoding | None = None
    scale: Intensities | None = None

    def array(self, x: Tensor) -> np.ndarray:
        """Return examples (n, ...) with the axes and the type of the file."""
        found = x.detach().cpu().numpy()
        if found.ndim == 4 and self.axes == "last":
            found = np.ascontiguousarray(np.moveaxis(found, 1, -1))
        elif found.ndim == 4 and self.axes == "none" and found.shape[1] == 1:
            found = found[:, 0]
        if self.scale is not None and found.dtype.kind in "iu":
            return self.scale.values(found)
        if not self.dtype or found.dtype.kind not in "iu":
            return found
        cast = found.astype(self.dtype)
        # levels that were asked for may be more than the type of the file holds
        return cast if (cast == found).all() else found

    def arrays(self, x: Tensor, labels: Sequence[str] | None) -> dict[str, np.ndarray]:
        """Return the arrays of an `.npz` of samples, with the class of each as its label."""
        found = {self.examples: self.array(x)}
        if labels is not None:
            known = dict(self.values)
            own = bool(known) and all(name in known for name in labels)
            found[self.labels] = (
                np.array([known[name] for name in labels], dtype=self.label_dtype)
                if own
                else np.array(labels)
            )
        return found

    @property
    def pixels(self) -> int | None:
        """How many pixels the table that held pictures has a column for, None without a table."""
        return None if self.table is None else len(self.table.names)

    def csv_file(self, x: Tensor, labels: Sequence[str] | None) -> bytes | None:
        """Return pictures as the rows of the table that held them; None where they came from none,
        or have another number of pixels than it has columns."""
        flat = x.detach().cpu().reshape(len(x), -1)
        if self.table is None or flat.shape[1] != self.pixels:
            return None
        table, index = self.table, None
        if labels is not None and table.label is not None:
            names = [name for name, _ in table.label.values]
            table = table.with_classes(tuple(names))
            index = torch.tensor([names.index(name) for name in labels], dtype=torch.long)
        return table.csv_file(table.decode(flat, index))

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` turns back; columns that differ in their names alone are kept
        once."""
        if self.table is None:
            return {**asdict(replace(self, table=None)), "table": None}
        stored = [one for one, _ in self.table.columns]
        alike = all(replace(one, name="") == replace(stored[0], name="") for one in stored)
        label = self.table.label
        table = {
            "names": self.table.names,
            "each": [asdict(one) for one in (stored[:1] if alike else stored)],
            "label": None if label is None else asdict(label),
            "dialect": asdict(self.table.dialect),
        }
        return {**asdict(replace(self, table=None)), "table": table}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> ArrayLayout:
        """Rebuild the layout of `to_json`."""
        values = tuple((name, value) for name, value in record["values"])
        real = record.get("scale")
        scale = None if real is None else Intensities(**real)
        found, table = record["table"], None
        if found is not None:
            each = [stored_from_json(one) for one in found["each"]]
            each = each * len(found["names"]) if len(each) == 1 else each
            label = found["label"]
            table = table_of_pixels(
                [replace(one, name=name) for one, name in zip(each, found["names"], strict=True)],
                None
                if label is None
                else Label(
                    stored_from_json(label["stored"]),
                    label["place"],
                    tuple((name, value) for name, value in label["values"]),
                ),
                Dialect(**found["dialect"]),
            )
        return cls(**{**record, "values": values, "table": table, "scale": scale})


def table_of_pixels(
    columns: Sequence[Stored], label: Label | None, dialect: Dialect
) -> PointsEncoding:
    """Return the table whose columns are the pixels of a picture, whole numbers all of them."""
    pixel = [
        (one, Column(one.label, "continuous", step=1.0, low=0.0, high=255.0)) for one in columns
    ]
    return PointsEncoding(tuple(pixel), label, dialect)


def labels_of_array(y: np.ndarray, names: Sequence[str] | None) -> dict[str, Any]:
    """Return the values that class names stand for in an array of numbers or booleans, and their
    type, as fields of a layout; nothing where names are no such values.

    Example:
        >>> labels_of_array(np.array([True, False]), ["True", "False"])
        {'values': (('True', True), ('False', False)), 'label_dtype': 'bool'}
    """
    if names is None or y.dtype.kind not in "iufb" or y.size != len(names):
        return {}
    pairs = dict.fromkeys(zip(names, y.reshape(-1).tolist(), strict=True))
    return {"values": tuple(pairs), "label_dtype": str(y.dtype)}


def axes_of(source: np.ndarray, images: Tensor) -> Axes:
    """Return where an array has the channels that images (n, channels, height, width) have first.

    Example:
        >>> axes_of(np.zeros((1, 4, 5, 3)), torch.zeros(1, 3, 4, 5)), axes_of(np.zeros((1, 4, 5)), torch.zeros(1, 1, 4, 5))
        ('last', 'none')
    """
    if source.ndim < images.ndim:
        return "none"
    return "first" if source.shape == tuple(images.shape) else "last"
