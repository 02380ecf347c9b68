"""Trainings that begin with another run's weights: what is taken, what is new, what is said, what is refused."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import pushforward as pf
from oracles import perturb
from pushforward.app.runs.fitting import fitted, hardly_trained
from pushforward.app.runs.opening import open_source
from pushforward.app.runs.starting import begun_with
from pushforward.app.runs.timing import Timed
from pushforward.app.verbs.config import origins_of
from pushforward.core.errors import BadInput
from pushforward.core.given import Examples
from pushforward.core.preset import AUTO
from pushforward.core.rng import generator
from pushforward.core.space import Image
from pushforward.engine.checkpoint import load_weights
from pushforward.engine.fit_records import FitRecord, Interrupted, Progress
from pushforward.engine.sizing import Cost
from pushforward.engine.warm_start import begin_with
from pushforward.faces.cli.main import main
from pushforward.families.build import build
from pushforward.nets.mlp import ClassTable
from pushforward.provenance.run_directory import open_record

STILL = {"learning_rate": 1e-30, "ema": 0.0, "weight_decay": 0.0}  # weights stay where they begin
QUIET = {"progress": False, "preset": "smoke"}


@pytest.fixture(scope="module")
def moons(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a flow on points."""
    path = tmp_path_factory.mktemp("from") / "moons"
    pf.fit("flow", "two-moons", path=path, steps=30, **QUIET)
    return path


def manifest(path: Path) -> dict:
    return json.loads((path / "manifest.json").read_text())


def test_all_weights_are_taken_on_other_data(moons: Path, tmp_path: Path) -> None:
    begun = pf.fit(
        "flow",
        "gaussians-8",
        path=tmp_path / "run",
        steps=1,
        from_run=moons,
        settings={"train": STILL},
        progress=False,
    )
    source = dict(pf.open(moons).model.named_parameters())
    for name, weight in begun.model.named_parameters():
        assert torch.equal(weight, source[name]), name
    said = manifest(tmp_path / "run")["from"]
    assert (said["run"], said["share"], said["new"]) == (str(moons.resolve()), 1.0, [])
    assert said["data"] == "two-moons"
    assert said["fingerprint"] == manifest(moons)["data"]["fingerprint"]
    assert manifest(tmp_path / "run")["fit"]["budget"] == "1 steps, after 30 steps"
    assert begun.facts["budget"] == "1 steps, after 30 steps"
    twice = pf.fit("flow", "two-moons", steps=1, from_run=tmp_path / "run", progress=False)
    assert twice.facts["budget"] == "1 steps, after 1 steps, after 30 steps"


def test_a_deeper_network_begins_as_the_same_function(moons: Path) -> None:
    source = pf.open(moons)
    deeper = pf.fit(
        "flow",
        "two-moons",
        steps=1,
        from_run=source,
        settings={"model": {"depth": 3}, "train": STILL},
        progress=False,
    )
    x = pf.load("two-moons").test[:50]
    assert deeper.plan is not None
    assert 0.2 < deeper.plan.origin["share"] < 1.0
    assert all(".blocks." in name for name in deeper.plan.origin["new"])
    assert torch.allclose(
        deeper.model.log_prob(x).nats, source.model.log_prob(x).nats, rtol=0, atol=1e-4
    )


