"""What a VAE is trained by.

One idea: an objective makes one loss of a batch's `Inference`; how much the divergence counts at a
step is a schedule of its own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from pushforward.core.loss import Loss
from pushforward.families.vae.inference import Inference


@dataclass(frozen=True)
class KLSchedule:
    """How much the divergence counts.

    Attributes:
        weight: of the number of a step, from 0.
        says: what it does, for the name of the loss; empty where the loss is the bound from the
            first step on.
    """

    weight: Callable[[int], float] = lambda step: 1.0
    says: str = ""


def warmup(steps: int) -> KLSchedule:
    """Return `min(1, (t + 1) / T)` at step t: while codes cost little the decoder learns to use
    them (Bowman et al. 2016).

    Args:
        steps: T; 0 for the bound from the first step on.

    Example:
        >>> warmup(4).weight(0), warmup(4).weight(9), warmup(0).weight(0)
        (0.25, 1.0, 1.0)
    """
    if not steps:
        return KLSchedule()
    return KLSchedule(
        lambda step: min(1.0, (step + 1) / steps), f" (KL weighted until step {steps})"
    )


class LatentObjective(ABC):
    """From a batch to what is minimised over all parameters."""

    @abstractmethod
    def loss(self, batch: Inference, step: int | None) -> Loss:
        """Return the loss in nats per dimension of the data.

        Args:
            step: steps taken so far; None outside training, where schedules are over.
        """


@dataclass(frozen=True)
class ELBO(LatentObjective):
    """`-(E_q[log p(x | z)] - w KL(q(z | x) || p(z)))` per dimension, with one draw of z (Kingma &
    Welling 2013, equation 7).

    Attributes:
        schedule: of w.
    """

    schedule: KLSchedule = KLSchedule()

    def loss(self, batch: Inference, step: int | None) -> Loss:
        """Weigh the divergence as the schedule says, and record both terms."""
        z, _ = batch.draw()
        fit, kl = batch.fit(z), batch.divergence(z)
        weight = 1.0 if step is None else self.schedule.weight(step)
        record = {
            "KL [nats]": float(kl.detach().mean()),
            "-log p(x|z) [nats]": -float(fit.detach().mean()),
            "weight of the KL": weight,
        }
        value = (weight * kl - fit).mean() / batch.x[0].numel()
        return Loss(
            value, "model", f"-ELBO of the encoded data{self.schedule.says} [nats/dim]", record
        )
