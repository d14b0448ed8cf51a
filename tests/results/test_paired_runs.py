"""Two runs compared on the same patients and folds."""

from __future__ import annotations

import numpy as np
import pytest
from sksurv.metrics import concordance_index_censored

from core.errors import PrognoscopeError
from core.results.comparing import compare_predictions, compare_with_each
from core.results.prediction import Predictions
from tests.results.generated import make_predictions


def only(predictions: Predictions, keep: np.ndarray) -> Predictions:
    return Predictions(predictions.table[keep].reset_index(drop=True), predictions.times, predictions.survival[keep])


@pytest.fixture
def good() -> Predictions:
    return make_predictions(n=150, seeds=(0, 1))


@pytest.fixture
def poor() -> Predictions:
    return make_predictions(n=150, seeds=(0, 1), signal=0.2, noise_seed=5)


def test_a_run_against_itself_differs_by_nothing(good: Predictions) -> None:
    same = compare_predictions(good, good)
    assert (same.mean, same.low, same.high, same.fold_mean) == (0.0, 0.0, 0.0, 0.0)
    assert same.p == 1.0
    assert same.patients == 150


def test_swapping_the_runs_swaps_the_sign(good: Predictions, poor: Predictions) -> None:
    there, back = compare_predictions(good, poor), compare_predictions(poor, good)
    assert there.mean > 0.05
    assert there.low > 0
    assert there.p < 0.2
    assert back.mean == pytest.approx(-there.mean)
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low))
    assert back.fold_mean == pytest.approx(-there.fold_mean)
    assert back.p == pytest.approx(there.p)


def test_the_fold_mean_is_that_of_scikit_survivals_differences(good: Predictions, poor: Predictions) -> None:
    differences = []
    for (_, a), (_, b) in zip(good.table.groupby(["fold", "seed"]), poor.table.groupby(["fold", "seed"]), strict=True):
        c = [concordance_index_censored(x["event"] == 1, x["time"], x["risk"])[0] for x in (a, b)]
        differences.append(c[0] - c[1])
    assert compare_predictions(good, poor).fold_mean == pytest.approx(np.mean(differences))


def test_noise_is_not_called_a_difference() -> None:
    p = [
        compare_predictions(
            make_predictions(n=90, seeds=(0,), noise_seed=i), make_predictions(n=90, seeds=(0,), noise_seed=i + 100)
        ).p
        for i in range(20)
    ]
    assert np.mean(np.array(p) < 0.05) <= 0.2


def test_different_folds_are_refused(good: Predictions) -> None:
    other = make_predictions(n=150, folds=5, seeds=(0, 1))
    with pytest.raises(PrognoscopeError, match="different folds"):
        compare_predictions(good, other)


def test_strangers_are_refused(good: Predictions) -> None:
    other = make_predictions(n=150, seeds=(0, 1))
    other.table["id"] = "X" + other.table["id"]
    with pytest.raises(PrognoscopeError, match="no patient in common"):
        compare_predictions(good, other)


def test_only_patients_both_runs_have_are_compared(good: Predictions, poor: Predictions) -> None:
    keep = np.asarray(poor.table["id"] < "P100")
    reduced = compare_predictions(good, only(poor, keep))
    fair = compare_predictions(only(good, keep), only(poor, keep))
    assert reduced.patients == 100
    assert reduced == fair


def test_runs_with_different_numbers_of_seeds_are_paired_by_their_means(good: Predictions) -> None:
    single = good.of_seed(0)
    mixed = compare_predictions(good, single)
    assert np.isfinite(mixed.fold_mean)
    assert mixed.patients == 150


def test_another_outcome_is_refused(good: Predictions) -> None:
    table = good.table.assign(time=good.table["time"] + 1.0)
    with pytest.raises(PrognoscopeError, match="same --endpoint"):
        compare_predictions(good, Predictions(table, good.times, good.survival))


def test_several_comparisons_are_corrected_together(good: Predictions, poor: Predictions) -> None:
    worse = make_predictions(n=150, seeds=(0, 1), signal=0.1, noise_seed=9)
    both = compare_with_each(good, {"poor": poor, "worse": worse})
    low, high = sorted(both.values(), key=lambda d: d.p)
    assert low.p_adjusted == pytest.approx(min(1.0, 2 * low.p))
    assert high.p_adjusted == pytest.approx(max(high.p, low.p_adjusted))
    assert compare_with_each(good, {"poor": poor})["poor"].p_adjusted == pytest.approx(both["poor"].p)
