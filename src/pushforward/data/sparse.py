"""Sparse matrices in `.npz` files, as `scipy.sparse.save_npz` and the package `sparse` write them.

One idea: such an archive holds the parts of one matrix and no array of examples, so it is put
together before anything is read from it; a part taken alone (the values that are not zero) would be
other data.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from pushforward.core.errors import BadInput, refusing
from pushforward.core.limits import require_bytes
from pushforward.data.source import Raw

_COMPRESSED = ("csr", "csc", "bsr")


def is_sparse(arrays: Mapping[str, np.ndarray]) -> bool:
    """Return whether arrays are the parts of a sparse matrix.

    Example:
        >>> is_sparse({"data": np.ones(2), "row": np.ones(2), "col": np.ones(2), "shape": np.ones(2)})
        True
    """
    parts = ({"indices", "indptr"}, {"row", "col"}, {"coords"}, {"offsets"})
    return {"data", "shape"} <= set(arrays) and any(part <= set(arrays) for part in parts)


def read_sparse(arrays: Mapping[str, np.ndarray], path: Path) -> Raw:
    """Return the dense matrix of sparse parts.

    Raises:
        BadInput: parts that do not fit each other, a format that is not known, or a matrix beyond
            the limit.
    """
    with refusing(f"the sparse matrix in {path}", "the parts that its format has", "it is damaged"):
        shape = tuple(int(length) for length in np.ravel(arrays["shape"]))
        data, word = arrays["data"], _format(arrays)
    claimed = float(math.prod(shape)) * data.dtype.itemsize
    what = f"the sparse {word} matrix of {' x '.join(f'{length:,}' for length in shape)} in {path}, made dense,"
    require_bytes(claimed, what, "choose fewer columns or rows")
    with refusing(f"the sparse matrix in {path}", "the parts that its format has", "it is damaged"):
        dense = _dense(arrays, word, shape)
    said = f"a sparse {word} matrix of {dense.shape} with {data.size:,} stored values, made dense"
    return Raw(dense, None, [said])


def _format(arrays: Mapping[str, np.ndarray]) -> str:
    if "format" not in arrays:
        return "coo" if "coords" in arrays or "row" in arrays else "csr"
    word = arrays["format"].item()
    return word.decode("ascii") if isinstance(word, bytes) else str(word)


def _dense(arrays: Mapping[str, np.ndarray], word: str, shape: tuple[int, ...]) -> np.ndarray:
    from scipy import sparse

    data = arrays["data"]
    if "compressed_axes" in arrays:
        raise BadInput(
            "a sparse array of the format GCXS",
            "csr, csc, bsr, coo or dia",
            "save it as COO, or dense",
        )
    if word == "coo":
        places = (
            arrays["coords"] if "coords" in arrays else np.stack([arrays["row"], arrays["col"]])
        )
        if (
            len(places) != len(shape)
            or (places < 0).any()
            or (places >= np.array(shape)[:, None]).any()
        ):
            raise ValueError(f"places outside of the shape {shape}")
        dense = np.zeros(shape, dtype=data.dtype)
        np.add.at(dense, tuple(places), data)  # values at one place are summed, as scipy does
        fill = arrays["fill_value"].item() if "fill_value" in arrays else 0
        if fill:
            empty = np.ones(shape, dtype=bool)
            empty[tuple(places)] = False
            dense[empty] = fill
        return dense
    if word == "dia":
        return sparse.dia_array((data, arrays["offsets"]), shape=shape).toarray()
    if word not in _COMPRESSED:
        raise BadInput(
            f"a sparse matrix of the format {word!r}", "csr, csc, bsr, coo or dia", "save it as csr"
        )
    kind = {"csr": sparse.csr_array, "csc": sparse.csc_array, "bsr": sparse.bsr_array}[word]
    matrix = kind((data, arrays["indices"], arrays["indptr"]), shape=shape)
    matrix.check_format(full_check=True)  # an index out of bounds would be written there
    return matrix.toarray()
