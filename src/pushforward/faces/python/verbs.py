"""The Python face: `load`, `fit`, `open`, `evaluate`, `compare`; the same verbs as the command line.

Two ideas: a `Fitted` model carries its records, so that it can be evaluated and saved; budgets are spelled as on the command line.
"""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pushforward.app.measuring import comparing
from pushforward.app.measuring.assessing import assess, measure_controls
from pushforward.app.measuring.scores import Scores
from pushforward.app.progress.meter import Meter, own_place
from pushforward.app.runs import averaging, distilling, training
from pushforward.app.runs.fitting import fitted, too_short
from pushforward.app.runs.opening import encoding_of, open_source, pictures_of, reading_of, reopen
from pushforward.app.runs.recognisable import foresight
from pushforward.app.writing.observing import companions
from pushforward.app.writing.using import condition_of, decoded, with_labels
from pushforward.core.errors import BadInput, a_type, refusing
from pushforward.core.given import Examples
from pushforward.core.latent import Latent
from pushforward.core.logprob import LogProb
from pushforward.core.model import GenerativeModel
from pushforward.data.dataset import Dataset
from pushforward.data.encoding import Encoding
from pushforward.data.in_memory import held
from pushforward.faces.python import inputs
from pushforward.faces.python.arguments import allowance, perhaps, place, sections, whole, word
from pushforward.faces.python.inputs import Said
from pushforward.provenance.run_directory import RunRecord
from pushforward.report.verdict.sentences import verdict_sentences


