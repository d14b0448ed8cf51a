"""Who is at this page: asked by the core whenever something needs a permission."""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.access.actor import NOBODY, Actor, actor, ask_for_actor, operator
from core.access.login import Logins
from core.access.roles import Permission

_login = False


def serve_with(logins: Logins | None) -> None:
    """From now on the core asks the page's session who is acting; None: whoever sits at this machine is."""
    global _login
    _login = logins is not None
    ask_for_actor((lambda: operator("page")) if logins is None else lambda: _at_page(logins))


def has_login() -> bool:
    """Whether people log in here."""
    return _login


def _at_page(logins: Logins) -> Actor:
    """The login that this page's socket was opened with; nobody outside a page."""
    if get_script_run_ctx(suppress_warning=True) is None:
        return NOBODY
    return logins.actor(st.context.cookies)


def may(permission: Permission) -> bool:
    """Whether the person at this page may do this: what may not be done is not offered."""
    return actor().may(permission)
