"""The ASGI application: the gate, the pages, the own routes behind their token check, nothing else."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.middleware import Middleware

from core.access.login import Logins
from core.care.server_lock import hold_workspace
from core.errors import PrognoscopeError
from core.jobs.supervise import keep_watch
from core.results.workspace import Workspace
from core.serving.gate import Gate
from core.serving.prefix import set_prefix, under_prefix
from core.serving.routes import routes
from core.serving.visitor import VisitorCookie
from pages.widgets.frame import tell_unknown
from pages.widgets.inert_markdown import install as make_markdown_inert
from pages.widgets.login import StreamlitLogin, access_settings, base_path, checked_auth
from pages.widgets.warm_up import load_pages
from pages.widgets.who import serve_with

ROOT = Path(__file__).resolve().parent


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[dict[str, Any]]:
    """Silence the access log: it would write every address with its token. Keep a worker at unfinished jobs; load the
    pages before the first visitor asks."""
    logging.getLogger("uvicorn.access").disabled = True
    try:
        held = hold_workspace(Workspace.default())
    except PrognoscopeError as error:
        sys.stderr.write(f"Not started: {error}\n")
        sys.stderr.flush()
        os._exit(1)  # the server would print a trace of its own otherwise
    watch = asyncio.create_task(keep_watch(Workspace.default()))
    warming = asyncio.create_task(asyncio.to_thread(load_pages))
    yield {}
    watch.cancel()
    warming.cancel()
    if held is not None:
        held.release()


def gate() -> Middleware:
    """The check before everything; where it cannot be made, one sentence says why and nothing is served."""
    try:
        auth = checked_auth()
        login = StreamlitLogin(auth) if auth else None
        several = login is not None and len(login.providers) > 1
        logins = Logins.of(Workspace.default(), access_settings(), several) if login is not None else None
    except PrognoscopeError as error:
        sys.exit(f"Not started: {error}")
    serve_with(logins)
    return Middleware(Gate, workspace=Workspace.default(), logins=logins, login=login, base=base_path())


make_markdown_inert()
set_prefix(base_path())
app = st.App(
    ROOT / "pages" / "main.py",
    routes=under_prefix(routes()),
    middleware=[gate(), Middleware(VisitorCookie)],
    lifespan=lifespan,
    on_script_error=tell_unknown,
)

if __name__ == "__main__":
    app.run()
