"""Diffusion of tables on UCI Adult beside the autoregressive model, both at the same processor time on one thread.

Usage: python benchmarks/bench_table_diffusion.py [SECONDS] [FAMILY ...]   (130 seconds of training each by default, both families)

Prints nats per row of held-out rows (a lower bound for diffusion, exact for the other), how far single columns and pairs of columns
of 10,000 drawn rows are from the test rows (total variation, beside that of as many training rows), how many values are legal, and
the time that it takes. The data are those of bench_adult.py.
"""

from __future__ import annotations

import itertools
import sys
import time

import numpy as np
import torch
from bench_adult import GIVEN, SAMPLES, data, valid

from pushforward.core.given import Examples
from pushforward.core.model import GenerativeModel
from pushforward.core.spec import TrainConfig
from pushforward.core.table import Table
from pushforward.engine.fit import fit
from pushforward.families.build import build, settings

BINS, PAIR_BINS = 50, 12


def binned(space: Table, reference: torch.Tensor, x: torch.Tensor, bins: int) -> np.ndarray:
    """Return every value's bin (n, C): its category, or the quantile bin of the reference that a number lies in, -1 if missing."""
    out = np.full(tuple(x.shape), -1, dtype=np.int64)
    for i, column in enumerate(space.columns):
        values, known = x[:, i].numpy(), ~np.isnan(x[:, i].numpy())
        if column.discrete:
            out[known, i] = values[known].astype(np.int64)
            continue
        real = reference[:, i].numpy()
        edges = np.unique(np.quantile(real[~np.isnan(real)], np.linspace(0, 1, bins + 1)[1:-1]))
        out[known, i] = np.searchsorted(edges, values[known], side="right")
    return out


def total_variation(a: np.ndarray, b: np.ndarray) -> float:
    """Return half the sum of the differences of two samples' frequencies over rows of bins."""
    seen, place = np.unique(np.concatenate([a, b]), axis=0, return_inverse=True)
    place = place.ravel()
    p, q = (
        np.bincount(part, minlength=len(seen)) / len(part)
        for part in (place[: len(a)], place[len(a) :])
    )
    return 0.5 * float(np.abs(p - q).sum())


def fidelity(space: Table, test: torch.Tensor, x: torch.Tensor) -> str:
    """Return the mean total variation of single columns and of pairs between drawn and test rows."""
    one = [binned(space, test, rows, BINS) for rows in (x, test)]
    two = [binned(space, test, rows, PAIR_BINS) for rows in (x, test)]
    columns = range(len(space.columns))
    single = [total_variation(one[0][:, [i]], one[1][:, [i]]) for i in columns]
    pairs = [
        total_variation(two[0][:, [i, j]], two[1][:, [i, j]])
        for i, j in itertools.combinations(columns, 2)
    ]
    return f"columns {np.mean(single):.4f} (worst {max(single):.4f}), pairs {np.mean(pairs):.4f} (worst {max(pairs):.4f})"


def steps_in(model: GenerativeModel, train: Examples, chosen: TrainConfig, seconds: float) -> int:
    """Return how many training steps fit in a processor time, from a few that are thrown away."""
    few = 30
    started = time.process_time()
    fit(
        model,
        train[: 8 * chosen.batch_size],
        train[:64],
        chosen.model_copy(update={"steps": few, "evaluate_every": few}),
    )
    return max(1, int(seconds / (time.process_time() - started) * few))


def run(family: str, seconds: float) -> None:
    """Train one family, score it, draw from it."""
    encoding, train, validation, test = data()
    space = encoding.space
    chosen = settings(family, space, "cpu")
    config = TrainConfig(**chosen["train"])
    steps = steps_in(build(family, space, values=chosen["model"], seed=1), train, config, seconds)
    model = build(family, space, values=chosen["model"], seed=0)
    started = time.process_time()
    record = fit(model, train, validation, config.model_copy(update={"steps": steps}))
    spent = time.process_time() - started
    print(
        f"{family}: {record.parameters} parameters, {steps} steps in {spent:.0f} s, best at {record.best_step}"
    )
    started = time.process_time()
    lp = model.log_prob(test, samples=32)
    noise = (
        ""
        if lp.stderr is None
        else f", Monte Carlo error {float(lp.stderr.square().mean().sqrt()):.2f} a row"
    )
    print(f"  {lp.kind} {lp.value:.3f} +- {lp.standard_error:.3f} nats/row", end="")
    print(f" ({lp.calls:.0f} calls a row, {time.process_time() - started:.0f} s{noise})")
    started = time.process_time()
    x = model.sample(SAMPLES, seed=1)
    calls = model.walk(1).calls
    print(
        f"  {SAMPLES} rows in {time.process_time() - started:.1f} s ({calls:.0f} calls), ", end=""
    )
    print(
        f"{valid(space, encoding, x):.2%} of values valid; total variation of {fidelity(space, test.x, x)}"
    )
    x = model.sample(SAMPLES, given=encoding.parse_given(GIVEN, SAMPLES), seed=1)
    frame = encoding.decode(x)
    kept = (frame["education"] == "Bachelors") & (frame["age"] == 37) & (frame["sex"] == "Female")
    print(
        f"  given {GIVEN}: {kept.mean():.2%} keep what is known, pay above 50K {(frame['pay'] == '>50K').mean():.3f}",
        end="",
    )
    like = (test_frame := encoding.decode(torch.cat([train.x, test.x])))[["education", "sex"]].eq(
        ["Bachelors", "Female"]
    )
    near = like.all(axis=1) & test_frame["age"].between(35, 39)
    print(
        f" (real rows aged 35 to 39: {(test_frame.loc[near, 'pay'] == '>50K').mean():.3f} of {near.sum()})"
    )


def main(seconds: float, families: list[str]) -> None:
    """Measure both families and the training rows themselves."""
    torch.set_num_threads(1)
    encoding, train, _, test = data()
    print(
        f"{len(train)} training rows, {len(test)} test rows, {len(encoding.space.columns)} columns"
    )
    real = train.x[torch.randperm(len(train), generator=torch.Generator().manual_seed(0))[:SAMPLES]]
    print(f"{len(real)} training rows: total variation of {fidelity(encoding.space, test.x, real)}")
    for family in families:
        run(family, seconds)


if __name__ == "__main__":
    main(
        float(sys.argv[1]) if len(sys.argv) > 1 else 130.0,
        sys.argv[2:] or ["autoregressive", "diffusion"],
    )
