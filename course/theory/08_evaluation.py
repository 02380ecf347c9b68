# %% [markdown]
# ## 8. Evaluation
#
# A number about a model means something beside three others: its interval, what real data would score in its place (the null), and what a
# bad model scores. One autoregressive model of two-moons serves most of this section, because its temperature makes it worse on purpose.
#
# **After this section you can**
#
# - report a likelihood with its kind, unit and interval;
# - measure quality and diversity apart, each beside what real data score;
# - explain the Fréchet distance, its bias, and why sizes must agree;
# - read precision, recall and coverage together.

# %%
from pushforward.evaluation.distribution.classifier_test import classifier_test
from pushforward.evaluation.distribution.frechet import frechet, frechet_distance, gaussian_frechet
from pushforward.evaluation.distribution.neighbours import balls, coverage_null, neighbour_scores
from pushforward.evaluation.diversity.vendi import vendi, vendi_score
from pushforward.evaluation.features.default import default_features
from pushforward.evaluation.likelihood.code_length import kl_to_truth, likelihood_score
from pushforward.evaluation.likelihood.ranking import rank_likelihoods

moons, quick = pf.load("two-moons"), {"train": {"batch_size": 128, "learning_rate": 5e-3}}
ar = pf.fit("ar", moons, steps=300, seed=0, preset="smoke", settings=quick)
real = moons.test.x.numpy()

# %% [markdown] topic="evaluation.likelihood" exercise="goal.bits_per_dim" uses="pushforward.evaluation.likelihood.code_length:likelihood_score" test="tests/evaluation/test_likelihood.py::test_the_interval_covers_the_entropy"
# ### 8.1 Log likelihood
#
# **Idea.** The mean of $-\log p$ over held-out examples is the length of their code under the model, in nats or bits. It is complete only
# with its kind (exact, bound or estimate), its unit and its interval.
#
# $$L = -\frac1n \sum_{i=1}^n \log p(x_i), \qquad L \pm t_{n-1}\, \frac{s}{\sqrt n}, \qquad \text{bits/dim} = \frac{L}{D \log 2}$$
#
# **By hand.** Three examples cost 1, 2 and 3 nats: $L = 2$, $s = 1$, standard error $1/\sqrt 3 = 0.577$; with $t_2 = 4.303$ the interval
# is $2 \pm 2.48$. An image of $D = 64$ pixels that costs 100 nats costs $100 / (64 \cdot 0.693) = 2.254$ bits/dim.

# %%
costs = np.array([1.0, 2.0, 3.0])
error = costs.std(ddof=1) / math.sqrt(3)
assert math.isclose(error, 0.577, abs_tol=5e-4)
assert math.isclose(4.303 * error, 2.48, abs_tol=5e-3)
assert math.isclose(100 / (64 * math.log(2)), 2.254, abs_tol=5e-4)

# %%
# an exact value and a bound of the same points: the bound is the worse number, which does not make it the worse model
vae = pf.fit("vae", moons, steps=100, seed=0, preset="smoke", settings=quick)
log_p = ar.log_prob(moons.test)
scores = {"ar": likelihood_score(log_p), "vae": likelihood_score(vae.log_prob(moons.test))}
for name, s in scores.items():
    print(f"{name}: {s.name}: {s.value:.3f} [{s.low:.3f}, {s.high:.3f}] {s.unit}")
(compared,) = rank_likelihoods(scores).comparisons
assert compared.verdict == "undecided"  # an exact value below a bound decides nothing: the bound may be slack
print(f"{compared.verdict}: {compared.reason}")
# where the truth is known, the difference is taken example by example: most of the scatter cancels
gap = kl_to_truth(moons.density.log_prob(moons.test.x.double()).numpy(), log_p)
assert gap.low > 0
assert gap.stderr < scores["ar"].stderr
sizes = [20, 50, 100, 200, 500, 1000, 2000, 5000]
found = [likelihood_score(ar.log_prob(moons.test[:n])) for n in sizes]
# a hundred times the examples, a tenth of the interval; the spread of 50 costs is itself known to a tenth, hence the room of a half
assert 5 < (found[1].high - found[1].low) / (found[-1].high - found[-1].low) < 15
lines = {"low": [s.low for s in found], "mean": [s.value for s in found], "high": [s.high for s in found]}
show(
    curve(
        sizes,
        {**lines, "entropy": [moons.density.entropy] * len(sizes)},
        "test examples",
        "code length in nats/point with its 95 % interval, over the entropy of the data",
        log_x=True,
    )
)

