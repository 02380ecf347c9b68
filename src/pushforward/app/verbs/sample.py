"""Draw samples from a run, or write one text in one of three ways."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, create_model
from pydantic.fields import FieldInfo

from pushforward.app.request import WIDTH, Answer, Said, option
from pushforward.app.verbs.computing import ComputingRequest
from pushforward.app.verbs.shared import Rules, Run, Seed, Words, refuse_ignored, rules_in
from pushforward.core.errors import BadInput, a_type
from pushforward.core.options import SAMPLING_OPTIONS
from pushforward.data.formats.choosing import output_help

if TYPE_CHECKING:
    from pushforward.app.progress.watch import Watch
    from pushforward.app.writing.generation import TextRules
    from pushforward.app.writing.observing import Sight
    from pushforward.app.writing.writer import Writer
    from pushforward.core.model import GenerativeModel
    from pushforward.data.formats.format import Samples
    from pushforward.data.text.encoding import TextEncoding

SIGHT = ("observed", "mask", "operator", "noise", "start")
USUAL = 64  # samples, where nobody says how many
MOST_FILES = 1000  # named in an answer; a folder of more is known by its own name


def _words(value: Any) -> Any:
    """Take the number of a class for its word; other conditions of Python belong to a model."""
    if isinstance(value, Mapping | list | tuple):
        raise BadInput(
            f"given: {a_type(value)}",
            "a class, column=value,... or a prompt, in words",
            "`pf.open(run).sample(n, given=...)` takes it as it is",
        )
    return value if value is None or isinstance(value, str) else str(value)


GivenWords = Annotated[str, BeforeValidator(_words)]


class SampleRequest(ComputingRequest):
    """Draw samples from a run."""

    verb = "sample"
    run: Run
    n: Annotated[int | None, option("How many; default: 64.", "-n")] = None
    given: Annotated[
        GivenWords | None,
        option("Condition: a class, column=value,..., a prompt, or a file of rows to complete."),
    ] = None
    balance: Annotated[
        str | None,
        option("Table: shares of a column's categories: COLUMN, or COLUMN=a=0.3,b=0.7."),
    ] = None
    skip_bad: Annotated[
        bool, option("Table: leave rows of a --given file out that cannot be, and say why.")
    ] = False
    context: Annotated[
        str | None, option("What it is about: a text; numbers or an .npy for images.")
    ] = None
    stop: Annotated[Words, option("Text: end at this string; may be repeated.")] = ()
    match: Annotated[str | None, option("Text: a regular expression for the whole text.")] = None
    one_of: Annotated[Words, option("Text: allow this string; repeat it.")] = ()
    beams: Annotated[int | None, option("Text: print the best texts of a beam search.", ge=1)] = (
        None
    )
    draft: Annotated[
        Path | None, option("Text: a smaller run that proposes tokens.", completes="runs")
    ] = None
    stream: Annotated[bool, option("Text: print one text as it comes.")] = False
    observed: Annotated[
        Path | None, option("Diffusion: known values, as a picture, .npy or .npz.")
    ] = None
    mask: Annotated[
        Path | None, option("... and which of them are known: 1, white, or opaque.")
    ] = None
    operator: Annotated[
        str | None, option("... measured through mask, downsample:2 or blur:1.0.")
    ] = None
    noise: Annotated[float | None, option("... with noise of this deviation, in data units.")] = (
        None
    )
    start: Annotated[Path | None, option("Diffusion: begin at these examples, noised.")] = None
    rule: Annotated[Words, option("Table: keep rows with this only; may be repeated.")] = ()
    rules: Rules = None
    seed: Seed = 0
    compile: Annotated[bool, option("Compile networks; for many samples on a GPU.")] = False
    output: Annotated[str | None, option(output_help(), "-o", "--output")] = None

    @classmethod
    def complete(cls) -> type[SampleRequest]:
        """Return the request with a field for every sampling option, whoever declares it."""
        return _with_options(SAMPLING_OPTIONS.names())

    @classmethod
    def fields(cls) -> dict[str, FieldInfo]:
        """Return the fields; sampling options stand after what is sampled."""
        known, options = cls.model_fields, SAMPLING_OPTIONS.names()
        first = (
            "run",
            "n",
            "given",
            "balance",
            "context",
            *(name for name in options if name in known),
        )
        return {
            name: known[name] for name in (*first, *(name for name in known if name not in first))
        }

    @property
    def without_json(self) -> str:
        """A text that is streamed."""
        return "--stream" if self.stream else ""

    def answer(self, watch: Watch) -> Answer:
        """Do what the words ask for: samples, or one text in one of three ways."""
        others = {"-n": self.n, "-o": self.output, "--draft": self.draft, "--stream": self.stream}
        others["--compile"] = self.compile or None
        others |= {"--rule": self.rule or None, "--rules": self.rules}
        others["--balance"] = self.balance
        seen = {f"--{name}": getattr(self, name) for name in SIGHT}
        if self.beams is not None:
            refuse_ignored("--beams", {**others, **seen})
            return BestTexts(self.given, self._writer(self.run, "--beams").best(self.beams))
        if self.draft is not None:
            refuse_ignored("--draft", {**others, **seen, "--draft": None})
            return self._speculated(self.draft, watch)
        if self.stream:
            others["-n"] = None if self.n == 1 else self.n  # one text is what is streamed
            refuse_ignored("--stream", {**others, **seen, "--stream": None})
            from pushforward.provenance.run_directory import open_record

            watch.say_all([open_record(self.run).of_other_seeds])
            return self._streamed(watch)
        return self._samples(watch)

    @property
    def _options(self) -> dict[str, Any]:
        return {name: getattr(self, name, None) for name in SAMPLING_OPTIONS.names()}

    @property
    def _rules(self) -> TextRules:
        from pushforward.app.writing.generation import TextRules

        return TextRules(self.stop, self.match, self.one_of)

    @property
    def _sight(self) -> Sight:
        from pushforward.app.writing.observing import Sight

        return Sight(**{name: getattr(self, name) for name in SIGHT})

    def _writer(self, run: Path, of: str) -> Writer:
        from pushforward.app.writing.writer import Writer

        model, encoding = text_run(run, of)
        return Writer(
            model, encoding, self.given, self.seed, self._rules, self._options, self.context
        )

    def _samples(self, watch: Watch) -> DrawnSamples:
        from pushforward.app.runs.fitting import hardly_trained
        from pushforward.app.runs.opening import encoding_of
        from pushforward.app.runs.training import open_model
        from pushforward.app.writing.rows_wanted import rows_wanted
        from pushforward.app.writing.using import Conditions, draw, unlabelled
        from pushforward.engine.compiling import compiled

        model, record = open_model(self.run)
        watch.say_all([record.of_other_seeds])
        wanted = rows_wanted(encoding_of(record), self, USUAL)
        n, kept = wanted.n, rules_in(self.rule, self.rules)
        asked = Conditions(
            self.given, self.context, self._rules, self._sight, kept=kept, ready=wanted.given
        )
        said: list[str] = []

        def drawn_of(few: int, on_step: Callable[[int, int], None] | None = None) -> Samples:
            encoding = encoding_of(record)
            said.clear()
            return draw(
                model,
                few,
                asked.of(few),
                self.seed,
                on_step,
                encoding,
                said.extend,
                **self._options,
            )

        blocks = model.networks().values()
        with compiled(blocks, lambda: drawn_of(min(n, 2)), self.compile) as compilation:
            watch.say_all([compilation.words])
            with watch.steps(f"sampling {n} from {self.run.name}") as on_step:
                drawn = drawn_of(n, on_step)
        watch.say_all([hardly_trained(record), *said, *wanted.said])
        if not encoding_of(record).labelled:
            watch.say_all([unlabelled(model, asked)])
        if self.stop and isinstance(drawn.shown, list):
            missed = sum(not text.endswith(self.stop) for text in drawn.shown)
            if missed:
                watch.say(
                    f"{missed} of {n} texts ended without a stop string, at the end of the document or of --length"
                )
        return DrawnSamples(self, n, model, drawn, watch, wanted.refused)

    def _speculated(self, draft: Path, watch: Watch) -> Said:
        encoding = text_run(self.run, "--draft")[1]
        smaller, other = text_run(draft, "--draft")
        if other.tokeniser.fingerprint != encoding.tokeniser.fingerprint:
            raise BadInput(
                f"the draft {draft}",
                f"a run with the tokeniser of {self.run}",
                "train both on the same text",
            )
        text, cost = self._writer(self.run, "--draft").speculate(smaller)
        facts = {
            "passes": cost.passes,
            "proposed": cost.proposed,
            "kept": cost.kept,
            "tokens": cost.tokens.shape[1],
        }
        watch.say(
            f"{facts['tokens']} tokens in {cost.passes} passes of {self.run.name}; "
            f"{cost.kept} of {cost.proposed} proposals kept"
        )
        return Said({"prompt": self.given, "text": text, **facts}, (self.given or "") + text)

    def _streamed(self, watch: Watch) -> Said:
        writer = self._writer(self.run, "--stream")
        writer.require_streamable()  # what is wrong with the request is said before anything is printed
        written = [self.given or ""]

        def write(text: str) -> None:
            written.append(text)
            watch.write(text)

        watch.write(self.given or "")
        writer.stream(write)
        watch.write("\n")
        return Said({"prompt": self.given, "text": "".join(written[1:])})


@cache
def _with_options(names: tuple[str, ...]) -> type[SampleRequest]:
    fields: dict[str, Any] = {}
    for known in map(SAMPLING_OPTIONS.load, names):
        # what a path names may be there already, as a model that was opened
        kind = Path | Any if known.value_type is Path else known.value_type
        flags = () if known.flag == "--" + known.name.replace("_", "-") else (known.flag,)
        fields[known.name] = (
            Annotated[kind | None, option(f"{known.says}.", *flags, completes=known.completes)],
            None,
        )
    return create_model(
        "SampleRequest", __base__=SampleRequest, __doc__=SampleRequest.__doc__, **fields
    )


def text_run(run: Path, of: str) -> tuple[GenerativeModel, TextEncoding]:
    """Return a model of text and its dictionary.

    Raises:
        BadInput: a run on something else; names the option that asks for text.
    """
    from pushforward.app.runs.opening import encoding_of
    from pushforward.app.runs.training import open_model

    model, record = open_model(run)
    return model, encoding_of(record).as_text(f"{of} with {run}")


class BestTexts(Answer):
    """The most probable texts that beam search found."""

    def __init__(self, given: str | None, found: list[tuple[str, float]]) -> None:
        self.given, self.found = given, found

    def json(self) -> list[dict[str, Any]]:
        """Return a record for each text."""
        return [{"prompt": self.given, "text": text, "nats": nats} for text, nats in self.found]

    def lines(self, width: int = WIDTH) -> Iterator[str]:
        """Yield each text with its log-probability, on a line of its own."""
        for text, nats in self.found:
            yield f"{nats:.3f} nats: {(self.given or '') + text!r}"


class DrawnSamples(Answer):
    """Samples, written into a file or shown."""

    def __init__(
        self,
        asked: SampleRequest,
        n: int,
        model: GenerativeModel,
        drawn: Samples,
        watch: Watch,
        refused: Mapping[int, str] | None = None,
    ) -> None:
        from pushforward.app.writing.using import said_of_file
        from pushforward.data.write import write_samples

        self.asked, self.n, self.model, self.drawn = asked, n, model, drawn
        self.output, self.files, self.refused = asked.output, (), refused or {}
        if self.output is None and drawn.shown is None and len(model.space.event_shape) > 1:
            self.output = f"{asked.run.resolve().name}-samples.png"
        if self.output is not None:
            self.files = tuple(write_samples(self.output, drawn))
            watch.say_all([said_of_file(drawn, self.output)])

    def json(self) -> Any:
        """Return the samples, or the files that hold them."""
        given = self.asked.given
        if self.output is not None:
            files = [str(path) for path in self.files[:MOST_FILES]]
            facts = {"n": self.n, "given": given, "seed": self.asked.seed, "files": files}
            refused = [{"row": row + 1, "reason": why} for row, why in self.refused.items()]
            return {**facts, **({"refused": refused} if refused else {})}
        return self.drawn.encoding.records(self.drawn, given)

    def lines(self, width: int = WIDTH) -> Iterator[str]:
        """Yield where the samples are; or text, each after its prompt; rows of a table as CSV;
        points, one a line."""
        if self.output is not None:
            yield self.output
        else:
            yield from self.drawn.encoding.lines(self.drawn, self.asked.given)
