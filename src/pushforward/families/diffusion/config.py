"""Settings of the diffusion family and their presets."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pushforward.core.architecture import architectures
from pushforward.core.preset import Aim, Preset, Reached, half_life
from pushforward.core.spec import DEEPEST, Config, OneOf
from pushforward.families.diffusion.denoisers.denoiser import FORMS
from pushforward.families.diffusion.minute import OF_A_MINUTE
from pushforward.families.diffusion.objectives.objective import WEIGHTS
from pushforward.families.diffusion.paths.noise_law import LAWS
from pushforward.families.diffusion.paths.published import PATHS

_HERE = "pushforward.families.diffusion"
# networks of images; what is built maps the scaled image and the levels near it to what the
# denoiser asks for
ARCHITECTURES = architectures(
    "diffusion",
    "image",
    {
        "unet": f"{_HERE}.bodies:UNET",
        "dit": f"{_HERE}.bodies:DIT",
        "edm": f"{_HERE}.bodies:EDM",
        "lean": f"{_HERE}.bodies:LEAN",
        "mlp": f"{_HERE}.bodies:MLP",
        "experts": f"{_HERE}.bodies:EXPERTS",
    },
)
LEARNED = "learned"  # a law that follows training, and the path that follows the law


class DiffusionConfig(Config):
    """Noise levels are in units of the encoded data: images span [-1, 1], points have standard
    deviation one."""

    width: int = Field(
        64, ge=8, description="channels (images) or features (points) of the network"
    )
    depth: int = Field(2, le=DEEPEST, ge=1, description="blocks at full size (images) or in all")
    architecture: Annotated[str, OneOf("", ARCHITECTURES)] = Field(
        "", description="network of images; empty: unet"
    )
    heads: int = Field(4, ge=1, description="attention heads (text, and images with a dit)")
    patch: int | None = Field(
        None,
        ge=1,
        description="side of the patches (None: at most 256 with dit and experts, 1,024 with lean)",
    )
    neighbours: int = Field(
        3, ge=0, description="symbols on either side that an embedding is mixed with (text)"
    )
    dropout: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="share of features dropped while training (text, images with a unet)",
    )
    multipliers: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        (),
        description="channels of each scale in widths, the last for all coarser ones (unet, edm); empty: the network's own",
    )
    context: int = Field(
        64, ge=8, multiple_of=2, description="width of the noise-level and label embedding"
    )
    drop_condition: float = Field(
        0.15, ge=0, lt=1, description="probability that a training label is hidden"
    )
    sigma_min: float | None = Field(
        None,
        gt=0,
        description="smallest noise; None: an eighth of the spacing of levels, 0.01 for points",
    )
    sigma_max: float | None = Field(
        None, gt=1, description="largest noise; None: 40, or where the path ends before"
    )
    path: Annotated[str, OneOf(PATHS, LEARNED)] = Field(
        "log-snr", description="how the scales of data and noise change with time"
    )
    coupling: Literal["independent", "optimal-transport"] = Field(
        "independent",
        description="which noise goes with which example; optimal-transport: the nearest of its batch",
    )
    law: Annotated[str, OneOf(LAWS, LEARNED)] = Field(
        "knee",
        description="which noise levels training draws; learned: where the loss varies least",
    )
    weight: Annotated[str, OneOf(WEIGHTS)] = Field(
        "likelihood", description="how much the error at a noise level counts"
    )
    prediction: Annotated[str, OneOf(FORMS)] = Field(
        "preconditioned", description="what the network's output means"
    )
    variance: Literal["fixed", "learned"] = Field(
        "fixed", description="whether the network also learns the variance of ancestral steps"
    )
    variance_steps: int = Field(
        16,
        ge=2,
        description="steps of the chain whose bound trains a learned variance; it serves longer ones as well",
    )
    places: int = Field(96, ge=1, description="most cells of a number by itself (tables)")
    ode_steps: int = Field(32, ge=2, description="steps of the ODE for likelihoods and codes")


EDM = {"path": "edm", "law": "log-normal", "weight": "edm", "sigma_min": 0.002, "sigma_max": 80.0}

IDDPM = {
    "batch_size": 128,
    "learning_rate": 1e-4,
    "final_learning_rate": 1.0,
    "warmup": 0.0,
    "beta2": 0.999,
    "weight_decay": 0.0,
    "ema": 0.9999,
    "precision": "auto",
    "channels_last": True,
}

PRESETS: dict[tuple[str, str], Preset] = {
    **OF_A_MINUTE,
    ("smoke", "points"): Preset(
        model={"width": 32, "depth": 1, "context": 16, "ode_steps": 12},
        train={"batch_size": 64},
    ),
    ("smoke", "image"): Preset(
        model={"width": 8, "depth": 1, "context": 16, "ode_steps": 12},
        train={"batch_size": 32},
    ),
    ("smoke", "text"): Preset(
        model={"width": 16, "depth": 1, "heads": 2},
        train={"batch_size": 16, "optimiser": "muon"},
    ),
    ("cpu", "text"): Preset(
        model={"width": 128, "depth": 4, "heads": 4},
        train={
            "batch_size": 32,
            "learning_rate": 1e-2,
            "matrix_learning_rate": 1e-2,
            "optimiser": "muon",
            "ema": 0.99,
            "weight_decay": 0.1,
            "precision": "auto",
        },
        reached=Reached(
            "shakespeare",
            750,
            "-log p 3.079 bits/byte (lower bound; 3.061 to 3.097); "
            "classifier two-sample accuracy 0.610 (real data: 0.50; 0.577 to 0.642)",
        ),
    ),
    # sizes and training of MD4's configuration for text8: 12 layers of 12 heads of 64, a million steps
    # of 512 windows of 256 characters; ours has no gate in the feed-forward part
    ("gpu", "text"): Preset(
        model={"width": 768, "depth": 12, "heads": 12},
        train={
            "examples": 512_000_000,
            "batch_size": 512,
            "accumulate": 8,
            "learning_rate": 3e-4,
            "final_learning_rate": 0.0,
            "warmup": 0.002,  # 2,000 steps
            "beta2": 0.999,
            "weight_decay": 0.0,
            "ema": 0.9999,
            "precision": "auto",
        },
        aim=Aim(
            "text8 in windows of 256 characters (-s data.length=256)",
            "1.37 bits/char (an upper bound)",
            "Shi et al. 2024 (MD4), the table of text8",
            "rotary positions and no gated units",
        ),
    ),
    ("smoke", "table"): Preset(
        model={"width": 32, "depth": 1, "context": 16, "places": 8},
        train={"batch_size": 64},
    ),
    ("cpu", "points"): Preset(
        model={"width": 128, "depth": 3, "context": 64},
        train={"batch_size": 512, "learning_rate": 2e-3, "ema": 0.999},
        reached=Reached(
            "gaussians-8",
            7_500,
            "-log p 2.870 nats/point (lower bound; 2.821 to 2.919); "
            "classifier two-sample accuracy 0.496 (real data: 0.50; 0.475 to 0.518)",
        ),
    ),
    ("cpu", "image"): Preset(
        model={"width": 32, "depth": 1, "context": 64},
        train={"batch_size": 128, "learning_rate": 6e-3, "ema": 0.995, "precision": "auto"},
        reached=Reached(
            "digits",
            1_500,
            "-log p 1.655 bits/dim (lower bound; 1.632 to 1.677); "
            "classifier two-sample accuracy 0.466 (real data: 0.50; 0.415 to 0.518)",
        ),
    ),
    # noise in units of pixels on [-1, 1], four blocks a scale of twice the width, attention at 16 x
    # 16 (Karras et al. 2022, table 1 and its appendix on training)
    ("smoke", "image:edm"): Preset(
        model={"width": 8, "depth": 1, "context": 16, **EDM},
        train={"batch_size": 32},
    ),
    ("cpu", "image:edm"): Preset(
        model={"width": 16, "depth": 1, "context": 64, **EDM},
        train={"batch_size": 128, "learning_rate": 3e-3, "ema": 0.995, "precision": "auto"},
        reached=Reached(
            "digits",
            750,
            "-log p 1.767 bits/dim (lower bound; 1.743 to 1.792); "
            "classifier two-sample accuracy 0.483 (real data: 0.50; 0.432 to 0.535)",
        ),
    ),
    ("gpu", "image:edm"): Preset(
        model={"width": 128, "depth": 4, "context": 512, "dropout": 0.13, **EDM},
        train={
            "examples": 200_000_000,
            "batch_size": 512,
            "accumulate": 2,
            "learning_rate": 1e-3,
            "final_learning_rate": 1.0,
            "warmup": 0.05,  # 10 million pictures of 200
            "beta2": 0.999,
            "weight_decay": 0.0,
            "ema": half_life(500_000, 512),
            "precision": "auto",
            "channels_last": True,
        },
        aim=Aim(
            "CIFAR-10 (32 x 32)",
            "FID 1.97",
            "Karras et al. 2022 (EDM), table 2, unconditional VP; train.py of NVlabs/edm",
            "no augmentation; on the way up a block less a scale; four heads of attention for one",
        ),
    ),
    ("gpu", "image:edm@64"): Preset(
        model={
            "width": 128,
            "depth": 4,
            "context": 512,
            "multipliers": (1, 2),
            "dropout": 0.05,
            **EDM,
        },
        train={
            "examples": 200_000_000,
            "batch_size": 256,
            "accumulate": 2,
            "learning_rate": 2e-4,
            "final_learning_rate": 1.0,
            "warmup": 0.05,
            "beta2": 0.999,
            "weight_decay": 0.0,
            "ema": half_life(500_000, 256),
            "precision": "auto",
            "channels_last": True,
        },
        aim=Aim(
            "FFHQ at 64 x 64",
            "FID 2.39",
            "Karras et al. 2022 (EDM), table 2, VP; the command for FFHQ in the README of NVlabs/edm",
            "no augmentation; on the way up a block less a scale; four heads of attention for one",
        ),
    ),
    ("smoke", "image:dit"): Preset(
        model={"width": 16, "depth": 1, "context": 16, "ode_steps": 12},
        train={"batch_size": 32},
    ),
    ("cpu", "image:dit"): Preset(
        model={"width": 96, "depth": 4, "context": 64},
        train={"batch_size": 128, "learning_rate": 2e-3, "ema": 0.995, "precision": "auto"},
        reached=Reached(
            "digits",
            750,
            "-log p 2.090 bits/dim (lower bound; 2.062 to 2.117); "
            "classifier two-sample accuracy 0.799 (real data: 0.50; 0.754 to 0.837)",
        ),
    ),
    # sizes and training of U-ViT-S/2 for CIFAR-10, which is a transformer on patches of pixels as
    # well: DiT was published on the codes of an autoencoder
    ("gpu", "image:dit"): Preset(
        model={"width": 512, "depth": 12, "heads": 8, "context": 512, "patch": 2},
        train={
            "examples": 64_000_000,
            "batch_size": 128,
            "learning_rate": 2e-4,
            "final_learning_rate": 1.0,
            "warmup": 0.005,  # 2,500 steps of 500,000
            "beta2": 0.999,
            "weight_decay": 0.03,
            "ema": 0.9999,
            "precision": "auto",
        },
        aim=Aim(
            "CIFAR-10 (32 x 32)",
            "FID 3.11",
            "Bao et al. 2023 (U-ViT-S/2), README and configs/cifar10_uvit.py of baofff/U-ViT",
            "blocks of DiT (adaptive norms) without U-ViT's long links, which their ablation found to "
            "matter; weights of the likelihood; no flips",
        ),
    ),
    ("gpu", "image:dit@64"): Preset(
        model={"width": 768, "depth": 16, "heads": 12, "context": 768, "patch": 4},
        train={
            "examples": 307_200_000,
            "batch_size": 1024,
            "accumulate": 8,
            "learning_rate": 3e-4,
            "final_learning_rate": 1.0,
            "warmup": 0.017,  # 5,000 steps of 300,000
            "beta2": 0.99,
            "weight_decay": 0.03,
            "ema": 0.9999,
            "precision": "auto",
        },
        aim=Aim(
            "ImageNet at 64 x 64, with labels",
            "FID 5.85",
            "Bao et al. 2023 (U-ViT-M/4), README and configs/imagenet64_uvit_mid.py of baofff/U-ViT",
            "blocks of DiT (adaptive norms) without U-ViT's long links, which their ablation found to "
            "matter; weights of the likelihood",
        ),
    ),
    ("cpu", "table"): Preset(
        model={"width": 192, "depth": 2, "context": 64},
        train={"batch_size": 256, "learning_rate": 3e-3, "ema": 0.998},
        reached=Reached(
            "adult-mini",
            4_000,
            "-log p 28.510 nats/row (lower bound; 28.216 to 28.805); "
            "classifier two-sample accuracy 0.537 (real data: 0.50; 0.508 to 0.565)",
        ),
    ),
    ("gpu", "points"): Preset(
        model={"width": 256, "depth": 4, "context": 128},
        train={
            "examples": 100_000_000,
            "batch_size": 2048,
            "learning_rate": 1e-3,
            "ema": 0.9995,
            "precision": "auto",
        },
    ),
    # the denoiser of TabDDPM for Adult has six layers of 256 to 1,024 units; its 30,000 steps of 4,096
    # rows
    ("gpu", "table"): Preset(
        model={"width": 1024, "depth": 4, "context": 128},
        train={
            "examples": 122_880_000,
            "batch_size": 4096,
            "learning_rate": 2e-3,
            "final_learning_rate": 0.0,
            "warmup": 0.01,
            "beta2": 0.999,
            "weight_decay": 0.0,
            "ema": 0.999,
            "precision": "auto",
        },
        aim=Aim(
            "Adult: XGBoost trained on samples, tested on data",
            "ROC-AUC 0.907",
            "TabDDPM in Zhang et al. 2024 (TabSyn), table 3; settings of Kotelnikov et al. 2023, "
            "exp/adult/ddpm_cb_best of yandex-research/tab-ddpm",
            "symbols are hidden and not drawn anew, time is continuous, columns are not conditioned on "
            "the label",
        ),
    ),
    # sizes and training of iDDPM's runs with the objective of the likelihood: three blocks a scale,
    # 500,000 steps of 128 pictures (64 x 64: 1.5 million)
    ("gpu", "image"): Preset(
        model={
            "width": 128,
            "depth": 3,
            "context": 512,
            "multipliers": (1, 2, 2, 2),
            "dropout": 0.3,
        },
        train={**IDDPM, "examples": 64_000_000},
        aim=Aim(
            "CIFAR-10 (32 x 32)",
            "2.94 bits/dim (an upper bound)",
            "Nichol and Dhariwal 2021 (iDDPM), table 2, L_vlb; README of openai/improved-diffusion",
            "attention on the coarsest scale alone, and time is continuous",
        ),
    ),
    ("gpu", "image@64"): Preset(
        model={"width": 128, "depth": 3, "context": 512, "multipliers": (1, 2, 3, 4)},
        train={**IDDPM, "examples": 192_000_000},
        aim=Aim(
            "ImageNet at 64 x 64",
            "3.53 bits/dim (an upper bound)",
            "Nichol and Dhariwal 2021 (iDDPM), table 1, L_vlb; README of openai/improved-diffusion",
            "attention on the coarsest scale alone, and time is continuous",
        ),
    ),
}
