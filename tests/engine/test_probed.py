"""Models without a held-out quantity: what a probe measures, and resuming where the probe is another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from pushforward.core.given import Examples
from pushforward.core.rng import generator
from pushforward.core.space import Image, Points
from pushforward.core.spec import TrainConfig
from pushforward.engine.checkpoint import load_weights
from pushforward.engine.fit import fit
from pushforward.engine.fit_records import FitRecord, Progress
from pushforward.engine.steering import Effort
from pushforward.engine.warm_start import AT_CHECKPOINT, UNTRAINED, Beginning
from toys import Gauss


class Unmeasured(Gauss):
    family = "unmeasured"
    capabilities = replace(Gauss.capabilities, held_out="")


ROWS = Examples(torch.randn(100, 2, generator=generator(0)))
SHORT = TrainConfig(steps=20, batch_size=32, evaluate_every=5, checkpoint_every=1)
LONGER = SHORT.model_copy(update={"steps": 40})
OLDER, NEWER = "in one unit", "in another"


def fitted(
    place: Path,
    config: TrainConfig,
    probed: tuple[str, float],
    begin: Beginning = UNTRAINED,
    stop: int = 0,
) -> FitRecord:
    """Train in a folder with a probe that says one number; as abrupt as a kill after step `stop`."""

    def cut(progress: Progress) -> None:
        if progress.step == stop:
            raise SystemError

    name, value = probed
    probe = (name, lambda model: value)
    model = Unmeasured(Points(2))
    return fit(model, ROWS, ROWS, config, directory=place, probe=probe, begin=begin, observer=cut)


def test_a_probe_of_another_unit_begins_anew(tmp_path: Path) -> None:
    with pytest.raises(SystemError):
        fitted(tmp_path, LONGER, (OLDER, 1.0), stop=22)
    # a larger number of another unit is no worse one
    found = fitted(tmp_path, LONGER, (NEWER, 50.0), AT_CHECKPOINT)
    assert (found.held_out_name, found.best_held_out, found.best_step) == (NEWER, 50.0, 25)


def test_a_finished_run_keeps_its_best_and_its_unit(tmp_path: Path) -> None:
    fitted(tmp_path, SHORT, (OLDER, 1.0))
    weights = (tmp_path / "weights.safetensors").read_bytes()
    found = fitted(tmp_path, SHORT, (NEWER, 50.0), AT_CHECKPOINT)
    assert (found.held_out_name, found.best_held_out, found.best_step) == (OLDER, 1.0, 5)
    assert (tmp_path / "weights.safetensors").read_bytes() == weights


def test_the_same_probe_goes_on(tmp_path: Path) -> None:
    fitted(tmp_path, SHORT, (NEWER, 1.0))
    found = fitted(tmp_path, LONGER, (NEWER, 50.0), AT_CHECKPOINT)
    assert (found.best_held_out, found.best_step) == (1.0, 5)


def test_weights_that_were_best_on_fewer_examples_are_measured_again(tmp_path: Path) -> None:
    """A longer training steers by more examples: here the first 64 are easy and the others are not."""
    easy = torch.zeros(64, 2)
    hard = 30.0 + torch.randn(300, 2, generator=generator(1))
    validation = Examples(torch.cat([easy, hard]))
    short = TrainConfig(steps=100, batch_size=32)
    longer = short.model_copy(update={"steps": 3000})
    few, many = (Effort.of(how, len(validation), 1).rows for how in (short, longer))
    assert (few, many) == (64, 364)

    def go(config: TrainConfig, begin: Beginning = UNTRAINED) -> FitRecord:
        model = Gauss(Points(2))
        return fit(model, ROWS, validation, config, directory=tmp_path, begin=begin)

    first = go(short)
    best = load_weights(tmp_path / "weights.safetensors")
    model = Gauss(Points(2))
    model.load_state_dict(best)
    again = go(longer, AT_CHECKPOINT)
    of_all = model.held_out(validation, seed=0)
    assert first.best_held_out is not None
    assert again.best_held_out is not None
    assert of_all is not None
    assert first.best_held_out < 10.0 < again.best_held_out <= float(of_all.double().mean())


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
