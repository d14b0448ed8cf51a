"""The same numbers on a GPU."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.training.config import TrainingConfig
from core.training.fit import predict_logits
from core.training.neural import FittedNeural
from tests.training.planted import HORIZONS, learning_estimator, planted_dataset, small_estimator

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")]

TIMES = np.array([12.0, 24.0])


@pytest.mark.parametrize("bags", [False, True])
def test_a_model_trained_on_the_cpu_predicts_the_same_on_the_gpu(bags: bool) -> None:
    dataset = planted_dataset(80, missing=0.2, bags=bags)
    fitted = learning_estimator("hdmoe").fit(dataset.inputs, dataset.outcome, HORIZONS, 0)
    assert isinstance(fitted, FittedNeural)
    on_cpu = fitted.predict(dataset.inputs, TIMES)
    tensors = fitted.preparation.tensors(dataset.inputs)
    logits = predict_logits(fitted.network.cuda(), tensors, 80, device=torch.device("cuda"))
    on_gpu = fitted.estimates(logits, TIMES)
    assert np.abs(on_gpu.risk - on_cpu.risk).max() < 1e-3
    assert np.nanmax(np.abs(on_gpu.survival - on_cpu.survival)) < 1e-3


@pytest.mark.parametrize("name", ["hdmoe", "snn"])
def test_training_on_the_gpu_runs_and_is_stored_for_any_machine(name: str) -> None:
    dataset = planted_dataset(80, missing=0.2)
    estimator = small_estimator(name, TrainingConfig(epochs=2, bfloat16=True), device="cuda")
    fitted = estimator.fit(dataset.inputs, dataset.outcome, HORIZONS, 0)
    on_gpu = fitted.predict(dataset.inputs, TIMES)
    on_cpu = small_estimator(name).restore(fitted.state()).predict(dataset.inputs, TIMES)
    assert np.isfinite(on_gpu.risk).all()
    assert np.abs(on_gpu.risk - on_cpu.risk).max() < 1e-3
