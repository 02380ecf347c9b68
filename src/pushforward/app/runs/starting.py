"""Trainings that begin with the weights of another run: `train --from RUN`.

Two ideas: nothing is hidden, so that the manifest says which run, what of it was taken and what is
new, and a budget in any comparison says what was spent before; a symbol or a column means nothing
without its dictionary, so that texts and tables are read with that of the run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from pushforward.app.runs.divergence import refuse_diverged
from pushforward.app.runs.loading import opened
from pushforward.app.runs.opening import open_as
from pushforward.app.runs.planning import Plan, plan_training
from pushforward.core.data_kind import kind_of
from pushforward.core.errors import BadInput, written_in
from pushforward.core.model import GenerativeModel
from pushforward.core.preset import AUTO
from pushforward.core.spec import TrainConfig, parse
from pushforward.data.dataset import Dataset
from pushforward.engine.budget import budget_of
from pushforward.engine.checkpoint import LAST, load_weights
from pushforward.engine.warm_start import Overlap, by_class
from pushforward.families.build import family_class
from pushforward.provenance.run_directory import (
    MOSTLY,
    WEIGHTS,
    RunRecord,
    open_record,
    sha256_of,
)

LAST_STATE = Path("state") / LAST
SHOWN = 5  # names of new parameters in a sentence
LEAST = 0.01  # share of weights below which nothing is gone on with


@dataclass(frozen=True)
class EarlierRun:
    """The run that a training begins with.

    Attributes:
        record: of the run, or of a training that began with it and is gone on with.
        weights: that the run keeps; None where a checkpoint has what became of them.
        said: what the manifest of the training says of it already.
    """

    record: RunRecord
    weights: Mapping[str, Tensor] | None
    said: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, run: Path, family: str) -> EarlierRun:
        """Open a run of a family.

        Raises:
            BadInput: no run, no weights yet, weights of a training that diverged, or another
                family.
        """
        record = open_record(run)
        refuse_diverged(record)
        name = family.partition(":")[0]
        of, wanted = record.config["family"], family_class(name).family
        if of != wanted:
            raise BadInput(
                f"--from {run}, a run of {of}, for {wanted}",
                f"a run of {wanted}",
                f"weights of one family mean nothing in another: train {of}, or leave --from out",
            )
        return cls(record, load_weights(run / WEIGHTS))

    @property
    def spent(self) -> str:
        """The budget of the run, in words, with that of the run that it began with itself."""
        manifest = self.record.manifest
        known = manifest.get("fit", {}).get("budget")
        if not known and manifest.get("status") == "complete":
            raise BadInput(
                f"--from {self.record.path}, a finished run that does not say what it spent",
                "a manifest as training wrote it",
                "it was edited; begin with another run",
            )
        return (
            known
            or f"an unfinished {budget_of(parse(TrainConfig, self.record.config['train'], 'train'))}"
        )

    @property
    def facts(self) -> dict[str, Any]:
        """What a manifest says of the run."""
        return {
            "run": str(self.record.path.resolve()),
            "weights_sha256": sha256_of(self.record.path / WEIGHTS),
            "data": self.record.manifest["data"]["name"],
            "fingerprint": self.record.manifest["data"]["fingerprint"],
            "budget": self.spent,
            "steps": self.record.steps or 0,
        }

    def settings(
        self, architecture: str, preset: str, given: Mapping[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        """Return the preset and the settings of the model: those of the run, but for what somebody
        chose.

        Args:
            architecture: that was asked for, empty for none; another one than the run's has its own
                settings.
            preset: that was asked for; one that somebody named has its own settings.
            given: settings of the model that somebody chose.
        """
        own = self.record.config
        if architecture and not self.said:
            known = family_class(own["family"]).capabilities
            kind, was = self.record.space.kind, own["model"].get("architecture")
            if known.architecture(kind, was).name != architecture:
                return preset, dict(given)
        if preset != AUTO and not self.said:
            return preset, dict(given)
        return own["preset"] if preset == AUTO else preset, {**own["model"], **given}

    def opened(self, source: Any, settings: Mapping[str, Any] | None, skip_bad: bool) -> Dataset:
        """Return the data, in terms of the run where examples have a dictionary.

        Raises:
            BadInput: settings of data that the run has chosen already, another kind of data, or
                what the run's dictionary does not know.
        """
        space = self.record.space
        if kind_of(space).in_a_space:
            found = opened(source, settings, skip_bad=skip_bad)
        else:
            chosen = sorted(set(settings or {}) - {"labels"})
            if chosen and not self.said:
                raise BadInput(
                    f"data.{chosen[0]} with --from {self.record.path}",
                    f"{space.kind} as the run reads it",
                    "leave it out, or train without --from",
                )
            with written_in(f"--from {self.record.path}", "leave --from out for other data"):
                found = open_as(self.record, source, skip_bad)
        if found.space.kind != space.kind:
            raise BadInput(
                f"--from {self.record.path}, a run on {space.kind}, for {found.space.kind}",
                f"data of the kind {space.kind}",
            )
        return found

    def planned(
        self,
        family: str,
        source: Any,
        asked: tuple[str, Mapping[str, Any]],
        skip_bad: bool,
        how: Mapping[str, Any],
    ) -> Plan:
        """Return the plan of a training that begins with the run.

        Args:
            asked: the preset, and the overrides of `plan_training`.
            how: its other words.

        Raises:
            BadInput: as `opened` and `plan_training`, or none of the weights fit.
        """
        overrides = dict(asked[1])
        named = family.partition(":")[2]
        preset, model = self.settings(named, asked[0], overrides.get("model", {}))
        data = self.opened(source, overrides.get("data"), skip_bad)
        plan = plan_training(
            family, data, preset=preset, overrides={**overrides, "model": model}, **how
        )
        plan = self._inherited(plan, overrides.get("model", {}))
        if self.weights is None:
            return replace(plan, origin=dict(self.said or {}))
        model, of = plan.build(), self.record.manifest["classes"]
        weights = by_class(model, self.weights, tuple(of), plan.classes)
        found = self.overlap(model, weights)
        unseen = [name for name in plan.classes if name not in of]
        facts = {
            **self.facts,
            "taken": len(found.taken),
            "share": round(found.share, 4),
            "new": list(found.new),
            **({"new_classes": unseen} if unseen else {}),
        }
        return replace(plan, origin=facts, weights=weights)

    def _inherited(self, plan: Plan, given: Mapping[str, Any]) -> Plan:
        """Return the plan with settings of the model that no machine changes, because weights fit
        networks of these sizes; those that nobody gave are not said to be asked for."""
        model = {f"model.{key}" for key in family_class(plan.family).config_type.model_fields}
        asked = {f"model.{key}" for key in given}
        return replace(
            plan, explicit=plan.explicit - (model - asked), inherited=frozenset(model - asked)
        )

    def overlap(self, model: GenerativeModel, weights: Mapping[str, Tensor]) -> Overlap:
        """Return what of an untrained model the weights fill.

        Raises:
            BadInput: next to none of its parameters.
        """
        found = Overlap.of(model, weights)
        if found.share < LEAST:
            some = f"which fills {found.share:.2%} of the weights" if found.share else ""
            raise BadInput(
                f"--from {self.record.path}, {some or 'none of whose weights fit'}",
                "a run with networks of the same sizes",
                "leave the architecture, --preset and `-s model...` out, which takes those of the run, or leave --from out",
            )
        return found


def begun_with(family: str, run: Path | None, resumed: Path | None) -> EarlierRun | None:
    """Return what a training begins with, or began with; None for nothing.

    Args:
        run: that somebody named.
        resumed: the directory of a training that is gone on with.

    Raises:
        BadInput: as `EarlierRun.of`, or a run that a resumed training did not begin with.
    """
    try:
        record = None if resumed is None else open_record(resumed)
    except BadInput:  # nothing was trained there yet, or training says what is wrong with it
        record = None
    if record is None:
        return None if run is None else EarlierRun.of(run, family)
    said = record.manifest.get("from")
    if run is not None and (not said or Path(said["run"]) != run.resolve()):
        began = f"{said['run']}" if said else "nothing"
        raise BadInput(
            f"--from {run} with --resume of {record.path}, which began with {began}",
            "the same beginning",
            "leave --from out to go on, or --resume to begin anew",
        )
    if not said:
        return None
    if not (record.path / LAST_STATE).is_file():
        return EarlierRun.of(Path(said["run"]), family)
    return EarlierRun(record, None, said)


def told(origin: Mapping[str, Any]) -> str:
    """Return what a manifest says of where a training began, in a sentence."""
    new = origin["new"]
    names = ", ".join(new[:SHOWN]) + (f" and {len(new) - SHOWN} more" if len(new) > SHOWN else "")
    rest = f"; new: {names}" if new else ""
    if unseen := origin.get("new_classes"):
        rest += f"; classes that it did not know: {', '.join(unseen[:SHOWN])}"
    if origin["share"] <= MOSTLY:
        rest += "; most of the network is untrained, because its sizes are not those of the run"
    return (
        f"begins with {origin['share']:.1%} of its weights from {origin['run']}, trained on {origin['data']} "
        f"for {origin['budget']}{rest}"
    )
