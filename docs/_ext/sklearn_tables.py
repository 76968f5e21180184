"""The tables of guide/sklearn.md, from the signatures of both libraries."""

from __future__ import annotations

import inspect
import tomllib
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

from api_pages import write

from kiso.patch import shared_names

ROOT = Path(__file__).parents[2]
SKIPPED = {"set_callbacks", "unused_param", "param"}  # of scikit-learn's machinery


def quoted(names: set[str]) -> str:
    """Write names as code, in order."""
    return ", ".join(f"`{name}`" for name in sorted(names))


def members(cls: Any) -> set[str]:
    """Give public methods and properties, less fitted attributes and metadata requests."""
    return {
        name
        for name in dir(cls)
        if not name.startswith("_") and not name.endswith(("_", "_request")) and name not in SKIPPED
    }


def row(ours: Any, theirs: Any, home: str, name: str) -> str:
    """Compare one name of both libraries."""
    mine, other = inspect.signature(ours).parameters, inspect.signature(theirs).parameters
    methods = (members(ours), members(theirs)) if inspect.isclass(ours) else (set(), set())
    parameters = set(mine) | set(other)  # an attribute of a parameter's name is no method
    more = (set(mine) - set(other)) | {f"{m}()" for m in methods[0] - methods[1] - parameters}
    missing = (set(other) - set(mine)) | {f"{m}()" for m in methods[1] - methods[0] - parameters}
    changed = {
        f"{n}={mine[n].default!r} ({other[n].default!r})"
        for n in set(mine) & set(other)
        if repr(mine[n].default) != repr(other[n].default)
    }
    same = "all" if not set(other) - set(mine) else f"{len(set(other) & set(mine))}"
    link = f"[{home}.{name}](../api/{home}.{name}.rst)"
    cells = (link, f"{same} of {len(other)}", quoted(more), quoted(changed), quoted(missing))
    return "| " + " | ".join(cells) + " |"


def missing_names() -> str:
    """Name the classes and functions of scikit-learn's modules that kiso does not have."""
    shared: dict[str, set[str]] = {}
    for _, home, name in shared_names():
        shared.setdefault(home, set()).add(name)
    lines = []
    for home, have in sorted(shared.items()):
        every = {name for name in import_module(home).__all__ if name[0].isupper()}
        if every - have:
            lines.append(f"- `{home}`: {quoted(every - have)}")
    return "\n".join(lines) + "\n"


def differences() -> str:
    """List what scikit-learn's tests expect otherwise, by module."""
    lines = ["| module | what differs |", "|---|---|"]
    for page in sorted((ROOT / "tests/conformance/expected").glob("*.toml")):
        failures = tomllib.loads(page.read_text("utf-8")).get("failure", [])
        for reason in dict.fromkeys(f["reason"] for f in failures if f.get("kind") == "on purpose"):
            text = reason.replace("|", "\\|").replace("<", "&lt;")
            lines.append(f"| `{page.stem}` | {text} |")
    return "\n".join(lines) + "\n"


def generate(app: Any) -> None:
    """Write the three tables."""
    lines = [
        "| name | parameters | more | other defaults (theirs) | missing |",
        "|---|---|---|---|---|",
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for ours, theirs, name in sorted(shared_names()):
            pair = (getattr(import_module(module), name) for module in (ours, theirs))
            lines.append(row(*pair, ours, name))
        folder = Path(app.srcdir) / "guide"
        write(folder / "_sklearn_table.md", "\n".join(lines) + "\n")
        write(folder / "_sklearn_missing.md", missing_names())
        write(folder / "_sklearn_differences.md", differences())


def setup(app: Any) -> dict[str, Any]:
    """Register."""
    app.connect("builder-inited", generate, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
