"""Seeds that are derived and never shared.

One idea: a generator is a pure function of a seed and words (`generator(seed, "train", step)`), so
that no stream depends on how many numbers another one drew, and a resumed run needs no saved
generator state.
"""

from __future__ import annotations

import hashlib

import torch


def derive_seed(seed: int, *words: str | int) -> int:
    """Return a 63-bit seed that is a pure function of `seed` and `words`.

    Example:
        >>> derive_seed(0, "train", 1) == derive_seed(0, "train", 1) != derive_seed(0, "train", 2)
        True
    """
    text = "/".join([str(seed), *map(str, words)])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") >> 1


def generator(seed: int, *words: str | int) -> torch.Generator:
    """Return a CPU generator seeded by `derive_seed(seed, *words)`.

    Example:
        >>> generator(3, "a").initial_seed() == generator(3, "a").initial_seed()
        True
    """
    return torch.Generator().manual_seed(derive_seed(seed, *words))
