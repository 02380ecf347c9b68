# %% [markdown]
# ## 5. Normalizing flows
#
# A flow turns data into Gaussian noise by a map that can be undone, and counts how much the map stretches. It optimises the *exact*
# likelihood, and the price is a restriction on the network. One small model of two-moons serves the whole section.
#
# **After this section you can**
#
# - write the objective, the log-density under a change of variables, and say why it is *exact*;
# - build layers that can be undone and whose determinant is cheap;
# - check a density by its mass, by autograd and by going back and forth;
# - say when the number becomes a bound.

# %%
moons = pf.load("two-moons")
quick = {"batch_size": 128, "learning_rate": 4e-3, "ema": 0.98, "evaluate_every": 100}
flow = pf.fit(
    "flow",
    moons,
    steps=200,
    seed=0,
    settings={"model": {"layers": 4, "width": 32, "depth": 1, "bins": 8}, "train": quick},
)

# %% [markdown] topic="flow.map" exercise="flow.coupling" uses="pushforward.families.flow.chains.chain:VectorChain" test="tests/families/test_flow.py::test_float32_round_trip_budget_by_depth"
# ### 5.1 The invertible map
#
# **Idea.** Every example has exactly one code and every code exactly one example, so nothing is lost on the way. A deep map is invertible
# if each of its layers is, and the inverse takes the layers in the opposite order.
#
# $$z = f(x) = f_L \circ \dots \circ f_1(x), \qquad x = f^{-1}(z) = f_1^{-1} \circ \dots \circ f_L^{-1}(z)$$
#
# **By hand.** $f_1(x) = 2x$ and $f_2(y) = y + 3$ send $x = 1$ to $z = 5$. Back: $(5 - 3) / 2 = 1$. In the wrong order it is
# $5/2 - 3 = -0.5$.

# %%
assert 2 * 1 + 3 == 5
assert (5 - 3) / 2 == 1
assert 5 / 2 - 3 == -0.5

# %%
# the moons after 0, 1, 2, ... couplings, each preceded by a linear map and a normalisation: in the end they look like noise
from pushforward.families.flow.transforms.coupling import VectorCoupling

z = flow.model.codec.encode(moons.test.x[:1000]).value
frames = {0: cloud(z, says="standardised moons")}
with torch.no_grad():
    for layer in flow.model.chain.layers:
        z, _ = layer(z, None)
        if isinstance(layer, VectorCoupling):
            frames[len(frames)] = cloud(z, says=f"moons after {len(frames)} couplings")
assert torch.allclose(z, flow.encode(moons.test.x[:1000]).value, atol=1e-5)
assert float((flow.decode(z) - moons.test.x[:1000]).abs().max()) < 1e-3
explore("couplings", frames)

# %% [markdown]
# **What is optimised.** That $f(x)$ looks Gaussian *and* that $f$ does not shrink the data to get there (5.2).
#
# **Common mistake.** To invert a map that is invertible only on paper: in float32 a layer with slopes near zero loses digits, so measure
# $|f^{-1}(f(x)) - x|$.
#
# **Why today.** Reversible layers let large networks recompute activations in place of storing them, and the ODE of a diffusion or
# flow-matching model is an invertible map in continuous time.

# %% [markdown] topic="flow.change" exercise="flow.log_prob" uses="pushforward.families.shared.base:StandardNormal" test="tests/families/test_flow.py::test_chain_density_is_base_plus_jacobian"
# ### 5.2 Change of variables
#
# **Idea.** Probability is mass, so where a map stretches space the density must fall. The absolute determinant of the Jacobian is the
# factor by which volume grows, and its logarithm corrects the density of the code.
#
# $$\log p(x) = \log \mathcal N\big(f(x);\ 0, I\big) + \log\left|\det \frac{\partial f}{\partial x}\right|$$
#
# **By hand.** $z = f(x) = (x - 1)/2$ and $x = 3$: $z = 1$, $\log \mathcal N(1; 0, 1) = -0.5 - 0.919 = -1.419$, and the slope of $f$ is
# $\tfrac12$ with logarithm $-0.693$. Together $-2.112$, the density of $\mathcal N(1, 4)$ at $3$.

