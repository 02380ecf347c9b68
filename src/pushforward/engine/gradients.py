"""The gradients of one step, of a batch in parts where it does not fit into memory whole."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import nn

from pushforward.core.given import Examples
from pushforward.core.loss import Loss
from pushforward.core.model import GenerativeModel
from pushforward.core.noise import StepNoise
from pushforward.core.spec import TrainConfig
from pushforward.engine.loss_scale import LossScales

UNSCALED = LossScales(False, {})


def gradients(
    model: GenerativeModel,
    groups: dict[str, list[nn.Parameter]],
    batch: Examples,
    noise: list[StepNoise],
    step: int,
    scales: LossScales = UNSCALED,
) -> Iterator[tuple[Loss, float]]:
    """Yield each loss of a step and its mean over the batch, with its gradients in place; the next
    one is computed after whoever took it has made an update.

    Parts of a batch come one after the other, `grad = sum_k (n_k / n) grad_k`: the gradient is that
    of the whole batch but for the noise, which every part draws anew.

    Args:
        groups: the model's parameters, by the name that a loss has for them.
        batch: where the model computes.
        noise: of the parts of a batch, one each.
        scales: of losses, by which the gradients that are yielded are not divided yet.

    Example:
        >>> from pushforward.families.build import build
        >>> from pushforward.core.space import Points
        >>> model, data = build("flow", Points(2)), Examples(torch.randn(6, 2), None)
        >>> model.prepare(data)
        >>> noise = noise_of_parts(TrainConfig(accumulate=3), model.device)
        >>> groups = model.parameter_groups()
        >>> [loss.name for loss, _ in gradients(model, groups, data, noise, 0)]
        ['-log p of the encoded data [nats/dim]']
    """
    size = -(-len(batch) // len(noise))
    parts = [batch[first : first + size] for first in range(0, len(batch), size)]
    found = [
        model.losses(part, own.of(step, len(part)))
        for part, own in zip(parts, noise, strict=False)  # few rows have fewer parts
    ]
    while True:
        value, taken = 0.0, None
        for losses, part in zip(found, parts, strict=True):
            loss = next(losses, None)
            if loss is None:
                return
            group = groups[loss.parameters]
            if taken is None:
                for parameter in group:
                    parameter.grad = None
            share = len(part) / len(batch)
            factor = share * scales.of(loss.parameters)
            (loss.value if factor == 1.0 else loss.value * factor).backward(inputs=group)
            value, taken = value + share * float(loss.value.detach()), loss
        assert taken is not None
        yield taken, value


def clipped(group: list[nn.Parameter], most: float) -> float:
    """Return the norm of all gradients of a group as they were, and shorten them to `most` where it
    is larger: `grad * min(1, most / (norm + 1e-6))`.

    Example:
        >>> weight = nn.Parameter(torch.zeros(2)); weight.grad = torch.tensor([3.0, 4.0])
        >>> clipped([weight], 1.0), [round(value, 3) for value in weight.grad.tolist()]
        (5.0, [0.6, 0.8])
    """
    found = [weight.grad for weight in group if weight.grad is not None]
    norm = torch.nn.utils.get_total_norm(found)
    value = float(norm)
    if not value + 1e-6 <= most:  # a norm that is not a number stays one in every gradient
        torch.nn.utils.clip_grads_with_norm_(group, most, norm)
    return value


def noise_of_parts(config: TrainConfig, device: torch.device) -> list[StepNoise]:
    """Return the noise of each part of a batch.

    Example:
        >>> len(noise_of_parts(TrainConfig(accumulate=3), torch.device("cpu")))
        3
    """
    parts = range(min(config.accumulate, config.batch_size))
    return [StepNoise(config.seed, "step", part, device=device) for part in parts]
