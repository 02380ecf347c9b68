"""Tables that people can share, by the scores that papers print: Adult and MAGIC, protection on, several seeds.

Usage: python benchmarks/bench_tables.py [FAMILY ...] [--data adult,magic] [--seconds 300] [--seeds 0,1,2,3,4]
           [--rows held|train] [--protect 5] [--peer mostlyai] [--out FILE.jsonl] [--few N]

Every family is trained by `pf.fit` with a budget of wall-clock seconds on the training rows of the source (Adult: adult.data,
32,561, against adult.test, 16,281; MAGIC: 17,118 against 1,902, drawn once), draws as many rows as are held out (or as there are
training rows), and is scored on what a user would be given, so after protection:

- tree: `2 - 2 AUC` of XGBoost at its defaults in three folds, not cut, against held-out rows and against as many training rows
  (those of this project where xgboost is not installed, which `learner` says), with categories as codes and, of XGBoost, one-hot;
- ours: the tree two-sample score of `pushforward evaluate`, with interval, and its excess on train;
- tstr: area under the curve and accuracy of the last column of classes on the held-out rows, learned from the samples, from as many
  real rows, and from all of them;
- seconds of training (all of `fit`: reading, choosing sizes, training) and of drawing.

A line of JSON for each family and seed is added to FILE; those that are there are not run again. A peer is trained on the same
rows for the same seconds: `mostlyai-engine` where it is installed, with its value protection; rows that cannot be rows of the
data (a category of its own, such as a mark for rare ones) are counted and left out.

Published, of TabPC's retraining (the same score on their own splits and numbers of rows), Adult / MAGIC: TabPC .855 / .860,
TabDiff .841 / .773, TabSyn .794 / .760, CTGAN and TVAE 0.
Scores to expect here: Adult .92 held out in 240 s of two cores, MAGIC .93 in 120 s.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import inspect
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from bench_adult import FOLDER
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import OneHotEncoder

import pushforward as pf
from pushforward.app.measuring.examples import array
from pushforward.core.given import Examples
from pushforward.core.table import Table
from pushforward.data.dataset import Dataset
from pushforward.data.tables.encoding import TableEncoding
from pushforward.data.tables.sheet import Reading, read_sheet
from pushforward.evaluation.table.boosted import tell
from pushforward.evaluation.table.folds import dealt
from pushforward.evaluation.table.tree_score import tree_scores
from pushforward.evaluation.usefulness.target import target_of

HELD = 1902  # rows of MAGIC
CHOSEN_BY = 32  # every so many-th training row chooses the best average of weights
XGBOOST = importlib.util.find_spec("xgboost") is not None
Draw = Callable[[int], pd.DataFrame]


@dataclass(frozen=True)
class Source:
    """Rows to train on and rows to be tried on, as frames and as files that a user would bring."""

    name: str
    train: pd.DataFrame
    held: pd.DataFrame

    def opened(self, folder: Path, protect: int) -> tuple[Dataset, np.ndarray, np.ndarray]:
        """Return the data set whose test split is what was held out, and the rows (n, columns) of both sides.

        All is learned from the file of the training rows: schema, protection and weights.
        """
        file = folder / f"{self.name}.csv"
        self.train.to_csv(file, index=False)
        data = pf.load(str(file), protect=protect, kind="table")
        train, held = (rows_of(frame, data) for frame in (self.train, self.held))
        kept = np.arange(len(train)) % CHOSEN_BY > 0
        parts = [Examples(tensor(rows)) for rows in (train[kept], train[~kept], held)]
        return (
            replace(data, train=parts[0], validation=parts[1], test=parts[2]),
            train,
            held,
        )


def tensor(rows: np.ndarray) -> Any:
    """Return rows as a data set holds them."""
    import torch

    return torch.from_numpy(rows)


def rows_of(frame: pd.DataFrame, data: Dataset) -> np.ndarray:
    """Return the rows of a frame that can be rows of the data, with NaN where a value is missing."""
    assert isinstance(data.encoding, TableEncoding)
    return data.encoding.read_foreign(frame)[0].x.numpy()


def adult(few: int | None) -> Source:
    """Return UCI Adult with its own split."""
    train, held = (read(FOLDER / name) for name in ("adult.data", "adult.test"))
    held["pay"] = held["pay"].str.removesuffix(".")
    return Source("adult", train[:few], held[: None if few is None else few // 2])


def magic(few: int | None) -> Source:
    """Return MAGIC, a tenth of which is held out by a fixed draw."""
    frame = read(FOLDER / "magic04.data")
    order = np.random.default_rng(0).permutation(len(frame))
    train, held = (frame.iloc[part].reset_index(drop=True) for part in (order[HELD:], order[:HELD]))
    return Source("magic", train[:few], held[: None if few is None else few // 2])


SOURCES = {"adult": adult, "magic": magic}


def read(path: Path) -> pd.DataFrame:
    """Return the rows of a file.

    Raises:
        FileNotFoundError: it does not lie beside the checkout.
    """
    sheet = read_sheet(path, Reading())
    if sheet is None:
        raise FileNotFoundError(path)
    return sheet.frame


def tree(x: np.ndarray, y: np.ndarray, space: Table, seed: int, *, one_hot: bool = False) -> float:
    """Return `2 - 2 AUC` of samples x against real rows y, cut to equal numbers; three folds that know nothing of copies."""
    n = min(len(x), len(y))
    rng = np.random.default_rng(seed)
    x, y = (rows[rng.permutation(len(rows))[:n]] for rows in (x, y))
    if not XGBOOST:
        folds = dealt(n, seed), dealt(n, seed + 1)
        return (
            2.0
            - 2.0 * tell(array(tensor(x), space), array(tensor(y), space), folds, space, seed).area
        )
    from xgboost import XGBClassifier

    rows, labels, areas = np.concatenate([x, y]), np.repeat([1, 0], n), []
    if one_hot:
        words = [place for place, column in enumerate(space.columns) if column.discrete]
        marks = OneHotEncoder(sparse_output=False).fit_transform(
            np.nan_to_num(rows[:, words], nan=-1)
        )
        rows = np.concatenate([np.delete(rows, words, axis=1), marks], axis=1)
    for fit, judge in StratifiedKFold(3, shuffle=True, random_state=seed).split(rows, labels):
        told = XGBClassifier().fit(rows[fit], labels[fit]).predict_proba(rows[judge])[:, 1]
        areas.append(roc_auc_score(labels[judge], told))
    return 2.0 - 2.0 * float(np.mean(areas))


def trees(
    x: np.ndarray, train: np.ndarray, held: np.ndarray, space: Table, seed: int
) -> dict[str, Any]:
    """Return the scores of samples against held-out and against training rows."""
    record: dict[str, Any] = {"learner": "xgboost" if XGBOOST else "ours"}
    for name, real in (("held", held), ("train", train)):
        record[name] = tree(x, real, space, seed)
        record[f"{name}_rows"] = min(len(x), len(real))
        if XGBOOST:
            record[f"{name}_one_hot"] = tree(x, real, space, seed, one_hot=True)
    return record


def ours(
    x: np.ndarray, train: np.ndarray, held: np.ndarray, space: Table, seed: int
) -> dict[str, Any]:
    """Return the scores that a card shows, each with its interval."""
    rows = {"samples": x, "reference": held, "train": train}
    found = tree_scores(
        {role: array(tensor(side), space) for role, side in rows.items()}, space, seed=seed
    )
    names = ("held", "train", "excess")
    return {
        "n": found[0].n,
        "null": found[0].null,
        **{name: [s.value, s.low, s.high] for name, s in zip(names, found, strict=True)},
    }


def predicted(x: np.ndarray, held: np.ndarray, place: int, seed: int) -> tuple[float, float]:
    """Return area and accuracy on held-out rows of what learned the classes of a column from rows x."""
    if XGBOOST:
        from xgboost import XGBClassifier

        model: Any = XGBClassifier(random_state=seed)
    else:
        model = HistGradientBoostingClassifier(random_state=seed)
    inputs = [np.delete(rows, place, axis=1) for rows in (x, held)]
    model.fit(inputs[0], x[:, place].astype(int))
    told = model.predict_proba(inputs[1])[:, 1]
    return float(roc_auc_score(held[:, place], told)), float(
        accuracy_score(held[:, place], told > 0.5)
    )


def tstr(
    x: np.ndarray, train: np.ndarray, held: np.ndarray, space: Table, seed: int
) -> dict[str, Any]:
    """Return what samples, as many real rows, and all of them teach of the last column of classes."""
    target = target_of(space.columns)
    place = [column.name for column in space.columns].index(target)
    some = train[np.random.default_rng(seed).permutation(len(train))[: len(x)]]
    record: dict[str, Any] = {"target": target}
    for name, rows in (("samples", x), ("real", some), ("real_all", train)):
        record[f"{name}_auc"], record[f"{name}_accuracy"] = predicted(rows, held, place, seed)
    return record


def fitted(family: str, data: Dataset, seconds: float, seed: int) -> Draw:
    """Return what draws rows of a family that was trained for so long."""
    model = pf.fit(family, data, budget=f"{seconds:g}s", seed=seed, progress=False)
    return lambda n: model.sample(n, seed=seed)


def mostlyai(source: Source, seconds: float, seed: int, folder: Path) -> Draw:
    """Return what draws rows of the peer, trained for so long on the same rows, with its protection."""
    from mostlyai import engine

    def called(function: Callable[..., Any], **options: Any) -> None:
        known = inspect.signature(function).parameters
        function(**{name: value for name, value in options.items() if name in known})

    where = {"workspace_dir": folder / f"mostlyai-{source.name}-{seed}"}
    called(engine.split, tgt_data=source.train, model_type="TABULAR", seed=seed, **where)
    called(engine.analyze, value_protection=True, **where)
    called(engine.encode, **where)
    called(
        engine.train, max_training_time=seconds / 60.0, value_protection=True, device="cpu", **where
    )

    def draw(n: int) -> pd.DataFrame:
        method = {"rare_category_replacement_method": "SAMPLE"}
        called(engine.generate, sample_size=n, device="cpu", seed=seed, **method, **where)
        return pd.read_parquet(where["workspace_dir"] / "SyntheticData")

    return draw


PEERS = {"mostlyai": mostlyai}


def measured(
    name: str, source: Source, asked: argparse.Namespace, seed: int, folder: Path
) -> dict[str, Any]:
    """Train, draw and score one family or peer by one seed."""
    data, train, held = source.opened(folder, asked.protect)
    assert isinstance(data.space, Table)
    started = time.perf_counter()
    if name in PEERS:
        draw = PEERS[name](source, asked.seconds, seed, folder)
    else:
        draw = fitted(name, data, asked.seconds, seed)
    trained = time.perf_counter()
    n = len(train) if asked.rows == "train" else len(held)
    frame = draw(n)
    drawn = time.perf_counter()
    x = rows_of(frame, data)
    counts = {
        "train": len(train),
        "held": len(held),
        "drawn": len(frame),
        "impossible": len(frame) - len(x),
    }
    of = x, train, held, data.space, seed
    return {
        **key_of(name, source.name, asked, seed),
        "counts": counts,
        "tree": trees(*of),
        "ours": ours(*of),
        "tstr": tstr(*of),
        "train_seconds": trained - started,
        "sample_seconds": drawn - trained,
    }


def key_of(name: str, data: str, asked: argparse.Namespace, seed: int) -> dict[str, Any]:
    """Return what tells one line from every other."""
    asked_for = {key: getattr(asked, key) for key in ("seconds", "rows", "protect", "few")}
    return {"data": data, "family": name, "seed": seed, **asked_for}


def known(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a file, none where there is none; one that was cut off is not there."""
    found = []
    for line in path.read_text().splitlines() if path.is_file() else []:
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            print(f"{path}: a line that ends too early was left out")
    return found


