"""Collects traces and layout as plain dictionaries and makes the plotly figure once, at the end.

Plotly checks every single change of a finished figure; with a dozen charts on a page that alone takes half a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from core.figures.ticks import percent_ticks


class Canvas:
    """A figure in the making; method names and arguments are plotly's, without its magic underscores."""

    def __init__(self) -> None:
        self._data: list[dict[str, Any]] = []
        self._layout: dict[str, Any] = {"xaxis": {}, "yaxis": {}, "annotations": [], "shapes": []}

    def add_scatter(self, **trace: Any) -> None:
        """A scatter trace."""
        self._data.append({"type": "scatter", **trace})

    def add_bar(self, **trace: Any) -> None:
        """A bar trace."""
        self._data.append({"type": "bar", **trace})

    def add_box(self, **trace: Any) -> None:
        """A box trace."""
        self._data.append({"type": "box", **trace})

    def add_heatmap(self, **trace: Any) -> None:
        """A heat map trace."""
        self._data.append({"type": "heatmap", **trace})

    def add_annotation(self, **annotation: Any) -> None:
        """Words on the figure; axes are plotly's defaults unless given."""
        self._layout["annotations"].append(annotation)

    def add_shape(self, **shape: Any) -> None:
        """A line or box."""
        self._layout["shapes"].append(shape)

    def update_layout(self, **changes: Any) -> None:
        """Merge into the layout; an axis title given as text keeps its other settings."""
        _merge(self._layout, changes)

    def update_xaxes(self, **changes: Any) -> None:
        """Merge into every x axis."""
        self._update_axes("xaxis", changes)

    def update_yaxes(self, **changes: Any) -> None:
        """Merge into every y axis."""
        self._update_axes("yaxis", changes)

    def _update_axes(self, kind: str, changes: Mapping[str, Any]) -> None:
        for name in [key for key in self._layout if key.startswith(kind)]:
            _merge(self._layout[name], changes)

    def figure(self) -> go.Figure:
        """The finished figure; plotly checks every property now."""
        for name, axis in self._layout.items():
            if name.startswith(("xaxis", "yaxis")):
                percent_ticks(axis)
        return go.Figure({"data": self._data, "layout": self._layout})


def _merge(into: dict[str, Any], changes: Mapping[str, Any]) -> None:
    """Deep merge: mappings join, everything else is replaced; a title may be given as plain text."""
    for key, value in changes.items():
        if key == "title" and isinstance(value, str):
            value = {"text": value}
        if isinstance(value, Mapping):
            _merge(into.setdefault(key, {}), value)
        else:
            into[key] = value
