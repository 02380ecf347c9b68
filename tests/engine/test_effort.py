"""How much of a training goes into held-out evaluations."""

from __future__ import annotations

import pytest
import torch

from pushforward.core.given import Examples
from pushforward.core.model import GenerativeModel
from pushforward.core.space import Points
from pushforward.core.spec import TrainConfig
from pushforward.engine.fit import fit
from pushforward.engine.steering import EVALUATIONS, SHARE, Effort
from pushforward.families.build import build


@pytest.mark.parametrize("steps", [1, 30, 200, 5000])
@pytest.mark.parametrize("batch", [8, 256])
@pytest.mark.parametrize("passes", [1, 8])
def test_a_short_run_measures_little(steps: int, batch: int, passes: int) -> None:
    effort = Effort.of(TrainConfig(steps=steps, batch_size=batch), 1000, passes)
    same = Effort.of(TrainConfig(examples=steps * batch, batch_size=batch), 1000, passes)
    assert effort == same
    assert 64 <= effort.rows <= 512
    assert 2 <= effort.evaluations <= EVALUATIONS
    measured = effort.rows * effort.evaluations * passes
    least = 64 * 2 * passes  # below which nothing steers
    assert measured <= max(least, SHARE * 3 * steps * batch)


def test_what_somebody_chose_stays() -> None:
    chosen = TrainConfig(steps=10, batch_size=8, held_out_rows=300)
    assert Effort.of(chosen, 1000, 8) == Effort(300, 2)
    assert Effort.of(TrainConfig(steps=10, batch_size=8), 5, 1).rows == 5
    assert Effort.of(TrainConfig(seconds=1.0), 1000, 8) == Effort(512, EVALUATIONS)


def test_a_fit_measures_as_often(monkeypatch: pytest.MonkeyPatch) -> None:
    model, rows = build("vae", Points(2)), Examples(torch.randn(600, 2))
    real, seen = GenerativeModel.held_out, []

    def counted(self: GenerativeModel, examples: Examples, seed: int = 0) -> torch.Tensor | None:
        seen.append(len(examples))
        return real(self, examples, seed)

    monkeypatch.setattr(GenerativeModel, "held_out", counted)
    config = TrainConfig(steps=60, batch_size=64)
    effort = Effort.of(config, len(rows), model.held_out_passes)
    fit(model, rows, rows, config)
    assert effort.evaluations == 2
    assert seen == [effort.rows] * 2
