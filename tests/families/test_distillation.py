"""Few-step students: identities of a leap, targets computed by hand, and flows that are known in closed form."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from families.diffusion_oracles import MixtureDenoiser, gaussian, gaussian_flow
from pushforward.core.errors import BadInput, Unsupported
from pushforward.core.given import Examples, Given
from pushforward.core.noise import BatchNoise, Streams
from pushforward.core.rng import generator
from pushforward.core.space import Image, Points
from pushforward.core.walk import run
from pushforward.evaluation.distribution.energy import energy_distance
from pushforward.families.build import build
from pushforward.families.diffusion.denoisers.denoiser import Denoiser, NetworkDenoiser
from pushforward.families.diffusion.model import Diffusion
from pushforward.families.diffusion.paths.path import VariancePreserving
from pushforward.families.diffusion.paths.published import PATHS
from pushforward.families.diffusion.solvers.noise_grids import karras_levels
from pushforward.families.diffusion.solvers.sampler import SOLVERS
from pushforward.families.diffusion.students.consistency import (
    Consistency,
    pseudo_huber,
    to_the_end,
)
from pushforward.families.diffusion.students.distilled import Distilled
from pushforward.families.diffusion.students.leap import heun, leap, level_at, named
from pushforward.families.diffusion.students.lesson import Lesson, bound
from pushforward.families.diffusion.students.progressive import Progressive, lent
from pushforward.nets.conditional import ScalarConditioned
from pushforward.nets.mlp import ResidualMLP

LOW, HIGH = 0.05, 20.0
PATH = VariancePreserving(LOW, HIGH)


class Scaled(Denoiser):
    """`D(y, s) = a y/(1 + s)`: no denoiser of anything, and easy on paper."""

    def __init__(self, a: float) -> None:
        self.a = a

    def denoise(self, y: Tensor, noise_level: Tensor, given: Given | None) -> Tensor:
        return self.a * y / (1.0 + noise_level.reshape(-1, 1))


class Float(Denoiser):
    """An oracle in float64 for a student in float32."""

    def __init__(self, oracle: MixtureDenoiser) -> None:
        self.oracle = oracle

    def denoise(self, y: Tensor, noise_level: Tensor, given: Given | None) -> Tensor:
        return self.oracle.denoise(y.double(), noise_level.double(), given).to(y)


def network(data: Tensor) -> NetworkDenoiser:
    """An untrained denoiser that knows the centre and the scale of some data of shape (n, 2)."""
    body = ResidualMLP(2, 2, 48, 1, 32, zero_output=True)
    student = NetworkDenoiser(ScalarConditioned(body, 32), (2,))
    student.preconditioner.fit(data)
    return student


def shaken(student: NetworkDenoiser) -> None:
    """Give the output layer, which begins at zero, weights."""
    with torch.no_grad():
        for p in student.network.parameters():
            p.add_(0.1 * torch.randn(p.shape, generator=generator(6)))


def taught(
    lesson: Lesson,
    student: NetworkDenoiser,
    oracle: MixtureDenoiser,
    steps: int,
    rate: float = 6e-3,
) -> None:
    """A bare training loop, independent of the engine."""
    optimiser = torch.optim.Adam(student.network.parameters(), lr=rate, betas=(0.9, 0.99))
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = rate * 0.5 * (1.0 + math.cos(math.pi * step / steps)) + 1e-5
        rng = generator(0, "step", step)
        x = oracle.draw(256, rng).float()
        loss = lesson.loss(x, Float(oracle), student, None, BatchNoise(rng, len(x)))
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(student.network.parameters(), 1.0)
        optimiser.step()
        lesson.advance(student, step / steps)


def labelled(kind: str = "points") -> tuple[Diffusion, Examples]:
    """A tiny teacher of three classes with weights that are not zero, and its data."""
    space = Points(2) if kind == "points" else Image(1, 4, 4, levels=5)
    teacher = build(
        "diffusion", space, ("a", "b", "c"), {"width": 8, "depth": 1, "context": 8}, seed=1
    )
    assert isinstance(teacher, Diffusion)
    rng = generator(3)
    label = torch.randint(0, 3, (64,), generator=rng)
    z = torch.randn(64, *space.event_shape, generator=rng) + label.float().reshape(
        -1, *(1 for _ in space.event_shape)
    )
    data = Examples(
        z * 1.7 + 0.4 if kind == "points" else z.round().clamp(0, 4).to(torch.uint8), Given(label)
    )
    teacher.prepare(data)
    with torch.no_grad():
        for p in teacher.parameters():
            p.add_(0.2 * torch.randn(p.shape, generator=rng))
    return teacher, data


def student_of(teacher: Diffusion, **choices: object) -> Distilled:
    values = {**choices, "diffusion": {"width": 8, "depth": 1, "context": 8}}
    student = build("distilled", teacher.space, teacher.classes, values)
    assert isinstance(student, Distilled)
    student.learn_from(teacher)
    return student


# ---- identities --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(PATHS.names()))
def test_the_boundary_condition_is_exact_on_every_path(name: str) -> None:
    kind = PATHS[name]
    path = kind(0.0123, min(7.7, kind.reach))
    y = torch.randn(5, 2, generator=generator(2))
    there = torch.full((5,), path.sigma_min)
    assert torch.equal(to_the_end(path, bound(Scaled(3.0), None), y, there), y)
    assert torch.equal(
        level_at(torch.tensor([0.0, 1.0]), path), torch.tensor([path.sigma_min, path.sigma_max])
    )


def test_the_end_has_the_preconditioning_of_consistency_models() -> None:
    """`f - m = c_skip (y - m) + c_out F`, `c_out = (s - e) d/sqrt(s^2 + d^2)`, and c_skip is one at the smallest noise."""
    student = network(gaussian().draw(500, generator(0)).float())
    shaken(student)
    d, m = float(student.preconditioner.sigma_data), student.preconditioner.centre
    y, s = torch.randn(4, 2, generator=generator(1)), torch.tensor([0.05, 0.3, 2.0, 20.0])
    c_in, c_noise = student.preconditioner.inputs(s)
    f = student.network(c_in.unsqueeze(1) * (y - m), c_noise)
    skip = (d**2 + LOW * s) / (s**2 + d**2)
    out = (s - LOW) * d / (s**2 + d**2).sqrt()
    expected = m + skip.unsqueeze(1) * (y - m) + out.unsqueeze(1) * f
    torch.testing.assert_close(
        to_the_end(PATH, bound(student, None), y, s), expected, rtol=1e-5, atol=1e-5
    )


def test_a_leap_is_a_step_of_ddim_and_composes_into_the_sampler() -> None:
    oracle, levels = gaussian(), karras_levels(7, PATH.sigma_min, PATH.sigma_max)
    y = torch.randn(3, 2, generator=generator(4), dtype=torch.float64)
    walked = y
    for start, end in itertools.pairwise(levels):
        walked = leap(oracle(walked, start), walked, start, end)
    # the sampler of seven levels takes these six steps, and a last one to noise zero
    sampler = SOLVERS["ddim"].walk(PATH, oracle, lambda: y / PATH.spread, 7, 1.0)
    torch.testing.assert_close(run(sampler), oracle(walked, levels[-1]), rtol=1e-12, atol=1e-12)


def test_two_steps_name_the_data_of_one() -> None:
    """The leap with the named data ends where the two steps ended, and of two points of one line names that line's data."""
    oracle = gaussian()
    y = torch.randn(6, 2, generator=generator(5), dtype=torch.float64) * 3.0
    s, m, t = (torch.tensor(v, dtype=torch.float64) for v in (7.0, 2.5, 0.4))
    half = leap(oracle(y, s), y, s, m)
    arrived = leap(oracle(half, m), half, m, t)
    torch.testing.assert_close(
        leap(named(arrived, y, s, t), y, s, t), arrived, rtol=1e-12, atol=1e-12
    )
    # D* = w D(y, s) + (1 - w) D(y_m, m), w = (t/m)(1 - m/s)/(1 - t/s): a mean that favours the lower level
    w = (t / m) * (1.0 - m / s) / (1.0 - t / s)
    expected = w * oracle(y, s) + (1.0 - w) * oracle(half, m)
    torch.testing.assert_close(named(arrived, y, s, t), expected, rtol=1e-12, atol=1e-12)
    assert 0.0 < float(w) < 0.5


