"""One training loop for every family.

Three ideas: the model yields losses and the engine updates the group each one names; every random
number of step t comes from the seed and t, so that resuming equals never having stopped; what is
kept is the weight average that was best on a held-out quantity, if the family has one that means
something.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pushforward.core.errors import BadInput
from pushforward.core.given import Examples
from pushforward.core.loss import Loss
from pushforward.core.model import GenerativeModel
from pushforward.core.placement import whole_where_it_fits
from pushforward.core.spec import TrainConfig
from pushforward.engine.average import WeightAverage
from pushforward.engine.budget import Budget, budget_of
from pushforward.engine.checkpoint import LAST, load_state, save_state, save_weights
from pushforward.engine.compiling import Compilation, compiled, wanted
from pushforward.engine.ema_bank import FOLDER, EmaBank
from pushforward.engine.failing import Failing
from pushforward.engine.feeding import Feed
from pushforward.engine.fit_records import (
    GENTLER,
    Diverged,
    FitRecord,
    Progress,
    interrupted,
    progress_of,
)
from pushforward.engine.gradients import clipped, gradients, noise_of_parts
from pushforward.engine.history import History
from pushforward.engine.interrupt import InterruptGuard
from pushforward.engine.loss_scale import LossScales
from pushforward.engine.optimiser import (
    build_optimisers,
    follow_layout,
    optimiser_tensors,
    restore_optimisers,
    set_learning_rate,
    take_step,
)
from pushforward.engine.order import DataOrder
from pushforward.engine.precision import PreparedNetworks, prepared_networks, resolved
from pushforward.engine.regions import once_differentiated, recomputed
from pushforward.engine.schedule import warmup_cosine
from pushforward.engine.steering import Effort, Probe, Steering
from pushforward.engine.warm_start import UNTRAINED, Beginning, begin_with

LOGS = 100
EVALUATING = 0.04  # share of a wall-clock budget that held-out evaluations may take
CHECKPOINT_SECONDS = 30.0
PATIENT_WITH_NAN = 10
SMOOTHING = 0.9  # of the loss that is shown; what is recorded are plain means


def fit(
    model: GenerativeModel,
    train: Examples,
    validation: Examples,
    config: TrainConfig,
    *,
    directory: Path | None = None,
    begin: Beginning = UNTRAINED,
    probe: tuple[str, Probe] | None = None,
    observer: Callable[[Progress], None] | None = None,
) -> FitRecord:
    """Train `model` in place and leave its best averaged weights in it.

    Args:
        directory: where `weights.safetensors`, `state/last.safetensors` and `history.jsonl` go;
            None keeps all in memory.
        begin: untrained, or from `state/last.safetensors`, which is equal to never having stopped, bit for bit,
            under a step budget.
        probe: `(name, function)` that measures a model without a held-out quantity (lower is
            better), such as a distance between samples and validation data for a GAN.
        observer: called after every step.

    Raises:
        BadInput: snapshots of averages without a directory to keep them in.
        Diverged: the loss stays NaN, or at the end there are no weights of which the held-out
            quantity is a number.
        RunFailed: the disk is full, the memory is not enough, or the device fails; it says what is
            saved.
        Interrupted: Ctrl-C; the state was saved.
    """
    failing = Failing(config, directory, model.device)
    with failing.watched():
        run = _Run(model, validation, config, directory, probe, failing)
        run.begin(train, begin)
        run.go(observer)
        return run.finish()


class _Run:
    """The mutable state of one call of `fit`."""

    def __init__(
        self,
        model: GenerativeModel,
        validation: Examples,
        config: TrainConfig,
        directory: Path | None,
        probe: tuple[str, Probe] | None,
        failing: Failing,
    ) -> None:
        self.model, self.config, self.directory = model, config, directory
        self.failing = failing
        self.effort = Effort.of(config, len(validation), model.held_out_passes)
        held_out = whole_where_it_fits(validation[: self.effort.rows], model.device)
        self.steering = Steering(model, held_out, probe, config.seed)
        self.budget: Budget = budget_of(config)
        self.groups = model.parameter_groups()
        self.optimisers = build_optimisers(self.groups, config, model.hidden_matrices())
        self.noise = noise_of_parts(config, model.device)
        self.history = History(None if directory is None else directory / "history.jsonl")
        self.progress = Progress()
        twice = bool(model.differentiated_twice)
        self.precision = resolved(config.precision, model.device.type, twice)
        self.compilation, self.prepared = Compilation(), PreparedNetworks()
        self.bank: EmaBank | None = None
        if config.ema_snapshots is not None:
            if directory is None:
                raise BadInput(
                    "train.ema_snapshots in memory", "a run directory to keep them in", "name one"
                )
            self.bank = EmaBank(model, directory / "state" / FOLDER, config.ema_snapshots)
        self.saved_at = 0.0
        self.started: float | None = None
        self.nan_streak = 0

    def begin(self, train: Examples, begin: Beginning) -> None:
        """Go on from a checkpoint, or start the average from the initial weights."""
        order = DataOrder(len(train), self.config.batch_size, self.config.seed)
        self.feed = Feed(whole_where_it_fits(train, self.model.device), order, self.model.device)
        if begin.resumed and self.directory is not None:
            self.failing.kept = True
            self._restore()
        else:
            begin_with(self.model, train, begin.weights)
            self.average = WeightAverage(self.model, self.config.ema)
            if self.history.path is not None:
                self.history.rewind(-1)
            if self.bank is not None:
                self.bank.rewind(0)
            if begin.weights is not None and self.steering.name:
                # what it begins with may be better than all that a short training makes of it
                self.steering.measure(self.average, self.progress)
        self.failing.step, self.failing.save = self.progress.step, self.checkpoint

    def go(self, observer: Callable[[Progress], None] | None) -> None:
        """Make steps until the budget is spent, or somebody stops it."""
        p, config, device = self.progress, self.config, self.model.device.type
        once = once_differentiated(self.model)
        self._start_clock()  # what compiling takes is part of a budget
        with (
            InterruptGuard() as guard,
            self.feed,
            prepared_networks(
                self.model.networks(), self.precision, config.channels_last
            ) as self.prepared,
            recomputed(once, config.activation_checkpointing),
            compiled(once, self._trial, wanted(config, device)) as self.compilation,
        ):
            follow_layout(self.optimisers)
            while not p.stopped:
                self._step()
                self._read_clock()
                self._after_step()
                self.failing.step, self.failing.save = p.step, self.checkpoint
                if observer is not None:
                    observer(p)
                if guard.requested and not p.stopped:
                    self.checkpoint()
                    raise interrupted(p.step, self.directory)

    def _restore(self) -> None:
        """Load everything a checkpoint holds."""
        assert self.directory is not None
        sections, counters = load_state(self.directory / "state" / LAST)
        self.model.load_state_dict(sections["model"])
        self.average = WeightAverage(self.model, self.config.ema)
        self.average.load(sections["average"])
        restore_optimisers(self.optimisers, sections.get("optimiser", {}))
        self.progress = progress_of(counters, self.directory / "state" / LAST)
        finished = self.progress.stopped
        fraction = self.budget.fraction(
            self.progress.step, self.progress.seconds, self.config.batch_size
        )
        # a finished run goes on only if the budget was raised
        self.progress.stopped = finished if fraction >= 1.0 or finished == "patience" else ""
        self.steering.restore(sections.get("best"), self.progress)
        # of a raised budget less is spent than was, and it may be measured less often than another
        # version did: what is due goes by the effort of now
        evaluated = math.floor(fraction * self.effort.evaluations)
        self.progress.evaluated = min(self.progress.evaluated, evaluated)
        self.progress.logged = min(self.progress.logged, math.floor(fraction * LOGS))
        self.progress.fraction = fraction
        self.saved_at = self.progress.seconds
        self.history.rewind(self.progress.step)
        if self.bank is not None:
            self.bank.averages.load(sections)
            self.bank.rewind(self.progress.step)

    def _start_clock(self) -> None:
        """Count seconds from here, after those of earlier legs."""
        if not self.progress.stopped:  # a finished run spends none
            self.started = time.perf_counter() - self.progress.seconds

    def _read_clock(self) -> None:
        """Note the seconds that training took so far."""
        if self.started is not None:
            self.progress.seconds = time.perf_counter() - self.started

    def _step(self) -> None:
        """One optimiser step of every loss the model yields."""
        p, config = self.progress, self.config
        factor = warmup_cosine(p.fraction, config.warmup, config.final_learning_rate)
        set_learning_rate(self.optimisers, config, factor)
        scales = LossScales(self.precision.scaled, p.loss_scales)
        for loss, value in self._gradients(scales):
            self.failing.save = None  # from here to the end of the step nothing is whole
            group = self.groups[loss.parameters]
            scales.unscale(loss.parameters, group)
            norm = clipped(group, config.clip)
            if math.isfinite(norm) and math.isfinite(value):
                take_step(self.optimisers[loss.parameters])
                scales.fitted(loss.parameters)
                self.nan_streak = 0
            else:
                p.skipped += 1
                self.nan_streak += not scales.overflowed(loss.parameters)
            p.loss_name = p.loss_name or loss.name
            if loss.name == p.loss_name and math.isfinite(value):
                p.loss = value if p.loss is None else SMOOTHING * p.loss + (1.0 - SMOOTHING) * value
            for key, number in {
                loss.name: value,
                f"gradient norm, {loss.parameters}": norm,
                **loss.record,
            }.items():
                total = p.losses.setdefault(key, [0.0, 0.0])
                total[0] += number
                total[1] += 1
        if self.nan_streak >= PATIENT_WITH_NAN:
            came = (
                f"the loss was not finite for {self.nan_streak} updates in a row at step {p.step}"
            )
            raise Diverged(came, "a finite loss", GENTLER)
        self.model.step_taken(p.fraction)
        self.average.update(p.step)
        p.step += 1
        if self.bank is not None:
            self.bank.update(self.model, p.step)

    def _gradients(self, scales: LossScales) -> Iterator[tuple[Loss, float]]:
        step = self.progress.step
        batch = self.feed.batch(step)
        return gradients(self.model, self.groups, batch, self.noise, step, scales)

    def _trial(self) -> None:
        """Compute the gradients of the next step, and leave everything as it is."""
        buffers = {name: buffer.clone() for name, buffer in self.model.named_buffers()}
        try:
            for _ in self._gradients(LossScales(self.precision.scaled, {})):
                pass
        finally:
            for name, buffer in self.model.named_buffers():
                buffer.copy_(buffers[name])

    def _after_step(self) -> None:
        """Log, evaluate, checkpoint and stop where each is due."""
        p = self.progress
        before, p.fraction = (
            p.fraction,
            self.budget.fraction(p.step, p.seconds, self.config.batch_size),
        )
        done = p.fraction >= 1.0
        every = self.config.evaluate_every
        due = done or (
            p.step % every == 0
            if every
            else p.fraction * self.effort.evaluations >= p.evaluated + 1
        )
        if not every and not done and self.budget.measure == "seconds":
            # steering must not eat the budget; under a budget of steps the clock may not decide
            # anything
            due = due and p.evaluating <= EVALUATING * p.seconds
        if due and self.steering.name:
            self.failing.step, self.failing.measuring = p.step, True
            with self.compilation.paused(), self.prepared.paused():
                self.steering.measure(self.average, p)
            self.failing.measuring = False
            p.evaluated = max(p.evaluated + 1, math.floor(p.fraction * self.effort.evaluations))
        if due or p.fraction * LOGS >= p.logged + 1:
            self._log(with_held_out=due)
            p.logged = math.floor(p.fraction * LOGS)
        if done:
            p.stopped = "budget"
        elif self.config.patience is not None and p.waited >= self.config.patience:
            p.stopped = "patience"
        if self.bank is not None:
            self.bank.keep(self.model, p.step, before, p.fraction, bool(p.stopped))
        every = self.config.checkpoint_every
        late = p.step % every == 0 if every else p.seconds - self.saved_at >= CHECKPOINT_SECONDS
        if self.directory is not None and late and not p.stopped:
            self.checkpoint()

    def checkpoint(self) -> None:
        """Save the complete state, and the weights that `sample` would use now."""
        if self.directory is None:
            return
        self._read_clock()  # held-out evaluations since the last step count too
        self.saved_at = self.progress.seconds
        sections = {
            "model": self.model.state_dict(),
            "average": self.average.shadow,
            "optimiser": optimiser_tensors(self.optimisers),
        }
        if self.steering.best is not None:
            sections["best"] = self.steering.best
        if self.bank is not None:
            sections |= self.bank.averages.sections()
        save_state(self.directory / "state" / LAST, sections, asdict(self.progress))
        self.failing.kept = True
        save_weights(self.directory / "weights.safetensors", self.steering.kept(self.average))

    def finish(self) -> FitRecord:
        """Save, put the chosen weights into the model and report."""
        self.steering.end_or_refuse(self.average, self.progress, self.nan_streak > 0)
        self.checkpoint()
        self.model.load_state_dict(self.steering.kept(self.average))
        p = self.progress
        return FitRecord(
            steps=p.step,
            examples=p.step * self.config.batch_size,
            seconds=p.seconds,
            budget=str(self.budget),
            stopped=p.stopped,
            loss_name=p.loss_name,
            held_out_name=self.steering.name,
            best_held_out=p.best,
            best_step=p.best_step,
            held_out_rows=p.held_out_rows,
            skipped_steps=p.skipped,
            parameters=sum(q.numel() for q in self.model.parameters()),
            precision=self.precision.name,
            compilation=self.compilation.words,
            history=self.history.records,
        )

    def _log(self, with_held_out: bool) -> None:
        p = self.progress
        means = {name: total / count for name, (total, count) in p.losses.items()}
        record: dict[str, Any] = {
            "step": p.step,
            "seconds": round(p.seconds, 3),
            "loss": means.pop(p.loss_name),
        }
        if with_held_out and self.steering.name:
            record["held_out"] = p.held_out
        record["learning_rate"] = next(iter(self.optimisers.values()))[0].param_groups[0]["lr"]
        self.history.add({**record, **means})
        p.losses = {}
