"""Drawn figures as files of the workspace."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.figures.export import browser, image

FOLDER = "assets/evidence"
"""Where the drawn files that EVIDENCE.md shows are kept."""


def write_svg(figures: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write every figure (name → plotly figure) as SVG; nothing where this machine has no Chromium to draw with."""
    if browser() is None:
        return []
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, figure in figures.items():
        path = folder / f"{name}.svg"
        temporary = path.with_suffix(".tmp")
        temporary.write_bytes(image(figure, "svg"))
        temporary.replace(path)
        files.append(path)
    return files
