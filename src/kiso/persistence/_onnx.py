"""Fitted pipelines as ONNX graphs: preparation and model in one file that other programs run.

A graph has an input for each column: numbers and booleans are doubles (NaN is missing), dates
are seconds since 1970 (double, NaN is missing), categories are strings ("" is missing); all of
shape (rows, 1). Everything is computed in double precision, as kiso does.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline

from kiso.comparison import DataError

from ._model import FittedModel
from ._replace import replace_file

__all__ = ["export_onnx", "onnx_inputs", "to_onnx"]

OPSET = 19  # the first that compares strings
OPSET_ML = 3  # the first whose trees take doubles
IR_VERSION = 9

Array = np.ndarray[Any, np.dtype[Any]]


class _Graph:
    """Nodes and constants, in the order in which they are made."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, value: Any) -> str:
        """Add an array; numbers are doubles unless they are whole."""
        from onnx import helper, numpy_helper

        array = np.asarray(value)
        name = f"c{len(self.constants)}"
        if array.dtype.kind in "OU":
            texts: Any = [str(item).encode() for item in array.ravel()]
            tensor = helper.make_tensor(name, 8, array.shape, texts)
        else:
            kind = np.int64 if array.dtype.kind in "iu" else np.float64
            tensor = numpy_helper.from_array(np.ascontiguousarray(array, dtype=kind), name)
        self.constants.append(tensor)
        return name

    def op(self, kind: str, *inputs: Any, **attributes: Any) -> str:
        """Add a node with one output; what is no name of a value becomes a constant."""
        from onnx import helper

        names = [item if isinstance(item, str) else self.constant(item) for item in inputs]
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, names, [name], **attributes))
        return name

    def double(self, value: str) -> str:
        """Cast to double."""
        return self.op("Cast", value, to=11)


def to_onnx(model: Any) -> Any:
    """Return a fitted pipeline or estimator as an ONNX model.

    Parameters
    ----------
    model : FittedModel, sklearn.pipeline.Pipeline or estimator
        The pipeline of `compare` and `fit` with any of its models, or a fitted estimator of
        kiso by itself (KMeans and PCA too), which then has one input "X" of doubles,
        (rows, features).

    Returns
    -------
    onnx.ModelProto
        Outputs: "prediction" for regression, "label" and (where the model has them)
        "probabilities" for classification, "label" for clusters, "transformed" for PCA.

    Raises
    ------
    DataError
        If there is no graph for a step, with its name; or the package onnx is absent.
    """
    try:
        from onnx import checker, helper
    except ImportError as error:
        raise DataError("ONNX needs the package onnx: pip install 'kiso[onnx]'.") from error
    pipeline = model.pipeline if isinstance(model, FittedModel) else model
    graph = _Graph()
    if isinstance(pipeline, Pipeline):
        inputs, X = _preparation(graph, pipeline[0])
        estimator = pipeline[-1]
    else:
        inputs, X, estimator = [("X", 11, int(pipeline.n_features_in_))], "X", pipeline
    found = _model(graph, X, estimator)
    outputs = []
    for name, (value, kind, width) in found.items():
        graph.nodes.append(helper.make_node("Identity", [value], [name]))
        shape: list[Any] = ["rows"] if width is None else ["rows", width]
        outputs.append(helper.make_tensor_value_info(name, kind, shape))
    proto = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "kiso",
            [
                helper.make_tensor_value_info(name, kind, ["rows", width])
                for name, kind, width in inputs
            ],
            outputs,
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", OPSET_ML)],
        producer_name="kiso",
        ir_version=IR_VERSION,
    )
    checker.check_model(proto)
    return proto


def export_onnx(model: FittedModel, path: str | Path) -> Path:
    """Write a fitted model as ONNX, whole or not at all.

    Raises
    ------
    DataError
        As `to_onnx`.
    OSError
        If the file cannot be written.
    """
    return replace_file(path, to_onnx(model).SerializeToString())


