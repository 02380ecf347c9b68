"""What was asked of pictures, done to those that came as arrays.

One idea: an option means the same for an array as for a file; where an array cannot have what is
asked, a note says so.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import torch

from pushforward.core.space import Image
from pushforward.data.arrays import OpenedArray
from pushforward.data.folders import counted
from pushforward.data.images.channels import greyed, in_colour, shown_on
from pushforward.data.images.options import ImageOptions
from pushforward.data.images.resizing import resized, said_of_sizes


def as_asked(found: OpenedArray, options: ImageOptions) -> OpenedArray:
    """Return images of an array with alpha, channels and size as options say, with as many levels
    as before.

    Alpha is a channel of an array unless `alpha` is asked for; files lie on white by themselves.

    Example:
        >>> x = torch.tensor([[[[0, 3]], [[3, 3]], [[0, 0]], [[3, 0]]]], dtype=torch.uint8)
        >>> on_white = as_asked(OpenedArray(x, Image(4, 1, 2, 4)), ImageOptions(alpha="white"))
        >>> on_white.x.tolist(), on_white.space.channels
        ([[[[0, 3]], [[3, 3]], [[0, 3]]]], 3)
    """
    assert isinstance(found.space, Image)
    asked = options.model_fields_set
    x, top = np.moveaxis(found.x.numpy(), 1, -1), found.space.levels - 1
    notes, lost = list(found.notes), list(found.lost)
    n = counted(len(x), "picture")
    if x.shape[-1] in (2, 4) and "alpha" in asked and options.alpha != "keep":
        x = shown_on(x, top if options.alpha == "white" else 0, top)
        notes = [note for note in notes if "with alpha, which stays a channel" not in note]
        notes.append(f"{n} with alpha, shown on {options.alpha}, as asked")
        lost.append(f"alpha of {n}, shown on {options.alpha}")
    if options.channels == "grey" and x.shape[-1] >= 3:
        x = greyed(x)
        notes.append(f"{n} in colour, made grey as asked")
        lost.append(f"the colours of {n}")
    elif options.channels == "colour" and x.shape[-1] <= 2:
        x = in_colour(x)
        notes.append(f"{n} in grey, given three equal channels as asked")
    if "frames" in asked:
        notes.append("an array has no frames, so data.frames changes nothing")
    if options.size is not None:
        tally: Counter[str] = Counter()
        x = np.stack([resized(one, options.size, options.fit, tally, top) for one in x])
        said, gone = said_of_sizes(tally, options.size)
        notes, lost = [*notes, *said], [*lost, *gone]
    tensor = torch.from_numpy(np.ascontiguousarray(np.moveaxis(x, -1, 1)))
    space = replace(found.space, channels=x.shape[-1], height=x.shape[1], width=x.shape[2])
    return replace(found, x=tensor, space=space, notes=notes, lost=lost)
