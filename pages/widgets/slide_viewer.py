"""The slide viewer: Python hands over addresses and words, everything else happens in the browser."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

FOLDER = Path(__file__).resolve().parents[2] / "assets" / "components"
_SCRIPTS = ("slide_math.js", "slide_pane.js", "slide_panels.js", "slide_viewer.js")
"""One module in four files; the last one has the function that the page calls."""


@cache
def _text(name: str, changed: int) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def _read(name: str) -> str:
    return _text(name, (FOLDER / name).stat().st_mtime_ns)


def slide_viewer(data: Mapping[str, Any], key: str) -> None:
    """Draw the viewer for :func:`core.serving.slide_view.viewer_data`.

    It comes back only to ask for fresh addresses, which a rerun gives; what the reader looks at stays as it is.
    """
    component = st.components.v2.component(
        "prognoscope_slide_viewer",
        html='<div class="slide-viewer" role="group" aria-label="Slide viewer" tabindex="-1"></div>',
        css=_read("slide_viewer.css"),
        js="\n".join(_read(name) for name in _SCRIPTS),
        isolate_styles=False,
    )
    component(key=key, data=dict(data), on_renew_change=_nothing)


def _nothing() -> None:
    """The rerun itself signs the new addresses."""