# %%
base = -0.5 - 0.5 * math.log(2 * math.pi)
assert math.isclose(base, -1.419, abs_tol=5e-4)
assert math.isclose(base + math.log(0.5), -2.112, abs_tol=5e-4)
assert math.isclose(float(torch.distributions.Normal(1.0, 2.0).log_prob(torch.tensor(3.0))), -2.112, abs_tol=5e-4)

# %%
# along a line through both moons: the two terms and their sum. The density of the code alone sees no moons
line = torch.stack([torch.linspace(-1.6, 2.6, 200), torch.full((200,), 0.3)], 1)
log_p, log_base = flow.log_prob(line).nats, flow.model.base.log_prob(flow.encode(line).value)
log_det = log_p - log_base
# the library's determinant is that of autograd, here at every fortieth point
to_code = lambda v: flow.model.chain(flow.model.codec.encode(v[None]).value, None)[0][0]  # noqa: E731
for i in range(0, 200, 40):
    jacobian = torch.autograd.functional.jacobian(to_code, line[i])
    assert math.isclose(float(torch.linalg.slogdet(jacobian).logabsdet), float(log_det[i]), abs_tol=1e-3)
show(
    curve(
        line[:, 0],
        {"log N(f(x))": log_base, "log |det|": log_det, "log p(x)": log_p},
        "first coordinate, second = 0.3",
        "two terms of a log-density",
    ),
    curve(
        line[:, 0],
        {"flow": log_p.exp(), "truth": moons.density.log_prob(line).exp()},
        "first coordinate, second = 0.3",
        "the density of the flow and the true one",
    ),
    says="the two terms of a log-density, and the density itself",
)

# %% [markdown]
# **What is optimised.** The mean of this sum over the data: the first term pulls codes to the origin, the second forbids collapsing them
# there.
#
# **Common mistake.** The sign. For $z = f(x)$ the log-determinant is added, for $x = g(z)$ that of $g$ is subtracted; training without it,
# or with the other one, sends all codes to zero.
#
# **Why today.** The same formula, with the integral of a trace in place of the log-determinant, gives likelihoods to diffusion models
# through their ODE (7.4).

# %% [markdown] topic="flow.likelihood" exercise="flow.log_prob" uses="pushforward.families.flow.model:Flow" test="tests/families/test_flow.py::test_one_dimension_integrates_to_one"
# ### 5.3 Exact likelihood
#
# **Idea.** The density is not bounded or estimated but computed, so it integrates to one and its held-out mean can be compared with the
# entropy of the data. The distance to that floor is the divergence from the true distribution.
#
# $$\int p_\theta(x)\, dx = 1, \qquad -\mathbb E_{p} \log p_\theta(x) = H(p) + \mathrm{KL}(p\,\|\,p_\theta)$$
#
# **By hand.** The density of $\mathcal N(0, 4)$ at $0$, $\pm 2$, $\pm 4$ is $0.199$, $0.121$, $0.027$. With steps of $2$ the sum is
# $2\,(0.199 + 2 \cdot 0.121 + 2 \cdot 0.027) = 0.99$: a grid of five points already finds the mass but for the tails.

# %%
values = torch.distributions.Normal(0.0, 2.0).log_prob(torch.tensor([0.0, 2.0, 4.0])).exp()
assert torch.allclose(values, torch.tensor([0.199, 0.121, 0.027]), atol=5e-4)
assert math.isclose(float(2 * (values[0] + 2 * values[1] + 2 * values[2])), 0.99, abs_tol=5e-3)

