"""The fonts of the PDF: DejaVu Sans, which comes with matplotlib and has the letters of any European name."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

from core.errors import PrognoscopeError

PLAIN, BOLD = "DejaVuSans", "DejaVuSans-Bold"


@cache
def fonts() -> tuple[str, str]:
    """Register both and return their names; matplotlib itself is not loaded."""
    found = importlib.util.find_spec("matplotlib")
    if found is None or found.origin is None:
        raise PrognoscopeError("no fonts for the PDF", "this installation", "./run install (matplotlib brings them)")
    folder = Path(found.origin).parent / "mpl-data" / "fonts" / "ttf"
    for name in (PLAIN, BOLD):
        pdfmetrics.registerFont(TTFont(name, folder / f"{name}.ttf"))
    pdfmetrics.registerFontFamily(PLAIN, normal=PLAIN, bold=BOLD, italic=PLAIN, boldItalic=BOLD)
    return PLAIN, BOLD
