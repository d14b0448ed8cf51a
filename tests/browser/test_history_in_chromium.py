"""By hand: a selection is made, changed, undone with the keyboard, and told in a methods text that names nobody."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Download, Page, expect

from core.cohort.sample import make_sample_cohort
from tests.browser.conftest import Served
from tests.browser.test_pages_in_chromium import click_bar, opened
from tests.browser.waiting import photograph, still

pytestmark = pytest.mark.browser

CHIPS = ".st-key-chips"
STAGE = ".st-key-figure_column-stage"
COHORT = make_sample_cohort()[0]


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True)
    yield context
    context.close()


def selected(page: Page, count: int) -> None:
    expect(page.locator(CHIPS)).to_contain_text(f"{count} of 240 patients selected")


def fetched(page: Page, button: str) -> str:
    with page.expect_download() as waiting:
        page.get_by_role("button", name=button, exact=True).click()
    found: Download = waiting.value
    return Path(found.path()).read_text(encoding="utf-8")


def test_made_changed_undone_and_told(context: BrowserContext, served: Served, screenshots: Path) -> None:
    requests: list[str] = []
    context.on("request", lambda request: requests.append(request.url))
    page = opened(context, served, charts=8)
    still(page)
    stages = sorted(str(s) for s in COHORT.patients["stage"].dropna().unique())
    counts = [int(COHORT.patients["stage"].isin(stages[:k]).sum()) for k in (1, 2)]
    expect(page.get_by_role("button", name=re.compile("^Undo"))).to_be_disabled()
    click_bar(page, STAGE, 0)
    selected(page, counts[0])
    still(page)
    click_bar(page, STAGE, 1)
    selected(page, counts[1])
    expect(page.get_by_role("button", name=re.compile("^Undo"))).to_be_enabled()
    still(page)
    page.keyboard.press("Alt+z")
    selected(page, counts[0])
    still(page)
    page.keyboard.press("Alt+Shift+z")
    selected(page, counts[1])
    still(page)
    page.get_by_role("button", name=re.compile("^Undo")).click()
    selected(page, counts[0])
    still(page)
    address = page.url
    assert re.fullmatch(rf"{served.url}/\?view=[0-9a-f]{{32}}", address)

    page.get_by_role("button", name=re.compile("^History")).click()
    steps = page.locator(".st-key-history_steps")
    expect(steps).to_contain_text("you are here")
    expect(steps).to_contain_text("(undone)")
    expect(steps).to_contain_text(f"{counts[1]} of 240 patients")
    page.screenshot(path=screenshots / "history-1440.png")
    text = fetched(page, "Markdown")
    assert f"({counts[0]})" in text
    assert COHORT.content_hash in text
    assert "hdmoe-1" in text
    assert "Research use only" in text
    assert "1 step that was undone" in text
    assert f"{counts[1]} of 240" not in text
    assert not any(name in text for name in COHORT.ids)
    assert fetched(page, "Plain text").startswith("METHODS")

    steps.get_by_role("button", name="Return").last.click()  # the first step: everybody
    selected(page, 240)
    assert not any(name in url for url in requests for name in COHORT.ids)


def test_the_guide_leads_from_page_to_page(context: BrowserContext, served: Served, screenshots: Path) -> None:
    page = opened(context, served, charts=8)
    guide = page.locator(".st-key-guide")
    expect(guide).to_contain_text("What to look for")
    guide.get_by_text("Tour: clinician", exact=True).click()
    expect(guide).to_contain_text("Step 1 of 6")
    guide.get_by_role("button", name=re.compile("2 Survival")).click()
    expect(guide).to_contain_text("Step 2 of 6")
    expect(page.locator(".st-key-figure_survival")).to_be_visible(timeout=30_000)
    for width in (1440, 1024):
        photograph(page, screenshots / f"guide-{width}.png", width)
    page.mouse.move(700, 600)  # off the step's button, whose hint lies over the line above it
    expect(page.get_by_role("tooltip")).to_have_count(0)
    guide.get_by_role("button", name="Hide").click()
    expect(guide).to_have_count(0)
