"""A cancer that a MICE has never seen stands for the average of those it has."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.errors import PrognoscopeError
from core.features.inputs import Inputs
from core.models.layers.by_group import ByGroup
from core.models.mice.model import MICE
from core.training.config import TrainingConfig
from core.training.neural import FittedNeural, NeuralEstimator
from core.training.new_cancer import with_new_cancer
from tests.training.planted import HORIZONS, SMALL, planted_dataset

PER_CANCER = ("cancer_token", "norm_scale", "norm_shift", "router.", "specialised.")
TIMES = np.array([12.0])


@pytest.fixture(scope="module")
def fitted() -> FittedNeural:
    dataset = planted_dataset(90)
    inputs = replace(dataset.inputs, groups=tuple("abc"[i % 3] for i in range(90)))
    estimator = NeuralEstimator("mice", dict(SMALL["mice"]), TrainingConfig(epochs=1, learning_rate=3e-3))
    return estimator.fit(inputs, dataset.outcome, HORIZONS, 0)


def of(group: str, n: int = 12) -> Inputs:
    return replace(planted_dataset(n, seed=4).inputs, groups=(group,) * n)


def risk(model: FittedNeural, group: str) -> np.ndarray:
    return model.predict(of(group), TIMES).risk


def test_the_cancers_it_knows_are_predicted_as_before(fitted: FittedNeural) -> None:
    larger = with_new_cancer(fitted, "new")
    for group in "abc":
        assert risk(larger, group).tolist() == risk(fitted, group).tolist()


def test_a_cancer_of_equal_ones_is_like_each_of_them(fitted: FittedNeural) -> None:
    with torch.no_grad():
        alike = with_new_cancer(with_new_cancer(fitted, "x"), "y")  # two copies of the mean, which borrow alike
    assert risk(alike, "y") == pytest.approx(risk(alike, "x"), abs=1e-6)
    assert np.abs(risk(alike, "x") - risk(alike, "a")).max() > 1e-6


def test_its_token_router_and_norm_are_means_and_its_expert_answers_for_all(fitted: FittedNeural) -> None:
    larger = with_new_cancer(fitted, "new")
    state, before = larger.network.state_dict(), fitted.network.state_dict()
    for name, tensor in before.items():
        if name.startswith(PER_CANCER):
            assert torch.allclose(state[name][-1], tensor.mean(dim=0), atol=1e-7)
    network = larger.network
    assert isinstance(network, MICE)
    shared = torch.randn(5, 3, network.config.width)
    with torch.no_grad():
        each = [network.specialised.class_tokens(shared[None], torch.tensor([i]))[0] for i in range(3)]
        group = torch.full((5,), 3)

        assert torch.allclose(
            network._specialised(shared, group, ByGroup.of(group)), torch.stack(each).mean(dim=0), atol=1e-5
        )


def test_it_is_asked_for_never_assumed(fitted: FittedNeural) -> None:
    with pytest.raises(PrognoscopeError, match="patients of new"):
        fitted.predict(of("new"), TIMES)
    with pytest.raises(PrognoscopeError, match="a among the cancers"):
        with_new_cancer(fitted, "a")
    dataset = planted_dataset(60)
    plain = NeuralEstimator("snn", dict(SMALL["snn"]), TrainingConfig(epochs=1))
    with pytest.raises(PrognoscopeError, match="tells no cancers apart"):
        with_new_cancer(plain.fit(dataset.inputs, dataset.outcome, HORIZONS, 0), "new")
