# %% [markdown]
# ## 3. Variational autoencoders
#
# Every `log_scale` is the logarithm of a standard deviation. Rows are examples; a loss is a mean over rows, a density is not.

# %% [markdown]
# ### 3.1 The divergence of a Gaussian to the standard normal
#
# The encoder answers with a Gaussian for each example, and its code must not cost too much. Write
# $\mathrm{KL}\big(\mathcal N(\mu, \operatorname{diag}\sigma^2)\,\|\,\mathcal N(0, I)\big)$ in nats, one number for each row.

# %% exercise="vae.kl"
def kl_to_standard_normal(mean, log_scale):
    """mean, log_scale: (n, d). Returns (n,), in nats. Gradients must reach mean and log_scale."""
    # BEGIN SOLUTION
    variance = (2 * log_scale).exp()
    return (0.5 * (mean**2 + variance - 1) - log_scale).sum(1)
    # END SOLUTION


# %% [markdown]
# ### 3.2 The reparameterisation trick
#
# A draw from $\mathcal N(\mu, \sigma^2)$ that gradients can flow through: the randomness comes in from outside.


# %% exercise="vae.reparameterise"
def reparameterise(mean, log_scale, noise):
    """All of one shape; noise is standard normal. Returns a draw of that shape. Gradients must reach mean and log_scale."""
    # BEGIN SOLUTION
    scale = log_scale.exp()
    return mean + scale * noise
    # END SOLUTION


# %% [markdown]
# ### 3.3 The evidence lower bound (harder)
#
# Put both together for a Gaussian decoder: $\log p(x\mid z) - \mathrm{KL}(q(z\mid x)\,\|\,p(z)) \le \log p(x)$, with one draw of $z$.
# What passes here can train the library's own model: `train_with("vae.elbo", elbo)`.


# %% exercise="vae.elbo"
def elbo(x, mean, log_scale, decoded_mean, decoded_log_scale):
    """x, decoded_*: (n, d); mean, log_scale of q(z|x): (n, k). Returns (n,), in nats.

    Gradients must reach mean, log_scale and both decoded_*.
    """
    # BEGIN SOLUTION
    distance = (x - decoded_mean) / decoded_log_scale.exp()
    fit = (-0.5 * distance**2 - decoded_log_scale - 0.5 * math.log(2 * math.pi)).sum(1)
    kl = (0.5 * (mean**2 + (2 * log_scale).exp() - 1) - log_scale).sum(1)
    return fit - kl
    # END SOLUTION


# %% [markdown]
# ### 3.4 The importance-weighted bound (harder)
#
# With $K$ draws the bound is $\log \frac1K \sum_k w_k$, $\log w_k = \log p(x, z_k) - \log q(z_k\mid x)$. The log-weights of real images
# are around $-1000$ nats.


# %% exercise="vae.iwae"
def iwae(log_weights):
    """log_weights: (K, n). Returns (n,), in nats. Gradients must reach log_weights."""
    # BEGIN SOLUTION
    largest = log_weights.amax(0)
    return (log_weights - largest).exp().mean(0).log() + largest
    # END SOLUTION
