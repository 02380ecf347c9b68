# %% [markdown]
# ## 3. Variational autoencoders
#
# A VAE explains an example by a code that nobody sees, and learns to guess the code from the example. It optimises a *lower bound* on the
# likelihood. One small model of two-moons serves the whole section.
#
# **After this section you can**
#
# - derive the objective, the evidence lower bound, and say what its gap is;
# - say which decoder a squared error stands for, and what a weight on the KL changes;
# - pass gradients through a draw;
# - tell a bound from a likelihood, and tighten it.

# %%
moons = pf.load("two-moons")
vae = pf.fit("vae", moons, steps=400, seed=0, settings={"model": {"kl_warmup": 100}, "train": {"batch_size": 128}})

# %% [markdown] topic="vae.latent" exercise="vae.iwae" uses="pushforward.families.vae.model:VAE" test="tests/families/test_vae.py::test_with_another_posterior_the_gap_is_its_divergence_from_the_exact_one"
# ### 3.1 The latent variable model
#
# **Idea.** Draw a code $z$ from something simple, then draw the example from a distribution that depends on the code. The density of the
# example is an average over all codes, which has no closed form for a deep decoder.
#
# $$p(x) = \int p(x \mid z)\, p(z)\, dz$$
#
# **By hand.** One coin for the code, $p(z{=}0) = p(z{=}1) = \tfrac12$, and $p(x{=}1 \mid z) = 0.9$ for $z = 1$, $0.2$ for $z = 0$. Then
# $p(x{=}1) = \tfrac12 \cdot 0.9 + \tfrac12 \cdot 0.2 = 0.55$, and the posterior is $p(z{=}1 \mid x{=}1) = 0.45 / 0.55 = 0.818$.

# %%
prior, likelihood = torch.tensor([0.5, 0.5]), torch.tensor([0.2, 0.9])
evidence = float((prior * likelihood).sum())
posterior = prior * likelihood / evidence
assert math.isclose(evidence, 0.55, rel_tol=1e-6)
assert math.isclose(float(posterior[1]), 0.818, abs_tol=5e-4)

# %%
# codes in, points out: the decoder is a mean and a spread for every code
z = torch.randn(600, 2, generator=torch.Generator().manual_seed(0))
show(
    cloud(z, says="codes"),
    cloud(vae.decode(z), moons.test.x[:600], says="decoded means over real points", colour=1),
    says="codes and what they decode to",
)

# %% [markdown]
# **What is optimised.** Not $p(x)$ itself, which is an integral, but a bound on it (3.4).
#
# **Common mistake.** To take the decoded mean for a sample: $x$ is drawn from $p(x \mid z)$, noise and all, and the means alone are too
# tidy.
#
# **Why today.** Image and video generators run their diffusion in the latent space of an autoencoder, because a code is much smaller than
# what it stands for: Stable Diffusion turns $512 \cdot 512 \cdot 3$ numbers into $64 \cdot 64 \cdot 4$, which is 48 times fewer.

# %% [markdown] topic="vae.encoder" exercise="vae.kl" uses="pushforward.families.vae.model:VAE.networks" test="tests/families/test_vae.py::test_the_exact_posterior_is_a_stationary_point_of_the_loss_and_others_are_not"
# ### 3.2 The encoder
#
# **Idea.** One network looks at the example and answers with a Gaussian over codes that may explain it. It replaces a search for every
# example by one forward pass, which is why it is called amortised.
#
# $$q_\phi(z \mid x) = \mathcal N\!\big(z;\ \mu_\phi(x),\ \operatorname{diag} \sigma_\phi(x)^2\big) \approx p(z \mid x)$$
#
# **By hand.** Let $z \sim \mathcal N(0, 1)$ and $x = z + \varepsilon$ with $\varepsilon \sim \mathcal N(0, 1)$. The exact posterior of
# $x = 2$ is $\mathcal N(1, \tfrac12)$: half the way back to the prior, with half its variance.

# %%
x, noise_variance = 2.0, 1.0
posterior_variance = 1 / (1 + 1 / noise_variance)
posterior_mean = posterior_variance * x / noise_variance
assert (posterior_mean, posterior_variance) == (1.0, 0.5)

# %%
codes = vae.encode(moons.test.x[:800])
show(
    cloud(
        codes.value,
        torch.randn(800, 2, generator=torch.Generator().manual_seed(1)),
        says="codes of test points over the prior, in grey",
    ),
    says="codes of test points",
)

# %% [markdown]
# **What is optimised.** The encoder minimises $\mathrm{KL}(q(z \mid x)\,\|\,p(z \mid x))$ without ever seeing $p(z \mid x)$: while the
# decoder is held fixed, the bound rises by exactly as much as that divergence falls.
#
# **Common mistake.** To let the encoder predict a variance that may be negative or zero; predict its logarithm (or a softplus) and keep it
# in bounds.
#
# **Why today.** The same trick, one network that answers for every input, is behind learned compression and simulation-based inference.

