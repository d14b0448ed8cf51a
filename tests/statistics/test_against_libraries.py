"""Discrimination, Brier scores, calibration and penalised Cox equal scikit-survival, lifelines and SurvivalEVAL."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter
from sksurv import metrics
from sksurv.util import Surv

from core.statistics.brier import brier_score, integrated_brier, kaplan_meier_null
from core.statistics.calibration import d_calibration
from core.statistics.cox import fit_cox
from core.statistics.discrimination import auc_ipcw, auc_naive, follow_up_tau, harrell_c, uno_c
from core.statistics.logrank import logrank_test

N = 300


@pytest.fixture(scope="module")
def patients() -> pd.DataFrame:
    """Patients with a true risk, a rounded (tied) score of it, tied times and five folds."""
    rng = np.random.default_rng(5)
    true = rng.normal(size=N)
    death, follow = rng.exponential(30 * np.exp(-0.8 * true)), rng.uniform(3, 70, N)
    return pd.DataFrame(
        {
            "time": np.ceil(np.minimum(death, follow)),
            "event": death <= follow,
            "risk": np.round(true + rng.normal(size=N), 1),
            "fold": rng.integers(0, 5, N),
            "rate": np.exp(0.8 * true) / 30,
        }
    )


def outcome(d: pd.DataFrame) -> np.ndarray:
    return Surv.from_arrays(d["event"], d["time"])


def test_harrell_c_with_ties_in_time_and_risk(patients: pd.DataFrame) -> None:
    d = patients
    assert d["risk"].duplicated().any()
    expected = metrics.concordance_index_censored(d["event"].to_numpy(), d["time"].to_numpy(), d["risk"].to_numpy())[0]
    assert harrell_c(d["time"], d["event"], d["risk"]) == pytest.approx(expected, abs=1e-12)


def test_harrell_c_of_many_patients_takes_another_way_to_the_same_number() -> None:
    rng = np.random.default_rng(9)
    n = 2500
    time, event = np.ceil(rng.exponential(40, n)), rng.random(n) < 0.6
    risk = np.round(rng.normal(size=n) - 0.02 * time, 2)
    expected = metrics.concordance_index_censored(event, time, risk)[0]
    assert harrell_c(time, event, risk) == pytest.approx(expected, abs=1e-12)
    entry = np.where(rng.random(n) < 0.5, np.floor(0.6 * time), 0)
    pair_by_pair = harrell_c(time, event, risk, entry=entry, weights=np.ones(n))
    assert harrell_c(time, event, risk, entry=entry) == pytest.approx(pair_by_pair, abs=1e-12)
    assert pair_by_pair != pytest.approx(expected, abs=1e-4)


def test_harrell_c_pools_the_pairs_within_folds(patients: pd.DataFrame) -> None:
    concordant = comparable = 0.0
    for _, d in patients.groupby("fold"):
        _, won, lost, tied, _ = metrics.concordance_index_censored(
            *(d[c].to_numpy() for c in ("event", "time", "risk"))
        )
        concordant, comparable = concordant + won + tied / 2, comparable + won + lost + tied
    d = patients
    assert harrell_c(d["time"], d["event"], d["risk"], d["fold"]) == pytest.approx(concordant / comparable, abs=1e-12)
    shifted = d["risk"] + 10 * d["fold"]  # another scale in every fold changes nothing
    assert harrell_c(d["time"], d["event"], shifted, d["fold"]) == pytest.approx(concordant / comparable, abs=1e-12)


@pytest.mark.parametrize("tau", [20.0, 45.0])
def test_uno_c_with_the_training_censoring(patients: pd.DataFrame, tau: float) -> None:
    train, test = patients.iloc[:180], patients.iloc[180:]
    expected = metrics.concordance_index_ipcw(outcome(train), outcome(test), test["risk"].to_numpy(), tau=tau)[0]
    found = uno_c(
        test["time"], test["event"], test["risk"], tau, censoring_time=train["time"], censoring_event=train["event"]
    )
    assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("month", [12.0, 36.0])
def test_time_dependent_auc(patients: pd.DataFrame, month: float) -> None:
    d = patients
    expected = metrics.cumulative_dynamic_auc(outcome(d), outcome(d), d["risk"].to_numpy(), [month])[0][0]
    assert auc_ipcw(d["time"], d["event"], d["risk"], month) == pytest.approx(expected, abs=1e-12)


def test_naive_auc_counts_only_patients_whose_state_at_the_month_is_known(patients: pd.DataFrame) -> None:
    d = patients[(patients["time"] > 24) | patients["event"]]
    dead, alive = d[d["time"] <= 24]["risk"].to_numpy(), d[d["time"] > 24]["risk"].to_numpy()
    difference = dead[:, None] - alive[None, :]
    expected = np.mean((difference > 1e-8) + 0.5 * (np.abs(difference) <= 1e-8))
    found = auc_naive(patients["time"], patients["event"], patients["risk"], 24)
    assert found == pytest.approx(expected, abs=1e-12)


def test_stratified_auc_pools_cases_and_controls_within_folds(patients: pd.DataFrame) -> None:
    d = patients
    shifted = d["risk"] + 10 * d["fold"]
    assert auc_ipcw(d["time"], d["event"], shifted, 24, d["fold"]) == pytest.approx(
        auc_ipcw(d["time"], d["event"], d["risk"], 24, d["fold"]), abs=1e-12
    )


def test_brier_scores(patients: pd.DataFrame) -> None:
    train, test = patients.iloc[:180], patients.iloc[180:]
    times = np.arange(6.0, 49.0, 3.0)
    survival = np.exp(-np.outer(test["rate"], times))
    censoring = (train["time"], train["event"])
    _, expected = metrics.brier_score(outcome(train), outcome(test), survival, times)
    ours = [brier_score(test["time"], test["event"], survival[:, i], t, *censoring) for i, t in enumerate(times)]
    np.testing.assert_allclose(ours, expected, atol=1e-12)
    found = integrated_brier(test["time"], test["event"], survival, times, *censoring)
    expected_mean = metrics.integrated_brier_score(outcome(train), outcome(test), survival, times)
    assert found.value == pytest.approx(expected_mean, abs=1e-12)
    assert (found.start, found.end) == (6.0, 48.0)


def test_integrated_brier_keeps_to_what_is_estimable_and_says_so(patients: pd.DataFrame) -> None:
    d, times = patients, np.array([6.0, 12, 24, 36, 500])
    survival = np.exp(-np.outer(d["rate"], times))
    survival[7, 3] = np.nan
    found = integrated_brier(d["time"], d["event"], survival, times)
    assert (found.start, found.end) == (6.0, 24.0)
    expected = metrics.integrated_brier_score(outcome(d), outcome(d), survival[:, :3], times[:3])
    assert found.value == pytest.approx(expected, abs=1e-12)
    assert integrated_brier(d["time"], d["event"], survival[:, 3:], times[3:]).value is None


def test_a_good_model_beats_the_kaplan_meier_null(patients: pd.DataFrame) -> None:
    d, times = patients, np.arange(6.0, 49.0, 6.0)
    null = np.tile(kaplan_meier_null(d["time"], d["event"], times), (N, 1))
    model = integrated_brier(d["time"], d["event"], np.exp(-np.outer(d["rate"], times)), times).value
    assert model is not None
    assert model < (integrated_brier(d["time"], d["event"], null, times).value or 0)
    assert np.isnan(kaplan_meier_null([3.0, 4], [True, False], [4.0, 5])).tolist() == [False, True]


def test_d_calibration(patients: pd.DataFrame) -> None:
    from SurvivalEVAL.evaluations.calibration.distributional.distribution_calibration import (
        d_calibration as expected_of,
    )

    times = np.arange(1.0, 80.0)
    survival = np.exp(-np.outer(patients["rate"], times))
    found = d_calibration(patients["time"], patients["event"], survival, times)
    own = np.exp(-patients["rate"] * patients["time"]).to_numpy()
    statistic, p, bins = expected_of(own, patients["event"].to_numpy())
    np.testing.assert_allclose(found.bins, bins, atol=1e-9)
    assert (found.statistic, found.p) == (pytest.approx(statistic, abs=1e-9), pytest.approx(p, abs=1e-9))


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("penalizer", [0.0, 0.1])
def test_cox_equals_lifelines(patients: pd.DataFrame, late: bool, penalizer: float) -> None:
    rng = np.random.default_rng(1)
    x = pd.DataFrame({"risk": patients["risk"], "noise": 5 + 20 * rng.normal(size=N)})
    entry = np.where(rng.random(N) < 0.4, np.floor(patients["time"] / 3), 0.0) if late else np.zeros(N)
    fit = fit_cox(x, patients["time"], patients["event"], entry, penalizer)
    frame = x.assign(time=patients["time"], event=patients["event"], entry=entry)
    options = {"precision": 1e-11, "r_precision": 1e-15}
    theirs = CoxPHFitter(penalizer=penalizer).fit(frame, "time", "event", entry_col="entry", fit_options=options)
    np.testing.assert_allclose(fit.coefficients, theirs.params_, atol=1e-6)
    np.testing.assert_allclose(fit.standard_errors, theirs.standard_errors_, atol=1e-6)


def test_logrank_equals_lifelines_on_folds(patients: pd.DataFrame) -> None:
    from lifelines.statistics import multivariate_logrank_test

    d = patients
    expected = multivariate_logrank_test(d["time"], d["fold"], d["event"])
    found = logrank_test(d["time"], d["event"], d["fold"])
    assert found.p == pytest.approx(expected.p_value, abs=1e-9)


def test_follow_up_tau_is_a_quantile_with_events_before_it(patients: pd.DataFrame) -> None:
    d = patients
    assert follow_up_tau(d["time"], d["event"]) == np.quantile(d["time"], 0.8)
    with pytest.raises(ValueError, match="no event"):
        follow_up_tau([1.0, 2, 3, 4], [False, False, False, True])
