"""The verbs of the course: list the exercises, write stubs, check answers, give hints."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pushforward.app.request import WIDTH, Answer, Request, Said, argument, option
from pushforward.app.verbs.shared import Words

if TYPE_CHECKING:
    from pushforward.app.progress.watch import Watch
    from pushforward.course.outcome import Outcome


class CourseListRequest(Request):
    """List the exercises: name, function, what it is about."""

    verb = "course list"

    def answer(self, watch: Watch) -> Said:
        """Read the catalogue."""
        from pushforward.course.catalogue import exercises

        fields = [
            {
                "name": e.name,
                "section": e.section,
                "title": e.title,
                "harder": e.harder,
                "function": e.function + e.signature,
                "task": e.task,
            }
            for e in exercises()
        ]
        lines = (
            f"{e.section:>2}  {e.name:<26} {e.title}{' (harder)' if e.harder else ''}"
            for e in exercises()
        )
        return Said({"exercises": fields}, *lines)


class CourseStartRequest(Request):
    """Write a file with every function to fill in."""

    verb = "course start"
    path: Annotated[Path, argument("A new .py file.")]

    def answer(self, watch: Watch) -> Said:
        """Write the file."""
        from pushforward.course.answers import write_stubs

        count = write_stubs(self.path)
        watch.say(f"{count} exercises: {self.path}; then `pushforward course check {self.path}`")
        return Said({"exercises": count, "file": str(self.path)})


class CourseCheckRequest(Request):
    """Say which answers are right and, of the others, which mistake it is; exit 1 if one is
    wrong."""

    verb = "course check"
    path: Annotated[
        Path,
        argument(
            "A .py or .ipynb with your functions; it is run in a process of its own.",
            metavar="FILE",
        ),
    ]
    names: Annotated[Words, argument("Only these.", metavar="[EXERCISE]...")] = ()
    seconds: Annotated[
        float, option("For one answer; a loop that never ends is wrong.", ge=0.1)
    ] = 10.0

    def answer(self, watch: Watch) -> Checked:
        """Run the answers against the oracles."""
        from pushforward.course.isolated import check_file

        found = Checked(check_file(self.path, list(self.names), self.seconds))
        watch.say(f"{found.right} of {len(found.outcomes)} right")
        return found


class Checked(Answer):
    """Which answers are right, and what is wrong with the others."""

    def __init__(self, outcomes: list[Outcome]) -> None:
        self.outcomes, self.right = outcomes, sum(outcome.passed for outcome in outcomes)
        self.status = int(self.right < len(outcomes))

    def json(self) -> dict[str, Any]:
        """Return a record for each answer."""
        fields = ("name", "passed", "says", "evidence")
        return {"checks": [{field: getattr(o, field) for field in fields} for o in self.outcomes]}

    def lines(self, width: int = WIDTH) -> Iterator[str]:
        """Yield what is said of each answer."""
        yield from map(str, self.outcomes)


class CourseHintRequest(Request):
    """Give a hint to an exercise."""

    verb = "course hint"
    name: Annotated[str, argument("An exercise, as `pushforward course list` names it.")]
    level: Annotated[int, option("1 is a nudge, 3 nearly gives it away.")] = 1

    def answer(self, watch: Watch) -> Said:
        """Look the hint up."""
        from pushforward.course.catalogue import hint

        text = hint(self.name, self.level)
        return Said({"name": self.name, "level": self.level, "hint": text}, text)


COURSE = (CourseListRequest, CourseStartRequest, CourseCheckRequest, CourseHintRequest)
