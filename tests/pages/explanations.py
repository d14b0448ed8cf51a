"""A made-up explanation for figure and page tests: six values of three modalities that sum to the estimate."""

from __future__ import annotations

from typing import Any

import pandas as pd

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