# %% [markdown]
# **What is optimised.** Autoregressive models and flows train on this very number, so only held-out examples may be scored. A VAE or a
# diffusion model trains on a bound of it, a GAN on nothing of the kind.
#
# **Common mistake.** To rank an exact value against a bound, nats against bits, or densities of data that were scaled differently: dividing
# every coordinate by 255 changes the density of an image by $D \log 255$ nats.
#
# **Why today.** Perplexity is the exponential of this number, and scaling laws of language models predict it. It depends on the tokeniser; bits per byte do not.

# %% [markdown] topic="evaluation.quality" exercise="evaluation.kid" uses="pushforward.evaluation.distribution.classifier_test:classifier_test" test="tests/evaluation/test_classifier_test.py::test_accuracy_and_area_approach_the_bayes_limits"
# ### 8.2 Sample quality
#
# **Idea.** If nobody can tell samples from held-out data, they are good samples. A classifier is trained to tell them apart on one half,
# and its accuracy on the other half is the score: one half is perfect, one is hopeless.
#
# $$\max_c\ \mathrm{accuracy}(c) = \tfrac12 + \tfrac12 \mathrm{TV}(p, q), \qquad \mathrm{TV}(p, q) = \tfrac12 \int |p(x) - q(x)|\, dx$$
#
# **By hand.** A coin with $p = (0.5, 0.5)$ and a model with $q = (0.8, 0.2)$: $\mathrm{TV} = 0.3$, so the best judge is right in $0.65$ of
# cases. A judge who is right 30 times in 40 is $(0.75 - 0.5) / \sqrt{0.25 / 40} = 3.16$ standard errors above a coin: the samples are told.

# %%
p, q = np.array([0.5, 0.5]), np.array([0.8, 0.2])
distance = 0.5 * np.abs(p - q).sum()
assert math.isclose(0.5 + 0.5 * distance, 0.65, abs_tol=5e-3)
assert math.isclose((0.75 - 0.5) / math.sqrt(0.25 / 40), 3.16, abs_tol=5e-3)

# %%
drawn = {t: ar.sample(1000, seed=0, temperature=t).numpy() for t in (0.25, 0.5, 1.0, 1.5, 2.0)}
told = {t: classifier_test(x, real[:1000], "identity") for t, x in drawn.items()}
for t, s in told.items():
    print(f"temperature {t:g}: accuracy {s.value:.3f} [{s.low:.3f}, {s.high:.3f}]")
# 1000 judged examples: a coin has the standard error 0.016. Both ends are told apart by more than four, the trained model is not
error = 0.5 / math.sqrt(1000)
assert min(told[0.25].value, told[2.0].value) - 0.5 > 4 * error
assert abs(told[1.0].value - 0.5) < 4 * error
explore(
    "temperature",
    {t: cloud(x[:500], real[:500], says=f"told with accuracy {told[t].value:.2f}", colour=1) for t, x in drawn.items()},
)

# %% [markdown]
# **What is optimised.** By a GAN, nearly this: its discriminator is such a judge. Therefore a GAN must be judged by a *new* classifier, on
# examples that neither network has seen.
#
# **Common mistake.** To judge on the examples the classifier was trained on, or to call an accuracy of one half a proof: another
# classifier, or better features, may see what this one does not.
#
# **Why today.** Detectors of synthetic images and text are such classifiers. They age with every new generator.

# %% [markdown] topic="evaluation.diversity" exercise="evaluation.coverage" uses="pushforward.evaluation.diversity.vendi:vendi_score" test="tests/evaluation/test_diversity.py::test_vendi_is_that_of_the_eigenvalues_of_all_similarities"
# ### 8.3 Diversity
#
# **Idea.** Good samples that are all the same are no good sample. The Vendi score is the effective number of different examples, the
# exponential of the entropy of the eigenvalues of all similarities.
#
# $$\mathrm{VS} = \exp\Big(-\sum_i \lambda_i \log \lambda_i\Big), \qquad \lambda = \text{eigenvalues of } K / n, \quad K_{ij} = \cos(x_i, x_j)$$
#
# **By hand.** Four examples, two copies each of two that have nothing in common: $\lambda = (\tfrac12, \tfrac12, 0, 0)$ and
# $\mathrm{VS} = e^{\log 2} = 2$. With three copies of one and one of the other, $\lambda = (\tfrac34, \tfrac14)$ and
# $\mathrm{VS} = e^{0.562} = 1.755$.

