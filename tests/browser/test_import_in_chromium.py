"""From an empty workspace to a survival curve without the command line, in a real browser."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from core.cohort.storage import load_cohort
from tests.browser.conftest import Served
from tests.browser.waiting import photograph, still

pytestmark = pytest.mark.browser

GONE_WITHIN = 150.0
CHART = ".st-key-figure_survival .js-plotly-plot .main-svg"


@pytest.fixture
def opened(chromium: Browser, empty_app: Served) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(empty_app.url)
    yield page
    context.close()


def choose(page: Page, key: str, option: str) -> None:
    """Pick an option of a select box, as a hand would, and wait until the page has taken it up."""
    still(page)
    page.locator(f".st-key-{key} input").click()
    page.get_by_role("option", name=option, exact=True).click()
    still(page)


def files(served: Served) -> list[Path]:
    return [p for p in (served.workspace.root / "uploads").rglob("*") if p.is_file()]


def test_pbc_from_upload_to_cumulative_incidence(
    opened: Page, empty_app: Served, shared_data: Path, screenshots: Path
) -> None:
    page = opened
    page.set_input_files("input[type=file]", shared_data / "hcc" / "pbc.csv")
    expect(page.get_by_text("3 things are open")).to_be_visible()
    choose(page, "import_code_0_0", "censored (no event so far)")
    choose(page, "import_code_0_1", "a competing event")
    choose(page, "import_code_0_2", "the event")
    page.get_by_label("The competing event is called").fill("liver transplant")
    page.keyboard.press("Enter")
    expect(page.get_by_text("25 liver transplant")).to_be_visible()
    page.get_by_text("I have checked what each event code means").click()
    expect(page.get_by_role("button", name="Continue")).to_be_enabled()
    photograph(page, screenshots / "import-check.png")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Store the cohort").click()
    expect(page.get_by_text("The cohort is stored")).to_be_visible()
    assert files(empty_app) == []
    stored = load_cohort("pbc", empty_app.workspace).endpoint()
    assert (int(stored.event.sum()), int(stored.competing.sum())) == (161, 25)
    page.get_by_role("button", name="See the survival curve").click()
    expect(page.locator(CHART).first).to_be_visible()
    expect(page.locator(".st-key-figure_survival")).to_contain_text("418 patients, 161 events (death)")
    choose(page, "competing_as", "a competing event")
    expect(page.locator(".st-key-figure_survival")).to_contain_text("Cumulative incidence of death")
    photograph(page, screenshots / "import-survival.png")
    assert "pbc.csv" not in empty_app.log.read_text()


def test_hepatocellular_needs_its_codes_confirmed_and_nothing_else(
    opened: Page, empty_app: Served, shared_data: Path
) -> None:
    page = opened
    page.set_input_files("input[type=file]", shared_data / "hcc" / "hepatoCellular.csv")
    expect(page.get_by_text("97 death")).to_be_visible()
    expect(page.get_by_text("143 recurrence")).to_be_visible()
    expect(page.get_by_role("button", name="Continue")).to_be_disabled()
    page.get_by_text("I have checked what each event code means").click()
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Store the cohort").click()
    page.get_by_role("button", name="See the survival curve").click()
    expect(page.locator(CHART).first).to_be_visible()
    expect(page.locator(".st-key-figure_survival")).to_contain_text("227 patients, 97 events (death)")


def test_closing_the_browser_removes_the_upload(opened: Page, empty_app: Served, shared_data: Path) -> None:
    opened.set_input_files("input[type=file]", shared_data / "hcc" / "pbc.csv")
    expect(opened.get_by_text("3 things are open")).to_be_visible()
    assert [p.name for p in files(empty_app)] == ["pbc.csv"]
    assert not re.search("pbc", opened.url)
    opened.context.close()
    deadline = time.monotonic() + GONE_WITHIN
    while files(empty_app) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert files(empty_app) == []
