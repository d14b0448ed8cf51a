"""Figures whose words hold no link: plotly draws ``<a href=…>`` in a name as a link, and names come from data."""

from __future__ import annotations

import re
from typing import Any

import plotly.graph_objects as go

_LINK = re.compile(r"<(?=\s*/?\s*a\b)", re.IGNORECASE)


class WithoutLinks(go.Figure):  # type: ignore[misc]  # plotly has no types
    """A figure; what is written of it (``to_dict``, ``to_json``) shows the marks of a link as the signs they are."""

    def __init__(self, drawing: go.Figure) -> None:
        super().__init__()
        self._drawing = drawing

    def to_dict(self) -> dict[str, Any]:
        """The drawing as plotly writes it, without links."""
        return {part: _walk(value) for part, value in self._drawing.to_dict().items()}


def without_links(figure: go.Figure) -> go.Figure:
    """``figure`` with every link in its words as plain signs; the given one stays as it is."""
    return WithoutLinks(figure)


def _walk(value: Any) -> Any:
    """Copies the dictionaries and the lists of words; the numbers, which may be many, are passed on."""
    if isinstance(value, str):
        return _LINK.sub("&lt;", value) if "<" in value else value
    if isinstance(value, dict):
        return {k: v if k == "template" else _walk(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)) and value and not isinstance(value[0], (int, float)):
        return [_walk(item) for item in value]
    return value
