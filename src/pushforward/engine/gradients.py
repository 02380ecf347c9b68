"""The gradients of one step, of a batch in parts where it does not fit into memory whole."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import nn

from pushforward.core.errors import RunFailed
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


def noise_of_parts(config: TrainConfig, device: torch.device) -> list[StepNoise]:
    """Return the noise of each part of a batch.

    Example:
        >>> len(noise_of_parts(TrainConfig(accumulate=3), torch.device("cpu")))
        3
    """
    parts = range(config.accumulate)
    return [StepNoise(config.seed, "step", part, device=device) for part in parts]


def too_large(config: TrainConfig, device: torch.device, step: int) -> RunFailed:
    """Return what to say of a training that ran out of memory.

    Example:
        >>> print(too_large(TrainConfig(batch_size=64), torch.device("cpu"), 3).fix)
        the state is saved: go on with --resume and -s train.accumulate=2, which takes a batch in parts
    """
    batch, parts = config.batch_size, config.accumulate
    whole = f"batches of {batch}" if parts == 1 else f"batches of {batch} in {parts} parts"
    fix = f"go on with --resume and -s train.accumulate={2 * parts}, which takes a batch in parts"
    if 2 * parts > batch and not config.activation_checkpointing:
        fix = "go on with --resume and -s train.activation_checkpointing=true, which keeps less"
    elif 2 * parts > batch:
        fix = "train a smaller model, or on another --device"
    return RunFailed(
        f"the memory of {device} was not enough at step {step}, with {whole}",
        "",
        f"the state is saved: {fix}",
    )


def gone(error: BaseException, device: torch.device, step: int) -> RunFailed:
    """Return what to say of a device that fails in the middle of training.

    Example:
        >>> print(gone(ValueError("lost"), torch.device("cpu"), 3).came)
        cpu, which failed at step 3 (lost)
    """
    said = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return RunFailed(
        f"{device}, which failed at step {step} ({said})",
        "",
        "go on from the last checkpoint with --resume, or elsewhere with --device cpu",
    )
