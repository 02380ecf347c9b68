"""A comparison on disk: its directory, its records, its page.

Two ideas: its manifest names the runs that are in it, so that no other is ever taken for one of
them; the record carries the fingerprint of its arrays, so that a crash cannot pair an old half with
a new one.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from pushforward.core.errors import BadInput
from pushforward.core.files import AGAIN, RESUME, RESUME_INSTEAD, going_on, write_bytes, write_json
from pushforward.provenance.lock import refuse_if_written, writing
from pushforward.provenance.ownership import (
    COMPARISON,
    check_claim,
    claim,
    holdings,
    runs_in,
    sweep,
)
from pushforward.provenance.run_directory import FORMAT, MANIFEST
from pushforward.reports.page.render import render, write_report
from pushforward.reports.records import Comparison

ARRAYS, REPORT = "comparison.npz", "report.html"


@contextmanager
def held_comparison(
    path: Path, runs: list[str], overwrite: bool = False, resume: bool = False
) -> Iterator[None]:
    """Hold a directory while a comparison of named runs is written into it; what is there is
    refused, replaced or gone on with.

    Raises:
        BadInput: it holds something else, or somebody writes there.
    """
    if resume and overwrite:
        raise BadInput(
            "--resume with --overwrite",
            "one of the two",
            "going on keeps what is there, overwriting does not",
        )
    refuse_if_written(path)
    before = _resumable(path, runs) if resume else []
    if not resume:
        check_claim(path, overwrite, "comparison")
    begun, go_on = resume, RESUME_INSTEAD if overwrite else RESUME
    with going_on(lambda: go_on if begun else AGAIN), writing(path):
        if resume:
            sweep(path)
        else:
            claim(path, overwrite, "comparison")
            begun = True
        record: dict[str, Any] = {"format": FORMAT, "kind": "comparison", "status": "training"}
        record["runs"] = list(dict.fromkeys([*before, *runs]))
        write_json(path / MANIFEST, record)
        yield
        write_json(path / MANIFEST, {**record, "status": "complete"})


def _resumable(path: Path, runs: list[str]) -> list[str]:
    """Return the names of the runs that a comparison has; refuse a directory that is none."""
    held = holdings(path)
    if (known := runs_in(path)) is not None:
        return known
    # comparisons had no manifest once: those that were stopped are known by their runs
    others = [
        one
        for one in held.foreign
        if one.parent != path or one.name not in runs or one.is_symlink()
    ]
    if held.kind or others:
        what = f"a {held.kind}" if held.kind else f"other files ({others[0].name})"
        raise BadInput(
            f"--resume in {path}",
            "a comparison that was stopped",
            f"it holds {what}; choose another -o",
        )
    return []


def save_comparison(path: Path, comparison: Comparison) -> None:
    """Write the record, its arrays and the page."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **comparison.arrays())  # type: ignore[arg-type]
    arrays = buffer.getvalue()
    write_bytes(path / ARRAYS, arrays)
    write_json(
        path / COMPARISON,
        {**comparison.to_json(), "arrays_sha256": hashlib.sha256(arrays).hexdigest()},
    )
    write_report(path / REPORT, render(comparison))


def load_comparison(path: Path) -> Comparison:
    """Read what `save_comparison` wrote.

    Raises:
        BadInput: files that are missing, damaged, or not of one another.
    """
    try:
        record, content = json.loads((path / COMPARISON).read_text()), (path / ARRAYS).read_bytes()
        expected = record.pop("arrays_sha256", None)
        if expected is not None and expected != hashlib.sha256(content).hexdigest():
            raise BadInput(
                f"the comparison in {path} was stopped while it was being written",
                "a whole one",
                "give its command again, with --resume",
            )
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return Comparison.from_json(record, {key: arrays[key] for key in arrays.files})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(
            f"the comparison in {path} cannot be read ({error})", f"{COMPARISON} and {ARRAYS}"
        ) from None
