"""The user's own network as features.

One idea: a file holds the network but not what it expects, so the input convention is given with
it, hashed with it, and tried on one image before anything is measured.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from torch import Tensor

from pushforward.core.errors import BadInput
from pushforward.core.placement import here
from pushforward.core.space import Image
from pushforward.evaluation.features.image_network import ImageNetwork, content_of, digest_of
from pushforward.evaluation.features.preprocessing import Preprocessing
from pushforward.evaluation.features.programs import open_program


def network_features(
    path: Path,
    space: Image,
    preprocessing: Preprocessing,
    pooled: bool = False,
    trust: bool = False,
) -> ImageNetwork:
    """Return the outputs of a network in a file: `torch.export` (.pt2), ONNX (extra `onnx`), or
    TorchScript that is trusted.

    The fingerprint hashes the file's bytes and the input convention, never the file's name.

    Args:
        path: the file.
        space: the image space.
        preprocessing: what the network expects of its input.
        pooled: average outputs (n, c, h, w) over places, or (n, tokens, c) over tokens; otherwise
            outputs are flattened.
        trust: run TorchScript, which can do whatever it likes; the other formats are read as data.

    Raises:
        BadInput: a file of another kind, one that would have to be unpickled, a network that does
            not take the input, or one whose output is not finite.

    Example:
        >>> network_features(Path("absent.pt"), Image(3, 8, 8), Preprocessing(size=32, mean=(0.5,), std=(0.5,)))
        Traceback (most recent call last):
        pushforward.core.errors.BadInput: 'absent.pt', which cannot be read (No such file or directory): expected a file of a
        network; check the path
    """
    content = content_of(path)
    program, digest = open_program(content, path, trust), digest_of(content)

    def network(x: Tensor) -> Tensor:
        outputs = program.run(x)
        return _averaged(outputs) if pooled else outputs

    words = f"network {digest[:8]}" + (" pooled" if pooled else "")
    features = ImageNetwork(
        space, words, digest, network, preprocessing, program.batch, device=here()
    )
    features(np.zeros((1, *space.event_shape), dtype=np.int64))
    return features


def _averaged(outputs: Tensor) -> Tensor:
    if outputs.dim() == 4:
        return outputs.mean(dim=(2, 3))
    if outputs.dim() == 3:
        return outputs.mean(dim=1)
    raise BadInput(
        f"outputs of shape {tuple(outputs.shape)} to be pooled",
        "(n, c, h, w) or (n, tokens, c)",
        "do not pool them",
    )