def onnx_inputs(model: FittedModel, frame: Any) -> dict[str, Array]:
    """Return the rows of a table as the graph of a model takes them.

    Parameters
    ----------
    model : FittedModel
    frame : pandas.DataFrame
        With the model's columns, as `kiso.persistence.conform` gives them.

    Returns
    -------
    dict of str to ndarray of shape (n_rows, 1)
    """
    feed: dict[str, Array] = {}
    dates = model.pipeline[0].named_transformers_.get("dates")
    for name, kind in model.columns.items():
        values = frame[name]
        if kind == "category":
            column: Array = (
                values.astype(object).where(values.notna(), "").astype(str).to_numpy(object)
            )
        elif kind == "date":
            parts = dates[0]
            place = [str(n) for n in parts.feature_names_in_].index(name)
            column = _seconds(values, parts.formats_[place])
        else:
            column = values.to_numpy(dtype=np.float64, na_value=np.nan)
        feed[name] = column.reshape(-1, 1)
    return feed


def _seconds(values: Any, form: str) -> Array:
    from kiso.comparison import to_dates

    dates = np.asarray(to_dates(values, form), dtype="datetime64[s]")
    return np.where(np.isnat(dates), np.nan, dates.astype(np.int64).astype(np.float64))


def _preparation(graph: _Graph, preparation: Any) -> tuple[list[tuple[str, int, int]], str]:
    """Add imputation, scaling, parts of dates and 0/1 columns, as `make_preparation` has them."""
    if not isinstance(preparation, ColumnTransformer):
        raise DataError(f"There is no ONNX graph for {type(preparation).__name__}.")
    inputs: list[tuple[str, int, int]] = []
    blocks: list[str] = []
    for part, transformer, columns in preparation.transformers_:
        names = [str(name) for name in columns]
        if part == "remainder" or not names:
            continue
        if part == "texts":
            what = f"column {names[0]!r}" if len(names) == 1 else f"columns {', '.join(names)}"
            raise DataError(
                f"There is no ONNX graph for texts ({what}): ONNX has no operator that cuts them "
                "into words; leave them out with --drop."
            )
        inputs += [(name, 8 if part == "categories" else 11, 1) for name in names]
        if part == "categories":
            blocks += _categories(graph, transformer, names)
            continue
        if part == "dates":
            parts = [_date(graph, name, kept) for name, kept in
                     zip(names, transformer[0].parts_, strict=True)]  # fmt: skip
            columns_in = [value for block in parts for value in block]
        else:
            columns_in = names
        X = graph.op("Concat", *columns_in, axis=1)
        blocks.append(_scaled(graph, X, transformer[-2], transformer[-1]))
    return inputs, graph.op("Concat", *blocks, axis=1) if len(blocks) > 1 else blocks[0]


def _scaled(graph: _Graph, X: str, imputer: Any, scaler: Any) -> str:
    absent = graph.op("IsNaN", X)
    filled = graph.op("Where", absent, imputer.statistics_[None, :], X)
    indicator = getattr(imputer, "indicator_", None)
    if indicator is not None and len(indicator.features_):
        which = graph.op(
            "Gather", graph.double(absent), indicator.features_.astype(np.int64), axis=1
        )
        filled = graph.op("Concat", filled, which, axis=1)
    centred = graph.op("Sub", filled, scaler.mean_[None, :])
    return graph.op("Div", centred, scaler.scale_[None, :])


