"""The examples of the gallery: short, in the style of the house, and they run.

The site runs all of them when it is built (a failure stops the build); `-m slow` runs them here.
"""

from __future__ import annotations

import ast
import runpy
from importlib import import_module
from pathlib import Path

import pytest

GALLERY = Path(__file__).parents[1] / "examples"
EXAMPLES = sorted(GALLERY.glob("*/plot_*.py"))
QUICK = {"plot_activations.py", "plot_coin.py", "plot_duality_gap.py", "plot_kmeans_steps.py"}


def test_there_are_at_least_forty_in_groups() -> None:
    assert len(EXAMPLES) >= 40
    for folder in {example.parent for example in EXAMPLES}:
        assert (folder / "GALLERY_HEADER.rst").exists()
        assert len(list(folder.glob("plot_*.py"))) >= 3


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_short_and_uses_what_there_is(path: Path) -> None:
    source = path.read_text("utf-8")
    tree = ast.parse(source)
    assert len(source.splitlines()) < 80
    assert "with house_style():" in source
    title, underline, *text = (ast.get_docstring(tree) or "").splitlines()
    assert set(underline) == {"="}
    assert len(underline) >= len(title)
    assert any(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("kiso"):
            module = import_module(node.module or "")
            assert all(name.name in module.__all__ for name in node.names if node.module != "kiso")
            assert not any(part.startswith("_") for part in (node.module or "").split("."))


def draw(path: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run an example; give the number of its pictures."""
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt

    drawn: list[int] = []

    def show() -> None:
        for number in plt.get_fignums():
            plt.figure(number).canvas.draw()
            drawn.append(number)

    monkeypatch.setattr(plt, "show", show)
    try:
        runpy.run_path(str(path), run_name="__main__")
    finally:
        plt.close("all")
    return len(drawn)


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.stem, marks=[] if path.name in QUICK else pytest.mark.slow)
        for path in EXAMPLES
    ],
)
def test_an_example_draws(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert draw(path, monkeypatch) >= 1
