# %% [markdown]
# ## 7. The score view
#
# The score is the slope of the log-density. A denoiser knows it at every noise level, and it is all that sampling needs: in Langevin
# dynamics, in stochastic differential equations, in their deterministic twins. One model serves the section: two-moons with two labels.
#
# **After this section you can**
#
# - compute a score, and get one from a denoiser;
# - say why regression on single noises learns the score of noisy data;
# - sample by Langevin dynamics, by the reverse SDE and by the probability flow, and say what differs;
# - compute a likelihood along the flow, an *estimate*, and say what guidance does to it.

# %%
from pushforward.data.toys import GaussianMixture, toy

every, density = pf.load("two-moons").train.x, toy("two-moons")
upper = torch.cdist(every.double(), density.means).argmin(1) < 512  # the first half of its components
moons = pf.load((every, ["upper" if u else "lower" for u in upper]))
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
t = torch.tensor

# %% [markdown] topic="score.score" exercise="score.langevin" uses="pushforward.families.diffusion.denoisers.prediction:Prediction.from_data" test="tests/families/test_diffusion_path.py::test_score_is_the_gradient_of_the_noisy_density"
# ### 7.1 The score
#
# **Idea.** The score is the gradient of the log-density with respect to the data, an arrow at every point towards where data are denser.
# It does not know the normalising constant, and of noisy data it is what a denoiser moves by, divided by the variance of the noise.
#
# $$\nabla_y \log p_s(y) = \frac{\mathbb E[x \mid y] - y}{s^2} = -\frac{\mathbb E[\varepsilon \mid y]}{s}, \qquad y = x + s\, \varepsilon$$
#
# **By hand.** Of $\mathcal N(1, 4)$ the score at $2$ is $-(2 - 1) / 4 = -0.25$. With noise $s = 1$ the variance is $5$ and the score
# $-0.2$, so the best guess of the clean value is $2 + 1 \cdot (-0.2) = 1.8$. The posterior mean says the same:
# $1 + \tfrac45 (2 - 1) = 1.8$.

# %%
noisy_score = -(2 - 1) / (4 + 1)
assert math.isclose(-(2 - 1) / 4, -0.25)
assert math.isclose(noisy_score, -0.2)
assert math.isclose(2 + 1**2 * noisy_score, 1 + 4 / 5 * (2 - 1))

# %%
from torch.distributions import Categorical, MixtureSameFamily, Normal

from pushforward.families.diffusion.rows.line_mixture import GaussianMixtures
from pushforward.families.diffusion.denoisers.prediction import SCORE

# two clusters on a line, whose exact denoiser the library has
mean, spread, share = t([-1.5, 1.0]).double(), t([0.3, 0.5]).double(), t([0.4, 0.6]).double()
line = GaussianMixtures(1, 2).double()
line.set(0, mean, spread, share)
y, frames = torch.linspace(-4, 4, 161, dtype=torch.float64), {}
for level in (0.1, 0.5, 1.0, 2.0):
    s = t(level).double()
    score = SCORE.from_data(line.denoise(y[:, None], s.reshape(1, 1))[:, 0], y, torch.ones_like(s), s)
    at = y.clone().requires_grad_()
    log_p = MixtureSameFamily(Categorical(share), Normal(mean, (spread**2 + s**2).sqrt())).log_prob(at)
    assert torch.allclose(torch.autograd.grad(log_p.sum(), at)[0], score, rtol=1e-6)
    frames[level] = curve(y, {"score": score, "log-density": log_p}, "y", f"noise level {level:g}")
explore("noise level", frames, start=0.5)

# %% [markdown]
# **What is optimised.** Nothing yet. A network for the score is free of the normalising constant, which is what makes a density hard to
# learn.
#
# **Common mistake.** To confuse it with the statistician's score, the gradient with respect to parameters. This one has the shape of the
# data.
#
# **Why today.** Noise prediction, denoising and scores are one network with three names, up to a known scale, so a paper on any of them is
# about all.

# %% [markdown] topic="score.matching" exercise="diffusion.loss" uses="pushforward.families.diffusion.objectives.ideal:errors" test="tests/families/test_ideal_denoiser.py::test_no_denoiser_has_a_smaller_loss_on_the_training_set"
# ### 7.2 Denoising score matching
#
# **Idea.** The score of noisy data is unknown, but the score of the noise around one known example is a simple formula. Regress on the
# latter, and the average over all examples that may lie behind $y$ turns it into the former.
#
# $$\mathbb E\, \Big\Vert s_\theta(y) + \frac{\varepsilon}{s} \Big\Vert^2 = \mathbb E\, \big\Vert s_\theta(y) - \nabla \log p_s(y) \big\Vert^2 + \text{constant}$$
#
# **By hand.** The data are $-1$ and $+1$, $s = 1$ and $y = 1$. The targets are $-(1 - 1) = 0$ and $-(1 + 1) = -2$, the examples have the
# weights $1$ and $e^{-2}$, hence $0.881$ and $0.119$, and the average target is $-0.238$. That is the true score $\tanh(1) - 1$.

