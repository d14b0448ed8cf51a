"""The head of a page: its title and, where people log in, who is there and the way out."""

from __future__ import annotations

import streamlit as st

from core.access.actor import actor
from pages.widgets.who import has_login


def headed(title: str) -> None:
    """The title; beside it, in a dashboard with login, name and role, and a button that logs out."""
    if not has_login():
        st.title(title)
        return
    who = actor()
    with st.container(horizontal=True, vertical_alignment="center", key="page_head"):
        st.title(title, width="content")
        st.space("stretch")
        with st.popover(f"{who.user} · {who.role}", key="account"):
            cohorts = "all cohorts" if who.cohorts is None else ", ".join(sorted(who.cohorts)) or "no cohort"
            st.markdown(f"You act as **{who.role}** and may see {cohorts}.")
            if st.button("Log out", key="log_out", type="primary", width="stretch"):
                st.logout()
