# %% [markdown]
# ## 1. The goal
#
# Both exercises are *harder*: they are short, and easy to get almost right. Logarithms are natural, classes are counted from zero.

# %% [markdown]
# ### 1.1 Drawing a class (harder)
#
# Row $i$ of `probabilities` is a distribution over $k$ classes that sums to one, and $u_i$ is a uniform number in $(0, 1)$. Lay the classes
# $0, 1, \dots, k-1$ side by side on the unit interval, in this order, and return the class in which $u_i$ falls. The result lies in
# $0, \dots, k-1$ also where rounding leaves the sum of a row a little below one.


# %% exercise="goal.categorical"
def sample_categorical(probabilities, uniforms):
    """probabilities: (n, k), rows sum to one; uniforms: (n,), in (0, 1). Returns (n,), classes as integers."""
    # BEGIN SOLUTION
    upto = probabilities.cumsum(1)[:, :-1]
    passed = uniforms.unsqueeze(1) >= upto
    return passed.sum(1)
    # END SOLUTION


# %% [markdown]
# ### 1.2 Bits per dimension (harder)
#
# A picture has $D$ pixels (`dimensions`), each an integer among $0, \dots, L - 1$ (`levels`). Uniform noise on $[0, 1)$ was added to every
# pixel and the sum divided by $L$, so that the picture lies in $[0, 1]^D$; a model then gave it the log-density `nats`, with natural
# logarithms, relative to those rescaled pixels. Return the code length of the *pixels in units of one level* in bits per dimension: lower
# is better, and a uniform density costs $\log_2 L$.


# %% exercise="goal.bits_per_dim"
def bits_per_dim(nats, dimensions, levels):
    """nats: (n,), log-densities of whole pictures; dimensions, levels: integers. Returns (n,), in bits per dimension."""
    # BEGIN SOLUTION
    each = nats / dimensions
    of_pixels = each - math.log(levels)
    return -of_pixels / math.log(2)
    # END SOLUTION
