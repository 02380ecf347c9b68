"""Settings of the autoregressive family and their presets.

One idea: a preset belongs to a kind of space; an architecture that needs other numbers has its own
entry, `kind:architecture`.
"""

from __future__ import annotations

from pydantic import Field

from pushforward.core.preset import OF_28, Aim, Preset, Reached
from pushforward.core.spec import DEEPEST, Config


class AutoregressiveConfig(Config):
    """Size of an autoregressive model."""

    architecture: str | None = Field(None, description="None = the default one of the space")
    width: int = Field(
        64, ge=4, description="features of a position, pixel or line; units of a layer of `made`"
    )
    depth: int = Field(
        2,
        le=DEEPEST,
        ge=1,
        description="residual blocks: of attention, of gated convolutions, of (masked) layers",
    )
    heads: int = Field(4, ge=1, description="attention heads (transformer, scanlines)")
    dropout: float = Field(
        0.0, ge=0, lt=1, description="share of features dropped while training (all but mixture)"
    )
    components: int = Field(
        16,
        ge=1,
        description="Gaussians in a conditional mixture (points), logistics (pictures), most cells of a number (tables)",
    )
    context: int = Field(32, ge=1, description="width of the label embedding (all but transformer)")
    context_depth: int = Field(
        2,
        le=DEEPEST,
        ge=0,
        description="blocks that read a context before it is looked at (transformer)",
    )
    condition_dropout: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="share of training rows without label and context, which guidance needs (transformer)",
    )


PIXELCNN = {
    "learning_rate": 1e-3,
    "warmup": 0.0,
    "beta1": 0.95,
    "beta2": 0.9995,
    "weight_decay": 0.0,
    "ema": 0.9995,
    "precision": "auto",
    "channels_last": True,
}