# %%
across, up = torch.linspace(-2, 3, 150), torch.linspace(1.5, -1, 75)
grid = torch.cartesian_prod(up, across).flip(1)  # row by row from the top, as a picture is
found, true = flow.log_prob(grid), moons.density.log_prob(grid).exp()
density = found.nats.double().exp()
cell = (across[1] - across[0]) * (up[0] - up[1])
mass = float(density.sum() * cell)
gap = moons.density.log_prob(moons.test.x[:2000]) - flow.log_prob(moons.test.x[:2000]).nats
stderr = float(gap.std()) / math.sqrt(len(gap))
print(f"{found.kind}: mass {mass:.4f}; KL to the truth {float(gap.mean()):.3f} nats, standard error {stderr:.3f}")
assert found.kind == "exact"
assert math.isclose(mass, 1.0, abs_tol=0.01)
assert gap.mean() > -4 * stderr  # a divergence is not negative
shades = torch.stack([true, density]).reshape(2, 1, 75, 150)
shades = 255 - (255 * (shades / true.max()).clamp(max=1)).to(torch.uint8)
show(images(shades, columns=1, says="the true density above, the flow's below"), says="two densities")

# %% [markdown]
# **What is optimised.** The number that is reported, in the same unit: training loss and held-out score differ only in their data.
#
# **Common mistake.** To call it exact on images: pixels are integers, a density on them is unbounded, and after dequantisation the number
# is a lower bound on the probability of the integers.
#
# **Why today.** Where the number itself is the product, as in physics and in simulation-based inference, flows are a first choice.

# %% [markdown] topic="flow.constraint" exercise="flow.coupling" uses="pushforward.families.flow.transforms.coupling:VectorCoupling" test="tests/families/test_flow.py::test_log_determinant_is_the_jacobians"
# ### 5.4 The architectural constraint
#
# **Idea.** A general determinant costs $O(d^3)$ at every step of training, so layers are built to have an easy one. A coupling changes half
# of its input given the other half, its Jacobian is triangular, and the determinant is the product of $d$ numbers.
#
# $$y_1 = x_1,\quad y_2 = x_2 \odot e^{s(x_1)} + t(x_1) \qquad\Rightarrow\qquad \frac{\partial y}{\partial x} = \begin{pmatrix} I & 0 \\ \ast & \operatorname{diag} e^{s(x_1)} \end{pmatrix},\quad \log\det = \sum_i s_i(x_1)$$
#
# **By hand.** $s(x_1) = x_1 \log 2$ and $t(x_1) = 3 x_1$ at $x = (1, 2)$: $y = (1,\ 2 \cdot 2 + 3) = (1, 7)$. The Jacobian has rows
# $(1, 0)$ and $(4 \log 2 + 3,\ 2) = (5.773,\ 2)$, with determinant $2$ whatever stands below the diagonal.


# %%
def by_hand(x):
    return torch.stack([x[0], x[1] * torch.exp(x[0] * math.log(2)) + 3 * x[0]])


jacobian = torch.autograd.functional.jacobian(by_hand, torch.tensor([1.0, 2.0]))
assert by_hand(torch.tensor([1.0, 2.0])).tolist() == [1.0, 7.0]
assert torch.allclose(jacobian, torch.tensor([[1.0, 0.0], [5.773, 2.0]]), atol=5e-4)
assert math.isclose(float(torch.det(jacobian)), 2.0, rel_tol=1e-6)

# %%
from torch.utils.flop_counter import FlopCounterMode

from pushforward.families.flow.transforms.spline import RationalQuadratic
from pushforward.nets.mlp import ResidualMLP


def priced(what):
    """Return what a function returns, and the additions and multiplications of its matrix products."""
    with FlopCounterMode(display=False) as counted:
        found = float(what())
    return found, counted.get_total_flops()


def general(layer, x):
    """Differentiate the whole layer and compute the determinant of what comes out."""
    jacobian = torch.autograd.functional.jacobian(lambda v: layer(v[None], None)[0][0], x)
    return jacobian, torch.linalg.slogdet(jacobian).logabsdet


