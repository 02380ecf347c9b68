"""Half precision: losses scaled by powers of two, which rounds nothing, until gradients overflow."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

import pretend_device
from conformance.cases import examples
from pushforward.core.errors import BadInput
from pushforward.core.given import Examples, Given
from pushforward.core.loss import Loss
from pushforward.core.noise import Noise
from pushforward.core.placement import products_in
from pushforward.core.rng import generator
from pushforward.core.space import Image, Points
from pushforward.core.spec import TrainConfig
from pushforward.engine import fit as engine
from pushforward.engine.fit import fit
from pushforward.engine.loss_scale import FIRST, PATIENCE, LossScales
from pushforward.engine.precision import PRECISIONS, Precision, resolved
from pushforward.engine.warm_start import AT_CHECKPOINT
from pushforward.families.build import build, settings
from toys import Gauss


def data(n: int = 60) -> Examples:
    return Examples(torch.randn(n, 2, generator=generator(0, "data")))


@pytest.fixture
def scaled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Single precision whose losses are scaled as those of half precision are."""
    single = Precision("float32", None, lambda device: True, scaled=True)
    monkeypatch.setattr(engine, "resolved", lambda *_: single)


def model(family: str):
    return build(family, Points(2), values=settings(family, Points(2), "smoke")["model"])


@pytest.mark.parametrize("family", ["vae", "gan"])
def test_scaled_losses_train_the_same_weights(family: str, request: pytest.FixtureRequest) -> None:
    """Factors of two are exact in single precision: a gradient that was not divided again, or not before it was clipped,
    would train others."""
    config = TrainConfig(steps=8, batch_size=16, accumulate=2, clip=0.1)
    plain = model(family)
    fit(plain, data(), data(20), config)
    request.getfixturevalue("scaled")
    other = model(family)
    record = fit(other, data(), data(20), config)
    assert record.skipped_steps == 0
    for name, value in plain.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name


class Steep(Gauss):
    """Gradients that pass 1e36 on their way: times 2^16 that is infinite in single precision, times 2^8 not."""

    def _losses(self, x: Tensor, given: Given | None, noise: Noise) -> Iterator[Loss]:
        yield Loss((self.mean * 1e-36).sum() * 1e36 + self.log_scale.sum(), "model", "steep")


@pytest.mark.usefixtures("scaled")
def test_an_overflow_halves_the_factor_and_is_no_divergence() -> None:
    """2^16 * 1e36 > 3.4e38 > 2^8 * 1e36: eight updates are skipped, and then one is made."""
    steep = Steep(Points(2))
    moved: list[bool] = []
    config = TrainConfig(steps=12, batch_size=16)
    watch = lambda progress: moved.append(bool((steep.mean != 0).any()))  # noqa: E731
    record = fit(steep, data(), data(20), config, observer=watch)
    assert record.skipped_steps == 8
    assert moved == 8 * [False] + 4 * [True]


class Hopeless(Gauss):
    def _losses(self, x: Tensor, given: Given | None, noise: Noise) -> Iterator[Loss]:
        yield Loss((self.mean * math.nan).sum() + self.log_scale.sum(), "model", "nan")


@pytest.mark.usefixtures("scaled")
def test_what_no_factor_helps_is_a_divergence() -> None:
    """Sixteen halvings, and then ten updates in a row."""
    with pytest.raises(Exception, match=r"not finite for 10 updates in a row at step 25"):
        fit(Hopeless(Points(2)), data(), data(20), TrainConfig(steps=100))


def test_the_factor_grows_after_many_updates() -> None:
    scales = LossScales(True, {})
    for _ in range(PATIENCE):
        assert scales.of("a") == FIRST
        scales.fitted("a")
    assert (scales.of("a"), scales.of("b")) == (2 * FIRST, FIRST)
    assert scales.overflowed("a")
    for _ in range(PATIENCE - 1):
        scales.fitted("a")
    assert scales.of("a") == FIRST
    off = LossScales(False, {})
    assert (off.of("a"), off.overflowed("a")) == (1.0, False)


