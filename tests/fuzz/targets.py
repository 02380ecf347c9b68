"""What is fuzzed: one function a kind of input, which damages it in a folder and returns the words of a command that meets it."""

from __future__ import annotations

import io
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from PIL import Image

from fuzz.mutations import bytes_of, lines_of, text_of, word

Target = Callable[[Path, Path, random.Random], list[str]]
CSV = "age,sex,when,score\n" + "\n".join(
    f"{20 + i % 9},{'fm'[i % 2]},2024-01-{1 + i % 28:02d},{i / 4}" for i in range(60)
)
RULES = (
    "age >= 18",
    "x0 < 3 and not x1 == 2",
    "missing(x0) or x1 > 0",
    "x0 + x1 * 2 <= 9",
    "x0 in (1, 2)",
)


def _pictures(count: int = 12) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 8, 8), dtype=np.uint8)


def npy(folder: Path, runs: Path, draw: random.Random) -> list[str]:
    """A damaged array."""
    buffer = io.BytesIO()
    arrays = (
        _pictures(),
        _pictures()[..., None].repeat(3, -1),
        np.random.default_rng(0).normal(size=(40, 2)),
        np.zeros((200, 2), bool),
        np.zeros((50, 0, 8)),
        np.zeros(()),
        np.array(["a", "b"] * 20),
        np.zeros((9, 2), "c16"),
        np.zeros(12, "datetime64[s]"),
        np.zeros((30, 1, 1, 1, 1)),
        np.full((30, 2), np.nan),
        np.zeros(9, [("a", "f4"), ("b", "i4")]),
    )
    np.save(buffer, draw.choice(arrays))
    content = buffer.getvalue()
    (folder / "x.npy").write_bytes(content if draw.random() < 0.3 else bytes_of(content, draw))
    return ["data", "describe", "x.npy"]


def npz(folder: Path, runs: Path, draw: random.Random) -> list[str]:
    """An archive whose members do not fit each other, or damaged."""
    keys = (
        "x",
        "y",
        "data",
        "labels",
        "images",
        "arr_0",
        "x_train",
        "y_train",
        "x_test",
        "y_test",
        "train_images",
        "mask",
        "z",
    )
    labels = (
        np.arange(12) % 3,
        (np.arange(12) % 3)[:, None],
        np.eye(3)[np.arange(12) % 3],
        np.array(5),
        np.zeros((0,)),
        np.full(12, np.nan),
        np.array(["--1", "²", "../v", "/abs", "n/a", ""] * 2),
        np.random.default_rng(0).normal(size=12),
        np.zeros((3, 4, 5)),
    )
    members = {
        key: draw.choice((_pictures(), *labels)) for key in draw.sample(keys, draw.randrange(1, 5))
    }
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **members)  # type: ignore[arg-type]
    content = buffer.getvalue()
    (folder / "x.npz").write_bytes(content if draw.random() < 0.6 else bytes_of(content, draw))
    return ["data", "describe", "x.npz"]


def idx(folder: Path, runs: Path, draw: random.Random) -> list[str]:
    """A damaged IDX file."""
    content = bytes((0, 0, 8, 3, 0, 0, 0, 12, 0, 0, 0, 8, 0, 0, 0, 8)) + _pictures().tobytes()
    (folder / "x-images-idx3-ubyte").write_bytes(bytes_of(content, draw))
    return ["data", "describe", "x-images-idx3-ubyte"]


def picture(folder: Path, runs: Path, draw: random.Random) -> list[str]:
    """A folder of pictures, one of them damaged or of an odd mode."""
    suffix = draw.choice((".png", ".gif", ".bmp", ".jpg", ".tiff", ".webp"))
    for i, pixels in enumerate(_pictures()):
        Image.fromarray(pixels).save(folder / f"{i}{suffix}")
    victim = folder / f"{draw.randrange(12)}{suffix}"
    if draw.random() < 0.3:
        mode = draw.choice(("1", "L", "P", "RGB", "RGBA", "I", "F", "CMYK", "LA", "I;16"))
        try:
            Image.new(mode, (draw.choice((1, 8, 9)), 8)).save(victim)
        except (OSError, ValueError):
            victim.write_bytes(b"")
    else:
        victim.write_bytes(bytes_of(victim.read_bytes(), draw))
    return ["data", "describe", ".", *draw.choice(([], ["--skip-bad"]))]


