"""The gate before everything the application serves: pages, socket, uploads, media, components and own routes.

Without a login configured it lets in who sits at this machine. With one it lets in a login that this server wrote down
and that lasts, and leaves open only what a login needs and a health check (:data:`OPEN`). What it lets in knows who is
asking: ``scope["prognoscope.actor"]``.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Mapping
from http.cookies import SimpleCookie
from pathlib import PurePosixPath
from urllib.parse import unquote

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.access.actor import Actor, operator
from core.access.audit_entry import Action, Outcome
from core.access.audit_log import AuditError
from core.access.login import Logins
from core.access.record import record
from core.access.refusals import note_refusal
from core.access.roles import Permission, Role
from core.access.sessions import COOKIE, Session, session_id
from core.errors import PrognoscopeError
from core.results.workspace import Workspace
from core.serving import gate_pages
from core.serving.belongings import MEDIA, UPLOAD, Belongings
from core.serving.downloads import announced
from core.serving.gate_local import REFUSAL, not_from_here
from core.serving.gate_socket import Guarded, refuse, send_away
from core.serving.login_server import LoginServer

logger = logging.getLogger(__name__)

ACTOR = "prognoscope.actor"
"""Key of the scope under which a request carries who is asking."""
LOGIN, LOGOUT, CALLBACK = "/login", "/auth/logout", "/oauth2callback"
OPEN = frozenset({"/_stcore/health", "/_stcore/host-config", "/auth/login", CALLBACK, LOGIN})
"""Answered to anybody: that the server is up, and the way to a login. None says anything of a patient or a person."""
_METRICS = "/_stcore/metrics"
_FRAMEWORK = ("/_stcore/", "/static/", "/media/", "/component/")
_FILE_NAME = re.compile(r"""filename\*?=(?:utf-8'')?"?([^";]+)""", re.IGNORECASE)
CONTENT_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' data: blob:; worker-src 'self' blob:; "
    "media-src 'self' data: blob:; frame-src 'self' data: blob:; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'self'"
)
"""What a page may load: from this server alone, whatever a text or a library on it asks for."""


class Gate:
    """ASGI middleware, outermost.

    Parameters
    ----------
    app : ASGI application
    workspace : Workspace
    logins : Logins or None
        None: no login is configured.
    login : LoginServer or None
    base : str
        Prefix of all addresses (``/prognoscope``), empty for none.
    """

    def __init__(
        self, app: ASGIApp, workspace: Workspace, logins: Logins | None = None, login: LoginServer | None = None,
        base: str = "",
    ) -> None:  # fmt: skip
        if (logins is None) != (login is None):
            raise PrognoscopeError("half a login", "the gate", "give the gate both, or neither")
        self.app, self.workspace, self.logins, self.login = app, workspace, logins, login
        self.base = f"/{base.strip('/')}" if base.strip("/") else ""
        self.belongings = Belongings()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request in, or answer it here."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        try:
            if self.logins is None or self.login is None:
                await self._local(scope, receive, send)
            elif scope["type"] == "websocket":
                await self._socket(self.logins, self.login, scope, receive, send)
            else:
                await self._http(self.logins, self.login, scope, receive, send)
        except AuditError as error:
            logger.critical("%s", error)
            await self._say(scope, receive, send, gate_pages.plain(503, str(error)))

    async def _local(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not_from_here(scope, Headers(scope=scope)):
            await self._say(scope, receive, send, gate_pages.plain(403, REFUSAL))
            return
        who = operator("page")
        await self.app({**scope, ACTOR: who}, receive, self._sending(scope, send, who, "local"))

    async def _socket(self, logins: Logins, login: LoginServer, scope: Scope, receive: Receive, send: Send) -> None:
        session = await asyncio.to_thread(self._session, scope)
        if session is None:
            await refuse(send)
            return
        who = await asyncio.to_thread(logins.actor_of, session)
        if session.ended or who.role is Role.NOBODY:
            reason = session.ended or "no-grant"
            await send_away(scope, receive, send, login.redirect(f"{self.base}{LOGIN}?ended={reason}"))
            return
        guarded = Guarded(logins, session, login, self.belongings, f"{self.base}{LOGIN}")
        await guarded.run(self.app, {**scope, ACTOR: who}, receive, send)

    async def _http(self, logins: Logins, login: LoginServer, scope: Scope, receive: Receive, send: Send) -> None:
        path = self._path(scope)
        request = Request(scope)
        if path == LOGIN:
            await self._login_page(login, request)(scope, receive, send)
        elif path == CALLBACK:
            await self.app(scope, receive, self._logging_in(logins, login, request, send))
        elif path == LOGOUT:
            await asyncio.to_thread(logins.end, request.cookies)
            self.belongings.forget(session_id(request.cookies))
            await self.app(scope, receive, self._sending(scope, send, None, ""))
        elif path in OPEN:
            await self.app(scope, receive, self._sending(scope, send, None, ""))
        else:
            await self._behind(logins, scope, receive, send, path)

    async def _behind(self, logins: Logins, scope: Scope, receive: Receive, send: Send, path: str) -> None:
        session = await asyncio.to_thread(self._session, scope)
        if session is None or session.ended:
            await self._to_login(scope, session.ended if session is not None else "")(scope, receive, send)
            return
        who = await asyncio.to_thread(logins.actor_of, session)
        if who.role is Role.NOBODY:
            await gate_pages.no_grant_page(self.base, session.user)(scope, receive, send)
            return
        if not self._theirs(session, who, path):
            await asyncio.to_thread(note_refusal, self.workspace, who, "file-of-another")
            await gate_pages.refused(403, "this is not yours", "open the page again")(scope, receive, send)
            return
        if not path.startswith(_FRAMEWORK) or path.startswith(UPLOAD):
            logins.sessions.touch(session.id)
        await self.app({**scope, ACTOR: who}, receive, self._sending(scope, send, who, session.id))

    def _theirs(self, session: Session, who: Actor, path: str) -> bool:
        """Whether what Streamlit would give to anybody who knows the address was meant for this login."""
        if path.startswith((MEDIA, UPLOAD)):
            return self.belongings.has(session.id, path)
        return path != _METRICS or who.may(Permission.OPERATE)

    def _session(self, scope: Scope) -> Session | None:
        """The login behind a request: its cookie is signed by us **and** was written down."""
        assert self.logins is not None  # noqa: S101
        assert self.login is not None  # noqa: S101
        cookies = HTTPConnection(scope).cookies
        if COOKIE not in cookies:
            return None
        found = self.logins.find(cookies) if self.login.claims(cookies) is not None else None
        if found is None:
            note_refusal(self.workspace, None, "unknown-cookie")
        return found

    def _path(self, scope: Scope) -> str:
        path = unquote(scope["path"])
        return path[len(self.base) :] if self.base and path.startswith(f"{self.base}/") else path

    def _login_page(self, login: LoginServer, request: Request) -> Response:
        asked = request.query_params.get("with", "")
        if asked in login.providers:
            return RedirectResponse(login.start(asked), 303, headers={"Cache-Control": "no-store"})
        return gate_pages.login_page(self.base, login.providers, request.query_params.get("ended", ""))

    def _to_login(self, scope: Scope, ended: str) -> Response:
        headers = Headers(scope=scope)
        if scope["method"] == "GET" and "text/html" in headers.get("accept", ""):
            query = f"?ended={ended}" if ended in gate_pages.ENDED else ""
            return RedirectResponse(f"{self.base}{LOGIN}{query}", 303, headers={"Cache-Control": "no-store"})
        return gate_pages.refused(401, "nobody is logged in", "log in")

    async def _say(self, scope: Scope, receive: Receive, send: Send, answer: Response) -> None:
        if scope["type"] == "websocket":
            await refuse(send)
        else:
            await answer(scope, receive, send)

    def _logging_in(self, logins: Logins, login: LoginServer, request: Request, send: Send) -> Send:
        """Write down the login that an answer of the callback makes."""

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = _cookies_given(Headers(raw=message["headers"]).getlist("set-cookie"))
                claims = login.claims(given) if given.get(COOKIE) else None
                if claims is not None:
                    await asyncio.to_thread(logins.begin, given, claims, request.cookies)
                else:
                    await asyncio.to_thread(logins.failed)
                self._harden(message, request.scope)
            await send(message)

        return sent

    def _sending(self, scope: Scope, send: Send, who: Actor | None, owner: str) -> Send:
        """Harden every answer, and record a file that a page gave out before its first byte leaves."""

        refused = False

        async def sent(message: Message) -> None:
            nonlocal refused
            if message["type"] == "http.response.start":
                if who is not None and self._path(scope).startswith(MEDIA) and _is_download(message):
                    refused = not await asyncio.to_thread(self._may_download, message, who, scope["method"])
                    if refused:
                        answer = gate_pages.refused(403, "your role takes nothing out", "ask an administrator")
                        await answer(scope, _nothing, send)
                self._harden(message, scope)
            if not refused:
                await send(message)

        return sent

    def _may_download(self, message: Message, who: Actor, method: str) -> bool:
        """Record that a file leaves, or that it does not: the role must allow it, whatever a page offered."""
        if not who.may(Permission.EXPORT):
            note_refusal(self.workspace, who, "export")
            return False
        if method != "GET":
            return True
        found = _FILE_NAME.search(Headers(raw=message["headers"])["content-disposition"])
        name = unquote(found.group(1)) if found is not None else ""
        about = announced(who.user, name)
        kind = PurePosixPath(name).suffix.lstrip(".").lower()
        record(
            Action.EXPORT, self.workspace, Outcome.DONE, cohort=about.cohort, run=about.run, patient=about.patient,
            detail=kind, who=who,
        )  # fmt: skip
        return True

    def _harden(self, message: Message, scope: Scope) -> None:
        headers = MutableHeaders(raw=message["headers"])
        path = self._path(scope)
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("Referrer-Policy", "same-origin")
        if not path.startswith("/static/") and not path.startswith("/library/"):
            headers.setdefault("Cache-Control", "private, no-store")
        if headers.get("content-type", "").startswith("text/html"):
            headers["Cache-Control"] = "private, no-store"
            headers.setdefault("Content-Security-Policy", CONTENT_POLICY)
        if path.startswith(MEDIA):  # a file of a page is never a page itself
            headers.setdefault("Content-Security-Policy", "sandbox; default-src 'none'; style-src 'unsafe-inline'")
        if self.login is not None and self.login.https:
            headers.setdefault("Strict-Transport-Security", "max-age=31536000")
            message["headers"] = [
                (name, value + b"; Secure" if name == b"set-cookie" and b"; secure" not in value.lower() else value)
                for name, value in message["headers"]
            ]


def _is_download(message: Message) -> bool:
    given = Headers(raw=message["headers"]).get("content-disposition", "")
    return message["status"] < 400 and given.startswith("attachment")


async def _nothing() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


def _cookies_given(lines: list[str]) -> Mapping[str, str]:
    """The cookies that an answer leaves in the browser; one it takes away is not among them."""
    found: dict[str, str] = {}
    for line in lines:
        for name, morsel in SimpleCookie(line).items():
            if morsel.value and morsel["max-age"] != "0":
                found[name] = morsel.value
            else:
                found.pop(name, None)
    return found
