"""Exercises of section 1: drawing from a distribution, and the unit in which a likelihood is
compared."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.distributions.transforms import AffineTransform

from pushforward.core.space import Image
from pushforward.course.drawing import normal, sizes, uniform
from pushforward.course.exercise import Answer, Exercise, Law, Slip
from pushforward.course.forms import choices, likelihoods
from pushforward.course.laws import equal, number
from pushforward.course.pictures import curve

LOG_2 = math.log(2)


def sample_categorical(probabilities: Tensor, uniforms: Tensor) -> Tensor:
    """Return the class in which each number falls, by a loop that stops at the first running sum
    above it."""
    drawn = []
    for row, u in zip(probabilities.tolist(), uniforms.tolist()):
        total, index = row[0], 0
        while u >= total and index < len(row) - 1:
            index += 1
            total += row[index]
        drawn.append(index)
    return torch.tensor(drawn)


def _categorical_case(g: torch.Generator, i: int) -> tuple[Tensor, Tensor]:
    n, k = ((12, 4), (20, 7), (1, 3), (9, 2), (30, 12), (16, 5))[i % 6]
    weights = uniform(g, n, k, low=0.05)
    return weights / weights.sum(1, keepdim=True), uniform(g, n, low=1e-6)


def _passed(p: Tensor, u: Tensor) -> Tensor:
    return (u[:, None] >= p.cumsum(1)[:, :-1]).sum(1)


def _categorical_picture(answer: Answer) -> str:
    p, u = torch.tensor([0.2, 0.5, 0.3]).double(), torch.linspace(0.0025, 0.9975, 200).double()
    drawn = number(answer(p.expand(200, 3), u))
    return curve(
        u,
        {"class": drawn},
        "uniform number u",
        "the class drawn from (0.2, 0.5, 0.3) by each uniform number",
    )


CATEGORICAL = Exercise(
    name="goal.categorical",
    title="Drawing a class by inverting the cumulative distribution",
    section=1,
    task="The class (n,), counted from zero, in which each of uniforms (n,) falls if the classes lie side by side on (0, 1), each "
    "as long as its share of probabilities (n, k), whose rows sum to one.",
    oracle=sample_categorical,
    returns=("classes",),
    draw=_categorical_case,
    form=choices.CATEGORICAL,
    slips=(
        Slip(
            "this is the most probable class: the uniform number is not used",
            lambda p, u: p.argmax(1),
        ),
        Slip(
            "each uniform number is compared with the probabilities and not with their running sums",
            lambda p, u: (u[:, None] >= p).sum(1),
        ),
        Slip(
            "one too large: classes are counted from zero, and the left end of the first class is no border that u passes",
            lambda p, u: _passed(p, u) + 1,
        ),
        Slip(
            "one too small: this is the class before the one in which u falls",
            lambda p, u: _passed(p, u) - 1,
        ),
        Slip(
            "the running sums run over the batch: the wrong axis",
            lambda p, u: (u[:, None] >= p.cumsum(0)[:, :-1]).sum(1),
        ),
        Slip(
            "the law is right, and not these numbers: the classes lie from the last to the first, or 1 - u stands for u",
            lambda p, u: _passed(p, 1 - u),
        ),
        Slip(
            "every class is equally likely here: the probabilities are not used",
            lambda p, u: (u * p.shape[1]).long(),
        ),
        Slip(
            "every row is drawn from the distribution of the first row",
            lambda p, u: (u[:, None] >= p[:1].cumsum(1)[:, :-1]).sum(1),
        ),
        Slip(
            "one uniform number decides all rows: the first one",
            lambda p, u: _passed(p, u[:1].expand(len(u))),
        ),
        Slip(
            "this is the nearest running sum, and not the first one above u",
            lambda p, u: (p.cumsum(1) - u[:, None]).abs().argmin(1),
        ),
        Slip(
            "the classes were sorted by probability, so these are ranks: the classes must be laid out in their own order",
            lambda p, u: _passed(p.sort(1, descending=True).values, u),
        ),
        Slip(
            "the rows are probabilities already: a softmax makes other ones of them",
            lambda p, u: _passed(p.softmax(1), u),
        ),
        Slip(
            "one-hot rows came back; return the index of the class",
            lambda p, u: torch.nn.functional.one_hot(_passed(p, u), p.shape[1]),
        ),
        Slip(
            "running sums came back, and no class: count how many of them u has passed",
            lambda p, u: p.cumsum(1),
        ),
    ),
    laws=(
        Law(
            "the uniform numbers decide: equal arguments give equal classes",
            lambda f: equal(f(_EVEN, _U), f(_EVEN, _U)),
        ),
        Law(
            "a class of probability zero is never drawn",
            lambda f: equal(
                f(_HOLES, torch.tensor([1e-9, 0.4999, 0.5001, 0.9999]).double()),
                [1.0, 1.0, 3.0, 3.0],
            ),
        ),
        Law(
            "a number just below one draws the last class, also where rounding leaves the sum of the row below one",
            lambda f: equal(f(_SHORT, torch.full((1,), 1 - 2.0**-53).double()), [2.0]),
        ),
    ),
    hints=(
        "Draw the unit interval and mark where one class ends and the next begins. How many of these borders are to the left of u?",
        "The borders are the running sums of the probabilities. The last one is 1 and no border between classes, so leave it out.",
        "borders = probabilities.cumsum(1)[:, :-1]; the class is (uniforms[:, None] >= borders).sum(1).",
    ),
    picture=_categorical_picture,
    harder=True,
)
_EVEN, _U = torch.full((64, 2), 0.5).double(), torch.linspace(0.01, 0.99, 64).double()
_SHORT = torch.tensor([[0.5, 0.25, 0.25 - 2.0**-50]], dtype=torch.float64)
_HOLES = torch.tensor([0.0, 0.5, 0.0, 0.5, 0.0]).double().expand(4, 5)


def bits_per_dim(nats: Tensor, dimensions: int, levels: int) -> Tensor:
    """Return the code length by torch's change of variables and the library's unit of a picture."""
    stretch = AffineTransform(0.0, float(levels))
    volume = stretch.log_abs_det_jacobian(
        torch.zeros(dimensions).double(), torch.zeros(dimensions).double()
    ).sum()
    return -(nats - volume) / Image(1, 1, dimensions, levels).unit.nats_per_unit


def _bits_case(g: torch.Generator, i: int) -> tuple[Tensor, int, int]:
    dimensions, levels = ((64, 17), (12, 2), (784, 256), (5, 100), (3072, 256), (48, 33))[i % 6]
    n = sizes(i)[0]
    return dimensions * (0.5 + 0.3 * normal(g, n)), dimensions, levels


def _bits_picture(answer: Answer) -> str:
    nats = torch.linspace(0, 64 * math.log(17), 80).double()
    rows = {f"{levels} levels": answer(nats, 64, levels) for levels in (17, 64, 256)}
    return curve(nats / 64, rows, "nats per rescaled pixel", "bits per dimension of the pixels")


BITS = Exercise(
    name="goal.bits_per_dim",
    title="Bits per dimension",
    section=1,
    task="Bits per dimension (n,) of pixels in units of one level, from the log-density nats (n,) of whole pictures of that many "
    "dimensions, dequantised by uniform noise on one level and divided by levels.",
    oracle=bits_per_dim,
    returns=("bits",),
    draw=_bits_case,
    form=likelihoods.BITS,
    slips=(
        Slip(
            "the change of variables has the wrong sign: dividing pixels by levels made their density larger, not smaller",
            lambda x, d, k: -(x / d + math.log(k)) / LOG_2,
        ),
        Slip(
            "off by exactly log2(levels): this is the density of the rescaled pixels, and levels are not used",
            lambda x, d, k: -x / d / LOG_2,
        ),
        Slip(
            "levels - 1 stands where levels belongs: a cell of noise is one level wide, and there are that many of them",
            lambda x, d, k: -(x / d - math.log(k - 1)) / LOG_2,
        ),
        Slip(
            "this is in nats per dimension; a bit is log 2 nats",
            lambda x, d, k: math.log(k) - x / d,
        ),
        Slip(
            "this is in bits for the whole picture, not for one dimension",
            lambda x, d, k: d * _bits(x, d, k),
        ),
        Slip(
            "this is in nats for the whole picture: neither bits nor for one dimension",
            lambda x, d, k: d * math.log(k) - x,
        ),
        Slip(
            "log(levels) counts once for every pixel, and here once for the picture",
            lambda x, d, k: -(x - math.log(k)) / (d * LOG_2),
        ),
        Slip(
            "the log-density is still that of the whole picture, and log(levels) is that of one pixel",
            lambda x, d, k: -(x - math.log(k)) / LOG_2,
        ),
        Slip(
            "the dimensions count twice: log(levels) is multiplied by them, and the log-density is divided by them already",
            lambda x, d, k: -(x / d - d * math.log(k)) / LOG_2,
        ),
        Slip(
            "the sign is wrong: a code length is minus the log-probability",
            lambda x, d, k: -_bits(x, d, k),
        ),
        Slip(
            "multiplied by log 2, which belongs under the fraction",
            lambda x, d, k: LOG_2**2 * _bits(x, d, k),
        ),
        Slip(
            "two units in one sum: the log-density is in bits, and log(levels) still in nats",
            lambda x, d, k: -x / d / LOG_2 + math.log(k),
        ),
        Slip(
            "two units in one sum: log(levels) is in bits, and the log-density still in nats",
            lambda x, d, k: -x / d + math.log2(k),
        ),
        Slip("levels are taken off and not their logarithm", lambda x, d, k: -(x / d - k) / LOG_2),
        Slip(
            "divided by the number of pictures and not by that of pixels",
            lambda x, d, k: -(x / len(x) - math.log(k)) / LOG_2,
        ),
        Slip(
            "you averaged over the batch; keep one code length for each picture",
            lambda x, d, k: _bits(x, d, k).mean(),
        ),
    ),
    laws=(
        Law(
            "a uniform density costs log2(levels) bits per dimension",
            lambda f: equal(f(torch.zeros(2).double(), 64, 256), [8.0, 8.0]),
        ),
        Law(
            "a density that has all its mass in one cell of pixels costs nothing",
            lambda f: equal(
                f(torch.full((2,), 10 * math.log(17), dtype=torch.float64), 10, 17), [0.0, 0.0]
            ),
        ),
    ),
    hints=(
        "Two steps: from the density of rescaled pixels to that of pixels in units of a level, then to bits per dimension.",
        "Dividing D numbers by L squeezes a volume by L^D, so the density grew by that factor: take D log L off the log-density.",
        "-(nats / dimensions - math.log(levels)) / math.log(2).",
    ),
    picture=_bits_picture,
    harder=True,
)


def _bits(nats: Tensor, dimensions: int, levels: int) -> Tensor:
    return (math.log(levels) - nats / dimensions) / LOG_2


EXERCISES = (CATEGORICAL, BITS)
