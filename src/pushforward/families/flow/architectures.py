"""Which bijections a flow is made of, for each kind of data.

One idea: an architecture is a function from a space, settings and the width of the condition to a
`Chain`; the model around it (base, objective, sampler, refusals) is the same for all.

Equation: `z = f_L(... f_1(x))`. Source: Durkan et al. (2019), section 3 and figure 4, for chains
of splines; Nielsen & Winther (2020) for what is mapped value by value.
"""

from __future__ import annotations

import torch

from pushforward.core.architecture import Architecture, architectures
from pushforward.core.space import Image, Space
from pushforward.families.flow.chains.chain import Chain, VectorChain
from pushforward.families.flow.chains.coarse_to_fine import CoarseToFineChain
from pushforward.families.flow.chains.multiscale import MultiscaleChain
from pushforward.families.flow.config import FlowConfig
from pushforward.families.flow.transforms.actnorm import ActNorm
from pushforward.families.flow.transforms.bijection import Bijection
from pushforward.families.flow.transforms.coupling import ImageCoupling, VectorCoupling
from pushforward.families.flow.transforms.lu_linear import LULinear
from pushforward.families.flow.transforms.spline import RationalQuadratic
from pushforward.families.shared.codecs import dequantised, on_unit_interval, standardised
from pushforward.nets.convolution import ResidualConv
from pushforward.nets.mlp import ResidualMLP


def alternating(index: int, dimensions: int) -> torch.Tensor:
    """Return which coordinates coupling `index` keeps: every other one, and the others next time;
    of one coordinate, none.

    Example:
        >>> alternating(0, 3).tolist(), alternating(1, 3).tolist(), alternating(0, 1).tolist()
        ([True, False, True], [False, True, False], [False])
    """
    # what depends on values is told them even where only sizes are asked (`torch.device("meta")`)
    if dimensions == 1:
        return torch.zeros(1, dtype=torch.bool, device="cpu")
    return torch.arange(dimensions, device="cpu") % 2 == index % 2


def spline_flow(space: Space, config: FlowConfig, context: int) -> Chain:
    """Return a chain on flat examples: a linear map, a normalisation and a spline coupling in
    turn."""
    d, layers = space.dimensions, list[Bijection]()
    elementwise = RationalQuadratic(config.bins, config.bound)

    def conditioner(inputs: int, outputs: int) -> ResidualMLP:
        return ResidualMLP(inputs, outputs, config.width, config.depth, context, zero_output=True)

    for index in range(config.layers):
        # a linear map of one coordinate is a scale that ActNorm already has
        mixed = [LULinear(d)] if d > 1 else []
        layers += [
            *mixed,
            ActNorm(d),
            VectorCoupling(alternating(index, d), elementwise, conditioner),
        ]
    return VectorChain(space.event_shape, layers)


def multiscale_spline_flow(space: Image, config: FlowConfig, context: int) -> Chain:
    """Return Glow's chain with spline couplings; images of an odd side, which cannot be squeezed,
    are flattened."""
    if space.height % 2 or space.width % 2:
        return spline_flow(space, config, context)
    elementwise = RationalQuadratic(config.bins, config.bound)

    def conditioner(inputs: int, outputs: int) -> ResidualConv:
        return ResidualConv(inputs, outputs, config.width, config.depth, context, zero_output=True)

    def scale(channels: int) -> list[Bijection]:
        layers = list[Bijection]()
        for _ in range(config.layers):
            layers += [
                ActNorm(channels),
                LULinear(channels),
                ImageCoupling(channels, elementwise, conditioner),
            ]
        return layers

    return MultiscaleChain(space.event_shape, scale)


POINTS = Architecture(
    "nsf", "rational-quadratic spline couplings (neural spline flow)", spline_flow, standardised
)
IMAGES = Architecture(
    "nsf", "spline couplings over several scales of the image", multiscale_spline_flow, dequantised
)
SUBSET = Architecture(
    "subset",
    "pixels from coarse to fine, each by a histogram that those before it give; quickest to learn",
    CoarseToFineChain,
    on_unit_interval,
    settings=("cells", "coarse", "dropout"),
    unread=("layers", "bound"),
)

# of each kind of space, the default first
ARCHITECTURES = {
    "points": architectures("flow", "points", {"nsf": f"{__name__}:POINTS"}),
    "image": architectures(
        "flow", "image", {"nsf": f"{__name__}:IMAGES", "subset": f"{__name__}:SUBSET"}
    ),
}
