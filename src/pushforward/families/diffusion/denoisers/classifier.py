"""A classifier that knows how noisy its input is: what classifier guidance takes the gradient of.

One idea: it sees the same noisy data, scaled in the same way, as the denoiser that it guides, at
noise levels drawn evenly in their logarithm, so that its gradient means something at every step of
a sampler.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from pushforward.core.codec import Codec
from pushforward.core.errors import BadInput
from pushforward.core.noise import Noise
from pushforward.core.space import Image
from pushforward.families.diffusion.denoisers.denoiser import Preconditioner
from pushforward.nets.conditional import ScalarConditioned
from pushforward.nets.convolution import ConvEncoder
from pushforward.nets.mlp import ResidualMLP

CONTEXT = 32


class NoiseAwareClassifier(nn.Module):
    """`p(label | y, s)` for `y = x0 + s eps` in the coordinates of a diffusion model.

    Args:
        codec: the model's own, fitted.
        classes: names of the classes.
        levels: smallest and largest noise level.
        width, depth: of its network: convolutions for images, a residual MLP for points.

    Raises:
        BadInput: fewer than two classes.

    Example:
        >>> from pushforward.core.space import Points
        >>> classifier = NoiseAwareClassifier(Codec(Points(2), []), ("a", "b"), (0.01, 40.0), width=16)
        >>> classifier.log_prob(torch.zeros(3, 2), torch.tensor(1.0)).exp().sum(1).round(decimals=5).tolist()
        [1.0, 1.0, 1.0]
    """

    def __init__(
        self,
        codec: Codec,
        classes: tuple[str, ...],
        levels: tuple[float, float],
        width: int = 32,
        depth: int = 1,
    ) -> None:
        super().__init__()
        if len(classes) < 2:
            raise BadInput(
                f"a classifier of {len(classes)} classes", "two or more", "bring labelled data"
            )
        self.codec, self.classes, self.levels = codec, classes, levels
        space = codec.space
        body: nn.Module
        if isinstance(space, Image):
            body = ConvEncoder(
                space.channels, space.height, space.width, len(classes), width, depth, CONTEXT
            )
        else:
            body = ResidualMLP(space.event_shape[0], len(classes), width, depth, CONTEXT)
        self.network = ScalarConditioned(body, CONTEXT)
        self.preconditioner = Preconditioner(space.event_shape)

    def log_prob(self, y: Tensor, noise_level: Tensor) -> Tensor:
        """Return the log-probability of every class: y (n, ...), noise_level () or (n,) -> (n,
        classes)."""
        s = noise_level.to(y).expand(len(y))
        c_in, c_noise = self.preconditioner.inputs(s)
        inputs = c_in.reshape(-1, *(1 for _ in y.shape[1:])) * (
            y - self.preconditioner.centre.to(y)
        )
        return self.network(inputs, c_noise).log_softmax(1)

    def loss(self, x: Tensor, label: Tensor, noise: Noise) -> Tensor:
        """Return the mean of `-log p(label | x + s eps, s)` over encoded examples, log s uniform on
        the range of levels."""
        low, high = (math.log(level) for level in self.levels)
        s = (low + (high - low) * noise.uniform()).exp()
        y = x + s.reshape(-1, *(1 for _ in x.shape[1:])) * noise.normal(*x.shape[1:])
        return functional.nll_loss(self.log_prob(y, s), label)

    @torch.no_grad()
    def accuracy(self, x: Tensor, label: Tensor, noise_level: float, noise: Noise) -> float:
        """Return the share of encoded examples whose class is the most probable one at a noise
        level."""
        y = x + noise_level * noise.normal(*x.shape[1:])
        return float(
            (self.log_prob(y, torch.tensor(noise_level)).argmax(1) == label).double().mean()
        )
