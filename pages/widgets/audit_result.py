"""An audit's answers in words first, then what they rest on."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.analysis.audit_controls import controls_table
from core.analysis.audit_tables import left_out_table
from core.analysis.audit_verdicts import Answer, expert_verdicts, gate_verdict
from core.cohort.cohort import Role
from core.cohort.marker_blocks import MIXED, markers_of
from core.cohort.modality import Modality
from core.results.audit import AuditReport
from pages.widgets.audit_figures import control_block, gate_blocks, marker_block
from pages.widgets.audit_treatment import treatment_part
from pages.widgets.data import View
from pages.widgets.html import badge_html, note, numbers_table, state_box, verdicts

KINDS = {Answer.YES: "yes", Answer.NO: "no", Answer.SWAPPED: "no", Answer.UNKNOWN: "open"}


def show_result(view: View, report: AuditReport) -> None:
    """Everything a stored audit found."""
    st.header("Do the experts mean what they are called?")
    _badges(view, report)
    found = (*expert_verdicts(report), gate_verdict(report))
    verdicts((v.question, v.answer.value, KINDS[v.answer], v.reason, v.numbers) for v in found)
    for words in report.notes:
        note(words, warn=True)
    st.header("Marker by marker")
    if report.markers:
        marker_block(report, view.cohort.label)
        note("Filled: the expert the marker is named for. Open: the other expert. 0 = no better than the mean of all "
             "patients; the further right, the more the expert knows.")  # fmt: skip
    _left_out(view, report)
    st.header("Is it the biology?")
    _controls(report)
    st.header("Weights of the experts, and other seeds")
    gate_blocks(report)
    st.header("Treatment arms")
    treatment_part(report, view.cohort.label)
    _method(report)


def _badges(view: View, report: AuditReport) -> None:
    redacted = "marker mentions removed from the reports" if report.redacted else "reports read as they are"
    if view.run is not None and Modality.REPORTS.value not in view.run.modalities:
        redacted = "no reports read"
    words = [badge_html("out-of-fold"), badge_html(redacted, warn=False)]
    if report.synthetic:
        words.append(badge_html("synthetic patients"))
    st.html(" ".join(words))


def _left_out(view: View, report: AuditReport) -> None:
    """Markers that were not tested, each with its reason."""
    table = left_out_table(report, view.cohort.label)
    if not table.empty:
        st.subheader("Markers that were left out")
        numbers_table(table)
    if report.leaked:
        rest = "" if report.redacted else " A run trained with --redact-markers never reads such words."
        note(f"Leaked: what the model read gives the marker away, so knowing it proves nothing.{rest}")
    blocks = markers_of(view.cohort, 1).blocks
    mixed = [view.cohort.label(m) for m, b in blocks.items() if b == MIXED and view.cohort.roles[m] is Role.MARKER]
    if mixed:
        note(f"Not tested: {', '.join(mixed)}. They hold liver function and tumour burden at once, so neither expert "
             "could be right or wrong.")  # fmt: skip


def _controls(report: AuditReport) -> None:
    if not report.controls:
        state_box(
            "Controls were not trained",
            ("Without them a difference between the experts could have causes other than what the reports taught.",
             "Run the audit again with the three controls to see what remains when the biology is taken away."),
            "slight",
        )  # fmt: skip
        return
    control_block(report)
    numbers_table(controls_table(report))
    note("Every control has the experts, gating, folds, seeds and budget of the run. Selectivity: R² of the markers "
         "from their own expert minus that from the other. Differences are paired over folds "
         "and seeds, with an interval that allows for overlapping training sets (Nadeau and Bengio), corrected over "
         "all of them by Holm's method.")  # fmt: skip


def _method(report: AuditReport) -> None:
    with st.expander("How this was done"):
        note("In each fold a ridge regression from an expert's embedding to a marker is fitted on the training "
             "patients and predicts the test patients; R² is over all test patients together. Chance is known in "
             "two ways, and the larger p counts: patients are permuted, all markers together; and what both experts "
             "hold is divided at random, as it would be if their names meant nothing.")  # fmt: skip
        rows = [
            ("Run", report.run), ("Folds and seeds", f"{report.folds} folds × {report.seeds} seeds"),
            ("Permutations", f"{report.permutations:,}"),
            ("Audited", f"{report.created_at[:16].replace('T', ' ')} UTC"),
            ("Code", report.code_version),
        ]  # fmt: skip
        numbers_table(pd.DataFrame(rows, columns=["Record", "Value"]))
        st.code(_command(report), language=None, wrap_lines=True)


def _command(report: AuditReport) -> str:
    words = f"./run cli audit {report.run} --permutations {report.permutations}"
    words += " --controls" if report.controls else ""
    if report.treatment is not None:
        words += f" --treatment {report.treatment.column} --landmark {report.treatment.landmark:g}"
    return words
