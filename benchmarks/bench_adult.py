"""The autoregressive model of tables on UCI Adult, against independent columns, a Chow-Liu tree and a logistic regression.

Usage: python benchmarks/bench_adult.py [SECONDS]   (130 seconds of training by default; best score to expect: 28.0 nats/row)

The full data lie beside the checkout in `shared/data/tables` (adult.data: 32,561 rows to train on; adult.test: 16,281 to test on,
where labels end with a full stop); without them the built-in sample of 6,000 rows is used. Numbers are nats per row.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import OneHotEncoder

from pushforward.core.given import Examples
from pushforward.core.spec import TrainConfig
from pushforward.core.table import Table
from pushforward.data.open import open_data
from pushforward.data.tables.encoding import TableEncoding
from pushforward.data.tables.sheet import Reading, read_sheet
from pushforward.engine.fit import fit
from pushforward.families.autoregressive.cells import NumberCells
from pushforward.families.autoregressive.rows import RowBackbone
from pushforward.families.build import build, settings

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data" / "tables"
SAMPLES, CELLS = 10_000, 96
GIVEN = "education=Bachelors,age=37,sex=Female"


def data() -> tuple[TableEncoding, Examples, Examples, Examples]:
    """Return the encoding and the splits; every 32nd training row is kept for choosing the best average."""
    if not (FOLDER / "adult.data").is_file():
        mini = open_data("adult-mini")
        assert isinstance(mini.encoding, TableEncoding)
        return mini.encoding, mini.train, mini.validation, mini.test
    frames = [read_sheet(FOLDER / name, Reading()).frame for name in ("adult.data", "adult.test")]
    frames[1]["pay"] = frames[1]["pay"].str.removesuffix(".")
    encoding = TableEncoding.of(pd.concat(frames, ignore_index=True))
    train, test = (encoding.encode(frame) for frame in frames)
    held = torch.arange(len(train)) % 32 == 0
    return encoding, Examples(train[~held]), Examples(train[held]), Examples(test)


def cells_of(
    space: Table, train: torch.Tensor, test: torch.Tensor
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return training and test cells (n, C), and the log-law within cells of the test rows: what every baseline shares."""
    numbers = [i for i, column in enumerate(space.columns) if not column.discrete]
    net = NumberCells([space.columns[i] for i in numbers], CELLS)
    net.fit(train[:, numbers])
    out = []
    for x in (train, test):
        cell = torch.nan_to_num(x, nan=len(space.columns[0].categories) + 1000.0).long()
        cell[:, numbers] = net.locate(x[:, numbers])
        out.append(cell)
    return (
        out[0].numpy(),
        out[1].numpy(),
        net.log_law(test[:, numbers], out[1][:, numbers]).sum(1).numpy(),
    )


def log_table(a: np.ndarray, pseudo: float, size: int) -> np.ndarray:
    """Return log-frequencies with a pseudo-count."""
    counts = np.bincount(a, minlength=size) + pseudo
    return np.log(counts / counts.sum())


def tree(train: np.ndarray, test: np.ndarray) -> tuple[float, float]:
    """Return the nats of independent columns and of the Chow-Liu tree (maximum spanning tree of mutual information)."""
    both, columns = np.concatenate([train, test]), train.shape[1]
    codes = [np.unique(both[:, c], return_inverse=True) for c in range(columns)]
    sizes = [len(values) for values, _ in codes]
    a = [code[: len(train)] for _, code in codes]
    b = [code[len(train) :] for _, code in codes]
    marginal = [log_table(a[c], 0.5, sizes[c]) for c in range(columns)]
    independent = sum(float(marginal[c][b[c]].mean()) for c in range(columns))
    information = np.zeros((columns, columns))
    for i in range(columns):
        for j in range(i):
            joint = np.bincount(a[i] * sizes[j] + a[j], minlength=sizes[i] * sizes[j]).reshape(
                sizes[i], -1
            ) / len(train)
            outer = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
            seen = joint > 0
            # Miller-Madow: an empirical mutual information is too large by about (cells - rows - columns + 1) / 2n
            bias = (seen.sum() - sizes[i] - sizes[j] + 1) / (2 * len(train))
            information[i, j] = information[j, i] = (
                joint[seen] * np.log(joint[seen] / outer[seen])
            ).sum() - bias
    reached, total = [0], float(marginal[0][b[0]].mean())
    while len(reached) < columns:
        rest = [c for c in range(columns) if c not in reached]
        parent, child = max(
            ((p, c) for p in reached for c in rest), key=lambda pair: information[pair]
        )
        joint = np.zeros((sizes[parent], sizes[child]))
        np.add.at(joint, (a[parent], a[child]), 1.0)
        # each conditional is shrunk towards the marginal by one pseudo-row
        conditional = (joint + np.exp(marginal[child])) / (joint.sum(1, keepdims=True) + 1.0)
        total += float(np.log(conditional[b[parent], b[child]]).mean())
        reached.append(child)
    return independent, total