# %% [markdown] topic="vae.decoder" exercise="vae.elbo" uses="pushforward.families.vae.model:VAE.decode" test="tests/families/test_vae.py::test_samples_contain_the_decoders_noise"
# ### 3.3 The decoder
#
# **Idea.** The other network turns a code into a distribution over examples, not into an example. Which distribution it is decides what
# "close" means, so squared error is the choice of a Gaussian whether one says so or not.
#
# $$-\log p(x \mid z) = \frac{(x - m(z))^2}{2 s^2} + \log s + \tfrac12 \log 2\pi$$
#
# **By hand.** With $x - m = 1$ and $s = 1$ a point costs $0.5 + 0 + 0.919 = 1.419$ nats. With $s = \tfrac12$ it costs
# $2 - 0.693 + 0.919 = 2.226$: confidence is punished where it is wrong.


# %%
def cost(error, s):
    return error**2 / (2 * s**2) + math.log(s) + 0.5 * math.log(2 * math.pi)


assert math.isclose(cost(1, 1), 1.419, abs_tol=5e-4)
assert math.isclose(cost(1, 0.5), 2.226, abs_tol=5e-4)

# %%
drawn = {t: vae.sample(500, seed=0, temperature=t) for t in (0.25, 0.5, 1.0)}
explore(
    "temperature",
    {t: cloud(x, moons.test.x[:500], says=f"samples at temperature {t}", colour=1) for t, x in drawn.items()},
    start=1.0,
)

# %% [markdown]
# **What is optimised.** $\mathbb E_q \log p(x \mid z)$, the reconstruction term, in nats: only then may a KL in nats be added to it.
#
# **Common mistake.** Averaging the squared error over $D$ pixels, adding the KL, and not noticing which model that is: up to a constant it
# is the bound of a Gaussian decoder with variance $D / 2$ for every pixel, far more than pixels vary, so codes cost too much and collapse.
# Summing the squared error instead means variance $\tfrac12$. A weight $\beta$ on the KL does the same thing: with a fixed variance $s^2$ it is
# the bound of the decoder with variance $\beta s^2$, multiplied by $\beta$.
#
# **Why today.** Pictures from early VAEs look blurred because pixels that are independent given the code leave the mean as the picture to
# show, an average over all that share the code. Codes in several layers, autoregressive or diffusion decoders, and adversarial terms
# sharpen them.

# %% [markdown] topic="vae.elbo" exercise="vae.elbo" uses="pushforward.families.vae.model:VAE.log_prob" test="tests/families/test_vae.py::test_with_the_exact_posterior_the_bound_is_the_likelihood"
# ### 3.4 The evidence lower bound
#
# **Idea.** What cannot be computed is bounded: explain the example well with codes that cost little. The gap of the bound is the
# divergence of the encoder's answer from the true posterior.
#
# $$\log p(x) \;\ge\; \mathbb E_{q}\big[\log p(x \mid z)\big] - \mathrm{KL}\big(q(z \mid x)\,\|\,p(z)\big) = \log p(x) - \mathrm{KL}\big(q(z \mid x)\,\|\,p(z \mid x)\big)$$
#
# **By hand.** The coin of 3.1 with $x = 1$ and $q(z{=}1) = 0.5$: the first term is $\tfrac12 \log 0.9 + \tfrac12 \log 0.2 = -0.857$, the KL
# to the prior is $0$, so the bound is $-0.857$, below $\log 0.55 = -0.598$. With the posterior $0.818$ in its place it is $-0.598$ exactly.


# %%
def bound(q):
    q = torch.stack([1 - torch.tensor(q), torch.tensor(q)])
    return float((q * likelihood.log()).sum() - (q * (q / prior).log()).sum())


assert math.isclose(bound(0.5), -0.857, abs_tol=5e-4)
assert math.isclose(bound(0.45 / 0.55), math.log(0.55), abs_tol=1e-6)

# %%
q = torch.linspace(0.01, 0.99, 99)
elbo, iwae = vae.log_prob(moons.test.x[:300]), vae.log_prob(moons.test.x[:300], estimator="iwae", samples=64)
print(
    f"{elbo.kind}: ELBO {float(elbo.nats.mean()):.3f} nats, importance-weighted with 64 draws {float(iwae.nats.mean()):.3f} nats"
)
assert iwae.nats.mean() > elbo.nats.mean()
show(
    curve(
        q,
        {"bound": [bound(float(v)) for v in q], "log p(x)": [math.log(0.55)] * 99},
        "q(z = 1)",
        "the bound touches log p at the posterior",
    )
)

