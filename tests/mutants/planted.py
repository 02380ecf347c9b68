"""Fifty-four bugs, and whether the tests see each: run `python tests/mutants/planted.py [FIRST [LAST]]`, half an hour for all.

Signs, missing factors, off-by-ones, swapped axes, wrong seeds, and tensors left on the wrong device. Each is planted in a
copy of the source, and the tests of the rooms that should see it run against that copy until the first one fails. A bug that
nothing sees is printed, and the exit status is 1.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"


@dataclass(frozen=True)
class Bug:
    """One change of one line, and the tests that should see it."""

    kind: str
    file: str
    right: str
    wrong: str
    tests: str


BUGS = (
    Bug(
        "factor",
        "core/codec.py",
        "* (2.0 / (self.levels - 1)) - 1.0",
        "* (2.0 / self.levels) - 1.0",
        "src/pushforward/core",
    ),
    Bug(
        "sign",
        "core/codec.py",
        "-cells * math.log(self.levels)",
        "cells * math.log(self.levels)",
        "tests/conformance -k flow",
    ),
    Bug(
        "sign",
        "core/codec.py",
        "- torch.log(s) - torch.log1p(-s)",
        "- torch.log(s) + torch.log1p(-s)",
        "tests/core",
    ),
    Bug(
        "sign",
        "core/codec.py",
        "-self.std.log().sum()",
        "self.std.log().sum()",
        "tests/conformance -k flow",
    ),
    Bug(
        "factor",
        "core/space.py",
        'Unit("bits/dim", self.dimensions * math.log(2.0))',
        'Unit("bits/dim", self.dimensions)',
        "tests/core",
    ),
    Bug(
        "seed",
        "core/noise.py",
        'splitmix(derive_seed(seed, "example"), first, n)',
        'splitmix(derive_seed(seed, "example"), 0, n)',
        "tests/core tests/conformance",
    ),
    Bug(
        "seed",
        "core/rng.py",
        '"/".join([str(seed), *map(str, words)])',
        '"/".join([*map(str, words)])',
        "tests/core tests/engine",
    ),
    Bug(
        "factor",
        "core/logprob.py",
        "lengths.std() / math.sqrt(len(self))",
        "lengths.std() / len(self)",
        "tests/core tests/app/test_text_scoring.py",
    ),
    Bug(
        "factor",
        "families/vae/decoder.py",
        "- 0.5 * math.log(2 * math.pi)",
        "- math.log(2 * math.pi)",
        "src/pushforward/families/vae tests/families/test_vae.py",
    ),
    Bug(
        "factor",
        "families/vae/estimators.py",
        "torch.logsumexp(w, 0) - math.log(count)",
        "torch.logsumexp(w, 0)",
        "tests/families/test_vae.py tests/conformance",
    ),
    Bug(
        "sign",
        "families/vae/prior.py",
        "(1.0 + 2.0 * log_scale - mean.square()",
        "(1.0 + 2.0 * log_scale + mean.square()",
        "tests/families tests/conformance",
    ),
    Bug(
        "sign",
        "families/vae/posterior.py",
        "return mean + log_scale.exp() * eps",
        "return mean - log_scale.exp() * eps",
        "tests/families src/pushforward/families/vae",
    ),
    Bug(
        "factor",
        "families/flow/transforms/spline.py",
        "4.0 * a * c",
        "2.0 * a * c",
        "tests/families",
    ),
    Bug(
        "sign",
        "families/flow/transforms/actnorm.py",
        "(-log_scale).exp() - bias",
        "(-log_scale).exp() + bias",
        "tests/families tests/conformance",
    ),
    Bug(
        "factor",
        "families/autoregressive/mixtures.py",
        "- log_scale - 0.5 * math.log(2 * math.pi)",
        "- 0.5 * math.log(2 * math.pi)",
        "tests/conformance",
    ),
    Bug(
        "sign",
        "families/autoregressive/speculative.py",
        "(truth.exp() - law.exp())",
        "(law.exp() - truth.exp())",
        "tests/families/test_search.py",
    ),
    Bug(
        "off by one",
        "families/autoregressive/cells.py",
        "2.0 * uniform / (flat +",
        "uniform / (flat +",
        "tests/families",
    ),
    Bug(
        "factor",
        "families/diffusion/paths/published.py",
        "torch.exp(-0.5 * total)",
        "torch.exp(-total)",
        "tests/families",
    ),
    Bug(
        "sign",
        "families/diffusion/paths/path.py",
        "torch.sigmoid(-log_snr).sqrt()",
        "torch.sigmoid(log_snr).sqrt()",
        "tests/families",
    ),
    Bug(
        "factor",
        "families/diffusion/denoisers/denoiser.py",
        "noise_level.log() / 4.0",
        "noise_level.log()",
        "tests/families",
    ),
    Bug(
        "factor",
        "families/diffusion/solvers/langevin.py",
        "x + 0.5 * step * score",
        "x + step * score",
        "tests/families",
    ),
    Bug(
        "factor",
        "families/diffusion/solvers/schemes.py",
        "-torch.expm1(-2.0 * self.eta * h)",
        "-torch.expm1(-self.eta * h)",
        "tests/families",
    ),
    Bug(
        "sign",
        "families/diffusion/solvers/ode_coordinates.py",
        "sigma_rate * (x - alpha * data) / sigma",
        "sigma_rate * (alpha * data - x) / sigma",
        "tests/families",
    ),
    Bug(
        "factor",
        "families/diffusion/densities/flow_density.py",
        "x1.shape[1] * math.log(alpha)",
        "math.log(alpha)",
        "tests/families tests/conformance",
    ),
    Bug(
        "factor",
        "engine/schedule.py",
        "(1.0 - final) * 0.5 *",
        "(1.0 - final) *",
        "tests/engine src/pushforward/engine",
    ),
    Bug("off by one", "engine/order.py", "step *", "(step + 1) *", "tests/engine"),
    Bug(
        "factor",
        "engine/power_average.py",
        "(exponent + 1.0) / (exponent + 3.0)",
        "(exponent + 1.0) / (exponent + 2.0)",
        "tests/engine",
    ),
    Bug(
        "factor",
        "evaluation/distribution/frechet.py",
        "np.trace(cov_y) - 2.0 * np.sqrt(cross)",
        "np.trace(cov_y) - np.sqrt(cross)",
        "tests/evaluation",
    ),
    Bug(
        "off by one",
        "evaluation/distribution/frechet.py",
        "np.sqrt(len(y) - 1)",
        "np.sqrt(len(y))",
        "tests/evaluation",
    ),
    Bug(
        "factor",
        "evaluation/distribution/mmd.py",
        "-2.0 * bandwidth**2",
        "-bandwidth**2",
        "tests/evaluation",
    ),
    Bug(
        "factor",
        "evaluation/distribution/energy.py",
        "2.0 * cdist(x, y).mean()",
        "cdist(x, y).mean()",
        "tests/evaluation",
    ),
    Bug(
        "factor",
        "evaluation/intervals.py",
        "z2 / (4 * n * n)",
        "z2 / (2 * n * n)",
        "tests/evaluation",
    ),
    Bug(
        "off by one",
        "evaluation/sign_flips.py",
        "stats.binom.sf(least - 1,",
        "stats.binom.sf(least,",
        "tests/evaluation",
    ),
    Bug(
        "sign",
        "evaluation/sign_flips.py",
        "[sums - one, sums + one]",
        "[sums + one, sums + one]",
        "tests/evaluation",
    ),
    Bug(
        "swapped axes",
        "evaluation/distribution/sliced_wasserstein.py",
        "transpose(0, 2, 1)",
        "transpose(0, 1, 2)",
        "tests/evaluation",
    ),
    Bug("factor", "nets/stepping.py", "** -0.5", "** -1", "tests/families"),
    Bug(
        "factor",
        "nets/logistic.py",
        "mean + log_scale.exp() * quantile",
        "mean + log_scale * quantile",
        "tests/conformance tests/families",
    ),
    Bug(
        "swapped axes",
        "core/operators.py",
        "self.rows.to(y).T @ y @ self.columns.to(y)",
        "self.columns.to(y).T @ y @ self.rows.to(y)",
        "tests/core tests/families tests/app/test_conditional_sampling.py",
    ),
    Bug(
        "factor",
        "core/scoring.py",
        "mixture(parts, model.label_frequency.log())",
        "mixture(parts, model.label_frequency)",
        "tests/conformance",
    ),
    Bug(
        "seed",
        "core/noise.py",
        "splitmix(self._start, block * TOGETHER, TOGETHER)",
        "splitmix(self._start, 0, TOGETHER)",
        "tests/core/test_counter.py",
    ),
    Bug(
        "device",
        "core/model.py",
        "return self.codec.decode(run(walk, report)).cpu()",
        "return self.codec.decode(run(walk, report))",
        "tests/conformance/test_pretend.py -k equal_seeds",
    ),
    Bug(
        "device",
        "core/model.py",
        "        batch = batch.to(self.device)\n",
        "        batch = batch\n",
        "tests/conformance/test_pretend.py -k gradients",
    ),
    Bug(
        "device",
        "core/counter.py",
        "& ((1 << (64 - shift)) - 1)",
        "& -1",
        "tests/conformance/test_pretend.py -k equal_seeds",
    ),
    Bug(
        "device",
        "core/noise.py",
        "self._counter, self.place = Counter(keys, self.device), 0",
        "self._counter, self.place = Counter(keys), 0",
        "tests/conformance/test_pretend.py -k equal_seeds",
    ),
    Bug(
        "device",
        "families/autoregressive/beam.py",
        "dtype=torch.bool, device=logits.device)",
        "dtype=torch.bool)",
        "tests/app/test_devices.py -k steers",
    ),
    Bug(
        "device",
        "families/autoregressive/speculative.py",
        ".to(prompt.device)",
        "",
        "tests/app/test_devices.py -k steers",
    ),
    Bug(
        "device",
        "engine/checkpoint.py",
        "t.detach().cpu().contiguous()",
        "t.detach().contiguous()",
        "tests/app/test_devices.py -k training_to_a_score",
    ),
    Bug(
        "device",
        "app/measuring/assessing.py",
        "model.codec.decode(view).cpu().numpy()",
        "model.codec.decode(view).numpy()",
        "tests/app/test_devices.py -k training_to_a_score",
    ),
    Bug(
        "device",
        "families/diffusion/densities/continuous_bound.py",
        "dtype=torch.float64, device=shift.device) + shift",
        "dtype=torch.float64) + shift",
        "tests/conformance/test_pretend.py -k equal_seeds",
    ),
    Bug(
        "device",
        "app/runs/training.py",
        "return model.to(here()).eval(), record",
        "return model.eval(), record",
        "tests/app/test_devices.py -k training_to_a_score",
    ),
    Bug(
        "device",
        "evaluation/features/image_network.py",
        "self._network(inputs.to(self._device))",
        "self._network(inputs)",
        "tests/evaluation/test_features_on_a_device.py",
    ),
    Bug(
        "device",
        "evaluation/features/own_network.py",
        ".double()).cpu()",
        ".double())",
        "tests/evaluation/test_features_on_a_device.py",
    ),
    Bug(
        "device",
        "engine/feeding.py",
        "        computing.wait_event(arrival)\n",
        "",
        "tests/engine/test_feeding.py",
    ),
    Bug(
        "off by one",
        "core/portions.py",
        "self.size, self._most = count // 2, count - 1",
        "self.size, self._most = count // 2, count",
        "tests/core/test_portions.py",
    ),
)


def main() -> None:
    """Plant each bug and say which ones nothing sees."""
    words = [int(word) for word in sys.argv[1:]] or [1, len(BUGS)]
    first, last = words[0], words[-1]
    unseen = []
    for number, bug in enumerate(BUGS[first - 1 : last], first):
        seen = killed(bug)
        print(
            f"{number:2} {'seen' if seen else 'NOT SEEN':8} {bug.kind}: {bug.file}: {bug.right}",
            flush=True,
        )
        unseen += [] if seen else [number]
    print(f"{last - first + 1 - len(unseen)} of {last - first + 1} seen")
    sys.exit(bool(unseen))


def planted(bug: Bug, source: Path) -> None:
    """Plant a bug in a copy of the source."""
    path = source / "pushforward" / bug.file
    text = path.read_text()
    if text.count(bug.right) == 0:
        raise SystemExit(f"{bug.file} has no '{bug.right}': the code has changed, so plant it anew")
    path.write_text(text.replace(bug.right, bug.wrong, 1))


def killed(bug: Bug) -> bool:
    """Return whether a test fails with a bug."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "src"
        shutil.copytree(SOURCE, source, ignore=shutil.ignore_patterns("__pycache__"))
        planted(bug, source)
        environment = {**os.environ, "PYTHONPATH": str(source), "OMP_NUM_THREADS": "1"}
        tests = [word.replace("src/", f"{source}/") for word in bug.tests.split()]
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-c", str(ROOT / "pyproject.toml")]
        command += ["-o", f"pythonpath={source} {ROOT / 'tests'}", *tests]
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode not in (0, 1):  # tests that could not run have seen nothing
            raise SystemExit(
                f"the tests of {bug.file} did not run: {done.stdout[-500:]}{done.stderr[-500:]}"
            )
        return done.returncode != 0


if __name__ == "__main__":
    main()
