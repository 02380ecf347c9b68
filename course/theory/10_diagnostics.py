# %% [markdown]
# ## 10. Diagnostics
#
# A falling loss says that the optimiser works, not that the model does. Each family fails in its own way, and each failure shows in
# another number. Runs that went wrong on purpose are kept in `pushforward.course.rogues`, and the exercises ask for their diagnosis.
#
# **After this section you can**
#
# - say why likelihood and samples may disagree, and report both;
# - see in latent traversals and in nats which codes are used;
# - count modes with enough samples to mean something;
# - read denoising curves for memorisation, and design an ablation with seeds.

# %%
from dataclasses import replace

from pushforward.course.rogues import rogue

digits = pf.load("digits", labels=False)
pictures = pf.fit(
    "vae",
    digits,
    steps=150,
    preset="smoke",
    seed=0,
    settings={
        "model": {"latent": 8},
        "train": {"batch_size": 32, "learning_rate": 1e-2, "ema": 0.9, "evaluate_every": 50},
    },
)

# %% [markdown] topic="diagnostics.likelihood" exercise="diagnostics.checklist" uses="pushforward.evaluation.memorisation.verdict:memorisation_verdict" test="tests/evaluation/test_memorisation.py::test_the_copycat_trips_also_when_it_adds_noise"
# ### 10.1 Likelihood versus samples
#
# **Idea.** A model that draws noise 99 times in 100 has nearly the likelihood of the model it draws from once, and a model that copies its
# training data draws perfect samples with hardly any likelihood. So neither number stands for the other, and both are reported.
#
# $$\log\big(0.01\, p(x) + 0.99\, n(x)\big) \;\ge\; \log p(x) + \log 0.01 = \log p(x) - 4.605$$
#
# **By hand.** Let a picture of 64 pixels cost $102$ nats under $p$ and $64 \log 17 = 181.3$ under noise that is uniform over 17 levels. The
# mixture pays at most $102 + 4.605 = 106.6$: $0.072$ nats more for each pixel. A model with 99 % copies and 1 % noise pays
# $181.3 + 4.6 = 185.9$ for a picture that it has not seen.

# %%
noise_nats = -64 * math.log(17)
assert math.isclose(-noise_nats, 181.3, abs_tol=0.05)
mixture = float(torch.logsumexp(torch.tensor([math.log(0.01) - 102, math.log(0.99) + noise_nats]), 0))
assert math.isclose(mixture, -106.6, abs_tol=0.05)
assert math.isclose(-math.log(0.01) / 64, 0.072, abs_tol=5e-4)
assert math.isclose(math.log(0.01) + noise_nats, -185.9, abs_tol=0.05)

# %%
from pushforward.evaluation.distribution.energy import energy_distance
from pushforward.evaluation.memorisation.duplicates import duplicate_rate
from pushforward.evaluation.memorisation.pull import training_pull
from pushforward.evaluation.memorisation.verdict import memorisation_verdict

rng = torch.Generator().manual_seed(0)
junk = torch.randint(17, (200, 1, 8, 8), generator=rng).to(torch.uint8)
drawn = pictures.sample(200, seed=0)
rare = torch.rand(200, generator=rng) < 0.01
nats = pictures.log_prob(digits.test.x).nats.double()
mixed = torch.logaddexp(math.log(0.01) + nats, torch.tensor(math.log(0.99) + noise_nats))
assert bool((nats - mixed <= -math.log(0.01) + 1e-9).all())
samples = {
    "model": (nats.mean(), drawn),
    "99 % noise": (mixed.mean(), torch.where(rare[:, None, None, None], drawn, junk)),
    "copies": (math.log(0.01) + noise_nats, digits.train.x[:200]),
}
real, train = (split.x.flatten(1).double().numpy() for split in (digits.test, digits.train))
rows = {name: x.flatten(1).double().numpy() for name, (_, x) in samples.items()}
distance = {name: energy_distance(x, real) for name, x in rows.items()}
order = sorted(distance, key=distance.get)
assert order == [
    "copies",
    "model",
    "99 % noise",
]  # by samples; by likelihood the model is first and the copies are last
scores = [duplicate_rate(rows["copies"], train, real), training_pull(rows["copies"], train, real, "pixels")]
print(memorisation_verdict(scores).sentence)
show(
    marks(
        {name: (float(n), distance[name]) for name, (n, _) in samples.items()},
        "log-likelihood of test pictures, in nats (a bound)",
        "energy distance of samples",
        "likelihood and samples disagree about three models",
    ),
    images(torch.cat([samples[name][1][:8] for name in samples]), levels=17, says="samples of the three, a row each"),
)

