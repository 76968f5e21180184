"""PCA against its definition, against scikit-learn, and where digits are hard to keep."""

import tracemalloc

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.decomposition
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import parametrize_with_checks

from kiso._compute import costs
from kiso.decomposition import PCA, IncrementalPCA, _dimension, _gram
from tests.naive import pca as naive


def read_only(X):
    X = X.copy()
    X.flags.writeable = False
    return X


LAYOUTS = {
    "C": np.ascontiguousarray,
    "F": np.asfortranarray,
    "every second row": lambda X: np.repeat(X, 2, axis=0)[::2],
    "every second column": lambda X: np.repeat(X, 2, axis=1)[:, ::2],
    "read-only": read_only,
}
SOLVERS = ["auto", "full", "covariance_eigh"]


@parametrize_with_checks(
    [
        PCA(),
        PCA(n_components=1, whiten=True),
        PCA(svd_solver="full"),
        PCA(svd_solver="covariance_eigh"),
        PCA(n_components=1, svd_solver="arpack"),
        PCA(svd_solver="randomized"),
    ]
)
def test_sklearn_checks(estimator, check):
    check(estimator)


def distinct(variances, k):
    """Whether the first k components are determined: gaps between the variances."""
    values = np.append(variances, 0.0)[: k + 1]
    return (values[:-1] - values[1:] > 0.01 * variances[0]).all()


@settings(deadline=None, max_examples=60)
@given(
    n=st.integers(2, 8),
    d=st.integers(1, 5),
    seed=st.integers(0, 10**6),
    layout=st.sampled_from(sorted(LAYOUTS)),
    dtype=st.sampled_from([np.float64, np.float32]),
    solver=st.sampled_from(SOLVERS),
    offset=st.sampled_from([0.0, 3.0, 1000.0]),
    wanted=st.integers(1, 5),
)
def test_against_the_definition(n, d, seed, layout, dtype, solver, offset, wanted):
    k = min(n, d, wanted)
    X = (offset + np.random.default_rng(seed).normal(size=(n, d))).astype(dtype)
    before = X.copy()
    mean, variances, components = naive.pca(X)
    model = PCA(k, svd_solver=solver).fit(LAYOUTS[layout](X))
    tol = 1e-9 if dtype == np.float64 else 2e-4
    assert_allclose(model.mean_, mean, rtol=tol)
    assert_allclose(model.explained_variance_, variances[:k], atol=tol * variances[0])
    assert_allclose(model.singular_values_**2, variances[:k] * (n - 1), atol=n * tol * variances[0])
    assert_allclose(model.explained_variance_ratio_, variances[:k] / variances.sum(), atol=tol)
    left = variances[k : min(n, d)]
    assert_allclose(
        model.noise_variance_, left.mean() if len(left) else 0.0, atol=tol * variances[0]
    )
    assert_allclose(model.components_ @ model.components_.T, np.eye(k), atol=1e-5)
    if distinct(variances, k):
        assert_allclose(model.components_, components[:k], atol=100 * tol)
    assert model.components_.dtype == model.mean_.dtype == model.transform(X).dtype == dtype
    assert model.explained_variance_.dtype == model.singular_values_.dtype == dtype
    assert (model.n_samples_, model.n_components_, model.n_features_in_) == (n, k, d)
    assert_array_equal(X, before)


@pytest.mark.parametrize("shape", [(300, 12), (40, 90), (25, 25)])
@pytest.mark.parametrize("wanted", [None, 3, 0.7, "mle", 0])
@pytest.mark.parametrize("solver", SOLVERS)
def test_attributes_are_scikit_learns(shape, wanted, solver):
    n, d = shape
    if wanted == "mle" and n < d:
        pytest.skip("refused by both")
    rng = np.random.default_rng(0)
    X = rng.normal(size=shape) @ rng.normal(size=(d, d)) + 5
    ours = PCA(wanted, svd_solver=solver).fit(X)
    theirs = sklearn.decomposition.PCA(wanted, svd_solver="full").fit(X)
    determined = min(ours.n_components_, n - 1)
    for name in ("n_components_", "n_samples_", "n_features_in_"):
        assert getattr(ours, name) == getattr(theirs, name)
    for name in ("explained_variance_", "explained_variance_ratio_", "mean_", "noise_variance_"):
        scale = float(np.max(np.abs(getattr(theirs, name)), initial=1.0))
        assert_allclose(getattr(ours, name), getattr(theirs, name), atol=1e-10 * scale)
    assert_allclose(ours.components_[:determined], theirs.components_[:determined], atol=1e-8)
    assert_allclose(ours.get_covariance(), theirs.get_covariance(), atol=1e-9)
    assert_allclose(
        ours.transform(X)[:, :determined], theirs.transform(X)[:, :determined], atol=1e-7
    )
    assert list(ours.get_feature_names_out()) == [f"pca{i}" for i in range(ours.n_components_)]


