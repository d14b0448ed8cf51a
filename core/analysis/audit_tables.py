"""The numbers of an audit as tables: what its figures draw, what was left out, and the treatment model."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from core.analysis.comparisons import interval, p_value
from core.results.audit import Association, AuditReport, Treatment
from core.statistics.rank_interval import spearman_interval

Label = Callable[[str], str]
"""Words for a column of the cohort."""

THIS_RUN = "this run"


def markers_table(report: AuditReport, label: Label) -> pd.DataFrame:
    """One row a marker, in the order of the report."""
    return pd.DataFrame(
        [
            {
                "Marker": label(m.marker), "Block": m.block, "Patients": m.patients, "R² own expert": m.own,
                "R² other expert": m.other, "Difference": m.own - m.other, "p": m.p,
                "p corrected (Benjamini-Hochberg)": m.p_corrected,
            }
            for m in report.markers
        ]
    )  # fmt: skip


def selectivity_table(report: AuditReport) -> pd.DataFrame:
    """The run and its controls, a row for each block; the run minus a control is paired over folds and seeds."""
    rows = [
        {"Model": THIS_RUN, "Block": b, "Selectivity": s.value, "p": s.p, "Markers": s.markers}
        for b, s in report.selectivity.items()
    ]
    for control in report.controls:
        for block, s in control.selectivity.items():
            row = {"Model": control.title, "Block": block, "Selectivity": s.value, "p": s.p, "Markers": s.markers}
            if d := control.differences.get(block):
                row |= {"Run minus control": d.mean, "Low (95 %)": d.low, "High (95 %)": d.high, "p of it": d.p,
                        "p corrected (Holm)": d.p_corrected}  # fmt: skip
            rows.append(row)
    return pd.DataFrame(rows)


def associations(report: AuditReport) -> list[tuple[str, Association]]:
    """The gate of the run and of each control against the measured burden, by name."""
    named = [(THIS_RUN, report.gate), *((c.title, c.gate) for c in report.controls)]
    return [(name, gate) for name, gate in named if gate is not None]


def gate_table(report: AuditReport) -> pd.DataFrame:
    """Rank correlation of the tumour weight with the measured burden."""
    rows = []
    for name, gate in associations(report):
        low, high = spearman_interval(gate.correlation, gate.patients)
        rows.append({"Model": name, "Rank correlation": gate.correlation, "Low (95 %)": low, "High (95 %)": high,
                     "p": gate.p, "Patients": gate.patients})  # fmt: skip
    return pd.DataFrame(rows)


def weights_table(report: AuditReport) -> pd.DataFrame:
    """Mean tumour weight in each fifth of the measured burden, with the drawn interval."""
    bins = report.gate.bins if report.gate is not None else ()
    return pd.DataFrame(
        [{"Fifth": i, "Patients": b.patients, "Mean tumour weight": b.weight, "Standard error": b.error,
          "Low (95 %)": b.weight - 1.96 * b.error, "High (95 %)": b.weight + 1.96 * b.error}
         for i, b in enumerate(bins, start=1)]
    )  # fmt: skip


def stability_table(report: AuditReport) -> pd.DataFrame:
    """Agreement of the seeds."""
    s = report.stability
    if s is None:
        return pd.DataFrame()
    columns = ["Agreement", "Mean", "From", "To", "Pairs"]
    return pd.DataFrame(
        [("Weight: rank correlation", s.rank_correlation, s.rank_low, s.rank_high, s.pairs),
         ("Groups: adjusted Rand index", s.rand_index, s.rand_low, s.rand_high, s.pairs)], columns=columns,
    )  # fmt: skip


def left_out_table(report: AuditReport, label: Label) -> pd.DataFrame:
    """Markers that were not tested, and why."""
    leaked = [(label(m), "leaked", why) for m, why in report.leaked.items()]
    skipped = [(label(m), "not testable", why) for m, why in report.skipped.items()]
    return pd.DataFrame(leaked + skipped, columns=["Marker", "Left out", "Why"])


def treatment_table(treatment: Treatment) -> pd.DataFrame:
    """Hazard ratios of the descriptive model."""
    return pd.DataFrame(
        [
            {"Term": _term(t.term), "Hazard ratio (95 % CI)": interval(t.hazard_ratio, t.low, t.high),
             "Wald test": p_value(t.p)}
            for t in treatment.terms
        ]
    )  # fmt: skip


def treatment_numbers(treatment: Treatment) -> pd.DataFrame:
    """The same as numbers, every digit."""
    return pd.DataFrame(
        [
            {"Term": _term(t.term), "Hazard ratio": t.hazard_ratio, "Low (95 %)": t.low, "High (95 %)": t.high,
             "p": t.p}
            for t in treatment.terms
        ]
    )  # fmt: skip


def _term(name: str) -> str:
    """``"π × arm"`` → ``"tumour weight × arm"``."""
    return name.replace("tumour weight π", "tumour weight").replace("π", "tumour weight")
