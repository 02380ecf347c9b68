"""Precision, recall, density and coverage against `prdc`: time at one size, peak memory at a larger one.

`prdc` keeps three whole distance matrices and their partitions; at 50,000 x 50,000 these are 20 GB each, so only our own memory is
measured there. Run with `bench_neighbours.py ROWS LARGE` for other sizes.
"""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys

import numpy as np
from paired import paired
from prdc import compute_prdc

from pushforward.evaluation.distribution.neighbours import balls

WIDTH, K = 64, 5

ALONE = """
import resource, sys
import numpy as np
from pushforward.evaluation.distribution.neighbours import balls
n, width, k = (int(v) for v in sys.argv[1:])
rng = np.random.default_rng(0)
x, y = rng.normal(size=(n, width)), rng.normal(size=(n, width))
means = [float(t.mean()) for t in balls(x, y, k).terms(k)]
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
print(f"{peak:.0f} MiB resident at most; precision, recall, density, coverage", *(f"{v:.4f}" for v in means))
"""


def theirs(x: np.ndarray, y: np.ndarray) -> list[float]:
    """Return the peer's four values, without what it prints."""
    with contextlib.redirect_stdout(io.StringIO()):
        found = compute_prdc(y, x, nearest_k=K)
    return [float(found[name]) for name in ("precision", "recall", "density", "coverage")]


def main(rows: int = 10_000, large: int = 50_000) -> None:
    """Print the values of both, the ratio of their times, and our memory in a process of its own."""
    # first: a process begins with the largest memory that its parent ever had
    print(f"{large} x {large} x {WIDTH}:", flush=True)
    subprocess.run([sys.executable, "-c", ALONE, str(large), str(WIDTH), str(K)], check=True)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(rows, WIDTH)), rng.normal(size=(rows, WIDTH))
    ours = [float(terms.mean()) for terms in balls(x, y, K).terms(K)]
    print(
        f"{rows} x {rows} x {WIDTH}: ours {np.round(ours, 4).tolist()}, prdc {np.round(theirs(x, y), 4).tolist()}"
    )
    paired(f"{rows} rows", lambda: balls(x, y, K), "prdc", lambda: theirs(x, y), turns=3)


if __name__ == "__main__":
    main(*(int(size) for size in sys.argv[1:]))
