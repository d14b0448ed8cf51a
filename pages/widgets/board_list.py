"""A board's list: who is on it in which order, with the estimate and what was noted; and how it is changed."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pandas as pd
import streamlit as st

from core.access.boards import add_patients, delete_board, note_opinion, order_patients
from core.analysis.patient_history import NO_NUMBER, estimate_words, spread_words
from core.analysis.patient_sentences import month_words, state_words
from core.board.sources import ReportSources
from core.cohort.wording import plural
from core.errors import PrognoscopeError
from core.results.board_store import (
    Board,
    Opinion,
    Verdict,
    latest,
    moved,
    opinions_of,
)
from core.results.workspace import Workspace
from pages.widgets import state as page
from pages.widgets.board_button import FAILED, board_form
from pages.widgets.board_read import sources_of
from pages.widgets.data import View
from pages.widgets.frame import loading
from pages.widgets.html import note, numbers_table, state_box

VERDICTS = {Verdict.AGREE: "Agree", Verdict.DISAGREE: "Disagree", Verdict.UNSURE: "Unsure"}
MOST_OFFERED = 2000


def choose_list(view: View, boards: tuple[Board, ...]) -> Board:
    """The lists of the cohort; the newest one unless another was chosen."""
    names = {b.id: f"{b.name} · {plural(len(b.patients), 'patient')}" for b in boards}
    chosen = view.state.board if view.state.board in names else boards[0].id
    st.session_state["board_choice"] = chosen
    st.selectbox(
        "List", list(names), key="board_choice", format_func=lambda b: names[b],
        on_change=lambda: page.choose_board(st.session_state["board_choice"]),
    )  # fmt: skip
    return next(b for b in boards if b.id == chosen)


def new_list(view: View, whole: bool) -> None:
    """The form of a new list: open where there is none yet; nothing without a run."""
    if view.run is None:
        return
    with st.expander("Begin a list" if whole else "Begin another list", expanded=whole):
        st.caption(f"It will show the estimates of the run {view.run.id}, at {month_words(view.state.month)}.")
        board_form("page", view.run.id)


def list_panel(view: View, board: Board) -> None:
    """Facts, the table, and the tools for one patient."""
    note(f"Protocol: {board.protocol}. Estimates of {board.run} at {month_words(board.month)}; begun "
         f"{board.created_at[:10]}.")  # fmt: skip
    if board.patients:
        with loading("Reading the run of this list"):
            sources = sources_of(board, view.workspace)
        opinions = opinions_of(board.id, view.workspace)
        numbers_table(_table(board, sources, opinions))
        _tools(view, board, opinions)
    else:
        state_box("Nobody is on this list yet", ("Add patients here, or from any page with “Add to board”.",), "slight")
    _adding(view, board)


def _table(board: Board, sources: ReportSources, opinions: tuple[Opinion, ...]) -> pd.DataFrame:
    state = state_words(sources.card.endpoint)
    column = f"{state[:1].upper()}{state[1:]} at {month_words(board.month)}"
    rows = []
    for place, patient in enumerate(board.patients, start=1):
        if patient not in sources.cohort.patients.index:
            rows.append((str(place), patient, "no longer in the cohort", "–", ""))
            continue
        estimate = sources.estimate(sources.person(patient))
        said = latest(opinions, patient)
        number = NO_NUMBER if estimate is None else estimate_words(estimate, board.month)
        spread = "–" if estimate is None else spread_words(estimate, board.month)
        rows.append((str(place), patient, number, spread, "–" if said is None else VERDICTS[said.verdict]))
    return pd.DataFrame(rows, columns=["Place", "Patient", column, "Models differ", "The board"])


def _tools(view: View, board: Board, opinions: tuple[Opinion, ...]) -> None:
    """What can be done with one patient of the list."""
    key = "board_patient"
    if st.session_state.get(key) not in board.patients:
        st.session_state[key] = view.state.patient if view.state.patient in board.patients else board.patients[0]
    left, right = st.columns([2, 5], vertical_alignment="bottom")
    with left:
        patient = str(st.selectbox("Patient of the list", board.patients, key=key))
    with right, st.container(horizontal=True, gap="small"):
        if st.button("Open patient", key="board_open"):
            page.put(replace(page.current(), patient=patient, run=board.run, month=board.month))
            st.switch_page("patient.py")
        for words, by, name in (("Move up", -1, "up"), ("Move down", 1, "down")):
            order = moved(board.patients, patient, by)
            st.button(words, key=f"board_{name}", disabled=order == board.patients,
                      on_click=partial(_order, board.id, order, view.workspace))  # fmt: skip
        rest = tuple(p for p in board.patients if p != patient)
        st.button("Take off the list", key="board_off",
                  on_click=partial(_order, board.id, rest, view.workspace))  # fmt: skip
    opinion_form(board, patient, opinions, view.workspace)


def _order(board_id: str, patients: tuple[str, ...], workspace: Workspace) -> None:
    order_patients(board_id, patients, workspace)


def _append(board_id: str, patients: tuple[str, ...], workspace: Workspace) -> None:
    try:
        add_patients(board_id, patients, workspace)
    except PrognoscopeError as error:
        st.session_state[FAILED] = f"{error.found.capitalize()}: {error.fix}."


def opinion_form(board: Board, patient: str, opinions: tuple[Opinion, ...], workspace: Workspace) -> None:
    """Agree, disagree or unsure, with a note; what was noted before stands above."""
    said = latest(opinions, patient)
    place = board.patients.index(patient) + 1 if patient in board.patients else 0
    if said is not None:
        when = said.at[:16].replace("T", " ")
        note(f"Noted {when} UTC: {VERDICTS[said.verdict]}.{f' “{said.note}”' if said.note else ''}")
    with st.form(f"opinion_{board.id}_{place}", border=False, clear_on_submit=True):
        st.radio("Does the board agree with the estimate?", list(VERDICTS), key=f"verdict_{board.id}_{place}",
                 format_func=lambda v: VERDICTS[v], horizontal=True, index=None)  # fmt: skip
        st.text_area("Note (kept with the list, never fed to a model)", key=f"note_{board.id}_{place}", max_chars=4000,
                     height=96)  # fmt: skip
        st.form_submit_button("Keep", key=f"keep_{board.id}_{place}",
                              on_click=partial(_keep, board.id, patient, place, workspace))  # fmt: skip
    words = st.session_state.pop(FAILED, "")
    if words:
        st.warning(words)


def _keep(board_id: str, patient: str, place: int, workspace: Workspace) -> None:
    verdict = st.session_state.get(f"verdict_{board_id}_{place}")
    if verdict is None:
        st.session_state[FAILED] = "Nothing was kept: choose agree, disagree or unsure."
        return
    try:
        note_opinion(board_id, patient, verdict, str(st.session_state.get(f"note_{board_id}_{place}", "")), workspace)
    except PrognoscopeError as error:
        st.session_state[FAILED] = f"{error.found.capitalize()}: {error.fix}."


def _adding(view: View, board: Board) -> None:
    """Patients of the selection that are not on the list, and those ticked on other pages."""
    on_list = set(board.patients)
    offered = [str(i) for i in view.cohort.patients.index[view.mask] if str(i) not in on_list][:MOST_OFFERED]
    left, right = st.columns([5, 2], vertical_alignment="bottom")
    with left:
        st.multiselect("Add patients of the selection", offered, key=f"board_add_{board.id}")
    with right, st.container(horizontal=True, gap="small"):
        st.button("Add", key="board_add", on_click=partial(_add, board.id, view.workspace))
        picked = tuple(p for p in view.state.options.picked if p not in on_list)
        if picked:
            st.button(f"Add the {plural(len(picked), 'ticked patient')}", key="board_add_picked",
                      on_click=partial(_append, board.id, picked, view.workspace))  # fmt: skip


def _add(board_id: str, workspace: Workspace) -> None:
    wanted = tuple(st.session_state.get(f"board_add_{board_id}", ()))
    if not wanted:
        return
    _append(board_id, wanted, workspace)
    st.session_state[f"board_add_{board_id}"] = []


def remove_list(board: Board, workspace: Workspace) -> None:
    """Delete the list with everything noted on it."""
    delete_board(board.id, workspace)
    page.choose_board("")
