"""How long `pushforward --help` takes, against an empty Python and against importing torch (medians of alternating runs)."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

COMMANDS = {
    "pushforward --help": [sys.executable, "-m", "pushforward", "--help"],
    "python -c pass": [sys.executable, "-c", "pass"],
    "python -c 'import torch'": [sys.executable, "-c", "import torch"],
}


def main() -> None:
    """Print medians of seven alternating runs."""
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(7):
        for name, command in COMMANDS.items():
            started = time.perf_counter()
            subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
            seconds[name].append(time.perf_counter() - started)
    for name, values in seconds.items():
        print(f"{name:28} {statistics.median(values):.3f} s")


if __name__ == "__main__":
    main()
