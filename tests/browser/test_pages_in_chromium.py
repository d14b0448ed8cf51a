"""The pages in a real browser: clicks filter, tables stay under their ticks, nothing leaves the machine."""

from __future__ import annotations

import re
import urllib.error
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from core.cohort.sample import make_sample_cohort
from tests.browser.conftest import DIRECTLY, Served
from tests.browser.waiting import frames, photograph, still

pytestmark = pytest.mark.browser

CHART = ".st-key-figure_survival"
_ALIGNMENT = """() => {
  const plot = document.querySelector('.st-key-figure_survival .js-plotly-plot');
  const middle = e => { const r = e.getBoundingClientRect(); return r.left + r.width / 2; };
  const ticks = [...plot.querySelectorAll('.xaxislayer-above .xtick text')].map(middle);
  const rows = [...plot.querySelectorAll('.scatterlayer .trace')]
    .map(t => [...t.querySelectorAll('.textpoint text')].map(middle)).filter(r => r.length);
  const all = [...plot.querySelectorAll('.textpoint text')].map(e => e.getBoundingClientRect());
  const box = plot.getBoundingClientRect();
  return {ticks, rows, inside: all.every(r => r.left >= box.left && r.right <= box.right), width: box.width};
}"""


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True)
    yield context
    context.close()


def opened(context: BrowserContext, served: Served, path: str = "", charts: int = 3) -> Page:
    page = context.new_page()
    page.goto(f"{served.url}/{path}")
    page.wait_for_function(f"document.querySelectorAll('.js-plotly-plot .main-svg').length >= {charts}")
    page.wait_for_function("!document.querySelector('[data-testid=stSkeleton]')")
    return page


def click_bar(page: Page, chart: str, index: int) -> None:
    """Click the ``index``-th bar of a chart, as a hand would."""
    bars = page.locator(f"{chart} .barlayer .trace").last.locator(".point path")
    bars.nth(index).scroll_into_view_if_needed()
    frames(page)  # a bar that still moves is not hit
    box = bars.nth(index).bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def test_cohort_click_filters_everything_and_follows_to_survival(
    context: BrowserContext, served: Served, screenshots: Path
) -> None:
    requests: list[str] = []
    context.on("request", lambda request: requests.append(request.url))
    cohort = make_sample_cohort()[0]
    whole = int(cohort.availability.all(axis=1).sum())  # the first bar: the patients with every modality
    page = opened(context, served, charts=8)
    expect(page.locator(".research-only")).to_be_visible()
    expect(page.locator(".research-only")).to_contain_text("Synthetic")
    click_bar(page, ".st-key-figure_modalities", 0)
    expect(page.locator(".st-key-chips")).to_contain_text(f"{whole} of 240 patients selected")
    expect(page.get_by_role("button", name=re.compile("with genomics"))).to_be_visible()
    photograph(page, screenshots / "cohort-1440.png")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_role("link", name="Survival").click()
    expect(page.locator(CHART)).to_be_visible()
    expect(page.locator(".st-key-chips")).to_contain_text(f"{whole} of 240 patients selected")
    page.get_by_role("button", name=re.compile("with genomics")).click()
    expect(page.locator(".st-key-chips")).not_to_contain_text(f"{whole} of 240")
    own = ("data:", "blob:", "about:", served.url, served.url.replace("http", "ws"))
    assert [url for url in requests if not url.startswith(own)] == []
    assert not any(name in url for url in requests for name in cohort.ids)


def test_survival_table_stands_under_its_ticks(context: BrowserContext, served: Served, screenshots: Path) -> None:
    page = opened(context, served, "survival", charts=4)
    for width in (1440, 1024):
        page.set_viewport_size({"width": width, "height": 900})
        still(page)
        found = page.evaluate(_ALIGNMENT)
        assert found["width"] < width
        assert len(found["rows"]) == 6
        assert len(found["ticks"]) >= 5
        for row in found["rows"]:
            assert len(row) == len(found["ticks"])
            assert max(abs(a - b) for a, b in zip(row, found["ticks"], strict=True)) < 1.5
        assert found["inside"]
        text = page.locator(CHART).inner_text()
        assert "out-of-fold" in text
        assert "synthetic patients" in text
        photograph(page, screenshots / f"survival-{width}.png", width)


def test_cohort_page_answers_at_its_name(context: BrowserContext, served: Served) -> None:
    page = opened(context, served, "cohort")
    expect(page.get_by_role("heading", name="Cohort", exact=True).first).to_be_visible()


def test_a_view_opens_elsewhere_with_its_filters(context: BrowserContext, chromium: Browser, served: Served) -> None:
    page = opened(context, served, charts=8)
    click_bar(page, ".st-key-figure_column-stage", 1)
    expect(page.locator("[class*=st-key-chip_0]")).to_be_visible()
    words = page.locator("[class*=st-key-chip_0]").inner_text()
    page.wait_for_url(re.compile(rf"{served.url}/\?view=[0-9a-f]{{32}}$"))
    still(page)
    address = page.url
    assert re.fullmatch(rf"{served.url}/\?view=[0-9a-f]{{32}}", address)
    other = chromium.new_context()
    try:
        elsewhere = other.new_page()
        elsewhere.goto(address)
        expect(elsewhere.locator("[class*=st-key-chip_0]")).to_have_text(words, use_inner_text=True)
    finally:
        other.close()


def test_a_box_over_the_curves_shows_who_is_behind_them(context: BrowserContext, served: Served) -> None:
    page = opened(context, served, "survival", charts=4)
    plot = page.locator(f"{CHART} .nsewdrag").first
    box = plot.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 20, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + 120, box["y"] + 150, steps=8)
    page.mouse.up()
    expect(page.get_by_role("button", name="Keep only these")).to_be_visible()
    expect(page.locator(".st-key-chips")).to_contain_text("240 of 240 patients selected")
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.3)
    page.get_by_role("button", name="Keep only these").click()
    expect(page.get_by_role("button", name=re.compile("picked patients"))).to_be_visible()


def test_table_view_and_exports(context: BrowserContext, served: Served, tmp_path: Path) -> None:
    page = opened(context, served, "survival", charts=4)
    figure = page.locator(CHART)
    figure.get_by_role("button", name="Table").click()
    expect(page.get_by_test_id("stDataFrame")).to_be_visible()
    page.keyboard.press("Escape")
    figure.get_by_role("button", name="Export").click()
    for name, start in (("CSV of the drawn numbers", b"group,time"), ("SVG", b"<svg"), ("PNG, 300 dpi", b"\x89PNG")):
        with page.expect_download() as coming:
            page.get_by_role("button", name=name, exact=True).click()
        target = tmp_path / coming.value.suggested_filename
        coming.value.save_as(target)
        assert target.read_bytes().startswith(start)
        if target.suffix == ".svg":
            assert b"SYN-" not in target.read_bytes()
            assert b"synthetic patients" in target.read_bytes()


def test_the_predictions_link_works_here_only_and_is_not_logged(context: BrowserContext, served: Served) -> None:
    page = opened(context, served, "survival", charts=4)
    link = page.get_by_role("link", name=re.compile("Out-of-fold predictions"))
    address = served.url + re.sub(r"^https?://[^/]+", "", link.get_attribute("href") or "")
    answer = context.request.get(address)
    assert answer.status == 200
    assert answer.text().startswith("id,fold,seed")
    with pytest.raises(urllib.error.HTTPError) as refused:
        DIRECTLY.open(address, timeout=10)
    assert refused.value.code == 403
    token = address.rpartition("t=")[2]
    assert token not in served.log.read_text()
    assert "export/predictions" not in served.log.read_text()
