# %% [markdown]
# # Generative models: theory
#
# Five families of generative models are one idea: push simple noise forward into data. They differ in what that makes easy, so the same
# two questions are asked of each. **What is optimised?** That decides what to measure, what to look at and what may go wrong. **What kind
# of number is this?** An exact likelihood, a bound, an estimate, or none at all.
#
# You need probability, the KL divergence, neural networks and the basics of Gaussians. Every topic has the idea in two sentences, an
# equation, numbers small enough to check by hand, code on the library `pushforward`, a picture, and the mistake that people make. The
# exercises are in `exercises.ipynb`. Logarithms are natural and likelihoods in nats unless a unit says otherwise.

# %%
import math

import numpy as np
import torch

import pushforward as pf
from pushforward.course.pictures import cloud, curve, explore, images, marks, show

torch.set_num_threads(1)  # small networks are faster on one
