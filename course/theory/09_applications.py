# %% [markdown]
# ## 9. Applications and trade-offs
#
# What generative models are used for, with the question that each use must answer. Two small models serve the section: one of text, one of
# digits given their class. Both are trained for seconds, and the numbers below say so.

# %%
from dataclasses import replace

from pushforward.app.augmenting import augment_family
from pushforward.core.choice import keep_top_p
from pushforward.core.given import Given
from pushforward.evaluation.cards.controls import controls
from pushforward.evaluation.checks import as_rows
from pushforward.evaluation.intervals import t_quantile
from pushforward.evaluation.memorisation.duplicates import duplicate_rate
from pushforward.evaluation.memorisation.membership import nearness_attack
from pushforward.evaluation.memorisation.pull import training_pull
from pushforward.evaluation.memorisation.verdict import memorisation_verdict
from pushforward.evaluation.text.distinct import distinct_share
from pushforward.evaluation.usefulness.augmentation import Drawn, usefulness
from pushforward.evaluation.usefulness.learners import task_of
from pushforward.evaluation.usefulness.probe import mcnemar, probe

digits = pf.load("digits")
train, test = digits.train.x.numpy(), digits.test.x.numpy()
classes, asked = digits.train.given.label.numpy(), digits.test.given.label.numpy()
small = {"model": {"width": 64}, "train": {"batch_size": 64, "learning_rate": 1e-2}}
# few held-out examples choose the weights, so that training takes a second
quicker = replace(digits, validation=digits.validation[:50])
made = pf.fit("autoregressive:made", quicker, steps=150, seed=0, preset="smoke", settings=small)

# %% [markdown] topic="applications.text" exercise="applications.nucleus" uses="pushforward.core.choice:keep_top_p" test="tests/families/test_tokens.py::test_filters_by_hand"
# ### 9.1 Text
#
# **Idea.** A language model gives probabilities, and somebody must still choose the next token. Nucleus sampling keeps the fewest tokens
# that hold a share $p$ of the probability and draws among them, so the cut follows the model's confidence.
#
# $$V_p = \text{smallest set of most probable tokens with } \sum_{t \in V_p} P(t \mid t_{<i}) \ge p, \qquad P'(t) = \frac{P(t)\, \mathbb 1[t \in V_p]}{\sum_{s \in V_p} P(s)}$$
#
# **By hand.** Probabilities $0.5, 0.3, 0.15, 0.05$ and $p = 0.7$: the first token holds $0.5 < 0.7$, the first two hold $0.8$, so two are
# kept and get $0.5 / 0.8 = 0.625$ and $0.3 / 0.8 = 0.375$.

# %%
kept = keep_top_p(torch.tensor([[0.5, 0.3, 0.15, 0.05]]).log(), 0.7).exp()[0]
assert [round(v, 3) for v in kept.tolist()] == [0.625, 0.375, 0.0, 0.0]

# %%
plays = pf.load("shakespeare", length=32)
quick = {"model": {"width": 32}, "train": {"batch_size": 16, "learning_rate": 1e-2}}
short = replace(plays, train=plays.train[::40], validation=plays.validation[:50])
ar = pf.fit("ar", short, steps=100, seed=0, preset="smoke", settings=quick)
score = ar.log_prob(plays.test[:200])
print(f"{score.kind}: {score.value:.2f} +- {score.standard_error:.2f} {score.unit.name}; a uniform byte costs 8")
assert score.value + 4 * score.standard_error < 8
shares = [0.2, 0.4, 0.6, 0.8, 0.9, 1.0]
tokens = {p: ar.model.sample(96, seed=0, top_p=p) for p in shares}
distinct = {p: distinct_share(x.numpy(), 3) for p, x in tokens.items()}
real = distinct_share(plays.test.x[:96].numpy(), 3)
for p in (0.2, 1.0):
    print(f"p = {p:g}: {plays.encoding.decode(tokens[p][:2])}")
assert distinct[0.2] < real  # a small p repeats itself
assert distinct[0.2] < distinct[0.6] < distinct[1.0]
show(
    curve(
        shares,
        {"model": list(distinct.values()), "real text": [real] * len(shares)},
        "p",
        "share of different 3-grams in 96 windows: dull below the line, babble above it",
    )
)

