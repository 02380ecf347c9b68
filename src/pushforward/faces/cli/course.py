"""The commands of the course: list the exercises, write stubs, check answers, give hints."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pushforward.faces.cli.options import Debug, JsonFlag

course_app = typer.Typer(help="Exercises with a checker that knows why you are wrong.", no_args_is_help=True)


@course_app.command("list")
def course_list(json: JsonFlag = False, debug: Debug = False) -> None:
    """List the exercises: name, function, what it is about."""
    from pushforward.course.catalogue import exercises
    from pushforward.faces.cli.output import out, out_json

    if json:
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
        out_json({"exercises": fields})
        return
    for e in exercises():
        out(f"{e.section:>2}  {e.name:<26} {e.title}{' (harder)' if e.harder else ''}")


@course_app.command("start")
def course_start(path: Annotated[Path, typer.Argument(help="A new .py file.")], debug: Debug = False) -> None:
    """Write a file with every function to fill in."""
    from pushforward.course.answers import write_stubs
    from pushforward.faces.cli.output import say

    say(f"{write_stubs(path)} exercises: {path}; then `pushforward course check {path}`")


@course_app.command("check")
def course_check(
    path: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="A .py or .ipynb with your functions; it is run in a process of its own."),
    ],
    names: Annotated[list[str] | None, typer.Argument(metavar="[EXERCISE]...", help="Only these.")] = None,
    seconds: Annotated[float, typer.Option(min=0.1, help="For one answer; a loop that never ends is wrong.")] = 10.0,
    json: JsonFlag = False,
    debug: Debug = False,
) -> None:
    """Say which answers are right and, of the others, which mistake it is; exit 1 if one is wrong."""
    from pushforward.course.isolated import check_file
    from pushforward.faces.cli.output import out, out_json, say

    outcomes = check_file(path, names or [], seconds)
    if json:
        out_json(
            {"checks": [{"name": o.name, "passed": o.passed, "says": o.says, "evidence": o.evidence} for o in outcomes]}
        )
    else:
        for outcome in outcomes:
            out(str(outcome))
    right = sum(outcome.passed for outcome in outcomes)
    say(f"{right} of {len(outcomes)} right")
    if right < len(outcomes):
        raise typer.Exit(1)


@course_app.command("hint")
def course_hint(
    name: Annotated[str, typer.Argument(help="An exercise, as `pushforward course list` names it.")],
    level: Annotated[int, typer.Option(help="1 is a nudge, 3 nearly gives it away.")] = 1,
    debug: Debug = False,
) -> None:
    """Give a hint to an exercise."""
    from pushforward.course.catalogue import hint
    from pushforward.faces.cli.output import out

    out(hint(name, level))
