"""Writing files so that a crash never leaves half of one.

One idea: write beside the target, flush to disk, then replace; a reader sees the old file or the new one.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from pushforward.core.errors import RunFailed


def write_bytes(path: Path, content: bytes) -> None:
    """Replace `path` atomically.

    Raises:
        RunFailed: the disk is full or the folder cannot be written; the old file, if any, is untouched.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise RunFailed(
            f"could not write {path} ({error.strerror})",
            f"{len(content):,} bytes of free space in a writable folder",
            "free some space or choose another -o; what was there before is unchanged",
        ) from None


def write_text(path: Path, text: str) -> None:
    """Replace a UTF-8 text file atomically."""
    write_bytes(path, text.encode())


def write_json(path: Path, record: Any) -> None:
    """Replace a JSON file atomically; keys keep their order, NaN is refused because it is not JSON."""
    write_text(path, json.dumps(record, indent=2, allow_nan=False) + "\n")
