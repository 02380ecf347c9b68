# %% [markdown]
# ## 1. The goal
#
# A generative model is a probability distribution that one can draw from, fitted to examples. This section says what is fitted to what,
# how far apart the two are, and in which unit. Two small models serve it: one of two-moons, one of labelled 8 by 8 digits.
#
# **After this section you can**
#
# - say what is fitted to what: a distribution to a distribution, by way of examples, and how well examples know it;
# - draw from a distribution with uniform numbers, and push a density through a map;
# - turn a log-likelihood into bits per dimension, and say which two numbers may be compared;
# - read a conditional model as a mixture and as a classifier.

# %%
moons, digits = pf.load("two-moons"), pf.load("digits")
quick = {"learning_rate": 4e-3, "ema": 0.98}
mixture = {"width": 32, "depth": 1, "components": 12}
planar = pf.fit(
    "autoregressive", moons, steps=150, seed=0, settings={"model": mixture, "train": {"batch_size": 128, **quick}}
)
masked = {"architecture": "made", "width": 96, "depth": 1, "components": 4, "dropout": 0.1}
writer = pf.fit(
    "autoregressive", digits, steps=150, seed=0, settings={"model": masked, "train": {"batch_size": 32, **quick}}
)

# %% [markdown] topic="goal.data" exercise="goal.categorical" uses="pushforward.data.toys:Density" test="tests/data/test_data.py::test_toy_density_integrates_to_one_and_has_its_entropy"
# ### 1.1 The data distribution
#
# **Idea.** Examples are independent draws from a distribution $p_{\text{data}}$ that nobody can write down. The goal is that distribution,
# and the examples are only what it let us see.
#
# $$x_1, \dots, x_n \sim p_{\text{data}}, \qquad \mathbb E_{p_{\text{data}}} f(x) \approx \frac1n \sum_{i=1}^n f(x_i), \quad \text{standard error } \frac{\operatorname{sd} f}{\sqrt n}$$
#
# **By hand.** Four tosses of a coin show $1, 1, 0, 1$. The estimate of $p(1)$ is $0.75$ with standard error
# $\sqrt{0.75 \cdot 0.25 / 4} = 0.217$, so a fair coin is not ruled out. For a tenth of that error one needs $400$ tosses.

# %%
tosses = torch.tensor([1.0, 1.0, 0.0, 1.0])
share = float(tosses.mean())
error = math.sqrt(share * (1 - share) / len(tosses))
assert share == 0.75
assert math.isclose(error, 0.217, abs_tol=5e-4)
assert math.isclose(math.sqrt(share * (1 - share) / 400), error / 10)

# %%
# two-moons is a toy whose density is known, so that the average over examples can be held against the truth
surprise = -moons.density.log_prob(moons.test.x)
error = float(surprise.std()) / math.sqrt(len(surprise))
print(
    f"mean of -log p over {len(surprise)} points: {surprise.mean():.4f} +- {error:.4f}; entropy {moons.density.entropy:.4f}"
)
assert abs(float(surprise.mean()) - moons.density.entropy) < 4 * error
explore(
    "examples seen",
    {
        n: cloud(moons.train.x[:n], moons.test.x[:600], says=f"{n} examples of two-moons", colour=1)
        for n in (5, 20, 100, 500)
    },
    start=500,
)

# %% [markdown]
# **What is optimised.** Nothing yet: $p_{\text{data}}$ is fixed and unknown, and enters every objective only through averages over
# examples.
#
# **Common mistake.** To take the training set for the distribution. A model that returns training examples has the training set, and
# only held-out examples tell the two apart.
#
# **Why today.** What a large model can produce is decided by what was collected and filtered, and near-duplicates that stay on both sides
# of a split make every held-out number too good.

