"""Every own route of the application, in one list; each file adds those it makes."""

from __future__ import annotations

from starlette.routing import BaseRoute

from core.serving import exports, libraries, volumes


def routes() -> list[BaseRoute]:
    """Downloads, viewer libraries and scans."""
    return [*exports.routes(), *libraries.routes(), *volumes.routes()]
