"""One page for each public name of kiso, written before Sphinx reads its sources.

A name is public when it stands in the `__all__` of `kiso` or of one of its packages. A page
links to the chapters of the path that use the name and to the experiments that measure with it;
both are read from the sources, so a new chapter or experiment needs no list.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections import defaultdict
from importlib import import_module
from pathlib import Path
from typing import Any

import kiso

DOCS = Path(__file__).parents[1]
KINDS = ("Estimators", "Classes", "Functions", "Values")
Uses = dict[str, list[str]]  # public name -> where it is used


def packages() -> list[str]:
    """Give the public packages, `kiso` first."""
    found = [f"kiso.{name}" for name in kiso._SUBPACKAGES]
    return ["kiso", *(p for p in sorted(found) if hasattr(import_module(p), "__all__"))]


def public(package: str) -> dict[str, Any]:
    """Give the public objects of a package."""
    module = import_module(package)
    return {name: getattr(module, name) for name in module.__all__ if name != "__version__"}


def kind_of(thing: Any) -> str:
    """Say under which heading an object stands."""
    if inspect.isclass(thing):
        return "Estimators" if hasattr(thing, "fit") and hasattr(thing, "get_params") else "Classes"
    return "Functions" if inspect.isroutine(thing) else "Values"


def own_members(cls: type) -> tuple[list[str], list[str]]:
    """Give public methods and properties: those that kiso defines, those it inherits."""
    own, inherited = [], []
    for name, member in inspect.getmembers_static(cls):
        if name.startswith("_") or not (
            isinstance(member, property | classmethod | staticmethod)
            or inspect.isfunction(member)
            or type(member).__name__ in ("cached_property", "_AvailableIfDescriptor")
        ):
            continue
        home = next(c for c in cls.__mro__ if name in vars(c)).__module__
        if inspect.isfunction(member):  # what kiso only wraps is not its own
            home = inspect.unwrap(member).__module__
        if home.startswith("kiso"):
            own.append(name)
        elif home.startswith("sklearn") and not name.endswith("_request"):
            inherited.append(name)
    return own, inherited


def names_used(source: str) -> set[str]:
    """Give the public names of kiso that Python source uses, as `kiso.<package>.<name>`."""
    tree = ast.parse(source)
    aliases: dict[str, str] = {}
    used: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "kiso":
            for item in node.names:
                used.add(f"{node.module}.{item.name}")
                if node.module == "kiso":
                    aliases[item.asname or item.name] = f"kiso.{item.name}"
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id in aliases
        ):
            used.add(f"{aliases[node.value.id]}.{node.attr}")
    return used


def code_of(page: str) -> str:
    """Give what the code cells of a Markdown page hold, less what is no Python."""
    cells = re.findall(r"^`{3,}\{?(?:code-cell|python)[^\n]*\n(.*?)^`{3,}\s*$", page, re.M | re.S)
    parts = []
    for cell in cells:
        text = re.sub(r"^(:\w.*|---\n(.*\n)*?---)\n", "", cell, flags=re.M)
        try:
            ast.parse(text)
        except SyntaxError:
            continue
        parts.append(text)
    return "\n".join(parts)


def path_uses() -> Uses:
    """Say which chapters of the path use a name, in the chapters' order."""
    folder, uses = DOCS / "path", defaultdict(list)
    index = folder / "index.md"
    order = index.read_text("utf-8") if index.exists() else ""
    pages = [page for page in folder.glob("*.md") if page.name != "index.md"]
    for page in sorted(pages, key=lambda p: (order.find(p.stem) % (1 << 30), p.stem)):
        text = page.read_text("utf-8")
        mentioned = re.findall(r"\{py:\w+\}`[^`]*?(kiso\.[\w.]+)[^`]*`", text)
        for name in {*names_used(code_of(text)), *mentioned}:
            uses[name].append(page.stem)
    return uses


