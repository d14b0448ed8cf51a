"""The scan viewer in a real browser: places in mm, linked panes, reruns, keys, and slices where there is no WebGL."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from scipy import ndimage
from streamlit.proto.BackMsg_pb2 import BackMsg

from core.results.views import save_view
from core.results.workspace import Workspace
from core.serving.libraries import has_library
from pages.widgets.state import PageState
from tests.browser.chromium import FLAGS
from tests.browser.conftest import Served, application
from tests.browser.waiting import PATIENCE, frames, patient, still, until
from tests.serving.scan_patient import COHORT, FULL, RUN, fiducial_mm, make_scan_workspace

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not has_library("niivue.umd.js"), reason="viewer libraries are not installed (./run test)"),
]

SOFTWARE_GL = "--use-gl=angle --use-angle=swiftshader --enable-unsafe-swiftshader"
WAIT = PATIENCE


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("scans")
    workspace = Workspace(folder / "workspace")
    make_scan_workspace(workspace, folder / "files")
    with application(workspace, folder / "server.log") as running:
        yield running


def launched(chromium: Browser, flags: str) -> Browser:
    """Another Chromium beside the tests' usual one."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    kept = [f for f in FLAGS.split() if f != "--disable-gpu"]
    return patient(chromium.browser_type.launch(executable_path=path, args=[*kept, *flags.split()]))


@pytest.fixture(scope="module")
def drawing(chromium: Browser) -> Iterator[Browser]:
    """A Chromium that draws WebGL 2 in software."""
    browser = launched(chromium, SOFTWARE_GL)
    yield browser
    browser.close()


@pytest.fixture
def flat(chromium: Browser) -> Iterator[Browser]:
    """A Chromium without WebGL."""
    browser = launched(chromium, "--disable-gpu --disable-3d-apis")
    yield browser
    browser.close()


def asks_for_a_run(frame: bytes | str) -> bool:
    """Whether a message of the browser makes the page's script run again; clocks of single parts do not count."""
    message = BackMsg()
    message.ParseFromString(frame if isinstance(frame, bytes) else frame.encode())
    return message.WhichOneof("type") == "rerun_script" and not message.rerun_script.fragment_id


def open_tab(browser: Browser, app: Served, width: int = 1440) -> Page:
    page = browser.new_page(viewport={"width": width, "height": 1300})
    view = save_view(PageState(cohort=COHORT, run=RUN, patient=FULL, month=36.0).as_json(), app.workspace)
    page.goto(f"{app.url}/patient?view={view}")
    page.get_by_role("tab", name="Scan").click(timeout=WAIT)
    ready(page)
    page.locator(".scan-viewer").evaluate("e => e.scrollIntoView()")
    return page


def ready(page: Page) -> None:
    page.wait_for_selector('.scan-viewer[data-ready="1"]', timeout=WAIT)
    frames(page)
    page.wait_for_selector('.scan-viewer[data-ready="1"]', timeout=WAIT)


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)
        ready(page)


def place(page: Page) -> np.ndarray:
    return np.array([float(v) for v in str(page.locator(".scan-viewer").get_attribute("data-mm")).split(",")])


def brightest(page: Page, number: int = 0) -> tuple[float, float]:
    """Middle of the whitest spot of a canvas; the thin strokes of its letters are no spot."""
    canvas = page.locator(".scan-viewer canvas").nth(number)
    image = np.asarray(Image.open(io.BytesIO(canvas.screenshot())).convert("RGB"), dtype=float).min(axis=2)
    box = canvas.bounding_box()  # after the picture, for which the page may have scrolled
    assert box is not None
    even = ndimage.uniform_filter(image, 7)
    rows, columns = np.nonzero(even > 0.95 * even.max())
    return box["x"] + float(columns.mean()), box["y"] + float(rows.mean())


def begin(page: Page) -> None:
    """The axial slice of the tumour, grey values alone, the bright voxel far brighter than all else."""
    page.locator(".scan-viewer canvas").first.click(position={"x": 30, "y": 30})
    press(page, "0", "1")
    if any(float(s.input_value()) for s in page.locator('.scan-viewer input[type="range"]').all()[:2]):
        press(page, "m")
    if page.get_by_role("button", name="Show").get_attribute("aria-pressed") == "true":
        press(page, "a")
    page.get_by_label("Window", exact=True).select_option("Full range")
    ready(page)


@pytest.fixture(scope="module")
def tab(drawing: Browser, app: Served) -> Page:
    return open_tab(drawing, app)


@pytest.mark.parametrize("plane", ["1", "2", "3"])
def test_a_click_on_the_bright_voxel_gives_its_mm_and_its_value(tab: Page, plane: str) -> None:
    """The scan's axes are exchanged, turned and offset: the read-out must still name the patient's mm."""
    begin(tab)
    # the viewer begins in the slice of the bright voxel; from there the other planes are led to it
    tab.mouse.click(*brightest(tab))
    ready(tab)
    press(tab, plane)
    tab.mouse.click(*brightest(tab))
    ready(tab)
    assert np.abs(place(tab) - fiducial_mm()).max() < 1.0  # half of the smallest edge of a voxel
    assert "value 1000" in tab.locator(".scan-viewer figcaption").first.inner_text()