# %%
weight = 1 / (1 + math.exp(-2))
assert math.isclose(weight, 0.881, abs_tol=5e-4)
assert math.isclose(weight * 0 + (1 - weight) * -2, -0.238, abs_tol=5e-4)
assert math.isclose((1 - weight) * -2, math.tanh(1) - 1)

# %%
from pushforward.core.given import Examples
from pushforward.core.noise import Streams
from pushforward.families.diffusion.objectives.ideal import IdealDenoiser, errors

# the loss at each noise level, times s^2: of the network, and of the exact score of the noisy training set, which is the constant
levels = torch.logspace(-1, 1, 7).tolist()
coded = encode(moons.train.x).value
some = Examples(coded[:500])
with torch.no_grad():
    loss, constant = (errors(d, some, levels, Streams(0, 500)) for d in (denoiser, IdealDenoiser(coded)))
excess = loss - constant
assert bool(
    (excess.mean(0) > -4 * excess.std(0) / math.sqrt(500)).all()
)  # nobody is below, within four standard errors
assert bool((excess.mean(0) < 0.2).all())
lines = {"network": loss.mean(0), "constant": constant.mean(0)}
show(
    curve(
        levels,
        lines,
        "noise level s",
        "the loss of denoising score matching, times the variance of the noise",
        log_x=True,
    )
)

# %% [markdown]
# **What is optimised.** The error of the score at every noise level, up to a constant that no network can remove. The loss never goes to
# zero, and its size says little without that constant.
#
# **Common mistake.** Weighting all noise levels equally: the target $-\varepsilon / s$ grows without bound as $s$ falls, and small noise
# drowns everything else. The factor $s^2$ makes it the loss of noise prediction.
#
# **Why today.** It is the training loss of diffusion models; flow matching is the same argument, an average of simple conditional targets,
# for a velocity.

# %% [markdown] topic="score.langevin" exercise="score.langevin" uses="pushforward.families.diffusion.solvers.langevin:Langevin" test="tests/families/test_langevin.py::test_unadjusted_chains_have_the_variance_that_their_step_gives"
# ### 7.3 Langevin sampling
#
# **Idea.** Walk uphill along the score and add noise in every step, and if steps are small the walker visits each place as often as the
# density says. From cluster to cluster it takes very long, which is why diffusion walks down a ladder of noise levels.
#
# $$x' = x + h\, \nabla \log p(x) + \sqrt{2 h}\; z, \qquad z \sim \mathcal N(0, I)$$
#
# **By hand.** For $\mathcal N(0, 1)$ the score is $-x$. From $x = 1$ with $h = 0.1$ and $z = 0.5$: $1 - 0.1 + 0.447 \cdot 0.5 = 1.124$. The
# variance settles where $V = 0.9^2\, V + 0.2$, at $V = 0.2 / 0.19 = 1.053$: the step leaves an error.

# %%
assert math.isclose(1 - 0.1 * 1 + math.sqrt(2 * 0.1) * 0.5, 1.124, abs_tol=5e-4)
assert math.isclose(0.2 / (1 - 0.9**2), 1.053, abs_tol=5e-4)

# %%
from pushforward.core.options import SampleOptions
from pushforward.core.walk import run
from pushforward.families.diffusion.solvers.langevin import Langevin, langevin_step
from pushforward.families.diffusion.paths.path import VariancePreserving
from pushforward.families.diffusion.solvers.sampler import SOLVERS

# the library's step is eps = 2h: half of it along the score
assert math.isclose(langevin_step(t(1.0), t(-1.0), 0.2, t(0.5)), 1.124, abs_tol=5e-4)
ring, rng = toy("gaussians-8"), torch.Generator().manual_seed(0)


def slope(law, x):
    x = x.detach().requires_grad_()
    return torch.autograd.grad(law.log_prob(x).sum(), x)[0]


def noisy_mean(y, level):
    return y + level**2 * slope(GaussianMixture(ring.means, math.hypot(ring.sigma, float(level))), y)


def draw():
    return torch.randn(500, 2, generator=rng, dtype=torch.float64)


