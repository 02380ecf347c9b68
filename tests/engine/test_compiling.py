"""Compiled blocks train what plain ones do; where compiling cannot be done, plain ones train and the reason is said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import nn

from conformance.cases import Case, cases, examples, tiny_model
from oracles import identical, perturb
from pushforward.core.noise import Counted, StepNoise
from pushforward.core.space import Points
from pushforward.core.spec import TrainConfig
from pushforward.engine import fit as engine
from pushforward.engine.compiling import compiled, wanted
from pushforward.engine.fit import fit
from pushforward.engine.gradients import gradients
from pushforward.engine.regions import once_differentiated, repeated

PLAIN = [case for case in cases() if not case.labelled and case.family != "distilled"]


fast = partial(compiled, backend="aot_eager")  # traced, and run by torch's own kernels


@pytest.fixture(autouse=True)
def afresh() -> Iterator[None]:
    """No code of one test serves another."""
    import torch._dynamo as dynamo

    dynamo.reset()
    dynamo.utils.counters.clear()
    yield
    dynamo.reset()


@pytest.mark.parametrize("case", PLAIN, ids=str)
def test_blocks_are_traced_whole_and_give_the_same_gradients(case: Case) -> None:
    """Traced by the compiler's front and run by torch's own kernels: what breaks a graph, or a draw that is traced and not
    repeated, shows without waiting for a compiler."""
    from torch._dynamo.utils import counters

    data = examples(case.space, case.labelled, n=8)
    model = tiny_model(case)
    perturb(model, 0.05)
    groups = model.parameter_groups()

    def step() -> list[torch.Tensor]:
        found = []
        for loss, value in gradients(model, groups, data, [StepNoise(3, "a")], 2):
            found.append(torch.tensor(value))
            found += [p.grad.clone() for p in groups[loss.parameters] if p.grad is not None]
        return found

    plain, drawn = step(), Counted._drawn
    with compiled(once_differentiated(model), step, True, backend="aot_eager") as outcome:
        assert outcome.words.startswith("compiled"), outcome.words
        assert list(outcome.blocks) == repeated(once_differentiated(model))
        again = step()
        assert not counters["graph_break"], dict(counters["graph_break"])
        assert counters["stats"]["unique_graphs"] > 0
    assert Counted._drawn is drawn
    assert all(module._compiled_call_impl is None for module in model.modules())
    for a, b in zip(plain, again, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "case",
    [c for c in PLAIN if c.family == "autoregressive" and c.architecture in ("", "pixelcnn")],
    ids=str,
)
def test_dropout_draws_the_same_numbers(case: Case) -> None:
    """Draws are left out of what is traced: one that was frozen into the code would drop the same values at every step."""
    data = examples(case.space, case.labelled, n=8)
    model = tiny_model(case)
    perturb(model, 0.05)
    dropping = [m for m in model.modules() if "dropout" in vars(m)]
    for module in dropping:
        module.dropout = 0.25
    noise = [StepNoise(3, "a")]

    def values() -> list[float]:
        groups = model.parameter_groups()
        return [v for step in (1, 2) for _, v in gradients(model, groups, data, noise, step)]

    plain = values()
    assert plain[0] != plain[1] or not dropping
    with compiled(once_differentiated(model), values, True, "aot_eager") as outcome:
        assert outcome.words.startswith("compiled"), outcome.words
        assert values() == pytest.approx(plain, rel=1e-5)


def trained(**changes: object) -> tuple[nn.Module, str]:
    model = tiny_model(Case("vae", Points(2), False))
    data = examples(Points(2), False)
    config = TrainConfig(steps=6, batch_size=16, **changes)  # type: ignore[arg-type]
    record = fit(model, data, replace(data, x=data.x[:16]), config)
    return model, record.compilation


def test_training_is_compiled_and_says_what_it_took() -> None:
    """By the real compiler, with dropout's kind of draws inside and held-out measurements in between."""
    plain, nothing = trained(compile=False)
    other, words = trained(compile=True)
    assert nothing == ""
    assert words.startswith("compiled 2 blocks in "), words
    for name, value in plain.state_dict().items():
        torch.testing.assert_close(value, other.state_dict()[name], rtol=1e-4, atol=1e-6)


def test_without_a_compiler_nothing_changes_but_the_note() -> None:
    from torch._inductor import config

    missing = config.patch({"cpp.cxx": ("no-such-compiler",), "force_disable_caches": True})
    plain, _ = trained(compile=False)
    with missing:
        other, words = trained(compile=True)
    assert words == "not compiled: no C++ compiler was found (no-such-compiler)"
    for name, value in plain.state_dict().items():
        assert identical(value, other.state_dict()[name]), name


