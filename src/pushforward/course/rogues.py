"""The rogues' gallery: records of tiny runs, some healthy and some broken on purpose.

Two ideas: a record holds what a person would look at and nothing that gives the answer away; every
record was made by really training, and `python -m pushforward.course.rogues` makes all of them
again, equal for equal machines.
"""

from __future__ import annotations

import copy
import json
import sys
import time
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from pushforward.core.errors import BadInput, unknown
from pushforward.core.files import write_text

STORED = "rogues.json"

SUSPICIONS = {
    "posterior collapse": "the KL of a VAE is below 0.1 nats per example: its decoder ignores the code",
    "mode collapse": "samples visit less than 0.9 of the modes that the data have",
    "memorisation": "samples lie at most half as far from the nearest training example as held-out examples do",
    "overfitting": "training examples are likelier than test examples by more than three standard errors of the difference",
    "divergence": "the run could not be finished, or a loss of its history is not finite or above ten times the first one "
    "(above ten, if the first one is below one)",
    "dead discriminator": "the critic orders more than 95 % of real and generated pairs rightly, or gives up: the last gradient "
    "norm of the generator is below a fiftieth of the largest",
    "wrong density": "an exact density whose integral differs from one by more than a tenth",
    "undertrained": "the held-out loss falls in the last tenth of the run, from the third last entry of the history to the last, "
    "by more than a twentieth of what it fell in all, from its largest value to the last",
    "test leak": "test examples are likelier than training examples by more than three standard errors of the difference, or "
    "more than 1 % of them occur among the training examples",
}

FACTS = {
    "family": "`autoregressive`, `flow`, `vae`, `gan` or `diffusion`",
    "data": "what it was trained on",
    "training_examples": "how many",
    "steps": "how many were planned",
    "finished": "whether the run came to its end; if not, nothing after it was measured",
    "updates_skipped": "updates whose loss or gradient was not finite",
    "history": "a list of dictionaries in order, at most twenty and evenly spread: `step`, `loss` (mean since the one before, None "
    "if not finite), `held_out` (nats of held-out examples, lower is better; for a GAN a distance), and what the family records: "
    "`KL [nats]`, `D(real) - D(fake)`, `gradient norm, generator`",
    "kind": "what its likelihood is: `exact`, `lower_bound`, or None for a GAN",
    "train_nats": "mean log-likelihood of training examples, in nats",
    "test_nats": "the same of test examples",
    "gap_error": "standard error of the difference of the two",
    "mass": "integral of exp(log-likelihood) over the plane; of a lower bound it is at most one",
    "kl": "KL(q(z|x) || p(z)) of a VAE, in nats, mean over held-out examples",
    "modes": "share of the modes of the data that samples visit, where modes are known",
    "near_duplicates": "share of samples that are near duplicates of one training example",
    "near_duplicates_by_chance": "the same share for an honest model",
    "nearest": "median distance of a sample to its nearest training example",
    "nearest_held_out": "median distance of a held-out example to its nearest training example",
    "critic": "share of pairs of a real and a generated example that the critic of a GAN orders rightly",
    "test_in_train": "share of test examples that occur among the training examples",
}


@dataclass(frozen=True)
class Rogue:
    """A run of the gallery.

    Attributes:
        name: what it is called.
        broken: what was done to it, a sentence; empty for a healthy run.
        suspicions: what must be suspected; empty for a healthy run.
        record: what it says about itself; `FACTS` says what each key is, and None stands where
            there is no such number.
    """

    name: str
    broken: str
    suspicions: frozenset[str]
    record: dict[str, Any]


def gallery() -> tuple[Rogue, ...]:
    """Return all runs, the healthy ones first; the records are the caller's own.

    Example:
        >>> [rogue.name for rogue in gallery() if "memorisation" in rogue.suspicions]
        ['memoriser']
    """
    return copy.deepcopy(_stored())


def rogue(name: str) -> Rogue:
    """Return one run of the gallery.

    Raises:
        BadInput: no such run.

    Example:
        >>> rogue("wrong sign").record["mass"] > 1e6
        True
    """
    found = {r.name: r for r in gallery()}
    if name not in found:
        raise BadInput(*unknown("run of the gallery", name, list(found)))
    return found[name]


@cache
def _stored() -> tuple[Rogue, ...]:
    records = json.loads(resources.files("pushforward.course").joinpath(STORED).read_text())
    return tuple(
        Rogue(r["name"], r["broken"], frozenset(r["suspicions"]), r["record"]) for r in records
    )


def main(words: list[str]) -> int:
    """Train all runs again and write them beside this module, or into the file that is named;
    return the exit status."""
    import torch

    from pushforward.course.rogue_runs import RUNS

    torch.set_num_threads(1)  # sums over threads have no fixed order
    lines = []
    for run in RUNS:
        began = time.perf_counter()
        made = {
            "name": run.name,
            "broken": run.broken,
            "suspicions": list(run.suspicions),
            "record": run.record(),
        }
        lines.append(json.dumps(made, allow_nan=False))
        sys.stderr.write(f"{time.perf_counter() - began:6.1f} s  {run.name}\n")
    path = Path(words[0]) if words else Path(__file__).with_name(STORED)
    write_text(path, "[\n" + ",\n".join(lines) + "\n]\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
