"""Two hundred damaged inputs, the same ones every time: one sentence and exit 2, or it works; never an internal error or a hang.

More by hand: `python tests/fuzz/trying.py 2000` (LOG.md has the last count).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from fuzz.targets import TARGETS
from fuzz.trying import attempt, make_runs

EACH = -(-200 // len(TARGETS))


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_runs(tmp_path_factory.mktemp("runs"))


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.filterwarnings("default")
def test_damaged_input_is_refused_in_one_sentence(target: str, runs: Path) -> None:
    broke = [
        found.broke for number in range(EACH) if (found := attempt(target, number, runs)).broke
    ]
    assert not broke
