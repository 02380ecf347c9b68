"""How networks compute, by command: precision, compilation and recomputation are asked for, refused, and said once."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

import pushforward as pf
from pushforward.core.errors import BadInput
from pushforward.core.model import GenerativeModel
from pushforward.engine.checkpoint import load_state, save_state

Run = Callable[..., tuple[int, str, str]]
SMALL = ("--preset", "smoke", "--steps", 3)


def test_half_precision_is_refused_on_a_processor(run: Run, tmp_path: Path) -> None:
    place = tmp_path / "run"
    half = ("-s", "train.precision=float16", "-o", place)
    status, _, err = run("train", "vae", "two-moons", *SMALL, *half)
    said = " ".join(err.split())
    assert status == 2, said
    assert "train.precision=float16 on a processor" in said
    assert "auto, float32 or bfloat16" in said
    assert not place.exists()
    with pytest.raises(BadInput, match="float16 on a processor"):
        pf.fit("vae", "two-moons", steps=3, settings={"train": {"precision": "float16"}})


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("precision=half", "'float32', 'bfloat16', 'float16' or 'auto'"),
        ("compile=perhaps", "'auto', True or False"),
        ("compile=2", "'auto', True or False"),
        ("accumulate=65", "at most 64 parts"),
    ],
)
def test_other_words_are_refused(setting: str, expected: str, run: Run, tmp_path: Path) -> None:
    words = ("-s", "train.batch_size=64", "-s", f"train.{setting}", "-o", tmp_path / "run")
    status, _, err = run("train", "vae", "two-moons", *SMALL, *words)
    said = " ".join(err.split())
    assert status == 2
    assert f"train.{setting}" in said
    assert expected in said
    assert not (tmp_path / "run").exists()


def test_a_resumed_run_computes_as_it_did_and_its_legs_say_how(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What nobody names stays; what is named changes, is said, and stays in the record with what it was."""
    torch.__future__.set_overwrite_module_params_on_conversion(True)
    monkeypatch.setattr("pushforward.engine.precision._has_float16", lambda device: True)
    train = ("train", "vae", "two-moons", "--preset", "smoke", "-o", tmp_path / "run")
    try:
        how = ("-s", "train.precision=bfloat16", "-s", "train.accumulate=2", "--device", "pretend")
        assert run(*train, "--steps", 4, *how)[0] == 0
        status, _, err = run(*train, "--steps", 6, "--resume", "--device", "pretend")
        assert status == 0, err
        assert "train.precision was" not in err
        manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
        assert manifest["fit"]["precision"] == "bfloat16"
        words = ("-s", "train.precision=float32", "--device", "cpu")
        status, _, err = run(*train, "--steps", 8, "--resume", *words)
        assert status == 0, err
    finally:
        torch.__future__.set_overwrite_module_params_on_conversion(False)
    said = " ".join(err.split())
    assert "device was pretend:0 and is cpu" in said
    assert "train.precision was bfloat16 and is float32" in said
    assert "will not be, byte for byte" in said
    assert "accumulate was" not in said
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["device"]["device"] == "pretend:0"
    first, last = manifest["resumed"]
    assert first["computed"]["device"] == last["before"]["device"] == "pretend:0"
    assert last["computed"]["device"] == "cpu"
    assert last["before"]["train.precision"] == "bfloat16"
    assert last["computed"]["train.precision"] == "float32"
    assert last["computed"]["train.accumulate"] == "2"
    status, _, err = run(*train, "--steps", 8, "--resume", "--device", "cpu")
    assert status == 0
    assert "the run has spent its budget of 8 steps: nothing is left to train" in " ".join(
        err.split()
    )


def test_edited_counters_are_refused(run: Run, tmp_path: Path) -> None:
    train = ("train", "flow", "two-moons", "--preset", "smoke", "-o", tmp_path / "run")
    assert run(*train, "--steps", 2)[0] == 0
    state = tmp_path / "run" / "state" / "last.safetensors"
    sections, counters = load_state(state)
    for key, value in (
        ("step", "3"),
        ("step", None),
        ("step", 1.5),
        ("step", -5),
        ("seconds", "x"),
        ("seconds", float("nan")),
        ("losses", []),
        ("evaluated", None),
        ("loss_scales", 3),
        ("surprise", 1),
        ("losses", {"a": [1.0]}),
        ("losses", {"a": [0.0, 0.0]}),
        ("best", float("nan")),
        ("waited", -3),
        ("stopped", "bananas"),
        ("loss_scales", {"all": []}),
        ("loss_scales", {"all": [0.0, 0]}),
    ):
        save_state(state, sections, {**counters, key: value})
        status, _, err = run(*train, "--steps", 4, "--resume")
        assert (status, "internal" in err) == (2, False), (key, value, err)
        assert "it was edited" in err
    save_state(state, sections, counters)
    assert run(*train, "--steps", 4, "--resume")[0] == 0


