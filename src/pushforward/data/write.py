"""Write samples to a file or a folder by its name, never half of one.

One idea: the format that a name belongs to makes the bytes; here they are packed and put in their
place.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pushforward.core.files import write_bytes
from pushforward.data.array_layout import ArrayLayout
from pushforward.data.formats.choosing import output_format
from pushforward.data.formats.format import Samples
from pushforward.data.formats.packing import pack, unpacked_name
from pushforward.data.tables.table_bytes import json_rows, rows_csv
from pushforward.data.text.text_bytes import json_texts_bytes


def write_samples(path: str | Path, samples: Samples) -> list[Path]:
    """Write samples in the format that a name says, and return the files.

    Raises:
        BadInput: an ending that such samples cannot be written under, or a folder that is not
            empty.
    """
    found, path = output_format(path, samples), Path(path)
    if found.folder:
        return found.made(samples, path)
    write_bytes(path, pack(found.made(samples, unpacked_name(path)), path))
    return [path]


def npy_bytes(samples: Samples, path: Path) -> bytes:
    """Return samples as one array."""
    buffer = io.BytesIO()
    np.save(buffer, _layout(samples).array(samples.x), allow_pickle=False)
    return buffer.getvalue()


def npz_bytes(samples: Samples, path: Path) -> bytes:
    """Return samples as the array `x`, with their classes as `labels`, or as the arrays of the
    `.npz` that their data came from."""
    buffer = io.BytesIO()
    arrays = _layout(samples).arrays(samples.x, samples.labels)
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def csv_bytes(samples: Samples, path: Path) -> bytes:
    """Return rows as their source was written, pictures as the table that held them; other arrays
    as a line of numbers each."""
    if "rows" in samples.forms:
        return rows_csv(samples)
    own = _layout(samples).csv_file(samples.x, samples.labels)
    return _csv(samples.x.numpy(), samples.labels).encode() if own is None else own


def _layout(samples: Samples) -> ArrayLayout:
    return samples.encoding.layout or ArrayLayout()


def json_lines_bytes(samples: Samples, path: Path) -> bytes:
    """Return texts, or rows, as a JSON object a line."""
    return json_texts_bytes(samples, path) if "texts" in samples.forms else json_rows(samples, path)


def _csv(values: np.ndarray, labels: Sequence[str] | None) -> str:
    flat = values.reshape(len(values), -1)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([f"x{i}" for i in range(flat.shape[1])] + ([] if labels is None else ["label"]))
    for i, row in enumerate(flat.tolist()):
        writer.writerow([repr(v) for v in row] + ([] if labels is None else [labels[i]]))
    return text.getvalue()
