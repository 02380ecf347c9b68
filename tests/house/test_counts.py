"""The counts by which the house is judged stay where they are (`counts.py` says what each of them counts)."""

from __future__ import annotations

from pathlib import Path

import pytest

from house.counts import kind_switches, long_signatures, only_tested, repeated_classes

# where kinds of data are at home, and how often each place asks for one
HOMES = {
    "app/measuring/scoring.py": 1,  # text is scored in windows that overlap, whatever else whole
    "app/runs/loading.py": 1,  # a program says that its frame holds texts
    "core/operators.py": 1,  # only pixels have neighbours
    "course/swapping.py": 1,  # the course's plugs are functions of points
    "data/images/folder.py": 1,  # a table among pictures is named as such
    "data/open.py": 9,  # what a source is taken for: asked, told by a run, or found
    "data/open_in_space.py": 2,  # pictures are read with the channels and the shape of others
    "data/reader.py": 2,  # columns are asked for, or anything
    "data/tables/delimited.py": 1,  # an archive of rows may hold another format of rows
    "data/tables/table_dataset.py": 2,  # rows are points or a table
    "data/text/recognising.py": 3,  # what is text by its name or its bytes
    "data/text/sources.py": 1,  # the formats that hold text
    "families/diffusion/denoisers/classifier.py": 1,  # a convolution or a perceptron
    "families/diffusion/gaussian.py": 1,  # likewise
    "provenance/run_directory.py": 2,  # the file of a dictionary, where there is one
}
SPELLINGS = {
    "isinstance(x, Points | Image)": "isinstance",
    "isinstance(encoding, RowsEncoding)": "isinstance",
    "issubclass(of, TextEncoding)": "issubclass",
    "type(space) is Table": "type",
    "space.kind == 'image'": "kind",
    "'text' in found.holds": "holds",
    "settings.get('kind') in ('table', None)": "settings",
    "dataset.encoding is None": "none",
    "dataset.encoding or 1": "truth",
    "1 if encoding else 0": "truth",
    "getattr(samples.encoding, 'form', 1)": "getattr",
    "hasattr(space, 'columns')": "hasattr",
    "{Points: 1, Image: 2}[type(space)]": "dictionary",
    "match space:\n    case Table():\n        pass": "pattern",
    "match kind:\n    case 'image':\n        pass": "pattern",
    "try:\n    encoding.form\nexcept AttributeError:\n    pass": "attribute",
}


def test_kinds_of_data_are_asked_for_where_they_are_at_home() -> None:
    found: dict[str, int] = {}
    for place in kind_switches():
        path = place.partition(":")[0]
        found[path] = found.get(path, 0) + 1
    more = {path: n for path, n in found.items() if n > HOMES.get(path, 0)}
    assert not more, f"give the space, the encoding or the kind a method instead: {more}"
    assert sum(HOMES.values()) <= 40


@pytest.mark.parametrize("spelled", SPELLINGS)
def test_a_switch_is_counted_however_it_is_spelled(spelled: str, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(spelled + "\n")
    assert len(kind_switches(tmp_path)) == 1


def test_an_assertion_is_no_switch(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("assert isinstance(space, Table)\n")
    assert not kind_switches(tmp_path)


def test_nothing_is_there_for_its_own_test_alone() -> None:
    assert not only_tested()


def test_signatures_are_short_and_class_names_are_of_one_class() -> None:
    assert not long_signatures()
    assert not repeated_classes()