@pytest.mark.parametrize("error", [torch.OutOfMemoryError, torch.AcceleratorError])
def test_other_verbs_say_what_failed(
    error: type[Exception], run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train = ("train", "vae", "two-moons", *SMALL, "-o", tmp_path / "run")
    assert run(*train)[0] == 0

    def failing(*_: object, **__: object) -> None:
        raise error("CUDA error: it fails")

    for verb, name in (("sample", "walk"), ("evaluate", "curves"), ("score", "log_prob")):
        with monkeypatch.context() as patch:
            patch.setattr(GenerativeModel, name, failing)
            words = (verb, tmp_path / "run", *(["two-moons"] if verb == "score" else []))
            status, _, err = run(*words, "-n", 40)
        said = " ".join(err.split())
        assert (status, "internal" in said) == (1, False), said
        assert ("memory" if error is torch.OutOfMemoryError else "cpu, which failed") in said
        assert "--device" in said


def test_a_device_of_torch_is_a_word_and_a_model_in_memory_knows_its_own(tmp_path: Path) -> None:
    cpu = torch.device("cpu")
    fitted = pf.fit("vae", "two-moons", steps=2, preset="smoke", device=cpu)
    torch.__future__.set_overwrite_module_params_on_conversion(True)
    try:
        there = pf.fit("vae", "two-moons", steps=2, preset="smoke", device="pretend")
    finally:
        torch.__future__.set_overwrite_module_params_on_conversion(False)
    for model, device in ((fitted, "cpu"), (there, "pretend:0")):
        model.save(tmp_path / device[:3])
        manifest = json.loads((tmp_path / device[:3] / "manifest.json").read_text())
        assert manifest["device"]["device"] == device
    assert pf.open(tmp_path / "cpu", device=cpu).model.device == cpu
    for wrong in (0, None, 1.5, "cpu:3", "GPU", " cpu", "cuda:-1"):
        with pytest.raises(BadInput, match="device") as found:
            pf.open(tmp_path / "cpu", device=wrong)  # type: ignore[arg-type]
        assert "--" not in str(found.value)


def test_a_missing_compiler_is_said_once(run: Run, tmp_path: Path) -> None:
    from torch._inductor import config

    missing = config.patch({"cpp.cxx": ("no-such-compiler",), "force_disable_caches": True})
    place = tmp_path / "run"
    train = ("train", "vae", "two-moons", *SMALL, "-s", "train.compile=true", "-o", place)
    with missing:
        status, _, err = run(*train)
    assert status == 0
    said = "not compiled: no C++ compiler was found (no-such-compiler)"
    assert err.count(said) == 1
    fit = json.loads((place / "manifest.json").read_text())["fit"]
    assert fit["compilation"] == said
    status, _, err = run("train", "vae", "two-moons", *SMALL, "-o", tmp_path / "other")
    assert status == 0
    assert "compiled" not in err


def test_recomputing_needs_less_memory_and_trains_the_same(run: Run, tmp_path: Path) -> None:
    recompute = ("-s", "train.activation_checkpointing=true")
    train = ("train", "diffusion", "digits", "--preset", "smoke", "-s", "model.depth=3")
    needed = []
    for more in ((), recompute):
        status, out, err = run(*train, "--steps", 4, "--dry-run", *more)
        assert status == 0, err
        found = re.search(r"activations: ([\d.]+)", out)
        assert found, out
        needed.append(float(found[1]))
    assert needed[1] < 0.7 * needed[0]
    assert run(*train, "--steps", 4, "-o", tmp_path / "whole")[0] == 0
    assert run(*train, "--steps", 4, "-o", tmp_path / "again", *recompute)[0] == 0
    weights = [
        (tmp_path / name / "weights.safetensors").read_bytes() for name in ("whole", "again")
    ]
    assert weights[0] == weights[1]


def test_one_example_at_a_time_that_does_not_fit_may_be_recomputed(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(self, *words):
        raise torch.OutOfMemoryError("no")

    train = ("train", "vae", "two-moons", *SMALL, "-s", "train.batch_size=1", "-o", tmp_path / "a")
    with monkeypatch.context() as patch:
        patch.setattr(GenerativeModel, "losses", never)
        status, _, err = run(*train)
        assert status == 1
        assert "--resume and -s train.activation_checkpointing=true" in " ".join(err.split())
        status, _, err = run(*train, "--overwrite", "-s", "train.activation_checkpointing=true")
        assert "train a smaller model, or on another --device" in " ".join(err.split())
    status, _, err = run(*train, "--resume", "-s", "train.activation_checkpointing=true")
    assert status == 0, err


def test_samples_are_drawn_by_compiled_networks(run: Run, tmp_path: Path) -> None:
    """The same numbers up to rounding; where a sampler has steps of its own nothing is compiled, and that is said."""
    for family, data in (("diffusion", "two-moons"), ("ar", "shakespeare")):
        status, _, err = run("train", family, data, *SMALL, "-o", tmp_path / family)
        assert status == 0, err
    draw = ("sample", tmp_path / "diffusion", "-n", 6, "--seed", 2)
    plain, (status, out, err) = run(*draw)[1], run(*draw, "--compile")
    assert status == 0, err
    assert re.search(r"compiled 1 block in \d+ s", err)
    numbers = [[float(x) for x in text.replace("\n", ",").split(",") if x] for text in (plain, out)]
    assert numbers[0] == pytest.approx(numbers[1], rel=1e-3)
    write = ("sample", tmp_path / "ar", "-n", 2, "--seed", 2)
    plain, (status, out, err) = run(*write)[1], run(*write, "--compile")
    assert status == 0, err
    assert "not compiled: this runs steps of its own" in err
    assert out == plain
    status, _, err = run("sample", tmp_path / "ar", "--stream", "--compile")
    assert status == 2
    assert "--compile with --stream" in err


def test_whoever_resumes_computes_as_before(run: Run, tmp_path: Path) -> None:
    """In Python, and a student too; sizes that the machine chose do not stand in the way of an advice that is followed."""
    how = {"precision": "bfloat16", "accumulate": 2}
    asked: dict[str, Any] = {"preset": "smoke", "settings": {"train": how}}
    pf.fit("diffusion", "two-moons", path=tmp_path / "run", steps=3, **asked)
    again = pf.fit(
        "diffusion", "two-moons", path=tmp_path / "run", steps=5, preset="smoke", resume=True
    )
    assert again.plan is not None
    assert {k: getattr(again.plan.train_config, k) for k in how} == how
    words = [w for k, v in how.items() for w in ("-s", f"train.{k}={v}")]
    distil = ("distil", tmp_path / "run", "-o", tmp_path / "student")
    assert run(*distil, "--steps", 3, *words)[0] == 0
    status, _, err = run(*distil, "--steps", 5, "--resume")
    assert status == 0, err
    config = yaml.safe_load((tmp_path / "student" / "config.yaml").read_text())
    assert {k: config["train"][k] for k in how} == how


def test_what_the_machine_chose_may_be_named(run: Run, tmp_path: Path) -> None:
    place = tmp_path / "run"
    train = ("train", "vae", "two-moons", "--budget", "2s", "-o", place)
    assert run(*train)[0] == 0
    config = yaml.safe_load((place / "config.yaml").read_text())
    chosen = config["fitted"]["train"]
    assert chosen
    named = [w for key, value in chosen.items() for w in ("-s", f"train.{key}={value}")]
    longer = ("train", "vae", "two-moons", "--budget", "3s", "-o", place, "--resume")
    status, _, err = run(*longer, *named, "-s", "train.accumulate=2")
    assert status == 0, err


def test_no_codes_of_no_examples() -> None:
    """Of a VAE; what has codes that lead back is tried by the conformance suite."""
    fitted = pf.fit("vae", "two-moons", steps=2, preset="smoke")
    code = fitted.model.encode(torch.zeros(3, 2)).value
    assert fitted.model.encode(torch.zeros(0, 2)).value.shape == (0, *code.shape[1:])
    assert fitted.model.decode(code[:0]).shape == (0, 2)


def test_other_errors_keep_their_cause(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pf.fit("vae", "two-moons", steps=2, preset="smoke", path=tmp_path / "run")

    def failing(*_: object, **__: object) -> None:
        raise RuntimeError("outer") from KeyError("inner")

    monkeypatch.setattr(GenerativeModel, "walk", failing)
    with pytest.raises(RuntimeError, match="outer") as found:
        pf.sample(tmp_path / "run", n=3)
    assert isinstance(found.value.__cause__, KeyError)
