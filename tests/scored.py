"""Scores for tests, by their whole name."""

from __future__ import annotations

from typing import Any

from pushforward.core.score import Score
from pushforward.evaluation.cards.metrics import declared


def called(name: str, value: float, n: int = 100, better: str = "lower", **more: Any) -> Score:
    """Return a score as a record has it that is older than the fields that its name is made from."""
    return Score.from_json({"name": name, "value": value, "n": n, "better": better, **more}, declared())
