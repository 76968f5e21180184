"""The house keeps its shape: who may import whom, who names Numba and threads."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SRC = Path(__file__).parents[1] / "src" / "kiso"
FILES = sorted(SRC.rglob("*.py"))

# a room may import the rooms below it, never its own storey
STOREYS = [
    {"_validation"},
    {"_gate", "_compute"},
    {"_parts"},
    {"base"},
    {"precompile"},
    {"_gif", "_linear_classifier", "losses", "optim", "datasets", "inspection"},
    {"inference"},
    {"linear_model", "svm", "tree", "neighbors", "cluster", "decomposition", "nn"} | {"scattering"},
    {"neural_network", "approximation", "adversarial", "ensemble"},
    {"few_shot"},
    {"patch"},
    {"comparison"},
    {"persistence"},
    {"experiments"},
    {"report", "lab"},
    {"cli"},
]
# the modules of _compute, likewise
COMPUTE = [
    {"costs", "levels", "store", "signatures", "making", "_store_worker"},
    {"jit"},
    {"atomics", "llvm"},
    {"microkernels", "pool"},
    {"threads", "matmul_loops"},
    {"matmul", "distances_loops", "rows_loops"},
    {"gram"},
    {"qr", "distances", "rows"},
]
LEVEL = {room: level for level, rooms in enumerate(STOREYS) for room in rooms}
PUBLIC_ONLY = {"comparison", "persistence", "experiments", "report", "lab", "cli"}


def imports(path):
    """Yield (absolute module, imported names) of every import, wherever it stands."""
    package = ["kiso", *path.relative_to(SRC).parent.parts]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, ()
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            names = tuple(alias.name for alias in node.names)
            if module == "kiso":
                for name in names:
                    yield f"kiso.{name}", ()
            else:
                yield module, names


def room_of(module):
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SRC)))
def test_imports_go_down(path):
    room = path.relative_to(SRC).parts[0].removesuffix(".py")
    if room == "__init__":
        return
    assert room in LEVEL, f"{room} has no storey in this test"
    for module, _ in imports(path):
        if not module.startswith("kiso.") or room_of(module) == room:
            continue
        other = room_of(module)
        if other == "__version__":
            continue
        assert LEVEL[other] < LEVEL[room], f"{path}: {room} imports {module}"
        private = any(part.startswith("_") for part in module.split(".")[1:])
        assert not (room in PUBLIC_ONLY and private), f"{path}: {module} is not public"


@pytest.mark.parametrize(
    "path", sorted((SRC / "_compute").glob("[!_]*.py")), ids=lambda path: path.stem
)
def test_imports_go_down_in_compute(path):
    level = {name: level for level, names in enumerate(COMPUTE) for name in names}
    for module, names in imports(path):
        inside = names if module == "kiso._compute" else [module.rpartition(".")[2]]
        for other in inside if module.startswith("kiso._compute") else ():
            if other != path.stem:
                assert level[other] < level[path.stem], f"{path.stem} imports {other}"


def module_imports(path):
    """Yield the modules of kiso that a file imports, for type checking or not."""
    for module, names in imports(path):
        if module.startswith("kiso"):
            yield module
            yield from (f"{module}.{name}" for name in names)


def test_no_import_circles_in_nn():
    """Not even for type checking: a reader can go through the modules from the ground up."""
    room = SRC / "nn"
    names = {p: ".".join(["kiso", *p.relative_to(SRC).with_suffix("").parts]) for p in FILES}
    paths = {names[p]: p for p in FILES if room in p.parents and p.stem != "__init__"}
    left = {name: {m for m in module_imports(p) if m in paths} for name, p in paths.items()}
    while left:
        ready = {name for name, needs in left.items() if not needs & left.keys()}
        assert ready, f"these import each other: {sorted(left)}"
        left = {name: needs for name, needs in left.items() if name not in ready}


@pytest.mark.parametrize(
    ("word", "owners"),
    [
        ("numba", {"jit.py", "llvm.py", "atomics.py", "microkernels.py"}),
        ("threading", {"jit.py", "atomics.py", "threads.py", "pool.py", "making.py"}),
        ("concurrent.futures", set()),
        ("threadpoolctl", {"threads.py"}),
        ("dask", {"_parts/_dask.py"}),
        ("distributed", set()),
    ],
)
def test_one_place_names(word, owners):
    users = {
        str(p.relative_to(SRC)).removeprefix("_compute/")
        for p in FILES
        for module, _ in imports(p)
        if module.split(".")[0] == word or module == word
    }
    assert users <= owners


def test_data_come_in_through_the_gate():
    """scikit-learn's validation is called in one file, after values have been looked at."""
    checks = {"validate_data", "check_array", "check_X_y", "_check_y", "_check_sample_weight"}
    found = {
        str(p.relative_to(SRC))
        for p in FILES
        for module, names in imports(p)
        if module.startswith("sklearn.utils") and checks & set(names)
    }
    assert found == {"_gate.py"}


@pytest.mark.parametrize(
    "path", [p for p in FILES if "loops" in p.stem], ids=lambda p: str(p.relative_to(SRC))
)
def test_loops_import_loops_alone(path):
    """What a compiled loop names is compiled with it."""
    for module, _ in imports(path):
        known = module == "kiso._validation" or module in {
            f"kiso._compute.{name}" for name in ("jit", "atomics", "microkernels")
        }
        assert not module.startswith("kiso") or known or "loops" in module.rpartition(".")[2]


def loaded_after(statement):
    code = f"import sys; {statement}; print('\\n'.join(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(out.stdout.split())


def test_import_kiso_is_light():
    modules = loaded_after("import kiso")
    assert not modules & {"numpy", "sklearn", "numba", "scipy", "click"}


def test_help_is_light():
    modules = loaded_after(
        "from click.testing import CliRunner; from kiso.cli import main; "
        "r = CliRunner().invoke(main, ['--help']); assert r.exit_code == 0, r.output"
    )
    assert not modules & {"sklearn", "numba", "pandas", "matplotlib", "scipy"}


def test_importing_families_leaves_numba_out():
    modules = loaded_after("from kiso.linear_model import *")
    assert not modules & {"numba", "matplotlib", "statsmodels"}


def test_lazy_families_name_the_same_estimators_everywhere():
    """What a type checker sees, what is exported and where it lives are one list."""
    path = SRC / "linear_model" / "__init__.py"
    seen = {name: module for module, names in imports(path) for name in names}
    from kiso import linear_model

    homes = {name: f"kiso.linear_model.{home}" for name, home in linear_model._HOMES.items()}
    assert {name: module for name, module in seen.items() if name in homes} == homes
    assert linear_model.__all__ == sorted(homes)
    for name in homes:
        assert getattr(linear_model, name).__module__ == homes[name]
    with pytest.raises(AttributeError, match="no attribute 'Lasso'"):
        linear_model.Lasso  # noqa: B018
