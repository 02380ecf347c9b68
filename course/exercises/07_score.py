# %% [markdown]
# ## 7. The score view
#
# The score of a density is the gradient of its logarithm with respect to the data. Rows are examples, logarithms are natural.

# %% [markdown]
# ### 7.1 A Langevin step
#
# One unadjusted step of size $h$ whose drift is the *whole* step along the score, $h\, \nabla\log p(x)$. The noise has the variance $2h$
# that goes with it. (Papers and the library that drift by half a step, $\tfrac{\epsilon}{2} \nabla\log p(x)$, have $\epsilon = 2h$.)


# %% exercise="score.langevin"
def langevin_step(x, score, step, noise):
    """x, score (its values at x), noise (standard normal): (n, d); step: a tensor of shape (). Returns (n, d)."""
    # BEGIN SOLUTION
    drift = step * score
    return x + drift + (2 * step).sqrt() * noise
    # END SOLUTION


# %% [markdown]
# ### 7.2 Classifier-free guidance (harder)
#
# Combine the predictions with and without the condition. Here weight $1$ is the conditional prediction, $0$ the unconditional one, and
# larger weights go beyond the condition. Papers differ: some call $w$ what is $w + 1$ here.


# %% exercise="score.guidance"
def guided(conditional, unconditional, weight):
    """conditional, unconditional: (n, d); weight: a tensor of shape (). Returns (n, d)."""
    # BEGIN SOLUTION
    direction = conditional - unconditional
    return unconditional + weight * direction
    # END SOLUTION


# %% [markdown]
# ### 7.3 The likelihood of a probability flow (harder)
#
# An ordinary differential equation $dx/dt = v(x, t)$ carries data to standard normal noise. Its log-density is that of the noise it ends
# at plus the integral of the divergence along the way:
#
# $$\log p(x_{t_0}) = \log \mathcal N(x_{t_K}; 0, I) + \int_{t_0}^{t_K} \nabla \cdot v(x_t, t)\, dt$$
#
# Use the Euler method for both: each interval $[t_k, t_{k+1}]$ is one step with the velocity and the divergence at its beginning, at the
# point $x$ reached by then. The times increase and need not be evenly spaced.


# %% exercise="score.ode_likelihood"
def ode_log_prob(x, velocity, divergence, times):
    """x: (n, d), data; velocity(x, t): (n, d); divergence(x, t): (n,), summed over dimensions; times: (K + 1,), increasing.

    Returns (n,), in nats.
    """
    # BEGIN SOLUTION
    change = 0.0
    for start, step in zip(times[:-1], times.diff()):
        change = change + step * divergence(x, start)
        x = x + step * velocity(x, start)
    base = (-0.5 * x**2 - 0.5 * math.log(2 * math.pi)).sum(1)
    return base + change
    # END SOLUTION
