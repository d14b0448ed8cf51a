"""The scan viewer: Python hands over addresses and numbers, everything else happens in the browser."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

FOLDER = Path(__file__).resolve().parents[2] / "assets" / "components"
_SCRIPTS = ("scan_volumes.js", "scan_pictures.js", "scan_viewer.js")
"""One module in three files; the last one has the function that the page calls."""


@cache
def _text(name: str, changed: int) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def _read(name: str) -> str:
    return _text(name, (FOLDER / name).stat().st_mtime_ns)


def scan_viewer(data: Mapping[str, Any], key: str) -> None:
    """Draw the viewer for :func:`core.serving.scan_view.viewer_data`; nothing comes back."""
    component = st.components.v2.component(
        "prognoscope_scan_viewer",
        html='<div class="scan-viewer" role="group" aria-label="Scan viewer"></div>',
        css=_read("scan_viewer.css"),
        js="\n".join(_read(name) for name in _SCRIPTS),
    )
    component(key=key, data=dict(data))
