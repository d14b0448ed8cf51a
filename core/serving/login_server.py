"""What the gate needs of whoever speaks the login's protocol and the page's: given by the application."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class LoginServer(Protocol):
    """The login of the web framework, and the few messages of its socket that the gate must understand."""

    @property
    def providers(self) -> tuple[str, ...]:
        """Names of the providers to choose from."""

    @property
    def https(self) -> bool:
        """Whether browsers come by https, so that cookies may be kept to it."""

    def claims(self, cookies: Mapping[str, str]) -> Mapping[str, Any] | None:
        """What the identity cookie says, when its signature is right; else None."""

    def start(self, provider: str) -> str:
        """Address at which a login with this provider begins."""

    def is_activity(self, frame: bytes) -> bool:
        """Whether a message from a browser is something a person did (a page that renews itself is not)."""

    def is_refused(self, frame: bytes) -> bool:
        """Whether a message from a browser asks for what nobody may have of this server (to change its settings, to
        empty the caches of all, to install something)."""

    def session_of(self, frame: bytes) -> str:
        """Id of the page session that a message to the browser opens; empty for any other message."""

    def redirect(self, address: str) -> bytes:
        """The message that makes the browser go to another address."""
