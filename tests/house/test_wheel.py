"""The wheel holds all that the library needs: built, unpacked beside nothing of the source, it trains, reports and teaches."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CODE = """
import sys
sys.path.insert(0, {site!r})
import pushforward
assert pushforward.__file__.startswith({site!r}), pushforward.__file__
from pushforward.faces.cli.main import main
for words in {words!r}:
    try:
        main(words)
    except SystemExit as stop:
        assert not stop.code, (words, stop.code)
"""


def test_the_wheel_trains_reports_and_teaches(tmp_path: Path) -> None:
    built = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(built, check=True, capture_output=True, cwd=ROOT)
    (wheel,) = tmp_path.glob("*.whl")
    site, run, page = tmp_path / "site", tmp_path / "run", tmp_path / "page.html"
    with zipfile.ZipFile(wheel) as packed:
        names = packed.namelist()
        packed.extractall(site)
    assert not [name for name in names if name.startswith(("tests", "benchmarks"))]
    (metadata,) = (name for name in names if name.endswith("METADATA"))
    requires = (site / metadata).read_text()
    assert (
        "Requires-Dist: torch<3,>=2.10" in requires
    )  # the exact version is for our own machines (constraints.txt)
    words = [
        ["--version"],
        ["train", "flow", "two-moons", "--steps", "2", "--preset", "smoke", "-o", str(run)],
        ["report", str(run), "-o", str(page)],
        ["course", "list"],
        ["course", "start", str(tmp_path / "answers.py")],
    ]
    code = CODE.format(site=str(site), words=words)
    done = subprocess.run(
        [sys.executable, "-I", "-c", code],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert page.stat().st_size > 10_000
    assert "answers.py" in done.stderr
