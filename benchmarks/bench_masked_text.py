"""Masked diffusion of Tiny Shakespeare by characters beside the autoregressive model, after equal training time.

    python benchmarks/bench_masked_text.py [seconds] [threads]     20 seconds of training each by default; about two minutes in all

Both are trained as their `cpu` presets say, on windows of 64, for as many steps as fit into so many seconds of processor time,
which other work on the machine changes little. Scores are of the test split: windows given the token before (what `compare` shows),
and the text with a stride, exact for one and a bound for the other. Samples are texts of 256 characters, written with 16, 64 and
256 network calls; their code length under the autoregressive model says how probable they look to it, the entropy of their
characters whether that was bought by repetition, and the share of their words that the training text has how well they are spelled.
"""

from __future__ import annotations

import os
import sys
import time

os.environ.setdefault("GOMP_SPINCOUNT", "5000")

import math

import torch
from torch import Tensor

from pushforward.app.measuring.text_scoring import bound_text, score_text
from pushforward.app.runs.opening import open_source
from pushforward.app.runs.planning import plan_training
from pushforward.app.runs.training import Trained, train
from pushforward.core.model import GenerativeModel
from pushforward.data.dataset import Dataset
from pushforward.data.text.encoding import TextEncoding
from pushforward.evaluation.likelihood.code_length import likelihood_score
from pushforward.evaluation.text.entropy import token_entropy

LENGTH, TEXTS, WRITTEN = 64, 64, 256


def timed(family: str, dataset: Dataset, steps: int) -> tuple[Trained, float]:
    """Train for some steps without looking at held-out data and return the seconds of processor time a step took."""
    plan = plan_training(
        family, dataset, budget={"steps": steps}, overrides={"train": {"evaluate_every": 10**9}}
    )
    before = time.process_time()
    done = train(plan)
    return done, time.process_time() - before


def trained(family: str, dataset: Dataset, seconds: float) -> GenerativeModel:
    """Train and say what was done."""
    timed(family, dataset, 2)
    few, many = (timed(family, dataset, steps)[1] for steps in (4, 20))
    done, spent = timed(family, dataset, max(20, round(seconds / max((many - few) / 16, 1e-3))))
    r = done.record
    print(
        f"{family}: {r.parameters:,} parameters, {r.steps} steps of {r.examples // r.steps} windows, {spent:.0f} s of processor "
        f"time ({r.seconds:.0f} s by the clock)",
        flush=True,
    )
    return done.model


def likelihoods(exact: GenerativeModel, masked: GenerativeModel, dataset: Dataset) -> None:
    """Print windows and strided texts."""
    assert isinstance(dataset.encoding, TextEncoding)
    for name, model in (("autoregressive", exact), ("diffusion", masked)):
        score = likelihood_score(model.log_prob(dataset.test, samples=16))
        print(
            f"{name}, windows given the token before: {score.value:.4f} +- {score.stderr:.4f} bits/byte [{score.kind}]"
        )
    stream, token_bytes = dataset.streams[2], dataset.encoding.tokeniser.token_bytes
    for stride in (64, 16):
        one = score_text(exact, stream, token_bytes, len(stream) - 1, stride).log_prob
        # smaller strides of the bound cost more and are scored with fewer masks
        other = bound_text(
            masked, stream, token_bytes, len(stream) - 1, stride, samples=stride // 4
        ).log_prob
        assert other.stderr is not None
        drawn = float(other.stderr.square().sum().sqrt()) / math.log(2.0) / (len(stream) - 1)
        print(
            f"stride {stride}: exact {one.value:.4f} +- {one.standard_error:.4f} bits/char, bound {other.value:.4f} +- "
            f"{other.standard_error:.4f} (of which {drawn:.4f} is the drawing of masks)",
            flush=True,
        )


def quality(name: str, x: Tensor, judge: GenerativeModel, dataset: Dataset, seconds: float) -> None:
    """Print what some texts (n, 256) look like in numbers."""
    encoding = dataset.encoding
    assert isinstance(encoding, TextEncoding)
    known = {
        word for text in encoding.decode_documents(dataset.streams[0][1:]) for word in text.split()
    }
    # the first and the last word may be cut
    words = [word for text in encoding.decode(x) for word in text.split()[1:-1]]
    bits = (
        -float(judge.log_prob(x.reshape(-1, LENGTH)).nats.double().mean()) / LENGTH / math.log(2.0)
    )
    entropy = token_entropy(x.numpy())
    print(
        f"{name}: {bits:.3f} bits/char under the autoregressive model, entropy {entropy.mean():.3f} +- "
        f"{entropy.std() / len(x) ** 0.5:.3f} bits, {sum(word in known for word in words) / max(1, len(words)):.1%} known words, "
        f"{seconds:.1f} s",
        flush=True,
    )


def main() -> None:
    """Print everything."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 20.0
    torch.set_num_threads(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    dataset = open_source("shakespeare", {"length": LENGTH})
    exact, masked = (
        trained(family, dataset, seconds) for family in ("autoregressive", "diffusion")
    )
    likelihoods(exact, masked, dataset)
    real = dataset.test.x[: TEXTS * WRITTEN // LENGTH].reshape(TEXTS, WRITTEN)
    quality("real", real, exact, dataset, 0.0)
    for name, model, options in (
        ("autoregressive, 256 calls", exact, {}),
        *((f"diffusion, {16 * 4**i} calls", masked, {"steps": 4 * 4**i}) for i in range(3)),
        ("diffusion, 16 calls, cosine", masked, {"steps": 4, "grid": "cosine"}),
        ("diffusion, 64 calls, cosine", masked, {"steps": 16, "grid": "cosine"}),
    ):
        started = time.perf_counter()
        x = model.sample(TEXTS, length=WRITTEN, **options)
        quality(name, x, exact, dataset, time.perf_counter() - started)
        if "cosine" not in name:
            print("    " + repr(dataset.encoding.decode(x[:1])[0][:160]))  # type: ignore[union-attr]


if __name__ == "__main__":
    main()
