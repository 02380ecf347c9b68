"""A package of a stranger that announces plug-ins, as it lies on the path after `pip install`, and commands that see it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path


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


def python(folder: Path, *words: object) -> subprocess.CompletedProcess[str]:
    """Run Python in a process that sees the package."""
    paths = [str(folder), *filter(None, [os.environ.get("PYTHONPATH", "src")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    command = [sys.executable, *(str(word) for word in words)]
    return subprocess.run(
        command, capture_output=True, text=True, env=environment, check=False, timeout=100
    )


def command(folder: Path, *words: object) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process that sees the package."""
    return python(folder, "-m", "pushforward", *words)
