"""Withdrawal of consent on the System page: say what would go, ask, erase as a job, and prove it by a search."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.care.backup_list import list_backups
from core.care.erasure import ask_to_erase, erasure_plan, history, unfinished_erasures
from core.care.words import moment_words
from core.cohort.storage import list_cohorts
from core.cohort.wording import plural
from core.errors import PrognoscopeError
from core.jobs.job import Job, JobState
from core.jobs.queue import JobQueue
from core.jobs.supervise import submit_job
from core.results.workspace import Workspace
from pages.widgets.frame import show_error
from pages.widgets.html import note, numbers_table, state_box
from pages.widgets.job_panel import Wanted, job_again

KEY = "erasing"
"""In the session while the question is open: cohort and what was typed."""
TITLE = "Erasure of a patient"
SEARCH = "Search for erased patients"


def erase_panel(workspace: Workspace) -> None:
    """Who is to be erased, what was erased, and the search that proves it."""
    st.header("Withdrawal of consent")
    cohorts = list_cohorts(workspace)
    if not cohorts:
        state_box("No cohort yet", ("Patients can be erased here once there are any.",), "slight")
    else:
        _form({c.name: c.title for c in cohorts})
    asked = st.session_state.get(KEY)
    if asked is not None:
        _question(*asked, workspace)
    _unfinished(workspace)
    _done(workspace)


def _form(titles: dict[str, str]) -> None:
    note("Removes one patient from everything the workspace keeps. Nothing happens before you have seen what goes.")
    with st.form("erase_form", border=False, clear_on_submit=True), st.container(key="erase_row"):
        first, second, third = st.columns([4, 4, 3], vertical_alignment="bottom")
        cohort = first.selectbox("Cohort", list(titles), format_func=lambda n: titles[n], key="erase_cohort")
        patient = second.text_input("Pseudonym or original id", key="erase_patient", autocomplete="off")
        if third.form_submit_button("Show what would go", key="erase_look", width="stretch") and patient.strip():
            st.session_state[KEY] = (cohort, patient.strip())


def _forget() -> None:
    st.session_state.pop(KEY, None)


@st.dialog("Erase this patient?", width="medium", on_dismiss=_forget)
def _question(cohort: str, patient: str, workspace: Workspace) -> None:
    try:
        plan = erasure_plan(cohort, patient, workspace)
    except PrognoscopeError as error:
        show_error(error)
        return
    st.markdown("This goes for good:")
    st.markdown("\n".join(f"- {words}" for words in plan.goes))
    st.markdown("This stays:")
    st.markdown("\n".join(f"- {words}" for words in plan.stays))
    names = ", ".join(b.name for b in list_backups(workspace) if set(b.cohorts) & set(plan.cohorts))
    if names:
        note(f"Backups made before still hold the patient: {names}. Delete them, and make a new one.", warn=True)
    busy = [j for j in JobQueue(workspace).unfinished() if j.state is JobState.RUNNING]
    if busy:
        note("A job is running: the erasure waits in the queue until it has ended.")
    sure = st.checkbox("The patient has withdrawn consent. I know that this cannot be undone.", key="erase_sure")
    with st.container(horizontal=True):
        if st.button("Keep the patient", key="erase_keep"):
            _forget()
            st.rerun()
        if st.button("Erase", key="erase_confirm", type="primary" if sure else "secondary", disabled=not sure):
            request = ask_to_erase(cohort, patient, workspace)
            submit_job(workspace, "erase", {"request": request}, TITLE)
            _forget()
            st.rerun()


def _unfinished(workspace: Workspace) -> None:
    """Erasures that were asked for and have no job any more: cancelled, or stopped too often."""
    working = {j.arguments.get("request") for j in JobQueue(workspace).unfinished()}
    for request in unfinished_erasures(workspace):
        if request in working:
            job_again(Wanted("erase", {"request": request}, TITLE, "", "", ()), TITLE, workspace)  # how far it is
            continue
        note("An erasure was begun and did not end: parts of the patient's data may still be here.", warn=True)
        if st.button("Go on with it", key=f"erase_on_{request}", type="primary"):
            submit_job(workspace, "erase", {"request": request}, TITLE)
            st.rerun()


def _done(workspace: Workspace) -> None:
    erased = history(workspace)
    if not erased:
        return
    rows = [
        {
            "Erased (UTC)": moment_words(e.at), "From": ", ".join(c.cohort for c in e.cohorts),
            "Runs trained with the patient": ", ".join(r.rpartition("-")[2] for r in e.runs) or "none",
            "Content of the cohort": "; ".join(f"{c.before[:8]} → {c.after[:8] or 'gone'}" for c in e.cohorts),
        }
        for e in erased[:10]
    ]  # fmt: skip
    numbers_table(pd.DataFrame(rows))
    names = sorted({c.cohort for e in erased for c in e.cohorts})
    old = [b.name for b in list_backups(workspace) if b.made_at < erased[0].at and set(b.cohorts) & set(names)]
    if old:
        note(f"Backups from before an erasure, which may still hold an erased patient: {', '.join(old)}.", warn=True)
    note(_proof(workspace))
    job_again(Wanted("verify-erased", {}, SEARCH, SEARCH, "", ()), SEARCH, workspace)


def _proof(workspace: Workspace) -> str:
    """What the last search found."""
    queue = JobQueue(workspace)
    jobs: tuple[Job, ...] = queue.jobs(200) if queue.path.is_file() else ()
    last = next((j for j in jobs if j.task == "verify-erased" and j.result is not None), None)
    if last is None or last.result is None or last.finished_at is None:
        return ("A search looks into every file of the workspace, also inside archives and tables, for everybody who "
                "was erased, by keyed hashes alone.")  # fmt: skip
    found, unread = int(last.result["found"]), int(last.result["unread"])
    where = f"{last.finished_at:%Y-%m-%d %H:%M} UTC, {int(last.result['files']):,} files"
    if found or unread:
        return (f"Last search {where}: an erased patient is named in {plural(found, 'file')}, {plural(unread, 'file')} "
                "could not be opened. On the command line: ./run cli erase --verify")  # fmt: skip
    return f"Last search {where}: no erased patient is named in any of them."
