# %% [markdown]
# ## The map of the families
#
# Every line is read from what the classes declare about themselves; the same table is printed by `pushforward families`. *Strength* and
# *weakness* are the families' own cards, `pushforward explain NAME`.

# %%
from IPython.display import Markdown

from pushforward.families.build import family_class
from pushforward.families.catalogue import FAMILIES

rows = [
    "| family | what is optimised | log p of points | log p of pictures | network calls a sample | codes | may go wrong |",
    "|---|---|---|---|---|---|---|",
]
for name in FAMILIES.names():
    family = family_class(name)
    known, card = family.capabilities, family.card
    kinds = [
        "; ".join(f"{e.name}: {e.kind.replace('_', ' ')}" for e in known.estimators.get(kind, ())) or "none"
        for kind in ("points", "image")
    ]
    codes = ", ".join(sorted(set(known.encode.values()))) or "none"
    rows.append(
        f"| **{name}** | {card.optimises} | {kinds[0]} | {kinds[1]} | {known.sampling_cost} | {codes} | {card.may_go_wrong[0]} |"
    )
Markdown("\n".join(rows))

# %% [markdown]
# Read it by columns. Where the likelihood is *exact* the architecture pays for it: order for an autoregressive model, invertibility for a
# flow. Where it is a *bound*, something is integrated that nobody can integrate: codes in a VAE, noise levels in diffusion. Where there is
# *none*, the objective is a game, and only samples can be compared.
#
# Time tells the same story. One pass for a sample is cheap and hard to train well (GAN), or constrained (flow), or blurred (VAE); many
# passes buy quality with patience (autoregressive, diffusion).

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
# which makes the map *equivariant* to shifts and its number of weights independent of the size of the picture. All five families in this
# library use them for pictures: PixelCNN masks the filter so that it sees only what came before (2.1), a flow's couplings read one half of
# the channels to change the other (5.4), encoder and decoder are mirror images (3.2, 3.3), a critic pools to one number (4.2), and a U-Net
# denoises at several scales at once (6.3).
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
# The five papers:
#
# - **Autoregressive**: van den Oord, Kalchbrenner and Kavukcuoglu (2016), *Pixel recurrent neural networks*; for text Vaswani et al. (2017),
#   *Attention is all you need*.
# - **VAE**: Kingma and Welling (2014), *Auto-encoding variational Bayes*.
# - **GAN**: Goodfellow et al. (2014), *Generative adversarial nets*.
# - **Flows**: Dinh, Sohl-Dickstein and Bengio (2017), *Density estimation using Real NVP*.
# - **Diffusion**: Ho, Jain and Abbeel (2020), *Denoising diffusion probabilistic models*; with the score view Song et al. (2021),
#   *Score-based generative modeling through stochastic differential equations*.
#
# Then: Theis, van den Oord and Bethge (2016), *A note on the evaluation of generative models*; Kingma et al. (2021), *Variational diffusion
# models*; Karras et al. (2022), *Elucidating the design space of diffusion-based generative models*; Nalisnick et al. (2019), *Do deep
# generative models know what they don't know?*; Heusel et al. (2017) on FID, and Jayasumana et al. (2024) on its faults; Murphy (2023),
# *Probabilistic machine learning: advanced topics*, chapters 20 to 26.
