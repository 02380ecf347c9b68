# %% [markdown]
# ## 9. Applications and trade-offs
#
# What generative models are used for, with the question that each use must answer. Small models of text and of digits given their class
# serve the section. All are trained for seconds, and the numbers below say so.
#
# **After this section you can**
#
# - say why language models are autoregressive, and why most image generators are not;
# - choose what is drawn from given probabilities, and say what that does to a reported number;
# - test whether codes or synthetic examples are worth anything, against the right baseline;
# - check for memorised examples, price a filter by what it lets through and what it refuses, and say what provenance adds.

# %%
from dataclasses import replace

from pushforward.app.measuring.augmenting import augment_family
from pushforward.families.shared.next_token import keep_top_p
from pushforward.evaluation.cards.controls import controls
from pushforward.evaluation.checks import as_rows
from pushforward.evaluation.distribution.energy import energy_distance
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

# %% [markdown] topic="applications.text" exercise="applications.nucleus" uses="pushforward.families.shared.next_token:keep_top_p" test="tests/families/test_tokens.py::test_filters_by_hand"
# ### 9.1 Text
#
# **Idea.** A text is a row of symbols from a finite list, so that the chain rule turns its probability into one exact choice among symbols
# after another, all of them trained in one pass. What remains to be chosen is the draw, and nucleus sampling keeps the fewest tokens that
# hold a share $p$ of the probability and draws among them.
#
# **Why autoregression dominates text.** A symbol has no neighbours between which a small noise could move it: a softmax over the list fits,
# a Gaussian, a density and the gradient of a critic do not. Text comes in an order and in any length, and an end symbol gives every length
# its probability. Every token of every text is a target, with a mask and one pass; a model that hides symbols learns from those it hid,
# and its likelihood is a bound. A prompt is a prefix, so that one model serves every task that can be put in words, and the cache of 2.5
# makes the next token cheap. The loss is an exact code length in one unit, so that what more data and larger networks buy can be measured
# and forecast. The price: one token a pass, in an order that is fixed, and nothing that was written is taken back.
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
# the same text, the same number of steps and a larger network for a model that hides symbols and guesses them in any order (6, for text)
hiding = pf.fit("diffusion", short, steps=100, seed=0, preset="smoke", settings=quick)
guess = hiding.log_prob(plays.test[:200])
print(
    f"{guess.kind.replace('_', ' ')}: {guess.value:.2f} +- {guess.standard_error:.2f} for the model that hides symbols"
)
assert guess.kind == "lower_bound"  # on log p: an upper bound on the code length
assert guess.value - score.value > 4 * math.hypot(guess.standard_error, score.standard_error)
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
# **Why today.** Large language models are autoregressive transformers, and temperature and top-$p$ are the two numbers that their interfaces
# show; with both at 1 one sees the model itself. Models that hide symbols and reveal several a pass answer faster and in any order, and
# the gap in likelihood between the two has been closing.

# %% [markdown] topic="applications.images" exercise="score.guidance" uses="pushforward.families.diffusion.denoisers.guidance:Guided" test="tests/families/test_diffusion_path.py::test_guidance_is_linear_and_off_at_one"
# ### 9.2 Images
#
# **Idea.** A picture has no order in which it must be drawn, and most of its bits are texture that nobody looks at, so most image generators
# refine all pixels together, from coarse to fine, in a few dozen steps of diffusion. Autoregressive generators draw pictures too, with an
# exact likelihood, but of pixels they need one pass each, so they draw tokens of an autoencoder, and lately whole scales at a time.
#
# $$\text{calls a picture} = \underbrace{3 H^2}_{\text{pixels}} \quad\text{or}\quad \underbrace{(H / f)^2}_{\text{tokens}} \quad\text{or}\quad \underbrace{2 N}_{\text{diffusion, guided}}$$
#
# **By hand.** For $H = 256$ the pixels take $196\,608$ calls, tokens of an autoencoder with $f = 16$ take $256$, and $N = 25$ guided steps of
# diffusion take $50$. Diffusion in a latent space with $f = 8$ and four channels also handles $48$ times fewer numbers in each call.