# %% [markdown]
# **What is optimised.** The likelihood of every next token given true ones before it. Nothing in it says what to draw, which is why the
# filter is chosen by use: small $p$ for answers, large $p$ for stories.
#
# **Common mistake.** To report the perplexity of the model beside texts of the filter: what was drawn comes from $P'$, under which most real
# text has probability zero.
#
# **Why today.** Temperature and top-$p$ are the two numbers that every interface of a language model shows. With $p = 1$ and temperature 1
# one sees the model itself.

# %% [markdown] topic="applications.images" exercise="score.guidance" uses="pushforward.core.model:GenerativeModel.log_prob" test="tests/core/test_toys.py::test_mixture_is_the_law_of_total_probability"
# ### 9.2 Images
#
# **Idea.** A model of images that is given a class draws what was asked for. The same model read backwards, by Bayes' rule, says of which
# class a given image is.
#
# $$p(y \mid x) = \frac{p(y)\, p(x \mid y)}{\sum_{y'} p(y')\, p(x \mid y')}$$
#
# **By hand.** An image has probability $0.02$ given a three and $0.005$ given an eight, and both are equally frequent. Then
# $p(3 \mid x) = 0.02 / 0.025 = 0.8$, and $p(x) = \tfrac12 \cdot 0.02 + \tfrac12 \cdot 0.005 = 0.0125$.

# %%
likelihood = np.array([0.02, 0.005])
assert math.isclose(likelihood[0] / likelihood.sum(), 0.8, abs_tol=5e-3)
assert math.isclose((0.5 * likelihood).sum(), 0.0125, abs_tol=5e-5)

# %%
given = Given(torch.arange(10).repeat(6))
drawn = {t: made.sample(60, given=given, seed=0, temperature=t) for t in (0.25, 0.5, 0.75, 1.0)}
nats = torch.stack([made.log_prob(digits.test.x[:200], given=Given.of_label(k, 200)).nats for k in range(10)], 1)
right = float((nats.argmax(1).numpy() == asked[:200]).mean())
# chance is a tenth: four standard errors of 200 guesses are 0.085
assert right > 0.1 + 0.085
print(
    f"read backwards, the generator names {right:.0%} of 200 test digits; {digits.space.dimensions} pixels, no classifier trained"
)
explore(
    "temperature",
    {t: images(x, columns=10, levels=17, says=f"digits 0 to 9 at temperature {t:g}") for t, x in drawn.items()},
    start=1.0,
)

# %% [markdown]
# **What is optimised.** $\log p(x \mid y)$, nearly all of which is spent on pixels and little on the class. A classifier spends everything
# on the class, so it classifies better and cannot draw.
#
# **Common mistake.** Judging a conditional model by the beauty of its samples alone: whether they are what was asked for is a second number,
# the accuracy of an independent classifier on them.
#
# **Why today.** Text in place of a class, and a code in place of pixels, make this the text-to-image models; guidance is Bayes' rule with
# an exponent on $p(y \mid x)$.

# %% [markdown] topic="applications.representation" exercise="diagnostics.collapse" uses="pushforward.evaluation.usefulness.probe:probe" test="tests/app/test_using_models.py::test_codes_of_an_invertible_map_know_what_the_points_know"
# ### 9.3 Representation learning
#
# **Idea.** A model that can draw digits without ever seeing a label may have learnt what digits are. A linear classifier on its codes, the
# probe, says how much of that can be read off, and it means something only beside the same probe on the raw examples.
#
# $$\hat y = \arg\max_k\ \big(w_k^\top z(x) + b_k\big), \qquad z(x) \text{ fixed, only } w, b \text{ trained}$$
#
# **By hand.** On the same test examples one probe is right and the other wrong 4 times, never the other way round. Were both equally good,
# either of the four would be a fair coin, so the two-sided chance is $2 \cdot 0.5^4 = 0.125$: not yet a difference.

# %%
first, second = np.array([True, True, True, True, False]), np.array([False, False, False, False, False])
assert math.isclose(mcnemar(first, second), 0.125, abs_tol=5e-4)

