"""Exercises of section 2: the likelihood of a sequence, and a step of attention with a cache."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.distributions import Categorical

from pushforward.course.drawing import integers, normal
from pushforward.course.exercise import Answer, Exercise, Law, Slip
from pushforward.course.forms import choices, likelihoods
from pushforward.course.laws import equal, number
from pushforward.course.pictures import curve


def log_likelihood(logits: Tensor, tokens: Tensor) -> Tensor:
    """Return the sum of torch's categorical log-probabilities."""
    return Categorical(logits=logits).log_prob(tokens).sum(1)


def _terms(logits: Tensor, tokens: Tensor) -> Tensor:
    return logits.log_softmax(2).gather(2, tokens[:, :, None])[:, :, 0]


def _sequence_case(g: torch.Generator, i: int) -> tuple[Tensor, Tensor]:
    n, length, k = ((3, 4, 5), (5, 2, 3), (1, 6, 4), (4, 1, 7), (2, 3, 2), (6, 5, 6))[i % 6]
    return 2 * normal(g, n, length, k), integers(g, k, n, length)


def _likelihood_picture(answer: Answer) -> str:
    gap = torch.linspace(-6, 6, 61).double()
    rows: dict[str, Tensor] = {}
    for k in (2, 10, 100):
        logits = torch.cat([gap[:, None, None], torch.zeros(61, 1, k - 1).double()], 2)
        rows[f"{k} tokens"] = number(answer(logits, torch.zeros(61, 1, dtype=torch.long)))
    return curve(
        gap, rows, "logit of the true token, all others 0", "log-likelihood of one token, in nats"
    )


LIKELIHOOD = Exercise(
    name="ar.log_likelihood",
    title="The log-likelihood of a sequence",
    section=2,
    task="The log-probability (n,), in nats, of tokens (n, T): logits[:, t] of the unnormalised logits (n, T, k) predict "
    "tokens[:, t].",
    oracle=log_likelihood,
    returns=("log_likelihood",),
    gradients=("logits",),
    draw=_sequence_case,
    form=likelihoods.LIKELIHOOD,
    slips=(
        Slip("this is the loss, minus the log-likelihood", lambda x, t: -_terms(x, t).sum(1)),
        Slip(
            "you averaged over positions; the logarithm of a product is a sum",
            lambda x, t: _terms(x, t).mean(1),
        ),
        Slip(
            "this is the loss a token: minus, and averaged over positions",
            lambda x, t: -_terms(x, t).mean(1),
        ),
        Slip("one value for each position came back; sum over positions", _terms),
        Slip(
            "logits are not log-probabilities: they are not normalised over the k tokens",
            lambda x, t: x.gather(2, t[:, :, None])[:, :, 0].sum(1),
        ),
        Slip(
            "the softmax runs over positions and not over the k tokens: the wrong axis",
            lambda x, t: x.log_softmax(1).gather(2, t[:, :, None])[:, :, 0].sum(1),
        ),
        Slip(
            "the softmax runs over the batch and not over the k tokens: the wrong axis",
            lambda x, t: x.log_softmax(0).gather(2, t[:, :, None])[:, :, 0].sum(1),
        ),
        Slip(
            "normalised twice: log_softmax was given probabilities in place of logits",
            lambda x, t: x.softmax(2).log_softmax(2).gather(2, t[:, :, None])[:, :, 0].sum(1),
        ),
        Slip(
            "shifted by one: logits[:, t] were compared with tokens[:, t + 1], and they are aligned already",
            lambda x, t: _terms(x[:, :-1], t[:, 1:]).sum(1),
        ),
        Slip(
            "shifted by one: logits[:, t + 1] were compared with tokens[:, t], and they are aligned already",
            lambda x, t: _terms(x[:, 1:], t[:, :-1]).sum(1),
        ),
        Slip(
            "probabilities are added up; they multiply, and their logarithms add up",
            lambda x, t: _terms(x, t).exp().sum(1),
        ),
        Slip(
            "the logarithm stands outside the sum of probabilities",
            lambda x, t: _terms(x, t).exp().sum(1).log(),
        ),
        Slip(
            "this is the probability and not its logarithm: for a long sequence it underflows",
            lambda x, t: _terms(x, t).sum(1).exp(),
        ),
        Slip(
            "these are bits: the logarithm is to the base two",
            lambda x, t: _terms(x, t).sum(1) / math.log(2),
        ),
        Slip(
            "the most probable token was scored at each position, and not the token that is there",
            lambda x, t: x.log_softmax(2).amax(2).sum(1),
        ),
        Slip("only the last position is scored", lambda x, t: _terms(x, t)[:, -1]),
        Slip(
            "the first token is left out; it has a conditional too",
            lambda x, t: _terms(x, t)[:, 1:].sum(1),
        ),
        Slip("you summed over the batch: the wrong axis", lambda x, t: _terms(x, t).sum(0)),
        Slip(
            "you averaged over everything; keep one value for each sequence",
            lambda x, t: _terms(x, t).mean(),
        ),
        Slip(
            "this is the loss of training: minus, and averaged over everything",
            lambda x, t: -_terms(x, t).mean(),
        ),
        Slip(
            "you averaged over the batch; keep one value for each sequence",
            lambda x, t: _terms(x, t).sum(1).mean(),
        ),
    ),
    laws=(
        Law(
            "equal logits give -T log k",
            lambda f: equal(
                f(torch.zeros(1, 3, 5).double(), torch.tensor([[0, 4, 2]])), [-3 * math.log(5)]
            ),
        ),
        Law(
            "a number added to all logits of a position changes nothing",
            lambda f: equal(
                f(_LOGITS, _PAIRS), f(_LOGITS + torch.tensor([[[3.0], [-70.0]]]), _PAIRS)
            ),
        ),
        Law(
            "the probabilities of all sequences sum to one",
            lambda f: equal(number(f(_LOGITS, _PAIRS)).exp().sum(), 1.0),
        ),
    ),
    hints=(
        "At each position there is a distribution over k tokens, and one of its probabilities is that of the token that is there.",
        "log_softmax over the last axis makes log-probabilities, gather picks those of the tokens; a product of conditionals "
        "becomes a sum.",
        "logits.log_softmax(2).gather(2, tokens[:, :, None]).squeeze(2).sum(1).",
    ),
    picture=_likelihood_picture,
)
_PAIRS = torch.cartesian_prod(torch.arange(3), torch.arange(3))
# the second token depends on the first: a chain of its own
_LOGITS = torch.stack(
    [
        torch.tensor([0.3, -1.0, 2.0]).expand(9, 3),
        torch.tensor([[0.0, 1.0, -2.0], [3.0, 0.5, 0.1], [-1.0, 0.0, 4.0]])[_PAIRS[:, 0]],
    ],
    1,
).double()


