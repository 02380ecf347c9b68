"""Points that came from a table: names, labels, order, dtypes and decimals come back, other files are aligned by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import pushforward as pf
from pushforward.app.runs.opening import open_source
from pushforward.core.errors import BadInput
from pushforward.core.given import label_of
from pushforward.core.space import Image, Points
from pushforward.data.encoding import encoding_from_json
from pushforward.data.open import open_data
from pushforward.data.points import PointsEncoding

N = 60
RNG = np.random.default_rng(0)
REAL = RNG.normal(size=(N, 3)) * [3.0, 1.0, 0.01] + [100.0, 0.0, 0.5]


def rows(
    label: str = "{kind}",
    at: int = 3,
    delimiter: str = ",",
    header: str = "length,width,asym,class",
) -> str:
    """A file of three numbers with four, two and six decimals and a label."""
    names = header.split(",")
    lines = [delimiter.join([*names[:3][:at], names[3], *names[:3][at:]])] if header else []
    for i, (a, b, c) in enumerate(REAL):
        cells = [f"{a:.4f}", f"{round(b, 2) + 0.0:.2f}", f"{c:.6f}"]
        cells.insert(at, label.format(kind="gh"[i % 2], digit=i % 3, real=f"{i % 3}.0"))
        lines.append(delimiter.join(cells))
    return "\n".join(lines) + "\n"


def encoding_of(source: Any, **settings: Any) -> PointsEncoding:
    data = open_source(source, settings)
    assert isinstance(data.encoding, PointsEncoding)
    assert data.space == data.encoding.space
    loaded = encoding_from_json(json.loads(json.dumps(data.encoding.to_json())))
    assert loaded == data.encoding
    return data.encoding


def again(encoding: PointsEncoding, path: Path) -> str:
    """The file as it is written after it was read, through single precision."""
    found = encoding.read(path)
    return encoding.csv(encoding.decode(found.x.float(), label_of(found.given)))


FILES = {
    "label last": rows(),
    "label first": rows(at=0),
    "label between": rows(at=1),
    "whole labels": rows("{digit}"),
    "labels with a point": rows("{real}", header="length,width,asym,label"),
    "capitals": rows(header="length,width,asym,Class"),
    "semicolons": rows(delimiter=";"),
    "decimal commas": rows(delimiter=";").replace(".", ","),
    "tabs": rows(delimiter="\t"),
    "spaces in names": rows(header="a length,the width,é,class"),
    "percent": rows().replace(",g", "%,g").replace(",h", "%,h"),
    "a constant": "\n".join(
        line + ("," + ("dose" if not i else "5")) for i, line in enumerate(rows().splitlines())
    )
    + "\n",
    "whole numbers": "u,v,class\n"
    + "".join(f"{i * i % 17},{i % 11},{'ab'[i % 2]}\n" for i in range(N)),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_comes_back_as_it_was_though_it_is_opened_as_points(
    name: str, tmp_path: Path
) -> None:
    path = tmp_path / "t.csv"
    path.write_text(FILES[name])
    assert again(encoding_of(str(path)), path) == FILES[name]


def test_a_file_without_a_header_is_written_with_the_names_that_its_columns_are_given(
    tmp_path: Path,
) -> None:
    path = tmp_path / "t.csv"
    path.write_text("\n".join(line.rpartition(",")[0] for line in rows(header="").splitlines()))
    encoding = encoding_of(str(path))
    assert again(encoding, path).splitlines()[1:] == path.read_text().splitlines()
    assert again(encoding, path).splitlines()[0] == "x0,x1,x2"


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "uint8"])
@pytest.mark.parametrize("names", [["u", "v", "w"], [3, 1, 2]])
def test_a_frame_comes_back_with_its_names_and_dtypes(dtype: str, names: list[Any]) -> None:
    frame = pd.DataFrame(
        np.abs(REAL).round(3) if dtype[0] == "f" else RNG.integers(0, 90, (N, 3)), columns=names
    ).astype(dtype)
    encoding = encoding_of(frame, kind="points")
    back = encoding.decode(encoding.read(frame).x)
    assert back.columns.tolist() == names
    pd.testing.assert_frame_equal(back, frame, check_names=False, rtol=1e-6)
    if dtype == "float64":
        assert back.equals(frame)


def test_numbers_off_every_grid_lose_the_digits_that_single_precision_does_not_hold() -> None:
    frame = pd.DataFrame({"u": REAL[:, 0], "v": REAL[:, 2]})
    encoding = encoding_of(frame)
    back = encoding.decode(encoding.read(frame).x.float())
    assert np.abs(back.to_numpy() - frame.to_numpy()).max() < 1e-5
    assert all(len(repr(value).rstrip("0")) <= 13 for value in back.to_numpy().ravel().tolist())


def test_other_files_are_aligned_by_name_or_refused_by_name(tmp_path: Path) -> None:
    path, other = tmp_path / "t.csv", tmp_path / "o.csv"
    path.write_text(rows())
    encoding = encoding_of(str(path))
    frame = pd.read_csv(path)
    shuffled = frame[["class", "asym", "length", "width"]]
    shuffled.to_csv(other, index=False)
    for source in (other, shuffled):
        found = encoding.read(source)
        assert torch.equal(found.x, encoding.read(path).x)
        index = label_of(found.given)
        assert index is not None
        assert index.tolist() == [i % 2 for i in range(N)]
    assert encoding.read(shuffled.drop(columns="class")).given is None
    np.save(tmp_path / "o.npy", frame.iloc[:, :3].to_numpy())
    assert torch.allclose(
        encoding.read(tmp_path / "o.npy").x.float(), encoding.read(path).x.float()
    )
    for changed, said in (
        (frame.rename(columns={"width": "widht"}), r"without the column 'width'.*'widht'"),
        (frame.assign(more=1), r"a column 'more' in .* that the training data do not have"),
        (frame.replace({"class": {"h": "x"}}), r"unknown labels x in .*among g, h"),
        (
            frame.astype(object).replace({"length": {frame["length"][3]: "long"}}),
            r"'long' in column 'length', row 3",
        ),
    ):
        with pytest.raises(BadInput, match=said):
            encoding.read(changed)
    # the run reads its own data again in any order of columns
    again_open = open_data(other, encoding=encoding)
    assert again_open.space == Points(3)
    assert again_open.classes == ("g", "h")


def test_columns_are_dropped_and_read_otherwise_without_making_a_table(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(
        "u,v,w\n"
        + "".join(f"{i % 7},{1 + i % 9}.{100 + i},{'oops' if i == 2 else i}\n" for i in range(N))
    )
    encoding = encoding_of(str(path), **{"columns.w": "drop"})
    assert encoding.names == ["u", "v"]
    assert len(encoding.read(path)) == N
    assert open_source(str(path), {"columns.w": "drop"}).lost == ("column 'w': left out, as asked",)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    path = tmp_path_factory.mktemp("points") / "magic.csv"
    path.write_text(rows(at=1))
    return pf.fit("flow", str(path), steps=3, preset="smoke"), path


def test_samples_are_rows_of_the_file(model: tuple[Any, Path], tmp_path: Path) -> None:
    fitted, path = model
    header = path.read_text().splitlines()[0].split(",")
    frame = fitted.sample(50, seed=1)
    assert frame.columns.tolist() == header
    assert set(frame["class"]) == {"g", "h"}
    assert frame["length"].equals(frame["length"].round(4))
    assert set(fitted.sample(5, given="g")["class"]) == {"g"}
    assert fitted.sample(3, given=["g", "h", "g"])["class"].tolist() == ["g", "h", "g"]
    # the first rows do not depend on how many follow
    assert fitted.sample(9, seed=1).equals(frame[:9])
    run = fitted.save(tmp_path / "run")
    opened = pf.open(run)
    assert opened.sample(50, seed=1).equals(frame)
    assert len(opened.log_prob(str(path))) == N
    assert len(opened.log_prob(frame)) == 50


# ---- pictures in tables ---------------------------------------------------------------------------------------------


def pixels(header: str, label: bool = True, side: int = 8, top: int = 255) -> str:
    x = RNG.integers(0, top + 1, (N, side * side))
    x[0, 0] = top
    names = ["label"] * label + [
        header.format(i=i, row=i // side, column=i % side) for i in range(side * side)
    ]
    lines = [
        ",".join(map(str, [*([i % 10] if label else []), *row])) for i, row in enumerate(x.tolist())
    ]
    return "\n".join([",".join(names), *lines]) + "\n"


@pytest.mark.parametrize(
    "text",
    [
        pixels("pixel{i}"),
        pixels("px_{i}"),
        pixels("{i}"),
        pixels("{row}x{column}"),
        pixels("pixel_{row}_{column}", top=16),
        pixels("x{i}", False),
    ],
    ids=["pixel0", "px_0", "0", "1x1", "pixel_0_0", "no label"],
)
def test_columns_of_pixels_are_pictures_unless_said_otherwise(text: str, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text)
    data = open_data(path)
    assert isinstance(data.space, Image)
    assert data.space.event_shape == (1, 8, 8)
    assert len(data.classes) == (10 if text.startswith("label") else 0)
    assert any(
        "pictures of 8 x 8 pixels" in note and "data.kind=points" in note for note in data.notes
    )
    first = np.array(text.splitlines()[1].split(",")[-64:], dtype=int)
    everything = torch.cat([data.train.x, data.validation.x, data.test.x]).reshape(N, -1)
    assert (everything == torch.from_numpy(first)).all(1).any()
    assert open_data(path, kind="points").space == Points(64)
    assert open_data(path, kind="table").space.kind == "table"


@pytest.mark.parametrize(
    "text",
    [
        pixels("pixel{i}").replace(",pixel63", ",height"),
        pixels("pixel{i}", top=900),
        "\n".join(line.rpartition(",")[0] for line in pixels("pixel{i}").splitlines()),
        pixels("pixel{i}", top=1),
    ],
    ids=["another name", "no bytes", "no square", "two levels"],
)
def test_other_columns_of_whole_numbers_are_no_pictures(text: str, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text)
    assert open_data(path).space.kind == "points"


@pytest.mark.parametrize(
    ("spelled", "said"),
    [
        ("{!r}", "such as '0.1257302210933933', which comes back as '0.12573022'"),
        ("{:.17f}", "such as '0.12573022109339330', which comes back as '0.12573022'"),
        ("{:.12f}", "such as '0.125730221093', which comes back as '0.125730220000'"),
        ("{:.6f}", ""),
    ],
)
def test_digits_that_samples_have_not_are_lost(tmp_path: Path, spelled: str, said: str) -> None:
    """What `lost` quotes is what is written of the numbers of the file themselves."""
    values = np.random.default_rng(0).normal(size=(60, 2)).tolist()
    lines = [f"{spelled.format(a)},{b:.3f}" for a, b in values]
    path = tmp_path / "t.csv"
    path.write_text("\n".join(["a,b", *lines, ""]))
    data = open_source(str(path))
    start = "column 'a': samples have fewer digits than the data, "
    assert data.lost == ((start + said,) if said else ())
    assert isinstance(data.encoding, PointsEncoding)
    back = data.encoding.csv(data.encoding.decode(data.train.x)).splitlines()
    assert (set(back) <= set(path.read_text().splitlines())) == (not said)
    # what a run reads again is said to lose the same
    assert open_data(path, encoding=data.encoding).lost == data.lost