def csv(folder: Path, runs: Path, draw: random.Random) -> list[str]:
    """A damaged table of text."""
    text = lines_of(CSV if draw.random() < 0.6 else CSV.replace("fm", "01"), draw)
    content = text.encode("utf-8", "surrogatepass")
    (folder / "x.csv").write_bytes(content if draw.random() < 0.7 else bytes_of(content, draw))
    return ["data", "describe", "x.csv"]


def parquet(folder: Path, runs: Path, draw: random.Random) -> list[str]:
    """A damaged Parquet file, or one of odd columns."""
    frame = pd.DataFrame({"a": range(40), "b": list("xy") * 20})
    frame["c"] = draw.choice(
        (
            [{"k": 1}] * 40,
            [[1, 2]] * 40,
            [b"x"] * 40,
            [None] * 40,
            pd.to_timedelta(range(40), "s"),
            [float("inf"), 1.0] * 20,
            pd.period_range("2024-01", periods=40, freq="M").astype(str),
            ["9" * 400] * 40,
        )
    )
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    content = buffer.getvalue()
    (folder / "x.parquet").write_bytes(content if draw.random() < 0.4 else bytes_of(content, draw))
    return ["data", "describe", "x.parquet"]


def text(folder: Path, runs: Path, draw: random.Random) -> list[str]:
    """Damaged text or JSON lines."""
    if draw.random() < 0.5:
        (folder / "x.txt").write_bytes(bytes_of(("To be, or not to be.\n" * 40).encode(), draw))
        return [
            "data",
            "describe",
            "x.txt",
            *draw.choice(([], ["--errors", "replace"], ["-s", f"data.length={word(draw)}"])),
        ]
    lines = [json.dumps({"text": "to be or not " * 6, "question": "what"})] * 20
    lines[draw.randrange(20)] = text_of({"text": "to be", "question": "what"}, draw).replace(
        "\n", " "
    )
    (folder / "x.jsonl").write_text("\n".join(lines), errors="replace")
    return [
        "data",
        "describe",
        "x.jsonl",
        *draw.choice(([], ["-s", "data.context=question"], ["-s", "data.text_field=z"])),
    ]


def _copy(folder: Path, runs: Path, draw: random.Random) -> tuple[Path, str]:
    name = draw.choice(sorted(p.name for p in runs.iterdir() if (p / "manifest.json").is_file()))
    shutil.copytree(runs / name, folder / "run")
    return folder / "run", name


def records(folder: Path, runs: Path, draw: random.Random) -> list[str]:
    """A run whose records hold other types, are nested deeply or cut; their fingerprints are made to agree half of the time."""
    run, _ = _copy(folder, runs, draw)
    victim = draw.choice([p for p in run.rglob("*") if p.suffix in (".json", ".yaml", ".jsonl")])
    content = victim.read_text()
    if victim.suffix == ".yaml":
        changed = (
            yaml.safe_dump(json.loads(json.dumps(yaml.safe_load(content))))
            if draw.random() < 0.1
            else text_of(yaml.safe_load(content), draw)
        )
    elif victim.suffix == ".json":
        changed = text_of(json.loads(content), draw)
    else:
        changed = lines_of(content, draw)
    victim.write_text(changed, errors="replace")
    if draw.random() < 0.5:
        _agree(run)
    return draw.choice(
        (
            ["sample", "run", "-n", "2", "-o", "out.npz"],
            ["explain", "run"],
            ["score", "run", "two-moons", "-n", "20"],
            ["report", "run", "-o", "page.html"],
            ["cite", "run"],
        )
    )


def _agree(run: Path) -> None:
    """Let the manifest's fingerprints fit the records, so that what lies behind them is reached."""
    import hashlib

    try:
        manifest = json.loads((run / "manifest.json").read_text())
        for key, name in (("config_sha256", "config.yaml"), ("encoding_sha256", "encoding.json")):
            if key in manifest and (run / name).is_file():
                manifest[key] = hashlib.sha256((run / name).read_bytes()).hexdigest()
        (run / "manifest.json").write_text(json.dumps(manifest))
    except (ValueError, TypeError, RecursionError):
        return


