"""Names of patients for addresses: they say nothing of whom they name, and end with the process."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from functools import lru_cache

from core.cohort.media_index import MediaIndex, load_media
from core.cohort.pseudonyms import protected_folder
from core.errors import PrognoscopeError
from core.results.workspace import Workspace, checked_name

_SECRET = secrets.token_bytes(32)


def opaque_patient(cohort: str, patient: str) -> str:
    """24 hex digits for a patient (pseudonym) of a cohort; another process gives others."""
    return hmac.new(_SECRET, f"{cohort}\0{patient}".encode(), hashlib.sha256).hexdigest()[:24]


def patient_of(cohort: str, opaque: str, workspace: Workspace) -> str:
    """The pseudonym among the cohort's patients with media that this name stands for.

    Raises
    ------
    PrognoscopeError
        When it stands for nobody.
    """
    found = _names(workspace, checked_name(cohort, "cohort name"), _stamp(cohort, workspace)).get(opaque)
    if found is None:
        raise PrognoscopeError("no such patient", "the address", "open the page again and use its link")
    return found


def media_of(cohort: str, workspace: Workspace) -> MediaIndex:
    """The cohort's index of media, read again only after it changed."""
    return _index(workspace, checked_name(cohort, "cohort name"), _stamp(cohort, workspace))


def _stamp(cohort: str, workspace: Workspace) -> int:
    path = protected_folder(workspace) / f"{checked_name(cohort, 'cohort name')}-media.parquet"
    return path.stat().st_mtime_ns if path.is_file() else 0


@lru_cache(maxsize=4)
def _index(workspace: Workspace, cohort: str, stamp: int) -> MediaIndex:
    return load_media(cohort, workspace)


@lru_cache(maxsize=4)
def _names(workspace: Workspace, cohort: str, stamp: int) -> dict[str, str]:
    patients = dict.fromkeys(f.patient for f in _index(workspace, cohort, stamp).files)
    return {opaque_patient(cohort, p): p for p in patients}