def attend_step(
    query: Tensor, keys: Tensor, values: Tensor, new_key: Tensor, new_value: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return torch's attention of one query to the cache and the new position, and the longer
    cache."""
    keys, values = (
        torch.cat([keys, new_key[:, None]], 1),
        torch.cat([values, new_value[:, None]], 1),
    )
    return F.scaled_dot_product_attention(query[:, None], keys, values)[:, 0], keys, values


def _cache_case(g: torch.Generator, i: int) -> tuple[Tensor, ...]:
    n, length, d = ((3, 4, 2), (5, 3, 4), (1, 2, 3), (4, 0, 5), (2, 6, 3), (6, 1, 7))[i % 6]
    return (
        normal(g, n, d),
        normal(g, n, length, d),
        normal(g, n, length, d),
        normal(g, n, d),
        normal(g, n, d),
    )


def _longer(cache: Tensor, new: Tensor) -> Tensor:
    return torch.cat([cache, new.unsqueeze(1)], 1)


def _look(weights: Tensor, values: Tensor) -> Tensor:
    return torch.einsum("nt,ntd->nd", weights, values)


def _scores(query: Tensor, keys: Tensor, power: float = -0.5) -> Tensor:
    return torch.einsum("nd,ntd->nt", query, keys) * query.shape[1] ** power


def _weighed(weigh: Answer) -> Answer:
    """Return a step whose weights (n, T + 1) are what `weigh` makes of the query and all keys."""

    def step(
        q: Tensor, k: Tensor, v: Tensor, a: Tensor, b: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        keys, values = _longer(k, a), _longer(v, b)
        return _look(weigh(q, keys), values), keys, values

    return step


def _blind(q: Tensor, k: Tensor, v: Tensor, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    return _look(_scores(q, k).softmax(1), v), _longer(k, a), _longer(v, b)


def _forgetful(
    q: Tensor, k: Tensor, v: Tensor, a: Tensor, b: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    return attend_step(q, k, v, a, b)[0], k, v


def _in_front(
    q: Tensor, k: Tensor, v: Tensor, a: Tensor, b: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    return (
        attend_step(q, k, v, a, b)[0],
        torch.cat([a[:, None], k], 1),
        torch.cat([b[:, None], v], 1),
    )


def _looked_up_keys(
    q: Tensor, k: Tensor, v: Tensor, a: Tensor, b: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    return attend_step(q, k, k, a, a)[0], _longer(k, a), _longer(v, b)


def _asked_values(
    q: Tensor, k: Tensor, v: Tensor, a: Tensor, b: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    return attend_step(q, v, v, b, b)[0], _longer(k, a), _longer(v, b)


def _scored_values(
    q: Tensor, k: Tensor, v: Tensor, a: Tensor, b: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    return attend_step(q, v, k, b, a)[0], _longer(k, a), _longer(v, b)


def _cached_query(
    q: Tensor, k: Tensor, v: Tensor, a: Tensor, b: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    return attend_step(q, k, v, q, b)


def _returned(order: tuple[int, int, int]) -> Answer:
    def step(*arguments: Tensor) -> tuple[Tensor, ...]:
        found = attend_step(*arguments)
        return tuple(found[i] for i in order)

    return step


def _cache_picture(answer: Answer) -> str:
    # two positions with keys along x and values -1 and 1: the stronger the query, the harder the
    # choice
    strength = torch.linspace(-8, 8, 65).double()
    rows: dict[str, Tensor] = {}
    for d in (1, 4, 16):
        query = F.pad(strength[:, None], (0, d - 1))
        first, second = (F.pad(torch.full((65, 1), s).double(), (0, d - 1)) for s in (-1.0, 1.0))
        rows[f"d = {d}"] = number(answer(query, first[:, None], first[:, None], second, second)[0])[
            :, 0
        ]
    return curve(
        strength,
        rows,
        "query, against keys -1 and 1",
        "attention to values -1 and 1: a larger d divides by more",
    )


CACHE = Exercise(
    name="ar.kv_cache",
    title="One step of attention with a cache",
    section=2,
    task="Append new_key and new_value (n, d) to keys and values (n, T, d), let query (n, d) look at all T + 1 positions (softmax "
    "of inner products over sqrt(d)), and return output (n, d) with the longer keys and values. T may be 0.",
    oracle=attend_step,
    returns=("output", "keys", "values"),
    draw=_cache_case,
    form=choices.CACHE,
    slips=(
        Slip(
            "the scores are not divided by sqrt(d)",
            _weighed(lambda q, k: _scores(q, k, 0.0).softmax(1)),
        ),
        Slip(
            "the scores are divided by d and not by its square root",
            _weighed(lambda q, k: _scores(q, k, -1.0).softmax(1)),
        ),
        Slip(
            "the scores are multiplied by sqrt(d)",
            _weighed(lambda q, k: _scores(q, k, 0.5).softmax(1)),
        ),
        Slip(
            "the scores are divided by the square root of the number of positions; d is the width of a key",
            _weighed(lambda q, k: (_scores(q, k, 0.0) / math.sqrt(k.shape[1])).softmax(1)),
        ),
        Slip(
            "scaled after the softmax: the weights no longer sum to one",
            _weighed(lambda q, k: _scores(q, k, 0.0).softmax(1) / math.sqrt(q.shape[1])),
        ),
        Slip(
            "the softmax runs over the batch and not over positions: the wrong axis",
            _weighed(lambda q, k: _scores(q, k).softmax(0)),
        ),
        Slip("the softmax is missing: scores are no weights", _weighed(lambda q, k: _scores(q, k))),
        Slip(
            "the weights are exp of the scores and not divided by their sum",
            _weighed(lambda q, k: _scores(q, k).exp()),
        ),
        Slip(
            "every position weighs the same: the query is not used",
            _weighed(lambda q, k: torch.full_like(_scores(q, k), 1 / k.shape[1])),
        ),
        Slip(
            "only the position of the largest score counts: this is its value, not a mean",
            _weighed(lambda q, k: F.one_hot(_scores(q, k).argmax(1), k.shape[1]).to(q)),
        ),
        Slip(
            "the query does not see its own position: the new key and value belong to what it looks at",
            _blind,
        ),
        Slip(
            "the cache did not grow: return the keys and values with the new ones as their last row",
            _forgetful,
        ),
        Slip("the new key and value stand in front of the cache; they belong behind it", _in_front),
        Slip("the mean is over keys, and belongs over values", _looked_up_keys),
        Slip("the scores are made with the values; the query is compared with keys", _asked_values),
        Slip(
            "keys and values are exchanged: scores come from keys, the mean is over values",
            _scored_values,
        ),
        Slip("the query was appended to the keys in place of new_key", _cached_query),
        Slip("keys and values are returned in the wrong order", _returned((0, 2, 1))),
        Slip("the output belongs first, then the keys and values", _returned((1, 2, 0))),
    ),
    laws=(
        Law(
            "with an empty cache the output is the new value",
            lambda f: equal(f(_Q, _K[:, :0], _V[:, :0], _A, _B)[0], _B),
        ),
        Law(
            "where all keys are equal the output is the mean of the values",
            lambda f: equal(
                f(_Q, _A[:, None].expand(2, 3, 4), _V, _A, _B)[0], _longer(_V, _B).mean(1)
            ),
        ),
        Law(
            "the order of cached positions does not change the output",
            lambda f: equal(f(_Q, _K, _V, _A, _B)[0], f(_Q, _K.flip(1), _V.flip(1), _A, _B)[0]),
        ),
    ),
    hints=(
        "Make the cache longer first. After that it is plain attention with one query, and no mask is needed: why?",
        "torch.cat along axis 1, new rows last. One score for each of the T + 1 positions, a softmax over positions, a weighted "
        "sum of values.",
        "scores = (keys * query[:, None]).sum(2) / math.sqrt(d); weights = scores.softmax(1); output = (weights[:, :, None] * "
        "values).sum(1).",
    ),
    picture=_cache_picture,
    harder=True,
)
_RANDOM = torch.Generator().manual_seed(0)
_Q, _A, _B = normal(_RANDOM, 3, 2, 4).unbind(0)
_K, _V = normal(_RANDOM, 2, 2, 3, 4).unbind(0)

EXERCISES = (LIKELIHOOD, CACHE)