# %% [markdown]
# **What is optimised.** The bound, by both networks at once. The encoder closes the gap; the decoder raises the bound, partly by raising
# $\log p(x)$ and partly by giving the encoder a posterior that it can match.
#
# **Common mistake.** To call the ELBO "the likelihood". A model with a slack bound may be the better model; `iwae` beside it shows how large
# the gap is at least, being a bound itself.
#
# **Why today.** Diffusion has this bound too, for a chain of codes whose encoder is fixed noise; its usual loss is the bound with other
# weights (6.4).

# %% [markdown] topic="vae.reparameterisation" exercise="vae.reparameterise" uses="pushforward.families.vae.prior:kl_to_standard_normal" test="tests/families/test_vae.py::test_gaussian_and_divergence_are_torchs"
# ### 3.5 Reparameterisation
#
# **Idea.** A draw has no derivative, but a function of noise has one. Write the draw as mean plus scale times noise, and the gradient of an
# expectation becomes the expectation of a gradient.
#
# $$z = \mu + \sigma \odot \varepsilon, \quad \varepsilon \sim \mathcal N(0, I) \qquad\Rightarrow\qquad \nabla_{\mu,\sigma}\, \mathbb E_q f(z) = \mathbb E_\varepsilon \nabla_{\mu,\sigma} f(\mu + \sigma\varepsilon)$$
#
# **By hand.** $f(z) = z^2$, $\mu = 1$, $\sigma = 2$: $\mathbb E f = \mu^2 + \sigma^2 = 5$, with gradients $2\mu = 2$ and $2\sigma = 4$. The
# draw for $\varepsilon = 0.5$ is $z = 2$, and the KL of this $q$ to the prior is $\tfrac12(1 + 4 - 1) - \log 2 = 1.307$ nats.

# %%
mean, scale = torch.tensor(1.0, requires_grad=True), torch.tensor(2.0, requires_grad=True)
noise = torch.randn(400_000, generator=torch.Generator().manual_seed(0))
((mean + scale * noise) ** 2).mean().backward()
# four standard errors: the gradients are 2z and 2z * noise, with standard deviations 4 and about 6
assert abs(mean.grad - 2) < 4 * 4 / 632
assert abs(scale.grad - 4) < 4 * 6 / 632
assert math.isclose(0.5 * (1 + 4 - 1) - math.log(2), 1.307, abs_tol=5e-4)

# the model of 3.2 with the exact posterior of x = 2, so that the bound is log N(2; 0, 2). Scale the noise by something else than the
# standard deviation that the KL is told, and what comes out is a bound no more
exact = math.log(1 / math.sqrt(4 * math.pi)) - 2**2 / 4
said = {}
for name, used in (("sigma", 0.5**0.5), ("sigma^2", 0.5), ("log sigma", math.log(0.5**0.5))):
    fit = -0.5 * math.log(2 * math.pi) - 0.5 * ((2 - 1) ** 2 + used**2)  # E log N(2; z, 1) for z = 1 + used * noise
    said[name] = fit - (0.5 * (1 + 0.5 - 1) - 0.5 * math.log(0.5))
assert math.isclose(said["sigma"], exact, abs_tol=1e-9)
assert math.isclose(exact, -2.266, abs_tol=5e-4)
assert math.isclose(said["sigma^2"], -2.141, abs_tol=5e-4)  # above log p(x)
assert math.isclose(said["log sigma"], -2.076, abs_tol=5e-4)

# %%
# the other way to a gradient, the score function, needs no derivative of f and pays with variance
z = 1 + 2 * noise[:4000]
pathwise, by_score = 2 * z, z**2 * (z - 1) / 4
print(
    f"gradient to the mean: pathwise {pathwise.mean():.2f}, standard deviation {pathwise.std():.1f}; score function {by_score.mean():.2f}, {by_score.std():.1f}"
)
n = torch.arange(1, 4001)
show(
    curve(
        n[20::40],
        {
            "pathwise": (pathwise.cumsum(0) / n)[20::40],
            "score function": (by_score.cumsum(0) / n)[20::40],
            "true": [2.0] * len(n[20::40]),
        },
        "draws",
        "running mean of two gradient estimators",
    )
)

# %% [markdown]
# **What is optimised.** The same bound, now by ordinary backpropagation through the draw.
#
# **Common mistake.** Scaling the noise by $\sigma^2$ or by $\log\sigma$. Gradients still flow and the encoder still learns, but the draw
# is not from the $q$ whose KL is paid, so the loss is a bound no longer: for the model of 3.2 it promises $-2.141$ or $-2.076$ nats
# where $\log p(2) = -2.266$. Detaching the draw is another mistake: then only the KL reaches the encoder, which falls back to the prior.
#
# **Why today.** Gaussian policies with continuous actions are trained through their draws by the same identity, and so is everything that
# learns by simulating with noise from outside.
