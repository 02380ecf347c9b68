"""A choice is declared in one place: from one object, defined here alone, it is in every list that is computed, and works."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
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


def test_a_format_of_files(run: Command, tmp_path: Path) -> None:
    """It opens, trains, is written, and is named in refusals and in help."""
    from pushforward.app.writing.using import draw
    from pushforward.core.errors import BadInput
    from pushforward.data.formats.choosing import output_help, table_of_formats
    from pushforward.data.formats.file_formats import FORMATS
    from pushforward.data.formats.format import Format, ReadOptions, Samples
    from pushforward.data.write import write_samples

    def read(path: Path, how: ReadOptions) -> np.ndarray:
        return np.array([[float(cell) for cell in line.split("/")] for line in path.read_text().splitlines()])

    def write(samples: Samples, path: Path) -> bytes:
        return "".join("/".join(map(repr, row)) + "\n" for row in samples.x.tolist()).encode()

    slashed = Format(
        "slashed",
        "numbers between slashes",
        (".slashed",),
        holds=("points",),
        reader=read,
        writes=("arrays",),
        writer=write,
    )
    path, other = tmp_path / "in.slashed", tmp_path / "in.mp4"
    path.write_text("".join(f"{x!r}/{y!r}\n" for x, y in np.random.default_rng(0).normal(size=(60, 2)).tolist()))
    other.write_bytes(bytes(9))
    with FORMATS.with_one_more(slashed):
        fitted = pf.fit("flow", str(path), steps=2, preset="smoke", path=tmp_path / "run")
        samples = draw(fitted.model, 5)
        assert write_samples(tmp_path / "out.slashed", samples) == [tmp_path / "out.slashed"]
        np.testing.assert_array_equal(read(tmp_path / "out.slashed", ReadOptions()), samples.x.double().numpy())
        with pytest.raises(BadInput, match=r"expected .*\.slashed"):
            pf.load(str(other))
        with pytest.raises(BadInput, match=r"a name that ends in .*\.slashed"):
            write_samples(tmp_path / "out.mp4", samples)
        assert ".slashed" in output_help()
        assert any(row[0] == "slashed" for row in table_of_formats())
        verb = importlib.reload(importlib.import_module("pushforward.app.verbs.sample")).SampleRequest
        assert ".slashed" in verb.model_fields["output"].description
        assert ".slashed" in run("data", "--help")[1]
    importlib.reload(importlib.import_module("pushforward.app.verbs.sample"))
    with pytest.raises(BadInput, match=r"ends in '\.slashed'"):
        pf.load(str(other.rename(tmp_path / "x.slashed")))


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
