"""Whether a change of the code changed any number: weights, samples and likelihoods of every family, to the last bit.

Run `equal_weights.py record DIR` with the code as it was and `equal_weights.py check DIR` with the code as it is, on one machine.
`record` leaves a run of a few steps for every family, kind of data, architecture and preset; `check` trains each
again, and opens, samples and scores the runs that the other code has left.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

import pushforward as pf
from pushforward.families.build import family_class
from pushforward.families.catalogue import FAMILIES

DATA = {"points": "two-moons", "image": "digits", "table": "adult-mini", "text": "shakespeare"}
PRESETS = {"smoke": 3, "cpu": 1}
OTHERWISE: list[tuple[str, str, dict[str, Any]]] = [
    ("diffusion", "points", {"path": "rectified-flow"}),
    ("diffusion", "points", {"path": "cosine", "prediction": "velocity"}),
    ("diffusion", "image", {"path": "ddpm-linear"}),
    ("vae", "points", {"kl_warmup": 2}),
]


def main() -> None:
    """Record or check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("record", "check"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", help="cases whose name begins so")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    kept, differ = asked.folder / "found.json", []
    known = json.loads(kept.read_text()) if kept.exists() else {}
    loaded = {kind: pf.load(name) for kind, name in DATA.items()}
    for name, family, kind, settings, steps, preset in cases():
        if not name.startswith(asked.only):
            continue
        path = asked.folder / name.replace(":", "-")
        if asked.what == "record":
            try:
                fitted = pf.fit(
                    family,
                    loaded[kind],
                    steps=steps,
                    preset=preset,
                    seed=1,
                    settings={"model": settings},
                    path=path,
                )
            except pf_error() as error:
                print(f"{name}: {error}")
                continue
            known[name] = numbers(fitted, loaded[kind])
            kept.write_text(json.dumps(known, indent=1))
        elif name in known:
            fitted = pf.fit(
                family,
                loaded[kind],
                steps=steps,
                preset=preset,
                seed=1,
                settings={"model": settings},
            )
            for how, found in (("trained", fitted), ("opened", pf.open(path))):
                now = numbers(found, loaded[kind])
                differ += [
                    f"{name}, {how}: {key}"
                    for key, value in known[name].items()
                    if now[key] != value
                ]
        else:
            differ.append(f"{name}: never recorded")
        print(name, "done", file=sys.stderr)
    print("\n".join(differ) or f"{len(known)} runs, no bit differs")
    sys.exit(bool(differ))


def pf_error() -> type[Exception]:
    """Return what is raised where a combination cannot be."""
    from pushforward.core.errors import PushforwardError

    return PushforwardError


def cases() -> Iterator[tuple[str, str, str, dict[str, Any], int, str]]:
    """Yield name, family, kind of data, model settings, steps and preset of every run."""
    for family in FAMILIES.names():
        declared = family_class(family).capabilities
        for kind in declared.spaces:
            for architecture in ("", *declared.architecture_names(kind)[1:]):
                for preset, steps in PRESETS.items():
                    asked = f"{family}:{architecture}" if architecture else family
                    yield f"{asked}-{kind}-{preset}", asked, kind, {}, steps, preset
    for family, kind, settings in OTHERWISE:
        name = "-".join(f"{key}={value}" for key, value in settings.items())
        yield f"{family}-{kind}-{name}", family, kind, settings, 3, "smoke"


def numbers(fitted: Any, data: Any) -> dict[str, str]:
    """Return hashes of the weights, of two samples and of the log-probabilities of three examples."""
    found = {"weights": of_tensors(fitted.model.state_dict())}
    try:
        found["samples"] = of_text(
            fitted.sample(2, seed=3, **({"length": 8} if data.space.kind == "text" else {}))
        )
    except pf_error():
        found["samples"] = of_text(fitted.sample(2, seed=3))
    if fitted.model.capabilities.estimators[data.space.kind]:
        found["log_prob"] = of_text(fitted.log_prob(data.test[:3], seed=4).nats)
    return found


def of_tensors(tensors: dict[str, torch.Tensor]) -> str:
    """Return the hash of named tensors."""
    whole = hashlib.sha256()
    for name in sorted(tensors):
        whole.update(name.encode())
        whole.update(
            tensors[name].detach().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
        )
    return whole.hexdigest()[:24]


def of_text(value: Any) -> str:
    """Return the hash of numbers, rows or texts."""
    if isinstance(value, torch.Tensor):
        return of_tensors({"value": value})
    text = value.to_csv() if hasattr(value, "to_csv") else json.dumps(value, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


if __name__ == "__main__":
    main()
