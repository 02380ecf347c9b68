"""What may be overwritten: only what Pushforward wrote, and never a place that a person did not mean."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from faults import every_kill
from pushforward.app.measuring.kept import held_comparison
from pushforward.app.runs.planning import plan_training
from pushforward.app.runs.training import train
from pushforward.core.errors import BadInput
from pushforward.data.open import open_data
from pushforward.provenance.lock import LOCK, writing
from pushforward.provenance.ownership import claim, holdings

# what other tools leave under the names that are used here
EXTENSION = {"manifest_version": 3, "name": "An extension", "version": "1.0"}
WEB_APP = {"name": "app", "short_name": "app", "start_url": ".", "display": "standalone"}
OTHERS = [
    EXTENSION,
    WEB_APP,
    {"format": 1, "files": []},
    {"format": 1, "status": "ok"},
    [1, 2],
    "text",
    7,
    None,
]


def tree(path: Path) -> dict[str, bytes | None]:
    """Return all that lies in a folder, links as they are."""
    found: dict[str, bytes | None] = {}
    for one in sorted(path.rglob("*")):
        name = str(one.relative_to(path))
        found[name] = (
            os.readlink(one).encode()
            if one.is_symlink()
            else one.read_bytes()
            if one.is_file()
            else None
        )
    return found


@pytest.fixture(scope="module")
def run_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes | None]:
    """A real run with everything that a training writes."""
    path = tmp_path_factory.mktemp("made") / "run"
    settings = {"train": {"ema_snapshots": 2, "checkpoint_every": 1}}
    plan = plan_training(
        "flow", open_data("two-moons"), budget={"steps": 2}, preset="smoke", overrides=settings
    )
    train(plan, path)
    (path / "scores.json").write_text("{}")
    return tree(path)


@pytest.fixture
def make(run_files: dict[str, bytes | None]) -> Callable[[Path], Path]:
    """Lay a copy of the run somewhere."""

    def lay(path: Path) -> Path:
        for name, content in run_files.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            if content is not None:
                (path / name).write_bytes(content)
        return path

    return lay


def test_all_that_a_training_writes_is_known_and_removed(make, tmp_path: Path, run_files) -> None:
    run = make(tmp_path / "run")
    assert {str(f.relative_to(run)) for f in holdings(run).files} == {
        n for n, c in run_files.items() if c is not None
    }
    assert not holdings(run).foreign
    with pytest.raises(BadInput, match=r"holds another run.*--resume.*--overwrite"):
        claim(run)
    with writing(run):
        claim(run, overwrite=True)
        assert tree(run).keys() == {LOCK}
    assert tree(run) == {}


@pytest.mark.parametrize("record", OTHERS, ids=lambda r: json.dumps(r)[:20])
@pytest.mark.parametrize("kind", ["run", "comparison", "classifier"])
def test_a_manifest_of_another_program_is_not_ours(tmp_path: Path, record: Any, kind: Any) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps(record))
    (tmp_path / "weights.safetensors").write_bytes(b"theirs")
    before = tree(tmp_path)
    with pytest.raises(BadInput, match=r"holds other files \(manifest.json, weights"):
        claim(tmp_path, True, kind)
    assert tree(tmp_path) == before


FOREIGN = """notes.txt README.md state/notes.txt other/manifest.json state/ema/best.safetensors .git/HEAD samples.png config.yaml~
weights.safetensors.bak .notes.txt.12.part state/last.safetensors.1"""


@pytest.mark.parametrize("name", FOREIGN.split())
def test_one_foreign_file_protects_the_whole_directory(make, tmp_path: Path, name: str) -> None:
    run = make(tmp_path / "run")
    (run / name).parent.mkdir(parents=True, exist_ok=True)
    (run / name).write_text("mine")
    before = tree(run)
    with pytest.raises(BadInput, match="holds other files") as refused:
        claim(run, overwrite=True)
    assert name.split("/")[0] in str(refused.value)
    assert tree(run) == before


@pytest.mark.parametrize("inside", ["weights.safetensors", "state", "manifest.json", "state/ema"])
def test_links_inside_are_not_followed(make, tmp_path: Path, inside: str) -> None:
    run, away = make(tmp_path / "run"), tmp_path / "away"
    (run / inside).rename(away)
    (run / inside).symlink_to(away)
    before = tree(tmp_path)
    with pytest.raises(BadInput, match="holds other files"):
        claim(run, overwrite=True)
    assert tree(tmp_path) == before


@pytest.mark.parametrize("where", [".", "", "..", "../..", "inner/.."])
def test_the_current_directory_and_what_holds_it_are_kept(
    make, tmp_path: Path, monkeypatch, where: str
) -> None:
    for place in (tmp_path / "a", tmp_path / "a" / "state", tmp_path / "a" / "state" / "ema"):
        make(place)
    here = make(tmp_path / "b" / "run")
    inside = {"..": here / "state", "../..": here / "state" / "ema"}.get(where, here)
    monkeypatch.chdir(inside)
    before = tree(tmp_path)
    target = Path("state/..") if where == "inner/.." else Path(where)
    with pytest.raises(BadInput, match="the current directory"):
        claim(target, overwrite=True)
    assert tree(tmp_path) == before


def test_home_and_links_to_elsewhere_are_kept(make, tmp_path: Path, monkeypatch) -> None:
    run = make(tmp_path / "run")
    (tmp_path / "link").symlink_to(run)
    before = tree(tmp_path)
    with pytest.raises(BadInput, match="a link to"):
        claim(tmp_path / "link", overwrite=True)
    for home in (run, run / "state"):
        monkeypatch.setenv("HOME", str(home))
        with pytest.raises(BadInput, match="the home directory"):
            claim(run, overwrite=True)
    assert tree(tmp_path) == before


def test_what_is_no_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "nothing").symlink_to(tmp_path / "gone")
    for name, words in (("file", "this is a file"), ("nothing", "this is a link to nothing")):
        for overwrite in (False, True):
            with pytest.raises(BadInput, match=words):
                claim(tmp_path / name, overwrite)
    with (
        pytest.raises(BadInput, match=r"could not write .*below"),
        writing(tmp_path / "file" / "below"),
    ):
        pytest.fail("a folder in a file")
    assert (tmp_path / "file").read_text() == "mine"


def test_a_kind_replaces_its_own_kind_only(make, tmp_path: Path) -> None:
    run = make(tmp_path / "run")
    with pytest.raises(BadInput, match="it holds a run"):
        claim(run, True, "comparison")
    with held_comparison(tmp_path / "c", ["flow"]):
        make(tmp_path / "c" / "flow")
    with pytest.raises(BadInput, match="it holds a comparison"):
        claim(tmp_path / "c", True, "run")
    with pytest.raises(BadInput, match="holds another comparison"):
        claim(tmp_path / "c", False, "comparison")


def test_a_comparison_takes_its_own_runs_and_no_other(make, tmp_path: Path) -> None:
    place = tmp_path / "c"
    with held_comparison(place, ["flow", "vae", "../run"]):
        make(place / "flow")
    make(tmp_path / "run")  # beside it, whatever the manifest says
    make(place / "mine")
    before = tree(tmp_path)
    with pytest.raises(BadInput, match=r"holds other files \(mine\)"):
        claim(place, True, "comparison")
    (place / "mine").rename(tmp_path / "mine")
    (place / "flow" / "notes.txt").write_text("mine")
    with pytest.raises(BadInput, match=r"holds other files \(flow/notes.txt\)"):
        claim(place, True, "comparison")
    (place / "flow" / "notes.txt").unlink()
    with held_comparison(place, ["gan"], overwrite=True):
        assert {n for n in tree(place) if LOCK not in n} == {"manifest.json"}
    assert {n: c for n, c in tree(tmp_path).items() if n[:2] != "c/"}.keys() >= {
        "run/weights.safetensors",
        "mine",
    }
    assert (
        before["run/weights.safetensors"] == (tmp_path / "run" / "weights.safetensors").read_bytes()
    )


def test_a_folder_of_runs_is_no_comparison(make, tmp_path: Path) -> None:
    for name in ("flow", "vae"):
        make(tmp_path / "runs" / name)
    before = tree(tmp_path)
    with pytest.raises(BadInput, match=r"holds other files \(flow, vae\)"):
        claim(tmp_path / "runs", True, "comparison")
    assert tree(tmp_path) == before


def test_a_removal_that_stops_anywhere_can_be_repeated(make, tmp_path: Path) -> None:
    run = make(tmp_path / "run")
    with every_kill(run, tmp_path / "kills", dust=True) as kills:
        claim(run, overwrite=True)
    assert len(kills) > 8
    for _, left in kills:
        claim(left, overwrite=True)
        assert not list(left.iterdir())


def test_a_newer_format_is_left_alone(make, tmp_path: Path) -> None:
    run = make(tmp_path / "run")
    record = json.loads((run / "manifest.json").read_text())
    (run / "manifest.json").write_text(json.dumps({**record, "format": 99}))
    before = tree(run)
    with pytest.raises(BadInput, match="update pushforward"):
        claim(run, overwrite=True)
    assert tree(run) == before
