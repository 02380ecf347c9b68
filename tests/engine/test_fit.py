"""The training loop on toys whose optimum is known: resume, budgets, averages, interrupts, full disks."""

from __future__ import annotations

import math
import os
import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from commands import Command, killed_in_training
from pushforward.core.errors import BadInput, RunFailed
from pushforward.core.given import Examples, Given
from pushforward.core.loss import Loss
from pushforward.core.noise import Noise
from pushforward.core.rng import generator
from pushforward.core.space import Image, Points
from pushforward.core.spec import TrainConfig
from pushforward.engine.average import WeightAverage
from pushforward.engine.budget import budget_of, parse_seconds
from pushforward.engine.checkpoint import load_state, load_weights, save_state
from pushforward.engine.fit import fit
from pushforward.engine.fit_records import Interrupted, Progress
from pushforward.engine.gradients import clipped
from pushforward.engine.history import read_history
from pushforward.engine.order import DataOrder
from pushforward.engine.precision import computes_in_bfloat16, drawback, prepared_networks, resolved
from pushforward.engine.schedule import warmup_cosine
from pushforward.engine.warm_start import AT_CHECKPOINT
from toys import Gauss, Pixelwise


def data(n: int = 200, seed: int = 0) -> Examples:
    x = torch.randn(n, 2, generator=generator(seed, "data")) * torch.tensor(
        [2.0, 0.5]
    ) + torch.tensor([1.0, -3.0])
    return Examples(x)


class Duel(Gauss):
    """Two groups that pull against each other, so that both players' state must survive a resume."""

    family = "duel"

    def __init__(self, space: Points) -> None:
        super().__init__(space)
        self.critic = nn.Parameter(torch.zeros(2))

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        return {"critic": [self.critic], "generator": [self.mean, self.log_scale]}

    def _losses(self, x: Tensor, given: Given | None, noise: Noise) -> Iterator[Loss]:
        fake = (self.mean + noise.normal(2)).detach()
        yield Loss(
            (self.critic * (fake - x)).mean() + self.critic.square().sum(), "critic", "critic"
        )
        yield Loss(
            -(self.critic * (self.mean + self.log_scale.exp() * noise.normal(2))).mean(),
            "generator",
            "generator",
        )


def test_every_step_draws_noise_of_its_own() -> None:
    drawn: list[float] = []

    class Drawing(Gauss):
        def _losses(self, x: Tensor, given: Given | None, noise: Noise) -> Iterator[Loss]:
            drawn.append(float(noise.normal(2)[0, 0]))
            yield from super()._losses(x, given, noise)

    for seed in (0, 1):
        fit(Drawing(Points(2)), data(), data(60, 1), TrainConfig(steps=6, batch_size=32, seed=seed))
    assert len(set(drawn)) == len(drawn) == 12


def test_maximum_likelihood_is_found() -> None:
    model = Gauss(Points(2))
    record = fit(
        model,
        data(2000),
        data(500, 1),
        TrainConfig(steps=300, batch_size=256, learning_rate=0.05, ema=0.9, weight_decay=0.0),
    )
    # the standardised data have mean 0 and scale 1; 2000 rows give standard errors of 1/sqrt(2000) = 0.022
    assert float(model.mean.detach().abs().max()) < 0.09
    assert float(model.log_scale.detach().abs().max()) < 0.09
    assert (record.steps, record.examples, record.stopped) == (300, 300 * 256, "budget")
    assert record.history[-1]["step"] == 300


