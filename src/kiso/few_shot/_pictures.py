"""Pictures of one-shot learning: queries with their answers, and the embedding in a plane."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from kiso._gate import column_or_1d
from kiso.decomposition import PCA
from kiso.inspection._images import as_picture, draw

from ._network_support import FewShotNetwork
from ._support import FewShotClassifier

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_answers", "plot_embedding"]


def plot_answers(
    model: FewShotClassifier,
    support: Any,
    classes: Any,
    queries: Any,
    truth: Any = None,
    *,
    n_shown: int = 10,
    figure: Any = None,
) -> Figure:
    """Draw queries, and below each an example of its class and one of the class it is given.

    The frame of an answer is green where it is right.

    Parameters
    ----------
    model : FewShotClassifier
        Fitted; its own support set stays.
    support : array-like of shape (n_examples, height, width) or with channels
    classes : array-like of shape (n_examples,)
    queries : array-like of shape (n_queries, height, width) or with channels
    truth : array-like of shape (n_queries,) or None, default=None
        Their classes; None leaves out what is right.
    n_shown : int, default=10
        The first queries.
    figure : Figure, subfigure or None, default=None
        Where to draw; None makes one.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    ValueError
        If the samples are no pictures, or a query's class has no example.

    Examples
    --------
    >>> from kiso.few_shot import NearestExampleClassifier, plot_answers
    >>> X = np.eye(4).reshape(4, 2, 2)
    >>> model = NearestExampleClassifier().fit(X, [0, 1, 2, 3])
    >>> figure = plot_answers(model, X, list("abcd"), X[:3], list("abd"))
    >>> len(figure.axes)
    9
    """
    support, queries = np.asarray(support), np.asarray(queries)[:n_shown]
    classes = column_or_1d(classes)
    if support.ndim not in (3, 4):
        raise ValueError(
            f"support of shape {support.shape}: give pictures (n, height, width) or "
            "(n, channels, height, width)"
        )
    given = copy.copy(model).support(support, classes).predict(queries)
    rows = {"query": queries}
    if truth is not None:
        truth = column_or_1d(truth)[:n_shown]
        unknown = ~np.isin(truth, classes)
        if unknown.any():
            raise ValueError(f"truth: class {str(truth[unknown][0])!r} has no example in support")
        rows["support"] = support[[int(np.argmax(classes == k)) for k in truth]]
    rows["answer"] = support[[int(np.argmax(classes == k)) for k in given]]
    if figure is None:
        from matplotlib.figure import Figure

        size = (0.9 * len(queries) + 0.6, 0.95 * len(rows) + 0.1)
        figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(len(rows), len(queries), squeeze=False)
    for line, (name, pictures) in zip(axes, rows.items(), strict=True):
        for ax, picture in zip(line, pictures, strict=True):
            draw(ax, as_picture(picture) if picture.ndim == 3 else picture)
            ax.set(xticks=[], yticks=[])
            ax.set_axis_on()
        line[0].set_ylabel(name)
    if truth is not None:
        for ax, right in zip(axes[-1], given == truth, strict=True):
            for spine in ax.spines.values():
                spine.set(color="tab:green" if right else "tab:red", lw=2)
    return figure


def plot_embedding(model: FewShotNetwork, X: Any, y: Any, *, figure: Any = None) -> Figure:
    """Draw what a network makes of samples, in the plane of their first two components.

    Parameters
    ----------
    model : PrototypicalNetwork or SiameseNetwork
        Fitted.
    X : array-like of shape (n_samples, ...)
    y : array-like of shape (n_samples,)
        Their classes, by which points are coloured.
    figure : Figure, subfigure or None, default=None
        Where to draw; None makes one.

    Returns
    -------
    matplotlib Figure

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from kiso.few_shot import PrototypicalNetwork, plot_embedding
    >>> X, y = load_iris(return_X_y=True)
    >>> model = PrototypicalNetwork(max_iter=20, random_state=0).fit(X, y)
    >>> len(plot_embedding(model, X, y).axes[0].collections)
    3
    """
    pca = PCA(2).fit(e := model.embed(X))
    plane, y = pca.transform(e), column_or_1d(y)
    if figure is None:
        from matplotlib.figure import Figure

        figure = Figure(figsize=(5, 4.4), layout="constrained")
    ax = figure.subplots()
    classes = np.unique(y)
    for k in classes:
        ax.scatter(*plane[y == k].T, s=12, label=str(k), alpha=0.8)
    share = 100 * pca.explained_variance_ratio_
    ax.set(xlabel=f"first component, {share[0]:.0f} %", ylabel=f"second, {share[1]:.0f} %")
    if len(classes) <= 10:
        ax.legend(fontsize="x-small")
    return figure
