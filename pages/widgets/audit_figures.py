"""The Audit tab's figures, each with its table and its exports."""

from __future__ import annotations

from functools import partial

import streamlit as st

from core.analysis.audit_tables import (
    Label,
    associations,
    gate_table,
    markers_table,
    selectivity_table,
    stability_table,
    weights_table,
)
from core.analysis.reproduce_audit import audit_python, audit_r
from core.figures.audit import control_figure, marker_figure
from core.figures.audit_gate import association_figure, stability_figure, weight_figure
from core.results.audit import AuditReport
from pages.widgets.figure_block import Block, figure_block
from pages.widgets.html import note, state_box

CONTROLS, GATE, SEEDS = "Selectivity and its controls", "Gate and measured burden", "Agreement of the seeds"
WEIGHTS = "Weight of the tumour expert by fifths of burden"


def marker_block(report: AuditReport, label: Label) -> None:
    """R² of each marker from both experts."""
    words = "; ".join(f"{label(m.marker)}: own expert {m.own:.2f}, other {m.other:.2f}" for m in report.markers)
    figure_block(
        Block("audit-markers", f"Share of each marker's variation predicted. {words}",
              lambda _: marker_figure(report, label), partial(markers_table, report, label),
              partial(audit_python, "markers", "Markers", report), partial(audit_r, "markers", "Markers", report))
    )  # fmt: skip


def control_block(report: AuditReport) -> None:
    """Selectivity of the run and of its controls with their paired differences."""
    words = "; ".join(f"{c.title}, {b} {s.value:.2f}" for c in report.controls for b, s in c.selectivity.items())
    own = "; ".join(f"this run, {b} {s.value:.2f}" for b, s in report.selectivity.items())
    figure_block(
        Block("audit-controls", f"Selectivity. {own}; {words}", lambda _: control_figure(report),
              partial(selectivity_table, report),
              partial(audit_python, "controls", CONTROLS, report), partial(audit_r, "controls", CONTROLS, report))
    )  # fmt: skip


def gate_blocks(report: AuditReport) -> None:
    """The gate by measured burden and beside its controls, and the agreement of seeds."""
    with st.container(key="audit_gate"):
        left, right = st.columns(2, gap="small")
    gate, stability = report.gate, report.stability
    with left:
        if gate is not None and len(gate.bins) > 1:
            figure_block(
                Block("audit-weights", "Mean weight of the tumour expert by fifths of the measured burden: "
                      + ", ".join(f"{b.weight:.2f}" for b in gate.bins), lambda _: weight_figure(report, gate),
                      partial(weights_table, report),
                      partial(audit_python, "weights", WEIGHTS, report), partial(audit_r, "weights", WEIGHTS, report))
            )  # fmt: skip
            note("Measured burden: tumour findings minus liver findings, over all markers, also those the reports "
                 "mention. Dotted: both experts alike.")  # fmt: skip
        elif gate is None:
            state_box("No weights to compare", ("Measured burden needs markers of both blocks in at least 30 "
                                                "patients.",), "slight")  # fmt: skip
    with right:
        if associations(report):
            figure_block(
                Block("audit-gate", "Rank correlation of weight and measured burden: "
                      + "; ".join(f"{n} {g.correlation:.2f}" for n, g in associations(report)),
                      lambda _: association_figure(report), partial(gate_table, report),
                      partial(audit_python, "gate", GATE, report), partial(audit_r, "gate", GATE, report))
            )  # fmt: skip
        if stability is not None:
            figure_block(
                Block("audit-stability", f"Seeds agree: rank correlation of the weight {stability.rank_correlation:.2f}"
                      f", adjusted Rand index of the groups {stability.rand_index:.2f}",
                      lambda _: stability_figure(report, stability), partial(stability_table, report),
                      partial(audit_python, "stability", SEEDS, report), partial(audit_r, "stability", SEEDS, report))
            )  # fmt: skip
            note("Two seeds of one fold on the same test patients. Groups: tumour weight above or below one half.")
        else:
            state_box("Stability is not known", ("It takes at least two seeds.",), "slight")
