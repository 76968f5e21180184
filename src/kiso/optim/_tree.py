"""Trees of arrays: any nesting of dict, list and tuple whose leaves are arrays.

A single array is a tree with one leaf. Leaves come in the order of the first tree seen;
another tree is matched to it by key and position, so the order of its keys is free.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np

Tree: TypeAlias = Any  # Array, or dict[str, Tree], list[Tree], tuple[Tree, ...]

__all__ = ["Tree", "leaves_like", "leaves_of", "map_tree", "named_leaves", "paths_of", "rebuild"]


def leaves_of(tree: Tree) -> list[Any]:
    """Return the leaves, depth first."""
    found: list[Any] = []
    _collect(tree, found)
    return found


def _collect(tree: Tree, found: list[Any]) -> None:
    if isinstance(tree, dict | list | tuple):
        for child in tree.values() if isinstance(tree, dict) else tree:
            if type(child) is np.ndarray:  # most are; a call for each would be felt
                found.append(child)
            else:
                _collect(child, found)
    else:
        found.append(tree)


def paths_of(tree: Tree) -> list[str]:
    """Return the name of each leaf as one would write it: ``layers[1]['W']``."""
    return [path or "params" for path, _ in _walk(tree, "")]


def _walk(tree: Tree, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(tree, dict):
        for key, child in tree.items():
            bare = not path and isinstance(key, str) and key.isidentifier()
            yield from _walk(child, key if bare else f"{path or 'params'}[{key!r}]")
    elif isinstance(tree, list | tuple):
        for index, child in enumerate(tree):
            yield from _walk(child, f"{path or 'params'}[{index}]")
    else:
        yield path, tree


def named_leaves(tree: Tree, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each leaf with its name, keys and positions joined by dots: ``0.W``, ``3.0.gamma``."""
    if isinstance(tree, dict | list | tuple):
        for key, child in tree.items() if isinstance(tree, dict) else enumerate(tree):
            yield from named_leaves(child, f"{prefix}.{key}" if prefix else str(key))
    else:
        yield prefix, tree


def leaves_like(model: Tree, tree: Tree, what: str = "grads") -> list[Any]:
    """Return the leaves of `tree` in the order of `model`'s.

    Raises
    ------
    ValueError
        If the two are not nested alike; the message says where.
    """
    found: list[Any] = []
    _match(model, tree, what, found)
    return found


def _match(model: Tree, tree: Tree, path: str, found: list[Any]) -> None:
    if isinstance(model, dict):
        if not isinstance(tree, dict) or tree.keys() != model.keys():
            got = f"keys {list(tree)}" if isinstance(tree, dict) else _kind(tree)
            raise ValueError(f"{path}: {got} where params has keys {list(model)}")
        for key, child in model.items():
            other = tree[key]
            if type(child) is type(other) is np.ndarray:
                found.append(other)
            else:
                _match(child, other, f"{path}[{key!r}]", found)
    elif isinstance(model, list | tuple):
        if not isinstance(tree, list | tuple) or len(tree) != len(model):
            got = f"{len(tree)} items" if isinstance(tree, list | tuple) else _kind(tree)
            raise ValueError(f"{path}: {got} where params has {len(model)} items")
        for index, (child, other) in enumerate(zip(model, tree, strict=True)):
            if type(child) is type(other) is np.ndarray:
                found.append(other)
            else:
                _match(child, other, f"{path}[{index}]", found)
    elif isinstance(tree, dict | list | tuple) and not isinstance(model, dict | list | tuple):
        raise ValueError(f"{path}: {_kind(tree)} where params has an array")
    else:
        found.append(tree)


def _kind(tree: Tree) -> str:
    return "an array" if isinstance(tree, np.ndarray) else f"a {type(tree).__name__}"


def rebuild(model: Tree, leaves: Iterator[Any]) -> Tree:
    """Return a tree nested as `model`, with these leaves in place of its own."""
    if isinstance(model, dict):
        return {key: rebuild(child, leaves) for key, child in model.items()}
    if isinstance(model, list):
        return [rebuild(child, leaves) for child in model]
    if isinstance(model, tuple):
        children = [rebuild(child, leaves) for child in model]
        return type(model)(*children) if hasattr(model, "_fields") else tuple(children)
    return next(leaves)


def map_tree(function: Callable[..., Any], tree: Tree, *others: Tree) -> Tree:
    """Apply a function leaf by leaf to trees that are nested alike."""
    columns = [leaves_of(tree), *(leaves_like(tree, other, "tree") for other in others)]
    return rebuild(tree, map(function, *columns))
