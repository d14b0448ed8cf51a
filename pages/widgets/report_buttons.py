"""One click: the chosen patient's report as a file, from the Patient page."""

from __future__ import annotations

from functools import partial

import streamlit as st

from core.board.report_content import report_content
from core.board.report_html import report_html
from core.board.report_pdf import report_pdf
from core.board.sources import read_sources
from pages.widgets.data import View
from pages.widgets.download import download_button


def report_buttons(view: View, patient: str) -> None:
    """PDF and HTML of what the chosen run says at the chosen month; made when pressed, named without the patient."""
    if view.run is None:
        return
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="patient_report"):
        for words, kind, media in (("PDF", "pdf", "application/pdf"), ("HTML", "html", "text/html")):
            download_button(
                f"Report as {words}", partial(_made, view, patient, kind), f"report-{view.run.id}.{kind}", media,
                key=f"patient_report_{kind}", on_click="ignore", patient=patient,
                help="Holds the pseudonym and no original id. Research use only stands on each page.",
            )  # fmt: skip


def _made(view: View, patient: str, kind: str) -> bytes:
    run = view.run
    if run is None:
        return b""
    content = report_content(read_sources(run.id, view.cohort.name, view.workspace), patient, view.state.month)
    return report_pdf(content) if kind == "pdf" else report_html(content).encode("utf-8")
