"""The optimisers of each parameter group, and their state as plain tensors.

Two ideas: AdamW for everything; where a model names its hidden matrices, Muon may take those,
because an orthogonalised update moves every direction of a matrix alike and needs fewer steps
(measured on text in LOG.md).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pushforward.core.errors import BadInput
from pushforward.core.spec import TrainConfig
from pushforward.engine.muon import Muon
from pushforward.engine.precision import computes_in_bfloat16

Optimisers = dict[str, list[torch.optim.Optimizer]]


def build_optimisers(
    groups: dict[str, list[nn.Parameter]],
    config: TrainConfig,
    matrices: list[nn.Parameter] | None = None,
) -> Optimisers:
    """Return the optimisers of each group; weight decay acts on matrices and filters only, never on
    biases, gains or scales.

    Args:
        matrices: hidden matrices, which Muon takes if `config.optimiser` says so.

    Raises:
        BadInput: Muon for a model that names no hidden matrices.
    """
    chosen = {id(p) for p in matrices or []} if config.optimiser == "muon" else set()
    if config.optimiser == "muon" and not chosen:
        raise BadInput(
            "train.optimiser=muon", "adamw", "this model names no hidden matrices for Muon to take"
        )
    optimisers: Optimisers = {}
    for name, parameters in groups.items():
        rest = [p for p in parameters if id(p) not in chosen]
        parts = [
            {"params": [p for p in rest if p.dim() >= 2], "weight_decay": config.weight_decay},
            {"params": [p for p in rest if p.dim() < 2], "weight_decay": 0.0},
        ]
        betas = (config.beta1, config.beta2)
        kept = [part for part in parts if part["params"]]
        found: list[torch.optim.Optimizer] = [
            torch.optim.AdamW(kept, lr=config.learning_rate, betas=betas, fused=True)
        ]
        taken = [p for p in parameters if id(p) in chosen]
        if taken:
            quick = computes_in_bfloat16(taken[0].device.type)
            dtype = torch.bfloat16 if quick else torch.float32
            rate = config.matrix_learning_rate
            found.append(Muon(taken, rate, config.weight_decay, dtype))
        optimisers[name] = found
    return optimisers


def optimiser_tensors(optimisers: Optimisers) -> dict[str, Tensor]:
    """Return every moment and step count under a flat name."""
    tensors = {}
    for name, group in optimisers.items():
        for place, optimiser in enumerate(group):
            for index, state in optimiser.state_dict()["state"].items():
                for key, value in state.items():
                    tensors[f"{name}/{place}/{index}/{key}"] = value
    return tensors


def restore_optimisers(optimisers: Optimisers, tensors: dict[str, Tensor]) -> None:
    """Put back what `optimiser_tensors` returned."""
    for name, group in optimisers.items():
        for place, optimiser in enumerate(group):
            record = optimiser.state_dict()
            record["state"] = {}
            for flat, value in tensors.items():
                owner, number, index, key = flat.rsplit("/", 3)
                if (owner, number) == (name, str(place)):
                    record["state"].setdefault(int(index), {})[key] = value
            optimiser.load_state_dict(record)


def follow_layout(optimisers: Optimisers) -> None:
    """Lay every moment out in memory as its weight is, whose layout may have changed since it was
    restored: the fused AdamW of processors walks through memory and reads no strides."""
    for group in optimisers.values():
        for optimiser in group:
            for weight, state in optimiser.state.items():
                for key, value in state.items():
                    if value.shape == weight.shape and value.stride() != weight.stride():
                        state[key] = torch.empty_like(weight, dtype=value.dtype).copy_(value)


def take_step(optimisers: list[torch.optim.Optimizer]) -> None:
    """Update the parameters of one group."""
    for optimiser in optimisers:
        optimiser.step()


def set_learning_rate(optimisers: Optimisers, config: TrainConfig, factor: float) -> None:
    """Set every learning rate to its peak times `factor`."""
    for group in optimisers.values():
        for optimiser in group:
            matrices = isinstance(optimiser, Muon)
            peak = config.matrix_learning_rate if matrices else config.learning_rate
            for part in optimiser.param_groups:
                part["lr"] = peak * factor
