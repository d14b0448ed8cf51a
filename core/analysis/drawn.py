"""The numbers a survival figure draws, as one table, and the Python and R code that makes the figure from it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.analysis.group_survival import FEWEST_AT_RISK, GroupResult, GroupSurvival
from core.analysis.outcome import Outcome
from core.arrays import BoolArray, FloatArray, IntArray
from core.statistics.estimate import Estimate
from core.statistics.kaplan_meier import at_risk_at

COLUMNS = ("group", "time", "at_risk", "entered", "events", "competing", "censored", "estimate", "low", "high")


def drawn_numbers(result: GroupSurvival) -> pd.DataFrame:
    """Every step of every curve, unthinned.

    Returns
    -------
    DataFrame
        ``group`` · ``time`` months · ``at_risk`` just before · ``entered`` patients whose observation began at
        ``time`` · ``events``, ``competing``, ``censored`` at ``time`` · ``estimate`` with its 95 % interval ``low``,
        ``high``: survival, or cumulative incidence where competing events stand apart. No patient is named: the
        counts are enough to compute every estimate again.
    """
    parts = [
        _group_numbers(group, result.outcome, result.grouping.member == i) for i, group in enumerate(result.groups)
    ]
    return pd.concat(parts, ignore_index=True)


def _group_numbers(group: GroupResult, outcome: Outcome, inside: BoolArray) -> pd.DataFrame:
    part = outcome.take(inside)
    curve = group.curve
    times = np.union1d(curve.time, part.entry)
    place = np.clip(np.searchsorted(curve.time, times, side="right") - 1, 0, None)
    exact = curve.time[place] == times
    value, low, high = curve.survival, curve.low, curve.high
    if group.incidence is not None:
        at = np.clip(np.searchsorted(group.incidence.time, curve.time, side="right") - 1, 0, None)
        value, low, high = (a[at] for a in (group.incidence.incidence, group.incidence.low, group.incidence.high))
    events = _count(part.time[part.codes == 1], times)
    competing = _count(part.time[part.codes == 2], times)
    present = np.searchsorted(np.sort(part.entry), times) - np.searchsorted(np.sort(part.time), times)
    at_risk = np.where(exact, curve.at_risk[place], present)
    return pd.DataFrame(
        {
            "group": group.name, "time": times, "at_risk": at_risk, "entered": _count(part.entry, times),
            "events": events, "competing": competing, "censored": _count(part.time[part.codes == 0], times),
            "estimate": value[place], "low": low[place], "high": high[place],
        }
    )  # fmt: skip


def _count(moments: FloatArray, times: FloatArray) -> IntArray:
    """How many of ``moments`` fall on each of ``times``."""
    return np.bincount(np.searchsorted(times, moments), minlength=len(times))


def medians_table(result: GroupSurvival) -> pd.DataFrame:
    """One row a group: n, events, median and survival at the chosen years, in words with intervals."""
    rows = []
    for group in result.groups:
        row = {"Group": group.name, "Patients": group.n, "Events": group.curve.n_events}
        if not result.competing:
            row["Median, months (95 % CI)"] = months_words(group)
            for year, estimate in zip(result.years, group.landmarks, strict=True):
                row[f"{year:g}-year survival (95 % CI)"] = landmark_words(group, 12 * year, estimate)
        else:
            for year in result.years:
                row[f"{year:g}-year incidence (95 % CI)"] = incidence_words(group, 12 * year)
        rows.append(row)
    return pd.DataFrame(rows)


def months_words(group: GroupResult) -> str:
    """The median in words: ``"31.4 (22.0 to not reached)"``."""
    median = group.median
    if median.value is None:
        low = f" (lower limit {median.low:.1f})" if median.low is not None else ""
        return (median.note or "not reached") + low
    low_word = "not reached" if median.low is None else f"{median.low:.1f}"
    high_word = "not reached" if median.high is None else f"{median.high:.1f}"
    return f"{median.value:.1f} ({low_word} to {high_word})"


def landmark_words(group: GroupResult, month: float, estimate: Estimate) -> str:
    """Survival at a month with its interval; "not estimable" with fewer than 20 at risk."""
    if estimate.value is None:
        return f"not estimable ({estimate.note})"
    left = at_risk_at(group.curve, month)
    if left < FEWEST_AT_RISK:
        return f"not estimable ({left} at risk)"
    if estimate.value == 1:
        return "100 % (no event yet)"
    low = "–" if estimate.low is None else f"{100 * estimate.low:.0f}"
    high = "–" if estimate.high is None else f"{100 * estimate.high:.0f}"
    return f"{100 * estimate.value:.0f} % ({low} to {high})"


def incidence_words(group: GroupResult, month: float) -> str:
    """Cumulative incidence at a month with its interval; "not estimable" with fewer than 20 at risk."""
    line = group.incidence
    left = at_risk_at(group.curve, month)
    if line is None or left < FEWEST_AT_RISK:
        return f"not estimable ({left} at risk)"
    at = int(np.searchsorted(line.time, month, side="right")) - 1
    return f"{100 * line.incidence[at]:.0f} % ({100 * line.low[at]:.0f} to {100 * line.high[at]:.0f})"
