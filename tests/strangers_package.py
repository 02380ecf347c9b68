"""A package of a stranger that announces plug-ins, as it lies on the path after `pip install`, and commands that see it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from commands import Command, elsewhere


def install(
    folder: Path, modules: Mapping[str, str], entries: Mapping[str, str], name: str = "stranger"
) -> Path:
    """Write the modules of a package and what it announces into a folder, and return it."""
    facts = folder / f"{name}-0.1.dist-info"
    facts.mkdir(parents=True)
    (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1\n")
    lines = [f"{point} = {target}\n" for point, target in entries.items()]
    (facts / "entry_points.txt").write_text("[pushforward]\n" + "".join(lines))
    for module, source in modules.items():
        (folder / f"{module}.py").write_text(source)
    return folder


def seeing(folders: Sequence[Path], *words: object) -> subprocess.CompletedProcess[str]:
    """Run `-c SOURCE` or `-m pushforward ...` in a process that finds what is in folders."""
    with TemporaryDirectory() as said:
        paths = [str(folder) for folder in folders]
        started = Command(Path(said), elsewhere, os.getcwd(), paths, *words)
        status, heard = started.ended(100.0)
        assert status is not None, f"still running: {words}"
        return subprocess.CompletedProcess(list(words), status, started.out.read_text(), heard)


def python(folder: Path, *words: object) -> subprocess.CompletedProcess[str]:
    """Run Python in a process that sees the package."""
    return seeing([folder], *words)


def command(folder: Path, *words: object) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process that sees the package."""
    return python(folder, "-m", "pushforward", *words)
