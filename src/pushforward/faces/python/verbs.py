"""The verbs in Python: those of the command line, on what a program holds.

Two ideas: `fit`, `distil`, `compare` and `evaluate` return what a program goes on with, models and
scores; every other verb is its request, with its fields as arguments, and returns its answer, which
prints as on the command line and has `json()`.
"""

from __future__ import annotations

import builtins
import inspect
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pushforward.app.measuring.assessing import assess, measure_controls
from pushforward.app.measuring.inquiry import Inquiry
from pushforward.app.measuring.scores import Scores
from pushforward.app.progress.meter import own_place
from pushforward.app.progress.watch import Watch
from pushforward.app.request import Answer, Request, carry_out
from pushforward.app.runs import distilling, training
from pushforward.app.runs.loading import load as load
from pushforward.app.verbs.compare import CompareRequest
from pushforward.app.verbs.distil import DistilRequest
from pushforward.app.verbs.evaluate import EvaluateRequest
from pushforward.app.verbs.shared import allowance
from pushforward.app.verbs.train import TrainRequest, sized
from pushforward.core.errors import BadInput
from pushforward.core.measure import MEMORISATION, PRIVACY
from pushforward.core.placement import AUTO, computing_on
from pushforward.core.whole import whole
from pushforward.faces.outputs import refuse_inputs
from pushforward.faces.python import inputs
from pushforward.faces.python.arguments import place, word
from pushforward.faces.python.fitted import Fitted, data_of, fitted_model, open_run
from pushforward.faces.python.references import data_like, reference_for
from pushforward.faces.python.worded import in_words_of
from pushforward.faces.python.written_types import written_type
from pushforward.faces.verbs import every_verb
from pushforward.reports.verdict.sentences import verdict_sentences

open = open_run


def watch_of(progress: bool | None) -> Watch:
    """Return whoever looks on at a program: its terminal or notebook, and the log for how data were
    read.

    Args:
        progress: None shows a line of progress in a terminal or a notebook, False never, True also
            as plain lines elsewhere.
    """
    return Watch(lambda: own_place(progress), own_place(progress).note, of_data=inputs.log_notes)


@in_words_of(TrainRequest, output="path")
def fit(
    family: Any, data: Any, *, path: Any = None, progress: bool | None = None, **asked: Any
) -> Fitted:
    """Train a family on data and return the fitted model.

    Args:
        family: its name, such as "flow", or "autoregressive:pixelcnn" with an architecture.
        data: whatever `load` takes.
        path: also leave a run directory there.
        progress: None shows a line of progress in a terminal or a notebook, False never, True also
            as plain lines elsewhere.
        asked: `budget` ("60s"), `steps` or `examples`; `preset`, `seed`, `settings` (`{"model":
            {...}, "train": {...}}`), `resume`, `overwrite`, `keep`, `errors`, `skip_bad`, as
            `pushforward train` has them.

    Example:
        >>> model = fit("flow", load("two-moons"), steps=3, preset="smoke")
        >>> model.sample(4).shape
        torch.Size([4, 2])
    """
    word(family, "the family", "its name, such as 'flow'")
    where, watch = _where(path, asked, "fit", ("dry_run",)), watch_of(progress)
    request = TrainRequest.of({**asked, "family": family, "data": data, "output": where}, "fit")
    plan = request.planned(watch)
    watch.of_data(plan.dataset)
    with request.placed(watch):
        with watch.busy(f"choosing sizes for {plan.family}"):
            fits = sized(plan, where if request.resume else None)
        trained = request.trained(fits, where, watch)
    return Fitted(trained.model, plan=trained.plan, facts=vars(trained.record), path=trained.path)


def _where(path: Any, asked: dict[str, Any], function: str, of_verb: Sequence[str]) -> Path | None:
    """Return where a run goes: `path`, or `output` as the other functions call it.

    Args:
        asked: whatever else was asked; `output` is taken out of it.
        of_verb: words that mean something to the verb, and nothing to this function.

    Raises:
        BadInput: both of them, or a word that would be ignored.
    """
    for word_of_verb in of_verb:
        if asked.get(word_of_verb):
            verb_name = "train" if function == "fit" else function
            raise BadInput(
                f"{word_of_verb} of {function}",
                "what a fitted model is made with",
                f"use the command: `pushforward {verb_name} --{word_of_verb.replace('_', '-')}`",
            )
    output = asked.pop("output", None)
    if path is not None and output is not None:
        raise BadInput(f"path and output of {function}", "one of them", "they mean the same")
    chosen = output if path is None else path
    return None if chosen is None else place(chosen)


