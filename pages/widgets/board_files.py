"""What leaves a board: frozen pages for the meeting, a report a patient, and what was noted."""

from __future__ import annotations

from functools import partial

import streamlit as st

from core.access.boards import check_freezing
from core.access.roles import Permission
from core.board.bundle import Frozen, bundle_zip, freeze, load_frozen
from core.board.opinions_export import opinions_csv, opinions_json
from core.board.report_content import ReportContent
from core.board.report_html import report_html
from core.board.report_pdf import report_pdf
from core.cohort.wording import plural
from core.errors import PrognoscopeError
from core.results.board_store import Board, latest, opinions_of
from core.results.workspace import Workspace
from pages.widgets.board_list import remove_list
from pages.widgets.board_read import content_of, sources_of
from pages.widgets.board_talk import begin
from pages.widgets.data import View
from pages.widgets.download import download_button
from pages.widgets.frame import show_error
from pages.widgets.html import note
from pages.widgets.who import may


def files_panel(view: View, board: Board) -> None:
    """Meeting, report of the chosen patient, notes, deletion."""
    if board.patients:
        _meeting(board, view.workspace)
        _report(board, view.workspace)
    _notes(board, view.workspace)
    if not may(Permission.DELETE):
        return
    with st.expander("Delete this list"):
        st.caption("The list and everything noted on it are removed; patients and runs stay.")
        st.button("Delete the list", key="board_delete", on_click=partial(remove_list, board, view.workspace))


def present_button(board: Board, workspace: Workspace) -> None:
    """The frozen pages, to be shown and not changed."""
    if _frozen(board, workspace) is None:
        note("Nothing was frozen for a meeting yet.")
    else:
        st.button("Present", key="board_present", type="primary", on_click=partial(begin, board.id))


def _meeting(board: Board, workspace: Workspace) -> None:
    """Freeze, present, take along."""
    st.header("For the meeting")
    frozen = _frozen(board, workspace)
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="board_meeting"):
        pressed = st.button("Freeze the pages" if frozen is None else "Freeze again", key="board_freeze",
                            type="primary" if frozen is None else "secondary")  # fmt: skip
        if pressed and _freeze(board, workspace):
            st.rerun()
        if frozen is not None:
            st.button("Present", key="board_present", type="primary", on_click=partial(begin, board.id))
            download_button(
                "Offline bundle (zip)", partial(bundle_zip, board.id, workspace), "board.zip", "application/zip",
                key="board_zip", on_click="ignore",
            )  # fmt: skip
    if frozen is None:
        note("Pages without any identifier, in large type. What the meeting sees is what was frozen before it.")
        return
    if (frozen.patients, frozen.run, frozen.month) != (board.patients, board.run, board.month):
        note("The list was changed after these pages were frozen.", warn=True)
    note(f"{plural(len(frozen.pages), 'page')} frozen, manifest SHA-256 {frozen.sha256[:16]} …; the bundle opens in "
         "any browser without a network: index.html, then the arrow keys.")  # fmt: skip


def _frozen(board: Board, workspace: Workspace) -> Frozen | None:
    try:
        return load_frozen(board.id, workspace)
    except PrognoscopeError as error:
        show_error(error)
        return None


def _freeze(board: Board, workspace: Workspace) -> Frozen | None:
    bar = st.progress(0.0, "Freezing the pages")
    try:
        check_freezing(board, workspace)
        return freeze(board, sources_of(board, workspace), lambda done, of: _show(bar, done, of))
    except PrognoscopeError as error:
        show_error(error)
        return None
    finally:
        bar.empty()


def _show(bar: st.delta_generator.DeltaGenerator, done: int, of: int) -> None:
    bar.progress(done / of, f"{done} of {of} pages")


def _report(board: Board, workspace: Workspace) -> None:
    """One click: the chosen patient's report."""
    patient = str(st.session_state.get("board_patient", board.patients[0]))
    if patient not in board.patients:
        return
    st.header("Report of the chosen patient")
    place = board.patients.index(patient) + 1
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        for words, kind, media, make in (
            ("PDF", "pdf", "application/pdf", _pdf), ("HTML", "html", "text/html", _html)
        ):  # fmt: skip
            download_button(
                f"Report as {words}", partial(make, board, patient, workspace), f"report-{place}.{kind}", media,
                key=f"report_{kind}", on_click="ignore", patient=patient,
            )  # fmt: skip
    note("Holds the pseudonym, never an original id; the file's name says the place on the list alone.")


def _content(board: Board, patient: str, workspace: Workspace) -> ReportContent:
    found = content_of(board, patient, workspace)
    return found.with_opinion(latest(opinions_of(board.id, workspace), patient))


def _pdf(board: Board, patient: str, workspace: Workspace) -> bytes:
    return report_pdf(_content(board, patient, workspace))


def _html(board: Board, patient: str, workspace: Workspace) -> str:
    return report_html(_content(board, patient, workspace))


def _notes(board: Board, workspace: Workspace) -> None:
    """What the board noted, for others to count."""
    opinions = opinions_of(board.id, workspace)
    if not opinions:
        return
    st.header("What the board noted")
    with st.container(horizontal=True, gap="small"):
        download_button("Notes as CSV", opinions_csv(board, opinions), "board-notes.csv", "text/csv",
                           key="notes_csv", on_click="ignore")  # fmt: skip
        download_button("Notes as JSON", opinions_json(board, opinions), "board-notes.json", "application/json",
                           key="notes_json", on_click="ignore")  # fmt: skip
    note(f"{plural(len(opinions), 'note')}, each with its time; earlier ones are kept. No model is ever fed with them.")
