"""Tiny Shakespeare by characters at nanoGPT's CPU configuration: the same steps, then the same wall-clock time.

    python benchmarks/bench_shakespeare.py [threads]     about four minutes on two cores

The configuration: 4 layers, 4 heads, width 128, context 64, batch 12, 2,000 steps; published loss 1.88 nats/char, the mean over
random windows of the last 10 % of the text. First a plain float32 loop takes those 2,000 steps, which sets the time; then ours
takes the same steps with the same optimiser, and then as much time as the loop took, as its preset trains.
"""

from __future__ import annotations

import os
import sys
import time

os.environ.setdefault("GOMP_SPINCOUNT", "5000")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import math

import torch
from bench_text import Plain
from torch import Tensor, nn

from pushforward.app.measuring.text_scoring import score_text
from pushforward.app.runs.opening import open_source
from pushforward.app.runs.planning import plan_training
from pushforward.app.runs.training import train
from pushforward.core.model import GenerativeModel
from pushforward.core.rng import generator
from pushforward.data.dataset import Dataset
from pushforward.data.text.encoding import TextEncoding
from pushforward.data.text.text_dataset import held_out_stream

LENGTH, BATCH, STEPS = 64, 12, 2000
PUBLISHED = {
    "batch_size": BATCH,
    "optimiser": "adamw",
    "learning_rate": 1e-3,
    "final_learning_rate": 0.1,
    "warmup": 0.05,
    "weight_decay": 0.1,
    "ema": 0.0,
}


def random_windows(stream: Tensor) -> Tensor:
    """Return 2,400 windows of one token and the 64 after it, the same for every model."""
    starts = torch.randint(0, len(stream) - LENGTH - 1, (2400,), generator=generator(0, "windows"))
    return stream.unfold(0, LENGTH + 1, 1)[starts]


def plain_loop(dataset: Dataset, windows: Tensor) -> float:
    """Train the plain loop for 2,000 steps, print its loss and return its seconds."""
    torch.manual_seed(0)
    model, rng = Plain(LENGTH), generator(1, "batches")
    for name, parameter in model.named_parameters():
        if parameter.dim() > 1:
            deep = name.endswith(("out.weight", "down.weight"))
            nn.init.normal_(parameter, std=0.02 / math.sqrt(8) if deep else 0.02)
    parts = [
        {
            "params": [p for p in model.parameters() if (p.dim() > 1) == decayed],
            "weight_decay": 0.1 * decayed,
        }
        for decayed in (True, False)
    ]
    optimiser = torch.optim.AdamW(parts, lr=1e-3, betas=(0.9, 0.99), fused=True)
    rows = dataset.streams[0].unfold(0, LENGTH + 1, 1)
    started = time.perf_counter()
    for step in range(STEPS):
        rate = (
            min(1.0, step / 100)
            if step < 100
            else 0.1 + 0.45 * (1 + math.cos(math.pi * (step - 100) / (STEPS - 100)))
        )
        for part in optimiser.param_groups:
            part["lr"] = 1e-3 * rate
        batch = rows[torch.randint(0, len(rows), (BATCH,), generator=rng)]
        optimiser.zero_grad(set_to_none=True)
        model(batch[:, :-1].contiguous(), batch[:, 1:].contiguous()).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
    seconds = time.perf_counter() - started
    with torch.no_grad():
        loss = float(model(windows[:, :-1].contiguous(), windows[:, 1:].contiguous()))
    print(
        f"plain loop: {STEPS} steps in {seconds:.1f} s, validation {loss:.4f} nats/char over random windows"
    )
    return seconds


def report(what: str, model: GenerativeModel, dataset: Dataset, windows: Tensor) -> None:
    """Print the loss over random windows and the full strided score."""
    from pushforward.core.given import Examples, Given, Prefix

    prefix = Prefix(windows[:, :1], torch.ones(len(windows), dtype=torch.long))
    nats = model.terms(Examples(windows[:, 1:].contiguous(), Given(prefix=prefix))).double()
    error = float(nats.mean(1).std()) / len(nats) ** 0.5
    assert isinstance(dataset.encoding, TextEncoding)
    stream = held_out_stream(dataset)
    full = score_text(
        model, stream, dataset.encoding.tokeniser.token_bytes, len(stream) - 1, stride=16
    )
    print(
        f"{what}: validation {-float(nats.mean()):.4f} +- {error:.4f} nats/char over random windows; whole last 10 %, stride 16, "
        f"{full.facts['nats_per_token']:.4f} nats/char, {full.log_prob.value:.4f} +- {full.log_prob.standard_error:.4f} bits/byte",
        flush=True,
    )


def main() -> None:
    """Print the three runs."""
    torch.set_num_threads(int(sys.argv[1]) if len(sys.argv) > 1 else 2)
    dataset = open_source("shakespeare", {"length": LENGTH})
    windows = random_windows(held_out_stream(dataset))
    seconds = plain_loop(dataset, windows)
    for what, budget, settings in (
        ("ours, the same steps", {"steps": STEPS}, {"train": PUBLISHED}),
        ("ours, the same time", {"seconds": seconds}, {}),
    ):
        trained = train(plan_training("autoregressive", dataset, budget=budget, overrides=settings))
        record = trained.record
        print(
            f"{what}: {record.steps} steps of {record.examples // record.steps} windows in {record.seconds:.1f} s"
        )
        report(what, trained.model, dataset, windows)


if __name__ == "__main__":
    main()