@pytest.mark.parametrize("solver", ["randomized", "arpack"])
@pytest.mark.parametrize("shape", [(300, 40), (40, 300)])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_iterative_solvers_find_the_leading_components(solver, shape, dtype):
    rng = np.random.default_rng(1)
    U, V = (
        np.linalg.qr(rng.normal(size=(shape[0], 40)))[0],
        np.linalg.qr(rng.normal(size=(shape[1], 40)))[0],
    )
    X = ((U * 0.7 ** np.arange(40)) @ V.T + 2).astype(dtype)
    exact = PCA(4, svd_solver="full").fit(X)
    found = PCA(4, svd_solver=solver, random_state=0).fit(X)
    again = PCA(4, svd_solver=solver, random_state=0).fit(X)
    atol = 1e-8 if dtype == np.float64 else 1e-4
    assert_allclose(found.components_, exact.components_, atol=atol)
    assert_allclose(found.singular_values_, exact.singular_values_, rtol=atol)
    assert_allclose(found.explained_variance_ratio_, exact.explained_variance_ratio_, rtol=atol)
    assert_allclose(found.noise_variance_, exact.noise_variance_, rtol=10 * atol)
    assert_array_equal(found.components_, again.components_)
    assert found.svd_solver_ == solver
    assert found.components_.dtype == dtype


def test_randomized_is_as_close_as_scikit_learns():
    rng = np.random.default_rng(2)
    X = rng.normal(size=(400, 300))  # a flat spectrum: hard
    for n_iter in (0, 2):
        options = {"svd_solver": "randomized", "iterated_power": n_iter}
        ours = [
            PCA(5, random_state=s, **options).fit(X).explained_variance_.sum() for s in range(5)
        ]
        theirs = [
            sklearn.decomposition.PCA(5, random_state=s, **options).fit(X).explained_variance_.sum()
            for s in range(5)
        ]
        assert np.mean(ours) > 0.99 * np.mean(theirs)


def test_auto_chooses():
    rng = np.random.default_rng(3)

    def used(shape, k, **options):
        return PCA(k, random_state=0, **options).fit(rng.normal(size=shape)).svd_solver_

    assert used((100, 8), 3) == "covariance_eigh"
    assert used((8, 100), 3) == "dual"
    assert used((8, 100), None) == "full"  # the last component has no variance
    assert used((1100, 1050), 2) == "randomized"
    assert used((1100, 1050), 60, n_oversamples=1) == "covariance_eigh"


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("reach", [1e-2, 1e-4, 1e-7, 1e-10])
@pytest.mark.parametrize("shape", [(500, 6), (6, 500)])
def test_small_singular_values_keep_their_digits(reach, dtype, shape):
    """σ from 1 down to `reach`: where squares would lose them, auto takes another way."""
    n, d = shape
    rng = np.random.default_rng(4)
    side = 4
    U = np.linalg.qr(np.column_stack([np.ones(n), rng.normal(size=(n, side))]))[0][:, 1:]
    V = np.linalg.qr(rng.normal(size=(d, side)))[0]
    sigma = np.geomspace(1, reach, side)
    X = ((U * sigma) @ V.T).astype(dtype)
    exact = np.linalg.svd(X.astype(np.longdouble).astype(float) - X.mean(0, dtype=float))[1][:side]
    found = PCA(side).fit(X)
    rtol = {np.float64: 1e-5, np.float32: 1e-3}[dtype]
    assert_allclose(found.singular_values_, exact, rtol=rtol)
    if dtype == np.float64:
        loss = np.finfo(float).eps / reach**2
        assert (found.svd_solver_ == "full") == (loss > _gram.LOSS[np.dtype(float)])
    squared = PCA(side, svd_solver="covariance_eigh").fit(X).singular_values_[-1]
    if reach == 1e-10:  # the test can tell
        assert abs(squared / exact[-1] - 1) > 0.1


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("offset", [1e6, 1e9, 1e12])
def test_offsets_cancel(solver, offset):
    steps = np.random.default_rng(5).integers(-8, 8, size=(200, 4)) * 1.0
    near, far = (PCA(2, svd_solver=solver).fit(steps + c) for c in (0.0, offset))
    assert_allclose(far.explained_variance_, near.explained_variance_, rtol=1e-12)
    assert_allclose(far.components_, near.components_, atol=1e-10)
    assert_allclose(
        far.transform(steps + offset), near.transform(steps), atol=4e-16 * offset + 1e-9
    )


