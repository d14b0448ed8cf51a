"""Board lists as pages change them: with the permission to, and recorded."""

from __future__ import annotations

from collections.abc import Sequence

from core.access.actor import require
from core.access.audit_entry import Action
from core.access.record import record
from core.access.roles import Permission
from core.results import board_store as store
from core.results.board_store import Board, Opinion, Verdict
from core.results.workspace import Workspace


def load_board(board_id: str, workspace: Workspace) -> Board:
    """A list of a cohort that may be seen (:func:`core.results.board_store.load_board`)."""
    board = store.load_board(board_id, workspace)
    require(Permission.READ, (board.cohort,))
    return board


def new_board(name: str, protocol: str, cohort: str, run: str, month: float, workspace: Workspace) -> Board:
    """Begin a list (:func:`core.results.board_store.new_board`)."""
    require(Permission.NOTE, (cohort,))
    record(Action.BOARD_CHANGED, workspace, cohort=cohort, run=run, detail="begun")
    return store.new_board(name, protocol, cohort, run, month, workspace)


def add_patients(board_id: str, patients: Sequence[str], workspace: Workspace) -> Board:
    """Put patients on a list (:func:`core.results.board_store.add_patients`)."""
    _changing(board_id, "patients-added", workspace, count=len(patients))
    return store.add_patients(board_id, patients, workspace)


def order_patients(board_id: str, patients: Sequence[str], workspace: Workspace) -> Board:
    """Reorder or shorten a list (:func:`core.results.board_store.order_patients`)."""
    _changing(board_id, "order", workspace, count=len(patients))
    return store.order_patients(board_id, patients, workspace)


def note_opinion(board_id: str, patient: str, verdict: Verdict, note: str, workspace: Workspace) -> Opinion:
    """Keep what the board said of a patient (:func:`core.results.board_store.note_opinion`)."""
    _changing(board_id, "noted", workspace, patient)
    return store.note_opinion(board_id, patient, verdict, note, workspace)


def delete_board(board_id: str, workspace: Workspace) -> None:
    """Delete a list with everything noted on it: for administrators."""
    board = load_board(board_id, workspace)
    require(Permission.DELETE, (board.cohort,))
    record(Action.DELETE, workspace, cohort=board.cohort, run=board.run, detail="board-list")
    store.delete_board(board_id, workspace)


def check_freezing(board: Board, workspace: Workspace) -> None:
    """Before a list's pages are frozen for the meeting."""
    require(Permission.NOTE, (board.cohort,))
    record(
        Action.BOARD_CHANGED, workspace, cohort=board.cohort, run=board.run, count=len(board.patients), detail="frozen"
    )


def _changing(board_id: str, what: str, workspace: Workspace, patient: str = "", count: int | None = None) -> None:
    board = load_board(board_id, workspace)
    require(Permission.NOTE, (board.cohort,))
    record(
        Action.BOARD_CHANGED, workspace, cohort=board.cohort, run=board.run, patient=patient, count=count, detail=what
    )
