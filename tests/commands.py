"""Real processes that begin at once: forked from one that has imported the command line and done nothing else.

A new interpreter takes two seconds to import torch. What is forked has a process id, signals and an exit status of its own, and
can be killed like any other.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.forkserver as server
import os
import signal
import sys
from collections.abc import Callable
from functools import cache
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pushforward

LOADED = [
    "torch._dynamo",
    "pushforward.faces.cli.main",
    "pushforward.faces.cli.output",
    "pushforward.app.runs.training",
    "pushforward.app.runs.fitting",
    "pushforward.app.verbs.train",
    "pushforward.families.flow.model",
    "pushforward.reports.terminal.layout",
]


@cache
def _context() -> Any:
    """Start the process that forks, once; it is a stranger to this one, and has its source."""
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload([*LOADED, "pushforward.app.measuring.examples"])
    source = str(Path(pushforward.__file__).parents[1])
    with patch.dict(os.environ, PYTHONPATH=source):
        server.ensure_running()
    return found


class Command:
    """A function in a process of its own, with what it says kept in files.

    Args:
        said: a folder for its two outputs.
    """

    def __init__(self, said: Path, function: Callable[..., None], *words: object) -> None:
        said.mkdir(parents=True, exist_ok=True)
        self.out, self.err = said / "stdout", said / "stderr"
        inside = (str(self.out), str(self.err), function, words)
        self.process: ForkServerProcess = _context().Process(target=_heard, args=inside)
        self.process.start()
        assert self.process.pid is not None
        self.pid = self.process.pid

    def poll(self) -> int | None:
        """Return the exit status, minus the signal that ended it, or None while it runs."""
        return self.process.exitcode

    def ended(self, seconds: float = 60.0) -> tuple[int | None, str]:
        """Wait for its end; return the exit status and what it said on stderr."""
        self.process.join(seconds)
        return self.process.exitcode, self.err.read_text()


def _heard(out: str, err: str, function: Callable[..., None], words: tuple[object, ...]) -> None:
    for name, number in ((out, 1), (err, 2)):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    function(*words)


def pushed(*words: object) -> None:
    """Be `pushforward WORDS`."""
    from pushforward.faces.cli.main import main

    sys.argv = ["pushforward", *map(str, words)]
    main()


def elsewhere(place: str, paths: list[str], *words: object) -> None:
    """Be `python WORDS` of another folder that finds more packages, before anything of Pushforward is imported.

    The words are `-m pushforward ...` or `-c SOURCE`.
    """
    os.chdir(place)
    for name in [name for name in sys.modules if name.partition(".")[0] == "pushforward"]:
        del sys.modules[name]
    sys.path[:0] = paths
    flag, what, *rest = map(str, words)
    if flag == "-m":
        pushed(*rest)
    else:
        exec(compile(what, "<string>", "exec"), {"__name__": "__main__"})


def killed_while_writing(place: str, writes: int, *words: object) -> None:
    """Be `pushforward WORDS`, which is gone after so many writes below a place."""
    import faults

    class Dying(faults._Watcher):
        left = writes

        def tell(self, event: str, path: str) -> None:
            self.left -= 1
            if self.left < 0:
                os._exit(9)

    with faults._watched(Dying(Path(place))):
        pushed(*words)


def killed_in_training(folder: str, step: int) -> None:
    """Be a training that is killed at a step; at step 0, one that goes on from what was left."""
    from engine.test_fit import Duel, data
    from pushforward.core.space import Points
    from pushforward.core.spec import TrainConfig
    from pushforward.engine.fit import fit
    from pushforward.engine.fit_records import Progress
    from pushforward.engine.warm_start import Beginning

    def cut(progress: Progress) -> None:
        if progress.step == step:
            os.kill(os.getpid(), signal.SIGKILL)

    config = TrainConfig(steps=30, batch_size=32, checkpoint_every=4)
    model, place = Duel(Points(2)), Path(folder)
    fit(
        model,
        data(),
        data(60, 1),
        config,
        directory=place,
        begin=Beginning(resumed=step == 0),
        observer=cut,
    )
