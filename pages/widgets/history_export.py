"""The history as a methods section: Markdown or plain text, without pseudonyms unless they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from core.access.roles import Permission
from core.analysis.methods_text import Session, methods_markdown, methods_plain
from core.analysis.outcome import Outcome, make_outcome
from core.errors import PrognoscopeError
from core.results.trail import Trail
from pages.widgets.data import View
from pages.widgets.download import download_button
from pages.widgets.history_words import phenotyping_words
from pages.widgets.html import note
from pages.widgets.who import may

NAMED = "methods_named"


def methods_panel(view: View, trail: Trail) -> None:
    """The two files, for who may export, and what goes into them; each is made only when its button is pressed."""
    if not may(Permission.EXPORT):
        return
    st.markdown("**As methods text**")
    note("Cohort, selection with counts, outcome, run, statistics and the steps above, in sentences.")
    named = st.checkbox("Name the patients by their pseudonyms", key=NAMED, value=False)
    session = session_of(view, trail)
    with st.container(horizontal=True, gap="small"):
        _file("Markdown", "md", partial(methods_markdown, session, named))
        _file("Plain text", "txt", partial(methods_plain, session, named))


def _file(words: str, extension: str, text: Callable[[], str]) -> None:
    download_button(words, text, f"methods.{extension}", key=f"methods_{extension}", on_click="ignore")


def session_of(view: View, trail: Trail) -> Session:
    """What the text speaks of, as the page shows it now."""
    state, outcome, reason = view.state, None, ""
    try:
        outcome = _outcome(view)
    except PrognoscopeError as error:
        reason = error.found
    return Session(
        view.cohort, view.run, view.selected, state.endpoint, outcome, reason, state.options.competing_as,
        state.options.landmark, state.options.group_by, state.options.survival, trail,
        phenotyping_words(state.phenotyping) if state.phenotyping.by and view.run is not None else "",
    )  # fmt: skip


def _outcome(view: View) -> Outcome:
    options = view.state.options
    return make_outcome(view.cohort, view.rows, view.state.endpoint, options.competing_as, options.landmark)
