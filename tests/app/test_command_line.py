"""The command line end to end, on tiny real runs; bad input is one sentence on stderr, exit status 2, nothing written."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pushforward.app.writing.using import capability_table
from pushforward.core.rng import generator
from pushforward.data.toys import toy
from pushforward.faces.cli.main import main
from pushforward.reports.terminal.layout import markdown_table

CAPABILITIES = Path(__file__).resolve().parents[2] / "docs" / "capabilities.md"


class Outcome:
    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]):
    def run(*arguments: object) -> Outcome:
        with pytest.raises(SystemExit) as stop:
            main([str(a) for a in arguments])
        captured = capsys.readouterr()
        return Outcome(int(stop.value.code or 0), captured.out, captured.err)

    return run


def test_the_documented_table_is_the_code(call) -> None:
    text = CAPABILITIES.read_text()
    between = text.split("<!-- capabilities -->")[1].split("<!-- /capabilities -->")[0].strip()
    assert between == markdown_table(capability_table())
    assert call("families", "--markdown").out.strip() == between


@pytest.fixture(scope="module")
def moons(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Few points: a measuring takes no time."""
    path = tmp_path_factory.mktemp("moons") / "moons.npz"
    drawn = toy("two-moons").sample(600, generator(0, "moons")).numpy()
    np.savez(path, x_train=drawn[:400], x_test=drawn[400:])
    return path