class Fitted:
    """A trained model: samples, log-probabilities and codes in data units.

    Made by `fit` and `open`; `model` is the torch module inside, `history` what training recorded.
    """

    def __init__(
        self,
        model: GenerativeModel,
        *,
        plan: training.Plan | None = None,
        facts: dict[str, Any] | None = None,
        record: RunRecord | None = None,
        path: Path | None = None,
    ) -> None:
        self.model, self.plan, self.record, self.path = model, plan, record, path
        self.facts = facts or {}

    def __repr__(self) -> str:
        return inputs.words_of(self.model, self.facts, self.dataset_name, self.path)

    def sample(
        self, n: Any = None, given: Said = None, seed: Any = 0, context: str | None = None, **options: Any
    ) -> Any:
        """Draw `n` examples in data units: a tensor, a DataFrame for rows, strings for text; see `GenerativeModel.sample`.

        Args:
            n: how many, None = one per condition, and 64 where there is none.
            given: a class or a list of n of them, by name or number: 1 is the class called "1", and the second one only where no
                class is called by a number; for tables `{"age": 37, "country": "DE"}`, ranges as
                `{"age": (30, 50)}`, or n such rows (records or a DataFrame); for text a prompt or a list of n prompts.
            context: what all of them are about, as `pushforward sample --context` takes it; a `Given` brings one of its own.
            options: those that the family declares; `guide` and `classifier` may be paths, as on the command line.

        Example:
            >>> model = fit("autoregressive", {"age": [20, 31, 42, 53, 64] * 4, "sex": list("fmfmf") * 4}, steps=2, preset="smoke")
            >>> model.sample(3, given={"sex": "m"})["sex"].tolist()
            ['m', 'm', 'm']
        """
        encoding, n, seed = self.encoding, perhaps(n, "n", 1), whole(seed, "seed")
        given, chosen = inputs.listed(given), companions(options)
        if n is None:
            n = inputs.number_of(given) or 64
        classes = self.model.classes or getattr(chosen.get("classifier"), "classes", ())
        given = inputs.condition_of(self.model, encoding, given, n, classes)
        if given is None or isinstance(given, str):
            given = condition_of(self.model, encoding, given, context, n)
        elif context is not None:
            raise BadInput(
                "a ready condition and a context in words", "one of them", "put the context into the `Given`"
            )
        given = with_labels(self.model, encoding, given, n, seed)
        x = self.model.sample(n, given=given, seed=seed, **chosen)
        return x if encoding is None else decoded(self.model, encoding, x, given)

    def log_prob(self, x: Any, given: Said = None, **options: Any) -> LogProb:
        """Return log-probabilities with their kind; see `GenerativeModel.log_prob`.

        Args:
            x: whatever `load` takes (an array, `(x, y)`, a DataFrame, strings, a path), examples of a `Dataset`, or a `Dataset`,
                which stands for its test split. Labels are read as `given` is: a number that is the name of a class means it.
            given: as for `sample`, the condition of x.

        Example:
            >>> model = fit("flow", load("two-moons"), steps=3, preset="smoke")
            >>> len(model.log_prob([[0.0, 1.0], [2.0, 0.5]]))
            2
        """
        x = inputs.examples_of(self.model, self.encoding, x, self.reading)
        return self.model.log_prob(x, inputs.condition_of(self.model, self.encoding, given, len(x)), **options)

    @property
    def dataset_name(self) -> str:
        """What it was trained on is called, empty if nobody knows."""
        if self.plan is not None:
            return self.plan.dataset.name
        return "" if self.record is None else str(self.record.manifest.get("data", {}).get("name", ""))

    @property
    def encoding(self) -> Encoding | None:
        """The dictionary of text or tables, None for images and points."""
        if self.plan is not None:
            return self.plan.dataset.encoding
        return None if self.record is None else encoding_of(self.record)

    @property
    def reading(self) -> dict[str, Any]:
        """The settings with which it reads pictures."""
        if self.plan is not None:
            return pictures_of(self.plan.dataset.settings)
        return {} if self.record is None else reading_of(self.record)

    def encode(self, x: Any, given: Said = None) -> Latent:
        """Return codes, where the family has them; `x` as for `log_prob`, whose labels are its condition."""
        x = inputs.examples_of(self.model, self.encoding, x, self.reading)
        said = inputs.condition_of(self.model, self.encoding, given, len(x))
        if isinstance(x, Examples):
            x, said = x.x, x.given if said is None and self.model.classes else said
        return self.model.encode(x, said)

    def decode(self, z: Any, given: Said = None) -> Tensor:
        """Return the examples that codes stand for."""
        codes = z.value if isinstance(z, Latent) else z
        if not isinstance(codes, Tensor):
            with refusing("the codes", "numbers, one row per example", "pass what `encode` returned"):
                codes = torch.as_tensor(np.asarray(codes, dtype=np.float64), dtype=torch.float32)
        if codes.ndim < 2:
            raise BadInput(f"codes of shape {tuple(codes.shape)}", "one row per example", "pass what `encode` returned")
        return self.model.decode(codes, inputs.condition_of(self.model, self.encoding, given, len(codes)))

    def average(self, path: Any, width: Any = None) -> Fitted:
        """Leave at `path` the run with its weights averaged over another width, None = the best held out, and open it.

        Raises:
            BadInput: a model without a run, or one whose run keeps no snapshots (`train.ema_snapshots`); see `averaging`.
        """
        if self.path is None:
            raise BadInput("a model without a run", "one made by fit with a path, or by open")
        averaging.average(self.path, place(path), width)
        return open(path)

    def save(self, path: Any) -> Path:
        """Copy the run into a new directory that `open` and the command line read.

        Raises:
            BadInput: the directory holds something else, or the model has no run of its own.
        """
        target = place(path)
        training.save_run(self.model, self.plan, self.facts, self.path, target)
        return target


def load(source: Any, *, seed: Any = 0, labels: Any = True, skip_bad: bool = False, **settings: Any) -> Dataset:
    """Open a built-in name, a path, or what a program holds; see `pushforward data list`.

    Args:
        source: a name, a path, an array or tensor, `(examples, labels)`, a DataFrame, records, columns, strings, a list of
            `(example, label)` pairs, or a torch data set.
        labels: False leaves labels out; an array or a list holds one label per example.
        skip_bad: leave unreadable files out and count them.
        settings: those of `-s data.KEY`: `length`, `tokeniser`, ... for text; `columns`, `keep`, `bounds` for tables.

    Example:
        >>> load("digits").space
        Image(channels=1, height=8, width=8, levels=17)
    """
    seed, wanted = whole(seed, "seed"), labels if isinstance(labels, bool) else True
    as_rows = any(settings.get(key) for key in ("kind", "keep", "columns"))
    found = held(source, None if isinstance(labels, bool) else labels, as_rows and settings.get("kind") != "text")
    settings = {key: value for key, value in settings.items() if value is not None}
    columns = settings.pop("columns", {})
    flat = {**settings, **{f"columns.{name}": kind for name, kind in columns.items()}}
    data = open_source(found.source, flat, seed=seed, labels=wanted, skip_bad=skip_bad)
    return replace(data, notes=(*found.notes, *data.notes), lost=(*found.lost, *data.lost))


