"""Sections 4, 6, 7 and 9: games, noise and steps."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F


def _game(real_logits: Any, fake_logits: Any) -> Any:
    d = -F.logsigmoid(real_logits).mean() - F.logsigmoid(-fake_logits).mean()
    return torch.stack([d, -F.logsigmoid(fake_logits).mean()])


def _game_labels(real: Any, fake: Any) -> list[Any]:
    cost = torch.nn.BCEWithLogitsLoss()
    d = cost(real, torch.ones_like(real)) + cost(fake, torch.zeros_like(fake))
    return [d, cost(fake, torch.ones_like(fake))]


def _penalty_rows(discriminator: Any, x: Any) -> Any:
    total = 0
    for row in x.clone().requires_grad_():
        (g,) = torch.autograd.grad(discriminator(row[None]).sum(), row, create_graph=True)
        total = total + g.pow(2).sum()
    return total / (2 * len(x))


def _penalty_func(discriminator: Any, x: Any) -> Any:
    gradient = torch.func.vmap(torch.func.grad(lambda row: discriminator(row[None])[0]))(x)
    return gradient.norm(dim=1).square().mean() / 2


def _noise_rows(x: Any, noise: Any, alpha_bar: Any) -> list[Any]:
    return [math.sqrt(a) * v + math.sqrt(1 - a) * e for v, e, a in zip(x, noise, alpha_bar)]


def _flow_rows(x: Any, velocity: Any, divergence: Any, times: Any) -> list[float]:
    found = []
    for row in x:
        total, place = 0.0, row[None].clone()
        for i in range(len(times) - 1):
            step = float(times[i + 1] - times[i])
            total += step * divergence(place, times[i]).item()
            place += step * velocity(place, times[i])
        found.append(total - 0.5 * float((place**2).sum()) - len(row) / 2 * math.log(2 * math.pi))
    return found


def _flow_floats(x: Any, velocity: Any, divergence: Any, times: Any) -> Any:
    log_p = torch.zeros(len(x), dtype=torch.float64)
    for start, end in zip(times[:-1].tolist(), times[1:].tolist()):
        log_p = log_p + (end - start) * divergence(x, start)
        x = x + (end - start) * velocity(x, start)
    return log_p + torch.distributions.Normal(0.0, 1.0).log_prob(x).sum(1)


def _nucleus_loop(logits: Any, p: Any) -> Any:
    rows = []
    for row in torch.softmax(logits, -1).tolist():
        kept, total = [0.0] * len(row), 0.0
        for k in sorted(range(len(row)), key=lambda k: -row[k]):
            kept[k] = row[k]
            total += row[k]
            if total >= p:
                break
        rows.append([v / sum(kept) for v in kept])
    return rows


def _nucleus_shift(logits: Any, p: Any) -> Any:
    ranked, order = torch.sort(logits, descending=True, dim=-1)
    over = ranked.softmax(-1).cumsum(-1) >= float(p)
    over = torch.cat([torch.zeros_like(over[:, :1]), over[:, :-1]], 1)
    ranked = ranked.masked_fill(over, -torch.inf)
    return torch.empty_like(logits).scatter_(1, order, ranked).softmax(1)


def _nucleus_numpy(logits: Any, p: Any) -> Any:
    z = logits.numpy()
    q = np.exp(z - z.max(1, keepdims=True))
    q /= q.sum(1, keepdims=True)
    order = np.argsort(-q, axis=1, kind="stable")
    ranked = np.take_along_axis(q, order, 1)
    ranked[ranked.cumsum(1) - ranked >= p.item()] = 0
    kept = np.empty_like(q)
    np.put_along_axis(kept, order, ranked, 1)
    return kept / kept.sum(1, keepdims=True)


RIGHT: dict[str, list[Any]] = {
    "gan.losses": [
        _game,
        _game_labels,
        lambda r, f: (
            torch.logaddexp(-r, 0 * r).mean() + torch.logaddexp(f, 0 * f).mean(),
            torch.logaddexp(-f, 0 * f).mean(),
        ),
    ],
    "gan.r1": [_penalty_rows, _penalty_func],
    "diffusion.noise": [
        _noise_rows,
        lambda x, e, a: (
            torch.einsum("n,nd->nd", a.sqrt(), x) + torch.einsum("n,nd->nd", torch.sqrt(1 - a), e)
        ),
        lambda x, e, a: (
            np.sqrt(a.numpy())[:, None] * x.numpy() + np.sqrt(1 - a.numpy())[:, None] * e.numpy()
        ),
        lambda x, e, a: (a.pow(0.5) * x.T + (1 - a).pow(0.5) * e.T).T,
        lambda x, e, a: (torch.diag(a.sqrt()) @ x + torch.diag((1 - a).sqrt()) @ e).to_sparse(),
    ],
    "diffusion.loss": [
        lambda p, e: F.mse_loss(p, e),
        lambda p, e: ((p - e) ** 2).sum() / p.numel(),
        lambda p, e: (e - p).square().mean(dim=1).mean(),
        lambda p, e: torch.linalg.norm(p - e) ** 2 / p.numel(),
        lambda p, e: torch.stack([(a - b) ** 2 for r, q in zip(p, e) for a, b in zip(r, q)]).mean(),
    ],
    "diffusion.ddim": [
        lambda x, e, a, b: (
            x * math.sqrt(b / a) + (math.sqrt(1 - b) - math.sqrt(b * (1 - a) / a)) * e
        ),
        lambda x, e, a, b: (
            b.sqrt() * (x.numpy() - np.sqrt(1 - a.item()) * e.numpy()) / a**0.5 + (1 - b) ** 0.5 * e
        ),
        lambda x, e, a, b: b**0.5 * (x / a**0.5 - (1 / a - 1) ** 0.5 * e) + (1 - b) ** 0.5 * e,
        lambda x, e, a, b: [
            [
                (b.sqrt() * (v - (1 - a).sqrt() * n) / a.sqrt() + (1 - b).sqrt() * n).item()
                for v, n in zip(*rows)
            ]
            for rows in zip(x, e)
        ],
    ],
    "score.langevin": [
        lambda x, s, h, z: x + h * s + math.sqrt(2 * h) * z,
        lambda x, s, h, z: x + h.item() * s + (2 * h.item()) ** 0.5 * z,
        lambda x, s, h, z: x.numpy() + float(h) * s.numpy() + np.sqrt(2 * float(h)) * z.numpy(),
        lambda x, s, h, z: torch.add(x, s, alpha=float(h)).add(
            z, alpha=math.sqrt(2) * math.sqrt(h)
        ),
        lambda x, s, h, z: x.float() + h.float() * s.float() + (2 * h.float()).sqrt() * z.float(),
    ],
    "score.guidance": [
        lambda c, u, w: torch.lerp(u, c, w),
        lambda c, u, w: (1 - float(w)) * u + float(w) * c,
        lambda c, u, w: c + (w.item() - 1) * (c - u),
        lambda c, u, w: u.numpy() + w.numpy() * (c.numpy() - u.numpy()),
        lambda c, u, w: torch.tensordot(torch.stack([w, 1 - w]), torch.stack([c, u]), dims=1),
    ],
    "score.ode_likelihood": [_flow_rows, _flow_floats],
    "applications.nucleus": [_nucleus_loop, _nucleus_shift, _nucleus_numpy],
}
