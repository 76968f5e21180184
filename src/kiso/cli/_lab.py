"""`kiso lab`: serve the lab and open the browser."""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import click

from ._console import fail


@click.command()
@click.argument("scene", required=False)
@click.option("--data", type=click.Path(dir_okay=False), help="A CSV, TSV or Parquet file.")
@click.option("--x", "x_name", metavar="COLUMN", help="Its column for the first axis.")
@click.option("--y", "y_name", metavar="COLUMN", help="Its column for the second axis.")
@click.option("--class", "class_name", metavar="COLUMN", help="Its column of classes.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Default: a free one.")
@click.option("--no-browser", is_flag=True, help="Print the address only.")
@click.option("--lang", type=click.Choice(["en", "ja", "zh-Hant"]), help="Language of the page.")
def command(
    scene: str | None,
    data: str | None,
    x_name: str | None,
    y_name: str | None,
    class_name: str | None,
    port: int,
    no_browser: bool,
    lang: str | None,
) -> None:
    """Every model of the texts in a browser, step by step, on your own data.

    SCENE is the name of a scene (kmeans, gradient-descent, network, ...) or a permalink that
    the lab gave out. The address is the first line of standard output; Ctrl-C ends the server.
    """
    fragment = _fragment(scene)
    tables: list[tuple[str, bytes]] = []
    if data is not None:
        columns = {"x": x_name, "y": y_name, "class": class_name}
        tables, brought = _table(Path(data), columns)
        fragment = _with_data(fragment or "kmeans", brought)
    elif x_name or y_name or class_name:
        fail("--x, --y and --class name columns of a file: give --data too", 2)
    if fragment:
        _check_scene(fragment.partition("/")[0])

    def ready(address: str) -> None:
        click.echo(address)
        sys.stdout.flush()
        if not no_browser:
            import webbrowser

            webbrowser.open(address)

    from kiso.lab.server import serve

    try:
        serve(port, fragment=fragment, language=lang, tables=tables, ready=ready)
    except KeyboardInterrupt:
        return  # Ctrl-C is how it ends
    except OSError as error:
        fail(f"--port {port} cannot be used: {error.strerror or error}", 2)


def _fragment(scene: str | None) -> str:
    """Return the fragment of a permalink, or the name of a scene as it is."""
    text = (scene or "").strip()
    if "#" in text:
        text = text.split("#", 1)[1]
    elif "://" in text:
        fail("the link holds no scene: copy it with the lab's own button", 2)
    return text.strip("/")


def _check_scene(name: str) -> None:
    from kiso.lab.scenes import ORDER

    if name not in ORDER:
        fail(f"there is no scene {name!r}: give one of {', '.join(ORDER)}, or a link", 2)


def _table(
    path: Path, columns: dict[str, str | None]
) -> tuple[list[tuple[str, bytes]], dict[str, Any]]:
    """Read a file and choose its columns: what was asked for, else the first two of numbers."""
    from kiso.comparison import find_column, read_table

    table = read_table(path)
    numbers = [str(c) for c in table.frame.columns if table.frame[c].dtype.kind in "iuf"]
    given = {k: None if c is None else str(find_column(table, c)) for k, c in columns.items()}
    for axis in ("x", "y"):
        if given[axis] is None:
            free = [c for c in numbers if c not in given.values()]
            if not free:
                fail(f"{path.name} has no column of numbers for --{axis}", 2)
            given[axis] = str(free[0])
    raw = path.read_bytes()
    if len(raw) > 20 << 20:
        fail(f"{path.name} has {len(raw) / 2**20:.1f} MB: give at most 20 MB", 2)
    return [(path.name, raw)], {"file": hashlib.sha256(raw).hexdigest(), **given}


def _with_data(fragment: str, data: dict[str, Any]) -> str:
    """Put data into a permalink."""
    name, _, packed = fragment.partition("/")
    try:
        given = json.loads(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4))
                           ) if packed else {}  # fmt: skip
    except ValueError:
        fail("the link is damaged: copy it whole", 2)
    if packed and given.get("data", {}).get("file") == data["file"]:
        return fragment  # the file that the link asks for
    text = json.dumps({**given, "data": data}, ensure_ascii=False, separators=(",", ":"))
    return f"{name}/" + base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