# %%
a, b = [1.0, 0.0], [0.0, 1.0]
assert math.isclose(vendi(np.array([a, a, b, b])), 2.0, abs_tol=5e-4)
assert math.isclose(-(0.75 * math.log(0.75) + 0.25 * math.log(0.25)), 0.562, abs_tol=5e-4)
assert math.isclose(vendi(np.array([a, a, a, b])), 1.755, abs_tol=5e-4)

# %%
# real digits stand in for generators that know only the first classes
digits = pf.load("digits")
look = default_features(digits.space, digits.train.x.numpy())[1]
train, labels = look(digits.train.x.numpy()), digits.train.given.label.numpy()
reference = look(digits.test.x.numpy())
known = list(range(1, 11))
by_classes = [vendi_score(train[labels < k][:120], reference, look.name) for k in known]
# nine classes more are worth more than both intervals are wide
assert by_classes[-1].low > by_classes[0].high
# every pixel dealt out again among the digits: no digit is left, and diversity is highest
shuffled = np.random.default_rng(0).permuted(digits.test.x.numpy().reshape(len(digits.test), -1), axis=0)
babble = vendi_score(look(shuffled.reshape(digits.test.x.shape)), reference, look.name)
assert babble.low > babble.null
print(f"shuffled pixels: {babble.value:.1f} {babble.unit}, real {babble.null:.1f}; {babble.warnings[-1]}")
lines = {"generator": [s.value for s in by_classes], "real": [s.null for s in by_classes]}
show(
    curve(known, lines, "classes that the generator knows", "effective number of different examples among 120"),
    images(digits.train.x[labels < 2][:8], levels=17, says="a generator that knows two classes"),
)

# %% [markdown]
# **What is optimised.** Likelihood punishes a lost mode, because held-out examples in it become improbable. The loss of a GAN hardly does,
# which is why its modes collapse.
#
# **Common mistake.** More is better. Beyond the value of real data lies noise, so diversity is read against real data of the same size and
# beside a score of quality.
#
# **Why today.** Models that were tuned to human preference answer alike: a single sample looks better, a hundred of them look the same.

# %% [markdown] topic="evaluation.fid" exercise="evaluation.frechet" uses="pushforward.evaluation.distribution.frechet:frechet_distance" test="tests/evaluation/test_frechet.py::test_the_bias_of_equal_gaussians_is_the_known_one"
# ### 8.4 The intuition of the FID
#
# **Idea.** Look at samples and data through features, fit a Gaussian to either, and measure how far one has to be moved and stretched to
# become the other. The fit of a small sample is somewhat off, so on average the distance is too large by a term that falls as $1/n$.
#
# $$\mathrm{FD} = \lVert \mu_x - \mu_y \rVert^2 + \operatorname{tr}\!\Big(\Sigma_x + \Sigma_y - 2\big(\Sigma_x^{1/2} \Sigma_y \Sigma_x^{1/2}\big)^{1/2}\Big), \qquad \text{bias} \approx \Big(\frac1n + \frac1m\Big)\Big(d + \frac{d(d+1)}{4}\Big)$$
#
# This is the Fréchet distance of two Gaussians, called FID with Inception's features; the bias is that of two samples, $n$ and $m$ large, of
# one standard normal in $d$ dimensions.
#
# **By hand.** $\mathcal N(0, 1)$ against $\mathcal N(1, 4)$: $(0 - 1)^2 + (1 - 2)^2 = 2$. Two samples of 100 of *equal* Gaussians in
# $d = 8$ dimensions: $\tfrac{2}{100} (8 + 18) = 0.52$, and with 1,000 it is $0.052$.

# %%
assert math.isclose(gaussian_frechet(np.zeros(1), np.eye(1), np.ones(1), 4 * np.eye(1)), 2.0, abs_tol=1e-9)


def bias(n, d=8):
    return 2 / n * (d + d * (d + 1) / 4)


assert math.isclose(bias(100), 0.52, abs_tol=5e-3)
assert math.isclose(bias(1000), 0.052, abs_tol=5e-4)

