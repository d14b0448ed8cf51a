"""Paths as the user wrote them: ``run`` works in the project's folder, the user may stand elsewhere."""

from __future__ import annotations

import os
from pathlib import Path

CALLER = "PROGNOSCOPE_CALLER_DIR"


def user_path(text: str) -> Path:
    """An absolute path: relative ones begin at the folder from which the user called ``run``, ``~`` is their home."""
    return (Path(os.environ.get(CALLER, ".")) / Path(text).expanduser()).absolute()