# %% [markdown] topic="goal.model" exercise="flow.log_prob" uses="pushforward.families.autoregressive.model:Autoregressive.decode" test="tests/families/test_autoregressive.py::test_density_is_the_jacobian_of_the_code"
# ### 1.2 The model distribution
#
# **Idea.** A model is a family of distributions $p_\theta$, one for every setting of its weights. Many of them are made by pushing simple
# noise $z$ forward through a learned map $g_\theta$, and then the density follows from how much the map stretches.
#
# $$z \sim p(z), \quad x = g_\theta(z) \qquad\Rightarrow\qquad p_\theta(x) = p(z)\, \left|\det \frac{\partial g_\theta}{\partial z}\right|^{-1} \quad \text{if } g_\theta \text{ can be inverted}$$
#
# **By hand.** Let $z$ be uniform on $(0, 1)$ and $g(z) = z^2$. At $z = 0.5$ the map arrives at $x = 0.25$ with slope $2z = 1$, so
# $p(0.25) = 1$; at $z = 0.9$ the slope is $1.8$ and $p(0.81) = 1 / 1.8 = 0.556$. The mass below $0.25$ is $P(z < 0.5) = 0.5$.

# %%
z = torch.tensor([0.5, 0.9], dtype=torch.float64, requires_grad=True)
(slope,) = torch.autograd.grad((z**2).sum(), z)
assert math.isclose(1 / float(slope[0]), 1.0)
assert math.isclose(1 / float(slope[1]), 0.556, abs_tol=5e-4)
pushed = torch.rand(10_000, generator=torch.Generator().manual_seed(0)) ** 2
assert abs(float((pushed < 0.25).double().mean()) - 0.5) < 4 * 0.5 / 100  # four standard errors

# %%
# uniform numbers in the square are pushed forward to points of two-moons, and the density of the points adds up to one
square = torch.rand(600, 2, generator=torch.Generator().manual_seed(0))
pushed = planar.decode(square)
axis = torch.linspace(-2.0, 3.0, 201)
grid = torch.cartesian_prod(axis, axis)
mass = float(planar.log_prob(grid).nats.double().exp().sum()) * float(axis[1] - axis[0]) ** 2
print(f"probability on a grid over [-2, 3] x [-2, 3]: {mass:.4f}")
assert abs(mass - 1) < 0.01
show(
    cloud(square, says="uniform noise in the square"),
    cloud(pushed, moons.test.x[:600], says="the noise pushed forward, over real points", colour=1),
    says="noise, and the points it is pushed to",
)

# %% [markdown]
# **What is optimised.** The weights $\theta$, so that $p_\theta$ comes close to $p_{\text{data}}$; families differ in what "close" means
# and in whether $p_\theta(x)$ can be computed at all.
#
# **Common mistake.** To read a density as a probability. A density may exceed one and changes with the unit of $x$; only its integral over
# a region is a probability.
#
# **Why today.** The samplers of all five families are such maps of all the noise that they draw, though only some can be inverted. That of
# a diffusion model is a long one, and distillation replaces it by a short one.

# %% [markdown] topic="goal.sampling" exercise="goal.categorical" uses="pushforward.families.shared.next_token:draw" test="tests/families/test_tokens.py::test_filtered_draws_have_the_filtered_probabilities"
# ### 1.3 Sampling
#
# **Idea.** To sample is to turn random numbers into an example, and all the randomness comes in from outside. The simplest case inverts the
# cumulative distribution: lay the classes side by side on the unit interval and see where a uniform number falls.
#
# $$F_k = \sum_{j \le k} p_j, \qquad x = \min\{k : u < F_k\}, \quad u \sim \mathcal U(0, 1) \qquad\Rightarrow\qquad P(x = k) = F_k - F_{k-1} = p_k$$
#
# **By hand.** With $p = (0.2, 0.5, 0.3)$ the running sums are $(0.2, 0.7, 1)$. Then $u = 0.65$ falls into class $1$ and $u = 0.75$ into
# class $2$, counting from zero.

# %%
p = torch.tensor([0.2, 0.5, 0.3], dtype=torch.float64)
assert torch.allclose(p.cumsum(0), torch.tensor([0.2, 0.7, 1.0], dtype=torch.float64))
falls = [min(k for k in range(3) if u < float(p.cumsum(0)[k])) for u in (0.65, 0.75)]
assert falls == [1, 2]

# %%
from pushforward.families.shared.next_token import draw

