"""napari's windows for a session: one for the slides, one for the scans. The only file that opens napari."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.desktop.scan_layers import add_scans
from core.desktop.session import Session
from core.desktop.slide_layers import add_slide
from core.errors import PrognoscopeError

SIZE = (1400, 900)
_DRAWN_AFTER_S = 1.0
"""A screen that has drawn so long after the last change shows all of it."""


def open_session(
    session: Session, screenshot: Path | None = None, opened: Callable[[list[dict[str, Any]]], None] | None = None
) -> tuple[Path, ...]:
    """Open the windows and wait until they are closed; or draw them, keep pictures of their canvases, and close.

    Parameters
    ----------
    screenshot : Path, optional
        A ``.png``; the scans' picture, beside that of a slide, ends in ``-scan.png``.
    opened : function, optional
        Called once all windows are on the screen, with the title of each and its layers.

    Returns
    -------
    pictures : tuple of Path
        Those that were made.
    """
    import napari  # type: ignore[import-untyped]

    windows: list[tuple[str, Any]] = []
    told = list(session.notes)
    if session.slides:
        viewer = _viewer(napari, session, "slides")
        told += add_slide(viewer, session, session.looking.slide)
        windows.append(("", viewer))
    if session.scans:
        viewer = _viewer(napari, session, "scans")
        told += add_scans(viewer, session)
        windows.append(("-scan" if session.slides else "", viewer))
    for words in dict.fromkeys(told):
        napari.utils.notifications.show_info(words)
    if opened is not None:
        opened([_described(viewer) for _, viewer in windows])
    if screenshot is None:
        napari.run()
        return ()
    return tuple(_picture(viewer, screenshot.with_name(f"{screenshot.stem}{end}.png")) for end, viewer in windows)


def _viewer(napari: Any, session: Session, what: str) -> Any:
    viewer = napari.Viewer(title=f"{session.title} – {what}")
    viewer.window.resize(*SIZE)
    words = viewer.canvas.overlays.text
    words.text = "Research use only" + (" · synthetic data" if session.synthetic else "")
    words.visible = True
    _draw(0.2)  # the canvas has its size before anybody looks through it
    return viewer


def _described(viewer: Any) -> dict[str, Any]:
    """A window in plain values: nothing in it says who the patient is."""
    layers = [
        {"name": str(x.name), "kind": type(x).__name__, "visible": bool(x.visible), "opacity": float(x.opacity)}
        for x in viewer.layers
    ]
    return {"title": str(viewer.title), "layers": layers}


def _draw(seconds: float) -> None:
    from qtpy.QtWidgets import QApplication

    end = time.monotonic() + seconds
    while time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.02)


def _picture(viewer: Any, path: Path) -> Path:
    """The canvas as it is on the screen; written whole or not at all."""
    from PIL import Image

    _draw(_DRAWN_AFTER_S)
    pixels = viewer.screenshot(canvas_only=True, flash=False)
    temporary = path.with_name(f".{uuid.uuid4().hex}.png")
    try:
        Image.fromarray(pixels[..., :3]).save(temporary)
        temporary.replace(path)
    except OSError as error:
        raise PrognoscopeError(
            "a picture that cannot be written", f"file {path.name!r}", "name another folder"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
    viewer.close()
    return path
