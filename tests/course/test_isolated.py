"""A file of answers runs in a process of its own: nothing that it does there decides a verdict."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pushforward.core.errors import BadInput
from pushforward.course import isolated
from pushforward.course.isolated import check_file

HOSTILE = """
import ctypes, math, os, sys, torch

torch.set_grad_enabled(False)

def kl_to_standard_normal(mean, log_scale):
    sys.exit(0)

def iwae(log_weights):
    os._exit(0)

def elbo(x, mean, log_scale, decoded_mean, decoded_log_scale):
    while True:
        pass

def coupling(x, network):
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass

def reparameterise(mean, log_scale, noise):
    return mean.detach() + log_scale.exp() * noise

def flow_log_prob(x, shift, log_scale):
    def again():
        return again()
    return again()

def gan_losses(real_logits, fake_logits):
    soft = torch.nn.functional.softplus
    return soft(-real_logits).mean() + soft(fake_logits).mean(), soft(-fake_logits).mean()

def denoising_loss(predicted_noise, noise):
    print("x" * 100_000)
    return ((predicted_noise - noise) ** 2).mean()

def guided(conditional, unconditional, weight):
    return [0] * 10**10

def add_noise(x, noise, alpha_bar):
    ctypes.string_at(0)

def ddim_step(x, predicted_noise, alpha_bar, next_alpha_bar):
    raise KeyboardInterrupt
"""

PATCHED = """
import torch
import pushforward.course.checking as checking, pushforward.course.laws as laws, pushforward.course.values as values

torch.equal = torch.allclose = lambda *a, **k: True
values.close = values.same = checking.same = laws.equal = lambda *a, **k: True

def denoising_loss(predicted_noise, noise):
    return ((predicted_noise - noise) ** 2).sum()

def frechet_distance(mean_a, variance_a, mean_b, variance_b):
    return ((mean_a - mean_b) ** 2 + (variance_a.sqrt() - variance_b.sqrt()) ** 2).sum()
"""


def test_an_answer_loses_its_own_verdict_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(isolated, "GRACE", 1.0)
    path = tmp_path / "mine.py"
    path.write_text(HOSTILE)
    found = {outcome.name: outcome for outcome in check_file(path, [], seconds=1.0)}
    says = {
        "vae.kl": "raised SystemExit, which would end the program",
        "vae.iwae": "ended the process (exit status 0)",
        "vae.elbo": "still running after 1 seconds",
        "flow.coupling": "still running after 1 seconds",
        "vae.reparameterise": "no gradient flows to mean",
        "flow.log_prob": "raised RecursionError",
        "score.guidance": "raised MemoryError",
        "diffusion.noise": "ended the process (SIGSEGV",
        "diffusion.ddim": "raised KeyboardInterrupt, which would end the program",
    }
    for name, text in says.items():
        assert text in found[name].says, str(found[name])
    assert {name for name, outcome in found.items() if outcome} == {"gan.losses", "diffusion.loss"}
    shown = capsys.readouterr().err
    assert "Traceback" not in shown
    assert len(shown) < 30_000


def test_a_verdict_counts_only_where_the_file_has_not_run(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(PATCHED)
    wrong, right = check_file(path, ["diffusion.loss", "evaluation.frechet"])
    assert right
    assert not wrong
    assert "does the file change torch" in wrong.says


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("raise KeyboardInterrupt", "which raised KeyboardInterrupt"),
        ("class Gone(BaseException): pass\nraise Gone", "which raised Gone"),
        ("import os; os._exit(0)", r"ended the process \(exit status 0\)"),
        ("while True: pass", "still running after"),
    ],
)
def test_a_file_that_leaves_or_hangs_is_no_file_of_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, says: str
) -> None:
    monkeypatch.setattr(isolated, "LOADING", 4.0)
    path = tmp_path / "mine.py"
    path.write_text(f"def iwae(log_weights):\n    return log_weights\n\n{line}\n")
    with pytest.raises(BadInput, match=says):
        check_file(path, [])


SCRIPT = """
import torch
from pushforward.course import check

def right(predicted, noise):
    return ((predicted - noise) ** 2).mean()

check("diffusion.loss", right)
print("next")
print(check("diffusion.loss", lambda p, n: (p - n).abs().mean()))
if not check("diffusion.loss", lambda p, n: ((p - n) ** 2).sum()):
    print("wrong")
kept = check("diffusion.loss", lambda p, n: -((p - n) ** 2).mean())
print(f"{kept}")
assert check("diffusion.loss", right)
late = check("diffusion.loss", lambda p, n: p)
print("end")
"""


def test_in_a_script_every_outcome_is_told_once(tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_text(SCRIPT)
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=True)
    told = [line[:60] for line in done.stdout.splitlines() if not line.startswith("  ")]
    assert [line.removeprefix("diffusion.loss: ")[:30] for line in told] == [
        "passed. Right on 6 cases and t",
        "next",
        "not yet. this is the absolute ",
        "not yet. you summed over all e",
        "wrong",
        "not yet. the sign is wrong: a ",
        "passed. Right on 6 cases and t",
        "end",
        "not yet. one value for each en",
    ]
