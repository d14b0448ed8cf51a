"""Net benefit under censoring: against dcurves, by hand, and its limits."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from core.errors import PrognoscopeError
from core.statistics.decision_curve import decision_curve, net_benefit
from core.statistics.kaplan_meier import kaplan_meier, survival_at

ORACLE = json.loads((Path(__file__).parents[1] / "oracles" / "decision_curve.json").read_text(encoding="utf-8"))


def test_net_benefit_equals_dcurves() -> None:
    at = np.array(ORACLE["thresholds"])
    time, event, p = (np.array(ORACLE[k]) for k in ("time", "event", "probability"))
    ours = net_benefit(time, event, p, ORACLE["month"], at)
    np.testing.assert_allclose(ours, ORACLE["net_benefit"]["model"], atol=1e-12)
    everybody = net_benefit(time, event, np.ones(len(time)), ORACLE["month"], at)
    np.testing.assert_allclose(everybody, ORACLE["net_benefit"]["all"], atol=1e-12)


def test_without_censoring_it_is_the_count_of_true_and_false_alarms() -> None:
    time, event = np.array([5.0, 9, 30, 40, 50, 60]), np.array([1, 1, 1, 1, 1, 1])
    p = np.array([0.9, 0.2, 0.8, 0.7, 0.1, 0.05])
    # by month 24 two have died; at 0.5 three are flagged, one of them rightly
    assert net_benefit(time, event, p, 24, [0.5])[0] == pytest.approx(1 / 6 - 2 / 6)
    assert net_benefit(time, event, p, 24, [0.15])[0] == pytest.approx(2 / 6 - 2 / 6 * 0.15 / 0.85)
    assert net_benefit(time, event, p, 24, [0.95])[0] == 0


def test_nothing_is_said_of_those_who_were_not_followed_so_far() -> None:
    time, event, p = np.array([3.0, 10, 50, 60]), np.array([1, 0, 0, 1]), np.array([0.9, 0.9, 0.1, 0.1])
    found = net_benefit(time, event, p, 24, [0.05, 0.5])
    assert np.isfinite(found[0])
    assert np.isnan(found[1])


def test_weights_of_the_bootstrap_are_repeated_patients_and_the_interval_holds_the_value() -> None:
    time, event, p = (np.array(ORACLE[k]) for k in ("time", "event", "probability"))
    curve = decision_curve(time, event, {"model": p, "sure": np.zeros(len(time))}, 36, [0.1, 0.3, 0.5], repeats=100)
    found = curve.rules["model"]
    assert (found.low <= found.value).all()
    assert (found.value <= found.high).all()
    assert (curve.rules["sure"].value == 0).all()
    survival = survival_at(kaplan_meier(time, event), 36).value
    assert survival is not None
    expected = (1 - survival) - survival * curve.thresholds / (1 - curve.thresholds)
    np.testing.assert_allclose(curve.everybody.value, expected, atol=1e-12)


def test_the_lead_is_the_paired_difference_to_the_best_other_rule() -> None:
    time, event, p = (np.array(ORACLE[k]) for k in ("time", "event", "probability"))
    curve = decision_curve(time, event, {"model": p, "copy": p.copy()}, 36, [0.1, 0.3, 0.6], repeats=60)
    best = np.maximum.reduce([curve.rules["copy"].value, curve.everybody.value, np.zeros(3)])
    np.testing.assert_allclose(curve.lead.value, curve.rules["model"].value - best, atol=1e-12)
    same = curve.rules["copy"].value == best
    assert same.any()
    # paired: a rule against its own copy has no spread at all
    np.testing.assert_allclose(curve.lead.low[same], 0, atol=1e-12)
    np.testing.assert_allclose(curve.lead.high[same], 0, atol=1e-12)


def test_too_few_events_or_too_short_a_follow_up_gives_no_curve() -> None:
    with pytest.raises(PrognoscopeError, match="decision curve"):
        decision_curve(np.full(30, 50.0), np.zeros(30), {"m": np.full(30, 0.3)}, 24, [0.2])
