"""A package that cannot be used costs only itself, and is named with the reason; the rest works."""

from __future__ import annotations

import json
import subprocess
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
import torch

import pushforward as pf
from pushforward.app.verbs.sample import SampleRequest
from pushforward.core import plugins
from pushforward.core.architecture import Architecture
from pushforward.core.errors import BadInput, RunFailed, Unsupported
from pushforward.core.estimator import Estimator
from pushforward.core.measure import DISTANCE, Measure
from pushforward.core.model import GenerativeModel
from pushforward.core.options import RESERVED, SAMPLING_OPTIONS, SamplingOption
from pushforward.core.space import Points
from pushforward.data.formats.file_formats import FORMATS
from pushforward.data.formats.format import Format
from pushforward.evaluation.cards.metrics import METRICS, require_usable
from pushforward.evaluation.measuring.metric import Metric
from pushforward.evaluation.measuring.statistic import TwoSample
from pushforward.families.build import build
from pushforward.families.flow.architectures import spline_flow
from pushforward.families.flow.model import Flow
from strangers_package import command, install, python

FAULTS = '''
from typing import Annotated
from pushforward.app.request import Request, Said, argument, option
from pushforward.core.options import SamplingOption
from pushforward.data.formats.format import Format

def request(verb, answer=None, **fields):
    """Make one."""
    body = {"verb": verb, "__doc__": f"About {verb}.", "__annotations__": fields, "__module__": __name__}
    return type("Made", (Request,), {**body, **({"answer": answer} if answer else {})})

def answered(value):
    return lambda self, watch: value

def failing(self, watch):
    raise ValueError("so it is")

FINE = answered(Said({"x": 1}, "fine"))
ODD = request("Odd/name with spaces here", FINE)
TAKEN = request("capabilities", FINE)
FIT, CORE, DATA, TRAIN = (request(verb, FINE) for verb in ("fit", "core", "data", "train"))
GROUP = request("nobody has", FINE)
UNANSWERED = request("unanswered")
FLAGS = request("flags", FINE, one=Annotated[int, option("One.", "--x")], two=Annotated[int, option("Two.", "--x")])
DEBUG = request("bugs", FINE, debug=Annotated[bool, option("Bugs.")])
SILENT, WORD = request("silent", answered(None)), request("word", answered("hi"))
NAN, SET = (request(verb, answered(Said(value, "x"))) for verb, value in (("nan", float("nan")), ("set", {1})))
FAILS = request("fails", failing)
MARKUP = request("markup", FINE, who=Annotated[str, option("Ends [/bold] here.")])
MARKUP.__doc__ = "About [/red] markup."

JSON, SPACED, N, DASHED = (SamplingOption(name, "x") for name in ("json", "bad name", "n", "Top-k"))
TYPED = SamplingOption("typed", "x", dict)
DEFAULT = SamplingOption("default", "x", int, default="three")

def sniff(path):
    raise ValueError("no nose")

SNIFF = Format("sniffing", "x", holds=("points",), reader=lambda path, how: None, sniffer=sniff)
UNREAD = Format("unread", "x", (".unread",), holds=("points",))
CSV = Format("mine", "x", (".csv",), holds=("table",), reader=lambda path, how: None)
STRING = Format("string", "x", ".string", holds=("points",), reader=lambda path, how: None)
KIND = Format("kind", "x", (".kind",), holds=("point",), reader=lambda path, how: None)
LOST = Format("lost", "x", (".lost",), holds=("points",), reader="nosuch_module:read")
CLASS = Format

from pushforward.core.data_kind import DataKind

NOWHERE = DataKind("nowhere", "x", "no_such_module:Space")
OTHERS = DataKind("others", "x", "pushforward.core.space:Points")
'''
BARE = """
from pushforward.core.model import GenerativeModel as ABSTRACT

class Bare(ABSTRACT):
    family = "bare"
    networks = _losses = _walk = None

BARE = Bare
"""
REASONS = {
    "verb.boom": ("boom:X", "RuntimeError: boom"),
    "verb.bye": ("bye:X", "SystemExit: bye"),
    "verb.odd": ("faults:ODD", "the name 'Odd/name with spaces here'"),
    "verb.taken": ("faults:TAKEN", "pushforward.capabilities, which is the verb 'families'"),
    "verb.fit": ("faults:FIT", "pushforward.fit, which is a function of Python"),
    "verb.core": ("faults:CORE", "pushforward.core, which is a part of the package"),
    "verb.data": ("faults:DATA", "the command 'data', which is taken"),
    "verb.train": ("faults:TRAIN", "verb 'train' is registered twice"),
    "verb.group": ("faults:GROUP", "the group 'nobody': expected one of course, data, or none"),
    "verb.unanswered": ("faults:UNANSWERED", "Made does not define answer"),
    "verb.flags": ("faults:FLAGS", "the flag '--x' of 'two'"),
    "verb.bugs": ("faults:DEBUG", "the field 'debug', which every verb has"),
    "verb.format": ("faults:CSV", "a Format: expected a Request"),
    "sampling-option.json": ("faults:JSON", "the name 'json', which a call of a sampler has"),
    "sampling-option.spaced": ("faults:SPACED", "the name 'bad name'"),
    "sampling-option.n": ("faults:N", "the name 'n', which a call of a sampler has"),
    "sampling-option.dashed": ("faults:DASHED", "the name 'Top-k'"),
    "sampling-option.typed": ("faults:TYPED", "value_type=dict: expected int, float, str or Path"),
    "sampling-option.default": ("faults:DEFAULT", "default: a str: expected a number"),
    "format.unread": ("faults:UNREAD", "`holds` without `reader`"),
    "format.csv": ("faults:CSV", "the ending .csv, which is read as csv"),
    "format.string": ("faults:STRING", "suffixes='.string': expected a tuple of str"),
    "format.kind": ("faults:KIND", "holds='point': expected of points"),
    "format.class": ("faults:CLASS", "the class Format: expected a Format, made of it"),
    "kind-of-data.nowhere": ("faults:NOWHERE", "ModuleNotFoundError"),
    "kind-of-data.others": ("faults:OTHERS", "of kind 'points': expected one of kind 'others'"),
    "family.bare": ("bare:BARE", "Bare without `capabilities`: expected a Capabilities"),
    "family.abstract": ("bare:ABSTRACT", "does not define _losses, _walk, networks"),
    "metric.boom": ("boom:X", "RuntimeError: boom"),
    "architecture-of-flow-on-points.boom": ("boom:X", "RuntimeError: boom"),
    "metrik.fn": ("boom:X", "no kind of choice is called 'metrik'; did you mean 'metric'?"),
    "nonsense": ("boom:X", "no kind of choice is called 'nonsense'; expected KIND.NAME"),
    "architecture-of-flwo-on-points.x": ("boom:X", "did you mean 'architecture-of-flow-on-points'"),
}
USED = {
    f"verb.{word}": f"faults:{word.upper()}"
    for word in ("silent", "word", "nan", "set", "fails", "markup")
}
USED |= {"format.sniff": "faults:SNIFF", "format.lost": "faults:LOST"}


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package of which much cannot be used."""
    modules = {
        "faults": FAULTS,
        "bare": BARE,
        "boom": "raise RuntimeError('boom')\n",
        "bye": "import sys\nprint('noise')\nsys.exit('bye')\n",
    }
    entries = USED | {name: target for name, (target, _) in REASONS.items()}
    return install(tmp_path_factory.mktemp("faulty"), modules, entries)


def said(ended: subprocess.CompletedProcess[str]) -> list[str]:
    return [line for line in ended.stderr.splitlines() if line.startswith("pushforward: ")]


def test_every_fault_is_named_with_its_reason(faulty: Path) -> None:
    listed = command(faulty, "plugins", "--json")
    assert listed.returncode == 0, listed.stderr
    found = {row["name"]: row for row in json.loads(listed.stdout)}
    for name, (_, reason) in REASONS.items():
        assert reason in found[name]["left out"], found[name]
        assert found[name]["package"] == "stranger"
    assert {name for name, row in found.items() if not row["left out"]} == set(USED)
    assert said(listed) == []  # they are the answer


def test_help_works_and_one_line_stands_for_all(faulty: Path) -> None:
    shown = command(faulty, "--help")
    assert shown.returncode == 0
    assert "noise" not in shown.stdout
    assert "About [/red] markup." in shown.stdout
    assert "Ends [/bold] here." in command(faulty, "markup", "--help").stdout
    assert len(said(shown)) == 1
    assert "plug-ins were left out" in said(shown)[0]
    options = command(faulty, "sample", "--help").stdout
    assert "How many; default: 64." in options  # -n is the house's own
    named = said(command(faulty, "boom"))
    assert "No such command 'boom'" in named[0]
    assert any("'verb.boom' of stranger was left out: RuntimeError: boom" in x for x in named[1:])


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("silent",), "the plug-in 'verb.silent' of stranger: its answer returned None: expected"),
        (("word",), "its answer returned a str: expected an Answer"),
        (("nan", "--json"), "'verb.nan' of stranger failed: ValueError: Out of range float"),
        (("set", "--json"), "'verb.set' of stranger failed: TypeError"),
        (("fails",), "'verb.fails' of stranger failed: ValueError: so it is"),
    ],
)
def test_a_bad_answer_names_the_plugin(faulty: Path, words: tuple[str, ...], reason: str) -> None:
    ended = command(faulty, *words)
    assert (ended.returncode, reason in said(ended)[0]) == (1, True), ended.stderr
    assert "internal error" not in ended.stderr


def test_families_are_listed_without_those_that_declare_nothing(faulty: Path) -> None:
    listed = command(faulty, "families", "--json")
    assert listed.returncode == 0, listed.stderr
    assert "bare" not in listed.stdout
    refused = command(faulty, "train", "bare", "two-moons")
    assert "the plug-in 'family.bare' of stranger was left out" in said(refused)[0]


def test_what_loads_late_is_named_too(faulty: Path, tmp_path: Path) -> None:
    trained = command(faulty, "train", "flow:boom", "two-moons", "-o", tmp_path / "run")
    assert trained.returncode == 2
    assert "unknown architecture of flow on points 'boom'" in said(trained)[0]
    assert "'architecture-of-flow-on-points.boom' of stranger was left out" in said(trained)[0]
    rng = np.random.default_rng(0)
    for name in ("real", "made"):
        np.save(tmp_path / f"{name}.npy", rng.normal(size=(200, 2)))
    alone = install(
        tmp_path / "alone", {"boom2": "raise RuntimeError('boom')"}, {"metric.boom": "boom2:X"}
    )
    files = ("--samples", tmp_path / "made.npy", "--reference", tmp_path / "real.npy")
    evaluated = command(alone, "evaluate", *files)
    assert evaluated.returncode == 0
    assert said(evaluated)[-1].endswith(
        "'metric.boom' of stranger was left out: RuntimeError: boom"
    )


def test_a_file_is_not_blamed_for_a_plugin(faulty: Path, tmp_path: Path) -> None:
    path = tmp_path / "x.lost"
    path.write_text("1 2\n")
    ended = command(faulty, "data", "describe", path)
    assert "'format.lost' of stranger names 'nosuch_module:read', which cannot" in said(ended)[0]
    (tmp_path / "x.odd").write_bytes(bytes(range(256)))
    ended = command(faulty, "data", "describe", tmp_path / "x.odd")  # every sniffer is asked
    assert ended.returncode == 2
    assert "internal error" not in ended.stderr


def test_an_interrupt_is_no_fault() -> None:
    with pytest.raises(KeyboardInterrupt), plugins.refuse(EntryPoint("verb.x", "x:X", "x")):
        raise KeyboardInterrupt


def test_words_that_a_sampling_option_cannot_have_are_all_there() -> None:
    import inspect

    calls = {
        *inspect.signature(GenerativeModel.sample).parameters,
        *inspect.signature(GenerativeModel.walk).parameters,
        *SampleRequest.model_fields,
    }
    assert calls - {"options", "self"} <= RESERVED
    assert RESERVED.isdisjoint(SAMPLING_OPTIONS.names())


@pytest.fixture
def foreign(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Take a choice for one that the package `stranger` announces."""
    monkeypatch.setattr(plugins, "_ORIGINS", [])
    monkeypatch.setattr(plugins, "package_of", lambda plugin: "stranger")

    def do(choice: Any, name: str) -> Any:
        plugins.came_from(choice, EntryPoint(name, "mine:MINE", plugins.GROUP))
        return choice

    return do


