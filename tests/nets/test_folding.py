"""Patches are where they were: folding and unfolding are each other's inverse, and networks over them see every pixel."""

from __future__ import annotations

import pytest
import torch

from pushforward.core.rng import generator
from pushforward.nets.folding import FoldedDecoder, FoldedEncoder, fold_of, folded


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 33, 18), (4, 1, 1), (2, 16, 5), (1, 9, 40)])
def test_every_size_goes_in_and_comes_out(shape: tuple[int, ...]) -> None:
    x = torch.randn(2, *shape, generator=generator(0)).requires_grad_(True)
    y = FoldedEncoder(shape, 5, width=8, depth=1, context=3)(x, torch.zeros(2, 3))
    assert y.shape == (2, 5)
    (seen,) = torch.autograd.grad(y.square().sum(), x)
    assert bool((seen.flatten(1) != 0).all(1).all()), "a pixel that nobody looks at"
    assert (
        FoldedDecoder(5, shape, width=8, depth=1, context=3)(y, torch.zeros(2, 3)).shape == x.shape
    )


def test_a_place_is_the_pixels_of_its_patch() -> None:
    x = torch.arange(2 * 3 * 6 * 4.0).reshape(2, 3, 6, 4)
    found = folded(x, 2)
    assert found.shape == (2, 12, 3, 2)
    torch.testing.assert_close(found[1, 4:8, 2, 1].sort().values, x[1, 1, 4:6, 2:4].flatten())
    torch.testing.assert_close(torch.nn.functional.pixel_shuffle(found, 2), x)


def test_odd_sides_are_continued_by_their_last_pixels() -> None:
    x = torch.arange(15.0).reshape(1, 1, 3, 5)
    whole = torch.nn.functional.pixel_shuffle(folded(x, 2), 2)
    assert whole.shape == (1, 1, 4, 6)
    torch.testing.assert_close(whole[:, :, :3, :5], x)
    torch.testing.assert_close(whole[0, 0, 3, :5], x[0, 0, 2])
    torch.testing.assert_close(whole[0, 0, :3, 5], x[0, 0, :, 4])


def test_four_places_are_left_on_the_shorter_side() -> None:
    assert [fold_of(side, 100) for side in (1, 7, 8, 15, 16, 200)] == [1, 1, 2, 2, 4, 4]
