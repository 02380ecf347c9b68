# %% [markdown]
# ## The map of the families
#
# Every line is read from what the classes declare about themselves: `pushforward families` prints what each can do, `pushforward explain
# NAME` its card. The first table is what one chooses by, the second what one may expect of the numbers.

# %%
from IPython.display import Markdown

from pushforward.families.build import family_class
from pushforward.families.catalogue import FAMILIES

chosen = ["| family | main strength | main cost | may go wrong |", "|---|---|---|---|"]
rows = ["| family | what is optimised | log p of points | log p of pictures | network calls a sample | codes |"]
rows += ["|---|---|---|---|---|---|"]
for name in FAMILIES.names():
    family = family_class(name)
    known, card = family.capabilities, family.card
    chosen.append(f"| **{name}** | {card.strength} | {card.cost} | {card.may_go_wrong[0]} |")
    kinds = [
        "; ".join(f"{e.name}: {e.kind.replace('_', ' ')}" for e in known.estimators.get(kind, ())) or "none"
        for kind in ("points", "image")
    ]
    codes = ", ".join(sorted(set(known.encode.values()))) or "none"
    rows.append(f"| **{name}** | {card.optimises} | {kinds[0]} | {kinds[1]} | {known.sampling_cost} | {codes} |")
Markdown("\n".join([*chosen, "", *rows]))

# %% [markdown]
# Read them by columns. Where the likelihood is *exact* the architecture pays for it: order for an autoregressive model, invertibility for a
# flow. Where it is a *bound*, something is integrated that nobody can integrate: codes in a VAE, noise levels in diffusion. Where there is
# *none*, the objective is a game, and only samples can be compared.
#
# Time tells the same story. One pass for a sample is cheap, and paid for elsewhere: by a game that is hard to train (GAN), by a network
# that must be invertible (flow), by a decoder whose pixels are independent given the code (VAE). Many passes buy quality with patience
# (autoregressive, diffusion), and distillation sells some of it back.

# %%

from pushforward.evaluation.distribution.energy import energy_distance

points = pf.load("two-moons")
real = points.test.x[:400].numpy()
costs, quality = {}, {}
for name in FAMILIES.names():
    model = pf.fit(name, points, steps=100, seed=0, preset="smoke")
    costs[name] = float(model.model.walk(1).calls)
    quality[name] = float(energy_distance(model.sample(400, seed=0).numpy(), real))
show(
    marks(
        {name: (costs[name], quality[name]) for name in costs},
        "network calls a sample",
        "energy distance (lower is better)",
        "quality against calls of five tiny models",
    ),
    says="five tiny models: quality against network calls",
)

# %% [markdown]
# These five were trained for seconds and prove nothing about the families; `pushforward compare DATA` does it properly, with intervals, a
# null, a ceiling and seeds.
#
# ## The bridge to convolutional networks
#
# Nothing above said what the networks look like inside. For points a few dense layers do. For pictures they would need a weight for every
# pair of pixels and would have to learn that a cat stays a cat when it moves: a **convolution** shares one small filter over all places,
# which makes the map *equivariant* to shifts (the borders apart) and its number of weights independent of the size of the picture. All five
# families can use them for pictures: PixelCNN masks the filter so that it sees only what came before (2.2), a flow's couplings read one
# half of the numbers to change the other (5.4), encoder and decoder are mirror images (3.2, 3.3), a critic pools to one number (4.2), and a
# U-Net denoises at several scales at once (6.3). Transformers over patches have taken many of these places; they must learn what a
# convolution has built in, and with enough data they do.
#
# By hand: a dense layer from an 8 x 8 picture to an 8 x 8 picture has $64 \cdot 64 = 4096$ weights; a 3 x 3 convolution has $9$.

# %%
dense, convolution = (
    torch.nn.Linear(64, 64, bias=False),
    torch.nn.Conv2d(1, 1, 3, padding=1, padding_mode="circular", bias=False),
)
assert (dense.weight.numel(), convolution.weight.numel()) == (4096, 9)
picture = pf.load("digits").test.x[:1].double() / 16
shifted = picture.roll((1, 2), (2, 3))
convolution = convolution.double()
# shift, then convolve; or convolve, then shift: the same
assert torch.allclose(convolution(shifted), convolution(picture).roll((1, 2), (2, 3)))

