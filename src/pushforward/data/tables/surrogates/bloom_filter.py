"""Which values were in the data, without keeping them: a Bloom filter.

One idea: a value that was there is always recognised; one that was not is mistaken for one that
was in about one of two thousand, and is then merely not used.
"""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

BITS, HASHES = 16, 8  # false alarms: (1 - exp(-8/16))^8 = 1 / 1,741


@dataclass(frozen=True)
class BloomFilter:
    """The values of a column; see Bloom 1970.

    Attributes:
        bits: of the filter, packed; their number is a multiple of 8.

    Example:
        >>> seen = BloomFilter.of(["A-1", "A-2"])
        >>> "A-1" in seen, "A-3" in seen, BloomFilter.from_text(seen.text) == seen
        (True, False, True)
    """

    bits: bytes

    @staticmethod
    def of(values: Iterable[str], room: int = 0) -> BloomFilter:
        """Return the filter of values.

        Args:
            room: for how many it is made, at least; filters of one room can be joined.
        """
        known = list(dict.fromkeys(values))
        size = 8 * max(8, math.ceil(max(room, len(known)) * BITS / 8))
        flags = np.zeros(size, dtype=bool)
        for first in range(0, len(known), 100_000):
            flags[_places(known[first : first + 100_000], size).reshape(-1)] = True
        return BloomFilter(np.packbits(flags).tobytes())

    def __or__(self, other: BloomFilter) -> BloomFilter:
        """Return the filter of the values of both, which are made for as many."""
        pair = (np.frombuffer(one.bits, dtype=np.uint8) for one in (self, other))
        return BloomFilter(np.bitwise_or(*pair).tobytes())

    def __contains__(self, value: str) -> bool:
        return bool(self.among([value])[0])

    def among(self, values: list[str]) -> np.ndarray:
        """Return which values were in the data, shape (n,)."""
        packed = np.frombuffer(self.bits, dtype=np.uint8)
        places = _places(values, 8 * len(packed))
        found = (packed[places // 8] >> (7 - places % 8)) & 1
        return np.asarray(found.all(axis=1))

    @property
    def text(self) -> str:
        """The filter as JSON can hold it."""
        return base64.b64encode(self.bits).decode()

    @staticmethod
    def from_text(text: str) -> BloomFilter:
        """Invert `text`."""
        return BloomFilter(base64.b64decode(text))


def _places(values: list[str], size: int) -> np.ndarray:
    """Return the bits of each value, (n, HASHES)."""
    digests = b"".join(
        hashlib.blake2b(value.encode("utf-8", "surrogatepass"), digest_size=8 * HASHES).digest()
        for value in values
    )
    numbers = np.frombuffer(digests, dtype="<u8").reshape(len(values), HASHES)
    return (numbers % np.uint64(size)).astype(np.int64)
