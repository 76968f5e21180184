"""kiso's classes in place of scikit-learn's, for scripts and libraries that are not edited.

`patch_sklearn()` puts each class that kiso shares with scikit-learn into the public module
where scikit-learn has it (`sklearn.svm.SVC` becomes `kiso.svm.SVC`); `unpatch_sklearn()`
puts scikit-learn's back. What was imported by name before keeps what it imported, so patch
first. scikit-learn's own modules keep their own classes: a `GradientBoostingRegressor` grows
scikit-learn's trees, and models pickled with scikit-learn load as what they were.

A script runs with kiso's classes, without an edit, by

    python -m kiso.patch script.py [arguments of the script]
"""

from __future__ import annotations

import runpy
import sys
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    ClusterMixin,
    OutlierMixin,
    RegressorMixin,
    TransformerMixin,
)

__all__ = ["all_estimators", "patch_sklearn", "shared_names", "unpatch_sklearn"]

# families of kiso, and the modules of scikit-learn that hold the same names
_FAMILIES = {
    "linear_model": ("linear_model",),
    "svm": ("svm",),
    "neighbors": ("neighbors",),
    "cluster": ("cluster",),
    "decomposition": ("decomposition",),
    "tree": ("tree",),
    "ensemble": ("ensemble",),
    "neural_network": ("neural_network",),
}
# rooms of kiso with estimators that scikit-learn has no module for
_OWN_FAMILIES = ("few_shot", "scattering")
# what all_estimators can select, by the tag of scikit-learn
_KINDS = ("classifier", "regressor", "clusterer", "outlier_detector", "transformer")
# modules of scikit-learn that ask whether an estimator is of a class: they have to know kiso's
_ASKING = {("sklearn.linear_model", "LinearRegression"): ("sklearn.linear_model._ransac",)}
# functions over scikit-learn's trees as well as kiso's: scikit-learn's stay
_LEFT = frozenset({"export_text", "export_graphviz", "plot_tree"})
# modules of scikit-learn whose code relies on what is private in its classes: loaded before
# the names change, so that they keep scikit-learn's
_KEEP_THEIRS = (
    "calibration",
    "ensemble",
    "manifold",
    "multiclass",
    "semi_supervised",
    "feature_selection",
    "impute",
    "inspection",
    "covariance",
    "gaussian_process",
)

_originals: dict[tuple[str, str], Any] = {}


def shared_names() -> Iterator[tuple[str, str, str]]:
    """Yield what kiso and scikit-learn both have: (kiso's module, scikit-learn's, name).

    Examples
    --------
    >>> ("kiso.svm", "sklearn.svm", "SVC") in set(shared_names())
    True
    """
    for family, homes in _FAMILIES.items():
        try:
            ours = import_module(f"kiso.{family}")
        except ModuleNotFoundError as error:
            if error.name != f"kiso.{family}":
                raise
            continue
        for home in homes:
            theirs = import_module(f"sklearn.{home}")
            public = set(theirs.__all__) - _LEFT
            for name in ours.__all__:
                if name in public:
                    yield f"kiso.{family}", f"sklearn.{home}", name


def patch_sklearn(names: Iterable[str] | None = None) -> list[str]:
    """Put kiso's classes where scikit-learn has the classes of the same name.

    Parameters
    ----------
    names : iterable of str, default=None
        Names of classes and functions, "SVC" or "svm.SVC"; None for all that both have.

    Returns
    -------
    list of str
        What was put in place, "sklearn.svm.SVC", in order of module and name.

    Raises
    ------
    ValueError
        If a name is not one that both have; nothing is changed then.

    Notes
    -----
    Call it before other imports bind the names: ``from sklearn.svm import SVC`` after it
    gives kiso's class, before it scikit-learn's. Calling it twice does nothing more.

    Examples
    --------
    >>> import kiso
    >>> kiso.patch_sklearn(["SVC"])
    ['sklearn.svm.SVC']
    >>> from sklearn.svm import SVC
    >>> SVC.__module__.partition(".")[0]
    'kiso'
    >>> kiso.unpatch_sklearn()
    ['sklearn.svm.SVC']
    """
    for part in _KEEP_THEIRS:
        import_module(f"sklearn.{part}")
    shared = sorted(shared_names(), key=lambda each: each[1:])
    if names is not None:
        if isinstance(names, str):
            names = [names]
        wanted = {name.removeprefix("sklearn.") for name in names}
        known = {n for _, home, name in shared for n in (name, f"{_tail(home)}.{name}")}
        if wanted - known:
            raise ValueError(
                f"names={sorted(wanted - known)} are not classes that kiso shares with "
                f"scikit-learn; those are {sorted({name for _, _, name in shared})}"
            )
        shared = [each for each in shared if wanted & {each[2], f"{_tail(each[1])}.{each[2]}"}]
    for ours, theirs, name in shared:
        for place in (theirs, *_ASKING.get((theirs, name), ())):
            module = import_module(place)
            _originals.setdefault((place, name), getattr(module, name))
            setattr(module, name, getattr(import_module(ours), name))
    return [f"{theirs}.{name}" for _, theirs, name in shared]


