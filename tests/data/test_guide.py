"""The guide names every key of data that the code knows, and none that it does not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pushforward.app.runs.opening import KEYS, open_source
from pushforward.core.errors import BadInput

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "data.md").read_text()


def test_the_guide_and_the_code_know_the_same_keys() -> None:
    named = set(re.findall(r"^\| `([\w.]+)` \|", GUIDE, re.MULTILINE))
    assert named == set(KEYS)


def test_an_unknown_key_names_the_nearest() -> None:
    with pytest.raises(BadInput, match=r"unknown key 'data.levls'.*did you mean 'levels'"):
        open_source("digits", {"levls": 3})
