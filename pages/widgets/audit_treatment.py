"""Whether treatment arms fare differently by risk and by expert: a description, never a cause."""

from __future__ import annotations

from functools import partial

import streamlit as st

from core.analysis.audit_tables import Label, treatment_numbers, treatment_table
from core.analysis.comparisons import p_value
from core.analysis.reproduce_audit import audit_python, audit_r
from core.results.audit import AuditReport
from pages.widgets.figure_block import table_exports
from pages.widgets.html import badge_html, facts, note, numbers_table, state_box

FEW = 0.05
TITLE = "Risk, expert and treatment arm"


def treatment_part(report: AuditReport, label: Label) -> None:
    """The table with what it may be called, or why there is none."""
    found = report.treatment
    if found is None:
        note("Not asked for. Name the column of the arm above and run the audit again.")
        return
    st.html(badge_html("descriptive, never causal"))
    facts([
        (f"{found.patients:,}", "", "patients with arm, risk, weight and liver function"),
        (f"{found.events:,}", "", "events"),
        (f"{found.without_arm:,}", "", "without a recorded arm, left out"),
    ])  # fmt: skip
    note(f"{label(found.column).capitalize()}: {' and '.join(found.arms) or 'no arm'}, counted from {found.time_zero}.")
    if found.without_arm_p is not None:
        uneven = found.without_arm_p < FEW
        words = "fare differently" if uneven else "do not differ for certain"
        note(f"Patients with and without a recorded arm {words} (log-rank {p_value(found.without_arm_p)})"
             + ("; what is seen here may come from who was recorded." if uneven else "."), warn=uneven)  # fmt: skip
    if found.reason:
        state_box("Nothing was fitted", (f"{found.reason[:1].upper()}{found.reason[1:]}.",), "slight")
        return
    numbers_table(treatment_table(found), right=("Hazard ratio (95 % CI)", "Wald test"))
    table_exports(
        "audit-treatment",
        partial(treatment_numbers, found),
        partial(audit_python, "treatment", TITLE, report),
        partial(audit_r, "treatment", TITLE, report),
    )
    note("One Cox model with all these terms; risk, weight and liver function per standard deviation, out of fold. The "
         "arms were not drawn by lot: who received which differs in ways no table holds, so no term says what a "
         "treatment would do to a patient.")  # fmt: skip
