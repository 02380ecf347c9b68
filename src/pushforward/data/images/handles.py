"""The file behind a picture that a program has opened.

One idea: Pillow opens a file and reads it later, and what the file says of itself (depth, frames,
orientation) is forgotten by then; so a picture that is still unread is read as its file is.
"""

from __future__ import annotations

from collections.abc import Collection
from io import BytesIO

from PIL import Image as Pillow


def unread(picture: Pillow.Image, frames: bool, formats: Collection[str]) -> bytes | None:
    """Return the bytes of the file that a picture stands for, None if it is loaded, changed or made
    by a program.

    Args:
        frames: whether its other frames are wanted too, which a loaded picture does not hold.
        formats: of files that may be opened.

    Example:
        >>> unread(Pillow.new("L", (2, 2)), True, ["PNG"]) is None
        True
    """
    try:
        several = frames and getattr(picture, "n_frames", 1) > 1 and picture.tell() == 0
        if (
            not (several or getattr(picture, "tile", []))
            or picture.tell() != 0
            or picture.format not in formats
        ):
            return None
        handle = getattr(picture, "fp", None) or getattr(picture, "_fp", None)
        if handle is None:
            return None
        place = handle.tell()
        handle.seek(0)
        data = bytes(handle.read())
        handle.seek(place)
        with Pillow.open(BytesIO(data), formats=[str(picture.format)]) as again:
            # a reader may have been told to decode at another size
            return data if (again.size, again.mode) == (picture.size, picture.mode) else None
    except (
        Exception
    ):  # a handle that is closed or cannot be rewound: the picture is all that there is
        return None
