"""AUROC against scikit-learn, and its edges."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from core.statistics.auroc import auroc


def test_equals_scikit_learn_with_ties() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        positive = rng.random(40) < 0.3
        positive[:2] = (True, False)
        scores = rng.integers(0, 6, 40).astype(float)
        assert auroc(scores, positive) == pytest.approx(roc_auc_score(positive, scores), abs=1e-12)


def test_needs_both_kinds() -> None:
    with pytest.raises(ValueError, match="both kinds"):
        auroc([1.0, 2.0], np.array([True, True]))
