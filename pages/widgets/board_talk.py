"""Presentation: one frozen page after another over the whole window, by keys and buttons, without any identifier."""

from __future__ import annotations

import streamlit as st

from core.access.boards import load_board
from core.access.roles import Permission
from core.board.bundle import Frozen, load_frozen
from core.board.talk import FONT_PX, STYLE, place_words
from core.errors import PrognoscopeError
from core.results.board_store import Board, opinions_of
from core.results.workspace import Workspace
from pages.widgets.audited import opened
from pages.widgets.board_list import opinion_form
from pages.widgets.frame import show_error, strip, told_plainly
from pages.widgets.who import may

BOARD, PLACE = "talk_board", "talk_place"
_TO_TOP = "document.querySelector('[data-testid=stMain]').scrollTo(0, 0)"
_LOOK = f"""
{STYLE}
[data-testid="stHeader"], [data-testid="stSidebar"] {{ display: none !important; }}
.stMainBlockContainer {{ max-width: none !important; padding: 22px clamp(20px, 4vw, 70px) 10rem !important; }}
.st-key-talk_keys button p, .st-key-talk_opinion label p, .st-key-talk_opinion textarea,
.st-key-talk_opinion button p, .st-key-talk_opinion .note, .st-key-talk_opinion summary p,
.st-key-talk_opinion [data-testid="stRadio"] p, .st-key-talk_keys p {{ font-size: {FONT_PX}px !important; }}
.st-key-talk_opinion [data-testid="InputInstructions"] {{ display: none; }}
.st-key-talk_keys kbd, .st-key-talk_keys button span {{ font-size: {FONT_PX}px !important; }}
.st-key-talk_keys {{ position: fixed; left: 0; right: 0; bottom: 40px; z-index: 5; width: auto;
  background: var(--pg-ground);
  border-top: 2px solid var(--pg-edge); padding: .45rem clamp(20px, 4vw, 70px); }}
.st-key-talk_keys button {{ min-height: 3.2rem; padding: 0 1.4rem; }}
.research-only {{ font-size: {FONT_PX}px !important; height: 40px !important; line-height: 40px !important; }}
"""


def begin(board_id: str) -> None:
    """Show the first page."""
    st.session_state[BOARD], st.session_state[PLACE] = board_id, 1


def presenting() -> bool:
    """Whether a board is being presented in this session."""
    return bool(st.session_state.get(BOARD))


def talk() -> None:
    """The page at hand, the keys, and the form for what the board says."""
    with told_plainly("Board"):
        strip()
        st.html(f"<style>{_LOOK}</style>")
        workspace = Workspace.default()
        try:
            board = load_board(str(st.session_state[BOARD]), workspace)
            frozen = load_frozen(board.id, workspace)
        except PrognoscopeError as error:
            show_error(error)
            st.button("Back to the list", on_click=_end)
            return
        if frozen is None:
            _end()
            st.rerun()
        _shown(board, frozen, workspace)


def _shown(board: Board, frozen: Frozen, workspace: Workspace) -> None:
    total = len(frozen.pages)
    place = min(max(1, int(st.session_state.get(PLACE, 1))), total)
    st.html(frozen.pages[place - 1])
    # every page begins at its top; the same text is not run again when a note is kept
    st.html(f"<script>/* {place} */ {_TO_TOP}</script>", unsafe_allow_javascript=True)
    with st.container(horizontal=True, gap="medium", vertical_alignment="center", key="talk_keys"):
        st.button("Previous", key="talk_previous", shortcut="Left", disabled=place == 1, on_click=_go,
                  args=(place - 1,))  # fmt: skip
        st.button("Next", key="talk_next", shortcut="Right", disabled=place == total, type="primary", on_click=_go,
                  args=(place + 1,))  # fmt: skip
        st.button("End", key="talk_end", shortcut="Esc", on_click=_end)
        st.markdown(place_words(place, total))
    patient = frozen.patients[place - 1]
    opened(workspace, board.cohort, frozen.run, patient, "board")
    if patient in board.patients and may(Permission.NOTE):
        with st.container(key="talk_opinion"):
            opinion_form(board, patient, opinions_of(board.id, workspace), workspace)


def _go(place: int) -> None:
    st.session_state[PLACE] = place


def _end() -> None:
    st.session_state.pop(BOARD, None)
    st.session_state.pop(PLACE, None)
