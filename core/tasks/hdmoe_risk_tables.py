"""The Markdown of the HDMoE paper's Figures 7 and 8: groups of predicted risk."""

from __future__ import annotations

from collections.abc import Mapping

from core.statistics.comparison import holm
from core.tasks.figure_files import FOLDER
from core.tasks.hdmoe_figure_record import Found, how_made
from core.tasks.hdmoe_risk_groups import RiskGroups
from core.tasks.markdown import table_header, table_row


def risk_group_lines(found: Mapping[str, Found], command: str) -> list[str]:
    """Figures 7 and 8: log-rank of high against low predicted risk, and the risk of the dead against the living."""
    tests = {n: f.groups.survival.logrank for n, f in found.items()}
    raw = {n: t.p for n, t in tests.items() if t is not None and t.p is not None}
    adjusted = dict(zip(raw, holm(list(raw.values())), strict=True))
    welch = dict(zip(found, holm([f.groups.by_status.p_welch for f in found.values()]), strict=True))
    rank = dict(zip(found, holm([f.groups.by_status.p_rank for f in found.values()]), strict=True))
    lines = [
        "### Groups of predicted risk (paper's Figures 7 and 8)",
        "",
        how_made(found, command),
        "High and low: above or below the median predicted risk of each fold's training patients; every patient is",
        "judged by the model that never saw them. p-values are two-sided, Holm over the cohorts of a column.",
        "",
        table_header(
            [
                "cohort",
                "low: n (events)",
                "high: n (events)",
                "hazard ratio (95 %)",
                "log-rank p",
                "p if split by observed time",
            ]
        ),
    ]
    for name, f in found.items():
        g = f.groups
        low, high = (f"{x.n} ({x.curve.n_events})" for x in g.survival.groups)
        p = _p(adjusted[name]) if name in adjusted else "withheld"
        lines.append(table_row([name.upper(), low, high, _hazard_ratio(g), p, _p(g.circular_p)]))
    lines += [
        "",
        "The paper forms its groups “based on the median survival time” and reports p < .05 on all cohorts. Taken",
        "literally, that is a split by the very times that are then compared: the last column does so and needs no",
        "model. Ours splits by predicted risk alone, with a threshold that no test patient has touched.",
        "",
        table_header(
            [
                "cohort",
                "month",
                "died by it",
                "alive after it",
                "unknown",
                "t (Welch)",
                "p",
                "P(risk dead > alive)",
                "rank p",
            ]
        ),
    ]
    for name, f in found.items():
        g, s = f.groups, f.groups.by_status
        counts = [f"{g.month:.1f}", str(s.n_first), str(s.n_second), str(g.unknown)]
        lines.append(table_row([name.upper(), *counts, f"{s.t:.2f}", _p(welch[name]), f"{s.auc:.3f}", _p(rank[name])]))
    return [
        *lines,
        "",
        "Month: the median follow-up time. The paper's t-test compares patients whose observed time lies below and",
        "above it, so that those censored early count as high risk. Here only patients whose status at that month is",
        "known are compared. Risks of different folds are put on the scale of their training patients first (0 their",
        "median, 1 the distance of their tertiles).",
        "",
        f"![Predicted risk by status]({FOLDER}/risk-by-status.svg)",
        "",
        *(f"![Survival by predicted risk, {n.upper()}]({FOLDER}/risk-groups-{n}.svg)" for n in found),
    ]


def _hazard_ratio(groups: RiskGroups) -> str:
    fit = groups.survival.hazard_ratios
    if fit is None:
        return "–"
    return f"{fit.hazard_ratios[0]:.2f} ({fit.low[0]:.2f} to {fit.high[0]:.2f})"


def _p(value: float | None) -> str:
    if value is None:
        return "withheld"
    return f"{value:.3f}" if value >= 0.001 else f"{value:.0e}"
