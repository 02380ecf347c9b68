"""Blocks of networks, and what is computed twice to keep less: the same numbers, drawn once."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from conformance.cases import Case, cases, examples, tiny_model
from oracles import identical, perturb
from pushforward.core.given import Examples
from pushforward.core.model import GenerativeModel
from pushforward.core.noise import Counted, StepNoise
from pushforward.core.space import Image, Points
from pushforward.core.spec import TrainConfig
from pushforward.engine.fit import fit
from pushforward.engine.gradients import gradients
from pushforward.engine.regions import once_differentiated, recomputed, repeated
from pushforward.families.build import build, settings

PLAIN = [case for case in cases() if not case.labelled]


def dropping(model: GenerativeModel) -> GenerativeModel:
    """Let every block that can drop values do so."""
    for module in model.modules():
        if "dropout" in vars(module):
            module.dropout = 0.25
    return model


@pytest.mark.parametrize("case", PLAIN, ids=str)
def test_blocks_are_apart(case: Case) -> None:
    networks = tiny_model(case).networks().values()
    blocks = repeated(networks)
    inside = [{id(p) for p in block.parameters()} for block in blocks]
    assert blocks
    assert all(inside)
    assert sum(map(len, inside)) == len(set().union(*inside))
    assert set().union(*inside) <= {id(p) for net in networks for p in net.parameters()}


def test_what_lies_in_lists_of_lists_is_found_and_leaves_are_not() -> None:
    pair = lambda: nn.Sequential(nn.Linear(2, 2), nn.ReLU())  # noqa: E731
    inner, flat = nn.ModuleList([pair(), nn.Linear(2, 2)]), pair()
    net = nn.Module()
    net.listed, net.alone = nn.ModuleList([inner, pair()]), flat
    assert [id(block) for block in repeated([net])] == [id(inner[0]), id(net.listed[1])]
    assert repeated([flat, flat]) == [flat]


def taught(model: GenerativeModel, data: Examples, active: bool) -> list[Tensor]:
    """Values and gradients of a step in two parts."""
    groups, noise = model.parameter_groups(), [StepNoise(3, "step", part) for part in range(2)]
    found = []
    with recomputed(once_differentiated(model), active):
        for loss, value in gradients(model, groups, data, noise, 5):
            found.append(torch.tensor(value))
            found += [p.grad.clone() for p in groups[loss.parameters] if p.grad is not None]
    return found


def kept(model: GenerativeModel, data: Examples, active: bool) -> int:
    """Bytes that the last loss of a step keeps for its gradient."""
    losses, seen = model.losses(data, StepNoise(3, "step").of(0, len(data))), {}

    def keep(tensor: Tensor) -> Tensor:
        seen[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with recomputed(once_differentiated(model), active):
        for _ in model.parameter_groups():
            seen.clear()
            with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
                loss = next(losses)
            loss.value.detach()
    return sum(seen.values())


@pytest.mark.parametrize("case", PLAIN, ids=str)
def test_gradients_are_those_of_what_is_kept(case: Case) -> None:
    """Bit for bit, dropout and all: a block that drew anew, or gave back too little noise, would have others."""
    data = examples(case.space, case.labelled, n=6)
    model = dropping(tiny_model(case))
    perturb(model, 0.05)
    plain, again = taught(model, data, False), taught(model, data, True)
    assert len(plain) == len(again) > 1
    for a, b in zip(plain, again, strict=True):
        assert identical(a, b)
    assert all("forward" not in vars(module) for module in model.modules())


@pytest.mark.parametrize("family", ["diffusion", "vae", "gan", "autoregressive"])
def test_less_is_kept(family: str) -> None:
    """Four blocks whose middles go: at least a third of the bytes; of a game, the generator's."""
    space = Image(1, 8, 8, levels=17)
    values = settings(family, space, "smoke")["model"]
    model = build(family, space, values={**values, "depth": 4})
    data = examples(space, False, n=16)
    model.prepare(data)
    assert kept(model, data, True) < 0.67 * kept(model, data, False)


def test_noise_goes_on_behind_a_block_that_was_computed_again() -> None:
    class Drawing(nn.Module):
        def forward(self, x: Tensor, noise: Counted) -> Tensor:
            return (x * noise.normal(2)).exp()

    block, net = Drawing(), nn.Module()
    net.blocks = nn.ModuleList([nn.Sequential(block)])
    noise, x = StepNoise(0, "a").of(0, 4), torch.ones(4, 2, requires_grad=True)
    assert isinstance(noise, Counted)
    with recomputed([block], True):
        y = block(x, noise)
        after = noise.normal(2)
        y.sum().backward()
        assert x.grad is not None
        last = noise.normal(2)
    fresh = StepNoise(0, "a").of(0, 4)
    drawn = [fresh.normal(2) for _ in range(3)]
    assert torch.equal(x.grad, drawn[0] * drawn[0].exp())
    assert torch.equal(after, drawn[1])
    assert torch.equal(last, drawn[2])


@pytest.fixture(scope="module")
def trained() -> dict[bool, GenerativeModel]:
    found = {}
    for active in (False, True):
        model = tiny_model(Case("vae", Points(2), False))
        config = TrainConfig(steps=12, batch_size=16, activation_checkpointing=active)
        data = examples(Points(2), False)
        fit(model, data, replace(data, x=data.x[:16]), config)
        found[active] = model
    return found


def test_training_is_the_same(trained: dict[bool, GenerativeModel]) -> None:
    for name, value in trained[False].state_dict().items():
        assert identical(value, trained[True].state_dict()[name]), name
