"""A rational-quadratic coupling flow against zuko's neural spline flow of equal depth and bins, about equal in parameters."""

from __future__ import annotations

import torch
import zuko
from paired import paired

from pushforward.core.noise import BatchNoise
from pushforward.core.rng import generator
from pushforward.core.space import Points
from pushforward.families.build import build

DIMENSIONS, BATCH = 2, 512


def main() -> None:
    """Print ratios for a training step, a log-probability and a sample."""
    torch.manual_seed(0)
    ours = build(
        "flow", Points(DIMENSIONS), values={"layers": 6, "width": 64, "bins": 16, "depth": 1}
    )
    theirs = zuko.flows.NSF(DIMENSIONS, transforms=6, bins=16, hidden_features=(64, 128, 64))
    counts = [sum(p.numel() for p in m.parameters()) for m in (ours, theirs)]
    print(f"parameters: ours {counts[0]}, zuko {counts[1]}")
    x = torch.randn(BATCH, DIMENSIONS, generator=generator(0))

    def our_step() -> None:
        (loss,) = ours.losses(_examples(x), BatchNoise(generator(1), len(_examples(x))))
        loss.value.backward()

    def zuko_step() -> None:
        (-theirs().log_prob(x).mean()).backward()

    paired("training step, forward and back", our_step, "zuko", zuko_step)
    with torch.no_grad():
        paired(
            "log p of 512 points", lambda: ours.log_prob(x), "zuko", lambda: theirs().log_prob(x)
        )
        sample = lambda: ours.sample(BATCH, batch=BATCH)  # noqa: E731
        paired(
            "512 samples",
            sample,
            "zuko (autoregressive inverse)",
            lambda: theirs().sample((BATCH,)),
        )


def _examples(x: torch.Tensor):
    from pushforward.core.given import Examples

    return Examples(x)


if __name__ == "__main__":
    main()
