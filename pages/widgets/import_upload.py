"""The upload of this session: gone when the wizard is left, the session ends, or a job has stored it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from core.cohort.uploads import remove_upload
from core.results.workspace import Workspace


@dataclass
class _Held:
    """The upload of this session; ``path`` is None when there is none or a job took it over."""

    path: Path | None = None


def hold_upload(path: Path) -> None:
    """Remember an upload, so that it goes when the wizard or the session ends."""
    _held().path = path


def hand_over_upload() -> None:
    """A job takes the upload over; the session no longer removes it."""
    _held().path = None


def give_up_upload() -> None:
    """Remove the upload of this session, when there is one."""
    _remove(_held())


def _remove(held: _Held) -> None:
    if held.path is not None:
        remove_upload(held.path, Workspace.default())
        held.path = None


@st.cache_resource(scope="session", show_spinner=False, on_release=_remove)
def _held() -> _Held:
    """One record a session; the session's end removes what it still holds."""
    return _Held()
