"""What the commands do: call `app`, print its result as words or JSON. Imported only when a command runs."""

from __future__ import annotations

import json as json_module
import shlex
import sys
from pathlib import Path
from typing import Any

from pushforward.app.measuring import comparing, kept, scoring
from pushforward.app.runs import averaging
from pushforward.app.runs.expecting import expected
from pushforward.app.runs.fitting import Fitted as Fits
from pushforward.app.runs.fitting import as_recorded, fitted, too_short
from pushforward.app.runs.opening import open_source
from pushforward.app.runs.recognisable import foresight
from pushforward.app.runs.resuming import data_settings_of
from pushforward.app.runs.training import Plan, plan_training
from pushforward.app.runs.training import train as run_training
from pushforward.app.writing import using
from pushforward.core.errors import BadInput
from pushforward.core.spec import parse_settings
from pushforward.core.table import Table
from pushforward.data.builtin import builtins
from pushforward.data.dataset import Dataset, describe, kinds_of
from pushforward.engine.fit import FitRecord
from pushforward.engine.precision import drawback
from pushforward.faces.cli.layout import records, width
from pushforward.faces.cli.options import refuse_ignored
from pushforward.faces.cli.output import out, out_json, say, shortened, show_and_write
from pushforward.faces.cli.progress import busy, meter, sampling_bar, training_bar
from pushforward.report.page.plain import to_markdown, to_verdict
from pushforward.report.page.render import render, write_report


def data_settings(settings: list[str]) -> dict[str, Any]:
    """Return the settings of the data; those of a model or its training belong to the command that trains one."""
    nested = parse_settings(settings)
    for section in nested:
        if section != "data":
            raise BadInput(
                f"'-s {section}...'", "data.key=value", "what belongs to one model is set where one is trained: `train`"
            )
    return nested.get("data", {})


def say_notes(dataset: Dataset) -> None:
    """Say how data were read and, last, what of them is lost."""
    for note in shortened(dataset.notes):
        say(f"data: {note}")
    for sentence in shortened(dataset.losses):
        say(f"lost: {sentence}" if dataset.lost else f"data: {sentence}")


def compare(
    data: str,
    families: list[str] | None,
    budget: dict[str, float],
    preset: str,
    settings: list[str],
    seed: int,
    seeds: int,
    output: Path,
    overwrite: bool,
    resume: bool,
    skip_bad: bool,
    measure: str | None,
    json: bool,
) -> None:
    """Train, measure, report."""
    of_data = data_settings(settings)
    with busy(f"reading {data}"):
        dataset = open_source(data, of_data, skip_bad=skip_bad)
    say_notes(dataset)
    with meter("choosing sizes") as shown:
        result = comparing.compare(
            dataset,
            families=families,
            budget=budget,
            preset=preset,
            settings=of_data,
            seed=seed,
            seeds=seeds,
            path=output,
            overwrite=overwrite,
            resume=resume,
            measure=measure,
            announce=shown.note,
            observe=shown.watch,
            stage=shown.stage,
            command="pushforward " + shlex.join(sys.argv[1:]),
        )
    for sentence in result.left_out:
        say(sentence)
    if json:
        out_json(result.comparison.to_json())
    else:
        out(to_verdict(result.comparison))
    say(f"report: {output / kept.REPORT}")


def train(
    family: str,
    data: str,
    output: Path | None,
    budget: dict[str, float],
    preset: str,
    settings: list[str],
    seed: int,
    resume: bool,
    dry_run: bool,
    overwrite: bool,
    skip_bad: bool,
    json: bool,
) -> None:
    """Train one family."""
    overrides = parse_settings(settings)
    if resume and output is None:
        raise BadInput("--resume without -o", "the run directory to continue", "name it with -o")
    if resume and output is not None and (kept := data_settings_of(output, overrides.get("data"))):
        overrides = {**overrides, "data": kept}
    with busy(f"reading {data}"):
        dataset = open_source(data, overrides.get("data"), skip_bad=skip_bad)
    plan = plan_training(family, dataset, budget=budget, preset=preset, seed=seed, overrides=overrides)
    path = output or Path("runs") / f"{plan.family}-{dataset.name}"
    if not dry_run:
        say_notes(dataset)
    fits = sized(plan, path if resume else None)
    plan = fits.plan
    if dry_run:
        show_plan(fits, path, json)
        return
    for sentence in filter(None, (*fits.notes, fits.warning, foresight([fits]))):
        say(sentence)
    if slow := drawback(plan.train_config.precision, "cpu"):
        say(slow)
    with training_bar(f"training {plan.family}") as observe:
        trained = run_training(plan, path, resume=resume, overwrite=overwrite, observer=observe, announce=say)
    r = trained.record
    record = trained_record(path, plan.family, r)
    if plan.train_config.ema_snapshots is not None:
        record["snapshots"] = averaging.kept(path)
    if r.stopped == "divergence":
        say(
            f"beware: the model has diverged; what is kept are the weights of step {r.best_step}, the best that were measured"
        )
    if few := too_short(r.steps, plan.family):
        say(few)
    if json:
        out_json(record)
        return
    best = "" if r.best_held_out is None else f"; best {r.held_out_name} {r.best_held_out:.4f} at step {r.best_step}"
    say(f"{plan.family}: {r.steps} steps in {r.seconds:.1f} s ({r.budget}, stopped by {r.stopped}){best}")
    if "snapshots" in record:
        say("averages: {n} snapshots, {megabytes:,.1f} MB in {folder}".format(**record["snapshots"]))
    out(str(path))


