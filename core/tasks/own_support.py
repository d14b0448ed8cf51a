"""Judge a run's own patients by the support of the fold that tested them, so that a page can say who gets no number."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from core.cohort.folds import Folds
from core.features.alignment import Aligned
from core.features.inputs import Dataset
from core.models.estimator import Estimator
from core.results.own_support import OwnSupport
from core.tasks.scoring import farthest, reason_of
from core.training.ensemble import judge_support


def own_support(dataset: Dataset, folds: Folds, checkpoints: Path, estimator: Estimator) -> OwnSupport:
    """Every patient with a test fold; ``checkpoints`` holds each fold's support already."""
    test_fold = folds.test_fold[dataset.rows]
    rows = np.flatnonzero(test_fold >= 0)
    inputs, seen = dataset.inputs.take(rows), test_fold[rows].astype(np.int64)
    # an estimator that copes with any missing modality by design says so
    any_modality = bool(getattr(estimator, "any_modality", False))
    support = judge_support(checkpoints, folds.k, inputs, seen, any_modality)
    aligned = Aligned(inputs, {}, (), np.zeros(len(inputs), dtype=bool))
    reasons = [reason_of(i, inputs, aligned, support) for i in range(len(inputs))]
    return OwnSupport(
        pd.DataFrame(
            {
                "id": list(inputs.ids),
                "supported": [not r for r in reasons],
                "reason": reasons,
                "distance": farthest(inputs, support),
            }
        )
    )
