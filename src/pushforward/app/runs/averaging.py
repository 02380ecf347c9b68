"""Choose the width of a run's weight average after training.

Two ideas: averages of any width are combined from the snapshots that a run keeps, at no further
training; the choice is made on validation data with equal rows and equal noise for every width, so
that differences are paired and have small errors.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from pushforward.app.runs.opening import reopen
from pushforward.app.runs.training import open_model
from pushforward.core.errors import BadInput, RunFailed, Unsupported
from pushforward.core.files import AGAIN, going_on, write_text
from pushforward.core.given import Examples
from pushforward.core.model import GenerativeModel
from pushforward.engine.checkpoint import save_weights
from pushforward.engine.ema_bank import (
    FOLDER,
    LARGEST_RESIDUAL,
    Snapshots,
    bytes_of,
    open_snapshots,
    snapshot_files,
)
from pushforward.engine.power_average import TRACKED
from pushforward.engine.steering import HELD_OUT_ROWS
from pushforward.families.build import family_class
from pushforward.provenance import run_directory
from pushforward.provenance.lock import refuse_if_written, writing
from pushforward.provenance.ownership import check_claim, claim
from pushforward.provenance.run_directory import (
    RunRecord,
    begin,
    complete,
    open_record,
    read_encoding,
)

WIDTHS = (0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.12, 0.15, 0.2, 0.25)
# what the manifest of an average says of itself
OF_ITS_OWN = (
    "format",
    "kind",
    "status",
    "config_sha256",
    "encoding_sha256",
    "weights_sha256",
    "versions",
    "finished",
    "fit",
)


@dataclass(frozen=True)
class WidthTrial:
    """The held-out quantity of one width, lower is better; a width of None stands for the weights
    that training kept.

    `behind` is the mean difference to the best width over equal examples; both have standard
    errors.
    """

    width: float | None
    residual: float | None
    held_out: float
    stderr: float
    behind: float
    behind_stderr: float

    def to_json(self) -> dict[str, float | None]:
        """Return a JSON-ready dictionary; what is not finite becomes null."""
        return {
            k: (None if v is None or not math.isfinite(v) else v) for k, v in asdict(self).items()
        }


@dataclass(frozen=True)
class Averaged:
    """A run whose weights are averages of another run's; `trials` are empty if the width was
    given."""

    path: Path
    source: Path
    width: float
    step: int
    residual: float
    held_out_name: str = ""
    trials: tuple[WidthTrial, ...] = ()

    @property
    def best(self) -> WidthTrial | None:
        """The trial of the width that was chosen, None if nothing was tried."""
        return next((t for t in self.trials if t.width == self.width), None)

    def to_json(self) -> dict[str, Any]:
        """Return what `average --json` prints and, but for `run`, what the manifest records."""
        record: dict[str, Any] = {
            "run": str(self.path),
            "source": str(self.source),
            "width": self.width,
        }
        record |= {"step": self.step, "residual": self.residual}
        if self.trials:
            record |= {"held_out": self.held_out_name, "tried": [t.to_json() for t in self.trials]}
        return record


def average(
    run: Path,
    target: Path,
    width: float | None = None,
    *,
    widths: Sequence[float] | None = None,
    step: int | None = None,
    overwrite: bool = False,
) -> Averaged:
    """Leave at `target` a complete run whose weights are those of `run`, averaged over a share of
    its training.

    Args:
        width: standard deviation of the profile as a share of training time; None = the best of
            `widths` on validation data.
        widths: to choose from; None = those of 0.02 to 0.25 that the snapshots represent.
        step: when training is taken to end; None = at the last snapshot.

    Raises:
        BadInput: an unfinished run or one without snapshots, a width that is out of range or that
            the snapshots cannot represent, or a target that holds something else.
        Unsupported: a choice for a family that has no held-out quantity.
    """
    record, snapshots = _source(run)
    _check_target(run, target, overwrite)
    if width is not None and widths is not None:
        raise BadInput("one width and several to choose from", "one of the two")
    trials: tuple[WidthTrial, ...] = ()
    if width is None:
        family, name = (
            record.config["family"],
            family_class(record.config["family"]).capabilities.held_out,
        )
        if not name:
            raise Unsupported(
                f"the best width for a {family}",
                "a width",
                "its loss measures nothing held out; say --width 0.1 or so",
            )
        trials = _tried(record, snapshots, _candidates(snapshots, widths, step), step)
        width = _best(trials)
    else:
        name = ""
    residual = snapshots.combination(width, step).residual
    at = snapshots.steps[-1] if step is None else step
    done = Averaged(target, run, width, at, residual, name, trials)
    _write(done, record, snapshots.weights(width, step), overwrite)
    return done


def planned(count: int, model: GenerativeModel) -> dict[str, Any]:
    """Return how many snapshots a training of `model` will keep, and the disk they will take."""
    return {"n": count, "megabytes": bytes_of(count, model) / 1e6}


def kept(run: Path) -> dict[str, Any]:
    """Return how many snapshots a run keeps, where, and the disk they take."""
    folder = run / run_directory.STATE / FOLDER
    sizes = [path.stat().st_size for path in snapshot_files(folder)]
    return {"n": len(sizes), "megabytes": sum(sizes) / 1e6, "folder": str(folder)}


def _source(run: Path) -> tuple[RunRecord, Snapshots]:
    record = open_record(run)
    if not record.complete:
        raise BadInput(
            f"the unfinished run {run}", "one that was trained to its end", "go on with --resume"
        )
    snapshots = open_snapshots(run / run_directory.STATE / FOLDER)
    if snapshots is None:
        made = record.manifest.get("average")
        how = "train one with `-s train.ema_snapshots=16`"
        raise BadInput(
            f"{run} keeps no snapshots of its averages",
            "a run that does",
            how if made is None else f"it is an average itself; take its source, {made['source']}",
        )
    return record, snapshots


def _check_target(run: Path, target: Path, overwrite: bool) -> None:
    # whatever is cleared away must not hold the snapshots, now or as a folder above them
    if target.resolve() in (run.resolve(), *run.resolve().parents):
        raise BadInput(f"-o {target}", f"a directory that does not hold {run}", "choose another -o")
    refuse_if_written(target)
    check_claim(target, overwrite)


def _candidates(
    snapshots: Snapshots, widths: Sequence[float] | None, step: int | None
) -> list[float]:
    if widths is not None:
        if not widths:
            raise BadInput("no widths", "one at least")
        for width in widths:
            snapshots.combination(width, step)
        return sorted(set(widths))
    found = [width for width in WIDTHS if snapshots.residual(width, step) <= LARGEST_RESIDUAL]
    if not found:
        snapshots.combination(TRACKED[0], step)  # raises, and says what is missing
    return found


def _tried(
    record: RunRecord, snapshots: Snapshots, widths: list[float], step: int | None
) -> tuple[WidthTrial, ...]:
    model, _ = open_model(record.path)
    dataset = reopen(record)
    rows = dataset.validation if record.manifest["classes"] else dataset.validation.without_labels()
    rows, seed = rows[:HELD_OUT_ROWS], record.config["seed"]
    choices: list[float | None] = [None, *widths]
    values = [_held_out(model, rows, seed)]
    for width in widths:
        model.load_state_dict(snapshots.weights(width, step))
        values.append(_held_out(model, rows, seed))
    means = [float(v.mean()) for v in values[1:]]
    if not any(map(math.isfinite, means)):
        raise RunFailed(
            "the held-out quantity is not finite for any width", "a finite one", "say --width"
        )
    best = values[
        1 + min(range(len(means)), key=lambda i: means[i] if math.isfinite(means[i]) else math.inf)
    ]
    return tuple(
        WidthTrial(
            width,
            None if width is None else snapshots.residual(width, step),
            float(value.mean()),
            _error(value),
            float((value - best).mean()),
            _error(value - best),
        )
        for width, value in zip(choices, values, strict=True)
    )


def _held_out(model: GenerativeModel, rows: Examples, seed: int) -> Tensor:
    measured = model.held_out(rows, seed=seed)
    assert measured is not None
    return measured.double()


def _error(values: Tensor) -> float:
    return float(values.std() / math.sqrt(len(values))) if len(values) > 1 else math.nan


def _best(trials: Sequence[WidthTrial]) -> float:
    found = min(
        (t for t in trials if t.width is not None and math.isfinite(t.held_out)),
        key=lambda t: t.held_out,
    )
    assert found.width is not None
    return found.width


def _write(done: Averaged, record: RunRecord, weights: dict[str, Tensor], overwrite: bool) -> None:
    facts = {key: value for key, value in record.manifest.items() if key not in OF_ITS_OWN}
    made = {key: value for key, value in done.to_json().items() if key != "run"}
    facts["average"] = {**made, "source_weights_sha256": record.manifest["weights_sha256"]}
    # what training measured on the way is not what these weights would have measured
    measured = {
        "best_held_out": None if done.best is None else done.best.held_out,
        "best_step": done.step,
    }
    fit = {**record.manifest["fit"], **measured}
    history = record.path / run_directory.HISTORY
    with going_on(lambda: AGAIN), writing(done.path):
        claim(done.path, overwrite)
        begin(done.path, record.config, facts, read_encoding(record), "writing")
        save_weights(done.path / run_directory.WEIGHTS, weights)
        if history.is_file():
            write_text(done.path / run_directory.HISTORY, history.read_text())
        complete(done.path, {"fit": fit, "finished": record.manifest["finished"]})
