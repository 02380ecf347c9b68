"""The columns of a table with what of each may be shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pushforward.core.table import Table
from pushforward.data.tables.protection import protection_of, said_of
from pushforward.data.tables.stored import Stored


def protected_columns(
    kept: Sequence[Stored], table: Table, x: np.ndarray, k: int, owners: np.ndarray | None
) -> tuple[tuple[Stored, ...], tuple[str, ...]]:
    """Return columns of which samples show no value that fewer than k rows hold, and what those
    are, in words.

    Args:
        kept: every column of the user's table.
        table: those that are modelled.
        x: all rows of the data, (n, modelled columns).
        owners: whom each row belongs to, which count once; None = each its own.
    """
    found: list[Stored] = []
    said: list[str] = []
    places = {column.name: place for place, column in enumerate(table.columns)}
    for stored in kept:
        if stored.role != "modelled":
            found.append(stored)
            continue
        place = places[stored.label]
        column = table.columns[place]
        protection = protection_of(column, x[:, place], k, owners)
        found.append(replace(stored, protection=protection))
        if protection is not None:
            said.append(f"'{column.name}': {said_of(column, protection, k)}")
    return tuple(found), tuple(said)
