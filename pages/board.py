"""Board: a list of patients for a tumour board, its pages frozen for the meeting, and what the board noted."""

from __future__ import annotations

import streamlit as st

from core.access.roles import Permission
from core.results.board_store import Board, list_boards
from pages.widgets.board_files import files_panel, present_button
from pages.widgets.board_list import choose_list, list_panel, new_list
from pages.widgets.board_talk import presenting, talk
from pages.widgets.data import View
from pages.widgets.html import note, state_box
from pages.widgets.opening import show_page
from pages.widgets.patient_read import with_scoring_runs
from pages.widgets.who import may

WHAT_FOR = (
    "For boards that look back, or that a protocol approves: each list asks for the reference and prints it everywhere."
)


def body(view: View) -> None:
    """The normal state, or an empty one: no run to show estimates of, no list yet."""
    view = with_scoring_runs(view)
    boards = list_boards(view.workspace, view.cohort.name)
    if not boards and view.run is None:
        _no_run(view)
        return
    note(WHAT_FOR)
    if not may(Permission.NOTE):
        _to_read(boards, view)
        return
    if not boards:
        state_box(
            "No list yet",
            ("A board walks through a list of patients. Begin one below; patients are added from any page, or here.",),
            "slight",
        )
        new_list(view, True)
        return
    board = choose_list(view, boards)
    new_list(view, False)
    list_panel(view, board)
    files_panel(view, board)


def _to_read(boards: tuple[Board, ...], view: View) -> None:
    """For who reads alone: the pages frozen for a meeting."""
    if boards:
        present_button(choose_list(view, boards), view.workspace)
    else:
        state_box("No list yet", ("Lists are made by researchers.",), "slight")


def _no_run(view: View) -> None:
    state_box(
        "No run of this cohort yet",
        (
            "A board's pages show the estimates of a trained run: there is none yet.",
            f"On the command line: `./run cli train --cohort {view.cohort.name} --model hdmoe`",
        ),
    )
    if st.button("Go to Train", key="go_train"):
        st.switch_page("train.py")


if presenting():
    talk()
else:
    show_page("Board", body)
