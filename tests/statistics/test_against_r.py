"""Numbers of R's survival and maxstat packages (tests/oracles/make_oracles.R): integers equal, reals to 1e-6."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.statistics.at_risk import at_risk_table
from core.statistics.breslow import breslow_baseline
from core.statistics.comparison import benjamini_hochberg, holm
from core.statistics.competing import cumulative_incidence
from core.statistics.cox import fit_cox
from core.statistics.cutpoints import best_cut
from core.statistics.kaplan_meier import (
    SurvivalCurve,
    at_risk_at,
    conditional_survival,
    kaplan_meier,
    median_survival,
    survival_at,
)
from core.statistics.logrank import logrank_test
from core.statistics.rmst import rmst

R: dict[str, Any] = json.loads((Path(__file__).parents[1] / "oracles" / "survival.json").read_text())
CURVES = sorted(R["curves"])
CLOSE = {"rtol": 0, "atol": 1e-6}


def reals(values: Any) -> np.ndarray:
    return np.array([np.nan if v is None else v for v in np.atleast_1d(values)], dtype=float)


def data(block: dict[str, Any]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return reals(block["time"]), np.array(block["event"]) == 1, reals(block["entry"])


def curve_of(name: str) -> SurvivalCurve:
    time, event, entry = data(R["curves"][name]["data"])
    return kaplan_meier(time, event, entry)


@pytest.mark.parametrize("name", CURVES)
def test_kaplan_meier_counts_and_interval(name: str) -> None:
    curve, expected = curve_of(name), R["curves"][name]["km"]
    at = np.searchsorted(curve.time, expected["time"])
    assert set(curve.time) - set(expected["time"]) <= {0.0}  # R has no row at 0 unless somebody leaves there
    for field in ("at_risk", "events", "censored"):
        np.testing.assert_array_equal(getattr(curve, field)[at], expected[field])
    np.testing.assert_allclose(curve.survival[at], expected["survival"], **CLOSE)
    for field in ("low", "high"):
        ours, theirs = getattr(curve, field)[at], reals(expected[field])
        filled = np.where(curve.survival[at] == 1, 1.0, theirs)  # R leaves the interval of S = 1 empty
        np.testing.assert_allclose(ours, filled, **CLOSE)


@pytest.mark.parametrize("name", CURVES)
def test_table_under_the_curve(name: str) -> None:
    time, event, entry = data(R["curves"][name]["data"])
    expected = R["curves"][name]["table"]
    table = at_risk_table(time, event, expected["ticks"], entry)
    for field in ("at_risk", "events", "censored"):
        np.testing.assert_array_equal(getattr(table, field), expected[field])
    curve = kaplan_meier(time, event, entry)
    assert [at_risk_at(curve, t) for t in expected["ticks"]] == expected["at_risk"]


@pytest.mark.parametrize("name", CURVES)
def test_median_with_interval(name: str) -> None:
    estimate = median_survival(curve_of(name))
    np.testing.assert_allclose(
        reals([estimate.value, estimate.low, estimate.high]), reals(R["curves"][name]["median"]), **CLOSE
    )
    assert (estimate.value is None) == (estimate.note == "not reached")


@pytest.mark.parametrize("name", [c for c in CURVES if c != "exactly_half"])
def test_rmst_and_its_error(name: str) -> None:
    time, event, entry = data(R["curves"][name]["data"])
    expected = R["curves"][name]["rmst"]
    estimate = rmst(time, event, expected["tau"], entry)
    value, error = expected["value"]
    np.testing.assert_allclose(
        reals([estimate.value, estimate.low, estimate.high]),
        value + error * np.array([0, -1.959963984540054, 1.959963984540054]),
        **CLOSE,
    )


@pytest.mark.parametrize("name", CURVES)
def test_conditional_survival(name: str) -> None:
    expected = R["curves"][name]["conditional"]
    estimate = conditional_survival(curve_of(name), expected["given"], expected["month"])
    theirs = reals([expected["value"], expected["low"], expected["high"]])
    if expected["value"] == 1:
        theirs = np.ones(3)
    np.testing.assert_allclose(reals([estimate.value, estimate.low, estimate.high]), theirs, **CLOSE)


def test_survival_at_a_month_reads_the_step_before_it() -> None:
    expected = R["curves"]["ties_and_zero"]["km"]
    row = expected["time"].index(12)
    for month in (12, 12.7):
        estimate = survival_at(curve_of("ties_and_zero"), month)
        found = [estimate.value, estimate.low, estimate.high]
        np.testing.assert_allclose(found, [expected[k][row] for k in ("survival", "low", "high")], **CLOSE)


@pytest.mark.parametrize("name", ["three", "two", "delayed"])
def test_logrank(name: str) -> None:
    expected = R["logrank"][name]
    block = R["curves"]["delayed_entry" if name == "delayed" else "ties_and_zero"]["data"]
    time, event, entry = data(block)
    group = np.array(block["group"])
    keep = group != "C" if name == "two" else np.ones(len(group), dtype=bool)
    test = logrank_test(time[keep], event[keep], group[keep], entry[keep])
    assert test.withheld == ""
    assert test.df == expected["df"]
    np.testing.assert_allclose(test.statistic, expected["statistic"], **CLOSE)
    if name != "delayed":
        np.testing.assert_array_equal(test.sizes, expected["n"])
        np.testing.assert_array_equal(test.observed, expected["observed"])
        np.testing.assert_allclose(test.expected, expected["expected"], **CLOSE)


@pytest.mark.parametrize("name", ["plain", "delayed"])
def test_cox_with_efron_ties_and_schoenfeld_test(name: str) -> None:
    expected = R["cox"][name]
    block = R["curves"]["ties_and_zero" if name == "plain" else "delayed_entry"]["data"]
    time, event, entry = data(block)
    x = np.column_stack([reals(block[c]) for c in ("age", "sex", "albumin")])
    fit = fit_cox(x, time, event, entry, names=("age", "sex", "albumin"))
    for field in ("coefficients", "standard_errors", "p", "log_likelihood", "null_log_likelihood", "concordance"):
        np.testing.assert_allclose(getattr(fit, field), expected[field], **CLOSE, err_msg=field)
    np.testing.assert_allclose(fit.proportional_hazards_p, expected["zph_p"], **CLOSE)
    np.testing.assert_allclose(fit.global_p, expected["zph_global"][1], **CLOSE)


@pytest.mark.parametrize("name", ["plain", "delayed"])
def test_breslow_baseline(name: str) -> None:
    expected = R["cox"][name]
    block = R["curves"]["ties_and_zero" if name == "plain" else "delayed_entry"]["data"]
    time, event, entry = data(block)
    log_hazard = (
        np.column_stack([reals(block[c]) for c in ("age", "sex", "albumin")]) @ expected["breslow_coefficients"]
    )
    baseline = breslow_baseline(time, event, log_hazard, entry)
    survival = baseline.survival([0.0], expected["baseline_time"])[0]
    at = np.searchsorted(baseline.times, expected["baseline_time"], side="right")
    cumulative = np.concatenate([[0], baseline.cumulative_hazard])[at]
    np.testing.assert_allclose(cumulative, expected["baseline"], rtol=1e-6)
    np.testing.assert_allclose(survival, np.exp(-np.array(expected["baseline"])), **CLOSE)


@pytest.mark.parametrize("name", ["plain", "delayed"])
def test_cumulative_incidence_with_jackknife_interval(name: str) -> None:
    expected = R["competing"][name]
    block = expected["data"]
    found = cumulative_incidence(reals(block["time"]), np.array(block["code"]), reals(block["entry"]))
    for code, word in ((1, "one"), (2, "two")):
        curve = found[code]
        at = np.searchsorted(curve.time, expected["time"])
        np.testing.assert_allclose(curve.incidence[at], expected[word], **CLOSE)
        np.testing.assert_allclose(curve.standard_error[at], expected[f"{word}_error"], **CLOSE)
        for side in ("low", "high"):
            theirs = np.where(curve.incidence[at] == 0, 0.0, reals(expected[f"{word}_{side}"]))
            np.testing.assert_allclose(getattr(curve, side)[at], theirs, **CLOSE)
        assert curve.events == np.sum(np.array(block["code"]) == code)


def test_best_cut_and_its_adjusted_p() -> None:
    expected = R["cutpoint"]
    cut = best_cut(expected["data"]["x"], expected["data"]["time"], np.array(expected["data"]["event"]) == 1)
    assert cut.cut == expected["cut"]
    np.testing.assert_allclose([cut.statistic, cut.p_adjusted], [expected["statistic"], expected["p"]], **CLOSE)
    assert cut.p_naive < cut.p_adjusted


def test_adjusted_p_values() -> None:
    np.testing.assert_allclose(holm(R["adjust"]["p"]), R["adjust"]["holm"], **CLOSE)
    np.testing.assert_allclose(benjamini_hochberg(R["adjust"]["p"]), R["adjust"]["benjamini_hochberg"], **CLOSE)