def main(seconds: float) -> None:
    """Train, score, check and time."""
    torch.set_num_threads(1)
    encoding, train, validation, test = data()
    space = encoding.space
    print(
        f"{len(train)} training rows, {len(test)} test rows, {len(space.columns)} columns, {space.measure} measure"
    )
    a, b, law = cells_of(space, train.x, test.x)
    independent, chow_liu = tree(a, b)
    print(f"independent columns: {-(independent + law.mean()):.3f} nats/row")
    print(f"Chow-Liu tree:       {-(chow_liu + law.mean()):.3f} nats/row")
    chosen = settings("autoregressive", space, "cpu")
    model = build("autoregressive", space, values=chosen["model"], seed=0)
    record = fit(model, train, validation, TrainConfig(**chosen["train"], seconds=seconds))
    net = model.net
    assert isinstance(net, RowBackbone)
    lp = model.log_prob(test)
    kept = f"{record.parameters} parameters, {record.steps} steps in {record.seconds:.0f} s, best at {record.best_step}"
    print(f"autoregressive:      {lp.value:.3f} +- {lp.standard_error:.3f} nats/row ({kept})")
    with torch.no_grad():
        terms = torch.cat([net.terms(part, None) for part in test.x.split(2048)]).mean(0)
    names = [column.name for column in space.columns]
    print(
        "  by column: "
        + ", ".join(f"{name} {-float(t):.3f}" for name, t in zip(names, terms, strict=True))
    )
    encoder = OneHotEncoder(handle_unknown="ignore").fit(a[:, :-1])
    logistic = LogisticRegression(C=0.3, max_iter=500).fit(encoder.transform(a[:, :-1]), a[:, -1])
    p = logistic.predict_proba(encoder.transform(b[:, :-1]))[np.arange(len(b)), b[:, -1]]
    print(
        f"{names[-1]} given all others: {-float(terms[-1]):.4f} nats, logistic regression on cells {-np.log(p).mean():.4f}"
    )
    started = time.perf_counter()
    x = model.sample(SAMPLES, seed=1)
    print(
        f"{SAMPLES} samples in {time.perf_counter() - started:.1f} s, {valid(space, encoding, x):.2%} of values valid"
    )
    started = time.perf_counter()
    x = model.sample(SAMPLES, given=encoding.parse_given(GIVEN, SAMPLES), seed=1)
    seconds, frame = time.perf_counter() - started, encoding.decode(x)
    kept_all = (
        (frame["education"] == "Bachelors") & (frame["age"] == 37) & (frame["sex"] == "Female")
    )
    print(
        f"{SAMPLES} samples given {GIVEN} in {seconds:.1f} s, 0 rejected, {kept_all.mean():.2%} keep what is known,"
    )
    print(f"  {valid(space, encoding, x):.2%} of values valid")


def valid(space: Table, encoding: TableEncoding, x: torch.Tensor) -> float:
    """Return the share of values that are known categories, or grid numbers within the bounds."""
    good = np.zeros(tuple(x.shape), dtype=bool)
    for i, column in enumerate(space.columns):
        values = x[:, i].numpy()
        legal = (values >= 0) & (values < len(column.categories)) & (values == np.round(values))
        if not column.discrete:
            legal = np.isfinite(values) & ~(column.bounded_below & (values < column.low))
            legal &= ~(column.bounded_above & (values > column.high))
            legal &= column.step is None or values == np.round(values / (column.step or 1)) * (
                column.step or 1
            )
        good[:, i] = legal | (np.isnan(values) & column.missing)
    encoding.encode(encoding.decode(x))
    return float(good.mean())


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 130.0)
