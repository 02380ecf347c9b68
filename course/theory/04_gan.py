# %% [markdown]
# ## 4. Generative adversarial networks
#
# A GAN learns to draw without ever writing a density down: one network makes examples, another judges them, and each trains against the
# other. It optimises a *game*, so its loss is the state of a match and not a measure of quality. Eight Gaussians on a circle serve the
# whole section.
#
# **After this section you can**
#
# - write the game, its two losses, and the divergence behind it;
# - read a discriminator as a density ratio;
# - find mode collapse in samples, where no loss shows it;
# - say why there is *no* likelihood, and what to compare instead.

# %%
eight = pf.load("gaussians-8")
small = {"latent": 2, "width": 32, "depth": 1, "gamma": 0.1}
gan = pf.fit(
    "gan", eight, steps=200, seed=0, settings={"model": small, "train": {"batch_size": 128, "evaluate_every": 50}}
)

# %% [markdown] topic="gan.generator" exercise="gan.losses" uses="pushforward.families.gan.model:GAN" test="tests/conformance/test_conformance.py::test_walk_is_the_sampler"
# ### 4.1 The generator
#
# **Idea.** Draw noise from something simple and send it through a network: the distribution of what comes out is the model. It is never
# written down, only drawn from.
#
# $$x = G(z),\quad z \sim \mathcal N(0, I) \qquad\Longleftrightarrow\qquad P(x \in A) = P\big(z \in G^{-1}(A)\big)$$
#
# **By hand.** Let $z$ be uniform on $[0, 1]$ and $G(z) = z^2$. Then $P(x \le \tfrac14) = P(z \le \tfrac12) = \tfrac12$: half of the mass
# lies in a quarter of the interval, and the density at $\tfrac14$ is $1 / G'(\tfrac12) = 1$.

# %%
codes = (torch.arange(1000) + 0.5) / 1000
assert float((codes**2 <= 0.25).float().mean()) == 0.5
assert math.isclose(1 / (2 * 0.5), 1.0)
# the mass of a thin slice around 1/4, divided by its width
assert math.isclose((math.sqrt(0.26) - math.sqrt(0.24)) / 0.02, 1.0, abs_tol=5e-3)

# %%
# circles of codes and where the generator sends them; a continuous map cannot tear a circle, so the modes hang together by bridges
turn = torch.linspace(0, 2 * math.pi, 3000)
circles = {r: gan.decode(r * torch.stack([turn.cos(), turn.sin()], 1)) for r in (0.5, 1.0, 1.5, 2.0)}
assert all(float((x[1:] - x[:-1]).norm(dim=1).max()) < 0.5 for x in circles.values())
explore(
    "radius of the codes",
    {r: cloud(x, eight.test.x[:1500], says=f"codes of length {r}, decoded", colour=1) for r, x in circles.items()},
    start=1.0,
)

# %% [markdown]
# **What is optimised.** Only that the critic cannot tell $G(z)$ from data; no output has a target of its own.
#
# **Common mistake.** To expect gaps between modes: a continuous generator of connected noise has connected support, and the bridges are
# thin at best.
#
# **Why today.** One network call makes one sample, which is why vocoders use adversarial generators and why distilled diffusion models
# are given this shape.

# %% [markdown] topic="gan.discriminator" exercise="gan.r1" uses="pushforward.families.gan.game:relativistic" test="tests/families/test_gan.py::test_relativistic_loss_by_hand_at_any_size"
# ### 4.2 The discriminator
#
# **Idea.** A classifier of real against generated is an estimate of a density ratio. For a fixed generator the best one is known in closed
# form, and its logit is the logarithm of that ratio.
#
# $$D^*(x) = \frac{p(x)}{p(x) + q(x)}, \qquad \operatorname{logit} D^*(x) = \log \frac{p(x)}{q(x)}$$
#
# **By hand.** Data $p = (\tfrac12, \tfrac12)$ on two symbols and a generator $q = (0.8, 0.2)$: $D^* = 0.5 / 1.3 = 0.385$ on the first and
# $0.5 / 0.7 = 0.714$ on the second, with logits $\log 0.625 = -0.470$ and $\log 2.5 = 0.916$.

