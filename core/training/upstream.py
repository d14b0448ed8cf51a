"""The protocol of the released code: the best epoch on the test fold. Optimistic, and shown only to say by how much.

Bin edges come from the whole cohort and the epoch with the highest test-fold C-index is reported (MODELS.md 1.1.1
and 2.2: worth .03 to .07 of C-index on omics).
"""

from __future__ import annotations

import copy

import numpy as np
import torch

from core.features.inputs import Inputs, Outcome
from core.statistics.discrimination import harrell_c
from core.training.bins import upstream_bins
from core.training.fit import EpochRecord
from core.training.neural import FittedNeural, NeuralEstimator
from core.training.watch import Watch, both


class _BestEpoch:
    """Keeps the weights of the epoch with the highest C-index on the test fold."""

    def __init__(self, inputs: Inputs, outcome: Outcome) -> None:
        self.inputs, self.outcome = inputs, outcome
        self.best = -np.inf
        self.weights: dict[str, torch.Tensor] = {}

    def __call__(self, current: FittedNeural, record: EpochRecord) -> None:
        risk = current.predict(self.inputs, np.array([1.0])).risk
        c = harrell_c(self.outcome.time, self.outcome.event, risk)
        if c > self.best or not self.weights:  # a fold without a comparable pair has no best epoch: the first stays
            self.best = c
            self.weights = copy.deepcopy(current.network.state_dict())


def fit_upstream(
    estimator: NeuralEstimator,
    train: tuple[Inputs, Outcome],
    test: tuple[Inputs, Outcome],
    everyone: Outcome,
    seed: int,
    watch: Watch | None = None,
) -> FittedNeural:
    """Fit on ``train``, choose the epoch on ``test``, bins from ``everyone``; ``watch`` may look on."""
    best = _BestEpoch(*test)
    fitted = estimator.fit_watched(*train, upstream_bins(everyone), seed, both(best, watch))
    fitted.network.load_state_dict(best.weights)
    return fitted.with_baseline(fitted.preparation.tensors(train[0]), train[1])
