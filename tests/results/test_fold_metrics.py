"""The evaluation of out-of-fold predictions against scikit-survival, and how folds and seeds are put together."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sksurv.metrics import (
    concordance_index_censored,
    concordance_index_ipcw,
    cumulative_dynamic_auc,
    integrated_brier_score,
)
from sksurv.nonparametric import kaplan_meier_estimator
from sksurv.util import Surv

from core.arrays import BoolArray, FloatArray
from core.results.evaluation import Repeats, evaluate, fold_seed_cs
from core.results.prediction import Predictions
from tests.results.generated import TIMES, make_predictions

FEW = Repeats(harrell=60, other=20, calibration=3)
HORIZONS = (12.0, 24.0)


def columns(predictions: Predictions) -> tuple[FloatArray, BoolArray, FloatArray]:
    table = predictions.table
    return table["time"].to_numpy(), table["event"].to_numpy() == 1, table["risk"].to_numpy()


def test_one_fold_and_one_seed_equal_scikit_survival() -> None:
    predictions = make_predictions(n=150, folds=1)
    metrics = evaluate(predictions, HORIZONS, FEW)
    time, event, risk = columns(predictions)
    outcome = Surv.from_arrays(event, time)
    assert metrics.harrell_c.mean == pytest.approx(concordance_index_censored(event, time, risk)[0], abs=1e-9)
    assert metrics.harrell_c.seed_fold_mean == pytest.approx(metrics.harrell_c.mean)
    assert metrics.harrell_c.std == pytest.approx(0.0)
    assert metrics.tau == pytest.approx(np.quantile(time, 0.8))
    assert metrics.uno_c.mean == pytest.approx(concordance_index_ipcw(outcome, outcome, risk, metrics.tau)[0], abs=1e-6)
    for horizon in HORIZONS:
        expected = cumulative_dynamic_auc(outcome, outcome, risk, [horizon])[0][0]
        assert metrics.auc[f"{horizon:g}"].mean == pytest.approx(expected, abs=1e-6)
    ibs = integrated_brier_score(outcome, outcome, predictions.survival, TIMES)
    assert metrics.ibs.mean == pytest.approx(ibs, abs=1e-6)
    assert metrics.ibs.note == "months 6 to 48"


def test_the_naive_auc_leaves_out_the_early_censored() -> None:
    predictions = make_predictions(n=150, folds=1)
    time, event, risk = columns(predictions)
    cases, controls = np.flatnonzero(event & (time <= 12)), np.flatnonzero(time > 12)
    won = [(risk[i] > risk[j]) + 0.5 * (risk[i] == risk[j]) for i in cases for j in controls]
    assert evaluate(predictions, HORIZONS, FEW).auc_naive["12"].mean == pytest.approx(np.mean(won))


def test_the_null_of_the_brier_score_is_each_folds_training_kaplan_meier() -> None:
    predictions = make_predictions(n=150, folds=3)
    time, event, _ = columns(predictions)
    fold = predictions.table["fold"].to_numpy()
    null = np.empty((150, len(TIMES)))
    for k in range(3):
        months, curve = kaplan_meier_estimator(event[fold != k], time[fold != k])
        null[fold == k] = [curve[np.searchsorted(months, t, side="right") - 1] for t in TIMES]
    outcome = Surv.from_arrays(event, time)
    metrics = evaluate(predictions, HORIZONS, FEW)
    expected = integrated_brier_score(outcome, outcome, null, TIMES)
    assert metrics.ibs_kaplan_meier.mean == pytest.approx(expected, abs=1e-6)
    assert metrics.ibs.mean is not None
    assert metrics.ibs.mean < expected  # a model that knows the truth beats the null


def test_pairs_are_counted_within_folds_only() -> None:
    """Adding a constant to one fold's risks, as another model might, changes no ranking metric."""
    predictions = make_predictions(n=150, folds=3)
    moved = make_predictions(n=150, folds=3)
    moved.table["risk"] += 100.0 * moved.table["fold"]
    before, after = evaluate(predictions, HORIZONS, FEW), evaluate(moved, HORIZONS, FEW)
    assert after.harrell_c == before.harrell_c
    assert after.uno_c == before.uno_c
    assert after.auc == before.auc
    time, event, risk = columns(moved)
    assert concordance_index_censored(event, time, risk)[0] != pytest.approx(after.harrell_c.mean, abs=0.01)


