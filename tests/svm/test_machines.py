"""SVC, SVR, OneClassSVM against a quadratic programme, the optimality conditions and libsvm."""

import warnings
from itertools import pairwise

import numpy as np
import pytest
import sklearn.svm as libsvm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.datasets import load_digits, make_classification
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.utils import check_random_state

from kiso.svm import RBF, SVC, SVR, Linear, OneClassSVM
from tests.naive import svm as naive


def blobs(n=80, d=4, seed=0, classes=2, dtype=np.float64):
    X, y = make_classification(
        n, d, n_informative=d, n_redundant=0, n_classes=classes, n_clusters_per_class=1,
        flip_y=0.1, random_state=seed,
    )  # fmt: skip
    return X.astype(dtype), y


def signed(model, n):
    beta = np.zeros(n)
    beta[model.support_] = model.dual_coef_[0]
    return beta


# ------------------------------------------------------------------ the optimum


@settings(deadline=None, max_examples=12)
@given(
    n=st.integers(3, 25),
    d=st.integers(1, 5),
    C=st.sampled_from([0.1, 1.0, 20.0]),
    seed=st.integers(0, 99),
)
def test_svc_is_the_quadratic_programme(n, d, C, seed):
    rng = np.random.default_rng(seed)
    X, y = rng.standard_normal((n, d)), np.where(np.arange(n) % 2, 1.0, -1.0)
    K, weight = RBF(0.5)(X), rng.uniform(0.0, 2.0, n).round(1)
    weight[:2] = 1.0
    model = SVC(C=C, gamma=0.5, tol=1e-5).fit(X, y, weight)
    beta, bound = signed(model, n), C * weight
    lo, hi = np.where(y > 0, 0, -bound), np.where(y > 0, bound, 0)
    _, least = naive.dual(K, -y, lo, hi)
    own = 0.5 * beta @ K @ beta - y @ beta
    assert abs(beta.sum()) < 1e-9 * max(1, C)
    assert (beta >= lo).all()
    assert (beta <= hi).all()
    assert own == pytest.approx(least, abs=1e-4 * max(1.0, abs(least)))
    value = naive.primal(K, beta, model.intercept_[0], y, bound)
    assert model.dual_gap_ == pytest.approx(value + own, abs=1e-5 * max(1.0, value))
    assert naive.kkt_violation(K @ beta - y, beta, lo, hi) < 1e-3


def test_svr_is_the_quadratic_programme():
    X, _ = blobs(20, 3)
    z = np.sin(X[:, 0]) + X[:, 1]
    K, n = RBF(0.3)(X), 20
    model = SVR(C=5.0, gamma=0.3, epsilon=0.05, tol=1e-5).fit(X, z)
    both = np.tile(K, (2, 2))
    p = np.concatenate([0.05 - z, -0.05 - z])
    lo, hi = np.repeat([0.0, -5.0], n), np.repeat([5.0, 0.0], n)
    _, least = naive.dual(both, p, lo, hi)
    beta = signed(model, n)
    own = 0.5 * beta @ K @ beta - z @ beta + 0.05 * np.abs(beta).sum()
    assert own == pytest.approx(least, rel=1e-4)
    deviation = np.abs(model.predict(X) - z)
    value = 0.5 * beta @ K @ beta + 5.0 * np.maximum(deviation - 0.05, 0).sum()
    assert model.dual_gap_ == pytest.approx(value + own, abs=1e-4)


