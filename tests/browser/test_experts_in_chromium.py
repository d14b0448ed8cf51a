"""The Experts page in a real browser: a stored audit at both widths, a table behind a figure, a run without one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from core.cohort.sample import save_sample
from core.results.audit import save_audit
from core.results.run_store import save_run
from core.results.workspace import Workspace
from tests.browser.conftest import Served, application
from tests.browser.looks import TEXT_OUTSIDE
from tests.browser.waiting import photograph, still
from tests.pages.audits import TREATED, biofact_run, make_audit
from tests.pages.builders import make_predictions, make_run

pytestmark = pytest.mark.browser
FIGURES = ("audit-markers", "audit-controls", "audit-weights", "audit-gate", "audit-stability")


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The application with an audited run and one that cannot be audited."""
    folder = tmp_path_factory.mktemp("audited")
    workspace = Workspace(folder / "workspace")
    cohort = save_sample(workspace)
    predictions = make_predictions(cohort, seeds=(0, 1, 2))
    run = biofact_run(cohort, predictions)
    save_run(run, predictions, workspace)
    save_audit(make_audit(run.id, treatment=TREATED), workspace)
    other = make_run(cohort, predictions, "hdmoe-sample-1")
    save_run(replace(other, created_at="2020-01-01T00:00:00"), predictions, workspace)
    with application(workspace, folder / "server.log") as running:
        yield running


def test_an_audit_is_read_in_words_figures_and_tables(chromium: Browser, audited: Served, screenshots: Path) -> None:
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    requests: list[str] = []
    context.on("request", lambda request: requests.append(request.url))
    page = context.new_page()
    page.goto(f"{audited.url}/experts")
    page.get_by_role("tab", name="Audit", exact=True).click()
    expect(page.locator(".verdict.yes")).to_have_count(3)
    for name in FIGURES:
        expect(page.locator(f".st-key-figure_{name} .js-plotly-plot")).to_be_visible()
    for width in (1440, 1024):
        photograph(page, screenshots / f"experts-{width}.png", width)
        assert page.evaluate(TEXT_OUTSIDE) == []
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.locator(".st-key-open_table_audit-markers button").click()
    expect(page.get_by_test_id("stDataFrame")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("stDataFrame")).to_be_hidden()
    # a list that opens while the page still scrolls or is drawn is closed again: scroll first, as a person does
    still(page)
    chooser = page.get_by_role("combobox", name="Run")
    chooser.scroll_into_view_if_needed()
    still(page)
    chooser.click()
    page.get_by_role("option").filter(has_text="HDMoE").click()
    expect(page.get_by_text("HDMoE names no experts")).to_be_visible()
    page.get_by_role("button", name="Show the newest of them").click()
    expect(page.locator(".verdict.yes")).to_have_count(3)
    own = ("data:", "blob:", "about:", audited.url, audited.url.replace("http", "ws"))
    assert [url for url in requests if not url.startswith(own)] == []
    context.close()
