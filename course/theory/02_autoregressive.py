# %% [markdown]
# ## 2. Autoregressive models
#
# An autoregressive model puts the parts of an example in an order and predicts each from those before it. Its likelihood is *exact*, and it
# pays for that when it samples. One small model of labelled 8 by 8 digits, pixel by pixel in raster order, serves the whole section.
#
# **After this section you can**
#
# - write the objective, the log-likelihood of a sequence, as a sum of conditionals, and say why it is *exact*;
# - train all positions in one pass with a mask, and sample them one by one;
# - say what temperature and filters do to the distribution that was scored;
# - count what a cache saves.

# %%
digits = pf.load("digits")
masked = {"architecture": "made", "width": 128, "depth": 1, "components": 4, "dropout": 0.1}
quick = {"learning_rate": 4e-3, "ema": 0.98}
writer = pf.fit(
    "autoregressive", digits, steps=300, seed=0, settings={"model": masked, "train": {"batch_size": 32, **quick}}
)

# %% [markdown] topic="autoregressive.chain" exercise="ar.log_likelihood" uses="pushforward.core.model:GenerativeModel.terms" test="tests/families/test_tokens.py::test_a_text_is_as_probable_in_two_parts_as_whole"
# ### 2.1 The chain rule
#
# **Idea.** Any joint distribution is a product of conditionals, one for each part given the parts before it. Nothing is assumed: the order is
# free, and the model is only as limited as the network that writes the conditionals.
#
# $$\log p(x_1, \dots, x_T) = \sum_{t=1}^T \log p(x_t \mid x_1, \dots, x_{t-1})$$
#
# **By hand.** Two tokens, $0$ or $1$, with $p(x_1{=}1) = 0.6$, $p(x_2{=}1 \mid x_1{=}1) = 0.3$ and $p(x_2{=}1 \mid x_1{=}0) = 0.2$. Then
# $\log p(1, 0) = \log 0.6 + \log 0.7 = -0.511 - 0.357 = -0.868$, and $p(1, 0) = 0.42$.

# %%
first, second = [0.4, 0.6], [[0.8, 0.2], [0.7, 0.3]]  # p(x1), and p(x2 | x1) in the row of x1
chain = math.log(first[1]) + math.log(second[1][0])
assert math.isclose(math.log(first[1]), -0.511, abs_tol=5e-4)
assert math.isclose(math.log(second[1][0]), -0.357, abs_tol=5e-4)
assert math.isclose(chain, -0.868, abs_tol=5e-4)
assert math.isclose(math.exp(chain), 0.42, rel_tol=1e-9)

# %%
# the terms of every pixel of every held-out digit; their sum is the log-probability
terms = writer.model.terms(digits.test)
assert terms.shape == (len(digits.test), 64)
assert torch.allclose(terms.sum(1), writer.log_prob(digits.test).nats, atol=1e-3)
bits = -terms.mean(0) / math.log(2)
assert (
    bits.reshape(8, 8)[:, 0].mean() < 0.5 < bits.reshape(8, 8)[:, 2:6].mean()
)  # the left margin is nearly always blank
mean_digit = digits.test.x.double().mean(0)
surprise = 16 * bits.reshape(1, 8, 8) / bits.max()
show(
    images(
        torch.stack([mean_digit, surprise.double()]),
        columns=2,
        levels=17,
        says="the mean digit, and the bits of each pixel",
    ),
    curve(range(1, 65), {"bits": bits}, "pixel in raster order", "code length of each pixel given those before it"),
    says="what each pixel costs, given those before it",
)

# %% [markdown]
# **What is optimised.** The exact log-likelihood: it is a sum over positions, so every position is a classification task of its own.
#
# **Common mistake.** Adding up logits. A conditional must be normalised over the values that $x_t$ may take, at every position, before it
# counts.
#
# **Why today.** Language models are this with $x_t$ a token: perplexity is the exponential of minus the mean of these terms.

