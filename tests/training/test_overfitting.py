"""Can the networks learn at all? A handful of patients with outcomes drawn at random must be learned by heart."""

from __future__ import annotations

import numpy as np
import pytest

from core.statistics.discrimination import harrell_c
from core.training.bins import upstream_bins
from core.training.config import TrainingConfig
from core.training.neural import NeuralEstimator
from tests.training.planted import QUICK_LEARNER, planted_dataset


@pytest.mark.parametrize(("model", "bfloat16"), [("hdmoe", False), ("snn", False), ("snn", True)])
def test_thirty_patients_are_learned_by_heart(model: str, bfloat16: bool) -> None:
    dataset = planted_dataset(30, signal=0.0)
    settings = {**QUICK_LEARNER[model], **({"dropout": 0.0} if model == "snn" else {})}
    training = TrainingConfig(epochs=80, learning_rate=6e-3, batch_size=15, decay=False, bfloat16=bfloat16)
    estimator = NeuralEstimator(model, settings, training)
    fitted = estimator.fit_watched(dataset.inputs, dataset.outcome, upstream_bins(dataset.outcome), 0, None)
    losses = [record.survival_loss for record in fitted.history]
    assert losses[-1] < 0.5 * losses[0]
    risk = fitted.predict(dataset.inputs, np.array([12.0])).risk
    assert harrell_c(dataset.outcome.time, dataset.outcome.event, risk) > 0.8
