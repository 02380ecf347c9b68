"""A choice is declared in one place: from one object, defined here alone, it is in every list that is computed, and works."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

import conformance.test_conformance as suite
import pushforward as pf
from conformance.cases import SPACES, Case, cases, examples, tiny_model
from oracles import identical
from pushforward.app.measuring.evaluating import EvaluationSetting, evaluate_samples
from pushforward.app.measuring.measured_kind import MEASURED_KINDS, MeasuredPoints, measured_as
from pushforward.app.progress.watch import Watch
from pushforward.app.request import Request, Said, argument, option
from pushforward.app.verbs.catalogue import VERBS
from pushforward.app.writing.using import capability_table
from pushforward.core.architecture import Architecture
from pushforward.core.data_kind import DATA_KINDS, DataKind, names_in_a_space
from pushforward.core.errors import BadInput, Unsupported
from pushforward.core.estimator import Draws, Estimator
from pushforward.core.given import Given
from pushforward.core.logprob import LogProb
from pushforward.core.measure import DISTANCE, Measure
from pushforward.core.noise import BatchNoise, Noise
from pushforward.core.observed import Observed
from pushforward.core.operators import Identity
from pushforward.core.options import SAMPLING_OPTIONS, Range, SampleOptions, SamplingOption
from pushforward.core.rng import generator
from pushforward.core.space import Image, Points, Space, space_from_json
from pushforward.core.walk import Walk, WalkWrapper
from pushforward.core.walk import run as finished
from pushforward.data.contents import of_numbers
from pushforward.data.dataset import CONTENTS, describe
from pushforward.data.text.tokeniser import Tokeniser
from pushforward.data.text.tokenisers import TOKENISERS, TokeniserChoice
from pushforward.evaluation.cards.controls import controls
from pushforward.evaluation.cards.damage import default_damages
from pushforward.evaluation.cards.metrics import METRICS
from pushforward.evaluation.features.default import default_features
from pushforward.evaluation.kinds.example_kind import EXAMPLE_KINDS
from pushforward.evaluation.kinds.point_examples import PointExamples
from pushforward.evaluation.likelihood.marginals import marginal_log_prob
from pushforward.evaluation.measuring.metric import Metric
from pushforward.evaluation.measuring.statistic import Measured, TwoSample
from pushforward.faces.cli.completing import completer
from pushforward.faces.cli.main import main
from pushforward.faces.verbs import every_verb
from pushforward.families.autoregressive.config import AutoregressiveConfig
from pushforward.families.autoregressive.mixtures import MixtureBackbone, mixture_of
from pushforward.families.autoregressive.model import Autoregressive
from pushforward.families.build import build, settings
from pushforward.families.catalogue import FAMILIES
from pushforward.families.diffusion.config import DiffusionConfig
from pushforward.families.diffusion.denoisers.denoiser import FORMS, PredictionType
from pushforward.families.diffusion.denoisers.posterior import POSTERIORS
from pushforward.families.diffusion.model import Diffusion
from pushforward.families.diffusion.objectives.objective import WEIGHTS, ErrorWeight, data_weight
from pushforward.families.diffusion.paths.noise_law import LAWS, LogUniform, NamedLaw
from pushforward.families.diffusion.paths.published import PATHS, NamedPath, Straight
from pushforward.families.diffusion.solvers.inpainting import METHODS as INPAINTINGS
from pushforward.families.diffusion.solvers.inpainting import InpaintingMethod
from pushforward.families.diffusion.solvers.noise_grids import GRIDS, NoiseGrid
from pushforward.families.diffusion.solvers.ode_coordinates import ScaledByNoise
from pushforward.families.diffusion.solvers.sampler import EULER, RungeKutta, Solver
from pushforward.families.flow.model import Flow
from pushforward.families.shared.codecs import standardised
from pushforward.families.shared.options import TEMPERATURE
from pushforward.reports.page.render import render
from pushforward.reports.records import Comparison
from real_against_real import require_conforming

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Command:
    """Call the command line; return exit status, stdout, and stderr in one line."""

    def call(*words: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            main([str(word) for word in words])
        told = capsys.readouterr()
        return int(stop.value.code or 0), told.out, " ".join(told.err.split())

    return call


class CountRequest(Request):
    """Count the bytes of some files."""

    verb = "count"
    files: Annotated[tuple[Path, ...], argument("Files to count.")]
    unit: Annotated[int, option("Bytes that count as one.", "-u", "--unit", ge=1)] = 1

    def answer(self, watch: Watch) -> Said:
        total = sum(path.stat().st_size for path in self.files) // self.unit
        watch.say(f"{len(self.files)} files")
        return Said({"total": total}, f"{total} in all")


def test_a_verb(run: Command, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 30)
    (tmp_path / "b").write_bytes(b"x" * 12)
    with VERBS.with_one_more(CountRequest):
        status, out, _ = run("--help")
        assert status == 0
        assert "Count the bytes of some files." in out
        status, out, _ = run("count", "--help")
        assert all(word in out for word in ("Files to count.", "--unit", "-u", "[x>=1]", "--json"))
        assert run("count", tmp_path / "a", tmp_path / "b", "-u", 2) == (
            0,
            "21 in all\n",
            "2 files",
        )
        assert json.loads(run("count", tmp_path / "a", "--json")[1]) == {"total": 30}
        assert run("count", tmp_path / "a", "-u", 0)[0] == 2
        assert "count" in completer("verbs")("cou")
        schema = json.loads(run("schema", "count")[1])
        assert schema["properties"]["unit"]["minimum"] == 1
        assert schema["required"] == ["files"]
        answer = pf.count([tmp_path / "a"], unit=3)  # type: ignore[attr-defined]
        assert (answer.json(), str(answer)) == ({"total": 10}, "10 in all")
        assert "count" in dir(pf)
    assert run("count", tmp_path / "a")[0] == 2
    assert "count" not in {request.verb for request in every_verb()}


def test_a_format_of_files(run: Command, tmp_path: Path) -> None:
    """It opens, trains, is written, and is named in refusals and in help."""
    from pushforward.app.writing.using import draw
    from pushforward.core.errors import BadInput
    from pushforward.data.formats.choosing import output_help, table_of_formats
    from pushforward.data.formats.file_formats import FORMATS
    from pushforward.data.formats.format import Format, ReadOptions, Samples
    from pushforward.data.write import write_samples

    def read(path: Path, how: ReadOptions) -> np.ndarray:
        return np.array(
            [[float(cell) for cell in line.split("/")] for line in path.read_text().splitlines()]
        )

    def write(samples: Samples, path: Path) -> bytes:
        return "".join("/".join(map(repr, row)) + "\n" for row in samples.x.tolist()).encode()

    slashed = Format(
        "slashed",
        "numbers between slashes",
        (".slashed",),
        holds=("points",),
        reader=read,
        writes=("arrays",),
        writer=write,
    )
    path, other = tmp_path / "in.slashed", tmp_path / "in.mp4"
    path.write_text(
        "".join(f"{x!r}/{y!r}\n" for x, y in np.random.default_rng(0).normal(size=(60, 2)).tolist())
    )
    other.write_bytes(bytes(9))
    with FORMATS.with_one_more(slashed):
        fitted = pf.fit("flow", str(path), steps=2, preset="smoke", path=tmp_path / "run")
        samples = draw(fitted.model, 5)
        assert write_samples(tmp_path / "out.slashed", samples) == [tmp_path / "out.slashed"]
        np.testing.assert_array_equal(
            read(tmp_path / "out.slashed", ReadOptions()), samples.x.double().numpy()
        )
        with pytest.raises(BadInput, match=r"expected .*\.slashed"):
            pf.load(str(other))
        with pytest.raises(BadInput, match=r"a name that ends in .*\.slashed"):
            write_samples(tmp_path / "out.mp4", samples)
        assert ".slashed" in output_help()
        assert any(row[0] == "slashed" for row in table_of_formats())
        verb = importlib.reload(
            importlib.import_module("pushforward.app.verbs.sample")
        ).SampleRequest
        assert ".slashed" in verb.model_fields["output"].description
        assert ".slashed" in run("data", "--help")[1]
    importlib.reload(importlib.import_module("pushforward.app.verbs.sample"))
    with pytest.raises(BadInput, match=r"ends in '\.slashed'"):
        pf.load(str(other.rename(tmp_path / "x.slashed")))


class MirroredBytes(Tokeniser):
    """One token per byte, the last byte first."""

    kind = "mirrored"

    @property
    def pieces(self) -> tuple[bytes, ...]:
        """Every byte, backwards, then the boundary."""
        return (*(bytes([255 - value]) for value in range(256)), b"")

    def _encode(self, data: bytes, where: str) -> np.ndarray:
        return 255 - np.frombuffer(data, dtype=np.uint8).astype(np.int64)

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> MirroredBytes:
        return cls()


def test_a_tokeniser(run: Command, tmp_path: Path) -> None:
    """It opens text, trains, travels with the run, and is named where another is not known."""
    made = (MirroredBytes(), "mirrored")
    choice = TokeniserChoice(
        "mirrored", "bytes backwards", lambda texts, options: made, MirroredBytes.from_json
    )
    text = "the quick brown fox jumps over the lazy dog\n" * 40
    path = tmp_path / "fox.txt"
    path.write_text(text)
    with TOKENISERS.with_one_more(choice):
        trained = (
            "train",
            "ar",
            path,
            "--steps",
            2,
            "--preset",
            "smoke",
            "-s",
            "data.tokeniser=mirrored",
        )
        assert run(*trained, "-s", "data.length=8", "-o", tmp_path / "run")[0] == 0
        status, out, _ = run("sample", tmp_path / "run", "-n", 1, "--json")
        assert status == 0
        assert len(json.loads(out)[0]["text"]) > 0
        assert "mirrored" in pf.load(str(path), tokeniser="mirrored").notes
        with pytest.raises(BadInput, match=r"bpe, mirrored"):
            pf.load(str(path), tokeniser="words")
    assert run(*trained, "-o", tmp_path / "other")[0] == 2


@dataclass(frozen=True)
class Directions(Points):
    """Points on a circle."""

    kind = "directions"


class DirectionExamples(PointExamples):
    """Spread evenly over the circle."""

    def even(self, space: Points, rows: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
        x = rng.normal(size=(n, space.dim))
        return x / np.linalg.norm(x, axis=1, keepdims=True)


def test_a_kind_of_data() -> None:
    """One object a floor: its space is in records and tables, and it is described, controlled, damaged and shown."""
    kind = DataKind(
        "directions",
        "unit vectors",
        f"{__name__}:Directions",
        "direction",
        "directions",
        in_a_space=True,
    )
    space = Directions(2)
    x = torch.nn.functional.normalize(
        torch.randn(60, 2, generator=torch.Generator().manual_seed(0)), dim=1
    )
    data = replace(pf.load(x.numpy()), space=space)
    with (
        DATA_KINDS.with_one_more(kind),
        CONTENTS.with_one_more(of_numbers, "directions"),
        EXAMPLE_KINDS.with_one_more(DirectionExamples(), "directions"),
        MEASURED_KINDS.with_one_more(MeasuredPoints(), "directions"),
    ):
        assert space_from_json(space.to_json()) == space
        assert names_in_a_space() == "directions or images or points"
        assert "log p, directions" in capability_table()[0]
        assert describe(data)["space"] == {"kind": "directions", "dim": 2}
        made = controls(x.numpy(), space, 30)
        np.testing.assert_allclose(np.linalg.norm(made["noise"].samples, axis=1), 1.0, rtol=1e-5)
        assert len(default_damages(space, x.numpy())) == 8
        assert marginal_log_prob(x.numpy(), x.numpy(), space).unit.name == "nats/point"
        assert measured_as(space).pictured(x.numpy()) is not None
        assert default_features(space, x.numpy())[0](x.numpy()).shape == (60, 2)


def test_every_field_of_every_verb_says_what_it_is() -> None:
    for request in every_verb():
        assert request.says().endswith((".", "DIRECTORY`.")), request.verb
        for name, field in request.model_fields.items():
            assert field.description, f"{request.verb}: {name}"


def test_python_has_every_verb_of_the_command_line() -> None:
    known: dict[str, Any] = {request.function(): request for request in every_verb()}
    for name, request in known.items():
        assert callable(getattr(pf, name)), f"{request.verb} is no function of Python: {name}"


def row_of(family: str) -> dict[str, str]:
    """The line of a family in `pushforward families`."""
    return next(row for row in capability_table() if row["family"] == family)


SHIFT = SamplingOption(
    "shift_all",
    "Move every sample by this much",
    default=0.0,
    within=Range("a number from -1 to 1", -1, 1),
)


class Shifted(WalkWrapper[Tensor]):
    def __init__(self, walk: Walk[Tensor], by: float) -> None:
        super().__init__(walk)
        self.by = by

    def finish(self, state: Tensor) -> Tensor:
        return self.walk.finish(state) + self.by


class ShiftingFlow(Flow):
    family = "shifting-flow"
    capabilities = replace(Flow.capabilities, options=(TEMPERATURE, SHIFT))

    def _walk(self, noise: Noise, given: Given | None, options: SampleOptions) -> Walk[Any]:
        return Shifted(super()._walk(noise, given, options), options.shift_all)


def test_a_sampling_option(run: Command, tmp_path: Path) -> None:
    with (
        SAMPLING_OPTIONS.with_one_more(SHIFT),
        FAMILIES.with_one_more(ShiftingFlow, "shifting-flow"),
    ):
        assert "--shift-all" in run("sample", "--help")[1]
        assert "shift_all" in json.loads(run("schema", "sample")[1])["properties"]
        trained = (
            "train",
            "shifting-flow",
            "two-moons",
            "--steps",
            1,
            "--preset",
            "smoke",
            "-o",
            tmp_path / "run",
        )
        assert run(*trained)[0] == 0
        zero, one = (
            run("sample", tmp_path / "run", "-n", 2, "--shift-all", by)[1] for by in (0, 0.5)
        )
        assert zero != one
        assert str(pf.sample(tmp_path / "run", n=2, shift_all=0.5)) == one.rstrip()
        assert row_of("shifting-flow")["sampling options"] == "temperature, shift_all"
        model = tiny_model(Case("shifting-flow", Points(2), False))
        plain, moved = (
            model.codec.encode(model.sample(3, shift_all=by)).value for by in (0.0, 0.5)
        )
        torch.testing.assert_close(moved, plain + 0.5, rtol=1e-5, atol=1e-5)
        with pytest.raises(BadInput, match=r"shift_all=2: expected a number from -1 to 1"):
            model.sample(1, shift_all=2)
        other = tiny_model(Case("vae", Points(2), False))
        with pytest.raises(
            Unsupported,
            match=r"vae has no sampling option 'shift_all': expected one of temperature",
        ):
            other.sample(1, shift_all=0.5)
        other.sample(1, shift_all=0.0)  # nothing would be ignored
    with pytest.raises(BadInput, match=r"unknown sampling option 'shift_all'"):
        tiny_model(Case("flow", Points(2), False)).sample(1, shift_all=0.0)


def a_nat_below(model: Flow, x: Tensor, given: Given | None, draws: Draws) -> LogProb:
    exact = model.capabilities.estimators["points"]["exact"].log_prob(model, x, given, draws)  # type: ignore[index]
    return replace(exact, nats=exact.nats - (draws.steps or 1), kind="lower_bound")


def test_an_estimator() -> None:
    loose = Estimator(
        "loose", "the density, less a nat a step", "lower_bound", a_nat_below, takes_steps=True
    )
    case = Case("flow", Points(2), False)
    with Flow.capabilities.estimators["points"].with_one_more(loose):  # type: ignore[attr-defined]
        assert row_of("flow")["log p, points"] == "exact (exact), loose (lower bound)"
        model, data = tiny_model(case), examples(Points(2), False)
        exact = model.log_prob(data)
        for steps in (None, 3):
            found = model.log_prob(data, estimator="loose", steps=steps)
            assert (found.estimator, found.kind) == ("loose", "lower_bound")
            torch.testing.assert_close(found.nats, exact.nats - (steps or 1))
        with pytest.raises(Unsupported, match=r"an estimator that takes steps \(loose\)"):
            model.log_prob(data, steps=3)
        assert suite.estimators(model) == ["exact", "loose"]
        suite.test_declared_kinds_are_returned(case)
    with pytest.raises(Unsupported, match=r"has no estimator 'loose' on points"):
        model.log_prob(data, estimator="loose")


class Linear(MixtureBackbone):
    """Mixtures of which the parameters are linear in the coordinates before."""

    def __init__(self, space: Space, config: AutoregressiveConfig, classes: int) -> None:
        super().__init__(space, config, classes)
        self.nets = nn.ModuleList(
            nn.Linear(max(1, d), 3 * self.components) for d in range(self.dim)
        )

    def mixtures(
        self, x: Tensor, context: Tensor | None, noise: Noise | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        parts = [self.mixture(d, x[:, :d], context) for d in range(self.dim)]
        log_w, mean, log_scale = (torch.stack(each, dim=1) for each in zip(*parts, strict=True))
        return log_w, mean, log_scale

    def mixture(
        self, d: int, before: Tensor, context: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        inputs = before if d else before.new_zeros(len(before), 1)
        return mixture_of(self.nets[d](inputs), self.components)


def runs_through_the_suite(case: Case) -> None:
    """Some of what every registered architecture is put through."""
    assert case in cases()
    suite.test_samples_are_legal_data(case)
    suite.test_gradients_are_finite_and_reach_every_group(case)
    suite.test_walk_is_the_sampler(case)


def test_an_architecture_of_autoregressive_models() -> None:
    case = Case("autoregressive", Points(2), False, "linear")
    linear = Architecture(
        "linear", "mixtures linear in what came before", Linear, standardised, (TEMPERATURE,)
    )
    with Autoregressive.capabilities.architectures["points"].with_one_more(linear):
        runs_through_the_suite(case)
        suite.test_training_lowers_the_held_out_quantity(case)
        with pytest.raises(
            Unsupported, match=r"sampling option 'length' on points: expected one of temperature"
        ):
            tiny_model(case).sample(1, length=3)
    with pytest.raises(
        BadInput, match=r"unknown architecture of autoregressive on points 'linear'"
    ):
        settings("autoregressive", Points(2), "smoke", "linear")


class Pointwise(nn.Module):
    """A network of pixels that looks at one place at a time."""

    def __init__(self, space: Image, config: DiffusionConfig) -> None:
        super().__init__()
        self.net = nn.Conv2d(2 * space.channels, space.channels, 1)
        self.shift = nn.Linear(config.context, space.channels)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        return self.net(x) + self.shift(context)[:, :, None, None]


@pytest.fixture
def pointwise() -> Iterator[None]:
    one = Architecture("pointwise", "every pixel by itself", Pointwise)
    with Diffusion.capabilities.architectures["image"].with_one_more(one):
        yield


@pytest.mark.usefixtures("pointwise")
def test_an_architecture_of_diffusion_models() -> None:
    runs_through_the_suite(Case("diffusion", SPACES["image"][0], True, "pointwise"))
    assert "pointwise" in DiffusionConfig.model_json_schema()["properties"]["architecture"]["enum"]


def test_a_solver() -> None:
    solver = Solver("fast", "Euler steps in the noise level", RungeKutta(EULER, ScaledByNoise), 5)
    case = Case("diffusion", Points(2), False)
    with Diffusion.capabilities.solvers.with_one_more(solver):  # type: ignore[attr-defined]
        assert row_of("diffusion")["solvers"].endswith(", fast")
        model = tiny_model(case)
        assert model.walk(2, solver="fast").calls == 5
        same = model.sample(3, solver="ddim", steps=5)  # Euler in (y, s) is DDIM
        torch.testing.assert_close(model.sample(3, solver="fast"), same, rtol=1e-4, atol=1e-4)
    with pytest.raises(BadInput, match=r"unknown solver 'fast'"):
        model.sample(1, solver="fast")


def test_a_path() -> None:
    with pytest.raises(ValidationError):
        DiffusionConfig(path="straight")
    with PATHS.with_one_more(NamedPath("straight", "the noise level is time", Straight)):
        assert "straight" in DiffusionConfig.model_json_schema()["properties"]["path"]["enum"]
        model = Diffusion(Points(2), DiffusionConfig(path="straight", width=8))
        assert isinstance(model.process.path, Straight)  # type: ignore[union-attr]
        assert model.walk(1, path="straight").calls == 35


def test_a_grid_a_posterior_and_an_inpainting() -> None:
    model = tiny_model(Case("diffusion", Points(2), False))
    seen = Observed(torch.full((3, 2), 0.5), torch.tensor([[True, False]]).expand(3, 2))
    measured = replace(seen, operator=Identity(), noise=0.1)
    same = NoiseGrid("same", "karras, again", GRIDS["karras"].levels)
    white = replace(POSTERIORS["pigdm"], name="white")
    twice = InpaintingMethod("twice", "every step twice", repeats=2)
    with (
        GRIDS.with_one_more(same),
        POSTERIORS.with_one_more(white),
        INPAINTINGS.with_one_more(twice),
    ):
        assert identical(model.sample(3, grid="same"), model.sample(3, grid="karras"))
        posteriors = (
            model.sample(3, Given(observed=measured), posterior=name) for name in ("white", "pigdm")
        )
        assert identical(*posteriors)
        kept = {"solver": "ddim", "steps": 6}
        again, plain = (
            model.walk(3, Given(observed=seen), inpainting=i, **kept)
            for i in ("twice", "replacement")
        )
        assert (again.length, plain.length) == (11, 6)
        assert bool((model.codec.decode(finished(again))[:, 0] - 0.5).abs().max() < 1e-5)
    for options in ({"grid": "same"}, {"inpainting": "twice"}, {"posterior": "white"}):
        given = {"inpainting": Given(observed=seen), "posterior": Given(observed=measured)}.get(
            *options
        )
        with pytest.raises(BadInput, match=r"unknown (grid|inpainting|posterior) '"):
            model.sample(3, given, **options)


def test_what_a_diffusion_model_learns() -> None:
    flat = NamedLaw("flat", "even in the logarithm", lambda path, scale: LogUniform(path))
    even = ErrorWeight("even", "plain error of the data, again", data_weight)
    noise = PredictionType("eps", "the noise, again", FORMS["noise"].scales)
    with LAWS.with_one_more(flat), WEIGHTS.with_one_more(even), FORMS.with_one_more(noise):
        ours = {"law": "flat", "weight": "even", "prediction": "eps"}
        theirs = {"law": "log-uniform", "weight": "data", "prediction": "noise"}
        enums = DiffusionConfig.model_json_schema()["properties"]
        losses = []
        for values in (ours, theirs):
            assert all(value in enums[name]["enum"] for name, value in values.items())
            model = build("diffusion", Points(2), values={"width": 16, "depth": 1, **values})
            data = examples(Points(2), False)
            model.prepare(data)
            losses.append(next(iter(model.losses(data, BatchNoise(generator(0), len(data))))))
        assert losses[0].name == "plain error of the data, again"
        torch.testing.assert_close(losses[0].value, losses[1].value)


MEDIAN_GAP = Measure(
    "median gap",
    "How far medians of features lie from those of real data.",
    "Middles moved",
    "in features",
    DISTANCE,
)


class MedianGap(TwoSample):
    def measure(
        self, x: np.ndarray, y: np.ndarray, x_ids: np.ndarray, y_ids: np.ndarray
    ) -> list[Measured]:
        gap = float(np.abs(np.median(x, axis=0) - np.median(y, axis=0)).mean())
        reach = 2.5 * float(x.std()) * (1 / len(x) + 1 / len(y)) ** 0.5
        ends = {"low": gap - reach, "high": gap + reach}
        return [Measured(self.on.score(MEDIAN_GAP, gap, len(x), null=0.0, **ends))]


def test_a_metric(run: Command, tmp_path: Path) -> None:
    metric = Metric.of(
        MEDIAN_GAP, lambda card: [MedianGap(card.features[0], card.reference_name)], at_least=60
    )
    rng = np.random.default_rng(0)
    np.save(tmp_path / "real.npy", rng.normal(size=(600, 2)))
    np.save(tmp_path / "made.npy", rng.normal(size=(100, 2)) + 1.0)
    asked = ("evaluate", "--samples", tmp_path / "made.npy", "--reference", tmp_path / "real.npy")
    with METRICS.with_one_more(metric):
        require_conforming(metric)
        status, out, _ = run(*asked, "--json", "-o", tmp_path / "page.html")
        assert status == 0
        (score,) = [s for s in json.loads(out)["scores"] if s["metric"] == "median gap"]
        assert (score["aspect"], score["role"], score["view"]) == (
            DISTANCE.name,
            "merit",
            "identity, standardised",
        )
        assert score["floor"] is not None
        assert score["ceiling"] is not None
        assert score["low"] > 0
        page = (tmp_path / "page.html").read_text()
        assert "Middles moved" in page
        assert MEDIAN_GAP.says in page
        status, out, _ = run(*asked, "-o", tmp_path / "scores.csv")
        assert "DISTANCE TO THE DATA" in out.partition("median gap")[0]
        lines = [
            line
            for line in (tmp_path / "scores.csv").read_text().splitlines()
            if "median gap" in line
        ]
        assert len(lines) == 5
        assert all(DISTANCE.name in line for line in lines)
        setting = EvaluationSetting(n=45)
        few = evaluate_samples(tmp_path / "made.npy", str(tmp_path / "real.npy"), setting)
        assert (
            "median gap was left out: it needs 60 examples, and there are 45"
            in few.record["left_out"]
        )
        found = evaluate_samples(tmp_path / "made.npy", str(tmp_path / "real.npy")).comparison
        record, page = json.loads(json.dumps(found.to_json())), render(found)
    # a page needs the record alone, and no package of the metric's
    assert render(Comparison.from_json(record, found.arrays())) == page
    assert "median gap" not in run(*asked, "--json")[1]
