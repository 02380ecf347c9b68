"""Averages over a share of training: widths, updates, the combination of snapshots, and runs that keep them."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import integrate
from torch import nn

from pushforward.core.errors import BadInput
from pushforward.core.given import Examples
from pushforward.core.rng import generator
from pushforward.core.space import Image, Points
from pushforward.core.spec import TrainConfig
from pushforward.engine.checkpoint import load_state
from pushforward.engine.ema_bank import bytes_of, open_snapshots, snapshot_files
from pushforward.engine.fit import fit
from pushforward.engine.fit_records import Progress
from pushforward.engine.post_hoc import combination
from pushforward.engine.power_average import TRACKED, WIDEST, PowerAverages, exponent_of, width_of
from pushforward.engine.warm_start import AT_CHECKPOINT
from toys import Gauss, Pixelwise

WIDTHS = (0.001, 0.01, 0.05, 0.1, 0.2, 0.28, 0.2886)
GAMMAS = [exponent_of(width) for width in TRACKED]


def data(n: int = 200, seed: int = 0) -> Examples:
    return Examples(
        torch.randn(n, 2, generator=generator(seed, "data")) * torch.tensor([2.0, 0.5]) + 1.0
    )


def profile(gamma: float, t: float, tau: np.ndarray) -> np.ndarray:
    return np.where(tau <= t, (gamma + 1) / t * (np.minimum(tau, t) / t) ** gamma, 0.0)


# ---- widths -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", WIDTHS)
def test_exponent_is_the_largest_root_of_the_cubic_and_inverts_the_width(width: float) -> None:
    gamma = exponent_of(width)
    # (gamma + 1) / width^2 = (gamma + 2)^2 (gamma + 3), multiplied out
    roots = np.roots([1.0, 7.0, 16.0 - width**-2, 12.0 - width**-2])
    assert gamma == pytest.approx(roots.real.max(), rel=1e-9, abs=1e-9)
    assert width_of(gamma) == pytest.approx(width, rel=1e-12)


@pytest.mark.parametrize("width", [0.03, 0.1, 0.25])
def test_width_is_the_standard_deviation_of_the_profile(width: float) -> None:
    gamma = exponent_of(width)
    moments = [
        integrate.quad(lambda u, k=k: u**k * (gamma + 1) * u**gamma, 0, 1, epsabs=1e-13)[0]
        for k in range(3)
    ]
    assert moments[0] == pytest.approx(1.0, abs=1e-10)
    assert math.sqrt(moments[2] - moments[1] ** 2) == pytest.approx(width, rel=1e-8)


@pytest.mark.parametrize("width", [0.0, -0.1, WIDEST, 0.3, math.nan, math.inf])
def test_a_width_out_of_range_is_refused(width: float) -> None:
    with pytest.raises(BadInput, match=r"above 0 and below 0\.2887"):
        exponent_of(width)


# ---- updates ----------------------------------------------------------------------------------------------------------------


def followed(gamma: float, values: list[float]) -> float:
    net = nn.Linear(1, 1, bias=False, dtype=torch.float64)
    averages = PowerAverages(net, [gamma])
    for step, value in enumerate(values, start=1):
        nn.init.constant_(net.weight, value)
        averages.update(net, step)
    return averages.values[0]["weight"].item()


@pytest.mark.parametrize("n", [1, 2, 7, 100])
def test_updates_are_the_integral_over_weights_that_stay_put_between_steps(n: int) -> None:
    # sum of (i^3 - (i - 1)^3) i / n^3 over i = 1..n, summed by parts: n - (n (n - 1) / 2)^2 / n^3
    found = followed(2.0, [float(i) for i in range(1, n + 1)])
    assert found == pytest.approx(n - (n * (n - 1) / 2) ** 2 / n**3, rel=1e-12)


@pytest.mark.parametrize("k", [1, 3])
def test_updates_converge_to_the_integral_over_a_polynomial_at_first_order(k: int) -> None:
    # on theta(tau) = tau^k the average at time 1 is (gamma + 1) / (gamma + 1 + k)
    gamma = 6.937
    errors = [
        abs(
            followed(gamma, [(i / n) ** k for i in range(1, n + 1)]) - (gamma + 1) / (gamma + 1 + k)
        )
        for n in (200, 400, 800)
    ]
    assert all(1.9 < a / b < 2.1 for a, b in pairwise(errors))


# ---- combinations -----------------------------------------------------------------------------------------------------------


def by_gram_matrix(times: list[float], gamma: float, at: float) -> tuple[np.ndarray, float]:
    """Coefficients and residual from the inner products of whole profiles, with a multiplier."""

    def inner(ga: float, ta: float, gb: float, tb: float) -> float:
        low, high, power = (ta, tb, gb) if ta < tb else (tb, ta, ga)
        return (ga + 1) * (gb + 1) * (low / high) ** power / ((ga + gb + 1) * high)

    kept = [(g, t) for g in GAMMAS for t in times]
    gram = np.array([[inner(*a, *b) for b in kept] for a in kept])
    right = np.array([inner(*a, gamma, at) for a in kept])
    ones = np.ones((len(kept), 1))
    system = np.block([[gram, ones], [ones.T, np.zeros((1, 1))]])
    x = np.linalg.solve(system, np.append(right, 1.0))[:-1]
    norm = inner(gamma, at, gamma, at)
    residual = math.sqrt((x @ gram @ x - 2 * x @ right + norm) / norm)
    return x.reshape(len(GAMMAS), -1), residual


@pytest.mark.parametrize("width", [0.03, 0.08, 0.2])
def test_segments_solve_the_least_squares_of_whole_profiles(width: float) -> None:
    times, gamma = [3.0, 10.0, 14.0, 30.0, 32.0, 50.0], exponent_of(width)
    found = combination(times, GAMMAS, gamma, 50.0)
    x, residual = by_gram_matrix(times, gamma, 50.0)
    np.testing.assert_allclose(found.coefficients.numpy(), x, rtol=1e-7, atol=1e-8)
    assert found.residual == pytest.approx(residual, rel=1e-6)
    assert float(found.coefficients.sum()) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("at", [16.0, 13.0])
def test_residual_is_the_distance_of_the_profiles_also_within_a_segment(at: float) -> None:
    times, gamma = [4.0, 8.0, 12.0, 16.0], exponent_of(0.12)
    found = combination(times, GAMMAS, gamma, at)
    tau = (np.arange(400_000) + 0.5) / 400_000 * 16.0
    mixed = sum(
        float(found.coefficients[g, k]) * profile(GAMMAS[g], times[k], tau)
        for g in range(2)
        for k in range(4)
    )
    wanted = profile(gamma, at, tau)
    assert found.residual == pytest.approx(
        math.sqrt(((mixed - wanted) ** 2).sum() / (wanted**2).sum()), rel=1e-3
    )


def test_a_kept_average_is_itself_and_nothing_later_is_used() -> None:
    times = [float(t) for t in range(1, 17)]
    for place, gamma in enumerate(GAMMAS):
        found = combination(times, GAMMAS, gamma, 9.0)
        expected = torch.zeros(2, 16, dtype=torch.float64)
        expected[place, 8] = 1.0
        torch.testing.assert_close(found.coefficients, expected, rtol=0, atol=1e-10)
        assert found.residual < 1e-6
    early = combination(times, GAMMAS, exponent_of(0.07), 9.0)
    assert float(early.coefficients[:, 9:].abs().max()) == 0.0


def test_more_snapshots_represent_more_widths_with_moderate_coefficients() -> None:
    # the figures of docs/decisions/training.md: what 16 snapshots of two widths represent
    for width, most in (
        (0.03, 0.04),
        (0.06, 0.004),
        (0.08, 0.004),
        (0.15, 0.01),
        (0.2, 0.025),
        (0.25, 0.08),
    ):
        found = [combination(range(1, n + 1), GAMMAS, exponent_of(width), n) for n in (8, 16, 32)]
        assert found[1].residual < most
        assert found[0].residual > 2 * found[1].residual > 4 * found[2].residual
        assert float(found[2].coefficients.abs().sum()) < 12.0


def test_error_of_any_trajectory_is_bounded_by_the_residual() -> None:
    # |integral of (sum x_i p_i - p) theta| <= residual |p| |theta - c| for every c, because the coefficients sum to one
    n, count, rng = 320, 8, generator(0, "walk")
    theta = torch.randn(n, 50, generator=rng, dtype=torch.float64).cumsum(0)
    edges = torch.arange(n + 1, dtype=torch.float64)

    def mean(gamma: float, t: int) -> torch.Tensor:
        share = (edges[: t + 1] / t) ** (gamma + 1)
        return (share.diff().unsqueeze(1) * theta[:t]).sum(0)

    times = [n * (k + 1) // count for k in range(count)]
    kept = torch.stack([torch.stack([mean(g, t) for t in times]) for g in GAMMAS])
    for width in (0.03, 0.07, 0.13, 0.2):
        gamma = exponent_of(width)
        found = combination(times, GAMMAS, gamma, n)
        error = (torch.einsum("gk,gkp->p", found.coefficients, kept) - mean(gamma, n)).abs()
        norm = (gamma + 1) / math.sqrt(n * (2 * gamma + 1))
        assert bool((error <= found.residual * norm * (theta - theta.mean(0)).norm(dim=0)).all())


# ---- runs -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stop", [1, 7, 23])
def test_resume_equals_never_stopping(stop: int, tmp_path: Path) -> None:
    config = TrainConfig(
        steps=40, batch_size=48, learning_rate=0.02, checkpoint_every=5, ema_snapshots=6, seed=3
    )
    if stop < 5:
        config = config.model_copy(update={"checkpoint_every": 1})
    fit(Gauss(Points(2)), data(), data(60, 1), config, directory=tmp_path / "whole")

    def cut(progress: Progress) -> None:
        if progress.step == stop:
            raise SystemError  # as abrupt as a kill: nothing is saved on the way out

    with pytest.raises(SystemError):
        fit(Gauss(Points(2)), data(), data(60, 1), config, directory=tmp_path / "cut", observer=cut)
    # a snapshot from beyond the last checkpoint, as a killed run under a wall clock leaves at a step it never repeats
    beyond = tmp_path / "cut" / "state" / "ema" / "000000039.safetensors"
    beyond.parent.mkdir(parents=True, exist_ok=True)
    beyond.write_bytes(b"torn")
    fit(
        Gauss(Points(2)),
        data(),
        data(60, 1),
        config,
        directory=tmp_path / "cut",
        begin=AT_CHECKPOINT,
    )
    whole, again = (snapshot_files(tmp_path / run / "state" / "ema") for run in ("whole", "cut"))
    assert [int(path.stem) for path in whole] == [7, 14, 20, 27, 34, 40]
    assert [path.name for path in whole] == [path.name for path in again]
    assert all(a.read_bytes() == b.read_bytes() for a, b in zip(whole, again, strict=True))
    a, b = (
        load_state(tmp_path / run / "state" / "last.safetensors")[0] for run in ("whole", "cut")
    )
    for section in ("average 0", "average 1"):
        assert a[section].keys() == {"mean", "log_scale"}
        assert all(torch.equal(a[section][k], b[section][k]) for k in a[section])
    weights = [(tmp_path / run / "weights.safetensors").read_bytes() for run in ("whole", "cut")]
    assert weights[0] == weights[1]


def test_a_raised_budget_and_an_early_stop_keep_their_last_weights(tmp_path: Path) -> None:
    config = TrainConfig(steps=20, batch_size=32, ema_snapshots=4)
    fit(Gauss(Points(2)), data(), data(60, 1), config, directory=tmp_path / "a")
    raised = config.model_copy(update={"steps": 40})
    fit(
        Gauss(Points(2)), data(), data(60, 1), raised, directory=tmp_path / "a", begin=AT_CHECKPOINT
    )
    found = open_snapshots(tmp_path / "a" / "state" / "ema")
    assert found is not None
    assert found.steps == (5, 10, 15, 20, 30, 40)
    assert found.widths == TRACKED

    few = Examples(torch.randint(0, 3, (4, 1, 2, 2), generator=generator(0, "few")).to(torch.uint8))
    many = Examples(
        torch.randint(0, 3, (200, 1, 2, 2), generator=generator(1, "few")).to(torch.uint8)
    )
    config = TrainConfig(
        steps=2000,
        batch_size=4,
        learning_rate=0.05,
        ema=0.5,
        patience=5,
        evaluate_every=10,
        ema_snapshots=2,
    )
    table = Pixelwise(Image(1, 2, 2, levels=3))
    record = fit(table, few, many, config, directory=tmp_path / "b")
    early = open_snapshots(tmp_path / "b" / "state" / "ema")
    assert early is not None
    assert record.stopped == "patience"
    assert early.steps[-1] == record.steps < 2000
    sizes = [path.stat().st_size for path in snapshot_files(early.folder)]
    assert 0 < sum(sizes) - bytes_of(len(sizes), table) < 1000 * len(sizes)  # names and shapes


def test_snapshots_want_a_directory_and_a_checkpoint_that_has_them(tmp_path: Path) -> None:
    config = TrainConfig(steps=4, ema_snapshots=2)
    with pytest.raises(BadInput, match=r"train\.ema_snapshots in memory.*a run directory"):
        fit(Gauss(Points(2)), data(), data(20), config)
    fit(Gauss(Points(2)), data(), data(20), TrainConfig(steps=4), directory=tmp_path)
    assert open_snapshots(tmp_path / "state" / "ema") is None
    with pytest.raises(BadInput, match=r"a checkpoint without averages"):
        fit(Gauss(Points(2)), data(), data(20), config, directory=tmp_path, begin=AT_CHECKPOINT)


def test_a_damaged_snapshot_is_named(tmp_path: Path) -> None:
    fit(
        Gauss(Points(2)),
        data(),
        data(20),
        TrainConfig(steps=8, ema_snapshots=4),
        directory=tmp_path,
    )
    files = snapshot_files(tmp_path / "state" / "ema")
    files[1].write_bytes(files[1].read_bytes()[:-8])
    with pytest.raises(BadInput, match=r"000000004\.safetensors cannot be read.*truncated"):
        open_snapshots(tmp_path / "state" / "ema")
