"""Files that look like others: sparse matrices, deep greys with alpha, folders without pictures."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import sparse

from data.odd_files import deep_png
from pushforward.core.errors import BadInput
from pushforward.core.limits import LIFT
from pushforward.data.formats.format import ReadOptions
from pushforward.data.images.options import ImageOptions
from pushforward.data.images.picture import read_picture
from pushforward.data.open import open_data
from pushforward.data.reader import read
from pushforward.faces.python.verbs import load

RNG = np.random.default_rng(0)


def _matrix(kind: str) -> np.ndarray:
    dense = np.where(RNG.random((30, 6)) < 0.4, RNG.integers(1, 9, (30, 6)), 0).astype(float)
    return (
        np.where(np.arange(6) == 2, RNG.random((30, 1)), dense)
        if kind != "int"
        else dense.astype(np.int16)
    )


@pytest.mark.parametrize("kind", ["csr", "csc", "coo", "bsr", "dia", "int"])
@pytest.mark.parametrize("form", ["array", "matrix"])
def test_a_sparse_file_is_the_dense_matrix(kind: str, form: str, tmp_path: Path) -> None:
    dense = _matrix(kind)
    made = getattr(sparse, f"{'csr' if kind == 'int' else kind}_{form}")(dense)
    sparse.save_npz(tmp_path / "m.npz", made)
    _, raw, _ = read(tmp_path / "m.npz", ReadOptions())
    np.testing.assert_array_equal(raw.x, dense)
    assert (raw.x.dtype, raw.labels) == (dense.dtype, None)
    assert "sparse" in raw.notes[0]
    assert open_data(tmp_path / "m.npz").space.dimensions == 6


def test_repeated_places_are_summed_as_scipy_does(tmp_path: Path) -> None:
    made = sparse.coo_array((np.array([1.0, 2.0, 4.0]), ([0, 0, 2], [1, 1, 0])), shape=(3, 2))
    sparse.save_npz(tmp_path / "m.npz", made)
    np.testing.assert_array_equal(read(tmp_path / "m.npz", ReadOptions())[1].x, made.toarray())


def test_a_sparse_array_with_a_fill_value(tmp_path: Path) -> None:
    """As the package `sparse` files them: the format is not named, places have one row for each axis."""
    parts = {"data": np.ones(2), "coords": np.array([[0, 3], [1, 0]]), "shape": np.array([4, 2])}
    np.savez(tmp_path / "m.npz", **parts, fill_value=np.float64(-1.0))
    expected = np.array([[-1.0, 1.0], [-1.0, -1.0], [-1.0, -1.0], [1.0, -1.0]])
    np.testing.assert_array_equal(read(tmp_path / "m.npz", ReadOptions())[1].x, expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"indices": np.array([0, 99])}, "sparse matrix in .* cannot be read"),
        ({"indptr": np.array([0, 1])}, "sparse matrix in .* cannot be read"),
        ({"format": np.array(b"lil")}, "format 'lil': expected csr"),
        ({"shape": np.array([10**6, 10**6])}, r"1,000,000 x 1,000,000 .* made dense"),
    ],
)
def test_sparse_parts_that_do_not_fit_are_refused(
    change: dict[str, np.ndarray], message: str, tmp_path: Path
) -> None:
    parts = {
        "format": np.array(b"csr"),
        "shape": np.array([2, 3]),
        "data": np.ones(2),
        "indices": np.array([0, 2]),
    }
    np.savez(tmp_path / "m.npz", **{**parts, "indptr": np.array([0, 1, 2]), **change})
    with pytest.raises(BadInput, match=message) as refused:
        open_data(tmp_path / "m.npz")
    assert ("1,000,000" in message) == (LIFT in str(refused.value))


def test_deep_greys_with_alpha_are_greys_in_full_depth(tmp_path: Path) -> None:
    pixels = RNG.integers(1, 65536, (5, 6, 2))
    path = deep_png(tmp_path / "x.png", pixels)
    tally: Counter[str] = Counter()
    (kept,) = read_picture(path, ImageOptions(alpha="keep"), tally)
    np.testing.assert_array_equal(kept.pixels, pixels)
    assert (tally, kept.grey) == ({"kept": 1}, True)
    (shown,) = read_picture(path, ImageOptions(), Counter())
    grey, alpha = pixels[..., :1], pixels[..., 1:]
    expected = np.round((grey * alpha + 65535 * (65535 - alpha)) / 65535)
    assert shown.pixels.shape == (5, 6, 1)
    assert np.abs(shown.pixels - expected).max() <= 1
    opaque = deep_png(tmp_path / "y.png", np.where(np.arange(2) == 1, 65535, pixels))
    np.testing.assert_array_equal(read_picture(opaque, ImageOptions(), Counter())[0].pixels, grey)


def test_a_folder_of_deep_greys_with_alpha_opens_as_greys(tmp_path: Path) -> None:
    for i in range(6):
        deep_png(tmp_path / f"{i}.png", RNG.integers(0, 65536, (4, 4, 2)))
    data = open_data(tmp_path)
    assert data.space.event_shape == (1, 4, 4)
    assert not any("colour" in words for words in (*data.notes, *data.lost))
    assert open_data(tmp_path, images={"alpha": "keep"}).space.event_shape == (2, 4, 4)


def _picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(RNG.integers(0, 256, (4, 4), dtype=np.uint8)).save(path)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (
            ("a.csv", "b.csv", "c.csv"),
            r"holds 3 files of other kinds: a.csv, b.csv, c.csv; .*name it, such as .*a\.csv",
        ),
        (("a.npy",), r"1 file of other kinds: a.npy; .*such as .*a\.npy"),
        (("a.docx", "in/b.xyz"), r"2 files of other kinds: a.docx, in/b.xyz$"),
        (
            ("a.heic", "notes.md"),
            r"1 file of a format that is not read: a.heic; .*1 file of other kinds: notes.md$",
        ),
        ((), "it is empty$"),
    ],
)
def test_a_folder_without_pictures_says_what_is_there(
    names: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    (tmp_path / "x").mkdir()
    for name in names:
        (tmp_path / "x" / name).parent.mkdir(exist_ok=True)
        # under a name that says nothing, text would be text
        (tmp_path / "x" / name).write_bytes(
            b"PK\3\4\0\0" if name.endswith((".docx", ".xyz")) else b"a,b\n1,2\n"
        )
    with pytest.raises(BadInput, match=said) as refused:
        open_data(tmp_path / "x")
    assert "beside the pictures" not in str(refused.value)


def test_a_folder_of_a_class_without_pictures_is_named(tmp_path: Path) -> None:
    for i in range(6):
        _picture(tmp_path / "x" / "ab"[i % 2] / f"{i}.png")
    (tmp_path / "x" / "c" / "deeper").mkdir(parents=True)
    assert (
        "2 sub-folders, so their names are the labels; no pictures in c"
        in open_data(tmp_path / "x").notes
    )
    (tmp_path / "x" / "d").mkdir()
    (tmp_path / "x" / "d" / "readme.md").write_text("none")
    assert (
        "2 sub-folders, so their names are the labels; no pictures in c, d"
        in open_data(tmp_path / "x").notes
    )


@pytest.mark.parametrize("one", [np.float64(3), np.array(3), torch.tensor(3.0)])
def test_a_single_number_is_called_one(one: object) -> None:
    with pytest.raises(
        BadInput, match=r"is a single number \(3(\.0)?\): expected at least five examples"
    ):
        open_data(one)


def _bare(x: torch.Tensor) -> np.ndarray:
    return np.sort(x.double().numpy().ravel())


@pytest.mark.filterwarnings("ignore")  # torch warns of its sparse layouts
@pytest.mark.parametrize(
    "kind",
    [
        "bfloat16",
        "float8_e4m3fn",
        "float8_e5m2",
        "sparse",
        "sparse_csr",
        "requires_grad",
        "parameter",
        "list",
        "pair",
    ],
)
def test_tensors_of_every_kind_are_read(kind: str) -> None:
    plain = torch.from_numpy(
        RNG.integers(-8, 9, (40, 3)) * 0.25
    ).float()  # exact in five bits of mantissa or fewer
    if kind == "sparse":
        held = plain.to_sparse()
    elif kind == "sparse_csr":
        held = plain.to_sparse_csr()
    elif kind == "requires_grad":
        held = plain.clone().requires_grad_()
    elif kind == "parameter":
        held = torch.nn.Parameter(plain)
    elif kind == "list":
        held = list(plain.bfloat16())
    elif kind == "pair":
        held = (plain.bfloat16().requires_grad_(), torch.arange(40) % 2)
    else:
        plain = plain.clamp(-1, 1)
        held = plain.to(getattr(torch, kind))
    data = load(held)
    x = torch.cat([data.train.x, data.validation.x, data.test.x])
    np.testing.assert_array_equal(_bare(x), _bare(plain))
    assert data.classes == (("0", "1") if kind == "pair" else ())


@pytest.mark.filterwarnings("ignore")  # torch warns of its sparse layouts
@pytest.mark.parametrize("kind", ["meta", "sparse"])
def test_tensors_that_cannot_be_read_are_one_sentence(kind: str) -> None:
    odd = torch.zeros(9, 3, device="meta") if kind == "meta" else torch.eye(2).to_sparse()
    odd = odd if kind == "meta" else odd.sparse_resize_((10**6, 10**6), 2, 0)
    with pytest.raises(BadInput, match=r"a tensor of float32 and shape") as refused:
        load(odd)
    assert "Error" not in str(refused.value)