@in_words_of(DistilRequest, output="path")
def distil(
    teacher: Any, data: Any = None, *, path: Any = None, progress: bool | None = None, **asked: Any
) -> Fitted:
    """Teach a student to sample in few network calls what a diffusion model samples in many; see
    `pushforward distil`.

    Args:
        teacher: a fitted diffusion model, or its run directory.
        data: None = what the teacher was trained on.
        path: also leave a run directory there.
        progress: as in `fit`.
        asked: a budget as in `fit`; `method` ("consistency" or "progressive"), `calls` of a sample
            (2), `guidance` of the teacher, fixed in the student (1 is off), `seed`, `settings`.

    Raises:
        BadInput: an unfinished run, data of another space, an unknown method.
        Unsupported: a teacher that is no Gaussian diffusion model.

    Example:
        >>> teacher = fit("diffusion", load("two-moons"), steps=3, preset="smoke")
        >>> distil(teacher, steps=3).sample(4, steps=1).shape
        torch.Size([4, 2])
    """
    where, watch = _where(path, asked, "distil", ("dry_run",)), watch_of(progress)
    fitted = fitted_model(teacher, "the teacher")
    request = DistilRequest.of({**asked, "run": fitted.path or Path(), "output": where}, "distil")
    if fitted.record is not None and not fitted.record.complete:
        raise BadInput(
            f"{fitted.path}, whose training is not finished", "a finished run", "finish it first"
        )
    dataset = data_of(fitted) if data is None else data_like(fitted, data)
    config = (
        fitted.plan.config()
        if fitted.plan is not None
        else fitted.record.config
        if fitted.record
        else {}
    )
    plan = distilling.plan_distillation(
        distilling.teacher_of(fitted.model, config, fitted.facts, fitted.path),
        dataset,
        budget=allowance(request.budget, request.steps, request.examples),
        method=request.method,
        calls=request.calls,
        guidance=request.guidance,
        seed=request.seed,
        overrides=request.settings,
    )
    how: dict[str, Any] = {"resume": request.resume, "overwrite": request.overwrite}
    with request.placed(watch), watch.training(f"distilling by {request.method}") as observe:
        trained = training.train(plan, where, observer=observe, **how)
    return Fitted(trained.model, plan=plan, facts=vars(trained.record), path=trained.path)


@in_words_of(CompareRequest, output="path")
def compare(
    data: Any, *, path: Any = None, progress: bool | None = None, **asked: Any
) -> builtins.object:
    """Train, evaluate and report; returns a `Compared` with the record, the models and the path of
    the report.

    Args:
        data: whatever `load` takes.
        path: directory of the runs and of the report; default: runs/compare.
        progress: as in `fit`.
        asked: `families` (a list, default: all five), a budget as in `fit`, `preset`, `seed`,
            `seeds`, `measure` (what measuring may take, such as "2m" or "full"; default: as long as
            training), `settings`, `overwrite`, `resume`.
    """
    where = _where(path, asked, "compare", ()) or Path("runs") / "compare"
    request = CompareRequest.of({**asked, "data": data, "output": where}, "compare")
    watch = watch_of(progress)
    with request.placed(watch):
        return request.compared(watch)


