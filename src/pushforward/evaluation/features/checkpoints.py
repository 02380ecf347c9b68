"""Standard networks from a file of weights that the user has; nothing is downloaded.

One idea: a name claims no more than the file's hash proves, so only the published weights are
called by the published name.
"""

from __future__ import annotations

from pathlib import Path

from pushforward.core.placement import here
from pushforward.core.space import Image
from pushforward.evaluation.features.architectures.clip import Activation, ClipImage
from pushforward.evaluation.features.architectures.dinov2 import SIZE, DinoV2
from pushforward.evaluation.features.architectures.inception import Inception
from pushforward.evaluation.features.image_network import ImageNetwork, content_of, digest_of
from pushforward.evaluation.features.weights_file import read_weights

# published as pt_inception-2015-12-05-6726825d.pth: by the convention of torch.hub such a name ends
# in the start of the sha256
PUBLISHED_INCEPTION = "6726825d"


def inception_features(path: Path, space: Image, trust: bool = False) -> ImageNetwork:
    """Return the features of published Fréchet distances, from a file of their Inception-v3's
    weights.

    They are called `inception-v3-fid-2048` only if the file is the published one; other weights are
    `inception-v3 weights` and the first eight digits of their hash.

    Args:
        path: `.safetensors`, or a torch file that holds tensors only.
        space: the image space.
        trust: read TorchScript too, whose code then runs.

    Raises:
        BadInput: a file that is not such weights.

    Example:
        >>> inception_features(Path("absent.pth"), Image(3, 8, 8))
        Traceback (most recent call last):
        pushforward.core.errors.BadInput: 'absent.pth', which cannot be read (No such file or directory): expected a file of a
        network; check the path
    """
    content = content_of(path)
    network, digest = Inception(read_weights(content, path, trust)), digest_of(content)
    published = digest.startswith(PUBLISHED_INCEPTION)
    name = (
        f"inception-v3-fid-2048 {digest[:8]}" if published else f"inception-v3 weights {digest[:8]}"
    )
    return ImageNetwork(
        space,
        name,
        digest,
        network,
        network.preprocessing,
        recipe="inception-v3 of 2015-12-05, pooled",
        device=here(),
    )


def dinov2_features(
    path: Path, space: Image, size: int = SIZE, trust: bool = False
) -> ImageNetwork:
    """Return the class token of DINOv2, any of its sizes, from a file of its weights.

    Args:
        path: `.safetensors`, or a torch file that holds tensors only.
        space: the image space.
        size: height and width that images are resized to, a multiple of 14; published distances use
            224.
        trust: read TorchScript too, whose code then runs.

    Raises:
        BadInput: a file that is not such weights, or a size that patches do not divide.

    Example:
        >>> dinov2_features(Path("absent.pth"), Image(3, 8, 8))
        Traceback (most recent call last):
        pushforward.core.errors.BadInput: 'absent.pth', which cannot be read (No such file or directory): expected a file of a
        network; check the path
    """
    content = content_of(path)
    network, digest = DinoV2(read_weights(content, path, trust), size), digest_of(content)
    name = f"dinov2 {network.encoder.size} weights {digest[:8]}"
    return ImageNetwork(
        space,
        name,
        digest,
        network,
        network.preprocessing,
        recipe="dinov2, class token",
        device=here(),
    )


def clip_features(
    path: Path, space: Image, activation: Activation = "quick-gelu", trust: bool = False
) -> ImageNetwork:
    """Return the projected features of a CLIP image encoder, any vision transformer, from a file of
    its weights.

    Args:
        path: `.safetensors`, or a torch file that holds tensors only.
        space: the image space.
        activation: which the weights were trained with; no file says it.
        trust: read TorchScript too, whose code then runs, such as OpenAI's archives.

    Raises:
        BadInput: a file that is not such weights.

    Example:
        >>> clip_features(Path("absent.pth"), Image(3, 8, 8))
        Traceback (most recent call last):
        pushforward.core.errors.BadInput: 'absent.pth', which cannot be read (No such file or directory): expected a file of a
        network; check the path
    """
    content = content_of(path)
    network, digest = ClipImage(read_weights(content, path, trust), activation), digest_of(content)
    name = f"clip {network.encoder.size} {activation} weights {digest[:8]}"
    return ImageNetwork(
        space,
        name,
        digest,
        network,
        network.preprocessing,
        recipe="clip, projected class token",
        device=here(),
    )
