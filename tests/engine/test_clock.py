"""A budget of seconds on a machine whose speed changes in the middle."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from pushforward.core.given import Examples, Given
from pushforward.core.loss import Loss
from pushforward.core.noise import Noise
from pushforward.core.space import Points
from pushforward.core.spec import TrainConfig
from pushforward.engine.fit import fit
from pushforward.engine.fit_records import Progress
from toys import Gauss


class Wearing(Gauss):
    """A Gaussian on a machine that becomes ten times slower (or quicker) after `even` steps."""

    family = "wearing"

    def __init__(self, even: int, first: float, then: float) -> None:
        super().__init__(Points(2))
        self.clock, self.taken, self.even, self.first, self.then = 0.0, 0, even, first, then

    def _losses(self, x: Tensor, given: Given | None, noise: Noise) -> Iterator[Loss]:
        self.clock += self.first if self.taken < self.even else self.then
        self.taken += 1
        yield from super()._losses(x, given, noise)


@pytest.mark.parametrize(
    ("even", "first", "then", "steps"), [(20, 0.01, 0.1, 28), (5, 0.1, 0.01, 55)]
)
def test_a_budget_holds_where_the_speed_of_the_machine_changes(
    even: int,
    first: float,
    then: float,
    steps: int,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    model = Wearing(even, first, then)
    monkeypatch.setattr(
        "pushforward.engine.fit.time", SimpleNamespace(perf_counter=lambda: model.clock)
    )
    spent: list[float] = []

    def seen(progress: Progress) -> None:
        spent.append(progress.fraction)

    rows = Examples(torch.randn(100, 2))
    config = TrainConfig(seconds=1.0, batch_size=32)
    record = fit(model, rows, rows, config, directory=tmp_path, observer=seen)
    # the budget is passed by a part of one step, however slow that is; the record tells the steps
    assert abs(record.steps - steps) <= 1  # of a sum of tenths and hundredths
    assert record.stopped == "budget"
    assert 1.0 - 1e-9 <= record.seconds <= 1.0 + max(first, then) + 1e-9
    assert record.history[-1]["step"] == record.steps
    # what goes by the share that is spent, as the learning rate does, follows the clock and not a guess
    assert spent[even - 1] == pytest.approx(even * first)
    assert spent[even] == pytest.approx(even * first + then)