def _categories(graph: _Graph, transformer: Any, names: list[str]) -> list[str]:
    """0/1 columns: a value is compared with each that was seen; rare and unseen ones share one."""
    fill, encoder = transformer[0].fill_value, transformer[-1]
    rare = encoder.infrequent_categories_ or [None] * len(names)
    blocks = []
    for name, seen, few in zip(names, encoder.categories_, rare, strict=True):
        blank = graph.op("Equal", name, np.array([[""]], dtype=object))
        value = graph.op("Where", blank, np.array([[fill]], dtype=object), name)
        seen = [str(category) for category in seen]
        few = set() if few is None else {str(category) for category in few}
        kept = [category for category in seen if category not in few]
        width = len(kept) + bool(few)
        places = np.zeros((len(seen), width))
        for i, category in enumerate(seen):
            places[i, width - 1 if category in few else kept.index(category)] = 1.0
        same = graph.double(graph.op("Equal", value, np.array([seen], dtype=object)))
        block = graph.op("MatMul", same, places)
        if few:
            known = graph.op("ReduceSum", same, np.array([1]), keepdims=1)
            unseen = graph.op("Sub", np.array([[1.0]]), known)
            block = graph.op("Add", block, graph.op("MatMul", unseen, np.eye(width)[[-1]]))
        blocks.append(block)
    return blocks


def _date(graph: _Graph, seconds: str, kept: list[str]) -> list[str]:
    """Parts of a date from its seconds: days to year, month and day by whole numbers.

    Howard Hinnant, "chrono-compatible low-level date algorithms", civil_from_days.
    """

    def number(value: float) -> Array:
        return np.array([[float(value)]])

    def floor(value: str, by: float) -> str:
        return graph.op("Floor", graph.op("Div", value, number(by)))

    def less(value: str, times: str, by: float) -> str:
        return graph.op("Sub", value, graph.op("Mul", times, number(by)))

    # comparisons drop NaN: what is missing goes through the numbers and stays NaN
    days = floor(seconds, 86400)
    z = graph.op("Add", days, number(719468))
    doe = less(z, floor(z, 146097), 146097)
    leaps = graph.op("Sub", graph.op("Add", graph.op("Sub", doe, floor(doe, 1460)),
                     floor(doe, 36524)), floor(doe, 146096))  # fmt: skip
    yoe = floor(leaps, 365)
    doy = graph.op("Add", graph.op("Sub", less(doe, yoe, 365), floor(yoe, 4)), floor(yoe, 100))
    mp = floor(graph.op("Add", graph.op("Mul", doy, number(5)), number(2)), 153)
    start = floor(graph.op("Add", graph.op("Mul", mp, number(153)), number(2)), 5)
    month = graph.op("Add", mp, number(3))
    month = less(month, floor(graph.op("Sub", month, number(1)), 12), 12)
    weekday = graph.op("Add", days, number(3))
    rest = less(seconds, days, 86400)
    parts = {
        "time": graph.op("Div", seconds, number(365.2425 * 86400.0)),
        "month": month,
        "day": graph.op("Add", graph.op("Sub", doy, start), number(1)),
        "weekday": less(weekday, floor(weekday, 7), 7),
        "hour": graph.op("Div", rest, number(3600)),
    }
    return [parts[name] for name in kept]


Outputs = dict[str, tuple[str, int, int | None]]


def _model(graph: _Graph, X: str, estimator: Any) -> Outputs:
    name = type(estimator).__name__
    if name not in _MODELS:
        raise DataError(f"There is no ONNX graph for {name}.")
    return _MODELS[name](graph, X, estimator)


def _flat(graph: _Graph, value: str) -> str:
    return graph.op("Reshape", value, np.array([-1]))


def _affine(graph: _Graph, X: str, estimator: Any) -> str:
    """Return X Wᵀ + b, (rows, outputs)."""
    coef = np.atleast_2d(np.asarray(estimator.coef_, dtype=np.float64))
    intercept = np.atleast_1d(np.asarray(estimator.intercept_, dtype=np.float64))
    return graph.op("Add", graph.op("MatMul", X, coef.T), intercept[None, :])


def _prediction(graph: _Graph, value: str) -> Outputs:
    return {"prediction": (_flat(graph, value), 11, None)}


def _linear_regressor(graph: _Graph, X: str, estimator: Any) -> Outputs:
    return _prediction(graph, _affine(graph, X, estimator))


def _constant_regressor(graph: _Graph, X: str, estimator: Any) -> Outputs:
    nothing = graph.op("MatMul", X, np.zeros((int(estimator.n_features_in_), 1)))
    return _prediction(graph, graph.op("Add", nothing, np.reshape(estimator.constant_, (1, 1))))