start, truth, frames, shares = ring.means[:1].expand(500, 2), ring.sample(500, rng), {}, {}
walks = {f"{n} steps": Langevin(lambda x: slope(ring, x), start, 0.05, n, draw) for n in (2, 20, 200)}
walks["a ladder of noise"] = SOLVERS["langevin"].walk(VariancePreserving(0.02, 40.0), noisy_mean, draw, 32, 1.0)
for name, walk in walks.items():
    x = run(walk)
    frames[name] = cloud(x, truth, says=f"{name}, over the truth in grey", colour=1)
    shares[name] = torch.bincount(torch.cdist(x, ring.means).argmin(1), minlength=8) / 500
assert shares["200 steps"][0] > 0.5  # most chains are where they began
fair = math.sqrt(1 / 8 * 7 / 8 / 500)
assert bool(
    ((shares["a ladder of noise"] - 1 / 8).abs() < 4 * fair).all()
)  # within four standard errors of an eighth each
explore("chain", frames, start="a ladder of noise")

# %% [markdown]
# **What is optimised.** Nothing; the chain has $p$ for its stationary law as the step goes to zero. Accepting or refusing each proposal
# removes the error of a finite step, if the density is known.
#
# **Common mistake.** Scaling the noise by $h$ in place of $\sqrt{2h}$. The chain still climbs to the modes, so pictures look sharp, but
# nearly all variety is gone.
#
# **Why today.** Langevin steps correct the errors of other samplers at one noise level and are the usual sampler of energy-based models.
# With momentum and a test that may refuse a step they become Hamiltonian Monte Carlo, the standard for Bayesian posteriors with gradients.

# %% [markdown] topic="score.sde" exercise="score.ode_likelihood" uses="pushforward.families.diffusion.paths.path:Path.diffusion" test="tests/families/test_diffusion_paths.py::test_rates_and_the_sde_are_derivatives_of_the_scales"
# ### 7.4 The SDE view
#
# **Idea.** With ever smaller steps, noising is a stochastic differential equation, and with the score it can be run backwards in time. An
# ordinary differential equation, the probability flow, has the same distribution at every time, and being invertible it gives codes and
# likelihoods.
#
# $$dx = f x\, dt + g\, dw, \qquad dx = \big(f x - g^2\, \nabla \log p_t\big) dt + g\, d\bar w \ \text{ (as $t$ falls)}, \qquad \frac{dx}{dt} = f x - \tfrac12 g^2\, \nabla \log p_t$$
#
# **By hand.** Let $f = 0$, $g = 1$ and the data $\mathcal N(0, 1)$. Then $p_t = \mathcal N(0, 1 + t)$, the score is $-x / (1 + t)$, and the
# flow $dx/dt = x / (2 (1 + t))$ carries $x = 1$ at $t = 0$ to $\sqrt{1 + 3} = 2$ at $t = 3$. Its divergence adds up to
# $\tfrac12 \log 4 = 0.693$, and $\log \mathcal N(2; 0, 4) + 0.693 = -2.112 + 0.693 = -1.419$ is $\log \mathcal N(1; 0, 1)$.

# %%
end = Normal(t(0.0), t(2.0)).log_prob(t(2.0)).item()
assert math.isclose(0.5 * math.log(4), 0.693, abs_tol=5e-4)
assert math.isclose(end, -2.112, abs_tol=5e-4)
assert math.isclose(end + 0.5 * math.log(4), -1.419, abs_tol=5e-4)
assert math.isclose(end + 0.5 * math.log(4), Normal(t(0.0), t(1.0)).log_prob(t(1.0)).item(), abs_tol=1e-6)

# %%
from pushforward.core.walk import states

# f and g of a path: minus the variance that shrinking takes is what g must give back
path = VariancePreserving(0.02, 40.0)
f, g_squared = path.diffusion(torch.linspace(0.1, 0.9, 9, dtype=torch.float64))
assert torch.allclose(g_squared, -2 * f)

# the clusters of 7.1: six walkers from the same noise, along the flow and along the SDE
rng, pictures, crossed = torch.Generator().manual_seed(0), [], {}
first = torch.linspace(-1.5, 1.5, 6, dtype=torch.float64)[:, None]
for name, solver in (("flow", "euler"), ("SDE", "reverse-diffusion")):
    noise = [first]  # what the walk begins with; the flow asks for no more
    walk = SOLVERS[solver].walk(
        path,
        lambda y, s: line.denoise(y, s.reshape(1, 1)),
        lambda noise=noise: noise.pop() if noise else torch.randn(6, 1, generator=rng, dtype=torch.float64),
        100,
        1.0,
        SampleOptions(grid="log-snr"),
    )
    scale = torch.cat([(1 + walk.levels**2).sqrt(), t([1.0]).double()])
    x = torch.stack([state.noisy[:, 0] for state in states(walk)]) / scale[:, None]
    crossed[name] = bool((x.diff(dim=1) <= 0).any())
    lines = {f"walker {i + 1}": x[:, i] for i in range(6)}
    pictures.append(curve(range(101), lines, "steps, from noise to data", f"{name}: the same noise, in 100 steps"))
