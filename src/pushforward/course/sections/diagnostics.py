"""Exercises of section 10: what is wrong with a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from pushforward.course.exercise import Answer, Exercise, Law, Slip
from pushforward.course.pictures import curve
from pushforward.course.rogues import SUSPICIONS, gallery
from pushforward.course.sections.diagnostics_edges import edges
from pushforward.course.sections.diagnostics_units import ACTIVE
from pushforward.course.values import NotAValue

Record = dict[str, Any]
Rule = Callable[[Record], bool]
GALLERY, EDGES = gallery(), edges()
DRAWN = ("flow", "overfitted flow", "hasty autoregressive", "no constant")
ERRORS = 3.0  # standard errors that chance does not make


def checklist(record: Record) -> set[str]:
    """Return what was broken in the run of the gallery that has this record, or what an edge was
    made for."""
    return next(set(known.suspicions) for known in (*GALLERY, *EDGES) if known.record == record)


def suspected(found: Any) -> Tensor:
    """Return a set of suspicions as 0 and 1, in the order of `SUSPICIONS`.

    Raises:
        NotAValue: no set or list, or something in it that is no suspicion.

    Example:
        >>> suspected({"posterior collapse"}).tolist()
        [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    """
    if found is None:
        raise NotAValue("it returns None; is a `return` missing?")
    if not isinstance(found, set | frozenset | list | tuple):
        raise NotAValue(
            f"it returns {type(found).__name__}, expected a set of strings; a healthy run's is empty"
        )
    for word in found:
        if not isinstance(word, str) or word not in SUSPICIONS:
            raise NotAValue(f"{word!r} is no suspicion; known are: {', '.join(SUSPICIONS)}")
    return torch.tensor([float(name in found) for name in SUSPICIONS], dtype=torch.float64)


def _in_words(found: Tensor) -> str:
    named = [name for name, value in zip(SUSPICIONS, found.tolist()) if value]
    return "{" + ", ".join(named) + "}" if named else "nothing"


def _series(record: Record, key: str) -> list[float]:
    return [entry[key] for entry in record["history"] if entry.get(key) is not None]


def _gap(record: Record) -> float:
    """Standard errors by which training examples are likelier than test examples, 0 without a
    likelihood."""
    return (
        0.0
        if record["kind"] is None
        else (record["train_nats"] - record["test_nats"]) / record["gap_error"]
    )


def _below(record: Record, key: str, limit: float) -> bool:
    return record[key] is not None and record[key] < limit


def _grew(record: Record) -> bool:
    losses = _series(record, "loss")
    return len(losses) < len(record["history"]) or max(losses) > 10 * max(losses[0], 1.0)


def _copies(record: Record) -> bool:
    return record["nearest"] is not None and record["nearest"] <= record["nearest_held_out"] / 2


def _wins(record: Record) -> bool:
    return record["critic"] is not None and record["critic"] > 0.95


def _gives_up(record: Record) -> bool:
    gradients = _series(record, "gradient norm, generator")
    return bool(gradients) and gradients[-1] < max(gradients) / 50


def _off(record: Record, by: float = 0.1) -> bool:
    return record["mass"] is not None and abs(record["mass"] - 1) > by


def _falls(record: Record, share: float = 0.05) -> bool:
    held_out = _series(record, "held_out")
    return len(held_out) > 2 and held_out[-3] - held_out[-1] > share * (
        max(held_out) - held_out[-1]
    )


def _leaks(record: Record) -> bool:
    return (record["test_in_train"] or 0.0) > 0.01


RULES: dict[str, Rule] = {
    "posterior collapse": lambda r: _below(r, "kl", 0.1),
    "mode collapse": lambda r: _below(r, "modes", 0.9),
    "memorisation": _copies,
    "overfitting": lambda r: _gap(r) > ERRORS,
    "divergence": lambda r: not r["finished"] or _grew(r),
    "dead discriminator": lambda r: _wins(r) or _gives_up(r),
    "wrong density": lambda r: r["kind"] == "exact" and _off(r),
    "undertrained": _falls,
    "test leak": lambda r: _gap(r) < -ERRORS or _leaks(r),
}


def by_rules(record: Record, **changed: Rule) -> set[str]:
    """Return what the rules of `SUSPICIONS` say, some of them changed; blanks of a name are written
    as underscores.

    Example:
        >>> by_rules(next(rogue.record for rogue in gallery() if rogue.name == "flat critic"))
        {'dead discriminator'}
    """
    return {
        name for name, rule in RULES.items() if changed.get(name.replace(" ", "_"), rule)(record)
    }


def _slip(says: str, **changed: Rule) -> Slip:
    return Slip(says, partial(by_rules, **changed))


def _never(record: Record) -> bool:
    return False


def _agrees(name: str, answer: Answer) -> bool:
    return all((name in answer(r.record)) == (name in r.suspicions) for r in gallery())


def _spares(answer: Answer) -> bool:
    return not any(answer(r.record) for r in gallery() if not r.suspicions)


def _about(case: int) -> str:
    return (
        f"the run `{GALLERY[case].name}`"
        if case < len(GALLERY)
        else EDGES[case - len(GALLERY)].says
    )


def _explained(found: Sequence[Tensor], right: Sequence[Tensor]) -> str:
    """Say which suspicions are missed and which are wrong, each with a record and its threshold."""
    says = []
    for place, (name, rule) in enumerate(SUSPICIONS.items()):
        missed = [
            i for i, (mine, true) in enumerate(zip(found, right)) if mine[place] < true[place]
        ]
        wrong = [i for i, (mine, true) in enumerate(zip(found, right)) if mine[place] > true[place]]
        for cases, what in ((missed, "is missed"), (wrong, "is suspected wrongly")):
            if cases:
                says.append(
                    f"`{name}` {what} in {len(cases)} of {len(found)} records, such as {_about(cases[-1])}: {rule}"
                )
    return "; and ".join(says[:3])


def _verdicts(answer: Answer) -> str:
    runs = [r.record for r in gallery() if r.name in DRAWN]
    lines = {
        ", ".join(sorted(answer(record))) or "healthy": _series(record, "held_out")
        for record in runs
    }
    return curve(
        torch.linspace(5, 100, 20),
        lines,
        "per cent of the run",
        "held-out nats of four runs, and their verdicts",
    )


CHECKLIST = Exercise(
    name="diagnostics.checklist",
    title="A checklist for runs",
    section=10,
    task="From the record of a run to the set of suspicions against it, strings; empty for a healthy run. The keys of a record are "
    "in `pushforward.course.rogues.FACTS`, the suspicions and their thresholds in `SUSPICIONS`.",
    oracle=checklist,
    returns=("suspicions",),
    draw=lambda g, i: ((*GALLERY, *EDGES)[i].record,),
    reads=suspected,
    shows=_in_words,
    about=_about,
    explains=_explained,
    cases=len(GALLERY) + len(EDGES),
    slips=(
        Slip("nothing is ever suspected; a falling loss is no proof of health", lambda r: set()),
        Slip(
            "only one suspicion comes back for each run; a run may deserve several, and one that copies may overfit too",
            lambda r: set([name for name in RULES if RULES[name](r)][:1]),
        ),
        _slip(
            "a falling loss is taken for health: a VAE whose KL is zero has collapsed, whatever its loss does",
            posterior_collapse=_never,
        ),
        _slip(
            "a model without a KL is suspected of posterior collapse: None means that there is no such number, not zero",
            posterior_collapse=lambda r: (r["kl"] or 0.0) < 0.1,
        ),
        _slip(
            "nobody counts the modes: samples may look right one by one and miss half of the data",
            mode_collapse=_never,
        ),
        _slip(
            "a run without known modes is suspected of mode collapse: None means that there is no such number, not zero",
            mode_collapse=lambda r: (r["modes"] or 0.0) < 0.9,
        ),
        _slip(
            "samples are never compared with training examples: memorisation is missed",
            memorisation=_never,
        ),
        _slip(
            "a healthy run is suspected of memorisation: how near is near depends on how many training examples there are, so "
            "compare with the distance of held-out examples",
            memorisation=lambda r: _below(r, "nearest", 0.03),
        ),
        _slip(
            "a healthy run is suspected of memorisation: one sample in a hundred of an honest model is a near duplicate by chance",
            memorisation=lambda r: (r["near_duplicates"] or 0.0) > 0.0,
        ),
        _slip(
            "every gap between training and test examples is called overfitting; one within a few standard errors is chance",
            overfitting=lambda r: _gap(r) > 0,
        ),
        _slip(
            "training and test likelihoods are never compared for overfitting", overfitting=_never
        ),
        _slip(
            "overfitting and a test leak are exchanged: which examples are likelier than they should be?",
            overfitting=lambda r: _gap(r) < -ERRORS,
            test_leak=lambda r: _gap(r) > ERRORS or _leaks(r),
        ),
        _slip(
            "a run that came to its end may have diverged on the way: look at the largest loss",
            divergence=lambda r: not r["finished"],
        ),
        _slip(
            "a loss that ends a little higher than it began is called divergence; losses of a game circle, and others are noisy",
            divergence=lambda r: (
                not r["finished"] or _series(r, "loss")[-1] > _series(r, "loss")[0]
            ),
        ),
        _slip(
            "a critic that can hardly tell real from generated is the aim of the game; only without a gradient is it dead",
            dead_discriminator=lambda r: _wins(r) or _below(r, "critic", 0.7),
        ),
        _slip(
            "a critic that gives up leaves no gradient: it is dead as well as one that wins",
            dead_discriminator=_wins,
        ),
        _slip(
            "a critic that is always right is dead as well as one that gives up: the game is over",
            dead_discriminator=_gives_up,
        ),
        _slip(
            "a lower bound integrates to less than one, and rightly: only an exact density must reach it",
            wrong_density=_off,
        ),
        _slip(
            "a high likelihood is believed: does exp of it integrate to one?", wrong_density=_never
        ),
        _slip(
            "a sum over a grid is no exact integral: a mass of 0.9998 is one",
            wrong_density=lambda r: r["kind"] == "exact" and _off(r, 1e-12),
        ),
        _slip(
            "every last small fall of the held-out loss is called undertrained: compare it with the whole fall",
            undertrained=partial(_falls, share=0.0),
        ),
        _slip(
            "nobody looks whether the held-out loss was still falling at the end",
            undertrained=_never,
        ),
        _slip(
            "test examples a little likelier than training examples are called a leak; within a few standard errors that is chance",
            test_leak=lambda r: _gap(r) < 0 or _leaks(r),
        ),
        _slip(
            "a test result that is too good is believed: test examples may lie among the training examples",
            test_leak=_never,
        ),
    ),
    laws=(
        Law("a healthy run is suspected of nothing", _spares),
        *(
            Law(f"{name} is suspected where it is and nowhere else", partial(_agrees, name))
            for name in SUSPICIONS
        ),
    ),
    hints=(
        "Write one `if` for each suspicion, not a chain of `elif`: a run may deserve several. A number that a family does not "
        "have is None, so ask for that first.",
        "A number means something beside another: distances of samples beside those of held-out examples, gaps beside their "
        "standard errors, the last fall beside the whole fall, and a mass beside one only if the density is exact.",
        "gap = (train_nats - test_nats) / gap_error: overfitting above 3, test leak below -3. undertrained: held[-3] - held[-1] > "
        "0.05 * (max(held) - held[-1]). dead discriminator: critic > 0.95, or gradients[-1] < max(gradients) / 50.",
    ),
    picture=_verdicts,
)

EXERCISES = (CHECKLIST, ACTIVE)
