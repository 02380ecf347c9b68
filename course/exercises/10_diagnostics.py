# %% [markdown]
# ## 10. Diagnostics
#
# A gallery of real, tiny runs waits in `pushforward.course.rogues`: some are healthy, and some were broken on purpose before they
# were trained. `gallery()` returns them all; `rogue("flow").record` is what one run says about itself.

# %% [markdown]
# ### 10.1 A checklist for runs
#
# Write a function from the record of a run to the set of suspicions against it: strings, and an empty set for a healthy run. A run may
# deserve several. A record is a dictionary; where a family has no such number, None stands in its place.
#
# | key | what it is |
# |---|---|
# | `family`, `data`, `training_examples`, `steps` | what was trained on what, on how many examples, for how long |
# | `finished` | False if the run broke off; then nothing below `history` was measured |
# | `updates_skipped` | updates whose loss or gradient was not finite |
# | `history` | list of dictionaries in order, at most twenty: `step`, `loss`, `held_out` (lower is better), and where the family records them `KL [nats]`, `D(real) - D(fake)`, `gradient norm, generator`; a key may be missing, and what was not finite is None |
# | `kind` | `"exact"`, `"lower_bound"`, or None for a family without a likelihood |
# | `train_nats`, `test_nats`, `gap_error` | mean log-likelihood of training and of test examples, and the standard error of their difference |
# | `mass` | integral of exp(log-likelihood) over the plane, by a sum over a grid |
# | `kl` | KL of a VAE in nats, mean over held-out examples |
# | `modes` | share of the modes of the data that samples visit, where modes are known |
# | `near_duplicates`, `near_duplicates_by_chance` | share of samples that are near duplicates of a training example, and the share for an honest model |
# | `nearest`, `nearest_held_out` | median distance of a sample, and of a held-out example, to its nearest training example |
# | `critic` | share of pairs of a real and a generated example that the critic of a GAN orders rightly |
# | `test_in_train` | share of test examples that occur among the training examples |
#
# | suspicion | when |
# |---|---|
# | `"posterior collapse"` | `kl` is below 0.1 |
# | `"mode collapse"` | `modes` is below 0.9 |
# | `"memorisation"` | `nearest` is at most half of `nearest_held_out` |
# | `"overfitting"` | training examples are likelier than test examples by more than 3 standard errors of the difference |
# | `"divergence"` | the run broke off, or a loss of its history is not finite or above ten times the first one (above 10, if the first one is below 1) |
# | `"dead discriminator"` | `critic` is above 0.95, or the last gradient norm of the generator is below a fiftieth of its largest |
# | `"wrong density"` | an exact density whose `mass` differs from 1 by more than 0.1 |
# | `"undertrained"` | from the last entry but two to the last, the held-out loss falls by more than a twentieth of its fall from its largest value to its last |
# | `"test leak"` | test examples are likelier than training examples by more than 3 standard errors, or `test_in_train` is above 0.01 |


# %% exercise="diagnostics.checklist"
def checklist(record):
    """record: dict, as above. Returns a set of suspicions."""
    # BEGIN SOLUTION
    history, found = record["history"], set()
    losses = [entry["loss"] for entry in history]
    held_out = [entry["held_out"] for entry in history if entry.get("held_out") is not None]
    gradients = [entry["gradient norm, generator"] for entry in history if "gradient norm, generator" in entry]
    limit = 10 * max(losses[0], 1)
    if not record["finished"] or any(loss is None or loss > limit for loss in losses):
        found.add("divergence")
    if record["kl"] is not None and record["kl"] < 0.1:
        found.add("posterior collapse")
    if record["modes"] is not None and record["modes"] < 0.9:
        found.add("mode collapse")
    if record["nearest"] is not None and record["nearest"] <= record["nearest_held_out"] / 2:
        found.add("memorisation")
    if record["kind"] is not None:
        gap = (record["train_nats"] - record["test_nats"]) / record["gap_error"]
        if gap > 3:
            found.add("overfitting")
        if gap < -3:
            found.add("test leak")
    if record["test_in_train"] is not None and record["test_in_train"] > 0.01:
        found.add("test leak")
    wins = record["critic"] is not None and record["critic"] > 0.95
    gives_up = len(gradients) > 0 and gradients[-1] < max(gradients) / 50
    if wins or gives_up:
        found.add("dead discriminator")
    if record["kind"] == "exact" and abs(record["mass"] - 1) > 0.1:
        found.add("wrong density")
    if len(held_out) > 2 and held_out[-3] - held_out[-1] > 0.05 * (max(held_out) - held_out[-1]):
        found.add("undertrained")
    return found
    # END SOLUTION


# %% [markdown]
# ### 10.2 Posterior collapse by dimension (harder)
#
# The encoder answers with $\mathcal N(\mu, \operatorname{diag}\sigma^2)$ for each of $n$ examples; `log_scale` is $\log\sigma$. For every
# latent dimension return two things: $\mathrm{KL}(q(z_j\mid x)\,\|\,\mathcal N(0, 1))$ in nats, averaged over examples, and whether the
# dimension is *active*: the variance over examples of its posterior mean, divided by $n$ and not by $n - 1$, is above 0.01.


# %% exercise="diagnostics.collapse"
def active_units(mean, log_scale):
    """mean, log_scale: (n, k). Returns the KL (k,), in nats, and active (k,), booleans."""
    # BEGIN SOLUTION
    variance = (2 * log_scale).exp()
    kl = (0.5 * (mean**2 + variance - 1) - log_scale).mean(0)
    spread = (mean - mean.mean(0)).square().mean(0)
    return kl, spread > 0.01
    # END SOLUTION
