"""Features of images by a network that somebody else trained.

Two ideas: the map is defined by the bytes of the network's file and by the input convention, so the
fingerprint hashes those two and nothing of the user's data; the outputs are left on the network's
own scale, because published distances are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pushforward.core.errors import BadInput
from pushforward.core.placement import memory_of
from pushforward.core.portions import in_portions, out_of_memory
from pushforward.core.reading import read_bytes
from pushforward.core.space import Image
from pushforward.evaluation.features.named import Features
from pushforward.evaluation.features.preprocessing import Preprocessing

CPU = torch.device("cpu")
NUMBERS = 4_000_000  # of the inputs of one batch: 14 images of 3x299x299, whose activations take some 300 MB


class ImageNetwork(Features):
    """Outputs of a frozen network, one row for each image, on the network's own scale.

    A network computes in single precision: the features of one image may differ in the sixth digit
    with the batch it came in.

    Args:
        space: the image space.
        name: printed in brackets; the resizing is added to it.
        digest: sha256 of the network's file.
        network: from inputs (n, channels, height, width) to outputs (n, ...), flattened to rows.
        preprocessing: the network's input convention.
        batch: the only batch size that the network takes, None if it takes any.
        recipe: what else defines the map.
        device: where the network takes its inputs; it may leave its outputs anywhere.

    Raises:
        BadInput: images whose channels the network cannot take.

    Example:
        >>> space = Image(1, 2, 2, levels=3)
        >>> f = ImageNetwork(space, "flat", "00", lambda x: x * 2.0, Preprocessing(channels=1))
        >>> f(np.ones((2, 1, 2, 2), dtype=np.int64)).tolist()
        [[1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0]]
    """

    def __init__(
        self,
        space: Image,
        name: str,
        digest: str,
        network: Callable[[Tensor], Tensor],
        preprocessing: Preprocessing,
        batch: int | None = None,
        recipe: str = "",
        device: torch.device = CPU,
    ) -> None:
        words = ", ".join(part for part in (name, preprocessing.name) if part)
        super().__init__(
            words, np.array([space.levels]), recipe=f"{digest}|{preprocessing}|{recipe}"
        )
        self._space, self._network, self._preprocessing = space, network, preprocessing
        self._device = device
        numbers = int(np.prod(preprocessing.shape(space)))
        self._fixed = batch is not None
        self._batch = batch or max(1, min(256, NUMBERS // numbers))

    def _map(self, x: np.ndarray) -> np.ndarray:
        if x.shape[1:] != self._space.event_shape:
            raise BadInput(f"images of shape {x.shape[1:]}", f"{self._space.event_shape}")

        def rows(first: int, count: int) -> np.ndarray:
            return self._rows(x[first : first + count])

        memory = None if self._fixed else memory_of(self._device)
        return np.concatenate(in_portions(len(x), self._batch, rows, memory=memory))

    @torch.no_grad()
    def _rows(self, x: np.ndarray) -> np.ndarray:
        missing = self._batch - len(x) if self._fixed else 0
        inputs = self._preprocessing(
            np.concatenate([x, np.repeat(x[-1:], missing, axis=0)]), self._space
        )
        try:
            outputs = self._network(inputs.to(self._device))
        except (RuntimeError, ValueError, AssertionError) as error:
            if out_of_memory(error):
                raise  # fewer images at once may fit
            reason = str(error).strip().splitlines() or ["no reason given"]
            raise BadInput(
                f"'{self.name}' does not take inputs of shape {tuple(inputs.shape)} ({reason[-1]})",
                "the network's own input convention",
                "set channels and size to what the network was trained on",
            ) from None
        rows = outputs[: len(x)].flatten(1).double().cpu().numpy()
        if len(rows) != len(x) or not np.isfinite(rows).all():
            raise BadInput(
                f"outputs of '{self.name}' of shape {tuple(outputs.shape)} that are not finite or not one row for each image",
                "finite numbers, one row for each image",
                "check the range, mean and std of the input convention",
            )
        return rows


def digest_of(content: bytes) -> str:
    """Return the sha256 of a file's bytes, as hexadecimal digits.

    Example:
        >>> digest_of(b"")[:8]
        'e3b0c442'
    """
    return hashlib.sha256(content).hexdigest()


def content_of(path: Path) -> bytes:
    """Return the bytes of a file, read once, so that what is hashed is what is opened.

    Raises:
        BadInput: a file that is not there or cannot be read, or no file but a device, a pipe or a
            folder.

    Example:
        >>> content_of(Path("absent.pt"))
        Traceback (most recent call last):
        pushforward.core.errors.BadInput: 'absent.pt', which cannot be read (No such file or directory): expected a file of a
        network; check the path
    """
    return read_bytes(path, "a file of a network")
