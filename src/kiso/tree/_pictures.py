"""A tree as a picture and as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ._tree import Tree

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["export_text", "plot_tree"]


def _question(model: Any, node: int, names: list[str]) -> str:
    tree: Tree = model.tree_
    f = tree.feature[node]
    if tree.n_categories[f] < 0:
        if np.isinf(tree.threshold[node]):
            return f"{names[f]} is known"
        return f"{names[f]} <= {tree.threshold[node]:.4g}"
    bits = tree.category_bits[node]
    values = [
        str(value)
        for value, code in model._columns.categories[f].items()
        if bits[code >> 5] >> np.uint32(code & 31) & np.uint32(1)
    ]
    shown = values if len(values) <= 5 else [*values[:4], f"… {len(values)} in all"]
    return f"{names[f]} in {{{', '.join(shown)}}}"


def _answer(model: Any, node: int) -> str:
    value = model.tree_.value[node, 0]
    if hasattr(model, "classes_"):
        best = int(value.argmax())
        return f"{model.classes_[best]} ({value[best]:.0%})"
    return f"{value[0]:.4g}"


def _names(model: Any, feature_names: Any) -> list[str]:
    check_is_fitted(model)
    n = model.tree_.n_features
    if feature_names is None:
        feature_names = getattr(model, "feature_names_in_", [f"x{j}" for j in range(n)])
    names = [str(name) for name in feature_names]
    if len(names) != n:
        raise ValueError(f"feature_names: {len(names)} names for {n} features")
    return names


def export_text(model: Any, *, feature_names: Any = None, max_depth: int = 10) -> str:
    """Return the questions and answers of a fitted tree as indented text.

    Parameters
    ----------
    model : DecisionTreeClassifier or DecisionTreeRegressor
    feature_names : sequence of str, default=None
        None: those seen in `fit`, else x0, x1, ...
    max_depth : int, default=10
        Deeper nodes are shown as "...".

    Examples
    --------
    >>> from kiso.tree import DecisionTreeRegressor, export_text
    >>> print(export_text(DecisionTreeRegressor().fit([[0], [1]], [3, 5])))
    x0 <= 0.5
      yes: 3
      no: 5
    """
    names = _names(model, feature_names)
    tree = model.tree_
    lines: list[str] = []
    stack = [(0, 0, "")]
    while stack:
        node, depth, before = stack.pop()
        left = tree.children_left[node]
        if left < 0:
            text = _answer(model, node)
        else:
            text = "..." if depth > max_depth else _question(model, node, names)
        lines.append("  " * depth + before + text)
        if left >= 0 and depth <= max_depth:
            stack += [(tree.children_right[node], depth + 1, "no: "), (left, depth + 1, "yes: ")]
    return "\n".join(lines)


def plot_tree(
    model: Any, *, feature_names: Any = None, max_depth: int = 4, ax: Axes | None = None
) -> Axes:
    """Draw a fitted tree: questions in inner nodes ("yes" to the left), answers in leaves.

    Parameters
    ----------
    model : DecisionTreeClassifier or DecisionTreeRegressor
    feature_names : sequence of str, default=None
        None: those seen in `fit`, else x0, x1, ...
    max_depth : int, default=4
        Nodes below are not drawn.
    ax : matplotlib Axes, default=None
        None: those of a new figure.

    Returns
    -------
    matplotlib Axes
    """
    from matplotlib.figure import Figure

    names = _names(model, feature_names)
    tree = model.tree_
    if ax is None:
        ax = Figure(figsize=(9, 5), layout="constrained").subplots()
    place: dict[int, tuple[float, float]] = {}
    next_x = 0.0

    def put(node: int, depth: int) -> float:
        nonlocal next_x
        left = tree.children_left[node]
        if left < 0 or depth == max_depth:
            x, next_x = next_x, next_x + 1.0
        else:
            x = (put(left, depth + 1) + put(tree.children_right[node], depth + 1)) / 2
        place[node] = (x, -float(depth))
        return x

    put(0, 0)
    for node, (x, y) in place.items():
        left, right = int(tree.children_left[node]), int(tree.children_right[node])
        inner = left in place
        for child in (left, right) if inner else ():
            ax.plot([x, place[child][0]], [y, place[child][1]], color="0.6", lw=1, zorder=1)
        text = _question(model, node, names) if inner else _answer(model, node)
        text += f"\n{tree.n_node_samples[node]:,} rows"
        face = "white" if inner else "#dbe9f6"
        box = {"boxstyle": "round", "facecolor": face, "edgecolor": "0.4"}
        ax.text(x, y, text, ha="center", va="center", fontsize=8, bbox=box)
    ax.set_xlim(-0.7, next_x - 0.3)
    ax.set_ylim(min(y for _, y in place.values()) - 0.5, 0.5)
    ax.set_axis_off()
    return ax
