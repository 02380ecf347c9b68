"""The shell completes families, presets, data, runs, solvers, estimators and verbs, the last of several with commas."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pushforward.faces.cli.main import main


@pytest.fixture
def completed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[str], list[str]]:
    """Ask as bash does for what the last word of a line could be."""

    def ask(line: str) -> list[str]:
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", str(len(line.split(" ")) - 1))
        monkeypatch.setenv("_PUSHFORWARD_COMPLETE", "complete_bash")
        with pytest.raises(SystemExit):
            main([])
        return capsys.readouterr().out.split()

    return ask


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("pushforward train di", ["diffusion"]),
        ("pushforward train flow two", ["two-moons"]),
        ("pushforward compare digits --families flow,v", ["flow,vae"]),
        ("pushforward compare digits --preset s", ["smoke"]),
        ("pushforward sweep r --solver dpmpp-2m", ["dpmpp-2m", "dpmpp-2m-sde"]),
        ("pushforward score r d --estimator vlb", ["vlb", "vlb-large", "vlb-small"]),
        ("pushforward schema train", ["train", "train-classifier"]),
        ("pushforward tra", ["train", "train-classifier"]),
    ],
)
def test_names_are_completed(
    completed: Callable[[str], list[str]], line: str, found: list[str]
) -> None:
    assert completed(line) == found


def test_runs_are_found_where_they_lie(
    completed: Callable[[str], list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("runs/flow", "runs/vae", "runs/deep/er/too", ".hidden/run"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "manifest.json").write_text("{}")
    (tmp_path / "runs" / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    assert completed("pushforward probe runs/") == ["runs/flow", "runs/vae"]
    assert completed("pushforward sample runs/v") == ["runs/vae"]