# %%
p, q = torch.tensor([0.5, 0.5]), torch.tensor([0.8, 0.2])
best = p / (p + q)
assert torch.allclose(best, torch.tensor([0.385, 0.714]), atol=5e-4)
assert torch.allclose(best.logit(), torch.tensor([-0.470, 0.916]), atol=5e-4)

# %%
# data N(0, 1), generator N(0, 4): the critic must find log p/q = log 2 - 3/8 x^2. The library's game compares a real with a generated
# example, so what it learns is the log-ratio up to a constant, which is fitted here.
from pushforward.families.gan.game import relativistic
from pushforward.nets.mlp import WaveMLP

torch.manual_seed(0)
critic = WaveMLP(1, 1, octaves=0, width=16, depth=1)
optimiser = torch.optim.Adam(critic.parameters(), lr=1e-2)
for _ in range(200):
    real, fake = torch.randn(400, 1), 2 * torch.randn(400, 1)
    loss = relativistic(critic(real).squeeze(1), critic(fake).squeeze(1))
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()

x = torch.linspace(-4, 4, 81)
ratio, score = math.log(2) - 3 / 8 * x**2, critic(x[:, None]).squeeze(1).detach()
weight = torch.softmax(torch.logaddexp(-(x**2) / 2, -(x**2) / 8 - math.log(2)), 0)  # where the two have their mass
score = score + (weight * (ratio - score)).sum()
assert float((weight * (score.sigmoid() - ratio.sigmoid()).abs()).sum()) < 0.04
show(curve(x, {"learned": score.sigmoid(), "p / (p + q)": ratio.sigmoid()}, "x", "a critic finds p / (p + q)"))

# %% [markdown]
# **What is optimised.** A cross-entropy: the discriminator is an ordinary classifier whose negative class moves while it learns.
#
# **Common mistake.** To read its accuracy as the generator's quality: it says as much about the discriminator's size, age and overfitting.
#
# **Why today.** A classifier as a ratio of densities is also how two samples are tested for equality and how simulators without a
# likelihood are fitted.

# %% [markdown] topic="gan.objective" exercise="gan.losses" uses="pushforward.families.gan.model:GAN" test="tests/families/test_gan.py::test_both_losses_are_the_game_by_hand"
# ### 4.3 The minimax objective
#
# **Idea.** The discriminator raises one value and the generator lowers it; against the best discriminator that value is a Jensen-Shannon
# divergence, doubled and shifted. A sure discriminator leaves this generator without a gradient, so in practice it maximises $\log D$ in place of minimising
# $\log(1 - D)$.
#
# $$\min_G \max_D\ \mathbb E_{p} \log D(x) + \mathbb E_{q} \log\big(1 - D(x)\big) = \min_G\ 2\,\mathrm{JSD}(p, q) - \log 4$$
#
# **By hand.** For the two symbols of 4.2 the value is $-1.285$, and the divergence $(-1.285 + \log 4)/2 = 0.051$ nats; at $q = p$ it is
# $-\log 4 = -1.386$. Where $D(G(z)) = 0.01$, the slope in the logit is $-0.01$ for $\log(1 - D)$ and $-0.99$ for $-\log D$.

# %%
value = float((p * best.log() + q * (1 - best).log()).sum())
middle = (p + q) / 2
divergence = float((p * (p / middle).log() + q * (q / middle).log()).sum()) / 2
assert math.isclose(value, -1.285, abs_tol=5e-4)
assert math.isclose(value, 2 * divergence - math.log(4), abs_tol=1e-6)
assert math.isclose(divergence, 0.051, abs_tol=5e-4)

logit = torch.tensor(0.01).logit().requires_grad_()
saturating, other = torch.log(1 - logit.sigmoid()), -torch.log(logit.sigmoid())
slopes = [float(torch.autograd.grad(loss, logit)[0]) for loss in (saturating, other)]
assert math.isclose(slopes[0], -0.01, abs_tol=5e-5)
assert math.isclose(slopes[1], -0.99, abs_tol=5e-3)

