"""A choice is declared in one place: from one object, defined here alone, it is in every list that is computed, and works."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import pytest

import pushforward as pf
from pushforward.app.progress.watch import Watch
from pushforward.app.request import Request, Said, argument, option
from pushforward.app.verbs.catalogue import VERBS
from pushforward.faces.cli.completing import completer
from pushforward.faces.cli.main import main
from pushforward.faces.verbs import every_verb

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Command:
    """Call the command line; return exit status, stdout, and stderr in one line."""

    def call(*words: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            main([str(word) for word in words])
        told = capsys.readouterr()
        return int(stop.value.code or 0), told.out, " ".join(told.err.split())

    return call


class CountRequest(Request):
    """Count the bytes of some files."""

    verb = "count"
    files: Annotated[tuple[Path, ...], argument("Files to count.")]
    unit: Annotated[int, option("Bytes that count as one.", "-u", "--unit", ge=1)] = 1

    def answer(self, watch: Watch) -> Said:
        total = sum(path.stat().st_size for path in self.files) // self.unit
        watch.say(f"{len(self.files)} files")
        return Said({"total": total}, f"{total} in all")


def test_a_verb(run: Command, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 30)
    (tmp_path / "b").write_bytes(b"x" * 12)
    with VERBS.with_one_more(CountRequest):
        status, out, _ = run("--help")
        assert status == 0
        assert "Count the bytes of some files." in out
        status, out, _ = run("count", "--help")
        assert all(word in out for word in ("Files to count.", "--unit", "-u", "[x>=1]", "--json"))
        assert run("count", tmp_path / "a", tmp_path / "b", "-u", 2) == (0, "21 in all\n", "2 files")
        assert json.loads(run("count", tmp_path / "a", "--json")[1]) == {"total": 30}
        assert run("count", tmp_path / "a", "-u", 0)[0] == 2
        assert "count" in completer("verbs")("cou")
        schema = json.loads(run("schema", "count")[1])
        assert schema["properties"]["unit"]["minimum"] == 1
        assert schema["required"] == ["files"]
        answer = pf.count([tmp_path / "a"], unit=3)  # type: ignore[attr-defined]
        assert (answer.json(), str(answer)) == ({"total": 10}, "10 in all")
        assert "count" in dir(pf)
    assert run("count", tmp_path / "a")[0] == 2
    assert "count" not in {request.verb for request in every_verb()}


def test_every_field_of_every_verb_says_what_it_is() -> None:
    for request in every_verb():
        assert request.says().endswith((".", "DIRECTORY`.")), request.verb
        for name, field in request.model_fields.items():
            assert field.description, f"{request.verb}: {name}"


def test_python_has_every_verb_of_the_command_line() -> None:
    known: dict[str, Any] = {request.function(): request for request in every_verb()}
    for name, request in known.items():
        if name != "report":  # taken by a room of the house until that is called otherwise
            assert callable(getattr(pf, name)), f"{request.verb} is no function of Python: {name}"