def test_a_step_of_heun_is_of_second_order() -> None:
    oracle = gaussian()
    y = oracle.draw(8, generator(1)) * 3.0
    errors = []
    for steps in (20, 40):
        levels = torch.logspace(math.log10(3.0), math.log10(0.3), steps + 1, dtype=torch.float64)
        moved = y
        for a, b in itertools.pairwise(levels):
            moved = heun(oracle, moved, a.expand(8), b.expand(8))
        errors.append(float((moved - gaussian_flow(oracle, y, 3.0, 0.3)).abs().max()))
    assert math.log2(errors[0] / errors[1]) == pytest.approx(2.0, abs=0.15)


# ---- targets by hand -----------------------------------------------------------------------------------------------------


def test_one_consistency_target_by_hand() -> None:
    lesson = Consistency(PATH, calls=1, intervals=4)
    y = torch.tensor([[2.0, -1.0]], dtype=torch.float64)
    place = torch.tensor([0.75], dtype=torch.float64)
    end, target, weight = lesson.pair(y, place, bound(Scaled(0.5), None), bound(Scaled(0.3), None))
    low, high = LOW ** (1 / 7), HIGH ** (1 / 7)
    s, r = (low + 0.75 * (high - low)) ** 7, (low + 0.5 * (high - low)) ** 7
    for k, value in enumerate((2.0, -1.0)):
        first = (value - 0.5 * value / (1 + s)) / s
        guess = value + (r - s) * first
        second = (guess - 0.5 * guess / (1 + r)) / r
        below = value + (r - s) * (first + second) / 2
        clean = 0.3 * below / (1 + r)
        assert float(target[0, k]) == pytest.approx(clean + LOW / r * (below - clean), rel=1e-12)
        clean = 0.3 * value / (1 + s)
        assert float(end[0, k]) == pytest.approx(clean + LOW / s * (value - clean), rel=1e-12)
    assert float(weight) == pytest.approx(1 / (s - r), rel=1e-12)
    assert float(pseudo_huber(torch.tensor([[3.0, 4.0]]), 12.0)) == pytest.approx(1.0)