@pytest.mark.parametrize("kind", [Gauss, Duel])
@pytest.mark.parametrize("stop", [1, 7, 23])
def test_resume_equals_never_stopping(kind: type[Gauss], stop: int, tmp_path: Path) -> None:
    config = TrainConfig(
        steps=40, batch_size=48, learning_rate=0.02, checkpoint_every=1, evaluate_every=5, seed=3
    )
    whole = kind(Points(2))
    fit(whole, data(), data(60, 1), config, directory=tmp_path / "whole")

    def cut(progress: Progress) -> None:
        if progress.step == stop:
            raise SystemError  # as abrupt as a kill: nothing is saved on the way out

    with pytest.raises(SystemError):
        fit(kind(Points(2)), data(), data(60, 1), config, directory=tmp_path / "cut", observer=cut)
    again = kind(Points(2))
    fit(again, data(), data(60, 1), config, directory=tmp_path / "cut", begin=AT_CHECKPOINT)
    for name, value in whole.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name
    weights = [(tmp_path / run / "weights.safetensors").read_bytes() for run in ("whole", "cut")]
    assert weights[0] == weights[1]
    steps = [
        [r["step"] for r in read_history(tmp_path / run / "history.jsonl")]
        for run in ("whole", "cut")
    ]
    assert steps[0] == steps[1]
    a, b = (
        load_state(tmp_path / run / "state" / "last.safetensors")[0] for run in ("whole", "cut")
    )
    for section in ("model", "average", "optimiser"):
        assert all(torch.equal(a[section][k], b[section][k]) for k in a[section])


def test_kill_minus_nine_then_resume(tmp_path: Path) -> None:
    def launch(folder: str, kill: int) -> int | None:
        command = Command(tmp_path / "said", killed_in_training, str(tmp_path / folder), kill)
        return command.ended()[0]

    assert launch("killed", 18) == -signal.SIGKILL
    assert launch("killed", 0) == 0
    assert launch("whole", 1000) == 0
    killed, whole = (
        (tmp_path / run / "weights.safetensors").read_bytes() for run in ("killed", "whole")
    )
    assert killed == whole


def test_interrupt_leaves_a_resumable_state(tmp_path: Path) -> None:
    config = TrainConfig(steps=30, batch_size=32)

    def press_ctrl_c(progress: Progress) -> None:
        if progress.step == 10:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Interrupted, match=r"stopped at step 1[01].*--resume"):
        fit(
            Gauss(Points(2)), data(), data(50, 1), config, directory=tmp_path, observer=press_ctrl_c
        )
    resumed, whole = Gauss(Points(2)), Gauss(Points(2))
    fit(resumed, data(), data(50, 1), config, directory=tmp_path, begin=AT_CHECKPOINT)
    fit(whole, data(), data(50, 1), config)
    assert all(
        torch.equal(a, b) for a, b in zip(resumed.parameters(), whole.parameters(), strict=True)
    )


def test_early_stopping_keeps_the_best_average() -> None:
    # four training rows, so that the held-out likelihood gets worse while the training loss falls
    space = Image(1, 2, 2, levels=3)
    rng = generator(0, "few")
    few = Examples(torch.randint(0, 3, (4, 1, 2, 2), generator=rng).to(torch.uint8))
    many = Examples(torch.randint(0, 3, (200, 1, 2, 2), generator=rng).to(torch.uint8))
    table = Pixelwise(space)
    config = TrainConfig(
        steps=2000, batch_size=4, learning_rate=0.05, ema=0.5, patience=5, evaluate_every=10
    )
    record = fit(table, few, many, config)
    assert record.stopped == "patience"
    assert record.steps < 2000
    assert record.best_step < record.steps
    held_out = table.held_out(many)
    assert held_out is not None
    assert float(held_out.double().mean()) == pytest.approx(record.best_held_out)


def test_probe_steers_only_a_family_without_a_held_out_quantity() -> None:
    calls: list[float] = []

    def probe(model: object) -> float:
        calls.append(1.0)
        return float(len(calls))

    class Blind(Duel):
        capabilities = Gauss.capabilities.__class__(
            {"points": ()}, encode={}, sampling_cost="1", held_out=""
        )

    record = fit(
        Blind(Points(2)),
        data(),
        data(50),
        TrainConfig(steps=20, evaluate_every=5),
        probe=("distance", probe),
    )
    assert record.held_out_name == "distance"
    assert (len(calls), record.best_step, record.best_held_out) == (4, 5, 1.0)
    calls.clear()
    fit(
        Pixelwise(Image(1, 1, 2, levels=2)),
        *2 * [Examples(torch.zeros(8, 1, 1, 2, dtype=torch.uint8))],
        TrainConfig(steps=4),
        probe=("distance", probe),
    )
    assert not calls


