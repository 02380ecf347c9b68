"""Weights of GPT-2, as published, for the `gpt2` architecture."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from pushforward.core.errors import BadInput

_NAMES = {
    "ln_1": "norm1",
    "ln_2": "norm2",
    "attn.c_attn": "qkv",
    "attn.c_proj": "out",
    "mlp.c_fc": "up",
    "mlp.c_proj": "down",
}


def from_gpt2(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the state of a `GPT2Backbone` from the state of a published GPT-2 of the same size.

    Published matrices are stored (inputs, outputs); ours, as all of torch's linear layers,
    (outputs, inputs).

    Raises:
        BadInput: a name that no GPT-2 has.

    Example:
        >>> import torch
        >>> from_gpt2({"transformer.h.0.attn.c_proj.weight": torch.zeros(4, 8)})["transformer.blocks.0.out.weight"].shape
        torch.Size([8, 4])
    """
    found = {}
    for name, value in weights.items():
        short = name.removeprefix("transformer.")
        if short == "lm_head.weight" or short.endswith((".attn.bias", ".attn.masked_bias")):
            continue  # the head is the table, and masks are no weights
        if short in ("wte.weight", "wpe.weight"):
            found[{"wte.weight": "table.weight", "wpe.weight": "places.weight"}[short]] = value
        elif short.startswith("ln_f."):
            found[f"transformer.norm.{short.rpartition('.')[2]}"] = value
        else:
            _, number, *middle, part = short.split(".")
            layer = ".".join(middle)
            if layer not in _NAMES:
                raise BadInput(f"a weight called '{name}'", "the names of a published GPT-2")
            ours = value.T if value.dim() == 2 else value
            found[f"transformer.blocks.{number}.{_NAMES[layer]}.{part}"] = ours.contiguous()
    return found
