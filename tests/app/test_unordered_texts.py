"""A model that writes in no order from left to right: its bound of a whole text, its texts under rules, and what it refuses."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import pytest
import torch

from oracles import perturb
from pushforward.app.measuring.text_scoring import bound_text
from pushforward.app.writing.generation import TextRules
from pushforward.app.writing.writer import Writer
from pushforward.core.errors import Unsupported
from pushforward.core.given import Examples, Given, Prefix
from pushforward.core.rng import generator
from pushforward.core.text import Text
from pushforward.data.text.encoding import TextEncoding
from pushforward.data.text.tokeniser import CharacterTokeniser
from pushforward.faces.cli.main import main
from pushforward.families.diffusion.config import DiffusionConfig
from pushforward.families.diffusion.model import Diffusion

SPACE = Text(vocabulary=6, length=4, boundary=5)
ENCODING = TextEncoding(CharacterTokeniser(".0129ab"), length=12)
SMALL = DiffusionConfig(width=16, depth=1, heads=2)


def model(space: Text) -> Diffusion:
    found = Diffusion(space, SMALL)
    perturb(found, 0.3)
    return found.eval()


def stream(n: int) -> torch.Tensor:
    return torch.cat(
        [torch.tensor([5]), torch.randint(0, 5, (n,), generator=generator(0, "stream"))]
    )


@pytest.mark.parametrize("stride", [1, 2, 4])
@pytest.mark.parametrize("n", [3, 4, 23])
def test_the_bound_of_a_text_is_the_sum_over_its_windows(stride: int, n: int) -> None:
    found, s = model(SPACE), stream(n)
    token_bytes = torch.tensor([1, 2, 1, 3, 1, 0])
    # windows of four symbols have 15 masks, so that nothing is drawn
    score = bound_text(found, s, token_bytes, 99, stride, samples=15)
    total, start = 0.0, 1
    while start < len(s):
        width = min(4 if start == 1 else stride, len(s) - start)
        before = min(4 - width + 1, start)
        prefix = Prefix(s[None, start - before : start], torch.tensor([before]))
        total += float(
            found.log_prob(
                Examples(s[None, start : start + width], Given(prefix=prefix)), samples=15
            ).nats
        )
        start += width
    lp, size = score.log_prob, int(token_bytes[s[1:]].sum())
    assert float(lp.nats.sum()) == pytest.approx(total, rel=1e-5)
    assert lp.value == pytest.approx(-total / math.log(2) / size, rel=1e-5)
    assert (lp.kind, lp.estimator, score.nats) == ("lower_bound", f"elbo, stride {stride}", None)
    assert score.facts["bits_per_char"] == pytest.approx(-total / math.log(2) / 99, rel=1e-5)
    assert (score.facts["tokens"], score.facts["bytes"]) == (n, size)


def test_the_error_of_a_drawn_bound_is_that_of_its_windows() -> None:
    found, s = model(SPACE), stream(2000)
    score = bound_text(found, s, torch.ones(6, dtype=torch.long), 2000, 4, samples=6)
    whole = bound_text(found, s, torch.ones(6, dtype=torch.long), 2000, 4, samples=15)
    assert len(score.log_prob) == 100
    assert score.log_prob.stderr is not None
    assert whole.log_prob.stderr is None
    # 100 clusters: a correct error is off by less than a third (six of its own standard deviations allow for its conservatism)
    z = (score.log_prob.nats - whole.log_prob.nats) / score.log_prob.stderr
    assert 0.5 < float(z.std()) < 1.3
    assert score.log_prob.calls == 6 * 5
    again = bound_text(found, s, torch.ones(6, dtype=torch.long), 2000, 4, samples=6, seed=1)
    assert float((again.log_prob.nats - score.log_prob.nats).abs().max()) > 0


def test_stop_strings_cut_what_is_written() -> None:
    found = model(ENCODING.space)
    free = ENCODING.decode(Writer(found, ENCODING, "a", 5).tokens(60))
    stopped = ENCODING.decode(Writer(found, ENCODING, "a", 5, TextRules(("b", "22"))).tokens(60))
    ended = 0
    for before, after in zip(free, stopped, strict=True):
        cuts = [before.find(stop) + len(stop) for stop in ("b", "22") if stop in before]
        ended += bool(cuts)
        assert after == (before[: min(cuts)] if cuts else before)
    assert ended > 10


def test_what_needs_an_order_is_refused_in_words() -> None:
    found = model(ENCODING.space)
    for how, call in (
        ("a pattern", lambda: Writer(found, ENCODING, "a", rules=TextRules(match="a+")).tokens(2)),
        ("streaming", lambda: Writer(found, ENCODING, "a").stream(print)),
        ("beam search", lambda: Writer(found, ENCODING, "a").best(3)),
        ("speculative decoding", lambda: Writer(found, ENCODING, "a").speculate(found)),
    ):
        with pytest.raises(
            Unsupported,
            match=rf"{how} with diffusion, which writes in random order: expected a model",
        ):
            call()


def test_from_training_to_a_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def call(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            main([str(a) for a in arguments])
        captured = capsys.readouterr()
        return int(stop.value.code or 0), captured.out, " ".join(captured.err.split())

    run, file = tmp_path / "run", tmp_path / "lines.txt"
    file.write_text("the cat sat on the mat and the dog ate the hat.\n" * 300)
    pairs = tmp_path / "pairs.jsonl"
    pairs.write_text(
        "".join(json.dumps({"text": f"{a} {a * a}", "sum": f"{a + a}"}) + "\n" for a in range(60))
    )
    train = [
        "train",
        "diffusion",
        file,
        "--preset",
        "smoke",
        "--steps",
        4,
        "-o",
        run,
        "-s",
        "data.length=8",
    ]
    assert call(*train)[0] == call(*train, "--resume")[0] == 0
    summary = json.loads(call("score", run, file, "--json", "--samples", 4)[1])
    assert (summary["unit"], summary["kind"], summary["estimator"]) == (
        "bits/byte",
        "lower_bound",
        "elbo, stride 4",
    )
    assert summary["value"] == pytest.approx(summary["text"]["bits_per_char"])
    assert summary["stderr"] > 0
    said = call("score", run, file, "--samples", 2)
    assert "lower bound, elbo, stride 4" in said[1]
    assert "the true code length is at most this number" in said[2]
    _, out, _ = call(
        "sample",
        run,
        "-n",
        2,
        "--given",
        "the ",
        "--length",
        20,
        "--steps",
        3,
        "--top-k",
        5,
        "--json",
    )
    assert [entry["prompt"] for entry in json.loads(out)] == ["the ", "the "]
    assert all(len(entry["text"]) <= 20 for entry in json.loads(out))
    assert call("sample", run, "-n", 2, "--stop", "e")[0] == 0
    assert {s["kind"] for s in json.loads(call("evaluate", run, "--json")[1])["scores"][:1]} == {
        "lower_bound"
    }
    other = tmp_path / "exact"
    assert (
        call(
            "train",
            "ar",
            file,
            "--preset",
            "smoke",
            "--steps",
            4,
            "-o",
            other,
            "-s",
            "data.length=8",
        )[0]
        == 0
    )
    page = tmp_path / "page.html"
    assert call("report", run, other, "-o", page)[0] == 0
    assert "Exact values, bounds and estimates are not ranked together" in page.read_text()
    for arguments, pattern in (
        (
            ["score", run, file, "--per-token"],
            "scores by token of a model that bounds .*: expected an exact one",
        ),
        (["sample", run, "--stream", "--given", "the"], "streaming with diffusion"),
        (["sample", run, "--beams", 2], "beam search with diffusion"),
        (["sample", run, "--draft", run], "speculative decoding with diffusion"),
        (["sample", other, "--draft", run], "speculative decoding with diffusion"),
        (["sample", run, "--match", "a+"], "a pattern with diffusion"),
        (["sample", run, "--given", "the cat sat"], "a prompt of 11 tokens.*at most 8"),
        (["sample", run, "--solver", "heun"], "sampling option 'solver' on text"),
        (["sample", run, "--guidance", 2], "guidance 2.0 of diffusion on text without a label"),
        (["score", run, file, "--stride", 9], "a stride of 9: expected 1 to 8"),
        (
            ["train", "diffusion", pairs, "-s", "data.context=sum"],
            "contexts for diffusion: expected autoregressive",
        ),
    ):
        status, out, err = call(*arguments)
        assert status == 2, arguments
        assert out == "", arguments
        assert re.search(pattern, err), err