# %% [markdown] topic="autoregressive.teacher" exercise="ar.log_likelihood" uses="pushforward.families.autoregressive.made:MaskedPixels" test="tests/families/test_pixel_architectures.py::test_terms_of_a_place_are_blind_to_later_values"
# ### 2.2 Teacher forcing
#
# **Idea.** While training, every position is predicted from the *true* parts before it, never from the model's own guesses. A mask keeps each
# position from seeing itself and what follows, so that one pass of the network gives all the conditionals of an example.
#
# $$L(\theta) = -\frac1T \sum_{t=1}^T \log p_\theta\big(x_t^{\text{true}} \mid x_{<t}^{\text{true}}\big)$$
#
# **By hand.** The chain of 2.1 on the true pair $(1, 0)$ has the loss $0.868 / 2 = 0.434$ nats a token. While sampling, nobody corrects: if
# each token went wrong with probability $0.01$, independently, $100$ tokens would hold no error with probability $0.99^{100} = 0.366$.

# %%
assert math.isclose(-chain / 2, 0.434, abs_tol=5e-4)
assert math.isclose(0.99**100, 0.366, abs_tol=5e-4)

# %%
# change one pixel at a time and see which terms notice: it and later ones, but none before it
from pushforward.core.given import Examples

one = digits.test[:1]
changed = one.x.repeat(64, 1, 1, 1).reshape(64, 64)
changed[torch.arange(64), torch.arange(64)] = (changed[torch.arange(64), torch.arange(64)] + 8) % 17
changed = Examples(changed.reshape(64, 1, 8, 8), one.given[torch.zeros(64, dtype=torch.long)])
notices = (writer.model.terms(changed) - writer.model.terms(one)).abs() > 1e-4
assert not bool(notices.tril(-1).any())  # row: the pixel that changed; column: the term
assert int(notices.triu(1).sum()) > 500
show(
    images(
        notices.reshape(1, 1, 64, 64).long(), columns=1, levels=2, says="which terms (across) notice which pixel (down)"
    ),
    says="white where a term notices a changed pixel: nothing below the diagonal",
)

# %% [markdown]
# **What is optimised.** The mean over examples and positions of $-\log p_\theta$, computed for all positions in parallel.
#
# **Common mistake.** An input that is not shifted. If the network may look at $x_t$ while it predicts $x_t$, the loss falls towards zero and
# samples are noise.
#
# **Why today.** A causal mask and this loss are how transformers are pretrained: a batch of a million tokens is a million predictions in one
# pass. The price is a mismatch: while sampling, the model reads its own output, which it never saw in training, and errors may pile up.

# %% [markdown] topic="autoregressive.sampling" exercise="goal.categorical" uses="pushforward.families.autoregressive.heads:HeadWalk" test="tests/families/test_pixel_architectures.py::test_ancestral_samples_have_the_scored_probabilities"
# ### 2.3 The sampling loop
#
# **Idea.** Draw the first part, feed it back, draw the second given the first, and so on to the end. If nothing but these draws decides, the
# result has exactly the probability that 2.1 gives it.
#
# $$x_t \sim p_\theta(\,\cdot \mid x_1, \dots, x_{t-1}), \qquad t = 1, \dots, T$$
#
# **By hand.** The chain of 2.1 with uniform numbers $u = (0.3, 0.9)$, class $0$ laid out first: $0.3 < 0.4$ gives $x_1 = 0$, then
# $0.9 \ge 0.8$ gives $x_2 = 1$. The pair $(0, 1)$ had the probability $0.4 \cdot 0.2 = 0.08$.

# %%
u = (0.3, 0.9)
x1 = int(u[0] >= first[0])
x2 = int(u[1] >= second[x1][0])
assert (x1, x2) == (0, 1)
assert math.isclose(first[x1] * second[x1][x2], 0.08, rel_tol=1e-9)

# %%
from pushforward.core.walk import trajectory

