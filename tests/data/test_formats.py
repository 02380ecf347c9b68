"""Every declaration of a format holds what it says, and the documents say what is declared."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pushforward.data.formats.choosing import format_of, table_of_formats
from pushforward.data.formats.file_formats import FORMATS
from pushforward.data.formats.format import Format, _function

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