u = torch.linspace(0.0025, 0.9975, 200, dtype=torch.float64)
drawn = draw(p.log().expand(200, 3), u)
assert torch.equal(
    torch.bincount(drawn), torch.tensor([40, 100, 60])
)  # evenly spaced numbers hit each class by its share
# the seed and the place of an example decide it, so a longer run repeats a shorter one
assert torch.equal(planar.sample(8, seed=3)[:4], planar.sample(4, seed=3))
# with random numbers the shares approach the probabilities, as one over the square root of the number of draws
many = draw(p.log().expand(4000, 3), torch.rand(4000, generator=torch.Generator().manual_seed(0), dtype=torch.float64))
shares = torch.nn.functional.one_hot(many, 3).double().cumsum(0) / torch.arange(1, 4001).unsqueeze(1)
assert bool(((shares[-1] - p).abs() < 4 * (p * (1 - p) / 4000).sqrt()).all())  # four standard errors
kept = torch.logspace(1, math.log10(3999), 80).long()
show(
    curve(u, {"class drawn": drawn}, "uniform number u", "the class in which u falls"),
    curve(
        kept + 1,
        {f"class {k}": shares[kept, k] for k in range(3)},
        "draws (upwards: share of each class)",
        "shares of the classes approach 0.2, 0.5 and 0.3",
        log_x=True,
    ),
    says="a class is drawn where u falls, and shares approach probabilities",
)

# %% [markdown]
# **What is optimised.** Nothing: sampling follows training. An option such as a temperature below one draws from another distribution than
# the one that was fitted.
#
# **Common mistake.** Comparing $u$ with $p_k$ in place of the running sum $F_k$, or taking the most probable class, which is no draw.
#
# **Why today.** Every token that a language model samples is a draw of this kind, and top-$p$ or min-$p$ change only the numbers $p_k$
# that are summed.

# %% [markdown] topic="goal.likelihood" exercise="goal.bits_per_dim" uses="pushforward.core.logprob:LogProb.bits_per_dim" test="tests/core/test_toys.py::test_uniform_density_over_the_cube_is_log_levels_bits"
# ### 1.4 Likelihood
#
# **Idea.** Raise the expected log-probability of an example: that is the same as lowering the divergence of the data from the model,
# because the entropy of the data does not depend on the weights. With logarithms to the base two it is a code length in bits, and divided
# by the number of dimensions it is a rate, to be compared on one data set at one resolution: larger pictures are more redundant.
#
# $$\mathbb E_{p_{\text{data}}}\big[-\log p_\theta(x)\big] = H(p_{\text{data}}) + \mathrm{KL}\big(p_{\text{data}}\,\|\,p_\theta\big), \qquad \text{bits per dimension} = \frac{-\log p_\theta(x)}{D \log 2}$$
#
# **By hand.** A fair coin and a model that says $(0.75, 0.25)$: the mean code length is
# $\tfrac12 \log\tfrac{4}{3} + \tfrac12 \log 4 = 0.837$ nats, the entropy is $\log 2 = 0.693$, so the divergence is $0.144$. A picture of
# $64$ pixels with $\log p = -100$ nats costs $100 / (64 \cdot 0.693) = 2.254$ bits per dimension.

# %%
coin, says = torch.tensor([0.5, 0.5]), torch.tensor([0.75, 0.25])
cross = float(-(coin * says.log()).sum())
entropy = float(-(coin * coin.log()).sum())
assert math.isclose(cross, 0.837, abs_tol=5e-4)
assert math.isclose(entropy, 0.693, abs_tol=5e-4)
assert math.isclose(float((coin * (coin / says).log()).sum()), cross - entropy, abs_tol=1e-6)
assert math.isclose(cross - entropy, 0.144, abs_tol=5e-4)
assert math.isclose(digits.space.unit.from_nats(-100.0), 2.254, abs_tol=5e-4)  # 64 pixels

