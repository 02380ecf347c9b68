"""The U-Net of diffusion on 32 x 32 images against diffusers' UNet2DModel of about equal size: images a second, and error.

    python benchmarks/bench_unet.py [threads, 1] [MNIST train-images file.gz, to compare errors after 15,040 equal images]

The peer keeps its defaults (three attention scales, two blocks a scale, single precision) but for its channels, 16, 32, 48 and
72 in place of 224 to 896, and eight groups. Ours runs as the `cpu` preset runs it: bfloat16 where convolutions are, weights in
single precision.
"""

from __future__ import annotations

import gzip
import math
import sys
import warnings

import numpy as np
import torch
from paired import paired
from torch import Tensor, nn

from pushforward.core.given import Examples
from pushforward.core.model import GenerativeModel
from pushforward.core.rng import generator
from pushforward.core.space import Image
from pushforward.core.spec import TrainConfig
from pushforward.engine.fit import fit
from pushforward.engine.precision import prepared_networks, resolved
from pushforward.families.build import build

BATCH, STEPS = 64, 235
CHANNELS, GROUPS = (16, 32, 48, 72), 8


class Peer(nn.Module):
    """UNet2DModel behind the interface of our networks; its time runs from about 90 to 880."""

    def __init__(self) -> None:
        super().__init__()
        from diffusers import UNet2DModel

        self.net = UNet2DModel(
            sample_size=32,
            in_channels=2,
            out_channels=1,
            block_out_channels=CHANNELS,
            norm_num_groups=GROUPS,
        )

    def forward(self, x: Tensor, value: Tensor, label: Tensor | None = None) -> Tensor:
        """Shapes as `ScalarConditioned`."""
        return self.net(x, (value + 2.0) * 300.0).sample


def model_of(peer: bool) -> GenerativeModel:
    """Return a diffusion model of 32 x 32 images, with our network or the peer's."""
    model = build(
        "diffusion", Image(1, 32, 32), values={"width": 32, "depth": 1, "context": 64}, seed=0
    )
    if peer:
        torch.manual_seed(0)
        model.process.denoiser.network = Peer()  # type: ignore[attr-defined, union-attr]
    return model


def speeds(threads: int) -> None:
    """Print ratios for a training step and for a network call."""
    ours, theirs = (model_of(peer).networks()["denoiser"] for peer in (False, True))
    counts = [sum(p.numel() for p in net.parameters()) for net in (ours, theirs)]
    print(
        f"parameters: ours {counts[0]:,}, diffusers {counts[1]:,}; batch {BATCH}, {threads} thread(s)"
    )
    x, s = torch.randn(BATCH, 2, 32, 32, generator=generator(0)), torch.linspace(-1.5, 0.9, BATCH)
    optimisers = {
        net: torch.optim.AdamW(net.parameters(), 1e-4, fused=True) for net in (ours, theirs)
    }

    def step(net: nn.Module) -> None:
        optimisers[net].zero_grad()
        (net(x, s) - x[:, :1]).square().mean().backward()
        optimisers[net].step()

    def call(net: nn.Module) -> None:
        with torch.no_grad():
            net(x, s)

    with prepared_networks({"ours": ours}, resolved("auto", "cpu"), channels_last=False):
        for what, run in (("training step", step), ("network call of a sampler", call)):
            paired(
                what,
                lambda run=run: run(ours),
                "diffusers",
                lambda run=run: run(theirs),
                7,
                threads,
            )


def errors(path: str) -> None:
    """Print the bound on 512 held-out images after equal images, for two learning rates each."""
    with gzip.open(path) as file:
        images = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 1, 28, 28)
    x = torch.from_numpy(np.pad(images, ((0, 0), (0, 0), (2, 2), (2, 2))).copy())
    train, held = Examples(x[:50_000]), Examples(x[50_000:50_512])
    for name, peer, rates in (("ours", False, (3e-3, 1e-3)), ("diffusers", True, (3e-3, 1e-3))):
        for rate in rates:
            model = model_of(peer)
            config = TrainConfig(
                steps=STEPS,
                batch_size=BATCH,
                learning_rate=rate,
                ema=0.99,
                precision="float32" if peer else "auto",
                evaluate_every=10**6,
            )
            record = fit(model, train, held, config)
            nats = model.held_out(held, seed=1)
            assert nats is not None
            bits = float(nats.mean()) / 1024 / math.log(2)
            said = f"after {record.examples:,} images, {record.seconds:.0f} s"
            print(f"{name}, learning rate {rate}: {bits:.4f} bits/dim held out {said}")


def main() -> None:
    """Print both."""
    warnings.simplefilter("ignore")
    threads = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    torch.set_num_threads(threads)
    speeds(threads)
    if len(sys.argv) > 2:
        errors(sys.argv[2])


if __name__ == "__main__":
    main()
