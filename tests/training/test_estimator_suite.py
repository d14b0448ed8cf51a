"""One suite over every name of the command line: the promises each estimator makes through the same door."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.errors import PrognoscopeError
from core.features.follow_up import last_estimable
from core.features.inputs import Dataset
from core.models.estimator import Estimates, Fitted
from core.statistics.discrimination import harrell_c
from core.training.config import TrainingConfig
from core.training.estimators import EstimatorSpec, estimator_names, make_estimator, training_from
from core.training.state_files import read_state, write_state
from tests.training.planted import FAST, HORIZONS, learning_estimator, planted_dataset, small_estimator

TIMES = np.array([0.0, 3.0, 6.0, 12.0, 18.0, 24.0, 36.0, 60.0, 90.0, 500.0])
RANDOM = ("hdmoe", "biofact", "mice", "snn", "forest", "late-fusion")


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    """Patients of whom a fifth lacks the genes and another fifth the clinical columns."""
    return planted_dataset(150, missing=0.2)


@pytest.fixture(scope="module")
def new_patients() -> Dataset:
    """Patients nobody trained on, with the same gaps."""
    return planted_dataset(40, seed=77, missing=0.2)


@pytest.fixture(scope="module", params=estimator_names())
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def fitted(name: str, dataset: Dataset) -> Fitted:
    return small_estimator(name).fit(dataset.inputs, dataset.outcome, HORIZONS, seed=3)


@pytest.fixture(scope="module")
def estimates(fitted: Fitted, new_patients: Dataset) -> Estimates:
    return fitted.predict(new_patients.inputs, TIMES)


def equal(a: Estimates, b: Estimates) -> bool:
    """Every bit, NaN included."""
    return a.risk.tobytes() == b.risk.tobytes() and np.array_equal(a.survival, b.survival, equal_nan=True)


def test_risk_is_finite_and_survival_is_a_decreasing_probability(estimates: Estimates) -> None:
    assert estimates.risk.shape == (40,)
    assert np.isfinite(estimates.risk).all()
    assert estimates.survival.shape == (40, len(TIMES))
    for curve in estimates.survival:
        known = curve[np.isfinite(curve)]
        assert np.isnan(curve[len(known) :]).all()  # not estimable is the end of a curve, never a hole in it
        assert ((known >= 0) & (known <= 1)).all()
        assert (np.diff(known) <= 1e-9).all()
    assert estimates.survival[:, 0] == pytest.approx(1.0)


def test_nothing_is_said_beyond_twenty_at_risk_and_something_well_before(
    estimates: Estimates, dataset: Dataset
) -> None:
    limit = last_estimable(dataset.outcome)
    assert TIMES[-2] > limit
    assert np.isnan(estimates.survival[:, limit < TIMES]).all()
    assert np.isfinite(estimates.survival[:, 0.6 * limit >= TIMES]).all()


def test_a_stored_model_predicts_the_same_bits(
    name: str, fitted: Fitted, estimates: Estimates, new_patients: Dataset, tmp_path: Path
) -> None:
    path = tmp_path / "model.safetensors"
    write_state(fitted.state(), path)
    restored = small_estimator(name).restore(read_state(path))
    assert equal(restored.predict(new_patients.inputs, TIMES), estimates)
    write_state(restored.state(), tmp_path / "again.safetensors")
    again = small_estimator(name).restore(read_state(tmp_path / "again.safetensors"))
    assert equal(again.predict(new_patients.inputs, TIMES), estimates)


def test_a_seed_decides_everything(
    name: str, fitted: Fitted, estimates: Estimates, dataset: Dataset, new_patients: Dataset
) -> None:
    same = small_estimator(name).fit(dataset.inputs, dataset.outcome, HORIZONS, seed=3)
    assert equal(same.predict(new_patients.inputs, TIMES), estimates)
    other = small_estimator(name).fit(dataset.inputs, dataset.outcome, HORIZONS, seed=4)
    if name in RANDOM:
        assert not equal(other.predict(new_patients.inputs, TIMES), estimates)


def test_a_patient_alone_is_predicted_as_among_others(
    fitted: Fitted, estimates: Estimates, new_patients: Dataset
) -> None:
    for row in (0, 7, 23):
        alone = fitted.predict(new_patients.inputs.take(np.array([row])), TIMES)
        assert alone.risk[0] == pytest.approx(estimates.risk[row], abs=1e-4)
        assert np.allclose(alone.survival[0], estimates.survival[row], atol=1e-4, equal_nan=True)


def test_an_unfollowed_prediction_does_not_depend_on_the_asked_times(
    fitted: Fitted, estimates: Estimates, new_patients: Dataset
) -> None:
    some = fitted.predict(new_patients.inputs, TIMES[2:5])
    assert some.risk.tobytes() == estimates.risk.tobytes()
    assert np.allclose(some.survival, estimates.survival[:, 2:5], equal_nan=True, atol=1e-12)


def test_delayed_entry_and_competing_events_are_accepted(name: str) -> None:
    dataset = planted_dataset(120, delayed=True)
    dataset.outcome.codes[:10] = 2
    fitted = small_estimator(name).fit(dataset.inputs, dataset.outcome, HORIZONS, seed=0)
    assert np.isfinite(fitted.predict(dataset.inputs, TIMES).risk).all()


def test_it_learns_a_planted_signal(name: str) -> None:
    """On patients it never saw; the null knows nobody, Cox on age and sex knows only age."""
    train, test = planted_dataset(220, seed=1, signal=1.6), planted_dataset(150, seed=2, signal=1.6)
    fitted = learning_estimator(name).fit(train.inputs, train.outcome, HORIZONS, seed=0)
    c = harrell_c(test.outcome.time, test.outcome.event, fitted.predict(test.inputs, TIMES).risk)
    at_least = {"kaplan-meier": 0.5, "cox-clinical": 0.54}.get(name, 0.65)
    assert c >= at_least


def test_unknown_names_and_settings_are_refused_with_the_known_ones() -> None:
    with pytest.raises(PrognoscopeError, match=r"no model named 'hdmeo'.*hdmoe, biofact, mice, snn"):
        make_estimator(EstimatorSpec("hdmeo"))
    with pytest.raises(PrognoscopeError, match=r"unknown setting 'tree'.*trees"):
        make_estimator(EstimatorSpec("forest", {"tree": 3}))
    with pytest.raises(PrognoscopeError, match=r"unknown setting 'widht'.*width"):
        make_estimator(EstimatorSpec("snn", {"widht": 3}))
    with pytest.raises(PrognoscopeError, match="unknown setting 'epoch' in the settings of the training"):
        training_from({"training.epoch": 3})
    assert training_from({"training.epochs": 3, "width": 8}) == ({"width": 8}, TrainingConfig(epochs=3))


def test_settings_reach_the_model_and_the_training() -> None:
    dataset = planted_dataset(80)
    forest = make_estimator(EstimatorSpec("forest", {"trees": 3})).fit(dataset.inputs, dataset.outcome, HORIZONS, 0)
    assert len(forest.state().arrays["roots"]) == 3
    network = small_estimator("snn", FAST).fit(dataset.inputs, dataset.outcome, HORIZONS, 0)
    assert [record.epoch for record in network.history] == [0, 1, 2]
    assert network.config.width == 32
