"""Data files: found in the folder, downloaded once, checked, never half there."""

import gzip
import hashlib
import http.server
import struct
import threading
from functools import partial

import numpy as np
import pytest

from kiso import datasets
from kiso.datasets import DataUnavailableError, _images, available, data_home, fetch_mnist, read_idx
from kiso.datasets._cache import RemoteFile, locate

CONTENT = b"a small file of data" * 100
SHA = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server(tmp_path):
    """A web server on loopback over a folder; gives (address, folder)."""
    folder = tmp_path / "site"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    thread = threading.Thread(target=httpd.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_port}", folder
    httpd.shutdown()
    httpd.server_close()
    thread.join()


def test_downloads_once_and_keeps(server, tmp_path, capsys):
    address, site = server
    (site / "f.gz").write_bytes(CONTENT)
    file = RemoteFile("set/f.gz", f"{address}/f.gz", SHA)
    path = locate(file, tmp_path / "home", progress=True)
    assert path == tmp_path / "home" / "set" / "f.gz"
    assert path.read_bytes() == CONTENT
    (site / "f.gz").unlink()
    assert locate(file, tmp_path / "home") == path
    assert capsys.readouterr().out == ""


def test_wrong_content_from_the_network_is_refused_and_not_kept(server, tmp_path):
    address, site = server
    (site / "f.gz").write_bytes(b"something else")
    with pytest.raises(ValueError, match="f.gz"):
        locate(RemoteFile("set/f.gz", f"{address}/f.gz", SHA), tmp_path)
    assert not (tmp_path / "set" / "f.gz").exists()


def test_without_network_says_what_to_put_where(tmp_path):
    file = RemoteFile("set/f.gz", "http://127.0.0.1:9/f.gz", SHA)
    with pytest.raises(DataUnavailableError, match=r"save it as .*set.f\.gz"):
        locate(file, tmp_path)


def test_absent_on_the_server_says_so_too(server, tmp_path):
    address, _ = server
    with pytest.raises(DataUnavailableError, match="nothing.gz"):
        locate(RemoteFile("set/nothing.gz", f"{address}/nothing.gz", SHA), tmp_path)


def test_damaged_file_is_refused(tmp_path):
    (tmp_path / "f.gz").write_bytes(CONTENT[:-1])
    with pytest.raises(ValueError, match="damaged"):
        locate(RemoteFile("f.gz", "http://127.0.0.1:9/f.gz", SHA), tmp_path)


def test_folder_comes_from_argument_then_setting_then_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("KISO_DATA", str(tmp_path / "setting"))
    assert data_home(tmp_path / "argument") == tmp_path / "argument"
    assert data_home() == tmp_path / "setting"
    monkeypatch.delenv("KISO_DATA")
    assert "kiso" in str(data_home())


def write_idx(path, array):
    header = b"\x00\x00\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}i", *array.shape)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(header + array.tobytes(), mtime=0))


def test_fetch_reads_its_files(monkeypatch, tmp_path):
    images = np.arange(5 * 28 * 28, dtype=np.uint8).reshape(5, 28, 28)
    labels = np.array([3, 1, 4, 1, 5], dtype=np.uint8)
    pair = []
    for name, array in (("i.gz", images), ("l.gz", labels)):
        write_idx(tmp_path / "mnist" / name, array)
        sha = hashlib.sha256((tmp_path / "mnist" / name).read_bytes()).hexdigest()
        pair.append(RemoteFile(f"mnist/{name}", "http://127.0.0.1:9/", sha))
    monkeypatch.setitem(_images._FILES["mnist"], "train", tuple(pair))
    got_images, got_labels = fetch_mnist("train", data_folder=tmp_path)
    np.testing.assert_array_equal(got_images, images)
    np.testing.assert_array_equal(got_labels, labels)


def test_real_mnist(real_data):
    real_data("mnist/t10k-images-idx3-ubyte.gz")
    images, labels = datasets.fetch_mnist("test")
    assert images.shape == (10_000, 28, 28)
    assert np.bincount(labels).tolist() == [
        980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009
    ]  # fmt: skip
    assert available("mnist")


def test_real_fashion_mnist(real_data):
    real_data("fashion-mnist/t10k-images-idx3-ubyte.gz")
    images, labels = datasets.fetch_fashion_mnist("test")
    assert images.shape == (10_000, 28, 28)
    assert np.bincount(labels).tolist() == [1000] * 10


def test_unknown_names_are_refused(tmp_path):
    with pytest.raises(ValueError, match="fashion-mnist"):
        available("imagenet")
    with pytest.raises(ValueError, match="split='validation'"):
        fetch_mnist("validation")
    assert not available("mnist", tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not gzip", "gzip"),
        (gzip.compress(b"\x00\x00\x08\x01\x00\x00\x00\x05abcde", mtime=0)[:-9], "gzip"),
        (gzip.compress(b"GIF89a", mtime=0), "not an IDX"),
        (gzip.compress(b"\x00\x00\x08\x02\x00\x00", mtime=0), "header"),
        (gzip.compress(b"\x00\x00\x08\x01\x00\x00\x00\x05abc", mtime=0), "holds 3 bytes"),
        (b"", "not an IDX"),
    ],
)
def test_broken_idx_files(tmp_path, content, message):
    (tmp_path / "x.gz").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_idx(tmp_path / "x.gz")