def weights(folder: Path, runs: Path, draw: random.Random) -> list[str]:
    """A run whose weights or state are damaged, its fingerprint made to agree."""
    import hashlib

    run, _ = _copy(folder, runs, draw)
    victim = draw.choice([run / "weights.safetensors", *(run / "state").glob("*.safetensors")])
    victim.write_bytes(bytes_of(victim.read_bytes(), draw))
    if draw.random() < 0.7:
        manifest = json.loads((run / "manifest.json").read_text())
        manifest["weights_sha256"] = hashlib.sha256(
            (run / "weights.safetensors").read_bytes()
        ).hexdigest()
        (run / "manifest.json").write_text(json.dumps(manifest))
    return ["sample", "run", "-n", "2", "-o", "out.npz"]


OPTIONS = (
    "--temperature",
    "--top-k",
    "--top-p",
    "--min-p",
    "--typical",
    "--repetition-penalty",
    "--guidance",
    "--steps",
    "--solver",
    "--eta",
    "--grid",
    "--path",
    "--tolerance",
    "--length",
    "--given",
    "--context",
    "-n",
    "--seed",
    "--stop",
    "--match",
    "--one-of",
    "--beams",
    "--guide",
    "--classifier",
    "--observed",
    "--mask",
    "--operator",
    "--noise",
    "--posterior",
    "--repeats",
    "--start",
    "--strength",
    "-o",
    "--guidance-interval",
    "--guidance-rescale",
    "--inpainting",
    "--draft",
)


def options(folder: Path, runs: Path, draw: random.Random) -> list[str]:
    """Odd words for the options of a sampler."""
    name = draw.choice(sorted(p.name for p in runs.iterdir()))
    words = ["sample", str(runs / name), "-n", "2"]
    for option in draw.sample(OPTIONS, draw.choice((1, 1, 2, 3))):
        words += [option, word(draw)]
    return words


def settings(folder: Path, runs: Path, draw: random.Random) -> list[str]:
    """Odd settings of a training that is not begun."""
    key = draw.choice(
        (
            "train.batch_size",
            "train.learning_rate",
            "train.ema",
            "train.checkpoint_every",
            "train.precision",
            "model.width",
            "model.depth",
            "data.length",
            "data.levels",
            "data.labels",
            "data.kind",
            "data.keep",
            "data.columns.age",
            "data.tokeniser",
            "train.x",
            "x.y",
            "",
        )
    )
    family = draw.choice(("flow", "vae", "gan", "ar", "diffusion", word(draw)))
    data = draw.choice(("digits", "two-moons", "shakespeare", "adult-mini", word(draw)))
    budget = draw.choice(("--steps", "--budget", "--examples"))
    return [
        "train",
        family,
        data,
        "--dry-run",
        "-s",
        f"{key}={word(draw)}",
        budget,
        draw.choice(("5", word(draw))),
    ]


def rules(folder: Path, runs: Path, draw: random.Random) -> list[str]:
    """Rules of a table that nobody could mean."""
    (folder / "x.csv").write_text(CSV)
    rule = draw.choice(
        (
            bytes_of(draw.choice(RULES).encode(), draw).decode("latin-1").replace("\x00", ""),
            "age >= " + "9" * 400,
            "age + " * 2000 + "1 > 0",
            "not " * 2000 + "age > 1",
            "(" * 300 + "age" + ")" * 300 + " > 1",
            "age > 1e999",
            "age ** 99 > 1",
            "__import__('os')",
            "age > 'x'",
            f"age > {word(draw)}",
            " or ".join(["age > 1"] * 3000),
        )
    )
    return ["evaluate", "--samples", "x.csv", "--reference", "x.csv", "--rule", rule, "-n", "20"]


TARGETS: dict[str, Target] = {
    t.__name__: t
    for t in (
        npy,
        npz,
        idx,
        picture,
        csv,
        parquet,
        text,
        records,
        weights,
        options,
        settings,
        rules,
    )
}
