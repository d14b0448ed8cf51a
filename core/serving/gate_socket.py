"""The page's socket behind the gate: opened for a login that lasts, closed with it, its session nobody else's."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.access.login import Logins
from core.access.roles import Role
from core.access.sessions import Session
from core.serving.belongings import Belongings
from core.serving.login_server import LoginServer

LOOK_SECONDS = 1.0
POLICY = 1008
_SESSION = "session:"


async def refuse(send: Send) -> None:
    """Close before anything was said."""
    await send({"type": "websocket.close", "code": POLICY})


async def send_away(scope: Scope, receive: Receive, send: Send, frame: bytes) -> None:
    """Tell a page whose login is over to go to the login, and close: nothing of it stays on the screen."""
    await receive()  # websocket.connect
    offered = scope.get("subprotocols") or []
    await send({"type": "websocket.accept", "subprotocol": offered[0] if offered else None})
    await send({"type": "websocket.send", "bytes": frame})
    await send({"type": "websocket.close", "code": POLICY})


def without_foreign_session(scope: Scope, owner: str, belongings: Belongings) -> Scope:
    """The scope without the wish to go on with a page session that is not the owner's.

    The wish is the third word of ``Sec-WebSocket-Protocol``; without it a new page session begins.
    """
    headers: list[tuple[bytes, bytes]] = []
    for name, value in scope["headers"]:
        words = [w.strip() for w in value.decode("latin-1").split(",")]
        if name == b"sec-websocket-protocol" and len(words) > 2 and not belongings.has(owner, _SESSION + words[2]):
            headers.append((name, ", ".join(words[:2]).encode("latin-1")))
        else:
            headers.append((name, value))
    return {**scope, "headers": headers}


class Guarded:
    """One socket of a login."""

    def __init__(self, logins: Logins, session: Session, login: LoginServer, belongings: Belongings, away: str) -> None:
        self.logins, self.session, self.login, self.belongings, self.away = logins, session, login, belongings, away
        self.known = False

    async def run(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve it until the browser or the login ends."""
        scope = without_foreign_session(scope, self.session.id, self.belongings)
        over = asyncio.Event()
        watch = asyncio.create_task(self._watch(over, send))
        try:
            await app(scope, self._receiving(receive, over), self._sending(send, over))
        finally:
            watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watch

    def _receiving(self, receive: Receive, over: asyncio.Event) -> Callable[[], Awaitable[Message]]:
        async def received() -> Message:
            """The next message that may be passed on; a disconnect once the login is over."""
            while True:
                message = await self._next(receive, over)
                frame = message.get("bytes")
                if message["type"] != "websocket.receive" or not frame:
                    return message
                if self.login.is_refused(frame):
                    continue
                if self.login.is_activity(frame):
                    self.logins.sessions.touch(self.session.id)
                return message

        return received

    async def _next(self, receive: Receive, over: asyncio.Event) -> Message:
        waiting = asyncio.ensure_future(receive())
        ended = asyncio.ensure_future(over.wait())
        try:
            await asyncio.wait({waiting, ended}, return_when=asyncio.FIRST_COMPLETED)
            if over.is_set() or not waiting.done():
                return {"type": "websocket.disconnect", "code": POLICY}
            return waiting.result()
        finally:
            ended.cancel()
            waiting.cancel()

    def _sending(self, send: Send, over: asyncio.Event) -> Send:
        async def sent(message: Message) -> None:
            if over.is_set():
                return
            frame: Any = message.get("bytes")
            if message["type"] == "websocket.send" and frame:
                if not self.known:
                    session = self.login.session_of(frame)
                    if session:
                        self.belongings.add(self.session.id, _SESSION + session)
                        self.known = True
                self.belongings.learn(self.session.id, frame)
            await send(message)

        return sent

    async def _watch(self, over: asyncio.Event, send: Send) -> None:
        """Look whether the login lasts; when not, the page goes to the login and the socket closes."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            reason = await asyncio.to_thread(self._ended)
            if reason:
                over.set()
                self.belongings.forget(self.session.id)
                with contextlib.suppress(RuntimeError):  # the browser left in this moment
                    await send({"type": "websocket.send", "bytes": self.login.redirect(f"{self.away}?ended={reason}")})
                    await send({"type": "websocket.close", "code": POLICY})
                return

    def _ended(self) -> str:
        session = self.logins.sessions.get(self.session.id)
        if session is None:
            return "logged-out"
        if session.ended:
            return session.ended
        return "no-grant" if self.logins.actor_of(session).role is Role.NOBODY else ""