def test_train_sample_score_evaluate_report(call, moons: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert call("train", "flow", moons, "--preset", "smoke", "--steps", 20, "-o", run).status == 0
    summary = json.loads(call("score", run, moons, "--json").out)
    assert (summary["kind"], summary["unit"], summary["split"], summary["n"]) == (
        "exact",
        "nats/point",
        "test",
        200,
    )
    assert summary["value"] == pytest.approx(-summary["mean_nats"])
    assert json.loads(call("score", run, "two-moons", "--json").out)["n"] == 5000
    assert call("sample", run, "-n", 5, "-o", tmp_path / "x.npy").status == 0
    assert np.load(tmp_path / "x.npy").shape == (5, 2)
    assert len(call("sample", run, "-n", 5).out.splitlines()) == 5
    record = json.loads(call("evaluate", run, "--json").out)
    names = [s["name"] for s in record["scores"]]
    assert any("log-likelihood" in n for n in names)
    assert any("coverage" in n for n in names)
    assert (run / "scores.json").is_file()
    assert call("report", run, "-o", tmp_path / "page.html").status == 0
    assert "<html" in (tmp_path / "page.html").read_text()
    outcome = call(
        "evaluate", "--samples", tmp_path / "x.npy", "--reference", "two-moons", "--json"
    )
    assert outcome.status == 2
    assert "expected" in outcome.err


def test_compare_writes_a_report(call, moons: Path, tmp_path: Path) -> None:
    out = tmp_path / "c"
    how = ("--families", "flow,gan", "--preset", "smoke", "--steps", 5, "-o", out)
    assert call("compare", moons, *how).status == 0
    assert (out / "report.html").is_file()
    assert (out / "flow" / "weights.safetensors").is_file()
    again = call("compare", moons, *how)
    assert again.status == 2
    assert "holds another comparison" in again.err
    assert call("report", out, "-o", tmp_path / "again.html").status == 0


def test_equal_seeds_give_equal_bytes(call, tmp_path: Path) -> None:
    for name in ("a", "b"):
        command = [
            "train",
            "gan",
            "two-moons",
            "--preset",
            "smoke",
            "--steps",
            6,
            "--seed",
            3,
            "-o",
            tmp_path / name,
        ]
        assert call(*command).status == 0
    a, b = ((tmp_path / n / "weights.safetensors").read_bytes() for n in ("a", "b"))
    assert a == b


@pytest.mark.parametrize(
    ("arguments", "pattern"),
    [
        (["train", "flwo", "digits"], "unknown family 'flwo'.*did you mean 'flow'"),
        (["train", "flow", "digts"], "no data called 'digts'"),
        (["train", "flow", "digits", "--preset", "huge"], "unknown preset 'huge'"),
        (
            ["train", "flow", "digits", "-s", "model.widht=3"],
            "unknown key 'model.widht'.*did you mean 'width'",
        ),
        (["train", "flow", "digits", "--steps", "3", "--budget", "3s"], "expected one budget"),
        (["train", "flow", "digits", "--budget", "soon"], "a positive time"),
        (["sample", "nowhere"], "no run at nowhere"),
        (["explain", "nothing"], "unknown family 'nothing'"),
        (["evaluate"], "nothing to evaluate"),
        (["evaluate", "nowhere", "-s", "data.length=3"], "-s with a RUN: expected --samples FILE"),
        (
            ["evaluate", "nowhere", "--reference", "digits"],
            "--reference with a RUN: expected --samples FILE",
        ),
        (
            ["data", "describe", "digits", "-s", "model.width=3"],
            "'-s model...': expected data.key=value",
        ),
        (["report", "nowhere", "-o", "x.pdf"], "ends in .html"),
        (["explain"], "Missing argument 'target'; see `pushforward explain --help`"),
        (["trian", "flow"], "No such command 'trian'.*see `pushforward --help`"),
        (
            ["train", "flow", "digits", "--steps", "few"],
            "'--steps'.*valid integer.*see `pushforward train --help`",
        ),
        (
            ["train", "flow", "digits", "-s", "train.batch_size=0"],
            "'train.batch_size=0': expected at least 1",
        ),
        (
            ["train", "flow", "digits", "-s", "modle.width=3"],
            "unknown section 'modle'.*did you mean 'model'",
        ),
    ],
)
def test_bad_input_is_one_sentence(
    call, arguments: list[str], pattern: str, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = call(*arguments)
    assert outcome.status == 2
    assert outcome.out == ""
    assert re.search(pattern, outcome.err), outcome.err
    assert len(outcome.err.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_broken_runs_are_named(call, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert call("train", "vae", "digits", "--preset", "smoke", "--steps", 2, "-o", run).status == 0
    wrong = call("sample", run, "--given", "11", "-o", tmp_path / "x.npy")
    assert wrong.status == 2
    assert "'11'" in wrong.err
    assert "10 classes (0 to 9)" in wrong.err
    assert not (tmp_path / "x.npy").exists()
    other = call("train", "vae", "digits", "--preset", "smoke", "--steps", 2, "-o", run)
    assert other.status == 2
    assert "holds another run" in other.err
    config = (run / "config.yaml").read_text()
    (run / "config.yaml").write_text(config.replace("seed: 0", "seed: 1"))
    assert "edited after training" in call("sample", run).err
    (run / "config.yaml").write_text(config)
    weights = (run / "weights.safetensors").read_bytes()
    (run / "weights.safetensors").write_bytes(weights[:-40])
    outcome = call("sample", run)
    assert outcome.status == 2
    assert "truncated or replaced" in outcome.err


def test_a_run_with_skipped_files_opens_its_data_again(call, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    folder, run = tmp_path / "pictures", tmp_path / "run"
    folder.mkdir()
    for i in range(400):
        Image.fromarray(rng.integers(0, 256, (4, 4), dtype=np.uint8)).save(folder / f"{i:03d}.png")
    (folder / "broken.png").write_bytes(b"not a picture")
    refused = call("train", "vae", folder, "--preset", "smoke", "--steps", 2, "-o", run)
    assert refused.status == 2
    assert "broken.png" in refused.err
    assert not run.exists()
    train = call("train", "vae", folder, "--preset", "smoke", "--steps", 2, "-o", run, "--skip-bad")
    assert train.status == 0
    assert "1 unusable picture left out" in train.err
    assert call("evaluate", run, "--json").status == 0


def test_text_from_training_to_a_strided_score(call, tmp_path: Path) -> None:
    run, file = tmp_path / "run", tmp_path / "lines.txt"
    file.write_text("the cat sat on the mat and the dog ate the hat.\n" * 80)
    settings = ["-s", "data.length=16"]
    train = ["train", "ar", file, "--preset", "smoke", "--steps", 4, "-o", run, *settings]
    assert call(*train).status == 0
    assert call(*train, "--resume").status == 0
    held_out = json.loads(call("score", run, file, "--json", "--stride", 4).out)
    assert (held_out["split"], held_out["text"]["tokens"]) == ("test", 80 * 48 / 20)
    summary = json.loads(call("score", run, file, "--json", "--stride", 4, "--split", "all").out)
    assert (summary["unit"], summary["kind"], summary["estimator"]) == (
        "bits/byte",
        "exact",
        "exact, stride 4",
    )
    assert summary["text"]["bytes"] == summary["text"]["tokens"] == 80 * 48
    assert summary["value"] == pytest.approx(summary["text"]["bits_per_char"])
    lines = [
        json.loads(line)
        for line in call(
            "score", run, file, "--per-token", "--stride", 4, "--split", "all"
        ).out.splitlines()
    ]
    assert "".join(line["token"] for line in lines).startswith("the cat sat")
    assert -sum(line["nats"] for line in lines) / len(lines) == pytest.approx(
        summary["text"]["nats_per_token"], abs=1e-5
    )
    drawn = call("sample", run, "-n", 2, "--given", "the ", "--length", 40, "--top-k", 5, "--json")
    # a drawn boundary ends a document
    assert all(len(entry["text"]) <= 40 for entry in json.loads(drawn.out))
    best = json.loads(
        call("sample", run, "--beams", 3, "--given", "the", "--length", 5, "--json").out
    )
    assert len(best) == 3
    assert best[0]["nats"] >= best[1]["nats"] >= best[2]["nats"]
    spoken = json.loads(
        call("sample", run, "--draft", run, "--given", "the", "--length", 8, "--json").out
    )
    assert spoken["kept"] == spoken["proposed"] == spoken["tokens"] == 8
    assert call(
        "sample", run, "--stream", "-n", 1, "--given", "the", "--length", 5, "--stop", "q"
    ).out.startswith("the")
    assert call("sample", run, "-n", 3, "-o", tmp_path / "x.jsonl").status == 0
    assert len((tmp_path / "x.jsonl").read_text().splitlines()) == 3
    call("sample", run, "-n", 2, "-o", tmp_path / "texts/")
    assert sorted(path.name for path in (tmp_path / "texts").iterdir()) == [
        "00000.txt",
        "00001.txt",
    ]
    drawn = tmp_path / "drawn.txt"
    drawn.write_text("the cat sat on the hat and the dog ate the mat.\n" * 30)
    judge = ["evaluate", "--samples", drawn, "--reference", file, "-s"]
    assert {
        s["n"] for s in json.loads(call(*judge, "data.length=4", "-n", 40, "--json").out)["scores"]
    } >= {40}
    for arguments, pattern in (
        ([*judge, "data.length=8", "-n", 5000], "-n 5000: expected at most 180"),
        ([*judge, "data.length=8"], "24 test and .* expected at least 40 test and 80 training"),
        ([*judge, "data.length=1500"], "holds 1440 tokens: expected 40 windows of 1500"),
        (["sample", run, "--given", "the cat sat on the mat"], "a prompt of 22 tokens.*at most 16"),
        (["sample", run, "--given", "cat\u00e9"], "U\\+00E9"),
        (["score", run, file, "--stride", 99], "a stride of 99: expected 1 to 16"),
        (["score", run, file, "--stderr", 0.1], "text is scored whole"),
        (
            ["score", run, drawn, "--split", "train"],
            "the train split of .*drawn.txt: expected a split of built-in data",
        ),
        (["score", run, file, "--split", "trian"], "the split 'trian'.*did you mean 'train'"),
        (
            ["score", run, file, "--samples", 9],
            "9 samples for the estimator 'exact': expected none",
        ),
        (["score", run, file, "--estimator", "elbo"], "no estimator 'elbo' on text"),
        (["score", run, file, "--per-token", "--json"], "--json with --per-token"),
        (["sample", run, "-o", tmp_path / "x.png"], "ends in .txt or .jsonl"),
        (
            ["train", "ar", file, "-s", "data.lenght=4"],
            "unknown key 'data.lenght'.*did you mean 'length'",
        ),
        (
            ["train", "vae", file],
            "vae on text: expected one of points, image; autoregressive and diffusion take it",
        ),
        (["compare", file, "--families", "vae,gan"], "no family supports text.*vae was left out"),
        (["sample", run, "--stream", "-n", 3], "-n with --stream"),
        (["sample", run, "--stream", "--json"], "--json with --stream"),
        (["sample", run, "--stream", "--match", "(a"], r"the pattern '\(a'"),
        (["sample", run, "--beams", 2, "-o", tmp_path / "x.txt"], "-o with --beams"),
        (["sample", run, "--beams", 2, "--top-k", 3], "beam search with sampling options"),
        (["sample", run, "--beams", 2, "--stop", "a"], "beam search under rules"),
        (["sample", run, "--draft", run, "--stream"], "--stream with --draft"),
        (
            ["sample", run, "--draft", run, "--repetition-penalty", 2],
            "repetition_penalty with speculative",
        ),
    ):
        outcome = call(*arguments)
        assert outcome.status == 2, arguments
        assert re.search(pattern, outcome.err), outcome.err
    record = json.loads((run / "encoding.json").read_text())
    (run / "encoding.json").write_text(json.dumps({**record, "length": 17}))
    assert "was edited" in call("sample", run).err


def test_text_about_something_from_training_to_a_report(call, tmp_path: Path) -> None:
    run, file = tmp_path / "run", tmp_path / "pairs.jsonl"
    pairs = [
        {"text": f"{a} and {b} are {a + b}.", "sum": f"{a}+{b}"}
        for a in range(20)
        for b in range(20)
    ]
    file.write_text("".join(json.dumps(pair) + "\n" for pair in pairs))
    settings = ["-s", "data.context=sum", "-s", "data.length=24"]
    train = ["train", "ar", file, "--preset", "smoke", "--steps", 4, "-o", run, *settings]
    assert call(*train).status == 0
    assert call(*train, "--resume").status == 0
    assert (
        json.loads(call("score", run, file, "--json").out)["text"]["boundaries"] == 40
    )  # the test documents
    summary = json.loads(call("score", run, file, "--json", "--split", "all").out)
    assert (summary["given"], summary["n"], summary["text"]["boundaries"]) == ("context", 400, 400)
    assert summary["text"]["bytes"] == sum(len(pair["text"]) for pair in pairs)
    drawn = call("sample", run, "-n", 3, "--context", "3+4", "--given", "3 and", "--json")
    assert [entry["prompt"] for entry in json.loads(drawn.out)] == ["3 and"] * 3
    assert call("sample", run, "--stream", "--context", "3+4", "--length", 5).status == 0
    assert len(call("sample", run, "--beams", 2, "--context", "3+4").out.splitlines()) == 2
    assert call("sample", run, "--draft", run, "--context", "3+4", "--length", 5).status == 0
    assert call("evaluate", run, "--json").status == 0
    out = tmp_path / "c"
    compared = call("compare", file, "--preset", "smoke", "--steps", 4, "-o", out, *settings)
    assert compared.status == 0
    assert "flow was left out: it does not support text with contexts" in compared.err.replace(
        "\n", " "
    )
    assert "[" in (out / "report.html").read_text()
    for arguments, pattern in (
        (["sample", run], "no context: expected the text that shall be written about"),
        (
            ["sample", run, "--context", "3*4"],
            r"the character '\*' \(U\+002A\) at character 1 of the context",
        ),
        (["train", "flow", file, *settings], "flow on text"),
        (
            ["compare", file, "--families", "vae", *settings],
            "no family supports text with contexts",
        ),
    ):
        outcome = call(*arguments)
        assert outcome.status == 2, arguments
        assert re.search(pattern, outcome.err), outcome.err


def test_images_about_vectors_from_training_to_samples(call, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    rng, run, file = np.random.default_rng(0), tmp_path / "run", tmp_path / "d.npz"
    x = rng.integers(0, 4, (300, 3, 3), dtype=np.uint8)
    np.savez(file, x=x, mean=x.mean((1, 2), keepdims=False)[:, None])
    setting = ["-s", "data.context=mean"]
    assert (
        call("train", "ar", file, "--preset", "smoke", "--steps", 4, "-o", run, *setting).status
        == 0
    )
    assert json.loads(call("score", run, file, "--json").out)["given"] == "context"
    assert call("sample", run, "-n", 3, "--context", "1.5", "-o", tmp_path / "x.npy").status == 0
    assert np.load(tmp_path / "x.npy").shape[0] == 3
    assert call("evaluate", run, "--json").status == 0
    for arguments, pattern in (
        (["sample", run, "-o", tmp_path / "y.npy"], "no context: expected one for each example"),
        (["sample", run, "--context", "1,2"], "expected one vector of width 1"),
        (["sample", run, "--context", "1", "--given", "3"], "trained without labels"),
        (["train", "flow", file, *setting], "contexts for flow: expected autoregressive"),
        (["train", "ar:pixelcnn", file, *setting], "contexts for pixelcnn on image"),
        (["train", "ar", "digits", *setting], "a context 'mean' of digits: expected an .npz"),
    ):
        outcome = call(*arguments)
        assert outcome.status == 2, arguments
        assert re.search(pattern, outcome.err), outcome.err
    assert not (tmp_path / "y.npy").exists()
    assert call("train", "ar:pixelcnn", file, "-o", tmp_path / "none", *setting).status == 2
    assert not (tmp_path / "none").exists()


def test_options_of_data_have_names_of_their_own(call, tmp_path: Path) -> None:
    latin, sheet = tmp_path / "latin.txt", tmp_path / "ids.csv"
    latin.write_bytes(b"caf\xe9 au lait\n" * 200)
    sheet.write_text("id,v\n" + "".join(f"u{i},{i % 7}\n" for i in range(300)))
    refused = call("data", "describe", latin)
    assert refused.status == 2
    assert "not UTF-8 at byte 3 (0xe9)" in refused.err
    assert "`--errors replace`" in refused.err
    assert "200 times" in call("data", "describe", latin, "--errors", "replace").out
    assert "`--keep id`" in call("data", "describe", sheet).out
    assert "id: categorical, 300 categories" in call("data", "describe", sheet, "--keep", "id").out
    plan = call("train", "ar", sheet, "--keep", "id", "--dry-run", "--json")
    assert json.loads(plan.out)["data"]["keep"] == "id"


def test_a_table_from_training_to_conditional_rows(call, tmp_path: Path) -> None:
    run, file = tmp_path / "run", tmp_path / "people.csv"
    rng = np.random.default_rng(0)
    rows = [
        f"{a},{'yes' if a > 40 else 'no'},{rng.normal(a, 5):.1f}" for a in rng.integers(18, 80, 300)
    ]
    file.write_text("age,retired,score\n" + "\n".join(rows) + "\n,no,3.5\n")
    assert call("train", "ar", file, "--preset", "smoke", "--steps", 4, "-o", run).status == 0
    summary = json.loads(call("score", run, file, "--json").out)
    assert (summary["unit"], summary["n"], summary["split"]) == ("nats/row", 59, "test")
    summary = json.loads(call("score", run, file, "--json", "--split", "all").out)
    assert (summary["n"], summary["kind"]) == (301, "exact")
    lines = call("sample", run, "-n", 5, "--given", "retired=yes,age=50").out.splitlines()
    assert lines[0] == "age,retired,score"
    assert all(line.startswith(("50,yes,", "50.0,yes,")) for line in lines[1:])
    assert call("sample", run, "-n", 5, "-o", tmp_path / "x.parquet").status == 0
    for given, pattern in (
        ("retird=yes", "retired"),
        ("retired=maybe", "maybe"),
        ("age=old", "old"),
    ):
        outcome = call("sample", run, "--given", given)
        assert outcome.status == 2
        assert re.search(pattern, outcome.err), outcome.err


def test_a_likelihood_in_too_few_steps_is_refused(call, tmp_path: Path) -> None:
    run, file = tmp_path / "run", tmp_path / "points.npy"
    np.save(file, np.random.default_rng(0).normal(size=(20, 2)).astype(np.float32))
    assert (
        call(
            "train", "diffusion", "two-moons", "--preset", "smoke", "--steps", 20, "-o", run
        ).status
        == 0
    )
    refused = call(
        "score", run, file, "--estimator", "ode", "--steps", 2, "-o", tmp_path / "nats.csv"
    )
    assert refused.status == 2
    assert not (tmp_path / "nats.csv").exists()
    found = re.search(
        r"2 steps of 'ode' leave an error of .* nats/point: expected at most 0.1 .*about (\d+) steps",
        refused.err,
    )
    assert found, refused.err
    summary = json.loads(
        call("score", run, file, "--estimator", "ode", "--steps", found[1], "--json").out
    )
    assert summary["errors"]["steps"] < 0.1
    chain = json.loads(call("score", run, file, "--estimator", "vlb", "--steps", 8, "--json").out)
    assert (chain["kind"], chain["estimator"], chain["calls_per_example"]) == (
        "lower_bound",
        "vlb",
        14.0,
    )
    assert "errors" not in chain
    ignored = call("score", run, file, "--estimator", "elbo", "--steps", 2)
    assert ignored.status == 2
    assert "expected an estimator that takes steps (vlb, vlb-small, vlb-large, ode)" in ignored.err


def test_a_gan_refuses_a_likelihood(call, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert call("train", "gan", "digits", "--preset", "smoke", "--steps", 2, "-o", run).status == 0
    outcome = call("score", run, "digits")
    assert outcome.status == 2
    assert "no density" in outcome.err
    assert "vae" in outcome.err


@pytest.mark.parametrize("family", ["autoregressive", "flow", "vae", "gan", "diffusion"])
def test_explain_and_cite(call, family: str) -> None:
    assert "What is optimised" in call("explain", family).out
    assert json.loads(call("cite", family, "--json").out)["references"]


def test_resume_equals_one_run(call, tmp_path: Path) -> None:
    base = [
        "train",
        "flow",
        "two-moons",
        "--preset",
        "smoke",
        "-s",
        "train.warmup=0",
        "-s",
        "train.evaluate_every=4",
    ]
    assert call(*base, "--steps", 8, "-o", tmp_path / "whole").status == 0
    assert call(*base, "--steps", 8, "-o", tmp_path / "twice").status == 0
    assert call(*base, "--steps", 8, "-o", tmp_path / "twice", "--resume").status == 0
    a, b = ((tmp_path / n / "weights.safetensors").read_bytes() for n in ("whole", "twice"))
    assert a == b
    other = call(*base, "--steps", 8, "--seed", 5, "-o", tmp_path / "twice", "--resume")
    assert other.status == 2
    assert "other settings" in other.err or "other data" in other.err
