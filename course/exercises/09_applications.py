# %% [markdown]
# ## 9. Applications and trade-offs
#
# What is drawn from a model is a choice too: the same probabilities make dull text or nonsense, and the filter in front of the draw
# decides.

# %% [markdown]
# ### 9.1 Nucleus sampling (harder)
#
# Given logits, turn each row into probabilities by a softmax and keep the *smallest* set of most probable tokens whose total probability
# reaches $p$: the token that crosses $p$ is kept, so at least one is. Return the probabilities of the kept tokens, renormalised to sum to
# one, with exact zeros for all others, every token at the place where it came in.


# %% exercise="applications.nucleus"
def nucleus(logits, p):
    """logits: (n, k); p: a single number in (0, 1]. Returns probabilities, (n, k)."""
    # BEGIN SOLUTION
    probabilities = logits.softmax(1)
    ranked, order = probabilities.sort(dim=1, descending=True)
    before = ranked.cumsum(1) - ranked
    kept = torch.zeros_like(probabilities, dtype=torch.bool).scatter(1, order, before < p)
    left = probabilities * kept
    return left / left.sum(1, keepdim=True)
    # END SOLUTION
