"""A run's estimates of another cohort's patients as tables a person reads."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.arrays import BoolArray
from core.results.prediction_set import Agreement, PredictionSet
from core.results.run import Metric

NO_NUMBER = "no estimate"


def horizon_words(month: float) -> str:
    """``"1 year"``, ``"5 years"`` or ``"18 months"``."""
    if month % 12:
        return f"{month:g} months"
    return f"{month / 12:g} year{'' if month == 12 else 's'}"


def patients_table(found: PredictionSet, mask: BoolArray) -> pd.DataFrame:
    """One row a selected patient: survival in per cent with the models' spread, and why there is no number.

    A horizon nobody has an estimate for, and a column that says nothing of anybody, are left out.
    """
    columns: dict[str, object] = {"Patient": found.table["id"]}
    for month in estimable_horizons(found):
        at = 100 * found.at(month)
        columns[f"Alive at {horizon_words(month)}"] = [
            f"{s:.0f} % ({low:.0f}–{high:.0f})" if np.isfinite(low) else f"{s:.0f} %" if np.isfinite(s) else NO_NUMBER
            for s, low, high in zip(at["survival"], at["low"], at["high"], strict=True)
        ]
    columns["Risk"] = found.table["risk"].round(3)
    columns["Distance"] = found.table["distance"].round(2)
    if found.unsupported:
        columns["Why no estimate"] = found.table["reason"]
    if found.overlap:
        columns["Trained on"] = np.where(found.table["overlap"], "yes", "")
    return pd.DataFrame(columns)[mask].reset_index(drop=True)


def estimable_horizons(found: PredictionSet) -> tuple[float, ...]:
    """Horizons at which somebody has an estimate; all of them where nobody has any."""
    some = tuple(h for h in found.horizons if found.at(h)["survival"].notna().any())
    return some or found.horizons


def silent_horizons(found: PredictionSet) -> str:
    """Why some horizons are not shown, or ""."""
    left = [horizon_words(h) for h in found.horizons if h not in estimable_horizons(found)]
    if not left:
        return ""
    return f"No estimate at {' and '.join(left)}: fewer than 20 training patients of some fold were still followed."


def agreement_table(found: PredictionSet) -> pd.DataFrame:
    """Metrics of all new patients and of the supported ones."""
    return pd.DataFrame([_row(a) for a in found.agreement])


def _row(agreement: Agreement) -> dict[str, str]:
    counts = {"": agreement.who.capitalize(), "Patients": f"{agreement.patients:,}", "Events": f"{agreement.events:,}"}
    m = agreement.metrics
    if m is None:
        return {**counts, "Harrell C (95 % CI)": f"not estimable: {agreement.reason}"}
    month = next((k for k in ("24", "36", "12") if k in m.auc and m.auc[k].mean is not None), "")
    more = {}
    if month:
        words = horizon_words(float(month))
        more = {f"AUC at {words}": _words(m.auc[month]),
                f"Calibration slope at {words} (1 is right)": _words(m.calibration_slope[month])}  # fmt: skip
    return {
        **counts,
        "Harrell C (95 % CI)": _words(m.harrell_c),
        "Uno C": _words(m.uno_c),
        **more,
        "Brier score over time": _words(m.ibs),
        "… of the training cohort's average curve": _words(m.ibs_kaplan_meier),
    }


def _words(metric: Metric) -> str:
    if metric.mean is None:
        return metric.note or "not estimable"
    if metric.low is None or metric.high is None:
        return f"{metric.mean:.2f}"
    return f"{metric.mean:.2f} ({metric.low:.2f} to {metric.high:.2f})"
