"""Data: toys integrate to one, splits do not leak, and bad input gets one clear sentence."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as Pillow

from oracles import grid
from pushforward.core.errors import BadInput
from pushforward.core.rng import generator
from pushforward.core.space import Image, Points
from pushforward.data.builtin import builtins
from pushforward.data.dataset import describe
from pushforward.data.formats.format import Samples
from pushforward.data.open import open_data
from pushforward.data.open_in_space import open_like
from pushforward.data.split import split_rows
from pushforward.data.toys import TOYS, GaussianMixture, toy
from pushforward.data.write import write_samples

MNIST = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "mnist"


@pytest.mark.parametrize("name", sorted(TOYS))
def test_toy_density_integrates_to_one_and_has_its_entropy(name: str) -> None:
    density = toy(name)
    x, cell = grid(-8.0, 8.0, 160)  # cells of a tenth, on which the edges of a board lie
    mass = float(density.log_prob(x).exp().sum() * cell)
    assert mass == pytest.approx(1.0, abs=1e-5)
    sample = density.sample(10_000, generator(0, name))
    log_p = density.log_prob(sample)
    assert bool(torch.isfinite(log_p).all())
    # five standard errors: a false alarm once in 1.7 million, and the seed is fixed
    assert float(-log_p.mean()) == pytest.approx(
        density.entropy, abs=5 * float(log_p.std()) / 100 + 1e-4
    )


def test_stored_entropy_is_the_integral() -> None:
    density = toy("gaussians-8")
    assert isinstance(density, GaussianMixture)
    assert density._integrate() == pytest.approx(density.entropy, abs=1e-5)


def test_builtins_all_open_and_are_described() -> None:
    for name, text in builtins():
        data = open_data(name)
        record = describe(data)
        assert record["train"] > record["test"] > record["validation"] > 0 or name != "digits"
        assert text
        assert len(data.fingerprint) == 64
    digits = open_data("digits")
    assert digits.space == Image(1, 8, 8, levels=17)
    assert digits.classes == tuple("0123456789")
    assert len(digits.train) + len(digits.validation) + len(digits.test) == 1797


def test_split_is_deterministic_stratified_and_without_leaks() -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 3, size=(3000, 6))  # 729 distinct rows, so nearly all are duplicates
    labels = x[:, 0]
    a, b = split_rows(x, labels, 1), split_rows(x, labels, 1)
    assert all((p == q).all() for p, q in zip(a, b, strict=True))
    assert sorted(np.concatenate(a).tolist()) == list(range(3000))
    seen = [{tuple(row) for row in x[rows]} for rows in a]
    assert not seen[0] & seen[1]
    assert not seen[0] & seen[2]
    assert not seen[1] & seen[2]
    assert 0.6 < len(a[0]) / 3000 < 0.8
    shares = [np.bincount(labels[rows], minlength=3) / len(rows) for rows in a]
    assert np.abs(shares[0] - shares[2]).max() < 0.06
    assert split_rows(x, labels, 2)[2].tolist() != a[2].tolist()


def test_the_first_rows_of_a_split_are_of_all_kinds() -> None:
    x = np.arange(4000.0).reshape(2000, 2)
    for rows in split_rows(x, None, 0):
        head = x[rows[:100], 0]
        # uniform on 0 to 4,000: a mean beyond five standard errors once in a million
        assert abs(head.mean() - 2000) < 5 * 4000 / 12**0.5 / 10


def save_image(path: Path, value: int, size: tuple[int, int] = (6, 5), mode: str = "L") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(value)
    shape = (size[1], size[0]) if mode == "L" else (size[1], size[0], 3)
    Pillow.fromarray(rng.integers(0, 256, shape, dtype=np.uint8)).save(path)


def test_image_folder_with_labels_and_a_bad_file(tmp_path: Path) -> None:
    for i in range(24):
        save_image(tmp_path / ("cat" if i % 2 else "dog") / f"{i}.png", i)
    data = open_data(tmp_path)
    assert data.space == Image(1, 5, 6, levels=256)
    assert data.classes == ("cat", "dog")
    whole = (tmp_path / "cat" / "1.png").read_bytes()
    (tmp_path / "cat" / "1.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadInput, match=r"1 unusable picture.*cat/1\.png.*--skip-bad"):
        open_data(tmp_path)
    skipped = open_data(tmp_path, skip_bad=True)
    assert len(skipped.skipped) == 1
    assert any("1 unusable picture left out" in note for note in skipped.notes)
    save_image(tmp_path / "dog" / "big.png", 99, size=(9, 9))
    with pytest.raises(BadInput, match=r"mixed sizes or channels.*9 x 9"):
        open_data(tmp_path, skip_bad=True)


def test_mixed_channels_and_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"image files .*; it is empty"):
        open_data(tmp_path)
    for i in range(6):
        save_image(tmp_path / f"{i}.png", i, mode="RGB" if i == 3 else "L")
    with pytest.raises(BadInput, match=r"mixed sizes or channels.*colour"):
        open_data(tmp_path)


def test_arrays_and_their_errors(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, 3))
    assert open_data(x).space == Points(3)
    bad = x.copy()
    bad[[4, 17], 1] = np.nan
    with pytest.raises(BadInput, match=r"NaN or infinity in 2 rows .*rows 4, 17"):
        open_data(bad)
    constant = x.copy()
    constant[:, 2] = 1.0
    with pytest.raises(BadInput, match=r"constant columns .*columns 2"):
        open_data(constant)
    with pytest.raises(BadInput, match=r"Python objects"):
        open_data(np.array([{}, []], dtype=object))
    with pytest.raises(BadInput, match=r"dtype complex128"):
        open_data(x.astype(complex))
    with pytest.raises(BadInput, match=r"holds one example"):
        open_data(x[:1])
    with pytest.raises(BadInput, match=r"3 labels for 50 examples"):
        open_data((x, ["a", "b", "c"]))
    np.save(tmp_path / "pickled.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(BadInput, match=r"pickled Python objects.*never loaded"):
        open_data(tmp_path / "pickled.npy")
    np.savez(tmp_path / "x.npz", x=x)
    raw = (tmp_path / "x.npz").read_bytes()
    (tmp_path / "x.npz").write_bytes(raw[: len(raw) // 2])
    with pytest.raises(BadInput, match=r"cannot be read"):
        open_data(tmp_path / "x.npz")
    with pytest.raises(BadInput, match=r"no data called 'digts'.*did you mean 'digits'"):
        open_data("digts")
    with pytest.raises(BadInput, match=r"no data called '/nowhere/x.npy'"):
        open_data("/nowhere/x.npy")
    with pytest.raises(BadInput, match=r"real numbers of shape"):
        open_data(rng.random((10, 4, 4)))
    with pytest.raises(BadInput, match=r"from -1\.4.* to .*data\.levels=256 rounds them"):
        open_data(rng.random((10, 4, 4)) - 1.5 * np.eye(4))


def test_image_arrays_are_sniffed_with_reasons() -> None:
    rng = np.random.default_rng(0)
    colour = open_data(rng.integers(0, 256, (20, 4, 5, 3), dtype=np.uint8))
    assert colour.space == Image(3, 4, 5, levels=256)
    assert any("channel axis" in note for note in colour.notes)
    binary = open_data(rng.integers(0, 2, (20, 4, 5), dtype=np.uint8))
    assert binary.space == Image(1, 4, 5, levels=2)


def test_npz_with_its_own_split(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    train, test = rng.normal(size=(40, 2)), rng.normal(size=(10, 2))
    np.savez(
        tmp_path / "d.npz",
        x_train=train,
        x_test=test,
        y_train=np.arange(40) % 2,
        y_test=np.arange(10) % 2,
    )
    data = open_data(tmp_path / "d.npz")
    np.testing.assert_allclose(data.test.x.numpy(), test.astype(np.float32))
    assert len(data.train) + len(data.validation) == 40
    assert data.classes == ("0", "1")


def test_csv_and_its_errors(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    rows = [f"{i},{i * i % 7},{'a' if i % 2 else 'b'}" for i in range(30)]
    path.write_text("u,v,label\n" + "\n".join(rows))
    data = open_data(path)
    assert data.space == Points(2)
    assert data.classes == ("a", "b")
    path.write_text("1,2\n3,4\n5\n")
    with pytest.raises(BadInput, match=r"line 3 of .* has 1 field: expected 2"):
        open_data(path)
    path.write_text("u,v\n1,2\n3,four\n")
    with pytest.raises(BadInput, match=r"'four' in line 3, field 2"):
        open_data(path)
    path.write_text("u,v\n1,2\n3,inf\n4,5\n")
    with pytest.raises(BadInput, match=r"NaN or infinity in 1 rows .*lines 3"):
        open_data(path)
    path.write_bytes(b"u,v\n1,\x00\xff\n")
    with pytest.raises(BadInput, match=r"not UTF-8 at byte 7"):
        open_data(path)


def idx_bytes(x: np.ndarray) -> bytes:
    return (
        bytes([0, 0, 8, x.ndim])
        + struct.pack(f">{x.ndim}I", *x.shape)
        + x.astype(np.uint8).tobytes()
    )


def test_idx_pairs_and_their_errors(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for part, n in (("train", 40), ("t10k", 12)):
        x, y = rng.integers(0, 256, (n, 4, 5)), np.arange(n) % 3
        (tmp_path / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx_bytes(x)))
        (tmp_path / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx_bytes(y)))
    data = open_data(tmp_path)
    assert (data.space, len(data.test), data.classes) == (Image(1, 4, 5), 12, ("0", "1", "2"))
    one = tmp_path / "one-idx3-ubyte"
    one.write_bytes(idx_bytes(rng.integers(0, 256, (9, 4, 5)))[:-7])
    with pytest.raises(BadInput, match=r"expected 196 bytes.*truncated"):
        open_data(one)
    one.write_bytes(b"\x89PNG")
    with pytest.raises(BadInput, match=r"begins with 89504e47"):
        open_data(one)
    broken = tmp_path / "two-idx3-ubyte.gz"
    broken.write_bytes(gzip.compress(idx_bytes(rng.integers(0, 256, (9, 4, 5))))[:-20])
    with pytest.raises(BadInput, match=r"cannot be read"):
        open_data(broken)


def test_mnist_opens() -> None:
    if not MNIST.is_dir():
        pytest.skip("the files of MNIST in ../shared/data/mnist end this")
    data = open_data(MNIST / "t10k-images-idx3-ubyte.gz")
    assert data.space == Image(1, 28, 28)
    assert len(data.classes) == 10


def test_open_like_aligns_or_refuses(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    space = Image(1, 4, 4, levels=17)
    np.savez(tmp_path / "s.npz", x=rng.integers(0, 10, (8, 4, 4)), labels=np.array(["b", "a"] * 4))
    examples = open_like(str(tmp_path / "s.npz"), space, ("a", "b"))
    assert examples.given is not None
    assert examples.given.label.tolist() == [1, 0] * 4
    with pytest.raises(BadInput, match=r"unknown labels b"):
        open_like(str(tmp_path / "s.npz"), space, ("a", "c"))
    with pytest.raises(BadInput, match=r"expected Points"):
        open_like(str(tmp_path / "s.npz"), Points(2), ())


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".csv", ".png", ""])
def test_written_samples_come_back(suffix: str, tmp_path: Path) -> None:
    space = Image(1, 4, 5, levels=17)
    x = torch.randint(0, 17, (7, 1, 4, 5), generator=generator(0)).to(torch.uint8)
    target = tmp_path / f"out{suffix}"
    written = write_samples(target, Samples(x, space, labels=["a"] * 7))
    assert all(p.is_file() for p in written)
    if suffix == ".npy":
        np.testing.assert_array_equal(np.load(target), x.numpy())
    elif suffix == ".csv":
        assert len(target.read_text().splitlines()) == 8
    elif suffix == "":
        assert len(written) == 7
        with Pillow.open(written[0]) as picture:
            np.testing.assert_array_equal(
                np.asarray(picture), np.round(x[0, 0].numpy() * (255.0 / 16)).astype(np.uint8)
            )
        with pytest.raises(BadInput, match=r"holds other files"):
            write_samples(target, Samples(x, space))
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]


def test_unknown_extension_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"a name that ends in"):
        write_samples(tmp_path / "x.bmp", Samples(torch.zeros(2, 2), Points(2)))
