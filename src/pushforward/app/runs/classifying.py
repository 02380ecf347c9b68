"""Train, keep and open the noise-aware classifier that guides a diffusion run.

Two ideas: it is trained in the coordinates of the run, on the run's own noise levels, and kept with
them, so that it cannot guide another run by mistake; what is kept are the weights that were best on
held-out examples at the same levels.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from pushforward.app.runs.loading import opened
from pushforward.app.runs.opening import encoding_of, reopen
from pushforward.app.runs.training import open_model
from pushforward.core.errors import BadInput
from pushforward.core.files import AGAIN, going_on, write_json
from pushforward.core.given import Examples
from pushforward.core.noise import BatchNoise, Streams
from pushforward.core.placement import here
from pushforward.core.rng import generator
from pushforward.core.space import space_from_json
from pushforward.data.dataset import Dataset
from pushforward.engine.checkpoint import load_weights, save_weights
from pushforward.engine.schedule import warmup_cosine
from pushforward.families.diffusion.denoisers.classifier import NoiseAwareClassifier
from pushforward.families.diffusion.gaussian import Gaussian
from pushforward.families.diffusion.model import Diffusion
from pushforward.provenance.lock import refuse_if_written, writing
from pushforward.provenance.ownership import check_claim, claim
from pushforward.provenance.run_directory import FORMAT, MANIFEST, WEIGHTS, RunRecord

RECORD = "classifier.json"
BATCH, RATE, CHECKS, HELD_OUT = 128, 3e-3, 10, 512
READ_AT = 7


def train_classifier(
    run: Path,
    data: Any,
    output: Path,
    *,
    steps: int = 1000,
    width: int = 32,
    seed: int = 0,
    on_step: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Train a classifier of noisy examples for a diffusion run and leave it in a directory; returns
    its record.

    The record holds its accuracy on held-out examples at several noise levels, which at the largest
    is chance.

    Raises:
        BadInput: a run of another family, data without labels or of another space, or an output
            that holds something else.
    """
    model, process, dataset = _fitting(run, data)
    refuse_if_written(output)
    check_claim(output, kind="classifier")
    with going_on(lambda: AGAIN), writing(output):
        claim(output, kind="classifier")
        path, values = process.path, {"width": width, "depth": 1}
        with torch.random.fork_rng(devices=[]):
            torch.random.set_rng_state(generator(seed, "classifier").get_state())
            classifier = NoiseAwareClassifier(
                model.codec, dataset.classes, (path.sigma_min, path.sigma_max), **values
            )
        classifier.preconditioner.load_state_dict(process.denoiser.preconditioner.state_dict())
        classifier = classifier.to(here())
        best = _fit(classifier, dataset, steps, seed, on_step)
        record = {
            "space": model.space.to_json(),
            "classes": list(dataset.classes),
            "levels": list(classifier.levels),
            "network": values,
            "run": str(run),
            "data": dataset.source,
            "steps": steps,
            "seed": seed,
            "held_out": best,
            "n": len(dataset.validation[:HELD_OUT]),
            "accuracy": _accuracies(classifier, dataset),
            "finished": time.strftime("%Y-%m-%d %H:%M:%S"),
        }
        _write(output, classifier, record)
    return record


def _labelled(model: Diffusion, record: RunRecord, data: Any) -> Dataset:
    """Return data read as the run read its own, columns in any order; a run that knows no labels
    takes some beside its columns."""
    try:
        return reopen(record, data)
    except BadInput:
        if model.classes:
            raise
        dataset, wanted = opened(data), list(encoding_of(record).names)
        names = list(dataset.encoding.names)
        if dataset.space != model.space or sorted(names) != sorted(wanted):
            raise
    order = torch.tensor([names.index(name) for name in wanted])
    parts = {
        part: replace(getattr(dataset, part), x=getattr(dataset, part).x[:, order])
        for part in ("train", "validation", "test")
        if names != wanted
    }
    return replace(dataset, **parts)


