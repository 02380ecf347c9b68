"""What the diffusion family declares about itself."""

from __future__ import annotations

from dataclasses import replace

from pushforward.core.capabilities import Capabilities, Card, Refusal
from pushforward.core.conditionals import Conditional, drawn_law
from pushforward.core.estimator import estimators
from pushforward.families.diffusion.conditioning import CONDITIONS
from pushforward.families.diffusion.config import ARCHITECTURES
from pushforward.families.diffusion.densities import scorer
from pushforward.families.diffusion.gaussian import Gaussian
from pushforward.families.diffusion.options import GUIDING, STEPPING
from pushforward.families.diffusion.process import Process
from pushforward.families.diffusion.rows import table_process
from pushforward.families.diffusion.solvers.sampler import SOLVERS
from pushforward.families.diffusion.symbols import masked_text

DRAWN = Conditional(
    "draws", "shares and quantiles of rows that are drawn given the others", "estimate", drawn_law
)
_BOUNDS = (scorer.ELBO, scorer.VLB, scorer.VLB_SMALL, scorer.VLB_LARGE)
PROCESSES: dict[str, type[Process]] = {
    "points": Gaussian,
    "image": Gaussian,
    "text": masked_text.MaskedText,
    "table": table_process.TableDiffusion,
}

CAPABILITIES = Capabilities(
    {
        "points": estimators("diffusion", "points", *_BOUNDS, scorer.ODE),
        "image": estimators("diffusion", "image", *_BOUNDS, scorer.ODE_OF_PIXELS),
        "text": estimators("diffusion", "text", masked_text.ELBO),
        "table": estimators("diffusion", "table", table_process.ELBO),
    },
    encode={"points": "ode", "image": "ode"},
    sampling_cost=(
        "N steps; Heun makes 2N - 1 network calls, a corrector adds its own, `ode` takes what its tolerance asks, the others N; "
        "guidance and measurements double them, RePaint takes each step again; tables add one call per symbol"
    ),
    held_out="-ELBO of the data from 8 stratified noise levels per example [nats]",
    conditions=(*CONDITIONS, "prefix", "known"),
    conditionals={"table": DRAWN},
    # what any of its processes reads, each once
    options=tuple(
        dict.fromkeys(option for process in PROCESSES.values() for option in process.options)
    ),
    solvers=SOLVERS,
    architectures={"image": ARCHITECTURES},
    null_condition=True,
    refusals={
        "encode": Refusal(
            "masking has no inverse, so symbols have no code", "encode points or images"
        ),
        "decode": Refusal(
            "masking has no inverse, so symbols have no code", "decode codes of points or images"
        ),
        "terms": Refusal(
            "symbols are revealed in any order, so that none has a term of its own",
            "score wholes, or train `autoregressive` for a likelihood by token or column",
        ),
    },
)

# with coupled noise `D` is no posterior mean under Gaussian noise: there is the flow it was trained
# for, and no score
COUPLED = replace(
    CAPABILITIES,
    estimators={
        kind: tuple(e for e in known if e.name == "ode")
        for kind, known in CAPABILITIES.estimators.items()
    },
    held_out="error of the denoised data under the coupling, weighted as in training [per dim]",
    held_out_of_data=False,
    conditions=("label",),
    conditionals={},
    options=(*GUIDING, *STEPPING),
    solvers=tuple(solver for solver in SOLVERS if solver.follows_flow),
)

