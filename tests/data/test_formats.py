"""Every declaration of a format holds what it says, and the documents say what is declared."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image as Picture

from pushforward.data.formats.choosing import format_of, table_of_formats
from pushforward.data.formats.file_formats import FORMATS
from pushforward.data.formats.format import Format, _function
from pushforward.data.open import open_data

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("one", list(FORMATS), ids=lambda one: one.name)
def test_what_a_declaration_names_is_there(one: Format) -> None:
    for named in (one.reader, one.sniffer, one.writer):
        assert not named or callable(_function(named))
    assert bool(one.holds) == bool(one.reader)
    assert bool(one.writes) == bool(one.writer)


def test_no_two_formats_claim_a_name() -> None:
    claimed = [suffix for one in FORMATS if one.holds for suffix in one.suffixes]
    assert len(set(claimed)) == len(claimed)
    for suffix in claimed:
        found = format_of(Path(f"absent{suffix}"))
        assert found is not None
        assert suffix in found.suffixes


def test_the_guide_has_the_declared_table() -> None:
    guide = (ROOT / "docs" / "data.md").read_text()
    head, *rows = ["| " + " | ".join(row) + " |" for row in table_of_formats()]
    assert "\n".join([head, "|---" * 5 + "|", *rows]) in guide


def test_declarations_import_nothing_heavy() -> None:
    heavy = ("torch", "numpy", "pandas", "PIL", "pydantic")
    code = (
        "import sys, pushforward.data.formats.choosing as c; c.output_help(); c.readable(); c.table_of_formats()\n"
        f"assert not [name for name in {heavy} if name in sys.modules]"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT / "src")


def test_a_folder_may_be_called_like_a_file(tmp_path: Path) -> None:
    for name in ("cats.png", "cats.csv", "cats.txt"):
        for i in range(12):
            (tmp_path / name).mkdir(exist_ok=True)
            Picture.fromarray(np.full((4, 4), i, np.uint8)).save(tmp_path / name / f"{i}.png")
        assert open_data(tmp_path / name).space.kind == "image"
    frame = pd.DataFrame({"a": [f"w{i % 3}" for i in range(40)], "b": np.arange(40) % 5})
    (tmp_path / "parts.parquet").mkdir()
    for i in range(2):
        frame.to_parquet(tmp_path / "parts.parquet" / f"{i}.parquet")
    assert open_data(tmp_path / "parts.parquet").space.kind == "table"
