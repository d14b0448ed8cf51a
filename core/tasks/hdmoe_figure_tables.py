"""The Markdown of the HDMoE paper's Figures 5 to 8, made from what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from core.cohort.cohort import Cohort
from core.statistics.allocation import Allocation
from core.statistics.comparison import holm
from core.tasks.cells import Cell
from core.tasks.hdmoe_inside import Inside
from core.tasks.hdmoe_risk_groups import RiskGroups
from core.tasks.markdown import table_header, table_row

FOLDER = "assets/evidence"


class Measured(Protocol):
    """What the tables need of one cohort."""

    @property
    def cohort(self) -> Cohort: ...
    @property
    def cell(self) -> Cell: ...
    @property
    def trained(self) -> Inside: ...
    @property
    def untrained(self) -> Inside: ...
    @property
    def groups(self) -> RiskGroups: ...


def _made(found: Mapping[str, Measured], command: str) -> str:
    versions = sorted({f.cell.code_version for f in found.values()})
    seeds = len(next(iter(found.values())).cell.predictions.seeds)
    return f"Command: {command}. Published folds, {seeds} seed(s), genomics + clinical, code {', '.join(versions)}."


def redundancy_lines(found: Mapping[str, Measured], command: str) -> list[str]:
    """Figure 5: token self-correlation before and after the shared expert, with the untrained network beside it."""
    lines = [
        "### Redundancy of the tokens before and after the shared expert (paper's Figures 5 and 11 to 13)",
        "",
        _made(found, command),
        "A level 1 cuts the representation of a modality into four tokens of 64 values. For every test patient the",
        "tokens are correlated with each other over their values; the mean |r| off the diagonal is the redundancy,",
        "the total (in brackets) the sum of the mean r off the diagonal, the paper's measure. A network before its",
        "first training step stands beside it: what it shows too, nobody has learned.",
        "",
        table_header(["cohort, modality", "measure", "before", "after", "untrained: before", "untrained: after"]),
    ]
    fell, rose = 0, 0
    for name, f in found.items():
        for key, r in f.trained.redundancy.items():
            level, measure = key
            u = f.untrained.redundancy[key]
            values = [f"{x.redundancy:.3f} ({x.total:+.2f})" for x in (r.before, r.after, u.before, u.after)]
            lines.append(table_row([f"{name.upper()}, {level.partition(' · ')[2]}", measure, *values]))
            if measure == "correlation":
                fell, rose = fell + (r.after.total < r.before.total), rose + (r.after.total >= r.before.total)
    return [
        *lines,
        "",
        f"By the paper's measure (total of the correlations) redundancy fell in {fell} and rose in {rose} of the",
        f"{fell + rose} rows. The paper finds a fall of .28 (pathology) and .46 (genomics) on BLCA. Two things to",
        "know when reading either: the values of two tokens have no common order before the expert (they are pieces",
        "of one vector, so a small r is what chance gives), and all of them pass through the same expert, whose",
        "outputs are not negative, so that the cosine can only be positive after it.",
        "",
        f"![Token self-correlation on BLCA]({FOLDER}/tokens-blca.svg)",
    ]


def combined(allocations: Sequence[Allocation]) -> Allocation:
    """Mean over models of the ranked shares: expert 1 is the most used one of its own model."""
    ranked = [a.ranked() for a in allocations]
    load, mass = (np.mean([getattr(a, name) for a in ranked], axis=0) for name in ("load", "mass"))
    return Allocation(load, mass)


def allocation_lines(found: Mapping[str, Measured], command: str) -> list[str]:
    """Figure 6: share of the tokens sent to each expert, and share of the gate weight."""
    lines = [
        "### Allocation of the routed experts (paper's Figure 6)",
        "",
        _made(found, command),
        "Share of the tokens sent to each of 8 experts (assignment, top 1) and of the soft gate weight, of the test",
        "patients. Experts of different folds are different experts, so they are ordered by use within each model and",
        "then averaged. Entropy: 1 = all alike (12.5 % each). Unused: experts that no token reached, mean over models.",
        "",
        table_header(
            ["cohort, module", "assignments, % (most used first)", "gate weight of the same, %", "entropy", "unused"]
        ),
    ]
    for name, f in found.items():
        for level, allocations in f.trained.allocations.items():
            both = combined(allocations)
            shares = [" ".join(f"{100 * v:.0f}" for v in values) for values in (both.load, both.mass)]
            entropy = float(np.mean([a.entropy for a in allocations]))
            unused = float(np.mean([a.unused for a in allocations]))
            lines.append(table_row([f"{name.upper()}, {level}", *shares, f"{entropy:.2f}", f"{unused:.1f}"]))
    return [
        *lines,
        "",
        "The paper reads differences in use as importance of an expert. Gate weight that stays near 12.5 % while the",
        "assignments are uneven says that a top-1 choice was made between almost equal gates.",
        "",
        f"![Allocation per module and cohort]({FOLDER}/allocation.svg)",
    ]


def risk_group_lines(found: Mapping[str, Measured], command: str) -> list[str]:
    """Figures 7 and 8: log-rank of high against low predicted risk, and the risk of the dead against the living."""
    tests = {n: f.groups.survival.logrank for n, f in found.items()}
    raw = {n: t.p for n, t in tests.items() if t is not None and t.p is not None}
    adjusted = dict(zip(raw, holm(list(raw.values())), strict=True))
    welch = dict(zip(found, holm([f.groups.by_status.p_welch for f in found.values()]), strict=True))
    rank = dict(zip(found, holm([f.groups.by_status.p_rank for f in found.values()]), strict=True))
    lines = [
        "### Groups of predicted risk (paper's Figures 7 and 8)",
        "",
        _made(found, command),
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
