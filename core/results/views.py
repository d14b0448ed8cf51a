"""Saved page states: the URL of a page holds only the opaque id of one of these."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.errors import PrognoscopeError
from core.results.files import read_json, write_json
from core.results.workspace import Workspace

KEPT = 5000
"""Views kept in a workspace; the oldest are removed beyond that."""

_ID = re.compile(r"[0-9a-f]{32}")


def _key(workspace: Workspace) -> bytes:
    """The workspace's own secret, made on first use: without it an id says nothing about what it stands for."""
    path = workspace.protected / "views.key"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
        temporary.touch(mode=0o600)
        temporary.write_bytes(secrets.token_bytes(32))
        temporary.replace(path)
    return path.read_bytes()


def view_id(value: Mapping[str, Any], workspace: Workspace) -> str:
    """The opaque id of a page state: a keyed hash, so the same state has one id and the id reveals nothing of it."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return hmac.new(_key(workspace), text.encode(), hashlib.sha256).hexdigest()[:32]


def _path(name: str, workspace: Workspace) -> Path:
    if not _ID.fullmatch(name):
        raise PrognoscopeError("a view id of the wrong form", "the address", "open the page without ?view=")
    return workspace.views / f"{name}.json"


def save_view(value: Mapping[str, Any], workspace: Workspace) -> str:
    """Keep a page state (plain JSON values) and return its opaque id. Saving the same state twice writes once."""
    name = view_id(value, workspace)
    path = _path(name, workspace)
    if not path.is_file():
        write_json(path, dict(value))
        _prune(workspace)
    return name


def load_view(name: str, workspace: Workspace) -> dict[str, Any]:
    """The page state saved under ``name``.

    Raises
    ------
    PrognoscopeError
        When the id has the wrong form, is unknown here, or the file was altered after it was written.
    """
    path = _path(name, workspace)
    if not path.is_file():
        raise PrognoscopeError("an unknown view", "the address", "open the page without ?view= and filter again")
    value = read_json(path)
    if not isinstance(value, dict) or view_id(value, workspace) != name:
        raise PrognoscopeError("a view that was altered after it was saved", path.name, "delete the file")
    return value


def _prune(workspace: Workspace) -> None:
    """Forget the oldest views once there are more than :data:`KEPT`."""
    views = [p for p in workspace.views.glob("*.json") if not p.name.startswith(".")]
    if len(views) <= KEPT:
        return
    for path in sorted(views, key=lambda p: p.stat().st_mtime)[: len(views) - KEPT]:
        path.unlink(missing_ok=True)