# %%
H = 256
assert 3 * H**2 == 196_608
assert (H // 16) ** 2 == 256
assert 2 * 25 == 50
assert 3 * H**2 / (4 * (H // 8) ** 2) == 48

# %%
# digits of asked classes from both: 64 calls for each picture of one, a number of your choice for the other
painter = pf.fit(
    "diffusion",
    quicker,
    steps=300,
    seed=0,
    preset="smoke",
    settings={
        "model": {"law": "log-normal", "weight": "edm"},
        "train": {"batch_size": 64, "learning_rate": 1e-2, "ema": 0.98, "evaluate_every": 10**6},
    },
)
asked_for = torch.arange(10).repeat(20)
drawn = {"autoregressive, 64 calls": made.sample(200, given=asked_for, seed=0)}
for calls in (2, 4, 16):
    drawn[f"diffusion, {calls} calls"] = painter.sample(200, given=asked_for, seed=0, solver="ddim", steps=calls)
drawn["guided, 32 calls"] = painter.sample(200, given=asked_for, seed=0, solver="ddim", steps=16, guidance=3.0)
flat = digits.train.x.flatten(1).double()
obeys, far = {}, {}
for name, x in drawn.items():
    # an independent judge of whether the class is the one that was asked for: that of the nearest real digit
    named = digits.train.given.label[torch.cdist(x.flatten(1).double(), flat).argmin(1)]
    obeys[name] = float((named == asked_for).double().mean())
    far[name] = float(energy_distance(as_rows(x.numpy()), as_rows(test)))
    print(f"{name}: {obeys[name]:.0%} are what was asked for; energy distance to real digits {far[name]:.2f}")
bits = {name: model.log_prob(digits.test) for name, model in (("autoregressive", made), ("diffusion", painter))}
for name, lp in bits.items():
    print(f"{name}: {lp.bits_per_dim:.2f} bits/dim ({lp.kind.replace('_', ' ')})")
# four standard errors of 200 verdicts are 0.14 at most
assert obeys["guided, 32 calls"] > obeys["diffusion, 16 calls"] + 0.14
assert far["guided, 32 calls"] > far["diffusion, 16 calls"]  # guidance buys obedience with likeness to the data
explore(
    "model",
    {
        name: images(
            x[:40], columns=10, levels=17, says=f"digits 0 to 9; {obeys[name]:.0%} of 200 are what was asked for"
        )
        for name, x in drawn.items()
    },
    start="guided, 32 calls",
)

# %% [markdown]
# **What is optimised.** In both, a code length given the class: exact for one, a reweighted bound for the other. Nearly all of it is spent on
# pixels and hardly any on the class, which is why guidance (7.5) is needed to make samples obey, and why it leaves the model that was fitted.
# Above, the autoregressive model has the shorter code and the diffusion model the samples that are nearer to real digits: what is said in
# 10.1 of likelihood and samples holds between families too.
#
# **Common mistake.** Judging by the beauty of samples alone: whether they are what was asked for, and whether they vary, are two other
# numbers. Or comparing models at equal steps in place of equal calls.
#
# **Why today.** Text-to-image and video models put a text in place of the class and a latent code in place of pixels; most are diffusion or
# flow-matching transformers in a latent space. Autoregressive ones return where one network shall read and write text and pictures alike,
# and next-scale prediction has brought them level on common benchmarks. Neither family has won for good.

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
vae = pf.fit("vae", blind, steps=100, seed=0, preset="smoke", settings=tiny)
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
# **Idea.** A model that replays its training data leaks what it was trained on and wins every measure of quality; since training and held-out
# examples are exchangeable for an honest model, its samples may not lie nearer to the first. What must not come out can be filtered from
# the training data or from the output, by a classifier that errs both ways, and what did come out can be marked.
#
# $$z = \frac{r - r_0}{\sqrt{\bar r (1 - \bar r) (1/n + 1/h)}}, \qquad r = \text{share of samples found in train}, \quad r_0 = \text{the same of held-out examples}$$
#
# **By hand.** Of 100 samples 30 occur in train, of 100 held-out examples 2 do: $\bar r = 0.16$, the standard error is
# $\sqrt{0.16 \cdot 0.84 \cdot 0.02} = 0.0518$, and $z = 0.28 / 0.0518 = 5.4$. An honest model has more than 3 once in 740 runs.
#
# A filter finds 95 % of harmful outputs and refuses 2 % of harmless ones. If 1 output in 1000 is harmful, 0.05 in 1000 still get through,
# and of what it refuses only $0.95 / (0.95 + 19.98) = 4.5\,\%$ is harmful: at low rates a filter mostly refuses the innocent.

# %%
caught, refused = 1 * 0.95, 999 * 0.02  # of 1000 outputs
assert math.isclose(caught / (caught + refused), 0.045, abs_tol=5e-4)
assert math.isclose(1 - caught, 0.05, abs_tol=1e-9)
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

# %%
# Filtering. Let the digit four be what must not come out. A classifier that has seen 200 labelled examples scores how likely each is a four.
# First use: take fours out of the training data, and see what remains and what is lost
some = as_rows(train)[:200]
judge = torch.nn.Linear(64, 1).double()
optimiser = torch.optim.Adam(judge.parameters(), lr=0.05)
middle, width = some.mean(0), some.std(0) + 1
see = lambda x: torch.as_tensor((as_rows(x) - middle) / width).double()  # noqa: E731
torch.nn.init.zeros_(judge.weight)
for _ in range(200):
    loss = torch.nn.functional.binary_cross_entropy_with_logits(
        judge(see(train[:200])).squeeze(1), torch.as_tensor(classes[:200] == 4).double()
    )
    optimiser.zero_grad()
    (loss + 1e-3 * judge.weight.square().sum()).backward()
    optimiser.step()
with torch.no_grad():
    doubt = judge(see(train[200:])).squeeze(1).numpy()
four = classes[200:] == 4
cuts = np.quantile(doubt, np.linspace(0.5, 0.995, 60))
through = np.array([(doubt[four] <= cut).mean() for cut in cuts])  # fours that stay
lost = np.array([(doubt[~four] > cut).mean() for cut in cuts])  # others that go
loose, strict = int(np.argmin(np.abs(lost - 0.01))), int(np.argmin(np.abs(lost - 0.2)))
for i in (loose, strict):
    print(f"a cut that loses {lost[i]:.1%} of the other digits leaves {through[i]:.1%} of the fours in the data")
assert (np.diff(through) >= 0).all()
assert (np.diff(lost) <= 0).all()  # less of one fault is more of the other
assert through[loose] > through[strict]

# Second use: refuse outputs that are nearer to a training example than all but 1 % of held-out digits are: a filter against memorisation
flat = torch.as_tensor(as_rows(train)).double()
nearest = lambda x: torch.cdist(torch.as_tensor(as_rows(x)).double(), flat).min(1).values  # noqa: E731
limit = nearest(test).quantile(0.01)
shifted = np.roll(copies, 1, axis=3)  # the same pictures, one pixel to the right: nobody would call them new
refusals = {
    name: float((nearest(x) <= limit).double().mean())
    for name, x in (("copies", copies), ("copies moved by a pixel", shifted), ("model", honest))
}
print("refused:", {name: f"{share:.0%}" for name, share in refusals.items()})
assert refusals["copies"] == 1.0
assert refusals["copies moved by a pixel"] < 0.1  # what the filter does not measure passes
show(
    curve(
        lost,
        {"fours left": through},
        "share of other digits lost (upwards: share of fours left)",
        "a filter of training data trades one fault for the other",
    ),
    images(
        np.concatenate([copies[:8], shifted[:8]]),
        levels=17,
        says="copies, all refused; moved by one pixel, nearly all pass",
    ),
)

# %% [markdown]
# **What is optimised.** Likelihood on the training set is highest for a model that knows it by heart. Early stopping, removing
# repeated examples and differential privacy work against it; only the last comes with a guarantee. A filter has a loss of its own, and its
# cut is no result of training: it is a decision on what a miss and a false refusal cost, and for whom.
#
# **Common mistake.** To convict by nearness to train alone, which blur and collapse raise as well, or to acquit because a check did not
# trip: it says what this many samples could show. Of filters: to report how much they catch without how much they refuse, or to trust one
# that compares word by word or pixel by pixel. Filtering training data also takes away what a model would need to recognise harm, and
# falls hardest on whoever is written about in the words that the classifier distrusts.
#
# **Why today.** Verbatim training text and images have been drawn out of large models, and it is argued in court. Deployed systems filter at
# all three places: what is collected (with deduplication), what is asked, what is answered. Provenance works from the other side: signed
# metadata and watermarks say what is synthetic, and European law asks for such marks; metadata are easily removed, marks less easily, and
# neither says that anything unmarked is genuine.