walk = writer.model.walk(16, given=torch.arange(16) % 10, seed=0)
assert walk.length == 64  # one pass of the network for each pixel
views = [writer.model.codec.decode(view) for view in trajectory(walk, 5)]
assert torch.equal(views[-1], writer.sample(16, given=torch.arange(16) % 10, seed=0))
assert torch.equal(views[2].flatten(1)[:, :32], views[-1].flatten(1)[:, :32])  # what is drawn is never revised
explore(
    "pixels drawn",
    {16 * i: images(view, columns=8, levels=17, says=f"after {16 * i} of 64 pixels") for i, view in enumerate(views)},
    start=48,
)

# %% [markdown]
# **What is optimised.** Nothing. Temperature, top-$k$ and top-$p$ change the distribution on purpose, and then the samples no longer have
# the probabilities that were scored.
#
# **Common mistake.** To take the most probable value at every step. That finds one example and not even the most probable one, because a
# good start may have poor continuations.
#
# **Why today.** This loop is text generation; the tokens appear one by one because each needs the one before it. Speculative decoding lets
# a small model propose several tokens and the large one accept or reject them, without changing the distribution.

# %% [markdown] topic="autoregressive.exact" exercise="ar.log_likelihood" uses="pushforward.core.model:GenerativeModel.log_prob" test="tests/families/test_pixel_architectures.py::test_all_images_sum_to_one"
# ### 2.4 Exact likelihood
#
# **Idea.** Each conditional sums to one, hence so does the product over all sequences of length $T$, whatever the weights are. On a space
# that is small enough this can be checked by listing everything.
#
# $$\sum_{x_1, \dots, x_T} \prod_{t=1}^T p_\theta(x_t \mid x_{<t}) = 1$$
#
# **By hand.** The chain of 2.1 has four pairs: $p(0,0) = 0.32$, $p(0,1) = 0.08$, $p(1,0) = 0.42$ and $p(1,1) = 0.18$. They add up to one.

# %%
pairs = {(a, b): first[a] * second[a][b] for a in (0, 1) for b in (0, 1)}
assert all(math.isclose(pairs[pair], p) for pair, p in {(0, 0): 0.32, (0, 1): 0.08, (1, 0): 0.42, (1, 1): 0.18}.items())
assert math.isclose(sum(pairs.values()), 1.0)

# %%
# digits in two rows of four pixels, black or white: there are only 256 such pictures, and all of them can be scored
coarse = digits.train.x.double().reshape(-1, 1, 2, 4, 4, 2).mean((3, 5)) > 7
little = pf.fit(
    "autoregressive:made",
    pf.load(coarse.byte().numpy()),
    steps=150,
    seed=0,
    settings={"model": {"width": 32, "depth": 1, "dropout": 0.0}, "train": {"batch_size": 64, **quick}},
)
every = torch.cartesian_prod(*[torch.arange(2)] * 8).byte().reshape(256, 1, 2, 4)
probability = little.log_prob(every).nats.double().exp()
print(f"256 probabilities add up to {probability.sum():.6f}")
assert abs(float(probability.sum()) - 1) < 1e-4
# what is scored is what is drawn: shares of 2000 samples against the scored probabilities
place = 2 ** torch.arange(7, -1, -1)
number = (little.sample(2000, seed=0).flatten(1).long() * place).sum(1)
share = torch.bincount(number, minlength=256) / 2000
order = probability.argsort(descending=True)[:32]
likely = probability[order]
assert bool(((share[order] - likely).abs() < 4.5 * (likely * (1 - likely) / 2000).sqrt()).all())  # standard errors
show(
    images(every[order], columns=8, levels=2, says="the 32 most probable pictures of 256"),
    curve(
        range(1, 33),
        {"scored": likely, "drawn": share[order]},
        "rank of the picture (upwards: probability)",
        "scored probability of a picture, and its share of 2000 samples",
    ),
    says="the most probable of 256 pictures, and how often each is drawn",
)

