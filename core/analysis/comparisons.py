"""The comparison of groups in words: tests with what they rest on, hazard ratios with their check, RMST."""

from __future__ import annotations

import math

import pandas as pd

from core.analysis.group_survival import GroupSurvival


def p_value(p: float | None) -> str:
    """A p-value in words: ``"p < 0.001"``, ``"p = 0.032"``, ``"withheld"`` for none."""
    if p is None or not math.isfinite(p):
        return "withheld"
    words = "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"
    return words.replace(" ", "\N{NO-BREAK SPACE}")


def years(month: float) -> str:
    """A horizon in words: ``"1 year"``, ``"3 years"``."""
    return f"{month / 12:g} year{'' if month == 12 else 's'}"


def interval(value: float | None, low: float | None, high: float | None, digits: int = 2) -> str:
    """``"1.52 (1.10 to 2.09)"``."""
    if value is None:
        return "not estimable"
    if low is None or high is None:
        return _signed(value, digits)
    return f"{_signed(value, digits)} ({_signed(low, digits)} to {_signed(high, digits)})"


def _signed(value: float, digits: int) -> str:
    """A number with a true minus sign; zero has none."""
    return f"{value:z.{digits}f}".replace("-", "\N{MINUS SIGN}")


def logrank_sentence(result: GroupSurvival) -> str:
    """The log-rank test with its group sizes, or why it was not made."""
    cut = result.grouping.best_cut
    if cut is not None:
        return (
            f"Maximally selected log-rank test, adjusted for having searched the cut: **{p_value(cut.p_adjusted)}** "
            f"({cut.n_low} and {cut.n_high} patients). The unadjusted p is not shown: it is wrong for a searched cut."
        )
    test = result.logrank
    if test is None:
        return "No test: a p-value is withheld below 10 patients or 5 events in a group."
    if test.withheld or test.statistic is None:
        return test.withheld
    sizes = ", ".join(
        f"{g} (n = {n}, {e} events)" for g, n, e in zip(test.groups, test.sizes, test.events, strict=True)
    )
    return f"Log-rank **{p_value(test.p)}** (χ² = {test.statistic:.2f}, {test.df} df). Groups: {sizes}."


def pairwise_table(result: GroupSurvival) -> pd.DataFrame:
    """Each pair's log-rank test, corrected over all pairs tested."""
    correction = result.pairwise[0].correction.capitalize() if result.pairwise else ""
    rows = [
        {"Pair": f"{t.a} · {t.b}", "Log-rank": p_value(t.p), f"{correction}-corrected": p_value(t.p_adjusted)}
        for t in result.pairwise
    ]
    return pd.DataFrame(rows)


def hazard_ratio_table(result: GroupSurvival) -> pd.DataFrame:
    """Hazard ratio of each group against the first, with the proportional-hazards test beside it."""
    fit = result.hazard_ratios
    if fit is None:
        return pd.DataFrame()
    hide_p = result.grouping.best_cut is not None
    columns = zip(fit.names, fit.hazard_ratios, fit.low, fit.high, fit.p, fit.proportional_hazards_p, strict=True)
    return pd.DataFrame(
        [
            {
                f"Against {result.grouping.names[0]}": name,
                "Hazard ratio (95 % CI)": interval(float(ratio), float(low), float(high)),
                "Wald test": "not shown" if hide_p else p_value(float(p)),
                "Proportional hazards": p_value(float(check)) if math.isfinite(check) else "not tested",
            }
            for name, ratio, low, high, p, check in columns
        ]
    )


def proportional_hazards_sentence(result: GroupSurvival) -> tuple[str, bool]:
    """What the Schoenfeld test says of the hazard ratios, and whether it warns."""
    fit = result.hazard_ratios
    if fit is None:
        return "", False
    if fit.violations:
        return " ".join(fit.violations), True
    return fit.note, False


def rmst_table(result: GroupSurvival) -> pd.DataFrame:
    """Difference in restricted mean survival time of each group to the first, in months."""
    rows = []
    hide_p = result.grouping.best_cut is not None
    for name, found in zip(result.grouping.names[1:], result.rmst_differences, strict=True):
        words = interval(found.difference, found.low, found.high, 1) if found.difference is not None else found.note
        rows.append(
            {
                f"Against {result.grouping.names[0]}": name,
                f"RMST difference to month {found.tau:g}, months (95 % CI)": words,
                "Test": "not shown" if hide_p else p_value(found.p),
            }
        )
    return pd.DataFrame(rows)
