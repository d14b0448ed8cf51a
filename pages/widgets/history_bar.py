"""Undo, Redo and the history in the top bar of every page; each earlier state can be returned to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from core.errors import PrognoscopeError
from core.results.trail import Step, Trail
from core.results.workspace import Workspace
from pages.widgets import state as page
from pages.widgets.data import View
from pages.widgets.guide import guide_button
from pages.widgets.history_export import methods_panel
from pages.widgets.html import note

SHOWN = 25
UNDO_KEYS, REDO_KEYS = "Alt+Z", "Alt+Shift+Z"
"""Not Ctrl+Z: that undoes typing in the box one is in."""
FAILED = "history_failed"


def history_bar(view: View) -> None:
    """The two buttons and the list; the list is made only while it is open."""
    trail = page.trail()
    with st.container(horizontal=True, gap="xsmall", width="content", vertical_alignment="center", key="history_bar"):
        _button("Undo", trail, trail.back, "undo", UNDO_KEYS, view.workspace)
        _button("Redo", trail, trail.forward, "redo", REDO_KEYS, view.workspace)
        guide_button(view)
        shown = st.popover("History", key="history", on_change="rerun", help="What was done in this session.")
        if shown.open:
            with shown:
                _list(view, trail)
                methods_panel(view, trail)
    if words := st.session_state.pop(FAILED, ""):
        st.warning(words)


def _button(words: str, trail: Trail, place: int | None, key: str, keys: str, workspace: Workspace) -> None:
    """Undo names what it takes back, Redo what it does again."""
    about = None if place is None else trail.steps[trail.place if key == "undo" else place].words
    st.button(
        words, key=key, disabled=place is None, shortcut=keys, help=about and f"{words}: {about}", type="tertiary",
        on_click=partial(_step, key, workspace),
    )  # fmt: skip


def _step(key: str, workspace: Workspace) -> None:
    """One step from where the history is when the button is pressed: the page may still be drawing an earlier one."""
    trail = page.trail()
    _return(trail.back if key == "undo" else trail.forward, workspace)


def _return(place: int | None, workspace: Workspace) -> None:
    if place is None:
        return
    try:
        page.return_to(place, workspace)
    except PrognoscopeError as error:
        st.session_state[FAILED] = f"{error.found[:1].upper()}{error.found[1:]}: {error.fix}."


def _list(view: View, trail: Trail) -> None:
    st.markdown("**What was done** (the latest first)")
    if not trail.steps:
        note("Nothing yet.")
        return
    clock, done = _clock(), set(trail.path)
    latest = range(len(trail.steps) - 1, -1, -1)[:SHOWN]
    with st.container(key="history_steps", gap="xxsmall"):
        for index in latest:
            _row(trail, index, index in done, clock, view.workspace)
    if len(trail.steps) > SHOWN:
        note(f"{len(trail.steps) - SHOWN} older ones are in the methods text.")


def _row(trail: Trail, index: int, done: bool, clock: Callable[[Step], str], workspace: Workspace) -> None:
    step = trail.steps[index]
    who = f" · {step.patient}" if step.patient else ""
    state = " · you are here" if index == trail.place else "" if done else " (undone)"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.text(f"{clock(step)}  {step.words}{who}{state}", width="stretch")
        if index != trail.place and not step.event:
            st.button("Return", key=f"return_{index}", help=f"Return to {step.words}", type="tertiary",
                      on_click=partial(_return, index, workspace))  # fmt: skip


def _clock() -> Callable[[Step], str]:
    """The time of a step where the reader is; UTC, said so, where the browser does not tell."""
    try:
        zone = ZoneInfo(str(st.context.timezone))
    except (ZoneInfoNotFoundError, ValueError):
        return lambda step: f"{datetime.fromisoformat(step.at).astimezone(UTC):%H:%M} UTC"
    return lambda step: f"{datetime.fromisoformat(step.at).astimezone(zone):%H:%M}"
