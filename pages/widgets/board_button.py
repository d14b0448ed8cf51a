"""“Add to board”: puts the patient all pages speak of on a list, from wherever one is."""

from __future__ import annotations

from functools import partial

import streamlit as st

from core.access.boards import add_patients, new_board
from core.access.roles import Permission
from core.cohort.wording import plural
from core.errors import PrognoscopeError
from core.results.board_store import list_boards
from core.results.explained import default_month
from core.results.run_store import load_run
from core.results.workspace import Workspace
from pages.widgets import state as page
from pages.widgets.who import may

FAILED = "board_failed"


def board_button(patients: tuple[str, ...]) -> None:
    """A small menu: every list of the cohort, or the form of a new one."""
    state, workspace = page.current(), Workspace.default()
    if not patients or not state.cohort or not may(Permission.NOTE):
        return
    boards = list_boards(workspace, state.cohort)
    with st.popover("Add to board", key="add_to_board", help="Put this patient on the list of a tumour board."):
        for board in boards[:8]:
            here = set(patients) <= set(board.patients)
            words = f"{board.name} · {plural(len(board.patients), 'patient')}{' · already on it' if here else ''}"
            st.button(words, key=f"add_{board.id}", disabled=here, width="stretch",
                      on_click=partial(_add, board.id, patients, workspace))  # fmt: skip
        if not state.run:
            st.caption("A new list needs a run, whose estimates it shows.")
        else:
            board_form("button", state.run, patients)
    _tell()


def board_form(place: str, run: str, patients: tuple[str, ...] = ()) -> None:
    """Name and protocol of a new list of ``run``; both are asked for, neither is made up. ``place`` tells its keys
    apart."""
    with st.form(f"new_board_{place}", border=False):
        st.text_input("Name of a new list", key=f"board_name_{place}", max_chars=200)
        st.text_input(
            "Protocol or approval", key=f"board_protocol_{place}", max_chars=200,
            help="Its number or title. It is printed on every page and file of the board.",
        )  # fmt: skip
        st.form_submit_button(
            "Begin the list", key=f"board_begin_{place}", on_click=partial(_begin, place, run, patients)
        )
    if place != "button":
        _tell()


def _begin(place: str, run_id: str, patients: tuple[str, ...]) -> None:
    state, workspace = page.current(), Workspace.default()
    name, protocol = (str(st.session_state.get(f"board_{k}_{place}", "")) for k in ("name", "protocol"))
    try:
        run = load_run(run_id, workspace, verify=False)
        month = state.month if state.month in run.horizons else default_month(run.horizons, state.month)
        board = new_board(name, protocol, state.cohort, run.id, month, workspace)
        if patients:
            add_patients(board.id, patients, workspace)
        page.choose_board(board.id)
    except PrognoscopeError as error:
        st.session_state[FAILED] = f"{error.found.capitalize()}: {error.fix}."


def _add(board_id: str, patients: tuple[str, ...], workspace: Workspace) -> None:
    try:
        add_patients(board_id, patients, workspace)
        page.choose_board(board_id)
    except PrognoscopeError as error:
        st.session_state[FAILED] = f"{error.found.capitalize()}: {error.fix}."


def _tell() -> None:
    """Why the last wish failed, once."""
    words = st.session_state.pop(FAILED, "")
    if words:
        st.warning(words)
