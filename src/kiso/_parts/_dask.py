"""Rows in the partitions of Dask collections: the only place that names Dask.

A pass is one graph: `local` of every partition, where the partition is, and a tree of merges;
its root, which is small, is all that comes back. Whoever executes the graph (threads of this
process, a cluster) is Dask's business. A partition is computed by one thread: Dask's workers
are the parallelism.

What is small travels as a string of bytes. Arrays that Dask takes off the wire lie at any address,
and NumPy multiplies those that are not aligned by another loop, with other last bits.
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import scipy.sparse as sp
from dask.delayed import delayed

from kiso._compute.threads import limited_to

from ._form import Form, Part, columns_of, float_dtype, read_part
from ._lazy import label_kind
from ._rows import Counted, Merge, Parts, RowsLostError, count, merge_counted

__all__ = ["DaskParts", "dask_parts", "map_parts"]

PATIENCE = 20.0  # seconds without a worker, or an answer, after which the rows count as lost
POLL = 0.25


class DaskParts(Parts):
    """Partitions of Dask collections.

    Parameters
    ----------
    blocks : list of (X, y, weight)
        One for each partition: delayed objects, None, or numbers.
    form : Form
    """

    def __init__(self, blocks: list[tuple[Any, Any, Any]], form: Form):
        super().__init__(form, len(blocks))
        self.blocks = blocks

    def _reduce(self, local: Any, small: tuple[Any, ...], merge: Merge, check: bool) -> Counted:
        shared = _packed((local, small, self.form, check))
        work = delayed(_local_of, pure=False)
        found = [work(shared, number, *block) for number, block in enumerate(self.blocks)]
        pair = delayed(partial(merge_counted, merge), pure=False)
        while len(found) > 1:
            pairs = [found[i : i + 2] for i in range(0, len(found), 2)]
            found = [pair(*two) if len(two) == 2 else two[0] for two in pairs]
        root = delayed(pickle.dumps, pure=False)(found[0])
        return pickle.loads(computed(root))

    def fold(self, local: Any, state: Any, order: Sequence[int], *small: Any) -> Any:
        shared = _packed((local, small, self.form, self.lengths is None))
        step = delayed(_fold_step, pure=False)
        following = _packed(state)
        for number in order:
            following = step(shared, following, number, *self.blocks[number])
        return pickle.loads(computed(following))


def _packed(small: Any) -> Any:
    return delayed(pickle.dumps(small), pure=False, traverse=False)


def _part_of(form: Form, check: bool, number: int, X: Any, y: Any, weight: Any) -> Part | None:
    return read_part(X, y, weight, number, f"partition {number}", form, check)


def _local_of(shared: bytes, number: int, X: Any, y: Any, weight: Any) -> Counted:
    local, small, form, check = pickle.loads(shared)
    with limited_to(1):
        return count(local, _part_of(form, check, number, X, y, weight), small)


def _fold_step(shared: bytes, state: bytes, number: int, X: Any, y: Any, weight: Any) -> bytes:
    local, small, form, check = pickle.loads(shared)
    with limited_to(1):
        part = _part_of(form, check, number, X, y, weight)
        return state if part is None else pickle.dumps(local(part, pickle.loads(state), *small))


# ------------------------------------------------------------------------ who computes


def computed(value: Any) -> Any:
    """Compute one delayed object; on a cluster, give up when the cluster is gone.

    Raises
    ------
    RowsLostError
        If for `PATIENCE` seconds the cluster has no worker, or its scheduler is not there.
    """
    client = _client()
    if client is None:
        return value.compute()
    address = _address(client)
    try:
        future = client.compute(value)
        try:
            _wait(client, future, address)
            return future.result(timeout=PATIENCE)
        finally:
            future.release()
    except Exception as error:
        if _is_loss(error):
            raise RowsLostError(
                f"the Dask cluster at {address} is lost ({type(error).__name__}: {error}). "
                "Start workers, or another cluster, and go on from the last state."
            ) from error
        raise


def _client() -> Any:
    """The client that Dask would compute with; None where there is no cluster."""
    scheduler = dask.base.get_scheduler()
    owner = getattr(scheduler, "__self__", None)
    return owner if hasattr(owner, "scheduler_info") else None


def _address(client: Any) -> str:
    scheduler = getattr(client, "scheduler", None)
    return str(getattr(scheduler, "address", None) or getattr(client, "_start_arg", "unknown"))


def _wait(client: Any, future: Any, address: str) -> None:
    """Wait for a result as long as there is a worker that may give it."""
    alive = time.monotonic()
    while not future.done():
        if client.status not in {"running", "connecting", "newly-created"}:
            raise RowsLostError(
                f"the Dask cluster at {address} is lost: the client is {client.status}. "
                "Connect to a cluster and go on from the last state."
            )
        info = client.scheduler_info(n_workers=-1)
        if client.status == "running" and info.get("workers"):
            alive = time.monotonic()
        elif time.monotonic() - alive > PATIENCE:
            future.cancel()
            raise RowsLostError(
                f"the Dask cluster at {address} has had no workers for {PATIENCE:.0f} s. Start "
                "workers and go on from the last state."
            )
        time.sleep(0.001 if time.monotonic() - alive < POLL else POLL)


def _is_loss(error: Exception) -> bool:
    """Whether an error says that workers or the scheduler are gone."""
    names = {kind.__name__ for kind in type(error).__mro__}
    lost = {"KilledWorker", "CommClosedError", "CancelledError", "FutureCancelledError"}
    return bool(names & lost)


# ------------------------------------------------------------------- what the user gave


def dask_parts(X: Any, y: Any, weight: Any, targets: str) -> DaskParts:
    """Bring X, y and weights to common partitions.

    Raises
    ------
    TypeError
        If they are not arrays or tables of Dask.
    ValueError
        If their partitions do not fit together.
    """
    chunks: tuple[Any, ...] | None
    if targets == "raw" and getattr(X, "ndim", 0) == 1 and isinstance(X, da.Array | dd.Series):
        chunks = X.chunks[0] if isinstance(X, da.Array) else None
        blocks, n_features = list(np.ravel(X.to_delayed())), 1
        columns, dtypes, sparse = None, (X.dtype,), False
    elif isinstance(X, da.Array):
        X = _whole_rows(X)
        chunks = X.chunks[0]
        blocks = list(X.to_delayed().ravel())
        columns, dtypes, n_features = None, (X.dtype,), int(X.shape[1])
        sparse = sp.issparse(X._meta)
    elif isinstance(X, dd.DataFrame):
        chunks, sparse = None, False
        blocks = list(X.to_delayed())
        columns, dtypes = columns_of(X.columns), tuple(X.dtypes)
        n_features = len(X.columns)
    else:
        raise TypeError(f"X is {_kind(X)}: give a dask.array of two dimensions or a dask.dataframe")
    if not blocks:
        raise ValueError("X has no partitions")
    given = _targets_of(y, targets)
    form = Form(n_features, columns, dtypes, float_dtype(dtypes), sparse, targets, *given)
    ys = _aligned(y, "y", chunks, len(blocks))
    weights = _aligned(weight, "sample_weight", chunks, len(blocks))
    return DaskParts(list(zip(blocks, ys, weights, strict=True)), form)


def _kind(rows: Any) -> str:
    return f"{type(rows).__module__.partition('.')[0]}'s {type(rows).__name__}"


def _whole_rows(X: Any) -> Any:
    if X.ndim != 2:
        raise ValueError(f"X has {X.ndim} dimensions: give an array of two (rows, columns)")
    if np.isnan(X.shape[1]):
        raise ValueError("the number of columns of X is unknown (nan): give an array that knows it")
    return X if X.numblocks[1] == 1 else X.rechunk({1: -1})


def _targets_of(y: Any, targets: str) -> tuple[int, str]:
    """How many columns y has (0 for one dimension), and the kind of labels."""
    if y is None:
        return 0, ""
    ndim = getattr(y, "ndim", 1)
    if ndim > 2:
        raise ValueError(f"y has {ndim} dimensions: give one or two")
    width = int(y.shape[1]) if ndim == 2 else 0
    dtype = y.dtypes.iloc[0] if ndim == 2 and hasattr(y, "dtypes") else getattr(y, "dtype", None)
    return (width, label_kind(targets, dtype))


def _aligned(rows: Any, what: str, chunks: tuple[Any, ...] | None, n_parts: int) -> list[Any]:
    """Give the block of targets or weights for each partition of X."""
    if rows is None or np.isscalar(rows):
        return [rows] * n_parts
    if isinstance(rows, da.Array):
        known = chunks is not None and not np.isnan([*chunks, *rows.chunks[0]]).any()
        if known and chunks is not None:
            if sum(chunks) != rows.shape[0]:
                raise ValueError(f"{what} has {rows.shape[0]} rows, X has {sum(chunks)}")
            rows = rows.rechunk({0: chunks})
        if rows.ndim == 2 and rows.numblocks[1] > 1:
            rows = rows.rechunk({1: -1})
        blocks = list(rows.to_delayed().ravel())
    elif isinstance(rows, dd.DataFrame | dd.Series):
        blocks = list(rows.to_delayed())
    elif chunks is not None and not np.isnan(chunks).any() and hasattr(rows, "__len__"):
        if len(rows) != sum(chunks):
            raise ValueError(f"{what} has {len(rows)} rows, X has {sum(chunks)}")
        ends = np.cumsum(chunks)
        values = np.asarray(rows)
        blocks = [
            delayed(values[end - size : end], pure=False, traverse=False)
            for size, end in zip(chunks, ends, strict=True)
        ]
    else:
        raise TypeError(
            f"{what} is {type(rows).__name__}, and the sizes of the partitions of X are unknown: "
            f"give {what} as a dask.array or dask.dataframe in the same partitions"
        )
    if len(blocks) != n_parts:
        raise ValueError(f"{what} has {len(blocks)} partitions, X has {n_parts}: give the same")
    return blocks


# ------------------------------------------------------------- what comes out, lazily


def map_parts(X: Any, function: Callable[[Any], Any], names: Any) -> Any:
    """Apply a function to every partition, lazily: a collection of the same kind.

    Parameters
    ----------
    X : dask.array or dask.dataframe
    function : callable
        Rows -> ndarray with a row for each, or a tuple of such.
    names : callable
        Number of columns -> their names, for tables.
    """
    if isinstance(X, da.Array):
        X = _whole_rows(X)
        row = np.zeros((1, int(X.shape[1])), X.dtype)
        like = function(sp.csr_matrix(row) if sp.issparse(X._meta) else row)
        call = partial(_by_block, function, like)
        if isinstance(like, tuple):
            return _tuple_of_arrays(X, call, like)
        meta = np.empty((0,) * like.ndim, like.dtype)
        if like.ndim == 1:
            return X.map_blocks(call, dtype=like.dtype, drop_axis=1, meta=meta)
        chunks = (X.chunks[0], (like.shape[1],))
        return X.map_blocks(call, dtype=like.dtype, chunks=chunks, meta=meta)
    if not isinstance(X, dd.DataFrame):
        raise TypeError(f"X is {_kind(X)}: give a dask.array of two dimensions or a dask.dataframe")
    like = function(X._meta_nonempty)
    call = partial(_by_table, function, like, names)
    if isinstance(like, tuple):
        some = [_table(member[:0], None, names) for member in like]
        return tuple(
            X.map_partitions(partial(_member, call, at), meta=meta) for at, meta in enumerate(some)
        )
    return X.map_partitions(call, meta=_table(like[:0], X._meta.index, names))


def _by_block(function: Any, like: Any, block: Any, block_id: Any = None) -> Any:
    if block.shape[0] == 0:
        return _empty(like)
    with limited_to(1):
        try:
            return function(block)
        except ValueError as error:
            where = "" if block_id is None else f"partition {block_id[0]}: "
            raise ValueError(f"{where}{error}") from error


def _empty(like: Any) -> Any:
    return tuple(member[:0] for member in like) if isinstance(like, tuple) else like[:0]


def _tuple_of_arrays(X: Any, call: Any, like: tuple[Any, ...]) -> tuple[Any, ...]:
    blocks = [delayed(call, pure=True)(block) for block in X.to_delayed().ravel()]

    def array(at: int, member: Any) -> Any:
        parts = [
            da.from_delayed(block[at], (size, *member.shape[1:]), member.dtype)
            for block, size in zip(blocks, X.chunks[0], strict=True)
        ]
        return da.concatenate(parts, allow_unknown_chunksizes=True)

    return tuple(array(at, member) for at, member in enumerate(like))


def _by_table(function: Any, like: Any, names: Any, table: Any) -> Any:
    if len(table) == 0:
        found = _empty(like)
    else:
        with limited_to(1):
            found = function(table)
    if isinstance(found, tuple):
        return tuple(_table(member, table.index, names) for member in found)
    return _table(found, table.index, names)


def _member(call: Any, at: int, table: Any) -> Any:
    return call(table)[at]


def _table(values: Any, index: Any, names: Any) -> Any:
    import pandas as pd

    if values.ndim == 1:
        return pd.Series(values, index=index)
    return pd.DataFrame(values, index=index, columns=names(values.shape[1]))
