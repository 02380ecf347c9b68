"""What a training goes by: a quantity of held-out examples, and the weights that were best on it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from pushforward.core.given import Examples
from pushforward.core.model import GenerativeModel
from pushforward.core.scoring import mean_log_det
from pushforward.core.spec import TrainConfig
from pushforward.engine.average import WeightAverage, holding
from pushforward.engine.budget import budget_of
from pushforward.engine.fit_records import GENTLER, Diverged, Progress
from pushforward.engine.sizing import FEWEST_ROWS

Probe = Callable[[GenerativeModel], float]
HELD_OUT_ROWS = 512  # enough to steer by; the full split is scored once, after training
EVALUATIONS, FEWEST_EVALUATIONS = 25, 2
# share of what training computes that its held-out evaluations may, where the budget says how much
# that is; and how many passes forward a step is worth for each example
SHARE, PASSES_OF_A_STEP = 0.05, 3

# held-out quantities of earlier versions, which measured examples as a network sees them
OF_ENCODED = (
    "-log p [nats]",
    "-ELBO [nats]",
    "-ELBO from 8 stratified noise levels per example [nats]",
)


@dataclass(frozen=True)
class Effort:
    """How much a training measures of held-out examples.

    Attributes:
        rows: validation examples of one evaluation.
        evaluations: a run.
    """

    rows: int
    evaluations: int

    @staticmethod
    def of(config: TrainConfig, rows: int, passes: int) -> Effort:
        """Return an effort that stays a small share of a short training: fewer examples first, then
        fewer evaluations.

        Counted, not timed, so that equal commands measure alike on any machine; under a budget of
        seconds nobody knows how much will be computed, and the clock looks after it; who chooses
        `evaluate_every` pays for it.

        Args:
            rows: validation examples that there are.
            passes: that the held-out quantity of one example takes.

        Example:
            >>> Effort.of(TrainConfig(steps=2000, batch_size=128), 1000, 1)
            Effort(rows=512, evaluations=25)
            >>> Effort.of(TrainConfig(steps=40, batch_size=128), 1000, 8)
            Effort(rows=64, evaluations=2)
        """
        rows, chosen = min(rows, config.held_out_rows or HELD_OUT_ROWS), config.held_out_rows
        budget = budget_of(config)
        if budget.measure == "seconds" or config.evaluate_every is not None:
            return Effort(rows, EVALUATIONS)
        examples = budget.amount * (config.batch_size if budget.measure == "steps" else 1)
        allowed = SHARE * PASSES_OF_A_STEP * examples / passes
        if chosen is None:
            rows = min(rows, max(FEWEST_ROWS, int(allowed / EVALUATIONS)))
        evaluations = int(allowed / max(1, rows))
        return Effort(rows, max(FEWEST_EVALUATIONS, min(EVALUATIONS, evaluations)))


class Steering:
    """Measures the averaged weights, and keeps the best.

    Args:
        validation: the examples that steer, where the model is.
        probe: what measures a model without a held-out quantity.

    Example:
        >>> from pushforward.core.space import Points
        >>> from pushforward.families.build import build
        >>> import torch
        >>> steering = Steering(build("flow", Points(2)), Examples(torch.zeros(4, 2)), None, 0)
        >>> steering.name, steering.best
        ('-log p of the data [nats]', None)
    """

    def __init__(
        self,
        model: GenerativeModel,
        validation: Examples,
        probe: tuple[str, Probe] | None,
        seed: int,
    ) -> None:
        self.model, self.validation, self.seed = model, validation, seed
        self.probe = None if model.capabilities.held_out else probe
        self.best: dict[str, Tensor] | None = None
        # whether the last held-out examples have no probabilities that are numbers
        self.lost = False
        # what turns held-out numbers of data into those of encoded examples
        self._in_code: float | None = None
        self._older = ""

    @property
    def name(self) -> str:
        """What the held-out number is, empty if nothing is measured."""
        return (
            self._older or self.model.capabilities.held_out or (self.probe[0] if self.probe else "")
        )

    def restore(self, best: dict[str, Tensor] | None, progress: Progress) -> None:
        """Go on with what a checkpoint holds: a run of an earlier version in the unit in which it
        began; where an earlier version probed in another one, from the best of now on, unless
        nothing goes on. Weights that were best on other examples are measured on these."""
        name, p = progress.held_out_name, progress
        if self.probe is not None and name and name != self.name:
            if p.stopped:
                self._older = name
            else:
                best, p.best, p.best_step, p.waited = None, None, 0, 0
        self.best = best
        if name in OF_ENCODED:
            self._in_code = mean_log_det(self.model, self.validation, seed=self.seed)
            self._older = name
        if self._elsewhere(p) and self.best is not None:
            with holding(self.model, self.best):
                value = self._measured()
            p.best, p.held_out_rows = value if math.isfinite(value) else None, len(self.validation)

    def _elsewhere(self, progress: Progress) -> bool:
        """Whether a run that goes on was measured on other examples, because its budget was another."""
        other = progress.held_out_rows != len(self.validation)
        return self.probe is None and bool(self.name) and other and not progress.stopped

    def measure(self, average: WeightAverage, progress: Progress) -> None:
        """Measure the averaged weights, and keep them if none were better."""
        p, started = progress, time.perf_counter()
        with average.applied():
            value = self._measured()
        p.held_out, p.held_out_name, p.held_out_rows = value, self.name, len(self.validation)
        if math.isfinite(value) and (p.best is None or value < p.best):
            p.best, p.best_step, p.waited = value, p.step, 0
            self.best = {name: tensor.clone() for name, tensor in average.shadow.items()}
        else:
            p.waited += 1
        p.evaluating += time.perf_counter() - started

    def _measured(self) -> float:
        """Return the held-out number of the weights that the model has."""
        if self.probe is not None:
            value = self.probe[1](self.model)
            self.lost = not math.isfinite(value)
            return value
        measured = self.model.held_out(self.validation, seed=self.seed)
        assert measured is not None
        # one impossible example is the data's, none that is possible the model's
        self.lost = bool(measured.isnan().any()) or not bool(measured.isfinite().any())
        return float(measured.double().mean()) + (self._in_code or 0.0)

    def kept(self, average: WeightAverage) -> dict[str, Tensor]:
        """Return the weights to go on with: the best ones, the average where none are known."""
        return self.best or average.shadow

    def end_or_refuse(self, average: WeightAverage, progress: Progress, failing: bool) -> None:
        """Refuse weights that are good for nothing before they are written; where earlier ones are
        kept, say why it ended.

        Args:
            failing: whether the last update came to nothing.

        Raises:
            Diverged: no weights are finite, or of none the held-out quantity is.
        """
        p, kept = progress, self.kept(average)
        names = [name for name, _ in self.model.named_parameters()]
        finite = all(bool(kept[name].isfinite().all()) for name in names)
        # what is measured of the weights decides; where nothing is, the last update does
        lost = self.lost if self.name else failing
        if not finite or (lost and self.best is None):
            what = f"the {self.name}" if self.name else "the loss"
            raise Diverged(
                f"the model has diverged: at step {p.step} {what} is not finite",
                "finite numbers",
                GENTLER,
            )
        if lost and p.stopped:
            p.stopped = "divergence"