CARD = Card(
    title="Diffusion model: a denoiser for every noise level, integrated from noise to data",
    optimises="The squared error of the clean data predicted from noisy data, over all noise levels, weighted as in the bound.",
    objective="min E_{x, s, eps} w(s) |x - D(x + s eps, s)|^2; with w(s) = 1/(s^2 p(log s)) it is the diffusion term of -ELBO",
    number_means=(
        "The training loss is one term of a bound on -log p(x), per dimension. `elbo` bounds log p(x) of the reverse "
        "stochastic process from below. `ode` estimates the density of the deterministic sampler, whose distribution is a "
        "different one unless the denoiser is perfect. Text is masked instead of noised: its loss is the cross-entropy of a hidden "
        "symbol, and `elbo` bounds log p(x) of the process that reveals one symbol a call, in random order."
    ),
    look_at=(
        "samples against the number of network calls",
        "denoising error at each noise level, where the bound's integrand shows what is hard",
        "the stderr of `ode`: it holds the change under step halving and the spread of its draws",
        "`vlb` at the number of steps that you draw with: what the sampler itself can code, and which noise levels cost it",
    ),
    may_go_wrong=(
        "too few steps: smooth or washed-out samples although the bound is good",
        "guidance above 1 trades diversity for typicality and has no likelihood",
        "a good bound does not promise good samples, since fine noise levels dominate it",
        "symbols that one call reveals together are drawn as if independent: few calls garble text whatever its bound",
    ),
    strength="Training is a plain regression and samples are usually the best; quality, edits and "
    "guidance are chosen while sampling.",
    cost="One network call per training example; sampling costs tens of calls (35 by default).",
    references=(
        (
            "ho2020",
            "Ho, Jain, Abbeel: Denoising Diffusion Probabilistic Models, NeurIPS 2020, arXiv:2006.11239",
        ),
        (
            "song2020",
            "Song et al.: Score-Based Generative Modeling through SDEs, ICLR 2021, arXiv:2011.13456",
        ),
        (
            "song2020ddim",
            "Song, Meng, Ermon: Denoising Diffusion Implicit Models, ICLR 2021, arXiv:2010.02502",
        ),
        (
            "nichol2021",
            "Nichol, Dhariwal: Improved Denoising Diffusion Probabilistic Models, ICML 2021, arXiv:2102.09672",
        ),
        (
            "kingma2021",
            "Kingma, Salimans, Poole, Ho: Variational Diffusion Models, NeurIPS 2021, arXiv:2107.00630",
        ),
        (
            "karras2022",
            "Karras, Aittala, Aila, Laine: Elucidating the Design Space, NeurIPS 2022, arXiv:2206.00364",
        ),
        (
            "austin2021",
            "Austin et al.: Structured Denoising Diffusion in Discrete State-Spaces, NeurIPS 2021, arXiv:2107.03006",
        ),
        (
            "sahoo2024",
            "Sahoo et al.: Simple and Effective Masked Diffusion Language Models, NeurIPS 2024, arXiv:2406.07524",
        ),
        (
            "ou2024",
            "Ou et al.: Your Absorbing Discrete Diffusion Secretly Models Clean Data, ICLR 2025, arXiv:2406.03736",
        ),
        (
            "kotelnikov2023",
            "Kotelnikov et al.: TabDDPM: Modelling Tabular Data with Diffusion Models, ICML 2023, arXiv:2209.15421",
        ),
        ("ho2022", "Ho, Salimans: Classifier-Free Diffusion Guidance, 2022, arXiv:2207.12598"),
        (
            "dhariwal2021",
            "Dhariwal, Nichol: Diffusion Models Beat GANs on Image Synthesis, NeurIPS 2021, arXiv:2105.05233",
        ),
        (
            "meng2022",
            "Meng et al.: SDEdit: Guided Image Synthesis and Editing, ICLR 2022, arXiv:2108.01073",
        ),
        (
            "lugmayr2022",
            "Lugmayr et al.: RePaint: Inpainting using DDPMs, CVPR 2022, arXiv:2201.09865",
        ),
        (
            "chung2022",
            "Chung et al.: Diffusion Posterior Sampling for Noisy Inverse Problems, ICLR 2023, arXiv:2209.14687",
        ),
        (
            "song2023pigdm",
            "Song, Vahdat, Mardani, Kautz: Pseudoinverse-Guided Diffusion Models, ICLR 2023",
        ),
        (
            "rozet2024",
            "Rozet et al.: Learning Diffusion Priors from Observations by EM, NeurIPS 2024, arXiv:2405.13712",
        ),
        (
            "lin2023",
            "Lin et al.: Common Diffusion Noise Schedules and Sample Steps are Flawed, 2023, arXiv:2305.08891",
        ),
        (
            "kynkaanniemi2024",
            "Kynkaanniemi et al.: Applying Guidance in a Limited Interval, 2024, arXiv:2404.07724",
        ),
        (
            "karras2024auto",
            "Karras et al.: Guiding a Diffusion Model with a Bad Version of Itself, 2024, arXiv:2406.02507",
        ),
    ),
)