def test_one_class_is_the_quadratic_programme():
    X, _ = blobs(24, 3)
    K = RBF(0.3)(X)
    model = OneClassSVM(nu=0.3, gamma=0.3, tol=1e-5).fit(X)
    beta, (_, least) = (
        signed(model, 24),
        naive.dual(K, np.zeros(24), np.zeros(24), np.ones(24), 7.2),
    )
    assert beta.sum() == pytest.approx(7.2)
    assert 0.5 * beta @ K @ beta == pytest.approx(least, rel=1e-4)
    assert model.dual_gap_ < 1e-3
    np.testing.assert_allclose(
        model.score_samples(X) - model.offset_, model.decision_function(X), atol=1e-12
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kernel", ["linear", "poly", "rbf", "sigmoid"])
def test_svc_like_libsvm(kernel, dtype):
    X, y = blobs(150, 5, dtype=dtype)
    kw = {"kernel": kernel, "tol": 1e-4, "coef0": 0.1, "class_weight": {0: 1.0, 1: 2.0}}
    if kernel == "sigmoid":
        kw |= {"gamma": 0.01}
    own, peer = SVC(**kw).fit(X, y), libsvm.SVC(**kw).fit(X, y)
    Q = blobs(60, 5, seed=1, dtype=dtype)[0]
    np.testing.assert_allclose(own.decision_function(Q), peer.decision_function(Q), atol=2e-3)
    np.testing.assert_allclose(own.class_weight_, peer.class_weight_)
    assert own.support_vectors_.dtype == dtype
    if kernel == "linear":
        np.testing.assert_allclose(own.coef_, peer.coef_, atol=2e-3)


@pytest.mark.parametrize("form", ["dense", "csr", "fortran", "strided"])
def test_many_classes_like_libsvm(form):
    X, y = load_digits(return_X_y=True)
    X, y = X[:600] / 16, y[:600]
    kw = {"C": 5.0, "tol": 1e-4}
    peer = libsvm.SVC(**kw).fit(X, y)
    if form == "csr":
        X = sparse.csr_matrix(X)
    elif form == "fortran":
        X = np.asfortranarray(X)
    elif form == "strided":
        X = np.repeat(X, 2, axis=0)[::2]
    own = SVC(**kw).fit(X, y)
    np.testing.assert_array_equal(own.support_, peer.support_)
    np.testing.assert_array_equal(own.n_support_, peer.n_support_)
    duals = own.dual_coef_.toarray() if form == "csr" else own.dual_coef_
    np.testing.assert_allclose(duals, peer.dual_coef_, atol=5e-3)
    np.testing.assert_allclose(own.intercept_, peer.intercept_, atol=1e-3)
    assert sparse.issparse(own.support_vectors_) == (form == "csr")
    Q = load_digits(return_X_y=True)[0][600:700] / 16
    Q = sparse.csr_matrix(Q) if form == "csr" else Q
    for shape in ("ovr", "ovo"):
        own.decision_function_shape = peer.decision_function_shape = shape
        np.testing.assert_allclose(
            own.decision_function(Q), peer.decision_function(np.asarray(Q.todense()) if
            form == "csr" else Q), atol=2e-3,
        )  # fmt: skip
    dense = Q.toarray() if form == "csr" else Q
    np.testing.assert_array_equal(own.predict(Q), peer.predict(dense))


def test_svr_and_one_class_like_libsvm():
    X, _ = blobs(200, 4)
    z = X[:, 0] ** 2 + X[:, 1]
    np.testing.assert_allclose(
        SVR(C=3.0).fit(X, z).predict(X), libsvm.SVR(C=3.0).fit(X, z).predict(X), atol=5e-3
    )
    own, peer = OneClassSVM(nu=0.2).fit(X), libsvm.OneClassSVM(nu=0.2).fit(X)
    np.testing.assert_allclose(own.decision_function(X), peer.decision_function(X), atol=5e-3)
    assert own.offset_.shape == peer.offset_.shape == (1,)


def test_weights_zero_and_repeated_rows():
    X, y = blobs(60)
    weight = np.random.default_rng(0).integers(0, 3, 60).astype(float)
    rows = np.repeat(np.arange(60), weight.astype(int))
    weighted = SVC(tol=1e-5).set_params(gamma=0.3).fit(X, y, weight)
    repeated = SVC(tol=1e-5).set_params(gamma=0.3).fit(X[rows], y[rows])
    np.testing.assert_allclose(
        weighted.decision_function(X), repeated.decision_function(X), atol=1e-3
    )
    assert not np.isin(weighted.support_, np.flatnonzero(weight == 0)).any()


# ------------------------------------------------------------------ the fit as steps


def test_steps_tell_how_far():
    X, y = blobs(1500, 5)
    model = SVC(C=10.0)
    states = list(model.steps(X, y))
    duals = [s.dual for s in states]
    assert all(b >= a - 1e-9 * abs(a) for a, b in pairwise(duals))
    assert all(s.gap >= 0 and s.primal == pytest.approx(s.dual + s.gap) for s in states)
    last = states[-1]
    assert last.converged
    assert last.n_support == len(model.support_) == np.count_nonzero(last.alpha[0])
    assert last.n_bounded == np.sum(last.alpha[0] == 10.0)
    assert last.gap == model.dual_gap_ < 1e-3 * last.primal
    np.testing.assert_allclose(model.objective_path_, [-d for d in duals])
    for state in SVC(C=10.0).steps(X, y):
        assert not state.converged
        break


@pytest.mark.parametrize("classes", [2, 3])
def test_the_same_on_any_number_of_threads(classes):
    from threadpoolctl import threadpool_limits

    X, y = blobs(2000, 6, classes=classes, dtype=np.float32)
    first = SVC().fit(X, y)
    with threadpool_limits(1):
        second = SVC().fit(X, y)
    np.testing.assert_array_equal(first.dual_coef_, second.dual_coef_)
    np.testing.assert_array_equal(first.decision_function(X), second.decision_function(X))


@pytest.mark.parametrize("cache_size", [0.02, 0.2, 200])
def test_any_memory(cache_size):
    """Columns that are computed anew, evicted or kept give the same machine."""
    X, y = blobs(1200, 5, seed=3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = SVC(C=10.0, tol=1e-4, cache_size=cache_size).fit(X, y)
    peer = libsvm.SVC(C=10.0, tol=1e-4).fit(X, y)
    np.testing.assert_allclose(model.decision_function(X), peer.decision_function(X), atol=3e-3)


def test_memory_below_two_rows_says_so():
    X, y = blobs(200)
    with pytest.warns(UserWarning, match=r"cache_size=0\.001 MB is less than two rows"):
        model = SVC(cache_size=0.001).fit(X, y)
    assert model.fit_status_ == 0


def test_stopping_early_says_how_far():
    X, y = blobs(300, seed=2)
    with pytest.warns(ConvergenceWarning, match=r"max_iter after 20 steps, with a duality gap"):
        model = SVC(C=100.0, max_iter=20).fit(X, y)
    assert model.fit_status_ == 1
    assert model.dual_gap_ > 0
    assert model.n_iter_[0] == 20


def test_ctrl_c_keeps_the_last_state(monkeypatch):
    X, y = blobs(1500, 5)
    model, solve = SVC(C=100.0), SVC._iterate

    def interrupted(self, problem):
        for k, state in enumerate(solve(self, problem)):
            if k == 2:
                raise KeyboardInterrupt
            yield state

    monkeypatch.setattr(SVC, "_iterate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y)
    assert model.score(X, y) > 0.5
    assert model.dual_gap_ > 0


# ------------------------------------------------------------------ hard cases


def test_separable_hard_margin():
    X = np.array([[0.0, 0.0], [0.0, 1.0], [2.0, 0.0], [2.0, 1.0]])
    model = SVC(kernel="linear", C=np.inf).fit(X, [0, 0, 1, 1])
    np.testing.assert_allclose(model.coef_, [[1.0, 0.0]], atol=1e-3)
    np.testing.assert_allclose(model.intercept_, [-1.0], atol=1e-3)


def test_no_hard_margin_ends():
    X = np.array([[0.0], [1.0], [2.0], [3.0]])
    with pytest.warns(ConvergenceWarning, match="C=inf there is no solution"):
        SVC(kernel="linear", C=np.inf).fit(X, [0, 1, 0, 1])


def test_duplicates_with_opposite_labels():
    X = np.repeat(np.random.default_rng(0).standard_normal((20, 2)), 2, axis=0)
    y = np.tile([0, 1], 20)
    model = SVC().fit(X, y)
    np.testing.assert_allclose(model.decision_function(X), 0, atol=1e-3)
    assert model.fit_status_ == 0


def test_gamma_zero_and_constant_data():
    X, y = blobs(30)
    for data, kw in ((X, {"gamma": 0.0}), (np.ones((30, 2)), {})):
        model = SVC(**kw).fit(data, y)
        assert np.isfinite(model.decision_function(data)).all()
        assert np.ptp(model.decision_function(data)) == 0


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_indefinite_kernel_ends():
    X, y = blobs(300, 5)
    model = SVC(kernel="sigmoid", gamma=5.0, coef0=-3.0, C=1e4).fit(X, y)
    assert np.isfinite(model.decision_function(X)).all()
    negative = SVC(kernel=lambda A, B: -(A @ B.T)).fit(X, y)
    assert np.isfinite(negative.decision_function(X)).all()


def test_scales_are_named():
    X, y = blobs(100)
    X = X * [1e6, 1.0, 1.0, 1e-6]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        SVC().fit(X, y)
    assert any("StandardScaler" in str(w.message) for w in caught)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_fit_that_libsvm_does_not_end():
    """Unscaled features and a large C: it ends, by the gap, the steps or rounding."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((150, 3)) * [1000.0, 10.0, 1.0]
    y = (X[:, 2] + rng.standard_normal(150) > 0).astype(int)
    model = SVC(kernel="linear", C=1e4, max_iter=200_000).fit(X, y)
    assert model.score(X, y) > 0.5


@pytest.mark.parametrize(
    ("y", "kind"), [(["b", "a"], "U"), ([True, False], "b"), ([2.0, -1.0], "f"), ([9, 4], "i")]
)
def test_labels_of_any_type(y, kind):
    model = SVC().fit([[0.0], [1.0]], y)
    assert model.predict([[1.0]]).dtype.kind == kind
    assert model.predict([[0.0]])[0] == y[0]


@pytest.mark.parametrize(
    ("kw", "y", "words"),
    [
        ({}, [1, 1, 1], "y holds one class"),
        ({"C": 0}, [0, 1, 1], "'C' parameter"),
        ({"gamma": -1.0}, [0, 1, 1], "'gamma' parameter"),
        ({"kernel": "laplace"}, [0, 1, 1], "'kernel' parameter"),
        ({"kernel": "precomputed"}, [0, 1, 1], "square Gram"),
        ({"tol": 0}, [0, 1, 1], "'tol' parameter"),
        ({"break_ties": True, "decision_function_shape": "ovo"}, [0, 1, 2], "break_ties"),
    ],
)
def test_bad_input(kw, y, words):
    X = [[0.0, 1.0], [1.0, 0.0], [2.0, 2.0]]
    with pytest.raises(ValueError, match=words):
        SVC(**kw).fit(X, y).predict(X)


def test_more_bad_input():
    X, y = blobs(20)
    for weight in (-np.ones(20), np.zeros(20)):
        for machine in (SVC(), SVR(), OneClassSVM()):
            with pytest.raises(ValueError, match="all samples have zero or negative weights"):
                machine.fit(X, y, sample_weight=weight)
    with pytest.raises(ValueError, match="positive weights belong to the same class, 0"):
        SVC().fit(X, y, (y == 0).astype(float))
    with pytest.raises(ValueError, match="X is too large: .* not finite"):
        SVC().fit(X * 1e155, y)
    with pytest.raises(ValueError, match="X is too large"):
        SVR().fit((X * 1e20).astype(np.float32), y)
    with pytest.raises(TypeError, match="Sparse precomputed kernels are not supported"):
        SVC(kernel="precomputed").fit(sparse.csr_array(X @ X.T), y)
    with pytest.raises(ValueError, match="Scale the features"):
        SVC(kernel="linear").fit(X * 1e19, y)
    with pytest.raises(AttributeError, match="linear"):
        SVC().fit(X, y).coef_  # noqa: B018
    with pytest.raises(NotFittedError):
        SVC().predict(X)


# ------------------------------------------------------------------ what a machine can do


def test_break_ties_takes_the_score():
    X, y = blobs(150, 4, classes=4)
    model = SVC(break_ties=True).fit(X, y)
    np.testing.assert_array_equal(model.predict(X), model.decision_function(X).argmax(axis=1))


@pytest.mark.parametrize("kernel", ["rbf", "poly", Linear() + RBF(0.5)])
def test_decision_gradient(kernel):
    X, y = blobs(90, 4, classes=3)
    model = SVC(kernel=kernel, coef0=1.0, decision_function_shape="ovo").fit(X, y)
    V = check_random_state(0).standard_normal(X.shape)
    slope = np.einsum("npd,nd->np", model.decision_gradient(X), V)
    f = model.decision_function
    errors = [np.abs(f(X + h * V) - f(X) - h * slope).max() for h in (1e-3, 1e-4)]
    assert 1.9 < np.log10(errors[0] / errors[1]) < 2.1
    two = SVC().fit(X, y > 0)
    assert two.decision_gradient(X).shape == X.shape
    assert SVR().fit(X, y).decision_gradient(X).shape == X.shape


def test_probability_is_calibrated_and_says_its_cost(caplog):
    X, y = blobs(400, 4, classes=3)
    with caplog.at_level("INFO", logger="kiso"):
        model = SVC(probability=True, random_state=0).fit(X, y)
    assert "5 further fits" in caplog.text
    assert model.calibration_seconds_ > 0
    p = model.predict_proba(X)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    peak = p.max(axis=1)
    assert abs(peak.mean() - np.mean(p.argmax(axis=1) == y)) < 0.06
    np.testing.assert_allclose(np.exp(model.predict_log_proba(X)), p)
    np.testing.assert_array_equal(
        p, SVC(probability=True, random_state=0).fit(X, y).predict_proba(X)
    )
    assert not hasattr(SVC(), "predict_proba")
    two = SVC(probability=True, random_state=0).fit(X, y > 0)
    assert two.probA_[0] < 0
    assert two.predict_proba(X).shape == (400, 2)


@pytest.mark.parametrize("labels", [[0, 0, 1], [0, 0, 0, 1, 1, 1, 2], [0, 1, 2]])
def test_calibration_of_classes_with_a_row_or_two(labels):
    X = np.arange(len(labels), dtype=float)[:, None]
    model = SVC(probability=True, random_state=0).fit(X, labels)
    p = model.predict_proba(X)
    assert p.shape == (len(labels), len(set(labels)))
    assert np.isfinite(p).all()
    np.testing.assert_allclose(p.sum(axis=1), 1.0)


def test_probabilities_need_a_fit_that_made_them():
    X, y = blobs(30)
    model = SVC().fit(X, y)
    model.probability = True
    with pytest.raises(NotFittedError, match="probability=False"):
        model.predict_proba(X)


@pytest.mark.parametrize("make", [SVC, SVR])
def test_rows_of_negative_weight_are_as_if_not_there(make):
    X, y = blobs(60, 3)
    weight = np.where(np.arange(60) % 3 == 0, -0.5, 1.0)
    some = weight > 0
    own = make(tol=1e-6).fit(X, y, sample_weight=weight)
    alone = make(tol=1e-6, gamma=own._gamma).fit(X[some], y[some])
    predict = "decision_function" if make is SVC else "predict"
    np.testing.assert_allclose(getattr(own, predict)(X), getattr(alone, predict)(X), atol=1e-4)


@pytest.mark.parametrize("form", [sparse.csr_matrix, sparse.csr_array])
@pytest.mark.parametrize("machine", [SVC(kernel="linear"), SVR(kernel="linear"),
                                     OneClassSVM(kernel="linear")])  # fmt: skip
def test_sparse_rows_give_sparse_attributes(machine, form):
    X, y = blobs(60, 5, classes=3)
    X[np.abs(X) < 0.7] = 0
    dense = {
        name: np.asarray(getattr(machine.fit(X, y), name))
        for name in ("dual_coef_", "support_vectors_", "coef_")
    }
    machine.fit(form(X), y)
    for name, value in dense.items():
        found = getattr(machine, name)
        assert sparse.issparse(found)
        assert isinstance(found, sparse.sparray) == (form is sparse.csr_array)
        np.testing.assert_allclose(found.toarray(), value, atol=1e-5)
    with pytest.raises((ValueError, RuntimeError)):
        machine.coef_[0, 0] = 3.0


@pytest.mark.parametrize("make", [SVC, SVR])
def test_a_callable_kernel_takes_texts(make):
    texts = ["A A", "A", "B", "B B", "A B", "B A B"]
    X = np.array([[t.count("A"), t.count("B")] for t in texts], dtype=float)
    y = np.array([1, 1, 2, 2, 1, 2])

    def kernel(P, Q):
        assert isinstance(P[0], str)
        return np.array([[p.count("A") * q.count("A") + p.count("B") * q.count("B") for q in Q]
                         for p in P], dtype=float)  # fmt: skip

    own, plain = make(kernel=kernel).fit(texts, y), make(kernel="linear").fit(X, y)
    np.testing.assert_allclose(own.predict(texts[:3]), plain.predict(X[:3]), atol=1e-3)
    assert own.score(texts, y) == pytest.approx(plain.score(X, y), abs=1e-3)


def test_a_callable_kernel_may_return_sparse():
    X, y = blobs(40)
    own = SVC(kernel=lambda P, Q: sparse.csr_array(P @ Q.T)).fit(X, y)
    plain = SVC(kernel="linear").fit(X, y)
    np.testing.assert_allclose(own.decision_function(X), plain.decision_function(X), atol=1e-2)


@pytest.mark.parametrize("C", [1.0, 50.0])
def test_shrinking_checks_all_rows(C, monkeypatch):
    """With rows left out, and without, the same optimum; the gap is that of all rows."""
    from kiso.svm import _shrinking

    left = []
    restricted = _shrinking._restricted

    def counted(machine, rows):
        left.append(len(rows))
        return restricted(machine, rows)

    monkeypatch.setattr(_shrinking, "_restricted", counted)
    X, y = blobs(2500, 5, seed=4)
    kw = {"C": C, "gamma": 0.5, "tol": 1e-4}
    with_, without = SVC(**kw).fit(X, y), SVC(shrinking=False, **kw).fit(X, y)
    assert left
    assert min(left) < 0.75 * 2500
    np.testing.assert_allclose(with_.decision_function(X), without.decision_function(X), atol=2e-3)
    K, beta, sign = RBF(0.5)(X), signed(with_, 2500), np.where(y > 0, 1.0, -1.0)
    value = naive.primal(K, beta, with_.intercept_[0], sign, C)
    dual = sign @ beta - 0.5 * beta @ K @ beta
    assert with_.dual_gap_ == pytest.approx(value - dual, abs=1e-5 * value)
    z = X[:, 0] + np.sin(3 * X[:, 1])
    np.testing.assert_allclose(
        SVR(**kw).fit(X, z).predict(X), SVR(shrinking=False, **kw).fit(X, z).predict(X), atol=2e-3
    )


def test_saved_and_read_back():
    """Every kernel that has a name survives a file that holds no code."""
    from sklearn.base import clone

    X, y = blobs(60, classes=3)
    for kw in ({}, {"kernel": "poly", "probability": True}, {"kernel": "min"}):
        rows = np.abs(X) if kw.get("kernel") == "min" else X
        model = SVC(random_state=0, **kw).fit(rows, y)
        loaded = skops_round_trip(model)
        np.testing.assert_array_equal(model.decision_function(rows), loaded.decision_function(rows))
    kernel = Linear() + 2 * RBF(0.5)
    assert clone(SVC(kernel=kernel)).kernel == kernel


def skops_round_trip(model):
    import skops.io

    from kiso.persistence._trusted import TYPES

    data = skops.io.dumps(model)
    unknown = set(skops.io.get_untrusted_types(data=data)) - set(TYPES)
    assert not unknown
    return skops.io.loads(data, trusted=sorted(TYPES))