# %%
# the critic's loss stays near log 2, that of a coin, from the first step to the last, while the samples get several times better
records = [r for r in gan.facts["history"] if "held_out" in r]
steps, losses, distance = ([r[key] for r in records] for key in ("step", "loss", "held_out"))
print(f"{gan.facts['held_out_name']}: {distance[0]:.3f} after {steps[0]} steps, {min(distance):.3f} at its best")
assert max(abs(loss - math.log(2)) for loss in losses) < 0.1
assert min(distance) < distance[0] / 2
logits = torch.linspace(-6, 6, 61)
show(
    curve(
        steps,
        {"critic's loss": losses, "log 2": [math.log(2)] * len(steps), "distance": distance},
        "step",
        "the loss does not say how good the samples are",
    ),
    curve(
        logits,
        {
            "log(1 - D)": [-float(relativistic(torch.zeros(1), v[None])) for v in logits],
            "-log D": [float(relativistic(v[None], torch.zeros(1))) for v in logits],
        },
        "logit of D at a generated example",
        "two losses of a generator: one is flat where the discriminator is sure",
    ),
    says="a loss that measures nothing, and two losses of a generator",
)

# %% [markdown]
# **What is optimised.** Each player has a loss of its own. The library's is relativistic, with penalties on the critic's gradient at real
# and generated points (R1, R2), without which the pair may circle for ever.
#
# **Common mistake.** To choose the checkpoint with the lowest generator loss: a low one may only mean a weak critic.
#
# **Why today.** The autoencoders under latent diffusion are trained with such an adversarial term, because squared error alone blurs.

# %% [markdown] topic="gan.collapse" exercise="evaluation.coverage" uses="pushforward.evaluation.distribution.neighbours:neighbour_scores" test="tests/evaluation/test_neighbours.py::test_damage_is_seen_in_the_right_metric"
# ### 4.4 Mode collapse
#
# **Idea.** A generator that makes a few things perfectly fools a discriminator that lags behind, and at that moment hardly anything in its
# loss asks for the rest. Precision does not notice, so recall has to be measured beside it.
#
# $$\text{precision} = P\big(G(z) \in \text{balls of real examples}\big), \qquad \text{recall} = P\big(x \in \text{balls of generated ones}\big)$$
#
# **By hand.** Eight equal modes, and a generator that makes two of them equally often: precision $1$, recall $\tfrac28 = 0.25$. The
# game's own price is mild, $\mathrm{JSD} = 0.380$ of at most $\log 2 = 0.693$ nats, where maximum likelihood would pay
# $\mathrm{KL}(p\,\|\,q) = \infty$.

# %%
p, q = torch.full((8,), 1 / 8), torch.tensor([1 / 2, 1 / 2, 0, 0, 0, 0, 0, 0])
assert float(p[q > 0].sum()) == 0.25
assert float(q[p > 0].sum()) == 1.0
middle = (p + q) / 2
divergence = float(torch.xlogy(p, p / middle).sum() + torch.xlogy(q, q / middle).sum()) / 2
assert math.isclose(divergence, 0.380, abs_tol=5e-4)
assert math.isclose(math.log(2), 0.693, abs_tol=5e-4)
assert float(torch.xlogy(p, p / q).sum()) == math.inf

# %%
# the same game without penalties, with momentum and a high learning rate: a recipe for collapse
from pushforward.evaluation.distribution.neighbours import neighbour_scores

bare = {**small, "width": 16, "gamma": 0.0, "critic_octaves": 0, "generator_octaves": 0}
reckless = {"batch_size": 64, "beta1": 0.9, "learning_rate": 2e-2, "evaluate_every": 100}
collapsed = pf.fit("gan", eight, steps=100, seed=0, settings={"model": bare, "train": reckless})


def modes(x):
    """Count the modes that get at least a third of their share, within three standard deviations."""
    distance, mode = torch.cdist(x.double(), eight.density.means).min(1)
    counts = torch.bincount(mode[distance < 3 * eight.density.sigma], minlength=8)
    return int((counts >= len(x) / 24).sum())


