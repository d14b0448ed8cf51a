"""The Report tab in a real browser: sentences chosen by mouse and by keyboard, and a hostile report that stays text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from core.cohort.sample import save_sample
from core.results.views import save_view
from core.results.workspace import Workspace
from pages.widgets.state import PageState
from tests.browser.conftest import Served, application
from tests.browser.waiting import still
from tests.pages.reports import HOSTILE, PATIENT, RUN, fill_reports

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("reported")
    workspace = Workspace(folder / "workspace")
    save_sample(workspace)
    fill_reports(workspace, folder)
    with application(workspace, folder / "server.log") as running:
        yield running


def test_sentences_by_mouse_and_keyboard_and_a_hostile_report(
    chromium: Browser, reported: Served, screenshots: Path
) -> None:
    view = save_view(PageState(cohort="sample", run=RUN, patient=PATIENT).as_json(), reported.workspace)
    page = chromium.new_context(viewport={"width": 1440, "height": 1100}).new_page()
    alerts: list[str] = []
    page.on("dialog", lambda dialog: (alerts.append(dialog.message), dialog.dismiss()))
    page.goto(f"{reported.url}/patient?view={view}")
    page.get_by_role("tab", name="Report").click()
    sentences = page.locator(".report-text .sentence")
    expect(sentences).to_have_count(3)
    expect(sentences.nth(2).locator(".words")).to_have_text(HOSTILE)
    sentences.nth(0).click()
    chosen = page.locator(".st-key-report_sentence")
    expect(chosen).to_contain_text("by 2.40 percentage points")
    expect(sentences.nth(0)).to_have_attribute("aria-pressed", "true")
    sentences.nth(0).focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(chosen).to_contain_text("Only 1 of 2 models agree")
    lines = [s.evaluate("e => getComputedStyle(e).textDecorationStyle") for s in sentences.all()]
    assert lines == ["wavy", "solid", "dotted"]
    page.get_by_text("All sentences as a table").click()
    for width in (1440, 1024):
        page.set_viewport_size({"width": width, "height": 1100})
        still(page)
        page.screenshot(path=screenshots / f"report-{width}.png")
    assert page.evaluate("window.hacked") is None
    assert not alerts
    assert PATIENT not in page.url