def test_the_target_has_no_gradient_and_the_last_interval_ends_at_the_smallest_noise() -> None:
    student = network(gaussian().draw(100, generator(0)).float())
    lesson = Consistency(PATH, calls=1, intervals=4)
    y, place = torch.ones(2, 2), torch.tensor([0.1, 1.0])
    end, target, weight = lesson.pair(y, place, bound(Scaled(0.5), None), bound(student, None))
    assert end.requires_grad
    assert not target.requires_grad
    s = level_at(place, PATH)
    assert float(weight[0]) == pytest.approx(1.0 / (float(s[0]) - LOW), rel=1e-4)


def test_weights_are_lent_and_given_back_exactly() -> None:
    net = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    before = {name: value.clone() for name, value in net.state_dict().items()}
    other = torch.arange(26.0)
    with lent(net, other):
        assert torch.equal(nn.utils.parameters_to_vector(net.parameters()), other)
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())


def test_a_later_stage_learns_from_the_one_before() -> None:
    student = network(gaussian().draw(100, generator(0)).float())
    lesson = Progressive(PATH, 1, 4, student)
    assert lesson.stages == (4, 2, 1)
    lesson.advance(student, 0.3)
    assert int(lesson.stage) == 0
    shaken(student)
    lesson.advance(student, 0.4)
    y, levels = torch.tensor([[1.0, 2.0]]), tuple(torch.tensor([v]) for v in (20.0, 2.0, 0.5))
    with torch.no_grad():
        half = leap(student.denoise(y, levels[0], None), y, levels[0], levels[1])
        expected = leap(student.denoise(half, levels[1], None), half, levels[1], levels[2])
        for p in student.network.parameters():
            p.add_(1.0)
    # neither the teacher nor what the student has become since
    assert torch.equal(lesson.two_steps(y, levels, Scaled(9.0), student, None), expected)


# ---- flows in closed form ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "steps"), [("consistency", 1), ("progressive", 1), ("progressive", 2)]
)
def test_a_student_of_the_exact_gaussian_reaches_its_flow(method: str, steps: int) -> None:
    """`f(y, s) = m + (y - m) sqrt((v + e^2)/(v + s^2))`; the error falls below 15 % of what it was, 90 % of the scale."""
    oracle = gaussian()
    student = network(oracle.draw(2000, generator(9)).float())
    lesson = (
        Consistency(PATH, 1, 16)
        if method == "consistency"
        else Progressive(PATH, steps, 8, student)
    )
    noise = torch.randn(2000, 2, generator=generator(8))
    exact = gaussian_flow(oracle, (PATH.spread * noise).double(), HIGH, LOW)

    def error() -> float:
        with torch.no_grad():
            ends = run(lesson.sampler(bound(student, None), lambda: noise, steps))
        return float(((ends - exact) ** 2).mean().sqrt() / oracle.variances[0].mean().sqrt())

    before = error()
    taught(lesson, student, oracle, 250)
    assert before > (0.85 if steps == 1 else 0.5)
    assert error() < 0.15 * before


