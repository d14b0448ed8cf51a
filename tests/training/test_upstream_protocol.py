"""The released protocol: the best epoch on the test fold. Optimistic by construction, never what one gets unasked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.errors import PrognoscopeError
from core.features.inputs import Dataset, Inputs, Outcome
from core.statistics.discrimination import harrell_c
from core.tasks.train import TrainRequest
from core.training.bins import upstream_bins
from core.training.config import TrainingConfig
from core.training.cross_validation import Plan, fit_fold
from core.training.estimators import BASELINES, EstimatorSpec, make_estimator
from core.training.fit import EpochRecord
from core.training.neural import FittedNeural, NeuralEstimator
from core.training.upstream import fit_upstream
from tests.training.planted import HORIZONS, SMALL, k_folds, permuted_labels, planted_dataset

TIMES = np.array([12.0])
TRAINING = TrainingConfig(epochs=20, learning_rate=2e-2, decay=False, protocol="upstream")


def halves(dataset: Dataset) -> tuple[tuple[Inputs, Outcome], tuple[Inputs, Outcome]]:
    """Training and test patients."""
    parts = np.arange(90), np.arange(90, len(dataset.outcome))
    first, second = ((dataset.inputs.take(rows), dataset.outcome.take(rows)) for rows in parts)
    return first, second


def c_of(fitted: FittedNeural, test: tuple[Inputs, Outcome]) -> float:
    return harrell_c(test[1].time, test[1].event, fitted.predict(test[0], TIMES).risk)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_it_reports_the_best_epoch_of_the_very_same_training(seed: int) -> None:
    """On labels without any signal, where an honest model stays at one half."""
    dataset = permuted_labels(planted_dataset(150), 1)
    train, test = halves(dataset)
    estimator = NeuralEstimator("snn", SMALL["snn"], TRAINING)
    seen: list[float] = []

    def watch(current: FittedNeural, record: EpochRecord) -> None:
        seen.append(c_of(current, test))

    last = estimator.fit_watched(*train, upstream_bins(dataset.outcome), seed, watch)
    best = c_of(fit_upstream(estimator, train, test, dataset.outcome, seed), test)
    assert len(seen) == 20
    assert best == pytest.approx(max(seen), abs=1e-9)
    assert c_of(last, test) == pytest.approx(seen[-1], abs=1e-9)  # watching changes nothing
    assert best >= seen[-1]


def test_it_is_at_least_the_honest_last_epoch_on_the_same_seed_and_mostly_above() -> None:
    honest_c, optimistic_c = [], []
    for seed in range(4):
        dataset = permuted_labels(planted_dataset(150), seed)
        train, test = halves(dataset)
        estimator = NeuralEstimator("snn", SMALL["snn"], TRAINING)
        last = estimator.fit_watched(*train, upstream_bins(dataset.outcome), seed, None)
        honest_c.append(c_of(last, test))
        optimistic_c.append(c_of(fit_upstream(estimator, train, test, dataset.outcome, seed), test))
    assert all(o >= h for o, h in zip(optimistic_c, honest_c, strict=True))
    assert np.mean(optimistic_c) > np.mean(honest_c) + 0.02


def test_it_is_never_the_default() -> None:
    assert TrainingConfig().protocol == "honest"
    assert EstimatorSpec("hdmoe").training.protocol == "honest"
    assert TrainRequest("sample").protocol == "honest"
    plan = Plan(planted_dataset(60), k_folds(60, 3), make_estimator(EstimatorSpec("snn")), (0,), HORIZONS, TIMES)
    assert plan.upstream is None


@pytest.mark.parametrize("name", BASELINES)
def test_models_without_epochs_refuse_it(name: str) -> None:
    with pytest.raises(PrognoscopeError, match="no epochs to choose from"):
        make_estimator(EstimatorSpec(name, training=TRAINING))


def test_a_plan_with_upstream_uses_the_bins_of_everybody() -> None:
    dataset = planted_dataset(90)
    estimator = NeuralEstimator("snn", SMALL["snn"], replace(TRAINING, epochs=2))
    plan = Plan(dataset, k_folds(90, 3), estimator, (0,), HORIZONS, np.array([12.0, 1e4]), upstream=estimator)
    result = fit_fold(plan, 0, 0)
    last = float(dataset.outcome.time.max())
    again = fit_fold(replace(plan, times=np.array([last])), 0, 0)
    assert np.isnan(result.estimates.survival[:, 1]).all()
    assert np.isfinite(again.estimates.survival).all()  # the honest bins end where 20 patients are left
