"""A trained score against the true one by noise level, on eight Gaussians, and Langevin chains of either.

    python benchmarks/bench_toy_truth.py [seconds of training, 60]

The true score at noise level s is that of eight Gaussians of variance v + s^2. What is printed is `E |s (score - truth)|^2` per
dimension over noisy test points: in the units of the training loss, where 1 is the error of removing no noise.
"""

from __future__ import annotations

import sys

import torch
from torch import Tensor

import pushforward as pf
from pushforward.core.rng import generator
from pushforward.core.walk import run
from pushforward.data.toys import toy
from pushforward.families.diffusion.paths.path import VariancePreserving
from pushforward.families.diffusion.solvers.langevin import CorrectedSampler, Stay
from pushforward.families.diffusion.solvers.schemes import Descent

LEVELS = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 20.0)
CHAINS = 8000


class Truth:
    """The denoiser of eight Gaussians in the coordinates that the model sees: every axis divided by its scale."""

    def __init__(self, mean: Tensor, std: Tensor) -> None:
        density = toy("gaussians-8")
        self.means = ((density.means - mean) / std).double()  # type: ignore[attr-defined]
        self.variance = (density.sigma / std).double().square()  # type: ignore[attr-defined]

    def __call__(self, y: Tensor, s: Tensor) -> Tensor:
        """Return `E[x | y]`."""
        total = self.variance + s.double() ** 2
        gap = y.double().unsqueeze(1) - self.means
        weight = (-0.5 * (gap.square() / total).sum(2)).softmax(1)
        centre = self.means + self.variance / total * gap
        return (weight.unsqueeze(2) * centre).sum(1).to(y)


def weights(denoise, truth: Truth, seed: int) -> tuple[Tensor, Tensor]:  # type: ignore[no-untyped-def]
    """Return the shares of annealed Langevin chains that end at each Gaussian, and their standard errors."""
    rng = generator(seed, "chains")
    descent = Descent(
        VariancePreserving(0.01, 40.0), denoise, lambda: torch.randn(CHAINS, 2, generator=rng), 64
    )
    with torch.no_grad():
        x = run(CorrectedSampler(descent, Stay(), 10, 0.35))
    nearest = torch.cdist(x.double(), truth.means).argmin(1)
    share = torch.bincount(nearest, minlength=8) / CHAINS
    return share, (share * (1 - share) / CHAINS).sqrt()


def main() -> None:
    """Train, then print both tables."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    data = pf.load("gaussians-8")
    model = pf.fit("diffusion", data, budget=f"{seconds}s", seed=0)
    inner = model.model
    codec = inner.codec.transforms[0]
    truth = Truth(codec.mean.double(), codec.std.double())
    x = inner.codec.encode(data.test.x).value
    denoise = inner.process._bind(None)
    print(f"{seconds} s of training; {len(x)} test points")
    print(
        "| noise level | error of the score, per dimension | the true score itself | share |\n|---:|---:|---:|---:|"
    )
    for k, level in enumerate(LEVELS):
        s = torch.tensor(level)
        y = x + s * torch.randn(x.shape, generator=generator(1, "noise", k))
        with torch.no_grad():
            true = (truth(y, s) - y) / s
            apart = (denoise(y, s) - y) / s - true
        error, size = apart.square().mean(1), true.square().mean()
        stderr = float(error.std() / len(error) ** 0.5)
        print(
            f"| {level} | {float(error.mean()):.2e} +- {stderr:.0e} | {float(size):.3f} | {float(error.mean() / size):.1e} |"
        )
    for name, one in (("the true score", truth), ("the trained one", denoise)):
        share, stderr = weights(one, truth, 2)
        z = ((share - 0.125) / stderr).abs()
        print(
            f"annealed Langevin with {name}: shares {[round(v, 4) for v in share.tolist()]}, largest |z| {float(z.max()):.2f}"
        )


if __name__ == "__main__":
    main()
