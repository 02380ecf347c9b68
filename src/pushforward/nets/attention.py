"""Causal attention and rotary positions.

Two ideas: attention over few positions in bfloat16 is fastest as two plain products; a rotation by
the position turns inner products into functions of the distance, so that absolute positions never
matter.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from pushforward.core.errors import BadInput

SHORT = 256  # positions up to which plain products beat the fused kernel in bfloat16 on a CPU
NOTHING = -1e9  # a score that no softmax sees; minus infinity would make a row of padding NaN


def require_heads(width: int, heads: int, each: int = 1) -> None:
    """Refuse a width that does not divide into heads of a multiple of `each` features.

    Raises:
        BadInput: names the nearest widths that do.

    Example:
        >>> try:
        ...     require_heads(7, 4)
        ... except BadInput as error:
        ...     print(error)
        width=7 with heads=4: expected a multiple of 4, such as 4 or 8
    """
    unit = each * heads
    if width % unit:
        below = width - width % unit
        near = f"{below} or {below + unit}" if below else f"{unit}"
        raise BadInput(f"width={width} with heads={heads}", f"a multiple of {unit}, such as {near}")


def causal_attention(q: Tensor, k: Tensor, v: Tensor, padding: Tensor | None = None) -> Tensor:
    """Return `softmax(q k^T / sqrt(d) + mask) v`, where position t sees 0..t (Vaswani et al. 2017,
    equation 1).

    Shapes: q, k, v (n, heads, length, head width), all alike; padding (n,): the first positions of
    each row, which none after them sees. What comes out at padded positions means nothing.
    """
    length = q.shape[-2]
    if padding is None and not _plain(q, length):
        return F.scaled_dot_product_attention(q, k, v, is_causal=True)
    mask = torch.full((length, length), NOTHING, device=q.device).triu(1)
    if padding is not None:
        absent = torch.arange(length, device=q.device) < padding.unsqueeze(1)
        mask = mask + hidden(absent)
    return attention(q, k, v, mask)


def attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
    """Return `softmax(q k^T / sqrt(d) + mask) v`.

    Shapes: q (n, heads, few, head width), k and v (n, heads, length, head width), mask (..., few or
    1, length).
    """
    if not _plain(q, k.shape[-2]):
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask.to(q.dtype))
    # torch's fused kernel takes 14 ms forward and back in bfloat16 at (32, 4, 64, 32), where this
    # takes 2 softmax computes in single precision inside; adding the mask in place halves the
    # memory that is touched
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1)
    return scores.add_(mask.to(q.dtype)).softmax(-1) @ v


def hidden(absent: Tensor) -> Tensor:
    """Return what is added to scores (n, heads, few, length) so that none sees what is `absent` (n,
    length)."""
    return torch.zeros(absent.shape, device=absent.device).masked_fill(absent, NOTHING)[
        :, None, None
    ]


def _plain(q: Tensor, length: int) -> bool:
    return q.dtype == torch.bfloat16 and q.device.type == "cpu" and length <= SHORT


def rotary_table(length: int, width: int, base: float = 10_000.0) -> tuple[Tensor, Tensor]:
    """Return cosines and signed sines (length, width) of `position base^(-2i/width)` for `rotate`.

    Example:
        >>> cosines, sines = rotary_table(3, 4)
        >>> cosines[0].tolist(), sines[0].tolist()
        ([1.0, 1.0, 1.0, 1.0], [-0.0, -0.0, 0.0, 0.0])
    """
    rates = base ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)
    angle = torch.arange(length, dtype=torch.float64)[:, None] * rates
    cosines, sines = angle.cos(), angle.sin()
    return torch.cat([cosines, cosines], 1).float(), torch.cat([-sines, sines], 1).float()


def rotate(x: Tensor, cosines: Tensor, sines: Tensor) -> Tensor:
    """Return `x` with its pairs (x_i, x_{i + width/2}) turned by the angle of their position (Su et
    al. 2021, equation 34).

    Shapes: x (..., length, width), tables (length, width). `<rotate(q)_s, rotate(k)_t>` depends on
    s - t only.
    """
    half = x.shape[-1] // 2
    # tables in single precision would lift bfloat16 queries out of the fast products
    turned = torch.cat([x[..., half:], x[..., :half]], -1) * sines.to(x.dtype)
    return torch.addcmul(turned, x, cosines.to(x.dtype))
