"""What is kept of a role's examples: bounded, mergeable, and the same whatever the order they came
in.

Three ideas: moments in 20 blocks, so that a smooth functional of them has a jackknife; the rows
whose hashed identities are smallest, which is a uniform sample without replacement that any number
of workers draw alike; the hash of every row's content, eight bytes each, which is all that exact
duplicates need.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from pushforward.core.errors import BadInput
from pushforward.evaluation.measuring.batch import NO_LABEL, Batch, hashed
from pushforward.evaluation.measuring.moments import Moments

BLOCKS = 20
BLOCKED, KEPT = 0, 1  # salts: which rows are kept must not depend on the blocks they are in


class Summary(ABC):
    """Something bounded that remembers examples; `merge` is associative and commutative."""

    @abstractmethod
    def add(self, batch: Batch, rows: np.ndarray) -> Self:
        """Return the summary of these examples too; `rows` (n, d) is what this summary's view makes
        of `batch`."""

    @abstractmethod
    def merge(self, other: Self) -> Self:
        """Return the summary of both."""

    @abstractmethod
    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return what `from_arrays` needs, as arrays that numpy stores without pickling."""

    @classmethod
    @abstractmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """Rebuild a summary from `to_arrays`."""


@dataclass(frozen=True)
class BlockedMoments(Summary):
    """Moments in blocks by hashed identity; a block that nothing fell into is None.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(200, 3))
        >>> bool(np.allclose(BlockedMoments().add(Batch.of(x), x).whole.mean, x.mean(axis=0)))
        True
    """

    blocks: tuple[Moments | None, ...] = (None,) * BLOCKS

    @property
    def whole(self) -> Moments:
        """Moments of all rows.

        Raises:
            BadInput: no rows at all.
        """
        found: Moments | None = None
        for block in self.blocks:
            found = _both(found, block)
        if found is None:
            raise BadInput("no rows", "at least one")
        return found

    def add(self, batch: Batch, rows: np.ndarray) -> BlockedMoments:
        """Return the moments of these rows too, each in the block of its identity."""
        place = hashed(batch.ids, BLOCKED) % np.uint64(len(self.blocks))
        parts = [rows[place == np.uint64(k)] for k in range(len(self.blocks))]
        news = [Moments.of(part) if len(part) else None for part in parts]
        return BlockedMoments(tuple(_both(a, b) for a, b in zip(self.blocks, news, strict=True)))

    def merge(self, other: BlockedMoments) -> BlockedMoments:
        """Return the moments of both, block by block."""
        return BlockedMoments(
            tuple(_both(a, b) for a, b in zip(self.blocks, other.blocks, strict=True))
        )

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return the summary as arrays."""
        there = [(k, block) for k, block in enumerate(self.blocks) if block is not None]
        return {
            "place": np.array([k for k, _ in there], dtype=np.int64),
            "count": np.array([b.count for _, b in there], dtype=np.int64),
            "mean": np.array([b.mean for _, b in there]),
            "scatter": np.array([b.scatter for _, b in there]),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> BlockedMoments:
        """Rebuild the summary."""
        blocks: list[Moments | None] = [None] * BLOCKS
        for k, count, mean, scatter in zip(
            *(arrays[n] for n in ("place", "count", "mean", "scatter")), strict=True
        ):
            blocks[int(k)] = Moments(int(count), mean, scatter)
        return cls(tuple(blocks))


def _both(first: Moments | None, second: Moments | None) -> Moments | None:
    if first is None or second is None:
        return first or second
    return first.merge(second)


@dataclass(frozen=True)
class Reservoir(Summary):
    """The `capacity` rows with the smallest hashed identities, in the order of those hashes.

    Attributes:
        capacity: most rows kept.
        seed: which uniform sample; equal seeds keep the same examples of every view.
        seen: how many rows there were.
        ids, rows, labels, cases: what is kept; rows is None before the first, and an example that
            is a case by itself has its identity for one.
    """

    capacity: int
    seed: int = 0
    seen: int = 0
    ids: np.ndarray | None = None
    rows: np.ndarray | None = None
    labels: np.ndarray | None = None
    cases: np.ndarray | None = None

    def add(self, batch: Batch, rows: np.ndarray) -> Reservoir:
        """Return what is kept of these rows too."""
        labels = (
            np.full(len(rows), NO_LABEL) if batch.labels is None else batch.labels.astype(np.int64)
        )
        cases = batch.ids if batch.cases is None else batch.cases
        kept = batch.ids, rows, labels, cases
        return self.merge(Reservoir(self.capacity, self.seed, len(rows), *kept))

    def merge(self, other: Reservoir) -> Reservoir:
        """Return what is kept of both."""
        if (self.capacity, self.seed) != (other.capacity, other.seed):
            raise BadInput("two reservoirs of different capacity or seed", "equal ones")
        sides = [side for side in (self, other) if side.rows is not None]
        if not sides:
            return self
        ids, rows, labels, cases = (
            np.concatenate([getattr(side, name) for side in sides])
            for name in ("ids", "rows", "labels", "cases")
        )
        again = np.flatnonzero(np.diff(np.sort(ids)) == 0)
        if len(again):
            twice = int(np.sort(ids)[again[0]])
            raise BadInput(
                f"example {twice} of one role twice", "every identity once", "number shards onwards"
            )
        order = np.argsort(hashed(ids, KEPT + self.seed), kind="stable")[: self.capacity]
        kept = ids[order], rows[order], labels[order], cases[order]
        return Reservoir(self.capacity, self.seed, self.seen + other.seen, *kept)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return the summary as arrays."""
        facts = {"facts": np.array([self.capacity, self.seed, self.seen], dtype=np.int64)}
        kept = {name: getattr(self, name) for name in ("ids", "rows", "labels", "cases")}
        return facts if self.rows is None else {**facts, **kept}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Reservoir:
        """Rebuild the summary."""
        capacity, seed, seen = (int(v) for v in arrays["facts"])
        ids, rows, labels = (arrays.get(name) for name in ("ids", "rows", "labels"))
        return cls(capacity, seed, seen, ids, rows, labels, arrays.get("cases", ids))


