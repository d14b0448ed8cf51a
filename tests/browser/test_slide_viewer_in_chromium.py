"""The slide viewer in a reader's hands: zoom, layers, two views, patches, keys, and that a rerun moves nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from core.serving.libraries import has_library
from tests.browser.conftest import Served
from tests.browser.slides import (
    PATIENTS,
    SIDE,
    open_slide_tab,
    press,
    settle,
    square_corners,
    view_of,
    where,
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not has_library("openseadragon.min.js"), reason="viewer libraries are not installed (./run test)"
    ),
]


STRONGEST = """() => { const { canvas } = document.querySelector('.slide-viewer').slideView.panes[0];
const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height); let most = 0;
for (let i = 3; i < data.length; i += 4) if (data[i] > most) most = data[i]; return most; }"""


@pytest.fixture
def page(slides_served: Served, chromium: Browser) -> Iterator[Page]:
    """The Slide tab of the patient with maps; nothing may fail or leave this machine."""
    page = chromium.new_page(viewport={"width": 1440, "height": 1300})
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    mine = (slides_served.url, "data:", "blob:", "ws:")
    page.on("request", lambda r: None if r.url.startswith(mine) else wrong.append(r.url))
    page.on("request", lambda r: wrong.append(r.url) if PATIENTS[0] in r.url or "squares" in r.url else None)
    open_slide_tab(page, slides_served)
    yield page
    assert not wrong
    page.close()


def test_magnification_scale_bar_and_keys_agree_with_the_pixel_size(page: Page) -> None:
    """0.25 µm/px: 40x is one slide pixel a screen pixel; the bar is as long as it says."""
    assert page.locator(".sv-tools button:disabled").count() == 0
    for key, times in (("1", 2), ("2", 5), ("3", 10), ("4", 20), ("5", 40)):
        press(page, key)
        zoom = float(str(view_of(page, "view.leader.zoom")))
        assert zoom == pytest.approx(times / 40)
        number, unit = page.locator(".sv-bar-text").inner_text().split()
        um = float(number) * (1000 if unit == "mm" else 1)
        drawn = page.locator(".sv-bar").bounding_box()
        assert drawn is not None
        assert drawn["width"] == pytest.approx(um / 0.25 * zoom, abs=0.5)
        expect(page.locator(".sv-zoomed")).to_have_text(f"{times}x")
    before = where(page)[0]
    press(page, "ArrowRight")
    assert where(page)[0]["x"] > before["x"]
    press(page, "]")
    assert where(page)[0]["rotation"] == 90
    press(page, "0")
    press(page, "h")
    expect(page.locator(".sv-legend")).to_have_count(0)
    press(page, "h")
    press(page, "?")
    expect(page.locator(".sv-keys")).to_be_visible()


def test_two_views_move_in_step_each_with_its_own_layer_and_legend(page: Page) -> None:
    press(page, "d")
    page.locator('.slide-viewer[data-ready="2"]').wait_for()
    settle(page)
    legends = page.locator(".sv-legend b")
    assert legends.all_inner_texts() == ["attention", "relevance through expert 1"]
    before = where(page)[0]["zoom"]
    second = page.locator(".sv-picture").nth(1).bounding_box()
    assert second is not None
    page.mouse.move(second["x"] + 100, second["y"] + 120)
    for _ in range(4):
        page.mouse.wheel(0, -240)
        page.wait_for_timeout(60)
    settle(page)
    left, right = where(page)
    assert left == pytest.approx(right)
    assert left["zoom"] > 1.5 * before
    press(page, "d")
    assert len(where(page)) == 1


def test_a_click_tells_the_patchs_values_and_the_strip_flies_to_it(page: Page) -> None:
    page.locator(".sv-row").first.locator("button").first.click()
    settle(page)
    corners = square_corners()
    x, y = corners[-1]
    panel = page.locator(".sv-patch")
    expect(panel).to_contain_text(f"x {x:,}, y {y:,} px")
    rows = {r.split("\t")[0]: r for r in panel.locator("tr").all_inner_texts()}
    n = len(corners)
    assert f"{n / (n * (n + 1) / 2):.3g}" in rows["attention"]
    assert "100th" in rows["attention"]
    assert "+3" in next(r for name, r in rows.items() if name.startswith("relevance through expert 1"))
    assert "strongest expert here" in panel.inner_text()
    centre = view_of(page, "(() => { const b = view.leader.picture.getBoundingClientRect(); "
                           "return view.leader.toSlide(b.width / 2, b.height / 2); })()")  # fmt: skip
    assert isinstance(centre, dict)
    assert (centre["x"], centre["y"]) == (pytest.approx(x + SIDE / 2, abs=2), pytest.approx(y + SIDE / 2, abs=2))
    box = page.locator(".sv-picture").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator(".sv-readout")).to_contain_text("100th percentile")
    beside = SIDE * 1.5 * float(str(view_of(page, "view.leader.zoom")))  # between two squares
    page.mouse.move(box["x"] + box["width"] / 2 - beside, box["y"] + box["height"] / 2)
    expect(page.locator(".sv-readout")).to_contain_text("no patch here")


def test_layers_have_an_opacity_and_an_unused_expert_says_so(page: Page) -> None:
    expect(page.locator(".sv-layers")).to_contain_text("No map: this patient does not use expert 2.")
    assert page.get_by_label("relevance through expert 2").is_disabled()

    def strength() -> int:
        return int(str(page.evaluate(STRONGEST)))

    strong = strength()
    before = where(page)
    page.get_by_label("Opacity of attention").fill("0.3")
    settle(page)
    assert strength() == pytest.approx(strong * 0.3 / 0.75, abs=2)
    assert where(page) == before
    page.get_by_label("attention", exact=True).uncheck()
    settle(page)
    assert strength() == 0


def test_the_view_is_found_again_after_another_tab(page: Page) -> None:
    press(page, "4")
    before = where(page)
    page.get_by_role("tab", name="Summary").click()
    expect(page.locator(".slide-viewer")).to_have_count(0)
    page.get_by_role("tab", name="Slide").click()
    page.locator('.slide-viewer[data-ready="1"]').wait_for()
    settle(page)
    assert where(page)[0] == pytest.approx(before[0])


def test_a_slide_without_a_pixel_size_is_flagged(slides_served: Served, chromium: Browser, screenshots: Path) -> None:
    page = chromium.new_page(viewport={"width": 1024, "height": 1200})
    open_slide_tab(page, slides_served, PATIENTS[1])
    expect(page.locator(".sv-scale.warn")).to_have_text("no scale: the file states no pixel size")
    expect(page.locator(".sv-facts.warn")).to_contain_text("pixel size unknown")
    assert page.locator(".sv-tools button:disabled").all_inner_texts() == ["2x", "5x", "10x", "20x", "40x"]
    expect(page.get_by_text("Where the model looked on the slides is not computed yet")).to_be_visible()
    page.screenshot(path=screenshots / "slide-no-mpp.png")
    page.close()


def test_expired_addresses_are_renewed_without_losing_the_view(page: Page) -> None:
    press(page, "3")
    before = where(page)
    page.evaluate(
        """() => { const view = document.querySelector('.slide-viewer').slideView; const pane = view.panes[0];
        view.got = 0; view.old = view.data.token; pane.renew('expired'); pane.reload(); }"""
    )
    page.wait_for_function(
        """() => { const view = document.querySelector('.slide-viewer').slideView;
        return view.data.token !== view.old; }""",
    )
    settle(page)
    assert where(page) == before
    assert page.locator(".sv-told").inner_text() == ""