def test_what_is_measured_of_data_is_measured_anew(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    dark = rng.integers(0, 40, (60, 6, 6)).astype(np.uint8)
    fitted = pf.fit("diffusion", dark, path=tmp_path / "dark", steps=2, **QUIET)
    bright = (180 + 2 * dark[:, :5]).astype(np.uint8)  # other sizes, levels and scale
    begun = pf.fit(
        "diffusion",
        bright,
        steps=1,
        from_run=tmp_path / "dark",
        settings={"train": STILL},
        progress=False,
    )
    alone = pf.fit("diffusion", bright, steps=1, **QUIET)
    key = "process.denoiser.preconditioner.centre"
    of = [model.model.state_dict()[key] for model in (fitted, begun, alone)]
    assert torch.equal(of[1], of[2])
    assert not torch.equal(of[0], of[1])
    assert begun.plan is not None
    # features of places are of a size of picture, filters of any
    assert begun.plan.origin["new"] == ["process.denoiser.network.body.position"]
    for name, weight in begun.model.named_parameters():
        if name not in begun.plan.origin["new"]:
            of = dict(fitted.model.named_parameters())[name]
            assert torch.allclose(weight, of, rtol=0, atol=1e-20)


def test_resuming_needs_no_source_and_equals_never_having_stopped(
    moons: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "source"
    shutil.copytree(moons, source)
    how = {"steps": 12, "progress": False, "settings": {"train": {"checkpoint_every": 3}}}
    whole = pf.fit("flow", "gaussians-8", path=tmp_path / "whole", from_run=source, **how)

    def stop(progress: Progress) -> None:
        if progress.step == 7:
            raise Interrupted("stopped", "", "")

    from pushforward.app.runs import training

    real = training.fit
    with monkeypatch.context() as patch:
        patch.setattr(training, "fit", lambda *a, **k: real(*a, **{**k, "observer": stop}))
        with pytest.raises(Interrupted):
            pf.fit("flow", "gaussians-8", path=tmp_path / "cut", from_run=source, **how)
    shutil.rmtree(source)
    with pytest.raises(BadInput, match="which began with"):
        pf.fit("flow", "gaussians-8", path=tmp_path / "cut", resume=True, from_run=moons, **how)
    cut = pf.fit("flow", "gaussians-8", path=tmp_path / "cut", resume=True, **how)
    for (name, a), b in zip(whole.model.named_parameters(), cut.model.parameters(), strict=True):
        assert torch.equal(a, b), name
    for of in ("share", "new", "budget", "weights_sha256"):
        assert manifest(tmp_path / "cut")["from"][of] == manifest(tmp_path / "whole")["from"][of]
    assert manifest(tmp_path / "cut")["fit"]["budget"] == "12 steps, after 30 steps"


def test_what_cannot_begin_is_refused_before_anything_is_written(
    moons: Path, tmp_path: Path
) -> None:
    go = {"steps": 2, "path": tmp_path / "no", "progress": False}
    for words, match in (
        (("vae", "two-moons", moons), "a run of flow, for vae"),
        (("flow", "digits", moons), "a run on points, for image"),
        (("flow", "two-moons", tmp_path / "nothing"), "no run"),
    ):
        with pytest.raises(BadInput, match=match):
            pf.fit(words[0], words[1], from_run=words[2], **go)
    alien, narrow = np.random.default_rng(0).normal(size=(80, 5)), {"width": 12, "layers": 1}
    how = {"settings": {"model": {**narrow, "context": 9}}, **go}
    with pytest.raises(BadInput, match="none of whose weights fit"):
        pf.fit("flow", alien, from_run=moons, **how)
    with pytest.raises(BadInput, match="does not hold the run"):
        pf.fit("flow", "two-moons", steps=2, from_run=moons, path=moons, overwrite=True)
    assert not (tmp_path / "no").exists()
    assert manifest(moons)["status"] == "complete"


def test_nothing_of_the_network_is_fitted_to_the_machine(moons: Path) -> None:
    """Weights fit networks of the sizes that they come from; nobody asked for those."""
    origin = begun_with("flow", moons, None)
    assert origin is not None
    how = {"budget": {"seconds": 20.0}, "seed": 0}
    with pytest.raises(BadInput, match=r"fills 0\.\d+% of the weights"):
        origin.planned("flow", "two-moons", ("cpu", {}), False, how)
    for asked, given in ((AUTO, {}), (AUTO, {"depth": 2})):
        overrides = {"model": given}
        plan = origin.planned("flow", "two-moons", (asked, overrides), False, how)
        plan = replace(plan, preset="cpu")  # of `smoke` nothing is timed
        fits = fitted(plan, lambda plan: Timed(Cost(0.0, 0.01)))
        assert fits.plan.model_values == plan.model_values
        assert fits.plan.train_config.batch_size < plan.train_config.batch_size
        said = fits.plan.config()
        assert said["asked"] == [f"model.{key}" for key in given]
        assert "model.width" in said["inherited"]
        assert "model.depth" not in said["inherited"] or not given
        origin_of = origins_of("model", said, {})
        assert origin_of("width") == "the run it began with"
        assert origin_of("depth") == ("asked for" if given else "the run it began with")


def test_bins_of_levels_belong_to_the_weights_that_predict_them() -> None:
    space = Image(1, 6, 6, 32)
    values = {"architecture": "subset", "width": 16, "depth": 1, "bins": 8, "cells": 8, "coarse": 9}
    source, begun = (build("flow", space, values=values, seed=seed) for seed in (0, 1))
    levels = torch.rand(200, 1, 6, 6, generator=generator(0))
    dark, bright = ((31 * levels**power).round().long() for power in (4, 0.5))
    begin_with(source, Examples(dark), None)
    perturb(source, 0.1)
    begin_with(begun, Examples(bright), source.state_dict())
    for name, buffer in source.named_buffers():
        if "elementwise" in name:
            assert torch.equal(buffer, dict(begun.named_buffers())[name]), name
    found, expected = (model.log_prob(Examples(bright), seed=0).nats for model in (begun, source))
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("family", ["vae:mlp", "gan:patches", "diffusion:lean", "flow:subset"])
def test_a_class_keeps_its_own_vector(family: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (90, 6, 6)).astype(np.uint8)
    animals, others = (
        np.array(names)[np.arange(90) % 3]
        for names in (("ant", "cat", "dog"), ("elk", "dog", "cat"))
    )
    np.savez(tmp_path / "animals.npz", x=x, y=animals)
    np.savez(tmp_path / "others.npz", x=x, y=others)
    source = pf.fit(
        family, str(tmp_path / "animals.npz"), path=tmp_path / "run", steps=2, seed=1, **QUIET
    )
    begun = pf.fit(
        family.partition(":")[0],
        str(tmp_path / "others.npz"),
        steps=1,
        from_run=tmp_path / "run",
        settings={"train": STILL},
        progress=False,
    )
    assert begun.plan is not None
    assert begun.plan.origin["share"] == 1.0
    assert begun.plan.origin["new_classes"] == ["elk"]
    tables = {n: m for n, m in begun.model.named_modules() if isinstance(m, ClassTable)}
    assert tables
    of = source.model.state_dict()
    for name, table in tables.items():
        old = of[f"{name}.weight"]
        for row, was in ((0, 1), (1, 2), (3, 3)):  # cat, dog, none of them
            torch.testing.assert_close(table.weight[row], old[was])
        assert not torch.allclose(table.weight[2], old[2])
    with pytest.raises(BadInput, match="it would change nothing"):
        pf.fit("flow", x, steps=1, settings={"model": {"architecture": "subset", "layers": 3}})


def test_what_a_training_begins_with_may_be_the_best_of_it(moons: Path) -> None:
    """Two steps of a wild learning rate make nothing better of weights that were trained."""
    wild = {"train": {"learning_rate": 0.5, "warmup": 0.0, "final_learning_rate": 1.0, "ema": 0.0}}
    begun = pf.fit(
        "flow", "two-moons", steps=2, seed=1, from_run=moons, settings=wild, progress=False
    )
    assert begun.facts["best_step"] == 0
    kept = load_weights(moons / "weights.safetensors")
    for name, value in begun.model.named_parameters():
        assert torch.equal(value, kept[name]), name
    assert "at its beginning (" in FitRecord(**begun.facts).best


def test_a_finished_run_says_what_it_spent(moons: Path, tmp_path: Path) -> None:
    shutil.copytree(moons, tmp_path / "edited")
    said = manifest(tmp_path / "edited")
    del said["fit"]["budget"]
    (tmp_path / "edited" / "manifest.json").write_text(json.dumps(said))
    with pytest.raises(BadInput, match="does not say what it spent"):
        pf.fit("flow", "two-moons", steps=1, from_run=tmp_path / "edited")


def test_the_architecture_that_was_named_is_trained(tmp_path: Path) -> None:
    x = np.random.default_rng(0).integers(0, 256, (60, 6, 6)).astype(np.uint8)
    pf.fit("vae:mlp", x, path=tmp_path / "run", steps=1, **QUIET)
    for named in ("vae", "vae:mlp"):
        begun = pf.fit(named, x, steps=1, from_run=tmp_path / "run", progress=False)
        assert begun.model.architecture.name == "mlp"
    with pytest.raises(BadInput, match="leave the architecture, "):  # whose networks share nothing
        pf.fit("vae:patches", x, steps=1, from_run=tmp_path / "run", progress=False)


def test_a_dry_run_says_what_would_be_taken(
    moons: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["train", "flow", "gaussians-8", "--from", str(moons), "--steps", "3", "--dry-run"]
    with pytest.raises(SystemExit) as stop:
        main([*words, "--json"])
    assert not stop.value.code
    said = json.loads(capsys.readouterr().out)["origin"]
    assert (said["run"], said["share"], said["new"]) == (str(moons.resolve()), 1.0, [])


def test_texts_and_tables_are_read_with_the_dictionary_of_the_run(tmp_path: Path) -> None:
    ab, other = tmp_path / "ab.txt", tmp_path / "other.txt"
    ab.write_text("abab baba\n" * 200)
    other.write_text("aaab bbba\n" * 200)
    pf.fit("ar", str(ab), path=tmp_path / "text", steps=2, **QUIET)
    begun = pf.fit(
        "ar",
        str(other),
        path=tmp_path / "more",
        steps=2,
        from_run=tmp_path / "text",
        progress=False,
    )
    assert begun.plan is not None
    assert begun.plan.origin["share"] == 1.0
    assert begun.plan.dataset.space == open_source(str(ab)).space
    with pytest.raises(BadInput, match="as the run reads it"):
        pf.fit(
            "ar",
            str(other),
            steps=2,
            from_run=tmp_path / "text",
            settings={"data": {"tokeniser": "bytes"}},
        )
    rows = tmp_path / "rows.csv"
    rows.write_text("age,city\n" + "".join(f"{20 + i % 30},{'xyz'[i % 3]}\n" for i in range(200)))
    pf.fit("ar", str(rows), path=tmp_path / "table", steps=2, **QUIET)
    lacking = tmp_path / "lacking.csv"
    lacking.write_text(
        "age,town\n" + "".join(f"{20 + i % 30},{'xyz'[i % 3]}\n" for i in range(200))
    )
    with pytest.raises(BadInput, match="city"):
        pf.fit("ar", str(lacking), steps=2, from_run=tmp_path / "table")


def test_steps_are_counted_along_what_a_run_began_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run of few steps that began with one of few is an untrained model; with one of many it is not."""
    for steps, told in ((5, True), (99, False)):
        first, second = tmp_path / f"{steps}", tmp_path / f"{steps} more"
        pf.fit("flow", "two-moons", path=first, steps=steps, **QUIET)
        pf.fit("flow", "two-moons", path=second, steps=3, from_run=first, progress=False)
        assert open_record(second).steps == steps + 3
        assert bool(hardly_trained(open_record(second))) == told
        assert hardly_trained(open_record(first))
    with pytest.raises(SystemExit):
        main(
            [
                "train",
                "flow",
                "two-moons",
                "--from",
                str(tmp_path / "5 more"),
                "--steps",
                "2",
                "-o",
                str(tmp_path / "c"),
            ]
        )
    assert "flow did 10 steps only" in capsys.readouterr().err
