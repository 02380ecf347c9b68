"""Commands compute where they are told to, on a device that is not the processor too; devices that are not there are refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

import pretend_device
import pushforward as pf
from pushforward.core.errors import BadInput
from pushforward.core.given import Examples, Given
from pushforward.core.placement import (
    AUTO,
    Placement,
    available,
    chosen,
    computing_on,
    here,
    whole_where_it_fits,
)

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def pretend() -> Iterator[str]:
    """The pretend device, for as long as a test runs."""
    torch.__future__.set_overwrite_module_params_on_conversion(True)
    yield pretend_device.NAME
    torch.__future__.set_overwrite_module_params_on_conversion(False)


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch) -> list[torch.device]:
    """Where models stood when they were asked for samples, numbers or losses."""
    from pushforward.core.model import GenerativeModel

    seen: list[torch.device] = []
    for name in ("walk", "log_prob", "losses"):
        real = getattr(GenerativeModel, name)

        def noted(self, *words, real=real, **named):
            seen.append(self.device)
            return real(self, *words, **named)

        monkeypatch.setattr(GenerativeModel, name, noted)
    return seen


DATA = {
    "points": ["flow", "vae", "gan", "ar", "diffusion"],
    "pictures": ["flow", "vae", "gan", "ar", "diffusion"],
    "table": ["ar", "diffusion"],
    "text": ["ar", "diffusion"],
}


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A few examples of every kind of data."""
    folder, rng = tmp_path_factory.mktemp("sources"), np.random.default_rng(0)
    np.savez(folder / "points.npz", x=rng.normal(size=(300, 2)), y=np.arange(300) % 2)
    np.savez(folder / "pictures.npz", x=rng.integers(0, 5, (300, 1, 4, 6)).astype(np.uint8))
    rows = ["size,kind", *(f"{x:.2f},{'ab'[i % 2]}" for i, x in enumerate(rng.normal(size=300)))]
    (folder / "table.csv").write_text("\n".join(rows))
    (folder / "text.txt").write_text("the cat sat on the mat. " * 4000)
    endings = {"points": "npz", "pictures": "npz", "table": "csv", "text": "txt"}
    return {name: folder / f"{name}.{ending}" for name, ending in endings.items()}


@pytest.mark.parametrize(
    ("kind", "family"), [(kind, family) for kind, families in DATA.items() for family in families]
)
def test_from_training_to_a_score_there(
    kind: str,
    family: str,
    run: Run,
    sources: dict[str, Path],
    tmp_path: Path,
    pretend: str,
    places: list[torch.device],
) -> None:
    there = ("--device", pretend)
    train = ("train", family, sources[kind], "--preset", "smoke", "-o", tmp_path / "run")
    status, _, err = run(*train, "--steps", 2, *there)
    assert status == 0, err
    assert f"computing on {pretend}:0" in err
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["device"]["device"] == f"{pretend}:0"
    status, _, err = run(*train, "--steps", 4, "--resume", *there)
    assert status == 0, err
    for command in (
        ("sample", tmp_path / "run", "-n", 3),
        ("evaluate", tmp_path / "run", "-n", 40),
        *([("score", tmp_path / "run", sources[kind], "-n", 5)] if family != "gan" else []),
    ):
        status, _, err = run(*command, *there)
        assert status == 0, err
    assert {place.type for place in places} == {pretend}
    # and a run that was trained there opens here, and says the same
    drawn = [run("sample", tmp_path / "run", "-n", 3, "--device", d)[1] for d in (pretend, "cpu")]
    if kind == "points":  # in the last of six digits a rounding may show
        numbers = [np.array([line.split(",") for line in text.split()], float) for text in drawn]
        np.testing.assert_allclose(*numbers, rtol=1e-4, atol=1e-5)
    else:
        assert drawn[0] == drawn[1]


