"""A file that is code needs a word from the person who brings it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from networks import Small, scripted


def test_the_command_says_it_and_takes_it(
    run: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    assert "--trust" in run("evaluate", "--help")[1]
    status, _, err = run("evaluate", "--samples", "x.npz", "--reference", "digits", "--trust")
    assert (status, "--trust: expected --features from a file" in err) == (2, True), err
    net, drawn = tmp_path / "net.pt", tmp_path / "x.npz"
    net.write_bytes(scripted(Small()))
    x = np.random.default_rng(0).integers(0, 17, size=(700, 3, 8, 8)).astype(np.uint8)
    np.savez(drawn, x=x)
    np.savez(tmp_path / "real.npz", x=x[::-1] + 0)
    words = [
        "evaluate",
        "--samples",
        drawn,
        "--reference",
        tmp_path / "real.npz",
        "-n",
        40,
        "--json",
    ]
    status, _, err = run(*words, "--features", f"file:{net}")
    assert (status, "--trust" in err) == (2, True)
    assert run(*words, "--features", f"file:{net}", "--trust")[0] == 0