assert crossed == {"flow": False, "SDE": True}  # curves of an ODE cannot cross

some = moons.test.x[:100]
assert (diffuser.decode(diffuser.encode(some).value) - some).abs().max() < 0.01
ode, elbo = (diffuser.log_prob(some, estimator=e) for e in ("ode", "elbo"))
print(f"flow {float(ode.nats.mean()):.2f} nats ({ode.kind}), SDE {float(elbo.nats.mean()):.2f} nats ({elbo.kind})")
show(*pictures, says="walkers from noise to data")

# %% [markdown]
# **What is optimised.** Nothing new: both equations use the score that 7.2 learned. With that learned score they are two models, and their
# likelihoods differ.
#
# **Common mistake.** Using the full $g^2$ of the reverse SDE in the flow. Without fresh noise the factor is one half; with the whole of it
# the samples are far too tight.
#
# **Why today.** Fast samplers are solvers of this flow, flow matching learns it directly, and distillation learns its endpoint map.

# %% [markdown] topic="score.guidance" exercise="score.guidance" uses="pushforward.families.diffusion.denoisers.guidance:Guided" test="tests/families/test_diffusion_path.py::test_guidance_is_linear_and_off_at_one"
# ### 7.5 Guidance
#
# **Idea.** Ask the network twice, with and without the condition, and go further in the direction in which the condition moved the answer.
# Samples agree more with the condition and vary less, and no longer come from a distribution that was learned, nor from the product
# $p(x)\, p(c \mid x)^w$ that the formula suggests: noise does not commute with the power.
#
# $$\hat\varepsilon = \hat\varepsilon_{\varnothing} + w\, (\hat\varepsilon_c - \hat\varepsilon_{\varnothing}), \qquad \nabla \log p(y) + w\, \nabla \log p(c \mid y)$$
#
# **By hand.** Without the condition $0.2$, with it $0.5$: at $w = 3$ the answer is $0.2 + 3 \cdot 0.3 = 1.1$. $w = 0$ ignores the
# condition and $w = 1$ is the plain conditional model. Papers that write $(1 + w')\, \hat\varepsilon_c - w'\, \hat\varepsilon_{\varnothing}$
# mean $w' = w - 1$: here $3 \cdot 0.5 - 2 \cdot 0.2 = 1.1$.

# %%
assert math.isclose(0.2 + 3 * (0.5 - 0.2), 1.1)
assert math.isclose((1 + 2) * 0.5 - 2 * 0.2, 1.1)

# %%
from pushforward.core.given import Given
from pushforward.families.diffusion.denoisers.guidance import Guided

y, level, label = torch.randn(6, 2, generator=rng), t(1.0), Given(torch.ones(6, dtype=torch.long))
with torch.no_grad():
    null, strong, leaned = (
        d.denoise(y, level, g) for d, g in ((denoiser, None), (denoiser, label), (Guided(denoiser, 3.0), label))
    )
assert torch.allclose(leaned, null + 3 * (strong - null), atol=1e-5)

frames, above, wide = {}, {}, {}
for weight in (0.0, 1.0, 2.0, 4.0, 8.0):
    x = diffuser.sample(500, given="upper", guidance=weight, seed=0)
    above[weight] = round(float((torch.cdist(x.double(), density.means).argmin(1) < 512).double().mean()), 3)
    wide[weight] = round(float(x.std(0).norm()), 2)
    frames[weight] = cloud(
        x, moons.test.x[:500], says=f"the upper moon with weight {weight:g}, over all data", colour=1
    )
print("share in the upper moon:", above, "spread:", wide)
assert above[0.0] < 0.6 < 0.9 < above[1.0]
assert wide[8.0] < wide[1.0]
explore("weight", frames)

# %% [markdown]
# **What is optimised.** Nothing: the weight is chosen when sampling. One network is trained for both answers, by hiding the label of some
# training examples.
#
# **Common mistake.** Mixing up the two ways to write the weight, or reporting a likelihood or diversity of the model from guided samples.
#
# **Why today.** Most text-to-image models are guided by default, since unguided samples follow the text poorly. Newer variants guide in
# the middle noise levels only, or with a weaker model in place of the unconditional one.
