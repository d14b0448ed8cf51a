"""System: versions, queue, disk, runs, backups, erasure, errors and the audit log; for administrators."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.access.roles import Permission
from core.care.version import make_ready
from core.cohort.storage import list_cohorts
from core.errors import PrognoscopeError
from core.results.workspace import Workspace
from pages.widgets.account import headed
from pages.widgets.frame import loading, strip, told_plainly
from pages.widgets.guide import line_of_the_sample
from pages.widgets.html import state_box
from pages.widgets.system_access import grants_panel, search_panel
from pages.widgets.system_backup import backup_panel
from pages.widgets.system_erase import erase_panel
from pages.widgets.system_head import disk_now, disk_panel, head, queue_panel
from pages.widgets.system_records import audit_panel, errors_panel, runs_panel, versions_panel
from pages.widgets.who import may


def body(workspace: Workspace) -> None:
    """Every part for itself: one that cannot be read leaves the others in sight."""
    with loading("Looking at the workspace"):
        disk = disk_now(workspace)
    _part("head", lambda: head(workspace, disk))
    _part("queue", lambda: queue_panel(workspace))
    with st.container(key="system_pairs"):
        left, right = st.columns(2, gap="large")
        with left:
            _part("backup", lambda: backup_panel(workspace))
        with right:
            _part("disk", lambda: disk_panel(disk))
    _part("runs", lambda: runs_panel(workspace))
    _part("withdrawal of consent", lambda: erase_panel(workspace))
    _part("grants", lambda: grants_panel(workspace))
    _part("errors", lambda: errors_panel(workspace))
    with st.container(key="system_ends"):
        left, right = st.columns(2, gap="large")
        with left:
            _part("audit log", lambda: audit_panel(workspace))
            _part("search of the audit log", lambda: search_panel(workspace))
        with right:
            _part("versions", versions_panel)


def _part(name: str, draw: Callable[[], None]) -> None:
    with told_plainly(f"System, {name}"):
        draw()


def show() -> None:
    """The page in whichever of its states it is."""
    with told_plainly("System"):
        workspace = Workspace.default()
        strip()
        headed("System")
        if not may(Permission.OPERATE):
            state_box(
                "For administrators",
                ("Backups, erasure and the state of the machine are an administrator's part.",
                 "All other pages are open to you as before."),
            )  # fmt: skip
            return
        try:
            make_ready(workspace)
        except PrognoscopeError as error:
            state_box("This workspace cannot be opened", (f"{error}",), "error")
            versions_panel()
            return
        line_of_the_sample("System", list_cohorts(workspace))
        body(workspace)


show()
