"""How well a representation tells which hospital a patient comes from: what a site-blind model should not know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from core.arrays import FloatArray

FEWEST = 10
"""Patients of a site that takes part."""
PARTS, PENALTY = 5, 10.0
"""Parts of the cross-validation; inverse strength of the ridge penalty on columns scaled to a row length of about 1."""


@dataclass(frozen=True)
class SitePredictability:
    """``accuracy`` cross-validated balanced accuracy · ``chance`` that of guessing, 1 / sites."""

    accuracy: float
    chance: float
    patients: int
    sites: int


def site_predictability(rows: FloatArray, sites: Sequence[str], seed: int = 0) -> SitePredictability | None:
    """Balanced accuracy of a penalised multinomial logistic regression from representation to site, by 5-fold
    cross-validation.

    Parameters
    ----------
    rows : (n, d) array
        Standardised within each training part and divided by √d, so that a wide representation is penalised like a
        narrow one.
    sites : n names; sites with fewer than 10 patients take no part

    Returns
    -------
    SitePredictability, or None where fewer than two sites are left.
    """
    names = np.asarray(sites)
    known, counts = np.unique(names, return_counts=True)
    keep = np.isin(names, known[counts >= FEWEST])
    kept, labels = rows[keep], names[keep]
    classes = len(np.unique(labels))
    if classes < 2:
        return None
    folds = StratifiedKFold(PARTS, shuffle=True, random_state=seed)
    model = make_pipeline(
        StandardScaler(),
        FunctionTransformer(_divided, kw_args={"by": float(np.sqrt(kept.shape[1]))}),
        LogisticRegression(C=PENALTY, max_iter=2000, class_weight="balanced"),
    )
    predicted = cross_val_predict(model, kept, labels, cv=folds)
    return SitePredictability(float(balanced_accuracy_score(labels, predicted)), 1 / classes, len(kept), classes)


def _divided(rows: FloatArray, by: float) -> FloatArray:
    return rows / by
