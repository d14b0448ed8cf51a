"""What the Board page reads, remembered for the session that read it."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from core.board.report_content import ReportContent, report_content
from core.board.sources import ReportSources, read_sources
from core.results.board_store import Board
from core.results.files import MANIFEST
from core.results.workspace import Workspace


def sources_of(board: Board, workspace: Workspace) -> ReportSources:
    """Run, cohort and predictions of a board, read once a session and again when either was stored anew."""
    stamps = [
        path.stat().st_mtime_ns if path.is_file() else 0
        for path in (workspace.cohort(board.cohort) / MANIFEST, workspace.run(board.run) / MANIFEST)
    ]
    support = len(list(workspace.predictions.glob("*"))) if workspace.predictions.is_dir() else 0
    return _sources(str(workspace.root), board.run, board.cohort, repr((stamps, support)))


@st.cache_resource(scope="session", show_spinner=False, max_entries=2)
def _sources(root: str, run: str, cohort: str, stamp: str) -> ReportSources:
    return read_sources(run, cohort, Workspace(Path(root)))


def content_of(board: Board, patient: str, workspace: Workspace) -> ReportContent:
    """A patient's report under the board's protocol."""
    return report_content(sources_of(board, workspace), patient, board.month, board.protocol)
