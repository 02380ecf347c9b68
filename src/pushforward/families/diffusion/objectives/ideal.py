"""The best denoiser of a training set, and how much of the way to it a model has gone.

Two ideas: the loss over a training set has a minimum in closed form, which returns nothing but
training examples; a model that denoises its training examples better than others moves towards it,
and the share of the way is a number between 0 and 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pushforward.core.curve import Curve, mean_curve
from pushforward.core.given import Examples, Given, label_of
from pushforward.core.noise import Noise
from pushforward.families.diffusion.denoisers.denoiser import Denoiser

MEMORISED = 0.2  # share of the way to the ideal denoiser from which a model is called a memoriser
SURE = 3.0  # standard errors


class IdealDenoiser(Denoiser):
    """`D(y, s) = sum_i w_i x_i` with `w_i` proportional to `exp(-|y - x_i|^2/(2 s^2))`: the minimum
    of the training loss.

    Equation 4 of Karras et al. 2022, appendix B.3, for the sum of deltas that a training set is.
    Given a label, the sum is over the examples that have it.

    Args:
        examples: shape (n, ...).
        label: shape (n,), None if there are none.
        block: examples compared at once.

    Example:
        >>> ideal = IdealDenoiser(torch.tensor([[0.0], [2.0]]))
        >>> ideal.denoise(torch.tensor([[1.0], [1.9]]), torch.tensor(0.1), None).tolist()
        [[1.0], [2.0]]
    """

    calls = 0.0

    def __init__(self, examples: Tensor, label: Tensor | None = None, block: int = 4096) -> None:
        self.examples, self.label, self.block = examples, label, block

    def denoise(self, y: Tensor, noise_level: Tensor, given: Given | None) -> Tensor:
        """Shapes: y (n, ...), noise_level () or (n,) -> (n, ...)."""
        wanted, n = label_of(given), len(y)
        # in double precision: at small noise what products of norms leave is far below either norm
        s, flat = noise_level.to(y).double().expand(n).unsqueeze(1), y.flatten(1).double()
        peak, total = flat.new_full((n, 1), -math.inf), flat.new_zeros(n, 1)
        weighted = torch.zeros_like(flat)
        for first in range(0, len(self.examples), self.block):
            x = self.examples[first : first + self.block].flatten(1).to(flat)
            squared = flat.square().sum(1, keepdim=True) + x.square().sum(1) - 2.0 * flat @ x.T
            logits = -0.5 * squared.clamp(min=0.0) / s**2
            if wanted is not None and self.label is not None:
                other = wanted.unsqueeze(1) != self.label[first : first + self.block].to(wanted)
                logits = logits.masked_fill(other & (wanted.unsqueeze(1) >= 0), -math.inf)
            highest = torch.maximum(peak, logits.max(1, keepdim=True).values)
            # a block without an example of the label has nothing to say, and no peak
            safe = torch.where(torch.isinf(highest), 0.0, highest)
            kept, weights = (peak - safe).exp(), (logits - safe).exp()
            total, weighted, peak = (
                total * kept + weights.sum(1, keepdim=True),
                weighted * kept + weights @ x,
                highest,
            )
        return (weighted / total).to(y).reshape(y.shape)


def errors(denoiser: Denoiser, examples: Examples, levels: Sequence[float], noise: Noise) -> Tensor:
    """Return `|x - D(x + s eps, s)|^2/s^2` per dimension of at most `noise.n` encoded examples,
    shape (n, levels)."""
    x, found = examples.x, []
    for s in levels:
        y = x + s * noise.normal(*x.shape[1:])[: len(x)]
        clean = denoiser.denoise(y, torch.tensor(s), examples.given)
        found.append((x - clean).square().flatten(1).mean(1) / s**2)
    return torch.stack(found, dim=1)


@dataclass(frozen=True)
class Memorisation:
    """How far a denoiser has gone from what others need to what its training set alone needs.

    Attributes:
        gap: error on held-out minus on training examples, integrated over log noise level: nats per
            dimension of the bound.
        stderr: of the gap, over examples.
        share: the gap in units of what the ideal denoiser of the training set would have.
    """

    gap: float
    stderr: float
    share: float

    @property
    def tripped(self) -> bool:
        """True if the gap is surely there and a large share of what there is."""
        return self.gap > SURE * self.stderr and self.share > MEMORISED

    def sentence(self) -> str:
        """Say what was found."""
        found = (
            f"the gap to held-out ones is {self.gap:.2g} +- {self.stderr:.1g} nats per dimension"
        )
        of_all = f"{100 * min(1.0, max(0.0, self.share)):.0f} % of that of a denoiser that knows nothing but the training set"
        return (
            f"Training examples are denoised better: {found}, {of_all}."
            if self.gap > SURE * self.stderr
            else ""
        )


def measure(
    training: Tensor, held_out: Tensor, ideal: Tensor, levels: Sequence[float]
) -> Memorisation:
    """Return the gap between errors (n, levels) on training and held-out examples, and its share of
    the ideal's."""
    logs = torch.tensor(levels, dtype=torch.float64).log()
    areas = [torch.trapezoid(e.double().cpu(), logs, dim=1) for e in (training, held_out, ideal)]
    seen, unseen, best = (float(a.mean()) for a in areas)
    stderr = math.sqrt(sum(float(a.var()) / len(a) for a in areas[:2]))
    most = unseen - best
    return Memorisation(unseen - seen, stderr, (unseen - seen) / most if most > 0 else 0.0)


def memorisation_curve(
    denoiser: Denoiser,
    training: Examples,
    held_out: Examples,
    ideal: IdealDenoiser,
    levels: Sequence[float],
    noise: Noise,
) -> Curve:
    """Return the errors on held-out and training examples by noise level, with the ideal denoiser's
    as the reference."""
    seen, unseen = (errors(denoiser, examples, levels, noise) for examples in (training, held_out))
    best = errors(ideal, training, levels, noise)
    found = measure(seen, unseen, best, levels)
    (y, stderr), (other, other_stderr) = mean_curve(unseen), mean_curve(seen)
    return Curve(
        "denoising error on training and held-out examples",
        "noise level s",
        "E|x - D(x + s eps, s)|^2 / s^2, per dimension",
        tuple(levels),
        y,
        found.sentence()
        or "Training and held-out examples are denoised equally well, within the error.",
        stderr,
        mean_curve(best)[0],
        "the memoriser",
        log_x=True,
        name="held out",
        other=other,
        other_stderr=other_stderr,
        other_name="training",
        flag="memorises its training set" if found.tripped else "",
    )
