"""Patches are cut and joined without loss, every patch sees all others, and a new network is its shortcut."""

from __future__ import annotations

import pytest
import torch

from oracles import perturb
from pushforward.core.errors import BadInput
from pushforward.core.rng import generator
from pushforward.nets.dit import DiT


def net(size: tuple[int, int], patch: int | None = None) -> DiT:
    torch.manual_seed(0)
    made = DiT((2, 2), size, width=16, depth=2, context=6, heads=4, patch=patch)
    perturb(made, 0.1)
    return made


@pytest.mark.parametrize(("size", "patch"), [((7, 5), 2), ((8, 8), 4), ((3, 3), 1), ((6, 9), 3)])
def test_cutting_and_joining_is_the_identity(size: tuple[int, int], patch: int) -> None:
    dit, x = net(size, patch), torch.randn(3, 2, *size, generator=generator(1))
    assert torch.equal(dit._join(dit._cut(x)), x)


def test_a_patch_holds_neighbouring_pixels() -> None:
    x = torch.arange(16.0).reshape(1, 1, 4, 4)
    cut = DiT((1, 1), (4, 4), width=4, depth=1, context=2, patch=2)._cut(x)
    assert cut.tolist() == [[[0, 1, 4, 5], [2, 3, 6, 7], [8, 9, 12, 13], [10, 11, 14, 15]]]


def test_every_output_depends_on_every_pixel_and_on_the_context() -> None:
    dit = net((5, 5), 2)
    x = torch.randn(1, 2, 5, 5, generator=generator(2)).requires_grad_(True)
    context = torch.randn(1, 6, generator=generator(3)).requires_grad_(True)
    out = dit(x, context)
    for corner in (out[0, 0, 0, 0], out[0, 1, 4, 4], out[0, 0, 2, 3]):
        to_x, to_context = torch.autograd.grad(corner, (x, context), retain_graph=True)
        assert bool((to_x.abs() > 0).all())
        assert bool((to_context.abs() > 0).all())


def test_examples_do_not_mix_and_a_new_network_is_its_shortcut() -> None:
    dit = net((6, 6))
    x, c = (
        torch.randn(4, 2, 6, 6, generator=generator(4)),
        torch.randn(4, 6, generator=generator(5)),
    )
    torch.testing.assert_close(dit(x, c)[1:2], dit(x[1:2], c[1:2]), rtol=1e-4, atol=1e-5)
    fresh = DiT((2, 2), (6, 6), width=16, depth=2, context=6)
    assert torch.equal(fresh(x, c), torch.zeros_like(x))


def test_heads_that_do_not_divide_the_width_are_refused() -> None:
    with pytest.raises(BadInput, match="width=10 with heads=4"):
        DiT((1, 1), (4, 4), width=10, depth=1, context=2)