@in_words_of(EvaluateRequest)
def evaluate(
    fitted: Any = None,
    data: Any = None,
    *,
    n: Any = 2000,
    seed: Any = 0,
    features: Sequence[str] = (),
    device: str = AUTO,
    progress: bool | None = None,
    **asked: Any,
) -> Scores | Answer:
    """Return a model's scores with intervals, nulls, ceilings and floors: a list that prints as a
    table.

    Args:
        fitted: from `fit` or `open`, or the path of a run.
        data: reference data, None for the model's own test split; a `Dataset`, or held-out examples
            as `log_prob` takes them, which stand in the place of the test split.
        n: most examples on a side.
        seed: seed of every draw.
        features: by name, such as `own` or `pca-32`; those of the kind of data by default.
        device: where a run computes; a fitted model stays where it is.
        progress: as in `fit`.
        asked: in place of a model: `samples` of any tool with `reference` data, or `power` of the
            measures, as `pushforward evaluate` takes them; then its answer is returned.
    """
    if asked:
        fields = {**asked, "data": data, "seed": seed, "features": features, "device": device}
        fields |= {} if n == 2000 else {"n": n}
        if fitted is not None:
            others = [name for name in ("samples", "reference", "power") if name in asked]
            if others:
                raise BadInput(
                    f"a model and {', '.join(others)}",
                    "one of them",
                    "samples of another tool come without a model",
                )
            fields["run"] = fitted
        return _carried_out(EvaluateRequest.of(fields, "evaluate"), progress)
    with computing_on(device):
        fitted, n, seed = fitted_model(fitted, "the model"), whole(n, "n", 1), whole(seed, "seed")
    features = (features,) if isinstance(features, str) else tuple(features)
    reference, brought = reference_for(fitted, data)
    with watch_of(progress).meter("controls") as meter:
        controls = measure_controls(
            reference, seed, n, Inquiry(features), told=meter.stage("controls")
        )
        told = meter.stage(f"scoring {fitted.model.family}")
        row = assess(
            fitted.model, reference, controls, fitted.model.family, fitted.facts, told=told
        )
    if brought:
        # data of another law than training are nearer to nothing: that is no sign of copying
        kept = tuple(s for s in row.scores if s.measure.aspect not in (MEMORISATION, PRIVACY))
        row = replace(row, scores=kept, memorisation="", memorised=None)
    likelihood = [] if row.likelihood is None else [row.likelihood]
    return Scores([*likelihood, *row.scores], verdict_sentences((row, *controls.rows))[0].text)


def verb(name: str) -> Callable[..., Answer]:
    """Return the function of a verb that has no other: `verb("score")(run, data, n=10)` returns its
    answer.

    Raises:
        KeyError: no verb of that name.

    Example:
        >>> verb("cite")("flow").json()["family"]
        'flow'
    """
    request = {one.function(): one for one in every_verb()}[name]
    fields = request.fields()
    ordered = [key for key, field in fields.items() if _extra(field).get("positional")]

    @in_words_of(request)
    def function(*words: Any, progress: bool | None = None, **asked: Any) -> Answer:
        if len(words) > len(ordered):
            raise _too_many(name, len(words), ordered, list(fields))
        twice = [key for key in ordered[: len(words)] if key in asked]
        if twice:
            raise BadInput(
                f"{twice[0]} of {name} twice", "it once", f"the first argument is {ordered[0]}"
            )
        return _carried_out(
            request.of({**dict(zip(ordered, words, strict=False)), **asked}, name), progress
        )

    parameters = [
        inspect.Parameter(
            key,
            inspect.Parameter.POSITIONAL_OR_KEYWORD
            if key in ordered
            else inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if field.is_required() else _shown(field.default),
            annotation=written_type(field),
        )
        for key, field in sorted(fields.items(), key=lambda one: one[0] not in ordered)
    ]
    look = inspect.Parameter.KEYWORD_ONLY
    parameters.append(inspect.Parameter("progress", look, default=None, annotation="bool | None"))
    told = "".join(f"\n    {key}: {field.description}" for key, field in fields.items())
    function.__name__ = function.__qualname__ = name
    returns = "Returns the answer, which prints as on the command line and has `json()`."
    function.__doc__ = f"{request.says()}\n\n{returns}\n\nArgs:{told}\n"
    function.__signature__ = inspect.Signature(parameters, return_annotation="Answer")  # type: ignore[attr-defined]
    return function


def _shown(default: Any) -> Any:
    """Return a default as a person would write it."""
    return str(default) if isinstance(default, Path) else default


def _too_many(verb: str, given: int, ordered: list[str], fields: list[str]) -> BadInput:
    """Return the refusal of values without a name, with the names that some of them need."""
    came = f"{given} value{'s' if given > 1 else ''} without a name for {verb}"
    places = f"at most {len(ordered)} ({', '.join(ordered)})" if ordered else "none"
    named = [f"{name}=..." for name in fields if name not in ordered]
    return BadInput(came, places, f"write {', '.join(named[:6])}" if named else "leave it out")


def _extra(field: Any) -> dict[str, Any]:
    return field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}


def _carried_out(request: Request, progress: bool | None) -> Answer:
    refuse_inputs({name: getattr(request, name) for name in type(request).model_fields})
    return carry_out(request, watch_of(progress), lambda answer: None)


def __getattr__(name: str) -> Any:
    try:
        return verb(name)
    except KeyError:
        raise AttributeError(f"no verb '{name}'") from None
