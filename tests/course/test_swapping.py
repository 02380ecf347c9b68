"""Answers train the real models: a right one trains the same model, a wrong one would not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from course.sources import solutions
from course.test_checker import defined
from pushforward.app.runs.planning import plan_training
from pushforward.app.runs.training import train
from pushforward.core.errors import BadInput
from pushforward.course import swapping, train_with
from pushforward.course.plugs import PLUGS
from pushforward.faces.python.verbs import load

MOONS = load("two-moons")
SOLUTIONS = solutions()
# the smallest change of a right answer that a training must notice
SPOILED = {
    "vae.kl": lambda f: lambda m, s: f(m, s) + 0.1 * m.square().sum(1),
    "vae.reparameterise": lambda f: lambda m, s, e: f(m, s + 0.1, e),
    "vae.elbo": lambda f: lambda x, *rest: f(1.1 * x, *rest),
    "gan.losses": lambda f: lambda a, b: (f(1.1 * a + 0.1, b)[0], f(a, b)[1]),
    "flow.coupling": lambda f: lambda x, net: (f(x, net)[0], 0.9 * f(x, net)[1]),
    "diffusion.noise": lambda f: lambda x, e, a: f(x, 0.9 * e, a),
    "diffusion.ddim": lambda f: lambda x, e, a, b: f(x, 0.99 * e, a, b),
}


@pytest.mark.parametrize("name", PLUGS)
def test_a_right_answer_trains_the_library_s_model_and_a_wrong_one_another(name: str) -> None:
    right = defined(SOLUTIONS[name])
    found = train_with(name, right, MOONS, steps=12)
    assert found.same, str(found)
    assert set(found.models) == set(found.losses) == {"yours", "the library's"}
    assert "the same model up to rounding" in found._repr_html_()
    spoiled = swapping._trained(PLUGS[name], name, SPOILED[name](right), MOONS, 12, 0, None)
    assert not spoiled.same, f"nobody noticed that {name} was wrong"
    assert "differ by up to" in str(spoiled)


@pytest.mark.parametrize("name", ["vae.kl", "vae.reparameterise", "diffusion.noise"])
def test_the_plug_itself_changes_nothing(name: str) -> None:
    plan = plan_training(PLUGS[name].family, MOONS, budget={"steps": 12}, preset="smoke", seed=0)
    plain = [entry["loss"] for entry in train(plan).record.history]
    plugged = swapping._trained(PLUGS[name], name, PLUGS[name].ours, MOONS, 12, 0, None).losses[
        "yours"
    ]
    assert np.allclose(plain, plugged, rtol=1e-4)


def test_the_sampler_that_is_replaced_is_ddim() -> None:
    found = swapping._trained(
        PLUGS["diffusion.ddim"], "diffusion.ddim", PLUGS["diffusion.ddim"].ours, MOONS, 12, 0, None
    )
    plan = plan_training("diffusion", MOONS, budget={"steps": 12}, preset="smoke", seed=0)
    plain = train(plan).model.sample(swapping.DRAWN, seed=0, solver="ddim")
    assert np.allclose(plain, found.samples["the library's"], rtol=1e-3, atol=1e-3)


def test_the_report_holds_both_models(tmp_path: Path) -> None:
    found = train_with(
        "vae.elbo", defined(SOLUTIONS["vae.elbo"]), MOONS, steps=5, path=tmp_path / "mine"
    )
    assert found.path == tmp_path / "mine" / "report.html"
    text = found.path.read_text()
    assert "Your ELBO in vae of two-moons" in text
    assert "yours" in text
    assert "the library&#39;s" in text
    with pytest.raises(BadInput, match=r"holds another comparison"):
        train_with(
            "vae.elbo", defined(SOLUTIONS["vae.elbo"]), MOONS, steps=5, path=tmp_path / "mine"
        )


def test_what_cannot_be_used_is_refused() -> None:
    with pytest.raises(
        BadInput, match=r"does not pass yet \(the sign of the logarithm is wrong.\)"
    ):
        train_with(
            "vae.kl", defined(SOLUTIONS["vae.kl"].replace("- log_scale)", "+ log_scale)")), MOONS
        )
    with pytest.raises(BadInput, match=r"unknown exercise that a model can use 'vae.iwae'"):
        train_with("vae.iwae", defined(SOLUTIONS["vae.iwae"]), MOONS)
    with pytest.raises(BadInput, match=r"image for your own functions: expected points"):
        train_with("vae.kl", defined(SOLUTIONS["vae.kl"]), "digits")
