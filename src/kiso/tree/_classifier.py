"""Classification by a decision tree."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from sklearn.tree import DecisionTreeClassifier as SklearnClassifier

from kiso._validation import Array, RandomState, StrOptions

from ._base import BaseTree
from ._targets import Classes

__all__ = ["DecisionTreeClassifier"]


class DecisionTreeClassifier(Classes, BaseTree):
    r"""A binary tree of questions about single features; each leaf has shares of classes.

    A node with rows of weight W splits at the question that decreases
    :math:`W H - W_l H_l - W_r H_r` most, where H is the Gini impurity
    :math:`1 - \sum_c p_c^2` or the entropy :math:`-\sum_c p_c \log_2 p_c` of its classes.
    Of equal decreases the lowest feature wins, then the lowest threshold, then missing
    values on the right; the result is the same on any number of threads.

    A categorical feature asks whether its value is in a set. With two classes the best set
    is found exactly, by cutting the categories ordered by their share of one class
    (Breiman et al. 1984, theorem 4.5); with more, the best cut over the orders by the share
    of each class in turn, which need not be the best set of all. A missing value is one
    more category. Values never seen go where most rows go.

    Parameters
    ----------
    criterion : {"gini", "entropy", "log_loss"}, default="gini"
        H; "log_loss" is the same as "entropy".
    splitter : {"best", "random"}, default="best"
        "random" draws one threshold for each feature, uniformly between its extremes.
    max_depth : int or None, default=None
        Largest number of questions on the way to a leaf.
    min_samples_split, min_samples_leaf : int or float, default=2 and 1
        Least rows (or share of all rows) of a node that splits, and of a child.
    min_weight_fraction_leaf : float, default=0.0
        Least share of the total weight in a child.
    max_features : int, float, {"sqrt", "log2"} or None, default=None
        Features drawn at each node (a float is a share of them); None: all.
    random_state : int, RandomState, Generator or None, default=None
        For `max_features` and `splitter="random"`; a tree of all features is not random.
    max_leaf_nodes : int or None, default=None
        Bound on the leaves: splits that decrease total impurity most come first.
    min_impurity_decrease : float, default=0.0
        Least decrease by a split, as a share of the total weight.
    class_weight : dict, list of dict, "balanced" or None, default=None
        Weights of the classes; of several outputs a list with a dict for each, whose weights
        are multiplied. "balanced": n / (n_classes · rows of the class).
    ccp_alpha : float, default=0.0
        Minimal cost-complexity pruning: links of at most this are cut.
    monotonic_cst : array-like of int of shape (n_features,), default=None
        1: the share of the second class rises with the feature; -1: it falls; 0: it is free.
        For two classes and one output.
    categorical_features : array-like, "from_dtype" or None, default="from_dtype"
        Which columns are categorical, as indices, names or a mask; "from_dtype": pandas
        columns of dtype category.

    Attributes
    ----------
    tree_ : Tree
        Flat arrays, nodes in the order of a walk (`children_left`, `feature`, ...).
    classes_, n_classes_ : ndarray and int, of several outputs lists of these
        The labels, sorted.
    feature_importances_ : ndarray of shape (n_features,)
    max_features_ : int
    n_outputs_ : int
        Number of outputs. Of several the decrease is the mean over the outputs.
    objective_path_ : ndarray
        Total impurity of the leaves after each level (with `max_leaf_nodes` or in `steps`:
        after each split).
    n_features_in_, feature_names_in_
        Number and names of the features.

    Notes
    -----
    Rows of weight 0 are left out. Infinity is refused; NaN is a missing value, sent to the
    side where the decrease is larger, and where none was seen to the larger child. What is
    not stored in a sparse X is 0. A sparse X takes 4 bytes a cell while the tree grows.

    References
    ----------
    Breiman, Friedman, Olshen & Stone (1984), Classification and Regression Trees.
    Goodfellow et al. (2016), Deep Learning, section 5.7.3.

    Examples
    --------
    >>> from kiso.tree import DecisionTreeClassifier
    >>> X = [[0.0, 1.0], [1.0, 0.0], [2.0, 1.0], [3.0, 0.0]]
    >>> model = DecisionTreeClassifier().fit(X, ["no", "no", "yes", "yes"])
    >>> model.predict([[1.4, 0.5], [1.6, 0.5]])
    array(['no', 'yes'], dtype='<U3')
    >>> model.tree_.threshold[0]
    np.float64(1.5)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseTree._parameter_constraints,
        "criterion": [StrOptions({"gini", "entropy", "log_loss"})],
        "class_weight": [dict, list, StrOptions({"balanced"}), None],
    }

    def __init__(
        self,
        *,
        criterion: str = "gini",
        splitter: str = "best",
        max_depth: int | None = None,
        min_samples_split: float = 2,
        min_samples_leaf: float = 1,
        min_weight_fraction_leaf: float = 0.0,
        max_features: Any = None,
        random_state: RandomState = None,
        max_leaf_nodes: int | None = None,
        min_impurity_decrease: float = 0.0,
        class_weight: Any = None,
        ccp_alpha: float = 0.0,
        monotonic_cst: Any = None,
        categorical_features: Any = "from_dtype",
    ):
        self.criterion = criterion
        self.splitter = splitter
        self.max_depth = max_depth
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.min_weight_fraction_leaf = min_weight_fraction_leaf
        self.max_features = max_features
        self.random_state = random_state
        self.max_leaf_nodes = max_leaf_nodes
        self.min_impurity_decrease = min_impurity_decrease
        self.class_weight = class_weight
        self.ccp_alpha = ccp_alpha
        self.monotonic_cst = monotonic_cst
        self.categorical_features = categorical_features

    def fit(self, X: Any, y: Any, sample_weight: Any = None, check_input: bool = True) -> Self:
        """Grow the tree.

        Parameters
        ----------
        X : array-like or sparse of shape (n_samples, n_features)
            float32 is kept, all else becomes float64; NaN is missing (not in a sparse X).
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Classes, of any type.
        sample_weight : array-like of shape (n_samples,), default=None
            Not negative.
        check_input : bool, default=True
            False: X is a checked array of float32 or float64, or CSC.

        Returns
        -------
        self
        """
        return self._fit(X, y, sample_weight=sample_weight, check_input=check_input)

    def _shares(self, X: Any) -> Array:
        return self.tree_.predict(X)


# isinstance in scikit-learn's export_text and plot_tree, and in SHAP, is true then
SklearnClassifier.register(DecisionTreeClassifier)