@pytest.mark.usefixtures("scaled")
def test_a_checkpoint_has_the_factors(tmp_path: Path) -> None:
    """Stopped among the halvings: a resumed run that began with the first factor again would skip other steps."""
    config = TrainConfig(steps=14, batch_size=16, checkpoint_every=1)
    whole = Steep(Points(2))
    fit(whole, data(), data(20), config, directory=tmp_path / "whole")

    def cut(progress) -> None:
        if progress.step == 5:
            raise SystemError

    with pytest.raises(SystemError):
        fit(Steep(Points(2)), data(), data(20), config, directory=tmp_path / "cut", observer=cut)
    again = Steep(Points(2))
    record = fit(again, data(), data(20), config, directory=tmp_path / "cut", begin=AT_CHECKPOINT)
    assert record.skipped_steps == 8
    assert torch.equal(whole.mean, again.mean)


@pytest.mark.parametrize(
    ("family", "space"),
    [
        ("vae", Points(2)),
        ("flow", Points(2)),
        ("diffusion", Image(1, 4, 4, levels=5)),
        ("gan", Image(1, 4, 4, levels=5)),
        ("vae", Image(1, 4, 4, levels=5)),
    ],
    ids=str,
)
def test_half_precision_trains_on_an_accelerator(family: str, space: Points | Image) -> None:
    """On the pretend device, whose autocast computes products in float16 as a real one's does."""
    torch.__future__.set_overwrite_module_params_on_conversion(True)
    found, kinds = {}, set()
    known = examples(space, labelled=False, n=60)
    try:
        for precision in ("float32", "float16"):
            values = settings(family, space, "smoke")["model"]
            one = build(family, space, values=values).to(pretend_device.NAME)
            products = (torch.nn.Linear, torch.nn.Conv2d)
            for module in next(iter(one.networks().values())).modules():
                if isinstance(module, products):
                    module.register_forward_hook(lambda m, x, y: kinds.add(y.dtype))
            config = TrainConfig(steps=12, batch_size=16, precision=precision)
            record = fit(one, known, known[:20], config)
            assert record.precision == precision
            assert record.skipped_steps <= (6 if precision == "float16" else 0)
            assert all(p.dtype == torch.float32 for p in one.parameters())
            found[precision] = [p.detach().cpu() for p in one.parameters()]
    finally:
        torch.__future__.set_overwrite_module_params_on_conversion(False)
    assert kinds == {torch.float32, torch.float16}
    same = [torch.equal(a, b) for a, b in zip(*found.values(), strict=True)]
    assert not all(same)
    far = [float((a - b).abs().max()) for a, b in zip(*found.values(), strict=True)]
    assert max(far) < 0.1
    assert all(bool(p.isfinite().all()) for p in found["float16"])


def test_every_precision_is_what_it_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: False)
    assert all(name == one.name for name, one in PRECISIONS.items())
    assert resolved("auto", "cuda:none").name == "float32"
    kinds = [resolved("auto", "cuda", twice).name for twice in (False, True)]
    assert kinds == ["float16", "float32"]
    with pytest.raises(BadInput, match=r"train.precision=float16 on a processor.*auto"):
        resolved("float16", "cpu")


def test_products_of_cuda_are_put_back() -> None:
    cudnn = torch.backends.cudnn
    before = (torch.backends.cuda.matmul.fp32_precision, cudnn.conv.fp32_precision)
    older = (torch.backends.cuda.matmul.allow_tf32, cudnn.allow_tf32)
    with products_in("ieee"):
        with products_in("tf32"):
            assert torch.backends.cuda.matmul.fp32_precision == "tf32"
            assert torch.backends.cuda.matmul.allow_tf32
            assert cudnn.allow_tf32
        assert cudnn.conv.fp32_precision == "ieee"
        # who asks in torch's older words, as its exporter does, is not refused
        assert not torch.backends.cuda.matmul.allow_tf32
        assert not cudnn.allow_tf32
        torch.export.export(torch.nn.Conv2d(1, 1, 3), (torch.zeros(1, 1, 4, 4),))
    assert older == (torch.backends.cuda.matmul.allow_tf32, cudnn.allow_tf32)
    assert (torch.backends.cuda.matmul.fp32_precision, cudnn.conv.fp32_precision) == before