def test_divergence_is_named() -> None:
    class Broken(Gauss):
        def _losses(self, x: Tensor, given: Given | None, noise: Noise) -> Iterator[Loss]:
            yield Loss((self.mean * math.nan).sum() + self.log_scale.sum(), "model", "nan")

    with pytest.raises(
        RunFailed, match=r"not finite for 10 updates in a row at step 9.*learning_rate"
    ):
        fit(Broken(Points(2)), data(), data(20), TrainConfig(steps=100))


def test_full_disk_fails_in_one_sentence_and_keeps_the_old_checkpoint(tmp_path: Path) -> None:
    target = tmp_path / "last.safetensors"
    save_state(target, {"model": {"w": torch.ones(3)}}, {"step": 1})
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    old_handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
        with pytest.raises(
            RunFailed, match=r"could not write .*last\.safetensors.*free some space"
        ):
            save_state(target, {"model": {"w": torch.ones(5000)}}, {"step": 2})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, old_handler)
    sections, counters = load_state(target)
    assert counters == {"step": 1}
    assert torch.equal(sections["model"]["w"], torch.ones(3))
    assert [p.name for p in tmp_path.iterdir()] == ["last.safetensors"]


def test_truncated_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "last.safetensors"
    save_state(path, {"model": {"w": torch.ones(300)}}, {"step": 1})
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(BadInput, match=r"cannot be read.*truncated"):
        load_state(path)
    with pytest.raises(BadInput, match=r"cannot be read.*truncated"):
        load_weights(path)
    with pytest.raises(BadInput, match=r"no checkpoint"):
        load_state(tmp_path / "none")


def test_every_example_is_seen_once_an_epoch_and_order_is_stateless() -> None:
    order = DataOrder(n=10, batch_size=4, seed=1)
    rows = torch.cat([order.batch(t) for t in range(5)])
    assert sorted(rows[:10].tolist()) == sorted(rows[10:].tolist()) == list(range(10))
    assert torch.equal(DataOrder(10, 4, 1).batch(3), order.batch(3))
    assert not torch.equal(DataOrder(10, 4, 2).batch(3), order.batch(3))
    assert sorted(DataOrder(3, 7, 0).batch(0)[:6].tolist()) == [0, 0, 1, 1, 2, 2]


def test_average_follows_its_recursion() -> None:
    net = nn.Linear(1, 1, bias=False)
    nn.init.constant_(net.weight, 0.0)
    average, expected = WeightAverage(net, 0.95), 0.0
    for t in range(60):
        nn.init.constant_(net.weight, float(t))
        average.update(t)
        decay = min(0.95, (1 + t) / (10 + t))
        expected = decay * expected + (1 - decay) * t
    assert float(average.shadow["weight"]) == pytest.approx(expected, rel=1e-5)
    with average.applied():
        assert net.weight.item() == pytest.approx(expected, rel=1e-5)
    assert net.weight.item() == 59.0


def test_average_of_tied_weights_and_of_buffers() -> None:
    net = nn.ModuleList([nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False)])
    net[1].weight = net[0].weight
    net.register_buffer("seen", torch.zeros(()))
    nn.init.zeros_(net[0].weight)
    average = WeightAverage(net, 0.9)
    nn.init.ones_(net[0].weight)
    net.seen = torch.tensor(3.0)  # another tensor at the same place
    average.update(0)
    moved = torch.full((2, 2), 0.9)
    assert torch.allclose(average.shadow["0.weight"], moved)
    assert torch.equal(average.shadow["1.weight"], average.shadow["0.weight"])
    with average.applied():
        assert torch.allclose(net[1].weight, moved)
        assert float(net.seen) == 3.0