# %%
# the divergence of two-moons from the model, by pairs: how much more does the true density give each held-out point?
gap = moons.density.log_prob(moons.test.x) - planar.log_prob(moons.test.x).nats.double()
error = float(gap.std()) / math.sqrt(len(gap))
print(f"KL(data || model) = {gap.mean():.4f} +- {error:.4f} nats, on top of an entropy of {moons.density.entropy:.4f}")
assert float(gap.mean()) > 4 * error  # never negative, and this small model is not perfect
lp = writer.log_prob(digits.test)
print(
    f"digits: {lp.bits_per_dim:.3f} bits/dim ({lp.kind}, given the {lp.given}); all 17 levels equally likely would cost {math.log2(17):.3f}"
)
assert lp.bits_per_dim < math.log2(17)
said = torch.linspace(0.02, 0.98, 97)
code = [float(-(coin * torch.stack([q, 1 - q]).log()).sum()) for q in said]
assert abs(float(said[code.index(min(code))]) - 0.5) < 1e-6
show(
    curve(
        said,
        {"code length": code, "entropy": [entropy] * 97},
        "what the model says of heads (upwards: nats)",
        "code length of a fair coin, in nats",
    ),
    says="the code length is least where the model says what is true",
)

# %% [markdown]
# **What is optimised.** $\frac1n \sum_i \log p_\theta(x_i)$, in nats. The divergence itself is out of reach, since the entropy of real data
# is unknown; the difference between the divergences of two models is not, for the entropy cancels in it.
#
# **Common mistake.** Comparing a density of rescaled pixels with a probability of pixels. Dividing pixels by $256$ raises the
# log-density by $8$ bits per dimension, which must be taken off again.
#
# **Why today.** The loss of a language model is this code length per token. Between tokenisers only bits per byte can be compared.

# %% [markdown] topic="goal.conditional" exercise="score.guidance" uses="pushforward.core.scoring:marginal_log_prob" test="tests/conformance/test_conformance.py::test_mixture_over_labels_is_total_probability"
# ### 1.5 Conditional generation
#
# **Idea.** Whatever is known, a label, a text or half a picture, goes in as $y$, and one network learns the distributions
# $p_\theta(x \mid y)$ for all $y$ at once. Summing $y$ out gives the model without a condition, and Bayes' rule turns the same numbers into
# a classifier.
#
# $$p(x) = \sum_y p(y)\, p_\theta(x \mid y), \qquad p(y \mid x) = \frac{p(y)\, p_\theta(x \mid y)}{p(x)}$$
#
# **By hand.** Two classes with $p(y) = (0.3, 0.7)$ and $p(x \mid y) = (0.6, 0.1)$ for one $x$. Then $p(x) = 0.18 + 0.07 = 0.25$ and
# $p(y{=}0 \mid x) = 0.18 / 0.25 = 0.72$: the rarer class explains this $x$ better.

# %%
frequency, explains = torch.tensor([0.3, 0.7]), torch.tensor([0.6, 0.1])
total = float(frequency @ explains)
assert math.isclose(total, 0.25, rel_tol=1e-6)
assert math.isclose(float(frequency[0] * explains[0]) / total, 0.72, rel_tol=1e-6)

# %%
# one model of digits given their label: without the label it is the mixture, and Bayes' rule reads the label off
held_out, label = digits.test.x, digits.test.given.label
given = torch.stack([writer.log_prob(held_out, given=y).nats for y in range(10)])
joint = given + writer.model.label_frequency.log().unsqueeze(1)
assert torch.allclose(writer.log_prob(held_out).nats.double(), joint.double().logsumexp(0), atol=1e-3)
accuracy = float((joint.argmax(0) == label).double().mean())
print(f"the label by Bayes' rule, from a model that was never trained to classify: {accuracy:.3f} right")
assert accuracy > 0.8
explore(
    "label",
    {
        y: images(writer.sample(16, given=y, seed=0), columns=8, levels=17, says=f"digits drawn given {y}")
        for y in (0, 3, 7)
    },
    start=3,
)

# %% [markdown]
# **What is optimised.** $\frac1n \sum_i \log p_\theta(x_i \mid y_i)$: the objective of 1.4 with the condition as one more input.
#
# **Common mistake.** Calling $p(x \mid y)$ the likelihood of $x$ and ranking it against a model without labels. On average the label is
# worth up to $\log_2 10 = 3.3$ bits a picture here, so sum it out first.
#
# **Why today.** Text-to-image models are this with a text for $y$, and a chat model is $p(\text{answer} \mid \text{conversation})$.
# Guidance (7.5) then aims at something sharper in $y$ than what was fitted.
