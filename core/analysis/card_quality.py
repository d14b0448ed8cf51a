"""The run's stored metrics as the quality of all its patients: intervals from the record, curves from predictions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.analysis.card_source import CardSource
from core.analysis.model_quality import HorizonQuality, ModelQuality, assess, patients_behind
from core.results.run import Metric
from core.statistics.brier import brier_score
from core.statistics.calibration import calibration_curve
from core.statistics.estimate import Estimate

MANY = 100
"""Patients from which on five groups of calibration are drawn; three below."""


def quality_of_run(source: CardSource) -> ModelQuality:
    """As :func:`core.analysis.model_quality.assess` of everybody, with the intervals the run's record holds.

    Raises
    ------
    PrognoscopeError
        With fewer than 20 patients or 5 events.
    """
    run = source.run
    ids = tuple(source.ensemble.table["id"])
    curves = assess(run.id, source.predictions, ids, (), run.protocol)
    horizons = tuple(horizon_quality(source, float(month)) for month in run.horizons)
    return replace(curves, horizons=horizons)


def horizon_quality(source: CardSource, month: float) -> HorizonQuality:
    """One horizon of the run: numbers with intervals from the record, the curve from the predictions."""
    metrics, key = source.run.metrics, f"{month:g}"
    slope, ici, auc = (m.get(key, Metric(None)) for m in (metrics.calibration_slope, metrics.ici, metrics.auc))
    numbers = (estimate(slope), estimate(ici), estimate(auc))
    survival = source.ensemble.survival_at(month)
    known = np.isfinite(survival)
    note = next((m.note for m in (slope, auc) if m.mean is None and m.note), "")
    if not known.all() or (slope.mean is None and note):
        return HorizonQuality(month, int(known.sum()), None, *numbers, None, None, note)
    groups = 5 if len(survival) >= MANY else 3
    curve = calibration_curve(source.time, source.event, survival, month, groups)
    brier = brier_score(source.time, source.event, survival, month)
    behind = patients_behind(source.time, source.event, survival, groups)
    return HorizonQuality(month, len(survival), curve, *numbers, brier, None, note, behind)


def estimate(metric: Metric) -> Estimate:
    """A stored metric as an estimate."""
    return Estimate(metric.mean, metric.low, metric.high, metric.note)
