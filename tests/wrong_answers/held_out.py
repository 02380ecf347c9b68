"""Wrong answers that were written after the catalogues: what each does, a pattern of what names it rightly, and the answer."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F

LOG_TAU = math.log(2 * math.pi)


def _kl(m: Any, s: Any) -> Any:
    return 0.5 * (m**2 + (2 * s).exp() - 1) - s


def _fit(x: Any, a: Any, b: Any) -> Any:
    return -0.5 * ((x - a) / b.exp()) ** 2 - b - 0.5 * LOG_TAU


def _attend(
    q: Any, k: Any, v: Any, a: Any, b: Any, scale: float | None = None, own: bool = True
) -> Any:
    keys, values = torch.cat([k, a[:, None]], 1), torch.cat([v, b[:, None]], 1)
    seen, mixed = (keys, values) if own else (k, v)
    weights = (
        (seen * q[:, None]).sum(2) / (math.sqrt(q.shape[1]) if scale is None else scale)
    ).softmax(1)
    return (weights[:, :, None] * mixed).sum(1), keys, values


def _gradient(d: Any, x: Any) -> Any:
    x = x.detach().clone().requires_grad_()
    return torch.autograd.grad(d(x).sum(), x, create_graph=True)[0]


def _coupled(x: Any, network: Any) -> tuple[Any, Any, Any, Any]:
    half = x.shape[1] // 2
    return x[:, :half], x[:, half:], *network(x[:, :half])


def _ode(
    x: Any, v: Any, div: Any, times: Any, late: bool = False, tau: float = 0.5, squares: float = 0.5
) -> Any:
    change = 0.0
    for t, h in zip(times[:-1], times.diff()):
        if late:
            x = x + h * v(x, t)
            change = change + h * div(x, t)
        else:
            change = change + h * div(x, t)
            x = x + h * v(x, t)
    return (-squares * x**2 - tau * LOG_TAU).sum(1), change


def _nucleus(
    z: Any, p: Any, strict: bool = True, renormalise: bool = True, whole: bool = False
) -> Any:
    q = z.softmax(1)
    ranked, order = q.sort(dim=1, descending=True)
    total = ranked.cumsum(1) if whole else ranked.cumsum(1) - ranked
    kept = torch.zeros_like(q, dtype=torch.bool).scatter(
        1, order, total < p if strict else total <= p
    )
    return q * kept / (q * kept).sum(1, keepdim=True) if renormalise else q * kept


def _off(k: Any) -> Any:
    return (k.sum() - k.diagonal().sum()) / (len(k) * (len(k) - 1))


def _mmd(
    x: Any,
    y: Any,
    by: float = 0.0,
    power: int = 3,
    plus: float = 1.0,
    within: Any = _off,
    cross: float = 2.0,
) -> Any:
    def k(a: Any, b: Any) -> Any:
        return (a @ b.T / (by or a.shape[1]) + plus) ** power

    return within(k(x, x)) + within(k(y, y)) - cross * k(x, y).mean()


def _ball(
    r: Any, s: Any, k: int, share: Any = lambda i: i.any(1).double().mean(), p: float = 2.0
) -> Any:
    return share(torch.cdist(r, s, p=p) <= torch.cdist(r, r, p=p).sort(1).values[:, k][:, None])


def _suspects(**changed: Any) -> Any:
    from pushforward.course.sections.diagnostics import by_rules

    return lambda record: by_rules(record, **changed)


Case = tuple[str, Any]
HELD_OUT: dict[str, list[Case]] = {
    "goal.categorical": [
        (r"one too large", lambda p, u: (u[:, None] >= p.cumsum(1)).sum(1) + 1),
        (r"sorted|ranks", lambda p, u: (u[:, None] >= p.sort(1).values.cumsum(1)[:, :-1]).sum(1)),
        (
            r"mean prob|averaged over the batch",
            lambda p, u: (u[:, None] >= p.mean(0).cumsum(0)[:-1]).sum(1),
        ),
        (r"1 - u|last to", lambda p, u: (1 - u[:, None] >= p.cumsum(1)[:, :-1]).sum(1)),
    ],
    "goal.bits_per_dim": [
        (r"nats", lambda x, d, k: -(x / d - math.log(k)) * 1.0),
        (r"wrong sign|sign", lambda x, d, k: (-x / d - math.log(k)) / math.log(2)),
        (r"base ten", lambda x, d, k: -(x / d - math.log(k)) / math.log(10)),
        (
            r"dimensions once too often|count twice|multiplied",
            lambda x, d, k: (d * math.log(k) - x / d) / math.log(2),
        ),
        (
            r"whole picture|not of one|one dimension",
            lambda x, d, k: -(x - d * math.log(k)) / math.log(2),
        ),
    ],
    "ar.log_likelihood": [
        (
            r"bits|base two",
            lambda x, t: x.log_softmax(2).gather(2, t[..., None])[..., 0].sum(1) / math.log(2),
        ),
        (
            r"perplexity",
            lambda x, t: (-x.log_softmax(2).gather(2, t[..., None])[..., 0].mean(1)).exp(),
        ),
        (
            r"first token is left out",
            lambda x, t: -x.log_softmax(2).gather(2, t[..., None])[:, 1:, 0].sum(1),
        ),
        (r"not normalised", lambda x, t: x.gather(2, t[..., None])[..., 0].mean(1)),
        (
            r"averaged over the batch",
            lambda x, t: -x.log_softmax(2).gather(2, t[..., None])[..., 0].sum(1).mean(),
        ),
    ],
    "ar.kv_cache": [
        (r"not divided", lambda *a: _attend(*a, scale=1.0)),
        (r"own position", lambda *a: (*_attend(*a, own=False)[:2], _attend(*a)[2])),
        (r"did not grow", lambda q, k, v, a, b: (_attend(q, k, v, a, b)[0], k, v)),
        (r"wrong order", lambda *a: (_attend(*a)[0], _attend(*a)[2], _attend(*a)[1])),
        (r"exchanged", lambda q, k, v, a, b: _attend(q, k, v, b, a)),
    ],
    "vae.kl": [
        (
            r"constant.*missing|missing.*constant",
            lambda m, s: (0.5 * (m + (2 * s).exp()) - s).sum(1),
        ),
        (
            r"sigma squared.*(mean|average)|sigma stands",
            lambda m, s: (0.5 * (m**2 + s.exp() - 1) - s).mean(1),
        ),
        (r"factor 1/2", lambda m, s: (m**2 + (2 * s).exp() - 1 - s).sum(1)),
        (r"half|halved|1/2|multiple|half the right", lambda m, s: 0.5 * _kl(m, s).sum(1)),
        (
            r"logarithm.*(half|sign)|log-det",
            lambda m, s: (0.5 * (m**2 + (2 * s).exp() - 1) - 0.5 * s).sum(1),
        ),
    ],
    "vae.reparameterise": [
        (r"squared", lambda m, s, e: m + s.exp() ** 2 * e),
        (r"divided|one over", lambda m, s, e: m + e / s.exp()),
        (r"mean.*sign|sign.*mean", lambda m, s, e: s.exp() * e - m),
        (r"sigma squared", lambda m, s, e: m - (2 * s).exp() * e),
    ],
    "vae.elbo": [
        (
            r"decoded_log_scale.*squared|half",
            lambda x, m, s, a, b: (_fit(x, a, b / 2)).sum(1) - _kl(m, s).sum(1),
        ),
        (r"KL.*(twice|weight)", lambda x, m, s, a, b: _fit(x, a, b).sum(1) - 2 * _kl(m, s).sum(1)),
        (
            r"once",
            lambda x, m, s, a, b: (
                (_fit(x, a, b) + LOG_TAU / 2).sum(1) - LOG_TAU / 2 - _kl(m, s).sum(1)
            ),
        ),
        (
            r"factor 1/2",
            lambda x, m, s, a, b: (
                (-(((x - a) / b.exp()) ** 2) - b - LOG_TAU / 2).sum(1) - _kl(m, s).sum(1)
            ),
        ),
        (
            r"not divided",
            lambda x, m, s, a, b: (-0.5 * (x - a) ** 2 - b - LOG_TAU / 2).sum(1) - _kl(m, s).sum(1),
        ),
        (r"minus the bound", lambda x, m, s, a, b: 4 * _kl(m, s).sum(1) - _fit(x, a, b).sum(1)),
    ],
    "vae.iwae": [
        (r"base two", lambda w: w.logsumexp(0) - math.log2(len(w))),
        (r"ELBO|log inside", lambda w: -w.mean(0)),
        (r"largest", lambda w: (w - w.amax(0)).exp().mean(0).log()),
        (r"wrong axis|examples", lambda w: w.logsumexp(1) - math.log(len(w))),
    ],
    "gan.losses": [
        (
            r"saturating",
            lambda r, f: (
                (F.softplus(-r).mean() + F.softplus(f).mean()) / 2,
                -F.softplus(f).mean(),
            ),
        ),
        (
            r"does not look at real|real examples",
            lambda r, f: (F.softplus(f).sum(), F.softplus(-f).sum()),
        ),
        (
            r"(exchanged|sign).*",
            lambda r, f: (F.softplus(r).mean() + F.softplus(-f).mean(), F.softplus(f).mean()),
        ),
        (
            r"squared error",
            lambda r, f: (((r - 1) ** 2).mean() + (f**2).mean(), ((f - 1) ** 2).mean()),
        ),
    ],
    "gan.r1": [
        (r"factor 1/2", lambda d, x: _gradient(d, x).square().sum(1).sum()),
        (r"not squared", lambda d, x: _gradient(d, x).norm(dim=1).sum()),
        (r"one|Wasserstein", lambda d, x: ((_gradient(d, x).norm(dim=1) - 1) ** 2).sum()),
        (r"averaged over dimensions", lambda d, x: _gradient(d, x).square().mean()),
    ],
    "flow.log_prob": [
        (r"log-determinant is missing", lambda x, m, s: -(((x - m) / s.exp()) ** 2) - LOG_TAU / 2),
        (r"root of the scale", lambda x, m, s: -0.5 * (x - m) ** 2 / s.exp() - LOG_TAU / 2 - s),
        (r"half|square", lambda x, m, s: -0.5 * (x - m) ** 2 / s.exp() - LOG_TAU / 2 - s / 2),
        (r"whole", lambda x, m, s: -0.5 * ((x - m) / s.exp()) ** 2 - LOG_TAU + s),
        (
            r"multiplied by the scale",
            lambda x, m, s: -0.5 * ((x - m) * s.exp()) ** 2 - LOG_TAU / 2 + s,
        ),
    ],
    "flow.coupling": [
        (
            r"sign of the log-det",
            lambda x, f: (
                torch.cat([(c := _coupled(x, f))[0], c[1] * c[3].exp() - c[2]], 1),
                -c[3].sum(1),
            ),
        ),
        (
            r"averaged",
            lambda x, f: (
                torch.cat([(c := _coupled(x, f))[0], c[1] * c[3] + c[2]], 1),
                c[3].mean(1),
            ),
        ),
        (
            r"inverse|shift",
            lambda x, f: (
                torch.cat([(c := _coupled(x, f))[0], (c[1] - c[2]) / c[3].exp()], 1),
                c[3].sum(1),
            ),
        ),
        (
            r"wrong order",
            lambda x, f: (
                torch.cat([(c := _coupled(x, f))[1] * c[3].exp() + c[2], c[0]], 1),
                c[3].sum(1),
            ),
        ),
    ],
    "diffusion.noise": [
        (r"1 - alpha_bar|exchanged", lambda x, e, a: a[:, None] * e + (1 - a[:, None]) * x),
        (
            r"1 - sqrt|add to one",
            lambda x, e, a: a[:, None].sqrt() * x - (1 - a[:, None].sqrt()) * e,
        ),
        (r"square", lambda x, e, a: a[:, None] ** 2 * x + (1 - a[:, None] ** 2).sqrt() * e),
        (
            r"batch|running product",
            lambda x, e, a: a.cumprod(0)[:, None] * x + (1 - a.cumprod(0)[:, None]).sqrt() * e,
        ),
    ],
    "diffusion.loss": [
        (r"sum", lambda p, e: 0.5 * ((p - e) ** 2).sum()),
        (r"absolute", lambda p, e: (p - e).abs().sum(1).mean()),
        (r"root", lambda p, e: ((p - e) ** 2).sum().sqrt()),
        (r"dimension", lambda p, e: -((p - e) ** 2).sum(1).mean()),
    ],
    "diffusion.ddim": [
        (
            r"alpha_bar",
            lambda x, e, a, b: a.sqrt() * (x - (1 - a).sqrt() * e) / b.sqrt() + (1 - b).sqrt() * e,
        ),
        (
            r"put back",
            lambda x, e, a, b: b.sqrt() * (x - (1 - a).sqrt() * e) / a.sqrt() + (1 - a) * e,
        ),
        (
            r"without a square root|variance",
            lambda x, e, a, b: b.sqrt() * (x - (1 - a) * e) / a.sqrt() + (1 - b) * e,
        ),
        (
            r"divided|scaled",
            lambda x, e, a, b: b.sqrt() * (x - (1 - a).sqrt() * e) / a + (1 - b).sqrt() * e,
        ),
    ],
    "score.langevin": [
        (r"drift.*step/2", lambda x, s, h, z: x + h / 2 * s + (2 * h) * z),
        (r"minus step|sign", lambda x, s, h, z: x - h * s + h.sqrt() * z),
        (r"2 step", lambda x, s, h, z: x + 2 * h * s + (2 * h).sqrt() * z),
        (r"squared", lambda x, s, h, z: x + h**2 * s + h * z),
    ],
    "score.guidance": [
        (r"one too large|other convention", lambda c, u, w: u + (1 + w) * (c - u)),
        (r"half", lambda c, u, w: u + w / 2 * (c - u)),
        (r"exchanged|1 - weight", lambda c, u, w: w * u + (1 - w) * c),
        (r"added|sum", lambda c, u, w: u + w * (c + u)),
    ],
    "score.ode_likelihood": [
        (r"after", lambda *a: sum(_ode(*a, late=True))),
        (r"sign of the divergence", lambda *a: _ode(*a, tau=0.0)[0] - _ode(*a)[1]),
        (r"factor 1/2", lambda *a: sum(_ode(*a, squares=1.0))),
        (r"averaged over the batch", lambda *a: _ode(*a)[0] + _ode(*a)[1].mean()),
        (r"whole", lambda *a: sum(_ode(*a, tau=1.0))),
    ],
    "evaluation.frechet": [
        (r"root", lambda a, v, b, w: ((a - b) ** 2 + v + w - 2 * (v * w).sqrt()).sum().sqrt()),
        (r"standard deviations", lambda a, v, b, w: ((a - b) ** 2 + (v - w) ** 2).mean()),
        (r"cross term", lambda a, v, b, w: ((a - b).abs() + v + w - (v * w).sqrt()).sum()),
        (
            r"not squared|absolute",
            lambda a, v, b, w: (a - b).abs().sum() + ((v.sqrt() - w.sqrt()) ** 2).sum(),
        ),
    ],
    "evaluation.kid": [
        (r"themselves", lambda x, y: _mmd(x, y, within=torch.mean, power=2)),
        (r"1 inside", lambda x, y: _mmd(x, y, plus=0.0, cross=1.0)),
        (r"not divided by d", lambda x, y: _mmd(x, y, by=1.0)),
        (r"once", lambda x, y: _mmd(x, y, cross=1.0)),
    ],
    "evaluation.coverage": [
        (r"absolute differences", lambda r, s, k: _ball(r, s, k, p=1.0)),
        (r"precision", lambda r, s, k: _ball(r, s, k, lambda i: i.any(0).double().mean())),
        (r"neighbour", lambda r, s, k: _ball(r, s, k - 1)),
        (r"not covered", lambda r, s, k: _ball(r, s, k, lambda i: (~i).all(1).double().mean())),
    ],
    "applications.nucleus": [
        (
            r"crosses|reaches",
            lambda z, p: _nucleus(z, p, whole=True, strict=False, renormalise=False),
        ),
        (r"not renormalised", lambda z, p: _nucleus(z, 1 - p, renormalise=False)),
        (r"exactly p", lambda z, p: _nucleus(z, p, strict=False)),
        (r"sign of the logits", lambda z, p: _nucleus(-z, p)),
    ],
    "diagnostics.checklist": [
        (
            r"posterior collapse",
            _suspects(posterior_collapse=lambda r: r["kl"] is not None and r["kl"] < 1.0),
        ),
        (
            r"overfitting",
            _suspects(
                overfitting=lambda r: r["kind"] is not None and r["train_nats"] - r["test_nats"] > 3
            ),
        ),
        (
            r"wrong density",
            _suspects(wrong_density=lambda r: r["kind"] == "exact" and r["mass"] > 1.1),
        ),
    ],
    "diagnostics.collapse": [
        (r"standard deviation", lambda m, s: (_kl(m, s).mean(0), m.std(0, correction=0) > 0.01)),
        (r"summed", lambda m, s: (_kl(m, s).sum(0), m.var(0) > 0.01)),
        (
            r"mean square|not subtracted",
            lambda m, s: (_kl(m, s / 2).mean(0), (m**2).mean(0) > 0.01),
        ),
        (r"0\.1", lambda m, s: (_kl(m, s).mean(0), m.var(0, correction=0) > 0.1)),
    ],
}