drawn = {
    "with penalties": gan.sample(1000, seed=0),
    "collapsed": collapsed.sample(1000, seed=0),
    "real": eight.train.x[:1000],
}
real = np.asarray(eight.test.x[:1000])
scores = {name: [s.value for s in neighbour_scores(np.asarray(x), real, "points")] for name, x in drawn.items()}
for name, x in drawn.items():
    print(f"{name}: {modes(x)} of 8 modes, precision {scores[name][0]:.2f}, recall {scores[name][1]:.2f}")
assert modes(drawn["with penalties"]) == modes(drawn["real"]) == 8 > 4 >= modes(drawn["collapsed"])
assert scores["collapsed"][1] < 0.5 < scores["with penalties"][1]
show(
    cloud(drawn["with penalties"], real, says="samples of the GAN with penalties, over real points", colour=1),
    cloud(drawn["collapsed"], real, says="samples of the collapsed GAN, over real points", colour=1),
    marks({n: (s[0], s[1]) for n, s in scores.items()}, "precision", "recall", "collapse shows in recall"),
    says="a GAN that covers its data, one that does not, and the two numbers that tell",
)

# %% [markdown]
# **What is optimised.** Whether single examples can be told apart, one by one. The *best* discriminator would mark down what is made too
# often, because there $q > p$; the one at hand is finite, late, and sees no two samples together, so the generator can hop between modes.
#
# **Common mistake.** To look at sixteen fine samples and conclude that all is well: missing modes are not on the sheet.
#
# **Why today.** Few-step students of diffusion models are trained with adversarial or mode-seeking losses, and lost diversity is the first
# thing to check in them.

# %% [markdown] topic="gan.no_likelihood" exercise="evaluation.kid" uses="pushforward.core.capabilities:Capabilities.refuse" test="tests/conformance/test_conformance.py::test_refusals_name_reason_and_alternative"
# ### 4.5 No direct likelihood
#
# **Idea.** The density of $G(z)$ at a given $x$ asks which codes lead there and how the map stretches around them, and a free-form network
# answers neither. With fewer codes than dimensions there is no density at all.
#
# $$p_G(x) = \int \delta\big(x - G(z)\big)\, p(z)\, dz$$
#
# **By hand.** Smoothing the samples gives a number, but whose? One sample at $0$ scores the point $x = 2$ under a Gaussian window of
# width $h$ with $-8.226$ nats for $h = \tfrac12$, $-2.919$ for $h = 1$ and $-2.112$ for $h = 2$: the window decides.

# %%
for h, nats in ((0.5, -8.226), (1.0, -2.919), (2.0, -2.112)):
    assert math.isclose(-((2 / h) ** 2) / 2 - math.log(h) - 0.5 * math.log(2 * math.pi), nats, abs_tol=5e-4)

# %%
from pushforward.core.errors import Unsupported
from pushforward.evaluation.likelihood.parzen import parzen_log_density

said = "a likelihood"
try:
    gan.log_prob(eight.test.x[:10])
except Unsupported as refusal:
    said = str(refusal)
print(said)
assert "a GAN has no density to evaluate" in said

# the number of the first GAN papers, a Parzen window around the samples: it moves by nats with the width, and stays below the truth
widths = np.geomspace(0.03, 3, 11)
held = np.asarray(eight.test.x[:200], dtype=np.float64)
windows = {
    name: [float(parzen_log_density(np.asarray(x, dtype=np.float64), held, h).mean()) for h in widths]
    for name, x in drawn.items()
}
truth = float(eight.density.log_prob(eight.test.x[:200]).mean())
assert all(max(found) - min(found) > 1 for found in windows.values())
assert all(max(found) < truth for found in windows.values())
lines = {**{name: np.maximum(found, -12) for name, found in windows.items()}, "truth": [truth] * len(widths)}
show(curve(widths, lines, "width of the window", "a smoothed likelihood is the window's, cut at -12 nats", log_x=True))

# %% [markdown]
# **What is optimised.** Nothing that could be held out: the library keeps the weights whose samples are nearest to validation data.
#
# **Common mistake.** To rank a GAN among models with likelihoods by a Parzen window or by its critic; a refusal is the honest number. (Noise
# added to its output gives it a density, which annealed importance sampling can estimate: a number about the noisy model.)
#
# **Why today.** One-step students of diffusion models are generators of the same kind and have no likelihood that anybody can compute; both
# are compared by their samples.
