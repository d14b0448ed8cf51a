"""Step 1 of the import wizard: a file from the user's machine, a study on this machine, or generated patients."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from core.cohort.import_roots import INCOMING, VARIABLE, import_roots, offered, path_inside_roots
from core.cohort.sample import NAME as SAMPLE
from core.cohort.sample import save_sample
from core.cohort.storage import CohortSummary
from core.cohort.uploads import keep_upload
from core.errors import PrognoscopeError
from core.jobs.supervise import submit_job
from core.results.workspace import Workspace
from pages.widgets import import_state as wizard
from pages.widgets import import_upload as upload
from pages.widgets import state as page
from pages.widgets.frame import show_error
from pages.widgets.html import note
from pages.widgets.import_state import Step, Wizard

SAMPLE_MEDIA = "prepare-sample"
"""The task that makes the sample cohort's pictures and texts, and a run on them."""


def choose_step(state: Wizard, workspace: Workspace, cohorts: tuple[CohortSummary, ...]) -> None:
    """The two ways to a study, and the sample cohort where it is not there yet."""
    if state.problem is not None:
        show_error(state.problem)
    left, right = st.columns(2, gap="large")
    with left:
        _upload(state, workspace)
    with right:
        _from_this_machine(workspace)
    if SAMPLE not in {c.name for c in cohorts}:
        _sample(workspace)


def _upload(state: Wizard, workspace: Workspace) -> None:
    st.subheader("Upload a file")
    uploaded = st.file_uploader(
        "A table (CSV, or TSV with tabs; also as .gz or .zip), or a zip of a whole study folder",
        key=f"import_upload_{state.uploads}",
    )
    note("The file is kept in a private folder of the workspace and removed when you store the cohort or leave. "
         "Patients get pseudonyms; their ids are kept apart and never shown.")  # fmt: skip
    if uploaded is None:
        return
    path = keep_upload(uploaded.name, uploaded.getbuffer(), workspace)
    upload.hold_upload(path)
    wizard.change(problem=None, uploads=state.uploads + 1)  # a new key: the copy in memory is dropped
    wizard.look_at(path, workspace)
    st.rerun()


def _from_this_machine(workspace: Workspace) -> None:
    st.subheader("Or a study on this machine")
    found = offered(workspace)
    chosen = st.selectbox(
        "Folder or table", found, index=None, key="import_path", accept_new_options=True,
        placeholder="Choose, or type a path below an import folder" if found else "Type a path below an import folder",
        format_func=lambda path: Path(path).name if path in found else path,
    )  # fmt: skip
    roots = import_roots(workspace)
    where = ", ".join(str(r) for r in roots) or f"none yet: make {workspace.root / INCOMING}"
    note(f"Import folders: {where}. The setting {VARIABLE} names more; nothing outside of them can be read.")
    if st.button("Look at it", key="import_look", disabled=not chosen) and chosen:
        wizard.change(problem=None)
        try:
            wizard.look_at(path_inside_roots(chosen, workspace), workspace)
        except PrognoscopeError as error:
            wizard.change(problem=error)
        st.rerun()


def _sample(workspace: Workspace) -> None:
    st.subheader("Or generated patients")
    note("240 invented patients with liver cancer, to look around with. They are called synthetic wherever they show. "
         "Their slides, scans and reports are made afterwards by a job of a few minutes.")  # fmt: skip
    if st.button("Make the sample cohort", key="import_sample"):
        with st.spinner("Making the sample cohort …"):
            cohort = save_sample(workspace)
        submit_job(workspace, SAMPLE_MEDIA, {}, "Slides, scans and reports of the sample cohort")
        page.put(page.PageState(cohort=cohort.name))
        wizard.change(step=Step.STORED, cohort=cohort.name, title=cohort.title)
        st.rerun()
