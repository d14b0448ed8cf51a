"""A made-up routing record of the sample cohort: two levels, one of them with experts that match between models."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.cohort.cohort import Cohort
from core.results.prediction import Predictions
from core.results.routing_record import LevelRecord, ModalityOff, PatientMap, RoutingRecord
from core.statistics.self_correlation import self_correlation


def make_level(
    name: str, fold: np.ndarray, experts: int, noise: float, matched: bool, seed: int = 0, shared: bool = True
) -> LevelRecord:
    """Every patient prefers one expert, the same in each seed but for ``noise``."""
    random = np.random.default_rng(seed)
    n, folds, seeds = len(fold), int(fold.max()) + 1, 2
    liked = np.random.default_rng(seed + 1).integers(0, experts, n)
    raw = 2.5 * np.eye(experts)[liked][None, None] + noise * random.normal(size=(folds, seeds, n, experts))
    everyone = np.exp(raw) / np.exp(raw).sum(axis=3, keepdims=True)
    mass = np.moveaxis(everyone[fold, :, np.arange(n)], 1, 0).astype(np.float32)
    load = np.eye(experts, dtype=np.float32)[mass.argmax(axis=2)]
    wide = experts + int(shared)
    change = random.normal(0, 2, (seeds, n, wide)).astype(np.float32)
    order = np.tile(np.arange(experts), (folds, seeds, 1))
    match = np.ones(seeds) * (0.9 if matched else 0.2)
    match[0] = 1.0
    return LevelRecord(
        name, tuple(f"expert {i + 1}" for i in range(experts)), False, 4, shared, np.ones(n, dtype=bool), mass, load,
        np.abs(change), change, change / 10, everyone.astype(np.float32), order, np.where(match < 1, match, match[1]),
        match, self_correlation(random.normal(size=(30, 4, 8))), self_correlation(random.normal(size=(30, 4, 8))),
    )  # fmt: skip


def make_routing(cohort: Cohort, predictions: Predictions, run: str = "hdmoe-1", **changes: Any) -> RoutingRecord:
    """The record that belongs to :func:`tests.pages.builders.make_predictions`."""
    table = predictions.ensemble().table
    fold = table["fold"].to_numpy(dtype=np.int64)
    n = len(fold)
    random = np.random.default_rng(5)
    levels = {
        "level 1 · genomics": make_level("level 1 · genomics", fold, 4, 3.0, matched=False),
        "level 2": make_level("level 2", fold, 3, 0.2, matched=True, seed=9),
    }
    off = random.normal(-3, 1, (2, n)).astype(np.float32)
    off[:, :20] = np.nan
    moved = {name: np.abs(off) / 50 for name in levels}
    points = random.normal(size=(n, 2)).astype(np.float32)
    fields: dict[str, Any] = {
        "run": run, "cohort": cohort.name, "model": "hdmoe", "month": 36.0, "ids": tuple(table["id"]), "fold": fold,
        "seeds": (0, 1), "synthetic": True, "estimate": random.uniform(20, 90, (2, n)).astype(np.float32),
        "levels": levels, "modalities": {"genomics": ModalityOff(off, off / 9, moved)},
        "maps": {"PCA": PatientMap(points, ("first axis", "second axis"), "Distances are those in the model.")},
        "places": np.repeat(points[None], 2, axis=0), "space": "what the estimate is read from",
        "aligned": np.full((5, 2), 0.8), "reference": (0, 0), "code_version": "test", "seconds": 1.0,
    }  # fmt: skip
    return RoutingRecord(**(fields | changes))
