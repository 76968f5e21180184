"""`find_clusters`: what groups the rows of a table without a target fall into, if any.

Columns are prepared as for `compare`, but that 0/1 columns keep their scale and that it plays
no part whether a number is missing. k-means groups the rows; k is the number of clusters
of the largest mean silhouette, and the gap statistic says whether one cloud would do.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.metrics import adjusted_rand_score, silhouette_samples

from kiso.cluster import KMeans, choose_k
from kiso.decomposition import PCA

from ._clock import Clock, Watcher, budget_seconds
from ._columns import classify_columns, feature_names, make_preparation, width
from ._findings import inspect
from ._result import Column, Data, plain, versions
from ._table import Table, find_column
from ._text import DataError

__all__ = ["CLUSTERS_SCHEMA", "Cluster", "Clustering", "Trait", "find_clusters"]

CLUSTERS_SCHEMA = "kiso.clusters/1"

MAX_K = 10
CHOICE_ROWS = 2000  # rows that k is chosen on
LARGEST = 1 << 29  # bytes of prepared columns; of more, a random sample of the rows is used
LEAST_CHOICE = 200  # and on at least so many, however short the time
CHOICE_SHARE = 0.4  # of the time that is left
DRAWN_ROWS = 1500
N_HALVES = 10  # refits that the stability is measured by
N_INIT = 10
N_TRAITS = 6
LEAST_TRAIT = 0.3  # standard deviations from the whole that are worth a word

Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass
class Trait:
    """What a cluster has more or less of than the whole table."""

    feature: str  # "price", "kind = flat"
    share: bool  # whether the two numbers are shares of rows rather than means
    inside: float  # in the cluster, in units of the column
    whole: float  # in all rows
    deviations: float  # (inside − whole) / standard deviation over all rows


@dataclass
class Cluster:
    """One group of rows."""

    n_rows: int
    silhouette: float  # mean over its rows (of a sample), −1 to 1
    stability: float  # mean Jaccard overlap with its likeness in refits to half the rows
    traits: list[Trait]  # furthest from the whole first
    typical_row: int = -1  # of the table, from 0: the one nearest to the cluster's mean
    typical: dict[str, str] = field(default_factory=dict)  # its values in the telling columns


@dataclass
class LoneRow:
    """A row that is far from every cluster."""

    row: int  # of the table, from 0
    cluster: int  # the nearest, from 0
    times: float  # its distance from the mean, in median distances of all rows from theirs
    feature: str  # in which it is furthest away
    value: str


@dataclass
class Clustering:
    """Everything that one run of `find_clusters` found; clusters from large to small."""

    data: Data  # without a target
    seed: int
    k: int
    ks: list[int]
    inertia: list[float]  # within-cluster sum of squares, on the rows k was chosen on
    silhouette: list[float]  # NaN for k = 1
    gap: list[float]
    gap_error: list[float]
    gap_k: int  # what the gap statistic would choose; 1: no clusters
    n_choice_rows: int
    clusters: list[Cluster]
    agreement: float  # mean adjusted Rand index of the refits with the clusters found
    n_refits: int
    points: list[list[float]]  # two principal components of some rows
    point_rows: list[int]  # which rows of the table
    point_labels: list[int]  # and their clusters, from 0
    centers: list[list[float]]  # of the clusters, in the same plane
    explained: list[float]  # share of the variance along the two axes
    axes: list[str]  # what each axis is made of
    seconds: float
    versions: dict[str, str]
    complete: bool = True  # False after Ctrl-C or an exhausted budget
    interrupted: bool = False
    conclusion: str = ""
    labels: list[int] = field(default_factory=list, repr=False)  # of every row, from 0
    lone: list[LoneRow] = field(default_factory=list)  # the furthest first
    profile: dict[str, list[float]] = field(default_factory=dict)
    """Of each feature that marks a cluster: how far every cluster's mean is from that of all
    rows, in standard deviations over all rows."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain, JSON-ready data under a versioned schema; NaN becomes None."""
        return {"schema": CLUSTERS_SCHEMA, **plain(dataclasses.asdict(self))}