def summary(records: list[dict[str, Any]]) -> None:
    """Print means over seeds, with the spread of single ones."""
    parts = (
        ("tree held", lambda r: r["tree"]["held"]),
        ("tree train", lambda r: r["tree"]["train"]),
        ("ours held", lambda r: r["ours"]["held"][0]),
        ("excess", lambda r: r["ours"]["excess"][0]),
        ("TSTR", lambda r: r["tstr"]["samples_auc"]),
        ("real", lambda r: r["tstr"]["real_auc"]),
        ("all real", lambda r: r["tstr"]["real_all_auc"]),
        ("train s", lambda r: r["train_seconds"]),
        ("draw s", lambda r: r["sample_seconds"]),
    )
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for record in records:
        groups.setdefault((record["data"], record["family"]), []).append(record)
    for (data, family), mine in groups.items():
        words = []
        for title, value in parts:
            numbers = [value(record) for record in mine]
            spread = f" +- {statistics.stdev(numbers):.3f}" if len(numbers) > 1 else ""
            words.append(f"{title} {statistics.mean(numbers):.3f}{spread}")
        print(f"{data}, {family}, {len(mine)} seeds: {', '.join(words)}")


def arguments() -> argparse.Namespace:
    """Return what was asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("families", nargs="*", default=[])
    parser.add_argument("--data", default="adult,magic")
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--seeds", default="0,1,2,3,4")
    parser.add_argument("--rows", choices=("held", "train"), default="held")
    parser.add_argument("--protect", type=int, default=5)
    parser.add_argument("--peer", choices=tuple(PEERS), action="append", default=[])
    parser.add_argument("--out", type=Path, default=Path("bench_tables.jsonl"))
    parser.add_argument("--few", type=int, help="training rows to keep, for a try")
    asked = parser.parse_args()
    for peer in asked.peer:  # imported before the clock runs, as this project is
        if importlib.util.find_spec(peer) is None:
            parser.error(
                f"--peer {peer} is not installed here: pip install --no-deps {peer}-engine"
            )
        importlib.import_module(f"{peer}.engine")
    asked.families = asked.families or ([] if asked.peer else ["autoregressive", "diffusion"])
    return asked


def main() -> None:
    """Run whatever is not in the file yet, and print means."""
    asked = arguments()
    print(
        f"trees by {'xgboost at its defaults' if XGBOOST else 'this project: xgboost is not installed'}"
    )
    seen = known(asked.out)
    for data in asked.data.split(","):
        source = SOURCES[data](asked.few)
        for name in (*asked.families, *asked.peer):
            for seed in map(int, asked.seeds.split(",")):
                key = key_of(name, data, asked, seed)
                if any(key.items() <= record.items() for record in seen):
                    continue
                with tempfile.TemporaryDirectory() as folder:
                    record = measured(name, source, asked, seed, Path(folder))
                seen.append(record)
                with asked.out.open("a") as file:
                    file.write(json.dumps(record) + "\n")
                print(json.dumps(record))
    asked_for = key_of("", "", asked, 0)
    same = {key: asked_for[key] for key in ("seconds", "rows", "protect", "few")}
    summary([record for record in seen if same.items() <= record.items()])


if __name__ == "__main__":
    main()
