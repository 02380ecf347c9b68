"""What other packages announce is in every list; what cannot be used is named, skipped, and the rest works."""

from __future__ import annotations

import json
import subprocess
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from pushforward.core import plugins
from pushforward.core.choice import Choice
from pushforward.core.registry import Registry
from strangers_package import seeing

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "examples" / "plugin"
MODULE = """
from dataclasses import dataclass
from pushforward.core.choice import Choice

GOOD = Choice("good", "one that works")
TAKEN = Choice("known", "a name that is taken")
OTHER = 3
NAMELESS = Choice("", "no name")

def __getattr__(name):
    if name == "LACKING":
        return Choice("only a name")
    raise AttributeError(name)
"""


@pytest.fixture
def announce(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Announce entry points of a module in a folder of its own."""
    (tmp_path / "stranger.py").write_text(MODULE)
    (tmp_path / "broken.py").write_text("raise RuntimeError('two\\nlines')\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(plugins, "_REFUSED", [])

    def do(**targets: str) -> None:
        found = tuple(EntryPoint(name, value, plugins.GROUP) for name, value in targets.items())
        monkeypatch.setattr(plugins, "_all", lambda: found)

    return do


def things() -> Registry[Choice]:
    return Registry("a thing", {"known": f"{__name__}:KNOWN"}, of="pushforward.core.choice:Choice")


KNOWN = Choice("known", "one of the house")


def test_a_choice_of_another_package_is_in_the_registry(announce) -> None:
    announce(**{"a-thing.good": "stranger:GOOD", "another.good": "broken:GOOD"})
    registry = things()
    assert registry.names() == ("known", "good")
    assert registry.load("good").says == "one that works"
    assert plugins.refused() == ()  # what is of another kind is not even imported


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("broken:GOOD", "RuntimeError: two lines"),
        ("nowhere:GOOD", "ModuleNotFoundError"),
        ("stranger:MISSING", "AttributeError: MISSING"),
        ("stranger:LACKING", "TypeError"),
        ("stranger:OTHER", "BadInput: a int: expected a Choice"),
        ("stranger:TAKEN", "a thing 'known' is registered twice"),
        ("stranger:NAMELESS", "without a name"),
    ],
)
def test_what_cannot_be_used_is_named_and_skipped(announce, target: str, says: str) -> None:
    announce(**{"a-thing.bad": target, "a-thing.good": "stranger:GOOD"})
    assert things().names() == ("known", "good")
    (refused,) = plugins.refused()
    assert (refused.name, says in refused.reason) == ("a-thing.bad", True), refused
    assert len(str(refused).splitlines()) == 1


def test_the_example_package(tmp_path: Path) -> None:
    announced = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    facts = tmp_path / "pushforward_example-0.1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {announced['name']}\nVersion: {announced['version']}\n"
    )
    points = announced["entry-points"]["pushforward"]
    points = {**points, "verb.broken": "nothing_of_the_kind:VERB"}
    (facts / "entry_points.txt").write_text(
        "[pushforward]\n" + "".join(f"{k} = {v}\n" for k, v in points.items())
    )

    def call(*words: str) -> subprocess.CompletedProcess[str]:
        return seeing([EXAMPLE, tmp_path], "-m", "pushforward", *words)

    shown = call("--help")
    assert "Count the examples of some data" in shown.stdout
    assert (
        "the plug-in 'verb.broken' of pushforward-example was left out: ModuleNotFoundError"
        in shown.stderr
    )
    counted = call("count", "digits", "--json")
    assert counted.returncode == 0, counted.stderr
    found = json.loads(counted.stdout)
    assert (found["examples"], sum(found["classes"].values()), len(found["classes"])) == (
        1797,
        1797,
        10,
    )
