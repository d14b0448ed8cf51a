"""Calibration of predictions whose truth is known: right ones pass, distorted ones are found and measured."""

from __future__ import annotations

import numpy as np
import pytest

from core.statistics.calibration import calibration_curve, calibration_slope, d_calibration, ici

MONTH = 24.0


@pytest.fixture(scope="module")
def truth() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times, events and true log rates of 3000 exponential survivors with independent censoring."""
    rng = np.random.default_rng(2)
    link = -3.5 + 0.8 * rng.normal(size=3000)
    death, follow = rng.exponential(np.exp(-link)), rng.uniform(6, 90, 3000)
    return np.minimum(death, follow), death <= follow, link


def survival(link: np.ndarray, slope: float = 1.0, shift: float = 0.0) -> np.ndarray:
    """S(24) of predictions whose log hazard is stretched about its mean and shifted."""
    return np.exp(-MONTH * np.exp(link.mean() + slope * (link - link.mean()) + shift))


@pytest.mark.parametrize("stretch", [1.0, 2.0, 0.5])
def test_slope_is_one_over_the_stretch_of_the_prediction(truth: tuple[np.ndarray, ...], stretch: float) -> None:
    time, event, link = truth
    found = calibration_slope(time, event, survival(link, stretch), MONTH)
    assert found.low is not None
    assert found.high is not None
    assert found.low < 1 / stretch < found.high
    assert found.high - found.low < 0.3


def test_ici_is_near_zero_for_the_truth_and_equals_a_known_error(truth: tuple[np.ndarray, ...]) -> None:
    time, event, link = truth
    right, wrong = survival(link), survival(link, shift=0.7)
    assert (ici(time, event, right, MONTH).value or 1) < 0.02
    assert ici(time, event, wrong, MONTH).value == pytest.approx(np.abs(wrong - right).mean(), abs=0.02)
    off = link - link.mean()
    bent = np.exp(-MONTH * np.exp(link.mean() + np.where(off > 0, 2 * off, off / 2)))  # needs the spline
    assert ici(time, event, bent, MONTH).value == pytest.approx(np.abs(bent - right).mean(), abs=0.02)


def test_curve_follows_the_truth(truth: tuple[np.ndarray, ...]) -> None:
    time, event, link = truth
    curve = calibration_curve(time, event, survival(link), MONTH, groups=10)
    assert curve.n.tolist() == [300] * 10
    assert (np.diff(curve.predicted) > 0).all()
    assert ((curve.low < curve.predicted) & (curve.predicted < curve.high)).mean() >= 0.8
    assert np.abs(curve.observed - curve.predicted).max() < 0.08


def test_curve_keeps_tied_predictions_together_and_leaves_short_groups_open() -> None:
    curve = calibration_curve([5.0, 6, 7, 30, 30], [False] * 5, [0.2, 0.2, 0.2, 0.5, 0.5], MONTH, groups=2)
    assert curve.n.tolist() == [3, 2]
    assert np.isnan(curve.observed).tolist() == [True, False]


def test_d_calibration_accepts_the_truth_and_refuses_a_shift(truth: tuple[np.ndarray, ...]) -> None:
    time, event, link = truth
    times = np.arange(1.0, 91)
    curves = np.exp(-np.outer(np.exp(link), times))
    found = d_calibration(time, event, curves, times)
    assert found.bins.sum() == pytest.approx(3000)
    assert found.p > 0.01
    assert d_calibration(time, event, curves**1.4, times).p < 1e-6


def test_d_calibration_counts_what_lies_beyond_the_estimate_as_censored(truth: tuple[np.ndarray, ...]) -> None:
    time, event, link = truth
    times = np.arange(1.0, 91)
    curves = np.exp(-np.outer(np.exp(link), times))
    horizon = np.where(np.arange(3000) % 2, 30.0, 60.0)
    short = np.where(times[None, :] <= horizon[:, None], curves, np.nan)
    found = d_calibration(time, event, short, times)
    expected = d_calibration(np.minimum(time, horizon), event & (time <= horizon), curves, times)
    np.testing.assert_allclose(found.bins, expected.bins, atol=1e-9)


def test_reasons_are_given_in_words() -> None:
    time, event = np.arange(1.0, 41), np.arange(40) < 4
    flat = np.full(40, 0.5)
    assert "fewer than 5 events" in calibration_slope(time, event, flat, MONTH).note
    assert "same for everyone" in ici(time, ~event, flat, MONTH).note
