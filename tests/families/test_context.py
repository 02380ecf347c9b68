"""Contexts: probabilities given one add up, samples follow them, caches keep them, nothing behind their end is read."""

from __future__ import annotations

import math

import pytest
import torch
from scipy import stats
from torch import Tensor

from oracles import enumerate_images, enumerate_strings, perturb
from pushforward.core.conditions import forgotten
from pushforward.core.context import Context, ContextSpace
from pushforward.core.errors import BadInput, Unsupported
from pushforward.core.given import Examples, Given
from pushforward.core.model import GenerativeModel
from pushforward.core.noise import Streams
from pushforward.core.options import SampleOptions
from pushforward.core.rng import generator
from pushforward.core.space import Image, Points
from pushforward.core.spec import TrainConfig
from pushforward.core.text import Text
from pushforward.core.walk import states
from pushforward.engine.fit import fit
from pushforward.families.autoregressive.beam import beam_search
from pushforward.families.autoregressive.config import AutoregressiveConfig
from pushforward.families.autoregressive.generate import TokenWalk
from pushforward.families.autoregressive.model import Autoregressive
from pushforward.families.autoregressive.pixels import PixelBackbone, PixelWalk
from pushforward.families.autoregressive.speculative import speculate
from pushforward.families.autoregressive.tokens import GPT2Backbone, TokenBackbone
from pushforward.families.build import build
from pushforward.nets.context import ContextEncoder

TEXT = Text(vocabulary=4, length=4, boundary=3)
WORDS = ContextSpace(longest=5, vocabulary=6)
VECTORS = ContextSpace(longest=3, width=2)
IMAGE = Image(1, 2, 2, levels=3)
SMALL = AutoregressiveConfig(width=16, depth=2, heads=2, condition_dropout=0.25)
SEVERAL = [[1, 5, 2], [], [0, 0, 3, 4, 1]]


def about(*rows: list[int]) -> Given:
    return Given(context=Context.of([torch.tensor(row, dtype=torch.long) for row in rows]))


def vectors(n: int, seed: int = 0) -> Given:
    values = torch.randn(n, 3, 2, generator=generator(seed, "context"))
    return Given(context=Context(values, torch.arange(n) % 4))


def text_model(architecture: str | None = None, classes: tuple[str, ...] = ()) -> Autoregressive:
    config = SMALL.model_copy(update={"architecture": architecture})
    model = Autoregressive(TEXT, config, classes, WORDS)
    perturb(model, 0.3)
    return model.eval()


def image_model() -> Autoregressive:
    model = Autoregressive(IMAGE, SMALL, (), VECTORS)
    perturb(model, 0.3)
    return model.eval()


def token_net(kind: type[TokenBackbone] = TokenBackbone) -> TokenBackbone:
    net = kind(Text(4, 8, 3), SMALL, 0, WORDS)
    perturb(net, 0.3)  # type: ignore[arg-type]
    return net.double().eval()


@pytest.mark.parametrize("architecture", ["transformer", "gpt2"])
def test_probabilities_of_texts_given_any_context_add_to_one(architecture: str) -> None:
    model, rows = text_model(architecture), enumerate_strings(TEXT)
    for row in SEVERAL:
        nats = model.log_prob(
            rows, Given(context=about(row).context)[torch.zeros(len(rows), dtype=torch.long)]
        ).nats
        assert float(nats.double().exp().sum()) == pytest.approx(1.0, abs=1e-5)
        # nothing but boundaries follows a boundary
        assert all(
            math.isinf(v) == bad(r) for r, v in zip(rows.tolist(), nats.tolist(), strict=True)
        )


def bad(row: list[int]) -> bool:
    return 3 in row and any(token != 3 for token in row[row.index(3) :])


def test_probabilities_of_images_given_any_vectors_add_to_one() -> None:
    model, x = image_model(), enumerate_images(IMAGE)
    for i in range(4):
        given = vectors(4)[torch.full((len(x),), i)]
        assert float(model.log_prob(x, given).nats.double().exp().sum()) == pytest.approx(
            1.0, abs=1e-5
        )


def test_samples_follow_the_probabilities_given_the_context() -> None:
    model, rows, n = text_model(), enumerate_strings(TEXT), 6000
    given = about([2, 4])
    p = model.log_prob(rows, given[torch.zeros(len(rows), dtype=torch.long)]).nats.double().exp()
    drawn = model.sample(n, given[torch.zeros(n, dtype=torch.long)], seed=3)
    place = (drawn * torch.tensor([64, 16, 4, 1])).sum(1)
    counts = torch.bincount(place, minlength=256).double()
    assert float(counts[p == 0].sum()) == 0
    often = n * p >= 5
    observed = [*counts[often].tolist(), float(counts[~often].sum())]
    expected = [*(n * p[often]).tolist(), float(n * p[~often].sum())]
    # the seed is fixed; a correct sampler with another one would fail once in a thousand
    assert stats.chisquare(observed, expected, sum_check=False).pvalue > 1e-3


