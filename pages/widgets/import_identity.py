"""What in the reports may tell who a patient is: counted and masked, with the decision what becomes of them."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from core.cohort.report_findings import Identifying, ReportFindings
from core.cohort.wording import plural
from pages.widgets import import_state as wizard
from pages.widgets.html import note, numbers_table
from pages.widgets.import_state import Wizard

CHOICES: Mapping[Identifying, str] = {
    Identifying.BLANK: "Replace what was found by [name], [date] and the like",
    Identifying.LEAVE_OUT: "Import without these reports",
    Identifying.KEEP: "Keep the texts as they are: I looked at them and may keep them",
}
_STORED: Mapping[Identifying, str] = {
    Identifying.BLANK: "What may identify in {n} is replaced before it is stored.",
    Identifying.LEAVE_OUT: "{n} that may identify: left out.",
    Identifying.KEEP: "{n} that may identify: kept as written.",
}


def identity_panel(state: Wizard) -> None:
    """Nothing where no report was looked through; the decision where something was found."""
    found = state.checked.identifying if state.checked is not None else ReportFindings()
    if not found.reports:
        return
    if not found.kinds:
        note(
            f"Names, dates and numbers that identify were looked for in {plural(found.reports, 'report')}: none found."
        )
        return
    st.subheader("Reports may tell who a patient is")
    note(
        f"{found.touched:,} of {plural(found.reports, 'report')} hold what looks like a name, a date or a number of a "
        "person. Examples are masked; the search does not find everything, and some of it may be harmless.", warn=True,
    )  # fmt: skip
    numbers_table(_table(found), right=("Found", "Reports"))
    options = list(CHOICES)
    chosen = Identifying(state.identifying) if state.identifying else None
    st.session_state["import_identifying"] = chosen
    st.radio(
        "What shall become of them?", options, index=None, key="import_identifying", format_func=CHOICES.__getitem__,
        on_change=lambda: wizard.change(identifying=str(st.session_state["import_identifying"] or "")),
    )  # fmt: skip


def _table(found: ReportFindings) -> pd.DataFrame:
    rows = [(k.kind, f"{k.count:,}", f"{k.reports:,}", ", ".join(k.examples)) for k in found.kinds]
    return pd.DataFrame(rows, columns=["What", "Found", "Reports", "Masked examples"])


def decided_note(state: Wizard) -> None:
    """What was decided, on the way to the store."""
    found = state.checked.identifying if state.checked is not None else ReportFindings()
    if found.kinds and state.identifying:
        count = plural(found.touched, "report")
        note(_STORED[Identifying(state.identifying)].format(n=count), warn=True)
