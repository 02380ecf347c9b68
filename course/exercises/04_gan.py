# %% [markdown]
# ## 4. Generative adversarial networks
#
# A discriminator's *logit* is a number before the sigmoid: positive means "looks real". A loss is what its own player minimises.

# %% [markdown]
# ### 4.1 The two losses
#
# With $D = \operatorname{sigmoid}(\text{logit})$, the discriminator minimises
# $-\tfrac1n \sum_i \log D(x_i) - \tfrac1m \sum_j \log\big(1 - D(\tilde x_j)\big)$ over $n$ real and $m$ generated examples, and the
# generator the non-saturating $-\tfrac1m \sum_j \log D(\tilde x_j)$. Natural logarithms. Logits may be as large as $\pm 1000$, and
# the losses must stay finite and exact there.


# %% exercise="gan.losses"
def gan_losses(real_logits, fake_logits):
    """real_logits: (n,), fake_logits: (m,). Returns (discriminator_loss, generator_loss), two scalars.

    Gradients must reach both.
    """
    # BEGIN SOLUTION
    softplus = torch.nn.functional.softplus  # log(1 + exp(x)), which is -log sigmoid(-x)
    discriminator = softplus(-real_logits).mean() + softplus(fake_logits).mean()
    generator = softplus(-fake_logits).mean()
    return discriminator, generator
    # END SOLUTION


# %% [markdown]
# ### 4.2 The R1 penalty (harder)
#
# What makes the game converge near its solution: the discriminator may not be steep at real examples. Write
# $\tfrac12\, \tfrac1n \sum_i \lVert \nabla_{x} D(x_i) \rVert^2$, the squared Euclidean norm of each row's gradient, averaged over
# rows; the weight $\gamma$ is left out. `discriminator` maps (n, d) to (n,), each row by itself. `x` comes without `requires_grad`. The
# penalty is part of a loss, so it must have a gradient to the discriminator's parameters.


# %% exercise="gan.r1"
def r1_penalty(discriminator, x):
    """discriminator: a function from (n, d) to (n,); x: (n, d). Returns a scalar."""
    # BEGIN SOLUTION
    x = x.detach().clone().requires_grad_(True)
    scores = discriminator(x)
    (gradient,) = torch.autograd.grad(scores.sum(), x, create_graph=True)
    return 0.5 * (gradient**2).sum(1).mean()
    # END SOLUTION
