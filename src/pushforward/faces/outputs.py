"""No command writes over what it reads, nor works for an output that cannot be written.

One idea: the file behind `-o` is looked at once, for every verb, before any of them runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

PAGE = "report.html"  # the one file in a comparison's directory that is made again


def refuse_inputs(params: Mapping[str, Any]) -> None:
    """Refuse an output that would replace an input of the same command, a run's own data, or a file
    in a run.

    Raises:
        BadInput: names the output and what it is.
        RunFailed: the folder that it would be in may not be written.
    """
    said = params.get("output")
    if not isinstance(said, str | Path):
        return
    from pushforward.core.files import require_writable

    output = Path(said)
    require_writable(output)  # an hour of work is not done first
    if not (output.suffix or output.is_file()) or output.is_dir():
        return
    from pushforward.core.errors import BadInput

    fix = "choose another -o: nothing was written"
    for given in _paths({name: value for name, value in params.items() if name != "output"}):
        what = _meets(output, given)
        if what:
            raise BadInput(f"the output {output}, which is {what}", "a file of its own", fix)
    from pushforward.provenance.ownership import manifest_of

    for folder in (output.parent, output.parent.parent):
        found = manifest_of(folder)
        if (
            found is not None
            and output.name != PAGE
            and (folder == output.parent or output.parent.name == "state")
        ):
            raise BadInput(
                f"the output {output}, in the directory of a {found['kind']}",
                "a file of its own",
                fix,
            )


def _meets(output: Path, given: Path) -> str:
    """Return what an output is to an input, empty if they have nothing to do with each other."""
    if not output.is_file():
        return ""
    if given.is_file():
        return f"the input {given}" if given.samefile(output) else ""
    if given.resolve() in output.resolve().parents and output.name != PAGE:
        return f"a file of the input {given}"
    from pushforward.provenance.ownership import manifest_of

    facts = (manifest_of(given) or {}).get("data")
    source = Path(str(facts.get("source", ""))) if isinstance(facts, Mapping) else Path()
    if source.is_file() and source.samefile(output):
        return f"what {given} was trained on"
    within = (
        source.is_absolute() and source.is_dir() and source.resolve() in output.resolve().parents
    )
    return f"a file of the folder that {given} was trained on" if within else ""


def _paths(params: Mapping[str, Any]) -> Iterator[Path]:
    """Yield what of the words of a command names something that is there."""
    for value in params.values():
        for word in value if isinstance(value, list | tuple) else (value,):
            if (
                isinstance(word, str | Path)
                and str(word)
                and len(str(word)) < 4000
                and "\0" not in str(word)
            ):
                # `inception:weights.pth` names a file, too
                for text in {str(word), str(word).partition(":")[2].partition(",")[0]} - {""}:
                    try:
                        if Path(text).exists():
                            yield Path(text)
                    except OSError:
                        continue
