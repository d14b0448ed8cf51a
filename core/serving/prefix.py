"""The prefix under which a reverse proxy shows the application (``server.baseUrlPath``): own addresses carry it too."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.routing import BaseRoute, Route

_PREFIX = [""]
"""One a process, set before the first request."""


def set_prefix(base: str) -> None:
    """Take ``base`` ("team/prognoscope", empty for none) as the beginning of every own address."""
    plain = base.strip("/")
    _PREFIX[0] = f"/{plain}" if plain else ""


def prefixed(path: str) -> str:
    """The address of an own route as a browser has to ask for it."""
    return f"{_PREFIX[0]}{path}"


def under_prefix(routes: Sequence[BaseRoute]) -> list[BaseRoute]:
    """The same routes at their addresses with the prefix; the framework puts it before its own routes alone."""
    if not _PREFIX[0]:
        return list(routes)
    found: list[BaseRoute] = []
    for route in routes:
        assert isinstance(route, Route)  # noqa: S101  own routes are nothing else
        found.append(Route(prefixed(route.path), route.endpoint, methods=sorted(route.methods or {"GET"})))
    return found
