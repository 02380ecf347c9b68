"""What every reader returns: examples as they lie in a source, before they are a space and are
split."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from pushforward.core.context import Context
from pushforward.data.encoding import Encoding
from pushforward.data.identity import IdentityEncoding


@dataclass
class Raw:
    """What a source holds.

    Attributes:
        x: examples, the first axis counts them.
        labels: a name for each, None if there are none.
        roles: the split of each (0 training, 1 validation, 2 test) where the source defines splits,
            else None.
        white: what white is in picture files; None for arrays, which do not say.
        context: what each example is about.
        encoding: names and notations of points that came from a table.
        held: whether pictures were held by a program, whose values may be levels as those of arrays
            are.
        order: classes in the order that the source has them in, empty if it has none.
        more: what would bring more examples, for whoever has too few.
        only: classes that a folder around all pictures may name, the outermost first; they are no
            labels yet.
        notes, lost, skipped: see `Dataset`.
    """

    x: np.ndarray
    labels: list[str] | None = None
    notes: list[str] = field(default_factory=list)
    skipped: tuple[str, ...] = ()
    roles: np.ndarray | None = None
    context: Context | None = None
    lost: list[str] = field(default_factory=list)
    white: int | None = None
    encoding: Encoding = field(default_factory=IdentityEncoding)
    only: tuple[str, ...] = ()
    held: bool = False
    order: tuple[str, ...] = ()
    more: str = ""
