"""Without a login the dashboard answers one person: who sits at this machine."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.types import Scope

from core.access.settings import is_this_machine

_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
REFUSAL = (
    "This dashboard has no login configured and answers only a browser on the machine it runs on: configure a login "
    "in .streamlit/secrets.toml to serve it to others."
)


def not_from_here(scope: Scope, headers: Mapping[str, str]) -> bool:
    """Whether a request came from elsewhere: over another interface, from another machine, through a proxy, or by a
    page of another site whose name was made to point here (its ``Host`` tells)."""
    listening, client = scope.get("server"), scope.get("client")
    if listening is not None and not is_this_machine(str(listening[0])):
        return True
    if client is not None and not is_this_machine(str(client[0])):
        return True
    if any(name in headers for name in _FORWARDED):
        return True
    try:
        name = urlsplit(f"//{headers.get('host', '')}").hostname
    except ValueError:  # half an IPv6 address
        return True
    return not is_this_machine(name or "")
