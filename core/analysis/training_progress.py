"""The epochs of a training, over all its folds and seeds: what the live figures draw."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.arrays import FloatArray, IntArray
from core.results.training_curve import CurvePoint, LevelLoad


@dataclass(frozen=True, eq=False)
class Band:
    """One number over the epochs: ``mean``, lowest and highest (e,) over the ``fits`` (e,) that reached each epoch."""

    epochs: IntArray
    mean: FloatArray
    low: FloatArray
    high: FloatArray
    fits: IntArray

    def __len__(self) -> int:
        return len(self.epochs)


def band(points: Sequence[CurvePoint], number: Callable[[CurvePoint], float | None]) -> Band:
    """Mean and range of a number over folds and seeds, epochs counted from 1; epochs without any are left out."""
    found: dict[int, list[float]] = {}
    for point in points:
        value = number(point)
        if value is not None:
            found.setdefault(point.epoch + 1, []).append(value)
    epochs = sorted(found)
    each = [np.array(found[e]) for e in epochs]
    return Band(
        np.array(epochs, dtype=np.int64),
        np.array([v.mean() for v in each]),
        np.array([v.min() for v in each]),
        np.array([v.max() for v in each]),
        np.array([len(v) for v in each], dtype=np.int64),
    )


def comparable_epochs(points: Sequence[CurvePoint], epochs: int | None = None) -> tuple[CurvePoint, ...]:
    """The points of which a mean over fits can be drawn: every epoch of it over the same fits.

    A mean over whichever fits have reached an epoch jumps when they are at different ones. So only finished fits count
    once there is one (``epochs`` is what a fit has; None: the most seen); before that, the epochs all of them reached.
    """
    last: dict[tuple[int, int], int] = {}
    for point in points:
        last[point.fold, point.seed] = max(point.epoch, last.get((point.fold, point.seed), 0))
    if not last:
        return ()
    end = max(last.values()) if epochs is None else epochs - 1
    finished = {fit for fit, reached in last.items() if reached >= end}
    if finished:
        return tuple(p for p in points if (p.fold, p.seed) in finished)
    shared = min(last.values())
    return tuple(p for p in points if p.epoch <= shared)


def level_names(points: Sequence[CurvePoint]) -> tuple[str, ...]:
    """Routers in the order of the model; empty for a model without experts."""
    return tuple(dict.fromkeys(name for point in points for name in point.levels))


def entropy_band(points: Sequence[CurvePoint], level: str) -> Band:
    """Normalised entropy of the load at one level: 1 = all experts alike, 0 = one takes all."""
    return band(points, lambda p: p.levels[level].entropy if level in p.levels else None)


def mean_load(points: Sequence[CurvePoint], level: str) -> tuple[IntArray, FloatArray]:
    """(e,) epochs from 1 and (e, experts) share of the tokens sent to each expert, mean over folds and seeds."""
    found: dict[int, list[LevelLoad]] = {}
    for point in points:
        if level in point.levels:
            found.setdefault(point.epoch + 1, []).append(point.levels[level])
    epochs = sorted(found)
    return np.array(epochs, dtype=np.int64), np.array([np.mean([x.load for x in found[e]], axis=0) for e in epochs])


def curves_table(points: Sequence[CurvePoint]) -> pd.DataFrame:
    """Every epoch of every fold and seed, one row each, with the entropy of each level."""
    rows = []
    for p in points:
        row = {"fold": p.fold + 1, "seed": p.seed, "epoch": p.epoch + 1, "loss": p.loss,
               "held-out loss": p.held_out_loss, "C training": p.c_train, "C held-out": p.c_held_out,
               "IBS held-out": p.ibs_held_out}  # fmt: skip
        rows.append(row | {f"entropy, {name}": level.entropy for name, level in p.levels.items()})
    return pd.DataFrame(rows)


def load_table(points: Sequence[CurvePoint], level: str) -> pd.DataFrame:
    """One row an epoch, one column an expert."""
    epochs, load = mean_load(points, level)
    return pd.DataFrame(load, columns=[f"expert {i + 1}" for i in range(load.shape[1])]).assign(epoch=epochs)