def broken(*_: Any) -> NoReturn:
    raise ValueError("so it is")


def no_parameters(space: Any, config: Any, width: int) -> Any:
    chain = spline_flow(space, config, width)
    for parameter in chain.parameters():
        parameter.requires_grad_(False)
    return chain


class Failing(TwoSample):
    def measure(self, x: Any, y: Any, x_ids: Any, y_ids: Any) -> Any:
        broken()


class Wordy(Failing):
    def compute(self, kept: Any) -> Any:
        return "far"


@pytest.mark.parametrize(
    ("make", "codec", "says"),
    [
        (lambda *_: None, None, "its build returned None: expected a Chain"),
        (no_parameters, None, "what it builds has no parameters"),
        (broken, None, "failed: ValueError: so it is"),
        (spline_flow, lambda space: 3, "its codec returned an int: expected a Codec"),
        (spline_flow, broken, "failed: ValueError: so it is"),
    ],
)
def test_an_architecture_that_makes_nothing_is_named(
    foreign: Any, make: Any, codec: Any, says: str
) -> None:
    name = "architecture-of-flow-on-points.mine"
    mine = foreign(Architecture("mine", "made of nothing", make, codec), name)
    with (
        Flow.capabilities.architectures["points"].with_one_more(mine),
        pytest.raises(RunFailed, match=rf"the plug-in '{name}' of stranger.*{says}"),
    ):
        build("flow", Points(2), values={"architecture": "mine"})


