"""Random numbers that are computed from where they stand: equal on every device, in any order and
in any batch.

Two ideas: number j of stream i is `mix(key_i xor h_j)`, with `key_i` and `h_j` outputs of SplitMix64
(Steele, Lea and Flood 2014) and `mix` its finaliser, so nothing is kept between two draws and no
stream is a shifted copy of another; and all of it is multiplication, shifts and exclusive or on 64
bits, exact everywhere. Normal numbers are made of pairs by Box and Muller (1958), `r cos t` and `r
sin t`; those are equal but for what a device's logarithm and cosine round.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import torch
from torch import Tensor

GOLDEN, FIRST, SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
PLACES = 0x5851F42D4C957F2D  # where the sequence of h_j begins
TABLE = 2**16  # of h_j, which every stream reads
SHIFTS = (30, 27, 31)
Keys = np.ndarray  # of streams: uint64, whose shifts NumPy has and torch has not


def splitmix(start: int, first: int, n: int) -> np.ndarray:
    """Return outputs `first`, `first + 1`, ... of SplitMix64 from a start, shape (n,), uint64.

    Example:
        >>> [int(z) for z in splitmix(1234567, 0, 2)]
        [6457827717110365317, 3203168211198807973]
    """
    z = np.arange(first + 1, first + n + 1, dtype=np.uint64)
    z *= np.uint64(GOLDEN)
    z += np.uint64(start % 2**64)
    return _mixed(z)


def one_key(key: int) -> Keys:
    """Return the key of one stream, from a number that is random already.

    Example:
        >>> one_key(7).shape
        (1,)
    """
    return np.array([key % 2**64], dtype=np.uint64)


def _mixed(z: np.ndarray) -> np.ndarray:
    z ^= z >> np.uint64(SHIFTS[0])
    z *= np.uint64(FIRST)
    z ^= z >> np.uint64(SHIFTS[1])
    z *= np.uint64(SECOND)
    z ^= z >> np.uint64(SHIFTS[2])
    return z


def _mixed_there(z: Tensor) -> Tensor:
    """Mix int64 in place, whose products wrap as those of uint64 do; what a shift copies of the sign
    is taken away."""
    for shift, factor in zip(SHIFTS, (FIRST, SECOND, None), strict=True):
        z ^= (z >> shift) & ((1 << (64 - shift)) - 1)
        if factor is not None:
            z *= _signed(factor)
    return z


def _signed(word: int) -> int:
    return word - 2**64 if word >= 2**63 else word


@cache
def _places() -> np.ndarray:
    return splitmix(PLACES, 0, TABLE)


@cache
def _places_on(device: torch.device) -> Tensor:
    return torch.from_numpy(_places().view(np.int64)).to(device)


class Counter:
    """Streams of 64 random bits, one a key; each word is a function of its key and its place.

    Args:
        keys: of the streams, shape (n,), uint64.
        device: where words are computed.

    Example:
        >>> counter = Counter(splitmix(7, 0, 3))
        >>> counter.words(2, 5).shape
        torch.Size([3, 5])
        >>> bool((counter.words(0, 7)[:, 2:] == counter.words(2, 5)).all())
        True
    """

    def __init__(self, keys: Keys, device: torch.device | None = None) -> None:
        self.device = torch.device("cpu") if device is None else device
        self._keys = keys[:, None]
        self._there: Tensor | None = None

    def words(self, first: int, count: int) -> Tensor:
        """Return words at places `first` to `first + count`, shape (n, count), int64."""
        if self.device.type == "cpu":
            known = first + count <= TABLE
            places = _places()[first : first + count] if known else splitmix(PLACES, first, count)
            return torch.from_numpy(_mixed(self._keys ^ places).view(np.int64))
        if self._there is None:
            self._there = torch.from_numpy(self._keys.view(np.int64)).to(self.device)
        return _mixed_there(self._there ^ self._placed(first, count))

    def _placed(self, first: int, count: int) -> Tensor:
        if first + count <= TABLE:
            return _places_on(self.device)[first : first + count]
        z = torch.arange(first + 1, first + count + 1, device=self.device)
        return _mixed_there(z * _signed(GOLDEN) + _signed(PLACES))


def words_of_uniform(count: int, dtype: torch.dtype) -> int:
    """Return how many words so many uniform numbers take: half of one in single precision."""
    return count if dtype == torch.float64 else (count + 1) // 2


def uniform(words: Tensor, count: int, dtype: torch.dtype) -> Tensor:
    """Return numbers in [0, 1), shape (n, count): multiples of 2^-53 in double precision, else of
    2^-24.

    Shapes: words (n, `words_of_uniform(count)`).
    """
    if dtype == torch.float64:
        return (words >> 11).bitwise_and_(2**53 - 1).to(dtype).mul_(2.0**-53)
    halves = words.view(torch.int32)[:, :count]
    return (halves >> 8).bitwise_and_(2**24 - 1).to(torch.float32).mul_(2.0**-24).to(dtype)


def words_of_normal(count: int, dtype: torch.dtype) -> int:
    """Return how many words so many normal numbers take: one for two of them in single
    precision."""
    pairs = (count + 1) // 2
    return 2 * pairs if dtype == torch.float64 else pairs


def normal(words: Tensor, count: int, dtype: torch.dtype) -> Tensor:
    """Return standard normal numbers, shape (n, count): `sqrt(-2 log u) cos t` and `... sin t`, u in
    (0, 1], t in [-pi, pi).

    Shapes: words (n, `words_of_normal(count)`).
    """
    if dtype == torch.float64:
        pairs = words.view(len(words), -1, 2)
        u = ((pairs[..., 1] >> 11) & (2**53 - 1)).to(dtype).add_(1.0).mul_(2.0**-53)
        angle = pairs[..., 0].to(dtype).mul_(math.pi * 2.0**-63)
    else:
        halves = words.view(torch.int32).to(torch.float32).view(len(words), -1, 2)
        # of either sign, so that every magnitude is as likely as the others
        u = halves[..., 1].abs().add_(1.0).mul_(2.0**-31)
        angle = halves[..., 0] * (math.pi * 2.0**-31)
    radius = u.log_().mul_(-2.0).sqrt_()
    both = torch.stack([angle.cos().mul_(radius), angle.sin_().mul_(radius)], -1)
    return both.view(len(words), -1)[:, :count].to(dtype)
