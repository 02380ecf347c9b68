"""Training and generating text against transformers' GPT-2 and a plain eager loop, at 4 layers, 4 heads, width 128.

    python benchmarks/bench_text.py [threads]     about three minutes; needs `transformers`, a test-only dependency

Training: one whole step (12 windows, forward, back, clipping, AdamW); ours in bfloat16, as its preset trains, peers in float32,
which is what they do on a CPU. Generation: 255 tokens after one, plain sampling, the same GPT-2 weights in both.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

os.environ.setdefault("GOMP_SPINCOUNT", "5000")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from paired import paired
from torch import Tensor, nn
from torch.nn import functional
from transformers import GPT2Config, GPT2LMHeadModel

from pushforward.core.given import Examples, Given, Prefix
from pushforward.core.noise import BatchNoise
from pushforward.core.rng import generator
from pushforward.core.spec import TrainConfig
from pushforward.core.text import Text
from pushforward.engine.optimiser import build_optimisers, take_step
from pushforward.engine.precision import prepared_networks, resolved
from pushforward.families.autoregressive.gpt2 import from_gpt2
from pushforward.families.build import build

VOCABULARY, LAYERS, HEADS, WIDTH, BATCH = 66, 4, 4, 128, 12


class PlainBlock(nn.Module):
    """Attention and a GELU perceptron, pre-normalised, as most small GPT scripts have them."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH, bias=False), nn.LayerNorm(WIDTH, bias=False)
        self.qkv, self.out = (
            nn.Linear(WIDTH, 3 * WIDTH, bias=False),
            nn.Linear(WIDTH, WIDTH, bias=False),
        )
        self.up, self.down = (
            nn.Linear(WIDTH, 4 * WIDTH, bias=False),
            nn.Linear(4 * WIDTH, WIDTH, bias=False),
        )

    def forward(self, h: Tensor) -> Tensor:
        n, t, _ = h.shape
        q, k, v = (
            x.view(n, t, HEADS, -1).transpose(1, 2) for x in self.qkv(self.norm1(h)).split(WIDTH, 2)
        )
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        h = h + self.out(mixed.transpose(1, 2).reshape(n, t, WIDTH))
        return h + self.down(functional.gelu(self.up(self.norm2(h))))


class Plain(nn.Module):
    """A decoder-only transformer with learned positions and tied embeddings, in plain eager PyTorch."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self.table, self.places = nn.Embedding(VOCABULARY, WIDTH), nn.Embedding(length, WIDTH)
        self.blocks = nn.ModuleList(PlainBlock() for _ in range(LAYERS))
        self.norm = nn.LayerNorm(WIDTH, bias=False)

    def forward(self, inputs: Tensor, targets: Tensor) -> Tensor:
        h = self.table(inputs) + self.places.weight[: inputs.shape[1]]
        for block in self.blocks:
            h = block(h)
        logits = self.norm(h) @ self.table.weight.T
        return functional.cross_entropy(logits.flatten(0, 1), targets.flatten())


def published(length: int) -> GPT2LMHeadModel:
    """Return transformers' GPT-2 of this size, without dropout."""
    size = {
        "n_positions": length,
        "n_embd": WIDTH,
        "n_layer": LAYERS,
        "n_head": HEADS,
        "vocab_size": VOCABULARY,
    }
    return GPT2LMHeadModel(
        GPT2Config(
            **size, resid_pdrop=0, embd_pdrop=0, attn_pdrop=0, bos_token_id=65, eos_token_id=65
        )
    )


def peer_step(loss: Callable[[], Tensor], parameters: list[nn.Parameter]) -> Callable[[], None]:
    """Return one training step of a peer."""
    optimiser = torch.optim.AdamW(parameters, lr=1e-3, fused=True)

    def step() -> None:
        optimiser.zero_grad(set_to_none=True)
        loss().backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()

    return step


def our_step(batch: Examples, length: int) -> Callable[[], None]:
    """Return one training step of ours, as the engine takes it."""
    model = build(
        "autoregressive",
        Text(VOCABULARY, length, 65),
        values={"width": WIDTH, "depth": LAYERS, "heads": HEADS},
    )
    config = TrainConfig(steps=1)
    groups = model.parameter_groups()
    optimisers = build_optimisers(groups, config)

    def step() -> None:
        with prepared_networks(model.networks(), resolved("auto", "cpu"), channels_last=False):
            for loss in model.losses(batch, BatchNoise(generator(0), len(batch))):
                for parameter in groups["model"]:
                    parameter.grad = None
                loss.value.backward(inputs=groups["model"])
                nn.utils.clip_grad_norm_(groups["model"], 1.0)
                take_step(optimisers["model"])

    return step


def training(length: int, threads: int) -> None:
    """Print the ratios of a training step."""
    torch.manual_seed(0)
    tokens = torch.randint(0, 65, (BATCH, length + 1), generator=generator(1))
    before, x = tokens[:, :1], tokens[:, 1:].contiguous()
    inputs = tokens[:, :-1].contiguous()
    ours = our_step(
        Examples(x, Given(prefix=Prefix(before, torch.ones(BATCH, dtype=torch.long)))), length
    )
    gpt2, plain = published(length).train(), Plain(length)
    theirs = peer_step(lambda: gpt2(inputs, labels=inputs).loss, list(gpt2.parameters()))
    eager = peer_step(lambda: plain(inputs, x), list(plain.parameters()))
    paired(f"training step, context {length}", ours, "transformers GPT-2", theirs, threads=threads)
    paired(f"training step, context {length}", ours, "plain eager loop", eager, threads=threads)


def generation(batch: int, turns: int, threads: int) -> None:
    """Print the ratio of generating 255 tokens with the same weights."""
    torch.manual_seed(0)
    theirs = published(256).eval()
    values = {"width": WIDTH, "depth": LAYERS, "heads": HEADS, "architecture": "gpt2"}
    ours = build("autoregressive", Text(VOCABULARY, 256, 65), values=values)
    state = {f"net.{name}": value for name, value in from_gpt2(theirs.state_dict()).items()}
    ours.load_state_dict(state, strict=False)
    start = torch.full((batch, 1), 65)
    peer = lambda: theirs.generate(  # noqa: E731
        start,
        attention_mask=torch.ones_like(start),
        max_new_tokens=255,
        min_new_tokens=255,
        do_sample=True,
        top_k=0,
        pad_token_id=0,
    )
    paired(
        f"255 tokens, batch {batch}",
        lambda: ours.sample(batch, length=255),
        "generate",
        peer,
        turns,
        threads,
    )


def main() -> None:
    """Print every ratio."""
    threads = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    for length in (64, 256):
        training(length, threads)
    for batch, turns in ((1, 5), (64, 3)):
        generation(batch, turns, threads)


if __name__ == "__main__":
    main()
