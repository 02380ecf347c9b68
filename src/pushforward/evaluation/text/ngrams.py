"""Windows as rows of n-grams, each a whole number.

One idea: an n-gram's number is the number of its first n - 1 tokens joined with its last one and
counted anew, so that two n-grams are equal exactly if their numbers are: nothing is hashed, and no
number outgrows the amount of text.
"""

from __future__ import annotations

import numpy as np

from pushforward.core.errors import BadInput
from pushforward.evaluation.checks import as_rows


def as_tokens(
    windows: np.ndarray, role: str = "windows", at_least: int = 1, length: int = 1
) -> np.ndarray:
    """Return windows as int64 rows (n, length), refusing too few, too short ones and numbers that
    are not whole.

    Raises:
        BadInput: as said.

    Example:
        >>> as_tokens(np.array([[1.0, 2.0]])).tolist()
        [[1, 2]]
    """
    rows = as_rows(windows, role, at_least)
    if rows.shape[1] < length:
        raise BadInput(
            f"{role} of {rows.shape[1]} tokens",
            f"at least {length} tokens",
            "cut the text in longer windows",
        )
    tokens = rows.astype(np.int64)
    if (tokens != rows).any() or tokens.min() < 0:
        raise BadInput(
            f"{role} with numbers that are no tokens",
            "whole numbers from 0 on",
            "encode the text first",
        )
    return tokens


def ngrams(tokens: np.ndarray, n: int) -> np.ndarray:
    """Return a whole number for the n-gram that starts at each place, shape (rows, length - n + 1);
    equal ones have equal numbers.

    Args:
        tokens: shape (rows, length).
        n: tokens in one n-gram, at most `length`.

    Example:
        >>> ngrams(np.array([[7, 7, 9, 7, 7]]), 2).tolist()
        [[0, 1, 2, 0]]
    """
    single = _counted(tokens)
    codes, base = single, int(single.max()) + 1
    for k in range(1, n):
        codes = _counted(codes[:, :-1] * base + single[:, k:])
    return codes


def _counted(codes: np.ndarray) -> np.ndarray:
    """Number the different values from zero on, in ascending order."""
    return np.unique(codes, return_inverse=True)[1].reshape(codes.shape)


def distinct_in_rows(codes: np.ndarray) -> np.ndarray:
    """Return how many different numbers each row has, shape (rows,).

    Example:
        >>> distinct_in_rows(np.array([[3, 1, 3], [2, 2, 2]])).tolist()
        [2, 1]
    """
    ordered = np.sort(codes, axis=1)
    return 1 + (ordered[:, 1:] != ordered[:, :-1]).sum(axis=1)
