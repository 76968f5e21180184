"""Products through register tiles, against NumPy's."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from kiso._compute import costs, matmul_loops
from kiso._compute.matmul import Square, product

SIZES = st.integers(1, 70)
DTYPES = st.sampled_from([np.float32, np.float64])
LAYOUTS = st.sampled_from(["C", "F", "every other row", "some columns", "read-only"])


def laid_out(x, layout):
    """The same numbers, in memory as asked for."""
    if layout == "F":
        return np.asfortranarray(x)
    if layout == "every other row":
        return np.repeat(x, 2, axis=0)[::2]
    if layout == "some columns":
        return np.pad(x, ((0, 0), (3, 2)), constant_values=np.nan)[:, 3:-2]
    x = x.copy()
    x.flags.writeable = layout != "read-only"
    return x


def close(found, a, b):
    """Whether A B is right to the rounding of its sums."""
    exact = a.astype(np.float64) @ b.astype(np.float64)
    size = np.abs(a).astype(np.float64) @ np.abs(b).astype(np.float64)
    limit = (a.shape[1] + 2) * np.finfo(found.dtype).eps * size
    return found.dtype == a.dtype and bool((np.abs(found - exact) <= limit).all())


@given(SIZES, SIZES, st.integers(1, 600), DTYPES, LAYOUTS, LAYOUTS, st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=60)
def test_as_numpy(m, n, k, dtype, left, right, seed):
    rng = np.random.default_rng(seed)
    a = laid_out(rng.standard_normal((m, k)).astype(dtype), left)
    b = laid_out(rng.standard_normal((k, n)).astype(dtype), right)
    assert close(product(a, b), a, b)


@pytest.mark.parametrize("order", ["C", "F"])
def test_the_same_bits_however_rows_are_cut(monkeypatch, order):
    monkeypatch.setattr(costs, "PRODUCT_LANE_WORK", 1 << 10)
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((101, 300)), np.asarray(rng.standard_normal((300, 45)), order=order)
    whole = product(a, b)
    for n_threads in (1, 2):
        with threadpool_limits(n_threads):
            assert np.array_equal(product(a, b, side_by_side=True), whole)
    parts = [product(a[i : i + 17], b) for i in range(0, 101, 17)]
    assert np.array_equal(np.vstack(parts), whole)


def test_nothing_beyond_the_result_is_touched():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((30, 80)), rng.standard_normal((80, 37))
    room = np.full((32, 50), 7.0)
    product(a, b, room[1:31, 5:42])
    inside = np.zeros(room.shape, bool)
    inside[1:31, 5:42] = True
    assert (room[~inside] == 7).all()
    assert close(room[1:31, 5:42], a, b)


def test_other_numbers_go_to_numpy():
    a = np.arange(10_000).reshape(100, 100)
    assert np.array_equal(product(a, a), a @ a)
    c = a + 1j
    assert np.array_equal(product(c, c[:, ::-1]), c @ c[:, ::-1])
    x = a[::-1, ::-1].astype(float)
    assert np.array_equal(product(x, x), x @ x)


@given(st.integers(1, 700), SIZES, DTYPES, st.booleans(), st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=40)
def test_square(n, p, dtype, by_columns, seed):
    z = np.random.default_rng(seed).standard_normal((n, p)).astype(dtype)
    square = Square(p, np.dtype(dtype))
    for start in range(0, n, 300):
        block = z[start : start + 300]
        square.add(np.asfortranarray(block) if by_columns else block)
    found = square.total()
    assert np.array_equal(found, found.T)
    assert np.allclose(found, z.astype(float).T @ z, rtol=0, atol=2 * n * np.finfo(dtype).eps * 9)


def test_a_nan_stays_in_its_row_and_column():
    z = np.ones((40, 50))
    z[3, 7] = np.nan
    square = Square(50, z.dtype)
    square.add(z)
    bad = np.isnan(square.total())
    assert bad[7].all()
    assert bad[:, 7].all()
    assert bad.sum() == 99


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("m", "n", "k"), [(5, 3, 2), (40, 70, 33), (100, 64, 17), (1, 33, 1)])
def test_packed(m, n, k, dtype):
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal(shape).astype(dtype) for shape in ((m, k), (k, n)))
    for turned in (False, True):
        out = np.full(matmul_loops.packed_size(a.ravel(), n, k), np.nan, dtype)
        if turned:
            x = np.ascontiguousarray(b.T).ravel()
            matmul_loops.pack_transposed(x, 0, k, 0, n, n, k, out, 0)
        else:
            matmul_loops.pack(b.ravel(), 0, n, 0, k // 2, n, k, out, 0)
            matmul_loops.pack(b.ravel(), 0, n, k // 2, k, n, k, out, 0)
        c = np.ones((m, n), dtype)
        matmul_loops.multiply_packed(a.ravel(), 0, k, 1, out, 0, c.reshape(-1), 0, n, m, n, k, True)
        assert np.allclose(c, 1 + a @ b, atol=1e-4)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("m", "n", "k"), [(4, 3, 2), (8, 70, 33), (28, 64, 17), (40, 1, 1)])
def test_whole_tiles(m, n, k, dtype):
    """Rows of A that fill tiles, columns of C as many as panels of B have."""
    rng = np.random.default_rng(0)
    a, x = (rng.standard_normal((rows, k)).astype(dtype) for rows in (m, n))
    width = matmul_loops.packed_size(a.ravel(), n, 1)
    packed = np.zeros(width * k, dtype)
    matmul_loops.pack_transposed(x.ravel(), 0, k, 0, n, n, k, packed, 0)
    c = np.full((m, width + 1), 7.0, dtype)
    matmul_loops.multiply_whole(a.ravel(), 0, packed, 0, c.reshape(-1), 0, width + 1, m, width, k)
    assert np.allclose(c[:, :n], a @ x.T, atol=1e-4)
    assert (c[:, width] == 7).all()


@pytest.mark.parametrize("shape", [(1, 1), (16, 16), (17, 40), (50, 8)])
def test_transpose(shape):
    x = np.arange(float(np.prod(shape))).reshape(shape)
    y = np.empty(shape[::-1])
    matmul_loops.transpose(x.ravel(), 0, shape[1], *shape, y.reshape(-1), 0, shape[0])
    assert np.array_equal(y, x.T)


def test_no_terms_make_zeros():
    c = np.ones(6)
    matmul_loops.multiply(c[:0], 0, 0, 1, c[:0], 0, 3, c, 0, 3, 2, 3, 0, False)
    assert not c.any()


@pytest.mark.slow
@pytest.mark.jit
@pytest.mark.parametrize(
    "processor",
    [
        {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""},
        {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+avx2,+fma"},
    ],
)
def test_other_processors(processor, tmp_path):
    """Code for narrower vectors than those that tiles are written for is slower, and right."""
    code = (
        "import numpy as np; from kiso._compute.matmul import product\n"
        "a = np.arange(8000.0).reshape(80, 100) % 7\n"
        "assert np.array_equal(product(a, a.T.copy()), a @ a.T)"
    )
    env = {**os.environ, **processor, "NUMBA_CACHE_DIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], env=env, check=True)
