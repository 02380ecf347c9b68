"""What guidance trades: label accuracy against diversity on the digits, for plain, limited and automatic guidance.

    python benchmarks/bench_guidance.py [FOLDER [SAMPLES OF EACH CLASS]]

Two runs of the cpu preset are trained into FOLDER unless it has them: `strong` for 2000 steps, `weak` (half as wide) for 200. A
support vector machine that was fitted on real training digits reads the samples; it never saw a sample, nor did it see
the test digits that it is itself measured on. Diversity is the mean distance of two samples of one class on 32 principal components
of the training digits, and coverage is the share of test digits with a sample nearby.
"""

from __future__ import annotations

import math
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from scipy.spatial.distance import pdist, squareform
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import pushforward as pf
from pushforward.evaluation.distribution.neighbours import neighbour_scores
from pushforward.evaluation.features.named import PrincipalComponents
from pushforward.evaluation.intervals import wilson

WEIGHTS = (0.0, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0)
SETTINGS = {"solver": "ddim", "steps": 36, "seed": 0}


def runs(folder: Path, data: object) -> tuple[object, object]:
    """Return the strong and the weak model, trained where the folder has none."""
    for name, steps, width in (("strong", 2000, 32), ("weak", 200, 16)):
        if not (folder / name / "weights.safetensors").is_file():
            pf.fit(
                "diffusion",
                data,
                steps=steps,
                settings={"model": {"width": width}},
                path=folder / name,
            )
    return pf.open(folder / "strong"), pf.open(folder / "weak")


def spread(rows: np.ndarray, label: np.ndarray, size: float) -> tuple[float, float, float]:
    """Return the mean distance within classes, the standard error of its jackknife over samples, and the Vendi score.

    The Vendi score (Friedman and Dieng 2023) is the mean over classes of `exp(entropy)` of the eigenvalues of `K/n`,
    `K = exp(-d^2/(2 size^2))`.
    """
    within, left_out, vendi = [], [], []
    classes = np.unique(label)
    for one in classes:
        distance = squareform(pdist(rows[label == one]))
        n = len(distance)
        total = distance.sum()
        within.append(total / (n * (n - 1)))
        left_out.append((total - 2.0 * distance.sum(1)) / ((n - 1) * (n - 2)))
        eigenvalues = np.linalg.eigvalsh(np.exp(-0.5 * (distance / size) ** 2) / n).clip(1e-12)
        vendi.append(math.exp(-(eigenvalues * np.log(eigenvalues)).sum()))
    variance = (
        sum((len(v) - 1) / len(v) * ((v - v.mean()) ** 2).sum() for v in left_out)
        / len(classes) ** 2
    )
    return float(np.mean(within)), math.sqrt(variance), float(np.mean(vendi))


def main() -> None:
    """Print one row a setting."""
    torch.set_num_threads(1)
    data = pf.load("digits")
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp())
    each = int(sys.argv[2]) if len(sys.argv) > 2 else 30
    strong, weak = runs(folder, data)
    flat = lambda x: np.asarray(x).reshape(len(x), -1).astype(float)  # noqa: E731
    truth = lambda part: part.given.label.numpy()  # noqa: E731
    judge = make_pipeline(StandardScaler(), SVC()).fit(flat(data.train.x), truth(data.train))
    features = PrincipalComponents(data.train.x.numpy(), 32)
    test = features(data.test.x.numpy())
    label = torch.arange(10).repeat_interleave(each)
    size = spread(features(data.train.x.numpy()), truth(data.train), 1.0)[0]

    def row(name: str, x: np.ndarray, wanted: np.ndarray, calls: float) -> None:
        right = int((judge.predict(flat(x)) == wanted).sum())
        low, high = wilson(right, len(x))
        far, error, vendi = spread(features(x), wanted, size)
        coverage = next(
            s for s in neighbour_scores(features(x), test, "pca-32") if "coverage" in s.name
        )
        print(
            f"{name:36s} {100 * right / len(x):5.1f} % ({100 * low:.1f} to {100 * high:.1f})  "
            f"{far:.3f} ({far - 1.96 * error:.3f} to {far + 1.96 * error:.3f})  {vendi:6.2f}  {coverage.value:.3f}  {calls:5.0f}",
            flush=True,
        )

    print(
        "setting, label accuracy, distance within classes, Vendi score, coverage of test, network calls a sample"
    )
    row("real test digits", data.test.x.numpy(), truth(data.test), 0)
    settings = [(f"w = {w:g}", {"guidance": w}) for w in WEIGHTS]
    settings += [
        (f"w = {w:g} between 0.3 and 3", {"guidance": w, "guidance_interval": "0.3:3"})
        for w in (2.0, 5.0, 8.0)
    ]
    settings += [
        (f"w = {w:g} rescaled by 0.7", {"guidance": w, "guidance_rescale": 0.7})
        for w in (2.0, 5.0, 8.0)
    ]
    settings += [
        (f"w = {w:g} away from the weak run", {"guidance": w, "guide": weak.model})
        for w in (1.5, 2.0, 3.0)
    ]
    for name, options in settings:
        x = strong.sample(len(label), given=label, **SETTINGS, **options)
        walk = strong.model.walk(1, given=label[:1], **SETTINGS, **options)
        row(name, x.numpy(), label.numpy(), walk.calls)


if __name__ == "__main__":
    main()
