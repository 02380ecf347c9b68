"""The width of the average, chosen after training: against direct tracking, on the command line, refused where it means nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

import pushforward as pf
from pushforward.app.runs.averaging import average
from pushforward.app.runs.planning import plan_training
from pushforward.core.errors import BadInput, Unsupported
from pushforward.engine.checkpoint import load_weights
from pushforward.engine.ema_bank import open_snapshots
from pushforward.engine.fit import fit
from pushforward.engine.fit_records import Progress
from pushforward.engine.power_average import PowerAverages, exponent_of
from pushforward.faces.cli.main import main
from pushforward.provenance.run_directory import open_record, sha256_of

SNAPSHOTS = {"train": {"ema_snapshots": 16}}
DIRECT = (0.03, 0.07, 0.15, 0.2)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("average") / "run"
    pf.fit("diffusion", "two-moons", steps=48, preset="smoke", settings=SNAPSHOTS, path=path)
    return path


def call(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stop:
        main([str(a) for a in arguments])
    captured = capsys.readouterr()
    return int(stop.value.code or 0), captured.out, captured.err


def norm(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> float:
    return float(torch.cat([(a[k].double() - b[k].double()).flatten() for k in a]).norm().detach())


@pytest.mark.parametrize("family", ["diffusion", "gan"])
def test_a_width_chosen_afterwards_is_the_width_followed_directly(
    family: str, tmp_path: Path
) -> None:
    plan = plan_training(
        family, pf.load("two-moons"), budget={"steps": 96}, preset="smoke", overrides=SNAPSHOTS
    )
    model, data = plan.build(), plan.dataset
    direct: list[PowerAverages] = []
    early: dict[str, torch.Tensor] = {}

    def follow(progress: Progress) -> None:
        if not direct:
            direct.append(PowerAverages(model, [exponent_of(width) for width in DIRECT]))
        direct[0].update(model, progress.step)
        if progress.step == 60:
            early.update({name: value.clone() for name, value in direct[0].values[1].items()})

    fit(model, data.train, data.validation, plan.train_config, directory=tmp_path, observer=follow)
    snapshots = open_snapshots(tmp_path / "state" / "ema")
    assert snapshots is not None
    final = dict(model.named_parameters())
    for width, followed in zip(DIRECT, direct[0].values, strict=True):
        found = snapshots.weights(width)
        assert found.keys() == model.state_dict().keys()
        parameters = {name: found[name] for name in followed}
        # the yardstick is how far the average is from the last weights: what a profile misses, by norm, its weights miss of that
        tolerance = 1.5 * snapshots.residual(width)
        assert norm(parameters, followed) < tolerance * norm(followed, final), width
        assert tolerance < 0.06
    found = snapshots.weights(0.07, step=60)
    assert norm({name: found[name] for name in early}, early) < 0.01 * norm(
        early, direct[0].values[1]
    )


def test_snapshots_change_no_weights(tmp_path: Path) -> None:
    for name, settings in (("with", SNAPSHOTS), ("without", None)):
        pf.fit(
            "vae", "two-moons", steps=12, preset="smoke", settings=settings, path=tmp_path / name
        )
    a, b = ((tmp_path / name / "weights.safetensors").read_bytes() for name in ("with", "without"))
    assert a == b
    assert not (tmp_path / "without" / "state" / "ema").exists()
    assert "ema_snapshots" not in (tmp_path / "without" / "config.yaml").read_text()


def test_a_given_width_makes_a_complete_run(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = tmp_path / "new"
    status, out, err = call(capsys, "average", run, "--width", 0.08, "-o", new)
    assert (status, out.strip()) == (0, str(new))
    assert "width 0.08 at step 48: relative residual 3.0e-03" in err
    record = open_record(new)
    assert record.complete
    assert record.manifest["average"]["width"] == 0.08
    assert record.manifest["average"]["source"] == str(run)
    assert record.manifest["average"]["source_weights_sha256"] == sha256_of(
        run / "weights.safetensors"
    )
    snapshots = open_snapshots(run / "state" / "ema")
    assert snapshots is not None
    expected, found = snapshots.weights(0.08), load_weights(new / "weights.safetensors")
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[name], found[name]) for name in found)
    assert call(capsys, "sample", new, "-n", 3)[0] == 0
    assert call(capsys, "score", new, "two-moons", "--samples", 2)[0] == 0
    assert call(capsys, "evaluate", new, "-n", 60, "--json")[0] == 0
    assert not (run / "scores.json").exists()
    status, _, err = call(capsys, "average", new, "--width", 0.1, "-o", tmp_path / "newer")
    assert status == 2
    assert f"it is an average itself; take its source, {run}" in err


def test_the_best_width_has_the_least_held_out_value(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = tmp_path / "new"
    status, out, _ = call(capsys, "average", run, "--best", "--json", "-o", new)
    record = json.loads(out)
    assert status == 0
    tried = {t["width"]: t for t in record["tried"]}
    # of the widths that are tried by default, 0.02 is more than 16 snapshots can represent
    assert [width for width in tried if width is not None] == [
        0.03,
        0.04,
        0.05,
        0.06,
        0.08,
        0.1,
        0.12,
        0.15,
        0.2,
        0.25,
    ]
    best = tried[record["width"]]
    opened = pf.open(new)
    rows = pf.load("two-moons").validation[:512]
    held_out = opened.model.held_out(rows, seed=0)
    assert held_out is not None
    assert best["held_out"] == pytest.approx(float(held_out.double().mean()))
    assert best["held_out"] == min(t["held_out"] for width, t in tried.items() if width is not None)
    assert opened.facts["best_held_out"] == best["held_out"]
    kept = pf.open(run).model.held_out(rows, seed=0)
    assert kept is not None
    difference = (kept - held_out).double()
    assert tried[None]["behind"] == pytest.approx(float(difference.mean()), rel=1e-4)
    assert tried[None]["behind_stderr"] == pytest.approx(
        float(difference.std()) / 512**0.5, rel=1e-3
    )
    status, out, err = call(
        capsys, "average", run, "--best", "--widths", "0.1,0.05", "--overwrite", "-o", new
    )
    assert status == 0
    assert [line.split("|")[1].strip() for line in out.splitlines()[2:5]] == [
        "kept by training",
        "0.05",
        "0.1",
    ]
    better = min((0.05, 0.1), key=lambda width: tried[width]["held_out"])
    assert f"best at width {better:g}" in err


def test_the_python_face_chooses_and_opens(run: Path, tmp_path: Path) -> None:
    model = pf.open(run).average(tmp_path / "new", width=0.1)
    snapshots = open_snapshots(run / "state" / "ema")
    assert snapshots is not None
    assert norm(dict(model.model.named_parameters()), snapshots.weights(0.1)) == 0.0
    assert model.sample(2).shape == (2, 2)
    with pytest.raises(BadInput, match=r"a model without a run"):
        pf.fit("flow", "two-moons", steps=1, preset="smoke").average(tmp_path / "other")


@pytest.mark.parametrize(
    ("arguments", "pattern"),
    [
        (
            ["--width", 0.3],
            r"the width 0.3: expected a share of the training time above 0 and below 0.2887",
        ),
        (["--width", 0], r"the width 0: expected"),
        (
            ["--width", 0.28],
            r"snapshots miss 21% .*expected at most 10%; choose one from 0.025 to 0.255, or train with more",
        ),
        (["--width", 0.1, "--step", 31], r"at step 31, .*choose the step of a snapshot: 30 or 33"),
        (["--width", 0.1, "--step", 49], r"the step 49: expected 1 to 48"),
        ([], r"no width: expected --width W or --best"),
        (["--best", "--width", 0.1], r"both --width and --best"),
        (["--width", 0.1, "--widths", "0.1"], r"--widths without --best"),
        (["--best", "--widths", "0.1,wide"], r"--widths 0.1,wide: expected numbers"),
        (
            ["--best", "--widths", "0.1,0.01"],
            r"the width 0.01 at step 48, .*36% \(relative residual\)",
        ),
    ],
)
def test_bad_input_is_one_sentence(
    run: Path,
    arguments: list[object],
    pattern: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    import re

    status, out, err = call(capsys, "average", run, *arguments, "-o", tmp_path / "new")
    assert (status, out) == (2, "")
    assert re.search(pattern, err), err
    assert len(err.strip().splitlines()) == 1
    assert not (tmp_path / "new").exists()


def test_what_cannot_be_averaged_says_how_it_could(run: Path, tmp_path: Path) -> None:
    for place in (run, run.parent):
        with pytest.raises(BadInput, match=r"expected a directory that does not hold"):
            average(run, place, 0.1, overwrite=True)
    assert open_record(run).complete
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "notes.txt").write_text("mine")
    with pytest.raises(BadInput, match=r"holds other files"):
        average(run, tmp_path / "taken", 0.1, overwrite=True)
    pf.fit("gan", "two-moons", steps=3, preset="smoke", path=tmp_path / "plain")
    with pytest.raises(
        BadInput, match=r"keeps no snapshots.*train one with `-s train\.ema_snapshots=16`"
    ):
        average(tmp_path / "plain", tmp_path / "new", 0.1)
    settings = {"train": {"ema_snapshots": 2}}
    pf.fit("gan", "two-moons", steps=3, preset="smoke", settings=settings, path=tmp_path / "gan")
    with pytest.raises(
        Unsupported, match=r"the best width for a gan: expected a width; its loss measures nothing"
    ):
        average(tmp_path / "gan", tmp_path / "new")
    assert not (tmp_path / "new").exists()
    average(tmp_path / "gan", tmp_path / "new", 0.1)
    manifest = json.loads((tmp_path / "gan" / "manifest.json").read_text())
    (tmp_path / "gan" / "manifest.json").write_text(json.dumps({**manifest, "status": "training"}))
    with pytest.raises(BadInput, match=r"the unfinished run .*go on with --resume"):
        average(tmp_path / "gan", tmp_path / "newer", 0.1)
