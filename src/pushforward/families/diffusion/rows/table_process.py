"""Tables of mixed kinds: numbers drown in Gaussian noise, then symbols are hidden, and one network
undoes both.

Three ideas: one clock, in which all numbers reach their largest noise before the first symbol is
hidden, so that symbols are drawn first and numbers given them; a number stands on a line where its
column is about normal, and owns an interval of it if it lies on a grid; what is known of a row is
shown clean at both stages, so that `p(rest | known)` is trained for every choice.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, final

import torch
from torch import Tensor, nn

from pushforward.core.codec import Codec
from pushforward.core.conditions import forgotten, known_columns
from pushforward.core.curve import Curve, mean_curve
from pushforward.core.errors import BadInput, Unsupported
from pushforward.core.estimator import Draws, Estimator
from pushforward.core.given import Given, Known, label_of
from pushforward.core.logprob import LogProb
from pushforward.core.loss import Loss
from pushforward.core.noise import Noise
from pushforward.core.options import SampleOptions
from pushforward.core.space import Space
from pushforward.core.table import Table
from pushforward.core.walk import Walk
from pushforward.families.diffusion.config import DiffusionConfig
from pushforward.families.diffusion.objectives.objective import objective_of
from pushforward.families.diffusion.options import ETA, GRID, SOLVER, STEPS
from pushforward.families.diffusion.paths.noise_law import LAWS, Knee
from pushforward.families.diffusion.paths.published import PATHS
from pushforward.families.diffusion.process import Process
from pushforward.families.diffusion.rows.number_line import NumberLine
from pushforward.families.diffusion.rows.row_denoiser import (
    ColumnNetwork,
    GuidedRows,
    RowDenoiser,
    SeenRows,
)
from pushforward.families.diffusion.rows.row_layout import HIDDEN, RowLayout
from pushforward.families.diffusion.rows.symbol_bound import (
    calls_of,
    chosen_log_probability,
    symbol_bound,
)
from pushforward.families.diffusion.rows.table_bound import PlacedNumbers, number_bound
from pushforward.families.diffusion.rows.table_walk import Reveals, TableWalk
from pushforward.families.diffusion.solvers.noise_grids import log_levels
from pushforward.families.diffusion.solvers.sampler import SOLVERS, solver_of
from pushforward.families.diffusion.solvers.schemes import LearnedAncestral
from pushforward.families.diffusion.symbols.masking import hidden_count
from pushforward.families.diffusion.symbols.orders import stratified_counts
from pushforward.families.shared.options import GUIDANCE

ELBO_DRAWS, HELD_OUT_DRAWS, CURVE_LEVELS = 64, 8, 25
SMALLEST_NOISE, LARGEST_NOISE = 0.01, 40.0
UNCONDITIONAL = (
    0.5  # share of training rows of which no number is known; of the others a random subset is
)


@final
class TableDiffusion(Process):
    """Rows of a table: masked symbols, then Gaussian numbers."""

    glance = 2**31
    settings = (
        "context",
        "places",
        "sigma_min",
        "sigma_max",
        "path",
        "law",
        "weight",
        "prediction",
    )
    held_out_passes = HELD_OUT_DRAWS
    options = (GUIDANCE, STEPS, SOLVER, ETA, GRID)

    def __init__(self, space: Space, config: DiffusionConfig, classes: int) -> None:
        super().__init__(space, config, classes)
        assert isinstance(space, Table)
        for name, table in (
            ("path", PATHS.names()),
            ("law", LAWS.names()),
            ("prediction", ("preconditioned",)),
        ):
            if (value := getattr(config, name)) not in table:
                raise BadInput(
                    f"'model.{name}={value}' for diffusion of tables", f"one of {', '.join(table)}"
                )
        self.layout = RowLayout(space.columns)
        sizes, numbers = self.layout.sizes, [space.columns[i] for i in self.layout.numbers]
        network = ColumnNetwork(
            sizes, len(numbers), config.width, config.depth, config.context, classes
        )
        self.denoiser = RowDenoiser(network, sizes, NumberLine(numbers, config.places))
        kind = PATHS[config.path]
        self.path = kind(
            config.sigma_min or SMALLEST_NOISE, config.sigma_max or min(LARGEST_NOISE, kind.reach)
        )
        scale = torch.tensor(1.0)
        self.law = Knee(self.path, scale)
        self.objective = objective_of(LAWS[config.law](self.path, scale), config.weight, scale)

    @property
    def line(self) -> NumberLine:
        """Where numbers stand."""
        return self.denoiser.line

    @staticmethod
    def codec(space: Space) -> Codec:
        """Rows as they are: what is known of a row comes in data units too, so that the process
        places numbers itself."""
        return Codec(space, [])

    def networks(self) -> dict[str, nn.Module]:
        """The network; the line and the laws of single columns stay in float32 and float64."""
        return {"columns": self.denoiser.network}

    def _prepare(self, x: Tensor, given: Given | None) -> None:
        """Place numbers by the quantiles of all training rows, and start from the frequencies of
        symbols."""
        symbols, values = self.layout.split(x)
        self.line.fit(values)
        self.denoiser.fit(symbols)

    def _losses(self, x: Tensor, given: Given | None, noise: Noise) -> Iterator[Loss]:
        """The two parts of the bound at one noise level and one count of hidden symbols per row,
        some numbers known."""
        symbols, values = self.layout.split(x)
        z = self.line.to_line(values).float()
        label = None
        if given is not None:
            label = label_of(forgotten(given, self.config.drop_condition, noise.uniform()))
        share = (noise.uniform(1) - UNCONDITIONAL) / (1.0 - UNCONDITIONAL)
        known = noise.uniform(len(self.layout.numbers)) < share
        total = z.new_zeros(())
        if self.layout.numbers:
            absent = ~self.layout.there(symbols)
            total = total + self._number_loss(z, SeenRows(symbols, z, known | absent, label), noise)
        if self.layout.sizes:
            total = total + self._symbol_loss(SeenRows(symbols, z, known, label), noise)
        yield Loss(
            total / self.space.dimensions,
            "model",
            f"masked symbols [nats], {self.objective.name}, per column",
        )

    def _number_loss(self, z: Tensor, seen: SeenRows, noise: Noise) -> Tensor:
        s = self.objective.stratified(noise.uniform())
        y = z + s.unsqueeze(1) * noise.normal(z.shape[1])
        # what is fixed denoises to itself; of the others, every one counts
        error = (z - self.denoiser.denoise(y, s, seen)).square().sum(1)
        return (self.objective.weight(s) * error).mean()

    def _symbol_loss(self, seen: SeenRows, noise: Noise) -> Tensor:
        count = seen.symbols.shape[1]
        # each count of hidden symbols as often as the others in every batch
        k = stratified_counts(noise.uniform(), count)
        # whether a known number is missing is known too
        hidden = hidden_count(k, noise.uniform(count)) & ~self.layout.flags(seen.fixed)
        logits = self.denoiser.logits(_with(seen, torch.where(hidden, HIDDEN, seen.symbols)))
        nats = chosen_log_probability(logits, seen.symbols, self.layout.sizes)
        return -count * ((nats * hidden).sum(1) / hidden.sum(1).clamp(min=1)).mean()

    def _held_out(self, x: Tensor, given: Given | None, noise: Noise) -> Tensor:
        """Minus the bound, from eight noise levels and eight counts of hidden symbols."""
        return -self._bound(x, given, noise, HELD_OUT_DRAWS)[0]

    def elbo(self, x: Tensor, given: Given | None, draws: Draws) -> LogProb:
        """Return the bound on log p of the columns that are not known; minus infinity where a row
        contradicts what is known."""
        samples = draws.samples or ELBO_DRAWS
        nats, stderr = self._bound(x, given, draws.noise, samples)
        calls = float(
            samples * bool(self.layout.numbers) + calls_of(len(self.layout.sizes), samples)
        )
        return LogProb(nats, "lower_bound", self.space.measure, self.space.unit, "", stderr, calls)

    def _bound(
        self, x: Tensor, given: Given | None, noise: Noise, samples: int
    ) -> tuple[Tensor, Tensor | None]:
        known = self._known(given, len(x))
        mask = torch.zeros_like(x, dtype=torch.bool) if known is None else known.mask
        if known is not None:
            known.require_values()
        symbols, values = self.layout.split(x)
        known_symbols, known_numbers = self.layout.spread(mask)
        z, label = self.line.to_line(values), label_of(given)
        there, line = self.layout.there(symbols), z.float()
        nats, squares = torch.zeros(len(x), dtype=torch.float64, device=x.device), []
        if self.layout.numbers:
            seen = SeenRows(symbols, line, known_numbers | ~there, label)
            clean = lambda y, s, times: self.denoiser.denoise(y, s, seen.repeat(times))  # noqa: E731
            numbers = PlacedNumbers(values, z, there & ~known_numbers)
            part, stderr = number_bound(
                self.path, self.line, self.law, clean, numbers, noise, samples
            )
            nats, squares = nats + part, [*squares, stderr]
        if self.layout.sizes:
            shown = SeenRows(symbols, line, known_numbers, label)
            logits = lambda hidden, times: self.denoiser.logits(_with(shown.repeat(times), hidden))  # noqa: E731
            part, stderr = symbol_bound(
                logits, symbols, ~known_symbols, self.layout.sizes, noise, samples
            )
            nats, squares = nats + part, [*squares, stderr]
        if known is not None:
            agrees = (x == known.values) | (torch.isnan(x) & torch.isnan(known.values)) | ~mask
            nats = torch.where(agrees.all(1), nats, -math.inf)
        errors = [stderr for stderr in squares if stderr is not None]
        return nats, torch.stack(errors).square().sum(0).sqrt() if errors else None

    def _walk(self, noise: Noise, given: Given | None, options: SampleOptions) -> Walk[Any]:
        """Reveal symbols one by one, or in `steps` steps; then come down with a solver."""
        solver = solver_of(options)
        if isinstance(solver.method, LearnedAncestral):
            able = ", ".join(
                each.name for each in SOLVERS if not isinstance(each.method, LearnedAncestral)
            )
            came = f"the solver '{options.solver}' on {self.space.kind}"
            raise Unsupported(
                came, f"one of {able}", "this one needs what this process does not learn"
            )
        known = self._known(given, noise.n)
        if known is not None and bool(known.ranged.any()):
            fix = "the autoregressive family draws numbers within a range"
            raise Unsupported("a range of a column with diffusion", "values that are known", fix)
        guided, seen = (
            GuidedRows(self.denoiser, options.guidance),
            self._seen(known, label_of(given), noise.n),
        )
        count, numbers = len(self.layout.sizes), len(self.layout.numbers)

        def descend(seen: SeenRows) -> Walk[Any]:
            denoise = lambda y, s: guided.denoise(y, s, seen)  # noqa: E731
            draw = lambda: noise.normal(numbers)  # noqa: E731
            return solver.walk(self.path, denoise, draw, options.steps, guided.calls, options)

        def rows(symbols: Tensor, places: Tensor) -> Tensor:
            x = self.layout.join(symbols, self.line.from_line(places.double()))
            return x if known is None else torch.where(known.mask, known.values.to(x), x)

        reveals = min(options.steps or count, count)
        down = descend if numbers else None
        never = (
            None if known is None or known.present is None else self.layout.absent_in(known.present)
        )
        return TableWalk(
            guided, seen, noise, self.layout.there, down, rows, Reveals(reveals, never)
        )

    def _known(self, given: Given | None, n: int) -> Known | None:
        assert isinstance(self.space, Table)
        return known_columns(given, self.space, n)

    def _seen(self, known: Known | None, label: Tensor | None, n: int) -> SeenRows:
        count, numbers, device = (
            len(self.layout.sizes),
            len(self.layout.numbers),
            self.denoiser.log_frequency.device,
        )
        if known is None:
            nothing = torch.zeros(n, numbers, device=device)
            return SeenRows(
                torch.full((n, count), HIDDEN, device=device), nothing, nothing.bool(), label
            )
        symbols, values = self.layout.split(torch.where(known.mask, known.values.double(), 0.0))
        known_symbols, known_numbers = self.layout.spread(known.mask)
        line = torch.where(known_numbers, self.line.to_line(values), 0.0).float()
        if known.present is not None:
            # that a number is there is a symbol of its own, which is then known
            there = self.layout.flags(known.present[:, self.layout.numbers])
            symbols = torch.where(there & ~known_symbols, 0, symbols)
            known_symbols = known_symbols | there
        return SeenRows(torch.where(known_symbols, symbols, HIDDEN), line, known_numbers, label)

    def _curves(self, x: Tensor, given: Given | None, noise: Noise) -> Iterator[Curve]:
        """The denoising error of numbers at every noise level, and the code length of symbols by
        how many are hidden."""
        symbols, values = self.layout.split(x)
        there, label = self.layout.there(symbols), label_of(given)
        z = self.line.to_line(values).float()
        if self.layout.numbers:
            yield self._error_by_level(z, SeenRows(symbols, z, ~there, label), noise)
        count = len(self.layout.sizes)
        if count < 2:
            return
        free, terms = SeenRows(symbols, z, torch.zeros_like(there), label), []
        for k in range(1, count + 1):
            hidden = hidden_count(torch.full((len(x),), k, device=x.device), noise.uniform(count))
            logits = self.denoiser.logits(_with(free, torch.where(hidden, HIDDEN, symbols)))
            nats = chosen_log_probability(logits, symbols, self.layout.sizes)
            terms.append(-(nats * hidden).sum(1) / k)
        alone = -chosen_log_probability(
            self.denoiser.log_frequency.expand(len(x), -1), symbols, self.layout.sizes
        )
        y, stderr = mean_curve(torch.stack(terms, dim=1))
        yield Curve(
            "code length by number of hidden symbols",
            "symbols hidden",
            "nats per hidden symbol",
            tuple(float(k) for k in range(1, count + 1)),
            y,
            "Each hidden symbol is coded given those that are seen; the sum over the counts is the symbols' part of -ELBO in nats.",
            stderr,
            (float(alone.mean()),) * count,
            "each column by itself",
        )

    def _error_by_level(self, z: Tensor, seen: SeenRows, noise: Noise) -> Curve:
        levels = log_levels(CURVE_LEVELS - 1, self.path.sigma_min, self.path.sigma_max)
        live, errors, alone = ~seen.fixed, [], []
        for s in levels.to(z):
            y = z + s * noise.normal(z.shape[1])
            for into, clean in (
                (errors, self.denoiser.denoise(y, s, seen)),
                (alone, self.line.marginal.denoise(y, s.expand(1, 1))),
            ):
                into.append(((z - clean).square() * live).sum(1) / live.sum(1).clamp(min=1) / s**2)
        y, stderr = mean_curve(torch.stack(errors, dim=1))
        return Curve(
            "denoising error of numbers by noise level",
            "noise level s, in standard deviations of a column",
            "E|z - D(z + s eps, s)|^2 / s^2, per number",
            tuple(levels.tolist()),
            y,
            "1 leaves the noise as it is, 0 removes it all; what lies between the two lines is what the other columns tell.",
            stderr,
            mean_curve(torch.stack(alone, dim=1))[0],
            "each column by itself",
            log_x=True,
        )


def _with(seen: SeenRows, symbols: Tensor) -> SeenRows:
    return replace(seen, symbols=symbols)


ELBO = Estimator(
    "elbo",
    "masked symbols plus Gaussian numbers given them, Monte Carlo over both",
    "lower_bound",
    lambda model, x, given, draws: model.process.elbo(x, given, draws),
)