def test_what_compilers_cannot_do_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A critic's penalty is differentiated twice: compiled it fails, and nothing of that is left behind."""
    model = tiny_model(Case("gan", Points(2), False))
    assert once_differentiated(model) == [model.networks()["generator"]]
    monkeypatch.setattr(type(model), "differentiated_twice", ())
    data = examples(Points(2), False)
    monkeypatch.setattr(engine, "compiled", fast)
    record = fit(model, data, data, TrainConfig(steps=3, batch_size=8, compile=True))
    assert record.compilation.startswith("not compiled: ")
    assert record.steps == 3
    assert all(module._compiled_call_impl is None for module in model.modules())


def test_a_trial_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Buffers that a step writes to are put back: otherwise the run would begin one step further."""

    class Counting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("seen", torch.zeros(()))
            self.linear = nn.Linear(2, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.seen += 1
            return self.linear(x)

    from toys import Gauss

    class Noted(Gauss):
        def __init__(self, space: Points) -> None:
            super().__init__(space)
            self.net = nn.ModuleList([Counting()])

        def networks(self) -> dict[str, nn.Module]:
            return {"net": self.net}

        def _losses(self, x, given, noise):
            moved = self.net[0](x).square().mean()
            for loss in super()._losses(x, given, noise):
                yield replace(loss, value=loss.value + 0.0 * moved)

    model, seen = Noted(Points(2)), []
    net = model.net[0]
    data = examples(Points(2), False)
    monkeypatch.setattr(engine, "compiled", fast)
    config = TrainConfig(steps=5, batch_size=8, compile=True)
    record = fit(model, data, data, config, observer=lambda p: seen.append(float(net.seen)))
    assert record.compilation.startswith("compiled 1 block ")
    assert seen == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("changes", "device", "expected"),
    [
        ({"steps": 5000}, "cuda", True),
        ({"steps": 4999}, "cuda", False),
        ({"steps": 10**6}, "cpu", False),
        ({"seconds": 1200.0}, "cuda", True),
        ({"seconds": 1199.0}, "cuda", False),
        ({"examples": 5000 * 64, "batch_size": 64}, "cuda", True),
        ({"examples": 5000 * 64 - 64, "batch_size": 64}, "cuda", False),
        ({"steps": 10**6, "activation_checkpointing": True}, "cuda", False),
        ({"steps": 1, "compile": True}, "cpu", True),
        ({"steps": 10**6, "compile": False}, "cuda", False),
    ],
)
def test_auto_compiles_long_trainings_where_it_pays(
    changes: dict[str, object], device: str, expected: bool
) -> None:
    assert wanted(TrainConfig(**changes), device) == expected  # type: ignore[arg-type]


def test_who_compiles_at_the_same_time_leaves_things_as_they_were() -> None:
    """The first to come leaves first; a model that is compiled already is left to whoever did."""
    drawn, stance = Counted._drawn, torch._dynamo.eval_frame._stance.stance
    one, two = (tiny_model(Case(family, Points(2), False)) for family in ("vae", "flow"))
    nets = [model.networks().values() for model in (one, two)]
    draw = [lambda model=model: model.sample(2) for model in (one, two)]
    first, second, third = (fast(nets[k], draw[k], True) for k in (0, 1, 0))
    a, b, c = first.__enter__(), second.__enter__(), third.__enter__()
    assert a.blocks
    assert b.blocks
    assert (c.blocks, c.words) == ((), "")
    with a.paused():
        assert all(block._compiled_call_impl is None for block in a.blocks)
    assert all(block._compiled_call_impl is not None for block in a.blocks)
    first.__exit__(None, None, None)
    assert all(block._compiled_call_impl is not None for block in b.blocks)
    second.__exit__(None, None, None)
    third.__exit__(None, None, None)
    assert Counted._drawn is drawn
    assert torch._dynamo.eval_frame._stance.stance == stance


@pytest.mark.parametrize("error", [torch.OutOfMemoryError, torch.AcceleratorError])
def test_what_fails_without_compiling_too_is_no_matter_of_compiling(
    error: type[Exception],
) -> None:
    model = tiny_model(Case("vae", Points(2), False))

    def trial() -> None:
        raise error("no")

    with pytest.raises(error), fast(model.networks().values(), trial, True):
        raise AssertionError
    assert all(module._compiled_call_impl is None for module in model.modules())


def test_what_cannot_be_traced_is_said() -> None:
    class Stubborn(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(2, 2)

        @torch._dynamo.disable
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.linear(x)

    net = Stubborn()
    with fast([net], lambda: net(torch.ones(1, 2)), True) as outcome:
        assert outcome.words == "not compiled: what these blocks do cannot be traced"
        assert net._compiled_call_impl is None
