"""What a page shows of patients stands in the audit log before it is drawn, once for each look."""

from __future__ import annotations

import streamlit as st

from core.access.audit_entry import Action
from core.access.record import record
from core.results.workspace import Workspace

_SEEN = "audited"


def opened(workspace: Workspace, cohort: str, run: str = "", patient: str = "", detail: str = "") -> None:
    """Record that this page session opened a cohort, or a patient of it; again only after something else was opened.

    Raises
    ------
    AuditError
        When the log cannot be written: the page must not go on.
    """
    action = Action.PATIENT_OPENED if patient else Action.COHORT_OPENED
    seen: dict[str, tuple[str, ...]] = st.session_state.setdefault(_SEEN, {})
    this = (cohort, run, patient, detail) if patient else (cohort,)
    if seen.get(action) != this:
        record(action, workspace, cohort=cohort, run=run if patient else "", patient=patient, detail=detail)
        seen[action] = this
