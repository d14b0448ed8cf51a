"""The patients behind the Brier score and the AUC of a run, unnamed and in an order that says nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.analysis.model_quality import ModelQuality, null_curves
from core.arrays import FloatArray


def month_columns(months: FloatArray) -> list[str]:
    """``"S(6)"``, ``"S(12.5)"``: names of the columns of S(month)."""
    return [f"S({np.format_float_positional(m, trim='-')})" for m in months]


def brier_numbers(quality: ModelQuality) -> pd.DataFrame:
    """The drawn points of the Brier figure: ``month``, ``run``, ``null``."""
    return pd.DataFrame({"month": quality.times, "run": quality.brier, "null": quality.brier_null})


def auc_numbers(quality: ModelQuality) -> pd.DataFrame:
    """The drawn points of the AUC figure: ``month``, ``auc``, ``low``, ``high``."""
    rows = [(h.month, h.auc.value, h.auc.low, h.auc.high) for h in quality.horizons]
    return pd.DataFrame(rows, columns=["month", "auc", "low", "high"])


def brier_behind(quality: ModelQuality) -> pd.DataFrame:
    """All patients of the run, for the null comes from all.

    Returns
    -------
    DataFrame
        ``fold`` · ``time`` months · ``event`` · ``shown`` 1 for those evaluated · their S at each month, empty for the
        others.
    """
    ensemble = quality.ensemble
    table = ensemble.table[["fold", "time"]].reset_index(drop=True)
    table["event"] = (ensemble.table["event"].to_numpy() == 1).astype(int)
    table["shown"] = quality.inside.astype(int)
    survival = np.where(quality.inside[:, None], ensemble.survival, np.nan)
    curves = pd.DataFrame(survival, columns=month_columns(ensemble.times))
    return pd.concat([table, curves], axis=1).sort_values(["time", "event", "fold"], ignore_index=True)


def auc_behind(quality: ModelQuality) -> pd.DataFrame:
    """The evaluated patients of each horizon: ``month``, ``fold``, ``time``, ``event``, ``risk``."""
    ensemble, inside = quality.ensemble, quality.inside
    whole = ensemble.table[["fold", "time", "risk"]].reset_index(drop=True)
    whole["event"] = (ensemble.table["event"].to_numpy() == 1).astype(int)
    parts = [pd.DataFrame(columns=["month", "fold", "time", "event", "risk"])]
    for horizon in quality.horizons:
        if horizon.note:
            continue
        null = null_curves(ensemble, np.array([horizon.month]))[:, 0]
        known = inside & np.isfinite(ensemble.survival_at(horizon.month)) & np.isfinite(null)
        part = whole[known].sort_values(["time", "event", "risk"])
        parts.append(part.assign(month=horizon.month)[parts[0].columns.to_list()])
    return pd.concat(parts[1:] or parts, ignore_index=True)
