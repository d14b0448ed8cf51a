"""Runs and which of them are in memory, errors by their id, the audit log and versions, on the System page."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.access.audit_check import audit_state
from core.care.error_log import latest_errors
from core.care.system_state import RunLine, run_lines, versions
from core.care.words import moment_words, size_words
from core.cohort.wording import plural
from core.results.naming import model_words
from core.results.workspace import Workspace
from pages.widgets.html import note, numbers_table, state_box

SHOWN_ERRORS, SHOWN_RUNS = 10, 12


def runs_panel(workspace: Workspace) -> None:
    """Every run with its size, and whether the resident worker holds it."""
    st.header("Runs and models")
    lines = run_lines(workspace)
    if not lines:
        state_box("No run yet", ("Trained models are listed here with what they take.",), "slight")
        return
    numbers_table(pd.DataFrame([_run_row(line) for line in lines[:SHOWN_RUNS]]), right=("Size",))
    if len(lines) > SHOWN_RUNS:
        note(f"The latest {SHOWN_RUNS} of {len(lines)} runs.")
    if not any(line.loaded for line in lines):
        note("No run is in memory: the first question to one (what if, a new patient) takes a few seconds longer.")


def _run_row(line: RunLine) -> dict[str, str]:
    run = line.run
    return {
        "Run": run.id.rpartition("-")[2], "Model": model_words(run.model), "Cohort": run.cohort,
        "Trained (UTC)": moment_words(run.created_at), "Size": size_words(line.bytes),
        "In memory": "yes" if line.loaded else "no",
        "": f"{plural(line.erased, 'patient')} erased since: train again" if line.erased else "",
    }  # fmt: skip


def errors_panel(workspace: Workspace) -> None:
    """Unexpected failures by the id that was shown."""
    st.header("Errors")
    found = latest_errors(workspace, SHOWN_ERRORS)
    if not found:
        state_box("No unexpected error on record", ("Each would be listed here under the id its page has shown.",),
                  "slight")  # fmt: skip
        return
    rows = [{"Id": e.id, "When (UTC)": moment_words(e.at), "Where": e.where, "Kind": e.kind} for e in found]
    numbers_table(pd.DataFrame(rows))
    note("The trace stands under the id in errors.jsonl of the workspace, without patients' ids: send it along.")


def audit_panel(workspace: Workspace) -> None:
    """The end of the audit log against what is recorded outside the workspace."""
    st.header("Audit log")
    state = audit_state(workspace)
    if state.problem:
        note(f"{state.problem[:1].upper()}{state.problem[1:]}.", warn=True)
    if state.last is None:
        state_box("No entry yet", ("Who did what with patients' data is recorded from the first act on.",), "slight")
        return
    last = state.last
    rows = [
        ("Entries", f"{state.entries:,}"), ("Last", f"{moment_words(last.at)} UTC, {last.action.value} by {last.who}"),
        ("End of the log", "not as it was written" if state.problem else "as it was written"),
    ]  # fmt: skip
    numbers_table(pd.DataFrame(rows, columns=["What", "Value"]))
    note("Every entry is checked by ./run cli audit-log verify")


def versions_panel() -> None:
    """The program, Python, the machine and the libraries that matter."""
    st.header("Versions")
    numbers_table(pd.DataFrame(versions(), columns=["What", "Version"]))
