# %% [markdown]
# ## 6. Diffusion
#
# A diffusion model destroys data by a little noise at a time, and learns to undo each little bit. Training is a regression at a random
# noise level, sampling is a walk from noise to data. One small model of two-moons serves the whole section, in standardised coordinates.
#
# **After this section you can**
#
# - noise data in one jump, at any signal-to-noise ratio;
# - convert between predictions of noise, data and velocity, and say what the best one is;
# - write the objective, and say with which weights it is a *bound* on the likelihood;
# - sample with DDPM and DDIM, and price a sampler in network calls.

# %%
moons = pf.load("two-moons")
diffuser = pf.fit(
    "diffusion",
    moons,
    steps=300,
    seed=0,
    settings={
        "model": {"width": 64, "depth": 1, "context": 32, "law": "log-normal", "weight": "edm"},
        "train": {"batch_size": 256, "learning_rate": 1e-2, "ema": 0.98, "evaluate_every": 10**6},
    },
)
encode, denoiser = diffuser.model.codec.encode, diffuser.model.process.denoiser
points = encode(moons.test.x).value  # mean zero and standard deviation one, nearly, in each coordinate

# %% [markdown] topic="diffusion.forward" exercise="diffusion.noise" uses="pushforward.families.diffusion.paths.published:LinearBeta" test="tests/families/test_diffusion_paths.py::test_formulas_are_the_published_ones"
# ### 6.1 Forward noising
#
# **Idea.** Shrink the data a little and add a little Gaussian noise, again and again, until nothing but noise is left. The encoder of this
# latent variable model is fixed: it is a Markov chain with no parameter to learn.
#
# $$q(x_t \mid x_{t-1}) = \mathcal N\!\big(\sqrt{1 - \beta_t}\, x_{t-1},\ \beta_t I\big)$$
#
# **By hand.** From $x_0 = 2$ with $\beta_1 = 0.19$ and the noise $1$: $x_1 = 0.9 \cdot 2 + 0.436 \cdot 1 = 2.236$. After a second step with
# $\beta_2 = 0.36$ the mean is $0.8 \cdot 0.9 \cdot 2 = 1.44$ and the variance $0.64 \cdot 0.19 + 0.36 = 0.4816$.

# %%
assert math.isclose(math.sqrt(1 - 0.19) * 2 + math.sqrt(0.19) * 1, 2.236, abs_tol=5e-4)
assert math.isclose(math.sqrt((1 - 0.19) * (1 - 0.36)) * 2, 1.44)
assert math.isclose((1 - 0.36) * 0.19 + 0.36, 0.4816)

# %%
from pushforward.families.diffusion.paths.published import LinearBeta

# the schedule of DDPM, cut into its 1,000 steps
alpha, _ = LinearBeta(0.01, 40.0).scales(torch.linspace(0, 1, 1001, dtype=torch.float64))
beta = 1 - (alpha[1:] / alpha[:-1]) ** 2
assert math.isclose(beta[0], 0.0001, abs_tol=5e-5)
assert math.isclose(beta[-1], 0.02, abs_tol=5e-4)

rng = torch.Generator().manual_seed(0)
x, frames = points, {}
for step in range(1001):
    if step in (0, 50, 150, 300, 1000):
        frames[step] = cloud(x[:600], points[:600], says=f"after {step} steps, over the data in grey", colour=1)
    if step < 1000:
        x = (1 - beta[step]).sqrt() * x + beta[step].sqrt() * torch.randn(x.shape, generator=rng)
# standard normal at the end: mean, spread and correlation of 5,000 points within four standard errors
assert bool((x.mean(0).abs() < 4 / math.sqrt(5000)).all())
assert bool(((x.std(0) - 1).abs() < 4 / math.sqrt(2 * 5000)).all())
assert abs(torch.corrcoef(x.T)[0, 1]) < 4 / math.sqrt(5000)
explore("steps of noise", frames)

# %% [markdown]
# **What is optimised.** Nothing: the schedule $\beta_t$ is chosen. All learning is in the way back.
#
# **Common mistake.** Adding noise without shrinking the data, and still starting samples at $\mathcal N(0, I)$. Adding only is a fine
# process, but its end has the variance of the data plus that of all the noise, and samples must begin there.
#
# **Why today.** Diffusion models of images, video and proteins fix the noising process and spend their parameters on its reversal; only the
# schedule is sometimes learned, which lowers the variance of the bound more than the bound itself.