def test_gradients_are_clipped_as_torch_does() -> None:
    for most in (0.1, 5.0, 1e9):
        ours, theirs = (
            [nn.Parameter(torch.zeros(3, 4)), nn.Parameter(torch.zeros(5))] for _ in "ab"
        )
        for a, b in zip(ours, theirs, strict=True):
            a.grad = torch.linspace(-2.0, 3.0, a.numel()).reshape(a.shape)
            b.grad = a.grad.clone()
        assert clipped(ours, most) == float(nn.utils.clip_grad_norm_(theirs, most))
        for a, b in zip(ours, theirs, strict=True):
            assert torch.equal(a.grad, b.grad)


def test_budget_parsing() -> None:
    assert [parse_seconds(t) for t in ("60s", "2m", "1.5h", "30")] == [60.0, 120.0, 5400.0, 30.0]
    assert [parse_seconds(t) for t in ("1e3s", "5e-1h", ".5s", "2.m")] == [1e3, 1800.0, 0.5, 120.0]
    for bad in ("0s", "-3s", "ten", "5 parsecs", "", ".", "1e400s", "nan", "1e", "5e-400h"):
        with pytest.raises(BadInput, match=r"a positive time"):
            parse_seconds(bad)
    with pytest.raises(BadInput, match=r"no budget"):
        budget_of(TrainConfig())
    with pytest.raises(BadInput, match=r"budgets in seconds and steps"):
        budget_of(TrainConfig(seconds=1.0, steps=3))


def test_a_wall_clock_budget_is_kept() -> None:
    record = fit(Gauss(Points(2)), data(), data(20), TrainConfig(seconds=0.3))
    # generous on the upper side: a busy machine may take one slow step
    assert 0.3 <= record.seconds < 5.0
    assert record.stopped == "budget"


def test_schedule_is_continuous_and_ends_where_it_should() -> None:
    values = [warmup_cosine(f / 1000, 0.1, 0.05) for f in range(1001)]
    assert max(values) == pytest.approx(1.0)
    assert values[-1] == pytest.approx(0.05)
    assert max(abs(a - b) for a, b in zip(values[1:], values[:-1], strict=True)) < 0.011


def test_bfloat16_touches_networks_only_and_is_undone() -> None:
    net = nn.Sequential(nn.Linear(64, 64), nn.Linear(64, 64))
    x = torch.randn(8, 64, generator=generator(0))
    exact = net(x)
    with prepared_networks({"net": net}, resolved("bfloat16", "cpu"), False):
        rough = net(x)
        assert rough.dtype == torch.float32
        assert 0 < float((rough - exact).abs().max().detach()) < 0.1
    assert torch.equal(net(x), exact)


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ({"avx2": True, "avx512_bf16": False, "amx_bf16": False}, "float32"),
        ({"avx2": True, "avx512_bf16": True, "amx_bf16": False}, "bfloat16"),
        ({"avx512_bf16": False, "amx_bf16": True}, "bfloat16"),
    ],
)
def test_a_processor_that_emulates_bfloat16_is_not_made_to(
    capabilities: dict[str, bool], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    assert resolved("auto", "cpu").name == expected
    asked = [resolved(name, "cpu").name for name in ("float32", "bfloat16")]
    assert asked == ["float32", "bfloat16"]
    assert bool(drawback("bfloat16", "cpu")) == (expected == "float32")
    assert not drawback("auto", "cpu")


def test_a_run_says_in_which_precision_it_was_trained() -> None:
    expected = "bfloat16" if computes_in_bfloat16("cpu") else "float32"
    for asked, found in (("auto", expected), ("float32", "float32")):
        record = fit(Gauss(Points(2)), data(), data(60, 1), TrainConfig(steps=1, precision=asked))
        assert record.precision == found
