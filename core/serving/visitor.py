"""Which browser is asking, and by which login: what a signed address is good for."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.access.sessions import session_id

COOKIE = "prognoscope_visitor"
_SHORTEST = 32


def visitor_of(cookies: Mapping[str, str]) -> str:
    """The visitor named by a request's or a page's cookies; ``""`` when there is none of the right form.

    Where somebody is logged in it names the login as well: an address that was signed for one person opens nothing for
    the next one at the same browser.
    """
    value = cookies.get(COOKIE, "")
    if not (len(value) >= _SHORTEST and value.isalnum()):
        return ""
    login = session_id(cookies)
    return hashlib.sha256(f"{value}\0{login}".encode()).hexdigest() if login else value


class VisitorCookie:
    """ASGI middleware that gives each browser its own cookie, so that a signed address works only where it was made.

    The cookie is ``HttpOnly`` and ``SameSite=Strict``: no script reads it and no other site can send it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; add the cookie to the answer when the browser brought none."""
        if scope["type"] != "http" or visitor_of(HTTPConnection(scope).cookies):
            await self.app(scope, receive, send)
            return

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                cookie = f"{COOKIE}={secrets.token_hex(16)}; Path=/; HttpOnly; SameSite=Strict"
                MutableHeaders(scope=message).append("set-cookie", cookie)
            await send(message)

        await self.app(scope, receive, send_with_cookie)
