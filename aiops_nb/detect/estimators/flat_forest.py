"""The trees of a fitted isolation forest in a few arrays, walked by the compiled kernel.

By hand: scikit-learn walks tree by tree in Python and builds several arrays for each; the sums are the same to the bit.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from aiops_nb import kernel
from aiops_nb.core.types import FloatArray

ROWS_TO_COMPARE = 256


class FlatForest:
    """Scores of `IsolationForest.score_samples`, negated: from 0 to 1, larger where a vector is isolated sooner.

    It reads fields of scikit-learn that are not documented; `of` uses it only where its scores equal the estimator's.

    Parameters
    ----------
    forest
        A fitted `sklearn.ensemble.IsolationForest`.
    """

    def __init__(self, forest: Any) -> None:
        nodes: list[list[Any]] = [[], [], [], []]
        roots, first = [], 0
        parts = zip(
            forest.estimators_,
            forest.estimators_features_,
            forest._decision_path_lengths,
            forest._average_path_length_per_tree,
            strict=True,
        )
        for estimator, columns, depth, beyond in parts:
            tree = estimator.tree_
            own, is_leaf = np.arange(tree.node_count), tree.children_left < 0
            children = np.stack([tree.children_left, tree.children_right], axis=1)
            nodes[0].append(np.where(is_leaf, 0, columns[np.maximum(tree.feature, 0)]))
            nodes[1].append(np.where(is_leaf, 0.0, tree.threshold))
            nodes[2].append(np.where(is_leaf[:, None], own[:, None], children) + first)
            nodes[3].append(depth + beyond - 1.0)
            roots.append(first)
            first += tree.node_count
        self._feature = np.concatenate(nodes[0]).astype(np.int32)
        self._threshold, self._value = np.concatenate(nodes[1]), np.concatenate(nodes[3]).astype(np.float64)
        self._children = np.concatenate(nodes[2]).astype(np.int32)
        self._roots = np.array(roots, np.int32)
        self._largest_sum = len(roots) * _average_path_length(forest._max_samples)

    @classmethod
    def of(cls, estimator: Any, rows: FloatArray) -> FlatForest | None:
        """The flat form of an estimator, if the kernel is there and gives its scores of these rows; else None."""
        if kernel.compiled is None or type(estimator).__name__ != "IsolationForest" or not len(rows):
            return None
        try:
            flat, some = cls(estimator), rows[:ROWS_TO_COMPARE]
            mine, theirs = flat.raw_score(some), -np.asarray(estimator.score_samples(some), np.float64)
        except Exception:  # another version of scikit-learn, or another library's class of that name
            return None
        return flat if mine is not None and mine.tobytes() == theirs.tobytes() else None

    def raw_score(self, vectors: FloatArray) -> FloatArray | None:
        """(n,) scores of (n, k) vectors; None where the estimator itself has to answer."""
        with np.errstate(over="ignore"):
            narrow = np.ascontiguousarray(vectors, np.float32)
        if kernel.compiled is None or not np.isfinite(narrow).all():
            return None
        sums = np.empty(len(narrow))
        kernel.compiled.forest_sums(
            self._feature, self._threshold, self._children, self._value, self._roots, narrow, sums
        )
        scores: FloatArray = 2 ** -(sums / self._largest_sum)
        return scores


def _average_path_length(count: int) -> float:
    """Of an unsuccessful search in a binary tree of so many values (Liu, Ting, Zhou 2008)."""
    from sklearn.ensemble._iforest import _average_path_length

    return float(_average_path_length([count])[0])
