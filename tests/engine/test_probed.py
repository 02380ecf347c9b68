"""Models without a held-out quantity: what a probe measures, and resuming where the probe is another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from pushforward.core.given import Examples
from pushforward.core.space import Image, Points
from pushforward.core.spec import TrainConfig
from pushforward.engine.fit import fit
from pushforward.engine.fit_records import FitRecord, Progress
from pushforward.engine.warm_start import AT_CHECKPOINT, UNTRAINED, Beginning
from toys import Gauss


class Unmeasured(Gauss):
    family = "unmeasured"
    capabilities = replace(Gauss.capabilities, held_out="")


def test_a_probe_of_another_name_begins_anew(tmp_path: Path) -> None:
    rows = Examples(torch.randn(100, 2))
    config = TrainConfig(steps=40, batch_size=32, evaluate_every=5, checkpoint_every=1)

    def cut(progress: Progress) -> None:
        if progress.step == 22:
            raise SystemError

    with pytest.raises(SystemError):
        fit(
            Unmeasured(Points(2)),
            rows,
            rows,
            config,
            directory=tmp_path,
            probe=("in one unit", lambda model: 1.0),
            observer=cut,
        )
    # a larger number of another unit is no worse one
    found = fit(
        Unmeasured(Points(2)),
        rows,
        rows,
        config,
        directory=tmp_path,
        probe=("in another", lambda model: 50.0),
        begin=AT_CHECKPOINT,
    )
    assert (found.best_held_out, found.best_step) == (50.0, 25)


def test_the_same_probe_goes_on(tmp_path: Path) -> None:
    rows = Examples(torch.randn(100, 2))
    short = TrainConfig(steps=20, batch_size=32, evaluate_every=5)
    longer = short.model_copy(update={"steps": 40})

    def fitted(config: TrainConfig, value: float, begin: Beginning) -> FitRecord:
        probe = ("distance", lambda model: value)
        model = Unmeasured(Points(2))
        return fit(model, rows, rows, config, directory=tmp_path, probe=probe, begin=begin)

    fitted(short, 1.0, UNTRAINED)
    found = fitted(longer, 50.0, AT_CHECKPOINT)
    assert (found.best_held_out, found.best_step) == (1.0, 5)


def test_a_pixel_at_the_rim_counts_for_as_little_as_it_shows() -> None:
    space = Image(1, 1, 3)
    x = torch.tensor([[0, 0, 200], [0, 1, 0], [0, 0, 100], [0, 0, 220]]).view(4, 1, 1, 3)
    scale = space.scale(x)
    assert scale.shape == ()
    assert float(scale) == pytest.approx(x.double().std().item())
    assert float(space.scale(torch.zeros(3, 1, 1, 3))) == 1.0
    assert float(Image(1, 1, 1).scale(torch.ones(1, 1, 1, 1))) == 1.0
    columns = Points(2).scale(torch.tensor([[0.0, 1e6], [2.0, 3e6]]))
    assert columns.tolist() == [1.0, 1e6]