def trained_record(path: Path, family: str, r: FitRecord) -> dict[str, Any]:
    """Return what `train --json` prints of a training."""
    return {
        "run": str(path),
        "family": family,
        "steps": r.steps,
        "examples": r.examples,
        "seconds": round(r.seconds, 3),
        "budget": r.budget,
        "stopped": r.stopped,
        "loss": r.loss_name,
        "held_out": r.held_out_name,
        "best_held_out": r.best_held_out,
        "best_step": r.best_step,
        "parameters": r.parameters,
        "precision": r.precision,
    }


def sized(plan: Plan, resumed: Path | None) -> Fits:
    """Return the plan with sizes that fit its budget, or those with which the run at `resumed` began."""
    begun = None if resumed is None else as_recorded(plan, resumed)
    if begun is not None:
        return Fits(begun, None, 0)
    with busy(f"choosing sizes for {plan.family}"):
        return fitted(plan)


def show_plan(fits: Fits, path: Path, json: bool) -> None:
    """Print what would be trained and what it is expected to take."""
    plan = fits.plan
    model = plan.build()
    record = {
        "run": str(path),
        **plan.config(),
        "parameters": sum(p.numel() for p in model.parameters()),
        "space": plan.dataset.space.to_json(),
        "notes": list(plan.dataset.notes),
        "lost": list(plan.dataset.lost),
    }
    if plan.train_config.ema_snapshots is not None:
        record["snapshots"] = averaging.planned(plan.train_config.ema_snapshots, model)
    with busy(f"timing steps of {plan.family}"):
        record["expected"] = expected(fits)
    for sentence in record["expected"]["change"]:
        say(sentence)
    if json:
        out_json(record)
    else:
        import yaml

        if isinstance(plan.dataset.space, Table):
            columns = [column.name for column in plan.dataset.space.columns]
            record["space"] = {"kind": "table", "kinds": kinds_of(plan.dataset.space), "columns": shortened(columns)}
        record |= {key: shortened(record[key]) for key in ("notes", "lost")}
        out(yaml.safe_dump(record, sort_keys=False, allow_unicode=True).rstrip())


def score(
    run: Path,
    data: str,
    estimator: str | None,
    samples: int | None,
    split: str | None,
    seed: int,
    stride: int | None,
    steps: int | None,
    n: int | None,
    per_token: bool,
    output: Path | None,
    json: bool,
) -> None:
    """Print a likelihood and what it is."""
    if per_token:
        refuse_ignored("--per-token", {"-o": output, "--json": json})
    if output is not None and output.suffix not in scoring.FORMATS:
        raise BadInput(f"-o {output}", "a file that ends in " + ", ".join(scoring.FORMATS))
    with sampling_bar(f"scoring {data}") as told:
        scored = scoring.score(run, data, estimator, samples, seed, split, stride, steps, n, told)
    summary = scored.summary
    for note in summary.get("notes", ()):
        say(f"note: {note}")
    if per_token:
        show_tokens(scored)
        return
    show_and_write(
        lambda: out_json(summary) if json else show_score(summary),
        lambda path: scoring.save_log_prob(path, scored.log_prob, summary),
        output,
    )


