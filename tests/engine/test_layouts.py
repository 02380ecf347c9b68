"""A training in another layout of memory goes on as if it had never stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from pushforward.core.given import Examples, Given
from pushforward.core.space import Image
from pushforward.core.spec import TrainConfig
from pushforward.engine.fit import fit
from pushforward.engine.fit_records import Progress
from pushforward.engine.optimiser import (
    build_optimisers,
    follow_layout,
    optimiser_tensors,
    restore_optimisers,
    take_step,
)
from pushforward.engine.warm_start import AT_CHECKPOINT
from pushforward.families.build import build

SPACE = Image(2, 8, 8, levels=16)
SMALL: dict[str, dict[str, Any]] = {
    "diffusion": {"architecture": "experts", "width": 64, "depth": 1},
    "vae": {"latent": 4, "width": 8, "depth": 1},
    "gan": {"latent": 4, "width": 8, "depth": 1},
    "flow": {"layers": 1, "width": 16, "depth": 1, "bins": 4},
}


def data() -> Examples:
    draw = torch.Generator().manual_seed(0)
    return Examples(
        torch.randint(0, 16, (40, 2, 8, 8), generator=draw), Given(torch.arange(40) % 2)
    )


@pytest.mark.parametrize(
    ("family", "optimiser"), [*((family, "adamw") for family in SMALL), ("diffusion", "muon")]
)
def test_resume_with_channels_last_equals_never_stopping(
    family: str, optimiser: str, tmp_path: Path
) -> None:
    """The fused AdamW walks through memory: moments in another layout than their weight's are those
    of other weights."""
    config = TrainConfig(
        steps=6,
        batch_size=8,
        learning_rate=0.01,
        optimiser=optimiser,
        channels_last=True,
        checkpoint_every=1,
        held_out_rows=8,
    )

    def new() -> Any:
        return build(family, SPACE, ("a", "b"), SMALL[family])

    whole, again = new(), new()
    fit(whole, data(), data()[:8], config, directory=tmp_path / "whole")

    def cut(progress: Progress) -> None:
        if progress.step == 3:
            raise SystemError

    with pytest.raises(SystemError):
        fit(new(), data(), data()[:8], config, directory=tmp_path / "cut", observer=cut)
    fit(again, data(), data()[:8], config, directory=tmp_path / "cut", begin=AT_CHECKPOINT)
    for name, value in whole.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name
    weights = [(tmp_path / run / "weights.safetensors").read_bytes() for run in ("whole", "cut")]
    assert weights[0] == weights[1]


@pytest.mark.parametrize("restored", [False, True])
def test_moments_follow_the_layout_of_their_weight(restored: bool) -> None:
    """Two filters with one history, one of which changes its layout half way, end alike."""
    draw = torch.Generator().manual_seed(0)
    start, grads = (
        torch.randn(4, 3, 3, 3, generator=draw),
        torch.randn(6, 4, 3, 3, 3, generator=draw),
    )
    ends = []
    for layout in (torch.contiguous_format, torch.channels_last):
        weight = nn.Parameter(start.clone())
        groups, config = {"model": [weight]}, TrainConfig(learning_rate=0.1)
        optimisers = build_optimisers(groups, config)
        for step, grad in enumerate(grads):
            if step == 3:
                if restored:
                    kept = {k: v.contiguous() for k, v in optimiser_tensors(optimisers).items()}
                    optimisers = build_optimisers(groups, config)
                    restore_optimisers(optimisers, kept)
                weight.data = weight.data.contiguous(memory_format=layout)
                follow_layout(optimisers)
            weight.grad = torch.empty_like(weight).copy_(grad)
            take_step(optimisers["model"])
        ends.append(weight.detach())
    assert torch.allclose(ends[0], ends[1], atol=1e-6)
