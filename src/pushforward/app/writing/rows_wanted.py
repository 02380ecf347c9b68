"""How many samples are wanted, and what each is conditioned on, where rows differ: a file of
conditions, or a column with shares.

One idea: conditions of rows are made before anything is drawn, so that what cannot be is refused at
once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from pushforward.core.errors import BadInput
from pushforward.core.given import Given
from pushforward.data.encoding import Encoding

SAID = 5  # reasons that are said; all are in the answer


@runtime_checkable
class AskedRows(Protocol):
    """What of a request for samples says how rows differ."""

    n: int | None
    given: str | None
    balance: str | None
    skip_bad: bool
    seed: int


@dataclass(frozen=True)
class WantedRows:
    """Samples that are wanted.

    Attributes:
        given: a condition for each, None where words hold for all.
        refused: why rows of a file of conditions are left out, by their number from 0.
    """

    n: int
    given: Given | None = None
    refused: Mapping[int, str] = field(default_factory=dict)

    @property
    def said(self) -> list[str]:
        """What a person should know of rows that are left out."""
        if not self.refused:
            return []
        first = [f"row {row + 1} is left out: {why}" for row, why in self.refused.items()]
        rest = len(first) - SAID
        more = (
            [] if rest <= 0 else [f"... and {rest:,} more; -o FILE with --json lists all of them"]
        )
        return [*first[:SAID], *more]


def rows_wanted(encoding: Encoding, asked: AskedRows, usual: int) -> WantedRows:
    """Return how many samples are wanted, and a condition for each where rows differ.

    Args:
        usual: how many, where nobody says it.

    Raises:
        BadInput: conditions that cannot be, another number than there are conditions, or shares
            of what has no columns.
    """
    n = usual if asked.n is None else asked.n
    if asked.balance is not None:
        fix = "a label may be given: --given"
        table = encoding.as_table(f"--balance {asked.balance}", fix)
        if asked.skip_bad:
            raise _without_a_file()
        if n < 1:
            raise BadInput(f"n={n}", "at least one sample")
        return WantedRows(n, table.balanced(asked.balance, n, asked.seed, asked.given))
    found = None if asked.given is None else encoding.given_rows(asked.given, asked.skip_bad)
    if found is None:
        if asked.skip_bad:
            raise _without_a_file()
        return WantedRows(n)
    if asked.n is not None and asked.n != len(found):
        came = f"-n {asked.n} with {len(found):,} conditions in {asked.given}"
        raise BadInput(came, "one sample for each", "leave -n out")
    return WantedRows(len(found), found.given, found.refused)


def _without_a_file() -> BadInput:
    return BadInput("--skip-bad without a file of conditions", "--given FILE", "leave it out")