# %% [markdown] topic="diffusion.jump" exercise="diffusion.noise" uses="pushforward.families.diffusion.paths.path:Path.scales" test="tests/families/test_diffusion_paths.py::test_preserving_paths_preserve_the_variance"
# ### 6.2 Closed-form noising
#
# **Idea.** Sums of Gaussians are Gaussian, so any number of steps is one jump. Training can therefore visit a random noise level
# directly, without the chain before it.
#
# $$x_t = \sqrt{\bar\alpha_t}\, x_0 + \sqrt{1 - \bar\alpha_t}\, \varepsilon, \qquad \bar\alpha_t = \prod_{i \le t} (1 - \beta_i), \qquad \mathrm{SNR}_t = \frac{\bar\alpha_t}{1 - \bar\alpha_t}$$
#
# **By hand.** The two steps of 6.1 have $\bar\alpha_2 = 0.81 \cdot 0.64 = 0.5184$: mean $0.72 \cdot 2 = 1.44$ and variance
# $1 - 0.5184 = 0.4816$, as before. With $\bar\alpha = 0.64$ and $\varepsilon = 0.5$ the jump from $x_0 = 2$ lands at
# $0.8 \cdot 2 + 0.6 \cdot 0.5 = 1.9$, at a signal-to-noise ratio of $0.64 / 0.36 = 1.78$.

# %%
alpha_bar = (1 - 0.19) * (1 - 0.36)
assert math.isclose(alpha_bar, 0.5184)
assert math.isclose(math.sqrt(alpha_bar) * 2, 1.44)
assert math.isclose(1 - alpha_bar, 0.4816)
assert math.isclose(math.sqrt(0.64) * 2 + math.sqrt(0.36) * 0.5, 1.9)
assert math.isclose(0.64 / 0.36, 1.78, abs_tol=5e-3)

# %%
from pushforward.families.diffusion.paths.published import PATHS

# the chain of 6.1 and one jump agree: the variance given x0 is that of 1,000 steps
assert math.isclose(torch.prod(1 - beta), alpha[-1] ** 2, rel_tol=1e-9)
clock, lines = torch.linspace(0.02, 0.98, 97, dtype=torch.float64), {}
for name in ("ddpm-linear", "cosine", "log-snr", "rectified-flow"):
    a, s = PATHS[name](0.01, 40.0).scales(clock)
    # three of them preserve the variance of standardised data; straight lines do not
    assert torch.allclose(a**2 + s**2, torch.ones_like(a)) == (name != "rectified-flow")
    lines[name] = 2 * (a / s).log()
    assert bool((lines[name].diff() < 0).all())
show(curve(clock, lines, "time, from data to noise", "four schedules, as the logarithm of the signal-to-noise ratio"))

# %% [markdown]
# **What is optimised.** Nothing yet. But the schedule decides how often training sees each signal-to-noise ratio, unless the loss is
# weighted to make up for it (6.4).
#
# **Common mistake.** Mixing $\bar\alpha_t$ with $\sqrt{\bar\alpha_t}$, or with the $1 - \beta_t$ of a single step. Papers write $\alpha_t$
# for each of the three.
#
# **Why today.** The signal-to-noise ratio has replaced the step number as the clock: in $x / \sqrt{\bar\alpha}$ all Gaussian schedules
# are one process at different speeds, so a model trained on one can be sampled on another.

# %% [markdown] topic="diffusion.model" exercise="diffusion.loss" uses="pushforward.families.diffusion.objectives.ideal:IdealDenoiser" test="tests/families/test_ideal_denoiser.py::test_it_is_the_posterior_mean_over_the_training_set"
# ### 6.3 The denoising model
#
# **Idea.** The network may predict the noise, the clean data or the velocity $v$; given $x_t$ each is a linear function of any other. With
# squared error the best answer is a posterior mean, a blend of all clean examples that could have led to $x_t$.
#
# $$\hat x_0 = \mathbb E[x_0 \mid x_t] = \frac{x_t - \sigma\, \hat\varepsilon}{\alpha} = \alpha\, x_t - \sigma\, \hat v, \qquad v = \alpha\, \varepsilon - \sigma\, x_0, \qquad \alpha = \sqrt{\bar\alpha},\ \sigma = \sqrt{1 - \bar\alpha}$$
#
# **By hand.** With $\alpha = 0.8$, $\sigma = 0.6$, $x_0 = 2$, $\varepsilon = 0.5$: $x_t = 1.9$ and $v = 0.4 - 1.2 = -0.8$. Back again,
# $0.8 \cdot 1.9 + 0.6 \cdot 0.8 = 2$ and $(1.9 - 0.3) / 0.8 = 2$. And for data that are $-1$ or $+1$ with equal probability, seen as
# $y = x_0 + \varepsilon = 0.5$, the posterior mean is $\tanh 0.5 = 0.462$, which is no data point.

# %%
x0, eps, a, s = 2.0, 0.5, 0.8, 0.6
x_t, v = a * x0 + s * eps, a * eps - s * x0
assert math.isclose(x_t, 1.9)
assert math.isclose(v, -0.8)
assert math.isclose(a * x_t - s * v, x0)
assert math.isclose((x_t - s * eps) / a, x0)
assert math.isclose(math.tanh(0.5), 0.462, abs_tol=5e-4)