@pytest.mark.parametrize("model", [text_model(), image_model()], ids=["text", "image"])
def test_a_row_does_not_depend_on_its_batch_nor_on_what_follows_its_context(
    model: GenerativeModel,
) -> None:
    given = (
        about([1, 5, 2], [4], [0, 0, 3, 4, 1]) if model.space.kind == "text" else vectors(3, seed=1)
    )
    x = model.sample(3, given, seed=2)
    together = model.log_prob(x, given).nats
    assert given.context is not None
    for i in range(3):
        length = int(given.context.length[i])
        alone = Context(given.context.values[i : i + 1, :length], given.context.length[i : i + 1])
        torch.testing.assert_close(
            model.log_prob(x[i : i + 1], Given(context=alone)).nats, together[i : i + 1]
        )
    noisy = given.context.values.clone()
    noisy[given.context.absent()] = 1
    torch.testing.assert_close(
        model.log_prob(x, Given(context=Context(noisy, given.context.length))).nats, together
    )


def test_what_a_context_says_and_its_order_matter() -> None:
    model, x = text_model(), torch.tensor([[0, 1, 2, 0]])
    found = {
        float(model.log_prob(x, about(row)).nats)
        for row in ([1, 2, 4], [2, 1, 4], [1, 2], [], [4, 2, 1])
    }
    assert len(found) == 5
    bag = ContextEncoder(WORDS, 16, 0, 2)
    values = bag(about([1, 2]).context, 1).values
    torch.testing.assert_close(values[:, [0, 2, 1]], bag(about([2, 1]).context, 1).values)


@pytest.mark.parametrize("kind", [TokenBackbone, GPT2Backbone])
def test_the_cache_keeps_the_context(kind: type[TokenBackbone]) -> None:
    net, given = token_net(kind), about([1, 5, 2], [], [0, 4])
    x = torch.randint(0, 3, (3, 7), generator=generator(0))
    with torch.no_grad():
        whole = net(x, given, None, None, 7)
        logits, cache = net.begin(x[:, :3], given, None)
        torch.testing.assert_close(logits, whole[:, 2], rtol=1e-9, atol=1e-9)
        few = net.extend(x[:, 3:5], cache, 3)
        torch.testing.assert_close(few, whole[:, 3:5], rtol=1e-9, atol=1e-9)
        kept = cache.rows(torch.tensor([2, 0]))
        torch.testing.assert_close(
            net.step(x[[2, 0], 5], kept, 5), whole[[2, 0], 5], rtol=1e-9, atol=1e-9
        )


def test_the_cache_of_pixels_keeps_the_context() -> None:
    net = image_model().net.double()
    assert isinstance(net, PixelBackbone)
    flat, given = torch.randint(0, 3, (3, 4), generator=generator(0)), vectors(3)
    given = Given(context=Context(given.context.values.double(), given.context.length))  # type: ignore[union-attr]
    with torch.no_grad():
        whole = net(flat, given)
        last, cache = net.begin(given, 3)
        for t in range(4):
            torch.testing.assert_close(net.step(last, cache, t), whole[:, t], rtol=1e-9, atol=1e-9)
            last = net._embed(flat[:, t])


def test_guidance_leans_on_the_empty_context() -> None:
    net, given = token_net(), about([1, 5, 2])
    start = torch.tensor([[3]])
    with torch.no_grad():
        told, null = (
            net(start, g, None, None, 1)[:, -1].log_softmax(-1) for g in (given, about([]))
        )
        first = next(states(TokenWalk(net, Streams(0, 1), given, SampleOptions(guidance=2.5))))
    torch.testing.assert_close(first.logits, null + 2.5 * (told - null), rtol=1e-9, atol=1e-9)
    model = image_model()
    strong = PixelWalk(model.net, Streams(4, 5), vectors(5), SampleOptions(guidance=1.0 + 1e-12))  # type: ignore[arg-type]
    assert strong.calls == 8
    # a weight of one, taken the long way, changes nothing
    flat = [s.flat for s in states(strong)][-1]
    expected = [s.flat for s in states(model.walk(5, vectors(5), seed=4))][-1]
    assert torch.equal(flat, expected)
    assert torch.equal(model.sample(5, vectors(5), guidance=0.0), model.sample(5, nothing(5)))


def nothing(n: int) -> Given:
    return Given(context=Context(torch.zeros(n, 0, 2), torch.zeros(n, dtype=torch.long)))


def test_labels_and_contexts_are_forgotten_together() -> None:
    n = 4000
    given = Given(
        torch.ones(n, dtype=torch.long),
        context=about([1, 2]).context.each(lambda t: t.expand(n, *t.shape[1:])),
    )  # type: ignore[union-attr]
    seen = forgotten(given, 0.25, torch.rand(n, generator=generator(0)))
    assert seen.label is not None
    assert seen.context is not None
    lost = seen.label == -1
    assert torch.equal(lost, seen.context.length == 0)
    # a share of 0.25 of 4,000 lies within four standard errors but once in 15,000 seeds
    assert abs(float(lost.double().mean()) - 0.25) < 4 * (0.25 * 0.75 / n) ** 0.5
    # a label that was forgotten is the null label
    net = Autoregressive(TEXT, SMALL, ("a", "b"), WORDS).net
    assert isinstance(net, TokenBackbone)
    assert torch.equal(net.shift(Given(torch.tensor([-1])), 1), net.shift(None, 1))  # type: ignore[arg-type]


