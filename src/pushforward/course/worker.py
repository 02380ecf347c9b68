"""The process in which a file of answers runs.

One idea: nothing that a file does to this process decides a verdict. It says what it found, one
line of JSON after the other, in a file that the process which asked reads (`course/isolated.py`);
whoever says nothing has not passed.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from torch import Tensor

from pushforward.core.errors import BadInput

MEMORY = 8 * 2**30  # bytes that a file of answers may take


def main(words: list[str]) -> None:
    """Run a file of answers, check them and write what was found.

    Args:
        words: where to write, the file, seconds for each check, and the exercises to check, all
            that the file answers if none.
    """
    from pushforward.course.answers import read_answers
    from pushforward.course.checking import judge
    from pushforward.course.outcome import TELLS

    report, path, seconds, names = words[0], Path(words[1]), float(words[2]), words[3:]
    _limit_memory()
    TELLS.set(False)
    sys.path.append(str(path.resolve().parent))
    try:
        answers = read_answers(path)
    except BadInput as bad:
        _say(report, {"bad": [bad.came, bad.expected, bad.fix]})
        return
    _say(report, {"answers": list(answers)})
    for name in names or answers:
        if name in answers:
            _say(report, {"begins": name})
            verdict = judge(name, answers[name], seconds, picture=False)
            outcome = verdict.outcome
            said = {
                key: getattr(outcome, key)
                for key in ("name", "passed", "says", "stage", "known", "evidence")
            }
            _say(
                report,
                {
                    "outcome": said,
                    "values": [_listed(one) for one in verdict.values] if outcome else [],
                },
            )
    _say(report, {"ends": True})


def _listed(values: tuple[Tensor, ...] | None) -> list[Any] | None:
    return None if values is None else [value.detach().double().tolist() for value in values]


def _say(report: str, what: dict[str, Any]) -> None:
    """Add a line; the file is opened anew, for answers may have closed whatever was open."""
    with Path(report).open("a", encoding="utf-8") as file:
        file.write(json.dumps(what) + "\n")


def _limit_memory() -> None:
    """Let what takes all memory fail here, before the machine does."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        limit = MEMORY if hard == resource.RLIM_INFINITY else min(MEMORY, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


if __name__ == "__main__":
    # Ctrl-C is for the process that asked, which ends this one; whatever interrupts here was raised
    # by the file
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    main(sys.argv[1:])
    # threads that a file has left behind are not waited for
    os._exit(0)
