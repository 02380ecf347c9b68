# %% [markdown]
# ## 8. Evaluation
#
# Three numbers that compare a sample with data. Rows are examples, columns are features; every answer is a single number, a tensor of no
# axes or a Python float.

# %% [markdown]
# ### 8.1 The Fréchet distance of two Gaussians
#
# The FID fits a Gaussian to the features of either side and compares the two. With covariances that are diagonal the comparison is simple:
# return the *squared* distance, $\lVert\mu_a - \mu_b\rVert^2 + \sum_j \big(\sigma_{a,j} - \sigma_{b,j}\big)^2$, summed over features. The
# arguments hold variances $\sigma^2$.


# %% exercise="evaluation.frechet"
def frechet_distance(mean_a, variance_a, mean_b, variance_b):
    """All of shape (d,); variances are positive. Returns the squared distance, a single number."""
    # BEGIN SOLUTION
    means = (mean_a - mean_b) ** 2
    spreads = (variance_a.sqrt() - variance_b.sqrt()) ** 2
    return (means + spreads).sum()
    # END SOLUTION


# %% [markdown]
# ### 8.2 The kernel distance (harder)
#
# A plug-in Fréchet distance of finite samples is too large on average. The *unbiased* squared maximum mean discrepancy is not: with
# $k(a, b) = (a \cdot b / d + 1)^3$ it is the mean of $k$ over pairs of different rows of $x$, plus that over pairs of different rows of
# $y$, minus twice the mean over all pairs of a row of $x$ and a row of $y$. No row is paired with itself. It may be negative; do not take
# a root.


# %% exercise="evaluation.kid"
def kernel_distance(x, y):
    """x: (n, d), y: (m, d), with n and m at least 2. Returns the unbiased squared distance, a single number."""
    # BEGIN SOLUTION
    n, m, d = len(x), len(y), x.shape[1]
    within_x = (x @ x.T / d + 1) ** 3
    within_y = (y @ y.T / d + 1) ** 3
    between = (x @ y.T / d + 1) ** 3
    mean_x = (within_x.sum() - within_x.diagonal().sum()) / (n * (n - 1))
    mean_y = (within_y.sum() - within_y.diagonal().sum()) / (m * (m - 1))
    return mean_x + mean_y - 2 * between.mean()
    # END SOLUTION


# %% [markdown]
# ### 8.3 Coverage (harder)
#
# How much of the data does a generator reach? Around every real point lies a ball whose radius is the Euclidean distance to its $k$-th
# nearest *other* real point. Return the share of real points whose ball contains at least one generated point, the boundary included
# (Naeem et al. 2020). No gradient is needed: the share is a count.


# %% exercise="evaluation.coverage"
def coverage(real, generated, k):
    """real: (n, d), generated: (m, d); k: a whole number, 1 to n - 1. Returns a share in [0, 1], float64."""
    # BEGIN SOLUTION
    among_real = torch.cdist(real, real)
    radius = among_real.sort(1).values[:, k]  # place 0 is the point itself
    to_generated = torch.cdist(real, generated)
    covered = (to_generated <= radius[:, None]).any(1)
    return covered.double().mean()
    # END SOLUTION