def experiment_uses() -> Uses:
    """Say which experiments measure with a name."""
    uses = defaultdict(list)
    for page in sorted((DOCS.parent / "src/kiso/experiments").glob("[a-z]*.py")):
        for name in names_used(page.read_text("utf-8")):
            uses[name].append(page.stem.replace("_", "-"))
    return uses


def heading(text: str, mark: str = "=") -> str:
    """Write a title of reStructuredText."""
    return f"{text}\n{mark * (len(text) + 2)}\n"


def links(name: str, chapters: Uses, experiments: Uses) -> str:
    """Write where the derivation of a name stands, and what was measured with it."""
    lines = []
    if chapters.get(name):
        lines.append("**Derivation:** " + ", ".join(f":doc:`/path/{c}`" for c in chapters[name]))
    if experiments.get(name):
        shown = [f"`{e} <../experiments.html#{e}>`__" for e in experiments[name]]
        lines.append("**Measured in:** " + ", ".join(shown))
    return "".join(f"| {line}\n" for line in lines) + "\n" if lines else ""


def page_of(package: str, name: str, thing: Any, head: str) -> str:
    """Write the page of one public name."""
    text = f":html_theme.sidebar_secondary: page-toc\n\n{heading(f'{package}.{name}')}\n{head}"
    text += f".. currentmodule:: {package}\n\n"
    home = home_of(package, name, thing) if callable(thing) else package
    if home != package:
        kind = "class" if inspect.isclass(thing) else "function"
        text += f".. py:{kind}:: {name}\n\n   The same as :py:obj:`{home}.{name}`.\n"
    elif inspect.isclass(thing):
        own, inherited = own_members(thing)
        text += f".. autoclass:: {name}\n"
        text += f"   :members: {', '.join(own)}\n" if own else ""
        if inherited:
            text += "\nInherited from scikit-learn, and as documented there: "
            text += ", ".join(f"``{method}``" for method in inherited) + ".\n"
    elif inspect.isroutine(thing):
        text += f".. autofunction:: {name}\n"
    elif inspect.ismodule(thing):
        text += f".. py:module:: {package}.{name}\n\n{inspect.getdoc(thing)}\n"
        own = [n for n, f in vars(thing).items() if getattr(f, "__module__", "") == thing.__name__]
        text += "".join(f"\n.. autofunction:: {package}.{name}.{n}\n" for n in own if n[0] != "_")
    else:
        text += f".. py:data:: {name}\n\n   {value_of(package, name, thing)}\n"
    return text + examples_of(f"{package}.{name}")


def value_of(package: str, name: str, thing: Any) -> str:
    """Say what a constant or an alias is: its value, and the comment beside it."""
    shown = f"``{repr(thing) if len(repr(thing)) <= 300 else type(thing).__name__}``"
    for source in (DOCS.parent / "src" / package.replace(".", "/")).rglob("*.py"):
        found = re.search(rf"^{name}\b[^\n=]*=.*?  # (.+)$", source.read_text("utf-8"), flags=re.M)
        if found:
            return f"{shown}: {found[1]}."
    return f"{shown}."


def examples_of(name: str) -> str:
    """Write a place for thumbnails of the gallery's examples that use a name."""
    return (
        f"\n.. minigallery:: {name}\n   :add-heading: Examples of the gallery\n"
        if name in GALLERY
        else ""
    )


def gallery_uses() -> set[str]:
    """Give the names that examples of the gallery use."""
    found: set[str] = set()
    for page in (DOCS.parent / "examples").rglob("plot_*.py"):
        found |= names_used(page.read_text("utf-8"))
    return found


GALLERY: set[str] = set()


