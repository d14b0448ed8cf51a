"""Every own route of the application, in one list; each file adds those it makes."""

from __future__ import annotations

from starlette.routing import BaseRoute

from core.serving import exports, heat_maps, libraries, slide_tiles, volumes


def routes() -> list[BaseRoute]:
    """Downloads, viewer libraries, slides, maps over them, and scans."""
    parts = (exports, libraries, slide_tiles, heat_maps, volumes)
    return [route for part in parts for route in part.routes()]