def test_other_verbs_there(
    run: Run, sources: dict[str, Path], tmp_path: Path, pretend: str
) -> None:
    there, short = ("--device", pretend), ("--steps", 4, "--preset", "smoke")
    points = sources["points"]
    for command in (
        ("train", "diffusion", points, *short, "-o", tmp_path / "d"),
        ("distil", tmp_path / "d", "--steps", 4, "-o", tmp_path / "s"),
        ("train-classifier", tmp_path / "d", points, "--steps", 3, "-o", tmp_path / "c"),
        ("sweep", tmp_path / "d", "--calls", 2, "-n", 40, "--solver", "heun"),
        ("train", "flow", points, *short, "-o", tmp_path / "f"),
        ("probe", tmp_path / "f"),
        ("anomalies", tmp_path / "f", points, "-n", 40),
        ("compare", points, "--families", "flow,gan", *short, "-o", tmp_path / "all"),
        ("report", tmp_path / "f", tmp_path / "d", "-o", tmp_path / "r.html"),
        ("train", "flow", points, *short, "--dry-run"),
    ):
        status, _, err = run(*command, *there)
        assert status == 0, (command, err)


def test_what_steers_samples_there(
    run: Run, sources: dict[str, Path], tmp_path: Path, pretend: str
) -> None:
    there, short = ("--device", pretend), ("--steps", 4, "--preset", "smoke")
    np.save(tmp_path / "seen.npy", np.zeros((1, 4, 6), np.uint8))
    np.save(tmp_path / "mask.npy", np.tile([1, 1, 1, 0, 0, 0], (4, 1)))
    d, c, t = (tmp_path / name for name in "dct")
    labelled = tmp_path / "labelled.npz"
    x = np.random.default_rng(0).integers(0, 5, (200, 1, 4, 6)).astype(np.uint8)
    np.savez(labelled, x=x, y=np.arange(200) % 2)
    observed = ("--observed", tmp_path / "seen.npy", "--mask", tmp_path / "mask.npy")
    few = ("-n", 2, "--steps", 2)
    for command in (
        ("train", "diffusion", labelled, *short, "-o", d),
        ("train-classifier", d, labelled, "--steps", 3, "-o", c),
        ("sample", d, *few, *observed),
        ("sample", d, *few, *observed, "--operator", "blur:1", "--noise", 0.1),
        ("sample", d, *few, "--start", tmp_path / "seen.npy", "--strength", 0.5),
        ("sample", d, *few, "--given", 1, "--guidance", 2, "--guide", d),
        ("sample", d, *few, "--given", 1, "--guidance", 2, "--classifier", c),
        ("sample", d, "-n", 2, "--solver", "langevin", "--steps", 4),
        ("train", "ar", sources["text"], *short, "-o", t),
        ("sample", t, "--beams", 2, "--length", 6),
        ("sample", t, "--draft", t, "--length", 6),
        ("sample", t, "-n", 2, "--match", "[a-z]+ [a-z]+"),
        ("score", t, sources["text"], "--stride", 16, "-n", 5),
    ):
        status, _, err = run(*command, *there)
        assert status == 0, (command, err)