def find_clusters(
    table: Table,
    *,
    drop: Sequence[str] = (),
    budget: str | float | None = None,
    random_state: int = 0,
    reserve: float = 0.0,
    watcher: Watcher | None = None,
) -> Clustering:
    """Group the rows of a table; say how many groups, how surely, and what marks each.

    Parameters
    ----------
    table : Table
        As `load` gives it.
    drop : sequence of str
        Columns not to use.
    budget : str or float, optional
        Seconds, or "60s", "2m": where it is used up after the clusters are found, their
        stability is measured by fewer refits, or not at all.
    random_state : int, default=0
        The same seed gives the same clusters.
    reserve : float, default=0
        Seconds of the budget that the caller needs for itself.
    watcher : Watcher, optional
        Is told of the progress.

    Returns
    -------
    Clustering

    Raises
    ------
    DataError
        If the table has fewer than three different rows, or no column to use.

    Examples
    --------
    >>> from kiso.comparison import find_clusters, load
    >>> found = find_clusters(load("iris"), drop=["species"])
    >>> found.k, [cluster.n_rows for cluster in found.clusters]
    (2, [100, 50])
    """
    limit = budget_seconds(budget)
    clock = Clock(None if limit is None else max(1e-9, limit - reserve))
    rng = np.random.default_rng(random_state)
    features = _Features(table, drop, rng)
    steps = {"number of clusters": 1, "clusters": 1, "stability": N_HALVES}
    if watcher is not None:
        watcher.begin(steps)
    try:
        return _find(features, clock, rng, random_state, watcher)
    finally:
        if watcher is not None:
            watcher.end()