def show_score(summary: dict[str, Any]) -> None:
    """Print a likelihood for a person."""
    kind, split = summary["kind"].replace("_", " "), summary["split"]
    how = kind if kind == summary["estimator"] else f"{kind}, {summary['estimator']}"
    count = f"{summary['n']:,}" + (f" of {summary['of']:,}" if summary.get("of", summary["n"]) > summary["n"] else "")
    given = f" given {summary['given']}" if summary["given"] else ""
    if summary["value"] is None:
        none = f"{summary['impossible']:,} of them have probability zero"
        out(f"infinite {summary['unit']}{given}: {how}, n = {count}, {split}: {none}")
        return
    error = "" if summary["stderr"] is None else f" +- {summary['stderr']:.4f} (standard error)"
    out(f"{summary['value']:.4f}{error} {summary['unit']}{given}: {how}, n = {count}, {split}")
    if "text" in summary:
        t = summary["text"]
        out(
            f"{t['bits_per_char']:.4f} bits/char, {t['nats_per_token']:.4f} nats/token, perplexity {t['perplexity']:.3f}: "
            f"{t['tokens']:,} tokens, {t['bytes']:,} bytes, context {t['context']}, stride {t['stride']}, {t['clusters']}"
        )
    if summary["kind"] == "lower_bound":
        say("a lower bound on log-probability: the true code length is at most this number")
    if summary.get("row_stderr"):
        say(
            f"one example's own number is drawn, and known to {summary['row_stderr']:.2g} nats; `-o FILE.csv` has each error"
        )
    if summary["kind"] == "estimate":
        say("an estimate: neither exact nor a bound")


def show_tokens(scored: scoring.Scored) -> None:
    """Print every token with its log-probability in nats, one JSON object a line."""
    for text, nats in scored.tokens():
        out(json_module.dumps({"token": text, "nats": round(nats, 6)}, ensure_ascii=False))


def report(runs: list[Path], output: Path, seed: int, json: bool) -> None:
    """Write the page."""
    suffix = output.suffix.lower()
    if suffix not in (".html", ".htm", ".md"):
        raise BadInput(f"-o {output}", "a file that ends in .html or .md")
    if len(runs) == 1 and (runs[0] / kept.COMPARISON).is_file():
        comparison = kept.load_comparison(runs[0])
    else:
        with meter("reading " + ", ".join(map(str, runs))) as shown:
            comparison = comparing.compare_runs(runs, seed, stage=shown.stage, announce=shown.note)
    write_report(output, to_markdown(comparison) if suffix == ".md" else render(comparison))
    if json:
        out_json({"report": str(output), "models": [row.name for row in comparison.models]})
    else:
        out(str(output))


def explain(target: str, json: bool) -> None:
    """Print a family's card."""
    family, card, manifest = using.card_of(target)
    if json:
        out_json({"family": family, **vars(card), **({"run": manifest} if manifest else {})})
        return
    out(f"{card.title}\n")
    out(f"What is optimised: {card.optimises}\n    {card.objective}")
    out(f"What the number means: {card.number_means}")
    out("Look at:\n" + "\n".join(f"  - {line}" for line in card.look_at))
    out("May go wrong:\n" + "\n".join(f"  - {line}" for line in card.may_go_wrong))
    if card.strength:
        out(f"Strength: {card.strength}")
    out(f"Cost: {card.cost}")
    if manifest:
        fit = manifest.get("fit", {})
        out(
            f"This run: {fit.get('steps', '?')} steps on {manifest['data']['name']}, budget {fit.get('budget', 'unfinished')}"
        )
        if "teacher" in manifest:
            of = manifest["teacher"]
            out(f"Distilled from {of['run'] or 'a model in memory'} by {of['method']}, guidance {of['guidance']:g}")


def families(markdown: bool, json: bool) -> None:
    """Print the capability table."""
    refuse_ignored("--json", {"--markdown": markdown and json})
    rows = using.capability_table()
    if json:
        out_json(rows)
    else:
        out(using.markdown_table(rows) if markdown else records(rows, "family", width()))


def cite(target: str, json: bool) -> None:
    """Print references."""
    family, card, _ = using.card_of(target)
    if json:
        out_json({"family": family, "references": [{"key": k, "text": t} for k, t in card.references]})
        return
    for key, text in card.references:
        out(f"[{key}] {text}")


def data_list(json: bool) -> None:
    """List built-ins."""
    if json:
        out_json([{"name": name, "description": text} for name, text in builtins()])
        return
    for name, text in builtins():
        out(f"{name:14} {text}")


def data_describe(data: str, settings: list[str], skip_bad: bool, json: bool) -> None:
    """Describe data."""
    with busy(f"reading {data}"):
        dataset = open_source(data, data_settings(settings), skip_bad=skip_bad)
        record = describe(dataset)
    if json:
        out_json(record)
        return
    for key, value in {**record, "lost": dataset.losses}.items():
        if isinstance(value, list | tuple):
            out(f"{key}:" + "".join(f"\n  - {line}" for line in shortened(value)))
        else:
            out(f"{key}: {value}")