# %%
rng, sizes = np.random.default_rng(0), [50, 100, 200, 500, 1000, 2000]
plug_in, unbiased, error = [], [], []
for n in sizes:
    pairs = [frechet_distance(rng.normal(size=(n, 8)), rng.normal(size=(n, 8)), "identity") for _ in range(12)]
    plug_in.append(float(np.mean([first.value for first, _ in pairs])))
    unbiased.append(float(np.mean([second.value for _, second in pairs])))
    error.append(float(np.std([first.value for first, _ in pairs], ddof=1) / math.sqrt(12)))
# four standard errors around the formula, which holds to first order: 5 % more from 200 examples on
assert all(abs(plug_in[i] - bias(n)) < 4 * error[i] + 0.05 * bias(n) for i, n in enumerate(sizes) if n >= 200)
assert all(abs(u) < 0.25 * p for u, p in zip(unbiased, plug_in))
show(
    curve(
        sizes,
        {
            "plug-in": plug_in,
            "formula": [bias(n) for n in sizes],
            "bias removed": unbiased,
            "truth": [0.0] * len(sizes),
        },
        "examples on either side",
        "Fréchet distance of equal Gaussians in 8 dimensions: all of it is bias",
        log_x=True,
    )
)

# %% [markdown]
# **What is optimised.** Nothing here, and it should stay so: a generator that is tuned for the features of the FID improves the FID more
# than the pictures.
#
# **Common mistake.** Comparing an FID of 10,000 samples with a published one of 50,000, or one that was resized by another library.
# Both move the number by more than two good models differ.
#
# **Why today.** The FID is still the number in most tables of image models. Features of self-supervised networks agree with people better
# than those of Inception, and the kernel distance has an unbiased estimate at any $n$.

# %% [markdown] topic="evaluation.precision_recall" exercise="evaluation.coverage" uses="pushforward.evaluation.distribution.neighbours:balls" test="tests/evaluation/test_neighbours.py::test_the_published_implementation_agrees_where_no_distances_tie"
# ### 8.5 Precision and recall
#
# **Idea.** One number hides whether samples are bad or missing, so two are asked for: the share of samples near data, and the share of data
# near samples. "Near" is a ball that reaches to the $k$-th nearest neighbour of its own kind.
#
# $$\text{precision} = \frac1m \sum_j \mathbb 1\big[y_j \in \textstyle\bigcup_i B(x_i)\big], \quad \text{recall} = \frac1n \sum_i \mathbb 1\big[x_i \in \textstyle\bigcup_j B(y_j)\big], \quad \text{coverage} = \frac1n \sum_i \mathbb 1\big[\exists j: y_j \in B(x_i)\big]$$
#
# **By hand.** Real $x = 0, 1, 4$ with $k = 1$ have balls of radius $1, 1, 3$; generated $y = 0.5, 9$ both have radius $8.5$. The $0.5$ lies
# in a real ball, the $9$ does not: precision $\tfrac12$. All $x$ lie in the huge ball around $0.5$: recall $1$. The balls of $0$ and $1$
# contain a sample, that of $4$ does not: coverage $\tfrac23$.

# %%
found = balls(np.array([[0.5], [9.0]]), np.array([[0.0], [1.0], [4.0]]), k=1)
precision, recall, _, coverage = (float(terms.mean()) for terms in found.terms(1))
assert (precision, recall) == (0.5, 1.0)
assert math.isclose(coverage, 2 / 3, rel_tol=1e-9)

# %%
temperatures = [0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0]
rows = {
    t: neighbour_scores(ar.sample(400, seed=0, temperature=t).numpy(), real[:400], "identity") for t in temperatures
}
lines = {
    name: [rows[t][i].value for t in temperatures] for name, i in (("precision", 0), ("recall", 1), ("coverage", 3))
}
# cold samples are precise and miss data, hot ones the other way round: intervals do not overlap
assert rows[0.1][0].low > rows[3.0][0].high
assert rows[0.1][1].high < rows[1.0][1].low
print(
    f"coverage at temperature 1: {rows[1.0][3].value:.3f}; two real samples would have {coverage_null(400, 400, 5):.3f}"
)
show(curve(temperatures, lines, "temperature", "precision is bought with recall"))

# %% [markdown]
# **What is optimised.** Maximum likelihood leans to recall, since it must give every example some probability; adversarial losses often lean
# to precision. Temperature, truncation and guidance move a finished model along the trade-off.
#
# **Common mistake.** Reading recall without looking for outliers: one stray sample has a huge ball, as above. Coverage puts the balls around
# real points, so that no sample can make one larger.
#
# **Why today.** Guidance in text-to-image models trades recall for precision, and a single number shows only the half that its author likes.
