"""The first minute of two public tools on the pictures of `bench_minute.py`, under the same judge.

    python benchmarks/bench_minute_peers.py [DATA] [--seconds 60] [--threads 2] [--peers diffusers,pythae]

diffusers: `UNet2DModel` as its script for unconditional training makes it (six scales of 128 to 512 channels, attention
at one), given the class, pictures padded to 32 x 32, batches of 16, AdamW with the script's rates; 20 DDIM steps draw
ten pictures of each class. pythae: its `VAE` with the networks, the batch and the rate that are its defaults; it takes
no class, so that one is trained on everything (Fréchet distance) and one on each class for a tenth of the time each
(share of the class asked for). Neither is a dependency: install `diffusers` and `pythae` beside this project to run it.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import torch
import torch.nn.functional as F
from bench_minute import MNIST, agreement, distance, judge_of

import pushforward as pf
from pushforward.core.given import label_of


def diffusers_unet(
    x: torch.Tensor, y: torch.Tensor, classes: int, seconds: float
) -> tuple[Any, int]:
    """Return pictures of ten of each class from a U-Net of diffusers, and its steps."""
    from diffusers import DDIMScheduler, DDPMScheduler, UNet2DModel
    from diffusers.optimization import get_cosine_schedule_with_warmup

    side, pad = 32, (32 - x.shape[-1]) // 2
    x = F.pad(x, (pad,) * 4) * 2.0 - 1.0
    net = UNet2DModel(
        sample_size=side,
        in_channels=x.shape[1],
        out_channels=x.shape[1],
        layers_per_block=2,
        block_out_channels=(128, 128, 256, 256, 512, 512),
        down_block_types=(*["DownBlock2D"] * 4, "AttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "AttnUpBlock2D", *["UpBlock2D"] * 4),
        num_class_embeds=classes,
    )
    noisy = DDPMScheduler(num_train_timesteps=1000, beta_schedule="linear")
    optimiser = torch.optim.AdamW(net.parameters(), lr=1e-4, betas=(0.95, 0.999), weight_decay=1e-6)
    schedule = get_cosine_schedule_with_warmup(optimiser, 500, 100 * len(x) // 16)
    began, steps = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        rows = torch.randint(len(x), (16,))
        noise, t = torch.randn_like(x[rows]), torch.randint(1000, (16,))
        said = net(noisy.add_noise(x[rows], noise, t), t, class_labels=y[rows]).sample
        F.mse_loss(said, noise).backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        optimiser.zero_grad()
        steps += 1
    solver = DDIMScheduler(num_train_timesteps=1000, beta_schedule="linear")
    solver.set_timesteps(20)
    label = torch.arange(classes).repeat_interleave(10)
    drawn = torch.randn(len(label), x.shape[1], side, side)
    with torch.no_grad():
        for t in solver.timesteps:
            said = net(drawn, t, class_labels=label).sample
            drawn = solver.step(said, t, drawn).prev_sample
    return ((drawn[..., pad : side - pad, pad : side - pad] + 1.0) / 2.0).clamp(0, 1), steps


def pythae_vae(x: torch.Tensor, seconds: float, n: int) -> tuple[torch.Tensor, int]:
    """Return n pictures of pythae's VAE, and its steps."""
    from pythae.models import VAE, VAEConfig

    model = VAE(VAEConfig(input_dim=tuple(x.shape[1:]), latent_dim=10))
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-4)
    began, steps = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        optimiser.zero_grad()
        model({"data": x[torch.randint(len(x), (64,))]}).loss.backward()
        optimiser.step()
        steps += 1
    with torch.no_grad():  # what its `NormalSampler` does, which wants a library of pictures
        drawn = model.eval().decoder(torch.randn(n, model.latent_dim)).reconstruction
    return drawn.view(n, *x.shape[1:]), steps


def main() -> None:
    """Measure both."""
    asked = argparse.ArgumentParser()
    asked.add_argument("data", nargs="?", default=str(MNIST))
    asked.add_argument("--seconds", type=float, default=60.0)
    asked.add_argument("--threads", type=int, default=torch.get_num_threads())
    asked.add_argument("--peers", default="diffusers,pythae")
    asked = asked.parse_args()
    torch.set_num_threads(asked.threads)
    data = pf.load(asked.data)
    space: Any = data.space
    judge, accuracy = judge_of(data)
    top, classes = space.levels - 1, len(data.classes)
    x = data.train.x.float() / top
    y = label_of(data.train.given)
    assert y is not None, "the judge needs classes"
    print(f"judge: right on {accuracy:.3f} of {len(data.test):,} test pictures", flush=True)
    torch.manual_seed(0)

    def tell(name: str, drawn: torch.Tensor, wanted: torch.Tensor | None, steps: int) -> None:
        line = {"peer": name, "steps": steps, "n": len(drawn)}
        if wanted is not None:
            line["share"] = agreement(judge, drawn, wanted)
        line["frechet"] = float(f"{distance(judge, drawn * top, data):.4g}")
        print(json.dumps(line), flush=True)

    if "diffusers" in asked.peers:
        drawn, steps = diffusers_unet(x, y, classes, asked.seconds)
        tell("diffusers UNet2DModel", drawn, torch.arange(classes).repeat_interleave(10), steps)
    if "pythae" not in asked.peers:
        return
    drawn, steps = pythae_vae(x, asked.seconds, 100 * classes)
    tell("pythae VAE, of all classes", drawn, None, steps)
    parts, steps = [], 0
    for label in range(classes):
        found, more = pythae_vae(x[y == label], asked.seconds / classes, 100)
        parts.append(found)
        steps += more
    wanted = torch.arange(classes).repeat_interleave(100)
    tell("pythae VAE, one of each class", torch.cat(parts), wanted, steps)


if __name__ == "__main__":
    main()
