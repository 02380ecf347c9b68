"""Time two ways of doing the same thing, turn by turn, and print the ratio of their medians.

One idea: a machine's speed drifts, so the two take turns in one process and each ratio is of neighbours in time.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch


def paired(
    title: str,
    ours: Callable[[], object],
    peer_name: str,
    peer: Callable[[], object],
    turns: int = 15,
    threads: int = 1,
) -> float:
    """Print medians and the median ratio peer / ours: above one, ours is faster.

    Args:
        title: what is done.
        ours: this library's way, called without arguments.
        peer_name: who does it the other way.
        peer: the other way.
        turns: how often each is timed, after two turns that warm up.
        threads: of torch, for both.
    """
    torch.set_num_threads(threads)
    mine, theirs = [], []
    for turn in range(turns + 2):
        for times, call in (
            ((mine, ours), (theirs, peer)) if turn % 2 else ((theirs, peer), (mine, ours))
        ):
            started = time.perf_counter()
            call()
            times.append(time.perf_counter() - started)
    a, b = mine[2:], theirs[2:]
    ratios = sorted(y / x for x, y in zip(a, b, strict=True))
    ratio, low, high = (
        statistics.median(ratios),
        ratios[len(ratios) // 10],
        ratios[-1 - len(ratios) // 10],
    )
    word = "faster" if ratio >= 1 else "SLOWER"
    print(
        f"{title}: {1e3 * statistics.median(a):.2f} ms, {peer_name} {1e3 * statistics.median(b):.2f} ms; "
        f"{ratio:.2f} times as fast ({low:.2f} to {high:.2f}): {word}"
    )
    return ratio