# %% [markdown]
# ## Where to read on
#
# Years are those of the first version on arXiv, where there is one.
#
# **The papers of the five families**
#
# - **Autoregressive.** van den Oord, Kalchbrenner & Kavukcuoglu (2016), *Pixel recurrent neural networks*. [arXiv:1601.06759](https://arxiv.org/abs/1601.06759)
# - Vaswani et al. (2017), *Attention is all you need*. [arXiv:1706.03762](https://arxiv.org/abs/1706.03762)
# - **VAE.** Kingma & Welling (2013), *Auto-encoding variational Bayes*. [arXiv:1312.6114](https://arxiv.org/abs/1312.6114)
# - Rezende, Mohamed & Wierstra (2014), *Stochastic backpropagation and approximate inference in deep generative models*. [arXiv:1401.4082](https://arxiv.org/abs/1401.4082)
# - **GAN.** Goodfellow et al. (2014), *Generative adversarial networks*. [arXiv:1406.2661](https://arxiv.org/abs/1406.2661)
# - **Flow.** Dinh, Sohl-Dickstein & Bengio (2016), *Density estimation using Real NVP*. [arXiv:1605.08803](https://arxiv.org/abs/1605.08803)
# - Kingma & Dhariwal (2018), *Glow: generative flow with invertible 1x1 convolutions*. [arXiv:1807.03039](https://arxiv.org/abs/1807.03039)
# - **Diffusion.** Ho, Jain & Abbeel (2020), *Denoising diffusion probabilistic models*. [arXiv:2006.11239](https://arxiv.org/abs/2006.11239)
# - **Score.** Song et al. (2020), *Score-based generative modeling through stochastic differential equations*. [arXiv:2011.13456](https://arxiv.org/abs/2011.13456)
#
# **Likelihoods and bounds (1 to 3, 5)**
#
# - Theis, van den Oord & Bethge (2015), *A note on the evaluation of generative models*. [arXiv:1511.01844](https://arxiv.org/abs/1511.01844)
# - Germain et al. (2015), *MADE: masked autoencoder for distribution estimation*. [arXiv:1502.03509](https://arxiv.org/abs/1502.03509)
# - Burda, Grosse & Salakhutdinov (2015), *Importance weighted autoencoders*. [arXiv:1509.00519](https://arxiv.org/abs/1509.00519)
# - Durkan et al. (2019), *Neural spline flows*. [arXiv:1906.04032](https://arxiv.org/abs/1906.04032)
# - Papamakarios et al. (2019), *Normalizing flows for probabilistic modeling and inference*. [arXiv:1912.02762](https://arxiv.org/abs/1912.02762)
# - Nalisnick et al. (2018), *Do deep generative models know what they don't know?* [arXiv:1810.09136](https://arxiv.org/abs/1810.09136)
#
# **Games (4)**
#
# - Mescheder, Geiger & Nowozin (2018), *Which training methods for GANs do actually converge?* [arXiv:1801.04406](https://arxiv.org/abs/1801.04406)
# - Huang et al. (2025), *The GAN is dead; long live the GAN! A modern GAN baseline*. [arXiv:2501.05441](https://arxiv.org/abs/2501.05441)
# - Wu et al. (2016), *On the quantitative analysis of decoder-based generative models*: annealed importance sampling for a GAN (4.5). [arXiv:1611.04273](https://arxiv.org/abs/1611.04273)
#
# **Noise and scores (6, 7)**
#
# - Sohl-Dickstein et al. (2015), *Deep unsupervised learning using nonequilibrium thermodynamics*. [arXiv:1503.03585](https://arxiv.org/abs/1503.03585)
# - Vincent (2011), *A connection between score matching and denoising autoencoders*. [doi:10.1162/NECO_a_00142](https://doi.org/10.1162/NECO_a_00142)
# - Song & Ermon (2019), *Generative modeling by estimating gradients of the data distribution*. [arXiv:1907.05600](https://arxiv.org/abs/1907.05600)
# - Song, Meng & Ermon (2020), *Denoising diffusion implicit models*. [arXiv:2010.02502](https://arxiv.org/abs/2010.02502)
# - Kingma et al. (2021), *Variational diffusion models*. [arXiv:2107.00630](https://arxiv.org/abs/2107.00630)
# - Salimans & Ho (2022), *Progressive distillation for fast sampling of diffusion models*: the velocity of 6.3. [arXiv:2202.00512](https://arxiv.org/abs/2202.00512)
# - Karras et al. (2022), *Elucidating the design space of diffusion-based generative models*. [arXiv:2206.00364](https://arxiv.org/abs/2206.00364)
# - Ho & Salimans (2022), *Classifier-free diffusion guidance*. [arXiv:2207.12598](https://arxiv.org/abs/2207.12598)
#
# **Evaluation and diagnostics (8, 10)**
#
# - Heusel et al. (2017), *GANs trained by a two time-scale update rule converge to a local Nash equilibrium*: the FID. [arXiv:1706.08500](https://arxiv.org/abs/1706.08500)
# - Bińkowski et al. (2018), *Demystifying MMD GANs*: the kernel distance. [arXiv:1801.01401](https://arxiv.org/abs/1801.01401)
# - Jayasumana et al. (2024), *Rethinking FID: towards a better evaluation metric for image generation*. [arXiv:2401.09603](https://arxiv.org/abs/2401.09603)
# - Lopez-Paz & Oquab (2016), *Revisiting classifier two-sample tests*. [arXiv:1610.06545](https://arxiv.org/abs/1610.06545)
# - Kynkäänniemi et al. (2019), *Improved precision and recall metric for assessing generative models*. [arXiv:1904.06991](https://arxiv.org/abs/1904.06991)
# - Naeem et al. (2020), *Reliable fidelity and diversity metrics for generative models*: coverage. [arXiv:2002.09797](https://arxiv.org/abs/2002.09797)
# - Friedman & Dieng (2022), *The Vendi score: a diversity evaluation metric for machine learning*. [arXiv:2210.02410](https://arxiv.org/abs/2210.02410)
#
# **Applications and safety (9)**
#
# - Holtzman et al. (2019), *The curious case of neural text degeneration*: nucleus sampling. [arXiv:1904.09751](https://arxiv.org/abs/1904.09751)
# - Rombach et al. (2021), *High-resolution image synthesis with latent diffusion models*. [arXiv:2112.10752](https://arxiv.org/abs/2112.10752)
# - Yu et al. (2022), *Scaling autoregressive models for content-rich text-to-image generation*. [arXiv:2206.10789](https://arxiv.org/abs/2206.10789)
# - Tian et al. (2024), *Visual autoregressive modeling: scalable image generation via next-scale prediction*. [arXiv:2404.02905](https://arxiv.org/abs/2404.02905)
# - Alain & Bengio (2016), *Understanding intermediate layers using linear classifier probes*. [arXiv:1610.01644](https://arxiv.org/abs/1610.01644)
# - Shumailov et al. (2023), *The curse of recursion: training on generated data makes models forget*. [arXiv:2305.17493](https://arxiv.org/abs/2305.17493)
# - Lee et al. (2021), *Deduplicating training data makes language models better*. [arXiv:2107.06499](https://arxiv.org/abs/2107.06499)
# - Carlini et al. (2020), *Extracting training data from large language models*. [arXiv:2012.07805](https://arxiv.org/abs/2012.07805)
# - Carlini et al. (2023), *Extracting training data from diffusion models*. [arXiv:2301.13188](https://arxiv.org/abs/2301.13188)
# - Ippolito et al. (2022), *Preventing verbatim memorization in language models gives a false sense of privacy*: what filters of output miss. [arXiv:2210.17546](https://arxiv.org/abs/2210.17546)
# - Kirchenbauer et al. (2023), *A watermark for large language models*. [arXiv:2301.10226](https://arxiv.org/abs/2301.10226)
#
# The book: Murphy (2023), *Probabilistic machine learning: advanced topics*, MIT Press, chapters 20 to 26,
# [probml.github.io/pml-book/book2.html](https://probml.github.io/pml-book/book2.html).