# %%
blind = pf.load("digits", labels=False)
tiny = {"model": {"latent": 4}, "train": {"batch_size": 32, "learning_rate": 1e-2}}
blind = replace(blind, validation=blind.validation[:50])
vae = pf.fit("vae", blind, steps=60, seed=0, preset="smoke", settings=tiny)
codes = [vae.encode(x).value.numpy() for x in (digits.train.x, digits.test.x)]
pixels = [as_rows(train), as_rows(test)]
middle = [rows.reshape(-1, 8, 8)[:, 3:5, 3:5].reshape(-1, 4) for rows in pixels]
sizes, found = [20, 60, 200, 1000], {"4 codes": [], "4 pixels": [], "64 pixels": []}
for n in sizes:
    views = {name: (a[:n], b) for name, (a, b) in zip(found, (codes, middle, pixels))}
    for name, probed in zip(found, probe(views, classes[:n], asked)):
        found[name].append(probed.accuracy)
last = {name: s[-1] for name, s in found.items()}
print(
    {name: f"{s.value:.2f} [{s.low:.2f}, {s.high:.2f}]" for name, s in last.items()},
    f"guessing: {last['4 codes'].null:.2f}",
)
# four numbers cannot hold what 64 hold, but four codes hold more than four pixels: no intervals overlap
assert last["4 pixels"].high < last["4 codes"].low
assert last["4 codes"].high < last["64 pixels"].low
show(
    curve(
        sizes,
        {name: [s.value for s in scores] for name, scores in found.items()},
        "labelled examples for the probe",
        "accuracy of a linear classifier on codes that were learnt without labels",
        log_x=True,
    )
)

# %% [markdown]
# **What is optimised.** The bound of section 3, in which labels do not occur: what the codes keep is what pays in nats of pixels, and a
# thick stroke may pay more than being a seven.
#
# **Common mistake.** To report a probe on codes without one on the raw examples. Here raw pixels win, and the honest gain is that 4 numbers
# stand for 64.
#
# **Why today.** Hidden layers of diffusion and language models are probed in the same way, for what they know and where it sits.

# %% [markdown] topic="applications.augmentation" exercise="evaluation.kid" uses="pushforward.evaluation.usefulness.augmentation:usefulness" test="tests/evaluation/test_usefulness.py::test_what_a_known_generator_is_worth"
# ### 9.4 Data augmentation
#
# **Idea.** Synthetic examples are worth what they add to a predictor that is tested on real ones. The generator may see no more real
# examples than the predictor does, or it smuggles the others in.
#
# $$\text{gain} = \operatorname{accuracy}(\text{real} + \text{synthetic}) - \operatorname{accuracy}(\text{real}), \qquad t = \frac{\overline{\text{gain}}}{s / \sqrt R} \text{ over } R \text{ seeds}$$
#
# **By hand.** Three seeds gain $0.02$, $-0.01$ and $0.02$: the mean is $0.01$, $s = 0.0173$, the standard error $0.01$ and $t = 1$. With two
# degrees of freedom it would have to exceed $4.303$: undecided.

# %%
gains = np.array([0.02, -0.01, 0.02])
error = gains.std(ddof=1) / math.sqrt(3)
assert math.isclose(gains.std(ddof=1), 0.0173, abs_tol=5e-5)
assert math.isclose(gains.mean() / error, 1.0, abs_tol=5e-3)
assert math.isclose(t_quantile(2), 4.303, abs_tol=5e-4)


# %%
# 160 synthetic digits beside 40 real ones: once from a generator that was trained on those 40, once from a perfect one
def perfect(size, seed):
    order = np.random.default_rng(seed).permutation(len(train))
    real, new = order[:size], order[size : 5 * size]
    return Drawn(train[real], classes[real], train[new], classes[new])


task = task_of(digits.space, digits.classes, None)
best = usefulness(perfect, task, test, asked, sizes=[40], ratios=[4.0], seeds=3)
mine = augment_family(
    "autoregressive:made", "digits", budget={"steps": 20}, sizes=(40,), ratios=(4.0,), seeds=3, overrides=small
).found
for name, cells in (("trained on 40", mine), ("perfect", best)):
    real, _, both = cells
    print(
        f"{name}: real {real.value:.3f}, both {both.value:.3f}, gain {both.gain:+.3f} [{both.gain_low:+.3f}, {both.gain_high:+.3f}]: {both.verdict}"
    )
