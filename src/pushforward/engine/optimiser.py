"""AdamW per parameter group, and its state as plain tensors."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pushforward.core.spec import TrainConfig


def build_optimisers(groups: dict[str, list[nn.Parameter]], config: TrainConfig) -> dict[str, torch.optim.AdamW]:
    """Return one AdamW per group; weight decay acts on matrices and filters only, never on biases, gains or scales."""
    optimisers = {}
    for name, parameters in groups.items():
        decayed = [p for p in parameters if p.dim() >= 2]
        plain = [p for p in parameters if p.dim() < 2]
        parts = [
            {"params": decayed, "weight_decay": config.weight_decay},
            {"params": plain, "weight_decay": 0.0},
        ]
        optimisers[name] = torch.optim.AdamW(
            [part for part in parts if part["params"]],
            lr=config.learning_rate,
            betas=(config.beta1, config.beta2),
            fused=True,
        )
    return optimisers


def optimiser_tensors(optimisers: dict[str, torch.optim.AdamW]) -> dict[str, Tensor]:
    """Return every moment and step count under a flat name."""
    tensors = {}
    for name, optimiser in optimisers.items():
        for index, state in optimiser.state_dict()["state"].items():
            for key, value in state.items():
                tensors[f"{name}/{index}/{key}"] = value
    return tensors


def restore_optimisers(optimisers: dict[str, torch.optim.AdamW], tensors: dict[str, Tensor]) -> None:
    """Put back what `optimiser_tensors` returned."""
    for name, optimiser in optimisers.items():
        record = optimiser.state_dict()
        record["state"] = {}
        for flat, value in tensors.items():
            group, index, key = flat.rsplit("/", 2)
            if group == name:
                record["state"].setdefault(int(index), {})[key] = value
        optimiser.load_state_dict(record)


def set_learning_rate(optimisers: dict[str, torch.optim.AdamW], learning_rate: float) -> None:
    """Set the learning rate of every group."""
    for optimiser in optimisers.values():
        for part in optimiser.param_groups:
            part["lr"] = learning_rate
