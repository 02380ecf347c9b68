"""What a check found.

Two ideas: an outcome is true or false, reads as a sentence, and shows the exercise's picture where
a notebook displays it; in a script, where nothing displays a value, an outcome that nobody prints
is printed, once.
"""

from __future__ import annotations

import atexit
import dis
import sys
from contextvars import ContextVar
from dataclasses import dataclass, field
from html import escape
from types import FrameType

from pushforward.course.pictures import STYLE

# off where a file is run for its functions: whoever runs it shows the outcomes
TELLS: ContextVar[bool] = ContextVar("TELLS", default=True)


@dataclass(frozen=True)
class Outcome:
    """The result of a check.

    Attributes:
        name: the exercise.
        passed: whether the answer is right.
        says: one or two sentences: what is wrong and, where it is known, which mistake it is.
        stage: where it ended: `written`, `runs`, `arguments`, `value`, `shape`, `type`, `finite`,
            `precision`, `law`, `numbers`, `gradient` or `passed`.
        known: whether the mistake is in the exercise's catalogue.
        evidence: a case with the number that came and the one expected, empty where there is
            nothing to show.
        svg: a picture, drawn with the answer that passed.
    """

    name: str
    passed: bool
    says: str
    stage: str
    known: bool = False
    evidence: str = ""
    svg: str = ""
    _read: list[bool] = field(default_factory=list, compare=False, repr=False)

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        self._read.append(True)
        return self._text()

    __repr__ = __str__

    def _text(self) -> str:
        mark = "passed" if self.passed else "not yet"
        return f"{self.name}: {mark}. {self.says}" + (
            f"\n  {self.evidence}" if self.evidence else ""
        )

    def _repr_html_(self) -> str:
        self._read.append(True)
        colour = "#0b6b4c" if self.passed else "#a03c00"
        mark = "passed" if self.passed else "not yet"
        text = (
            f'<p><b style="color:{colour}">{escape(self.name)}: {mark}.</b> {escape(self.says)}</p>'
        )
        if self.evidence:
            text += f"<pre>{escape(self.evidence)}</pre>"
        return text + (f'{STYLE}<div class="pf">{self.svg}</div>' if self.svg else "")


def telling(outcome: Outcome, caller: FrameType) -> Outcome:
    """Return an outcome, and print it if the script that asked does not.

    Where a line drops it, or only asks whether it is true, it is printed now. A script that keeps
    it may print it; if nobody has by the end, it is printed then. A notebook and the prompt of an
    interpreter show the value of a line themselves.

    Args:
        caller: the frame that asked for the check.
    """
    if not TELLS.get() or hasattr(sys, "ps1"):
        return outcome
    while caller.f_code.co_filename.startswith("<@") and caller.f_back is not None:
        caller = caller.f_back  # what checks types of arguments wraps functions in its own
    if _dropped(caller):
        _tell(outcome._text(), [])
    elif caller.f_globals.get("__name__") == "__main__":
        atexit.register(_tell, outcome._text(), outcome._read)
    return outcome


def _dropped(caller: FrameType) -> bool:
    """Whether the instruction after a call throws its value away, or only asks whether it is
    true."""
    after = (
        i.opname
        for i in dis.get_instructions(caller.f_code)
        if i.offset > caller.f_lasti and i.opname != "CACHE"
    )
    following = next(after, "")
    return following in ("POP_TOP", "UNARY_NOT", "TO_BOOL") or "JUMP" in following


def _tell(text: str, read: list[bool]) -> None:
    if not read:
        print(text, flush=True)  # noqa: T201  a script's own output