@dataclass(frozen=True)
class Contents(Summary):
    """How often each content occurs: 64-bit hashes of rows in single precision, ascending, with
    their counts.

    Two different rows share a hash with probability `n m / 2^64`: 5e-10 for 100,000 against
    100,000.

    Example:
        >>> x = np.array([[1.0], [2.0], [1.0]])
        >>> Contents().add(Batch.of(x), x).counts.tolist() in ([2, 1], [1, 2])
        True
    """

    hashes: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.uint64))
    counts: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    def add(self, batch: Batch, rows: np.ndarray) -> Contents:
        """Return the counts of these rows too."""
        hashes, counts = np.unique(content(rows), return_counts=True)
        return self.merge(Contents(hashes, counts))

    def merge(self, other: Contents) -> Contents:
        """Return the counts of both."""
        hashes, place = np.unique(np.concatenate([self.hashes, other.hashes]), return_inverse=True)
        counts = np.zeros(len(hashes), dtype=np.int64)
        np.add.at(counts, place, np.concatenate([self.counts, other.counts]))
        return Contents(hashes, counts)

    def found_in(self, other: Contents) -> int:
        """Return how many of these rows occur in `other`."""
        return int(self.counts[np.isin(self.hashes, other.hashes, assume_unique=True)].sum())

    @property
    def total(self) -> int:
        """Number of rows."""
        return int(self.counts.sum())

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return the summary as arrays."""
        return {"hashes": self.hashes, "counts": self.counts}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Contents:
        """Rebuild the summary."""
        return cls(arrays["hashes"], arrays["counts"])


# from here on, steps of single precision are larger than what a table's decimals or a clock's
# seconds mean
LARGE = 1024.0


def content(rows: np.ndarray) -> np.ndarray:
    """Return a 64-bit hash of every row's values in single precision, which is what models emit;
    shape (n,).

    Rows with values beyond 1,024 are hashed in double precision: single precision does not tell
    seconds since 1970 apart.

    Example:
        >>> a, b, c = content(np.array([[0.0, 1.0], [-0.0, 1.0], [0.0, 2.0]]))
        >>> bool(a == b), bool(a == c)
        (True, False)
    """
    # adding zero turns -0.0 into 0.0, whose bytes differ
    flat = rows.reshape(len(rows), -1)
    large = np.abs(flat).max(axis=1, initial=0) > LARGE
    with np.errstate(over="ignore"):
        single = np.ascontiguousarray(flat.astype(np.float32) + np.float32(0))
    double = np.ascontiguousarray(flat[large].astype(np.float64) + 0.0)
    words = iter(double)
    digests = b"".join(
        hashlib.blake2b(next(words) if far else row, digest_size=8).digest()
        for row, far in zip(single, large, strict=True)
    )
    return np.frombuffer(digests, dtype=np.uint64).copy()
