"""The slide in the real browser and in napari, side by side: the same places, the same colours."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page
from scipy import ndimage

from core.results.workspace import Workspace
from tests.browser.conftest import application
from tests.browser.waiting import still
from tests.desktop.planted import FIDUCIAL, PLACES, WIDTH, Planted, plant
from tests.desktop.test_napari_window import on_a_screen

SEEN = PLACES[[1, 3, 4]] + FIDUCIAL / 2
"""Middles of the squares that neither the legend nor the overview of the browser's viewer hides."""
PINK = np.array((226, 170, 200))

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def in_the_browser(page: Page, address: str) -> np.ndarray:
    page.goto(f"{address}/patient")
    page.get_by_role("button", name="Next").click()
    page.get_by_role("tab", name="Slide").click()
    viewer = page.locator(".slide-viewer canvas").first
    viewer.wait_for()
    viewer.scroll_into_view_if_needed()
    before = b""
    for _ in range(60):  # until two looks in a row are the same
        still(page)
        now = viewer.screenshot()
        if now == before and _has_map(pixels(now)):
            return pixels(now)
        before = now
    raise AssertionError("the browser's viewer never came to rest")


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(float)


def _has_map(image: np.ndarray) -> bool:
    """The last patches of the map are yellow."""
    return bool((np.abs(image - (243, 210, 90)).max(axis=2) < 20).sum() > 500)


def placed(image: np.ndarray) -> tuple[float, np.ndarray, float]:
    """Screen px a level-0 px and the screen place of level-0 (0, 0), from the squares; their largest misfit in px."""
    slide = np.abs(image - PINK).max(axis=2) < 6
    columns, rows = (np.flatnonzero(slide.mean(axis=axis) > 0.08) for axis in (0, 1))
    guess = (columns[-1] + 1 - columns[0]) / WIDTH
    start = np.array([columns[0], rows[0]])
    found = np.array([_square(image, start + guess * place, guess) for place in SEEN])
    known, seen = SEEN - SEEN.mean(axis=0), found - found.mean(axis=0)
    scale = float((known * seen).sum() / (known**2).sum())
    corner = found.mean(axis=0) - scale * SEEN.mean(axis=0)
    return scale, corner, float(np.abs(scale * SEEN + corner - found).max())


def _square(image: np.ndarray, near: np.ndarray, scale: float) -> np.ndarray:
    reach = int(12 + FIDUCIAL * scale)
    x, y = np.round(near).astype(int)
    window = image[y - reach : y + reach, x - reach : x + reach].sum(axis=2)
    dark = np.clip(np.median(window) - window, 0, None)
    dark[dark < 0.35 * dark.max()] = 0
    labels, _ = ndimage.label(dark)
    largest = np.argmax(np.bincount(labels.ravel(), weights=dark.ravel())[1:]) + 1
    row, column = ndimage.center_of_mass(dark, labels, largest)
    return np.array([x - reach + column + 0.5, y - reach + row + 0.5])


def test_places_and_colours_agree(chromium: Browser, tmp_path: Path, screenshots: Path) -> None:
    if shutil.which("xvfb-run") is None:
        pytest.skip("no Xvfb on this machine: apt-get install xvfb xauth (./run test does it as root)")
    workspace = Workspace(tmp_path / "workspace")
    planted: Planted = plant(workspace, tmp_path / "files")
    with application(workspace, tmp_path / "server.log") as served:
        page = chromium.new_page(viewport={"width": 1440, "height": 1400})
        browser = in_the_browser(page, served.url)
        page.close()
    words = ["-m", "core.cli", "napari", planted.run, planted.patient, "--screenshot", str(tmp_path / "napari.png")]
    on_a_screen(words, workspace)
    napari = pixels((tmp_path / "napari.png").read_bytes())
    for name, image in (("browser", browser), ("napari", napari)):
        Image.fromarray(image.astype(np.uint8)).save(screenshots / f"side-by-side-{name}.png")
    places = [placed(image) for image in (browser, napari)]
    assert max(misfit for _, _, misfit in places) <= 0.5  # one similarity holds all squares in each
    differences = []
    for x, y in planted.maps.coordinates:
        if not (3 * 200 <= y <= 6 * 200):  # rows that nothing of the viewer lies over
            continue
        for dx, dy in ((8, 8), (192, 8), (8, 192), (192, 192), (60, 140)):
            colours = []
            for (scale, corner, _), image in zip(places, (browser, napari), strict=True):
                column, row = np.floor(scale * np.array([x + dx, y + dy]) + corner).astype(int)
                colours.append(image[row, column])
            differences.append(np.abs(colours[0] - colours[1]).max())
    assert len(differences) > 150
    assert max(differences) <= 8  # 8 level-0 px, 2 screen px, within each patch's corners: no edge is displaced