def _labels(graph: _Graph, codes: str, classes: Any) -> tuple[str, int, None]:
    """Return the classes of these numbers: texts, whole numbers or doubles."""
    classes = np.asarray(classes)
    if classes.dtype.kind == "b":
        classes = classes.astype(np.int64)
    kind = 8 if classes.dtype.kind in "OU" else 7 if classes.dtype.kind in "iu" else 11
    return graph.op("Gather", classes, codes, axis=0), kind, None


def _of_scores(graph: _Graph, scores: str, classes: Any, *, proba: str = "") -> Outputs:
    """Return the class of the highest score, and probabilities."""
    codes = graph.op("ArgMax", scores, axis=1, keepdims=0)
    found: Outputs = {"label": _labels(graph, codes, classes)}
    if proba:
        found["probabilities"] = (proba, 11, len(classes))
    return found


def _two_sided(graph: _Graph, decision: str, n_classes: int) -> str:
    """Return a score a class; of two 0 and the decision, so that equal goes to the first."""
    if n_classes > 2:
        return decision
    return graph.op("Concat", graph.op("Mul", decision, np.array([[0.0]])), decision, axis=1)


def _logistic(graph: _Graph, X: str, estimator: Any) -> Outputs:
    n_classes = len(estimator.classes_)
    decision = _affine(graph, X, estimator)
    scores = _two_sided(graph, decision, n_classes)
    # softmax of 0 and z is the logistic function of z
    return _of_scores(graph, scores, estimator.classes_, proba=graph.op("Softmax", scores, axis=1))


def _linear_classifier(graph: _Graph, X: str, estimator: Any) -> Outputs:
    decision = _affine(graph, X, estimator)
    scores = _two_sided(graph, decision, len(estimator.classes_))
    if getattr(estimator, "loss", "") != "log_loss":
        return _of_scores(graph, scores, estimator.classes_)
    each = graph.op("Sigmoid", decision)
    if len(estimator.classes_) == 2:
        proba = graph.op("Concat", graph.op("Sub", np.array([[1.0]]), each), each, axis=1)
    else:
        total = graph.op("ReduceSum", each, np.array([1]), keepdims=1)
        proba = graph.op("Div", each, total)
    return _of_scores(graph, scores, estimator.classes_, proba=proba)


def _prior(graph: _Graph, X: str, estimator: Any) -> Outputs:
    prior = np.asarray(estimator.class_prior_, dtype=np.float64)[None, :]
    nothing = graph.op("MatMul", X, np.zeros((int(estimator.n_features_in_), prior.shape[1])))
    proba = graph.op("Add", nothing, prior)
    return _of_scores(graph, proba, estimator.classes_, proba=proba)


def _squared_distances(graph: _Graph, X: str, R: Array) -> str:
    square = graph.op("ReduceSum", graph.op("Mul", X, X), np.array([1]), keepdims=1)
    cross = graph.op("MatMul", X, -2.0 * R.T)
    return graph.op("Add", graph.op("Add", square, cross), (R**2).sum(axis=1)[None, :])


def _kernel(graph: _Graph, X: str, estimator: Any) -> str:
    """Return K(X, support vectors), (rows, support vectors)."""
    S = np.asarray(estimator.support_vectors_, dtype=np.float64)
    if estimator.kernel == "linear":
        return graph.op("MatMul", X, S.T)
    if estimator.kernel != "rbf":
        raise DataError(
            f"There is no ONNX graph for a machine with the kernel {estimator.kernel!r}."
        )
    distances = graph.op("Max", _squared_distances(graph, X, S), np.array([[0.0]]))
    return graph.op("Exp", graph.op("Mul", distances, np.array([[-float(estimator._gamma)]])))


def _svr(graph: _Graph, X: str, estimator: Any) -> Outputs:
    K = _kernel(graph, X, estimator)
    dual = np.asarray(estimator.dual_coef_, dtype=np.float64)
    value = graph.op("MatMul", K, dual.T)
    return _prediction(graph, graph.op("Add", value, np.reshape(estimator.intercept_, (1, 1))))