def test_phases_side_by_side_follow_each_other(tab: Page) -> None:
    begin(tab)
    tab.get_by_role("button", name="t1", exact=True).click()
    ready(tab)
    assert tab.locator(".scan-viewer canvas").count() == 2
    tab.mouse.click(*brightest(tab, 1))
    ready(tab)
    values = [v.inner_text() for v in tab.locator(".scan-viewer figcaption .value").all()]
    assert all("value 1000" in v for v in values), values
    tab.get_by_role("button", name="t1", exact=True).click()
    ready(tab)
    assert tab.locator(".scan-viewer canvas").count() == 1


def test_side_is_stated_and_turns(tab: Page) -> None:
    foot = tab.locator(".scan-viewer .foot")
    begin(tab)
    before = brightest(tab)
    assert "patient’s right is on the left" in foot.inner_text()
    press(tab, "n")
    after = brightest(tab)
    assert "patient’s right is on the right" in foot.inner_text()
    box = tab.locator(".scan-viewer canvas").first.bounding_box()
    assert box is not None
    middle = box["x"] + box["width"] / 2
    # the patient's right (the bright voxel) changes sides
    assert (before[0] < middle) == (fiducial_mm()[0] > 0)
    assert (after[0] < middle) != (before[0] < middle)
    press(tab, "n")


def test_overlays_colour_the_tumour(tab: Page) -> None:
    def colours() -> np.ndarray:
        image = Image.open(io.BytesIO(tab.locator(".scan-viewer canvas").first.screenshot())).convert("RGB")
        return np.asarray(image, dtype=int)

    begin(tab)
    without = colours()
    press(tab, "a")
    shown = colours()
    blue = (shown[..., 2] - shown[..., 0] > 40) & (without[..., 2] - without[..., 0] <= 20)
    orange = (shown[..., 0] - shown[..., 2] > 60) & (without[..., 0] - without[..., 2] <= 20)
    assert blue.sum() > 200
    assert orange.sum() > 200
    assert "raises" in tab.locator(".scan-viewer .scale").inner_text()
    for _ in range(17):
        tab.keyboard.press("]")
    ready(tab)
    high = colours()
    # above the smaller value only the larger one is left
    assert ((high[..., 2] - high[..., 0] > 40) & blue).sum() < 0.1 * blue.sum()
    assert ((high[..., 0] - high[..., 2] > 40) & orange).sum() > 0.5 * orange.sum()
    press(tab, "a")


def test_reruns_keep_the_view_and_nothing_goes_back(drawing: Browser, app: Served) -> None:
    page = drawing.new_page(viewport={"width": 1440, "height": 1300})
    sent: list[bool] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda f: sent.append(asks_for_a_run(f))))
    view = save_view(PageState(cohort=COHORT, run=RUN, patient=FULL, month=36.0).as_json(), app.workspace)
    page.goto(f"{app.url}/patient?view={view}")
    page.get_by_role("tab", name="Scan").click(timeout=WAIT)
    ready(page)
    page.locator(".scan-viewer").evaluate("e => e.scrollIntoView()")
    canvas = page.locator(".scan-viewer canvas").first
    canvas.click(position={"x": 200, "y": 200})
    before = -1
    while before != sum(sent):  # opening the tab makes runs of its own
        before = sum(sent)
        still(page, 2000)
    press(page, "2", "w", "ArrowUp", "ArrowUp", "+")
    canvas.hover()
    page.mouse.wheel(0, 240)
    page.mouse.click(*_middle(page))
    page.wait_for_timeout(1500)
    assert sum(sent) == before
    page.locator(".scan-viewer canvas").first.evaluate("e => { e.marked = true; }")
    kept, shown = place(page), page.locator(".scan-viewer .levels").inner_text()
    page.locator("h1").click()
    for number in range(1, 6):
        page.keyboard.press("r")
        until(page, lambda number=number: sum(sent) >= before + number)
        still(page)
    assert page.locator(".scan-viewer canvas").first.evaluate("e => e.marked === true")
    np.testing.assert_array_equal(place(page), kept)
    assert page.locator(".scan-viewer .levels").inner_text() == shown
    assert page.get_by_role("button", name="Coronal").get_attribute("aria-pressed") == "true"
    # a reload begins with the layout and window chosen last
    page.reload()
    page.get_by_role("tab", name="Scan").click(timeout=WAIT)
    ready(page)
    assert page.get_by_role("button", name="Coronal").get_attribute("aria-pressed") == "true"
    page.close()


def _middle(page: Page) -> tuple[float, float]:
    box = page.locator(".scan-viewer canvas").first.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_without_webgl_slices_are_shown(flat: Browser, app: Served, screenshots: Path) -> None:
    page = open_tab(flat, app, 1024)
    assert page.evaluate("document.createElement('canvas').getContext('webgl2') === null")
    assert "no WebGL 2" in page.locator(".scan-viewer .foot").inner_text()
    images = page.locator(".scan-viewer img")
    assert images.count() == 3
    until(page, lambda: all(i.evaluate("e => e.complete && e.naturalWidth") > 200 for i in images.all()))
    page.get_by_role("button", name="Axial").click()
    expect(images).to_have_count(1)
    until(page, lambda: images.first.evaluate("e => e.complete && e.naturalWidth") > 200)
    frames(page)
    first = images.first.screenshot()
    page.keyboard.press("ArrowUp")
    until(page, lambda: images.first.screenshot() != first)
    page.screenshot(path=str(screenshots / "scan-without-webgl.png"))
    page.close()