@pytest.mark.parametrize("scale", [1e-160, 1e-100, 1e12, 1e100])
def test_units_do_not_matter(scale):
    X = np.random.default_rng(6).normal(size=(60, 3))
    one, other = PCA(2).fit(X), PCA(2).fit(X * scale)
    assert_allclose(other.singular_values_, one.singular_values_ * scale, rtol=1e-9)
    assert_allclose(other.components_, one.components_, atol=1e-9)
    assert_allclose(other.explained_variance_ratio_, one.explained_variance_ratio_, rtol=1e-9)
    with pytest.raises(ValueError, match="squares of X overflow: scale its columns"):
        PCA(2).fit(X * 1e200)


@pytest.mark.parametrize("solver", [*SOLVERS, "arpack"])
@pytest.mark.parametrize("columns", [6, 40])
def test_sparse_is_dense(solver, columns, monkeypatch):
    monkeypatch.setattr(costs, "PCA_SPARSE_COLUMNS", 20)
    X = sp.random_array((300, columns), density=0.1, rng=np.random.default_rng(7), format="csr")
    if solver == "full":
        with pytest.raises(TypeError, match=r"svd_solver='full' takes dense data; 'arpack'"):
            PCA(2, svd_solver=solver).fit(X)
        return
    dense = PCA(3, svd_solver="full").fit(X.toarray())
    for form in (X, X.tocsc(), sp.csr_matrix(X)):
        found = PCA(3, svd_solver=solver, random_state=0).fit(form)
        assert_allclose(found.components_, dense.components_, atol=1e-9)
        assert_allclose(found.explained_variance_, dense.explained_variance_, rtol=1e-9)
        assert_allclose(found.noise_variance_, dense.noise_variance_, rtol=1e-9)
        assert_allclose(found.transform(form), dense.transform(X.toarray()), atol=1e-9)
    assert found.svd_solver_ == (
        "arpack" if solver == "arpack" or (solver == "auto" and columns > 20) else "covariance_eigh"
    )


def test_sparse_with_lost_digits_takes_lanczos():
    X = sp.csr_array(1e9 + np.random.default_rng(8).normal(size=(200, 12)))
    assert PCA(2, random_state=0).fit(X).svd_solver_ == "arpack"


def test_sparse_stays_sparse():
    X = sp.random_array((20_000, 3_000), density=1e-3, rng=np.random.default_rng(9), format="csr")
    PCA(2, random_state=0).fit(X[:50, :40])
    tracemalloc.start()
    try:
        PCA(2, random_state=0).fit(X).transform(X)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 0.05 * 8 * 20_000 * 3_000


def test_memory_is_a_fraction_of_a_copy():
    X = np.random.default_rng(10).normal(size=(40_000, 64))
    PCA(3).fit(X[:100])
    for solver in SOLVERS:
        tracemalloc.start()
        try:
            PCA(3, svd_solver=solver).fit(X)
            assert tracemalloc.get_traced_memory()[1] < 0.5 * X.nbytes
        finally:
            tracemalloc.stop()


def test_memory_map(tmp_path):
    X = np.random.default_rng(11).normal(size=(500, 5))
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    assert_array_equal(PCA(2).fit(mapped).components_, PCA(2).fit(X).components_)


def test_no_variation():
    for X in (np.full((4, 3), 0.1), np.full((3, 4), 7.0)):
        for solver in SOLVERS:
            model = PCA(2, svd_solver=solver).fit(X)
            assert_array_equal(model.explained_variance_, 0)
            assert_array_equal(model.explained_variance_ratio_, 0)
            assert_array_equal(model.transform(X), np.zeros((len(X), 2)))
            assert_array_equal(PCA(2, whiten=True).fit_transform(X), np.zeros((len(X), 2)))
            with pytest.warns(RuntimeWarning, match="singular.*Keep fewer than n_components=2"):
                assert model.score(X) == np.inf
            with pytest.raises(ValueError, match="singular"):
                model.get_precision()