# %% [markdown]
# **What is optimised.** Likelihood weighs every test example, however rare what surrounds it; a look at samples weighs what is drawn
# often. In many dimensions a few nats are nothing to the one and everything to the other (Theis, van den Oord & Bethge 2016).
#
# **Common mistake.** To choose a model by its likelihood because its samples should look good, or to believe in good samples without a
# check for copies.
#
# **Why today.** Image generators are tuned for looks and language models for likelihood, and both kinds are caught reciting their training
# data.

# %% [markdown] topic="diagnostics.traversals" exercise="diagnostics.collapse" uses="pushforward.core.model:GenerativeModel.curves" test="tests/families/test_curves.py::test_kl_by_dimension_adds_up_to_the_kl_and_falls"
# ### 10.2 Latent traversals
#
# **Idea.** Hold a code fixed, move one of its dimensions, and decode at every step. What changes in the picture is what that dimension
# carries, and where nothing changes it carries nothing.
#
# $$t \;\mapsto\; m\big(z + t\, e_j\big)$$
#
# **By hand.** A decoder $m(z) = (2 z_1 + 0.1 z_2,\ z_1)$. Moving $z_1$ from $-1$ to $1$ moves the picture by $(4, 2)$, a way of
# $\sqrt{20} = 4.472$; moving $z_2$ moves it by $(0.2, 0)$: the second dimension is nearly unused.

# %%
decoder = torch.tensor([[2.0, 0.1], [1.0, 0.0]])
ways = [float((decoder @ (2 * torch.eye(2)[j])).norm()) for j in (0, 1)]
assert math.isclose(ways[0], 4.472, abs_tol=5e-4)
assert math.isclose(ways[1], 0.2, rel_tol=1e-6)

# %%
carried = pictures.model.curves(digits.test)[0]
print("nats of each dimension:", [round(v, 2) for v in carried.y])
codes = pictures.encode(digits.test.x[:4]).value
steps = torch.linspace(-2.5, 2.5, 9)
frames, moved = {}, []
for j in range(8):
    z = codes.repeat_interleave(9, 0)
    z[:, j] = steps.repeat(4)
    x = pictures.decode(z)
    moved.append(float((x[8::9].double() - x[0::9].double()).flatten(1).norm(dim=1).mean()))
    frames[j + 1] = images(x, columns=9, levels=17, says=f"dimension {j + 1} moves from -2.5 to 2.5, four digits")
# some dimensions move the picture several times as far as others, as their nats say
assert max(moved) > 2 * min(moved)
assert carried.y[0] > 2 * carried.y[-1]
explore("dimension", frames, start=1 + moved.index(max(moved)))

# %% [markdown]
# **What is optimised.** The bound pays for every nat of every dimension, so a dimension is used only if it explains more than it costs.
#
# **Common mistake.** To read a meaning into a single dimension: nothing in the objective ties one dimension to a property that people would
# name, and another seed deals the dimensions out anew.
#
# **Why today.** The same walk is done in the latents of diffusion models and along directions inside language models, and the same caution
# applies.

# %% [markdown] topic="diagnostics.modes" exercise="diagnostics.checklist" uses="pushforward.evaluation.diversity.bins:bin_scores" test="tests/evaluation/test_diversity.py::test_a_lost_mode_shows_in_its_bin"
# ### 10.3 Mode coverage
#
# **Idea.** Cut the space of real examples into bins and count samples in each. A bin with too few is a mode that the model has lost, which
# no look at single samples can show.
#
# $$\mathbb E[\text{modes seen in } n \text{ draws}] = K\Big(1 - \big(1 - \tfrac1K\big)^n\Big)$$
#
# **By hand.** Eight equal modes and $n = 8$ honest draws: $8\,(1 - (7/8)^8) = 5.25$ are seen, so three missing modes mean nothing. With
# $n = 40$ only $8\,(7/8)^{40} = 0.038$ are missing on average, and one missing mode is evidence.

