"""Who may ask the server, how much, and what becomes of a page that goes away."""

import asyncio
import json
import struct
import time
from http.client import HTTPConnection

import pytest

from .conftest import Served

websockets = pytest.importorskip("websockets")
exceptions = pytest.importorskip("websockets.exceptions")


def get(served, path, **headers):
    connection = HTTPConnection("127.0.0.1", served.port, timeout=20)
    connection.putrequest("GET", path, skip_host=True)
    for name, value in {"Host": f"127.0.0.1:{served.port}", **headers}.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


def read(raw):
    if isinstance(raw, str):
        return json.loads(raw)
    n = struct.unpack("<I", raw[:4])[0]
    return json.loads(raw[4 : 4 + n])["message"]


def talk(served, *requests, origin=None, token=None):
    """Return the answers to requests; bytes are a file that the request before announced."""

    async def run():
        address = f"ws://127.0.0.1:{served.port}/talk?token={token or served.token}"
        answers = []
        async with websockets.connect(
            address, origin=origin or served.base.rstrip("/"), max_size=None
        ) as socket:
            for request in requests:
                if isinstance(request, bytes | str):
                    await socket.send(request)
                else:
                    await socket.send(json.dumps(request))
                    if request.get("op") == "upload":
                        continue
                answers.append(read(await asyncio.wait_for(socket.recv(), 90)))
                while answers[-1].get("pending"):  # it says how far it came: ask on
                    await socket.send(json.dumps(request))
                    answers[-1] = read(await asyncio.wait_for(socket.recv(), 90))
        return answers

    return asyncio.run(run())


def show(scene="kmeans", t=0, **setup):
    whole = {"scene": scene, "params": {}, "data": {}, "seed": 0, "actions": [], **setup}
    return {"op": "show", "id": 1, "t": t, "setup": whole}


def test_the_page_needs_the_token(served):
    answer, body = get(served, "/")
    assert answer.status == 403
    assert b"kiso lab" in body
    assert get(served, "/?token=wrong")[0].status == 403
    answer, _ = get(served, f"/?token={served.token}")
    assert answer.status == 200
    cookie = answer.getheader("Set-Cookie").partition(";")[0]
    assert get(served, "/static/lab.js", Cookie=cookie)[0].status == 200
    policy = answer.getheader("Content-Security-Policy")
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1:1", "192.168.0.2", ""])
def test_another_host_name_is_refused(served, host):
    assert get(served, f"/?token={served.token}", Host=host)[0].status in (400, 403)


def test_another_origin_is_refused(served):
    path = f"/?token={served.token}"
    assert get(served, path, Origin="http://evil.example")[0].status == 403
    for wrong in ({"origin": "http://evil.example"}, {"token": "wrong"}):
        with pytest.raises(exceptions.InvalidStatus):
            talk(served, show(), **wrong)


@pytest.mark.parametrize(
    "path", ["/static/..%2f..%2fserver.py", "/static/../server.py", "/static/none.js", "/texts/xx"]
)
def test_no_other_file_is_served(served, path):
    assert get(served, f"{path}?token={served.token}")[0].status == 404


@pytest.mark.parametrize(
    ("setup", "words"),
    [
        ({"scene": "none"}, "there is no scene 'none'"),
        ({"params": {"n_clusters": 99}}, "n_clusters=99"),
        ({"params": {"colour": 1}}, "no parameter 'colour'"),
        ({"params": {"n_clusters": "__import__('os')"}}, "give a number"),
        ({"data": {"set": "none"}}, "blobs"),
        ({"data": {"set": "blobs", "n": 10**9}}, "20000"),
        ({"data": {"rows": [[1, 2]]}}, ""),
        ({"data": {"edits": [["remove", 10**6]]}}, "edit"),
        ({"seed": -1}, "seed"),
        ({"actions": "x"}, "actions"),
        ({"actions": [{"t": 0, "kind": "explode"}]}, "explode"),
        ({"data": {"file": "0" * 64, "x": "a", "y": "b"}}, "SHA-256"),
    ],
)
def test_a_bad_link_gives_a_sentence_and_the_session_goes_on(served, setup, words):
    bad, good = talk(served, show(**setup), show())
    assert words in bad["error"]
    assert "lanes" not in bad
    assert good["t"] == 0


