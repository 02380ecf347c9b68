"""What `sample` does: draw, then write, print or stream."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pushforward.app.runs.opening import encoding_of
from pushforward.app.runs.training import open_model
from pushforward.app.writing import using
from pushforward.app.writing.generation import TextRules
from pushforward.app.writing.observing import Sight
from pushforward.app.writing.writer import Writer
from pushforward.core.errors import BadInput
from pushforward.core.model import GenerativeModel
from pushforward.core.options import SampleOptions
from pushforward.data.text.encoding import TextEncoding
from pushforward.faces.cli.conditioning import SIGHT
from pushforward.faces.cli.options import refuse_ignored
from pushforward.faces.cli.output import out, out_json, say
from pushforward.faces.cli.progress import sampling_bar


def choose(params: dict[str, Any]) -> None:
    """Do what the words of `sample` ask for: samples, or one text in one of three ways."""
    options = {name: params[name] for name in SampleOptions.__dataclass_fields__}
    rules = TextRules(tuple(params["stop"] or ()), params["match"], tuple(params["one_of"] or ()))
    run, given, context, json = (params[name] for name in ("run", "given", "context", "json"))
    seen = {f"--{name}": params[name] for name in SIGHT}
    others = {"-n": params["n"], "-o": params["output"], "--draft": params["draft"], "--stream": params["stream"]}
    if params["beams"] is not None:
        refuse_ignored("--beams", {**others, **seen})
        beams(run, given, context, params["beams"], json, options, rules)
    elif params["draft"] is not None:
        refuse_ignored("--draft", {**others, **seen, "--draft": None})
        speculative(run, params["draft"], given, context, params["seed"], json, options, rules)
    elif params["stream"]:
        others["-n"] = None if params["n"] == 1 else params["n"]  # one text is what is streamed
        refuse_ignored("--stream", {**others, **seen, "--stream": None, "--json": json})
        stream(run, given, context, params["seed"], options, rules)
    else:
        n, sight = 64 if params["n"] is None else params["n"], Sight(**{name: params[name] for name in SIGHT})
        sample(run, n, given, context, params["seed"], params["output"], json, options, rules, sight)


def sample(
    run: Path,
    n: int,
    given: str | None,
    context: str | None,
    seed: int,
    output: str | None,
    json: bool,
    options: dict[str, Any],
    rules: TextRules,
    sight: Sight,
) -> None:
    """Draw samples and write or print them."""
    model, record = open_model(run)
    encoding = encoding_of(record)
    with sampling_bar(f"sampling {n} from {run.name}") as on_step:
        drawn = using.draw(model, n, given, seed, on_step, encoding, rules, context, sight, **options)  # type: ignore[arg-type]
    if rules.stops and isinstance(drawn.shown, list):
        missed = sum(not text.endswith(rules.stops) for text in drawn.shown)
        if missed:
            say(f"{missed} of {n} texts ended without a stop string, at the end of the document or of --length")
    if output is None and drawn.shown is not None:
        show_samples(drawn, given, json)
        return
    if output is None and len(model.space.event_shape) > 1:
        output = f"{run.resolve().name}-samples.png"
    if output is None:
        for row in drawn.x.tolist():
            out(",".join(f"{value:.6g}" for value in row))
        return
    written = using.save_samples(drawn, model, output)
    if said := using.said_of_file(drawn, output):
        say(said)
    if json:
        out_json({"n": n, "given": given, "seed": seed, "files": [str(p) for p in written[:1000]]})
    else:
        out(output)


def stream(
    run: Path, given: str | None, context: str | None, seed: int, options: dict[str, Any], rules: TextRules
) -> None:
    """Print one text as it comes."""
    model, encoding = _text_run(run, "--stream")

    def write(text: str) -> None:
        print(text, end="", flush=True)  # noqa: T201

    writer = Writer(model, encoding, given, seed, rules, options, context)
    writer.require_streamable()  # what is wrong with the request is said before anything is printed
    write(given or "")
    writer.stream(write)
    write("\n")


def show_samples(drawn: using.Drawn, given: str | None, json: bool) -> None:
    """Print text, each sample after its prompt, or rows of a table as CSV."""
    shown = drawn.shown
    if isinstance(shown, list):
        if json:
            out_json([{"prompt": given, "text": text} for text in shown])
            return
        by_line = isinstance(drawn.encoding, TextEncoding) and drawn.encoding.policy.documents == "lines"
        out(("\n" if by_line else "\n\n").join((given or "") + text for text in shown))
    elif json:
        out(shown.to_json(orient="records", indent=2, date_format="iso"))
    else:
        out((shown.to_csv(index=False) if drawn.encoding is None else drawn.encoding.csv(shown)).rstrip("\n"))


def beams(
    run: Path,
    given: str | None,
    context: str | None,
    count: int,
    json: bool,
    options: dict[str, Any],
    rules: TextRules,
) -> None:
    """Print the most probable texts that beam search finds."""
    model, encoding = _text_run(run, "--beams")
    found = Writer(model, encoding, given, rules=rules, options=options, context=context).best(count)
    if json:
        out_json([{"prompt": given, "text": text, "nats": nats} for text, nats in found])
        return
    for text, nats in found:
        out(f"{nats:.3f} nats: {(given or '') + text!r}")


def speculative(
    run: Path,
    draft: Path,
    given: str | None,
    context: str | None,
    seed: int,
    json: bool,
    options: dict[str, Any],
    rules: TextRules,
) -> None:
    """Print one text that a smaller run proposed and this one checked."""
    model, encoding = _text_run(run, "--draft")
    smaller, other = _text_run(draft, "--draft")
    if other.tokeniser.fingerprint != encoding.tokeniser.fingerprint:
        raise BadInput(f"the draft {draft}", f"a run with the tokeniser of {run}", "train both on the same text")
    text, cost = Writer(model, encoding, given, seed, rules, options, context).speculate(smaller)
    record = {"passes": cost.passes, "proposed": cost.proposed, "kept": cost.kept, "tokens": cost.tokens.shape[1]}
    if json:
        out_json({"prompt": given, "text": text, **record})
        return
    out((given or "") + text)
    say(
        f"{record['tokens']} tokens in {cost.passes} passes of {run.name}; {cost.kept} of {cost.proposed} proposals kept"
    )


def _text_run(run: Path, option: str) -> tuple[GenerativeModel, TextEncoding]:
    model, record = open_model(run)
    encoding = encoding_of(record)
    if not isinstance(encoding, TextEncoding):
        raise BadInput(f"{option} with {run}", "a run on text", "leave it out")
    return model, encoding