PRESETS: dict[tuple[str, str], Preset] = {
    ("smoke", "points"): Preset(
        model={"width": 16, "depth": 1, "components": 4, "context": 8},
        train={},
    ),
    ("smoke", "image"): Preset(model={"width": 16, "depth": 1, "heads": 2}, train={}),
    ("smoke", "table"): Preset(
        model={"width": 16, "depth": 1, "heads": 2, "components": 8},
        train={},
    ),
    ("smoke", "points:made"): Preset(
        model={"width": 32, "depth": 1, "components": 4, "context": 8},
        train={},
    ),
    ("smoke", "image:pixelcnn"): Preset(
        model={"width": 8, "depth": 2, "components": 3, "context": 8},
        train={},
    ),
    ("smoke", "image:made"): Preset(
        model={"width": 32, "depth": 1, "components": 3, "context": 8},
        train={},
    ),
    ("cpu", "points"): Preset(
        model={"width": 128, "depth": 3, "components": 24},
        train={"batch_size": 512, "learning_rate": 2e-3, "ema": 0.998, "weight_decay": 0.0},
        reached=Reached(
            "gaussians-8",
            12_000,
            "-log p 2.853 nats/point (exact; 2.807 to 2.899); "
            "classifier two-sample accuracy 0.509 (real data: 0.50; 0.487 to 0.531)",
        ),
    ),
    ("cpu", "image"): Preset(
        model={"width": 96, "depth": 3, "heads": 4, "dropout": 0.2},
        train={
            "batch_size": 32,
            "learning_rate": 2e-3,
            "ema": 0.995,
            "weight_decay": 0.1,
            "precision": "auto",
        },
        reached=Reached(
            "digits",
            1_200,
            "-log p 1.729 bits/dim (exact; 1.704 to 1.755); "
            "classifier two-sample accuracy 0.601 (real data: 0.50; 0.549 to 0.650)",
        ),
    ),
    ("smoke", "text"): Preset(
        model={"width": 16, "depth": 1, "heads": 2},
        train={"batch_size": 16, "optimiser": "muon"},
    ),
    ("cpu", "text"): Preset(
        model={"width": 128, "depth": 4, "heads": 4},
        train={
            "batch_size": 32,
            "learning_rate": 3e-3,
            "optimiser": "muon",
            "ema": 0.99,
            "weight_decay": 0.1,
            "precision": "auto",
        },
        reached=Reached(
            "shakespeare",
            800,
            "-log p 2.428 bits/byte (exact; 2.397 to 2.459); "
            "classifier two-sample accuracy 0.584 (real data: 0.50; 0.551 to 0.616)",
        ),
    ),
    # nanoGPT's small model of characters: 5,000 steps of 64 windows of 256, which are the windows to
    # ask for
    ("gpu", "text"): Preset(
        model={"width": 384, "depth": 6, "heads": 6, "dropout": 0.2},
        train={
            "examples": 320_000,
            "batch_size": 64,
            "learning_rate": 1e-3,
            "final_learning_rate": 0.1,
            "warmup": 0.02,  # 100 steps
            "beta2": 0.99,
            "weight_decay": 0.1,
            "ema": 0.99,
            "precision": "auto",
        },
        aim=Aim(
            "tiny Shakespeare in windows of 256 characters (-s data.length=256)",
            "1.47 nats/char, which is 2.12 bits/char",
            "config/train_shakespeare_char.py and README of karpathy/nanoGPT",
            "rotary positions, squared rectifiers, a split of our own",
        ),
    ),
    ("cpu", "table"): Preset(
        model={"width": 64, "depth": 2, "heads": 4, "components": 96, "dropout": 0.05},
        train={"batch_size": 256, "learning_rate": 5e-3, "ema": 0.998, "weight_decay": 0.05},
        reached=Reached(
            "adult-mini",
            1_800,
            "-log p 28.376 nats/row (exact; 28.091 to 28.661); "
            "classifier two-sample accuracy 0.532 (real data: 0.50; 0.503 to 0.560)",
        ),
    ),
    ("cpu", "points:made"): Preset(
        model={"width": 256, "depth": 3, "components": 24},
        train={"batch_size": 512, "learning_rate": 2e-3, "ema": 0.998, "weight_decay": 0.0},
        reached=Reached(
            "gaussians-8",
            8_000,
            "-log p 2.856 nats/point (exact; 2.810 to 2.902); "
            "classifier two-sample accuracy 0.501 (real data: 0.50; 0.479 to 0.523)",
        ),
    ),
    ("cpu", "image:pixelcnn"): Preset(
        model={"width": 24, "depth": 4, "components": 8, "dropout": 0.2},
        train={
            "batch_size": 32,
            "learning_rate": 4e-3,
            "ema": 0.995,
            "precision": "auto",
            "channels_last": True,
        },
        reached=Reached(
            "digits",
            600,
            "-log p 1.657 bits/dim (exact; 1.632 to 1.681); "
            "classifier two-sample accuracy 0.525 (real data: 0.50; 0.473 to 0.576)",
        ),
    ),
    ("cpu", "image:made"): Preset(
        model={"width": 512, "depth": 2, "components": 8, "dropout": 0.4},
        train={
            "batch_size": 64,
            "learning_rate": 2e-3,
            "ema": 0.995,
            "weight_decay": 0.1,
            "precision": "auto",
        },
        reached=Reached(
            "digits",
            4_000,
            "-log p 1.794 bits/dim (exact; 1.768 to 1.820); "
            "classifier two-sample accuracy 0.592 (real data: 0.50; 0.541 to 0.642)",
        ),
    ),
    # small batches: a picture has hundreds of terms, so that few of them make a gradient
    ("minute", "image"): Preset(
        model={"architecture": "scanlines", "width": 128, "depth": 2, "heads": 4, "components": 5},
        train={
            "batch_size": 8,
            "learning_rate": 5e-3,
            "ema": 0.995,
            "precision": "auto",
        },
        numbers=OF_28,
    ),
    ("gpu", "points:made"): Preset(
        model={"width": 1024, "depth": 4, "components": 48},
        train={"examples": 50_000_000, "batch_size": 1024, "precision": "auto"},
        aim=Aim(
            "POWER (six columns)",
            "log p 0.40 nats/row",
            "Papamakarios et al. 2017 (MAF), table 1, MADE MoG",
            "sizes and training are ours, layers are residual",
        ),
    ),
    # filters, mixtures, dropout and optimiser of PixelCNN++ (train.py: 8 GPUs with 12 pictures each);
    # its three scales of five blocks down and up became fifteen blocks at full size
    ("gpu", "image:pixelcnn"): Preset(
        model={"width": 160, "depth": 15, "components": 10, "dropout": 0.5},
        train={
            **PIXELCNN,
            "examples": 50_000_000,
            "batch_size": 96,
            "accumulate": 3,
        },
        aim=Aim(
            "CIFAR-10 (32 x 32)",
            "2.92 bits/dim",
            "Salimans et al. 2017 (PixelCNN++), table 1; train.py of openai/pixel-cnn",
            "all blocks at full size, where theirs have three scales (Gated PixelCNN, which has one "
            "too, was published with 3.03); length is ours",
        ),
    ),
    ("gpu", "image:pixelcnn@64"): Preset(
        model={"width": 128, "depth": 20, "components": 10},
        train={**PIXELCNN, "examples": 25_600_000, "batch_size": 128, "accumulate": 4},
        aim=Aim(
            "ImageNet at 64 x 64",
            "3.57 bits/dim",
            "van den Oord et al. 2016 (Gated PixelCNN), table 2",
            "logistics in the place of 256 classes; sizes and length are ours",
        ),
    ),
    # of pictures MADE has one published figure, of 28 x 28 in black and white; a network of that width
    # on 32 x 32 x 3 would have 700 million weights in its last layer
    ("gpu", "image:made"): Preset(
        model={"width": 1024, "depth": 4, "components": 10, "dropout": 0.2},
        train={
            "examples": 20_000_000,
            "batch_size": 256,
            "precision": "auto",
            "weight_decay": 0.1,
            "ema": 0.9995,
        },
        aim=Aim(
            "binarised MNIST (28 x 28)",
            "88.40 nats/picture",
            "Germain et al. 2015 (MADE), table 6, one hidden layer, one mask",
            "sizes and training are ours, layers are residual",
        ),
    ),
    ("gpu", "points"): Preset(
        model={"width": 256, "depth": 4, "components": 48},
        train={"examples": 50_000_000, "batch_size": 1024, "precision": "auto"},
        aim=Aim(
            "POWER (six columns)",
            "log p 0.40 nats/row",
            "Papamakarios et al. 2017 (MAF), table 1, MADE MoG",
            "a network for every coordinate and no masks; sizes and training are ours",
        ),
    ),
    # sizes and dropout of the Image Transformer's best run with a categorical distribution; it looks
    # at a block of 256 values, ours at all before
    ("gpu", "image"): Preset(
        model={"width": 512, "depth": 12, "heads": 4, "dropout": 0.3},
        train={
            "examples": 20_000_000,
            "batch_size": 32,
            "accumulate": 4,
            "learning_rate": 3.5e-4,
            "warmup": 0.01,
            "beta2": 0.999,
            "weight_decay": 0.01,
            "ema": 0.9995,
            "precision": "auto",
        },
        aim=Aim(
            "CIFAR-10 (32 x 32)",
            "2.90 bits/dim",
            "Parmar et al. 2018 (Image Transformer), table 4; imagetransformer_cifar10_base of "
            "tensor2tensor",
            "attends to all values before, not to blocks; training is ours",
        ),
    ),
    # 12,288 values attend to each other: the Sparse Transformer's sizes and batch, without its sparse
    # patterns, which takes long
    ("gpu", "image@64"): Preset(
        model={"width": 512, "depth": 48, "heads": 16, "dropout": 0.01},
        train={
            "examples": 80_000_000,
            "batch_size": 16,
            "accumulate": 2,
            "activation_checkpointing": True,
            "learning_rate": 3.5e-4,
            "warmup": 0.01,
            "beta2": 0.999,
            "weight_decay": 0.01,
            "ema": 0.9995,
            "precision": "auto",
        },
        aim=Aim(
            "ImageNet at 64 x 64",
            "3.44 bits/dim",
            "Child et al. 2019 (Sparse Transformer), table 1, 152M strided",
            "attends to all values before, which is slower; training is ours",
        ),
    ),
    # an autoregressive model of tables with a published figure is a language model that was fine-tuned
    # on sentences of rows; sizes and training are ours
    ("gpu", "table"): Preset(
        model={"width": 192, "depth": 4, "heads": 8, "components": 128, "dropout": 0.1},
        train={
            "examples": 10_000_000,
            "batch_size": 512,
            "learning_rate": 1e-3,
            "weight_decay": 0.05,
            "precision": "auto",
        },
        aim=Aim(
            "Adult: XGBoost trained on samples, tested on data",
            "ROC-AUC 0.913",
            "GReaT in Zhang et al. 2024 (TabSyn), table 3",
            "a small transformer over cells that begins at random, where GReaT goes on from GPT-2; "
            "sizes and training are ours",
        ),
    ),
}
