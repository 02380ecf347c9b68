"""MADE and PixelCNN++ on binarised MNIST, each trained for equal minutes: test nats per image, parameters and steps.

    python benchmarks/bench_binarised_mnist.py --minutes 15 --threads 2

Training images are binarised anew every time they are seen (a pixel of grey g is 1 with probability g / 255), from a seeded
generator. The 10,000 test images are binarised once, from a generator with a fixed seed of their own, so scores of two models
are of the same bits; they are not those of Larochelle's fixed file, whose numbers differ by about a nat. The last thousand
training images choose the weight average that is kept and are not trained on.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from pushforward.core.given import Examples
from pushforward.core.rng import generator
from pushforward.core.space import Image
from pushforward.core.spec import TrainConfig, parse, parse_settings
from pushforward.data.idx import read_idx
from pushforward.engine.fit import fit
from pushforward.engine.fit_records import Progress
from pushforward.families.build import build

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "mnist"
SPACE = Image(1, 28, 28, levels=2)
HELD_OUT = 1000
TEST_SEED = 20_250_101
ARCHITECTURES = {
    "made": {
        "model": {"width": 1024, "depth": 2},
        "train": {
            "batch_size": 128,
            "learning_rate": 1e-3,
            "weight_decay": 0.01,
            "ema": 0.999,
            "precision": "auto",
        },
    },
    "pixelcnn": {
        "model": {"width": 24, "depth": 4},
        "train": {
            "batch_size": 16,
            "learning_rate": 4e-3,
            "weight_decay": 0.01,
            "ema": 0.998,
            "precision": "auto",
            "channels_last": True,
        },
    },
}


def binarise(grey: Tensor, rng: torch.Generator) -> Tensor:
    """Return 1 with probability `grey / 255`."""
    return (torch.rand(grey.shape, generator=rng) * 255.0 < grey).to(torch.uint8)


@dataclass(frozen=True)
class Binarised(Examples):
    """Grey images of which every batch is binarised anew; `x` is one binarisation of all of them."""

    grey: Tensor | None = None
    rng: torch.Generator | None = None

    def __getitem__(self, rows: slice | Tensor) -> Examples:
        assert self.grey is not None
        assert self.rng is not None
        return Examples(binarise(self.grey[rows], self.rng))


def load(data: Path) -> tuple[Examples, Examples, Examples]:
    """Return training, held-out and test images."""
    train, test = (
        torch.from_numpy(read_idx(data / f"{part}-images-idx3-ubyte.gz").copy()).unsqueeze(1)
        for part in ("train", "t10k")
    )
    grey, rng = train[:-HELD_OUT], generator(0, "binarise", "train")
    held_out = Examples(binarise(train[-HELD_OUT:], generator(TEST_SEED, "binarise", "held out")))
    fixed = Examples(binarise(test, generator(TEST_SEED, "binarise", "test")))
    return Binarised(binarise(grey, rng), grey=grey, rng=rng), held_out, fixed


def train_and_score(
    name: str, minutes: float, settings: dict, data: tuple[Examples, Examples, Examples], n: int
) -> None:
    """Train one architecture and print its row."""
    train, held_out, test = data
    chosen = {
        part: {**values, **settings.get(part, {})} for part, values in ARCHITECTURES[name].items()
    }
    budget = {} if "steps" in chosen["train"] else {"seconds": 60.0 * minutes}
    config = parse(TrainConfig, {**chosen["train"], **budget}, "train")
    model = build("autoregressive", SPACE, values={"architecture": name, **chosen["model"]})
    seen: list[float | None] = [None]

    def tell(progress: Progress) -> None:
        if progress.held_out != seen[0]:
            seen[0] = progress.held_out
            print(
                f"  {name} {progress.seconds:5.0f} s, step {progress.step}: held out {seen[0]:.2f} nats",
                flush=True,
            )

    record = fit(model, train, held_out, config, observer=tell)
    started = time.perf_counter()
    nats = -model.log_prob(test[:n]).nats.double()
    score = f"{float(nats.mean()):.2f} +- {float(nats.std() / len(nats) ** 0.5):.2f} nats"
    print(
        f"{name}: test {score} (n = {len(nats)}), {record.parameters} parameters, {record.steps} steps, "
        f"{record.examples / (len(train)):.1f} epochs in {record.seconds / 60:.1f} min; scored in "
        f"{time.perf_counter() - started:.0f} s; {json.dumps(chosen)}",
        flush=True,
    )


def main() -> None:
    """Train what is asked for, one after another."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=15.0, help="of training for each")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--only", choices=sorted(ARCHITECTURES), nargs="*", default=sorted(ARCHITECTURES)
    )
    parser.add_argument("--test", type=int, default=10_000, help="test images to score")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the IDX files")
    parser.add_argument(
        "-s",
        dest="settings",
        action="append",
        default=[],
        help="such as model.width=32; train.steps=N replaces the minutes",
    )
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    data = load(arguments.data)
    for name in arguments.only:
        train_and_score(
            name, arguments.minutes, parse_settings(arguments.settings), data, arguments.test
        )


if __name__ == "__main__":
    main()
