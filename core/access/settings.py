"""How people log in, as the section ``[access]`` of ``.streamlit/secrets.toml`` says, and what is refused at start."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from core.access.roles import Role
from core.errors import PrognoscopeError

WHERE = "[access] of .streamlit/secrets.toml"
SHORTEST_SECRET = 32


@dataclass(frozen=True)
class AccessSettings:
    """Rules for who is logged in.

    Parameters
    ----------
    idle_minutes : float
        Without a click for so long, a session ends.
    longest_hours : float
        A session ends after so long in any case.
    user_claim : str
        Claim of the login provider that names the person in grants and in the audit log.
    role_claim : str
        Claim (``a.b`` for a claim within a claim) that holds one role or a list; empty: roles come from the grants.
    roles : mapping of claim value to Role
    cohorts : frozenset of str, or None
        Cohorts of whoever has a role by a claim and no entry in the grants; None = all.
    """

    idle_minutes: float = 15.0
    longest_hours: float = 12.0
    user_claim: str = "email"
    role_claim: str = ""
    roles: Mapping[str, Role] = field(default_factory=dict)
    cohorts: frozenset[str] | None = frozenset()

    @classmethod
    def from_mapping(cls, value: Mapping[str, Any]) -> AccessSettings:
        """From the section as it was read; raises for an unknown key or a value that makes no sense."""
        known = {"idle_minutes", "longest_hours", "user_claim", "role_claim", "roles", "cohorts"}
        unknown = sorted(set(value) - known)
        if unknown:
            raise PrognoscopeError(f"unknown setting {unknown[0]!r}", WHERE, f"use {', '.join(sorted(known))}")
        try:
            roles = {str(k): Role(v) for k, v in dict(value.get("roles", {})).items()}
            idle, longest = float(value.get("idle_minutes", 15)), float(value.get("longest_hours", 12))
        except (TypeError, ValueError) as error:
            raise PrognoscopeError("a setting that makes no sense", WHERE, "see secrets.example.toml") from error
        if not (0 < idle <= 24 * 60 and 0 < longest <= 24 * 30):
            raise PrognoscopeError("a time limit that makes no sense", WHERE, "use minutes above 0, at most 1440")
        named = value.get("cohorts", [])
        return cls(
            idle, longest, str(value.get("user_claim", "email")), str(value.get("role_claim", "")), roles,
            None if "*" in list(named) else frozenset(str(c) for c in named),
        )  # fmt: skip

    def user_of(self, claims: Mapping[str, Any], several_providers: bool = False) -> str:
        """The person's name; empty when the claim is missing or an e-mail address that the provider did not verify.

        With several providers it begins with the provider's: each may call somebody by another one's address.
        """
        name = claim(claims, self.user_claim)
        if not isinstance(name, str) or not name:
            return ""
        if self.user_claim == "email" and claims.get("email_verified") is False:
            return ""
        name = name.casefold() if self.user_claim == "email" else name
        return f"{claims.get('provider')}:{name}" if several_providers else name

    def role_of(self, claims: Mapping[str, Any]) -> Role:
        """The highest role that the claim gives; NOBODY where it gives none."""
        found = claim(claims, self.role_claim) if self.role_claim else None
        values = found if isinstance(found, list) else [found]
        order = list(Role)
        return max((self.roles.get(str(v), Role.NOBODY) for v in values), key=order.index, default=Role.NOBODY)


def claim(claims: Mapping[str, Any], path: str) -> Any:
    """A claim, also one within others (``realm_access.roles``) or whose own name holds dots; None when missing."""
    if path in claims:
        return claims[path]
    value: Any = claims
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def is_this_machine(address: str) -> bool:
    """Whether an address to listen on, or that a request came from, is this machine alone."""
    if address.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return False


def check_start(address: str, auth: Mapping[str, Any], protected: bool = True) -> None:
    """Refuse to start where patients' data would be served to whoever asks.

    Parameters
    ----------
    address : str
        To be listened on; empty = every address of this machine.
    auth : mapping
        The section ``[auth]`` of the secrets; empty = no login.
    protected : bool
        Whether the server's own protection against requests of other sites is on.
    """
    if not protected:
        raise PrognoscopeError(
            "the protection against other sites' requests is switched off", "server.enableXsrfProtection, enableCORS",
            "leave both on",
        )  # fmt: skip
    if not auth:
        if not is_this_machine(address):
            raise PrognoscopeError(
                "no login is configured, so this dashboard is served to this machine alone",
                f"--server.address {address or '(every address)'}",
                "configure a login in .streamlit/secrets.toml (SECURITY.md says how), or leave the address away",
            )
        return
    if len(str(auth.get("cookie_secret", ""))) < SHORTEST_SECRET:
        raise PrognoscopeError(
            f"a cookie_secret of less than {SHORTEST_SECRET} characters", "[auth] of .streamlit/secrets.toml",
            "make one with: python -c 'import secrets; print(secrets.token_hex(32))'",
        )  # fmt: skip
    place = urlsplit(str(auth.get("redirect_uri", "")))
    if place.scheme != "https" and not is_this_machine(place.hostname or ""):
        raise PrognoscopeError(
            "a redirect_uri without https", "[auth] of .streamlit/secrets.toml",
            "serve the dashboard over https: a reverse proxy on this machine is enough",
        )  # fmt: skip
