"""The upload of this session: gone when the wizard is left, the session ends, or a job has stored it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import streamlit as st

from core.cohort.uploads import remove_upload
from core.results.workspace import Workspace


@dataclass
class _Held:
    """The uploads of this session; ``path`` is None when there is none or a job took it over, ``beside`` what is joined
    to it."""

    path: Path | None = None
    beside: list[Path] = field(default_factory=list)


def hold_upload(path: Path) -> None:
    """Remember an upload, so that it goes when the wizard or the session ends."""
    _held().path = path


def hold_beside(path: Path) -> None:
    """Remember an upload that is joined to the study."""
    _held().beside.append(path)


def give_up_beside(path: Path) -> None:
    """Remove such an upload; what lies on this machine is left alone."""
    held = _held()
    mine = [p for p in held.beside if p == path or p.parent in path.parents]  # the upload, or what was unpacked of it
    for upload in mine:
        held.beside.remove(upload)
        remove_upload(upload, Workspace.default())


def hand_over_upload() -> None:
    """A job takes the uploads over; the session no longer removes them."""
    _held().path = None
    _held().beside = []


def give_up_upload() -> None:
    """Remove the upload of this session, when there is one."""
    _remove(_held())


def _remove(held: _Held) -> None:
    for beside in held.beside:
        remove_upload(beside, Workspace.default())
    held.beside = []
    if held.path is not None:
        remove_upload(held.path, Workspace.default())
        held.path = None


@st.cache_resource(scope="session", show_spinner=False, on_release=_remove)
def _held() -> _Held:
    """One record a session; the session's end removes what it still holds."""
    return _Held()
