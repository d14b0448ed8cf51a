"""Streamlit's own login (``st.login``) as the gate and the pages use it: its settings, its cookie, its messages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from streamlit import config
from streamlit.auth_util import get_secrets_auth_section, is_authlib_installed
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.secrets import secrets_singleton
from streamlit.user_info import generate_login_redirect_url
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME
from streamlit.web.server.starlette.starlette_websocket import _get_signed_cookie_with_chunks

from core.access.settings import AccessSettings, check_start
from core.errors import PrognoscopeError

DEFAULT = "default"
_NOT_FOR_USERS = frozenset(
    {"clear_cache", "set_run_on_save", "load_git_info", "debug_disconnect_websocket", "debug_shutdown_runtime"}
)
_INSTALLS = frozenset({"install_skills", "dismiss_skills_nudge"})
_ONE = ("client_id", "client_secret", "server_metadata_url")


class StreamlitLogin:
    """The providers of the section ``[auth]``, and what the gate must read of Streamlit's cookies and messages."""

    def __init__(self, auth: Mapping[str, Any]) -> None:
        named = [str(k) for k, v in auth.items() if isinstance(v, Mapping) and "client_id" in v]
        self._providers = tuple(([DEFAULT] if all(k in auth for k in _ONE) else []) + named)
        self._https = str(auth.get("redirect_uri", "")).startswith("https://")
        self._origin = "/".join(str(auth.get("redirect_uri", "")).split("/")[:3])
        if not self._providers or not self._origin:
            raise PrognoscopeError(
                "a login without a provider or a redirect_uri", "[auth] of .streamlit/secrets.toml",
                "see .streamlit/secrets.example.toml",
            )  # fmt: skip
        if not is_authlib_installed():
            raise PrognoscopeError("the package Authlib is missing", "the environment", "start once with ./run app")

    @property
    def providers(self) -> tuple[str, ...]:
        return self._providers

    @property
    def https(self) -> bool:
        return self._https

    def claims(self, cookies: Mapping[str, str]) -> Mapping[str, Any] | None:
        """Of the identity cookie that Streamlit signed for this origin; None for any other text."""
        try:
            raw = _get_signed_cookie_with_chunks(dict(cookies), USER_COOKIE_NAME)
            found = json.loads(raw) if raw else None
        except (ValueError, UnicodeError):  # a header that is no text, or no JSON
            return None
        if not isinstance(found, dict) or not found.get("is_logged_in") or found.get("origin") != self._origin:
            return None
        return found

    def start(self, provider: str) -> str:
        return generate_login_redirect_url(provider)

    def is_activity(self, frame: bytes) -> bool:
        message = BackMsg()
        try:
            message.ParseFromString(frame)
        except DecodeError:
            return False
        kind = message.WhichOneof("type")
        return kind in ("file_urls_request", "backend_operation_request") or (
            kind == "rerun_script" and not message.rerun_script.is_auto_rerun
        )

    def is_refused(self, frame: bytes) -> bool:
        message = BackMsg()
        try:
            message.ParseFromString(frame)
        except DecodeError:
            return False  # Streamlit itself closes the socket on it
        kind = message.WhichOneof("type")
        if kind == "backend_operation_request":
            return message.backend_operation_request.WhichOneof("payload") in _INSTALLS
        return kind in _NOT_FOR_USERS

    def session_of(self, frame: bytes) -> str:
        message = ForwardMsg()
        try:
            message.ParseFromString(frame)
        except DecodeError:
            return ""
        return str(message.new_session.initialize.session_id) if message.HasField("new_session") else ""

    def redirect(self, address: str) -> bytes:
        message = ForwardMsg()
        message.auth_redirect.url = address
        return bytes(message.SerializeToString())


def auth_section() -> Mapping[str, Any]:
    """The section ``[auth]`` of the secrets; empty where no login is configured."""
    return get_secrets_auth_section().to_dict()


def access_settings() -> AccessSettings:
    """The section ``[access]`` of the secrets, its defaults where there is none."""
    found = secrets_singleton.get("access") if secrets_singleton.load_if_toml_exists() else None
    return AccessSettings.from_mapping(found.to_dict() if found is not None else {})


def checked_auth() -> Mapping[str, Any]:
    """The section ``[auth]``, after the address and the settings were found fit to serve patients' data on.

    Raises
    ------
    PrognoscopeError
        Else; nothing must be served then.
    """
    auth = auth_section()
    protected = bool(config.get_option("server.enableXsrfProtection")) and bool(config.get_option("server.enableCORS"))
    check_start(str(config.get_option("server.address") or ""), auth, protected)
    return auth


def base_path() -> str:
    """The prefix of all addresses, empty for none."""
    return str(config.get_option("server.baseUrlPath") or "")
