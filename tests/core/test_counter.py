"""Numbers of a counter: published words, the law that they should have, and equality wherever they are computed."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats

from pushforward.core.counter import (
    FIRST,
    GOLDEN,
    PLACES,
    SECOND,
    TABLE,
    Counter,
    _mixed_there,
    _signed,
    normal,
    splitmix,
    uniform,
    words_of_normal,
    words_of_uniform,
)
from pushforward.core.noise import FEW, TOGETHER, BatchNoise, Noise, StepNoise, Streams
from pushforward.core.rng import derive_seed, generator

WORD = 2**64
# the first outputs of SplitMix64 as published with its reference implementation in C
PUBLISHED = {
    1234567: [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ],
    0: [16294208416658607535, 7960286522194355700, 487617019471545679],
}


def mix(z: int) -> int:
    """The finaliser, in integers that never overflow."""
    z = ((z ^ (z >> 30)) * FIRST) % WORD
    z = ((z ^ (z >> 27)) * SECOND) % WORD
    return z ^ (z >> 31)


def unsigned(words: torch.Tensor) -> np.ndarray:
    return words.numpy().view(np.uint64)


@pytest.mark.parametrize("seed", PUBLISHED)
def test_splitmix_has_its_published_outputs(seed: int) -> None:
    assert [int(z) for z in splitmix(seed, 0, len(PUBLISHED[seed]))] == PUBLISHED[seed]
    assert [int(z) for z in splitmix(seed, 1, 2)] == PUBLISHED[seed][1:3]


def test_a_word_is_the_mix_of_its_key_and_its_place() -> None:
    keys = splitmix(5, 0, 3)
    for first in (0, 1, TABLE - 2, TABLE, 2**40):
        found = unsigned(Counter(keys).words(first, 4))
        for i, key in enumerate(keys):
            for j in range(4):
                place = mix((PLACES + (first + j + 1) * GOLDEN) % WORD)
                assert int(found[i, j]) == mix(int(key) ^ place)


@pytest.mark.parametrize("first", [0, 7, TABLE - 3, TABLE, 2**33])
def test_signed_words_of_a_device_are_those_of_the_processor(first: int) -> None:
    counter = Counter(splitmix(11, 0, 50))
    there = torch.from_numpy(splitmix(11, 0, 50)[:, None].view(np.int64))
    assert torch.equal(_mixed_there(there ^ counter._placed(first, 8)), counter.words(first, 8))
    assert _signed(FIRST) < 0 < _signed(PLACES)


def test_numbers_by_hand() -> None:
    low, high = 0xFFFFFFFF, 0x00000180
    word = torch.tensor([[(high << 32 | low) - (WORD if high >> 31 else 0)]])
    assert uniform(word, 2, torch.float32).tolist() == [[1.0 - 2.0**-24, 2.0**-24]]
    assert uniform(word, 1, torch.float64).item() == (high << 32 | low) // 2**11 * 2.0**-53
    for count, singles, doubles in ((0, 0, 0), (1, 1, 1), (2, 1, 2), (3, 2, 3)):
        assert words_of_uniform(count, torch.float32) == singles
        assert words_of_uniform(count, torch.float64) == doubles
        assert words_of_normal(count, torch.float32) == singles
        assert words_of_normal(count, torch.float64) == 2 * singles
    # u = (|high| + 1) / 2^31 and t = pi low / 2^31, low being -1
    radius = math.sqrt(-2 * math.log((high + 1) / 2**31))
    x = normal(word, 2, torch.float32)[0].double().tolist()
    assert x == pytest.approx(
        [radius * math.cos(math.pi / 2**31), -radius * math.sin(math.pi / 2**31)], rel=1e-6
    )
    for extreme in (-(2**63), -1, 0, 2**63 - 1):
        ends = torch.tensor([[extreme, extreme]])
        for dtype in (torch.float32, torch.float64):
            assert bool(torch.isfinite(normal(ends, 2, dtype)).all())
            assert 0.0 <= float(uniform(ends, 2, dtype).max()) < 1.0


def flat(x: torch.Tensor) -> np.ndarray:
    return x.double().numpy().ravel()


def pairs(kind: str, uniforms: bool, dtype: torch.dtype) -> np.ndarray:
    """A million pairs of numbers in [0, 1) that should know nothing of each other."""

    def drawn(noise: Noise, *shape: int) -> np.ndarray:
        x = noise.uniform(*shape, dtype=dtype) if uniforms else noise.normal(*shape, dtype=dtype)
        return x.double().numpy() if uniforms else stats.norm.cdf(x.double().numpy())

    if kind == "neighbours in a stream":
        x = drawn(Streams(1, 1000), 1001)
        return np.stack([x[:, :-1].ravel(), x[:, 1:].ravel()])
    if kind == "two apart in a stream":
        x = drawn(Streams(2, 1000), 1002)
        return np.stack([x[:, :-2].ravel(), x[:, 2:].ravel()])
    if kind == "neighbouring streams":
        x = drawn(Streams(3, 200_001), 5)
        return np.stack([x[:-1].ravel(), x[1:].ravel()])
    if kind == "neighbouring seeds":
        return np.stack([drawn(Streams(seed, 1000), 1000).ravel() for seed in (4, 5)])
    if kind == "two draws":
        noise = Streams(6, 500_000)
        return np.stack([drawn(noise, 2).ravel(), drawn(noise, 2).ravel()])
    if kind == "neighbouring steps":
        steps = StepNoise(7, "step")
        each = [drawn(steps.of(step, 1), 4000) for step in range(3 * TOGETHER + 1)]
        x = np.concatenate(each)
        return np.stack([x[:-1].ravel(), x[1:].ravel()])
    noise = BatchNoise(generator(0, "step", 1), 1000)
    return np.stack([drawn(noise, 1000).ravel(), drawn(noise, 1000).ravel()])


KINDS = (
    "neighbours in a stream",
    "two apart in a stream",
    "neighbouring streams",
    "neighbouring seeds",
    "two draws",
    "a batch",
    "neighbouring steps",
)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("uniforms", [True, False], ids=["uniform", "normal"])
@pytest.mark.parametrize("kind", KINDS)
def test_pairs_are_independent_and_uniform(kind: str, uniforms: bool, dtype: torch.dtype) -> None:
    """Chi-square on 16 x 16 cells; the seeds are fixed, and one set in 35,000 would fail one of the 28 at 1e-6."""
    x = pairs(kind, uniforms, dtype)
    counts, _, _ = np.histogram2d(*x, bins=16, range=[[0, 1], [0, 1]])
    assert counts.sum() == x.shape[1]
    assert stats.chisquare(counts.ravel()).pvalue > 1e-6


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_normal_numbers_have_their_moments_and_tails(dtype: torch.dtype) -> None:
    """Five standard errors: false alarm 6e-7 each; the seeds are fixed."""
    x = flat(Streams(8, 2000).normal(1000, dtype=dtype))
    n = len(x)
    for power, moment, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96), (6, 15, 10_170)):
        assert abs((x**power).mean() - moment) < 5 * math.sqrt(variance / n), power
    assert stats.kstest(x, "norm").pvalue > 1e-6
    for far in (3.0, 4.0, 5.0):
        expected = n * 2 * stats.norm.sf(far)
        assert abs((abs(x) > far).sum() - expected) < 5 * math.sqrt(expected) + 3, far


def test_one_bit_of_a_key_changes_half_of_a_word() -> None:
    """Of 500 keys, by five standard errors on average, and by seven for each bit of the word and each of the key."""
    keys = splitmix(9, 0, 500)
    base = unsigned(Counter(keys).words(3, 1))[:, 0]
    share = np.zeros((64, 64))
    for bit in range(64):
        other = unsigned(Counter(keys ^ np.uint64(1 << bit)).words(3, 1))[:, 0]
        changed = (base ^ other)[:, None] >> np.arange(64, dtype=np.uint64) & np.uint64(1)
        share[bit] = changed.mean(0)
    assert abs(share.mean() - 0.5) < 5 * 0.5 / math.sqrt(share.size * 500)
    assert abs(share - 0.5).max() < 7 * 0.5 / math.sqrt(500)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_an_example_has_its_numbers_in_whatever_batch_and_size(dtype: torch.dtype) -> None:
    def drawn(n: int, first: int) -> list[torch.Tensor]:
        noise = Streams(3, n, first)
        return [
            noise.normal(3, dtype=dtype),
            noise.uniform(dtype=dtype),
            noise.normal(2, 5, dtype=dtype),
            noise.uniform(7, dtype=dtype),
        ]

    whole = drawn(11, 0)
    assert [tuple(x.shape) for x in whole] == [(11, 3), (11,), (11, 2, 5), (11, 7)]
    assert all(x.dtype == dtype for x in whole)
    for first, n in ((0, 1), (4, 3), (10, 1)):
        for part, x in zip(drawn(n, first), whole, strict=True):
            assert torch.equal(part, x[first : first + n])
    assert Streams(3, 0).normal(4).shape == (0, 4)
    assert Streams(3, 4).normal(0).shape == (4, 0)


def test_a_batch_draws_new_numbers_from_the_same_generator() -> None:
    rng = generator(0, "step", 5)
    one, two = BatchNoise(rng, 4), BatchNoise(rng, 4)
    x = one.normal(3)
    assert not torch.equal(x, two.normal(3))
    assert not torch.equal(x, one.normal(3))
    assert torch.equal(x, BatchNoise(generator(0, "step", 5), 4).normal(3))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_a_step_has_its_numbers_whoever_came_before(dtype: torch.dtype) -> None:
    """Computed with its neighbours' or alone, in whatever order of steps, whoever wrote into what was drawn."""

    def drawn(steps: StepNoise, step: int) -> list[torch.Tensor]:
        noise = steps.of(step, 5)
        found = [
            noise.uniform(dtype=dtype),
            noise.normal(3, dtype=dtype),
            noise.normal(FEW // 5 + 1, dtype=dtype),
            noise.normal(3, dtype=dtype),
            noise.uniform(2, 2, dtype=dtype),
        ]
        kept = [x.clone() for x in found]
        for x in found:
            x.zero_()
        return kept

    order = [0, 1, TOGETHER - 1, TOGETHER, 3 * TOGETHER + 2, 1, 1]
    one = StepNoise(3, "step")
    seen = {step: drawn(one, step) for step in order}
    for step in order:
        alone = Counter(splitmix(derive_seed(3, "step"), step, 1))
        words = words_of_uniform(5, dtype)
        first = uniform(alone.words(0, words), 5, dtype)
        assert torch.equal(seen[step][0], first.view(5))
        second = normal(alone.words(words, words_of_normal(15, dtype)), 15, dtype)
        assert torch.equal(seen[step][1], second.view(5, 3))
        assert all(torch.equal(a, b) for a, b in zip(seen[step], drawn(one, step), strict=True))
        fresh = drawn(StepNoise(3, "step"), step)
        assert all(torch.equal(a, b) for a, b in zip(seen[step], fresh, strict=True))
    for a, b in ((0, 1), (TOGETHER - 1, TOGETHER)):
        assert not any(torch.equal(x, y) for x, y in zip(seen[a], seen[b], strict=True))
    assert not torch.equal(seen[0][1], drawn(StepNoise(4, "step"), 0)[1])
    assert not torch.equal(seen[0][1], drawn(StepNoise(3, "step", 1), 0)[1])


def test_no_two_steps_have_the_same_noise() -> None:
    """Noise of several steps is computed at once, and none of it twice."""
    noise = StepNoise(3, "step")
    seen = torch.cat([noise.of(step, 2).uniform(1) for step in range(50)])
    assert len(seen.unique()) == 100
    assert torch.equal(StepNoise(3, "step").of(37, 2).uniform(1), seen[74:76])