@pytest.mark.parametrize("solver", [*SOLVERS, "randomized", "incremental"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_variance_that_is_rounding_counts_as_none(solver, dtype):
    """Neither a likelihood of 10²⁰ nor whitened rounding where data lie in a subspace."""
    rng = np.random.default_rng(0)
    flat = rng.integers(-9, 10, (300, 3)) @ rng.integers(-9, 10, (3, 12)) + 7  # exact in float32
    constant = rng.standard_normal((300, 5)) @ rng.standard_normal((5, 5)) + 3
    constant[:, 2] = 0.1

    def model(k, **settings):
        if solver == "incremental":
            return IncrementalPCA(k, **settings)
        return PCA(k, svd_solver=solver, random_state=0, **settings)

    for X, k in ((flat, 3), (constant, 5), (constant, 4)):
        X = X.astype(dtype)
        fitted = model(k).fit(X)
        assert k == 5 or fitted.noise_variance_ == 0
        with pytest.warns(RuntimeWarning, match="singular"):
            assert_array_equal(fitted.score_samples(X), np.inf)  # they lie in the subspace
        beside = X[:3] + np.array([[0.0], [9.0], [0.0]], dtype) * rng.standard_normal(X.shape[1])
        with pytest.warns(RuntimeWarning, match="singular"):
            assert_array_equal(
                fitted.score_samples(beside.astype(dtype)), [np.inf, -np.inf, np.inf]
            )
        with pytest.warns(RuntimeWarning, match="singular"):
            assert fitted.score(beside.astype(dtype)) == -np.inf
    whitened = model(6, whiten=True).fit(flat.astype(dtype)).transform(flat.astype(dtype))
    assert_allclose(whitened.std(axis=0), [1, 1, 1, 0, 0, 0], atol=2e-3)
    assert np.isfinite(
        model(3)
        .fit(constant[:, :2] @ rng.standard_normal((2, 9)) + 1e-2 * rng.standard_normal((300, 9)))
        .score_samples(rng.standard_normal((5, 9)))
    ).all()


def test_constant_and_duplicate_columns():
    x = np.random.default_rng(12).normal(size=(50, 1))
    X = np.hstack([x, np.full((50, 1), 0.1), x])
    model = PCA().fit(X)
    assert_allclose(model.explained_variance_, [2 * x.var(ddof=1), 0, 0], atol=1e-15)
    assert_allclose(model.components_[0], [0.5**0.5, 0, 0.5**0.5], atol=1e-12)
    assert_allclose(model.inverse_transform(model.transform(X)), X)


def test_two_rows_and_one_column():
    model = PCA().fit([[0.0, 0.0, 1.0], [3.0, 4.0, 1.0]])
    assert_allclose(model.explained_variance_, [12.5, 0.0], atol=1e-15)
    assert_allclose(model.components_[0], [0.6, 0.8, 0.0], atol=1e-15)
    one = PCA().fit([[1.0], [2.0], [6.0]])
    assert_allclose(one.transform([[1.0], [2.0], [6.0]]), [[-2.0], [-1.0], [3.0]])
    with pytest.raises(ValueError, match="1 sample"):
        PCA().fit([[1.0, 2.0]])


@pytest.mark.parametrize("shape", [(200, 5), (60, 80)])
@pytest.mark.parametrize("k", [1, 3, 5])
@pytest.mark.parametrize("whiten", [False, True])
def test_the_model_is_a_normal_density(shape, k, whiten):
    X = np.random.default_rng(13).normal(size=shape) * np.linspace(1, 4, shape[1])
    model = PCA(k, whiten=whiten).fit(X)
    C = model.get_covariance()
    assert_allclose(C @ model.get_precision(), np.eye(shape[1]), atol=1e-10)
    expected = [naive.log_density(x, X.mean(0), C) for x in X[:5]]
    assert_allclose(model.score_samples(X[:5]), expected, rtol=1e-9)
    assert_allclose(model.score(X), model.score_samples(X).mean())
    if k == 5 and shape[1] == 5:
        assert_allclose(C, np.cov(X.T), rtol=1e-10)
        peer = sklearn.decomposition.PCA(k).fit(X)
        assert_allclose(model.score_samples(X), peer.score_samples(X), rtol=1e-9)


def test_projections_are_uncorrelated_and_whitened_ones_have_variance_one():
    rng = np.random.default_rng(14)
    X = rng.normal(size=(5000, 6)) @ rng.normal(size=(6, 6)) + 3
    model = PCA(4)
    Z = model.fit_transform(X)
    assert_allclose(Z, model.transform(X))
    assert_allclose(np.cov(Z.T), np.diag(model.singular_values_**2 / 4999), atol=1e-12 * 40)
    white = PCA(4, whiten=True)
    assert_allclose(np.cov(white.fit_transform(X).T), np.eye(4), atol=1e-12)
    assert_allclose(
        white.inverse_transform(white.transform(X)), model.inverse_transform(Z), atol=1e-12
    )
    everything = PCA(whiten=True).fit(X)
    assert_allclose(everything.inverse_transform(everything.transform(X)), X, atol=1e-12)


def test_evidence_is_minkas():
    variances, n = np.array([9.0, 4.0, 1.1, 1.0, 0.9]), 100
    for k in range(1, 5):
        assert_allclose(
            _dimension._log_evidence(variances, k, n), naive.log_evidence(variances, k, n)
        )
    rng = np.random.default_rng(15)
    X = rng.normal(size=(500, 3)) @ rng.normal(size=(3, 10)) * 3 + rng.normal(size=(500, 10))
    assert PCA("mle").fit(X).n_components_ == 3
    assert 1 <= _dimension.of_evidence(np.ones(4), 50) < 4  # all equal: no infinities
    assert PCA("mle").fit(X[:, :1]).n_components_ == 0


def test_blocks_and_lanes_give_the_same():
    X = np.random.default_rng(16).normal(size=(30_000, 7)) * np.arange(1, 8)
    exact = np.linalg.svd(X - X.mean(0), full_matrices=False)
    for solver in SOLVERS:
        model = PCA(3, svd_solver=solver).fit(X)
        assert_allclose(model.singular_values_, exact[1][:3], rtol=1e-11)
        assert_allclose(np.abs(model.components_ @ exact[2].T)[:, :3], np.eye(3), atol=1e-9)
    wide = PCA(3).fit(X[:20].T @ X[:20000, :1].repeat(20, axis=1).T[:20])
    assert wide.svd_solver_ in {"dual", "full"}


def test_wide_data_in_many_blocks():
    X = np.random.default_rng(17).normal(size=(30, 40_000)) + 2
    exact = np.linalg.svd(X - X.mean(0), full_matrices=False)
    model = PCA(3).fit(X)
    assert model.svd_solver_ == "dual"
    assert_allclose(model.singular_values_, exact[1][:3], rtol=1e-10)
    assert_allclose(np.abs(model.components_ @ exact[2][:3].T), np.eye(3), atol=1e-9)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("shape", [(50, 3), (3, 50)])
@pytest.mark.parametrize("solver", [*SOLVERS, "arpack", "randomized"])
def test_non_finite_is_refused_with_sklearns_words(bad, shape, solver):
    X = np.random.default_rng(18).normal(size=shape)
    fitted = PCA(1).fit(X)
    X[2, 1] = bad
    with pytest.raises(ValueError, match="Input X contains"):
        PCA(1, svd_solver=solver).fit(X)
    with pytest.raises(ValueError, match="Input X contains"):
        fitted.transform(X)


def test_bad_input():
    X = np.random.default_rng(19).normal(size=(6, 4))
    with pytest.raises(NotFittedError):
        PCA().transform(X)
    with pytest.raises(ValueError, match=r"n_components=5 must be at most .*=4"):
        PCA(5).fit(X)
    with pytest.raises(ValueError, match="needs n_samples >= n_features"):
        PCA("mle").fit(X.T)
    with pytest.raises(ValueError, match="n_components=4 must be between 1 and 3"):
        PCA(4, svd_solver="arpack").fit(X)
    with pytest.raises(ValueError, match="n_components=0.5: svd_solver='randomized' takes an int"):
        PCA(0.5, svd_solver="randomized").fit(X)
    with pytest.raises(ValueError, match="'svd_solver' parameter of PCA"):
        PCA(svd_solver="jacobi").fit(X)
    with pytest.raises(ValueError, match="X has 3 columns; there are 2 components"):
        PCA(2).fit(X).inverse_transform(np.ones((1, 3)))
    with pytest.raises(ValueError, match="X has 3 features, but PCA is expecting 4"):
        PCA(2).fit(X).transform(X[:, :3])
