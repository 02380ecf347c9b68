# %% [markdown]
# ## 2. Autoregressive models
#
# Position $t$ runs along axis 1. Logarithms are natural.

# %% [markdown]
# ### 2.1 The log-likelihood of a sequence
#
# A network has looked at the true tokens before each position and answered with `logits[:, t]`, which predicts `tokens[:, t]`: the two are
# aligned, nothing is to be shifted. Return $\log p(x_1, \dots, x_T) = \sum_t \log p(x_t \mid x_{<t})$ of each sequence, in nats.


# %% exercise="ar.log_likelihood"
def log_likelihood(logits, tokens):
    """logits: (n, T, k), any real numbers; tokens: (n, T), integers from 0 to k - 1. Returns (n,), in nats.

    Gradients must reach logits.
    """
    # BEGIN SOLUTION
    log_p = logits.log_softmax(2)
    terms = log_p.gather(2, tokens.unsqueeze(2)).squeeze(2)
    return terms.sum(1)
    # END SOLUTION


# %% [markdown]
# ### 2.2 One step with a cache (harder)
#
# Attention with a single head while sampling. The cache holds the keys and values of the $T$ earlier positions; a new position brings its
# query, key and value. Append the new key and value to the cache as its last row, then let the query look at all $T + 1$ positions, its own
# included: softmax of the inner products divided by $\sqrt d$, and the mean of the values under these weights. $T$ may be $0$.


# %% exercise="ar.kv_cache"
def attend_step(query, keys, values, new_key, new_value):
    """query, new_key, new_value: (n, d); keys, values: (n, T, d). Returns output (n, d), keys and values (n, T + 1, d)."""
    # BEGIN SOLUTION
    keys = torch.cat([keys, new_key.unsqueeze(1)], 1)
    values = torch.cat([values, new_value.unsqueeze(1)], 1)
    scores = (keys * query.unsqueeze(1)).sum(2) / math.sqrt(query.shape[1])
    weights = scores.softmax(1)
    output = (weights.unsqueeze(2) * values).sum(1)
    return output, keys, values
    # END SOLUTION
