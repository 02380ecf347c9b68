# %% [markdown]
# # Generative models: exercises
#
# Write the functions; `check` says whether they are right and, if not, which mistake it is. It needs no network, takes a second, and
# works in a script too (`pushforward course check FILE`). Hints are folded below each exercise: 1 is a nudge, 3 nearly gives it away.
#
# Ten exercises are the alphabet, and those marked *harder* are the grammar. The theory is in `theory.ipynb`; solutions are in
# `solutions.ipynb`, generated from the same source as this notebook. Arguments are tensors of float64.

# %%
import math

import torch

from pushforward.course import check, hint, train_with