conditioner = lambda inputs, outputs: ResidualMLP(inputs, outputs, 16, 1, zero_output=True)  # noqa: E731
sizes, slow, fast = (4, 8, 16, 32, 64), [], []
for d in sizes:
    layer = VectorCoupling(torch.arange(d) < d // 2, RationalQuadratic(bins=8, bound=4.0), conditioner)
    noise = torch.Generator().manual_seed(d)
    for weights in layer.parameters():  # a new coupling is the identity
        weights.data += 0.1 * torch.randn(weights.shape, generator=noise)
    x = torch.randn(d, generator=noise)
    read, computed = priced(lambda: layer(x[None], None)[1].detach()), priced(lambda: general(layer, x)[1])  # noqa: B023
    assert math.isclose(read[0], computed[0], abs_tol=1e-3)
    fast.append(read[1])
    slow.append(computed[1] + 2 * d**3 / 3)  # the determinant itself, by elimination
    if d == 16:
        triangle = general(layer, x)[0].abs()
        assert bool((triangle.triu(1) == 0).all())
shades = 255 - (255 * (triangle / triangle.max()).sqrt()).to(torch.uint8)
show(
    images(
        shades[None, None], columns=1, says="the Jacobian of a coupling in 16 dimensions: nothing above the diagonal"
    ),
    curve(
        sizes,
        {"computed": slow, "read off": fast},
        "dimensions (upwards: operations)",
        "arithmetic operations for one log-determinant, read off and computed",
        log_x=True,
        log_y=True,
    ),
    says="a triangular Jacobian and what it saves",
)

# %% [markdown]
# **What is optimised.** Still the likelihood: the networks $s$ and $t$ are never inverted, so they may be anything.
#
# **Common mistake.** To stack couplings with the same half kept: that half never changes. Mix or swap coordinates in between.
#
# **Why today.** Recent flows put transformers inside such triangular layers, autoregressive ones above all, and draw images well again.

# %% [markdown] topic="flow.sampling" exercise="flow.coupling" uses="pushforward.core.walk:OneShot" test="tests/conformance/test_conformance.py::test_walk_is_the_sampler"
# ### 5.5 Sampling
#
# **Idea.** Draw Gaussian noise and run the map backwards once: with couplings there is no chain to wait for. Noise scaled by a temperature
# below one stays near the middle of the code space, which gives tidier samples of another distribution.
#
# $$x = f^{-1}(T z), \quad z \sim \mathcal N(0, I), \qquad T = 1 \text{ for the model itself}$$
#
# **By hand.** $f^{-1}(z) = 1 + 2z$ and $z = 0.5$: $x = 2$ at $T = 1$ and $x = 1.5$ at $T = \tfrac12$. A code in two dimensions costs
# $T^2 + \log 2\pi$ nats on average: $2.838$ at $T = 1$, $2.088$ at $T = \tfrac12$.

# %%
assert 1 + 2 * (1.0 * 0.5) == 2
assert 1 + 2 * (0.5 * 0.5) == 1.5
assert math.isclose(1 + math.log(2 * math.pi), 2.838, abs_tol=5e-4)
assert math.isclose(0.25 + math.log(2 * math.pi), 2.088, abs_tol=5e-4)

# %%
assert flow.model.walk(1).calls == 1  # one pass of the network for a sample, whatever the number of layers
drawn = {t: flow.sample(1000, seed=0, temperature=t) for t in (0.3, 0.6, 1.0, 1.3)}
for t, x in drawn.items():
    cost = -flow.model.base.log_prob(flow.encode(x).value)
    # squared codes have mean 1 and variance 2: half the sum of two of them has standard deviation 1, times T^2
    assert abs(float(cost.mean()) - t**2 - math.log(2 * math.pi)) < 4 * t**2 / math.sqrt(1000)
explore(
    "temperature",
    {t: cloud(x, moons.test.x[:1000], says=f"samples at temperature {t}", colour=1) for t, x in drawn.items()},
    start=1.0,
)

# %% [markdown]
# **What is optimised.** Nothing about samples: they follow from the density, and so do the faint bridges between the moons.
#
# **Common mistake.** To report the likelihood of the model at temperature 1 beside pictures drawn at 0.7; these are two distributions.
#
# **Why today.** One pass is what diffusion models are distilled for. In a coupling flow both directions cost the same; in an autoregressive
# flow one of them takes a pass for every dimension.
