"""Who may see what, and who did what: grants and the audit log, for administrators."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.access.actor import require
from core.access.audit_entry import Action
from core.access.audit_search import Wanted, latest
from core.access.grants import Grant, load_grants, set_grant
from core.access.record import record
from core.access.roles import Permission, Role
from core.errors import PrognoscopeError
from core.results.workspace import Workspace
from pages.widgets.html import note, numbers_table, state_box
from pages.widgets.who import has_login

SAID, ALL, ANY = "grants_said", "all, also those to come", "any"
ROLES = [str(role) for role in Role if role is not Role.NOBODY]
MOST = 50


def grants_panel(workspace: Workspace) -> None:
    """The grants, and a form that gives, changes or takes away one."""
    st.header("Who may see what")
    if not has_login():
        state_box(
            "Only whoever sits at this machine",
            ("No login is configured: the dashboard answers nobody else. SECURITY.md says how to let others in.",),
            "slight",
        )
        return
    users = load_grants(workspace).users
    if users:
        rows = [
            (user, str(grant.role), ALL if grant.cohorts is None else ", ".join(sorted(grant.cohorts)) or "none")
            for user, grant in users.items()
        ]
        numbers_table(pd.DataFrame(rows, columns=["Person", "Role", "Cohorts"]))
    with st.form("grant", border=True):
        st.text_input("Person, as the login names them (an e-mail address)", key="grant_user", max_chars=128)
        st.selectbox("Role", [*ROLES, str(Role.NOBODY)], key="grant_role",
                     help="Nobody takes a grant away. A viewer looks; a researcher also imports, trains and exports; "
                          "an administrator also deletes, grants, and reads the audit log.")  # fmt: skip
        st.multiselect("Cohorts (none chosen: all, also those to come)", workspace.names(workspace.cohorts),
                       key="grant_cohorts")  # fmt: skip
        st.form_submit_button("Keep this grant", on_click=_grant, args=(workspace,))
    said = st.session_state.pop(SAID, "")
    if said:
        note(said, warn=True)


def _grant(workspace: Workspace) -> None:
    cohorts = frozenset(str(c) for c in st.session_state["grant_cohorts"])
    try:
        grant = Grant(Role(st.session_state["grant_role"]), cohorts or None)
        set_grant(str(st.session_state["grant_user"]).strip(), grant, workspace)
    except PrognoscopeError as error:
        st.session_state[SAID] = f"{error.found[:1].upper()}{error.found[1:]}: {error.fix}."


def search_panel(workspace: Workspace) -> None:
    """The newest entries of the audit log that fit; that they were read is recorded as well."""
    left, middle, right, last = st.columns([3, 3, 3, 2], vertical_alignment="bottom")
    who = left.text_input("Person", key="audit_who", max_chars=128)
    patient = middle.text_input("Pseudonym", key="audit_patient", max_chars=64)
    action = right.selectbox("Action", [ANY, *map(str, Action)], key="audit_action")
    if not last.button("Search", key="audit_search", width="stretch"):
        return
    require(Permission.AUDIT)
    wanted = Wanted(who.strip(), "" if action == ANY else action, patient=patient.strip())
    found = latest(workspace, wanted, MOST)
    record(Action.AUDIT_READ, workspace, count=len(found), detail="page")
    if not found:
        state_box("No entry fits", ("Leave a field empty to ask for less.",), "slight")
        return
    rows = [
        (
            e.at[:19].replace("T", " "),
            e.who,
            e.role,
            str(e.action),
            str(e.outcome),
            e.cohort,
            e.run,
            e.patient,
            e.detail,
        )
        for e in found
    ]
    names = ["When (UTC)", "Who", "Role", "Action", "Outcome", "Cohort", "Run", "Patient", "What kind"]
    st.dataframe(pd.DataFrame(rows, columns=names), hide_index=True, key="audit_found")
    note(f"The newest {len(found)}. All of them, for a SIEM: ./run cli audit-log export")
