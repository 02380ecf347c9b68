"""What a check found.

One idea: an outcome is true or false, reads as a sentence, and shows the exercise's picture where a notebook displays it.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from pushforward.course.pictures import STYLE


@dataclass(frozen=True)
class Outcome:
    """The result of a check.

    Attributes:
        name: the exercise.
        passed: whether the answer is right.
        says: one or two sentences: what is wrong and, where it is known, which mistake it is.
        stage: where it ended: `written`, `runs`, `arguments`, `value`, `shape`, `type`, `finite`, `law`, `numbers`, `gradient` or
            `passed`.
        known: whether the mistake is in the exercise's catalogue.
        evidence: a case with the number that came and the one expected, empty where there is nothing to show.
        svg: a picture, drawn with the answer that passed.
    """

    name: str
    passed: bool
    says: str
    stage: str
    known: bool = False
    evidence: str = ""
    svg: str = ""

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        mark = "passed" if self.passed else "not yet"
        return f"{self.name}: {mark}. {self.says}" + (f"\n  {self.evidence}" if self.evidence else "")

    __repr__ = __str__

    def _repr_html_(self) -> str:
        colour = "#0b6b4c" if self.passed else "#a03c00"
        mark = "passed" if self.passed else "not yet"
        text = f'<p><b style="color:{colour}">{escape(self.name)}: {mark}.</b> {escape(self.says)}</p>'
        if self.evidence:
            text += f"<pre>{escape(self.evidence)}</pre>"
        return text + (f'{STYLE}<div class="pf">{self.svg}</div>' if self.svg else "")
