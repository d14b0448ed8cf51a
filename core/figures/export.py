"""A figure as a file: SVG, PNG at 300 dpi, PDF. Drawn by a local Chromium, without any network."""

from __future__ import annotations

import os
import shutil
from functools import cache
from typing import Any, Literal

import plotly.graph_objects as go

from core.errors import PrognoscopeError
from core.figures.links import without_links

Kind = Literal["svg", "png", "pdf"]

WIDTH_PX = 1000
PRINT_SCALE = 300 / 96
"""Device pixels per CSS pixel that make 300 dots per inch."""

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def browser() -> str | None:
    """Path of the Chromium that draws files, or None."""
    named = os.environ.get("BROWSER_PATH")
    return named or next((path for name in _BROWSERS if (path := shutil.which(name))), None)


@cache
def _server(path: str) -> Any:
    """Start the drawing process once; later files take a tenth of a second."""
    import kaleido

    kaleido.start_sync_server(path=path, mathjax=False, silence_warnings=True)
    return kaleido


def image(figure: go.Figure, kind: Kind) -> bytes:
    """The figure's bytes at :data:`WIDTH_PX` wide and its own height.

    Raises
    ------
    PrognoscopeError
        When no Chromium is installed.
    """
    path = browser()
    if path is None:
        raise PrognoscopeError(
            "no Chromium to draw the file with", "this machine", "install it (apt-get install chromium)"
        )
    height = int(figure.layout.height or 500)
    options = {"format": kind, "width": WIDTH_PX, "height": height, "scale": PRINT_SCALE if kind == "png" else 1}
    drawn = _server(path).calc_fig_sync(without_links(figure).to_dict(), opts=options)
    return _at_300_dpi(drawn) if kind == "png" else bytes(drawn)


def _at_300_dpi(png: bytes) -> bytes:
    """Say in the PNG itself that it has 300 dots per inch, so that a word processor places it at its true size."""
    import struct
    import zlib

    per_metre = round(300 / 0.0254)
    body = b"pHYs" + struct.pack(">IIB", per_metre, per_metre, 1)
    chunk = struct.pack(">I", 9) + body + struct.pack(">I", zlib.crc32(body))
    end_of_header = 8 + 25
    return png[:end_of_header] + chunk + png[end_of_header:]
