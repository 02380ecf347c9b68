"""Known damage to real data: what a bad model does, in doses.

Three ideas: a metric is worth what it can see, so held-out examples are damaged on purpose and
measured; each damage is one fault of models that has a name; a dose is the share or size of it, and
dose zero changes nothing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from scipy.ndimage import gaussian_filter

from pushforward.core.data_kind import kind_of
from pushforward.core.errors import BadInput
from pushforward.core.rng import derive_seed
from pushforward.core.space import Space
from pushforward.evaluation.checks import as_rows
from pushforward.evaluation.distances import nearest
from pushforward.evaluation.diversity.bins import bin_centres
from pushforward.evaluation.kinds.example_kind import examples_of

CLUSTERS, CLUSTERED = 10, 5000


class Damage(ABC):
    """One fault. `apply` never changes its input.

    Args:
        dose: how much of it.
    """

    fault: str

    def __init__(self, dose: float) -> None:
        if not dose >= 0:
            raise BadInput(f"a dose of {dose:g} of '{self.fault}'", "zero or more")
        self.dose = dose

    @property
    @abstractmethod
    def name(self) -> str:
        """Fault and dose in words, such as `20 % of modes dropped`."""

    @abstractmethod
    def apply(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return damaged examples of the same shape and kind."""


def _share(dose: float, fault: str) -> None:
    if dose > 1:
        raise BadInput(f"a dose of {dose:g} of '{fault}'", "a share from 0 to 1")