def test_the_ensemble_is_the_mean_over_seeds_and_single_values_stand_beside_it() -> None:
    predictions = make_predictions(n=150, folds=3, seeds=(0, 1, 2))
    single = fold_seed_cs(predictions)
    assert set(single) == {(fold, seed) for fold in range(3) for seed in range(3)}
    for (fold, seed), value in single.items():
        table = predictions.table
        rows = table[(table["fold"] == fold) & (table["seed"] == seed)]
        expected = concordance_index_censored(rows["event"] == 1, rows["time"], rows["risk"])[0]
        assert value == pytest.approx(expected, abs=1e-9)
    metrics = evaluate(predictions, HORIZONS, FEW)
    assert metrics.harrell_c.seed_fold_mean == pytest.approx(np.mean(list(single.values())))
    assert metrics.harrell_c.std == pytest.approx(np.std(list(single.values())))
    assert metrics.harrell_c.mean is not None
    assert metrics.harrell_c.mean > metrics.harrell_c.seed_fold_mean  # averaging independent noise helps
    ensemble = predictions.ensemble()
    assert len(ensemble) == 150
    for row in (0, 77):
        name = ensemble.table.loc[row, "id"]
        own = (predictions.table["id"] == name).to_numpy()
        assert ensemble.table.loc[row, "risk"] == pytest.approx(predictions.table.loc[own, "risk"].mean())
        assert ensemble.survival[row] == pytest.approx(predictions.survival[own].mean(axis=0))


def test_intervals_hold_the_value_and_every_metric_survives_json() -> None:
    metrics = evaluate(make_predictions(n=150, folds=3, seeds=(0, 1)), HORIZONS, FEW)
    for metric in (metrics.harrell_c, metrics.uno_c, metrics.ibs, metrics.ibs_kaplan_meier, metrics.auc["12"]):
        assert metric.low is not None
        assert metric.mean is not None
        assert metric.high is not None
        assert metric.low < metric.mean < metric.high
    json.dumps(metrics.as_json(), allow_nan=False)


def test_competing_events_count_as_censored() -> None:
    predictions = make_predictions(n=150, folds=1, competing=True)
    recoded = make_predictions(n=150, folds=1, competing=True)
    recoded.table["event"] = (recoded.table["event"] == 1).astype(np.int64)
    assert evaluate(predictions, HORIZONS, FEW) == evaluate(recoded, HORIZONS, FEW)


def test_what_cannot_be_estimated_says_why() -> None:
    predictions = make_predictions(n=60, folds=2)
    unknown = predictions.survival.copy()
    unknown[:10, 2:] = np.nan
    cut = Predictions(predictions.table, predictions.times, unknown)
    metrics = evaluate(cut, (1.0, 24.0, 110.0), FEW)
    assert metrics.auc["1"].mean is None
    assert "events by month 1" in metrics.auc["1"].note
    assert "fewer than 20" in metrics.auc["110"].note
    assert metrics.ici["24"].mean is None
    assert "beyond the bins" in metrics.ici["24"].note
    assert metrics.ibs.note == "months 6 to 12"
    json.dumps(metrics.as_json(), allow_nan=False)


def test_a_fold_without_a_comparable_pair_is_left_out_of_the_mean() -> None:
    predictions = make_predictions(n=90, folds=3)
    predictions.table.loc[predictions.table["fold"] == 1, "event"] = 0
    metrics = evaluate(predictions, (), FEW)
    single = fold_seed_cs(predictions)
    assert np.isnan(single[1, 0])
    assert metrics.harrell_c.seed_fold_mean == pytest.approx(np.mean([single[0, 0], single[2, 0]]))
    json.dumps(metrics.as_json(), allow_nan=False)


def test_survival_between_stored_months_is_interpolated_in_logs() -> None:
    predictions = make_predictions(n=20)
    assert predictions.survival_at(0.0) == pytest.approx(1.0)
    assert np.array_equal(predictions.survival_at(12.0), predictions.survival[:, 1])
    expected = np.exp(0.25 * np.log(predictions.survival[:, 1]) + 0.75 * np.log(predictions.survival[:, 2]))
    assert predictions.survival_at(21.0) == pytest.approx(expected)
    assert predictions.survival_at(3.0) == pytest.approx(np.sqrt(predictions.survival[:, 0]))
    assert np.isnan(predictions.survival_at(48.1)).all()
    partly = Predictions(predictions.table, TIMES, np.where(TIMES > 24, np.nan, predictions.survival))
    assert np.isnan(partly.survival_at(30.0)).all()
    dead = Predictions(predictions.table, TIMES, np.where(TIMES >= 24, 0.0, predictions.survival))
    assert (dead.survival_at(36.0) == 0).all()
    assert not np.isnan(dead.survival_at(30.0)).any()


def test_one_seed_without_an_estimate_leaves_none() -> None:
    predictions = make_predictions(n=20, seeds=(0, 1))
    predictions.survival[3, 4] = np.nan
    ensemble = predictions.ensemble()
    assert np.isnan(ensemble.survival[3, 4])
    assert np.isfinite(ensemble.survival).sum() == ensemble.survival.size - 1
