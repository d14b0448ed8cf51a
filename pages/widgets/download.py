"""A button that takes a file out of the application: for who may, made in their name, recorded with its fetching."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.access.actor import acting, actor
from core.access.roles import Permission
from core.serving.downloads import About, announce
from pages.widgets import state as page


def download_button(
    label: str, data: str | bytes | Callable[[], str | bytes], file_name: str, mime: str | None = None,
    *, patient: str = "", **more: Any,
) -> None:  # fmt: skip
    """As ``st.download_button``, for the roles that may export; nothing is drawn for others.

    ``patient`` is the pseudonym that the file is about, empty for a file about many. What is made on a click is made
    in the name of who sees the button: Streamlit makes it outside of any page.
    """
    who = actor()
    if not who.may(Permission.EXPORT):
        return
    about = About(page.current().cohort, page.current().run, patient)
    announce(who.user, file_name, about)

    def made() -> str | bytes:
        announce(who.user, file_name, about)  # another page of this person may have offered a file of this name since
        with acting(who):
            return data() if callable(data) else data

    st.download_button(label, made if callable(data) else data, file_name, mime, **more)