def _svc(graph: _Graph, X: str, estimator: Any) -> Outputs:
    """Every pair of classes votes; the first of equals wins."""
    K = _kernel(graph, X, estimator)
    dual = np.asarray(estimator.dual_coef_, dtype=np.float64)
    n_classes = len(estimator.classes_)
    if n_classes == 2:
        decision = graph.op("Add", graph.op("MatMul", K, dual.T), estimator.intercept_[None, :])
        return _of_scores(graph, _two_sided(graph, decision, 2), estimator.classes_)
    starts = np.concatenate([[0], np.cumsum(estimator.n_support_)])
    pairs = list(combinations(range(n_classes), 2))
    W = np.zeros((dual.shape[1], len(pairs)))
    for p, (a, b) in enumerate(pairs):
        W[starts[a] : starts[a + 1], p] = dual[b - 1, starts[a] : starts[a + 1]]
        W[starts[b] : starts[b + 1], p] = dual[a, starts[b] : starts[b + 1]]
    values = graph.op("Add", graph.op("MatMul", K, W), estimator.intercept_[None, :])
    first = graph.double(graph.op("Greater", values, np.array([[0.0]])))
    A, B = np.zeros((len(pairs), n_classes)), np.zeros((len(pairs), n_classes))
    for p, (a, b) in enumerate(pairs):
        A[p, a] = B[p, b] = 1.0
    second = graph.op("Sub", np.array([[1.0]]), first)
    votes = graph.op("Add", graph.op("MatMul", first, A), graph.op("MatMul", second, B))
    return _of_scores(graph, votes, estimator.classes_)


def _nearest(graph: _Graph, X: str, estimator: Any, answers: Array) -> str:
    """Return the mean answer of the k nearest training rows, (rows, columns of the answers)."""
    if estimator.weights != "uniform" or estimator.effective_metric_ != "euclidean":
        raise DataError("There is an ONNX graph for Euclidean neighbours of equal weight only.")
    R = np.asarray(estimator._fit_X, dtype=np.float64)
    k = np.array([int(estimator.n_neighbors)])
    name = f"near{len(graph.nodes)}"
    from onnx import helper

    distances = _squared_distances(graph, X, R)
    graph.nodes.append(
        helper.make_node(
            "TopK", [distances, graph.constant(k)], [f"{name}d", name], axis=1, largest=0, sorted=1
        )
    )
    found = graph.op("Gather", answers, name, axis=0)  # (rows, k, columns)
    return graph.op("ReduceMean", found, np.array([1]), keepdims=0)


def _neighbors_classifier(graph: _Graph, X: str, estimator: Any) -> Outputs:
    n_classes = len(estimator.classes_)
    votes = np.eye(n_classes)[np.asarray(estimator._y).ravel()]
    proba = _nearest(graph, X, estimator, votes)
    return _of_scores(graph, proba, estimator.classes_, proba=proba)


def _neighbors_regressor(graph: _Graph, X: str, estimator: Any) -> Outputs:
    answers = np.asarray(estimator._y, dtype=np.float64).reshape(-1, 1)
    return _prediction(graph, _nearest(graph, X, estimator, answers))


def _trees(graph: _Graph, X: str, trees: list[Any]) -> str:
    """Return the mean of the trees' values, (rows, values)."""
    return graph.op("ReduceMean", _leaves(graph, X, trees), np.array([1]), keepdims=0)


