"""What makes kiso fast: compiled loops, threads, register tiles, products, rows.

Nothing above this package names Numba, threads or BLAS. From the bottom up: `jit` compiles
loops; `llvm` and `atomics` say what Numba cannot; `pool` and `threads` run lanes of rows side by
side; `microkernels` are products in vector registers; `matmul`, `gram`, `qr`, `distances` are
made of them; `rows` is how solvers see data, dense or sparse.
"""