def test_one_step_of_a_student_beats_its_teacher_at_one_and_at_two_calls() -> None:
    """Eight Gaussians in a circle, from their exact denoiser: energy distances of ten pairs of blocks of 300, in standard errors.

    The exact sampler needs many calls here: each of its first steps moves all points towards the mean.
    """
    angle = torch.arange(8, dtype=torch.float64) * (math.pi / 4.0)
    means = 1.4 * torch.stack([angle.cos(), angle.sin()], 1)
    oracle = MixtureDenoiser(
        torch.arange(1.0, 9.0).double() / 36.0, means, torch.full((8, 2), 0.02).double()
    )
    student = network(oracle.draw(4000, generator(9)).float())
    lesson = Consistency(PATH, 1, 16)
    taught(lesson, student, oracle, 300)

    def distances(sample: Tensor, seed: int) -> np.ndarray:
        blocks = oracle.draw(3000, generator(seed)).reshape(10, 300, 2)
        return np.array(
            [
                energy_distance(a.numpy(), b.numpy())
                for a, b in zip(sample.reshape(10, 300, 2), blocks)
            ]
        )

    noise = torch.randn(3000, 2, generator=generator(8))
    with torch.no_grad():
        ours = distances(run(lesson.sampler(bound(student, None), lambda: noise, 1)).double(), 1)
    for steps in (1, 2):
        theirs = SOLVERS["ddim"].walk(PATH, oracle, lambda: noise.double(), steps, 1.0)
        gap = distances(run(theirs), 1) - ours
        # a gap of seven standard errors (nine degrees of freedom) has probability below 1e-4 without a difference
        assert gap.mean() > 7.0 * gap.std(ddof=1) / 10**0.5
        assert gap.mean() > 10.0 * ours.mean()


def test_more_steps_of_consistency_are_better_steps() -> None:
    """On the exact flow of one Gaussian, noising again and leaping again leaves the law alone: mean and variance stay."""
    oracle = gaussian()
    exact = lambda y, s: _clean_of_flow(oracle, y, s)  # noqa: E731
    for steps in (1, 2, 4):
        noise = Streams(5, 4000)
        sampler = Consistency(PATH, 1, 16).sampler(
            exact, lambda noise=noise: noise.normal(2), steps
        )
        ends = run(sampler).double()
        # the prior of the path has variance 1 + 20^2 where the data have less or more: a change of 0.3 % at the end
        spread = (oracle.variances[0] + LOW**2).sqrt()
        assert (
            float(((ends.mean(0) - oracle.means[0]) / spread).abs().max()) < 4.5 / 4000**0.5 + 0.06
        )
        assert float((ends.std(0) / spread - 1.0).abs().max()) < 4.5 / 8000**0.5 + 0.005


def _clean_of_flow(oracle: MixtureDenoiser, y: Tensor, s: Tensor) -> Tensor:
    """What a perfect student's network says: the data named by the exact flow to the smallest noise."""
    level = float(s.reshape(-1)[0])
    return named(gaussian_flow(oracle, y.double(), level, LOW).to(y), y, s, torch.full_like(s, LOW))


# ---- the family ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["points", "image"])
@pytest.mark.parametrize("method", ["consistency", "progressive"])
def test_a_sample_does_not_depend_on_its_batch(kind: str, method: str) -> None:
    student = student_of(labelled(kind)[0], method=method, calls=2)
    label = torch.arange(7) % 3
    whole = student.sample(7, given=label, seed=4)
    for i in range(7):
        torch.testing.assert_close(
            student.walk(1, given=label[i : i + 1], seed=4, first=i).calls, 2.0
        )
    pieces = student.sample(7, given=label, seed=4, batch=2)
    same = torch.isclose(whole.float(), pieces.float(), rtol=1e-4, atol=1e-4)
    # float32 sums of other batch sizes may round a pixel to the next level
    assert float(same.float().mean()) > (0.98 if kind == "image" else 1.0 - 1e-9)


def test_a_student_begins_as_its_teacher_and_in_its_encoding() -> None:
    teacher, data = labelled()
    student = student_of(teacher, method="progressive", calls=4)
    student.prepare(Examples(data.x[:9] * 3.0, Given(data.given.label[:9])))
    assert all(
        torch.equal(a, b)
        for a, b in zip(teacher.codec.parameters(), student.codec.parameters(), strict=True)
    )
    assert all(
        torch.equal(value, student.codec.state_dict()[name])
        for name, value in teacher.codec.state_dict().items()
    )
    assert torch.equal(teacher.label_frequency, student.label_frequency)
    y, s = torch.randn(3, 2, generator=generator(1)), torch.tensor(2.0)
    given = Given(torch.tensor([0, 2, -1]))
    ours, theirs = (m.process.denoiser.denoise(y, s, given) for m in (student, teacher))
    assert torch.equal(ours, theirs)


