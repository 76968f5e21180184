"""Docstrings of all that is public: the checks of numpydoc that hold, and where.

The list is what holds today: a check joins it when the last docstring that breaks it is mended.
Left out are matters of taste: `See Also` everywhere (SA01), a second paragraph (ES01), capital
letters where a symbol stands first (SS02, PR08), `Returns` for what a summary says (RT01, RT03),
types where names share one (PR04), an order of parameters that puts the important first (PR03),
what a summary that starts with "Yield" says already (YD01).
"""

from __future__ import annotations

import inspect
import re
import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import kiso

numpydoc = pytest.importorskip("numpydoc.validate")

# every public class, function, method and property
EVERYWHERE = {
    "GL01", "GL02", "GL03", "GL05", "GL06", "GL07", "GL08", "GL09", "GL10", "SS01", "SS03", "SS04",
    "PR02", "PR05", "PR06", "PR09", "PR10", "RT04", "RT05", "SA02", "SA04",
}  # fmt: skip
# estimators: every parameter is there, has a description; the class has an example
ESTIMATORS = {"PR01", "PR07", "EX01"}
BASES = {"kiso.base.IterativeEstimator", "kiso.inference.Distribution"}  # nothing to run


def packages() -> list[str]:
    """Give the packages with public names."""
    every = ["kiso", *(f"kiso.{name}" for name in kiso._SUBPACKAGES)]
    return [package for package in every if hasattr(import_module(package), "__all__")]


@cache
def objects() -> dict[str, Any]:
    """Give every public class, function, method and property by its full name."""
    found: dict[str, Any] = {}
    for package in packages():
        module = import_module(package)
        for name in module.__all__:
            thing = getattr(module, name)
            if not (inspect.isclass(thing) or inspect.isfunction(thing)):
                continue
            found[f"{package}.{name}"] = thing
            for member, value in vars(thing).items() if inspect.isclass(thing) else ():
                code = inspect.unwrap(getattr(value, "fget", value))
                code = getattr(code, "__func__", code)
                public = not member.startswith("_") and inspect.isfunction(code)
                field = member in getattr(thing, "__dataclass_fields__", ())
                # what is taken from scikit-learn is documented there
                if public and not field and code.__module__.startswith("kiso"):
                    found[f"{package}.{name}.{member}"] = getattr(thing, member)
    return found


def faults(name: str, thing: Any) -> list[str]:
    """Give what numpydoc finds wrong with a docstring, of what has to hold."""
    wanted = set(EVERYWHERE)
    if inspect.isclass(thing) and hasattr(thing, "get_params") and name not in BASES:
        wanted |= ESTIMATORS
    if inspect.getdoc(thing):  # a method without text has that of its base class
        wanted.discard("GL08")
    errors = numpydoc.validate(name)["errors"]
    return [f"{name}: {code} {text}" for code, text in errors if code in wanted]


@pytest.mark.parametrize("package", packages())
def test_docstrings_keep_the_checks_that_hold(package: str) -> None:
    mine = {
        name: thing
        for name, thing in objects().items()
        if name.startswith(package + ".") and (package != "kiso" or name.count(".") == 1)
    }
    assert mine
    found = [fault for name, thing in mine.items() for fault in faults(name, thing)]
    assert not found, "\n".join(found)


def test_raw_docstrings_hold_no_continued_lines() -> None:
    """In a raw docstring a backslash joins nothing: the section loses its parameter."""
    found = []
    for path in Path(kiso.__file__).parent.rglob("*.py"):
        for text in re.findall(r'r"""(.*?)"""', path.read_text("utf-8"), flags=re.S):
            found += [f"{path.name}: {line}" for line in text.splitlines() if line.endswith(" \\")]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Fit.\n\nParameters\n----------\nz : int\n    Nothing.\n", "PR02"),
        ("Fit.\n\n\n\nParameters\n----------\nx : int\n    A number.\n", "GL03"),
        ("Fit.\n\nParameters\n----------\nx : int\n    A number\n", "PR09"),
        ("Fit.\n\nParameters\n----------\n", "PR01"),
    ],
)
def test_a_broken_docstring_is_found(text: str, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(x: int) -> None: ...

    broken.__doc__ = "\n" + text
    broken.__module__ = "kiso.broken"
    module = type(sys)("kiso.broken")
    vars(module)["broken"] = broken
    monkeypatch.setitem(sys.modules, "kiso.broken", module)
    monkeypatch.setattr(kiso, "broken", module, raising=False)
    errors = numpydoc.validate("kiso.broken.broken")["errors"]
    assert code in {found for found, _ in errors}
