"""Maps lie where their patches are: edges of dark squares in the drawn tiles against edges of the drawn map."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from core.serving.libraries import has_library
from tests.browser.conftest import Served
from tests.browser.slides import SIDE, open_slide_tab, settle, square_corners

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not has_library("openseadragon.min.js"), reason="viewer libraries are not installed (./run test)"
    ),
]

# lines across the four edges of each square that is wholly in view, from the two canvases
PROFILES = """(corners) => {
  const view = document.querySelector('.slide-viewer').slideView;
  const pane = view.panes[0];
  const tiles = pane.osd.drawer.canvas;
  const read = (canvas) => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  const [below, above] = [read(tiles), read(pane.canvas)];
  const line = (image, channel, x, y, dx, dy) => Array.from({ length: 2 * REACH + 1 }, (_, i) => {
    const at = ((y + dy * (i - REACH)) * image.width + x + dx * (i - REACH)) * 4;
    return channel(image.data, at);
  });
  // of what is both in view and on the slide
  const ratio = window.devicePixelRatio;
  const ends = [pane.toScreen(0, 0), pane.toScreen(view.data.width, view.data.height)];
  const edges = {
    left: Math.max(0, Math.min(...ends.map((e) => e.x * ratio))),
    top: Math.max(0, Math.min(...ends.map((e) => e.y * ratio))),
    right: Math.min(tiles.width, Math.max(...ends.map((e) => e.x * ratio))),
    bottom: Math.min(tiles.height, Math.max(...ends.map((e) => e.y * ratio))),
  };
  const found = [];
  for (const [x, y] of corners) {
    const a = pane.toScreen(x, y);
    const b = pane.toScreen(x + SIDE, y + SIDE);
    const [left, right] = [Math.min(a.x, b.x), Math.max(a.x, b.x)].map((v) => Math.round(v * ratio));
    const [top, bottom] = [Math.min(a.y, b.y), Math.max(a.y, b.y)].map((v) => Math.round(v * ratio));
    const inside = left >= edges.left + REACH && top >= edges.top + REACH && right < edges.right - REACH
      && bottom < edges.bottom - REACH;
    if (!inside) continue;
    const [mx, my] = [Math.round((left + right) / 2), Math.round((top + bottom) / 2)];
    for (const [px, py, dx, dy] of [[left, my, 1, 0], [right, my, -1, 0], [mx, top, 0, 1], [mx, bottom, 0, -1]]) {
      found.push([line(below, (d, i) => 255 - (d[i] + d[i + 1] + d[i + 2]) / 3, px, py, dx, dy),
        line(above, (d, i) => d[i + 3], px, py, dx, dy)]);
    }
  }
  return { found, zoom: pane.zoom, sizes: [tiles.width, pane.canvas.width] };
}"""
REACH = 9


def edge(profile: list[float]) -> float:
    """Where the profile first rises over its middle, between pixels; it must lie well within the line."""
    values = np.asarray(profile)
    low, high = values[:2].mean(), values[-2:].mean()
    assert high > low + 12, "no edge near where it should be"
    middle = (low + high) / 2
    i = int(np.argmax(values > middle))
    return float(i - (values[i] - middle) / (values[i] - values[i - 1]))


def distances(page: Page) -> tuple[np.ndarray, float]:
    """Distance in screen px of each edge of the map from the edge of the slide, and the zoom."""
    settle(page)
    script = PROFILES.replace("REACH", str(REACH)).replace("SIDE", str(SIDE))
    drawn: dict[str, Any] = page.evaluate(script, square_corners().tolist())
    assert drawn["sizes"][0] == drawn["sizes"][1]
    return np.array([abs(edge(above) - edge(below)) for below, above in drawn["found"]]), float(drawn["zoom"])


def go(page: Page, x: float, y: float) -> None:
    """Bring a level-0 point to the middle."""
    page.evaluate(
        """([x, y]) => { const pane = document.querySelector('.slide-viewer').slideView.panes[0];
        pane.osd.viewport.panTo(pane.item.imageToViewportCoordinates(x, y), true); }""",
        [float(x), float(y)],
    )


@pytest.mark.parametrize("pixels", [1, 2])
def test_maps_lie_on_their_patches_at_every_zoom_place_and_rotation(
    slides_served: Served, chromium: Browser, pixels: int
) -> None:
    """``pixels`` device pixels a CSS pixel; errors are in device pixels."""
    page = chromium.new_page(viewport={"width": 1440, "height": 1000}, device_scale_factor=pixels)
    open_slide_tab(page, slides_served)
    page.locator(".sv-tools button", has_text="Fit").focus()
    worst: dict[str, float] = {}
    corners = square_corners()
    ends = (corners[0] + SIDE // 2, corners[-1] + SIDE // 2)
    for key, what in (("0", "whole slide"), ("2", "5x"), ("3", "10x"), ("6", "1:1"))[0 if pixels == 1 else 2 :]:
        page.keyboard.press(key)
        settle(page)
        for x, y in ends if key != "0" else ((0, 0),):
            if key != "0":
                go(page, x, y)
            found, zoom = distances(page)
            assert len(found) >= 4
            worst[what] = max(worst.get(what, 0), float(found.max()))
    assert zoom == pytest.approx(1)
    assert worst["1:1"] / pixels <= 1, "level-0 pixels"
    page.keyboard.press("3")
    page.keyboard.press("]")
    found, _ = distances(page)
    worst["10x, turned"] = float(found.max())
    print({k: round(v, 3) for k, v in worst.items()})
    assert len(found) >= 4
    assert max(worst.values()) <= 1
    page.close()