def test_a_program_says_where(tmp_path: Path, pretend: str) -> None:
    model = pf.fit("flow", "two-moons", steps=2, preset="smoke", device=pretend)
    assert model.model.device.type == pretend
    assert model.sample(3, seed=1).device.type == "cpu"
    assert (
        pf.fit("flow", "two-moons", steps=2, preset="smoke", device="cpu").model.device.type
        == "cpu"
    )
    model.save(path := tmp_path / "run")
    assert pf.open(path, device=pretend).model.device.type == pretend
    assert pf.open(path).model.device.type == chosen(AUTO).type
    assert len(pf.evaluate(path, n=40, device=pretend)) > 5
    assert pf.score(path, "two-moons", n=5, device=pretend).json()["n"] == 5
    asked = pf.fit(
        "flow", "two-moons", steps=2, preset="smoke", settings={"train": {"device": pretend}}
    )
    assert asked.model.device.type == pretend
    with pytest.raises(BadInput, match=r"device cpu with train.device=.*expected one of them"):
        pf.fit("flow", "two-moons", steps=2, device="cpu", settings={"train": {"device": pretend}})


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (
            "gpu",
            r"--device gpu: expected auto, cpu, cuda, xpu, or one of several.*a GPU is called cuda",
        ),
        ("cdua", r"did you mean 'cuda'\?"),
        ("cuda:x", r"--device cuda:x: expected auto, cpu"),
        ("cuda:-1", r"--device cuda:-1: expected auto, cpu"),
        ("", r"--device '': expected auto"),
        (
            "cuda",
            r"--device cuda: expected a device of this machine, which has cpu.*leave --device",
        ),
        ("cuda:3", r"--device cuda:3: expected a device of this machine"),
        ("mps", r"--device mps: expected a device of this machine"),
    ],
)
def test_a_device_that_is_not_there_is_refused(
    asked: str, says: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pushforward.core.placement.available", dict)
    with pytest.raises(BadInput, match=says):
        chosen(asked)
    status, _, err = run(
        "train", "flow", "two-moons", "--steps", 2, "-o", tmp_path / "run", "--device", asked
    )
    assert status == 2
    assert "--device" in err
    assert not (tmp_path / "run").exists()


def test_an_index_beyond_those_that_are_there(pretend: str) -> None:
    with pytest.raises(BadInput, match=rf"{pretend}:7: expected {pretend}:0"):
        chosen(f"{pretend}:7")
    assert pretend in available()
    assert chosen(AUTO).type in ("cpu", "cuda")  # what is only pretended is for whoever asks


def test_auto_takes_an_accelerator_and_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pushforward.core.placement.available", lambda: {"cuda": 2, "mps": 1})
    assert chosen(AUTO) == torch.device("cuda", 0)
    assert chosen("cuda:1") == torch.device("cuda", 1)
    with pytest.raises(BadInput, match="cuda:2: expected cuda:0 to cuda:1"):
        chosen("cuda:2")
    monkeypatch.setattr("pushforward.core.placement.available", lambda: {"mps": 1})
    assert chosen(AUTO) == torch.device("cpu")
    with pytest.raises(BadInput, match=r"mps: expected a device with double precision.*has cpu"):
        chosen("mps")
    assert Placement("cuda:0", "NVIDIA T4", 15 * 2**30).words() == "cuda:0 (NVIDIA T4, 15 GiB)"


def test_what_is_chosen_ends_with_its_block() -> None:
    before = here()
    with computing_on("cpu") as device:
        assert here() == device == torch.device("cpu")
    assert here() == before


def test_small_data_lie_on_the_device_and_large_ones_go_over_in_batches(
    pretend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = Examples(torch.zeros(100, 4), Given(torch.zeros(100, dtype=torch.long)))
    there = torch.device(pretend, 0)
    moved = whole_where_it_fits(data, there)
    assert moved.x.device == moved.given.label.device == there  # type: ignore[union-attr]
    rows = moved[torch.tensor([3, 1])]
    assert rows.x.device == there
    # 1,600 bytes of examples, and 800 of what they are given
    monkeypatch.setattr("pushforward.core.placement.room", lambda device: 5 * 2400 - 5)
    assert whole_where_it_fits(data, there) is data
    monkeypatch.setattr("pushforward.core.placement.room", lambda device: 5 * 2400)
    assert whole_where_it_fits(data, there) is not data
    weights = []
    for free in (1600, 2**30):
        monkeypatch.setattr("pushforward.core.placement.room", lambda device, free=free: free)
        model = pf.fit("flow", "two-moons", steps=3, preset="smoke", device=pretend)
        weights.append([p.detach().cpu() for p in model.model.parameters()])
    assert all(torch.equal(a, b) for a, b in zip(*weights, strict=True))