def fit(
    family: Any,
    data: Dataset | Any,
    *,
    budget: Any = None,
    steps: Any = None,
    examples: Any = None,
    preset: str = "cpu",
    seed: Any = 0,
    settings: Any = None,
    path: Any = None,
    progress: bool | None = None,
) -> Fitted:
    """Train a family on data and return the fitted model.

    Args:
        settings: `{"model": {...}, "train": {...}}` overrides of the preset.
        path: also leave a run directory there.
        progress: None shows a line of progress in a terminal or a notebook, False never, True also as plain lines elsewhere.

    Example:
        >>> model = fit("flow", load("two-moons"), steps=3, preset="smoke")
        >>> model.sample(4).shape
        torch.Size([4, 2])
    """
    word(family, "the family", "its name, such as 'flow'")
    path, seed, settings = None if path is None else place(path), whole(seed, "seed"), sections(settings)
    allowed = allowance(budget, steps, examples)
    dataset = data if isinstance(data, Dataset) else load(data)
    inputs.log_notes(dataset)
    plan = training.plan_training(family, dataset, budget=allowed, preset=preset, seed=seed, overrides=settings)
    with Meter(f"choosing sizes for {plan.family}", own_place(progress), keep=True) as meter:
        fits = fitted(plan)
        plan = fits.plan
        meter.note(*fits.notes, fits.warning, foresight([fits]))
        meter.relabel(f"training {plan.family}")
        trained = training.train(plan, None if path is None else Path(path), observer=meter.training)
        meter.note(too_short(trained.record.steps, plan.family))
    return Fitted(trained.model, plan=plan, facts=vars(trained.record), path=trained.path)


def distil(
    teacher: Any,
    data: Dataset | Any = None,
    *,
    budget: Any = None,
    steps: Any = None,
    examples: Any = None,
    method: str = "consistency",
    calls: int | None = None,
    guidance: float = 1.0,
    seed: Any = 0,
    settings: Any = None,
    path: Any = None,
    progress: bool | None = None,
) -> Fitted:
    """Teach a student to sample in few network calls what a diffusion model samples in many; see `pushforward distil`.

    Args:
        teacher: a fitted diffusion model, or its run directory.
        data: None = what the teacher was trained on.
        calls: network calls of a sample, None = 2.
        guidance: of the teacher, fixed in the student; 1 is off.
        settings: `{"model": {...}, "train": {...}}` overrides.
        path: also leave a run directory there.
        progress: as in `fit`.

    Raises:
        BadInput: an unfinished run, data of another space, an unknown method.
        Unsupported: a teacher that is no Gaussian diffusion model.

    Example:
        >>> teacher = fit("diffusion", load("two-moons"), steps=3, preset="smoke")
        >>> distil(teacher, steps=3).sample(4, steps=1).shape
        torch.Size([4, 2])
    """
    fitted = _fitted(teacher, "the teacher")
    if fitted.record is not None and not fitted.record.complete:
        raise BadInput(f"{fitted.path}, whose training is not finished", "a finished run", "finish it first")
    if data is None:
        data = _data_of(fitted)
    config = fitted.plan.config() if fitted.plan is not None else fitted.record.config if fitted.record else {}
    lent = distilling.teacher_of(fitted.model, config, fitted.facts, fitted.path)
    plan = distilling.plan_distillation(
        lent,
        data if isinstance(data, Dataset) else load(data),
        budget=allowance(budget, steps, examples),
        method=method,
        calls=calls,
        guidance=guidance,
        seed=whole(seed, "seed"),
        overrides=sections(settings),
    )
    with Meter(f"distilling by {method}", own_place(progress), keep=True) as meter:
        trained = training.train(plan, None if path is None else place(path), observer=meter.training)
    return Fitted(trained.model, plan=plan, facts=vars(trained.record), path=trained.path)


