"""A dataset: three splits of examples in one space, and how they were read.

Two ideas: what the sniffer decided is kept as sentences; the fingerprint changes when any example,
label or split changes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from pushforward.core.context import ContextSpace
from pushforward.core.errors import BadInput
from pushforward.core.given import Examples, label_of
from pushforward.core.registry import Registry
from pushforward.core.space import Space
from pushforward.data.encoding import Encoding
from pushforward.data.identity import IdentityEncoding
from pushforward.data.toys import Density


@dataclass(frozen=True, repr=False)
class Dataset:
    """Examples of one space, split for training, model choice and the final score.

    Attributes:
        classes: names of the labels, empty if there are none.
        notes: what was decided while reading and why, a sentence each.
        source: what `open_data` was given, so that a run can open it again.
        fingerprint: SHA-256 of all examples, labels and splits.
        density: the exact density, for toys.
        encoding: what turns text or tables into tensors and back, and reads files like these data.
        skipped: unreadable files that were left out on request.
        context: the space of what each example is about, None if there is nothing.
        lost: what of the user's data would not reach a model, or could not come back, a sentence
            each: rows, files, columns, frames, precision, alpha, classes.
        settings: what was asked of its reading and is in no encoding, so that a run can read like
            it.
        streams: for text, all tokens of the three splits, of which `x` are windows; the first token
            of each is context.
        findings: of a table, what each column was taken for and how sure that is, in the order of
            the data (see `tables/findings.py`).
        final: whether all examples are trained on, those of the other splits as well.
    """

    name: str
    space: Space
    train: Examples
    validation: Examples
    test: Examples
    classes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    source: str = ""
    fingerprint: str = ""
    density: Density | None = None
    skipped: tuple[str, ...] = ()
    encoding: Encoding = field(default_factory=IdentityEncoding)
    streams: tuple[Tensor, ...] = ()
    context: ContextSpace | None = None
    lost: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    findings: tuple[Any, ...] = ()
    final: bool = False

    def __post_init__(self) -> None:
        known = self.encoding.beside(self.space, self.classes, self.settings)
        object.__setattr__(self, "encoding", known)

    @property
    def losses(self) -> tuple[str, ...]:
        """What is lost, or the one sentence that says that nothing is."""
        return self.lost or ("nothing is lost",)

    def part(self, split: str) -> Examples:
        """Return `train`, `validation` or `test`.

        Raises:
            BadInput: held-out examples of data that were all trained on.
        """
        if self.final and split != "train":
            raise BadInput(
                f"the {split} examples of {self.name}, all of which were trained on",
                "examples that were not",
                "name other data, or measure the run that you chose by, which held some out",
            )
        return {"train": self.train, "validation": self.validation, "test": self.test}[split]

    def __repr__(self) -> str:
        sizes = f"{len(self.train)} training, {len(self.validation)} validation and {len(self.test)} test examples"
        return f"<{self.name}: {self.space.brief}, {sizes}{f', {len(self.classes)} classes' if self.classes else ''}>"


def fingerprint_of(splits: list[Examples], classes: tuple[str, ...]) -> str:
    """Return the hex SHA-256 over shapes, dtypes, values, labels and class names."""
    digest = hashlib.sha256("|".join(classes).encode("utf-8", "surrogatepass"))
    for examples in splits:
        digest.update(f"{tuple(examples.x.shape)} {examples.x.dtype}".encode())
        digest.update(examples.x.contiguous().numpy().tobytes())
        label = label_of(examples.given)
        if label is not None:
            digest.update(label.numpy().tobytes())
        context = None if examples.given is None else examples.given.context
        if context is not None:
            digest.update(context.values.contiguous().numpy().tobytes())
            digest.update(context.length.contiguous().numpy().tobytes())
    return digest.hexdigest()


def in_single_precision(dataset: Dataset) -> str:
    """Return the fingerprint of points as earlier versions computed it: of their values in single
    precision."""
    with_single = [
        replace(part, x=part.x.float())
        for part in (dataset.train, dataset.validation, dataset.test)
    ]
    return fingerprint_of(with_single, dataset.classes)


# what data of a kind hold, in numbers and words
CONTENTS: Registry[Callable[[Dataset], dict[str, Any]]] = Registry(
    "contents of data",
    {
        "points": "pushforward.data.contents:of_numbers",
        "image": "pushforward.data.contents:of_numbers",
        "table": "pushforward.data.contents:of_table",
        "text": "pushforward.data.text.description:of_text",
    },
)


def describe(dataset: Dataset) -> dict[str, Any]:
    """Return a JSON-ready description; what is lost comes last."""
    record: dict[str, Any] = {
        "name": dataset.name,
        "space": dataset.space.facts(),
        "unit": dataset.space.unit.name,
        "train": len(dataset.train),
        "validation": len(dataset.validation),
        "test": len(dataset.test),
        **CONTENTS.load(dataset.space.kind)(dataset),
        "notes": list(dataset.notes),
        "skipped": list(dataset.skipped),
        "fingerprint": dataset.fingerprint,
    }
    if dataset.space.levels is not None:
        record["levels"] = dataset.space.levels
    label = label_of(dataset.train.given)
    if dataset.classes and label is not None:
        counts = torch.bincount(label, minlength=len(dataset.classes)).tolist()
        record["training examples per class"] = [
            f"{c}: {n}" for c, n in zip(dataset.classes, counts, strict=True)
        ]
    if dataset.context is not None:
        record["context"] = dataset.context.described
    if dataset.density is not None:
        record["entropy in nats"] = dataset.density.entropy
    if dataset.findings:
        record["schema"] = [finding.to_json() for finding in dataset.findings]
        record["to check"] = [check for finding in dataset.findings for check in finding.checks]
    if dataset.encoding.made_anew:
        record["made anew in samples"] = list(dataset.encoding.made_anew)
    if dataset.encoding.ruled:
        record["rules that samples keep"] = list(dataset.encoding.ruled)
    record["lost"] = list(dataset.lost)
    return record
