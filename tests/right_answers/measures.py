"""Sections 8 and 10: numbers that compare, and what they say."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg
import torch
from scipy.spatial.distance import cdist
from torch.distributions import Normal, kl_divergence


def _frechet_matrix(mean_a: Any, variance_a: Any, mean_b: Any, variance_b: Any) -> float:
    a, b = np.diag(variance_a.numpy()), np.diag(variance_b.numpy())
    cross = scipy.linalg.sqrtm(a @ b)
    return ((mean_a - mean_b).numpy() ** 2).sum() + np.trace(a + b - 2 * np.real(cross))


def _kernel_loops(x: Any, y: Any) -> float:
    def kernel(a: Any, b: Any) -> float:
        return (float(a @ b) / len(a) + 1) ** 3

    n, m = len(x), len(y)
    within_x = sum(kernel(x[i], x[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    within_y = sum(kernel(y[i], y[j]) for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
    return within_x + within_y - 2 * sum(kernel(a, b) for a in x for b in y) / (n * m)


def _kernel_masked(x: Any, y: Any) -> Any:
    def off(k: Any) -> Any:
        return k[~torch.eye(len(k), dtype=torch.bool)].mean()

    k = (torch.cat([x, y]) @ torch.cat([x, y]).T / x.shape[1] + 1).pow(3)
    return (
        off(k[: len(x), : len(x)]) + off(k[len(x) :, len(x) :]) - 2 * k[: len(x), len(x) :].mean()
    )


def _covered_loops(real: Any, generated: Any, k: int) -> float:
    count = 0
    for i, centre in enumerate(real):
        distances = sorted(
            torch.dist(centre, other).item() for j, other in enumerate(real) if j != i
        )
        count += any(torch.dist(centre, point).item() <= distances[k - 1] for point in generated)
    return count / len(real)


def _checklist_short(record: dict[str, Any]) -> list[str]:
    def below(key: str, limit: float) -> bool:
        return record[key] is not None and record[key] < limit

    losses = [entry["loss"] for entry in record["history"]]
    held = [e["held_out"] for e in record["history"] if "held_out" in e]
    norms = [
        e["gradient norm, generator"] for e in record["history"] if "gradient norm, generator" in e
    ]
    gap = (
        0.0
        if record["train_nats"] is None
        else (record["train_nats"] - record["test_nats"]) / record["gap_error"]
    )
    known = record["nearest"] is not None
    verdicts = {
        "posterior collapse": below("kl", 0.1),
        "mode collapse": below("modes", 0.9),
        "memorisation": known and 2 * record["nearest"] <= record["nearest_held_out"],
        "overfitting": gap > 3,
        "divergence": not record["finished"]
        or None in losses
        or max(losses) > max(10 * losses[0], 10),
        "dead discriminator": (record["critic"] or 0) > 0.95
        or (len(norms) > 0 and norms[-1] * 50 < max(norms)),
        "wrong density": record["kind"] == "exact" and not 0.9 <= record["mass"] <= 1.1,
        "undertrained": len(held) >= 3 and (held[-3] - held[-1]) * 20 > max(held) - held[-1],
        "test leak": gap < -3 or (record["test_in_train"] or 0) > 0.01,
    }
    return [name for name, found in verdicts.items() if found]


def _active_loops(mean: Any, log_scale: Any) -> Any:
    kl, active = [], []
    for m, s in zip(mean.T.tolist(), log_scale.T.tolist()):
        kl.append(sum(a * a / 2 + np.exp(2 * b) / 2 - 0.5 - b for a, b in zip(m, s)) / len(m))
        active.append(sum((a - sum(m) / len(m)) ** 2 for a in m) / len(m) > 0.01)
    return kl, active


RIGHT: dict[str, list[Any]] = {
    "evaluation.frechet": [
        _frechet_matrix,
        lambda a, v, b, w: torch.dist(a, b) ** 2 + (v + w - 2 * (v * w).sqrt()).sum(),
        lambda a, v, b, w: float(
            np.sum((a.numpy() - b.numpy()) ** 2 + (np.sqrt(v.numpy()) - np.sqrt(w.numpy())) ** 2)
        ),
        lambda a, v, b, w: sum(
            ((m - n) ** 2 + (s**0.5 - t**0.5) ** 2).item() for m, s, n, t in zip(a, v, b, w)
        ),
        lambda a, v, b, w: torch.norm(torch.cat([a - b, v.sqrt() - w.sqrt()])).square(),
    ],
    "evaluation.kid": [_kernel_masked, _kernel_loops],
    "evaluation.coverage": [
        _covered_loops,
        lambda r, s, k: (cdist(r, s).min(1) <= np.sort(cdist(r, r), axis=1)[:, k]).mean(),
        lambda r, s, k: (
            (torch.cdist(r, s).amin(1) <= torch.cdist(r, r).kthvalue(k + 1, 1).values)
            .float()
            .mean()
        ),
        lambda r, s, k: (
            float(
                (
                    torch.cdist(r, s).min(1)[0]
                    <= torch.cdist(r, r).topk(k + 1, largest=False)[0][:, -1]
                ).sum()
            )
            / len(r)
        ),
    ],
    "diagnostics.checklist": [_checklist_short, lambda record: frozenset(_checklist_short(record))],
    "diagnostics.collapse": [
        _active_loops,
        lambda m, s: (
            kl_divergence(Normal(m, s.exp()), Normal(0.0, 1.0)).mean(0),
            m.var(0, correction=0) > 0.01,
        ),
        lambda m, s: [
            ((m**2 + np.exp(2 * s.numpy())) / 2 - 0.5 - s).mean(0),
            (np.var(m.numpy(), axis=0) > 1e-2).astype(int),
        ],
    ],
}
