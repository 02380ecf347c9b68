"""What the diffusion family declares about itself."""

from __future__ import annotations

from pushforward.core.capabilities import Capabilities, Card, Estimator
from pushforward.families.diffusion.conditioning import CONDITIONING, CONDITIONS
from pushforward.families.diffusion.solvers import SOLVERS

_ELBO = Estimator("elbo", "lower_bound", "continuous-time variational bound, Monte Carlo over log-SNR")

CAPABILITIES = Capabilities(
    {
        "points": (_ELBO, Estimator("ode", "estimate", "density along the probability-flow ODE, finite steps")),
        "image": (
            _ELBO,
            Estimator("ode", "estimate", "density along the probability-flow ODE of noisy pixels, plus their decoder"),
        ),
    },
    encode={"points": "ode", "image": "ode"},
    sampling_cost="N steps; Heun makes 2N - 1 network calls, a corrector adds its own, the others N; guidance and measurements "
    "double them, RePaint takes each step again",
    held_out="-ELBO from 8 stratified noise levels per example [nats]",
    conditions=CONDITIONS,
    options=(*CONDITIONING, "steps", "solver", "eta", "grid"),
    solvers=tuple(SOLVERS),
    null_condition=True,
)

CARD = Card(
    title="Diffusion model: a denoiser for every noise level, integrated from noise to data",
    optimises="The squared error of the clean data predicted from noisy data, over all noise levels, weighted as in the bound.",
    objective="min E_{x, s, eps} w(s) |x - D(x + s eps, s)|^2; with w(s) = 1/(s^2 p(log s)) it is the diffusion term of -ELBO",
    number_means=(
        "The training loss is one term of a bound on -log p(x), per dimension. `elbo` bounds log p(x) of the reverse "
        "stochastic process from below. `ode` estimates the density of the deterministic sampler, whose distribution is a "
        "different one unless the denoiser is perfect."
    ),
    look_at=(
        "samples against the number of network calls",
        "denoising error at each noise level, where the bound's integrand shows what is hard",
        "the stderr of `ode`: it holds the change under step halving",
    ),
    may_go_wrong=(
        "too few steps: smooth or washed-out samples although the bound is good",
        "guidance above 1 trades diversity for typicality and has no likelihood",
        "a good bound does not promise good samples, since fine noise levels dominate it",
    ),
    cost="One network call per training example; sampling costs tens of calls (35 by default).",
    references=(
        ("ho2020", "Ho, Jain, Abbeel: Denoising Diffusion Probabilistic Models, NeurIPS 2020, arXiv:2006.11239"),
        ("song2020", "Song et al.: Score-Based Generative Modeling through SDEs, ICLR 2021, arXiv:2011.13456"),
        ("song2020ddim", "Song, Meng, Ermon: Denoising Diffusion Implicit Models, ICLR 2021, arXiv:2010.02502"),
        ("kingma2021", "Kingma, Salimans, Poole, Ho: Variational Diffusion Models, NeurIPS 2021, arXiv:2107.00630"),
        ("karras2022", "Karras, Aittala, Aila, Laine: Elucidating the Design Space, NeurIPS 2022, arXiv:2206.00364"),
        ("ho2022", "Ho, Salimans: Classifier-Free Diffusion Guidance, 2022, arXiv:2207.12598"),
        (
            "dhariwal2021",
            "Dhariwal, Nichol: Diffusion Models Beat GANs on Image Synthesis, NeurIPS 2021, arXiv:2105.05233",
        ),
        ("meng2022", "Meng et al.: SDEdit: Guided Image Synthesis and Editing, ICLR 2022, arXiv:2108.01073"),
        ("lugmayr2022", "Lugmayr et al.: RePaint: Inpainting using DDPMs, CVPR 2022, arXiv:2201.09865"),
        (
            "chung2022",
            "Chung et al.: Diffusion Posterior Sampling for Noisy Inverse Problems, ICLR 2023, arXiv:2209.14687",
        ),
        ("song2023pigdm", "Song, Vahdat, Mardani, Kautz: Pseudoinverse-Guided Diffusion Models, ICLR 2023"),
        (
            "rozet2024",
            "Rozet et al.: Learning Diffusion Priors from Observations by EM, NeurIPS 2024, arXiv:2405.13712",
        ),
        ("lin2023", "Lin et al.: Common Diffusion Noise Schedules and Sample Steps are Flawed, 2023, arXiv:2305.08891"),
        ("kynkaanniemi2024", "Kynkaanniemi et al.: Applying Guidance in a Limited Interval, 2024, arXiv:2404.07724"),
        (
            "karras2024auto",
            "Karras et al.: Guiding a Diffusion Model with a Bad Version of Itself, 2024, arXiv:2406.02507",
        ),
    ),
)
