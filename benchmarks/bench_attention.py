"""Causal attention, forward and back, as the pixel model trains it, against torch's fused kernel."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from paired import paired

from pushforward.nets.transformer import causal_attention


def main() -> None:
    """Print ratios for short and long sequences in both precisions; long or float32 ones are torch's kernel itself."""
    for length, dtype in (
        (64, torch.bfloat16),
        (128, torch.bfloat16),
        (256, torch.bfloat16),
        (64, torch.float32),
    ):
        torch.manual_seed(0)
        q, k, v = (
            torch.randn(32, 4, length, 24, dtype=dtype, requires_grad=True) for _ in range(3)
        )

        def ours(q=q, k=k, v=v) -> None:
            causal_attention(q, k, v).float().sum().backward()

        def fused(q=q, k=k, v=v) -> None:
            F.scaled_dot_product_attention(q, k, v, is_causal=True).float().sum().backward()

        paired(
            f"{length} positions, {str(dtype).split('.')[1]}",
            ours,
            "torch's fused kernel",
            fused,
            7,
        )


if __name__ == "__main__":
    main()