def _data_of(fitted: Fitted) -> Dataset:
    if fitted.plan is not None:
        return fitted.plan.dataset
    if fitted.record is not None:
        return reopen(fitted.record)
    raise BadInput("a model without data", "its data beside it")


def open(path: Any) -> Fitted:
    """Open a run directory."""
    where = place(path)
    model, record = training.open_model(where)
    return Fitted(model, record=record, facts=record.manifest.get("fit", {}), path=where)


def _fitted(value: Any, what: str) -> Fitted:
    """Return a fitted model, opened where its path is named."""
    if isinstance(value, str | Path):
        return open(value)
    if isinstance(value, GenerativeModel):
        return Fitted(value)
    if not isinstance(value, Fitted):
        raise BadInput(f"{what}: {a_type(value)}", "a fitted model, from `fit` or `open`, or the path of a run")
    return value


def evaluate(
    fitted: Any,
    data: Any = None,
    *,
    seed: Any = 0,
    n: Any = 2000,
    features: Sequence[str] = (),
    progress: bool | None = None,
) -> Scores:
    """Return a model's scores with intervals, nulls, ceilings and floors: a list that prints as a table.

    Args:
        fitted: from `fit` or `open`, or the path of a run.
        data: reference data, None for the model's own test split; a `Dataset`, or held-out examples as `log_prob` takes them, which
            stand in the place of the test split.
        seed: seed of every draw.
        n: most examples on a side.
        features: by name, such as `own` or `pca-32`; those of the kind of data by default.
        progress: as in `fit`.
    """
    fitted, n, seed = _fitted(fitted, "the model"), whole(n, "n", 1), whole(seed, "seed")
    features = (features,) if isinstance(features, str) else tuple(features)
    reference = data if isinstance(data, Dataset) else _data_of(fitted)
    if data is not None and reference is not data:
        reference = inputs.with_test(reference, fitted.model, fitted.encoding, data, fitted.reading)
    with Meter("controls", own_place(progress)) as meter:
        controls = measure_controls(reference, seed, n, features, told=meter.stage("controls"))
        told = meter.stage(f"scoring {fitted.model.family}")
        row = assess(fitted.model, reference, controls, fitted.model.family, fitted.facts, told=told)
    likelihood = [] if row.likelihood is None else [row.likelihood]
    return Scores([*likelihood, *row.scores], verdict_sentences((row, *controls.rows))[0].text)


def compare(
    data: Dataset | Any,
    *,
    families: Any = None,
    budget: Any = None,
    steps: Any = None,
    examples: Any = None,
    preset: str = "cpu",
    seed: Any = 0,
    seeds: Any = 1,
    path: Any = "runs/compare",
    overwrite: bool = False,
    resume: bool = False,
    measure: str | None = None,
    progress: bool | None = None,
) -> builtins.object:
    """Train, evaluate and report; returns a `Compared` with the record, the models and the path of the report.

    Args:
        measure: what measuring may take, such as `2m` or `full`; None for as long as training.
        progress: as in `fit`.
    """
    seed, seeds, where = whole(seed, "seed"), whole(seeds, "seeds", 1), place(path)
    allowed = allowance(budget, steps, examples)
    families = [families] if isinstance(families, str) else families
    dataset = data if isinstance(data, Dataset) else load(data)
    inputs.log_notes(dataset)
    with Meter("choosing sizes", own_place(progress)) as meter:
        return comparing.compare(
            dataset,
            families=families,
            budget=allowed,
            preset=preset,
            seed=seed,
            seeds=seeds,
            path=where,
            overwrite=overwrite,
            resume=resume,
            measure=measure,
            announce=meter.note,
            observe=meter.watch,
            stage=meter.stage,
        )
