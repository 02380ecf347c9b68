"""Features: what a sample metric looks at, by name and fingerprint.

Three ideas: a metric is a statement about named features, and two scores on different features are
not comparable; the fingerprint hashes everything that defines the features, so equal names cannot
hide different maps; everything fitted is fitted on the training split only, never on what is
scored.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod

import numpy as np
import torch

from pushforward.core.errors import BadInput
from pushforward.core.moments import location_and_scale
from pushforward.evaluation.checks import as_rows

DECIMALS = 9
CHUNK = 4096


class Features(ABC):
    """A map from data units to float64 rows of unit scale.

    Attributes:
        name: printed in the brackets of every score, such as `pca-32`.
        fingerprint: sha256 of everything that defines the map.
    """

    def __init__(self, name: str, *defining: np.ndarray, recipe: str = "") -> None:
        """Name the features; `recipe` is what defines them beyond their name and arrays, in words
        that are hashed, not printed."""
        self.name = name
        self.fingerprint = fingerprint(f"{name}|{recipe}" if recipe else name, *defining)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Return the features of a batch in data units as float64, shape (n, d), rounded to nine
        decimals.

        Raises:
            BadInput: no rows, or NaN or infinity in the data or in its features.
        """
        as_rows(x, "examples")
        rows = as_rows(self._map(x), f"rows of the features '{self.name}'")
        # a matrix product may differ in its last bit with the batch a row came in, yet equal data
        # must have distance zero
        return rows.round(DECIMALS)

    @abstractmethod
    def _map(self, x: np.ndarray) -> np.ndarray:
        """Compute the features of a checked batch."""


def fingerprint(name: str, *defining: np.ndarray) -> str:
    """Return the sha256 of a name and of arrays as little-endian float64, independent of any
    library's file format.

    Example:
        >>> fingerprint("a", np.zeros(2)) == fingerprint("a", np.zeros(2)) != fingerprint("a", np.zeros(3))
        True
    """
    digest = hashlib.sha256(name.encode())
    for array in defining:
        digest.update(f"|{array.shape}|".encode())
        rows = np.atleast_1d(array)
        for first in range(0, len(rows), CHUNK):  # a large training split is not copied whole
            digest.update(np.ascontiguousarray(rows[first : first + CHUNK], dtype="<f8").tobytes())
    return digest.hexdigest()


class _Shifted(Features):
    """Numbers less their training means, in units of one scale or of one each."""

    _mean: np.ndarray
    _scale: np.ndarray | float

    def _map(self, x: np.ndarray) -> np.ndarray:
        rows = as_rows(x)
        if rows.shape[1] != len(self._mean):
            raise BadInput(
                f"examples of {rows.shape[1]} numbers", f"{len(self._mean)}, as on train"
            )
        return (rows - self._mean) / self._scale


class Standardised(_Shifted):
    """The coordinates themselves, each shifted and divided by its training mean and standard
    deviation.

    A coordinate that is constant on train is only shifted.

    Example:
        >>> Standardised(np.array([[0.0, 5.0], [2.0, 5.0]]))(np.array([[1.0, 6.0]]))
        array([[0., 1.]])
    """

    def __init__(self, train: np.ndarray) -> None:
        rows = as_rows(train, "training examples", at_least=2)
        super().__init__("identity, standardised", rows)
        mean, scale = location_and_scale(torch.from_numpy(rows))
        self._mean, self._scale = mean.numpy(), scale.numpy()


class Pixels(_Shifted):
    """The numbers themselves, shifted by their training means and divided by one common scale.

    `f(x) = (x - mean) / s`, s the root-mean-square of the training standard deviations: distances
    are those of the data, in units in which a coordinate has unit variance on average.

    Example:
        >>> Pixels(np.array([[[0, 2]], [[4, 2]]]))(np.array([[[4, 2]]])).round(3)
        array([[1.414, 0.   ]])
    """

    def __init__(self, train: np.ndarray) -> None:
        rows = as_rows(train, "training examples", at_least=2)
        self._mean, self._scale = rows.mean(axis=0), float(np.sqrt(rows.var(axis=0).mean()))
        if not self._scale > 0:
            raise BadInput("training examples that are all equal", "data that varies")
        super().__init__("pixels", rows)


class PrincipalComponents(Features):
    """The K leading principal components fitted on train, on one common scale.

    `f(x) = V_K^T (x - mean) / s` with s the root-mean-square of the K training standard deviations:
    directions keep their relative importance, and a feature has unit variance on average. The map
    is defined by the training rows and K, which is what the fingerprint hashes: eigenvectors differ
    in sign and in the last bit between linear-algebra libraries.

    Args:
        train: training examples in data units.
        components: K; lowered to the rank that `train` supports.

    Example:
        >>> x = np.random.default_rng(0).integers(0, 9, size=(50, 1, 4, 4))
        >>> f = PrincipalComponents(x, 5)
        >>> f.name, f(x).shape
        ('pca-5', (50, 5))
    """

    def __init__(self, train: np.ndarray, components: int) -> None:
        rows = as_rows(train, "training examples", at_least=2)
        self._mean = rows.mean(axis=0)
        centred = rows - self._mean
        _, singular, directions = np.linalg.svd(centred, full_matrices=False)
        rank = int((singular > singular.max(initial=0.0) * 1e-10).sum())
        kept = min(components, rank)
        if kept < 1:
            raise BadInput("training examples that are all equal", "data that varies")
        super().__init__(f"pca-{kept}", rows)
        self._directions = directions[:kept].T
        self._scale = float(np.sqrt((singular[:kept] ** 2).mean() / (len(rows) - 1)))

    def _map(self, x: np.ndarray) -> np.ndarray:
        rows = as_rows(x)
        if rows.shape[1] != len(self._mean):
            raise BadInput(
                f"examples of {rows.shape[1]} numbers", f"{len(self._mean)}, as on train"
            )
        return (rows - self._mean) @ self._directions / self._scale
