"""Made-up explanations for figure and page tests: of one patient, whose values sum to the estimate, and of a cohort."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from core.cohort.cohort import Cohort
from core.results.cohort_explanation import CohortExplanation
from core.results.explanation import FEATURE_COLUMNS, Explanation

NAN = float("nan")
ROWS = (
    ("TP53_mut", "genomics", "tumour suppressors", -4.0, 0.4, 1.0, "mutated", -3.6),
    ("age", "clinical", "", 3.0, 0.3, 0.95, "49 years", 2.8),
    ("slides", "slides", "", 2.0, 0.9, 0.9, "120 patches", NAN),
    ("MYC_cnv", "genomics", "oncogenes", 1.5, 0.6, 0.8, "2", 1.1),
    ("KRAS_rnaseq", "genomics", "oncogenes", -0.5, 0.2, 1.0, "1.7", -0.4),
    ("stage=C", "clinical", "", -0.25, 0.2, 0.55, "C", -0.1),
)
BASELINE, RESIDUAL = 60.0, -0.05


def make_explanation(run: str = "hdmoe-1", patient: str = "SYN-0001", **changes: Any) -> Explanation:
    """The explanation of one patient; keyword arguments replace its fields."""
    features = pd.DataFrame(list(ROWS), columns=list(FEATURE_COLUMNS))
    fields: dict[str, Any] = {
        "run": run, "patient": patient, "month": 36.0, "unit": "percentage points of survival at month 36",
        "prediction": BASELINE + float(features["value"].sum()) + RESIDUAL, "baseline": BASELINE,
        "residual": RESIDUAL, "features": features, "method": "expected gradients",
        "check_method": "GradientExplainer", "agreement": 0.94, "models": 3, "background": 50, "stable_ranks": True,
        "rank_agreement": 0.71, "synthetic": True, "code_version": "test", "seconds": 1.0,
    }  # fmt: skip
    return Explanation(**(fields | changes))


def make_cohort_explanation(
    cohort: Cohort, run: str = "hdmoe-1", patients: int = 40, **changes: Any
) -> CohortExplanation:
    """Effects of six genes and two clinical columns: a high first gene lowers survival."""
    random = np.random.default_rng(4)
    names = [*(cohort.genomics.columns[:6] if cohort.genomics else ()), "age", "stage"]
    groups = ["genomics"] * (len(names) - 2) + ["clinical"] * 2
    size = np.linspace(4, 0.5, len(names))
    values = random.normal(size=(patients, len(names)))
    values[:, -1] = random.integers(0, 3, patients)
    values[:, -2] = np.round(60 + 10 * values[:, -2])
    contributions = -size * (values - values.mean(axis=0)) / values.std(axis=0) + random.normal(0, 0.3, values.shape)
    contributions[3, 0] = np.nan
    features = pd.DataFrame(
        {"name": names, "group": groups, "family": "", "importance": size, "std": size / 6,
         "direction": -0.9, "rank": np.arange(1, len(names) + 1), "rank_low": np.arange(1, len(names) + 1),
         "rank_high": np.arange(2, len(names) + 2)}
    )  # fmt: skip
    fields: dict[str, Any] = {
        "run": run, "month": 36.0, "unit": "percentage points of survival at month 36",
        "patients": cohort.ids[:patients], "contributions": contributions.astype(np.float32),
        "values": values.astype(np.float32), "features": features, "categories": {"stage": ("A", "B", "C")},
        "models": 15, "background": 50, "method": "expected gradients", "rank_agreement": 0.7, "stable_ranks": True,
        "synthetic": True, "code_version": "test", "seconds": 1.0,
    }  # fmt: skip
    return CohortExplanation(**(fields | changes))
