"""The ASGI application: the pages, the own routes behind their token check, nothing else."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.middleware import Middleware

from core.jobs.supervise import keep_watch
from core.results.workspace import Workspace
from core.serving.routes import routes
from core.serving.visitor import VisitorCookie
from pages.widgets.frame import tell_unknown

ROOT = Path(__file__).resolve().parent


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[dict[str, Any]]:
    """Silence the access log: it would write every address with its token. Keep a worker at unfinished jobs."""
    logging.getLogger("uvicorn.access").disabled = True
    watch = asyncio.create_task(keep_watch(Workspace.default()))
    yield {}
    watch.cancel()


app = st.App(
    ROOT / "pages" / "main.py",
    routes=routes(),
    middleware=[Middleware(VisitorCookie)],
    lifespan=lifespan,
    on_script_error=tell_unknown,
)

if __name__ == "__main__":
    app.run()