def _fitting(run: Path, data: Any) -> tuple[Diffusion, Gaussian, Dataset]:
    """Return the model that a classifier is for, its process, and labelled data of its space."""
    model, record = open_model(run)
    if not isinstance(model, Diffusion) or not isinstance(model.process, Gaussian):
        raise BadInput(f"a classifier for {run}", "a diffusion run on images or points")
    dataset = _labelled(model, record, data)
    if len(dataset.classes) < 2:
        raise BadInput(
            f"{data} has {len(dataset.classes)} classes", "labels of two classes or more"
        )
    if model.classes and dataset.classes != model.classes:
        raise BadInput(
            f"{data} has {len(dataset.classes)} classes",
            f"the run's {len(model.classes)}",
            "train it on the run's data",
        )
    return model, model.process, dataset


def _write(output: Path, classifier: NoiseAwareClassifier, record: dict[str, Any]) -> None:
    """Write a classifier between two manifests, of which the first says that nothing in there is
    whole."""
    manifest = {"format": FORMAT, "kind": "classifier", "status": "writing"}
    write_json(output / MANIFEST, manifest)
    save_weights(output / WEIGHTS, dict(classifier.state_dict()))
    write_json(output / RECORD, record)
    write_json(output / MANIFEST, {**manifest, "status": "complete"})


def open_classifier(path: Path) -> NoiseAwareClassifier:
    """Return the classifier of a directory that `train_classifier` wrote.

    Raises:
        BadInput: no classifier there, or damaged files.
    """
    if not (path / RECORD).is_file():
        raise BadInput(
            f"no classifier at {path}", "a directory that `pushforward train-classifier` wrote"
        )
    try:
        record = json.loads((path / RECORD).read_text())
        codec = Gaussian.codec(space_from_json(record["space"]))
        low, high = record["levels"]
        classifier = NoiseAwareClassifier(
            codec, tuple(record["classes"]), (low, high), **record["network"]
        )
        classifier.load_state_dict(load_weights(path / WEIGHTS))
    except (ValueError, KeyError, TypeError, RuntimeError) as error:
        raise BadInput(
            f"the classifier {path} cannot be read ({str(error).splitlines()[0]})", "matching files"
        ) from None
    return classifier.to(here()).eval()


def _encoded(
    classifier: NoiseAwareClassifier, examples: Examples
) -> tuple[torch.Tensor, torch.Tensor]:
    assert examples.given is not None
    assert examples.given.label is not None
    device = next(classifier.parameters()).device
    x, label = examples.x.to(device), examples.given.label.to(device)
    return classifier.codec.encode(x).value, label


def _fit(
    classifier: NoiseAwareClassifier,
    data: Dataset,
    steps: int,
    seed: int,
    on_step: Callable[[int, int], None] | None,
) -> float:
    (x, label), (seen, told) = (
        _encoded(classifier, data.train),
        _encoded(classifier, data.validation[:HELD_OUT]),
    )
    optimiser = torch.optim.AdamW(classifier.network.parameters(), lr=RATE)
    best, kept = float("inf"), classifier.network.state_dict()
    for step in range(steps):
        rng = generator(seed, "classifier", step)
        rows = torch.randint(len(x), (min(BATCH, len(x)),), generator=rng)
        for group in optimiser.param_groups:
            group["lr"] = RATE * warmup_cosine(step / steps, 0.05, 0.0)
        optimiser.zero_grad()
        classifier.loss(x[rows], label[rows], BatchNoise(rng, len(rows), x.device)).backward()
        optimiser.step()
        if step + 1 == steps or (step + 1) % max(1, steps // CHECKS) == 0:
            with torch.no_grad():
                noise = Streams(seed, len(seen), device=seen.device)
                loss = float(classifier.loss(seen, told, noise))
            if loss < best:
                best, kept = (
                    loss,
                    {
                        name: tensor.clone()
                        for name, tensor in classifier.network.state_dict().items()
                    },
                )
        if on_step is not None:
            on_step(step + 1, steps)
    classifier.network.load_state_dict(kept)
    return best


def _accuracies(classifier: NoiseAwareClassifier, data: Dataset) -> dict[str, float]:
    x, label = _encoded(classifier, data.validation[:HELD_OUT])
    low, high = classifier.levels
    places = torch.logspace(0.0, 1.0, READ_AT, base=high / low, dtype=torch.float64) * low
    return {
        f"{s:.3g}": classifier.accuracy(x, label, s, Streams(0, len(x), device=x.device))
        for s in places.tolist()
    }
