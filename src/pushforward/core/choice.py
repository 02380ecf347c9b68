"""A choice: whatever a user can ask for by name, as one object that is declared in one place.

One idea: every list of the house (options and help, capabilities, refusals, the documentation's
tables) is computed from these objects, so that a new one appears everywhere by being declared, and
nowhere by being written down again.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Choice:
    """One thing that can be chosen by its name.

    Subclasses are frozen and add what their kind declares (spaces, kind of number, cost) and the
    function that does it. Two choices of one registry never share a name.

    Attributes:
        name: the word that a user writes.
        says: what it is, in one sentence without a full stop, for help and tables.

    Example:
        >>> Choice("heun", "second-order solver of the probability-flow ODE").name
        'heun'
    """

    name: str
    says: str
