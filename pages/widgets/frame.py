"""What stands around every page: look, strip, and the plain sentence an unknown failure becomes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from html import escape

import streamlit as st

from core.care.error_log import note_error
from core.errors import PrognoscopeError
from core.results.trouble import disk_trouble
from core.results.workspace import Workspace
from pages.widgets.html import state_box
from pages.widgets.look import look

STRIP = "<b>Research use only.</b> Not a medical device; not for diagnosis or treatment decisions."


def strip(synthetic_title: str = "") -> None:
    """The look and the fixed strip; ``synthetic_title`` names a cohort of generated patients."""
    look()
    mark = f'<span class="synthetic">Synthetic patients: {escape(synthetic_title)}</span>' if synthetic_title else ""
    st.html(f'<div class="research-only" role="note">{STRIP}{mark}</div>')


@contextmanager
def loading(what: str) -> Iterator[None]:
    """The loading state: a sentence and grey shapes until the block is done."""
    place = st.empty()
    with place.container():
        st.caption(f"{what} …")
        st.skeleton(height=56)
        st.skeleton(height=360)
    try:
        yield
    except Exception:
        place.empty()
        raise
    place.empty()


@contextmanager
def told_plainly(where: str) -> Iterator[None]:
    """The error state: a known failure in its own sentence, an unknown one as an id whose trace is in the log."""
    try:
        yield
    except PrognoscopeError as error:
        show_error(error)
    except Exception as error:  # noqa: BLE001  the last resort: an id for the person, the trace for the log
        _tell(error, where)


def tell_unknown(error: Exception) -> bool:
    """The same for a failure outside a page's body (a click's callback); True: nothing else is shown for it."""
    if isinstance(error, PrognoscopeError):
        show_error(error)
    else:
        _tell(error, "a click")
    return True


def _tell(error: Exception, where: str) -> None:
    """A full disk or a refused write in its own sentence; all else by an id, under which the log has the trace."""
    trouble = disk_trouble(error)
    if trouble is not None:
        show_error(trouble)
        return
    error_id = note_error(error, where, Workspace.default())
    state_box(
        "Something went wrong here",
        (
            "Nothing was changed. The rest of the application keeps working.",
            f"Error id `{error_id}`: the System page lists it, the workspace's own log has the details.",
        ),
        "error",
    )


def show_error(error: PrognoscopeError) -> None:
    """A failure the reader can act on: what was found, where, what to do."""
    found = error.found[:1].upper() + error.found[1:]
    state_box(found, (f"Where: {error.where}.", f"What to do: {error.fix}."), "error")
