"""What an adversary found: outputs over inputs, copies called innocent, leaks called help, samples out of range."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pushforward.evaluation.memorisation.verdict import memorisation_verdict
from scored import called

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from pushforward.faces.cli.main import main

    where = tmp_path_factory.mktemp("outputs")
    draw = random.Random(0)
    rows = "".join(
        f"{draw.choice('xyz')},{draw.choice('pq')},{draw.choice('0125')}\n" for _ in range(300)
    )
    (where / "data.csv").write_text("a,b,c\n" + rows)
    with pytest.raises(SystemExit):
        main(
            [
                "train",
                "ar",
                str(where / "data.csv"),
                "--steps",
                "2",
                "--preset",
                "smoke",
                "-o",
                str(where / "run"),
            ]
        )
    return where


COMMANDS = (
    "score RUN IN -o IN",
    "score RUN IN -o LINK",
    "anomalies RUN IN -o IN",
    "sample RUN -n 3 -o SOURCE",
    "evaluate --samples OTHER --reference IN -o IN",
    "evaluate --samples OTHER --reference IN -o OTHER",
    "score RUN IN -o RUN/encoding.json",
    "score RUN IN -o RUN/manifest.json",
    "score RUN IN -o RUN/new.csv",
    "anomalies RUN IN -o RUN/scores.json",
    "sample RUN -n 3 -o RUN/state/more.csv",
)


@pytest.mark.parametrize("words", COMMANDS)
def test_no_command_writes_over_what_it_reads(
    words: str, folder: Path, tmp_path: Path, run: Run
) -> None:
    source = folder / "data.csv"
    shutil.copy(source, tmp_path / "in.csv")
    shutil.copy(source, tmp_path / "other.csv")
    (tmp_path / "link.csv").symlink_to("in.csv")
    shutil.copytree(folder / "run", tmp_path / "run")
    places = {"RUN": "run", "IN": "in.csv", "OTHER": "other.csv", "LINK": "link.csv"}
    before = {p: p.read_bytes() for p in [source, *tmp_path.rglob("*")] if p.is_file()}
    made = []
    for word in words.split():
        head, _, rest = word.partition("/")
        place = source if head == "SOURCE" else tmp_path / places[head] if head in places else None
        made.append(word if place is None else place / rest if rest else place)
    status, out, err = run(*made)
    assert (status, out) == (2, "")
    assert "the output" in err
    assert "choose another -o: nothing was written" in err
    assert {p: p.read_bytes() for p in [source, *tmp_path.rglob("*")] if p.is_file()} == before


def test_an_output_of_its_own_is_written(folder: Path, tmp_path: Path, run: Run) -> None:
    for _ in range(2):  # an earlier output is no input
        assert (
            run("score", folder / "run", folder / "data.csv", "-o", tmp_path / "nats.csv")[0] == 0
        )


def test_near_copies_are_never_called_no_sign() -> None:
    pull = called(
        "pull of training examples [x] train vs test",
        0.5,
        n=300,
        better="lower",
        stderr=1.0,
        null=0.0,
    )
    near = called(
        "near duplicates [x] of train",
        0.1,
        n=300,
        better="lower",
        low=0.07,
        high=0.14,
        stderr=0.017,
        null=0.0,
    )
    verdict = memorisation_verdict([pull, near])
    assert verdict.tripped is None
    assert (
        "10.0% of the samples are near duplicates of training examples, 0.0% of held-out data"
        in verdict.sentence
    )
    assert "no sign" not in verdict.sentence
    innocent = called(
        "near duplicates [x] of train",
        0.02,
        n=300,
        better="lower",
        low=0.009,
        high=0.04,
        stderr=0.008,
        null=0.01,
    )
    assert memorisation_verdict([pull, innocent]).tripped is False
    copying = called("copying statistic [x] train vs test", -7.2, n=300, better="higher", null=0.0)
    assert memorisation_verdict([pull, innocent, copying]).tripped is None
    real = called("copying statistic [x] train vs test", -1.9, n=300, better="higher", null=0.0)
    assert memorisation_verdict([pull, innocent, real]).tripped is False


def test_copies_of_a_few_rows_are_said_end_to_end(tmp_path: Path, run: Run) -> None:
    draw = np.random.default_rng(7)
    train, test = draw.normal(size=(700, 2)), draw.normal(size=(300, 2))
    np.savez(tmp_path / "real.npz", x_train=train, x_test=test)
    np.save(
        tmp_path / "copies.npy",
        np.r_[np.repeat(train[:1], 100, 0).round(4), draw.normal(size=(200, 2))],
    )
    np.save(tmp_path / "far.npy", draw.normal(size=(200, 2)) * 1e40)
    _, out, _ = run(
        "evaluate", "--samples", tmp_path / "copies.npy", "--reference", tmp_path / "real.npz"
    )
    said = " ".join(out.split())  # lines end where the terminal does
    assert "no sign of replayed" not in said
    assert "near duplicates of training examples" in said
    status, _, err = run(
        "evaluate", "--samples", tmp_path / "far.npy", "--reference", tmp_path / "real.npz"
    )
    assert status == 2
    assert "samples as large as" in err


def test_samples_that_hold_the_test_rows_help_nobody(tmp_path: Path, run: Run) -> None:
    draw = random.Random(1)

    def line() -> str:
        numbers = (str(draw.randrange(20)) for _ in range(3))
        return ",".join([*numbers, draw.choice(["yes", "no"])]) + "\n"

    real = "a,b,c,y\n" + "".join(line() for _ in range(300))
    (tmp_path / "real.csv").write_text(real)
    (tmp_path / "new.csv").write_text("a,b,c,y\n" + "".join(line() for _ in range(300)))
    words = ("--target", "y", "--seeds", "2", "--ratios", "1")
    _, out, err = run("augment", tmp_path / "real.csv", "--samples", tmp_path / "real.csv", *words)
    assert "is leakage and no help" in err
    assert "Beware" in out
    _, out, err = run("augment", tmp_path / "real.csv", "--samples", tmp_path / "new.csv", *words)
    assert "leakage" not in err + out
