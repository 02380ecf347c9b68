"""Train one family into a run directory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pushforward.app.request import WIDTH, Answer, argument, option
from pushforward.app.verbs.computing import ComputingRequest
from pushforward.app.verbs.shared import (
    Budget,
    Data,
    Errors,
    Examples,
    FromRun,
    Keep,
    NewRun,
    OfTables,
    Overwrite,
    Preset,
    Rule,
    Rules,
    Seed,
    Settings,
    SkipBad,
    Steps,
    asked_budget,
    called,
    rules_in,
    with_own_options,
)
from pushforward.core.errors import BadInput
from pushforward.core.preset import AUTO

if TYPE_CHECKING:
    from pushforward.app.progress.watch import Watch
    from pushforward.app.runs.fitting import SizedPlan
    from pushforward.app.runs.planning import Plan
    from pushforward.app.runs.training import Trained


class TrainRequest(OfTables, ComputingRequest):
    """Train one family into a run directory."""

    verb = "train"
    family: Annotated[
        str, argument("autoregressive, flow, vae, gan or diffusion.", completes="families")
    ]
    data: Data
    output: NewRun = None
    budget: Budget = None
    steps: Steps = None
    examples: Examples = None
    preset: Preset = AUTO
    from_run: FromRun = None
    settings: Settings = {}
    keep: Keep = ()
    rule: Rule = ()
    rules: Rules = None
    errors: Errors = None
    seed: Seed = 0
    final: Annotated[
        bool, option("Train on all examples, once all is chosen; nothing is held out.")
    ] = False
    resume: Annotated[bool, option("Continue the run in -o.")] = False
    dry_run: Annotated[bool, option("Print what would be trained and stop.")] = False
    overwrite: Overwrite = False
    skip_bad: SkipBad = False

    def answer(self, watch: Watch) -> TrainedRun | PlannedRun:
        """Plan, size, and train."""
        from pushforward.app.runs.training import check_directory

        if self.output is not None and not self.dry_run:
            check_directory(self.output, self.resume, self.overwrite)
        plan = self.planned(watch)
        path = self.output or Path("runs") / f"{plan.family}-{plan.dataset.name}"
        if not self.dry_run:
            watch.of_data(plan.dataset)
        with watch.busy(f"choosing sizes for {plan.family}"):
            fits = sized(plan, path if self.resume else None)
        if self.dry_run:
            return PlannedRun(fits, path, watch)
        return TrainedRun(self.trained(fits, path, watch), watch)

    def planned(self, watch: Watch) -> Plan:
        """Open the data and resolve preset and settings."""
        from pushforward.app.runs.loading import opened
        from pushforward.app.runs.planning import plan_training
        from pushforward.app.runs.starting import begun_with

        overrides, allowed = self._overrides(), asked_budget(self.budget, self.steps, self.examples)
        how: dict[str, Any] = {"budget": allowed, "seed": self.seed}
        origin = begun_with(self.family, self.from_run, self.output if self.resume else None)
        if origin is not None:
            asked = (self.preset, overrides)
            with watch.busy(f"reading {called(self.data)}"):
                return origin.planned(self.family, self.data, asked, self.skip_bad, how)
        with watch.busy(f"reading {called(self.data)}"):
            dataset = opened(self.data, overrides.get("data"), skip_bad=self.skip_bad)
        return plan_training(self.family, dataset, preset=self.preset, overrides=overrides, **how)

    def trained(self, fits: SizedPlan, path: Path | None, watch: Watch) -> Trained:
        """Train what was planned, and say what a person should know before and after."""
        from pushforward.app.runs.fitting import too_short
        from pushforward.app.runs.recognisable import foresight
        from pushforward.app.runs.starting import told
        from pushforward.app.runs.training import train
        from pushforward.core.placement import here
        from pushforward.engine.precision import drawback
        from pushforward.provenance.run_directory import steps_before

        plan = fits.plan
        watch.say_all(
            (
                f"no budget was given: {plan.length}" if plan.recipe_length else "",
                told(plan.origin) if plan.origin and not self.resume else "",
                *fits.notes,
                fits.warning,
                foresight([fits]),
                drawback(plan.train_config.precision, here().type),
            )
        )
        how: dict[str, Any] = {
            "resume": self.resume,
            "overwrite": self.overwrite,
            "announce": watch.say,
        }
        with watch.training(f"training {plan.family}") as observe:
            trained = train(plan, path, observer=observe, **how)
        r = trained.record
        if r.stopped == "divergence":
            watch.say(
                f"beware: the model has diverged; what is kept are the weights of step {r.best_step}, "
                "the best that were measured"
            )
        steps = r.steps + steps_before(plan.origin)
        watch.say_all([r.compilation, too_short(steps, plan.family)])
        return trained

    def _overrides(self) -> dict[str, dict[str, Any]]:
        from pushforward.app.runs.resuming import data_settings_of

        overrides = with_own_options(
            self.settings, self.keep, self.errors, self.schema, rules_in(self.rule, self.rules)
        )
        if self.final:
            from pushforward.data.final import ALL

            asked = overrides.setdefault("data", {}).setdefault("split", ALL)
            if asked != ALL:
                raise BadInput(f"--final and data.split={asked}", "one of them")
        if not self.resume:
            return overrides
        if self.output is None:
            raise BadInput(
                "--resume without -o", "the run directory to continue", "name it with -o"
            )
        known = data_settings_of(self.output, overrides.get("data"))
        return {**overrides, "data": known} if known else overrides


def sized(plan: Plan, resumed: Path | None) -> SizedPlan:
    """Return the plan with sizes that fit its budget, or those with which the run at `resumed`
    began."""
    from pushforward.app.runs.fitting import SizedPlan, as_recorded, fitted

    begun = None if resumed is None else as_recorded(plan, resumed)
    return fitted(plan) if begun is None else SizedPlan(begun, None, 0)


class TrainedRun(Answer):
    """A run that was trained."""

    def __init__(self, trained: Trained, watch: Watch) -> None:
        from pushforward.app.runs.averaging import kept

        self.trained, plan = trained, trained.plan
        self.snapshots = (
            kept(trained.path)
            if trained.path and plan.train_config.ema_snapshots is not None
            else None
        )
        watch.say_all(self.summary())

    def json(self) -> dict[str, Any]:
        """Return where the run is, and how its training went."""
        r = self.trained.record
        record = {
            "run": str(self.trained.path),
            "family": self.trained.plan.family,
            "steps": r.steps,
            "examples": r.examples,
            "seconds": round(r.seconds, 3),
            "budget": r.budget,
            "stopped": r.stopped,
            "loss": r.loss_name,
            "held_out": r.held_out_name,
            "best_held_out": r.best_held_out,
            "held_out_rows": r.held_out_rows,
            "best_step": r.best_step,
            "parameters": r.parameters,
            "precision": r.precision,
        }
        return record if self.snapshots is None else {**record, "snapshots": self.snapshots}

    def lines(self, width: int = WIDTH) -> Iterator[str]:
        """Yield where the run is."""
        yield str(self.trained.path)

    def summary(self) -> Iterator[str]:
        """Yield what is said of the training."""
        r = self.trained.record
        how = f"{r.steps} steps in {r.seconds:.1f} s ({r.budget}, stopped by {r.stopped})"
        yield f"{self.trained.plan.family}: {how}{r.best}"
        if self.snapshots is not None:
            yield "averages: {n} snapshots, {megabytes:,.1f} MB in {folder}".format(
                **self.snapshots
            )


class PlannedRun(Answer):
    """What would be trained, and what it is expected to take."""

    def __init__(self, fits: SizedPlan, path: Path, watch: Watch) -> None:
        from pushforward.app.runs.averaging import planned
        from pushforward.app.runs.expecting import expected

        plan = self.plan = fits.plan
        model, data = plan.build(), plan.dataset
        self.record: dict[str, Any] = {
            "run": str(path),
            "length": plan.length,
            **plan.config(),
            "parameters": sum(p.numel() for p in model.parameters()),
            "space": data.space.to_json(),
            "notes": list(data.notes),
            "lost": list(data.lost),
        }
        if plan.origin:
            self.record["origin"] = dict(plan.origin)
        if plan.train_config.ema_snapshots is not None:
            self.record["snapshots"] = planned(plan.train_config.ema_snapshots, model)
        with watch.busy(f"timing steps of {plan.family}"):
            self.record["expected"] = expected(fits)
        watch.say_all(self.record["expected"]["change"])

    def json(self) -> dict[str, Any]:
        """Return the whole plan."""
        return self.record

    def lines(self, width: int = WIDTH) -> Iterator[str]:
        """Yield the plan as YAML, long lists shortened."""
        import yaml

        from pushforward.reports.terminal.layout import shortened

        shown, outline = dict(self.record), self.plan.dataset.space.outline()
        shown["space"] = {
            key: shortened(value) if isinstance(value, list) else value
            for key, value in outline.items()
        }
        shown |= {key: shortened(self.record[key]) for key in ("notes", "lost")}
        if "origin" in shown:
            new = shortened(shown["origin"].get("new", []))
            shown["origin"] = {**shown["origin"], "new": new}
        yield yaml.safe_dump(shown, sort_keys=False, allow_unicode=True).rstrip()
