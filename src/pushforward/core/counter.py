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
_STEPS = tuple(
    (np.uint64(shift), None if factor is None else np.uint64(factor))
    for shift, factor in zip(SHIFTS, (FIRST, SECOND, None), strict=True)
)
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
    """Mix in place."""
    shifted = np.empty_like(z)
    for shift, factor in _STEPS:
        np.right_shift(z, shift, out=shifted)
        np.bitwise_xor(z, shifted, out=z)
        if factor is not None:
            np.multiply(z, factor, out=z)
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

    Raises:
        ValueError: a coarser type, in which what lies below one may round to it.
    """
    if dtype not in (torch.float32, torch.float64):
        raise ValueError(f"uniform numbers in {dtype}: expected float32 or float64")
    double = dtype == torch.float64
    dropped, scale = (11, 2.0**-53) if double else (8, 2.0**-24)
    if words.device.type == "cpu":
        bits = words.numpy().view(np.uint64 if double else np.uint32)
        shifted = (bits[:, :count] >> dropped).view(np.int64 if double else np.int32)
        numbers = shifted.astype(np.float64 if double else np.float32)
        numbers *= numbers.dtype.type(scale)
        return torch.from_numpy(numbers).to(dtype)
    if double:
        return (words >> dropped).bitwise_and_(2**53 - 1).to(dtype).mul_(scale)
    halves = words.view(torch.int32)[:, :count]
    return (halves >> dropped).bitwise_and_(2**24 - 1).to(torch.float32).mul_(scale).to(dtype)


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
    double = dtype == torch.float64
    made = _normal_here if words.device.type == "cpu" else _normal_there
    return made(words, double)[:, :count].to(dtype)


def _normal_here(words: Tensor, double: bool) -> Tensor:
    """Compute in NumPy, whose calls cost a third of torch's on the few numbers that a step of
    training takes."""
    if double:
        pairs = words.numpy().reshape(len(words), -1, 2)
        u = (pairs[..., 1].view(np.uint64) >> np.uint64(11)).view(np.int64).astype(np.float64)
        both = np.empty(pairs.shape)
        angle = pairs[..., 0] * (math.pi * 2.0**-63)
    else:
        both = words.numpy().view(np.int32).astype(np.float32).reshape(len(words), -1, 2)
        u = np.abs(both[..., 1])  # of either sign, so that every magnitude is as likely
        angle = both[..., 0] * np.float32(math.pi * 2.0**-31)
    number = u.dtype.type
    u += number(1)
    u *= number(2.0**-53 if double else 2.0**-31)
    np.log(u, out=u)
    u *= number(-2)
    np.sqrt(u, out=u)
    np.cos(angle, out=both[..., 0])
    np.sin(angle, out=both[..., 1])
    both *= u[..., None]
    return torch.from_numpy(both.reshape(len(words), -1))


def _normal_there(words: Tensor, double: bool) -> Tensor:
    if double:
        pairs = words.view(len(words), -1, 2)
        u = ((pairs[..., 1] >> 11) & (2**53 - 1)).to(torch.float64).add_(1.0).mul_(2.0**-53)
        angle = pairs[..., 0].to(torch.float64).mul_(math.pi * 2.0**-63)
    else:
        halves = words.view(torch.int32).to(torch.float32).view(len(words), -1, 2)
        u = halves[..., 1].abs().add_(1.0).mul_(2.0**-31)
        angle = halves[..., 0] * (math.pi * 2.0**-31)
    radius = u.log_().mul_(-2.0).sqrt_()
    both = torch.stack([angle.cos().mul_(radius), angle.sin_().mul_(radius)], -1)
    return both.view(len(words), -1)
