"""A text's code length is one number, whatever the stride; clusters, units and every token's share of it."""

from __future__ import annotations

import math

import pytest
import torch

from oracles import perturb
from pushforward.app.measuring.text_scoring import score_documents, score_text, token_terms
from pushforward.core.context import Context, ContextSpace
from pushforward.core.errors import BadInput
from pushforward.core.given import Examples, Given, Prefix
from pushforward.core.rng import generator
from pushforward.core.text import Text
from pushforward.families.autoregressive.config import AutoregressiveConfig
from pushforward.families.autoregressive.model import Autoregressive

SPACE = Text(vocabulary=6, length=8, boundary=5)


@pytest.fixture(scope="module")
def model() -> Autoregressive:
    found = Autoregressive(SPACE, AutoregressiveConfig(width=16, depth=1, heads=2))
    perturb(found, 0.2)
    return found


def stream(n: int, vocabulary: int = 5) -> torch.Tensor:
    tokens = torch.randint(0, vocabulary, (n,), generator=generator(0, "stream"))
    return torch.cat([torch.tensor([SPACE.boundary]), tokens])


def one_by_one(model: Autoregressive, s: torch.Tensor, first: int, stride: int) -> list[float]:
    """Every token alone, given what its window shows of the past."""
    nats = []
    for i in range(1, len(s)):
        if i <= first:
            start = 0
        else:
            window = first + (i - first - 1) // stride * stride + 1
            width = min(stride, len(s) - window)
            start = window - min(SPACE.length - width + 1, window)
        prefix = Prefix(s[None, start:i], torch.tensor([i - start]))
        nats.append(float(model.terms(Examples(s[None, i : i + 1], Given(prefix=prefix)))))
    return nats


@pytest.mark.parametrize("stride", [1, 3, 8])
@pytest.mark.parametrize("n", [5, 8, 9, 30])
def test_every_token_is_scored_once_with_the_context_of_its_window(
    model: Autoregressive, stride: int, n: int
) -> None:
    s = stream(n)
    found = token_terms(model, s, stride)
    assert len(found) == n
    assert found.tolist() == pytest.approx(one_by_one(model, s, min(8, n), stride), abs=1e-5)


def test_a_text_within_the_context_is_scored_exactly(model: Autoregressive) -> None:
    s = stream(8)
    whole = model.log_prob(s[None, 1:]).nats
    for stride in (1, 4, 8):
        assert float(token_terms(model, s, stride).sum()) == pytest.approx(float(whole), abs=1e-4)


def test_units_and_clusters(model: Autoregressive) -> None:
    s = stream(400, vocabulary=6)
    token_bytes = torch.tensor([1, 1, 2, 3, 1, 0])
    found = score_text(model, s, token_bytes, characters=300, stride=4)
    total, size = -float(found.nats.double().sum()), int(token_bytes[s[1:]].sum())
    assert found.log_prob.value == pytest.approx(total / math.log(2) / size, rel=1e-6)
    assert found.facts["bits_per_char"] == pytest.approx(total / math.log(2) / 300)
    assert found.facts["perplexity"] == pytest.approx(math.exp(total / 400))
    assert (found.facts["tokens"], found.facts["bytes"], found.clusters) == (400, size, "documents")
    boundaries = int((s[1:] == 5).sum())
    assert found.facts["boundaries"] == boundaries
    assert len(found.log_prob) in (boundaries, boundaries + 1)
    # a boundary's own nats belong to the document it ends
    ends = (s[1:] == 5).nonzero().flatten().tolist()
    assert float(found.log_prob.nats[0]) == pytest.approx(
        float(found.nats[: ends[0] + 1].double().sum())
    )


def test_one_document_is_cut_into_blocks_whose_scatter_is_the_error(model: Autoregressive) -> None:
    found = score_text(model, stream(2000), torch.tensor([1, 1, 1, 1, 1, 0]), characters=2000)
    assert found.clusters == "blocks of the text"
    assert len(found.log_prob) == 40
    blocks = -found.log_prob.nats / math.log(2) / found.log_prob.sizes
    assert found.log_prob.sizes.tolist() == [50.0] * 40
    assert found.log_prob.standard_error == pytest.approx(float(blocks.std()) / 40**0.5, rel=1e-6)


def test_bad_strides_are_refused(model: Autoregressive) -> None:
    for stride in (0, 9):
        with pytest.raises(BadInput, match=rf"a stride of {stride}: expected 1 to 8"):
            token_terms(model, stream(20), stride)
    with pytest.raises(BadInput, match="a text without tokens"):
        token_terms(model, stream(0), 4)


@pytest.mark.parametrize("stride", [1, 3, 8])
def test_documents_are_scored_given_what_they_are_about_each_with_its_end(stride: int) -> None:
    about = Autoregressive(
        SPACE, AutoregressiveConfig(width=16, depth=1, heads=2), (), ContextSpace(4, vocabulary=6)
    )
    perturb(about, 0.2)
    documents = [stream(n)[1:] for n in (3, 7, 8, 20)]
    contexts = [torch.tensor(row, dtype=torch.int64) for row in ([1], [], [2, 3, 4, 0], [5, 5])]
    found = score_documents(about, documents, contexts, torch.tensor([1] * 5 + [0]), 38, stride)
    place = 0
    for document, context in zip(documents, contexts, strict=True):
        # one by one: no window, no batch, the whole document that the model can hold
        whole = torch.cat([torch.tensor([5]), document, torch.tensor([5])])
        size, given = len(document) + 1, Context.of([context])
        expected = token_terms(about, whole, stride, given)
        if size <= SPACE.length:
            prefixes = [Prefix(whole[None, :i], torch.tensor([i])) for i in range(1, size + 1)]
            expected = torch.cat(
                [
                    about.terms(
                        Examples(whole[None, i : i + 1], Given(prefix=prefix, context=given))
                    )[0]
                    for i, prefix in enumerate(prefixes, start=1)
                ]
            )
        torch.testing.assert_close(found.nats[place : place + size], expected, rtol=1e-4, atol=1e-5)
        assert int(found.tokens[place + size - 1]) == SPACE.boundary
        place += size
    assert len(found.nats) == place
    assert found.facts["bytes"] == 38
    assert found.facts["boundaries"] == 4
    with pytest.raises(BadInput, match="a stride of 9"):
        score_documents(about, documents, contexts, torch.ones(6), 38, 9)
