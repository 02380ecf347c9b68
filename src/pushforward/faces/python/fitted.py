"""A trained model in a program: samples, log-probabilities and codes in data units, with its
records.

One idea: a `Fitted` model carries what training recorded, so that it can be evaluated and saved.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pushforward.app.runs import averaging, training
from pushforward.app.runs.admitting import admitted
from pushforward.app.runs.opening import encoding_of, reopen
from pushforward.app.runs.planning import Plan
from pushforward.app.verbs.computing import ComputingRequest
from pushforward.app.writing.observing import companions
from pushforward.app.writing.using import label_in, with_labels
from pushforward.core.errors import BadInput, a_type, refusing
from pushforward.core.given import Examples
from pushforward.core.latent import Latent
from pushforward.core.logprob import LogProb
from pushforward.core.model import GenerativeModel
from pushforward.core.placement import AUTO, computing_on
from pushforward.core.whole import whole
from pushforward.data.dataset import Dataset
from pushforward.data.encoding import Encoding
from pushforward.data.identity import IdentityEncoding
from pushforward.faces.python import inputs
from pushforward.faces.python.arguments import perhaps, place
from pushforward.faces.python.inputs import Said
from pushforward.faces.python.worded import in_words_of
from pushforward.provenance.run_directory import RunRecord


class Fitted:
    """A trained model: samples, log-probabilities and codes in data units.

    Made by `fit` and `open`; `model` is the torch module inside, `history` what training recorded.
    """

    def __init__(
        self,
        model: GenerativeModel,
        *,
        plan: Plan | None = None,
        facts: dict[str, Any] | None = None,
        record: RunRecord | None = None,
        path: Path | None = None,
    ) -> None:
        self.model, self.plan, self.record, self.path = model, plan, record, path
        self.facts = facts or {}

    def __repr__(self) -> str:
        return inputs.words_of(self.model, self.facts, self.dataset_name, self.path)

    def sample(
        self,
        n: Any = None,
        given: Said = None,
        seed: Any = 0,
        context: str | None = None,
        rules: Any = (),
        **options: Any,
    ) -> Any:
        """Draw `n` examples in data units: a tensor, a DataFrame for rows, strings for text; see
        `GenerativeModel.sample`.

        Args:
            n: how many, None = one per condition, and 64 where there is none.
            given: a class or a list of n of them, by name or number: 1 is the class called "1", and
                the second one only where no class is called by a number; for tables `{"age": 37,
                "country": "DE"}`, ranges as `{"age": (30, 50)}`, or n such rows (records or a
                DataFrame); for text a prompt or a list of n prompts.
            context: what all of them are about, as `pushforward sample --context` takes it; a
                `Given` brings one of its own.
            rules: of tables, what every row has to keep beside the rules of the run, such as
                `["age >= 18"]`.
            options: those that the family declares; `guide` and `classifier` may be paths, as on
                the command line.

        Example:
            >>> import pushforward as pf
            >>> rows = {"age": [20, 31, 42, 53, 64] * 4, "sex": list("fmfmf") * 4}
            >>> model = pf.fit("autoregressive", rows, steps=2, preset="smoke")
            >>> model.sample(3, given={"sex": "m"})["sex"].tolist()
            ['m', 'm', 'm']
        """
        n, seed = perhaps(n, "n", 1), whole(seed, "seed")
        kept = (rules,) if isinstance(rules, str) else tuple(rules)
        encoding = (self.encoding.keeping(kept) if kept else self.encoding).seeded(seed)
        given, chosen = inputs.listed(given), companions(options)
        if n is None:
            n = inputs.number_of(given) or 64
        classes = self.model.classes or getattr(chosen.get("classifier"), "classes", ())
        given = inputs.condition_of(self.model, encoding, given, n, classes)
        if given is None or isinstance(given, str):
            given = encoding.condition(given, n, context, self.model.context, self.model.classes)
        elif context is not None:
            raise BadInput(
                "a ready condition and a context in words",
                "one of them",
                "put the context into the `Given`",
            )
        given = with_labels(self.model, encoding, given, n, seed)
        x, _ = admitted(self.model, n, given, seed, encoding, chosen)
        return encoding.decode(x, label_in(self.model, len(x), given))

    def log_prob(self, x: Any, given: Said = None, **options: Any) -> LogProb:
        """Return log-probabilities with their kind; see `GenerativeModel.log_prob`.

        Args:
            x: whatever `load` takes (an array, `(x, y)`, a DataFrame, strings, a path), examples of
                a `Dataset`, or a `Dataset`, which stands for its test split. Labels are read as
                `given` is: a number that is the name of a class means it.
            given: as for `sample`, the condition of x.

        Example:
            >>> import pushforward as pf
            >>> model = pf.fit("flow", pf.load("two-moons"), steps=3, preset="smoke")
            >>> len(model.log_prob([[0.0, 1.0], [2.0, 0.5]]))
            2
        """
        x = inputs.examples_of(self.model, self.encoding, x)
        return self.model.log_prob(
            x, inputs.condition_of(self.model, self.encoding, given, len(x)), **options
        )

    @property
    def dataset_name(self) -> str:
        """What it was trained on is called, empty if nobody knows."""
        if self.plan is not None:
            return self.plan.dataset.name
        return (
            "" if self.record is None else str(self.record.manifest.get("data", {}).get("name", ""))
        )

    @property
    def encoding(self) -> Encoding:
        """The dictionary of its data."""
        if self.record is not None and self.plan is None:
            return encoding_of(self.record)
        if self.plan is None:
            return IdentityEncoding(self.model.space, self.model.classes)
        data = self.plan.dataset
        return data.encoding.beside(self.model.space, self.model.classes, data.settings)

    def encode(self, x: Any, given: Said = None) -> Latent:
        """Return codes, where the family has them; `x` as for `log_prob`, whose labels are its
        condition."""
        x = inputs.examples_of(self.model, self.encoding, x)
        said = inputs.condition_of(self.model, self.encoding, given, len(x))
        if isinstance(x, Examples):
            x, said = x.x, x.given if said is None and self.model.classes else said
        return self.model.encode(x, said)

    def decode(self, z: Any, given: Said = None) -> Tensor:
        """Return the examples that codes stand for."""
        codes = z.value if isinstance(z, Latent) else z
        if not isinstance(codes, Tensor):
            with refusing(
                "the codes", "numbers, one row per example", "pass what `encode` returned"
            ):
                codes = torch.as_tensor(np.asarray(codes, dtype=np.float64), dtype=torch.float32)
        if codes.ndim < 2:
            raise BadInput(
                f"codes of shape {tuple(codes.shape)}",
                "one row per example",
                "pass what `encode` returned",
            )
        return self.model.decode(
            codes, inputs.condition_of(self.model, self.encoding, given, len(codes))
        )

    def average(self, path: Any, width: Any = None) -> Fitted:
        """Leave at `path` the run with its weights averaged over another width, None = the best
        held out, and open it.

        Raises:
            BadInput: a model without a run, or one whose run keeps no snapshots
                (`train.ema_snapshots`); see `averaging`.
        """
        if self.path is None:
            raise BadInput("a model without a run", "one made by fit with a path, or by open")
        averaging.average(self.path, place(path), width)
        return open_run(path)

    def save(self, path: Any) -> Path:
        """Copy the run into a new directory that `open` and the command line read.

        Raises:
            BadInput: the directory holds something else, or the model has no run of its own.
        """
        target = place(path)
        training.save_run(self.model, self.plan, self.facts, self.path, target)
        return target


@in_words_of(ComputingRequest)
def open_run(path: Any, device: Any = AUTO) -> Fitted:
    """Open a run directory.

    Args:
        device: where the model computes: auto, cpu, cuda, cuda:1, or a `torch.device`.
    """
    where = place(path)
    with computing_on(device):
        model, record = training.open_model(where)
    return Fitted(model, record=record, facts=record.manifest.get("fit", {}), path=where)


def fitted_model(value: Any, what: str) -> Fitted:
    """Return a fitted model, opened where its path is named.

    Raises:
        BadInput: something that is none.
    """
    if isinstance(value, str | Path):
        return open_run(value)
    if isinstance(value, GenerativeModel):
        return Fitted(value)
    if not isinstance(value, Fitted):
        raise BadInput(
            f"{what}: {a_type(value)}", "a fitted model, from `fit` or `open`, or the path of a run"
        )
    return value


def data_of(fitted: Fitted) -> Dataset:
    """Return the data that a model was trained on.

    Raises:
        BadInput: nobody knows them.
    """
    if fitted.plan is not None:
        return fitted.plan.dataset
    if fitted.record is not None:
        return reopen(fitted.record)
    raise BadInput("a model without data", "its data beside it")
