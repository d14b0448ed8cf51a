"""What stands around every page: look, strip, and the plain sentence an unknown failure becomes."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape

import streamlit as st

from core.errors import PrognoscopeError
from pages.widgets.html import state_box
from pages.widgets.look import look

logger = logging.getLogger(__name__)

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
    except Exception:
        error_id = secrets.token_hex(4)
        logger.exception("Error %s on %s", error_id, where)
        _unknown(error_id)


def tell_unknown(error: Exception) -> bool:
    """The same for a failure outside a page's body (a click's callback); True: nothing else is shown for it."""
    error_id = secrets.token_hex(4)
    logger.error("Error %s outside a page's body", error_id, exc_info=error)
    _unknown(error_id)
    return True


def _unknown(error_id: str) -> None:
    state_box(
        "Something went wrong here",
        (
            "Nothing was changed. The rest of the application keeps working.",
            f"Error id `{error_id}`: the log of the server says more under this id.",
        ),
        "error",
    )


def show_error(error: PrognoscopeError) -> None:
    """A failure the reader can act on: what was found, where, what to do."""
    found = error.found[:1].upper() + error.found[1:]
    state_box(found, (f"Where: {error.where}.", f"What to do: {error.fix}."), "error")
