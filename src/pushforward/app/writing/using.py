"""What one does with a trained run beside scoring: sample from it, explain it, cite it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from pushforward.app.runs.admitting import admitted
from pushforward.app.runs.training import open_model
from pushforward.app.writing.generation import FREE, TextRules
from pushforward.app.writing.observing import BLIND, Sight, companions
from pushforward.app.writing.writer import Writer
from pushforward.core.capabilities import Card
from pushforward.core.conditions import Condition, draw_labels, resolve
from pushforward.core.data_kind import DATA_KINDS, kind_of, names_in_a_space
from pushforward.core.errors import BadInput
from pushforward.core.given import Given, label_of
from pushforward.core.model import GenerativeModel
from pushforward.core.noise import Streams
from pushforward.data.encoding import Encoding
from pushforward.data.folders import few
from pushforward.data.formats.choosing import output_format
from pushforward.data.formats.file_formats import TEXT
from pushforward.data.formats.format import Samples
from pushforward.data.identity import IdentityEncoding
from pushforward.families.build import family_class
from pushforward.families.catalogue import FAMILIES, STUDENTS, registry_of


@dataclass(frozen=True)
class Conditions:
    """What samples are to fulfil, in the words of who asks.

    Attributes:
        given: a class, or what the run's dictionary understands: `column=value,...` for tables, a
            prompt for text.
        context: what all samples are about: a text for text, numbers or an `.npy` for images.
        rules: of text: stop strings, a pattern or a set of strings.
        sight: what was seen of them, for images and points.
        kept: rules of rows, beside those of the run.
        ready: conditions that stand in the place of `given`: of a file, or of a balanced column.
    """

    given: str | None = None
    context: str | None = None
    rules: TextRules = FREE
    sight: Sight = BLIND
    kept: tuple[str, ...] = ()
    ready: Given | None = None

    def of(self, count: int) -> Conditions:
        """Return those of the first examples."""
        return self if self.ready is None else replace(self, ready=self.ready[:count])


UNCONDITIONED = Conditions()
IDENTITY = IdentityEncoding()


def draw(
    model: GenerativeModel,
    n: int,
    asked: Conditions = UNCONDITIONED,
    seed: int = 0,
    on_step: Callable[[int, int], None] | None = None,
    encoding: Encoding = IDENTITY,
    say: Callable[[Sequence[str]], None] | None = None,
    **options: Any,
) -> Samples:
    """Draw samples; `options` are those the family declares, None means the family's default.

    Raises:
        BadInput: rules for what is no text, or files for what has a dictionary.
    """
    chosen = companions({key: value for key, value in options.items() if value is not None})
    encoding = encoding.keeping(asked.kept).seeded(seed) if asked.kept else encoding.seeded(seed)
    given, context, rules, sight = asked.given, asked.context, asked.rules, asked.sight
    if rules:
        text = encoding.as_text("stop strings or a pattern", "leave them out")
        x = Writer(model, text, given, seed, rules, chosen, context).tokens(n, on_step)
        return text.samples(x, model.space, None, None)
    condition = asked.ready
    if condition is None:
        condition = encoding.condition(given, n, context, model.context, model.classes)
    if sight and not kind_of(model.space).in_a_space:
        wanted = f"a run on {names_in_a_space()}"
        raise BadInput(f"observed files for a run on {model.space.kind}", wanted, "see --given")
    if sight:
        condition = sight.condition(
            model, condition, n, model.classes or getattr(chosen.get("classifier"), "classes", ())
        )
    condition = with_labels(model, encoding, condition, n, seed)
    x, accepted = admitted(model, n, condition, seed, encoding, chosen, on_step)
    if say is not None:
        say([accepted.withheld, accepted.words])
    free = condition is None
    names = drawn_classes(model, n, seed) if free else None if given is None else (given,) * n
    return encoding.samples(x, model.space, names, label_in(model, n, condition))


def with_labels(
    model: GenerativeModel, encoding: Encoding, condition: Condition, n: int, seed: int
) -> Condition:
    """Return the condition of n samples that are rows with a label: where nothing is given, labels
    are drawn as training had them.

    A row `(x, label)` comes from `p(label) p(x | label)`; drawn the other way round its label would
    be unknown.
    """
    if not encoding.labelled or condition is not None or not model.classes:
        return condition
    return Given(draw_labels(model.label_frequency.cpu(), Streams(seed, n)))


def drawn_classes(model: GenerativeModel, n: int, seed: int) -> tuple[str, ...] | None:
    """Return the class that each of n samples without a condition was drawn for, None where a model
    draws none.

    A model that knows no distribution without its label draws one first, with the first uniform
    number of each example's stream.
    """
    if not model.classes or model.capabilities.null_condition:
        return None
    labels = draw_labels(model.label_frequency.cpu(), Streams(seed, n))
    return tuple(model.classes[i] for i in labels.tolist())


def label_in(model: GenerativeModel, n: int, condition: Condition) -> Tensor | None:
    """Return the labels that n samples were conditioned on, None where there are none."""
    return label_of(resolve(condition, n, model.classes)) if model.classes else None


def unlabelled(model: GenerativeModel, asked: Conditions) -> str:
    """Return why samples of a model that knows classes have none, empty if they have or nobody
    knows any."""
    if not model.classes or asked.given is not None or not model.capabilities.null_condition:
        return ""
    return f"no class was asked for, so samples have none: --given, one of {few(model.classes)}, gives them one"


def said_of_file(samples: Samples, path: str | Path) -> str:
    """Return what a reader of the file should know that samples are written to, empty if there is
    nothing."""
    hidden = samples.encoding.run_together(samples.shown)
    if not hidden or output_format(path, samples) is not TEXT:
        return ""
    other = Path(path).with_suffix("")
    return f"some texts hold {hidden}, so {path} does not say where each ends: -o {other}.jsonl or -o {other}/ (a file each) does"


def card_of(target: str) -> tuple[str, Card, dict[str, Any] | None]:
    """Return the family, its card and, if `target` is a run directory, the run's manifest."""
    if Path(target).is_dir():
        _, record = open_model(Path(target))
        return record.config["family"], family_class(record.config["family"]).card, record.manifest
    return registry_of(target).resolve(target), family_class(target).card, None


def capability_table() -> list[dict[str, str]]:
    """Return one row per family, and per student of one, computed from the declarations on the
    classes."""
    rows = []
    for name in (*FAMILIES.names(), *STUDENTS.names()):
        c = family_class(name).capabilities
        row = {"family": name}
        for kind in DATA_KINDS.names():
            estimators = c.estimators.get(kind)
            if estimators is None:
                row[f"log p, {kind}"] = "not yet"
            else:
                row[f"log p, {kind}"] = (
                    ", ".join(f"{e.name} ({e.kind.replace('_', ' ')})" for e in estimators)
                    or "none"
                )
        row["network calls a sample"] = c.sampling_cost
        row["encode"] = ", ".join(f"{how} ({kind})" for kind, how in c.encode.items()) or "no"
        row["given"] = ", ".join(c.conditions)
        laws = [f"{one.name} ({kind})" for kind, one in c.conditionals.items()]
        row["a column given others"] = ", ".join(laws) or "no"
        row["sampling options"] = ", ".join(option.name for option in c.options) or "none"
        row["solvers"] = ", ".join(c.solver_names) or "none"
        rows.append(row)
    return rows
