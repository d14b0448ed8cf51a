"""Made-up predictions and runs: no model, no torch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from core.arrays import FloatArray
from core.results.prediction import COLUMNS, Predictions
from core.results.run import Metric, Metrics, Run

TIMES = np.array([6.0, 12.0, 24.0, 36.0, 48.0])


def make_predictions(
    n: int = 60,
    folds: int = 3,
    seeds: tuple[int, ...] = (0,),
    signal: float = 1.0,
    noise_seed: int = 0,
    times: FloatArray = TIMES,
    competing: bool = False,
) -> Predictions:
    """Exponential survival times, predicted with their true hazard times a noise of each seed.

    The patients, outcomes and folds depend on nothing but ``n`` and ``folds``.
    """
    random = np.random.default_rng(1)
    log_hazard = random.normal(size=n)
    time = random.exponential(30 * np.exp(-log_hazard))
    censored = random.uniform(10, 120, n)
    event = (time <= censored).astype(np.int64)
    if competing:
        event[::7] = 2
    noise = np.random.default_rng([7, noise_seed])
    tables, curves = [], []
    for seed in seeds:
        predicted = signal * log_hazard + noise.normal(0, 0.5, n)
        columns = {
            "id": [f"P{i:03d}" for i in range(n)],
            "fold": np.arange(n) % folds,
            "seed": seed,
            "entry": 0.0,
            "time": np.minimum(time, censored),
            "event": event,
            "risk": predicted,
        }
        tables.append(pd.DataFrame(columns)[list(COLUMNS)])
        curves.append(np.exp(-times[None] / 30 * np.exp(predicted)[:, None]))
    return Predictions(pd.concat(tables, ignore_index=True), times, np.concatenate(curves))


def make_run(name: str, **changes: Any) -> Run:
    """A run record."""
    nothing = Metric(None, note="made up")
    values: dict[str, Any] = {
        "id": name,
        "cohort": "sample",
        "cohort_hash": "0" * 64,
        "synthetic": True,
        "model": "hdmoe",
        "config": {"width": 32},
        "modalities": ("genomics", "clinical"),
        "endpoint": "OS",
        "protocol": "honest",
        "folds": "3-fold",
        "n_folds": 3,
        "seeds": (0,),
        "horizons": (12.0, 24.0),
        "patients": 60,
        "events": 40,
        "excluded": (),
        "code_version": "x",
        "created_at": "2026-01-01T00:00:00+00:00",
        "seconds": 1.5,
        "machine": "here",
        "command": "train",
        "metrics": Metrics(nothing, nothing, nothing, nothing),
        "thresholds": {"0": {"median": 0.1, "low_tertile": 0.0, "high_tertile": 0.3}},
    }
    return Run(**{**values, **changes})