# %% [markdown]
# **What is optimised.** A true log-probability and no bound on it, so two such models on the same data can be ranked by it, as far as
# the interval of their difference allows.
#
# **Common mistake.** Calling the likelihood exact after the samples were filtered by top-$k$: what was scored is the model at temperature
# one, and what was shown is another distribution.
#
# **Why today.** Exact probabilities make a model a lossless compressor: with an arithmetic coder a whole message costs its log-loss and
# two bits at most, rounding apart. They are also what importance ratios in reinforcement learning of language models are made of.

# %% [markdown] topic="autoregressive.cost" exercise="ar.kv_cache" uses="pushforward.nets.transformer:Transformer.step" test="tests/families/test_autoregressive.py::test_cache_equals_no_cache_in_float64"
# ### 2.5 The cost of sampling
#
# **Idea.** Training looks at all $T$ positions in one parallel pass, and sampling needs $T$ passes that wait for each other. A transformer
# keeps the keys and values of earlier positions in a cache, so that a step handles one new position instead of all of them again.
#
# $$\text{positions handled while sampling: } \sum_{t=1}^T t = \frac{T(T+1)}{2} \ \text{ without a cache,} \qquad \sum_{t=1}^T 1 = T \ \text{ with one}$$
#
# **By hand.** For $T = 64$ that is $64 \cdot 65 / 2 = 2080$ positions against $64$, a factor of $32.5$. The cache holds $2 T d$ numbers a
# layer: with $d = 96$ and three layers that is $2 \cdot 64 \cdot 96 \cdot 3 = 36\,864$ numbers for each example.

# %%
T = 64
assert sum(range(1, T + 1)) == T * (T + 1) // 2 == 2080
assert 2080 / 64 == 32.5
assert 2 * T * 96 * 3 == 36864

# %%
# a transformer one position at a time, with its cache and without: the same numbers, at another price
from torch.utils.flop_counter import FlopCounterMode

from pushforward.nets.transformer import Transformer

net = Transformer(width=32, depth=2, heads=4, rotary=64).double()
h = torch.randn(4, 64, 32, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
lengths, spent = (4, 8, 16, 32, 64), {"no cache": [], "cache": [], "one pass": []}
with torch.no_grad():
    whole = net(h)
    for T in lengths:
        cache = net.cache(4, T)
        ways = {
            "no cache": lambda: torch.stack([net(h[:, : t + 1])[:, -1] for t in range(T)], 1),  # noqa: B023
            "cache": lambda: torch.cat([net.step(h[:, t : t + 1], cache, t) for t in range(T)], 1),  # noqa: B023
            "one pass": lambda: net(h[:, :T]),  # noqa: B023
        }
        for name, way in ways.items():
            with FlopCounterMode(display=False) as counted:  # additions and multiplications of matrix products
                found = way()
            spent[name].append(counted.get_total_flops())
            assert torch.allclose(found, whole[:, :T], atol=1e-9)
# without a cache a longer text costs out of proportion; with one, as much arithmetic as one pass, but in T steps that wait
assert spent["no cache"][-1] > 25 * spent["one pass"][-1]
assert spent["cache"][-1] < 1.3 * spent["one pass"][-1]
show(
    curve(
        lengths,
        spent,
        "positions T (upwards: operations)",
        "arithmetic operations for T positions of four examples",
        log_x=True,
        log_y=True,
    ),
    says="the arithmetic of T positions: one pass, steps with a cache, steps without",
)

# %% [markdown]
# **What is optimised.** Nothing but time: the cache changes no number, which a test holds to ten digits. With it, sampling costs the
# arithmetic of one training pass; what makes it slow is that its $T$ steps wait for each other, each too small to fill a processor.
#
# **Common mistake.** Counting the cache as free. It grows with the length and with every example of the batch, and reading it, not
# arithmetic, often limits the speed of generation.
#
# **Why today.** Serving a language model is largely the management of this cache: sharing keys and values between heads, storing them in
# fewer bits, and reusing them for a common prompt.
