"""What every autoregressive architecture offers: normalised conditionals, and a walk that draws
from them.

One idea: `p(x) = prod_d p(x_d | x_<d)`; an architecture is a way to compute all D terms at once and
one after another; the family around it (objective, budget, refusals) is the same for all.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator

from torch import Tensor, nn

from pushforward.core.conditions import forgotten
from pushforward.core.context import ContextSpace
from pushforward.core.curve import Curve, mean_curve
from pushforward.core.errors import BadInput
from pushforward.core.given import Given
from pushforward.core.hooks import Hooks
from pushforward.core.loss import Loss
from pushforward.core.noise import Noise
from pushforward.core.options import SampleOptions
from pushforward.core.space import Space
from pushforward.families.autoregressive.config import AutoregressiveConfig
from pushforward.nets.context import ContextEncoder
from pushforward.nets.memory import Memory
from pushforward.nets.transformer import MEASURED, Style


class Backbone(Hooks, ABC):
    """The conditionals of one architecture on one space. Concrete backbones are final.

    Attributes:
        place: what a position is, for the axis of the loss by position.
    """

    place = "position"

    def __init__(
        self,
        space: Space,
        config: AutoregressiveConfig,
        classes: int,
        context: ContextSpace | None = None,
    ) -> None:
        super().__init__()
        self.space, self.config, self.classes, self.about = space, config, classes, context
        self.reader: ContextEncoder | None = None

    def read_contexts(self, style: Style = MEASURED) -> None:
        """Make the encoder of contexts, if there are any; a transformer that looks at them calls
        it."""
        config = self.config
        if self.about is not None:
            depth, heads = config.context_depth, config.heads
            self.reader = ContextEncoder(
                self.about, config.width, depth, heads, config.dropout, style
            )

    def memory(self, given: Given | None, n: int, noise: Noise | None = None) -> Memory | None:
        """Return what there is to look at of the contexts."""
        return (
            None
            if self.reader is None
            else self.reader(None if given is None else given.context, n, noise)
        )

    def partly_forgotten(self, given: Given | None, noise: Noise | None) -> Given | None:
        """Return the conditions as training shows them; `noise=None` forgets nothing."""
        rate = self.config.condition_dropout
        return (
            given
            if given is None or noise is None or rate == 0.0
            else forgotten(given, rate, noise.uniform())
        )

    @abstractmethod
    def terms(self, x: Tensor, given: Given | None, noise: Noise | None = None) -> Tensor:
        """Return `log p(x_d | x_<d)`, shape (n, D), in the order they are modelled; `noise` is for
        dropout in training.

        With default options `_walk` draws what has the probability that these terms give it.
        """

    def require_guidable(self, options: SampleOptions) -> None:
        """Refuse guidance of a model that was never trained without its label and context.

        Raises:
            BadInput: it is asked for.
        """
        if options.guidance != 1.0 and self.config.condition_dropout == 0.0:
            raise BadInput(
                f"guidance {options.guidance} of a model that never saw a row without its condition",
                "1, which is off",
                "train with `-s model.condition_dropout=0.1`",
            )

    def networks(self) -> dict[str, nn.Module]:
        """Return what may run in lower precision; by default all of it."""
        return {"conditionals": self}

    def hidden_matrices(self) -> list[nn.Parameter]:
        """Return the matrices between hidden layers, for Muon; by default those that read contexts,
        if any do."""
        return [] if self.reader is None else self.reader.transformer.matrices()

    def _losses(self, x: Tensor, given: Given | None, noise: Noise) -> Iterator[Loss]:
        terms = self.terms(x, given, noise)
        yield Loss(
            -terms.sum(1).mean() / self.space.dimensions,
            "model",
            "-log p of the encoded data [nats/dim]",
        )

    def _held_out(self, x: Tensor, given: Given | None, noise: Noise) -> Tensor:
        return -self.terms(x, given).sum(1)

    def _terms(self, x: Tensor, given: Given | None) -> Tensor:
        return self.terms(x, given)

    def _curves(self, x: Tensor, given: Given | None, noise: Noise) -> Iterator[Curve]:
        bits = self.space.measure == "counting"
        y, stderr = mean_curve(-self.terms(x, given) / (math.log(2.0) if bits else 1.0))
        yield Curve(
            "code length by position",
            self.place,
            "bits" if bits else "nats, encoded data",
            tuple(float(i + 1) for i in range(len(y))),
            y,
            "Each position is coded given all before it: what falls from left to right is what the context tells.",
            stderr,
        )
