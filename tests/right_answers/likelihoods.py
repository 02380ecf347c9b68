"""Sections 1 to 3 and 5: densities, bounds and what they are made of."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch.distributions import Categorical, Independent, MultivariateNormal, Normal, kl_divergence

TAU = 2 * math.pi
SINGLE = torch.log(torch.tensor(TAU))  # of float32


def _by_search(probabilities: Any, uniforms: Any) -> Any:
    return torch.searchsorted(
        probabilities.cumsum(1)[:, :-1].contiguous(), uniforms[:, None], right=True
    )[:, 0]


def _by_loop(probabilities: Any, uniforms: Any) -> list[int]:
    classes = []
    for row, u in zip(probabilities, uniforms):
        total = 0.0
        for k in range(len(row) - 1):
            total += float(row[k])
            if u < total:
                classes.append(k)
                break
        else:
            classes.append(len(row) - 1)
    return classes


def _attend(query: Any, keys: Any, values: Any, new_key: Any, new_value: Any) -> Any:
    keys, values = (
        torch.cat((keys, new_key[:, None]), dim=1),
        torch.cat((values, new_value[:, None]), dim=1),
    )
    weights = torch.einsum("nd,ntd->nt", query, keys).div(query.size(-1) ** 0.5).softmax(-1)
    return torch.einsum("nt,ntd->nd", weights, values), keys, values


def _attend_numpy(*arguments: Any) -> Any:
    q, k, v, a, b = (x.numpy() for x in arguments)
    k, v = np.concatenate([k, a[:, None]], 1), np.concatenate([v, b[:, None]], 1)
    s = (k @ q[:, :, None])[:, :, 0] / np.sqrt(q.shape[1])
    w = np.exp(s - s.max(1, keepdims=True))
    return np.einsum("nt,ntd->nd", w / w.sum(1, keepdims=True), v), k, v


def _attend_rows(query: Any, keys: Any, values: Any, new_key: Any, new_value: Any) -> list[Any]:
    found = []
    for q, k, v, a, b in zip(query, keys, values, new_key, new_value):
        k, v = torch.vstack([k, a]), torch.vstack([v, b])
        found.append(((k @ q / math.sqrt(len(q))).softmax(0) @ v, k, v))
    return [torch.stack(part) for part in zip(*found)]


def _elbo_halves(
    x: Any, mean: Any, log_scale: Any, decoded_mean: Any, decoded_log_scale: Any
) -> Any:
    log_p = Independent(Normal(decoded_mean, decoded_log_scale.exp()), 1).log_prob(x)
    return log_p - kl_divergence(Normal(mean, log_scale.exp()), Normal(0 * mean, 1 + 0 * mean)).sum(
        -1
    )


def _elbo_single(x: Any, m: Any, s: Any, a: Any, b: Any) -> Any:
    fit = -((x - a) ** 2) / (2 * torch.exp(2 * b)) - b - SINGLE / 2
    return torch.sum(fit, dim=1) + torch.sum(1 + 2 * s - m**2 - torch.exp(2 * s), dim=1) / 2


def _coupling_copy(x: Any, network: Any) -> tuple[Any, Any]:
    y, half = x.clone(), x.shape[1] // 2
    shift, log_scale = network(x[:, :half])
    y[:, half:] = torch.exp(log_scale) * x[:, half:] + shift
    return y, torch.einsum("nd->n", log_scale)


def _coupling_split(x: Any, network: Any) -> list[Any]:
    d = x.size(1)
    kept, changed = x.split([d // 2, d - d // 2], dim=1)
    shift, log_scale = network(kept)
    return [
        torch.hstack((kept, torch.addcmul(shift, changed, log_scale.exp()))),
        torch.log(log_scale.exp().prod(dim=1)),
    ]


def _coupling_rows(x: Any, network: Any) -> Any:
    rows, dets = [], []
    for row in x:
        half = len(row) // 2
        shift, log_scale = network(row[:half][None])
        rows.append(torch.cat([row[:half], row[half:] * log_scale[0].exp() + shift[0]]))
        dets.append(sum(log_scale[0]))
    return torch.stack(rows), torch.stack(dets)


RIGHT: dict[str, list[Any]] = {
    "goal.categorical": [
        _by_search,
        _by_loop,
        lambda p, u: (p.cumsum(1) <= u[:, None]).sum(1).clamp(max=p.shape[1] - 1),
        lambda p, u: np.minimum(
            (np.cumsum(p.numpy(), 1) <= u.numpy()[:, None]).sum(1), p.shape[1] - 1
        ),
    ],
    "goal.bits_per_dim": [
        lambda nats, d, levels: math.log2(levels) - nats / (d * math.log(2)),
        lambda nats, d, levels: (-nats + d * math.log(levels)) / d / np.log(2),
        lambda nats, d, levels: [-(v.item() / d - math.log(levels)) / math.log(2) for v in nats],
        lambda nats, d, levels: -(nats.numpy() / d - np.log(levels)) / np.log(2.0),
        lambda nats, d, levels: (
            torch.log2(torch.tensor(levels)) - nats / d / torch.log(torch.tensor(2.0))
        ),
    ],
    "ar.log_likelihood": [
        lambda logits, tokens: Categorical(logits=logits).log_prob(tokens).sum(-1),
        lambda logits, tokens: (
            -F.cross_entropy(logits.transpose(1, 2), tokens, reduction="none").sum(1)
        ),
        lambda logits, tokens: (F.one_hot(tokens, logits.shape[-1]) * logits.log_softmax(-1)).sum(
            (1, 2)
        ),
        lambda x, t: torch.stack(
            [sum(a[i, k] - a[i].logsumexp(0) for i, k in enumerate(b)) for a, b in zip(x, t)]
        ),
        lambda x, t: (x.gather(2, t[..., None])[..., 0] - x.logsumexp(2)).sum(1),
    ],
    "ar.kv_cache": [_attend, _attend_numpy, _attend_rows],
    "vae.kl": [
        lambda mean, log_scale: (
            -0.5 * torch.sum(1 + 2 * log_scale - mean**2 - torch.exp(2 * log_scale), dim=1)
        ),
        lambda m, s: kl_divergence(Normal(m, s.exp()), Normal(0.0, 1.0)).sum(1),
        lambda m, s: ((m.square() + s.exp().square()) / 2 - 0.5 - s).sum(dim=-1),
        lambda m, s: torch.stack(
            [sum((a**2 + torch.exp(2 * b) - 1) / 2 - b for a, b in zip(r, q)) for r, q in zip(m, s)]
        ),
        lambda m, s: (
            (torch.einsum("nd,nd->n", m, m) + s.mul(2).exp().sum(1) - m.shape[1]) / 2 - s.sum(1)
        ),
    ],
    "vae.reparameterise": [
        lambda m, s, e: torch.normal(0.0, 1.0, (1,)).mul(0).double() + m + s.exp() * e,
        lambda m, s, e: m + torch.exp(2 * s).sqrt() * e,
        lambda m, s, e: torch.addcmul(m, s.exp(), e),
        lambda m, s, e: torch.stack([a + b.exp() * c for a, b, c in zip(m, s, e)]),
        lambda m, s, e: m + math.e**s * e,
    ],
    "vae.elbo": [_elbo_halves, _elbo_single],
    "vae.iwae": [
        lambda w: torch.logsumexp(w, dim=0) - math.log(w.shape[0]),
        lambda w: (
            torch.log(torch.mean(torch.exp(w - w.max(dim=0).values), dim=0)) + w.max(dim=0).values
        ),
        lambda w: torch.stack(
            [torch.logsumexp(w[:, i], 0) - np.log(len(w)) for i in range(w.shape[1])]
        ),
        lambda w: (w - math.log(len(w))).logsumexp(0),
        lambda w: (w.log_softmax(0).neg()[0] + w[0]) - torch.log(torch.tensor(float(len(w)))),
    ],
    "flow.log_prob": [
        lambda x, shift, log_scale: Normal(shift, log_scale.exp()).log_prob(x),
        lambda x, m, s: (
            -((x - m) ** 2) / (2 * torch.exp(2 * s)) - torch.log(torch.exp(s) * math.sqrt(TAU))
        ),
        lambda x, m, s: torch.stack(
            [-(((v - m) / s.exp()) ** 2) / 2 - s - math.log(TAU) / 2 for v in x]
        ),
        lambda x, m, s: -((x - m) / s.exp()).square() / 2 - s - SINGLE / 2,
        lambda x, m, s: MultivariateNormal(m[None], (2 * s).exp()[None, None]).log_prob(x[:, None]),
    ],
    "flow.coupling": [_coupling_copy, _coupling_split, _coupling_rows],
}
