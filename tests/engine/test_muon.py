"""Muon against the singular value decomposition, and against the one of torch."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from pushforward.core.spec import TrainConfig
from pushforward.engine.muon import Muon, orthogonalised
from pushforward.engine.optimiser import build_optimisers, set_learning_rate, take_step


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def response(singular: torch.Tensor) -> torch.Tensor:
    """What five steps of `s <- a s + b s^3 + c s^5` make of singular values."""
    s = singular.double()
    for _ in range(5):
        s = 3.4445 * s - 4.7750 * s**3 + 2.0315 * s**5
    return s


@pytest.mark.parametrize("shape", [(3, 8, 8), (2, 5, 40), (4, 1, 7)])
def test_singular_vectors_stay_and_singular_values_become_one(shape: tuple[int, ...]) -> None:
    x = drawn(*shape).double()
    u, s, v = torch.linalg.svd(x, full_matrices=False)
    scaled = s / s.square().sum(1, keepdim=True).sqrt()
    expected = u @ torch.diag_embed(response(scaled)) @ v
    assert torch.allclose(orthogonalised(x), expected, atol=1e-9)
    found = torch.linalg.svdvals(orthogonalised(x))[scaled > 0.01]
    assert ((found > 0.6) & (found < 1.3)).all()


def test_nothing_comes_of_a_gradient_of_zero() -> None:
    assert orthogonalised(torch.zeros(2, 3, 4)).abs().max() == 0.0


def trained(kind: type, weights: list[torch.Tensor], steps: int = 4, **settings: float) -> list:
    parameters = [nn.Parameter(w.clone()) for w in weights]
    optimiser = kind(parameters, lr=0.02, weight_decay=0.1, **settings)
    for step in range(steps):
        for i, p in enumerate(parameters):
            p.grad = drawn(*p.shape, seed=100 * step + i)
        optimiser.step()
    return [p.detach() for p in parameters]


def test_matrices_are_updated_as_by_the_muon_of_torch() -> None:
    """Which multiplies in bfloat16: eight bits of a mantissa, a few of which are lost."""
    weights = [drawn(6, 10), drawn(10, 6, seed=1), drawn(6, 10, seed=2), drawn(4, 4, seed=3)]
    ours, theirs = trained(Muon, weights), trained(torch.optim.Muon, weights)
    for a, b, before in zip(ours, theirs, weights, strict=True):
        assert (a - b).norm() < 0.03 * (b - before).norm()
    rough = trained(Muon, weights, dtype=torch.bfloat16)
    for a, b, before in zip(ours, rough, weights, strict=True):
        assert 0.0 < (a - b).norm() < 0.03 * (b - before).norm()


def test_a_filter_is_the_matrix_of_its_outputs_by_all_it_reads() -> None:
    filters = drawn(5, 4, 3, 3)
    matrix = nn.Parameter(filters.flatten(1).clone())
    whole, flat = nn.Parameter(filters.clone()), Muon([matrix], lr=0.1)
    last = nn.Parameter(filters.clone(memory_format=torch.channels_last))
    for seed in range(3):
        grad = drawn(5, 4, 3, 3, seed=seed)
        whole.grad, matrix.grad = grad, grad.flatten(1)
        last.grad = grad.clone(memory_format=torch.channels_last)
        if not seed:
            others = Muon([whole], lr=0.1), Muon([last], lr=0.1)
        flat.step()
        for other in others:
            other.step()
    assert torch.equal(whole.detach().flatten(1), matrix.detach())
    assert torch.allclose(last.detach(), whole.detach(), atol=1e-6)
    assert last.is_contiguous(memory_format=torch.channels_last)


def test_a_weight_without_a_gradient_stays() -> None:
    idle, busy = nn.Parameter(drawn(3, 3)), nn.Parameter(drawn(3, 3))
    busy.grad = drawn(3, 3, seed=1)
    Muon([idle, busy], lr=0.1, weight_decay=0.5).step()
    assert torch.equal(idle.detach(), drawn(3, 3))
    assert not torch.equal(busy.detach(), drawn(3, 3))


def test_matrices_have_a_rate_of_their_own() -> None:
    matrix, gain = nn.Parameter(drawn(3, 4)), nn.Parameter(torch.ones(3))
    config = TrainConfig(
        optimiser="muon", learning_rate=0.5, matrix_learning_rate=0.25, weight_decay=0.0
    )
    optimisers = build_optimisers({"model": [matrix, gain]}, config, [matrix])
    set_learning_rate(optimisers, config, 0.5)
    matrix.grad, gain.grad = drawn(3, 4, seed=1), torch.ones(3)
    take_step(optimisers["model"])
    moved = torch.linalg.svdvals(matrix.detach() - drawn(3, 4))
    assert torch.allclose(moved, 0.125 * torch.ones(3), rtol=0.35)
    assert torch.allclose(gain.detach(), torch.full((3,), 0.75))