def unpatch_sklearn() -> list[str]:
    """Put scikit-learn's own classes back; return what was put back.

    Examples
    --------
    >>> unpatch_sklearn()
    []
    """
    restored = sorted(_originals)
    for theirs, name in restored:
        setattr(import_module(theirs), name, _originals.pop((theirs, name)))
    return [f"{theirs}.{name}" for theirs, name in restored if "._" not in theirs]


def all_estimators(type_filter: str | Iterable[str] | None = None) -> list[tuple[str, type]]:
    """List kiso's estimators, as `sklearn.utils.discovery.all_estimators` does scikit-learn's.

    Parameters
    ----------
    type_filter : str or iterable of str, default=None
        'classifier', 'regressor', 'cluster' (or 'clusterer'), 'outlier_detector',
        'transformer', or several of them; None for all estimators.

    Returns
    -------
    list of (str, type)
        Name and class, in the order of names. Estimators that have to be given something to
        be made are listed too.

    Raises
    ------
    ValueError
        If a type is none of those.

    Examples
    --------
    >>> import kiso
    >>> [name for name, _ in kiso.all_estimators("cluster")]
    ['KMeans', 'MiniBatchKMeans']
    """
    wanted = [type_filter] if isinstance(type_filter, str) else list(type_filter or ())
    wanted = ["clusterer" if kind == "cluster" else kind for kind in wanted]
    if set(wanted) - set(_KINDS):
        raise ValueError(
            f"type_filter={type_filter!r}: give some of {', '.join(map(repr, _KINDS))}, or None"
        )
    found = {}
    for family in (*_FAMILIES, *_OWN_FAMILIES):
        module = import_module(f"kiso.{family}")
        for name in module.__all__:
            value = getattr(module, name)
            if isinstance(value, type) and issubclass(value, BaseEstimator):
                found[name] = value
    return [
        (name, found[name])
        for name in sorted(found)
        if not wanted or any(_is_a(found[name], kind) for kind in wanted)
    ]


def _is_a(estimator: type, kind: str) -> bool:
    mixins = {
        "classifier": ClassifierMixin,
        "regressor": RegressorMixin,
        "clusterer": ClusterMixin,
        "outlier_detector": OutlierMixin,
        "transformer": TransformerMixin,
    }
    return issubclass(estimator, mixins[kind])


def main(arguments: list[str]) -> int:
    """Run a script with kiso's classes in place: what ``python -m kiso.patch`` does."""
    if not arguments or arguments[0] in {"-h", "--help"}:
        sys.stderr.write("usage: python -m kiso.patch script.py [arguments of the script]\n")
        return 0 if arguments else 2
    script = Path(arguments[0])
    if not script.is_file():
        sys.stderr.write(f"kiso.patch: there is no file {str(script)!r}\n")
        return 2
    # `python -m` runs this file as __main__; the names are kept in the imported module
    import_module("kiso.patch").patch_sklearn()
    sys.argv = list(arguments)
    sys.path[0] = str(script.resolve().parent)
    runpy.run_path(str(script), run_name="__main__")
    return 0


def _tail(module: str) -> str:
    return module.removeprefix("sklearn.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
