"""Who is logged in, and the way out: in the top bar of a dashboard with login."""

from __future__ import annotations

import streamlit as st

from core.access.actor import actor
from pages.widgets.who import has_login


def account() -> None:
    """Name, role, and a button that logs out; nothing without a login."""
    if not has_login():
        return
    who = actor()
    with st.popover(f"{who.user} · {who.role}", key="account"):
        cohorts = "all cohorts" if who.cohorts is None else ", ".join(sorted(who.cohorts)) or "no cohort"
        st.caption(f"You act as {who.role} and may see {cohorts}.")
        if st.button("Log out", key="log_out", type="primary", width="stretch"):
            st.logout()