def test_what_is_no_request_is_not_answered(served):
    answers = talk(served, show())
    assert answers[0]["lanes"]

    async def run():
        address = f"ws://127.0.0.1:{served.port}/talk?token={served.token}"
        async with websockets.connect(address, origin=served.base.rstrip("/")) as socket:
            for junk in ("{", "[]", "1", '"x"', "x" * 2_000_000):
                await socket.send(junk)
            await socket.send(json.dumps({"op": "none", "id": 7}))
            return read(await asyncio.wait_for(socket.recv(), 60))

    assert "none" in asyncio.run(run())["error"]


def test_a_file_travels_by_its_sum(served):
    raw = b"a,b,c\n" + b"\n".join(b"%d,%d,%d" % (i, i * i, i % 3) for i in range(30))
    upload = {"op": "upload", "id": 2, "name": "../../t.csv"}
    (table,) = talk(served, upload, raw)
    assert table["table"]["rows"] == 30
    data = {"file": table["table"]["file"], "x": "a", "y": "b", "class": None}
    _, shown = talk(served, upload, raw, show(data=data, t=1))
    assert shown["t"] == 1
    (bad,) = talk(served, {**upload, "name": "t.parquet"}, b"PAR1 broken")
    assert "damaged" in bad["error"]


def test_a_file_that_is_too_large_is_refused():
    from kiso.lab._data import Files

    with pytest.raises(ValueError, match="20 MB"):
        Files().add("big.csv", b"1,2\n" * (6 << 20))


def test_a_worker_ends_with_its_page(served):
    from pathlib import Path

    if not Path("/proc").exists():
        pytest.skip("needs /proc")

    def workers():
        n = 0
        for status in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                n += b"forkserver" in status.read_bytes() and b"kiso.lab" in status.read_bytes()
            except OSError:
                continue
        return n

    talk(served, show())
    time.sleep(1.0)
    before = workers()
    for _ in range(5):
        talk(served, show())
    time.sleep(2.0)
    assert workers() <= before + 1


def test_a_run_that_takes_too_long_is_stopped(monkeypatch):
    import anyio

    from kiso.lab import server

    class Slow:
        def send(self, request):
            pass

        def recv_bytes(self):
            time.sleep(0.5)

    class Silent:
        said = ""

        async def send_text(self, text):
            self.said = text

    monkeypatch.setattr(server, "TIMEOUT", 0.05)

    async def run():
        page = Silent()
        kept = await server._Talk(server.Lab(80), page)._answer((None, Slow()), show())
        return kept, json.loads(page.said)

    kept, said = anyio.run(run)
    assert not kept
    assert "longer than" in said["error"]


def test_the_first_line_is_the_address_and_a_link_opens(tmp_path):
    lab = Served("gradient-descent", "--lang", "ja")
    try:
        assert lab.url.endswith("&lang=ja#gradient-descent")
    finally:
        lab.close()
    path = tmp_path / "my.csv"
    path.write_text("name,width,height\n" + "\n".join(f"n{i},{i},{i * i}" for i in range(9)))
    lab = Served("kmeans", "--data", path, "--x", "width", "--y", "height")
    try:
        from base64 import urlsafe_b64decode

        packed = lab.url.rpartition("/")[2]
        held = json.loads(urlsafe_b64decode(packed + "=" * (-len(packed) % 4)))
        assert (held["data"]["x"], held["data"]["y"]) == ("width", "height")
        (shown,) = talk(lab, show(data=held["data"]))
        assert shown["lanes"][0]["points"]["names"] == ["width", "height"]
        link = lab.base + "#" + lab.url.partition("#")[2]
    finally:
        lab.close()
    lab = Served(link)
    try:
        (asked,) = talk(lab, show(data=held["data"]))
        assert asked["wants"] == held["data"]["file"]
    finally:
        lab.close()


@pytest.mark.parametrize("arguments", [["none"], ["--x", "a"], ["kmeans", "--data", "none.csv"]])
def test_mistakes_on_the_command_line_are_one_sentence(arguments):
    from click.testing import CliRunner

    from kiso.cli import main

    result = CliRunner().invoke(main, ["lab", "--no-browser", *arguments])
    assert result.exit_code == 2
    assert "Traceback" not in result.output
