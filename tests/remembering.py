"""Measure once what many tests of writing need measured: they are about the disk, and equal models have equal scores."""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pushforward.app.measuring import augmenting, comparing, detecting, evaluating, sweeping
from pushforward.app.measuring.evaluating import EvaluationSetting


def remember(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure what has been measured already no second time: equal weights, data and seeds give equal numbers."""

    def once(module: Any, name: str, **fewer: int) -> None:
        real, known = partial(getattr(module, name), **fewer), dict[str, Any]()

        def remembered(*args: Any, **kwargs: Any) -> Any:
            kinds = str, int, float, list, tuple, Path, EvaluationSetting
            parts = [repr(a) if isinstance(a, kinds) else "" for a in args]
            for model in (a for a in args if hasattr(a, "state_dict")):
                parts += [
                    hashlib.sha256(t.numpy().tobytes()).hexdigest()
                    for t in model.state_dict().values()
                ]
            key = repr((parts, kwargs.get("label"), kwargs.get("rows")))
            if key not in known:
                known[key] = real(*args, **kwargs)
            return known[key]

        monkeypatch.setattr(module, name, remembered)

    once(comparing, "measure_controls")
    once(comparing, "assess")
    once(evaluating, "evaluate_run")
    once(evaluating, "evaluate_samples")
    once(evaluating, "detection_power", repeats=5)
    once(sweeping, "sweep")
    once(detecting, "detect")
    once(augmenting, "augment_family")