class _Features:
    """The prepared columns, and what the result says of the table."""

    def __init__(self, table: Table, drop: Sequence[str], rng: np.random.Generator):
        frame = table.frame
        dropped = [find_column(table, name) for name in drop]
        columns = classify_columns(frame, drop=dropped, blank_first=table.blank_first)
        for column in columns:
            if column.used and column.kind == "text":
                column.used, column.note = False, "free text: not used to group rows"
        used = [column.name for column in columns if column.used]
        if not used:
            why = "; ".join(f"{c.name!r}: {c.note or c.kind}" for c in columns[:5])
            raise DataError(f"{table.name} has no column to group its rows by ({why}).")
        notes = list(table.notes)
        findings = inspect(frame)
        self.rows = np.arange(len(frame))
        most = max(CHOICE_ROWS, LARGEST // (8 * width(columns)))
        if len(frame) > most:
            self.rows = np.sort(rng.choice(len(frame), most, replace=False))
            notes.append(f"a random {most:,} of {len(frame):,} rows are used: all are too large.")
        part = frame[used].iloc[self.rows]
        self.frame = part
        preparation = make_preparation(columns, len(part))
        X = np.asarray(preparation.fit_transform(part), dtype=np.float64)
        names, (mean, scale) = feature_names(preparation), _units(preparation)
        shares, kept = _are_shares(names, columns)
        # a rare 0/1 feature, scaled to variance 1, would set its few rows apart from all others
        X[:, shares] = X[:, shares] * scale[shares] + mean[shares]
        mean[shares], scale[shares] = 0.0, 1.0
        self.X = np.ascontiguousarray(X[:, kept])
        self.names = [name for name, used in zip(names, kept, strict=True) if used]
        self.mean, self.scale, self.shares = mean[kept], scale[kept], shares[kept]
        n_distinct = len(np.unique(self.X[: 10 * CHOICE_ROWS], axis=0))
        if n_distinct < 3:
            raise DataError(
                f"{table.name} has {n_distinct} different rows: nothing to group."
                if n_distinct > 1
                else f"{table.name} has no two rows that differ: nothing to group."
            )
        self.n_distinct = n_distinct
        self.data = Data(table.name, len(part), len(frame), "", columns, [], [], notes, findings)


def _units(preparation: Any) -> tuple[Floats, Floats]:
    """Mean and scale that the preparation took off each feature."""
    means, scales = [], []
    for part, transformer, inputs in preparation.transformers_:
        if part in ("numbers", "dates"):
            means.append(transformer[-1].mean_)
            scales.append(transformer[-1].scale_)
        elif part == "categories":
            n = len(transformer.get_feature_names_out(inputs))
            means.append(np.zeros(n))
            scales.append(np.ones(n))
    return np.concatenate(means), np.concatenate(scales)


def _are_shares(names: list[str], columns: list[Column]) -> tuple[Any, Any]:
    """Which features are 0 or 1, and which count: not that a number is missing."""
    booleans = {column.name for column in columns if column.kind == "boolean"}
    numbers = {column.name for column in columns if column.kind == "number"}
    absent = {f"{name} is missing" for name in booleans | numbers} - numbers - booleans
    shares = [n in booleans or n in absent or (n not in numbers and " = " in n) for n in names]
    return np.array(shares), np.array([name not in absent for name in names])


def _find(
    features: _Features,
    clock: Clock,
    rng: np.random.Generator,
    seed: int,
    watcher: Watcher | None,
) -> Clustering:
    X = features.X
    some = np.sort(rng.permutation(len(X))[:CHOICE_ROWS])
    tried = range(1, min(MAX_K, features.n_distinct - 1, len(some) - 1) + 1)
    some = some[: _affordable(X[some], tried, clock)]
    tried = range(1, min(MAX_K, features.n_distinct - 1, len(some) - 1) + 1)
    choice = choose_k(X[some], tried, criterion="silhouette", n_init=3, random_state=rng)
    gap_k = _by_gap(choice.ks, choice.gap, choice.gap_error)
    _tell(watcher, "number of clusters", 1, f"{choice.k}")
    model = _best_of(X, choice.k, clock, rng)
    order = np.argsort(-np.bincount(model.labels_, minlength=choice.k), kind="stable")
    labels = np.argsort(order)[model.labels_]
    _tell(watcher, "clusters", 1, "done")
    overlaps, agreements, interrupted = _stability(X, labels, clock, rng, watcher)
    silhouettes = _silhouettes(X[some], labels[some])
    clusters = []
    for j in range(choice.k):
        mine = labels[some] == j
        clusters.append(
            Cluster(
                n_rows=int(np.sum(labels == j)),
                silhouette=float(silhouettes[mine].mean()) if mine.any() else float("nan"),
                stability=float(np.mean(overlaps[:, j])) if len(overlaps) else float("nan"),
                traits=_traits(features, labels == j),
            )
        )
    _typical(features, labels, clusters)
    found = Clustering(
        lone=_lone(features, labels, choice.k),
        profile=_profile(features, labels, clusters),
        data=features.data,
        seed=seed,
        k=choice.k,
        ks=choice.ks.tolist(),
        inertia=choice.inertia.tolist(),
        silhouette=choice.silhouette.tolist(),
        gap=choice.gap.tolist(),
        gap_error=choice.gap_error.tolist(),
        gap_k=gap_k,
        n_choice_rows=len(some),
        clusters=clusters,
        agreement=float(np.mean(agreements)) if agreements else float("nan"),
        n_refits=len(agreements),
        **_plane(features, labels, model.cluster_centers_[order], rng),
        seconds=clock.elapsed,
        versions=versions(),
        complete=len(agreements) == N_HALVES,
        interrupted=interrupted,
        labels=labels.tolist(),
    )
    found.conclusion = conclusion(found)
    return found


def _affordable(X: Floats, tried: range, clock: Clock) -> int:
    """Return how many rows k can be chosen on in two fifths of the time that is left.

    The work grows with the rows, that of the silhouettes with their square: it is measured on a
    few.
    """
    n = len(X)
    if not np.isfinite(clock.left) or n <= LEAST_CHOICE:
        return n
    few = X[:: max(1, n // LEAST_CHOICE)][:LEAST_CHOICE]
    start = clock.now()
    choose_k(few, range(1, min(3, len(tried)) + 1), criterion="silhouette", n_init=1)  # compiles
    start = clock.now()
    choose_k(few, range(1, min(3, len(tried)) + 1), criterion="silhouette", n_init=3)
    unit = (clock.now() - start) * len(tried) / 2
    allowed = CHOICE_SHARE * clock.left / max(unit, 1e-9)
    return int(min(n, max(LEAST_CHOICE, LEAST_CHOICE * allowed**0.6)))


def _best_of(X: Floats, k: int, clock: Clock, rng: np.random.Generator) -> KMeans:
    """Return the tightest of ten k-means fits; of fewer where time is short."""
    best: KMeans | None = None
    last = 0.0
    for _ in range(N_INIT):
        if best is not None and clock.left < 3 * last:
            break
        start = clock.now()
        model = KMeans(k, n_init=1, random_state=rng).fit(X)
        last = clock.now() - start
        if best is None or model.inertia_ < best.inertia_:
            best = model
    assert best is not None
    return best


def _tell(watcher: Watcher | None, name: str, done: int, note: str) -> None:
    if watcher is not None:
        watcher.advance(name, done, note)


def _silhouettes(X: Floats, labels: Any) -> Floats:
    """The silhouette of each row; NaN where all are in one cluster."""
    if not 2 <= len(np.unique(labels)) < len(labels):
        return np.full(len(labels), np.nan)
    return np.asarray(silhouette_samples(X, labels))


def _by_gap(ks: Floats, gap: Floats, error: Floats) -> int:
    """Smallest k with Gap_k ≥ Gap_{k+1} − s_{k+1} (Tibshirani, Walther & Hastie 2001)."""
    enough = gap[:-1] >= gap[1:] - error[1:]
    return int(ks[np.argmax(enough)] if enough.any() else ks[-1])


def _stability(
    X: Floats, labels: Any, clock: Clock, rng: np.random.Generator, watcher: Watcher | None
) -> tuple[Floats, list[float], bool]:
    """Refit to random halves; how far they find the same clusters (Hennig 2007).

    Returns, for each refit, the Jaccard overlap of every cluster with the nearest of the
    refit and the adjusted Rand index, over all rows; and whether the user broke in.
    """
    k = int(labels.max()) + 1
    overlaps: list[Floats] = []
    agreements: list[float] = []
    try:
        last = 0.0
        for turn in range(N_HALVES):
            if clock.left <= 1.2 * last:
                break
            start = clock.now()
            half = rng.permutation(len(X))[: max(k, len(X) // 2)]
            other = KMeans(k, n_init=3, random_state=rng).fit(X[half]).predict(X)
            both = np.zeros((k, k))
            np.add.at(both, (labels, other), 1.0)
            union = both.sum(axis=1)[:, None] + both.sum(axis=0) - both
            overlaps.append((both / np.maximum(union, 1)).max(axis=1))
            agreements.append(float(adjusted_rand_score(labels, other)))
            last = clock.now() - start
            _tell(watcher, "stability", turn + 1, f"{np.mean(agreements):.2f}")
    except KeyboardInterrupt:
        return np.array(overlaps[: len(agreements)]), agreements, True
    return np.array(overlaps), agreements, False


def _traits(features: _Features, inside: Any) -> list[Trait]:
    """The features in which a cluster's mean is furthest from that of all rows."""
    whole, mine = features.X.mean(axis=0), features.X[inside].mean(axis=0)
    spread = features.X.std(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        away = np.where(spread > 0, (mine - whole) / spread, 0.0)
    units = features.mean, features.scale
    return [
        Trait(
            features.names[j],
            bool(features.shares[j]),
            float(mine[j] * units[1][j] + units[0][j]),
            float(whole[j] * units[1][j] + units[0][j]),
            float(away[j]),
        )
        for j in _telling(features, away)[:N_TRAITS]
    ]


MAX_LONE = 10
FAR = 6.0  # robust standard deviations of the distances


def _distances(features: _Features, labels: Any, k: int) -> tuple[Floats, Floats]:
    """Return each row's difference from its cluster's mean, and the length of that."""
    means = np.array([features.X[labels == j].mean(axis=0) for j in range(k)])
    away = features.X - means[labels]
    return away, np.sqrt((away**2).sum(axis=1))


def _column(feature: str, frame: Any) -> str:
    """Return the column that a feature is made of."""
    names = [str(name) for name in frame.columns]
    if feature in names:
        return feature
    return max((n for n in names if feature.startswith(n)), key=len, default="")


def _written(value: Any) -> str:
    if isinstance(value, float) and np.isfinite(value):
        return f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"
    return "missing" if value is None or value != value else str(value)


def _typical(features: _Features, labels: Any, clusters: list[Cluster]) -> None:
    """Name the row nearest to each cluster's mean, and what it has where the cluster is marked."""
    _, length = _distances(features, labels, len(clusters))
    for j, cluster in enumerate(clusters):
        mine = np.flatnonzero(labels == j)
        place = int(mine[np.argmin(length[mine])])
        cluster.typical_row = int(features.rows[place])
        row = features.frame.iloc[place]
        columns = [_column(trait.feature, features.frame) for trait in cluster.traits]
        cluster.typical = {name: _written(row[name]) for name in dict.fromkeys(columns) if name}


def _lone(features: _Features, labels: Any, k: int) -> list[LoneRow]:
    """Return the rows whose distance from their cluster's mean is far beyond the usual."""
    away, length = _distances(features, labels, k)
    middle = float(np.median(length))
    spread = 1.4826 * float(np.median(np.abs(length - middle)))
    if middle <= 0 or spread <= 0:
        return []
    far = np.flatnonzero(length > middle + FAR * spread)
    far = far[np.argsort(-length[far], kind="stable")][:MAX_LONE]
    found = []
    for place in far.tolist():
        feature = features.names[int(np.argmax(np.abs(away[place])))]
        column = _column(feature, features.frame)
        found.append(
            LoneRow(
                row=int(features.rows[place]),
                cluster=int(labels[place]),
                times=float(length[place] / middle),
                feature=column or feature,
                value=_written(features.frame.iloc[place][column]) if column else "",
            )
        )
    return found


def _profile(features: _Features, labels: Any, clusters: list[Cluster]) -> dict[str, list[float]]:
    names = dict.fromkeys(trait.feature for cluster in clusters for trait in cluster.traits)
    spread = features.X.std(axis=0)
    whole = features.X.mean(axis=0)
    found = {}
    for name in names:
        j = features.names.index(name)
        means = [features.X[labels == c, j].mean() for c in range(len(clusters))]
        found[name] = [float((mean - whole[j]) / spread[j]) for mean in means]
    return found


def _telling(features: _Features, away: Floats) -> list[int]:
    """Features that are far away, the furthest first; of a category's two only one."""
    column = [name.partition(" = ")[0] if share else name
              for name, share in zip(features.names, features.shares, strict=True)]  # fmt: skip
    told, found = set(), []
    for j in np.argsort(-np.abs(away), kind="stable").tolist():
        if abs(away[j]) < LEAST_TRAIT:
            break
        if column[j] in told and column.count(column[j]) == 2:
            continue  # that 70 % are "yes" is that 30 % are "no"
        told.add(column[j])
        found.append(j)
    return found


def _plane(
    features: _Features, labels: Any, centers: Floats, rng: np.random.Generator
) -> dict[str, Any]:
    """The two principal components of the prepared columns, of some rows and the centres."""
    X = features.X
    drawn = np.sort(rng.permutation(len(X))[:DRAWN_ROWS])
    pca = PCA(min(2, X.shape[1])).fit(X)

    def flat(rows: Floats) -> list[list[float]]:
        Z = pca.transform(rows)
        return np.hstack([Z, np.zeros((len(Z), 2 - Z.shape[1]))]).tolist()

    axes = []
    for component in pca.components_:
        largest = np.argsort(-np.abs(component), kind="stable")[:3]
        parts = [f"{'+' if component[j] > 0 else '−'} {features.names[j]}" for j in largest]
        axes.append(", ".join(parts))
    return {
        "points": flat(X[drawn]),
        "point_rows": features.rows[drawn].tolist(),
        "point_labels": labels[drawn].tolist(),
        "centers": flat(centers),
        "explained": pca.explained_variance_ratio_.tolist(),
        "axes": axes,
    }


def conclusion(found: Clustering) -> str:
    """Say in words how many clusters there are, how clear and how stable they are."""
    sizes = [f"{cluster.n_rows:,}" for cluster in found.clusters]
    best = found.silhouette[found.ks.index(found.k)]
    if found.k < 2:
        return "No clusters: no way to cut the rows into groups was found."
    how = next(word for least, word in _CLEARNESS if not best < least)
    text = f"{found.k} clusters of {', '.join(sizes[:-1])} and {sizes[-1]} rows, {how}"
    text += f" (mean silhouette {best:.2f})"
    if found.agreement == found.agreement:
        steady = next(word for least, word in _STEADINESS if not found.agreement < least)
        text += f" and {steady} from half of the rows to all (adjusted Rand {found.agreement:.2f})"
    text += "."
    if found.gap_k == 1 and best < _CLEAR:
        text += " The gap statistic finds no clusters: one cloud of rows would look much the same."
    elif found.gap_k not in (1, found.k, found.ks[-1]):  # the last: it grew to the end
        text += f" The gap statistic would take {found.gap_k}."
    return text


# Kaufman & Rousseeuw (1990), Finding Groups in Data, table 4
_CLEAR = 0.5
_CLEARNESS = ((0.7, "far apart"), (_CLEAR, "apart"), (0.25, "hardly apart"), (-1.0, "not apart"))
_STEADINESS = ((0.9, "the same"), (0.6, "much the same"), (-1.0, "different"))