# %%
assert math.isclose(8 * (1 - (7 / 8) ** 8), 5.25, abs_tol=5e-3)
assert math.isclose(8 * (7 / 8) ** 40, 0.038, abs_tol=5e-4)

# %%
from pushforward.evaluation.cards.damage import DropModes, Modes
from pushforward.evaluation.diversity.bins import bin_scores

ring = pf.load("gaussians-8")
points, reference, fitted = (split.x.double().numpy() for split in (ring.validation, ring.test[:2000], ring.train))
modes = Modes(ring.density.means.numpy(), "modes")
frames, found = {}, {}
for lost in (0, 1, 2, 4):
    x = DropModes(lost / 8 - 0.01 if lost else 0.0, modes).apply(points, np.random.default_rng(0))
    assert len(set(modes(x).tolist())) == 8 - lost
    found[lost] = bin_scores(x, reference, fitted, "points", bins=8)
    frames[lost] = cloud(x[:600], ring.test.x[:600], says=f"{lost} of eight modes lost", colour=1)
for lost, (_, divergence) in found.items():
    print(f"{lost} lost: {divergence.value:.3f} bits between shares, by chance {divergence.null:.3f}")
assert found[0][1].low <= found[0][1].null + 4 * found[0][1].stderr
assert all(found[lost][1].low > found[lost][1].null for lost in (1, 2, 4))
print(f"the collapsed GAN of the gallery visits {rogue('collapsed gan').record['modes']:.0%} of the modes")
explore("modes lost", frames)

# %% [markdown]
# **What is optimised.** A generator in a game is asked for samples that pass, not for all that pass; a likelihood is minus infinity for a
# mode that has probability zero.
#
# **Common mistake.** To count modes in a handful of samples, or to count a mode as covered because one stray sample fell near it.
#
# **Why today.** Guidance and preference tuning trade coverage for looks, so coverage has to be measured after them too.

# %% [markdown] topic="diagnostics.denoising" exercise="diffusion.loss" uses="pushforward.families.diffusion.objectives.ideal:memorisation_curve" test="tests/families/test_ideal_denoiser.py::test_a_model_trained_on_few_examples_is_caught"
# ### 10.4 Denoising curves
#
# **Idea.** The loss of a diffusion model is a sum over noise levels, so it is drawn by noise level, for training and for held-out examples.
# The best denoiser of a finite training set is known in closed form, and whoever samples with it gets training examples back, so a model
# that moves towards its curve is memorising.
#
# $$D^*(y, s) = \sum_i w_i\, x_i, \qquad w_i \propto \exp\!\Big(-\frac{\lVert y - x_i\rVert^2}{2 s^2}\Big)$$
#
# **By hand.** Two training examples, $-1$ and $1$: $D^*(y, s) = \tanh(y / s^2)$. For $y = 0.5$ it is $\tanh 0.5 = 0.462$ at $s = 1$, a
# cautious mean, and $\tanh 2 = 0.964$ at $s = \tfrac12$, all but the training example itself.

# %%
from pushforward.families.diffusion.objectives.ideal import IdealDenoiser

pair = IdealDenoiser(torch.tensor([[-1.0], [1.0]]))
for s, expected in ((1.0, 0.462), (0.5, 0.964)):
    found = float(pair.denoise(torch.tensor([[0.5]]), torch.tensor(s), None))
    assert math.isclose(found, expected, abs_tol=5e-4)
    assert math.isclose(found, math.tanh(0.5 / s**2), abs_tol=1e-6)

# %%
from pushforward.core.given import Examples