def test_without_a_codec_the_family_has_one() -> None:
    plain = Architecture("plain", "splines", spline_flow)
    x = torch.randn(60, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    with Flow.capabilities.architectures["points"].with_one_more(plain):
        fitted = pf.fit("flow:plain", x.numpy(), steps=2, preset="smoke")
        standard = pf.fit("flow", x.numpy(), steps=2, preset="smoke")
        assert torch.equal(fitted.sample(3), standard.sample(3))


def test_a_run_reads_the_options_of_its_architecture_and_no_others() -> None:
    spark = SamplingOption("spark", "How much it sparks", default=0.0)
    sparky = Architecture("sparky", "splines", spline_flow, options=(spark,))
    with (
        SAMPLING_OPTIONS.with_one_more(spark),
        Flow.capabilities.architectures["points"].with_one_more(sparky),
    ):
        build("flow", Points(2), values={"architecture": "sparky"}).sample(2, spark=2.0)
        with pytest.raises(Unsupported, match="flow has no sampling option 'spark'"):
            build("flow", Points(2)).sample(2, spark=2.0)


def test_a_format_names_itself(foreign: Any, tmp_path: Path) -> None:
    from pushforward.data.formats.format import Samples

    mine = foreign(
        Format(
            *("mine", "x", (".mine",)),
            holds=("points",),
            reader=broken,
            writes=("arrays",),
            writer=lambda samples, path: "text",
        ),
        "format.mine",
    )
    path = tmp_path / "x.mine"
    path.write_text("x")
    with FORMATS.with_one_more(mine):
        with pytest.raises(BadInput, match=r"as mine by the plug-in 'format.mine' of stranger \(V"):
            pf.load(str(path))
        with pytest.raises(RunFailed, match="its writer returned a str: expected bytes"):
            mine.made(Samples(), path)


@pytest.mark.parametrize(
    ("on", "says"),
    [
        (broken, "ValueError: so it is"),
        (lambda card: [3], "`on` returned an int, expected a list of Statistic"),
        (lambda card: [Failing(card.features[0])], "ValueError: so it is"),
        (lambda card: [Wordy(card.features[0])], "compute returned a str, expected a list of Mea"),
    ],
)
def test_a_metric_that_fails_costs_only_its_scores(
    foreign: Any, monkeypatch: pytest.MonkeyPatch, on: Any, says: str
) -> None:
    monkeypatch.setattr(plugins, "_REFUSED", [])
    gap = Measure("gap", "How far.", "Moved", "in features", DISTANCE)
    data = pf.load(np.random.default_rng(0).normal(size=(400, 2)))
    model = pf.fit("flow", data, steps=1, preset="smoke")
    with METRICS.with_one_more(foreign(Metric.of(gap, on), "metric.gap")):
        measured = [score.metric for score in pf.evaluate(model, n=60)]
    assert "energy distance" in measured
    assert "gap" not in measured
    (refused,) = plugins.refused()
    assert (refused.name, says in refused.reason) == ("metric.gap", True), refused


def test_a_measure_has_a_name_of_its_own() -> None:
    same = Metric.of(next(iter(METRICS)).measures[0], lambda card: [])
    with pytest.raises(BadInput, match="which is taken"):
        require_usable(same, METRICS)


def test_an_estimator_that_answers_something_else_is_named(foreign: Any) -> None:
    word = Estimator("word", "a word", "exact", lambda model, x, given, draws: "3")  # type: ignore[arg-type]
    mine = foreign(word, "estimator-of-flow-on-points.word")
    with (
        Flow.capabilities.estimators["points"].with_one_more(mine),  # type: ignore[attr-defined]
        pytest.raises(RunFailed, match="of stranger: its log_prob returned a str"),
    ):
        build("flow", Points(2)).log_prob(torch.zeros(3, 2), estimator="word")


def test_a_run_of_a_plugin_that_is_not_here_says_so(tmp_path: Path) -> None:
    mine = Architecture("mine", "splines", spline_flow)
    with Flow.capabilities.architectures["points"].with_one_more(mine):
        pf.fit("flow:mine", "two-moons", steps=1, preset="smoke", path=tmp_path / "run")
    with pytest.raises(BadInput) as refused:
        pf.open(tmp_path / "run")
    assert "a package that is not installed here brought what it names" in str(refused.value)
    assert "?;" not in str(refused.value)


def test_too_many_values_without_a_name_say_which_have_one(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"3 values without a name for probe: .*\(run, data\); wri"):
        pf.probe("run", "digits", 3)
    source = "from pushforward.app.request import Request, Said\nclass Hello(Request):\n"
    source += "    'Greet.'\n    verb = 'hello'\n    who: str = 'W'\n"
    source += "    def answer(self, watch): return Said(self.who, self.who)\n"
    install(tmp_path, {"greeting": source}, {"verb.hello": "greeting:Hello"})
    ended = python(tmp_path, "-c", "import pushforward as pf; pf.hello('W')")
    assert "1 value without a name for hello: expected none; write who=..." in ended.stderr