def test_guidance_is_baked_in_where_there_is_a_condition() -> None:
    """With weight w the teacher names `D_null + w (D_y - D_null)`; rows whose label was dropped are told the null estimate."""
    teacher, data = labelled()
    plain, guided = (student_of(teacher, guidance=w) for w in (1.0, 3.0))
    y, s, given = (
        torch.randn(3, 2, generator=generator(1)),
        torch.tensor(2.0),
        Given(torch.tensor([0, 2, -1])),
    )
    with torch.no_grad():
        conditional = plain._teacher().denoise(y, s, given)
        null = plain._teacher().denoise(y, s, None)
        found = guided._teacher().denoise(y, s, given)
    torch.testing.assert_close(found, null + 3.0 * (conditional - null), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(found[2], null[2])
    assert float((found - conditional)[:2].abs().max()) > 1e-2
    (loss,) = guided.losses(data, BatchNoise(generator(0), len(data)))
    assert torch.isfinite(loss.value)


def test_what_a_student_cannot_do_is_refused_with_a_way_out() -> None:
    teacher, data = labelled()
    student = student_of(teacher)
    with pytest.raises(Unsupported, match=r"without a density.*score the teacher"):
        student.log_prob(data)
    with pytest.raises(Unsupported, match=r"no inverse.*encode with the teacher"):
        student.encode(data.x, given=data.given)
    with pytest.raises(Unsupported, match=r"distilled has no sampling option 'guidance'"):
        student.sample(2, guidance=2.0)
    with pytest.raises(BadInput, match=r"steps=3 of a progressive student: expected steps=2"):
        student_of(teacher, method="progressive").sample(2, steps=3)
    assert student.sample(2, steps=3).shape == (2, 2)
    alone = build(
        "distilled",
        teacher.space,
        teacher.classes,
        {"diffusion": {"width": 8, "depth": 1, "context": 8}},
    )
    with pytest.raises(Unsupported, match=r"training a student alone.*pushforward distil"):
        list(alone.losses(data, BatchNoise(generator(0), len(data))))
    other = build("diffusion", Points(3), (), {"width": 8, "depth": 1, "context": 8})
    with pytest.raises(BadInput, match=r"a teacher of Points"):
        student.learn_from(other)


def test_a_teacher_is_no_part_of_its_student() -> None:
    teacher, data = labelled()
    before = {name: value.clone() for name, value in teacher.state_dict().items()}
    student = student_of(teacher)
    assert sum(p.numel() for p in student.parameters()) == sum(
        p.numel() for p in teacher.parameters()
    )
    (loss,) = student.losses(data, BatchNoise(generator(0), len(data)))
    loss.value.backward()
    assert all(p.grad is None for p in teacher.parameters())
    with torch.no_grad():
        for p in student.parameters():
            p.add_(1.0)
    assert all(torch.equal(before[name], value) for name, value in teacher.state_dict().items())


def test_the_curve_of_a_perfect_student_of_gaussian_data_is_its_reference() -> None:
    """`E|x - f(x + s eps)|^2` of isotropic Gaussian data, with the exact flow, within five standard errors at every level."""
    space = Points(2)
    student = build("distilled", space, (), {"diffusion": {"width": 8, "depth": 1, "context": 8}})
    assert isinstance(student, Distilled)
    x = torch.randn(4000, 2, generator=generator(3)) * 1.9 + 0.6
    student.prepare(Examples(x))
    z = student.codec.encode(x).value
    path, d2 = student.process.path, float(student.process.denoiser.preconditioner.sigma_data) ** 2
    centre = student.process.denoiser.preconditioner.centre

    class Exact(Denoiser):
        def denoise(self, y: Tensor, noise_level: Tensor, given: Given | None) -> Tensor:
            s = noise_level.reshape(-1, 1)
            end = centre + (y - centre) * ((d2 + path.sigma_min**2) / (d2 + s**2)).sqrt()
            return named(end, y, noise_level, torch.full_like(noise_level, path.sigma_min))

    levels, ends = student.lesson.ends(bound(Exact(), None), z, Streams(1, len(z)))
    # at the smallest level the named data are 0/0 and the leap is the identity whatever they are
    found = (ends - z).square().mean(2)[1:] / (2.0 * d2)
    (curve,) = student.curves(Examples(x))
    reference = torch.tensor(curve.reference[1:])
    stderr = found.std(1) / len(z) ** 0.5
    assert bool(((found.mean(1) - reference).abs() < 5.0 * stderr + 1e-4).all())
    assert len(levels) == curve.n
