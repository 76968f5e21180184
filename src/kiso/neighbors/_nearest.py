"""Nearest neighbours without a target."""

from __future__ import annotations

from typing import Any, Self

from kiso._validation import Integral, Interval, Real, positive

from ._search import NearestSearch, NeighborSearch, RadiusSearch


class NearestNeighbors(NearestSearch, RadiusSearch):
    r"""The training rows nearest to a query, exactly.

    .. math::

        N_k(q) = \{\text{the } k \text{ rows with the least } (d(q, x^{(i)}), i)\}, \qquad
        N_r(q) = \{i : d(q, x^{(i)}) \le r\}

    Distances are added up in float64 from differences, whatever the algorithm, so that
    every algorithm and any number of threads give the same neighbours; of equal distances
    the lower index is nearer.

    Parameters
    ----------
    n_neighbors : int, default=5
        k.
    radius : float, default=1.0
        r, in the unit of the features.
    algorithm : {"auto", "brute", "kd_tree", "ball_tree"}, default="auto"
        "brute" measures all rows: the Euclidean and cosine distances through blocks of
        matrix products. "kd_tree" is for few features and a norm. "auto" counts, when queries
        come, how much of a tree they would have to look at, and builds it as soon as that
        has saved, in all calls so far, what building it costs; the neighbours are the same
        to the last bit. "ball_tree" takes the metrics that scikit-learn's ball tree takes and
        searches a KD-tree over the mapped rows, or by brute force where no box bounds the
        metric: the neighbours are the same.
    leaf_size : int, default=30
        Rows of a leaf of the tree, rounded up to a multiple of 16; changes speed alone.
    metric : str, callable or sklearn.metrics.DistanceMetric, default="minkowski"
        Norms: "euclidean" ("l2"), "sqeuclidean", "manhattan" ("l1", "cityblock"),
        "chebyshev" ("infinity"), "minkowski" ("p"), "seuclidean" (metric_params "V": variances;
        default those of the rows), "mahalanobis" ("VI", or its inverse "V"; default the
        covariance of the rows). Angles: "cosine", "correlation", "haversine" (two features,
        latitude and longitude in radians). Others of numbers: "braycurtis", "canberra",
        "hamming", "nan_euclidean" (NaN is a missing value). Of true and false, x ≠ 0: "dice",
        "jaccard", "rogerstanimoto", "russellrao", "sokalmichener", "sokalsneath", "yule".
        "precomputed": X is the matrix of distances, or a sparse graph whose stored entries are
        the only neighbours. Or a function of two rows that returns a number ("pyfunc" takes
        it from metric_params "func").
    p : float, default=2
        Of the Minkowski distance (Σ|q − x|ᵖ)^(1/p). Below 1 it is no norm, and brute force
        is used.
    metric_params : dict, default=None
        For minkowski "p" and "w", a weight for each feature as in SciPy, which the metrics
        braycurtis, canberra, chebyshev, correlation, hamming and those of true and false take
        as well; "V" and "VI" as above; further arguments of a function.
    n_jobs : int, default=None
        Threads, at most; −1 is all cores. None: the cores given to the process, fewer inside
        ``threadpoolctl.threadpool_limits`` or ``joblib.parallel_config``.

    Attributes
    ----------
    effective_metric_ : str or callable
        `metric`; minkowski with p = 1, 2 or ∞ goes by its own name.
    effective_metric_params_ : dict
    n_samples_fit_ : int
    n_features_in_, feature_names_in_ :
        As everywhere in scikit-learn.

    Notes
    -----
    The rows are not copied by brute force: do not change them after the fit. A memory map,
    and an array that as float64 would take more than a quarter of the machine's memory, is
    kept as it is, of any order and type of numbers: "auto" then takes brute force, which
    reads, converts and maps a block of rows at a time, each once for every 8,192 queries.
    "kd_tree" copies all rows. Sparse rows are searched by brute force whatever the
    algorithm. Queries of a wider type than the training rows keep their digits.

    References
    ----------
    Goodfellow et al. (2016), Deep Learning, section 5.7.3.
    J. H. Friedman, J. L. Bentley, R. A. Finkel, "An algorithm for finding best matches in
    logarithmic expected time", ACM Transactions on Mathematical Software 3, 1977.

    Examples
    --------
    >>> from kiso.neighbors import NearestNeighbors
    >>> search = NearestNeighbors(n_neighbors=2).fit([[0.0], [1.0], [3.0]])
    >>> distances, indices = search.kneighbors([[2.0]])  # rows 1 and 2 are equally far
    >>> indices
    array([[1, 2]])
    >>> search.kneighbors_graph(mode="distance").toarray()
    array([[0., 1., 3.],
           [1., 0., 2.],
           [3., 2., 0.]])
    """

    _parameter_constraints = {
        **NeighborSearch._parameter_constraints,
        "n_neighbors": [positive(Integral), None],
        "radius": [Interval(Real, 0, None, closed="both"), None],
    }

    def __init__(
        self,
        *,
        n_neighbors: int = 5,
        radius: float = 1.0,
        algorithm: str = "auto",
        leaf_size: int = 30,
        metric: Any = "minkowski",
        p: float | None = 2,
        metric_params: dict[str, Any] | None = None,
        n_jobs: int | None = None,
    ):
        self.n_neighbors = n_neighbors
        self.radius = radius
        self.algorithm = algorithm
        self.leaf_size = leaf_size
        self.metric = metric
        self.p = p
        self.metric_params = metric_params
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any = None) -> Self:
        """Keep the rows; build the tree where one is used.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Or (n_samples, n_samples) distances where the metric is precomputed. A fitted
            estimator of this module, or a KDTree or BallTree of scikit-learn, stands for its
            rows.
        y : ignored

        Returns
        -------
        self
        """
        self._validate_params()
        return self._keep(self._validated(X))