def test_beams_and_drafts_see_the_context() -> None:
    net, given = token_net(), about([4, 1])
    rows = enumerate_strings(Text(4, 3, 3))
    with torch.no_grad():
        every = net.terms(rows, given[torch.zeros(len(rows), dtype=torch.long)]).sum(1)
        walk = TokenWalk(net, Streams(0, 1), given, SampleOptions(length=3))
        texts, scores = beam_search(walk, beams=64)
    assert scores[0] == pytest.approx(float(every.max()), abs=1e-6)
    assert texts[0].tolist() == rows[int(every.argmax())].tolist()
    found = speculate(net, net, torch.tensor([[3]]), 4, generator(0), given=given)
    assert found.kept == found.proposed


def test_a_model_with_contexts_learns_what_they_say() -> None:
    """The text is its context reversed: without the context three letters of three cost 3 log 3 = 3.3 nats."""
    letters = torch.randint(0, 3, (3000, 3), generator=generator(0))
    x = torch.cat([letters.flip(1), torch.full((3000, 1), 3)], dim=1)
    examples = Examples(x, Given(context=Context(letters, torch.full((3000,), 3))))
    model = build(
        "autoregressive",
        TEXT,
        values={"width": 32, "depth": 2, "heads": 2, "context_depth": 1},
        context=WORDS,
    )
    config = TrainConfig(steps=250, batch_size=128, learning_rate=5e-3, optimiser="muon", seed=0)
    fit(model, examples[:2800], examples[2800:], config)
    assert -model.log_prob(examples[2800:]).mean_nats < 0.1
    blind = Given(
        context=Context(torch.zeros(200, 0, dtype=torch.long), torch.zeros(200, dtype=torch.long))
    )
    assert -model.log_prob(x[2800:], blind).mean_nats > 3.0
    drawn = model.sample(50, examples.given[2800:2850], seed=1)  # type: ignore[index]
    assert float((drawn == x[2800:2850]).all(1).double().mean()) > 0.9


def test_contexts_that_do_not_fit_are_refused() -> None:
    text, image = text_model(), image_model()
    x = torch.tensor([[0, 1, 2, 3]])
    plain = Autoregressive(TEXT, SMALL)
    careful = Autoregressive(TEXT, SMALL.model_copy(update={"condition_dropout": 0.0}), (), WORDS)
    for call, pattern in (
        (lambda: text.log_prob(x), "no context: expected one for each example"),
        (lambda: text.sample(2), "no context"),
        (lambda: text.log_prob(x, about([6])), "context tokens up to 6: expected 0 to 5"),
        (lambda: text.log_prob(x, about([0] * 6)), "a context of 6 positions: expected at most 5"),
        (lambda: text.log_prob(x, vectors(1)), "dtype torch.float32: expected at most 5 tokens"),
        (
            lambda: image.sample(1, about([1])),
            "dtype torch.int64: expected at most 3 vectors of width 2",
        ),
        (
            lambda: image.sample(
                2, Given(context=Context(torch.full((2, 1, 2), math.nan), torch.ones(2).long()))
            ),
            "NaN",
        ),
        (lambda: plain.log_prob(x, about([1])), "trained without contexts"),
        (lambda: careful.sample(1, about([1]), guidance=2.0), "condition_dropout=0.1"),
        (lambda: Context(torch.zeros(2, 3), torch.zeros(2).long()), "a context of shape"),
    ):
        with pytest.raises(BadInput, match=pattern):
            call()
    with pytest.raises(Unsupported, match="contexts for flow"):
        build("flow", Points(2), context=VECTORS)
    with pytest.raises(Unsupported, match="contexts for pixelcnn on image"):
        build("autoregressive", IMAGE, values={"architecture": "pixelcnn"}, context=VECTORS)


def test_a_forward_pass_of_the_memory_is_attention_by_hand() -> None:
    net = token_net().transformer.blocks[0]
    recall, h = net.recall, torch.randn(2, 3, 16, generator=generator(1), dtype=torch.float64)  # type: ignore[union-attr]
    memory = torch.randn(2, 4, 16, generator=generator(2), dtype=torch.float64)
    from pushforward.nets.memory import Memory

    absent = torch.tensor([[False, False, True, True], [False] * 4])
    found = recall(h, recall.look_up(Memory(memory, absent)))  # type: ignore[operator]
    expected: list[Tensor] = []
    for i in range(2):
        q = recall.query(recall.norm(h[i]))  # type: ignore[union-attr, operator]
        k, v = recall.look(memory[i][~absent[i]]).chunk(2, dim=-1)  # type: ignore[union-attr, operator]
        heads = [
            torch.softmax(q[:, s] @ k[:, s].T / 8**0.5, -1) @ v[:, s]
            for s in (slice(0, 8), slice(8, 16))
        ]
        expected.append(recall.out(torch.cat(heads, -1)))  # type: ignore[union-attr, operator]
    torch.testing.assert_close(found, torch.stack(expected), rtol=1e-9, atol=1e-9)
