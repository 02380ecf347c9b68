"""The command line: typer commands, made from requests, that print their answers.

Two ideas: nothing heavy is imported before a command runs, so that help is instant; data goes to
stdout, everything else to stderr, and bad input ends in one sentence and exit status 2.
"""

from __future__ import annotations

import errno
import logging
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, Any

import typer

from pushforward.app.request import Request
from pushforward.core.plugins import blamed, origin, refuse, untold
from pushforward.data.formats.choosing import input_help
from pushforward.faces.cli.commands import command_of, with_values
from pushforward.faces.cli.words import unstoppable_words
from pushforward.faces.verbs import every_verb

OF_THE_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.EIO)
GROUPS = {
    "data": "List and describe data: built-in names, folders of pictures or texts, {formats}, and packed tables (docs/data.md).",
    "course": "Exercises with a checker that knows why you are wrong.",
}


def interface(given: Sequence[str] = ()) -> typer.Typer:
    """Return the commands: one for each verb, made from its request.

    Args:
        given: the words of a command line; if they begin with a verb, its command is made and no
            other.
    """
    app = typer.Typer(name="pushforward", no_args_is_help=True, pretty_exceptions_enable=False)
    app.callback()(common)
    groups = {
        name: typer.Typer(help=text.format(formats=input_help()), no_args_is_help=True)
        for name, text in GROUPS.items()
    }
    verbs = every_verb()
    for request in [verb for verb in verbs if _begins(given, verb)] or verbs:
        group, _, last = request.verb.rpartition(" ")
        if not _can_be_a_command(request):
            continue
        for name in (last, *request.other_names):
            (groups[group] if group else app).command(name, hidden=name != last)(
                command_of(request)
            )
    for name, inner in groups.items():
        app.add_typer(inner, name=name)
    return app


def _can_be_a_command(request: type[Request]) -> bool:
    """Try whether typer can make a command of a stranger's request, so that one that it cannot
    costs only itself."""
    plugin = origin(request)
    if plugin is None:
        return True
    trial = typer.Typer()
    with refuse(plugin):
        trial.command("trial")(command_of(request))
        typer.main.get_command(trial)
        return True
    return False


def _begins(given: Sequence[str], verb: type[Request]) -> bool:
    """Return whether words begin with a verb, behind the one option that may stand before it."""
    group, _, last = verb.verb.rpartition(" ")
    words = tuple(given[1:] if given[:1] == ["--no-limits"] else given)
    names = (last, *verb.other_names)
    return any(words[: len(name)] == name for name in ((*group.split(), one) for one in names))


def print_version(asked: bool) -> None:
    """Print the version and stop, if that is asked."""
    if asked:
        from pushforward import __version__

        print(f"pushforward {__version__}")  # noqa: T201
        raise typer.Exit


def common(
    no_limits: Annotated[
        bool,
        typer.Option(
            "--no-limits", help="Do what was asked even if it is larger than the stated limits."
        ),
    ] = False,
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version and stop.", is_eager=True, callback=print_version
        ),
    ] = False,
) -> None:
    """Train, sample, score and honestly compare five families of generative models on your own
    data."""
    if no_limits:
        from pushforward.core.limits import lift

        lift()


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; the entry point of `pushforward`."""
    given = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in given
    # it belongs to no verb, and is understood behind all of them
    given = (
        ["--no-limits", *(word for word in given if word != "--no-limits")]
        if "--no-limits" in given
        else given
    )
    # threads that spin long at barriers take 40 times as long when another process wants a core,
    # threads that sleep at once twice as long when none does (LOG.md); read when torch is loaded
    os.environ.setdefault("GOMP_SPINCOUNT", "5000")
    with unstoppable_words():
        logging.getLogger("pushforward.plugins").addHandler(logging.NullHandler())  # said below
        try:
            _run(given, debug)
        finally:
            _tell_left_out(given)


def _run(given: list[str], debug: bool) -> None:
    try:
        given = with_values(given, [verb for verb in every_verb() if _begins(given, verb)])
        command = typer.main.get_command(interface(given))
        status = command.main(args=given, prog_name="pushforward", standalone_mode=False) or 0
        if sys.stdout is not None:
            sys.stdout.flush()  # what was printed has arrived before the command counts as done
        sys.exit(status)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)  # noqa: T201
        sys.exit(130)
    except BrokenPipeError:
        _silence()
        sys.exit(0)
    except Exception as error:
        if debug:
            raise
        sys.exit(_complain(error))


def _tell_left_out(given: list[str]) -> None:
    """Say which plug-ins were left out, when all that the command needed has been loaded."""
    if "_PUSHFORWARD_COMPLETE" not in os.environ:  # a shell asks, and nobody reads
        for line in untold(given):
            print(f"pushforward: {line}", file=sys.stderr)  # noqa: T201


def _silence() -> None:
    """Send what is left of the output nowhere, or Python tries once more when it ends, and has the
    last word."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _usage(error: Any) -> int:
    """Say what was wrong with the words themselves; typer's own boxes are not one sentence."""
    if type(error).__name__ == "NoArgsIsHelpError":  # the help was printed before it was raised
        return 2
    context = getattr(error, "ctx", None)
    where = context.command_path if context is not None else "pushforward"
    said = " ".join(error.format_message().split()).rstrip(".")
    print(f"pushforward: {said}; see `{where} --help`", file=sys.stderr)  # noqa: T201
    return 2


def _complain(error: Any) -> int:
    # typer's exceptions moved between its releases and click; all of them can format themselves
    if hasattr(error, "format_message"):
        return _usage(error)
    if type(error).__name__ == "Abort":
        return 130
    from pushforward.core.errors import PushforwardError

    if isinstance(error, PushforwardError):
        print(f"pushforward: {error}", file=sys.stderr)  # noqa: T201
        return error.exit_status
    if isinstance(error, OSError) and error.errno in OF_THE_DISK:
        _silence()
        what = "standard output" if error.filename is None else f"'{str(error.filename)[:80]}'"
        said = f"could not write to {what} ({error.strerror}): expected a place with free space that can be written"
        print(f"pushforward: {said}", file=sys.stderr)  # noqa: T201
        return 1
    if isinstance(error, OSError) and error.filename is not None:
        # a path that no system call takes, or a folder that may not be read: somebody's words, not
        # our fault
        name = str(error.filename)
        shown = name if len(name) <= 80 else name[:77] + "..."
        said = f"'{shown}' ({error.strerror}): expected a path that can be read and written"
        print(f"pushforward: {said}", file=sys.stderr)  # noqa: T201
        return 2
    sentence = str(error).splitlines()[0] if str(error) else ""
    if whose := blamed(error):
        said = f"{whose} failed: {type(error).__name__}: {sentence}"
        print(f"pushforward: {said}; run again with --debug for the traceback", file=sys.stderr)  # noqa: T201
        return 1
    print(  # noqa: T201
        f"pushforward: internal error {type(error).__name__}: {sentence}; run again with --debug for the traceback",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    main()