def _leaves(graph: _Graph, X: str, trees: list[Any]) -> str:
    """Return the value that each tree has for a row, (rows, trees, values).

    The trees of ONNX answer in single precision: here with the number of the leaf, by which the
    values are looked up and averaged in double.
    """
    from onnx import numpy_helper

    columns: dict[str, list[Any]] = {name: [] for name in (
        "nodes_treeids", "nodes_nodeids", "nodes_featureids", "nodes_modes", "nodes_truenodeids",
        "nodes_falsenodeids", "nodes_missing_value_tracks_true", "target_treeids",
        "target_nodeids", "target_ids")}  # fmt: skip
    thresholds: list[Array] = []
    values: list[Array] = []
    n_leaves = 0
    n_values = trees[0].value.shape[-1]
    for t, tree in enumerate(trees):
        if getattr(tree, "n_categories", None) is not None and np.any(
            np.asarray(tree.n_categories) > 0
        ):
            raise DataError("There is no ONNX graph for trees with categories.")
        n = int(tree.node_count)
        left = np.asarray(tree.children_left[:n])
        leaf = left < 0
        value = np.asarray(tree.value[:n], dtype=np.float64).reshape(n, n_values)
        columns["nodes_treeids"] += [t] * n
        columns["nodes_nodeids"] += range(n)
        columns["nodes_featureids"] += np.where(leaf, 0, tree.feature[:n]).tolist()
        columns["nodes_modes"] += ["LEAF" if end else "BRANCH_LEQ" for end in leaf]
        columns["nodes_truenodeids"] += np.where(leaf, 0, left).tolist()
        columns["nodes_falsenodeids"] += np.where(leaf, 0, tree.children_right[:n]).tolist()
        columns["nodes_missing_value_tracks_true"] += [
            int(to_left and not end)
            for to_left, end in zip(tree.missing_go_to_left[:n], leaf, strict=True)
        ]
        thresholds.append(np.where(leaf, 0.0, tree.threshold[:n]))
        nodes = np.flatnonzero(leaf)
        columns["target_treeids"] += [t] * len(nodes)
        columns["target_nodeids"] += nodes.tolist()
        columns["target_ids"] += [t] * len(nodes)
        values.append(value[nodes])
        n_leaves += len(nodes)
    if n_leaves >= 1 << 24:
        raise DataError(f"{n_leaves:,} leaves are too many for an ONNX graph.")
    leaves = graph.op(
        "TreeEnsembleRegressor", X, domain="ai.onnx.ml", aggregate_function="SUM",
        n_targets=len(trees), post_transform="NONE",
        nodes_values_as_tensor=numpy_helper.from_array(np.concatenate(thresholds), "t"),
        target_weights_as_tensor=numpy_helper.from_array(np.arange(n_leaves, dtype=float), "w"),
        **columns,
    )  # fmt: skip
    places = graph.op("Cast", leaves, to=7)
    return graph.op("Gather", np.concatenate(values), places, axis=0)


def _forest_of(estimator: Any) -> list[Any]:
    members = getattr(estimator, "estimators_", None)
    return [estimator.tree_] if members is None else [member.tree_ for member in members]


def _tree_classifier(graph: _Graph, X: str, estimator: Any) -> Outputs:
    proba = _trees(graph, X, _forest_of(estimator))
    return _of_scores(graph, proba, estimator.classes_, proba=proba)


def _tree_regressor(graph: _Graph, X: str, estimator: Any) -> Outputs:
    return _prediction(graph, _trees(graph, X, _forest_of(estimator)))


def _boosted(graph: _Graph, X: str, estimator: Any) -> str:
    """Return the sum of the trees of each output, (rows, outputs)."""
    baseline = np.asarray(estimator._baseline, dtype=np.float64).reshape(1, -1)
    steps = estimator._trees
    n_outputs = baseline.shape[1]
    trees = [tree for step in steps for tree in step]
    if not trees:
        nothing = graph.op("MatMul", X, np.zeros((int(estimator.n_features_in_), n_outputs)))
        return graph.op("Add", nothing, baseline)
    of_output = np.tile(np.eye(n_outputs), (len(steps), 1))  # (trees, outputs)
    each = graph.op("Reshape", _leaves(graph, X, trees), np.array([-1, len(trees)]))
    return graph.op("Add", graph.op("MatMul", each, of_output), baseline)