def package_page(package: str, things: dict[str, Any]) -> str:
    """Write the page of a package: what it is, its names by kind."""
    text = heading(package) + f"\n.. automodule:: {package}\n\n.. currentmodule:: {package}\n\n"
    for kind in KINDS:
        names = sorted(n for n, thing in things.items() if kind_of(thing) == kind)
        if kind == "Values" and names:
            text += heading(kind, "-") + "\n"
            text += "".join(f"- :doc:`{name} <{package}.{name}>`\n" for name in names) + "\n"
        elif names:
            text += heading(kind, "-") + "\n.. autosummary::\n   :nosignatures:\n\n"
            text += "".join(f"   {name}\n" for name in names) + "\n"
    text += ".. toctree::\n   :hidden:\n\n"
    return text + "".join(f"   {name} <{package}.{name}>\n" for name in sorted(things))


def index_page(every: dict[str, dict[str, Any]]) -> str:
    """Write the start page of the reference."""
    text = heading("API reference") + "\nEvery public name, by package.\n\n"
    text += ".. list-table::\n   :widths: 30 70\n\n"
    for package in every:
        summary = (import_module(package).__doc__ or "").strip().split("\n\n")[0]
        summary = " ".join(summary.split())
        text += f"   * - :doc:`{package} <{package}>`\n     - {summary}\n"
    text += "\n.. toctree::\n   :hidden:\n\n"
    return text + "".join(f"   {package}\n" for package in every)


def write(target: Path, text: str) -> None:
    """Write a file where it changes: what stays need not be read again."""
    if not target.exists() or target.read_text("utf-8") != text:
        target.write_text(text, "utf-8")


def generate(app: Any) -> None:
    """Write all pages; remove those of names that are no more."""
    folder = Path(app.srcdir) / "api"
    folder.mkdir(exist_ok=True)
    chapters, experiments = path_uses(), experiment_uses()
    GALLERY.update(gallery_uses())
    every = {package: public(package) for package in packages()}
    pages = {"index": index_page(every)}
    for package, things in every.items():
        pages[package] = package_page(package, things)
        for name, thing in things.items():
            head = links(f"{package}.{name}", chapters, experiments)
            pages[f"{package}.{name}"] = page_of(package, name, thing, head)
    for name, text in pages.items():
        write(folder / f"{name}.rst", text)
    for old in folder.glob("*.rst"):
        if old.stem not in pages and old.name.removesuffix(".rst") not in pages:
            old.unlink()


def home_of(package: str, name: str, thing: Any) -> str:
    """Give the package that documents a thing that several export."""
    homes = [p for p in packages() if vars(import_module(p)).get(name) is thing]
    homes = [p for p in homes if name in import_module(p).__all__]
    module = getattr(thing, "__module__", None) or ""
    return max(homes, key=lambda p: (module.startswith(p + "."), len(p), p), default=package)


CODE = re.compile(r"(``.*?``|:\w+:`[^`]*`|`[^`]*`_{0,2})")


def escape(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Let |x| and coef_ in docstrings be what they are, not marks of reStructuredText."""
    block: int | None = None  # indentation of a directive whose content is no prose
    for at, line in enumerate(lines):
        indent = len(line) - len(line.lstrip())
        if block is not None and line.strip() and indent <= block:
            block = None
        if re.match(r"\s*\.\. (math|code|code-block|testcode)::", line) or (
            line.rstrip().endswith("::") and not line.lstrip().startswith("..")
        ):
            block = indent
        if block is not None or line.lstrip().startswith((">>>", "..")):
            continue
        parts = CODE.split(line)
        for i in range(0, len(parts), 2):
            parts[i] = re.sub(r"(?<!\\)\|", r"\\|", parts[i])
            parts[i] = re.sub(r"(?<=\w)(?<!\\)_(?!\w)", r"\\_", parts[i])
        lines[at] = "".join(parts)


def setup(app: Any) -> dict[str, Any]:
    """Register; before the gallery, whose small pictures stand on these pages."""
    app.connect("builder-inited", generate, priority=100)
    app.connect("autodoc-process-docstring", escape, priority=900)  # after numpydoc
    return {"parallel_read_safe": True, "parallel_write_safe": True}
