"""Masked diffusion of text: symbols are hidden, and a network that sees on both sides says what was
there.

Three ideas: the network is not told the time, because what a perfect one says depends on what is
seen and on nothing else; a symbol that is seen stays, and the mask is never drawn; what comes
before a window is seen at every time, so that a bound chains to one of the whole text, as an exact
likelihood of windows does.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pushforward.core.codec import Codec
from pushforward.core.conditions import forgotten
from pushforward.core.curve import Curve, mean_curve
from pushforward.core.errors import BadInput, Unsupported
from pushforward.core.estimator import Draws, Estimator
from pushforward.core.given import Given, label_of
from pushforward.core.logprob import LogProb
from pushforward.core.loss import Loss
from pushforward.core.noise import Noise
from pushforward.core.options import SampleOptions
from pushforward.core.space import Space
from pushforward.core.text import Text, tokens_before
from pushforward.core.walk import Walk
from pushforward.families.diffusion.config import DiffusionConfig
from pushforward.families.diffusion.options import GRID, STEPS
from pushforward.families.diffusion.process import Process
from pushforward.families.diffusion.symbols.masking import hidden_count
from pushforward.families.diffusion.symbols.orders import bound, stratified_counts, summed_over
from pushforward.families.diffusion.symbols.unmasking import Mask, Predict, UnmaskingWalk, blocks
from pushforward.families.shared.options import GUIDANCE, NEXT_TOKEN
from pushforward.nets.mlp import LabelEmbedding
from pushforward.nets.transformer import Transformer

ELBO_MASKS = 32
HELD_OUT_MASKS = 8
CURVE_POINTS = 16


class MaskedTransformer(nn.Module):
    """Logits of symbols behind masks, from all symbols around them; embeddings and logits share one
    table.

    Args:
        vocabulary: number of symbols; the mask is one more, for which there is no logit.
        positions: most symbols of a row.
    """

    def __init__(
        self, vocabulary: int, positions: int, config: DiffusionConfig, classes: int
    ) -> None:
        super().__init__()
        self.mask = vocabulary
        self.table = nn.Embedding(vocabulary + 1, config.width)
        reach = config.neighbours
        self.near = (
            nn.Conv1d(config.width, config.width, 2 * reach + 1, padding=reach, bias=False)
            if reach
            else None
        )
        self.labels = LabelEmbedding(classes, config.width) if classes else None
        self.transformer = Transformer(
            config.width, config.depth, config.heads, config.dropout, positions
        )
        nn.init.normal_(self.table.weight, std=0.02)

    def forward(
        self,
        tokens: Tensor,
        absent: Tensor,
        label: Tensor | None,
        noise: Noise | None,
        places: Tensor | None = None,
    ) -> Tensor:
        """Shapes: tokens and absent (n, T), places (n, m) -> logits (n, m, V); all places for
        None."""
        h = self.table(tokens).masked_fill(absent.unsqueeze(-1), 0.0)
        if self.near is not None:
            # every mask looks alike to attention, which takes long to find out who its neighbours
            # are
            h = h + self.near(h.transpose(1, 2)).transpose(1, 2)
        if self.labels is not None:
            h = h + self.labels(label, len(tokens)).unsqueeze(1)
        features = self.transformer.around(h, absent, noise)
        if places is not None:
            features = features.gather(1, places.unsqueeze(-1).expand(-1, -1, features.shape[-1]))
        return F.linear(features, self.table.weight[: self.mask])


@final
class MaskedText(Process):
    """Windows of text, each given what comes before it."""

    held_out_passes = HELD_OUT_MASKS
    options = (GUIDANCE, STEPS, GRID, *NEXT_TOKEN)
    settings = ("heads", "neighbours", "dropout")

    def __init__(self, space: Space, config: DiffusionConfig, classes: int) -> None:
        super().__init__(space, config, classes)
        assert isinstance(space, Text)
        self.text = space
        self.network = MaskedTransformer(space.vocabulary, self.window, config, classes)

    @property
    def window(self) -> int:
        """How many tokens the network sees: a window and the token before it."""
        return self.text.length + 1

    @staticmethod
    def codec(space: Space) -> Codec:
        """Tokens as they are."""
        return Codec(space, [])

    def networks(self) -> dict[str, nn.Module]:
        """The transformer."""
        return {"denoiser": self.network}

    def hidden_matrices(self) -> list[nn.Parameter]:
        """The blocks' matrices."""
        return self.network.transformer.matrices()

    def _absent(self, tokens: Tensor, padding: Tensor | None) -> Tensor:
        if padding is None:
            return torch.zeros_like(tokens, dtype=torch.bool)
        return torch.arange(tokens.shape[1], device=tokens.device) < padding.unsqueeze(1)

    def _terms(
        self, x: Tensor, hidden: Tensor, given: Given | None, noise: Noise | None = None
    ) -> Tensor:
        """Return `log p(x_i | before, what is not hidden)`, (n, length)."""
        before, padding = tokens_before(self.text, given, len(x), x.device)
        if before.shape[1] + x.shape[1] > self.window:
            came = f"{before.shape[1]} tokens before {x.shape[1]} to score"
            fix = "score long text in strided windows: `pushforward score`"
            raise BadInput(came, f"at most {self.window} in all, the context of this model", fix)
        tokens = torch.cat([before, x.masked_fill(hidden, self.network.mask)], dim=1)
        logits = self.network(tokens, self._absent(tokens, padding), label_of(given), noise)
        log_p = logits[:, before.shape[1] :].float().log_softmax(-1)
        return log_p.gather(-1, x.unsqueeze(-1)).squeeze(-1)

    def _bound(
        self, x: Tensor, given: Given | None, noise: Noise, samples: int
    ) -> tuple[Tensor, Tensor | None, float]:
        x = x.long()

        def terms(rows: Tensor, hidden: Tensor) -> Tensor:
            return self._terms(x[rows], hidden, None if given is None else given[rows])

        n, length = x.shape
        return bound(terms, n, length, noise, samples)

    def _losses(self, x: Tensor, given: Given | None, noise: Noise) -> Iterator[Loss]:
        """Minus the bound per symbol: the mean over hidden symbols, of which there are k, uniform
        and stratified over the batch."""
        x = x.long()
        count = stratified_counts(noise.uniform(), x.shape[1])
        hidden = hidden_count(count, noise.uniform(x.shape[1]))
        if label_of(given) is not None and given is not None:
            given = forgotten(given, self.config.drop_condition, noise.uniform())
        nats = summed_over(self._terms(x, hidden, given, noise), hidden)
        yield Loss((-nats / count).mean(), "model", "-ELBO of hidden symbols [nats/dim]")

    def _held_out(self, x: Tensor, given: Given | None, noise: Noise) -> Tensor:
        """Minus the bound, from eight numbers of hidden symbols."""
        return -self._bound(x, given, noise, HELD_OUT_MASKS)[0]

    def elbo(self, x: Tensor, given: Given | None, draws: Draws) -> LogProb:
        """Return the bound over random orders."""
        nats, stderr, calls = self._bound(x, given, draws.noise, draws.samples or ELBO_MASKS)
        return LogProb(nats, "lower_bound", self.space.measure, self.space.unit, "", stderr, calls)

    def _walk(self, noise: Noise, given: Given | None, options: SampleOptions) -> Walk[Any]:
        """Reveal symbols in random order.

        Raises:
            Unsupported: guidance without a label to lean on.
        """
        label, weight = label_of(given), options.guidance
        if weight != 1.0 and label is None:
            came = f"guidance {weight} of diffusion on text without a label"
            raise Unsupported(
                came, "1, which is off", "a prompt is seen at every step; guidance leans on a class"
            )
        prompt, padding = tokens_before(self.text, given, noise.n, self.network.table.weight.device)
        length, grid = options.length or self.text.length, options.grid or "uniform"
        plan = blocks(prompt.shape[1], length, self.window, options.steps, grid)
        calls = 1 if weight in (0.0, 1.0) else 2
        mask = Mask(self.network.mask, self.text.boundary)
        return UnmaskingWalk(
            self._predict(label, weight), noise, prompt, padding, plan, options, mask, calls
        )

    def _predict(self, label: Tensor | None, weight: float) -> Predict:
        """Return the logits, guided: `log p_null + w (log p_given - log p_null)` (Ho and Salimans
        2022, equation 6, on logits)."""

        def predict(tokens: Tensor, places: Tensor, padding: Tensor | None) -> Tensor:
            absent = self._absent(tokens, padding)
            if weight == 1.0:
                return self.network(tokens, absent, label, None, places)
            null = self.network(tokens, absent, None, None, places).log_softmax(-1)
            if weight == 0.0:
                return null
            return null + weight * (
                self.network(tokens, absent, label, None, places).log_softmax(-1) - null
            )

        return predict

    def _curves(self, x: Tensor, given: Given | None, noise: Noise) -> Iterator[Curve]:
        """How hard a hidden symbol is to guess, by the number of hidden ones."""
        x, length = x.long(), x.shape[1]
        points = sorted(
            {max(1, round(length * (i + 1) / CURVE_POINTS)) for i in range(CURVE_POINTS)}
        )
        means = []
        for k in points:
            count = torch.full((len(x),), k, device=x.device)
            hidden = hidden_count(count, noise.uniform(length))
            means.append(-summed_over(self._terms(x, hidden, given), hidden) / k)
        y, stderr = mean_curve(torch.stack(means, 1) / torch.log(torch.tensor(2.0)))
        yield Curve(
            "code length by number of hidden symbols",
            "hidden symbols",
            "bits per hidden symbol",
            tuple(float(k) for k in points),
            y,
            "The mean over all numbers is the bound per symbol; on the right nothing is seen but what comes before.",
            stderr,
        )


ELBO = Estimator(
    "elbo",
    "mean over random orders of revealing, Monte Carlo over hidden symbols",
    "lower_bound",
    lambda model, x, given, draws: model.process.elbo(x, given, draws),
)