def _boosting_regressor(graph: _Graph, X: str, estimator: Any) -> Outputs:
    raw = _boosted(graph, X, estimator)
    if estimator.loss in ("gamma", "poisson"):
        raw = graph.op("Exp", raw)
    return _prediction(graph, raw)


def _boosting_classifier(graph: _Graph, X: str, estimator: Any) -> Outputs:
    raw = _boosted(graph, X, estimator)
    if len(estimator.classes_) > 2:
        proba = graph.op("Softmax", raw, axis=1)
    elif len(estimator.classes_) == 1:
        proba = graph.op("Exp", graph.op("Mul", raw, np.array([[0.0]])))
    else:
        second = graph.op("Sigmoid", raw)
        proba = graph.op("Concat", graph.op("Sub", np.array([[1.0]]), second), second, axis=1)
    return _of_scores(graph, proba, estimator.classes_, proba=proba)


def _layers(graph: _Graph, X: str, estimator: Any) -> str:
    activations = {"tanh": "Tanh", "relu": "Relu", "logistic": "Sigmoid", "identity": "Identity"}
    last = len(estimator.coefs_) - 1
    for i, (W, b) in enumerate(zip(estimator.coefs_, estimator.intercepts_, strict=True)):
        X = graph.op("Add", graph.op("MatMul", X, np.asarray(W, dtype=np.float64)),
                     np.asarray(b, dtype=np.float64)[None, :])  # fmt: skip
        if i < last:
            X = graph.op(activations[estimator.activation], X)
    return X


def _network_classifier(graph: _Graph, X: str, estimator: Any) -> Outputs:
    scores = _two_sided(graph, _layers(graph, X, estimator), len(estimator.classes_)) \
        if estimator.coefs_[-1].shape[1] == 1 else _layers(graph, X, estimator)  # fmt: skip
    return _of_scores(graph, scores, estimator.classes_, proba=graph.op("Softmax", scores, axis=1))


def _network_regressor(graph: _Graph, X: str, estimator: Any) -> Outputs:
    return _prediction(graph, _layers(graph, X, estimator))


def _clusters(graph: _Graph, X: str, estimator: Any) -> Outputs:
    distances = _squared_distances(graph, X, np.asarray(estimator.cluster_centers_, np.float64))
    return {"label": (graph.op("ArgMin", distances, axis=1, keepdims=0), 7, None)}


def _components(graph: _Graph, X: str, estimator: Any) -> Outputs:
    centred = graph.op("Sub", X, np.asarray(estimator.mean_, dtype=np.float64)[None, :])
    V = np.asarray(estimator.components_, dtype=np.float64).T
    if getattr(estimator, "whiten", False):
        V = V / np.sqrt(estimator.explained_variance_)
    return {"transformed": (graph.op("MatMul", centred, V), 11, V.shape[1])}


_MODELS: dict[str, Callable[[_Graph, str, Any], Outputs]] = {
    "BayesianLinearRegression": _linear_regressor,
    "DecisionTreeClassifier": _tree_classifier,
    "DecisionTreeRegressor": _tree_regressor,
    "DummyClassifier": _prior,
    "DummyRegressor": _constant_regressor,
    "HistGradientBoostingClassifier": _boosting_classifier,
    "HistGradientBoostingRegressor": _boosting_regressor,
    "KMeans": _clusters,
    "KNeighborsClassifier": _neighbors_classifier,
    "KNeighborsRegressor": _neighbors_regressor,
    "LinearRegression": _linear_regressor,
    "LinearSVC": _linear_classifier,
    "LinearSVR": _linear_regressor,
    "LogisticRegression": _logistic,
    "MLPClassifier": _network_classifier,
    "MLPRegressor": _network_regressor,
    "MiniBatchKMeans": _clusters,
    "PCA": _components,
    "Perceptron": _linear_classifier,
    "RandomForestClassifier": _tree_classifier,
    "RandomForestRegressor": _tree_regressor,
    "Ridge": _linear_regressor,
    "SGDClassifier": _linear_classifier,
    "SGDRegressor": _linear_regressor,
    "SVC": _svc,
    "SVR": _svr,
}
