# %% [markdown]
# ## 6. Diffusion
#
# $\bar\alpha$ is the share of the variance that is still data: $1$ is clean, $0$ is nothing but noise. Rows are examples.

# %% [markdown]
# ### 6.1 Noising in one jump
#
# Any number of small noising steps is one jump to $\bar\alpha$. Write it for a batch in which every row has a noise level of its own, as in
# training. If the data have variance one, the result has variance one too.


# %% exercise="diffusion.noise"
def add_noise(x, noise, alpha_bar):
    """x, noise: (n, d), noise is standard normal; alpha_bar: (n,), one for each row. Returns (n, d)."""
    # BEGIN SOLUTION
    share = alpha_bar[:, None]
    return share.sqrt() * x + (1 - share).sqrt() * noise
    # END SOLUTION


# %% [markdown]
# ### 6.2 The simple loss
#
# The network looks at the noisy data and says which noise was added. Its loss is the mean squared error over all entries of the batch, rows
# and dimensions alike, without a factor $\tfrac12$ and without a weight.


# %% exercise="diffusion.loss"
def denoising_loss(predicted_noise, noise):
    """Both (n, d). Returns one number. Gradients must reach predicted_noise."""
    # BEGIN SOLUTION
    error = predicted_noise - noise
    return (error**2).mean()
    # END SOLUTION


# %% [markdown]
# ### 6.3 A step of DDIM (harder)
#
# From $\bar\alpha$ to the next, larger $\bar\alpha$: guess the clean data from the predicted noise, then put the same predicted noise back at
# the new level. The step is deterministic ($\eta = 0$), and all rows are at the same level.


# %% exercise="diffusion.ddim"
def ddim_step(x, predicted_noise, alpha_bar, next_alpha_bar):
    """x, predicted_noise: (n, d); alpha_bar < next_alpha_bar: tensors of shape (). Returns x at the next level, (n, d)."""
    # BEGIN SOLUTION
    clean = (x - (1 - alpha_bar).sqrt() * predicted_noise) / alpha_bar.sqrt()
    return next_alpha_bar.sqrt() * clean + (1 - next_alpha_bar).sqrt() * predicted_noise
    # END SOLUTION