class DropModes(Damage):
    """Examples of some modes are replaced by examples of the others: mode collapse.

    Modes are dropped in random order, until those that are gone held at least the dose of the
    examples.

    Args:
        dose: share of examples to lose their mode.
        modes: which mode an example belongs to, from `clustered`.
    """

    fault = "dropped modes"

    def __init__(self, dose: float, modes: Modes) -> None:
        super().__init__(dose)
        _share(dose, self.fault)
        self.modes = modes

    @property
    def name(self) -> str:
        """Share and fault."""
        return f"{100 * self.dose:g} % of {self.modes.word} dropped"

    def apply(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return examples without the dropped modes."""
        mode = self.modes(x)
        names, counts = np.unique(mode, return_counts=True)
        order = rng.permutation(len(names))
        lost = np.concatenate([[0], counts[order].cumsum()[:-1]]) < self.dose * len(x)
        dropped = np.isin(mode, names[order[lost]])
        if dropped.all():
            raise BadInput(f"{self.name} of {len(names)}", "a dose that leaves one", "lower it")
        out = x.copy()
        out[dropped] = x[rng.choice(np.flatnonzero(~dropped), int(dropped.sum()))]
        return out


class Modes:
    """Which mode an example belongs to: its nearest centre.

    Args:
        centres: shape (k, d).
        word: what the modes are called.
    """

    def __init__(self, centres: np.ndarray, word: str) -> None:
        self.centres, self.word = centres, word

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Return the number of the nearest centre, shape (n,)."""
        return nearest(as_rows(x), self.centres)[0]


def clustered(train: np.ndarray, seed: int = 0, clusters: int = CLUSTERS) -> Modes:
    """Return modes as clusters of training examples.

    Example:
        >>> modes = clustered(np.array([[0.0], [0.1], [9.0], [9.1]]), clusters=2)
        >>> len(set(modes(np.array([[0.05], [9.05]])).tolist()))
        2
    """
    rows = as_rows(train, "training examples", at_least=clusters)
    # a random part, because data often lie sorted
    part = np.random.default_rng(derive_seed(seed, "clusters")).permutation(len(rows))[:CLUSTERED]
    return Modes(bin_centres(rows[part], clusters, seed), "clusters")


class Copy(Damage):
    """Some examples are replaced by training examples: memorisation.

    Args:
        dose: share of copies.
        train: training examples.
    """

    fault = "copies"

    def __init__(self, dose: float, train: np.ndarray) -> None:
        super().__init__(dose)
        _share(dose, self.fault)
        self.train = train

    @property
    def name(self) -> str:
        """Share and fault."""
        return f"{100 * self.dose:g} % copied from train"

    def apply(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return examples with copies among them."""
        out, k = x.copy(), round(self.dose * len(x))
        out[rng.permutation(len(x))[:k]] = self.train[rng.integers(0, len(self.train), size=k)]
        return out


class Blur(Damage):
    """Pictures are blurred by a Gaussian: what a squared error does.

    Args:
        dose: standard deviation in pixels.
        space: the image space.
    """

    fault = "blur"

    def __init__(self, dose: float, space: Space) -> None:
        super().__init__(dose)
        if space.levels is None:
            raise BadInput(f"a blur of {kind_of(space).examples}", "images")
        self.levels = space.levels

    @property
    def name(self) -> str:
        """Size and fault."""
        return f"blurred by {self.dose:g} pixels"

    def apply(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return blurred pictures on the same grey levels."""
        soft = gaussian_filter(x.astype(np.float64), (0, 0, self.dose, self.dose), mode="nearest")
        return np.round(soft).clip(0, self.levels - 1).astype(x.dtype)


class AddedNoise(Damage):
    """Gaussian noise is added to numbers: an unfinished sampler.

    Args:
        dose: standard deviation of the noise over that of all numbers of the training examples (of
            each column in a table).
        space: images, points or a table, of whose columns numbers are changed.
        train: training examples.
    """

    fault = "noise"

    def __init__(self, dose: float, space: Space, train: np.ndarray) -> None:
        super().__init__(dose)
        self.space = space
        rows = as_rows(train, "training examples", at_least=2)
        self.scale = examples_of(space).spread(rows)

    @property
    def name(self) -> str:
        """Size and fault."""
        return f"noise of {100 * self.dose:g} %"

    def apply(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return noisy examples on the same grid."""
        rows = as_rows(x)
        noisy = rows + self.dose * self.scale * rng.normal(size=rows.shape)
        noisy = examples_of(self.space).on_grid(self.space, rows, noisy)
        return noisy.reshape(x.shape).astype(x.dtype)


class Shuffle(Damage):
    """A share of columns is permuted over the examples, each by itself: right marginals, wrong
    joint.

    In text it is the tokens of a window that change places.

    Args:
        dose: share of columns (pixels, coordinates, places).
        space: what one example is.
    """

    fault = "shuffled columns"

    def __init__(self, dose: float, space: Space) -> None:
        super().__init__(dose)
        _share(dose, self.fault)
        self.space = space

    @property
    def name(self) -> str:
        """Share and fault."""
        return f"{100 * self.dose:g} % of {kind_of(self.space).parts} shuffled"

    def apply(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return examples whose chosen columns come from other examples."""
        rows = x.reshape(len(x), -1).copy()
        known = examples_of(self.space)
        size = max(round(self.dose * rows.shape[1]), known.fewest_shuffled * (self.dose > 0))
        known.shuffle(rows, rng.permutation(rows.shape[1])[:size], rng)
        return rows.reshape(x.shape)


def default_damages(space: Space, train: np.ndarray, seed: int = 0) -> list[Damage]:
    """Return two doses of every fault that makes sense for a space.

    Args:
        space: what one example is.
        train: training examples in data units.
        seed: seed of the clusters.
    """
    modes = clustered(train, seed)
    found: list[Damage] = [DropModes(share, modes) for share in (0.1, 0.3)]
    found += [Copy(share, train) for share in (0.1, 0.5)]
    known = examples_of(space)
    if known.neighbouring:
        found += [Blur(sigma, space) for sigma in (0.4, 0.8)]
    if known.noisy:
        found += [AddedNoise(size, space, train) for size in (0.05, 0.2)]
    return found + [Shuffle(share, space) for share in (0.1, 0.5)]


def named(damages: Sequence[Damage]) -> dict[str, Damage]:
    """Return damages by name.

    Raises:
        BadInput: one of them twice.
    """
    found = {damage.name: damage for damage in damages}
    if len(found) < len(damages):
        raise BadInput(f"{len(damages)} damages of {len(found)} names", "every damage once")
    return found
