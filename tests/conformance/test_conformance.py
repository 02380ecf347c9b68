"""Every registered family x every space it declares x labelled or not: nobody gets in without passing."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
from typing import Any

import pytest
import torch
from safetensors.torch import load, save

from conformance.cases import (
    CLASSES,
    SPACES,
    Case,
    bounded_twice,
    cases,
    coded_by_condition,
    examples,
    inverted,
    mixed_over_labels,
    scored,
    tiny_model,
    train,
    where,
)
from oracles import identical, perturb, total_mass
from pushforward.core.codec import Dequantise
from pushforward.core.curve import Curve
from pushforward.core.errors import BadInput, Unsupported
from pushforward.core.given import Examples, Given
from pushforward.core.model import GenerativeModel
from pushforward.core.noise import BatchNoise
from pushforward.core.preset import REQUIRED, named
from pushforward.core.rng import generator
from pushforward.core.space import Image
from pushforward.core.spec import TrainConfig, parse
from pushforward.core.walk import run, states, trajectory
from pushforward.families.build import family_class, settings
from pushforward.families.catalogue import FAMILIES
from pushforward.families.diffusion.densities import trust

VERBS = ("log_prob", "encode", "decode")


def estimators(model: GenerativeModel) -> list[str]:
    return [e.name for e in model.capabilities.estimators[model.space.kind]]


def quickly(model: GenerativeModel, name: str, samples: int = 2) -> dict[str, Any]:
    """Few steps and draws, for what holds at any number of either."""
    return {
        "estimator": name,
        "samples": samples,
        "steps": 4 if model.estimator(name).takes_steps else None,
    }


@pytest.fixture
def unsolved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Score an ODE of few steps, which is refused otherwise: equal numbers need mean nothing."""
    monkeypatch.setattr(trust, "LARGEST_SOLVER_ERROR", math.inf)


def same(a: torch.Tensor, b: torch.Tensor, case: Case) -> bool:
    """Equal up to float32 rounding that may differ between batch sizes; a discrete value may flip at a tie."""
    if case.space.measure == "counting":
        return float(((a != b) & ~(a.isnan() & b.isnan())).float().mean()) < 0.02
    return torch.allclose(a, b, rtol=1e-3, atol=1e-3)


def test_samples_are_legal_data(case: Case) -> None:
    model = tiny_model(case)
    x = model.sample(5, seed=1)
    assert x.shape == (5, *case.space.event_shape)
    model.space.check(x)
    assert x.dtype == case.space.dtype


def test_gradients_are_finite_and_reach_every_group(case: Case) -> None:
    model = tiny_model(case)
    perturb(model, 0.02)
    groups = model.parameter_groups()
    grouped = {id(p) for group in groups.values() for p in group}
    assert grouped == {id(p) for p in model.parameters() if p.requires_grad}
    touched: set[str] = set()
    data = examples(case.space, case.labelled)
    for loss in model.losses(data, BatchNoise(generator(0, "a"), len(data), model.device)):
        assert loss.name
        assert loss.value.dim() == 0
        grads = torch.autograd.grad(loss.value, groups[loss.parameters], allow_unused=True)
        used = [g for g in grads if g is not None]
        assert len(used) == len(grads), f"{loss.parameters} has parameters that no loss reaches"
        assert all(bool(torch.isfinite(g).all()) for g in used)
        assert sum(float(g.abs().sum()) for g in used) > 0
        touched.add(loss.parameters)
    assert touched == set(groups)


@where(scored)
def test_probability_is_normalised(case: Case) -> None:
    """Exact: sums (integrates) to one.  Lower bound: at most one.  After training and after a random perturbation."""
    model = tiny_model(case)
    train(model, examples(case.space, case.labelled), 15)
    perturb(model, 0.05)
    # noise adds to a total of exponentials: few draws are for bounds that stay far below one, and
    # networks that begin with what each pixel tells alone have bounds close to it
    few = case.family == "diffusion" and isinstance(case.space, Image)
    draws = 64 if not few else 256 if case.architecture in ("lean", "mlp", "experts") else 16
    for name in estimators(model):
        estimator = model.estimator(name)
        if estimator.kind == "estimate":
            continue
        # a mixture over labels of what sums to at most one does too, and that it is one is tested below
        mixed = () if few else (None,)
        for given in (*mixed, 1) if case.labelled else (None,):
            samples = None if estimator.kind == "exact" else draws
            mass = total_mass(model, given, name, samples)
            if estimator.kind == "exact":
                assert mass == pytest.approx(1.0, abs=2e-3), (name, given)
            elif estimator.kind == "lower_bound":
                # Monte Carlo bounds: the noise of so many draws on the total is far below 3 % here
                assert 0.0 < mass <= 1.03, (name, given)