# %%
from pushforward.families.diffusion.objectives.ideal import IdealDenoiser
from pushforward.families.diffusion.denoisers.prediction import NOISE, VELOCITY

t = torch.tensor
assert math.isclose(VELOCITY.to_data(t(v), t(x_t), t(a), t(s)), x0, rel_tol=1e-6)
assert math.isclose(NOISE.to_data(t(eps), t(x_t), t(a), t(s)), x0, rel_tol=1e-6)
two = IdealDenoiser(t([[-1.0], [1.0]]))
assert math.isclose(two.denoise(t([[0.5]]), t(1.0), None), 0.462, abs_tol=5e-4)

# what the network returns, beside the posterior mean over the 10,000 training points, which no network can beat on them
ideal, frames = IdealDenoiser(encode(moons.train.x).value), {}
for level in (0.1, 0.3, 1.0, 3.0, 20.0):
    y = points[:500] + level * torch.randn(500, 2, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        clean, best = (d.denoise(y, t(level), None) for d in (denoiser, ideal))
    # the network misses the best answer by little, beside what that answer itself cannot know
    assert (clean - best).square().mean() < 0.1 * (points[:500] - best).square().mean()
    frames[level] = cloud(clean, points[:500], says=f"denoised from noise level {level:g}, over the data", colour=1)
explore("noise level", frames)

# %% [markdown]
# **What is optimised.** The squared distance of the answer to the truth, at every noise level. Its minimum is the mean of all truths that
# fit, so denoised pictures are blurred at high noise however good the model is.
#
# **Common mistake.** To take the denoised picture for a sample: far from the data it is an average. Samples take many steps, and each
# step trusts the average only a little.
#
# **Why today.** Predicting $v$, or an output scaled to variance one, keeps the target well-sized at every noise level, where noise is easy
# to predict at one end and clean data at the other.

# %% [markdown] topic="diffusion.objective" exercise="diffusion.loss" uses="pushforward.families.diffusion.solvers.variance:step_divergence" test="tests/families/test_diffusion_vlb.py::test_a_term_is_the_divergence_of_ddpm_in_its_own_variables"
# ### 6.4 The training objective
#
# **Idea.** The bound of a VAE, for this chain of codes, falls apart into one squared error for each step, weighted by how much the
# signal-to-noise ratio changes. The simple loss drops the weights, which is another choice of which noise levels matter.
#
# $$-\log p(x_0) \le \dots + \sum_t \tfrac12 \big(\mathrm{SNR}_{t-1} - \mathrm{SNR}_t\big)\, \mathbb E\, \|x_0 - \hat x_0\|^2, \qquad L_{\text{simple}} = \mathbb E_{t, \varepsilon}\, \|\varepsilon - \hat\varepsilon\|^2$$
#
# **By hand.** A step from $\bar\alpha = 0.5$ to $0.8$ goes from an SNR of $1$ to $4$: an error $\|x_0 - \hat x_0\|^2 = 0.2$ costs
# $\tfrac12 \cdot 3 \cdot 0.2 = 0.3$ nats. That is an error of the noise of $0.2 \cdot \mathrm{SNR}_t = 0.2$, with the weight
# $\tfrac12 (4 / 1 - 1) = 1.5$: if the SNR changes by one factor in each step, the bound weights the errors of the noise equally.

# %%
snr, next_snr = 0.5 / 0.5, 0.8 / 0.2
assert math.isclose(0.5 * (next_snr - snr) * 0.2, 0.3)
assert math.isclose(0.5 * (next_snr / snr - 1), 1.5)

# %%
from pushforward.families.diffusion.paths.noise_law import LAWS
from pushforward.families.diffusion.objectives.objective import objective_of
from pushforward.families.diffusion.solvers.variance import step_divergence

# the same step in the library, where a noise level is 1 / sqrt(SNR) and the squared error is a sum over dimensions
step_cost = step_divergence(t([[0.2**0.5]]), t([[0.0]]), t(0.0), t([snr**-0.5]), t([next_snr**-0.5]))
assert math.isclose(step_cost, 0.3, rel_tol=1e-6)

levels, unit = torch.logspace(-2, 1.6, 73, dtype=torch.float64), t(1.0).double()
choices = {"the bound": ("log-uniform", "likelihood"), "simple": ("time", "noise"), "EDM": ("log-normal", "edm")}
lines = {}
for name, (law, weight) in choices.items():
    objective = objective_of(LAWS[law](LinearBeta(0.01, 40.0), unit), weight, unit)
    # how often a level is drawn, times its weight, times what turns an error of the data into one of the noise
    counts = objective.law.density(levels) * objective.weight(levels) * levels**2
    lines[name] = counts / torch.trapezoid(counts, levels.log())
assert torch.allclose(lines["the bound"], lines["the bound"][:1].expand(73))
assert lines["simple"].argmax() > 0 < lines["EDM"].argmax()  # both look away from the smallest noise

held_out = moons.test.x[:300]
chain = {n: float(diffuser.log_prob(held_out, estimator="vlb", steps=n).nats.mean()) for n in (4, 16, 64)}
limit = float(diffuser.log_prob(held_out).nats.mean())
print(
    "bound in nats by the number of steps:",
    {n: round(nats, 2) for n, nats in chain.items()},
    "continuous:",
    round(limit, 2),
)
assert chain[4] < chain[16] < chain[64]
show(curve(levels, lines, "noise level", "what an error of the predicted noise counts, by objective", log_x=True))

# %% [markdown]
# **What is optimised.** A weighted sum of denoising errors. With the weights of the bound, minus this sum is a lower bound on $\log p(x)$ in
# nats; with most others it is not (some are the bound of data that were noised a little, on average over how much).
#
# **Common mistake.** Comparing losses of two runs with different weights or schedules, or reading the simple loss as a likelihood.
#
# **Why today.** The bound spends much of a network on noise that no eye can see. Image models weight middle noise levels, and whoever
# reports likelihoods or compresses data goes back to the bound.

# %% [markdown] topic="diffusion.sampling" exercise="diffusion.ddim" uses="pushforward.families.diffusion.solvers.schemes:Ancestral" test="tests/families/test_diffusion_solvers.py::test_ddim_is_euler_in_scaled_coordinates"
# ### 6.5 Reverse sampling
#
# **Idea.** Start at pure noise and come down: predict the clean data, then put back the noise that belongs to the next, lower level.
# DDIM puts back the noise it has just predicted, DDPM replaces part of it by fresh noise, and both pay one network call a step.
#
# $$x_{\text{next}} = \sqrt{\bar\alpha_{\text{next}}}\; \hat x_0 + \sqrt{1 - \bar\alpha_{\text{next}} - u^2}\; \hat\varepsilon + u\, z, \qquad u = 0 \text{ for DDIM}$$
#
# **By hand.** At $\bar\alpha = 0.64$ with $x_t = 1.9$ and $\hat\varepsilon = 0.5$: $\hat x_0 = (1.9 - 0.3) / 0.8 = 2$. The DDIM step to
# $\bar\alpha = 0.81$ gives $0.9 \cdot 2 + 0.436 \cdot 0.5 = 2.018$.

# %%
clean = (1.9 - math.sqrt(1 - 0.64) * 0.5) / math.sqrt(0.64)
assert math.isclose(clean, 2)
assert math.isclose(math.sqrt(0.81) * clean + math.sqrt(1 - 0.81) * 0.5, 2.018, abs_tol=5e-4)

# %%
from pushforward.data.toys import toy
from pushforward.families.diffusion.solvers.schemes import Ancestral, Seen

# the same step in y = x / alpha, where it needs no more than two noise levels
now = Seen(t(0.6 / 0.8), noisy=t([[1.9 / 0.8]]), clean=t([[2.0]]))
y = Ancestral(eta=0.0).step(now, t(math.sqrt(0.19) / 0.9), past=(), draw=lambda: t([[0.0]]))
assert math.isclose(0.9 * float(y), 2.018, abs_tol=5e-4)

truth, frames, fit = toy("two-moons"), {}, {"ddim": {}, "ddpm": {}}
for steps in (1, 2, 4, 8, 16, 64):
    pictures = []
    for solver in fit:
        assert diffuser.model.walk(1, solver=solver, steps=steps).calls == steps
        drawn = diffuser.sample(500, seed=0, solver=solver, steps=steps)
        fit[solver][steps] = float(truth.log_prob(drawn).median())
        says = f"{solver}, {steps} network calls, over the data"
        pictures.append(cloud(drawn, moons.test.x[:500], says=says, colour=len(pictures)))
    frames[steps] = "".join(pictures)
print("median true log-density of samples:", {k: {n: round(f, 1) for n, f in v.items()} for k, v in fit.items()})
assert all(fit[solver][1] < fit[solver][8] < fit[solver][64] for solver in fit)
assert diffuser.model.walk(1, solver="heun", steps=8).calls == 15  # second order: two calls a step but for the last
explore("steps", frames)

# %% [markdown]
# **What is optimised.** Nothing at this point. Quality is bought with network calls, so solvers are compared at equal calls, not at equal
# steps.
#
# **Common mistake.** Sampling in one step and judging the model by it: one step returns the posterior mean of pure noise, which is the
# mean of the data.
#
# **Why today.** Cutting the number of calls is where much of the work is: solvers of higher order need ten to twenty, and distilled
# students one to four.
