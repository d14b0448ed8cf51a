"""Random survival forest (scikit-survival), stored as the arrays of its trees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sksurv.ensemble import RandomSurvivalForest
from sksurv.util import Surv

from core.arrays import FloatArray
from core.features.follow_up import last_estimable
from core.features.inputs import Inputs, Outcome
from core.features.preparation import Preparation
from core.models.baselines.cox import design
from core.models.estimator import Estimates, State, estimable


@dataclass(frozen=True, eq=False)
class FittedForest:
    """All trees end to end.

    ``left``, ``right``, ``feature`` (nodes,) ints (leaf: left = -1) · ``threshold`` (nodes,) · ``roots`` (trees,)
    first node of each tree · ``leaf_survival`` (nodes, grid) · ``mortality`` (nodes,) summed cumulative hazard over
    the training event times (Ishwaran et al., 2008) · ``grid`` months.
    """

    preparation: Preparation
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    feature: NDArray[np.int64]
    threshold: FloatArray
    roots: NDArray[np.int64]
    leaf_survival: NDArray[np.float32]
    mortality: FloatArray
    grid: FloatArray
    limit: float

    def predict(self, inputs: Inputs, times: FloatArray) -> Estimates:
        """Mean over trees of the leaf's mortality and survival curve (a step function of the training times)."""
        leaves = self._leaves(design(self.preparation, inputs))
        risk = self.mortality[leaves].mean(axis=1)
        curves = self.leaf_survival[leaves].mean(axis=1).astype(float)
        place = np.searchsorted(self.grid, times, side="right") - 1
        survival = np.where(place[None] >= 0, curves[:, np.maximum(place, 0)], 1.0)
        return Estimates(risk, estimable(survival, times, self.limit))

    def _leaves(self, x: FloatArray) -> NDArray[np.int64]:
        """(n, trees) leaf node of every patient in every tree."""
        node = np.repeat(self.roots[None], len(x), axis=0)
        rows = np.arange(len(x))[:, None]
        single = x.astype(np.float32)  # the trees were grown on float32 values
        while bool((inner := self.left[node] >= 0).any()):
            goes_left = single[rows, np.maximum(self.feature[node], 0)] <= self.threshold[node]
            node = np.where(inner, np.where(goes_left, self.left[node], self.right[node]), node)
        return node

    def state(self) -> State:
        names = ("left", "right", "feature", "threshold", "roots", "leaf_survival", "mortality", "grid")
        arrays = {**self.preparation.arrays(), **{name: getattr(self, name) for name in names}}
        return State({"preparation": self.preparation.as_json(), "limit": self.limit}, arrays)


@dataclass(frozen=True)
class SurvivalForest:
    """Random survival forest on all inputs, √p features a split."""

    name: str = "forest"
    trees: int = 200
    leaf: int = 10

    def fit(self, inputs: Inputs, outcome: Outcome, horizons: tuple[float, ...], seed: int) -> FittedForest:
        """Grow, then take the trees apart into arrays."""
        preparation = Preparation.fit(inputs)
        forest = RandomSurvivalForest(
            n_estimators=self.trees, min_samples_leaf=self.leaf, max_features="sqrt", random_state=seed, n_jobs=1
        )
        forest.fit(design(preparation, inputs), Surv.from_arrays(outcome.event, outcome.time))
        return _take_apart(forest, preparation, last_estimable(outcome))

    def restore(self, state: State) -> FittedForest:
        arrays = {k: v for k, v in state.arrays.items() if not k.startswith(("genes.", "bags."))}
        preparation = Preparation.restore(state.settings["preparation"], state.arrays)
        return FittedForest(preparation, limit=float(state.settings["limit"]), **arrays)


def _take_apart(forest: RandomSurvivalForest, preparation: Preparation, limit: float) -> FittedForest:
    """Concatenate the trees' node arrays; child numbers become absolute."""
    times = forest.unique_times_
    keep = np.unique(np.linspace(0, len(times) - 1, 64).astype(int))  # 64 points of the step function are stored
    parts: dict[str, list[NDArray[np.float64]]] = {k: [] for k in ("left", "right", "feature", "threshold", "s", "m")}
    roots, offset = [], 0
    for estimator in forest.estimators_:
        tree = estimator.tree_
        leaf = tree.children_left < 0
        parts["left"].append(np.where(leaf, -1, tree.children_left + offset))
        parts["right"].append(np.where(leaf, -1, tree.children_right + offset))
        parts["feature"].append(tree.feature)
        parts["threshold"].append(tree.threshold)
        parts["s"].append(tree.value[:, keep, 1])
        parts["m"].append(tree.value[:, forest.is_event_time_, 0].sum(axis=1))
        roots.append(offset)
        offset += tree.node_count
    joined = {k: np.concatenate(v) for k, v in parts.items()}
    return FittedForest(
        preparation,
        joined["left"].astype(np.int64),
        joined["right"].astype(np.int64),
        joined["feature"].astype(np.int64),
        joined["threshold"],
        np.array(roots, dtype=np.int64),
        joined["s"].astype(np.float32),
        joined["m"],
        times[keep].astype(float),
        limit,
    )
