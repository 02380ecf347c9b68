"""What every autoregressive architecture offers: normalised conditionals, and a walk that draws from them.

One idea: `p(x) = prod_d p(x_d | x_<d)`; an architecture is a way to compute all D terms at once and one after another; the family
around it (objective, budget, refusals) is the same for all.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from torch import Tensor, nn

from pushforward.core.capabilities import Refusal
from pushforward.core.codec import Codec
from pushforward.core.conditions import forgotten
from pushforward.core.context import ContextSpace
from pushforward.core.errors import BadInput, Unsupported
from pushforward.core.given import Given
from pushforward.core.noise import Noise
from pushforward.core.options import SampleOptions
from pushforward.core.registry import Registry
from pushforward.core.space import Space
from pushforward.core.walk import Walk
from pushforward.families.autoregressive.config import AutoregressiveConfig
from pushforward.nets.context import ContextEncoder
from pushforward.nets.memory import Memory
from pushforward.nets.transformer import MEASURED, Style

NO_CODE = Refusal("discrete data have no continuous code", "train `flow` for an exact code, `vae` for a posterior")


class Backbone(nn.Module, ABC):
    """The conditionals of one architecture on one space. Concrete backbones are final.

    Attributes:
        place: what a position is, for the axis of the loss by position.
        options: sampling options it understands.
        reads_context: it can be made for a space of contexts.
        glance: how many training examples `prepare` needs to see.
    """

    place = "position"
    glance = 512
    options: tuple[str, ...] = ("temperature",)
    reads_context = False

    def __init__(
        self, space: Space, config: AutoregressiveConfig, classes: int, context: ContextSpace | None = None
    ) -> None:
        super().__init__()
        self.space, self.config, self.classes, self.about = space, config, classes, context
        self.reader: ContextEncoder | None = None

    def read_contexts(self, style: Style = MEASURED) -> None:
        """Make the encoder of contexts, if there are any; a transformer that looks at them calls it."""
        config = self.config
        if self.about is not None:
            depth, heads = config.context_depth, config.heads
            self.reader = ContextEncoder(self.about, config.width, depth, heads, config.dropout, style)

    def memory(self, given: Given | None, n: int, noise: Noise | None = None) -> Memory | None:
        """Return what there is to look at of the contexts."""
        return None if self.reader is None else self.reader(None if given is None else given.context, n, noise)

    def partly_forgotten(self, given: Given | None, noise: Noise | None) -> Given | None:
        """Return the conditions as training shows them; `noise=None` forgets nothing."""
        rate = self.config.condition_dropout
        return given if given is None or noise is None or rate == 0.0 else forgotten(given, rate, noise.uniform())

    @classmethod
    def codec(cls, space: Space) -> Codec:
        """Return the codec to the tensor that the terms are of; by default data are modelled as they are."""
        return Codec(space, [])

    @abstractmethod
    def terms(self, x: Tensor, given: Given | None, noise: Noise | None = None) -> Tensor:
        """Return `log p(x_d | x_<d)`, shape (n, D), in the order they are modelled; `noise` is for dropout in training."""

    @abstractmethod
    def walk(self, noise: Noise, given: Given | None, options: SampleOptions) -> Walk[Any]:
        """Return the ancestral sampler; with default options its output has the probability that `terms` gives it."""

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
        """Return the matrices between hidden layers, for Muon; by default those that read contexts, if any do."""
        return [] if self.reader is None else self.reader.transformer.matrices()

    def prepare(self, x: Tensor, given: Given | None) -> None:
        """Look once at encoded training data; the default does not."""

    def encode(self, x: Tensor, given: Given | None) -> Tensor:
        """Return the code of encoded data, where the space has one."""
        raise Unsupported(f"autoregressive.encode: {NO_CODE.reason}", "", NO_CODE.alternative)

    def decode(self, z: Tensor, given: Given | None) -> Tensor:
        """Invert `encode`."""
        raise Unsupported(f"autoregressive.decode: {NO_CODE.reason}", "", NO_CODE.alternative)


# architectures of each kind of space, the default first
_HERE = "pushforward.families.autoregressive"
BACKBONES = {
    "points": Registry(
        "architecture",
        {"mixture": f"{_HERE}.coordinates:CoordinateBackbone", "made": f"{_HERE}.made:MaskedCoordinates"},
    ),
    "image": Registry(
        "architecture",
        {
            "transformer": f"{_HERE}.pixels:PixelBackbone",
            "pixelcnn": f"{_HERE}.pixelcnn:ConvolutionBackbone",
            "made": f"{_HERE}.made:MaskedPixels",
        },
    ),
    "text": Registry(
        "architecture", {"transformer": f"{_HERE}.tokens:TokenBackbone", "gpt2": f"{_HERE}.tokens:GPT2Backbone"}
    ),
    "table": Registry("architecture", {"transformer": f"{_HERE}.rows:RowBackbone"}),
}


def backbone_class(space: Space, architecture: str | None) -> type[Backbone]:
    """Return the architecture called so on this kind of space, the default one for None.

    Raises:
        BadInput: no architecture of that name there.
    """
    registry = BACKBONES[space.kind]
    return registry.load(architecture or registry.names()[0])