moons = pf.load("two-moons")
frames, memory = {}, {}
for n in (16, 1000):
    # few examples are their own validation set here, so that early stopping does not hide what training does
    data = replace(moons, train=moons.train[:n], validation=moons.train[:n])
    settings = {"train": {"batch_size": 64, "learning_rate": 1e-2, "ema": 0.9, "evaluate_every": 200}}
    denoiser = pf.fit("diffusion", data, steps=400, preset="smoke", seed=0, settings=settings)
    # each training example is noised many times, because sixteen draws say little
    seen = Examples(data.train.x[:320].repeat(max(1, 320 // n), 1))
    memory[n] = denoiser.model.curves(moons.test[:320], train=seen)[-1]
    lines = {"held out": memory[n].y, "training": memory[n].other, "memoriser": memory[n].reference}
    frames[n] = curve(
        memory[n].x, lines, "noise level s", f"denoising error after training on {n:,} examples", log_x=True
    )
    print(f"{n} examples: {memory[n].says}")
assert memory[16].flag == "memorises its training set"
assert not memory[1000].flag
explore("training examples", frames, start=16)

# %% [markdown]
# **What is optimised.** The mean over the training set, whose minimum is the memoriser: a diffusion model generalises only because it does
# not reach the minimum of its loss.
#
# **Common mistake.** To watch one averaged loss: it is dominated by noise levels that no training improves, and it falls while the levels in
# the middle overfit.
#
# **Why today.** Large image models reproduce pictures, above all those that their training sets repeat; the gap between the two curves is a
# warning before anybody samples.

# %% [markdown] topic="diagnostics.ablations" exercise="diagnostics.checklist" uses="pushforward.evaluation.likelihood.repeats:over_seeds" test="tests/evaluation/test_repeats.py::test_coverage_of_the_familys_mean_on_the_population"
# ### 10.5 Ablations
#
# **Idea.** To learn what a part is worth, take away that part and nothing else, and train both versions with several seeds. Much of the
# luck of a seed is shared by the two versions, so the differences within seeds are averaged and given an interval.
#
# $$\bar d \pm t_{K-1}\, \frac{s_d}{\sqrt K}, \qquad d_k = \text{score}_k(\text{without}) - \text{score}_k(\text{with})$$
#
# **By hand.** Differences $0.10, 0.30, 0.20$ of three seeds: mean $0.2$, $s_d = 0.1$, standard error $0.1 / \sqrt 3 = 0.058$. With
# $t_2 = 4.303$ the interval is $0.2 \pm 0.248$: it holds zero, although all three seeds agreed.

# %%
from pushforward.evaluation.intervals import mean_interval, t_quantile

mean, low, high, stderr = mean_interval(np.array([0.10, 0.30, 0.20]))
assert math.isclose(stderr, 0.058, abs_tol=5e-4)
assert math.isclose(t_quantile(2), 4.303, abs_tol=5e-4)
assert math.isclose(high - mean, 0.248, abs_tol=5e-4)
assert low < 0 < high

# %%
from pushforward.core.score import better_of
from pushforward.evaluation.likelihood.code_length import likelihood_score
from pushforward.evaluation.likelihood.repeats import over_seeds


def trained(seed, **change):
    settings = {"train": {"batch_size": 64, "learning_rate": 5e-3, "ema": 0.9, "evaluate_every": 30, **change}}
    model = pf.fit("autoregressive", moons, steps=30, preset="smoke", seed=seed, settings=settings)
    return likelihood_score(model.log_prob(moons.test.x[:1000]))


whole = [trained(seed) for seed in range(4)]
ablated = [trained(seed, warmup=0.0) for seed in range(4)]
apart = [over_seeds(scores) for scores in (whole, ablated)]
for name, s in zip(("with a warm-up", "without"), apart):
    print(f"{name}: {s.value:.3f} nats a point, 95 % interval {s.low:.3f} to {s.high:.3f}")
assert better_of(*apart) == "undecided"
# the same seeds side by side: the luck that both versions share is gone
differences = np.array([b.value - a.value for a, b in zip(whole, ablated)])
bands = {k: mean_interval(differences[:k]) for k in (2, 3, 4)}
assert bands[4][2] < 0  # in so short a run the warm-up costs more than it saves
show(
    curve(
        list(bands),
        {
            "low": [b[1] for b in bands.values()],
            "mean": [b[0] for b in bands.values()],
            "high": [b[2] for b in bands.values()],
            "zero": [0.0] * 3,
        },
        "seeds",
        "nats saved or lost without the warm-up, with the interval after so many seeds",
    )
)

# %% [markdown]
# **What is optimised.** Nothing: an ablation is an experiment, and what is held fixed (budget, data, seeds, evaluation) is its design.
#
# **Common mistake.** Changing two things at once, or comparing the best seed of one version with the only seed of the other.
#
# **Why today.** Gains of papers are often smaller than the spread between seeds; an interval is what makes one believable.