@where(bounded_twice)
def test_bound_is_below_a_tighter_bound(case: Case) -> None:
    """More importance samples or a sharper estimator never lower a bound by more than its noise."""
    model = tiny_model(case)
    data = examples(case.space, case.labelled)
    train(model, data, 30)
    elbo = model.log_prob(data, estimator="elbo", samples=256).mean_nats
    iwae = [model.log_prob(data, estimator="iwae", samples=k).mean_nats for k in (2, 16, 128)]
    assert elbo - 0.02 <= iwae[0] <= iwae[1] + 0.02 <= iwae[2] + 0.04


@pytest.mark.usefixtures("unsolved")
def test_seeds_repeat_and_differ(case: Case) -> None:
    model = tiny_model(case)
    perturb(model, 0.1)
    assert identical(model.sample(16, seed=3), model.sample(16, seed=3))
    assert not identical(model.sample(16, seed=3), model.sample(16, seed=4))
    data = examples(case.space, case.labelled, n=6)
    for name in estimators(model):
        a, b = (model.log_prob(data, **quickly(model, name), seed=2).nats for _ in range(2))
        assert torch.equal(a, b)


@pytest.mark.usefixtures("unsolved")
def test_batch_never_changes_an_example(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_model(case)
    perturb(model, 0.1)
    assert same(model.sample(12, seed=5)[:3], model.sample(3, seed=5), case)
    assert same(model.sample(12, seed=5, batch=5), model.sample(12, seed=5), case)
    data = examples(case.space, case.labelled, n=5)
    for name in estimators(model):
        how = quickly(model, name)
        whole = model.log_prob(data, **how).nats
        head = model.log_prob(data[:2], **how).nats
        torch.testing.assert_close(whole[:2], head, rtol=1e-3, atol=1e-3)
        with monkeypatch.context() as patch:
            patch.setattr(type(model), "chunk", 2)
            pieces = model.log_prob(data, **how).nats
        torch.testing.assert_close(whole, pieces, rtol=1e-3, atol=1e-3)


@pytest.mark.usefixtures("unsolved")
def test_save_and_load_is_exact(case: Case) -> None:
    model = tiny_model(case, seed=0)
    train(model, examples(case.space, case.labelled), 2)
    saved = save({k: v.cpu().contiguous() for k, v in model.state_dict().items()})
    other = tiny_model(case, seed=1)
    other.load_state_dict(load(saved))
    assert identical(model.sample(8, seed=2), other.sample(8, seed=2))
    data = examples(case.space, case.labelled, n=4)
    for name in estimators(model):
        a, b = (m.log_prob(data, **quickly(m, name)).nats for m in (model, other))
        assert torch.equal(a, b)


def test_equal_seeds_build_equal_weights_and_touch_nothing_global(case: Case) -> None:
    before = torch.get_rng_state()
    a, b, c = tiny_model(case, 0), tiny_model(case, 0), tiny_model(case, 1)
    data = examples(case.space, case.labelled, n=8)
    a.sample(2)
    for loss in a.losses(data, BatchNoise(generator(0), len(data), a.device)):
        assert torch.isfinite(loss.value)
    a.held_out(data)
    assert torch.equal(before, torch.get_rng_state())
    weights = [dict(m.state_dict()) for m in (a, b, c)]
    assert all(torch.equal(weights[0][k], weights[1][k]) for k in weights[0])
    assert any(not torch.equal(weights[0][k], weights[2][k]) for k in weights[0])


def test_training_lowers_the_held_out_quantity(case: Case) -> None:
    model = tiny_model(case)
    # pictures have few states, of which few examples show most; points are learnt by heart
    rows, steps = (96, 40) if isinstance(case.space, Image) else (256, 60)
    data = examples(case.space, case.labelled, n=rows)
    held_out = examples(case.space, case.labelled, n=256, seed=1)
    before = model.held_out(held_out)
    train(model, data, steps)
    after = model.held_out(held_out)
    if model.capabilities.held_out:
        assert before is not None
        assert after is not None
        assert before.shape == (256,)
        assert float(after.mean()) < float(before.mean())
    else:
        assert before is None


def test_the_held_out_number_is_that_of_the_score(case: Case) -> None:
    # in data units: nobody can tell a density of standardised numbers from the log-probability that `score` prints
    model = tiny_model(case)
    perturb(model, 0.02)
    names = [
        name for name in ("exact", "elbo", "dequantised", "reverse") if name in estimators(model)
    ]
    if not model.capabilities.held_out or not model.capabilities.held_out_of_data or not names:
        return
    data = examples(case.space, case.labelled, n=128)
    held_out, scored = model.held_out(data), model.log_prob(data, estimator=names[0], samples=16)
    assert held_out is not None
    apart = (held_out.double() + scored.nats.double()).mean()
    scatter = (held_out.double() + scored.nats.double()).std() / math.sqrt(len(data))
    # Monte Carlo on both sides: six standard errors (false alarm below 1e-8), or rounding where both are exact
    assert abs(float(apart)) < 6 * float(scatter) + 1e-3 * (1 + abs(float(held_out.mean())))


def test_no_draws_are_no_estimate(case: Case) -> None:
    model, data = tiny_model(case), examples(case.space, case.labelled, n=4)
    for name in estimators(model):
        with pytest.raises(BadInput, match="samples=0: expected a whole number of at least 1"):
            model.log_prob(data, estimator=name, samples=0)


def test_conditions(case: Case) -> None:
    model = tiny_model(case)
    if not case.labelled:
        with pytest.raises(BadInput, match=r"trained without labels"):
            model.sample(2, given="a")
        return
    data = examples(case.space, True)
    train(model, data, 20)
    perturb(model, 0.02)
    assert not identical(model.sample(32, given="a", seed=0), model.sample(32, given="c", seed=0))
    assert identical(model.sample(32, given=2, seed=0), model.sample(32, given="c", seed=0))
    mixed = model.sample(4, given=torch.tensor([0, 2, 0, 2]), seed=0)
    assert same(mixed[1], model.sample(4, given="c", seed=0)[1], case)
    with pytest.raises(BadInput, match=r"'11'.*a, b, c"):
        model.sample(2, given="11")
    with pytest.raises(BadInput, match=r"class index 11: expected 0 to 2"):
        model.sample(2, given=11)
    with pytest.raises(BadInput, match=r"2 conditions for n=3"):
        model.sample(3, given=torch.tensor([0, 1]))
    with pytest.raises(BadInput, match=r"unlabelled examples"):
        list(model.losses(Examples(data.x), BatchNoise(generator(0), len(data.x), model.device)))


@where(mixed_over_labels)
def test_mixture_over_labels_is_total_probability(case: Case) -> None:
    model = tiny_model(case)
    perturb(model, 0.1)
    x = examples(case.space, True, n=12).x
    joint = torch.stack([model.log_prob(x, given=k).nats.double() for k in range(len(CLASSES))])
    expected = torch.logsumexp(joint + model.label_frequency.log().unsqueeze(1), 0)
    torch.testing.assert_close(model.log_prob(x).nats.double(), expected, rtol=1e-5, atol=1e-5)


def test_declared_kinds_are_returned(case: Case) -> None:
    model = tiny_model(case)
    data = examples(case.space, case.labelled, n=2)
    for estimator in model.capabilities.estimators[case.space.kind]:
        lp = model.log_prob(data, estimator=estimator.name, samples=2)
        assert (lp.kind, lp.measure, lp.unit) == (
            estimator.kind,
            case.space.measure,
            case.space.unit,
        )
        assert bool(torch.isfinite(lp.nats).all())
        assert math.isfinite(lp.value)
        assert lp.calls > 0
        if any(isinstance(t, Dequantise) for t in model.codec.transforms):
            assert lp.kind != "exact"


@where(inverted)
def test_codes_round_trip(case: Case) -> None:
    model = tiny_model(case)
    train(model, examples(case.space, case.labelled), 5)
    data = examples(case.space, case.labelled, n=32)
    given: Given | None = data.given
    latent = model.encode(data.x, given)
    assert latent.kind == model.capabilities.encode[case.space.kind]
    none = None if given is None else given[:0]
    assert model.encode(data.x[:0], none).value.shape == (0, *latent.value.shape[1:])
    assert model.decode(latent.value[:0], none).shape == (0, *data.x.shape[1:])
    back = model.decode(latent.value, given)
    if isinstance(case.space, Image):
        assert float((back == data.x).float().mean()) > 0.99
    else:
        tolerance = 1e-3 if latent.kind == "exact" else 0.1
        torch.testing.assert_close(back, data.x, rtol=tolerance, atol=tolerance)


@where(coded_by_condition)
def test_codes_of_a_conditional_model_need_the_condition(case: Case) -> None:
    model = tiny_model(case)
    data = examples(case.space, case.labelled, n=4)
    given: Given | None = data.given
    with pytest.raises(BadInput, match="label"):
        model.encode(data.x)
    latent = model.encode(data.x, given)
    with pytest.raises(BadInput, match="label"):
        model.decode(latent.value)


def test_refusals_name_reason_and_alternative(case: Case) -> None:
    model = tiny_model(case)
    data = examples(case.space, case.labelled, n=2)
    if not model.capabilities.estimators[case.space.kind]:
        with pytest.raises(Unsupported) as refusal:
            model.log_prob(data)
        assert refusal.value.came.startswith(f"{model.family}.log_prob: ")
        assert len(refusal.value.fix) > 20
    else:
        with pytest.raises(Unsupported, match=r"has no estimator 'magic'"):
            model.log_prob(data, estimator="magic")
    if case.space.kind not in model.capabilities.encode:
        with pytest.raises(Unsupported) as refusal:
            model.encode(data.x)
        assert len(refusal.value.fix) > 10
    for option, value in (
        ("guidance", 2.0),
        ("steps", 3),
        ("solver", "nope"),
        ("temperature", 0.5),
    ):
        if not model.capabilities.takes(option):
            with pytest.raises(Unsupported, match=option):
                model.sample(2, **{option: value})
    if model.capabilities.takes("solver"):
        with pytest.raises(BadInput, match=r"solver 'nope'"):
            model.sample(2, solver="nope")
    with pytest.raises(BadInput, match=r"n=0"):
        model.sample(0)


def test_every_family_shows_where_its_objective_is_spent(case: Case) -> None:
    model = tiny_model(case)
    perturb(model, 0.1)
    data = examples(case.space, case.labelled)
    curves = model.curves(data, seed=3)
    assert curves
    assert curves == model.curves(data, seed=3)
    for curve in curves:
        assert curve.n >= 2
        assert curve.title
        assert curve.x_name
        assert curve.y_name
        assert len(curve.says) > 40
        assert all(a < b for a, b in itertools.pairwise(curve.x))
        assert all(map(math.isfinite, (*curve.y, *curve.stderr, *curve.reference)))
        assert bool(curve.reference) == bool(curve.reference_name)
        assert Curve.from_json(json.loads(json.dumps(curve.to_json()))) == curve


def test_walk_is_the_sampler(case: Case) -> None:
    model = tiny_model(case)
    given = 1 if case.labelled else None
    walk = model.walk(6, given=given, seed=8)
    assert walk.length >= 1
    assert walk.calls > 0
    assert identical(model.codec.decode(run(walk)).cpu(), model.sample(6, given=given, seed=8))
    seen = [
        model.walk(6, given=given, seed=8).peek(s).shape
        for s in states(model.walk(6, given=given, seed=8))
    ]
    assert len(seen) == walk.length + 1


def test_a_trajectory_shows_the_walk_as_it_was(case: Case) -> None:
    model = tiny_model(case)
    perturb(model, 0.1)
    given = 1 if case.labelled else None
    walk = model.walk(6, given=given, seed=8)
    views = trajectory(walk, walk.length + 1)
    again = model.walk(6, given=given, seed=8)
    # each picture is taken, and copied, at its own step
    expected = [again.peek(state).clone() for state in states(again)][:-1]
    assert len(views) == walk.length + 1
    assert all(identical(a, b) for a, b in zip(views[:-1], expected, strict=True))
    assert identical(model.codec.decode(views[-1]).cpu(), model.sample(6, given=given, seed=8))


def test_networks_are_wrapped_without_changing_the_state(case: Case) -> None:
    model = tiny_model(case)
    networks = model.networks()
    assert networks
    inside = {id(p) for net in networks.values() for p in net.parameters()}
    outside = sum(p.numel() for p in model.parameters() if id(p) not in inside)
    assert outside <= 0.2 * sum(p.numel() for p in model.parameters())


def test_no_case_is_lost_with_a_declaration() -> None:
    """A capability that a bug takes away takes its tests along, so their numbers are written here."""
    properties = (scored, bounded_twice, mixed_over_labels, inverted, coded_by_condition)
    found = {holds.__name__: sum(map(holds, cases())) for holds in properties}
    assert len(cases()) == 66
    assert found == {
        "scored": 50,
        "bounded_twice": 8,
        "mixed_over_labels": 10,
        "inverted": 24,
        "coded_by_condition": 9,
    }


@pytest.mark.parametrize("family", FAMILIES.names())
def test_declaration_is_complete(family: str) -> None:
    cls = family_class(family)
    assert cls.family == family
    card = cls.card
    for field in dataclasses.fields(card):
        assert getattr(card, field.name), f"{family}.card.{field.name} is empty"
    assert all(len(key) > 3 and len(text) > 30 for key, text in card.references)
    for kind in cls.capabilities.spaces:
        for preset in named(cls.presets, kind):
            own = ("", *cls.capabilities.architecture_names(kind))
            for architecture in own if preset in REQUIRED else ("",):
                chosen = settings(family, SPACES[kind][0], preset, architecture)
                parse(cls.config_type, chosen["model"], "model")
                parse(TrainConfig, chosen["train"], "train")
    for verb in VERBS:
        if verb == "log_prob" and any(not e for e in cls.capabilities.estimators.values()):
            assert verb in cls.capabilities.refusals
        if verb == "encode" and any(
            kind not in cls.capabilities.encode for kind in cls.capabilities.spaces
        ):
            assert verb in cls.capabilities.refusals
