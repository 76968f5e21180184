"""CIFAR-10: records, the archive, parts of it, and what is said of damaged ones."""

import gzip
import hashlib
import io
import tarfile

import numpy as np
import pytest

from kiso.datasets import DataUnavailableError, _cifar, available, fetch_cifar10, read_cifar10
from kiso.datasets._cache import RemoteFile

RECORD = 3073


def records(rng, n):
    """Return n records as bytes, and the images and labels they stand for."""
    images = rng.integers(256, size=(n, 3, 32, 32), dtype=np.uint8)
    labels = rng.integers(10, size=n, dtype=np.uint8)
    pairs = zip(images, labels, strict=True)
    content = b"".join(bytes([label]) + image.tobytes() for image, label in pairs)
    return content, images, labels


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def archive(tmp_path, monkeypatch, rng):
    """A small archive in the format; gives (folder, what it holds by member)."""
    held = {}
    path = tmp_path / "cifar10" / "cifar-10-binary.tar.gz"
    path.parent.mkdir()
    with tarfile.open(path, "w:gz") as tar:
        for name in [*_cifar._MEMBERS["train"], *_cifar._MEMBERS["test"]]:
            held[name] = records(rng, 4)
            info = tarfile.TarInfo(name)
            info.size = len(held[name][0])
            tar.addfile(info, io.BytesIO(held[name][0]))
    sha = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(
        _cifar, "ARCHIVE", RemoteFile("cifar10/cifar-10-binary.tar.gz", "http://127.0.0.1:9/", sha)
    )
    monkeypatch.setattr(_cifar, "_PER_MEMBER", 4)
    return tmp_path, held


@pytest.mark.parametrize("split", ["train", "test"])
def test_archive(archive, split):
    folder, held = archive
    for part in (False, True):  # a whole set is preferred to a part
        images, labels = fetch_cifar10(split, part=part, data_folder=folder)
        names = _cifar._MEMBERS[split]
        np.testing.assert_array_equal(images, np.concatenate([held[n][1] for n in names]))
        np.testing.assert_array_equal(labels, np.concatenate([held[n][2] for n in names]))
    assert available("cifar10", folder)
    assert available("cifar10-part", folder)


def test_archive_with_a_short_member(archive, monkeypatch):
    monkeypatch.setattr(_cifar, "_PER_MEMBER", 5)
    with pytest.raises(ValueError, match="holds 4 records, not 5"):
        fetch_cifar10(data_folder=archive[0])


def test_the_longest_part_is_read_and_only_when_asked_for(tmp_path, monkeypatch, rng):
    monkeypatch.setattr(
        _cifar, "ARCHIVE", RemoteFile(_cifar.ARCHIVE.path, "http://127.0.0.1:9/f", "0" * 64)
    )
    folder = tmp_path / "cifar10"
    folder.mkdir()
    content, images, labels = records(rng, 12)
    (folder / "cifar10_train_first12.bin.gz").write_bytes(gzip.compress(content, mtime=0))
    (folder / "cifar10_train_first9.bin").write_bytes(content[: 9 * RECORD])
    got_images, got_labels = fetch_cifar10(part=True, data_folder=tmp_path)
    np.testing.assert_array_equal(got_images, images)
    np.testing.assert_array_equal(got_labels, labels)
    with pytest.raises(DataUnavailableError, match=r"save it as .*first 12 images.*part=True"):
        fetch_cifar10(data_folder=tmp_path)
    with pytest.raises(DataUnavailableError, match="cifar10_test_first"):
        fetch_cifar10("test", part=True, data_folder=tmp_path)
    assert not available("cifar10", tmp_path)
    assert not available("cifar10-part", tmp_path)  # nothing to test on
    (folder / "cifar10_train_first13.bin").write_bytes(content)
    with pytest.raises(ValueError, match="holds 12 records; its name says 13"):
        fetch_cifar10(part=True, data_folder=tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.bin", b"", "0 bytes are not records"),
        ("a.bin", bytes(RECORD + 1), "3074 bytes are not records"),
        ("a.bin", b"\x0a" + bytes(RECORD - 1), "label 10"),
        ("a.bin.gz", gzip.compress(bytes(RECORD), mtime=0)[:-5], "gzip"),
        ("a.bin.gz", bytes(RECORD), "gzip"),
    ],
)
def test_damaged_files(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_cifar10(tmp_path / name)


def test_unknown_split():
    with pytest.raises(ValueError, match="split='valid'"):
        fetch_cifar10("valid")


def test_real_parts(real_data):
    real_data("cifar10/cifar10_train_first5000.bin.gz")
    images, labels = fetch_cifar10(part=True)
    assert images.shape[1:] == (3, 32, 32)
    assert len(images) == len(labels) >= 5000
    assert labels[:5].tolist() == [6, 9, 9, 4, 1]  # frog, two trucks, deer, automobile
    assert images[0, :, 0, 0].tolist() == [59, 62, 63]
