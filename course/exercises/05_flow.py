# %% [markdown]
# ## 5. Normalizing flows
#
# Every `log_scale` is the logarithm of a factor, and log-densities are in nats. Rows are examples.

# %% [markdown]
# ### 5.1 Change of variables
#
# The smallest flow there is: one number $x$ becomes $z = (x - \mathrm{shift}) \cdot e^{-\mathrm{log\_scale}}$, and $z$ is standard normal.
# Write $\log p(x)$, one number for each entry of x.


# %% exercise="flow.log_prob"
def flow_log_prob(x, shift, log_scale):
    """x: (n,); shift, log_scale: scalars (0-d tensors). Returns (n,), in nats. Gradients must reach shift and log_scale."""
    # BEGIN SOLUTION
    z = (x - shift) * torch.exp(-log_scale)
    base = -0.5 * z**2 - 0.5 * math.log(2 * math.pi)
    return base - log_scale
    # END SOLUTION


# %% [markdown]
# ### 5.2 An affine coupling (harder)
#
# The layer of RealNVP. The first `d // 2` columns of x are kept as they are, and the others are changed:
# $y_{\text{changed}} = x_{\text{changed}} \odot e^{\mathrm{log\_scale}} + \mathrm{shift}$, where
# `shift, log_scale = network(kept)`, each of shape `(n, d - d // 2)`. Return y, its columns in the order of x, and
# $\log\lvert\det \partial y / \partial x\rvert$ for each row. For `d = 1` nothing is kept and `kept` is `(n, 0)`.


# %% exercise="flow.coupling"
def coupling(x, network):
    """x: (n, d); network: from (n, d // 2) to (shift, log_scale). Returns (y, log_det): (n, d) and (n,).

    Gradients must reach x.
    """
    # BEGIN SOLUTION
    half = x.shape[1] // 2
    kept, changed = x[:, :half], x[:, half:]
    shift, log_scale = network(kept)
    y = torch.cat([kept, changed * log_scale.exp() + shift], dim=1)
    return y, log_scale.sum(1)
    # END SOLUTION