assert best[2].verdict == "helps"
assert mine[2].verdict != "helps"  # it knows nothing that the 40 examples do not say
show(
    curve(
        [40, 200],
        {
            "perfect": [best[0].value, best[2].value],
            "trained on 40": [mine[0].value, mine[2].value],
            "no gain": [best[0].value] * 2,
        },
        "training examples of the classifier, 40 of them real",
        "what 160 synthetic digits are worth on real test digits",
    )
)

# %% [markdown]
# **What is optimised.** The generator's likelihood, not the classifier's accuracy: samples may be likely and still lie about the border
# between two classes.
#
# **Common mistake.** Training the generator on all real data and the baseline on a tenth of it. The "gain" is then that of the other nine
# tenths.
#
# **Why today.** Large generators help where they bring knowledge from elsewhere, such as pre-training on other data. Training models on the
# output of models alone, round after round, loses the tails of the data.

# %% [markdown] topic="applications.safety" exercise="diagnostics.checklist" uses="pushforward.evaluation.memorisation.verdict:memorisation_verdict" test="tests/evaluation/test_scorecard.py::test_only_the_copycat_trips"
# ### 9.5 Safety and misuse
#
# **Idea.** A model that replays its training data leaks what it was trained on, and it wins every measure of quality. The check needs
# held-out examples: for an honest model training examples and held-out ones are exchangeable, so samples may not lie nearer to the first.
#
# $$z = \frac{r - r_0}{\sqrt{\bar r (1 - \bar r) (1/n + 1/h)}}, \qquad r = \text{share of samples found in train}, \quad r_0 = \text{the same of held-out examples}$$
#
# **By hand.** Of 100 samples 30 occur in train, of 100 held-out examples 2 do: $\bar r = 0.16$, the standard error is
# $\sqrt{0.16 \cdot 0.84 \cdot 0.02} = 0.0518$, and $z = 0.28 / 0.0518 = 5.4$. An honest model has more than 3 once in 740 runs.

# %%
error = math.sqrt(0.16 * 0.84 * (1 / 100 + 1 / 100))
assert math.isclose(error, 0.0518, abs_tol=5e-5)
assert math.isclose((0.30 - 0.02) / error, 5.4, abs_tol=5e-2)


# %%
def judged(samples):
    checks = [duplicate_rate(samples, train, test), training_pull(samples, train, test, "pixels")]
    return checks, memorisation_verdict(checks)


copies, honest = controls(train, digits.space, 200, seed=0)["copycat"].samples, made.sample(200, seed=1).numpy()
for name, samples in (("copycat", copies), ("model", honest)):
    checks, verdict = judged(samples)
    (attack, *_) = nearness_attack(samples, train, test, "pixels")
    print(f"{name}: {verdict.sentence}; membership AUC {attack.value:.2f} [{attack.low:.2f}, {attack.high:.2f}]")
    assert verdict.tripped == (name == "copycat")
print(f"provenance: these are the data with the fingerprint {digits.fingerprint[:16]}...")
# a model that copies now and then: how many copies among 200 samples does it take?
numbers = [0, 2, 5, 10, 20, 40, 80, 200]
pulls = [judged(np.concatenate([copies[:k], honest[k:]]))[0][1].value for k in numbers]
assert pulls[0] < 3 < pulls[-1]
show(
    curve(
        numbers,
        {"pull": pulls, "convicts": [3.0] * len(numbers)},
        "copies among 200 samples",
        "how much nearer samples lie to train than to held-out digits, in standard errors",
    ),
    images(np.concatenate([copies[:8], honest[:8]]), levels=17, says="copies above, samples of the model below"),
)

# %% [markdown]
# **What is optimised.** Likelihood on the training set is highest for a model that knows it by heart. Early stopping, removing
# repeated examples and differential privacy work against it.
#
# **Common mistake.** To convict by nearness to train alone, which blur and collapse raise as well, or to acquit because a check did not
# trip: it says what this many samples could show.
#
# **Why today.** Verbatim training text and images have been drawn out of large models, and it is argued in court. Provenance works from the
# other side: signed metadata and watermarks say what is synthetic, and European law asks for such marks.
